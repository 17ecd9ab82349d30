//! Ignored files of the user's that commands need (`.worktreeinclude`): copied into a slot, part of no
//! tree, and written down there, so that no change of the ignore rules can make them part of one.

use super::files::{Folder, MODE_EXEC, MODE_FILE, MODE_LINK, OnDisk, as_path};
use super::slots::Work;
use super::{Doing, Git, Slot};
use git2::{Delta, DiffOptions};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeSet;
use team::{Code, Failure};

/// In a slot's git folder: the paths that were copied in, a NUL after each.
const INCLUDED: &str = "baton-included";
/// More files are not copied.
const FILES_MAX: usize = 500;
/// A larger file is not copied.
const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// More is not copied in all.
const ALL_BYTES_MAX: usize = 100 * 1024 * 1024;

impl Git {
    /// Copies the user's ignored files that match `patterns` (as in `.gitignore`) into the slot, fresh,
    /// and takes out those that were copied before and match no more. Returns their paths, sorted.
    /// Neither tracked files nor links are copied. Errors: `Git`, also for more than is sensible.
    pub fn include(&self, slot: &Slot, patterns: &str) -> Result<Vec<String>, Failure> {
        let work = self.work(slot)?;
        let before = work.included();
        let wanted = if patterns.trim().is_empty() { vec![] } else { self.matching(patterns)? };
        if before.is_empty() && wanted.is_empty() {
            return Ok(vec![]);
        }
        let tracked: BTreeSet<Vec<u8>> = work.paths().collect();
        let from = Folder::open(&self.place.root)?;
        let now: BTreeSet<Vec<u8>> =
            wanted.into_iter().filter(|it| !tracked.contains(it)).collect();
        // First the names, then the files: there is never a copy that is not written down.
        work.note_included(&before.union(&now).cloned().collect())?;
        for path in before.difference(&now).filter(|it| !tracked.contains(*it)) {
            work.folder.remove(path)?;
        }
        let mut left = ALL_BYTES_MAX;
        for path in &now {
            let OnDisk::File { mode, bytes, .. } = from.look(path)? else { continue };
            if mode == MODE_LINK || FILE_BYTES_MAX < bytes.len() {
                continue;
            }
            left = left.checked_sub(bytes.len()).ok_or_else(|| too_much("bytes", ALL_BYTES_MAX))?;
            let mode = if mode == MODE_EXEC { MODE_EXEC } else { MODE_FILE };
            work.folder.write(path, mode, &bytes)?;
        }
        work.note_included(&now)?;
        Ok(now.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect())
    }

    /// Files of the user's worktree that git ignores and that match.
    fn matching(&self, patterns: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let patterns = parse(patterns)?;
        let user = self.user()?;
        let mut options = DiffOptions::new();
        options
            .include_ignored(true)
            .recurse_ignored_dirs(true)
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .ignore_submodules(true);
        let index = user.index().doing("read your index")?;
        let diff = user.diff_index_to_workdir(Some(&index), Some(&mut options));
        let diff = diff.doing("look at your ignored files")?;
        let mut found = Vec::new();
        for delta in diff.deltas().filter(|it| it.status() == Delta::Ignored) {
            let path = delta.new_file().path_bytes().unwrap_or_default().to_vec();
            let is_file = !path.is_empty() && !path.ends_with(b"/");
            let is_asked = patterns.matched_path_or_any_parents(as_path(&path), false).is_ignore();
            if is_file && is_asked && !super::acting::is_git_like(&path) {
                found.push(path);
            }
            if FILES_MAX < found.len() {
                return Err(too_much("files", FILES_MAX));
            }
        }
        Ok(found)
    }
}

fn parse(text: &str) -> Result<Gitignore, Failure> {
    let wrong = |it| {
        Failure::new(Code::Config, format!("read .worktreeinclude: {it}"))
            .hint("its lines are patterns as in .gitignore")
    };
    let mut builder = GitignoreBuilder::new("");
    for line in text.lines() {
        builder.add_line(None, line).map_err(wrong)?;
    }
    builder.build().map_err(wrong)
}

fn too_much(what: &str, max: usize) -> Failure {
    Failure::new(Code::Config, format!("copy what .worktreeinclude names: more than {max} {what}"))
        .hint("name single files in .worktreeinclude, not folders of dependencies")
}

impl Work<'_> {
    /// What was copied in; it is part of no tree, whatever the ignore rules say.
    pub(super) fn included(&self) -> BTreeSet<Vec<u8>> {
        let bytes = std::fs::read(self.git_dir.join(INCLUDED)).unwrap_or_default();
        bytes.split(|it| *it == 0).filter(|it| !it.is_empty()).map(<[u8]>::to_vec).collect()
    }

    fn note_included(&self, paths: &BTreeSet<Vec<u8>>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        for path in paths {
            bytes.extend_from_slice(path);
            bytes.push(0);
        }
        super::slots::write_whole(&self.git_dir.join(INCLUDED), &bytes)
    }
}
