//! Files of a worktree, reached through a folder handle that no symlink leads out of; and the index
//! entries that describe them.

use super::Doing;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt, PermissionsExt};
use git2::{IndexEntry, IndexTime, Oid};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use team::Failure;

pub(super) const MODE_FILE: u32 = 0o100_644;
pub(super) const MODE_EXEC: u32 = 0o100_755;
pub(super) const MODE_LINK: u32 = 0o120_000;
pub(super) const MODE_MODULE: u32 = 0o160_000;

/// A file larger than this is not read into memory.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is on disk at a path.
#[derive(Debug)]
pub(super) enum OnDisk {
    Absent,
    /// A regular file or a symlink (then `bytes` is where it points).
    File {
        mode: u32,
        bytes: Vec<u8>,
        stat: Stat,
    },
    /// A folder, a device, a pipe, or something below a file or a symlink.
    Other,
}

/// The part of a file's metadata that an index keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stat {
    ctime: (i64, i64),
    mtime: (i64, i64),
    dev: u64,
    ino: u64,
    uid: u32,
    gid: u32,
    size: u64,
}

impl Stat {
    fn of(meta: &Metadata) -> Stat {
        Stat {
            ctime: (meta.ctime(), meta.ctime_nsec()),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            dev: meta.dev(),
            ino: meta.ino(),
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
        }
    }

    /// An index entry for this file. With `Stat::default()`, one that git looks behind at once.
    #[expect(clippy::cast_possible_truncation, reason = "the index keeps the low 32 bits")]
    pub(super) fn entry(&self, path: &[u8], mode: u32, id: Oid) -> IndexEntry {
        IndexEntry {
            ctime: IndexTime::new(self.ctime.0 as i32, self.ctime.1 as u32),
            mtime: IndexTime::new(self.mtime.0 as i32, self.mtime.1 as u32),
            dev: self.dev as u32,
            ino: self.ino as u32,
            mode,
            uid: self.uid,
            gid: self.gid,
            file_size: self.size as u32,
            id,
            flags: 0,
            flags_extended: 0,
            path: path.to_vec(),
        }
    }
}

