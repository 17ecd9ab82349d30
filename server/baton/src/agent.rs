//! Runs one role once: context, model, tools -> handoff.
//!
//! `work` is the run. What the model has seen and what happens next follow from the run's journal
//! alone (`talk`), so a run that was killed goes on where it was. Files are touched here, through a
//! capability on the slot (`files`); for all else the run asks the hub (`request`).
//!
//! Invariants: nothing is acted on before it is in the journal, but that the model hears what was only
//! read, which can be read again; what was sent to the model is only
//! appended to, but at the borders of its window; a command is never run a second time by itself; only
//! an accepted hand-over completes a run.

mod args;
mod brief;
mod course;
mod edit;
mod files;
mod format;
mod journal;
mod outline;
mod output;
mod patch;
mod read;
mod request;
mod stuck;
mod talk;
mod tools;
mod whole;

pub use brief::{BriefFacts, Earlier, Failing, brief, continue_text};
pub use course::work;
pub use format::Format;
pub use format::record::{Rate, Record, choose};
pub use journal::{Ending, NoteWhy, StepBody, last_tree};
pub use request::{Asking, Draft, Made, Progress, Request, Seen, Spent, Words};
pub use tools::{tool_table, tools_json};
pub use whole::{Facts, Required};

use crate::model::{Block, Message, Speaker};
use std::path::PathBuf;
use team::{Duty, RunId};

/// The window of a model whose own is not known.
pub const WINDOW_TOKENS: u64 = 200_000;

/// One run of one role.
#[derive(Clone, Debug)]
pub struct Assignment {
    pub run: RunId,
    pub duty: Duty,
    /// The root of the slot; where the run is resumed, put back to `last_tree` of its journal.
    pub slot: PathBuf,
    /// The text it starts with: `brief`, or `continue_text` where it continues another run.
    pub brief: String,
    /// `history` of the run it continues; empty for a fresh one.
    pub history: Vec<Message>,
    /// Its steps so far; empty when it starts. Then `brief` and `history` are not looked at.
    pub journal: Vec<StepBody>,
    /// The model's window, e.g. `WINDOW_TOKENS`.
    pub window_tokens: u64,
    /// Names that no agent reads, besides those that are always secret.
    pub secret_globs: Vec<String>,
    /// How its edits are written, where it has no steps yet.
    pub format: Format,
    /// Where edits fail, or no tool is called at all, it goes on in whole blocks.
    pub may_fall: bool,
    /// What is known of the model's edits.
    pub record: Record,
    /// What it is told where it works in whole blocks.
    pub facts: Facts,
}

/// How a run ended without a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The runner accepted its handoff.
    HandedOver,
    /// The runner took its question; the answer starts a run that continues it.
    Asked,
    /// It went in circles; how.
    Stuck(String),
    /// A limit leaves room for no further call; which limit.
    UsedUp(String),
}

/// What a run that ended said and saw, for the run that continues it.
pub fn history(steps: &[StepBody]) -> Vec<Message> {
    talk::Talk::of(steps).into_history()
}

/// The instructions of a role.
pub fn prompt(duty: Duty) -> &'static str {
    match duty {
        Duty::Triage => include_str!("agent/prompts/pm.md"),
        Duty::Build => include_str!("agent/prompts/engineer.md"),
        Duty::Validate => include_str!("agent/prompts/tester.md"),
        Duty::Design => include_str!("agent/prompts/architect-design.md"),
        Duty::Announce => include_str!("agent/prompts/marketing.md"),
        Duty::Answer => include_str!("agent/prompts/architect-answer.md"),
    }
}

/// The first messages of a run.
fn opening(mut history: Vec<Message>, text: String) -> Vec<Message> {
    let block = Block::Text { text };
    match history.last_mut() {
        Some(last) if last.speaker == Speaker::User => last.blocks.push(block),
        Some(_) | None => history.push(Message { speaker: Speaker::User, blocks: vec![block] }),
    }
    history
}
