//! The daemon's log: what it notes of itself, in a file of bounded size beside its lock. Standard
//! error goes there too, so that a panic is found.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// A longer log is kept as `log.old`, and a new one begun.
const LOG_BYTES_MAX: u64 = 4 << 20;

/// Begins to log. `BATON_LOG` says what, as `tracing` reads it; by default what a person may want to
/// know.
pub(super) fn begin(path: &Path) {
    let Ok(log) = Log::open(path) else { return };
    let filter = EnvFilter::try_from_env("BATON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let make = move || log.again();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(make)
        .try_init();
}

struct Log {
    path: PathBuf,
    file: Option<File>,
}

impl Log {
    fn open(path: &Path) -> Result<Log> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Log { path: path.to_owned(), file: Some(file) })
    }

    fn again(&self) -> Log {
        let file = self.file.as_ref().and_then(|it| it.try_clone().ok());
        Log { path: self.path.clone(), file }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(file) = &mut self.file else { return Ok(bytes.len()) };
        if LOG_BYTES_MAX < file.metadata()?.len() {
            // Copied and cut, not renamed: standard error writes to the same open file.
            std::fs::copy(&self.path, self.path.with_extension("old"))?;
            file.set_len(0)?;
        }
        file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_cut_and_the_last_part_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = Log::open(&path).unwrap();
        let line = [b'x'; 1 << 20];
        for _ in 0..7 {
            log.again().write_all(&line).unwrap();
        }
        let length = |it: &Path| std::fs::metadata(it).unwrap().len();
        assert!(length(&path) <= LOG_BYTES_MAX + line.len() as u64);
        assert!(LOG_BYTES_MAX < length(&path.with_extension("old")));
    }
}
