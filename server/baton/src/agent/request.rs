//! What a run asks of the hub's runner. The agent names neither git, checks nor store: everything
//! outside the slot's files goes through here.
//!
//! Every question carries the channel for its answer. An answer that never comes (the sender was
//! dropped) means that the run is over: the agent stops with `Interrupted`.

use crate::agent::journal::StepBody;
use serde::{Deserialize, Serialize};
use team::{
    Class, CommitId, Exit, Failure, Grant, Plan, ReceiptId, Severity, Tests, TreeId, Usage,
    Verdict, Wish,
};
use tokio::sync::oneshot;

/// One question of a run, or one line for those who watch it.
#[derive(Debug)]
pub enum Request {
    /// Append these steps to the run's journal, and what a model call cost to the ledger, in one
    /// transaction. Answered when it is durable; nothing is acted on before. With `spent` nothing is
    /// held for the call any more.
    Journal { steps: Vec<StepBody>, spent: Option<Spent>, reply: oneshot::Sender<()> },
    /// What people said about the task that this run's model was not told yet.
    Words { reply: oneshot::Sender<Words> },
    /// Hold what the next model call costs at its worst, until it is spent or the run ends.
    Reserve { wish: Wish, is_closing: bool, reply: oneshot::Sender<Grant> },
    /// Bring every byte of the slot under a ref; the tree that names its files now.
    Save { reply: oneshot::Sender<Result<TreeId, Failure>> },
    /// Run a command in the sandbox. `dir` is relative to the slot, empty for its root.
    Command {
        argv: Vec<String>,
        dir: String,
        timeout_ms: u64,
        reply: oneshot::Sender<Result<Seen, Failure>>,
    },
    /// Run one of the project's checks in this slot. `Err`: a sentence for the model (no such check).
    Check { name: String, reply: oneshot::Sender<Result<Result<Seen, String>, Failure>> },
    /// Commit what is there and run the named tests on it. Both arms of the inner result are
    /// sentences for the model: what was seen, or why it does not count and what to do.
    Checkpoint {
        tests: Vec<String>,
        note: String,
        reply: oneshot::Sender<Result<Result<String, String>, Failure>>,
    },
    /// What a command or check of this task printed, as far as it was kept. `Err`: a sentence for the
    /// model (no such receipt, or its output is cleared).
    Output { receipt: ReceiptId, reply: oneshot::Sender<Result<Result<Vec<u8>, String>, Failure>> },
    /// What the slot changes against the task's start, as a unified diff.
    Diff { reply: oneshot::Sender<Result<String, Failure>> },
    /// The completion signal. `Err`: the gates refused it; the text tells the model what to do.
    HandOver { handoff: Draft, reply: oneshot::Sender<Result<(), String>> },
    /// A question to the person. `Ok` ends this run; the answer starts one that continues it.
    /// `Err`: it can't be asked; the text tells the model what to do.
    Ask { question: Asking, reply: oneshot::Sender<Result<(), String>> },
    /// For those who watch. Sent only where there is room, so it may be missing; already made safe to
    /// show.
    Progress(Progress),
}

/// What one model call cost, as the provider reported it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    pub usage: Usage,
    /// The provider's own record, for the ledger.
    pub raw: serde_json::Value,
}

/// What people said about a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Made safe to show; empty where there is nothing new.
    pub texts: Vec<String>,
    /// How many words the task has with these.
    pub count: u32,
}

/// What the server saw of a command or a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub receipt: ReceiptId,
    pub exit: Exit,
    pub duration_ms: u64,
    /// Standard output and error as they came; head and tail where it was long.
    pub output: Vec<u8>,
    /// Of the whole output.
    pub output_bytes: u64,
    /// Where a report counts tests.
    pub tests: Option<Tests>,
    /// Files that came with it and that git does not ignore.
    pub made: Made,
}

/// New files that a command or a check left in the slot, as paths from its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Of a command: they are part of the change.
    Kept(Vec<String>),
    /// Of a check, which is no edit: they were taken out of the slot.
    SetAside(Vec<String>),
}

/// A handoff as the model drafts it. What the server knows better (the head of a change) is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draft {
    Triaged {
        class: Class,
        severity: Severity,
        summary: String,
        criteria: Vec<String>,
        or_class: Option<Class>,
        is_visible: bool,
    },
    Designed {
        plan: Plan,
    },
    Changed {
        summary: String,
        look_first: String,
        risks: Vec<String>,
    },
    Validated {
        verdict: Verdict,
        head: CommitId,
        receipts: Vec<ReceiptId>,
        notes: String,
    },
    Answered {
        text: String,
        citations: Vec<String>,
    },
    /// `nothing`: it says why nobody needs to be told.
    Announced {
        summary: String,
        nothing: bool,
    },
    Declined {
        why: String,
    },
}

/// A question as the model asks it; the runner adds the deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    pub text: String,
    /// 2 to 4.
    pub options: Vec<String>,
    /// Index into `options`.
    pub default: u32,
    /// At the deadline: go on with the default, or park.
    pub proceed: bool,
    /// What it costs to be wrong.
    pub stakes: String,
}

/// What a run is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The model's own words, a piece at a time.
    Says(String),
    /// A tool call that begins, in one line.
    Does(String),
    /// The provider makes it wait.
    Waits { why: String, wait_ms: u64 },
    /// Spent by this run so far.
    Spent(Usage),
}
