//! Sparse checkouts: which paths are not here on purpose. Such a path stays as the index has it; a
//! landing moves its entry alone, as git's own merge does.

use super::files::as_path;
use super::{Doing, Failure};
use git2::{Index, IndexEntry, Repository};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// "skip worktree" of an index entry, among the extended flags.
pub(super) const FLAG_SKIPPED: u16 = 1 << 14;

pub(super) fn is_skipped(entry: &IndexEntry) -> bool {
    entry.flags_extended & FLAG_SKIPPED != 0
}

/// Whether the index says that this path is not here on purpose.
pub(super) fn is_outside(index: &Index, path: &[u8]) -> bool {
    index.get_path(as_path(path), 0).as_ref().is_some_and(is_skipped)
}

fn is_on(repo: &Repository) -> Result<bool, Failure> {
    let config = repo.config().doing("read your configuration")?;
    Ok(config.get_bool("core.sparsecheckout").unwrap_or(false))
}

/// A file that is there although the patterns leave it out is there, as git sees it too.
pub(super) fn show_what_is_there(
    user: &Repository,
    index: &mut Index,
    root: &Path,
) -> Result<(), Failure> {
    if !is_on(user)? {
        return Ok(());
    }
    let there = |it: &IndexEntry| root.join(as_path(&it.path)).symlink_metadata().is_ok();
    let shown: Vec<IndexEntry> = index.iter().filter(is_skipped).filter(|it| there(it)).collect();
    for mut entry in shown {
        entry.flags_extended &= !FLAG_SKIPPED;
        index.add(&entry).doing("read a copy of your index")?;
    }
    Ok(())
}

/// What a sparse checkout takes in.
pub(super) struct Sparse {
    patterns: Gitignore,
}

impl Sparse {
    /// `None`: everything is checked out.
    pub(super) fn of(repo: &Repository, git_dir: &Path) -> Result<Option<Sparse>, Failure> {
        if !is_on(repo)? {
            return Ok(None);
        }
        let bytes = std::fs::read(git_dir.join("info/sparse-checkout")).unwrap_or_default();
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A line that is no pattern takes nothing in, for git as well.
            let _ = builder.add_line(None, line);
        }
        let wrong = |it| Failure::new(team::Code::Git, format!("read your sparse checkout: {it}"));
        Ok(Some(Sparse { patterns: builder.build().map_err(wrong)? }))
    }

    /// Whether a new file of this name would be here.
    pub(super) fn takes(&self, path: &[u8]) -> bool {
        self.patterns.matched_path_or_any_parents(as_path(path), false).is_ignore()
    }
}
