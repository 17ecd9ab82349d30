//! The tree that an index describes. libgit2 puts it together from every folder of the repository; a
//! slot remembers it, and a change is written into it, so that only the folders with changes count.

use super::Doing;
use super::files::{MODE_EXEC, MODE_FILE, MODE_LINK, as_path};
use super::slots::{Work, write_whole};
use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use team::Failure;

/// In a slot's git folder: a tree, and the checksum of the index that describes it.
const INDEXED: &str = "baton-indexed";
/// From so many changed paths on libgit2 puts the tree together.
const CHANGES_MAX: usize = 1_000;
/// What an index file ends with.
const CHECKSUM_BYTES: i64 = 20;

/// What became of a path: (path, its mode and blob, or nothing where it is gone).
pub(super) type Change = (Vec<u8>, Option<(u32, Oid)>);

/// The tree of `before` with these changes; `None`: libgit2 has to put it together from the index.
pub(super) fn updated(repo: &Repository, before: Oid, changes: &[Change]) -> Option<Oid> {
    if CHANGES_MAX < changes.len() {
        return None;
    }
    let mut builder = TreeUpdateBuilder::new();
    for (path, to) in changes {
        let mode = match to.map(|it| it.0) {
            None => None,
            Some(MODE_FILE) => Some(FileMode::Blob),
            Some(MODE_EXEC) => Some(FileMode::BlobExecutable),
            Some(MODE_LINK) => Some(FileMode::Link),
            Some(_) => return None,
        };
        match (to, mode) {
            (Some((_, id)), Some(mode)) => builder.upsert(as_path(path), *id, mode),
            (_, _) => builder.remove(as_path(path)),
        };
    }
    let before = repo.find_tree(before).ok()?;
    // A file in the place of a folder, say: it refuses what it can't do.
    builder.create_updated(repo, &before).ok()
}

impl Work<'_> {
    /// The tree that the index on disk describes.
    pub(super) fn indexed(&mut self) -> Result<Oid, Failure> {
        if let Some(tree) = self.remembered() {
            return Ok(tree);
        }
        let tree = self.index.write_tree_to(&self.objects.repo).doing("write a tree")?;
        self.remember(tree)?;
        Ok(tree)
    }

    /// The index on disk describes this tree.
    pub(super) fn remember(&self, tree: Oid) -> Result<(), Failure> {
        match checksum(&self.index_file()) {
            Some(checksum) => {
                write_whole(&self.git_dir.join(INDEXED), format!("{tree} {checksum}").as_bytes())
            }
            // A new slot has no index yet.
            None => Ok(()),
        }
    }

    /// The index was written without a change of what it describes.
    pub(super) fn remember_still(&self, tree: Oid) -> Result<(), Failure> {
        if self.remembered() == Some(tree) { Ok(()) } else { self.remember(tree) }
    }

    fn remembered(&self) -> Option<Oid> {
        let text = std::fs::read_to_string(self.git_dir.join(INDEXED)).ok()?;
        let (tree, known) = text.split_once(' ')?;
        let tree = Oid::from_str(tree).ok().filter(|_| tree.len() == 40)?;
        let is_there = self.objects.repo.find_tree(tree).is_ok();
        (is_there && checksum(&self.index_file())? == known).then_some(tree)
    }
}

/// The checksum that git writes at the end of an index, as hex. A file of zeros has none.
fn checksum(index: &Path) -> Option<String> {
    let mut file = std::fs::File::open(index).ok()?;
    file.seek(SeekFrom::End(-CHECKSUM_BYTES)).ok()?;
    let mut bytes = [0; CHECKSUM_BYTES as usize];
    file.read_exact(&mut bytes).ok()?;
    bytes
        .iter()
        .any(|it| *it != 0)
        .then(|| Oid::from_bytes(&bytes).ok().map(|it| it.to_string()))?
}
