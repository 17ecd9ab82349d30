//! The steps that are no run: snapshot, candidate, landing, undo. Each does one thing to git and
//! reports what git said.

use super::crew::{Desk, settled};
use super::{blocking, part};
use crate::git::{Buffer, Built, Git, Moved, Planned, Undo};
use crate::{checks, store};
use team::{
    Answer, ApprovalId, ApprovalState, Base, Candidate, Code, CommitId, End, Failure, Handoff,
    Input, PlannedPath, Ran, Receipt, Subject, Task, TaskId, TaskState, Team,
};

/// A commit's first line.
const TITLE_CHARS_MAX: usize = 72;
/// A longer file says nothing about which checks there are.
const MANIFEST_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn task_of(team: &Team, task: TaskId) -> Result<&Task, Failure> {
    team.task(task).ok_or_else(|| Failure::new(Code::Bug, format!("find {task}")))
}

pub(super) fn base_of(task: &Task) -> Result<Base, Failure> {
    task.base.clone().ok_or_else(|| Failure::new(Code::Bug, "find where the task starts"))
}

pub(super) async fn snapshot(desk: &Desk, task: TaskId) -> Result<(), Failure> {
    let it = task_of(&desk.team, task)?;
    let (start, title) = (it.brief.start, team::title(it));
    let to_branch = matches!(desk.shared.config.land.to, crate::config::LandTo::Branch);
    let file = desk.shared.team_file().await?.unwrap_or_default();
    let (named, ways, limits) = (file.checks, file.ways, file.limits.narrow(&it.brief.limits));
    let (git, dir) = (desk.shared.git_of(&desk.team, task)?, desk.shared.dir.clone());
    let (base, checks) = blocking(move || {
        let buffers = store::Reader::open(&dir)?.buffers(task)?;
        let buffers: Vec<Buffer> =
            buffers.into_iter().map(|(path, text)| Buffer { path, text }).collect();
        let base = git.snapshot(task, &title, &buffers, start, to_branch)?;
        let read = |path: &str| {
            let bytes = git.read(&base.seen, path).ok().flatten()?;
            (bytes.len() <= MANIFEST_BYTES_MAX)
                .then(|| String::from_utf8_lossy(&bytes).into_owned())
        };
        let list = |folder: &str| git.names(&base.seen, folder).unwrap_or_default();
        let checks = checks::detect(&checks::Tree { read: &read, list: &list }, &named);
        Ok((base, checks))
    })
    .await?;
    settled(desk.report(Input::Snapshotted { task, base, checks, ways, limits }).await)
}

pub(super) async fn candidate(desk: &Desk, task: TaskId, head: &CommitId) -> Result<(), Failure> {
    let it = task_of(&desk.team, task)?;
    let base = base_of(it)?;
    let message = message(&desk.team, task, it);
    let risk = desk.shared.team_file().await?.map(|it| it.risk).unwrap_or_default();
    let (git, head) = (desk.shared.git.clone(), head.clone());
    let built = blocking(move || git.candidate(task, &base, &head, &message, &risk)).await?;
    let input = match built {
        Built::Candidate(candidate) => Input::CandidateBuilt { task, candidate },
        Built::Conflict { tip, paths } => Input::CandidateConflicted { task, tip, paths },
    };
    settled(desk.report(input).await)
}

