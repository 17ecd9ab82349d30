//! The commands that look at what there is and change nothing.

use clap::Args;
use team::{ApprovalId, ReceiptId, TaskId};

/// Everything that happened, in order
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Everything that happened in this repository, oldest first, from the log that \
is never edited.",
    after_help = "Examples:
  baton log --last 20
  baton log --task T1 --json"
)]
pub struct Log {
    /// Only this task
    #[arg(long, value_name = "TASK")]
    pub task: Option<TaskId>,
    /// Only the last N events
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Is this machine and this repository ready? What is missing, and what to do
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Look at everything that a run needs: the repository, the state folder and its \
lock, the sandbox, the model and its key (never shown), the versions and the disk. Exit code 0 \
where a run could start, else 1.",
    after_help = "Examples:
  baton doctor
  baton doctor --json"
)]
pub struct Doctor {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Which tools each role has
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Which tools each role has; with --json each tool with its schema, as the model \
gets it.",
    after_help = "Examples:
  baton tools
  baton tools --json | jq '.[].name'"
)]
pub struct Tools {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be explained: an approval or a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explainable {
    Approval(ApprovalId),
    Receipt(ReceiptId),
}

impl std::str::FromStr for Explainable {
    type Err = String;
    fn from_str(text: &str) -> Result<Explainable, String> {
        let wrong = || format!("`{text}` is nothing to explain; it looks like A2 or R4.1");
        match text.chars().next() {
            Some('A' | 'a') => text.parse().map(Explainable::Approval).map_err(|_| wrong()),
            Some('R' | 'r') => text.parse().map(Explainable::Receipt).map_err(|_| wrong()),
            Some(_) | None => Err(wrong()),
        }
    }
}

/// Why an approval was asked, rule by rule; or what a receipt's command printed
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Why an approval was asked: each rule, whether it was kept, and the recorded facts \
that say so; then what became of it. It reads the log as it was when the approval was asked.\n\n\
Of a receipt: what ran, where, how it ended, and what it printed, as it was kept. Nothing runs: \
baton replay R4.1 runs it again.",
    after_help = "Examples:
  baton explain A2
  baton explain A2 --json | jq '.rules[] | select(.kept | not)'
  baton explain R4.1 | less"
)]
pub struct Explain {
    /// The approval or the receipt
    #[arg(value_name = "ID")]
    pub it: Explainable,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How many tasks run and wait, in one line
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "How many tasks run and how many wait for you. With --short a few characters \
for a shell prompt or a status bar: nothing at all where nothing is going on.",
    after_help = "Examples:
  baton status
  PS1='$(baton status --short 2>/dev/null)'\"$PS1\""
)]
pub struct Status {
    /// For a shell prompt
    #[arg(long)]
    pub short: bool,
    /// As JSON
    #[arg(long, conflicts_with = "short")]
    pub json: bool,
}
