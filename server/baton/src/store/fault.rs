//! What SQLite's errors mean to a person, and which of them speak of damage.

use rusqlite::{Error, ErrorCode, ffi};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use team::{Code, Failure};

/// Less than this free and a failed write is put down to a full disk.
const FREE_BYTES_MIN: u64 = 1 << 20;

/// `doing`: what fits after "can't". `path`: the database.
pub(super) fn failed(doing: &str, path: &Path, error: Error) -> Failure {
    let code = error.sqlite_error_code();
    let full = code == Some(ErrorCode::DiskFull)
        || (code == Some(ErrorCode::SystemIoFailure) && is_full(path));
    if full {
        return disk_full(doing);
    }
    let failure = Failure::new(Code::Store, format!("can't {doing}: {error}"));
    if is_damage(&error) {
        return failure.hint("the log is damaged; start Baton again: it keeps the damaged file");
    }
    match code {
        Some(ErrorCode::SystemIoFailure) => {
            failure.hint("the disk failed; see the system's log, then try again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            failure.hint("the state folder must be writable for you")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            failure.hint("another program holds the log's file; close it and try again")
        }
        Some(_) | None => failure,
    }
}

pub(super) fn failed_io(doing: &str, error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            disk_full(doing)
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Failure::new(Code::Store, format!("can't {doing}: {error}"))
                .hint("the state folder must be writable for you")
        }
        _ => Failure::new(Code::Store, format!("can't {doing}: {error}")),
    }
}

fn disk_full(doing: &str) -> Failure {
    Failure::new(Code::DiskFull, format!("can't {doing}: the disk is full"))
        .hint("make space, then retry; nothing that was recorded is lost")
}

/// The file's content is wrong, as opposed to: the world did not let us read or write it.
pub(super) fn is_damage(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(it, _) | Error::SqlInputError { error: it, .. } => match it.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown => true,
            ErrorCode::SystemIoFailure => matches!(
                it.extended_code,
                ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS
            ),
            _ => false,
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::InvalidColumnType(..) => true,
        _ => false,
    }
}

/// The disk did not do what it was told; what SQLite believes to be on it may not be there.
pub(super) fn is_io(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull))
}

/// SQLite reports EFBIG, EDQUOT and EIO alike, so ask the disk: no free space, a file-size limit
/// that the log has reached, or a small file that can't be written.
fn is_full(path: &Path) -> bool {
    let dir = path.parent().unwrap_or(path);
    if let Ok(stat) = rustix::fs::statvfs(dir)
        && stat.f_bavail.saturating_mul(stat.f_frsize) < FREE_BYTES_MIN
    {
        return true;
    }
    let limit = rlimit::Resource::FSIZE.get_soft().unwrap_or(u64::MAX);
    let sizes = ["", "-wal"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        std::fs::metadata(name).map_or(0, |it| it.len())
    });
    if sizes.iter().any(|it| limit < it + FREE_BYTES_MIN) {
        return true;
    }
    let probe = tempfile::tempfile_in(dir).and_then(|mut file| {
        file.write_all(&[0; 64 << 10])?;
        file.sync_all()
    });
    probe.is_err_and(|it| {
        matches!(
            it.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
        )
    })
}
