//! The `baton` program.

use baton::cli::{Asked, perform};
use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all, while there is one thread: the launcher restricts this very process.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|it| it == baton::sandbox::LAUNCH_ARGUMENT) {
        baton::sandbox::launch(args);
    }
    match perform(std::env::args_os()) {
        Asked::Exit(code) => ExitCode::from(code),
        Asked::Serve { .. } => ExitCode::FAILURE,
    }
}
