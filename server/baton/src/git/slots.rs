//! Slots: kept worktrees of Baton's store with fixed paths. Moving one writes only the files that
//! differ; ignored files (build caches) stay; nothing goes that no ref reaches.

use super::files::{Folder, MODE_MODULE, OnDisk, as_path};
use super::glance::{Glance, glance};
use super::indexed::{Change, updated};
use super::lens::Lens;
use super::objects::{Objects, baton};
use super::pen::{Pen, Wanted};
use super::results::{RESULT, RESULTS};
use super::{Doing, Git, Slot, oid};
use git2::{Delta, DiffOptions, Index, IndexEntry, Oid, Repository};
use std::path::{Path, PathBuf};
use team::{Code, CommitId, Failure, TreeId};

/// In a slot's git folder: nobody has worked in it since its index was written.
const RESTING: &str = "baton-resting";
/// In a slot's git folder: the tree that a ref last got.
const SAVED: &str = "baton-saved";
/// A slot with its handles open.
pub(super) struct Work<'a> {
    git: &'a Git,
    pub(super) slot: Slot,
    pub(super) git_dir: PathBuf,
    pub(super) objects: Objects,
    pub(super) repo: Repository,
    pub(super) index: Index,
    pub(super) folder: Folder,
}

impl Git {
    /// Makes the slot, or moves it to `at`, with HEAD detached there. Content that no ref reaches is
    /// saved to `refs/baton/left/<slot>/<n>` first.
    pub fn slot(&self, name: &str, at: &CommitId) -> Result<Slot, Failure> {
        let slot = self.slot_named(name)?;
        let at = oid(&at.0)?;
        let mut work = match self.check_slot(&slot) {
            Ok(()) => match self.moved_out(&slot) {
                Ok(work) => work,
                // What can't be read can't be saved: the folder is set aside whole.
                Err(error) if error.code == Code::Git => self.renew(&slot)?,
                Err(error) => return Err(error),
            },
            Err(_) => self.renew(&slot)?,
        };
        let to = work.objects.tree_of(at)?;
        work.move_to(to)?;
        write_whole(&work.git_dir.join("HEAD"), format!("{at}\n").as_bytes())?;
        write_whole(&work.git_dir.join(SAVED), to.to_string().as_bytes())?;
        Ok(slot)
    }

    /// The work in this slot is over and no process writes into it: its index is brought up to its
    /// files, so that the next move needs no look at every file.
    pub fn rest(&self, slot: &Slot) -> Result<(), Failure> {
        let mut work = self.work(slot)?;
        work.save_left()?;
        write_whole(&work.git_dir.join(RESTING), b"")
    }

    /// `WorktreeLost` where the slot is not what `slot` made.
    pub fn check_slot(&self, slot: &Slot) -> Result<(), Failure> {
        let git_dir = self.slot_git_dir(&slot.name);
        let is_ours = self.slot_named(&slot.name).is_ok_and(|it| it.dir == slot.dir)
            && slot.dir.symlink_metadata().is_ok_and(|it| it.is_dir())
            && is_exactly(&slot.dir.join(".git"), &pointer(&git_dir))
            && is_exactly(&git_dir.join("gitdir"), &back_pointer(&slot.dir))
            && is_exactly(&git_dir.join("commondir"), "../..\n");
        if is_ours {
            return Ok(());
        }
        let text = format!("slot `{}` was deleted, moved or swapped", slot.name);
        Err(Failure::new(Code::WorktreeLost, text).hint("retry: the slot is made again"))
    }

    /// Files back to that tree; HEAD stays. What no ref reaches is saved first.
    pub fn restore(&self, slot: &Slot, tree: &TreeId) -> Result<(), Failure> {
        let mut work = self.work(slot)?;
        work.save_left()?;
        let to = oid(&tree.0)?;
        work.move_to(to)?;
        write_whole(&work.git_dir.join(SAVED), to.to_string().as_bytes())
    }

    pub(super) fn slot_named(&self, name: &str) -> Result<Slot, Failure> {
        let fine = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        if name.is_empty() || 64 < name.len() || !name.chars().all(fine) {
            return Err(Failure::new(Code::Git, format!("`{name}` is no name for a slot")));
        }
        // A result that a person opens is no slot, and is kept apart.
        let folder = if name.starts_with(RESULT) { RESULTS } else { "slots" };
        Ok(Slot { name: name.to_string(), dir: self.state.join(folder).join(name) })
    }

    pub(super) fn slot_git_dir(&self, name: &str) -> PathBuf {
        self.store.join("worktrees").join(name)
    }

