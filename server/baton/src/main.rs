//! The `baton` program: the launcher of confined commands, the command line's door, the editor's door.

use baton::cli::{Asked, perform};
use baton::config::Home;
use baton::lsp;
use std::io::Write;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    // First of all, while there is one thread: the launcher restricts this very process.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|it| it == baton::sandbox::LAUNCH_ARGUMENT) {
        baton::sandbox::launch(args);
    }
    match perform(std::env::args_os()) {
        Asked::Exit(code) => ExitCode::from(code),
        Asked::Serve => match serve() {
            Ok(code) => code,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "baton: failed to serve the editor: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Speaks with one editor on standard input and output until it goes.
fn serve() -> anyhow::Result<ExitCode> {
    let home = Home::from_env()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = CancellationToken::new();
    let options = lsp::Options { home, stop };
    let code = runtime.block_on(lsp::serve(tokio::io::stdin(), tokio::io::stdout(), options));
    // A read of standard input that blocks must not hold up the end.
    runtime.shutdown_background();
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
