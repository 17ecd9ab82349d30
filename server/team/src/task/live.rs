//! What has not ended, and what ended how often: kept by each change, so that nobody has to walk over
//! all tasks, runs or approvals that there ever were.

use super::{
    Approval, ApprovalState, Asked, End, Ending, Run, RunState, Task, TaskState, Team, Wait,
};
use crate::handoff::By;
use crate::ids::{ApprovalId, EndingId, Millis, QuestionId, RunId, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many tasks ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// Landed, applied or answered, and not taken back.
    pub shipped: u32,
    /// Of the shipped, those that landed by a rule and no person's answer.
    pub by_rule: u32,
    /// Rejected, cancelled or taken back.
    pub otherwise: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EndedAs {
    Shipped { by_rule: bool },
    Otherwise,
}

impl Ends {
    fn count(&mut self, ended: EndedAs, change: impl Fn(u32) -> u32) {
        match ended {
            EndedAs::Shipped { by_rule } => {
                self.shipped = change(self.shipped);
                if by_rule {
                    self.by_rule = change(self.by_rule);
                }
            }
            EndedAs::Otherwise => self.otherwise = change(self.otherwise),
        }
    }
}

impl Team {
    /// The tasks that have not ended, oldest first.
    pub fn open_tasks(&self) -> impl DoubleEndedIterator<Item = (TaskId, &Task)> {
        self.open.iter().filter_map(|id| Some((*id, self.task(*id)?)))
    }

    pub fn is_open(&self, task: TaskId) -> bool {
        self.open.contains(&task)
    }

    /// How many tasks have ended.
    pub fn ended(&self) -> usize {
        self.tasks.len().saturating_sub(self.open.len())
    }

    /// The runs that are under way; at most one a task, in the order of the tasks.
    pub fn live_runs(&self) -> impl Iterator<Item = (RunId, &Run)> {
        let runs = self.open.iter().filter_map(|it| self.live_run(*it));
        let runs = runs.filter_map(|id| Some((id, self.run(id)?)));
        runs.filter(|it| it.1.state == RunState::Live)
    }

    /// The questions that tasks wait for, in the order of the tasks.
    pub fn waiting_questions(&self) -> impl Iterator<Item = (QuestionId, &Asked)> {
        let waits = |task: &Task| match task.state {
            TaskState::Waiting { on: Wait::Question { question } } => Some(question),
            TaskState::Waiting { .. }
            | TaskState::Working { .. }
            | TaskState::Checking { .. }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Landing { .. }
            | TaskState::Undoing { .. }
            | TaskState::Parked { .. }
            | TaskState::Closed(_) => None,
        };
        let asked = self.open_tasks().filter_map(move |it| waits(it.1));
        let asked = asked.filter_map(|id| Some((id, &**self.questions.get(&id)?)));
        asked.filter(|it| it.1.answer.is_none())
    }

    /// The approvals that wait for an answer, in the order of the tasks.
    pub fn waiting_approvals(&self) -> impl Iterator<Item = (ApprovalId, &Approval)> {
        let asked = self.open_tasks().flat_map(|it| &it.1.approvals);
        let asked = asked.filter_map(|id| Some((*id, &**self.approvals.get(id)?)));
        asked.filter(|it| it.1.state == ApprovalState::Open)
    }

    /// The runs of a task, oldest first.
    pub fn runs_of(&self, task: TaskId) -> impl DoubleEndedIterator<Item = (RunId, &Run)> {
        let runs = self.task(task).into_iter().flat_map(|it| &it.runs);
        runs.filter_map(|id| Some((*id, self.run(*id)?)))
    }

    /// The tasks that ended last, at most so many.
    pub fn last_ended(&self, max: usize) -> BTreeSet<TaskId> {
        let mut res = BTreeSet::new();
        for (_, it) in self.endings.iter().rev() {
            if max <= res.len() {
                break;
            }
            if !self.is_open(it.task) {
                res.insert(it.task);
            }
        }
        res
    }

    /// The tasks that ended at or after `since` and stayed so; `None`: all that ever did.
    pub fn ended_since(&self, since: Option<Millis>) -> BTreeSet<TaskId> {
        let endings = self.endings.iter().rev();
        let endings = endings.take_while(|(_, it)| since.is_none_or(|since| since <= it.at));
        endings.map(|it| it.1.task).filter(|it| !self.is_open(*it)).collect()
    }

    pub(super) fn ended_as(&self, task: TaskId) -> Option<EndedAs> {
        match &self.task(task)?.state {
            TaskState::Closed(End::Landed { approval, .. }) => {
                let state = self.approvals.get(approval).map(|it| &it.state);
                let by_rule = matches!(state, Some(ApprovalState::Answered { by: By::Rule, .. }));
                Some(EndedAs::Shipped { by_rule })
            }
            TaskState::Closed(End::Applied { .. } | End::Answered) => {
                Some(EndedAs::Shipped { by_rule: false })
            }
            TaskState::Closed(End::Rejected { .. } | End::Cancelled | End::Undone { .. }) => {
                Some(EndedAs::Otherwise)
            }
            TaskState::Waiting { .. }
            | TaskState::Working { .. }
            | TaskState::Checking { .. }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Landing { .. }
            | TaskState::Undoing { .. }
            | TaskState::Parked { .. } => None,
        }
    }

    /// A task was changed that had ended like this, if it had.
    pub(super) fn moved(&mut self, task: TaskId, before: Option<EndedAs>) {
        let now = self.ended_as(task);
        if before == now {
            return;
        }
        if let Some(before) = before {
            self.ends.count(before, |it| it.saturating_sub(1));
        }
        match now {
            Some(now) => {
                self.ends.count(now, |it| it.saturating_add(1));
                self.open.remove(&task);
            }
            None => drop(self.open.insert(task)),
        }
        if before.is_none() && now.is_some() {
            let last = self.endings.last();
            let earlier = last.and_then(|it| self.endings.get(&it)).map_or(0, |it| it.at);
            let ended = self.task(task).and_then(|it| it.ended_at).unwrap_or(0);
            let ending = Ending { task, at: ended.max(earlier) };
            let id = EndingId(last.map_or(0, |it| it.0).saturating_add(1));
            self.endings.insert(id, Arc::new(ending));
        }
    }
}