/// Title and body from the Engineer's summary; trailers for tools.
fn message(team: &Team, id: TaskId, task: &Task) -> String {
    let summary = task.handoffs.iter().rev().find_map(|(_, it)| match it {
        Handoff::Changed { summary, .. } => Some(summary.trim().to_string()),
        Handoff::Triaged { .. }
        | Handoff::Designed { .. }
        | Handoff::Validated { .. }
        | Handoff::Answered { .. }
        | Handoff::Announced { .. }
        | Handoff::Declined { .. } => None,
    });
    let summary = crate::clean::text(&summary.unwrap_or_default());
    let mut lines = summary.lines();
    let first = lines.next().filter(|it| !it.trim().is_empty());
    let title: String = first.unwrap_or(&team::title(task)).chars().take(TITLE_CHARS_MAX).collect();
    let body = lines.collect::<Vec<_>>().join("\n");
    let mut res = title;
    if !body.trim().is_empty() {
        res += &format!("\n\n{}", body.trim());
    }
    res += &format!("\n\nBaton-Task: {id}\n");
    // What ran before ran on all of it.
    if let Some(line) = part::trailer(team, task) {
        return res + &line;
    }
    // Notes may lie on top of what was validated: the checks ran below them.
    let head = task.handoffs.iter().rev().find_map(|(_, it)| match it {
        Handoff::Validated { head, .. } => Some(head),
        Handoff::Triaged { .. }
        | Handoff::Designed { .. }
        | Handoff::Changed { .. }
        | Handoff::Answered { .. }
        | Handoff::Announced { .. }
        | Handoff::Declined { .. } => None,
    });
    let receipts = task.runs.iter().filter_map(|it| team.run(*it)).flat_map(|it| &it.receipts);
    for it in receipts.filter(|it| it.commit.as_ref() == head && head.is_some()) {
        if let Some(line) = trailer(it) {
            res += &line;
        }
    }
    res
}

fn trailer(receipt: &Receipt) -> Option<String> {
    let Ran::Check { name } = &receipt.ran else { return None };
    let passed = receipt.tests.as_ref().map(|it| format!(" {} passed", it.passed));
    receipt.is_green().then(|| format!("Baton-Checks: {name}{}\n", passed.unwrap_or_default()))
}

fn landing_of(
    team: &Team,
    approval: ApprovalId,
) -> Result<(Option<Candidate>, Vec<String>), Failure> {
    let asked = team.approvals.get(&approval);
    let asked = asked.ok_or_else(|| Failure::new(Code::Bug, format!("find {approval}")))?;
    let ticked = match &asked.state {
        ApprovalState::Answered {
            answer: Answer::Approve { ticked } | Answer::ApproveSome { ticked, .. },
            ..
        } => ticked.clone(),
        ApprovalState::Answered { .. } | ApprovalState::Open | ApprovalState::Void { .. } => vec![],
    };
    let candidate = match &asked.subject {
        Subject::Landing { candidate, .. } => Some(candidate.clone()),
        Subject::Edits { .. }
        | Subject::Commands { .. }
        | Subject::Plan { .. }
        | Subject::Stage { .. }
        | Subject::Setup { .. } => None,
    };
    Ok((candidate, ticked))
}

/// What is unsaved in the worktree that this repository is seen from.
fn unsaved(desk: &Desk, git: &Git) -> Vec<Buffer> {
    desk.shared.editors.buffers(&git.place().root)
}

pub(super) async fn land(
    desk: &Desk,
    task: TaskId,
    approval: ApprovalId,
    edits: bool,
    plan: Option<&[PlannedPath]>,
) -> Result<(), Failure> {
    let it = task_of(&desk.team, task)?;
    let base = base_of(it)?;
    let (candidate, ticked) = landing_of(&desk.team, approval)?;
    let input = match (edits, candidate, plan) {
        (true, _, None) => plan_edits(desk, task, it, base).await?,
        (true, _, Some(plan)) => move_edits(desk, task, &base, plan).await?,
        (false, Some(candidate), None) => {
            let git = desk.shared.git.clone();
            let buffers = unsaved(desk, &git.at_branch(&base.target));
            let planned =
                blocking(move || git.plan_landing(&base, &candidate, &ticked, &buffers)).await?;
            planned_input(task, planned)
        }
        (false, Some(candidate), Some(plan)) => {
            let (git, plan) = (desk.shared.git.clone(), plan.to_vec());
            match blocking(move || git.land(task, &base, &candidate, &plan)).await? {
                Moved::Done => Input::Landed { task },
                Moved::TipMoved => Input::TipMoved { task },
                Moved::Refused(why) => Input::LandingRefused { task, why },
            }
        }
        (false, None, _) => return Err(Failure::new(Code::Bug, "find the candidate")),
    };
    settled(desk.report(input).await)
}

fn planned_input(task: TaskId, planned: Planned) -> Input {
    match planned {
        Planned::Plan(plan) => Input::LandingPlanned { task, plan },
        Planned::TipMoved => Input::TipMoved { task },
        Planned::Refused(why) => Input::LandingRefused { task, why },
    }
}

