//! What should be going on right now. Computed from state alone, so a restart needs no special
//! case: replay the log, ask for `jobs`, start those that are not running.

use crate::change::PlannedPath;
use crate::event::Work;
use crate::ids::{ApprovalId, CommitId, RunId, TaskId};
use crate::task::{End, Step, TaskState, Team, Wait};

/// A keyed noun: two equal jobs are the same job, so the shell can tell what already runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Snapshot {
        task: TaskId,
    },
    /// A role's run.
    Run {
        task: TaskId,
        run: RunId,
    },
    /// A round of checks.
    Check {
        task: TaskId,
        run: RunId,
    },
    /// The set-up command.
    SetUp {
        task: TaskId,
        run: RunId,
    },
    Candidate {
        task: TaskId,
        head: CommitId,
    },
    /// The head of the hunks that were accepted.
    Part {
        task: TaskId,
        approval: ApprovalId,
    },
    /// One step of a landing; `plan`: written down, now move.
    Land {
        task: TaskId,
        approval: ApprovalId,
        edits: bool,
        plan: Option<Vec<PlannedPath>>,
    },
    Undo {
        task: TaskId,
    },
}

impl Job {
    pub fn task(&self) -> TaskId {
        match self {
            Job::Snapshot { task }
            | Job::Run { task, .. }
            | Job::Check { task, .. }
            | Job::SetUp { task, .. }
            | Job::Candidate { task, .. }
            | Job::Part { task, .. }
            | Job::Land { task, .. }
            | Job::Undo { task } => *task,
        }
    }
}

/// In the order of the tasks' numbers: the oldest first where not all can run at once.
pub fn jobs(team: &Team) -> Vec<Job> {
    let mut res = vec![];
    for (task, it) in team.open_tasks() {
        match &it.state {
            TaskState::Waiting { on: Wait::Snapshot } => res.push(Job::Snapshot { task }),
            TaskState::Waiting { on: Wait::Candidate { head, .. } } => {
                res.push(Job::Candidate { task, head: head.clone() });
            }
            TaskState::Waiting { on: Wait::Part { approval } } => {
                res.push(Job::Part { task, approval: *approval });
            }
            TaskState::Working { run } | TaskState::Checking { run, .. } => {
                let run = *run;
                match team.run(run).map(|it| &it.work) {
                    Some(Work::Role { .. }) => res.push(Job::Run { task, run }),
                    Some(Work::Checks { .. }) => res.push(Job::Check { task, run }),
                    Some(Work::Setup { .. }) => res.push(Job::SetUp { task, run }),
                    None => (),
                }
            }
            TaskState::Landing { approval, step } => {
                let (edits, plan) = match step {
                    Step::PlanBranch => (false, None),
                    Step::MoveBranch { plan } => (false, Some(plan.clone())),
                    Step::PlanEdits => (true, None),
                    Step::MoveEdits { plan } => (true, Some(plan.clone())),
                };
                res.push(Job::Land { task, approval: *approval, edits, plan });
            }
            TaskState::Undoing { end: End::Landed { .. } | End::Applied { .. } } => {
                res.push(Job::Undo { task });
            }
            TaskState::Undoing {
                end: End::Answered | End::Rejected { .. } | End::Cancelled | End::Undone { .. },
            }
            | TaskState::Waiting { on: Wait::Question { .. } }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Parked { .. }
            | TaskState::Closed(_) => (),
        }
    }
    res
}
