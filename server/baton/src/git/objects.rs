//! Baton's own store of objects: a bare repository that borrows from the user's through alternates.
//!
//! libgit2 does not write an object that an alternate has. Such an object may be reachable from
//! nothing of the user's (a staged blob, say), and then `git gc` takes it. So everything that Baton
//! wants to keep is put into the store itself: pressed into a loose file by a twin repository that
//! borrows from nobody, then renamed into the store.

use super::{Doing, Git};
use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions, Signature};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use team::{Code, Failure};

/// How deep alternates of alternates are followed; git's own limit.
const LENDERS_DEPTH_MAX: usize = 5;

/// Settings of the user's that decide how files are read; copied so that slots read them alike.
const COPIED_SETTINGS: [&str; 6] = [
    "core.autocrlf",
    "core.eol",
    "core.excludesfile",
    "core.attributesfile",
    "core.ignorecase",
    "core.precomposeunicode",
];

/// Open handles on the store.
pub(super) struct Objects {
    pub(super) repo: Repository,
    twin: Repository,
    dir: PathBuf,
}

/// The user's folders of objects: the repository's own and those it borrows from.
pub(super) fn lenders(common_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    follow(&common_dir.join("objects"), 0, &mut found);
    found
}

fn follow(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(dir) = dir.canonicalize() else { return };
    if found.contains(&dir) || LENDERS_DEPTH_MAX < depth {
        return;
    }
    found.push(dir.clone());
    let text = std::fs::read_to_string(dir.join("info/alternates")).unwrap_or_default();
    for line in text.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
        follow(&dir.join(line), depth + 1, found);
    }
}

/// Makes the store where it is missing, and points it at where the user's objects are now.
pub(super) fn make(git: &Git) -> Result<(), Failure> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false);
    for dir in [&git.store, &git.state.join("twin.git")] {
        if !dir.join("HEAD").is_file() {
            // Made aside and moved: a store is there whole, or not at all.
            let new = dir.with_extension("new");
            if new.exists() {
                std::fs::remove_dir_all(&new).doing("make the store")?;
            }
            Repository::init_opts(&new, &options).doing("make the store")?;
            // A note on what hooks are; there shall be no such place at all.
            std::fs::remove_dir_all(new.join("hooks")).doing("make the store")?;
            std::fs::rename(&new, dir).doing("make the store")?;
        }
    }
    let mut text = String::new();
    for dir in lenders(&git.place.common_dir) {
        let line = dir.to_string_lossy().into_owned();
        if line.contains('\n') || line.starts_with('"') {
            let text = "open the store: the path of your repository has a line break or a quote";
            return Err(Failure::new(Code::Git, text).hint("rename the folder"));
        }
        text.push_str(&line);
        text.push('\n');
    }
    write_if_other(&git.store.join("objects/info/alternates"), text.as_bytes())?;
    for name in ["info/exclude", "info/attributes"] {
        let bytes = std::fs::read(git.place.common_dir.join(name)).unwrap_or_default();
        write_if_other(&git.store.join(name), &bytes)?;
    }
    copy_border(git)?;
    copy_settings(git)
}

/// History ends for Baton where it ends for the user: in a shallow clone, or by grafts.
fn copy_border(git: &Git) -> Result<(), Failure> {
    for name in ["shallow", "info/grafts"] {
        let copy = git.store.join(name);
        match std::fs::read(git.place.common_dir.join(name)) {
            Ok(bytes) => write_if_other(&copy, &bytes)?,
            Err(_) if copy.exists() => std::fs::remove_file(&copy).doing("write the store")?,
            Err(_) => {}
        }
    }
    Ok(())
}

/// Removes the lock files that a killed process left in Baton's own repositories. Only for the owner
/// of the state folder: nobody else writes there, so no lock is in use.
pub(super) fn unlock(state: &Path) -> Result<(), Failure> {
    let mut open = vec![state.join("store.git"), state.join("twin.git")];
    while let Some(dir) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).doing("look for locks in the store"),
        };
        for entry in entries {
            let entry = entry.doing("look for locks in the store")?;
            let kind = entry.file_type().doing("look for locks in the store")?;
            // Objects are written under other names and renamed: no locks there, and many files.
            if kind.is_dir() && entry.file_name() != "objects" {
                open.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|it| it == "lock") {
                std::fs::remove_file(entry.path()).doing("remove a lock left in the store")?;
            }
        }
    }
    Ok(())
}

