//! What agents wrote, into commits of the store. Made by the server with libgit2 alone: no hook and
//! no filter program runs.

use super::objects::baton;
use super::slots::Work;
use super::{Doing, Git, Slot, commit_id, oid, tree_id};
use git2::Oid;
use team::{Code, CommitId, Failure, Role, RunId, TreeId};

/// Most names of one folder that are listed.
const NAMES_MAX: usize = 10_000;

impl Git {
    /// Saves the slot's present content on `refs/baton/runs/<run>`; parent is the run's last save, or
    /// the slot's HEAD. Where nothing changed it costs one look at every file.
    pub fn save(&self, slot: &Slot, run: RunId) -> Result<TreeId, Failure> {
        let mut work = self.work(slot)?;
        let tree = work.absorb()?;
        keep(&mut work, run, tree)?;
        Ok(tree_id(tree))
    }

    /// Commits the slot's present content on its HEAD, as `Baton <role>`, and moves HEAD there;
    /// `refs/baton/heads/<run>` keeps it. Nothing changed: HEAD as it is.
    pub fn commit(
        &self,
        slot: &Slot,
        run: RunId,
        role: Role,
        message: &str,
    ) -> Result<CommitId, Failure> {
        let mut work = self.work(slot)?;
        let tree = work.absorb()?;
        let head = work.head()?.ok_or_else(headless)?;
        let commit = if work.objects.tree_of(head)? == tree {
            head
        } else {
            let who = baton(&format!("Baton {}", role.name()))?;
            work.objects.commit(&who, message, tree, &[head])?
        };
        work.objects.point(&format!("refs/baton/heads/{run}"), commit)?;
        work.set_head(commit)?;
        work.note_saved(tree)?;
        Ok(commit_id(commit))
    }

    /// The tree of what the slot holds now.
    pub fn tree_of(&self, slot: &Slot) -> Result<TreeId, Failure> {
        Ok(tree_id(self.work(slot)?.absorb()?))
    }

    /// What came into the slot since it was last looked at (by `save`, `commit` or `tree_of`) and
    /// was not there before: paths that git does not ignore, in order.
    pub fn made(&self, slot: &Slot) -> Result<Vec<String>, Failure> {
        Ok(shown(&new_paths(&mut self.work(slot)?)?.0))
    }

    /// As `made`, and takes it out of the slot again: `refs/baton/runs/<run>` has it.
    pub fn set_made_aside(&self, slot: &Slot, run: RunId) -> Result<Vec<String>, Failure> {
        let mut work = self.work(slot)?;
        let (paths, tree) = new_paths(&mut work)?;
        if !paths.is_empty() {
            keep(&mut work, run, tree)?;
            work.remove(&paths)?;
        }
        Ok(shown(&paths))
    }

    /// The tree of what the slot holds now, and the commit that it equals, if its HEAD is one.
    pub fn stands(&self, slot: &Slot) -> Result<(TreeId, Option<CommitId>), Failure> {
        let mut work = self.work(slot)?;
        let tree = work.absorb()?;
        let head = work.head()?.ok_or_else(headless)?;
        let same = work.objects.tree_of(head)? == tree;
        Ok((tree_id(tree), same.then(|| commit_id(head))))
    }

    pub fn tree(&self, commit: &CommitId) -> Result<TreeId, Failure> {
        Ok(tree_id(self.objects()?.tree_of(oid(&commit.0)?)?))
    }

    /// The commit that the slot's HEAD is detached at.
    pub fn head(&self, slot: &Slot) -> Result<CommitId, Failure> {
        self.check_slot(slot)?;
        let head = self.work(slot)?.head()?.ok_or_else(headless)?;
        Ok(commit_id(head))
    }

    /// The content of a file at a commit; `None`: no such file.
    pub fn read(&self, at: &CommitId, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let objects = self.objects()?;
        let tree = objects.repo.find_tree(objects.tree_of(oid(&at.0)?)?).doing("read a tree")?;
        let Ok(entry) = tree.get_path(std::path::Path::new(path)) else {
            return Ok(None);
        };
        match entry.kind() {
            Some(git2::ObjectType::Blob) => objects.read_blob(entry.id()).map(Some),
            _ => Ok(None),
        }
    }

    /// The names in a folder of a commit (`""`: the root), folders with a `/` at the end; none where
    /// there is no such folder. At most `NAMES_MAX`.
    pub fn names(&self, at: &CommitId, folder: &str) -> Result<Vec<String>, Failure> {
        let objects = self.objects()?;
        let mut tree =
            objects.repo.find_tree(objects.tree_of(oid(&at.0)?)?).doing("read a tree")?;
        if !folder.is_empty() {
            let Ok(entry) = tree.get_path(std::path::Path::new(folder)) else {
                return Ok(vec![]);
            };
            let Ok(found) = objects.repo.find_tree(entry.id()) else {
                return Ok(vec![]);
            };
            tree = found;
        }
        let named = tree.iter().take(NAMES_MAX).map(|it| {
            let name = String::from_utf8_lossy(it.name_bytes()).into_owned();
            match it.kind() {
                Some(git2::ObjectType::Tree) => name + "/",
                _ => name,
            }
        });
        Ok(named.collect())
    }

    /// The content of a blob in the store.
    pub fn blob(&self, id: &str) -> Result<Vec<u8>, Failure> {
        self.objects()?.read_blob(oid(id)?)
    }
}

/// Brings a tree of the slot under the run's ref, unless that has it.
fn keep(work: &mut Work<'_>, run: RunId, tree: Oid) -> Result<(), Failure> {
    let name = format!("refs/baton/runs/{run}");
    let last = work.objects.target(&name);
    let known = match last {
        Some(last) => Some(work.objects.tree_of(last)?),
        None => None,
    };
    if known != Some(tree) {
        let parents: Vec<Oid> = last.or(work.head()?).into_iter().collect();
        let message = format!("{run} at work");
        let commit = work.objects.commit(&baton("Baton")?, &message, tree, &parents)?;
        work.objects.point(&name, commit)?;
        work.note_saved(tree)?;
    }
    Ok(())
}

/// The paths that came since the last look, and the tree with them.
fn new_paths(work: &mut Work<'_>) -> Result<(Vec<Vec<u8>>, Oid), Failure> {
    let (before, after) = (work.indexed()?, work.absorb()?);
    Ok((work.added(before, after)?, after))
}

fn shown(paths: &[Vec<u8>]) -> Vec<String> {
    paths.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
}

fn headless() -> Failure {
    Failure::new(Code::WorktreeLost, "the slot has no HEAD").hint("retry: the slot is made again")
}
