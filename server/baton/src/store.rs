//! Append, replay, journal, migrate: the only user of rusqlite.
//!
//! One SQLite file a repository, write-ahead log, one fsync a commit. The event log is the truth;
//! everything else lies beside it: the journal of each run, outputs by content, the ledger of what
//! was paid, the buffers that a task was delegated with, and a checkpoint that may be deleted.

mod batch;
mod carve;
mod damage;
mod fault;
mod forget;
mod head;
mod lock;
mod reader;
mod rows;
mod schema;
mod seal;
mod shelf;
#[cfg(test)]
mod tests;
mod write;

pub use batch::Write;
pub use reader::{Reader, Verified};
pub use shelf::Health;

use crate::fail;
use fault::{failed, failed_io};
use head::Head;
use lock::Lock;
use rows::{Broken, Replayed, Tail};
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use team::{Code, Event, Failure, Millis, RunId, TaskId, Team, Usage};
use write::{Line, Sealed};

/// The database's name in the state folder.
pub const DATABASE: &str = "baton.sqlite3";
/// The first SQLite without the bug that could damage a write-ahead log when it restarts.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
const BUSY_MS_MAX: u64 = 2_000;
/// What is kept of one command's output; of a longer one its head and its tail.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// One event's JSON, one journal step, one buffer: longer than anything sensible, short enough to
/// be read back.
pub const ROW_BYTES_MAX: usize = 16 << 20;
/// `open` writes a checkpoint of its own after replaying this many events.
pub const EVENTS_PER_CHECKPOINT_MAX: u64 = 1_000;
/// The write-ahead log is cut back to this after a checkpoint of SQLite's.
const WAL_BYTES_MAX: u64 = 8 << 20;

/// An event with its version and the time it was written.
pub type Logged = (u64, Millis, Event);

/// One entry in the journal of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Counted by the caller, without gaps.
    pub n: u32,
    /// `reply`, `started`, `result` or `note`.
    pub kind: String,
    /// JSON; comes back byte for byte.
    pub body: String,
    /// The slot's tree after this step.
    pub tree: Option<String>,
    pub at: Millis,
}

/// The writer, and the owner of the state folder for as long as it lives.
pub struct Store {
    /// `None` after an I/O error: nothing is written until it could be opened again.
    db: Option<Connection>,
    path: PathBuf,
    tail: Tail,
    head: Head,
    health: Arc<Health>,
    _lock: Lock,
}

pub struct Opened {
    pub store: Store,
    /// The state after the last event.
    pub team: Team,
    /// Sentences for the person: a damaged log was set aside, an old one migrated.
    pub notes: Vec<String>,
}

