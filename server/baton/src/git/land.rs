//! Moves the user's branch to exactly the approved candidate, with the files of every worktree that
//! has it checked out; all or nothing.
//!
//! The order makes it so: lock the index of every such worktree; look at everything again; copy the
//! objects; swap the branch (compare and swap: the point of no return); then files; then the index;
//! then unlock. Before the swap nothing of the user's has changed. After it a crash leaves our lock,
//! which keeps git's commands out, and the same call finishes forward.

use super::files::{MODE_LINK, OnDisk, Stat, as_path};
use super::lens::Lens;
use super::objects::Objects;
use super::plan::{gone, wishes};
use super::snapshot::copy_index;
use super::sparse::FLAG_SKIPPED;
use super::survey::{Ground, merged_mode, three_way};
use super::{Doing, Git, Moved, oid};
use crate::fail;
use git2::{ErrorCode, Index, IndexEntry, Oid, Repository};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use team::{Base, Candidate, Code, Failure, PlannedPath, Target, TaskId};

/// What our `index.lock` says; git never reads it.
const LOCK_TEXT: &[u8] = b"baton is landing a change; it finishes when it is started again\n";
/// The index is written here, then renamed.
const SPARE_INDEX: &str = "index.baton";

/// Why nothing may move, as things are under the locks; `None`: it may.
type Verify<'a> = dyn Fn(&[Ground]) -> Result<Option<String>, Failure> + 'a;

/// One move of a branch and of the files with it.
pub(super) struct Step<'a> {
    pub(super) target: &'a str,
    pub(super) from: Oid,
    pub(super) to: Oid,
    pub(super) plan: &'a [PlannedPath],
    pub(super) log: String,
}

impl Git {
    /// Lands as planned. Called again after a crash with the same plan, it finishes.
    pub fn land(
        &self,
        task: TaskId,
        base: &Base,
        candidate: &Candidate,
        plan: &[PlannedPath],
    ) -> Result<Moved, Failure> {
        let objects = self.objects()?;
        let (tip, to) = (oid(&candidate.tip.0)?, oid(&candidate.commit.0)?);
        match &base.target {
            Target::NewBranch(name) => self.land_branch(&objects, task, name, tip, to),
            Target::Branch(target) => {
                let log = format!("baton: land {task}");
                let step = Step { target, from: tip, to, plan, log };
                self.carry_out(&objects, &step, &|grounds| {
                    if grounds.is_empty() {
                        return Ok(None);
                    }
                    let wishes = wishes(&objects, tip, to)?;
                    let now = self.survey(&objects, grounds, &wishes, &[])?;
                    if let Some(why) = now.blocked.first() {
                        return Ok(Some(why.clone()));
                    }
                    Ok((now.plan != plan).then(|| changed_since(&now.plan, plan)))
                })
            }
        }
    }

    fn land_branch(
        &self,
        objects: &Objects,
        task: TaskId,
        name: &str,
        tip: Oid,
        to: Oid,
    ) -> Result<Moved, Failure> {
        let user = self.user()?;
        if let Ok(now) = user.refname_to_id(name) {
            let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
            let taken = format!("there is a branch `{branch}` already");
            return Ok(if now == to { Moved::Done } else { Moved::Refused(taken) });
        }
        fail::point("git.pack");
        objects.copy_into(&user, tip, to)?;
        fail::point("git.pack.done");
        fail::point("git.swap");
        let made = user.reference(name, to, false, &format!("baton: land {task}"));
        made.doing("make the branch")?;
        fail::point("git.swap.done");
        Ok(Moved::Done)
    }

    /// Carries a step out. `verify` looks at the worktrees under their locks, before anything has
    /// moved, and says why not.
    pub(super) fn carry_out(
        &self,
        objects: &Objects,
        step: &Step<'_>,
        verify: &Verify<'_>,
    ) -> Result<Moved, Failure> {
        let user = self.user()?;
        let Ok(tip) = user.refname_to_id(step.target) else {
            return Ok(Moved::Refused(gone(step.target)));
        };
        if tip != step.from && tip != step.to {
            return Ok(Moved::TipMoved);
        }
        let moved_before = tip == step.to;
        let grounds = match self.grounds(objects, step.target)? {
            Ok(grounds) => grounds,
            Err(why) if moved_before => return Err(Failure::new(Code::Git, why)),
            Err(why) => return Ok(Moved::Refused(why)),
        };
        let Some(mut locks) = Locks::take(&grounds)? else {
            let text = "another git command is at work (index.lock): try again when it is done";
            return Ok(Moved::Refused(text.into()));
        };
        if !moved_before {
            // The indexes may have been written between the first look and the lock.
            let grounds = match self.grounds(objects, step.target)? {
                Ok(grounds) if grounds.len() == locks.held.len() => grounds,
                Ok(_) => return Ok(Moved::Refused("you switched branches just now".into())),
                Err(why) => return Ok(Moved::Refused(why)),
            };
            if let Some(why) = verify(&grounds)? {
                return Ok(Moved::Refused(why));
            }
            fail::point("git.pack");
            objects.copy_into(&user, step.from, step.to)?;
            fail::point("git.pack.done");
            if let Some(moved) = swap(&user, step, &mut locks)? {
                return Ok(moved);
            }
        }
        locks.committed = true;
        for (ground, resumed) in grounds.iter().zip(locks.resumed.clone()) {
            if !moved_before || resumed || is_behind(objects, ground, step)? {
                self.finish(objects, ground, step)?;
            }
        }
        locks.release();
        fail::point("git.unlock.done");
        Ok(Moved::Done)
    }

