//! Candidate, approval, landing, undo: from a passed verdict to the branch, and back.

use super::{
    ApprovalId, Candidate, CommitId, Event, Failure, Millis, Parked, PlannedPath, ReceiptId,
    Refusal, Subject, Task, TaskId, TaskState, Team, Wait, Why, ask_approval, awaited, gates, get,
    open, part, start_checks,
};
use crate::event::Answer;
use crate::explain::lands_by_rule;
use crate::handoff::By;
use crate::task::{Approval, ApprovalState, Step};

pub(super) fn built(
    team: &Team,
    now: Millis,
    task: TaskId,
    candidate: Candidate,
) -> Result<Vec<Event>, Refusal> {
    let (it, under) = wanted(team, task, Some(&candidate.head))?;
    let mut res = vec![Event::CandidateBuilt { task, candidate: candidate.clone() }];
    let is_part = part::is_part(team, under);
    if let (true, Some(approval)) = (is_part, under)
        && (candidate.files.is_empty() || !part::is_chosen(team, under, &candidate))
    {
        let why = "the branch moved, and there it would be another change";
        res.push(part::refused(approval, why));
        return Ok(res);
    }
    if candidate.files.is_empty() {
        let text = "the branch already has this change: there is nothing to land";
        res.extend(under.map(|approval| void(approval, text)));
        let why = Parked::NeedsPerson(text.into());
        res.push(Event::TaskParked { task, why, at: now });
        return Ok(res);
    }
    let mut after = team.clone();
    after.apply(&res[0]);
    if let Some(receipts) = gates::evidence(&after, now, it, &candidate.tree, is_part) {
        res.extend(proven(&after, now, task, (candidate, receipts), under));
    } else {
        let commit = candidate.commit;
        res.push(start_checks(&after, now, task, commit, Why::Candidate, false));
    }
    Ok(res)
}

/// L is green by these receipts: ask, or land under the approval that already holds for the same change.
pub(super) fn proven(
    team: &Team,
    now: Millis,
    task: TaskId,
    (mut candidate, receipts): (Candidate, Vec<ReceiptId>),
    under: Option<ApprovalId>,
) -> Vec<Event> {
    let Some(it) = team.task(task) else { return vec![] };
    let mut res = vec![];
    if let Some(approval) = under {
        let asked = team.approvals.get(&approval);
        let same = asked.is_some_and(|asked| still_holds(team, it, asked, &candidate, &receipts));
        if same {
            return vec![Event::ApprovalRebased { approval, candidate, receipts }];
        }
        if part::is_part(team, under) {
            let why = match candidate.blocked.as_slice() {
                [] => "they need a tick that they didn't get".to_string(),
                all => all.join("; "),
            };
            return vec![part::refused(approval, &why)];
        }
        res.push(void(
            approval,
            "the branch moved and what was approved does not cover the change there",
        ));
    }
    if !candidate.blocked.is_empty() {
        candidate.blocked.extend(part::note(it));
        let (head, why) = (candidate.head, candidate.blocked.join("; "));
        res.push(ask_approval(team, now, task, Subject::Edits { head, why, receipts }));
        return res;
    }
    candidate.notes.extend(part::note(it));
    let by_rule = it.brief.land_by_rule && lands_by_rule(team, it, &candidate, &receipts);
    let asked = ask_approval(team, now, task, Subject::Landing { candidate, receipts });
    let Event::ApprovalAsked { approval, .. } = asked else {
        return res;
    };
    res.push(asked);
    if by_rule {
        let answer = Answer::Approve { ticked: vec![] };
        res.push(Event::ApprovalAnswered { approval, answer, by: By::Rule, at: now });
    }
    res
}

/// Whether what was granted covers this candidate too: the same change, nothing in the way, and
/// nothing that needs a tick it did not get.
fn still_holds(
    team: &Team,
    task: &Task,
    asked: &Approval,
    candidate: &Candidate,
    receipts: &[ReceiptId],
) -> bool {
    let same = match &asked.subject {
        Subject::Landing { candidate: old, .. } => {
            asked.part.as_ref().map_or(&old.change, |it| &it.change) == &candidate.change
        }
        Subject::Edits { .. }
        | Subject::Commands { .. }
        | Subject::Plan { .. }
        | Subject::Stage { .. }
        | Subject::Setup { .. } => false,
    };
    let ticked = match &asked.state {
        ApprovalState::Answered { answer: Answer::Approve { .. }, by: By::Rule, .. } => {
            lands_by_rule(team, task, candidate, receipts)
        }
        ApprovalState::Answered {
            answer: Answer::Approve { ticked } | Answer::ApproveSome { ticked, .. },
            ..
        } => candidate.acts.iter().chain(&candidate.merges).all(|it| ticked.contains(it)),
        ApprovalState::Answered { .. } | ApprovalState::Open | ApprovalState::Void { .. } => false,
    };
    same && ticked && candidate.blocked.is_empty()
}

