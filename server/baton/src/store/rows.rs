//! Reading rows: what was written, checked against its hash before anybody sees it.

use super::schema::SEALED;
use super::seal::{Hash, chain, genesis, seal};
use super::shelf::Health;
use super::{Logged, Step};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;
use team::{EVENT_VERSION, Event, Millis, RunId, TaskId, Team, Usage};

/// Who can read a checkpoint: the rules that made it must be the rules that go on from it. Raise the
/// number when `Team` or `apply` change between releases.
pub(super) const CHECKPOINT_MADE_BY: &str = concat!(env!("CARGO_PKG_VERSION"), "+8");

/// Why rows could not be read.
#[derive(Debug)]
pub(super) enum Broken {
    Sql(rusqlite::Error),
    /// A row's content does not match its hash, or a row is missing.
    Wrong(String),
    /// Undamaged, but not readable by this Baton.
    Newer(String),
}

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Broken {
        Broken::Sql(error)
    }
}

impl Broken {
    /// The file's content is wrong; another start would find it wrong again.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Broken::Sql(error) => super::fault::is_damage(error),
            Broken::Wrong(_) => true,
            Broken::Newer(_) => false,
        }
    }
}

/// The last event and its hash; version 0 and `genesis` for an empty log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) version: u64,
    pub(super) hash: Hash,
}

/// One event as it lies in the log, its hash found right.
pub(super) struct Sealed<'a> {
    pub(super) version: u64,
    pub(super) format: u32,
    pub(super) at: Millis,
    pub(super) body: &'a [u8],
}

impl Sealed<'_> {
    pub(super) fn decode(&self) -> Result<Event, Broken> {
        let version = self.version;
        if EVENT_VERSION < self.format {
            let format = self.format;
            return Err(Broken::Newer(format!(
                "event {version} has format {format}, this Baton knows up to {EVENT_VERSION}"
            )));
        }
        serde_json::from_slice(self.body)
            .map_err(|it| Broken::Newer(format!("event {version} is not known here: {it}")))
    }
}

/// Walks the events after `from`, at most `limit`, checking the chain from link to link.
pub(super) fn walk(
    db: &Connection,
    from: Tail,
    limit: u64,
    mut each: impl FnMut(&Sealed<'_>) -> Result<(), Broken>,
) -> Result<Tail, Broken> {
    let mut tail = from;
    let mut query = db.prepare_cached(
        "SELECT version, format, at, kind, body, hash FROM event
         WHERE ?1 < version ORDER BY version LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = query.query((from.version, limit))?;
    while let Some(row) = rows.next()? {
        let version: u64 = row.get(0)?;
        if version != tail.version + 1 {
            let missing = tail.version + 1;
            return Err(Broken::Wrong(format!("event {missing} is missing")));
        }
        let columns = columns::<5>(row)?;
        let hash = chain(&tail.hash, &columns);
        if row.get_ref(5)? != ValueRef::Blob(&hash) {
            return Err(Broken::Wrong(format!("event {version} was altered")));
        }
        each(&Sealed { version, format: row.get(1)?, at: row.get(2)?, body: bytes(columns[4]) })?;
        tail = Tail { version, hash };
    }
    Ok(tail)
}

pub(super) fn columns<'a, const N: usize>(row: &'a Row<'_>) -> rusqlite::Result<[ValueRef<'a>; N]> {
    let mut columns = [ValueRef::Null; N];
    for (n, column) in columns.iter_mut().enumerate() {
        *column = row.get_ref(n)?;
    }
    Ok(columns)
}

pub(super) fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => b"",
    }
}

/// The link to go on from: the hash of event `version`, taken as it is written there.
pub(super) fn link(db: &Connection, version: u64) -> Result<Tail, Broken> {
    if version == 0 {
        return Ok(Tail { version, hash: genesis() });
    }
    let hash = db
        .prepare_cached("SELECT hash FROM event WHERE version = ?1")?
        .query_row([version], |row| row.get(0))
        .optional()?;
    match hash {
        Some(hash) => Ok(Tail { version, hash }),
        None => Err(Broken::Wrong(format!("event {version} is missing"))),
    }
}

/// Where the log ends, taken as it is written there.
pub(super) fn tail(db: &Connection) -> Result<Tail, Broken> {
    let last: Option<u64> =
        db.prepare_cached("SELECT max(version) FROM event")?.query_row([], |row| row.get(0))?;
    link(db, last.unwrap_or(0))
}

