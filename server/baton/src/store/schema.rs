//! The tables, and how an older database becomes today's.
//!
//! A change of the tables is a new entry at the end of `STEPS`; an entry that has shipped is never
//! edited. `user_version` counts the entries that a database has been through.

use super::fault::failed;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::{Path, PathBuf};
use team::{Code, Failure};

/// `BTON`, in the database's header: tells our file from anybody else's.
pub(super) const APPLICATION_ID: i32 = 0x4254_4f4e;
/// Fixed, because the reader of damaged files counts pages without asking SQLite.
pub(super) const PAGE_BYTES: usize = 4096;

pub(super) const STEPS: &[&str] = &[V1];

const V1: &str = "
CREATE TABLE event (
    version INTEGER PRIMARY KEY, format INTEGER NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoint (
    version INTEGER PRIMARY KEY, made_by TEXT NOT NULL, hash BLOB NOT NULL,
    body TEXT NOT NULL, sum BLOB NOT NULL
) STRICT;
CREATE TABLE entry (
    kind TEXT NOT NULL, id INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    sum BLOB NOT NULL, UNIQUE (kind, id)
) STRICT;
CREATE TABLE journal (
    run INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    tree TEXT, at INTEGER NOT NULL, sum BLOB NOT NULL, UNIQUE (run, n)
) STRICT;
CREATE TABLE output (
    sha256 TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL, sum BLOB NOT NULL
) STRICT;
CREATE TABLE ledger (
    run INTEGER NOT NULL, call INTEGER NOT NULL, at INTEGER NOT NULL, calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
    micros INTEGER NOT NULL, raw TEXT NOT NULL, sum BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_at ON ledger (at);
CREATE TABLE buffer (
    task INTEGER NOT NULL, path TEXT NOT NULL, text BLOB NOT NULL, sum BLOB NOT NULL,
    UNIQUE (task, path)
) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
";

/// The tables whose rows carry a seal as their last column, with their columns in order. Events are
/// chained instead; checkpoints and their entries can be made again.
pub(super) const SEALED: &[(&str, &[&str])] = &[
    ("journal", &["run", "n", "kind", "body", "tree", "at"]),
    ("output", &["sha256", "bytes"]),
    (
        "ledger",
        &[
            "run",
            "call",
            "at",
            "calls",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "micros",
            "raw",
        ],
    ),
    ("buffer", &["task", "path", "text"]),
];

/// What `migrate` did.
pub(super) struct Migrated {
    pub(super) from: usize,
    pub(super) backup: Option<PathBuf>,
}

/// The number of steps that this database has been through.
pub(super) fn version(db: &Connection) -> rusqlite::Result<usize> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the database to the last of `steps`, in one transaction; before the first step over
/// existing data a copy is written beside it. `None`: nothing to do.
pub(super) fn migrate(
    db: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<Option<Migrated>, Failure> {
    let fail = |it| failed("migrate the log", path, it);
    let from = version(db).map_err(fail)?;
    if steps.len() <= from {
        return Ok(None);
    }
    let backup = if from == 0 { None } else { Some(back_up(db, path, from)?) };
    let write = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    for step in &steps[from..] {
        write.execute_batch(step).map_err(fail)?;
    }
    if from == 0 {
        write.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
        let made_by = env!("CARGO_PKG_VERSION");
        write.execute("INSERT INTO meta VALUES ('created_by', ?1)", [made_by]).map_err(fail)?;
    }
    write
        .execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?1)", [steps.len().to_string()])
        .map_err(fail)?;
    write.pragma_update(None, "user_version", steps.len()).map_err(fail)?;
    write.commit().map_err(fail)?;
    Ok(Some(Migrated { from, backup }))
}

/// A consistent copy, `<file>.before-v<next>`, on disk before anything is changed.
fn back_up(db: &Connection, path: &Path, from: usize) -> Result<PathBuf, Failure> {
    let backup = super::beside(path, &format!("before-v{}", from + 1));
    // An earlier migration that was cut off left a copy of the same content, maybe half of one.
    let _ = std::fs::remove_file(&backup);
    super::create_private(&backup)?;
    let name = backup.to_string_lossy().into_owned();
    db.execute("VACUUM INTO ?1", [name])
        .map_err(|it| failed("copy the log before migrating it", &backup, it))?;
    super::sync_file(&backup)?;
    Ok(backup)
}

/// Ours, and not from the future. `Ok(None)`: not ours, or not readable as ours.
pub(super) fn known(db: &Connection, path: &Path) -> Result<Option<usize>, Failure> {
    let found = db
        .pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))
        .and_then(|id| Ok((id, version(db)?)));
    let (id, version) = match found {
        Ok(found) => found,
        Err(error) if super::fault::is_damage(&error) => return Ok(None),
        Err(error) => return Err(failed("open the log", path, error)),
    };
    if id != APPLICATION_ID || version == 0 {
        return Ok(None);
    }
    // A flipped bit in the header also reads as a version from the future: the tables decide.
    let said: Option<String> = db
        .query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get(0))
        .optional()
        .unwrap_or(None);
    if said != Some(version.to_string()) {
        return Ok(None);
    }
    if STEPS.len() < version {
        return Err(newer(version));
    }
    Ok(Some(version))
}

/// A database that was made and got no tables yet: its maker was stopped before the first
/// transaction. There is nothing in it to lose.
pub(super) fn is_unborn(db: &Connection) -> bool {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let zero = |it: rusqlite::Result<i64>| matches!(it, Ok(0));
    zero(number("application_id")) && zero(number("user_version")) && zero(tables)
}

fn newer(version: usize) -> Failure {
    let ours = STEPS.len();
    Failure::new(
        Code::Store,
        format!("the log has format {version}, this Baton knows up to {ours}"),
    )
    .hint("a newer Baton wrote it; install that one again. Nothing was changed")
}
