//! A task's timeline: what happened and when, computed from the team's state.

use super::task::{MomentView, by, role_of};
use team::{Answer, ApprovalState, RunState, Task, TaskId, Team};

/// Oldest first.
pub fn timeline(team: &Team, id: TaskId, task: &Task) -> Vec<MomentView> {
    let mut moments = vec![(task.delegated_at, "delegated".to_owned())];
    for (run, it) in team.runs_of(id) {
        let role = role_of(&it.work);
        moments.push((it.started_at, format!("{run} {role} started")));
        if let RunState::Ended { at } = it.state {
            moments.push((at, format!("{run} {role} ended")));
        }
    }
    for approval in &task.approvals {
        let Some(it) = team.approvals.get(approval) else {
            continue;
        };
        moments.push((it.asked_at, format!("{approval} asked")));
        if let ApprovalState::Answered { answer, by: who, at } = &it.state {
            let what = answer_name(answer);
            moments.push((*at, format!("{approval} {what} by {}", by(who))));
        }
    }
    if let Some(at) = task.ended_at {
        moments.push((at, "ended".to_owned()));
    }
    moments.sort_by_key(|(at, _)| *at);
    let view = |(at, text)| MomentView { at, text };
    moments.into_iter().map(view).collect()
}

/// What was answered, in the past tense.
pub fn answer_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Approve { .. } => "approved",
        Answer::ApproveSome { .. } => "approved in part",
        Answer::Apply => "applied as edits",
        Answer::Revise { .. } => "sent back",
        Answer::Rebuild => "rebuilt",
        Answer::Reject { .. } => "rejected",
    }
}