pub(super) fn conflicted(
    team: &Team,
    now: Millis,
    task: TaskId,
    tip: CommitId,
    paths: Vec<String>,
) -> Result<Vec<Event>, Refusal> {
    let (it, under) = wanted(team, task, None)?;
    if let (true, Some(approval)) = (part::is_part(team, under), under) {
        let why = format!("they conflict with the branch in {}", paths.join(", "));
        let conflicted = Event::CandidateConflicted { task, tip, paths };
        return Ok(vec![conflicted, part::refused(approval, &why)]);
    }
    let Some(head) = team.task(task).and_then(|it| it.head.as_ref()).map(|it| it.commit.clone())
    else {
        return Err(Refusal::Not(format!("{task} has no change")));
    };
    let list = paths.join(", ");
    let mut res = vec![Event::CandidateConflicted { task, tip, paths }];
    res.extend(under.map(|it| void(it, "the branch moved and the change conflicts there")));
    let mut why = format!("the change does not merge into the branch's tip in {list}");
    why.extend(part::note(it).map(|it| format!("; {it}")));
    res.push(ask_approval(team, now, task, Subject::Edits { head, why, receipts: vec![] }));
    Ok(res)
}

fn wanted<'a>(
    team: &'a Team,
    task: TaskId,
    from: Option<&CommitId>,
) -> Result<(&'a Task, Option<ApprovalId>), Refusal> {
    awaited(team, task, |on| match on {
        Wait::Candidate { head, under } => from.is_none_or(|it| it == head).then_some(*under),
        Wait::Snapshot | Wait::Part { .. } | Wait::Question { .. } => None,
    })
}

fn void(approval: ApprovalId, why: &str) -> Event {
    Event::ApprovalVoided { approval, why: why.into() }
}

fn step(team: &Team, task: TaskId) -> Result<(ApprovalId, &Step), Refusal> {
    match &open(team, task)?.state {
        TaskState::Landing { approval, step } => Ok((*approval, step)),
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => Err(Refusal::Not(format!("{task} is not landing"))),
    }
}

pub(super) fn planned(
    team: &Team,
    task: TaskId,
    plan: Vec<PlannedPath>,
) -> Result<Vec<Event>, Refusal> {
    match step(team, task)?.1 {
        Step::PlanBranch | Step::PlanEdits => Ok(vec![Event::LandingPlanned { task, plan }]),
        Step::MoveBranch { .. } | Step::MoveEdits { .. } => {
            Err(Refusal::Not(format!("{task} has its plan")))
        }
    }
}

pub(super) fn tip_moved(team: &Team, task: TaskId) -> Result<Vec<Event>, Refusal> {
    match step(team, task)?.1 {
        Step::PlanBranch | Step::MoveBranch { .. } => Ok(vec![Event::TipMoved { task }]),
        Step::PlanEdits | Step::MoveEdits { .. } => {
            Err(Refusal::Not(format!("{task} moves no branch")))
        }
    }
}

pub(super) fn landed(team: &Team, now: Millis, task: TaskId) -> Result<Vec<Event>, Refusal> {
    match step(team, task)?.1 {
        Step::MoveBranch { .. } => Ok(vec![Event::TaskLanded { task, at: now }]),
        Step::MoveEdits { .. } => Ok(vec![Event::TaskApplied { task, at: now }]),
        Step::PlanBranch | Step::PlanEdits => Err(Refusal::Not(format!("{task} has no plan yet"))),
    }
}

/// Nothing moved: the approval is used up, and asked again with what is possible instead.
pub(super) fn refused(
    team: &Team,
    now: Millis,
    task: TaskId,
    why: String,
) -> Result<Vec<Event>, Refusal> {
    let (approval, _) = step(team, task)?;
    let Some(head) = get(team, task)?.head.as_ref().map(|it| it.commit.clone()) else {
        return Err(Refusal::Not(format!("{task} has no change")));
    };
    let mut offered = why.clone();
    if part::is_part(team, Some(approval)) {
        offered += "; you accepted some hunks, and this is the whole change";
    }
    let subject = Subject::Edits { head, why: offered, receipts: vec![] };
    Ok(vec![
        void(approval, &format!("it could not land: {why}")),
        Event::LandingRefused { task, why },
        ask_approval(team, now, task, subject),
    ])
}

fn undoing(team: &Team, task: TaskId) -> Result<(), Refusal> {
    match get(team, task)?.state {
        TaskState::Undoing { .. } => Ok(()),
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => Err(Refusal::Not(format!("{task} is not being undone"))),
    }
}

pub(super) fn undone(
    team: &Team,
    now: Millis,
    task: TaskId,
    how: String,
) -> Result<Vec<Event>, Refusal> {
    undoing(team, task)?;
    Ok(vec![Event::TaskUndone { task, how, at: now }])
}

pub(super) fn undo_refused(team: &Team, task: TaskId, why: String) -> Result<Vec<Event>, Refusal> {
    undoing(team, task)?;
    Ok(vec![Event::UndoRefused { task, why }])
}

pub(super) fn step_failed(
    team: &Team,
    now: Millis,
    task: TaskId,
    failure: Failure,
) -> Result<Vec<Event>, Refusal> {
    match &open(team, task)?.state {
        TaskState::Undoing { .. } => {
            Ok(vec![Event::UndoRefused { task, why: failure.to_string() }])
        }
        TaskState::Waiting { on: Wait::Snapshot | Wait::Candidate { .. } | Wait::Part { .. } }
        | TaskState::Landing { .. } => {
            Ok(vec![Event::TaskParked { task, why: Parked::Failed(failure), at: now }])
        }
        TaskState::Waiting { on: Wait::Question { .. } }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => Err(Refusal::Not(format!("{task} is at no such step"))),
    }
}
