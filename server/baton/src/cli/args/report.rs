//! `report` and `memory`: what came of it, and what is remembered.

use clap::{Args, Subcommand};
use team::{Memo, TaskId};

/// What was delegated, what it cost, and how much of your time it took
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "What happened, how much was really delegated, what it cost, and how much of your \
time it took: in sums, by class, and step by step for the last tasks.\n\nEverything is counted from the \
log. Your time is measured where an editor or this command line tells of a review: from opening it to \
your answer, without pauses of more than two minutes. What was not measured is not guessed.",
    after_help = "Examples:
  baton report
  baton report --since 7d
  baton report --json | jq '.all'"
)]
pub struct Report {
    /// Only what ended since then: 30m, 12h, 7d or 4w ago [default: everything]
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<u64>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What the team remembers of this repository: decisions and facts
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    long_about = "What the team remembers of this repository: what was decided and why, and what was \
seen, such as flaky tests. `forget` takes something out: no role is told of it again; the log keeps \
that it was there.",
    after_help = "Examples:
  baton memory
  baton memory --path src/parse.rs
  baton memory forget D3
  baton memory forget F1           a flaky test counts again"
)]
pub struct Memory {
    #[command(subcommand)]
    pub act: Option<MemoryAct>,
    /// Only decisions of this task
    #[arg(long, value_name = "TASK")]
    pub task: Option<TaskId>,
    /// Only decisions of tasks that point at this file or folder, plan it or change it
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum MemoryAct {
    /// Take something out: no role is told of it again
    Forget {
        /// D3 for a decision, F1 for a fact
        #[arg(value_name = "ID")]
        memo: Memo,
    },
}

/// `7d` as milliseconds.
fn since(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time; it looks like 30m, 12h, 7d or 4w");
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(u64::from(number) * minutes * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(since("90m"), Ok(90 * 60_000));
        assert_eq!(since("7d"), Ok(7 * 24 * 3_600_000));
        for wrong in ["", "7", "d", "7 days", "-1d", "1.5h", "99999999999w", "7ä"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
