//! The hunks that a person accepted, as a head of their own; and what is shown to choose from.

use super::crew::{Desk, settled};
use super::{blocking, steps};
use crate::fail;
use crate::git::{FileDiff, Hunk, Parted};
use crate::protocol::{FileDiffView, FileLineView, HunkView};
use team::{
    Answer, ApprovalId, ApprovalState, Candidate, Code, Failure, FileHunks, Input, Subject, Task,
    TaskId, TaskState, Team, Wait,
};

/// Makes the head. Done twice, after a crash, the second one counts.
pub(super) async fn make(desk: &Desk, task: TaskId, approval: ApprovalId) -> Result<(), Failure> {
    let base = steps::base_of(steps::task_of(&desk.team, task)?)?;
    let (candidate, hunks) = chosen(&desk.team, approval)?;
    let part = of_hunks(approval, &hunks);
    let message =
        format!("Part of {task}, as accepted by the person\n\nBaton-Task: {task}\n{part}");
    let git = desk.shared.git.clone();
    fail::point("hub.part.before");
    let parted = blocking(move || git.part(approval, &base, &candidate, &hunks, &message)).await?;
    fail::point("hub.part.after");
    let input = match parted {
        Parted::Made { head, change } => Input::PartMade { task, head, change },
        Parted::Conflict(paths) => Input::PartConflicted { task, paths },
    };
    settled(desk.report(input).await)
}

/// The candidate that was shown, and what was chosen of it.
fn chosen(team: &Team, approval: ApprovalId) -> Result<(Candidate, Vec<FileHunks>), Failure> {
    let missing = || Failure::new(Code::Bug, format!("find the hunks of {approval}"));
    let asked = team.approvals.get(&approval).ok_or_else(missing)?;
    match (&asked.subject, &asked.state) {
        (
            Subject::Landing { candidate, .. },
            ApprovalState::Answered { answer: Answer::ApproveSome { hunks, .. }, .. },
        ) => Ok((candidate.clone(), hunks.clone())),
        (
            Subject::Landing { .. }
            | Subject::Edits { .. }
            | Subject::Commands { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. }
            | Subject::Setup { .. },
            ApprovalState::Open | ApprovalState::Answered { .. } | ApprovalState::Void { .. },
        ) => Err(missing()),
    }
}

/// What tools read of a candidate that holds a part; `None`: it holds all.
pub(super) fn trailer(team: &Team, task: &Task) -> Option<String> {
    let TaskState::Waiting { on: Wait::Candidate { under: Some(approval), .. } } = &task.state
    else {
        return None;
    };
    let asked = team.approvals.get(approval)?;
    let ApprovalState::Answered { answer: Answer::ApproveSome { hunks, .. }, .. } = &asked.state
    else {
        return None;
    };
    Some(of_hunks(*approval, hunks))
}

fn of_hunks(approval: ApprovalId, hunks: &[FileHunks]) -> String {
    let n = team::count(hunks);
    format!("Baton-Part: {n} hunk{}, {approval}\n", if n == 1 { "" } else { "s" })
}

/// One file of a change, as editors see it.
pub fn file_view(it: &FileDiff) -> FileDiffView {
    let hunk = |it: &Hunk| HunkView {
        id: it.id.clone(),
        old_start: it.old_start,
        old_lines: it.old_lines,
        new_start: it.new_start,
        new_lines: it.new_lines,
        text: it.text.clone(),
    };
    FileDiffView {
        file: FileLineView::of(&it.change),
        old_path: it.old_path.clone(),
        ids: it.ids.clone(),
        whole: it.whole.map(str::to_owned),
        hunks: it.hunks.iter().map(hunk).collect(),
    }
}