    /// Files, then index. Every part looks first, so that it may be called again.
    fn finish(&self, objects: &Objects, ground: &Ground, step: &Step<'_>) -> Result<(), Failure> {
        for (n, path) in step.plan.iter().enumerate() {
            fail::point("git.file");
            finish_file(objects, ground, path, &format!(".baton-{n}.tmp"))?;
            fail::point("git.file.done");
        }
        fail::point("git.index");
        self.finish_index(objects, ground, step)?;
        fail::point("git.index.done");
        Ok(())
    }

    /// The user's index with the entries of the planned paths, and every other entry as it was.
    fn finish_index(
        &self,
        objects: &Objects,
        ground: &Ground,
        step: &Step<'_>,
    ) -> Result<(), Failure> {
        let real = ground.git_dir.join("index");
        let spare = ground.git_dir.join(SPARE_INDEX);
        remove_if_there(&spare)?;
        remove_if_there(&spare.with_extension("baton.lock"))?;
        copy_index(&real, &spare)?;
        let mut index = Index::open(&spare).doing("read your index")?;
        doubt_young(&mut index, &real)?;
        let lens = Lens::new(self, &ground.repo, objects, &real)?;
        for planned in step.plan {
            let path = planned.path.as_bytes();
            match &planned.index {
                Some(id) => {
                    let entry = entry_for(&lens, ground, step, objects, planned, oid(id)?)?;
                    index.add(&entry).doing("write your index")?;
                }
                None => match index.remove(as_path(path), 0) {
                    Err(error) if error.code() != ErrorCode::NotFound => {
                        return Err(error).doing("write your index");
                    }
                    Ok(()) | Err(_) => {}
                },
            }
        }
        index.write().doing("write your index")?;
        if let Ok(meta) = real.metadata() {
            std::fs::set_permissions(&spare, meta.permissions()).doing("write your index")?;
        }
        std::fs::rename(&spare, &real).doing("write your index")
    }
}

fn changed_since(now: &[PlannedPath], plan: &[PlannedPath]) -> String {
    let path = plan.iter().zip(now).find(|(a, b)| a != b).map(|it| it.0.path.as_str());
    match path {
        Some(path) => format!("`{path}` changed since the landing was planned"),
        None => "your files changed since the landing was planned".into(),
    }
}

/// Compare and swap; `Some` where the tip was no longer `from`.
fn swap(user: &Repository, step: &Step<'_>, locks: &mut Locks) -> Result<Option<Moved>, Failure> {
    fail::point("git.swap");
    // From here on our lock stays whatever happens, until the files are finished.
    locks.committed = true;
    match user.reference_matching(step.target, step.to, true, step.from, &step.log) {
        Ok(_) => {}
        Err(error) => {
            let moved = user.refname_to_id(step.target).ok() == Some(step.to);
            locks.committed = moved;
            if error.code() == ErrorCode::Modified || error.code() == ErrorCode::NotFound {
                return Ok(Some(Moved::TipMoved));
            }
            if error.code() == ErrorCode::Locked {
                let text = "another git command is at work on the branch: try again";
                return Ok(Some(Moved::Refused(text.into())));
            }
            return Err(error).doing("move the branch");
        }
    }
    fail::point("git.swap.done");
    Ok(None)
}

/// The branch has moved, but this worktree's index still has what was there before.
fn is_behind(objects: &Objects, ground: &Ground, step: &Step<'_>) -> Result<bool, Failure> {
    let wishes = wishes(objects, step.from, step.to)?;
    let planned = !step.plan.is_empty();
    Ok(planned && wishes.iter().all(|it| ground.why_staged(&it.path, "", it.from).is_none()))
}