fn copy_settings(git: &Git) -> Result<(), Failure> {
    let user = git.user()?.config().doing("read your configuration")?;
    let store = super::open_at(&git.store).doing("open the store")?;
    let mut config = store.config().doing("read the store's configuration")?;
    let fixed = [("gc.auto", "0"), ("core.protectntfs", "true"), ("core.protecthfs", "true")];
    let copied = COPIED_SETTINGS.map(|key| (key, user.get_string(key).ok()));
    let wanted = copied
        .iter()
        .filter_map(|(key, value)| value.as_deref().map(|value| (*key, value)))
        .chain(fixed);
    for (key, value) in wanted {
        if config.get_string(key).ok().as_deref() != Some(value) {
            config.set_str(key, value).doing("write the store's configuration")?;
        }
    }
    Ok(())
}

fn write_if_other(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if std::fs::read(path).is_ok_and(|it| it == bytes) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).doing("write the store")?;
    }
    std::fs::write(path, bytes).doing("write the store")
}

impl Git {
    pub(super) fn objects(&self) -> Result<Objects, Failure> {
        Ok(Objects {
            repo: super::open_at(&self.store).doing("open the store")?,
            twin: super::open_at(&self.state.join("twin.git")).doing("open the store")?,
            dir: self.store.join("objects"),
        })
    }
}

impl Objects {
    /// Whether the store itself holds the object. It is never packed, so a look at the file tells.
    fn holds(&self, id: Oid) -> bool {
        self.file(&self.dir, id).is_file()
    }

    fn file(&self, objects: &Path, id: Oid) -> PathBuf {
        let name = id.to_string();
        let (folder, rest) = name.split_at(2);
        objects.join(folder).join(rest)
    }

    /// Puts an object into the store itself, whoever else has it.
    pub(super) fn put(&self, kind: ObjectType, data: &[u8]) -> Result<Oid, Failure> {
        let id = Oid::hash_object(kind, data).doing("hash an object")?;
        if self.holds(id) {
            return Ok(id);
        }
        let odb = self.twin.odb().doing("open the store")?;
        odb.write(kind, data).doing("write an object")?;
        let to = self.file(&self.dir, id);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).doing("write an object")?;
        }
        let from = self.file(&self.twin.path().join("objects"), id);
        match std::fs::rename(&from, &to) {
            // Another call moved the same object first.
            Err(_) if self.holds(id) => Ok(id),
            other => other.doing("write an object").map(|()| id),
        }
    }

    /// Puts an object that can be read from anywhere into the store itself.
    fn adopt(&self, id: Oid) -> Result<(), Failure> {
        if self.holds(id) {
            return Ok(());
        }
        let odb = self.repo.odb().doing("open the store")?;
        let object = odb.read(id).doing("read an object")?;
        self.put(object.kind(), object.data()).map(|_| ())
    }

    /// Makes sure that the store itself holds all of `tree` that `base` does not reach at the same
    /// path.
    pub(super) fn keep(&self, base: Option<Oid>, tree: Oid) -> Result<(), Failure> {
        if base == Some(tree) {
            return Ok(());
        }
        let new = self.repo.find_tree(tree).doing("read a tree")?;
        let old = match base {
            Some(base) => Some(self.repo.find_tree(base).doing("read a tree")?),
            None => None,
        };
        let known: HashMap<Vec<u8>, (Oid, i32)> = old
            .iter()
            .flat_map(|it| it.iter())
            .map(|it| (it.name_bytes().to_vec(), (it.id(), it.filemode())))
            .collect();
        for entry in new.iter() {
            let before = known.get(entry.name_bytes());
            if before.is_some_and(|it| it.0 == entry.id()) {
                continue;
            }
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let below = before.filter(|it| it.1 == 0o040_000).map(|it| it.0);
                    self.keep(below, entry.id())?;
                }
                Some(ObjectType::Blob) => self.adopt(entry.id())?,
                Some(ObjectType::Commit | ObjectType::Tag | ObjectType::Any) | None => {}
            }
        }
        self.adopt(tree)
    }

    /// Writes a commit of a tree that is in the store.
    pub(super) fn commit(
        &self,
        who: &Signature<'_>,
        message: &str,
        tree: Oid,
        parents: &[Oid],
    ) -> Result<Oid, Failure> {
        let tree = self.repo.find_tree(tree).doing("read a tree")?;
        let found: Result<Vec<_>, _> =
            parents.iter().map(|it| self.repo.find_commit(*it)).collect();
        let found = found.doing("read a commit")?;
        let refs: Vec<_> = found.iter().collect();
        let text = self
            .repo
            .commit_create_buffer(who, who, message, &tree, &refs)
            .doing("write a commit")?;
        self.put(ObjectType::Commit, &text)
    }

    /// Points a ref of the store at a commit, whatever it pointed at before.
    pub(super) fn point(&self, name: &str, at: Oid) -> Result<(), Failure> {
        set_own_ref(&self.repo, name, at)
    }

    /// What a ref of the store points at.
    pub(super) fn target(&self, name: &str) -> Option<Oid> {
        self.repo.refname_to_id(name).ok()
    }

    pub(super) fn tree_of(&self, commit: Oid) -> Result<Oid, Failure> {
        let commit = self.repo.find_commit(commit).doing("read a commit")?;
        Ok(commit.tree_id())
    }

    pub(super) fn read_blob(&self, id: Oid) -> Result<Vec<u8>, Failure> {
        let blob = self.repo.find_blob(id).doing("read a file's content")?;
        Ok(blob.content().to_vec())
    }

    /// Copies what `to` has and `from` does not reach (both commits of the store) into another
    /// repository as one pack.
    pub(super) fn copy_into(&self, other: &Repository, from: Oid, to: Oid) -> Result<(), Failure> {
        let theirs = other.odb().doing("open your repository's objects")?;
        let mut wanted = vec![to];
        collect(&self.repo, Some(self.tree_of(from)?), self.tree_of(to)?, &mut wanted)?;
        wanted.retain(|it| !theirs.exists(*it));
        if wanted.is_empty() {
            return Ok(());
        }
        let mut builder = self.repo.packbuilder().doing("pack the change")?;
        for id in wanted {
            builder.insert_object(id, None).doing("pack the change")?;
        }
        let mut writer = theirs.packwriter().doing("copy the change")?;
        let mut failed = None;
        let packed = builder.foreach(|bytes| match std::io::Write::write_all(&mut writer, bytes) {
            Ok(()) => true,
            Err(error) => {
                failed = Some(error);
                false
            }
        });
        if let Some(error) = failed {
            return Err(error).doing("copy the change");
        }
        packed.doing("pack the change")?;
        writer.commit().doing("copy the change").map(|_| ())
    }
}

