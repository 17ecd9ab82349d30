//! Where the log ended when it was last written, kept outside the database: a log that lost its tail
//! is still a perfect chain, and only somebody who remembers its end can tell.
//!
//! Written after the append is on disk and not synced itself: after a power cut it may be behind the
//! log, never ahead of it.

use super::seal::{Hash, hex};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The last event's version and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) version: u64,
    pub(super) hash: String,
}

/// `None`: no such file, or a power cut left it unreadable.
pub(super) fn read(dir: &Path) -> Option<End> {
    let text = std::fs::read_to_string(dir.join("head")).ok()?;
    let (version, hash) = text.trim().split_once(' ')?;
    (hash.len() == 64).then_some(End { version: version.parse().ok()?, hash: hash.to_owned() })
}

pub(super) struct Head {
    file: Option<File>,
}

impl Head {
    /// Without the file the log still works, it only can't notice a lost tail.
    pub(super) fn open(dir: &Path) -> Head {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("head"))
            .ok();
        Head { file }
    }

    /// The line always has the same length, so it is replaced by a single write.
    pub(super) fn write(&self, version: u64, hash: &Hash) {
        if let Some(file) = &self.file {
            let line = format!("{version:020} {}\n", hex(hash));
            let _ = file.write_all_at(line.as_bytes(), 0);
        }
    }
}
