//! Writes files of a tree into a slot, and says what the index shall hold of them. A new slot is
//! written by two threads, each with handles of its own.

use super::files::{Folder, MODE_MODULE, Stat, as_path};
use super::lens::Lens;
use super::objects::Objects;
use super::{Doing, Git, Slot};
use git2::{IndexEntry, Oid, Repository};
use std::path::Path;
use team::{Code, Failure};

/// So many files are converted and written at a time.
const BATCH_FILES_MAX: usize = 256;

/// (path, mode, blob) to be written.
pub(super) type Wanted = (Vec<u8>, u32, Oid);

/// Handles for writing into one slot.
pub(super) struct Pen<'a> {
    pub(super) git: &'a Git,
    pub(super) slot: &'a Slot,
    pub(super) git_dir: &'a Path,
    pub(super) repo: &'a Repository,
    pub(super) objects: &'a Objects,
    pub(super) folder: &'a Folder,
}

impl Pen<'_> {
    /// Writes all of them, fresh, and returns their index entries.
    pub(super) fn write(&self, wanted: &[Wanted]) -> Result<Vec<IndexEntry>, Failure> {
        let mut entries = Vec::with_capacity(wanted.len());
        let lens = Lens::new(self.git, self.repo, self.objects, &self.git_dir.join("index"))?;
        for batch in wanted.chunks(BATCH_FILES_MAX) {
            self.write_batch(&lens, batch, &mut entries)?;
        }
        Ok(entries)
    }

    fn write_batch(
        &self,
        lens: &Lens<'_>,
        batch: &[Wanted],
        entries: &mut Vec<IndexEntry>,
    ) -> Result<(), Failure> {
        let files: Vec<(&[u8], u32, Oid)> = batch
            .iter()
            .filter(|it| it.1 != MODE_MODULE)
            .map(|it| (it.0.as_slice(), it.1, it.2))
            .collect();
        let contents = lens.smudge(&files)?;
        for ((path, mode, id), bytes) in files.iter().zip(contents) {
            if self.folder.is_dir(path) && self.folder.rid_of_empty(path).is_err() {
                let to = self.git.aside(&self.slot.name)?;
                self.folder.set_aside(as_path(path), &to)?;
            }
            let stat = self.folder.write(path, *mode, &bytes)?;
            entries.push(stat.entry(path, *mode, *id));
        }
        for (path, mode, id) in batch.iter().filter(|it| it.1 == MODE_MODULE) {
            self.folder.make_dir(path)?;
            entries.push(Stat::default().entry(path, *mode, *id));
        }
        Ok(())
    }

    /// As `write`, for a slot with nothing in it yet: half of the files by a second thread.
    pub(super) fn write_new(&self, wanted: &[Wanted]) -> Result<Vec<IndexEntry>, Failure> {
        let (ours, theirs) = wanted.split_at(wanted.len() / 2);
        let (git, slot, git_dir) = (self.git, self.slot, self.git_dir);
        std::thread::scope(|scope| {
            let other = scope.spawn(move || {
                let repo = super::open_at(git_dir).doing("open a slot")?;
                let (objects, folder) = (git.objects()?, Folder::open(&slot.dir)?);
                let (repo, objects, folder) = (&repo, &objects, &folder);
                Pen { git, slot, git_dir, repo, objects, folder }.write(theirs)
            });
            let mut entries = self.write(ours)?;
            let more =
                other.join().map_err(|_| Failure::new(Code::Bug, "write a slot: a panic"))?;
            entries.extend(more?);
            Ok(entries)
        })
    }
}
