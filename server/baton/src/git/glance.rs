//! A quick look at a worktree: which of its paths may differ from the index. By git's own rule a file
//! with the times, size, number and owner that its entry says, and older than the index, is as the
//! entry says. What the rule does not settle is left for libgit2 to look at, alone; so this decides
//! nothing but what needs no second look. Two threads look, each at half of the folders.

use super::files::{MODE_EXEC, MODE_FILE, MODE_LINK, MODE_MODULE, as_path};
use super::walk::{READ_BY_GIT, refuse_pipe};
use git2::{Index, IndexEntry, Repository};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat, openat, statat};
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use team::Failure;

/// From so many on libgit2 looks at everything: asking it for each is no quicker.
const PATHS_MAX: usize = 1_000;
/// A second thread is worth it from so many files on.
const SHARED_MIN: usize = 1_000;
/// Folders are opened up until there are so many to share.
const JOBS_MIN: usize = 16;
const LISTING_BYTES: usize = 32 * 1024;

/// What libgit2 still has to look at.
pub(super) enum Glance {
    /// These: changed, gone or new, as far as one can tell without reading them. `folders`: those among
    /// them that are new.
    Paths { paths: Vec<Vec<u8>>, folders: Vec<Vec<u8>> },
    /// All: something is unusual, or there is too much.
    Everything,
}

/// Looks at the worktree of `repo` at `root` as `index` describes it; `file` is where that index was
/// read from or written to last. Fails where an ignore or attribute file is a pipe or a device.
pub(super) fn glance(
    root: &Path,
    repo: &Repository,
    index: &Index,
    file: &Path,
) -> Result<Glance, Failure> {
    // An index that lies nowhere says no file's time.
    let stamp = file.metadata().map_or((0, 0), |it| (it.mtime(), it.mtime_nsec()));
    let Some(known) = known(index).filter(|_| has_usual_files(repo)) else {
        return Ok(Glance::Everything);
    };
    let mut found = look(root, &known, stamp);
    if found.is_unusual || PATHS_MAX < found.differing.len() + found.untracked.len() {
        return Ok(Glance::Everything);
    }
    found.read_by_git.sort();
    for path in &found.read_by_git {
        refuse_pipe(root, as_path(path))?;
    }
    let (mut paths, mut folders) = (found.differing, Vec::new());
    for (path, is_folder) in found.untracked {
        if !repo.is_path_ignored(as_path(&path)).unwrap_or(false) {
            if is_folder {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    Ok(Glance::Paths { paths, folders })
}

/// The rule holds only where the file system tells modes, links and letters apart.
fn has_usual_files(repo: &Repository) -> bool {
    let Ok(config) = repo.config().and_then(|mut it| it.snapshot()) else {
        return false;
    };
    let is = |key, usual| config.get_bool(key).unwrap_or(usual) == usual;
    is("core.filemode", true) && is("core.symlinks", true) && is("core.ignorecase", false)
}

/// What the index keeps of a file, besides what it holds.
struct Known {
    path: Vec<u8>,
    mode: u32,
    size: u32,
    ino: u32,
    owner: (u32, u32),
    mtime: (i32, u32),
    ctime: (i32, u32),
}

/// Sorted by path; `None` where an entry is unmerged or has a flag that changes what it means.
fn known(index: &Index) -> Option<Vec<Known>> {
    const NAME_LENGTH: u16 = 0x0fff;
    let mut all: Vec<Known> = Vec::with_capacity(index.len());
    for entry in index.iter() {
        let IndexEntry { ctime, mtime, ino, mode, uid, gid, file_size, path, .. } = entry;
        let sorted = all.last().is_none_or(|it| it.path < path);
        if entry.flags & !NAME_LENGTH != 0 || entry.flags_extended != 0 || !sorted {
            return None;
        }
        all.push(Known {
            path,
            mode,
            size: file_size,
            ino,
            owner: (uid, gid),
            mtime: (mtime.seconds(), mtime.nanoseconds()),
            ctime: (ctime.seconds(), ctime.nanoseconds()),
        });
    }
    Some(all)
}

impl Known {
    /// Whether the file must be what the entry says.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the index keeps the low 32 bits"
    )]
    fn is(&self, stat: &Stat, stamp: (i64, i64)) -> bool {
        let mode = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_mode & 0o100 != 0 => MODE_EXEC,
            FileType::RegularFile => MODE_FILE,
            FileType::Symlink => MODE_LINK,
            _ => return false,
        };
        // As young as the index: it may have changed since without a trace.
        let older = (i64::from(self.mtime.0), i64::from(self.mtime.1)) < stamp;
        older
            && self.mode == mode
            && self.size == stat.st_size as u32
            && self.mtime == (stat.st_mtime as i32, stat.st_mtime_nsec as u32)
            && self.ctime == (stat.st_ctime as i32, stat.st_ctime_nsec as u32)
            && self.ino == stat.st_ino as u32
            && self.owner == (stat.st_uid, stat.st_gid)
    }
}

