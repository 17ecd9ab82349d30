//! The commands behind which a process serves: the daemon, and the language server.

use clap::{Args, ValueEnum};

/// The process behind editors and commands: start it, stop it, look at it
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "The process behind editors and commands: one for you, with every repository that \
is in use. Whoever needs it starts it, and it ends by itself when nobody is connected and nothing is \
under way.",
    after_help = "Examples:
  baton daemon status
  baton daemon stop      what is under way goes on at the next start"
)]
pub struct Daemon {
    #[arg(value_name = "WHAT", value_enum)]
    pub what: DaemonWhat,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DaemonWhat {
    /// Start it, if it doesn't run
    Start,
    /// End it
    Stop,
    /// What it is doing
    Status,
    /// Be it
    #[value(hide = true)]
    Serve,
}

/// The language server that editors start; speaks on standard input and output
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "The language server that editors start. It speaks the Language Server Protocol \
on standard input and output, and passes it on to the daemon, which it starts if none runs: the \
editor may close, the team goes on. With --in-process all of it is in this one process.",
    after_help = "Example:
  baton lsp      see docs/editors.md for your editor's settings"
)]
pub struct Lsp {
    /// Accepted because editors add it; standard input and output are always used
    #[arg(long, hide = true)]
    pub stdio: bool,
}
