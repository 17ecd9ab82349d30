//! What becomes of an answer that accepts some hunks only, and of a tip that moves under an answer.
//! Total, as everything that a fact does: where one names what isn't there, nothing changes.

use super::{Part, TaskState, Team, Wait};
use crate::change::ChangeId;
use crate::ids::{ApprovalId, CommitId, TaskId};
use std::sync::Arc;

impl Team {
    /// The head of the hunks that were accepted is there: its candidate is next.
    pub(super) fn part_made(&mut self, approval: ApprovalId, head: &CommitId, change: &ChangeId) {
        let Some(asked) = self.approvals.get_mut(&approval) else {
            return;
        };
        let asked = Arc::make_mut(asked);
        asked.part = Some(Part { head: head.clone(), change: change.clone() });
        let on = Wait::Candidate { head: head.clone(), under: Some(approval) };
        let task = asked.task;
        self.with(task, |it| it.state = TaskState::Waiting { on });
    }

    pub(super) fn part_refused(&mut self, approval: ApprovalId, why: &str) {
        self.void(approval, why);
        let Some(task) = self.approvals.get(&approval).map(|it| it.task) else {
            return;
        };
        self.with(task, |it| {
            it.part_refused = Some(format!("{approval}: {why}"));
            if let Some(head) = it.head.as_ref().map(|it| it.commit.clone()) {
                it.wants(&head);
            }
        });
    }

    /// On the new tip the candidate is built again from the head that it had.
    pub(super) fn tip_moved(&mut self, task: TaskId) {
        let Some(it) = self.task(task) else { return };
        let TaskState::Landing { approval, .. } = &it.state else { return };
        let part = self.approvals.get(approval).and_then(|it| it.part.as_ref());
        let whole = it.head.as_ref().map(|it| &it.commit);
        if let Some(head) = part.map(|it| &it.head).or(whole).cloned() {
            let on = Wait::Candidate { head, under: Some(*approval) };
            self.with(task, |it| it.state = TaskState::Waiting { on });
        }
    }
}