impl Store {
    /// Opens the log in `dir`, making both if needed, and replays it. Errors: `Locked` with the
    /// owner's pid, `Store` for a log of a newer Baton, `DiskFull`. A damaged log is no error: it is
    /// set aside, what stands before the damage is kept, and a note says so.
    pub fn open(dir: &Path) -> Result<Opened, Failure> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            let version = rusqlite::version();
            let text = format!("SQLite {version} has a bug that damages logs");
            return Err(Failure::new(Code::Store, text).hint("build Baton with its own SQLite"));
        }
        make_private_dir(dir)?;
        let lock = lock::take(dir)?;
        let path = dir.join(DATABASE);
        let mut notes = Vec::new();
        damage::finish_swap(dir)?;
        damage::finish_birth(dir)?;
        let replayed = damage::set_aside_if_damaged(dir, &mut notes)?;
        let mut db = connect(&path)?;
        if let Some(done) = schema::migrate(&mut db, &path, schema::STEPS)?
            && let Some(backup) = done.backup
        {
            let (from, to) = (done.from, schema::STEPS.len());
            let backup = file_name(&backup);
            notes.push(format!(
                "the log was migrated from format {from} to {to}; the old one is kept as {backup}"
            ));
        }
        let Replayed { mut team, tail, applied, bad_checkpoint, health } = match replayed {
            Some(replayed) => replayed,
            None => shelf::replay(&path).map_err(|it| broken("replay the log", &path, it))?,
        };
        if bad_checkpoint {
            notes.push("a checkpoint was damaged; the state was made again from the events".into());
        }
        let head = Head::open(dir);
        head.write(tail.version, &tail.hash);
        let mut store = Store { db: Some(db), path, tail, head, health, _lock: lock };
        if EVENTS_PER_CHECKPOINT_MAX <= applied || bad_checkpoint {
            // It only makes the next start faster, so a full disk is no reason not to start.
            let _ = store.checkpoint(&mut team);
        }
        Ok(Opened { store, team, notes })
    }

    /// The version of the last event; 0 for an empty log.
    pub fn version(&self) -> u64 {
        self.tail.version
    }

    /// The journal of a run, in order.
    pub fn steps(&self, run: RunId) -> Result<Vec<Step>, Failure> {
        self.read(|db| rows::steps(db, run))
    }

    /// `None`: not kept.
    pub fn output(&self, sha256: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.read(|db| rows::output(db, sha256))
    }

    /// What was paid at or after `since`.
    pub fn spent_since(&self, since: Millis) -> Result<Usage, Failure> {
        self.read(|db| rows::spent(db, since))
    }

    /// Keeps this state, which is that after one of the events, so that the next start need not replay
    /// from the first. Writes what changed since the last checkpoint, if this team goes on from it,
    /// else everything.
    pub fn checkpoint(&mut self, team: &mut Team) -> Result<(), Failure> {
        let (at, base) = self.read(|db| Ok((rows::link(db, team.version)?, shelf::base(db)?)))?;
        let frame = shelf::frame(team, &at)
            .map_err(|it| Failure::new(Code::Bug, format!("a checkpoint is no JSON: {it}")))?;
        let is_whole = base.is_none() || team.settled() != base || self.health.is_damaged();
        let same = |db: &Connection| frame.exists(db, "version = ?1", 1);
        self.write(
            "checkpoint",
            |db| {
                shelf::put(db, team, is_whole)?;
                db.execute_batch("DELETE FROM checkpoint")?;
                frame.insert(db)
            },
            same,
        )?;
        if is_whole {
            self.health.mended();
        }
        team.settle();
        Ok(())
    }

    /// How reading goes of what is not in memory.
    pub fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// The buffers of a task: repository path, text; sorted by path.
    pub fn buffers(&self, task: TaskId) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        self.read(|db| rows::buffers(db, task))
    }

    fn read<T>(&self, get: impl FnOnce(&Connection) -> Result<T, Broken>) -> Result<T, Failure> {
        let db = self.db.as_ref().ok_or_else(stopped)?;
        get(db).map_err(|it| {
            if it.is_damage() {
                damage::suspect(&self.path);
            }
            broken("read the log", &self.path, it)
        })
    }

    /// One transaction. After an I/O error what SQLite believes is not to be trusted (a failed fsync
    /// drops the data and says nothing the next time): the database is closed, opened again and
    /// made durable from the file's side, and `landed` says whether the write is there after all.
    fn write(
        &mut self,
        what: &'static str,
        put: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
        landed: impl FnOnce(&Connection) -> bool,
    ) -> Result<(), Failure> {
        fail::point(point(what).0);
        if self.db.is_none() {
            self.reopen()?;
        }
        let db = self.db.as_mut().ok_or_else(stopped)?;
        let result =
            db.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|write| {
                put(&write)?;
                write.commit()
            });
        if let Err(error) = result {
            if fault::is_damage(&error) {
                damage::suspect(&self.path);
            }
            let is_io = fault::is_io(&error);
            let failure = failed(&format!("write the log ({what})"), &self.path, error);
            if !is_io {
                return Err(failure);
            }
            self.db = None;
            if self.reopen().is_err() || !self.db.as_ref().is_some_and(landed) {
                return Err(failure);
            }
        }
        fail::point(point(what).1);
        Ok(())
    }

    /// Opens the database again; what its write-ahead log holds goes into the main file and is synced
    /// there, since it may never have reached the disk.
    fn reopen(&mut self) -> Result<(), Failure> {
        let db = connect(&self.path)?;
        let blocked: i64 = db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|it| failed("reopen the log", &self.path, it))?;
        if blocked != 0 {
            return Err(stopped());
        }
        self.db = Some(db);
        Ok(())
    }
}

