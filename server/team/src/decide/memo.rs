//! What a person looks at, and what the team shall forget. Neither moves a task.

use super::{ApprovalId, By, Event, Millis, Refusal, TaskId, Team, get};
use crate::memory::Memo;
use crate::viewing::Sign;

/// A sign that says nothing new is fine, and not written down.
pub(super) fn view(
    team: &Team,
    now: Millis,
    task: TaskId,
    approval: Option<ApprovalId>,
    sign: Sign,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let it = get(team, task)?;
    if let Some(id) = approval.filter(|id| !it.approvals.contains(id)) {
        return Err(Refusal::NoSuchApproval(id));
    }
    if !it.viewing.tells(sign, now) {
        return Ok(vec![]);
    }
    Ok(vec![Event::TaskViewed { task, approval, sign, by, at: now }])
}

pub(super) fn forget(team: &Team, now: Millis, memo: Memo, by: By) -> Result<Vec<Event>, Refusal> {
    let is_known = match memo {
        Memo::Decision(id) => team.remembered(id).is_some_and(|it| it.forgotten.is_none()),
        Memo::Fact(id) => team.fact(id).is_some_and(|it| now < it.until),
    };
    if !is_known {
        return Err(Refusal::NoSuchMemo(memo));
    }
    Ok(vec![Event::MemoForgotten { memo, by, at: now }])
}
