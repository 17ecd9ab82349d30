//! The checkpoint: a frame, and one row for each entry of the team. A start reads the frame, what is
//! under way and the events after it; what ended is read when somebody looks at it. A checkpoint
//! writes the entries that changed since the one before.
//!
//! The log stays the truth. A row that is missing, altered, or newer than the frame that was read (its
//! owner has written another checkpoint meanwhile) is not believed: then the state at the frame is made
//! again from the events, which takes as long as it takes.

use super::rows::{self, Broken, CHECKPOINT_MADE_BY, Replayed, Tail};
use super::write::Sealed;
use super::{reader, seal};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use team::{
    ApprovalId, DecisionId, EndingId, Entry, Event, Fetch, Frame, Kept, Numbered, QuestionId,
    RunId, Shelf, TaskId, Team,
};

/// Events that are read at once while a checkpoint is brought up to date.
const EVENTS_MAX: u64 = 500;

/// What became of reading, told to whoever relies on it.
#[derive(Default)]
pub struct Health {
    /// A row was not to be believed: the next checkpoint is written whole.
    is_damaged: AtomicBool,
    unread: AtomicU64,
}

impl Health {
    /// How often an entry could be read neither from its row nor from the events. Whoever finds the
    /// number changed has seen too little, and must not act on it.
    pub fn unread(&self) -> u64 {
        self.unread.load(Ordering::Acquire)
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    pub(super) fn mended(&self) {
        self.is_damaged.store(false, Ordering::Release);
    }
}

/// Reads the entries of one checkpoint.
struct Rows {
    path: PathBuf,
    db: Mutex<Connection>,
    /// Of the frame.
    version: u64,
    /// The state at the frame, once a row was not to be believed.
    again: Mutex<Option<Team>>,
    health: Arc<Health>,
}

impl Rows {
    fn with<T>(&self, read: impl FnOnce(&Connection) -> T) -> T {
        read(&self.db.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn row<V: DeserializeOwned>(&self, kind: &str, number: u32) -> Result<V, Broken> {
        let wrong = |why: &str| Broken::Wrong(format!("{kind} {number} of the checkpoint {why}"));
        self.with(|db| {
            let mut query = db.prepare_cached(
                "SELECT kind, id, version, body, sum FROM entry WHERE kind = ?1 AND id = ?2",
            )?;
            let mut rows = query.query((kind, number))?;
            let Some(row) = rows.next()? else { return Err(wrong("is missing")) };
            let columns = rows::columns::<4>(row)?;
            if row.get_ref(4)? != ValueRef::Blob(&seal::seal("entry", &columns)) {
                return Err(wrong("was altered"));
            }
            if self.version < row.get(2)? {
                return Err(wrong("is newer"));
            }
            serde_json::from_slice(rows::bytes(columns[3])).map_err(|it| wrong(&it.to_string()))
        })
    }

    fn fetch<K, V>(self: &Arc<Self>, kind: &'static str, of: fn(&Team) -> &Kept<K, V>) -> Fetch<V>
    where
        K: Numbered + 'static,
        V: DeserializeOwned + Clone + 'static,
    {
        let rows = Arc::clone(self);
        Arc::new(move |number| match rows.row(kind, number) {
            Ok(it) => Some(it),
            Err(error) => {
                tracing::warn!(?error, "an entry is made again from the events");
                rows.health.is_damaged.store(true, Ordering::Release);
                rows.by_events(|team| of(team).get(&K::of(number)).map(|it| V::clone(it)))
            }
        })
    }

    fn by_events<V>(&self, get: impl FnOnce(&Team) -> Option<V>) -> Option<V> {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        if again.is_none() {
            match replay_all(&self.path, self.version) {
                Ok((team, _)) => *again = Some(team),
                Err(error) => {
                    tracing::error!(?error, "an entry can't be read");
                    self.health.unread.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
        again.as_ref().and_then(get)
    }

    fn shelf(self: &Arc<Self>) -> Shelf {
        Shelf {
            tasks: self.fetch::<TaskId, _>("task", |it| &it.tasks),
            runs: self.fetch::<RunId, _>("run", |it| &it.runs),
            approvals: self.fetch::<ApprovalId, _>("approval", |it| &it.approvals),
            questions: self.fetch::<QuestionId, _>("question", |it| &it.questions),
            decisions: self.fetch::<DecisionId, _>("decision", |it| &it.memory),
            endings: self.fetch::<EndingId, _>("ending", |it| &it.endings),
        }
    }

    fn events(&self, from: Tail) -> Result<(Vec<Event>, Tail), Broken> {
        let mut found = Vec::new();
        let tail = self.with(|db| {
            rows::walk(db, from, EVENTS_MAX, |event| {
                found.push(event.decode()?);
                Ok(())
            })
        })?;
        Ok((found, tail))
    }
}

/// The state after the last event: what the newest checkpoint holds, and the events after it.
pub(super) fn replay(path: &Path) -> Result<Replayed, Broken> {
    let db = reader::connect(path)?;
    // What is read here is one state, whatever the owner writes meanwhile.
    db.execute_batch("BEGIN")?;
    let (newest, mut bad_checkpoint) = newest(&db)?;
    if let Some((frame, from)) = newest {
        let (health, again) = (Arc::<Health>::default(), Mutex::default());
        let path = path.to_owned();
        let rows =
            Rows { path, db: Mutex::new(db), version: from.version, again, health: health.clone() };
        let rows = Arc::new(rows);
        let mut team = Team::fetched(frame, rows.shelf());
        read_open(&team);
        let mut tail = from;
        loop {
            let (events, upto) = rows.events(tail)?;
            if events.is_empty() {
                break;
            }
            events.iter().for_each(|it| team.apply(it));
            tail = upto;
        }
        rows.with(|db| db.execute_batch("COMMIT"))?;
        if !health.is_damaged() {
            let applied = tail.version - from.version;
            return Ok(Replayed { team, tail, applied, bad_checkpoint, health });
        }
        bad_checkpoint = true;
    }
    let (team, tail) = replay_all(path, u64::MAX)?;
    let health = Arc::default();
    Ok(Replayed { team, tail, applied: tail.version, bad_checkpoint, health })
}

/// What is under way is wanted at once, and read while it is sure to belong to the frame.
fn read_open(team: &Team) {
    for (_, task) in team.open_tasks() {
        task.runs.iter().for_each(|it| _ = team.runs.get(it));
        task.approvals.iter().for_each(|it| _ = team.approvals.get(it));
        task.asked.iter().for_each(|it| _ = team.questions.get(it));
    }
    // The next ending goes by the last one.
    _ = team.endings.last().and_then(|it| team.endings.get(&it));
}

/// The events up to `version`, from the first.
fn replay_all(path: &Path, version: u64) -> Result<(Team, Tail), Broken> {
    let db = reader::connect(path)?;
    let mut team = Team::default();
    let tail = rows::walk(&db, rows::link(&db, 0)?, version, |event| {
        team.apply(&event.decode()?);
        Ok(())
    })?;
    Ok((team, tail))
}

/// The frame of the checkpoint, if it can be gone on from; and whether there is one that was altered.
fn newest(db: &Connection) -> Result<(Option<(Frame, Tail)>, bool), Broken> {
    let mut bad = false;
    let mut query = db.prepare_cached(
        "SELECT version, made_by, hash, body, sum FROM checkpoint ORDER BY version DESC",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let columns = rows::columns::<4>(row)?;
        if row.get_ref(4)? != ValueRef::Blob(&seal::seal("checkpoint", &columns)) {
            bad = true;
            continue;
        }
        let from = match rows::link(db, row.get(0)?) {
            Ok(from) => from,
            Err(Broken::Wrong(_)) => continue,
            Err(error) => return Err(error),
        };
        let ours = columns[1] == ValueRef::Text(CHECKPOINT_MADE_BY.as_bytes())
            && columns[2] == ValueRef::Blob(&from.hash);
        if ours && let Ok(frame) = serde_json::from_slice(rows::bytes(columns[3])) {
            return Ok((Some((frame, from)), bad));
        }
    }
    Ok((None, bad))
}

/// The version of the checkpoint that another can be written upon.
pub(super) fn base(db: &Connection) -> Result<Option<u64>, Broken> {
    Ok(newest(db)?.0.map(|it| it.1.version))
}

/// The row of the frame.
pub(super) fn frame(team: &Team, at: &Tail) -> serde_json::Result<Sealed> {
    let body = serde_json::to_string(&team.frame())?;
    Ok(Sealed::new(
        "checkpoint",
        vec![
            integer(at.version),
            Value::Text(CHECKPOINT_MADE_BY.to_owned()),
            Value::Blob(at.hash.to_vec()),
            Value::Text(body),
        ],
    ))
}

/// Puts the entries into their rows: all of them in the place of whatever is there, or those alone that
/// changed since the checkpoint before.
pub(super) fn put(db: &Connection, team: &Team, is_whole: bool) -> rusqlite::Result<()> {
    if !is_whole {
        return team.changed().try_for_each(|(number, it)| put_one(db, team.version, number, it));
    }
    db.execute_batch("DELETE FROM entry")?;
    let mut left = team.len_of_all();
    for (number, it) in team.entries() {
        put_one(db, team.version, number, it)?;
        left = left.saturating_sub(1);
    }
    // One that can't be read now would be missing for good.
    if left == 0 { Ok(()) } else { Err(rusqlite::Error::QueryReturnedNoRows) }
}

fn put_one(db: &Connection, version: u64, number: u32, it: Entry<'_>) -> rusqlite::Result<()> {
    let body = serde_json::to_string(&it)
        .map_err(|it| rusqlite::Error::ToSqlConversionFailure(Box::new(it)))?;
    let kind = Value::Text(it.kind().to_owned());
    let number = Value::Integer(number.into());
    let row = Sealed::new("entry", vec![kind, number, integer(version), Value::Text(body)]);
    row.replace(db)
}

fn integer(it: u64) -> Value {
    Value::Integer(i64::try_from(it).unwrap_or(i64::MAX))
}
