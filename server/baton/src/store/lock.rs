//! One owner a state folder: a lock on a file that names its holder, freed by the system when the
//! process ends, however it ends.

use super::fault::failed_io;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use team::{Code, Failure};

/// How long a lock is waited for whose named holder is gone: a killed process's last child lets go of
/// it when it starts its own program, a new holder has yet to write its pid. Well below a second.
const WAIT_MS_MAX: u64 = 400;

/// Held as long as it lives.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing is not enough: a child that is just being started holds a copy of the descriptor until
    /// it becomes its own program.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Takes the folder, or says who has it.
pub(super) fn take(dir: &Path) -> Result<Lock, Failure> {
    let fail = |it: std::io::Error| failed_io("lock the state folder", &it);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("owner.lock"))
        .map_err(fail)?;
    let give_up = Instant::now() + Duration::from_millis(WAIT_MS_MAX);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(fail(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        let mut pid = String::new();
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        file.read_to_string(&mut pid).map_err(fail)?;
        if is_alive(pid.trim()) || give_up < Instant::now() {
            return Err(owned(pid.trim()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    file.set_len(0).map_err(fail)?;
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(Lock { file })
}

fn is_alive(pid: &str) -> bool {
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|it| {
        // Another user's process answers with an error of its own, and is alive.
        rustix::process::test_kill_process(it) != Err(rustix::io::Errno::SRCH)
    })
}

fn owned(pid: &str) -> Failure {
    let pid = if pid.is_empty() { "unknown" } else { pid };
    Failure::new(Code::Locked, format!("process {pid} already works on this repository"))
        .hint("use that one, or close it first")
}
