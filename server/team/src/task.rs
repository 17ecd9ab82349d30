//! State, and the one function that changes it. `apply` is total: a fact cannot fail. What each
//! fact does to a task or a run stands in `task/change.rs`.
//!
//! A copy of the team (to show, to decide on) costs nothing, a change copies only what it touches, and
//! what ended need not be in memory (`kept.rs`). So that nobody has to walk over everything that ever
//! was, the tasks that have not ended are an index, and sums are kept (`task/live.rs`).

use crate::brief::{Brief, Usage};
use crate::budget::Day;
use crate::change::{Base, Candidate, ChangeId, FileChange, PlannedPath};
use crate::event::{Answer, Event, Parked, Subject, Why, Work};
use crate::failure::Failure;
use crate::handoff::{About, By, Class, Duty, Handoff, Plan, Question, Repro};
use crate::ids::{
    ApprovalId, CommitId, DecisionId, EndingId, Millis, QuestionId, ReceiptId, RunId, TaskId,
    TreeId,
};
use crate::kept::Kept;
use crate::memory::Remembered;
use crate::receipt::{CheckSpec, Receipt};
use crate::setup::Quarantined;
use crate::stages::{Stages, Ways};
use crate::viewing::Viewing;
use imbl::OrdSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod change;
mod known;
mod live;
mod part;
mod rows;

pub use live::Ends;
pub use rows::{Entry, Frame, Shelf};

#[derive(Clone, Debug, Default)]
pub struct Team {
    /// How many events were applied: the version of everything shown.
    pub version: u64,
    pub tasks: Kept<TaskId, Task>,
    pub runs: Kept<RunId, Run>,
    pub approvals: Kept<ApprovalId, Approval>,
    pub questions: Kept<QuestionId, Asked>,
    /// Every decision.
    pub memory: Kept<DecisionId, Remembered>,
    /// Each time that a task ended, in that order. A task that is taken back ends once more.
    pub endings: Kept<EndingId, Ending>,
    /// The tasks that have not ended.
    pub(crate) open: OrdSet<TaskId>,
    pub ends: Ends,
    /// What all runs spent.
    pub spent: Usage,
    /// What the runs of this repository spent on the last day that any of them spent.
    pub today: Day,
    /// Flaky tests of this repository, oldest first; those whose time is over stay, and don't count.
    pub quarantine: Vec<Quarantined>,
    /// How many facts were learned so far; forgotten ones count.
    pub facts: u32,
    /// The content of each set-up that a person approved.
    pub(crate) setups: OrdSet<String>,
    /// The version of the checkpoint that holds all but what the entries say has changed since.
    settled: Option<u64>,
}

/// A task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub task: TaskId,
    /// Never less than that of the ending before.
    pub at: Millis,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub brief: Brief,
    pub delegated_at: Millis,
    pub ended_at: Option<Millis>,
    pub state: TaskState,
    pub base: Option<Base>,
    pub checks: Vec<CheckSpec>,
    /// Which stages each class goes through.
    pub ways: Ways,
    pub class: Option<Class>,
    /// A rule or a person settled the class: no model changes it.
    pub is_settled: bool,
    /// Whoever uses the project will notice the change.
    pub is_visible: bool,
    /// The testable "done", as triaged.
    pub criteria: Vec<String>,
    /// Everything earlier roles handed over, oldest first: the memory the next run starts from.
    pub handoffs: Vec<(RunId, Handoff)>,
    /// Build runs since the start or since a person last sent the task on.
    pub builds: u32,
    /// The plan that holds: handed over last.
    pub design: Option<Design>,
    /// Design runs since the start or since a person took up the parked task.
    pub designs: u32,
    pub repro: Option<Repro>,
    /// The round of checks on S.
    pub baseline: Option<RunId>,
    pub head: Option<Head>,
    /// L, while it is being checked, asked about or landed.
    pub candidate: Option<Candidate>,
    /// Why hunks that were accepted alone did not land; told with what is asked next.
    #[serde(default)]
    pub part_refused: Option<String>,
    pub spent: Usage,
    /// `spent` when a person last sent the task on. Limits count from there, as they do for builds.
    #[serde(default)]
    pub sent_on: Usage,
    pub questions: u32,
    /// A person answered a question of this task: some things need a person's word.
    pub person_answered: bool,
    /// Forgotten ones too; `Team::decisions` leaves them out.
    pub decisions: Vec<DecisionId>,
    /// What people said about it besides, oldest first.
    #[serde(default)]
    pub words: Vec<Words>,
    pub approvals: Vec<ApprovalId>,
    /// Its runs, oldest first.
    pub runs: Vec<RunId>,
    /// What was asked about it, oldest first.
    pub asked: Vec<QuestionId>,
    /// The person's time with it.
    #[serde(default)]
    pub viewing: Viewing,
    #[serde(default)]
    pub tally: Tally,
}

