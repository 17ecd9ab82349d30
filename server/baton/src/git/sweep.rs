//! Clears away what nothing needs: slots beyond the pool, refs that keep a base which a branch keeps
//! by itself, temporary folders of processes that are gone.
//!
//! Nothing is deleted that no ref reaches. A slot is saved first, then renamed out of the way, and
//! only what was renamed is deleted; so a crash leaves a slot, or something that is saved. What can't
//! be saved in a commit goes to `left/`, which nobody clears but the person.

use super::{Doing, Git, Slot};
use crate::fail;
use git2::{ErrorCode, Oid};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};
use team::{Code, Failure, TaskId};

/// So many commits are looked at for bases that branches reach; of what lies deeper the refs stay.
const COMMITS_WALKED_MAX: usize = 500_000;
/// A temporary folder this old belongs to nobody.
const SCRATCH_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Folders deeper than this are not counted.
const DEPTH_MAX: usize = 100;
const TRASH: &str = "trash";

/// What a sweep cleared away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Names of slots.
    pub slots: Vec<String>,
    /// Tasks whose base is no longer kept by a ref of Baton's.
    pub bases: Vec<TaskId>,
}

/// Bytes on disk of one part of a repository's state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub what: &'static str,
    pub bytes: u64,
}

impl Git {
    /// Clears away. `is_spare`: of a slot's name, whether nobody will ask for it again. `ended`: the
    /// tasks that are closed. Only for the owner of the state folder.
    pub fn sweep(
        &self,
        is_spare: &dyn Fn(&str) -> bool,
        ended: &BTreeSet<TaskId>,
    ) -> Result<Swept, Failure> {
        self.empty_trash()?;
        self.clear_scratch();
        let mut swept = Swept::default();
        for name in self.slot_names()?.into_iter().filter(|it| is_spare(it)) {
            if self.retire(&name)? {
                swept.slots.push(name);
            }
        }
        self.empty_trash()?;
        swept.bases = self.release_bases(ended)?;
        Ok(swept)
    }

    fn slot_names(&self) -> Result<Vec<String>, Failure> {
        let entries = std::fs::read_dir(self.state.join("slots")).doing("look at the slots")?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|it| it.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Saves a slot and moves it out of the way. `false`: it is not what Baton made, and stays.
    pub(super) fn retire(&self, name: &str) -> Result<bool, Failure> {
        let Ok(slot) = self.slot_named(name) else {
            return Ok(false);
        };
        if self.check_slot(&slot).is_err() {
            return Ok(false);
        }
        fail::point("git.sweep.save");
        match self.rest(&slot) {
            Ok(()) => {}
            // What can't be read can't be saved: the folder is kept whole.
            Err(error) if error.code == Code::Git => return self.put_aside(&slot).map(|()| true),
            Err(error) => return Err(error),
        }
        fail::point("git.sweep.rename");
        let to = self.free_in_trash(name)?;
        // The pointer goes with the folder, so half of this is a slot that is made anew.
        std::fs::rename(&slot.dir, &to).doing("clear a slot away")?;
        fail::point("git.sweep.renamed");
        let git_dir = self.slot_git_dir(name);
        if git_dir.symlink_metadata().is_ok() {
            let to = self.free_in_trash(&format!("{name}-git"))?;
            std::fs::rename(&git_dir, to).doing("clear a slot away")?;
        }
        fail::point("git.sweep.gone");
        Ok(true)
    }

    fn put_aside(&self, slot: &Slot) -> Result<(), Failure> {
        let to = self.aside(&slot.name)?;
        std::fs::rename(&slot.dir, to).doing("set an old slot aside")
    }

    fn free_in_trash(&self, name: &str) -> Result<std::path::PathBuf, Failure> {
        let dir = self.state.join(TRASH);
        std::fs::create_dir_all(&dir).doing("clear a slot away")?;
        let mut free = (0..u32::MAX).map(|n| dir.join(format!("{name}-{n}")));
        let found = free.find(|it| it.symlink_metadata().is_err());
        found.ok_or_else(|| Failure::new(Code::Git, "clear a slot away: no free name"))
    }

    /// Deletes what was renamed there, and nothing else. Links are deleted, never followed.
    pub(super) fn empty_trash(&self) -> Result<(), Failure> {
        let entries = match std::fs::read_dir(self.state.join(TRASH)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).doing("clear a slot away"),
        };
        for entry in entries.flatten() {
            fail::point("git.sweep.delete");
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|it| it.is_dir());
            // What does not go now goes with the next sweep.
            let gone =
                if is_dir { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            if let Err(error) = gone {
                tracing::warn!(%error, "could not delete a slot that was cleared away");
            }
        }
        Ok(())
    }

