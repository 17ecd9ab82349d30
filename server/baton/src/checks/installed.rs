//! Installed dependencies that git does not know: `node_modules` and `.venv`. Commands in a slot see
//! those of the person's own worktree, or those that a set-up step made, read-only, as long as the slot
//! needs exactly what they were installed for.

use super::manifests::{Language, Manifests};
use super::report::open_dir;
use crate::sandbox::{Bound, Environment};
use cap_std::fs::Dir;
use std::path::{Path, PathBuf};

pub(super) const NODE: &str = "node_modules";
pub(super) const PYTHON: &str = ".venv";
/// How deep below the root a `node_modules` of a part of the project is looked for.
const DEPTH_MAX: usize = 3;
/// Most folders that are looked into for them.
const FOLDERS_MAX: usize = 2_000;
/// Most folders that are shown to a command.
const INSTALLED_MAX: usize = 200;

/// A folder of installed packages, and where commands see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub source: PathBuf,
    /// Relative to the slot.
    pub at: String,
}

/// What the person has installed and this slot can use: its place there is free, and its manifests and
/// lock files say the same as the person's.
pub fn of_worktree(worktree: &Path, slot: &Path) -> Vec<Installed> {
    let mut all = Vec::new();
    for folder in folders_with_modules(worktree) {
        if same_needs(worktree, slot, &folder, Language::Node) {
            all.push(format!("{folder}{NODE}"));
        }
    }
    let is_venv = worktree.join(PYTHON).join("pyvenv.cfg").is_file();
    if is_venv && same_needs(worktree, slot, "", Language::Python) {
        all.push(PYTHON.into());
    }
    let found = all.into_iter().map(|at| Installed { source: worktree.join(&at), at });
    found.filter(|it| is_free(slot, &it.at)).take(INSTALLED_MAX).collect()
}

/// `""`, `packages/a/`: folders of the worktree that hold a `node_modules`.
fn folders_with_modules(worktree: &Path) -> Vec<String> {
    let (mut found, mut next, mut looked) = (vec![], vec![(String::new(), 0)], 0);
    while let Some((folder, depth)) = next.pop() {
        looked += 1;
        if FOLDERS_MAX < looked {
            break;
        }
        let path = worktree.join(&folder);
        if path.join(NODE).is_dir() {
            found.push(folder.clone());
        }
        if depth == DEPTH_MAX {
            continue;
        }
        let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
        for entry in entries.filter(|it| it.file_type().is_ok_and(|it| it.is_dir())) {
            if let Some(name) = entry.file_name().to_str()
                && !name.starts_with('.')
                && name != NODE
            {
                next.push((format!("{folder}{name}/"), depth + 1));
            }
        }
    }
    found.sort();
    found
}

/// A part of a project is installed by the root's lock file too.
fn same_needs(one: &Path, other: &Path, folder: &str, language: Language) -> bool {
    let needs = |root: &Path, folder: &str| Manifests::open(root, folder)?.hash(language);
    needs(one, folder) == needs(other, folder)
        && (folder.is_empty() || needs(one, "") == needs(other, ""))
}

/// Nothing of the slot's own lies there, and no link leads to it.
pub(super) fn is_free(slot: &Path, at: &str) -> bool {
    let Ok(root) = open_dir(slot) else { return false };
    let is_folder = |it: &str| root.symlink_metadata(it).is_ok_and(|it| it.is_dir());
    let mut path = String::new();
    let parts: Vec<&str> = at.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        path = format!("{path}{part}");
        if !is_folder(&path) {
            return false;
        }
        path.push('/');
    }
    match root.symlink_metadata(at) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(_) => is_folder(at) && is_empty(&root, at),
    }
}

fn is_empty(root: &Dir, at: &str) -> bool {
    root.read_dir(at).is_ok_and(|mut it| it.next().is_none())
}

