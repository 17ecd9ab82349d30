//! The `baton` program: the launcher of confined commands, the command line's door, the editor's door,
//! and the daemon that both reach.

use baton::cli::{Asked, perform};
use baton::daemon::{self, Connection};
use baton::lsp::{self, Options};
use rustix::process::DumpableBehavior;
use std::process::ExitCode;
use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

fn main() -> ExitCode {
    // First of all, while there is one thread: the launcher restricts this very process.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|it| it == baton::sandbox::LAUNCH_ARGUMENT) {
        baton::sandbox::launch(args);
    }
    // It will hold keys: other programs of the same user may not read its memory, and no crash leaves
    // it on the disk. What it starts is not concerned. Where the system can't, it runs all the same.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let code = match perform(std::env::args_os()) {
        Asked::Exit(code) => return ExitCode::from(code),
        Asked::Serve => lsp::run_in_process(Vec::new()),
        Asked::Proxy => daemon::run_proxy().unwrap_or_else(lsp::run_in_process),
        Asked::Daemon => {
            return ExitCode::from(daemon::run(|input, output, connection| {
                Box::pin(serve(input, output, connection))
            }));
        }
    };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// The language service for one connection of the daemon's.
async fn serve(input: BufReader<OwnedReadHalf>, output: OwnedWriteHalf, it: Connection) -> i32 {
    let options = Options { hubs: it.hubs, environment: it.environment, stop: it.stop };
    lsp::serve(input, output, options).await
}
