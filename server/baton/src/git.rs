//! Snapshot, slots, commit, diff, merge, landing: the only user of git2.
//!
//! Agents' commits live in a bare repository of Baton's own (`objects`); the user's repository is
//! borrowed from and, but for `refs/baton/keep/<task>`, written only by a landing (`land`). libgit2
//! runs no hook, no filter program, no fsmonitor and no external diff of anybody's configuration.

mod acting;
mod audit;
mod blame;
mod candidate;
mod edits;
mod files;
mod formats;
mod glance;
mod hunks;
mod include;
mod indexed;
mod land;
mod lens;
mod make;
mod objects;
mod overlap;
mod pen;
mod place;
mod plan;
mod reach;
mod results;
mod review;
mod save;
mod slots;
mod snapshot;
mod sparse;
mod survey;
mod sweep;
mod undo;
mod walk;

use git2::{Oid, Repository, RepositoryOpenFlags};
use std::path::{Path, PathBuf};
use team::{Candidate, Code, CommitId, Failure, FileChange, PlannedPath, TreeId};

pub use blame::LandedLines;
pub use hunks::{HUNKS_MAX, Parted};
pub use make::make_repository;
pub use overlap::Overlap;
pub use place::{Place, find};
pub use reach::outside;
pub use review::PATCH_BYTES_MAX;
pub use snapshot::{UNTRACKED_ALL_BYTES_MAX, UNTRACKED_FILE_BYTES_MAX};
pub use sweep::{Swept, Use};

/// Text that an editor holds and has not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Relative to the root of the repository, `/` between parts.
    pub path: String,
    pub text: Vec<u8>,
}

/// A kept worktree of Baton's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub dir: PathBuf,
}

/// One file of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    pub change: FileChange,
    /// Where the file was before, if it was renamed.
    pub old_path: Option<String>,
    /// Ids of what can be chosen of it, in order: one for each hunk, one alone where it goes whole.
    pub ids: Vec<String>,
    /// Why it goes whole, if it does.
    pub whole: Option<&'static str>,
    /// Empty for a binary file.
    pub hunks: Vec<Hunk>,
}

/// Lines are counted from 1; `text` holds the lines with their leading ` `, `-` or `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Its own; in a file that goes whole the file's.
    pub id: String,
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    pub text: String,
}

/// What became of building L.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made, matched and gone")]
pub enum Built {
    Candidate(Candidate),
    /// H does not merge into the tip: it depends on text that is not committed.
    Conflict {
        tip: CommitId,
        paths: Vec<String>,
    },
}

/// What became of planning a landing or an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    Plan(Vec<PlannedPath>),
    TipMoved,
    /// A sentence for the person.
    Refused(String),
}

/// What became of a landing or an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    Done,
    TipMoved,
    /// A sentence for the person; nothing moved.
    Refused(String),
}

/// What became of an undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Everything is as it was before.
    Back,
    /// Something was committed on top; this commit on the tip takes the change back.
    Inverse(CommitId),
    /// A sentence for the person; nothing moved.
    Refused(String),
}

/// One repository of the user's and Baton's store beside it. Paths only: git2 handles are opened per
/// call. Every function blocks.
#[derive(Clone, Debug)]
pub struct Git {
    place: Place,
    state: PathBuf,
    store: PathBuf,
}

impl Git {
    /// The same for the owner of the state folder, after a start: locks that a killed process left in
    /// Baton's own store are removed first.
    pub fn open_as_owner(place: &Place, state: &Path) -> Result<Git, Failure> {
        objects::unlock(state)?;
        Git::open(place, state)
    }

    /// Opens, and makes where missing, the store in the state folder of this repository.
    pub fn open(place: &Place, state: &Path) -> Result<Git, Failure> {
        std::fs::create_dir_all(state.join("tmp")).doing("make the state folder")?;
        std::fs::create_dir_all(state.join("slots")).doing("make the folder of slots")?;
        let state = state.canonicalize().doing("open the state folder")?;
        let git = Git { place: place.clone(), store: state.join("store.git"), state };
        objects::make(&git)?;
        Ok(git)
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Baton's bare repository.
    pub fn store_dir(&self) -> &Path {
        &self.store
    }

    /// Folders of objects that a sandbox needs for reading history: the store's, the user's, and
    /// those that the user's borrow from.
    pub fn objects_dirs(&self) -> Vec<PathBuf> {
        let mut dirs = vec![self.store.join("objects")];
        dirs.extend(objects::lenders(&self.place.common_dir));
        dirs
    }

    /// The user's repository, by its known folder; never by discovery.
    fn user(&self) -> Result<Repository, Failure> {
        open_at(&self.place.git_dir).doing("open your repository")
    }

    /// The user's repository, reading from and writing to Baton's store of objects.
    fn user_onto(&self, objects: &objects::Objects) -> Result<Repository, Failure> {
        let user = self.user()?;
        let odb = objects.repo.odb().doing("open the store")?;
        user.set_odb(&odb).doing("open the store")?;
        Ok(user)
    }

    /// A new empty folder, gone when dropped.
    fn scratch(&self) -> Result<tempfile::TempDir, Failure> {
        tempfile::Builder::new()
            .prefix("git-")
            .tempdir_in(self.state.join("tmp"))
            .doing("make a temporary folder")
    }
}

fn open_at(git_dir: &Path) -> Result<Repository, git2::Error> {
    Repository::open_ext(
        git_dir,
        RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT,
        std::iter::empty::<&Path>(),
    )
}

fn oid(text: &str) -> Result<Oid, Failure> {
    Oid::from_str(text).doing("read an object id")
}

fn commit_id(id: Oid) -> CommitId {
    CommitId(id.to_string())
}

fn tree_id(id: Oid) -> TreeId {
    TreeId(id.to_string())
}

/// Says what was being done when the world failed.
trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T, git2::Error> {
    fn doing(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let text = error.message();
            if let Some((why, hint)) = formats::of_index(text) {
                return Failure::new(Code::Git, format!("{what}: {why}")).hint(hint);
            }
            let full = text.contains("No space left") || text.contains("quota exceeded");
            let code = if full { Code::DiskFull } else { Code::Git };
            Failure::new(code, format!("{what}: {text}"))
        })
    }
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let full = matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            );
            let code = if full { Code::DiskFull } else { Code::Git };
            Failure::new(code, format!("{what}: {error}"))
        })
    }
}
