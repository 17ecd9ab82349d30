//! What a person sees, as a commit: index, working tree, untracked files and unsaved text. Of the
//! user's it writes one ref, which keeps the base from `git gc`.

use super::acting::looks_secret;
use super::files::{MODE_EXEC, MODE_FILE, MODE_LINK, MODE_MODULE, Stat, as_path};
use super::glance::{Glance, glance};
use super::indexed::{Change, updated};
use super::lens::Lens;
use super::objects::{Objects, baton, set_own_ref};
use super::{Buffer, Doing, Git, commit_id, sparse, tree_id};
use git2::{Delta, DiffOptions, Index, Oid, Repository};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use team::{Base, Failure, StartFrom, Target, TaskId};

/// An untracked file larger than this is left out.
pub const UNTRACKED_FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// Untracked files are left out from where they are more than this together.
pub const UNTRACKED_ALL_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// So many left-out paths are named.
const LEFT_OUT_NAMED_MAX: usize = 50;
/// Words of a branch name taken from a task's text.
const SLUG_BYTES_MAX: usize = 40;

/// What goes into S besides what the index holds.
#[derive(Default)]
struct Differs {
    untracked: BTreeSet<Vec<u8>>,
    unsaved: BTreeSet<Vec<u8>>,
    /// Whose index entries were written or removed.
    touched: BTreeSet<Vec<u8>>,
    left_out: Vec<String>,
}

impl Git {
    /// Makes S. `slug` names the branch where a new one is needed.
    pub fn snapshot(
        &self,
        task: TaskId,
        slug: &str,
        buffers: &[Buffer],
        start: StartFrom,
        to_branch: bool,
    ) -> Result<Base, Failure> {
        let objects = self.objects()?;
        let user = self.user_onto(&objects)?;
        let head = user.head().doing("read HEAD")?;
        let base = head.peel_to_commit().doing("read HEAD")?;
        let detached = user.head_detached().doing("read HEAD")?;
        let target = match head.name() {
            Ok(name) if !detached && !to_branch => Target::Branch(name.to_string()),
            Ok(_) | Err(_) => Target::NewBranch(free_branch(&user, task, slug)),
        };
        self.keep_base(&user, task, base.id())?;
        let (seen, tree, says, left_out) = match start {
            StartFrom::Head => (base.id(), base.tree_id(), said(base.id(), [0; 3]), Vec::new()),
            StartFrom::Seen => self.see(&objects, &user, task, &base, buffers)?,
        };
        Ok(Base {
            base: commit_id(base.id()),
            seen: commit_id(seen),
            seen_tree: tree_id(tree),
            target,
            says,
            left_out,
        })
    }

    /// The one thing in the user's git folder: a ref on the user's own commit, so that what Baton
    /// borrows outlives a rebase and `git gc`.
    fn keep_base(&self, user: &Repository, task: TaskId, base: Oid) -> Result<(), Failure> {
        let name = format!("refs/baton/keep/{task}");
        if user.refname_to_id(&name).ok() == Some(base) {
            return Ok(());
        }
        set_own_ref(user, &name, base)
    }