    /// Opens a slot in which somebody may have worked.
    pub(super) fn work(&self, slot: &Slot) -> Result<Work<'_>, Failure> {
        self.check_slot(slot)?;
        let work = self.open_work(slot)?;
        remove_if_there(&work.git_dir.join(RESTING))?;
        Ok(work)
    }

    fn open_work(&self, slot: &Slot) -> Result<Work<'_>, Failure> {
        let git_dir = self.slot_git_dir(&slot.name);
        // A kill in the middle of a write leaves git's lock; the store has one writer, so it is stale.
        remove_if_there(&git_dir.join("index.lock"))?;
        let repo = super::open_at(&git_dir).doing("open a slot")?;
        let index = repo.index().doing("open a slot")?;
        Ok(Work {
            git: self,
            slot: slot.clone(),
            git_dir,
            objects: self.objects()?,
            repo,
            index,
            folder: Folder::open(&slot.dir)?,
        })
    }

    /// Opens a slot for a move: whatever was done in it is saved.
    fn moved_out(&self, slot: &Slot) -> Result<Work<'_>, Failure> {
        let resting = self.slot_git_dir(&slot.name).join(RESTING).is_file();
        let mut work = self.work(slot)?;
        if !resting {
            work.save_left()?;
        }
        Ok(work)
    }

    /// Makes a slot anew; what is left of an old one is set aside, not deleted.
    fn renew(&self, slot: &Slot) -> Result<Work<'_>, Failure> {
        let git_dir = self.slot_git_dir(&slot.name);
        for old in [&slot.dir, &git_dir] {
            if old.symlink_metadata().is_ok() {
                let to = self.aside(&slot.name)?;
                std::fs::rename(old, to).doing("set an old slot aside")?;
            }
        }
        std::fs::create_dir_all(&git_dir).doing("make a slot")?;
        std::fs::create_dir(&slot.dir).doing("make a slot")?;
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).doing("make a slot");
        write(git_dir.join("commondir"), "../..\n")?;
        write(git_dir.join("gitdir"), &back_pointer(&slot.dir))?;
        write(git_dir.join("HEAD"), "ref: refs/heads/none\n")?;
        write(slot.dir.join(".git"), &pointer(&git_dir))?;
        self.open_work(slot)
    }

    /// A free place for what must not be deleted and can't be saved in a commit.
    pub(super) fn aside(&self, name: &str) -> Result<PathBuf, Failure> {
        let dir = self.state.join("left");
        std::fs::create_dir_all(&dir).doing("set an old slot aside")?;
        let free = (0..u32::MAX)
            .map(|n| dir.join(format!("{name}-{n}")))
            .find(|it| it.symlink_metadata().is_err());
        free.ok_or_else(|| Failure::new(Code::Git, "set an old slot aside: no free name"))
    }
}

