//! Looks for ignore and attribute files that are pipes or devices. libgit2 opens these files when it
//! looks at a slot, and opening a pipe waits for ever.

use super::slots::Work;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use team::{Code, Failure};

pub(super) const READ_BY_GIT: [&str; 3] = [".gitignore", ".gitattributes", ".gitmodules"];

impl Work<'_> {
    /// Fails where a file that libgit2 is about to open below these folders is none. Goes down from
    /// them, so that asking whether a folder is ignored opens only files that were looked at before.
    pub(super) fn refuse_pipes(&self, mut open: Vec<PathBuf>) -> Result<(), Failure> {
        let tracked = self.tracked_folders();
        while let Some(folder) = open.pop() {
            let dir = self.slot.dir.join(&folder);
            for name in READ_BY_GIT {
                refuse_pipe(&self.slot.dir, &folder.join(name))?;
            }
            // A folder that can't be read has nothing that libgit2 reads either.
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|it| it.is_dir()) {
                    continue;
                }
                let path = folder.join(entry.file_name());
                let known = tracked.contains(path.as_os_str().as_bytes());
                if known || !self.repo.is_path_ignored(&path).unwrap_or(true) {
                    open.push(path);
                }
            }
        }
        Ok(())
    }

    fn tracked_folders(&self) -> HashSet<Vec<u8>> {
        let mut found = HashSet::new();
        for path in self.paths() {
            let parents = Path::new(OsStr::from_bytes(&path)).ancestors().skip(1);
            for parent in parents {
                // A known folder's own parents are known too.
                if !found.insert(parent.as_os_str().as_bytes().to_vec()) {
                    break;
                }
            }
        }
        found
    }
}

/// Fails where this is a pipe or a device.
pub(super) fn refuse_pipe(root: &Path, path: &Path) -> Result<(), Failure> {
    if is_pipe_or_device(&root.join(path)) {
        let text = format!("look at the files: `{}` is a pipe or a device", path.display());
        return Err(Failure::new(Code::Git, text).hint("remove it"));
    }
    Ok(())
}

/// Follows a symlink, as libgit2 does, but opens nothing.
fn is_pipe_or_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| {
        let kind = it.file_type();
        kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device()
    })
}