/// The names of the points before and after a write.
fn point(what: &str) -> (&'static str, &'static str) {
    match what {
        "append" => ("store.append.before", "store.append.after"),
        "journal" => ("store.journal.before", "store.journal.after"),
        "output" => ("store.output.before", "store.output.after"),
        "ledger" => ("store.ledger.before", "store.ledger.after"),
        "forget" => ("store.forget.before", "store.forget.after"),
        "buffer" => ("store.buffer.before", "store.buffer.after"),
        _ => ("store.checkpoint.before", "store.checkpoint.after"),
    }
}

fn number(value: u64) -> Result<Value, Failure> {
    i64::try_from(value)
        .map(Value::Integer)
        .map_err(|_| Failure::new(Code::Store, format!("{value} is too large a number to store")))
}

fn bounded(what: &str, bytes: usize) -> Result<(), Failure> {
    if bytes <= ROW_BYTES_MAX {
        return Ok(());
    }
    let text = format!("{what} of {bytes} bytes is too long, at most {ROW_BYTES_MAX} are kept");
    Err(Failure::new(Code::Store, text))
}

fn shortened(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() <= OUTPUT_BYTES_MAX {
        return bytes.to_vec();
    }
    let left_out = bytes.len() - OUTPUT_BYTES_MAX;
    let marker = format!("\n[baton: more than {left_out} bytes left out here]\n");
    let half = (OUTPUT_BYTES_MAX - marker.len()) / 2;
    let tail = &bytes[bytes.len() - half..];
    [&bytes[..half], marker.as_bytes(), tail].concat()
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(0))
}

fn stopped() -> Failure {
    Failure::new(Code::Store, "the log could not be opened again after a disk error")
        .hint("nothing that was recorded is lost; retry when the disk works")
}

fn broken(doing: &str, path: &Path, error: Broken) -> Failure {
    match error {
        Broken::Sql(error) => failed(doing, path, error),
        Broken::Wrong(why) => Failure::new(Code::Store, format!("can't {doing}: {why}"))
            .hint("the log is damaged; start Baton again: it keeps the damaged file"),
        Broken::Newer(why) => Failure::new(Code::Store, format!("can't {doing}: {why}"))
            .hint("a newer Baton wrote it; install that one again. Nothing was changed"),
    }
}

/// A writing connection, each commit on disk before it returns.
fn connect(path: &Path) -> Result<Connection, Failure> {
    create_private(path)?;
    let set_up = || {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
        db.pragma_update(None, "page_size", schema::PAGE_BYTES)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        db.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
        db.pragma_update(None, "trusted_schema", "OFF")?;
        db.set_prepared_statement_cache_capacity(32);
        Ok(db)
    };
    set_up().map_err(|it| failed("open the log", path, it))
}

/// An empty file that only its owner can read, unless it is there; one that is there loses what
/// others may do with it.
fn create_private(path: &Path) -> Result<(), Failure> {
    let fail = |it: std::io::Error| failed_io("open the log", &it);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)
}

fn make_private_dir(dir: &Path) -> Result<(), Failure> {
    let fail = |it: std::io::Error| failed_io("make the state folder", &it);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(fail)
}

fn sync_file(path: &Path) -> Result<(), Failure> {
    File::open(path)
        .and_then(|it| it.sync_all())
        .map_err(|it| failed_io("write the log to disk", &it))
}

/// `<path>.<end>`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