/// What a report counts and nothing else needs. Never begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Builds that began.
    pub builds: u32,
    /// How often a person sent the work back.
    pub sent_back: u32,
    /// How often a person took it up again after it had stopped.
    pub retries: u32,
    /// When it last stopped for a person.
    pub parked_at: Option<Millis>,
}

/// A plan that went through its gates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// The Architect's run.
    pub run: RunId,
    pub plan: Plan,
    /// Paths of the plan where a mistake is dear.
    pub risk: Vec<String>,
}

/// What a person said to whoever works on a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Words {
    pub text: String,
    pub by: By,
    pub at: Millis,
}

/// H: the agents' work that went through the gates of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub commit: CommitId,
    pub tree: TreeId,
    /// The Engineer's run.
    pub by: RunId,
    pub files: Vec<FileChange>,
    /// How tests were weakened, with a person's word for it.
    pub weakened: Vec<String>,
}

/// Where a task stands. The variant holds the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskState {
    /// Nothing runs by a role; the engine or a person has the next step.
    Waiting {
        on: Wait,
    },
    /// A role is at work.
    Working {
        run: RunId,
    },
    /// The server runs the project's checks.
    Checking {
        run: RunId,
        under: Option<ApprovalId>,
    },
    /// A person decides.
    AwaitingApproval {
        approval: ApprovalId,
        /// It is about commands; a candidate is checked with them for this approval.
        #[serde(default)]
        under: Option<ApprovalId>,
    },
    /// Approved; the branch or the files are being moved.
    Landing {
        approval: ApprovalId,
        step: Step,
    },
    /// What landed is being taken back.
    Undoing {
        end: End,
    },
    /// Waits for a person; never goes on by itself. `was` is where a retry goes on.
    Parked {
        why: Parked,
        was: Resume,
    },
    Closed(End),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wait {
    Snapshot,
    /// The candidate is being built from this head; `under`: for an approval that was given.
    Candidate {
        head: CommitId,
        under: Option<ApprovalId>,
    },
    /// The head of the hunks that this approval accepted is being made.
    Part {
        approval: ApprovalId,
    },
    Question {
        question: QuestionId,
    },
}

/// A landing plans first, writes the plan down, then moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    PlanBranch,
    MoveBranch { plan: Vec<PlannedPath> },
    PlanEdits,
    MoveEdits { plan: Vec<PlannedPath> },
}