/// A folder with tracked files to be looked at.
struct Job {
    parent: Arc<OwnedFd>,
    name: CString,
    /// Its path with a `/` at the end.
    prefix: Vec<u8>,
    /// Which of the known files are below it.
    files: Range<usize>,
}

/// What a folder has, as the index says.
enum Child {
    File(usize),
    Folder(Range<usize>),
}

#[derive(Default)]
struct Found {
    differing: Vec<Vec<u8>>,
    /// And whether it is a folder.
    untracked: Vec<(Vec<u8>, bool)>,
    /// Files that libgit2 would open, of which the index does not say that they are files.
    read_by_git: Vec<Vec<u8>>,
    is_unusual: bool,
}

impl Found {
    fn add(&mut self, mut other: Found) {
        self.differing.append(&mut other.differing);
        self.untracked.append(&mut other.untracked);
        self.read_by_git.append(&mut other.read_by_git);
        self.is_unusual |= other.is_unusual;
    }
}

fn look(root: &Path, known: &[Known], stamp: (i64, i64)) -> Found {
    let new = || Eye {
        known,
        stamp,
        listing: vec![MaybeUninit::uninit(); LISTING_BYTES],
        found: Found::default(),
    };
    let mut eye = new();
    let mut jobs = Vec::new();
    let opened = File::open(root).map(|it| Arc::new(OwnedFd::from(it)));
    if opened.and_then(|it| eye.list(&it, b"", 0..known.len(), &mut jobs)).is_err() {
        eye.found.is_unusual = true;
    }
    if known.len() < SHARED_MIN {
        eye.go_through(jobs);
        return eye.found;
    }
    // The largest first, so that the halves come out even.
    while jobs.len() < JOBS_MIN {
        jobs.sort_by_key(|it: &Job| it.files.len());
        let Some(largest) = jobs.pop() else { break };
        if largest.files.len() < known.len() / JOBS_MIN {
            jobs.push(largest);
            break;
        }
        eye.do_one(&largest, &mut jobs);
    }
    let (ours, theirs) = halves(jobs);
    std::thread::scope(|scope| {
        let mut second = new();
        let other = scope.spawn(move || {
            second.go_through(theirs);
            second.found
        });
        eye.go_through(ours);
        match other.join() {
            Ok(found) => eye.found.add(found),
            Err(_) => eye.found.is_unusual = true,
        }
    });
    eye.found
}

fn halves(mut jobs: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
    jobs.sort_by_key(|it| std::cmp::Reverse(it.files.len()));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut ahead = 0;
    for job in jobs {
        let files = job.files.len();
        if ahead < files {
            ahead += files;
            ours.push(job);
        } else {
            ahead -= files;
            theirs.push(job);
        }
    }
    (ours, theirs)
}