impl Work<'_> {
    pub(super) fn index_file(&self) -> PathBuf {
        self.git_dir.join("index")
    }

    /// Brings the index up to the files, and the store up to the index. The tree of what the slot
    /// holds now: tracked files, and untracked ones that are not ignored.
    pub(super) fn absorb(&mut self) -> Result<Oid, Failure> {
        self.absorb_all().map(|it| it.0)
    }

    /// As `absorb`, with the nested repositories, which no tree can hold.
    fn absorb_all(&mut self) -> Result<(Oid, Vec<Vec<u8>>), Failure> {
        let before = self.indexed()?;
        let (nested, changed): (Vec<_>, Vec<_>) =
            self.changed()?.into_iter().partition(|it| it.0.ends_with(b"/"));
        let nested = nested.into_iter().map(|it| it.0).collect();
        if changed.is_empty() {
            self.remember_still(before)?;
            return Ok((before, nested));
        }
        let lens = Lens::new(self.git, &self.repo, &self.objects, &self.index_file())?;
        let mut changes = Vec::with_capacity(changed.len());
        for (path, status) in &changed {
            let gone = *status == Delta::Deleted;
            let found = if gone { OnDisk::Absent } else { self.folder.look(path)? };
            changes.push(absorb_path(&mut self.index, &lens, path, found)?);
        }
        let after = match updated(&self.objects.repo, before, &changes) {
            Some(after) => after,
            None => self.index.write_tree_to(&self.objects.repo).doing("write a tree")?,
        };
        self.objects.keep(Some(before), after)?;
        self.index.write().doing("write the index of a slot")?;
        self.remember(after)?;
        Ok((after, nested))
    }

    /// The paths of the index.
    pub(super) fn paths(&self) -> impl Iterator<Item = Vec<u8>> {
        self.index.iter().map(|it| it.path)
    }

    /// What differs from the index, attributes first: they decide how the others are read. A nested
    /// repository ends in `/`.
    fn changed(&self) -> Result<Vec<(Vec<u8>, Delta)>, Failure> {
        let mut options = DiffOptions::new();
        match glance(&self.slot.dir, &self.repo, &self.index, &self.index_file())? {
            Glance::Everything => self.refuse_pipes(vec![PathBuf::new()])?,
            Glance::Paths { paths, .. } if paths.is_empty() => return Ok(Vec::new()),
            Glance::Paths { paths, folders } => {
                self.refuse_pipes(folders.iter().map(|it| as_path(it).to_path_buf()).collect())?;
                for path in paths {
                    options.pathspec(path);
                }
                options.disable_pathspec_match(true);
            }
        }
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_typechange(true)
            .ignore_submodules(true)
            .update_index(true);
        let diff = self
            .repo
            .diff_index_to_workdir(Some(&self.index), Some(&mut options))
            .doing("look at the files of a slot")?;
        let mut found: Vec<_> = diff
            .deltas()
            .filter_map(|it| {
                let file =
                    if it.status() == Delta::Deleted { it.old_file() } else { it.new_file() };
                file.path_bytes().map(|path| (path.to_vec(), it.status()))
            })
            .collect();
        let included = self.included();
        found.retain(|it| it.1 != Delta::Untracked || !included.contains(&it.0));
        found.sort_by_key(|it| !it.0.ends_with(b".gitattributes"));
        Ok(found)
    }

    /// Saves what the slot holds now, unless a ref has it.
    fn save_left(&mut self) -> Result<(), Failure> {
        let (tree, mut nested) = self.absorb_all()?;
        nested.extend(self.index.iter().filter(|it| self.is_filled_module(it)).map(|it| it.path));
        self.set_nested_aside(&nested)?;
        if self.is_saved(tree) {
            return Ok(());
        }
        let head = self.head()?;
        let message = format!("left in slot {}", self.slot.name);
        let parents: Vec<Oid> = head.into_iter().collect();
        let commit = self.objects.commit(&baton("Baton")?, &message, tree, &parents)?;
        let free = (1..u32::MAX)
            .map(|n| format!("refs/baton/left/{}/{n}", self.slot.name))
            .find(|it| self.objects.target(it).is_none());
        let name = free.ok_or_else(|| Failure::new(Code::Git, "save a slot: no free name"))?;
        self.objects.point(&name, commit)?;
        self.note_saved(tree)
    }

    /// A submodule is an empty folder in a slot; whatever was put there is part of no tree.
    fn is_filled_module(&self, entry: &IndexEntry) -> bool {
        let path = self.slot.dir.join(as_path(&entry.path));
        entry.mode == MODE_MODULE
            && path.symlink_metadata().is_ok_and(|it| it.is_dir())
            && std::fs::read_dir(path).is_ok_and(|mut it| it.next().is_some())
    }

    /// A repository inside of a slot can't be part of a commit, and is not deleted either.
    fn set_nested_aside(&self, nested: &[Vec<u8>]) -> Result<(), Failure> {
        for path in nested {
            let path = path.strip_suffix(b"/").unwrap_or(path);
            let to = self.git.aside(&self.slot.name)?;
            self.folder.set_aside(as_path(path), &to)?;
        }
        Ok(())
    }

    fn is_saved(&self, tree: Oid) -> bool {
        let saved = std::fs::read_to_string(self.git_dir.join(SAVED)).unwrap_or_default();
        saved == tree.to_string()
    }

    /// A ref reaches this tree now.
    pub(super) fn note_saved(&self, tree: Oid) -> Result<(), Failure> {
        write_whole(&self.git_dir.join(SAVED), tree.to_string().as_bytes())
    }

    /// The commit that HEAD is detached at.
    pub(super) fn head(&self) -> Result<Option<Oid>, Failure> {
        let text =
            std::fs::read_to_string(self.git_dir.join("HEAD")).doing("read HEAD of a slot")?;
        Ok(Oid::from_str(text.trim_end()).ok())
    }

    pub(super) fn set_head(&self, commit: Oid) -> Result<(), Failure> {
        write_whole(&self.git_dir.join("HEAD"), format!("{commit}\n").as_bytes())
    }

    /// From what the index describes to `to`. A changed `.gitignore` can uncover files that were
    /// ignored before: they are saved and removed in a second round.
    fn move_to(&mut self, to: Oid) -> Result<(), Failure> {
        if self.step_to(to)? && self.absorb()? != to {
            self.save_left()?;
            self.step_to(to)?;
        }
        Ok(())
    }

    /// Whether an ignore file changed.
    fn step_to(&mut self, to: Oid) -> Result<bool, Failure> {
        let from = self.indexed()?;
        if from == to {
            return Ok(false);
        }
        let fresh = self.index.is_empty();
        let (gone, wanted) = self.differing(from, to)?;
        let ignores = |it: &[u8]| it.ends_with(b".gitignore");
        let uncovers = gone.iter().any(|it| ignores(it)) || wanted.iter().any(|it| ignores(&it.0));
        self.drop_files(&gone)?;
        // Attributes first: they decide how the others are written.
        let (first, rest): (Vec<Wanted>, Vec<Wanted>) =
            wanted.into_iter().partition(|it| it.0.ends_with(b".gitattributes"));
        let pen = Pen {
            git: self.git,
            slot: &self.slot,
            git_dir: &self.git_dir,
            repo: &self.repo,
            objects: &self.objects,
            folder: &self.folder,
        };
        let mut entries = pen.write(&first)?;
        entries.extend(if fresh { pen.write_new(&rest)? } else { pen.write(&rest)? });
        for entry in &entries {
            self.index.add(entry).doing("write the index of a slot")?;
        }
        self.index.write().doing("write the index of a slot")?;
        self.remember(to)?;
        Ok(uncovers && !fresh)
    }

    /// Takes files out of the slot and its index, which is not written yet.
    fn drop_files(&mut self, paths: &[Vec<u8>]) -> Result<(), Failure> {
        for path in paths {
            self.folder.remove(path)?;
            self.index.remove(as_path(path), 0).doing("write the index of a slot")?;
        }
        Ok(())
    }

    /// Takes files out of the slot and its index.
    pub(super) fn remove(&mut self, paths: &[Vec<u8>]) -> Result<(), Failure> {
        self.drop_files(paths)?;
        self.index.write().doing("write the index of a slot")
    }

    /// The paths that `to` has and `from` has not.
    pub(super) fn added(&self, from: Oid, to: Oid) -> Result<Vec<Vec<u8>>, Failure> {
        if from == to {
            return Ok(vec![]);
        }
        let (_, wanted) = self.differing(from, to)?;
        let tree = self.objects.repo.find_tree(from).doing("read a tree")?;
        let is_new = |it: &Vec<u8>| tree.get_path(as_path(it)).is_err();
        Ok(wanted.into_iter().map(|it| it.0).filter(is_new).collect())
    }

    fn differing(&self, from: Oid, to: Oid) -> Result<(Vec<Vec<u8>>, Vec<Wanted>), Failure> {
        let repo = &self.objects.repo;
        let from = repo.find_tree(from).doing("read a tree")?;
        let to = repo.find_tree(to).doing("read a tree")?;
        let diff = repo.diff_tree_to_tree(Some(&from), Some(&to), None).doing("compare trees")?;
        let (mut gone, mut wanted) = (Vec::new(), Vec::new());
        for delta in diff.deltas() {
            let file = delta.new_file();
            let Some(path) = file.path_bytes().map(<[u8]>::to_vec) else {
                continue;
            };
            if delta.status() == Delta::Deleted {
                gone.push(path);
            } else {
                wanted.push((path, u32::from(file.mode()), file.id()));
            }
        }
        Ok((gone, wanted))
    }
}