    /// Temporary folders that a killed process left.
    fn clear_scratch(&self) {
        let entries = std::fs::read_dir(self.state.join("tmp")).into_iter().flatten().flatten();
        let is_old = |it: &std::fs::DirEntry| {
            let made = it.metadata().and_then(|it| it.modified());
            let age = made.ok().and_then(|it| SystemTime::now().duration_since(it).ok());
            age.is_some_and(|it| SCRATCH_KEPT < it)
        };
        for entry in entries.filter(|it| it.file_name().to_string_lossy().starts_with("git-")) {
            if is_old(&entry) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Removes `refs/baton/keep/<task>` of ended tasks whose base a branch of the user's reaches.
    fn release_bases(&self, ended: &BTreeSet<TaskId>) -> Result<Vec<TaskId>, Failure> {
        let user = self.user()?;
        let mut kept: BTreeMap<TaskId, Oid> = BTreeMap::new();
        for found in user.references_glob("refs/baton/keep/*").doing("look at kept bases")? {
            let found = found.doing("look at kept bases")?;
            let name = found.name().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let task = name.strip_prefix('T').and_then(|it| it.parse().ok()).map(TaskId);
            if let (Some(task), Some(base)) = (task, found.target())
                && ended.contains(&task)
            {
                kept.insert(task, base);
            }
        }
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let reached = self.reached(kept.values().copied().collect())?;
        let mut released = Vec::new();
        for (task, base) in kept.into_iter().filter(|it| reached.contains(&it.1)) {
            fail::point("git.sweep.base");
            let name = format!("refs/baton/keep/{task}");
            let Ok(mut found) = user.find_reference(&name) else {
                continue;
            };
            // Deleted only while it still names this commit.
            match found.delete() {
                Ok(()) => released.push(task),
                Err(error) if matches!(error.code(), ErrorCode::Locked | ErrorCode::Modified) => {}
                Err(error) => return Err(error).doing(&format!("release {base}")),
            }
        }
        Ok(released)
    }

    /// Those of `wanted` that a branch of the user's reaches.
    fn reached(&self, mut wanted: BTreeSet<Oid>) -> Result<BTreeSet<Oid>, Failure> {
        let user = self.user()?;
        let mut walk = user.revwalk().doing("walk your branches")?;
        walk.push_glob("refs/heads/*").doing("walk your branches")?;
        let mut found = BTreeSet::new();
        for commit in walk.take(COMMITS_WALKED_MAX) {
            // History that ends here (shallow, damaged) keeps what lies beyond.
            let Ok(commit) = commit else { break };
            if wanted.remove(&commit) {
                found.insert(commit);
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// What the parts of the state folder take on disk.
    pub fn disk_use(&self) -> Vec<Use> {
        let parts = [
            ("slots", "slots"),
            ("build caches", "cache"),
            ("set-ups", "deps"),
            ("results to look at", "results"),
            ("git store", "store.git"),
            ("set aside", "left"),
            ("to be deleted", TRASH),
        ];
        let size = |(what, dir)| Use { what, bytes: bytes_in(&self.state.join(dir), 0) };
        parts.into_iter().map(size).filter(|it| 0 < it.bytes).collect()
    }
}

/// Bytes on disk below a folder; links are not followed.
fn bytes_in(dir: &Path, depth: usize) -> u64 {
    use std::os::unix::fs::MetadataExt;
    if DEPTH_MAX < depth {
        return 0;
    }
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|it| {
        let meta = it.metadata().ok()?;
        let below = if meta.is_dir() { bytes_in(&it.path(), depth + 1) } else { 0 };
        Some(meta.blocks() * 512 + below)
    });
    sizes.sum()
}
