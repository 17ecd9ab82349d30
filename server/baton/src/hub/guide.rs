//! The project's own guide for agents: `AGENTS.md`, or where there is none `CLAUDE.md`. It stands in the
//! repository, so it is data: it goes into a brief in a fence of its own, and widens nothing.

use super::blocking;
use super::shared::Shared;
use crate::config::trust;
use crate::git::Git;
use team::{CommitId, Failure, Task};

/// The first of these that is found anywhere on the way up is read.
const NAMES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// Folders on the way up from where the task is.
const FOLDERS_MAX: usize = 16;
/// Of each file; the brief cuts the whole once more.
const FILE_CHARS_MAX: usize = 6_000;

/// The text for a brief; empty where there is none, and in a workspace that holds something the person
/// has not trusted: it gives nothing to anybody then.
pub(super) async fn read(shared: &Shared, task: &Task) -> Result<String, Failure> {
    let Some(seen) = task.base.as_ref().map(|it| it.seen.clone()) else {
        return Ok(String::new());
    };
    let (home, place, git) = (shared.home.clone(), shared.place.clone(), shared.git.clone());
    let folder = folder_of(task);
    blocking(move || {
        let trusted = trust::acting(&place.root)
            .is_ok_and(|it| trust::is_trusted(&home, &place.common_dir, &it));
        if trusted { gather(&git, &seen, &folder) } else { Ok(String::new()) }
    })
    .await
}

/// Where the task is: the folder that was pointed at, else the first that its plan names, else the root.
fn folder_of(task: &Task) -> String {
    let pointed = task.brief.place.as_ref().map(|it| it.path.as_str());
    let planned = task.design.as_ref().and_then(|it| it.plan.paths.first());
    let path = pointed.or(planned.map(String::as_str)).unwrap_or("");
    let is_plain = |it: &&str| !it.contains(['*', '?', '[', '{']);
    let mut parts: Vec<&str> = path.split('/').take_while(is_plain).collect();
    if parts.len() == path.split('/').count() {
        parts.pop();
    }
    parts.join("/")
}

/// The nearest first, then those above it.
fn gather(git: &Git, seen: &CommitId, folder: &str) -> Result<String, Failure> {
    for name in NAMES {
        let mut res = String::new();
        for at in upwards(folder).take(FOLDERS_MAX) {
            let path = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            let Some(bytes) = git.read(seen, &path)? else { continue };
            let text: String =
                String::from_utf8_lossy(&bytes).chars().take(FILE_CHARS_MAX).collect();
            if !text.trim().is_empty() {
                let text = crate::clean::text(text.trim());
                res += &format!("{path}:\n{text}\n\n");
            }
        }
        if !res.is_empty() {
            return Ok(res);
        }
    }
    Ok(String::new())
}

/// `a/b`, `a`, and the root.
fn upwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |it| match it.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None if it.is_empty() => None,
        None => Some(""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_ends_at_the_root() {
        assert_eq!(upwards("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(upwards("").collect::<Vec<_>>(), [""]);
    }
}