pub(super) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A worktree's root.
pub(super) struct Folder {
    dir: Dir,
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Folder, Failure> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).doing("open a worktree")?;
        Ok(Folder { dir })
    }

    /// Every folder above `path` is a real one: no symlink, no file.
    fn parents_are_real(&self, path: &Path) -> std::io::Result<Option<bool>> {
        for parent in path.ancestors().skip(1) {
            if parent.as_os_str().is_empty() {
                break;
            }
            match self.dir.symlink_metadata(parent) {
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => return Ok(Some(false)),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) if error.kind() == ErrorKind::NotADirectory => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(true))
    }

    /// Reads without following a symlink, neither at the path nor above it.
    pub(super) fn look(&self, path: &[u8]) -> Result<OnDisk, Failure> {
        self.look_io(as_path(path)).doing(&format!("read `{}`", String::from_utf8_lossy(path)))
    }

    fn look_io(&self, path: &Path) -> std::io::Result<OnDisk> {
        match self.parents_are_real(path)? {
            None => return Ok(OnDisk::Absent),
            Some(false) => return Ok(OnDisk::Other),
            Some(true) => {}
        }
        let meta = match self.dir.symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(OnDisk::Absent),
            Err(error) => return Err(error),
        };
        if meta.is_symlink() {
            let target = self.dir.read_link_contents(path)?;
            return Ok(OnDisk::File {
                mode: MODE_LINK,
                bytes: target.as_os_str().as_bytes().to_vec(),
                stat: Stat::of(&meta),
            });
        }
        if !meta.is_file() {
            return Ok(OnDisk::Other);
        }
        // O_NONBLOCK: should a pipe have taken the file's place, opening it must not wait.
        let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.cast_signed());
        let file = self.dir.open_with(path, &options)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Ok(OnDisk::Other);
        }
        if FILE_BYTES_MAX < meta.size() {
            let text = format!("it has more than {FILE_BYTES_MAX} bytes");
            return Err(std::io::Error::new(ErrorKind::FileTooLarge, text));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.size()).unwrap_or(0));
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let exec = meta.permissions().mode() & 0o100 != 0;
        Ok(OnDisk::File {
            mode: if exec { MODE_EXEC } else { MODE_FILE },
            bytes,
            stat: Stat::of(&meta),
        })
    }

    /// Writes a file of a slot, fresh: what stood there (also a folder or a symlink above it) is
    /// removed if it is a file, and must not be a folder with something in it.
    pub(super) fn write(&self, path: &[u8], mode: u32, bytes: &[u8]) -> Result<Stat, Failure> {
        self.write_io(as_path(path), mode, bytes)
            .doing(&format!("write `{}`", String::from_utf8_lossy(path)))
    }

    fn write_io(&self, path: &Path, mode: u32, bytes: &[u8]) -> std::io::Result<Stat> {
        match self.create(path, mode, bytes) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.clear(path)?;
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => {}
            other => return other,
        }
        self.make_parents(path)?;
        self.create(path, mode, bytes)
    }

    fn clear(&self, path: &Path) -> std::io::Result<()> {
        let meta = self.dir.symlink_metadata(path)?;
        if meta.is_dir() { self.dir.remove_dir(path) } else { self.dir.remove_file(path) }
    }

    /// Makes the folders above `path`; a file or symlink in their place goes.
    fn make_parents(&self, path: &Path) -> std::io::Result<()> {
        let parents: Vec<&Path> = path.ancestors().skip(1).collect();
        for parent in parents.into_iter().rev().filter(|it| !it.as_os_str().is_empty()) {
            match self.dir.symlink_metadata(parent) {
                Ok(meta) if meta.is_dir() => continue,
                Ok(_) => self.dir.remove_file(parent)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            match self.dir.create_dir(parent) {
                // Another thread, writing another half of the same slot, was first.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Creates what must not exist yet.
    fn create(&self, path: &Path, mode: u32, bytes: &[u8]) -> std::io::Result<Stat> {
        if mode == MODE_LINK {
            self.dir.symlink_contents(OsStr::from_bytes(bytes), path)?;
            return Ok(Stat::of(&self.dir.symlink_metadata(path)?));
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        options.mode(if mode == MODE_EXEC { 0o777 } else { 0o666 });
        let mut file = self.dir.open_with(path, &options)?;
        file.write_all(bytes)?;
        Ok(Stat::of(&file.metadata()?))
    }

    /// Replaces a file of the user's in one step, by a rename; keeps its permissions but the
    /// executable bit. `spare` names the file that is written first, in the same folder.
    pub(super) fn replace(
        &self,
        path: &[u8],
        mode: u32,
        bytes: &[u8],
        spare: &str,
    ) -> Result<(), Failure> {
        self.replace_io(as_path(path), mode, bytes, spare)
            .doing(&format!("write `{}`", String::from_utf8_lossy(path)))
    }

    fn replace_io(&self, path: &Path, mode: u32, bytes: &[u8], spare: &str) -> std::io::Result<()> {
        if let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            self.dir.create_dir_all(parent)?;
        }
        let spare = path.with_file_name(spare);
        match self.dir.remove_file(&spare) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.create(&spare, mode, bytes)?;
        let before = self.dir.symlink_metadata(path).ok();
        if let Some(before) = before.filter(|it| it.is_file() && mode != MODE_LINK) {
            let read = before.permissions().mode() & 0o777;
            let exec = (read & 0o444) >> 2;
            let bits = if mode == MODE_EXEC { read | exec } else { read & !0o111 };
            let bits = cap_std::fs::Permissions::from_mode(bits);
            self.dir.set_permissions(&spare, bits)?;
        }
        self.dir.rename(&spare, &self.dir, path)
    }

    /// Removes a file, and the folders above it that are empty then. Nothing there is fine.
    pub(super) fn remove(&self, path: &[u8]) -> Result<(), Failure> {
        let path = as_path(path);
        let removed = match self.dir.remove_file(path) {
            // Where a submodule was; what somebody put there since stays.
            Err(_) if self.is_dir(path.as_os_str().as_bytes()) => self.dir.remove_dir(path),
            other => other,
        };
        match removed {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                return Err(error).doing(&format!("remove `{}`", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
        for parent in path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty()) {
            // Fails where something is left in it, which is the end of the work.
            if self.dir.remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Moves whatever is at `path` to a place outside of the worktree.
    pub(super) fn set_aside(&self, path: &Path, to: &Path) -> Result<(), Failure> {
        let (parent, name) = match (to.parent(), to.file_name()) {
            (Some(parent), Some(name)) => (parent.to_path_buf(), PathBuf::from(name)),
            _ => return Ok(()),
        };
        std::fs::create_dir_all(&parent).doing("set a folder aside")?;
        let there = Dir::open_ambient_dir(&parent, ambient_authority());
        let there = there.doing("set a folder aside")?;
        self.dir.rename(path, &there, name).doing("set a folder aside")
    }

    /// Makes an empty folder: where a submodule is.
    pub(super) fn make_dir(&self, path: &[u8]) -> Result<(), Failure> {
        let path = as_path(path);
        self.make_parents(path).doing("make a folder")?;
        match self.dir.create_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).doing("make a folder")
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes a folder that has nothing in it.
    pub(super) fn rid_of_empty(&self, path: &[u8]) -> std::io::Result<()> {
        self.dir.remove_dir(as_path(path))
    }

    pub(super) fn is_dir(&self, path: &[u8]) -> bool {
        self.dir.symlink_metadata(as_path(path)).is_ok_and(|it| it.is_dir())
    }
}
