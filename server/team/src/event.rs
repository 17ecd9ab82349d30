//! Facts. An event has happened, was written to the log, and is never edited.

use crate::brief::{Brief, Limits, Usage};
use crate::change::{Base, Candidate, ChangeId, Comment, Facts, FileHunks, PlannedPath};
use crate::failure::Failure;
use crate::handoff::{About, By, Class, Decision, Duty, Handoff, Plan, Question, Repro};
use crate::ids::{ApprovalId, CommitId, Millis, QuestionId, ReceiptId, RunId, TaskId};
use crate::memory::Memo;
use crate::receipt::{CheckSpec, Receipt};
use crate::setup::Setup;
use crate::stages::{Stage, Ways};
use crate::viewing::Sign;
use serde::{Deserialize, Serialize};

/// The format of a stored event; a change of meaning raises it and brings a migration.
pub const EVENT_VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    TaskDelegated {
        task: TaskId,
        brief: Brief,
        at: Millis,
    },
    TaskSnapshotted {
        task: TaskId,
        base: Base,
        checks: Vec<CheckSpec>,
        /// Which stages each class of task goes through here.
        #[serde(default)]
        ways: Ways,
        /// Lower than the brief's, where the workspace's trusted file says so.
        #[serde(default)]
        limits: Option<Limits>,
    },
    /// What kind of task it is was settled without a model: by a rule or by a person.
    TaskClassified {
        task: TaskId,
        class: Class,
        by: By,
        why: String,
        /// The testable "done", where the brief itself holds it.
        criteria: Vec<String>,
    },
    RunStarted {
        run: RunId,
        task: TaskId,
        work: Work,
        at: Millis,
        deadline_at: Millis,
    },
    /// A model call of the run was paid.
    RunSpent {
        run: RunId,
        usage: Usage,
        #[serde(default)]
        at: Millis,
    },
    /// Four fifths of a limit are used.
    BudgetWarned {
        run: RunId,
        text: String,
    },
    /// A command of the run ended; the server saw it.
    ReceiptRecorded {
        run: RunId,
        receipt: Receipt,
    },
    ReproRecorded {
        run: RunId,
        repro: Repro,
    },
    /// The gates let this signal through.
    RunHandedOver {
        run: RunId,
        handoff: Handoff,
        facts: Option<Facts>,
        at: Millis,
    },
    QuestionAsked {
        run: RunId,
        question: QuestionId,
        ask: Question,
        #[serde(default)]
        about: About,
    },
    QuestionAnswered {
        question: QuestionId,
        text: String,
        by: By,
        at: Millis,
    },
    /// A person said something to whoever works on the task.
    PersonSaid {
        task: TaskId,
        text: String,
        by: By,
        at: Millis,
    },
    /// The run's model has been told the task's first so many words of people.
    WordsHeard {
        run: RunId,
        words: u32,
    },
    RunLost {
        run: RunId,
        failure: Failure,
        at: Millis,
    },
    /// A round of checks ended; its receipts were recorded before.
    RunChecked {
        run: RunId,
        at: Millis,
    },
    /// The verdict is a pass; the candidate is to be built from this head.
    CandidateWanted {
        task: TaskId,
        head: CommitId,
    },
    CandidateBuilt {
        task: TaskId,
        candidate: Candidate,
    },
    /// H does not merge into the tip: it depends on text that isn't committed.
    CandidateConflicted {
        task: TaskId,
        tip: CommitId,
        paths: Vec<String>,
    },
    /// The tip moved, the same change is green there, and the approval still holds.
    ApprovalRebased {
        approval: ApprovalId,
        candidate: Candidate,
        receipts: Vec<ReceiptId>,
    },
    ApprovalAsked {
        approval: ApprovalId,
        task: TaskId,
        subject: Subject,
        at: Millis,
    },
    ApprovalAnswered {
        approval: ApprovalId,
        answer: Answer,
        by: By,
        at: Millis,
    },
    ApprovalVoided {
        approval: ApprovalId,
        why: String,
    },
    /// The hunks that were accepted, alone, on what the person saw: this head. Exactly this change is
    /// what may land.
    PartMade {
        approval: ApprovalId,
        head: CommitId,
        change: ChangeId,
    },
    /// The hunks that were accepted don't land by themselves; the whole change is asked about again.
    PartRefused {
        approval: ApprovalId,
        why: String,
    },
    /// The branch's tip was no longer the candidate's parent.
    TipMoved {
        task: TaskId,
    },
    /// Intent, before anything of the person's is touched.
    LandingPlanned {
        task: TaskId,
        plan: Vec<PlannedPath>,
    },
    TaskLanded {
        task: TaskId,
        at: Millis,
    },
    TaskApplied {
        task: TaskId,
        at: Millis,
    },
    /// Nothing moved; why not.
    LandingRefused {
        task: TaskId,
        why: String,
    },
    TaskAnswered {
        task: TaskId,
        at: Millis,
    },
    TaskRejected {
        task: TaskId,
        why: String,
        at: Millis,
    },
    TaskCancelled {
        task: TaskId,
        at: Millis,
    },
    TaskParked {
        task: TaskId,
        why: Parked,
        at: Millis,
    },
    /// A person said: go on.
    TaskRetried {
        task: TaskId,
    },
    UndoStarted {
        task: TaskId,
    },
    UndoRefused {
        task: TaskId,
        why: String,
    },
    TaskUndone {
        task: TaskId,
        how: String,
        at: Millis,
    },
    DecisionRecorded {
        task: TaskId,
        decision: Decision,
    },
    /// A review of the task was opened, worked on or closed: how a person's time is measured.
    TaskViewed {
        task: TaskId,
        /// What was looked at, where that was an approval.
        approval: Option<ApprovalId>,
        sign: Sign,
        by: By,
        at: Millis,
    },
    /// A person said to forget it: no role is told of it again.
    MemoForgotten {
        memo: Memo,
        by: By,
        at: Millis,
    },
    /// These tests of a check failed and passed on the same files.
    TestsQuarantined {
        task: TaskId,
        check: String,
        tests: Vec<String>,
        receipts: Vec<ReceiptId>,
        until: Millis,
    },
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// A role's run. `on` is the commit its slot starts at.
    Role { duty: Duty, on: CommitId, start: Start },
    /// A round of checks by the server. `unconfined`: a person approved exactly these commands on
    /// exactly this commit, where there is no sandbox.
    Checks { commit: CommitId, why: Why, unconfined: bool },
    /// The set-up command; then this round of checks again.
    Setup { setup: Setup, then: Why },
}