fn finish_file(
    objects: &Objects,
    ground: &Ground,
    planned: &PlannedPath,
    spare: &str,
) -> Result<(), Failure> {
    let path = planned.path.as_bytes();
    let blob = |id: &Option<String>| -> Result<Option<Vec<u8>>, Failure> {
        id.as_deref().map(|it| objects.read_blob(oid(it)?)).transpose()
    };
    let (before, after) = (blob(&planned.before)?, blob(&planned.after)?);
    let (mode, now) = match ground.folder.look(path)? {
        OnDisk::File { mode, bytes, .. } => (mode, Some(bytes)),
        OnDisk::Absent => (0, None),
        // Somebody made a folder here after the branch had moved: it is theirs.
        OnDisk::Other => return Ok(()),
    };
    let links = [mode, planned.mode, planned.mode_before].contains(&MODE_LINK);
    // Usually `now` is `before`, or already `after`. Else somebody wrote the file after the branch
    // had moved: their text is merged into, or stays as it is and shows in `git diff`.
    let text = three_way(before.as_deref(), now.as_deref(), after.as_deref(), links);
    let Some(text) = text else { return Ok(()) };
    let to = merged_mode(planned.mode_before, mode, planned.mode).unwrap_or(mode);
    if text == now && to == mode {
        return Ok(());
    }
    match text {
        Some(bytes) => ground.folder.replace(path, to, &bytes, spare),
        None => ground.folder.remove(path),
    }
}

/// The index entry of a path that now holds what the branch has; with the file's stat where the file
/// holds just that, and with none where the user's own edits are in it.
fn entry_for(
    lens: &Lens<'_>,
    ground: &Ground,
    step: &Step<'_>,
    objects: &Objects,
    planned: &PlannedPath,
    id: Oid,
) -> Result<IndexEntry, Failure> {
    let path = planned.path.as_bytes();
    let tree = objects.repo.find_tree(objects.tree_of(step.to)?).doing("read a tree")?;
    let mode =
        tree.get_path(as_path(path)).map_or(planned.mode, |it| it.filemode().cast_unsigned());
    if let OnDisk::File { bytes, stat, .. } = ground.folder.look(path)?
        && lens.smudge_one(path, mode, id)? == bytes
    {
        return Ok(stat.entry(path, mode, id));
    }
    let mut entry = Stat::default().entry(path, mode, id);
    if planned.after.is_none() {
        // Outside of a sparse checkout: no file was written, and none is missed.
        entry.flags_extended |= FLAG_SKIPPED;
    }
    Ok(entry)
}

/// Entries as young as the index itself: git looks behind those, because the file may have changed
/// in the same tick. A newly written index would make them look old, so they lose their size, which
/// makes git look behind them all the same. A tick is a second: many builds of git compare no finer.
fn doubt_young(index: &mut Index, real: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let Ok(meta) = real.metadata() else {
        return Ok(());
    };
    let is_young =
        |it: &IndexEntry| meta.mtime() <= i64::from(it.mtime.seconds()) && it.file_size != 0;
    let young: Vec<IndexEntry> = index.iter().filter(is_young).collect();
    for mut entry in young {
        entry.file_size = 0;
        index.add(&entry).doing("write your index")?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).doing("write your index"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The `index.lock` of every worktree concerned. Dropped before the swap, they go; after it they
/// stay until `release`.
struct Locks {
    held: Vec<PathBuf>,
    /// A lock was ours already: a landing was cut off there.
    resumed: Vec<bool>,
    committed: bool,
}

impl Locks {
    /// `None`: somebody else has one.
    fn take(grounds: &[Ground]) -> Result<Option<Locks>, Failure> {
        let mut locks = Locks { held: Vec::new(), resumed: Vec::new(), committed: false };
        for ground in grounds {
            fail::point("git.lock");
            let path = ground.git_dir.join("index.lock");
            let resumed = match lock(&path, &ground.git_dir.join(SPARE_INDEX)) {
                Ok(()) => false,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !std::fs::read(&path).is_ok_and(|it| it == LOCK_TEXT) {
                        return Ok(None);
                    }
                    true
                }
                Err(error) => return Err(error).doing("lock your index"),
            };
            locks.held.push(path);
            locks.resumed.push(resumed);
            fail::point("git.lock.done");
        }
        Ok(Some(locks))
    }

    fn release(mut self) {
        self.committed = false;
    }
}

/// Creates the lock with its text in one step, so that a crash never leaves one without.
fn lock(path: &Path, spare: &Path) -> std::io::Result<()> {
    std::fs::write(spare, LOCK_TEXT)?;
    let linked = std::fs::hard_link(spare, path);
    std::fs::remove_file(spare)?;
    linked
}

impl Drop for Locks {
    fn drop(&mut self) {
        if !self.committed {
            for path in &self.held {
                // Nothing can be done about a lock that does not go; git names the file.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}
