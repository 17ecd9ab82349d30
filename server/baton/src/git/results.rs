//! Checkouts of results, for a person to open in a window of their own. Made as slots are, in a
//! folder beside them, and never used as slots. Their number is bounded: the oldest that nobody
//! changed goes first, and of one that somebody changed everything is saved before it goes.

use super::slots::Work;
use super::{Doing, Git, oid};
use std::path::PathBuf;
use std::time::SystemTime;
use team::{CommitId, Failure, TaskId};

/// What names of such checkouts begin with, and names of slots do not.
pub(super) const RESULT: &str = "result-";
/// The folder that they lie in, in the state folder.
pub(super) const RESULTS: &str = "results";
/// So many are kept.
const RESULTS_MAX: usize = 8;
/// So many, where all of them were changed by somebody.
const CHANGED_MAX: usize = 16;

impl Git {
    /// A folder with the files of this commit, HEAD detached there. One that is there already and
    /// that nobody changed is answered again. Only for the owner of the state folder, one at a time.
    pub fn checkout(&self, task: TaskId, commit: &CommitId) -> Result<PathBuf, Failure> {
        let family = format!("{RESULT}t{}-{}-", task.0, commit.short());
        let numbers = self.results()?.into_iter().filter_map(|(_, name)| {
            name.strip_prefix(&family).and_then(|it| it.parse::<u32>().ok())
        });
        // A number is not used again while later ones are there: somebody may look at that folder.
        let last = numbers.max();
        if let Some(n) = last {
            let name = format!("{family}{n}");
            let slot = self.slot_named(&name)?;
            if self.check_slot(&slot).is_ok() && !self.is_changed(&name, commit)? {
                return Ok(slot.dir);
            }
        }
        std::fs::create_dir_all(self.state.join(RESULTS)).doing("make a checkout")?;
        let name = format!("{family}{}", last.unwrap_or(0).saturating_add(1));
        let made = self.slot(&name, commit)?;
        self.clear_results(&name)?;
        Ok(made.dir)
    }

    /// Every checkout with its age, oldest first.
    fn results(&self) -> Result<Vec<(SystemTime, String)>, Failure> {
        let entries = match std::fs::read_dir(self.state.join(RESULTS)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).doing("look at checkouts"),
        };
        let mut all: Vec<(SystemTime, String)> = entries
            .flatten()
            .filter_map(|it| Some((it.metadata().ok()?, it.file_name().into_string().ok()?)))
            .filter_map(|(meta, name)| Some((meta.created().or(meta.modified()).ok()?, name)))
            .filter(|it| it.1.starts_with(RESULT))
            .collect();
        all.sort();
        Ok(all)
    }

    /// Keeps the number of checkouts within bounds; `but` stays.
    fn clear_results(&self, but: &str) -> Result<(), Failure> {
        let mut all = self.results()?;
        all.retain(|it| it.1 != but);
        let mut surplus = (all.len() + 1).saturating_sub(RESULTS_MAX);
        let mut changed = Vec::new();
        for (_, name) in all {
            if surplus == 0 {
                break;
            }
            match self.commit_named(&name) {
                Some(commit) if !self.is_changed(&name, &commit).unwrap_or(true) => {
                    if self.retire(&name)? {
                        surplus -= 1;
                    }
                }
                Some(_) | None => changed.push(name),
            }
        }
        let beyond = surplus.saturating_sub(CHANGED_MAX - RESULTS_MAX);
        for name in changed.iter().take(beyond) {
            self.retire(name)?;
        }
        self.empty_trash()
    }

    /// The commit in a checkout's name, whole.
    fn commit_named(&self, name: &str) -> Option<CommitId> {
        let short = name.rsplit('-').nth(1)?;
        let objects = self.objects().ok()?;
        let found = objects.repo.find_commit_by_prefix(short).ok()?;
        Some(super::commit_id(found.id()))
    }

    /// Whether files differ from the commit's, or something was committed on top. What is ignored
    /// does not count.
    fn is_changed(&self, name: &str, commit: &CommitId) -> Result<bool, Failure> {
        let slot = self.slot_named(name)?;
        let mut work: Work<'_> = self.work(&slot)?;
        let at = oid(&commit.0)?;
        let tree = work.objects.tree_of(at)?;
        Ok(work.head()? != Some(at) || work.absorb()? != tree)
    }
}
