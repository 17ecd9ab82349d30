//! One daemon for a user and a configuration: a lock that names its process, freed by the system
//! however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use team::{Code, Failure};

/// A process id and a line end are no longer.
const PID_BYTES_MAX: u64 = 64;

/// Held as long as it lives.
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing is not enough: a child that is just being started holds a copy of the descriptor.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the lock. Errors: `Locked` whose text is the pid of the daemon that has it, `Store`.
pub(super) fn take(path: &Path) -> Result<Lock, Failure> {
    let fail = |why: std::io::Error| Failure::new(Code::Store, format!("lock the daemon: {why}"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = (&file).take(PID_BYTES_MAX).read_to_string(&mut pid);
            return Err(Failure::new(Code::Locked, pid.trim().to_owned()));
        }
        Err(TryLockError::Error(why)) => return Err(fail(why)),
    }
    file.set_len(0).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(Lock(file))
}