struct Eye<'a> {
    known: &'a [Known],
    /// When the index was written.
    stamp: (i64, i64),
    listing: Vec<MaybeUninit<u8>>,
    found: Found,
}

impl Eye<'_> {
    fn go_through(&mut self, mut jobs: Vec<Job>) {
        while let Some(job) = jobs.pop() {
            self.do_one(&job, &mut jobs);
        }
    }

    fn do_one(&mut self, job: &Job, below: &mut Vec<Job>) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(&job.parent, &job.name, flags, Mode::empty()).map_err(io::Error::from);
        let looked =
            opened.and_then(|dir| self.list(&Arc::new(dir), &job.prefix, job.files.clone(), below));
        // It can't be read, or somebody is at work there.
        self.found.is_unusual |= looked.is_err();
    }

    /// Looks at what is in one folder; folders in it are added to `below`.
    fn list(
        &mut self,
        dir: &Arc<OwnedFd>,
        prefix: &[u8],
        files: Range<usize>,
        below: &mut Vec<Job>,
    ) -> io::Result<()> {
        let mut children = children(self.known, prefix.len(), files);
        let mut listing = std::mem::take(&mut self.listing);
        let mut entries = RawDir::new(dir, &mut listing);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type());
            let bytes = name.to_bytes();
            if bytes == b"." || bytes == b".." || (bytes == b".git" && prefix.is_empty()) {
                continue;
            }
            // A repository inside of this one, or a file system that does not say what is what.
            self.found.is_unusual |= bytes == b".git" || kind == FileType::Unknown;
            let path = || [prefix, bytes].concat();
            let child = children.remove(bytes);
            let is_tracked_file = matches!(child, Some(Child::File(_))) && kind.is_file();
            if READ_BY_GIT.iter().any(|it| it.as_bytes() == bytes) && !is_tracked_file {
                self.found.read_by_git.push(path());
            }
            match child {
                Some(Child::File(at)) => self.compare(dir, name, kind, at),
                Some(Child::Folder(files)) if kind.is_dir() => {
                    let (parent, name, prefix) = (dir.clone(), name.to_owned(), path());
                    let prefix = [prefix.as_slice(), b"/"].concat();
                    below.push(Job { parent, name, prefix, files });
                }
                Some(Child::Folder(files)) => {
                    self.gone(files);
                    self.found.untracked.push((path(), false));
                }
                None => self.found.untracked.push((path(), kind.is_dir())),
            }
        }
        for child in children.into_values() {
            match child {
                Child::File(at) => self.gone(at..at + 1),
                Child::Folder(files) => self.gone(files),
            }
        }
        self.listing = listing;
        Ok(())
    }

    fn compare(&mut self, dir: &OwnedFd, name: &CStr, kind: FileType, at: usize) {
        let known = &self.known[at];
        if known.mode == MODE_MODULE && kind.is_dir() {
            return;
        }
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        if !stat.is_ok_and(|it| known.is(&it, self.stamp)) {
            self.found.differing.push(known.path.clone());
        }
    }

    fn gone(&mut self, files: Range<usize>) {
        self.found.differing.extend(self.known[files].iter().map(|it| it.path.clone()));
    }
}

/// The names in a folder whose path has so many bytes, `/` included.
fn children(known: &[Known], prefix: usize, files: Range<usize>) -> HashMap<&[u8], Child> {
    let mut all = HashMap::with_capacity(files.len().min(64));
    let mut at = files.start;
    while at < files.end {
        let rest = &known[at].path[prefix..];
        let Some(length) = rest.iter().position(|it| *it == b'/') else {
            all.insert(rest, Child::File(at));
            at += 1;
            continue;
        };
        let folder = &rest[..=length];
        let below =
            known[at..files.end].partition_point(|it| it.path[prefix..].starts_with(folder));
        all.insert(&rest[..length], Child::Folder(at..at + below));
        at += below;
    }
    all
}