/// Brings one index entry up to what is on disk, and says what it is then.
fn absorb_path(
    index: &mut Index,
    lens: &Lens<'_>,
    path: &[u8],
    found: OnDisk,
) -> Result<Change, Failure> {
    let (mode, bytes, stat) = match found {
        OnDisk::File { mode, bytes, stat } => (mode, bytes, stat),
        OnDisk::Absent | OnDisk::Other => {
            // A file in the place of a folder has taken the folder's entries with it.
            if index.get_path(as_path(path), 0).is_some() {
                index.remove(as_path(path), 0).doing("write the index of a slot")?;
            }
            return Ok((path.to_vec(), None));
        }
    };
    let id = lens.clean(path, &bytes)?;
    index.add(&stat.entry(path, mode, id)).map_err(|error| {
        Failure::new(Code::Git, format!("save `{}`: {}", shown(path), error.message()))
            .hint("git can't hold a file of this name; rename or remove it")
    })?;
    Ok((path.to_vec(), Some((mode, id))))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

fn pointer(git_dir: &Path) -> String {
    format!("gitdir: {}\n", git_dir.display())
}

fn back_pointer(slot: &Path) -> String {
    format!("{}\n", slot.join(".git").display())
}

fn is_exactly(path: &Path, text: &str) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() == text.len() as u64)
        && std::fs::read(path).is_ok_and(|it| it == text.as_bytes())
}

fn remove_if_there(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing("open a slot")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a small file in one step.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let spare = path.with_extension("new");
    std::fs::write(&spare, bytes).doing("write a slot's state")?;
    std::fs::rename(&spare, path).doing("write a slot's state")
}