    fn see(
        &self,
        objects: &Objects,
        user: &Repository,
        task: TaskId,
        base: &git2::Commit<'_>,
        buffers: &[Buffer],
    ) -> Result<(Oid, Oid, String, Vec<String>), Failure> {
        let scratch = self.scratch()?;
        let path = scratch.path().join("index");
        copy_index(&user.path().join("index"), &path)?;
        let mut index = Index::open(&path).doing("read a copy of your index")?;
        user.set_index(&mut index).doing("read a copy of your index")?;
        // What is staged, where the index can tell: it can't while a merge is open.
        let staged = index.write_tree_to(&objects.repo).ok();
        let mut differs = Differs::default();
        self.add_changed(objects, user, &mut index, &path, &mut differs)?;
        name_modules(&index, &mut differs.left_out);
        if !buffers.is_empty() {
            index.write().doing("write a copy of your index")?;
            self.add_buffers(objects, user, &mut index, &path, buffers, &mut differs)?;
        }
        let entry = |path: &Vec<u8>| index.get_path(as_path(path), 0).map(|it| (it.mode, it.id));
        let changes: Vec<Change> =
            differs.touched.iter().map(|it| (it.clone(), entry(it))).collect();
        let tree = match staged.and_then(|it| updated(&objects.repo, it, &changes)) {
            Some(tree) => tree,
            None => index.write_tree_to(&objects.repo).doing("write a tree")?,
        };
        let says = said(base.id(), counts(objects, base.tree_id(), tree, &differs)?);
        let left_out = bounded(differs.left_out);
        if tree == base.tree_id() {
            return Ok((base.id(), tree, says, left_out));
        }
        objects.keep(Some(base.tree_id()), tree)?;
        let message = format!("{task} starts from {says}");
        let seen = objects.commit(&baton("Baton")?, &message, tree, &[base.id()])?;
        objects.point(&format!("refs/baton/seen/{task}"), seen)?;
        Ok((seen, tree, says, left_out))
    }

    fn add_changed(
        &self,
        objects: &Objects,
        user: &Repository,
        index: &mut Index,
        index_path: &Path,
        differs: &mut Differs,
    ) -> Result<(), Failure> {
        let lens = Lens::new(self, user, objects, index_path)?;
        let modes = Modes::of(user)?;
        sparse::show_what_is_there(user, index, &self.place.root)?;
        let mut bytes = 0;
        for (path, status) in changed(&self.place.root, user, index, index_path)? {
            let name = String::from_utf8_lossy(&path).into_owned();
            let foreign = lens.foreign(&path).filter(|_| status != Delta::Deleted);
            if let Some(attribute) = foreign {
                let what = match status {
                    Delta::Untracked => "and new",
                    _ => "not as you see it, but as last committed or staged",
                };
                let comma = if status == Delta::Untracked { "," } else { ":" };
                differs.left_out.push(format!("{name}: stored through {attribute}{comma} {what}"));
                continue;
            }
            if status == Delta::Untracked {
                if let Some(why) = self.why_out(&path, &mut bytes) {
                    differs.left_out.push(format!("{name}: {why}"));
                    continue;
                }
                differs.untracked.insert(path.clone());
            }
            differs.touched.insert(path.clone());
            if status == Delta::Deleted {
                index.remove_path(as_path(&path)).doing("write a copy of your index")?;
                continue;
            }
            add(index, &path, modes).doing(&format!("snapshot `{name}`"))?;
        }
        Ok(())
    }

    /// Why an untracked path is left out.
    fn why_out(&self, path: &[u8], all: &mut u64) -> Option<String> {
        if path.last() == Some(&b'/') {
            return Some("a nested repository".into());
        }
        if looks_secret(path) {
            return Some("named like a secret".into());
        }
        let meta = self.place.root.join(as_path(path)).symlink_metadata().ok()?;
        let mib = |it: u64| it / (1024 * 1024);
        if UNTRACKED_FILE_BYTES_MAX < meta.len() {
            return Some(format!("untracked and {} MiB", mib(meta.len())));
        }
        if UNTRACKED_ALL_BYTES_MAX < *all + meta.len() {
            let max = mib(UNTRACKED_ALL_BYTES_MAX);
            return Some(format!("untracked files are more than {max} MiB together"));
        }
        *all += meta.len();
        None
    }