pub(super) struct Replayed {
    pub(super) team: Team,
    pub(super) tail: Tail,
    /// Events applied one by one, after the checkpoint.
    pub(super) applied: u64,
    /// A checkpoint that doesn't match its hash was passed over.
    pub(super) bad_checkpoint: bool,
    pub(super) health: Arc<Health>,
}

/// Events after version `from`, at most `limit`.
pub(super) fn events(db: &Connection, from: u64, limit: u64) -> Result<Vec<Logged>, Broken> {
    let mut found = Vec::new();
    if tail(db)?.version <= from {
        return Ok(found);
    }
    let start = link(db, from)?;
    walk(db, start, limit, |event| {
        found.push((event.version, event.at, event.decode()?));
        Ok(())
    })?;
    Ok(found)
}

/// The journal of a run in order, without a gap.
pub(super) fn steps(db: &Connection, run: RunId) -> Result<Vec<Step>, Broken> {
    let mut query = db.prepare_cached(
        "SELECT run, n, kind, body, tree, at, sum FROM journal WHERE run = ?1 ORDER BY n",
    )?;
    let mut rows = query.query([run.0])?;
    let mut found: Vec<Step> = Vec::new();
    while let Some(row) = rows.next()? {
        let n: u32 = row.get(1)?;
        check_seal("journal", &columns::<6>(row)?, row.get_ref(6)?)?;
        if found.last().is_some_and(|last| last.n + 1 != n) {
            return Err(Broken::Wrong(format!("a step before {run}/{n} is missing")));
        }
        found.push(Step {
            n,
            kind: row.get(2)?,
            body: row.get(3)?,
            tree: row.get(4)?,
            at: row.get(5)?,
        });
    }
    Ok(found)
}

pub(super) fn output(db: &Connection, sha256: &str) -> Result<Option<Vec<u8>>, Broken> {
    let mut query = db.prepare_cached("SELECT sha256, bytes, sum FROM output WHERE sha256 = ?1")?;
    let mut rows = query.query([sha256])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    check_seal("output", &columns::<2>(row)?, row.get_ref(2)?)?;
    Ok(Some(row.get(1)?))
}

pub(super) fn buffers(db: &Connection, task: TaskId) -> Result<Vec<(String, Vec<u8>)>, Broken> {
    let mut query = db
        .prepare_cached("SELECT task, path, text, sum FROM buffer WHERE task = ?1 ORDER BY path")?;
    let mut rows = query.query([task.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        check_seal("buffer", &columns::<3>(row)?, row.get_ref(3)?)?;
        found.push((row.get(1)?, row.get(2)?));
    }
    Ok(found)
}

/// What was paid at or after `since`.
pub(super) fn spent(db: &Connection, since: Millis) -> Result<Usage, Broken> {
    let mut query = db.prepare_cached(
        "SELECT sum(calls), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
                sum(cache_write_tokens), sum(micros) FROM ledger WHERE ?1 <= at",
    )?;
    let usage = query.query_row([since], |row| {
        let number = |n| row.get::<_, Option<u64>>(n).map(Option::unwrap_or_default);
        Ok(Usage {
            calls: u32::try_from(number(0)?).unwrap_or(u32::MAX),
            input_tokens: number(1)?,
            output_tokens: number(2)?,
            cache_read_tokens: number(3)?,
            cache_write_tokens: number(4)?,
            micros: number(5)?,
            ..Usage::default()
        })
    })?;
    Ok(usage)
}

fn check_seal(table: &str, columns: &[ValueRef<'_>], found: ValueRef<'_>) -> Result<(), Broken> {
    if found == ValueRef::Blob(&seal(table, columns)) {
        Ok(())
    } else {
        Err(Broken::Wrong(format!("a row of {table} was altered")))
    }
}

/// Every row of every table, and SQLite's own check of its file. Reads everything.
pub(super) fn check_all(db: &Connection) -> Result<Tail, Broken> {
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(Broken::Wrong(said));
    }
    let tail = walk(db, link(db, 0)?, u64::MAX, |_| Ok(()))?;
    for (table, columns) in SEALED {
        let list = columns.join(", ");
        let mut query = db.prepare(&format!("SELECT {list}, sum FROM {table}"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let values =
                (0..columns.len()).map(|n| row.get_ref(n)).collect::<rusqlite::Result<Vec<_>>>()?;
            check_seal(table, &values, row.get_ref(columns.len())?)?;
        }
    }
    Ok(tail)
}