async fn plan_edits(desk: &Desk, task: TaskId, it: &Task, base: Base) -> Result<Input, Failure> {
    let head = it.head.as_ref().map(|it| it.commit.clone());
    let head = head.ok_or_else(|| Failure::new(Code::Bug, "find the change"))?;
    // Where the person who delegated sees them, whichever worktree the answer came from.
    let git = desk.shared.git_of(&desk.team, task)?.at_branch(&base.target);
    let buffers = unsaved(desk, &git);
    let planned = blocking(move || git.plan_edits(&base, &head, &buffers)).await?;
    Ok(planned_input(task, planned))
}

async fn move_edits(
    desk: &Desk,
    task: TaskId,
    base: &Base,
    plan: &[PlannedPath],
) -> Result<Input, Failure> {
    let git = desk.shared.git_of(&desk.team, task)?.at_branch(&base.target);
    Ok(match put_edits(desk, git, task, plan).await? {
        Moved::Done => Input::Landed { task },
        Moved::TipMoved => Input::TipMoved { task },
        Moved::Refused(why) => Input::LandingRefused { task, why },
    })
}

/// Buffers first: an editor that refuses leaves everything as it was.
async fn put_edits(
    desk: &Desk,
    git: Git,
    task: TaskId,
    plan: &[PlannedPath],
) -> Result<Moved, Failure> {
    let in_buffers = plan.iter().filter(|it| it.buffer).cloned().collect::<Vec<_>>();
    if !in_buffers.is_empty() {
        let read = git.clone();
        let edits = blocking(move || {
            let mut res = vec![];
            for it in in_buffers {
                let text = it.after.as_deref().map(|id| read.blob(id)).transpose()?;
                let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
                res.push((it.path, text));
            }
            Ok(res)
        })
        .await?;
        if !desk.shared.editors.apply(&git.place().root, edits).await {
            let why = "the editor did not take the edits; try again, or save the files first";
            return Ok(Moved::Refused(why.into()));
        }
    }
    let plan = plan.to_vec();
    blocking(move || git.apply_edits(task, &plan)).await
}

pub(super) async fn undo(desk: &Desk, task: TaskId) -> Result<(), Failure> {
    let it = task_of(&desk.team, task)?;
    let base = base_of(it)?;
    let TaskState::Undoing { end } = &it.state else { return Ok(()) };
    let git = desk.shared.git_of(&desk.team, task)?;
    let undone = match end.clone() {
        End::Landed { approval, plan } => {
            let (candidate, _) = landing_of(&desk.team, approval)?;
            let candidate = candidate.ok_or_else(|| Failure::new(Code::Bug, "find what landed"))?;
            blocking(move || git.undo_landing(task, &base, &candidate, &plan)).await?
        }
        End::Applied { plan, .. } => {
            let input = undo_edits(desk, git.at_branch(&base.target), task, plan).await?;
            return settled(desk.report(input).await);
        }
        End::Answered | End::Rejected { .. } | End::Cancelled | End::Undone { .. } => {
            return Ok(());
        }
    };
    let input = match undone {
        Undo::Back => Input::Undone { task, how: "the branch is where it was".into() },
        Undo::Inverse(commit) => {
            Input::Undone { task, how: format!("landed the inverse as {}", commit.short()) }
        }
        Undo::Refused(why) => Input::UndoRefused { task, why },
    };
    settled(desk.report(input).await)
}

/// Text that is not saved has what was applied to it, and the file does not.
async fn undo_edits(
    desk: &Desk,
    git: Git,
    task: TaskId,
    plan: Vec<PlannedPath>,
) -> Result<Input, Failure> {
    let (buffers, reader) = (unsaved(desk, &git), git.clone());
    let planned = blocking(move || reader.plan_undo_edits(&plan, &buffers)).await?;
    let moved = match planned {
        Planned::Plan(back) => put_edits(desk, git, task, &back).await?,
        Planned::TipMoved => Moved::TipMoved,
        Planned::Refused(why) => Moved::Refused(why),
    };
    Ok(match moved {
        Moved::Done => Input::Undone { task, how: "the edits are taken back".into() },
        Moved::TipMoved => {
            Input::UndoRefused { task, why: "the files changed meanwhile; try again".into() }
        }
        Moved::Refused(why) => Input::UndoRefused { task, why },
    })
}
