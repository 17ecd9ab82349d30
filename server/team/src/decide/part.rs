//! Some hunks of a candidate, and not the others: what may be chosen, and what becomes of the choice. The
//! part is a change of its own with a head, a candidate and a round of checks of its own; where it
//! doesn't land, the whole change is asked about again.

use super::{Event, Refusal, Subject, Task, TaskId, Team, Wait, awaited};
use crate::change::{Candidate, ChangeId, FileHunks, count};
use crate::event::Answer;
use crate::ids::{ApprovalId, CommitId};

/// The hunks in the order of the change, each once; every one of them chosen is the whole change.
/// Errors: there is no such hunk, or none is chosen.
pub(super) fn settle(subject: &Subject, answer: Answer) -> Result<Answer, Refusal> {
    let (Subject::Landing { candidate, .. }, Answer::ApproveSome { ticked, hunks }) =
        (subject, &answer)
    else {
        return Ok(answer);
    };
    let chosen = choose(candidate, hunks)?;
    let ticked = ticked.clone();
    Ok(if count(&chosen) == count(&candidate.hunks) {
        Answer::Approve { ticked }
    } else {
        Answer::ApproveSome { ticked, hunks: chosen }
    })
}

fn choose(candidate: &Candidate, wanted: &[FileHunks]) -> Result<Vec<FileHunks>, Refusal> {
    let no = |text: String| Err(Refusal::Not(text));
    if candidate.hunks.is_empty() {
        return no("nothing of this change can be chosen by itself: rebuild it, or take all".into());
    }
    for file in wanted {
        let Some(there) = candidate.hunks.iter().find(|it| it.path == file.path) else {
            return no(format!("this change doesn't touch {}: look again at its diff", file.path));
        };
        if let Some(id) = file.hunks.iter().find(|it| !there.hunks.contains(it)) {
            let path = &file.path;
            return no(format!("{path} has no hunk {id} in this change: look again at its diff"));
        }
    }
    let is_wanted =
        |path: &str, id: &String| wanted.iter().any(|it| it.path == path && it.hunks.contains(id));
    let of_file = |it: &FileHunks| {
        let hunks = it.hunks.iter().filter(|id| is_wanted(&it.path, id)).cloned().collect();
        FileHunks { path: it.path.clone(), hunks }
    };
    let chosen: Vec<FileHunks> =
        candidate.hunks.iter().map(of_file).filter(|it| !it.hunks.is_empty()).collect();
    if chosen.is_empty() {
        return no("no hunk is chosen: choose one at least, or reject the change".into());
    }
    Ok(chosen)
}

/// The paths that need a tick where these hunks are chosen: those among them, and those that no hunk
/// changes by itself.
pub(super) fn ticks<'a>(
    candidate: &'a Candidate,
    chosen: &'a [FileHunks],
) -> impl Iterator<Item = &'a String> {
    let has = |all: &[FileHunks], path: &String| all.iter().any(|it| it.path == *path);
    let all = candidate.acts.iter().chain(&candidate.merges);
    all.filter(move |it| has(chosen, it) || !has(&candidate.hunks, it))
}

/// Whether what is built or checked for this approval is a part.
pub(super) fn is_part(team: &Team, under: Option<ApprovalId>) -> bool {
    let asked = under.and_then(|it| team.approvals.get(&it));
    asked.is_some_and(|it| it.part.is_some())
}

/// Whether this is exactly what was chosen; true of what is no part.
pub(super) fn is_chosen(team: &Team, under: Option<ApprovalId>, candidate: &Candidate) -> bool {
    let asked = under.and_then(|it| team.approvals.get(&it));
    let part = asked.and_then(|it| it.part.as_ref());
    part.is_none_or(|it| it.change == candidate.change)
}

/// It does not land by itself: the answer is used up, and the whole change is offered again.
pub(super) fn refused(approval: ApprovalId, why: &str) -> Event {
    Event::PartRefused { approval, why: format!("the hunks you accepted don't land alone: {why}") }
}

/// Git made the head.
pub(super) fn made(
    team: &Team,
    task: TaskId,
    head: CommitId,
    change: ChangeId,
) -> Result<Vec<Event>, Refusal> {
    let approval = wanted(team, task)?;
    Ok(vec![Event::PartMade { approval, head, change }])
}

/// The hunks can't be taken without the others.
pub(super) fn conflicted(
    team: &Team,
    task: TaskId,
    paths: &[String],
) -> Result<Vec<Event>, Refusal> {
    let approval = wanted(team, task)?;
    let text = format!("they need others in {}", paths.join(", "));
    Ok(vec![refused(approval, &text)])
}

fn wanted(team: &Team, task: TaskId) -> Result<ApprovalId, Refusal> {
    let (_, approval) = awaited(team, task, |on| match on {
        Wait::Part { approval } => Some(*approval),
        Wait::Snapshot | Wait::Question { .. } | Wait::Candidate { .. } => None,
    })?;
    Ok(approval)
}

/// What the person hears with the approval that follows.
pub(super) fn note(it: &Task) -> Option<String> {
    let why = it.part_refused.as_ref()?;
    Some(format!("{why}. This is the whole change again"))
}
