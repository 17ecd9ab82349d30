//! One line for the person when the branch was switched under tasks that are not over: they go on and
//! land where they were meant to.

use super::repositories::Repository;
use super::types::MessageType;
use super::{Door, plain};
use crate::hub::{Hub, blocking};
use std::collections::BTreeMap;
use team::{Target, TaskId, Team};

/// Tasks that the line names; of more it gives the number.
const NAMED_MAX: usize = 3;
const BRANCH_CHARS_MAX: usize = 60;

/// The branch that was last seen checked out, by repository; `None`: none was (a detached HEAD).
pub type CheckedOut = BTreeMap<String, Option<String>>;

/// Says it once for each switch. The first look at a repository only remembers.
pub async fn look(door: &Door, repository: &Repository, hub: &Hub, last: &mut CheckedOut) {
    let (git, worktree) = (hub.git().clone(), repository.place.worktree());
    let work = move || git.in_worktree(worktree.as_deref())?.checked_out();
    let now = match blocking(work).await {
        Ok(now) => now,
        Err(failure) => {
            tracing::info!(%failure, "no look at the branch");
            return;
        }
    };
    let before = last.insert(repository.name.clone(), now.clone());
    if let Some(Some(before)) = before
        && now.as_ref() != Some(&before)
        && let Some(line) = line(&hub.team(), &before)
    {
        door.say(MessageType::INFO, &line).await;
    }
}

/// `None`: no open task is meant for this branch.
fn line(team: &Team, branch: &str) -> Option<String> {
    let meant = |target: &Target| matches!(target, Target::Branch(name) if name == branch);
    let open = team.open_tasks();
    let open = open.filter(|(_, it)| it.base.as_ref().is_some_and(|base| meant(&base.target)));
    let open: Vec<TaskId> = open.map(|(task, _)| task).collect();
    let who = match open.as_slice() {
        [] => return None,
        few if few.len() <= NAMED_MAX => {
            few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        many => format!("{} tasks", many.len()),
    };
    let (go, land) = if open.len() == 1 { ("goes", "lands") } else { ("go", "land") };
    let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    let short = plain::line(short, BRANCH_CHARS_MAX);
    Some(format!(
        "{short} is not checked out any more: {who} {go} on and {land} there all the same"
    ))
}