/// What these folders mean for a command: mounts, and variables that lead to them. Each gets an empty
/// folder in the slot to be mounted on, which git does not see.
pub(super) fn bind(all: &[Installed], slot: &Path, environment: &mut Environment) -> Vec<Bound> {
    if let Some(it) = all.iter().find(|it| it.at == PYTHON) {
        lead_to_venv(&it.source, &slot.join(&it.at), slot, environment);
    }
    mounts(all, slot, false)
}

pub(super) fn mounts(all: &[Installed], slot: &Path, writable: bool) -> Vec<Bound> {
    let Ok(root) = open_dir(slot) else { return vec![] };
    let bound = all.iter().map(|it| {
        // There already, or made now; where neither holds the mount fails by name.
        let _ = root.create_dir(&it.at);
        Bound { source: it.source.clone(), at: slot.join(&it.at), writable }
    });
    bound.collect()
}

/// The programs of the environment come first, and the folder of the real interpreter last, so that it
/// is seen at all. A package that was installed "editable" names the person's own folder, which isn't
/// seen: the slot's sources take its place.
fn lead_to_venv(source: &Path, at: &Path, slot: &Path, environment: &mut Environment) {
    let vars = &mut environment.vars;
    let mut path = vec![at.join("bin")];
    path.extend(vars.get("PATH").map(std::env::split_paths).into_iter().flatten());
    let real = source.join("bin/python3").canonicalize().ok();
    path.extend(real.and_then(|it| Some(it.parent()?.to_path_buf())));
    if let Ok(path) = std::env::join_paths(path) {
        vars.insert("PATH".into(), path.to_string_lossy().into_owned());
    }
    vars.insert("VIRTUAL_ENV".into(), at.to_string_lossy().into_owned());
    if slot.join("src").is_dir() {
        vars.insert("PYTHONPATH".into(), slot.join("src").to_string_lossy().into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn write(dir: &Path, path: &str, text: &str) {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A worktree with packages and a slot of the same commit.
    fn two() -> (TempDir, PathBuf, PathBuf) {
        let dir = TempDir::new().unwrap();
        let (worktree, slot) = (dir.path().join("worktree"), dir.path().join("slot"));
        for root in [&worktree, &slot] {
            write(root, "package-lock.json", "{}");
            write(root, "packages/a/package.json", r#"{"dependencies":{"x":"1"}}"#);
            write(root, "requirements.txt", "x==1");
        }
        write(&worktree, "node_modules/x/index.js", "");
        write(&worktree, "packages/a/node_modules/y/index.js", "");
        write(&worktree, "deep/er/and/deeper/node_modules/y/index.js", "");
        write(&worktree, ".venv/pyvenv.cfg", "");
        (dir, worktree, slot)
    }

    fn seen(worktree: &Path, slot: &Path) -> Vec<String> {
        of_worktree(worktree, slot).into_iter().map(|it| it.at).collect()
    }

    #[test]
    fn what_the_person_installed_is_seen_while_the_needs_are_the_same() {
        let (_dir, worktree, slot) = two();
        let all = ["node_modules", "packages/a/node_modules", ".venv"];
        assert_eq!(seen(&worktree, &slot), all);
        write(&slot, "packages/a/package.json", r#"{"dependencies":{"x":"2"}}"#);
        assert_eq!(seen(&worktree, &slot), ["node_modules", ".venv"]);
        write(&slot, "package-lock.json", "{ }");
        assert_eq!(seen(&worktree, &slot), [".venv"]);
        write(&slot, "requirements.txt", "x==2");
        assert_eq!(seen(&worktree, &slot), [""; 0]);
    }

    #[test]
    fn a_place_that_is_taken_or_a_link_is_left_alone() {
        let (_dir, worktree, slot) = two();
        write(&slot, "node_modules/own/index.js", "");
        std::fs::remove_dir_all(slot.join("packages/a")).unwrap();
        std::os::unix::fs::symlink(&worktree, slot.join(".venv")).unwrap();
        assert_eq!(seen(&worktree, &slot), [""; 0]);
        std::fs::remove_dir_all(slot.join("node_modules")).unwrap();
        std::fs::create_dir(slot.join("node_modules")).unwrap();
        assert_eq!(seen(&worktree, &slot), ["node_modules"]);
    }
}