/// Where a parked task goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Resume {
    Snapshot,
    /// The duty again; `continues`: where the lost run ended.
    Role {
        duty: Duty,
        on: CommitId,
        continues: Option<RunId>,
    },
    Checks {
        commit: CommitId,
        why: Why,
        under: Option<ApprovalId>,
    },
    Candidate {
        head: CommitId,
        under: Option<ApprovalId>,
    },
    Part {
        approval: ApprovalId,
    },
    Question {
        question: QuestionId,
    },
    Landing {
        approval: ApprovalId,
        step: Step,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    Landed { approval: ApprovalId, plan: Vec<PlannedPath> },
    Applied { approval: ApprovalId, plan: Vec<PlannedPath> },
    Answered,
    Rejected { why: String },
    Cancelled,
    Undone { how: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub task: TaskId,
    pub work: Work,
    pub started_at: Millis,
    pub deadline_at: Millis,
    pub spent: Usage,
    pub warned: bool,
    /// So many of the task's words has its model been told, by itself or as the run it continues.
    #[serde(default)]
    pub heard: u32,
    /// Receipt `R4.3` is the third of run 4.
    pub receipts: Vec<Receipt>,
    pub state: RunState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RunState {
    Live,
    /// Handed over, or its round of checks ended.
    Ended {
        at: Millis,
    },
    /// It asked; the run that gets the answer continues it.
    Asked {
        question: QuestionId,
    },
    Lost {
        failure: Failure,
    },
    /// Its task moved on without it.
    Stopped,
}

/// Permission for one exact change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub task: TaskId,
    pub subject: Subject,
    pub asked_at: Millis,
    pub state: ApprovalState,
    /// Of the person's time with its task, the part with this approval, in milliseconds.
    #[serde(default)]
    pub viewed_ms: Millis,
    /// What may land where some hunks only were accepted.
    #[serde(default)]
    pub part: Option<Part>,
}

/// The hunks that were accepted, as a change of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// They alone on S.
    pub head: CommitId,
    pub change: ChangeId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ApprovalState {
    Open,
    Answered {
        answer: Answer,
        by: By,
        at: Millis,
    },
    /// Overtaken; it can no longer be answered.
    Void {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub task: TaskId,
    pub run: RunId,
    pub ask: Question,
    pub about: About,
    pub answer: Option<(String, By)>,
}

impl Task {
    /// The way of this task's class; built and validated alone while it has none.
    pub fn stages(&self) -> Stages {
        self.class.and_then(|it| self.ways.of(it)).copied().unwrap_or(Stages::SHORT)
    }
}

impl TaskState {
    /// The approval that a candidate is built and checked for: its tip has moved, or some hunks only
    /// were accepted.
    pub(crate) fn under(&self) -> Option<ApprovalId> {
        match self {
            TaskState::Waiting { on: Wait::Candidate { under, .. } }
            | TaskState::Checking { under, .. }
            | TaskState::AwaitingApproval { under, .. }
            | TaskState::Parked { was: Resume::Checks { under, .. }, .. } => *under,
            TaskState::Waiting { .. }
            | TaskState::Working { .. }
            | TaskState::Landing { .. }
            | TaskState::Undoing { .. }
            | TaskState::Parked { .. }
            | TaskState::Closed(_) => None,
        }
    }
}

impl Team {
    pub fn task(&self, task: TaskId) -> Option<&Task> {
        self.tasks.get(&task).map(|it| &**it)
    }

    pub fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run).map(|it| &**it)
    }

    pub fn receipt(&self, id: ReceiptId) -> Option<&Receipt> {
        let index = usize::try_from(id.n.checked_sub(1)?).ok()?;
        self.run(id.run)?.receipts.get(index)
    }

    /// What people said about the task that this run's model was not told yet, and how many words the
    /// task has with them.
    pub fn unheard(&self, run: RunId) -> (&[Words], u32) {
        let found = self.run(run).and_then(|it| Some((it.heard, self.task(it.task)?)));
        let Some((heard, task)) = found else { return (&[], 0) };
        let all = u32::try_from(task.words.len()).unwrap_or(u32::MAX);
        let first = usize::try_from(heard).unwrap_or(usize::MAX);
        (task.words.get(first..).unwrap_or_default(), all)
    }

    /// The live run of a task, if one is at work.
    pub fn live_run(&self, task: TaskId) -> Option<RunId> {
        match self.task(task)?.state {
            TaskState::Working { run } | TaskState::Checking { run, .. } => Some(run),
            TaskState::Waiting { .. }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Landing { .. }
            | TaskState::Undoing { .. }
            | TaskState::Parked { .. }
            | TaskState::Closed(_) => None,
        }
    }

    /// The last Engineer's run that ended with a hand-over, for continuing it.
    pub fn last_build(&self, task: TaskId) -> Option<RunId> {
        let handoffs = &self.task(task)?.handoffs;
        let mut changes = handoffs.iter().rev();
        changes.find(|it| matches!(it.1, Handoff::Changed { .. })).map(|it| it.0)
    }

    pub fn apply(&mut self, event: &Event) {
        self.version += 1;
        match event {
            Event::TaskDelegated { task, brief, at } => {
                self.tasks.insert(*task, Arc::new(Task::new(brief.clone(), *at)));
                self.open.insert(*task);
            }
            Event::TaskSnapshotted { task, base, checks, ways, limits } => {
                self.with(*task, |it| it.snapshotted(base, checks, ways, limits.as_ref()));
            }
            Event::TaskClassified { task, class, criteria, .. } => {
                self.with(*task, |it| it.classified(*class, criteria));
            }
            Event::RunStarted { run, task, work, at, deadline_at } => {
                self.start(*run, *task, work, *at, *deadline_at)
            }
            Event::RunSpent { run, usage, at } => self.spend(*run, usage, *at),
            Event::BudgetWarned { run, .. } => self.with_run(*run, |it| it.warned = true),
            Event::ReceiptRecorded { run, receipt } => self.record(*run, receipt),
            Event::ReproRecorded { run, repro } => self.reproduced(*run, repro),
            Event::RunHandedOver { run, handoff, facts, at } => {
                self.hand_over(*run, handoff, facts.as_ref(), *at);
            }
            Event::WordsHeard { run, words } => self.with_run(*run, |it| it.heard = *words),
            Event::RunLost { run, failure, .. } => self.lost(*run, failure),
            Event::RunChecked { run, at } => self.checked(*run, *at),
            Event::QuestionAsked { run, question, ask, about } => {
                self.ask(*run, *question, ask, *about);
            }
            Event::QuestionAnswered { question, text, by, at } => {
                self.answer(*question, text, by, *at);
            }
            Event::CandidateWanted { task, head } => self.with(*task, |it| it.wants(head)),
            Event::CandidateBuilt { task, candidate } => self.proposed(*task, Some(candidate)),
            Event::CandidateConflicted { task, .. } => self.proposed(*task, None),
            Event::ApprovalAsked { approval, task, subject, at } => {
                self.ask_approval(*approval, *task, subject, *at);
            }
            Event::ApprovalAnswered { approval, answer, by, at } => {
                self.answer_approval(*approval, answer, by, *at);
            }
            Event::ApprovalRebased { approval, candidate, receipts } => {
                self.rebase(*approval, candidate, receipts);
            }
            Event::ApprovalVoided { approval, why } => self.void(*approval, why),
            Event::PartMade { approval, head, change } => self.part_made(*approval, head, change),
            Event::PartRefused { approval, why } => self.part_refused(*approval, why),
            Event::TipMoved { task } => self.tip_moved(*task),
            Event::LandingPlanned { task, plan } => self.with(*task, |it| it.planned(plan)),
            Event::TaskLanded { task, at } | Event::TaskApplied { task, at } => {
                self.with(*task, |it| it.landed(*at));
            }
            Event::LandingRefused { .. } => (),
            Event::TaskAnswered { task, at } => self.close(*task, End::Answered, *at),
            Event::TaskRejected { task, why, at } => self.reject(*task, why, *at),
            Event::TaskCancelled { task, at } => self.close(*task, End::Cancelled, *at),
            Event::TaskParked { task, why, at } => self.park(*task, why, *at),
            Event::TaskRetried { task } => self.with(*task, Task::retried),
            Event::UndoStarted { task } => self.with(*task, Task::undo_started),
            Event::UndoRefused { task, .. } => self.with(*task, Task::undo_refused),
            Event::DecisionRecorded { .. }
            | Event::PersonSaid { .. }
            | Event::TaskViewed { .. }
            | Event::MemoForgotten { .. }
            | Event::TestsQuarantined { .. } => self.learn(event),
            Event::TaskUndone { task, how, at } => {
                self.close(*task, End::Undone { how: how.clone() }, *at);
            }
        }
    }
}