/// Points a ref below `refs/baton/` at a commit. Nobody else writes there, so a lock on it is what a
/// kill left behind.
pub(super) fn set_own_ref(repo: &Repository, name: &str, at: Oid) -> Result<(), Failure> {
    let set = || repo.reference(name, at, true, "baton").map(|_| ());
    match set() {
        Err(error) if error.code() == ErrorCode::Locked => {
            let lock = repo.commondir().join(format!("{name}.lock"));
            std::fs::remove_file(lock).doing("write a ref")?;
            set().doing("write a ref")
        }
        other => other.doing("write a ref"),
    }
}

/// Trees and blobs of `tree` that `base` does not have at the same path.
fn collect(
    repo: &Repository,
    base: Option<Oid>,
    tree: Oid,
    found: &mut Vec<Oid>,
) -> Result<(), Failure> {
    if base == Some(tree) {
        return Ok(());
    }
    found.push(tree);
    let old = base.and_then(|it| repo.find_tree(it).ok());
    let new = repo.find_tree(tree).doing("read a tree")?;
    for entry in new.iter() {
        let before =
            old.as_ref().and_then(|it| it.iter().find(|it| it.name_bytes() == entry.name_bytes()));
        let before = before.map(|it| it.id());
        if before == Some(entry.id()) {
            continue;
        }
        match entry.kind() {
            Some(ObjectType::Tree) => collect(repo, before, entry.id(), found)?,
            Some(ObjectType::Blob) => found.push(entry.id()),
            Some(ObjectType::Commit | ObjectType::Tag | ObjectType::Any) | None => {}
        }
    }
    Ok(())
}

/// Who writes agents' commits.
pub(super) fn baton(name: &str) -> Result<Signature<'static>, Failure> {
    Signature::now(name, "baton@localhost").doing("make a signature")
}