    fn add_buffers(
        &self,
        objects: &Objects,
        user: &Repository,
        index: &mut Index,
        index_path: &Path,
        buffers: &[Buffer],
        differs: &mut Differs,
    ) -> Result<(), Failure> {
        let lens = Lens::new(self, user, objects, index_path)?;
        for buffer in buffers {
            let path = buffer.path.as_bytes();
            let inside = is_inside(path);
            let entry = inside.then(|| index.get_path(as_path(path), 0)).flatten();
            let why = match &entry {
                _ if !inside => Some("outside of the repository".into()),
                Some(entry) if entry.mode == MODE_LINK => {
                    Some("a symlink, edited as a file".into())
                }
                Some(entry) if entry.mode == MODE_MODULE => Some("a submodule".into()),
                Some(_) => None,
                None => self.why_new_buffer_out(user, path, differs),
            };
            if let Some(why) = why {
                differs.left_out.push(format!("{}: unsaved, and {why}", buffer.path));
                continue;
            }
            let id = lens.clean(path, &buffer.text)?;
            if entry.as_ref().is_some_and(|it| it.id == id) {
                continue;
            }
            let mode = entry.map_or(MODE_FILE, |it| it.mode);
            index
                .add(&Stat::default().entry(path, mode, id))
                .doing(&format!("snapshot the unsaved `{}`", buffer.path))?;
            differs.unsaved.insert(path.to_vec());
            differs.touched.insert(path.to_vec());
        }
        Ok(())
    }

    fn why_new_buffer_out(
        &self,
        user: &Repository,
        path: &[u8],
        differs: &Differs,
    ) -> Option<String> {
        if looks_secret(path) {
            return Some("named like a secret".into());
        }
        if user.is_path_ignored(as_path(path)).unwrap_or(false) {
            return Some("ignored by git".into());
        }
        let prefix = format!("{}: ", String::from_utf8_lossy(path));
        let named = differs.left_out.iter().find_map(|it| it.strip_prefix(&prefix));
        named.map(str::to_string)
    }
}

/// Whether this is a plain path below the root that git would hold.
fn is_inside(path: &[u8]) -> bool {
    let plain = |it| matches!(it, std::path::Component::Normal(_));
    !path.is_empty() && as_path(path).components().all(plain) && !super::acting::is_git_like(path)
}

/// Copies an index with its time: entries as young as the index are the ones git looks behind.
pub(super) fn copy_index(from: &Path, to: &Path) -> Result<(), Failure> {
    let bytes = match std::fs::read(from) {
        Ok(bytes) => bytes,
        // No index is an empty one.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).doing("read your index"),
    };
    let time = from.metadata().and_then(|it| it.modified()).doing("read your index")?;
    let copy = || -> std::io::Result<()> {
        std::fs::write(to, bytes)?;
        std::fs::File::options().write(true).open(to)?.set_modified(time)
    };
    copy().doing("copy your index")
}

/// What differs between index and files, attributes first: they decide how the others are read.
fn changed(
    root: &Path,
    user: &Repository,
    index: &Index,
    index_path: &Path,
) -> Result<Vec<(Vec<u8>, Delta)>, Failure> {
    let mut options = DiffOptions::new();
    if let Glance::Paths { paths, .. } = glance(root, user, index, index_path)? {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        for path in paths {
            options.pathspec(path);
        }
        options.disable_pathspec_match(true);
    }
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_typechange(true)
        .ignore_submodules(true);
    let diff =
        user.diff_index_to_workdir(Some(index), Some(&mut options)).doing("look at your files")?;
    let mut found: Vec<_> = diff
        .deltas()
        .filter(|it| !matches!(it.status(), Delta::Unreadable | Delta::Ignored))
        .filter_map(|it| {
            let file = if it.status() == Delta::Deleted { it.old_file() } else { it.new_file() };
            let path = file.path_bytes().or(it.old_file().path_bytes())?;
            Some((path.to_vec(), it.status()))
        })
        // A path outside of a sparse checkout is not gone.
        .filter(|it| it.1 != Delta::Deleted || !sparse::is_outside(index, &it.0))
        .collect();
    found.sort_by_key(|it| !it.0.ends_with(b".gitattributes"));
    found.dedup();
    Ok(found)
}

/// What of a file's mode the user's git believes.
#[derive(Clone, Copy)]
struct Modes {
    executable: bool,
    links: bool,
}

impl Modes {
    fn of(user: &Repository) -> Result<Modes, Failure> {
        let config = user.config().doing("read your configuration")?;
        let is_on = |key| config.get_bool(key).unwrap_or(true);
        Ok(Modes { executable: is_on("core.filemode"), links: is_on("core.symlinks") })
    }

