//! The team's rules, with no I/O: this crate cannot open a file, spawn a process or tell the time.
//!
//! Read in this order: `ids`, `brief`, `handoff`, `receipt`, `change`, `stages`, `event`, `task`,
//! `routing`, `decide`, `jobs`, `board`.

mod board;
mod brief;
mod budget;
mod change;
mod decide;
mod estimate;
mod event;
mod explain;
mod failure;
mod handoff;
mod ids;
mod jobs;
mod kept;
mod memory;
mod paths;
mod receipt;
mod related;
mod report;
mod routing;
mod setup;
mod stages;
mod task;
mod viewing;

#[cfg(test)]
mod tests;

pub use board::{
    ApprovalLine, BOARD_ENDED_MAX, Board, Column, QuestionLine, TaskLine, approval_line, board,
    size, task_line, title, waiting,
};
pub use brief::{Brief, Limits, Origin, Place, StartFrom, Usage};
pub use budget::{Budget, Day, DayMoney, Grant, Wish, grant};
pub use change::{
    Base, Candidate, ChangeFacts, ChangeId, Comment, Facts, FileChange, FileHunks, FileKind,
    NotesFacts, PlanFacts, PlannedPath, Side, Target, count, lines,
};
pub use decide::{Input, Refusal, decide, is_over_budget, next_deadline, rerun};
pub use estimate::{Estimate, estimate, expected};
pub use event::{Answer, EVENT_VERSION, Event, Parked, Start, Subject, Why, Work};
pub use explain::{Rule, became, explain};
pub use failure::{Code, Failure};
pub use handoff::{
    About, By, Class, Decision, Duty, Handoff, Notes, Plan, Question, Repro, Role, Severity,
    Verdict,
};
pub use ids::{
    ApprovalId, CommitId, DecisionId, EndingId, FactId, Millis, Numbered, QuestionId, ReceiptId,
    RunId, TaskId, TreeId,
};
pub use jobs::{Job, jobs};
pub use kept::{Extent, Fetch, Kept};
pub use memory::{Memo, Remembered};
pub use paths::{is_documentation, is_test};
pub use receipt::{
    CheckSpec, Exit, Outcome, REPORT_FILE, Ran, Receipt, Report, SandboxLevel, Tests,
};
pub use related::{RELATED_MAX, Related, related};
pub use report::{
    DEFINITION, Digest, DigestLine, Rates, StepRow, TaskSteps, TeamReport, Touches, report, steps,
    touches,
};
pub use routing::{Guess, guess};
pub use setup::{QUARANTINE_MS, Quarantined, RERUNS_MAX, Setup, date, is_same_test};
pub use stages::{BadStages, Gate, Stage, Stages, Ways};
pub use task::{
    Approval, ApprovalState, Asked, Design, End, Ending, Ends, Entry, Frame, Head, Part, Resume,
    Run, RunState, Shelf, Step, Tally, Task, TaskState, Team, Wait, Words,
};
pub use viewing::{IDLE_MS_MAX, Sign, Viewing};
