//! The `baton` program: the launcher of confined commands, the command line's door, the editor's door.

use baton::cli::{Asked, perform};
use baton::lsp;
use rustix::process::DumpableBehavior;
use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all, while there is one thread: the launcher restricts this very process.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|it| it == baton::sandbox::LAUNCH_ARGUMENT) {
        baton::sandbox::launch(args);
    }
    // It will hold keys: other programs of the same user may not read its memory, and no crash leaves
    // it on the disk. What it starts is not concerned. Where the system can't, it runs all the same.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    match perform(std::env::args_os()) {
        Asked::Exit(code) => ExitCode::from(code),
        Asked::Serve => ExitCode::from(u8::try_from(lsp::run_in_process()).unwrap_or(1)),
    }
}
