//! What is remembered, and what is measured of the person. None of it moves a task.

use super::Team;
use crate::event::Event;
use crate::handoff::{By, Decision};
use crate::ids::{ApprovalId, DecisionId, FactId, Millis, ReceiptId, TaskId};
use crate::memory::{Memo, Remembered};
use crate::setup::Quarantined;
use crate::viewing::Sign;
use std::sync::Arc;

impl Team {
    /// Takes in an event that teaches something.
    pub(super) fn learn(&mut self, event: &Event) {
        if let Event::DecisionRecorded { task, decision } = event {
            self.decided(*task, decision);
        } else if let Event::PersonSaid { task, text, by, at } = event {
            self.with(*task, |it| it.hear(text, by, *at));
        } else if let Event::TaskViewed { task, approval, sign, at, .. } = event {
            self.viewed(*task, *approval, *sign, *at);
        } else if let Event::MemoForgotten { memo, by, at } = event {
            self.forget(*memo, by, *at);
        } else if let Event::TestsQuarantined { check, tests, receipts, until, .. } = event {
            self.quarantine(check, tests, receipts, *until);
        }
    }

    fn decided(&mut self, task: TaskId, decision: &Decision) {
        let it = Remembered { task, decision: decision.clone(), forgotten: None };
        let id = DecisionId(self.memory.last().map_or(0, |it| it.0).saturating_add(1));
        self.memory.insert(id, Arc::new(it));
        self.with(task, |it| it.decisions.push(id));
    }

    fn forget(&mut self, memo: Memo, by: &By, at: Millis) {
        match memo {
            // What it has excused so far stays excused.
            Memo::Fact(id) => {
                let it = self.quarantine.iter_mut().find(|it| it.id == id);
                it.into_iter().for_each(|it| it.until = it.until.min(at));
            }
            Memo::Decision(id) => {
                if let Some(it) = self.memory.get_mut(&id) {
                    Arc::make_mut(it).forgotten = Some((by.clone(), at));
                }
            }
        }
    }

    pub(super) fn viewed(
        &mut self,
        task: TaskId,
        approval: Option<ApprovalId>,
        sign: Sign,
        at: Millis,
    ) {
        let mut added = 0;
        self.with(task, |it| added = it.viewing.note(sign, at));
        if let Some(it) = approval.and_then(|it| self.approvals.get_mut(&it))
            && it.task == task
        {
            let it = Arc::make_mut(it);
            it.viewed_ms = it.viewed_ms.saturating_add(added);
        }
    }

    /// A test that was put aside before gets its new time.
    fn quarantine(&mut self, check: &str, tests: &[String], receipts: &[ReceiptId], until: Millis) {
        self.quarantine.retain(|it| it.check != check || !tests.contains(&it.test));
        for test in tests {
            self.facts = self.facts.saturating_add(1);
            self.quarantine.push(Quarantined {
                id: FactId(self.facts),
                check: check.to_string(),
                test: test.clone(),
                receipts: receipts.to_vec(),
                until,
            });
        }
    }
}
