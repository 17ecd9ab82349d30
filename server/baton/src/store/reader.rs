//! Reading the log beside its owner, or while nobody owns it. Never writes.

use super::rows::{self, Broken};
use super::{DATABASE, Logged, Step, broken, damage, schema};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;
use team::{Code, Failure, Millis, RunId, TaskId, Team, Usage};

/// A read-only connection, without the owner's lock. Each call sees one consistent state.
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

/// What `Reader::verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    /// What is wrong, if anything; a fragment.
    pub problem: Option<String>,
}

impl Reader {
    /// Errors: `Code::Store` where there is no log, or one of another format.
    pub fn open(dir: &Path) -> Result<Reader, Failure> {
        let path = dir.join(DATABASE);
        let no_log_yet = || {
            Failure::new(Code::Store, "there is no log yet")
                .hint("it begins with the first task that you delegate")
        };
        if !path.exists() || damage::is_half_born(&path) {
            return Err(no_log_yet());
        }
        let db = open_read_only(&path)?;
        match schema::known(&db, &path)? {
            Some(version) if version == schema::STEPS.len() => Ok(Reader { db, path }),
            Some(version) => {
                Err(Failure::new(Code::Store, format!("the log has the older format {version}"))
                    .hint("start Baton once; it brings the log up to date"))
            }
            None if schema::is_unborn(&db) => Err(no_log_yet()),
            None => Err(Failure::new(Code::Store, "the log is damaged")
                .hint("start Baton; it keeps the damaged file and saves what can be read")),
        }
    }

    /// The team as the last event left it.
    pub fn team(&self) -> Result<Team, Failure> {
        let replayed = super::shelf::replay(&self.path);
        replayed.map(|it| it.team).map_err(|it| broken("read the log", &self.path, it))
    }

    /// The version of the last event; 0 for an empty log.
    pub fn version(&self) -> Result<u64, Failure> {
        self.get(rows::tail).map(|it| it.version)
    }

    /// The events after version `from` (0: from the first), at most `limit`: version, time, event.
    pub fn events(&self, from: u64, limit: u64) -> Result<Vec<Logged>, Failure> {
        self.get(|db| rows::events(db, from, limit))
    }

    /// The journal of a run, in order.
    pub fn steps(&self, run: RunId) -> Result<Vec<Step>, Failure> {
        self.get(|db| rows::steps(db, run))
    }

    /// A command's output by the hash that its receipt names; `None`: not kept.
    pub fn output(&self, sha256: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.get(|db| rows::output(db, sha256))
    }

    /// The unsaved buffers that a task was delegated with: repository path, text.
    pub fn buffers(&self, task: TaskId) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        self.get(|db| rows::buffers(db, task))
    }

    /// Everything that was ever paid here.
    pub fn spent(&self) -> Result<Usage, Failure> {
        self.spent_since(0)
    }

    /// What was paid at or after `since`.
    pub fn spent_since(&self, since: Millis) -> Result<Usage, Failure> {
        self.get(|db| rows::spent(db, since))
    }

    /// Reads everything and checks it: the file, the whole chain, every row's hash. Slow on a large
    /// log; for `doctor`.
    pub fn verify(&self) -> Result<Verified, Failure> {
        let events = self.version().unwrap_or(0);
        let problem = match self.consistently(rows::check_all) {
            Ok(_) => None,
            Err(Broken::Wrong(why) | Broken::Newer(why)) => Some(why),
            Err(Broken::Sql(error)) if super::fault::is_damage(&error) => Some(error.to_string()),
            Err(Broken::Sql(error)) => {
                return Err(super::fault::failed("check the log", &self.path, error));
            }
        };
        Ok(Verified { events, problem })
    }

    pub(super) fn get<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Broken>,
    ) -> Result<T, Failure> {
        self.consistently(read).map_err(|it| broken("read the log", &self.path, it))
    }

    /// Several statements, one state.
    fn consistently<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let view = self.db.unchecked_transaction()?;
        let found = read(&view)?;
        view.finish()?;
        Ok(found)
    }
}

pub(super) fn open_read_only(path: &Path) -> Result<Connection, Failure> {
    connect(path).map_err(|it| super::fault::failed("open the log", path, it))
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_millis(super::BUSY_MS_MAX))?;
    Ok(db)
}
