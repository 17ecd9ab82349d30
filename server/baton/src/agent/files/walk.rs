//! Walks a slot's files in the order of their names, ignored files left out, without following a link
//! and without leaving the slot: each folder is opened in the one above it.

use super::{Files, is_git_like, open_folder, open_in, read_whole};
use cap_std::fs::{Dir, OpenOptions};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A search ends here, and says so.
const ENTRIES_MAX: usize = 300_000;
const DEPTH_MAX: usize = 60;
const IGNORE_FILE_BYTES_MAX: u64 = 256 * 1024;

/// A file that the walk found.
pub struct Found<'a> {
    pub path: &'a str,
    dir: &'a Arc<Dir>,
    name: &'a str,
}

impl Found<'_> {
    /// For later; holds its folder open.
    pub fn keep(&self) -> Kept {
        Kept { path: self.path.to_owned(), dir: self.dir.clone(), name: self.name.to_owned() }
    }
}

/// A file that was found and is not read yet.
pub struct Kept {
    pub path: String,
    dir: Arc<Dir>,
    name: String,
}

impl Kept {
    /// The file's bytes; `None` when it is gone, too large or no regular file.
    pub fn read(&self) -> Option<Vec<u8>> {
        let mut options = OpenOptions::new();
        options.read(true);
        let mut file = open_in(&self.dir, &self.name, options, &self.path).ok()?;
        read_whole(&mut file, &self.path).ok()
    }
}

impl Files {
    /// Calls `visit` for every file under `from` (empty: all) that is neither ignored nor named like
    /// a secret, until it breaks. `Ok(false)`: stopped early at the limit of entries.
    pub fn walk(
        &self,
        from: &str,
        visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<bool, String> {
        let from = self.relative(from)?;
        let root = Arc::new(self.dir.try_clone().map_err(|error| error.to_string())?);
        let mut walk = Walk { files: self, from, entries: 0, visit };
        let mut ignores = Vec::new();
        let flow = walk.folder(&root, "", &mut ignores);
        Ok(flow.is_continue() || walk.entries < ENTRIES_MAX)
    }
}

struct Walk<'a> {
    files: &'a Files,
    from: String,
    entries: usize,
    visit: &'a mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        dir: &Arc<Dir>,
        path: &str,
        ignores: &mut Vec<Gitignore>,
    ) -> ControlFlow<()> {
        if DEPTH_MAX < ignores.len() {
            return ControlFlow::Continue(());
        }
        ignores.push(read_ignores(dir, path));
        let flow = self.entries_of(dir, path, ignores);
        ignores.pop();
        flow
    }

    fn entries_of(
        &mut self,
        dir: &Arc<Dir>,
        path: &str,
        ignores: &mut Vec<Gitignore>,
    ) -> ControlFlow<()> {
        let Ok(entries) = dir.entries() else {
            return ControlFlow::Continue(());
        };
        let mut names: Vec<(String, bool)> = entries
            .flatten()
            .filter_map(|it| {
                let kind = it.file_type().ok()?;
                let name = it.file_name().into_string().ok()?;
                (kind.is_dir() || kind.is_file()).then(|| (name, kind.is_dir()))
            })
            .collect();
        names.sort();
        for (name, is_dir) in names {
            self.entries += 1;
            if ENTRIES_MAX <= self.entries {
                return ControlFlow::Break(());
            }
            let inner = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if is_git_like(&name) || !self.on_the_way(&inner) || is_ignored(ignores, &inner, is_dir)
            {
                continue;
            }
            if is_dir {
                if let Ok(folder) = open_folder(dir, &name) {
                    self.folder(&Arc::new(folder), &inner, ignores)?;
                }
            } else if !self.files.is_secret(&inner) {
                (self.visit)(Found { path: &inner, dir, name: &name })?;
            }
        }
        ControlFlow::Continue(())
    }

    /// `path` is above, at or below the place where the walk was to start.
    fn on_the_way(&self, path: &str) -> bool {
        let begins = |whole: &str, part: &str| {
            whole == part || whole.strip_prefix(part).is_some_and(|it| it.starts_with('/'))
        };
        self.from.is_empty() || begins(&self.from, path) || begins(path, &self.from)
    }
}

/// The nearest `.gitignore` that has an opinion decides.
fn is_ignored(ignores: &[Gitignore], path: &str, is_dir: bool) -> bool {
    let opinions = ignores.iter().rev().map(|it| it.matched(path, is_dir));
    opinions.into_iter().find(|it| !it.is_none()).is_some_and(|it| it.is_ignore())
}

fn read_ignores(dir: &Dir, path: &str) -> Gitignore {
    let mut options = OpenOptions::new();
    options.read(true);
    let Ok(mut file) = open_in(dir, ".gitignore", options, ".gitignore") else {
        return Gitignore::empty();
    };
    if file.metadata().is_ok_and(|it| IGNORE_FILE_BYTES_MAX < it.len()) {
        return Gitignore::empty();
    }
    let Ok(bytes) = read_whole(&mut file, ".gitignore") else {
        return Gitignore::empty();
    };
    let mut builder = GitignoreBuilder::new(path);
    for line in String::from_utf8_lossy(&bytes).lines() {
        // A line that is no glob ignores nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