    /// The mode of an entry that had `before` (0: none) and has `now` on disk.
    fn settle(self, before: u32, now: u32) -> u32 {
        let regular = |it: u32| it == MODE_FILE || it == MODE_EXEC;
        match before {
            MODE_LINK if !self.links && regular(now) => MODE_LINK,
            _ if self.executable || !regular(now) => now,
            before if regular(before) => before,
            _ => MODE_FILE,
        }
    }
}

/// Adds a file as `git add` does; where it is gone (a conflict), removes it.
fn add(index: &mut Index, path: &[u8], modes: Modes) -> Result<(), git2::Error> {
    let before = index.get_path(as_path(path), 0).map_or(0, |it| it.mode);
    match index.add_path(as_path(path)) {
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            return index.remove_path(as_path(path));
        }
        other => other?,
    }
    let Some(mut entry) = index.get_path(as_path(path), 0) else {
        return Ok(());
    };
    let mode = modes.settle(before, entry.mode);
    if mode != entry.mode {
        entry.mode = mode;
        index.add(&entry)?;
    }
    Ok(())
}

/// Submodules are in S as the commits they stand at; their files are not.
fn name_modules(index: &Index, left_out: &mut Vec<String>) {
    for entry in index.iter().filter(|it| it.mode == MODE_MODULE) {
        let name = String::from_utf8_lossy(&entry.path).into_owned();
        left_out.push(format!("{name}: a submodule, its files are not part of this repository"));
    }
}

/// (changed, untracked, unsaved) between B and S.
fn counts(
    objects: &Objects,
    base: Oid,
    tree: Oid,
    differs: &Differs,
) -> Result<[usize; 3], Failure> {
    let repo = &objects.repo;
    let base = repo.find_tree(base).doing("read a tree")?;
    let tree = repo.find_tree(tree).doing("read a tree")?;
    let diff = repo.diff_tree_to_tree(Some(&base), Some(&tree), None).doing("compare trees")?;
    let paths: BTreeSet<Vec<u8>> =
        diff.deltas().filter_map(|it| it.new_file().path_bytes().map(<[u8]>::to_vec)).collect();
    let changed = paths
        .iter()
        .filter(|it| !differs.untracked.contains(*it) && !differs.unsaved.contains(*it))
        .count();
    Ok([changed, differs.untracked.len(), differs.unsaved.len()])
}

fn said(base: Oid, counts: [usize; 3]) -> String {
    let mut text = format!("HEAD {}", commit_id(base).short());
    for (n, word) in counts.iter().zip(["changed", "untracked", "unsaved"]) {
        if 0 < *n {
            text.push_str(&format!(" + {n} {word}"));
        }
    }
    text
}

fn bounded(mut left_out: Vec<String>) -> Vec<String> {
    let more = left_out.len().saturating_sub(LEFT_OUT_NAMED_MAX);
    left_out.truncate(LEFT_OUT_NAMED_MAX);
    if 0 < more {
        left_out.push(format!("and {more} more"));
    }
    left_out
}

fn free_branch(user: &Repository, task: TaskId, slug: &str) -> String {
    let mut words = String::new();
    for letter in slug.chars() {
        match letter {
            'a'..='z' | '0'..='9' => words.push(letter),
            'A'..='Z' => words.push(letter.to_ascii_lowercase()),
            _ if words.ends_with('-') || words.is_empty() => {}
            _ => words.push('-'),
        }
        if SLUG_BYTES_MAX <= words.len() {
            break;
        }
    }
    let words = words.trim_end_matches('-');
    let name = match words {
        "" => format!("refs/heads/baton/{task}"),
        words => format!("refs/heads/baton/{task}-{words}"),
    };
    let more = (2..u32::MAX).map(|n| format!("{name}-{n}"));
    let mut free =
        std::iter::once(name.clone()).chain(more).filter(|it| user.find_reference(it).is_err());
    free.next().unwrap_or(name)
}

/// Where an index lies, for looking at files through it.
pub(super) fn index_of(repo: &Repository) -> PathBuf {
    repo.path().join("index")
}