/// How a role's run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    Fresh,
    /// The same role goes on where that run ended, with this new text.
    Continues {
        run: RunId,
        text: String,
    },
}

/// What a round of checks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// On S, before the first Engineer.
    Baseline,
    /// On H, before the Tester.
    Gate,
    /// On L, before the approval.
    Candidate,
}

/// Why a task waits for a person, and what a retry does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parked {
    /// The world failed; a retry starts the same step again.
    Failed(Failure),
    /// The team needs a person's head: rework exhausted, declined, out of budget, stuck.
    NeedsPerson(String),
    /// A person stopped it.
    Stopped,
}

/// What an approval is about: exactly one change, exactly these commands, or that the work goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Land this candidate; the receipts are the required checks on its tree.
    Landing { candidate: Candidate, receipts: Vec<ReceiptId> },
    /// It can't land on the branch as things are; apply H as edits to files and buffers instead.
    Edits { head: CommitId, why: String, receipts: Vec<ReceiptId> },
    /// There is no sandbox here: run exactly these commands on exactly this commit, unconfined.
    Commands { commit: CommitId, why: Why, checks: Vec<CheckSpec> },
    /// Build what this plan says. `run` is the Architect's; `why` says why a person is asked.
    Plan { run: RunId, plan: Plan, why: Vec<String> },
    /// Go on with this stage, on what was handed over so far.
    Stage { before: Stage },
    /// What the checks need is not there: run exactly this command with a network, then the checks.
    Setup { setup: Setup, then: Why },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// `ticked`: the paths that needed a tick of their own and got it.
    Approve {
        ticked: Vec<String>,
    },
    /// Land exactly these hunks of the candidate and leave the others.
    ApproveSome {
        ticked: Vec<String>,
        hunks: Vec<FileHunks>,
    },
    /// Apply as edits: files and buffers change, nothing is committed.
    Apply,
    /// Back to the role whose work was shown, with these words.
    Revise {
        text: String,
        #[serde(default)]
        comments: Vec<Comment>,
    },
    /// Build the candidate again, on what is committed now.
    Rebuild,
    Reject {
        why: String,
    },
}
