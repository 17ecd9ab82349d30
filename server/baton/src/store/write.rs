//! What goes into the tables: an event chained to the one before it, and other rows with their seal.

use super::bounded;
use super::rows::Tail;
use super::seal::{Hash, chain, seal};
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use team::{Code, EVENT_VERSION, Event, Failure, Millis};

/// One event on its way into the log.
pub(super) struct Line {
    version: u64,
    at: Millis,
    kind: String,
    body: String,
    hash: Hash,
}

impl Line {
    pub(super) fn after(tail: &Tail, event: &Event, at: Millis) -> Result<Line, Failure> {
        let body = serde_json::to_string(event)
            .map_err(|it| Failure::new(Code::Bug, format!("an event is no JSON: {it}")))?;
        bounded("an event", body.len())?;
        // `{"TaskLanded":{..}}`: the name of the variant is the first string.
        let kind = body.split('"').nth(1).unwrap_or_default().to_owned();
        let mut line = Line { version: tail.version + 1, at, kind, body, hash: tail.hash };
        let columns = line.columns();
        let values: Vec<ValueRef<'_>> = columns[..5].iter().map(as_ref).collect();
        line.hash = chain(&tail.hash, &values);
        Ok(line)
    }

    pub(super) fn tail(&self) -> Tail {
        Tail { version: self.version, hash: self.hash }
    }

    pub(super) fn columns(&self) -> [ToSqlOutput<'_>; 6] {
        let integer = |it: u64| {
            let number = i64::try_from(it).unwrap_or(i64::MAX);
            ToSqlOutput::Owned(Value::Integer(number))
        };
        [
            integer(self.version),
            integer(EVENT_VERSION.into()),
            integer(self.at),
            ToSqlOutput::Borrowed(ValueRef::Text(self.kind.as_bytes())),
            ToSqlOutput::Borrowed(ValueRef::Text(self.body.as_bytes())),
            ToSqlOutput::Borrowed(ValueRef::Blob(&self.hash)),
        ]
    }
}

/// A row of another table, with its seal.
pub(super) struct Sealed {
    table: &'static str,
    values: Vec<Value>,
    sum: Hash,
}

impl Sealed {
    pub(super) fn new(table: &'static str, values: Vec<Value>) -> Sealed {
        let columns: Vec<ValueRef<'_>> = values.iter().map(ValueRef::from).collect();
        let sum = seal(table, &columns);
        Sealed { table, values, sum }
    }

    pub(super) fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        self.put(db, "INSERT")
    }

    /// In the place of the row with the same name.
    pub(super) fn replace(&self, db: &Connection) -> rusqlite::Result<()> {
        self.put(db, "INSERT OR REPLACE")
    }

    fn put(&self, db: &Connection, how: &str) -> rusqlite::Result<()> {
        let marks = vec!["?"; self.values.len() + 1].join(", ");
        let sql = format!("{how} INTO {} VALUES ({marks})", self.table);
        let sum = Value::Blob(self.sum.to_vec());
        db.prepare_cached(&sql)?
            .execute(rusqlite::params_from_iter(self.values.iter().chain([&sum])))?;
        Ok(())
    }

    /// A row of this name is there, whatever else it holds; `key` speaks of its first `n` columns.
    pub(super) fn is_named(&self, db: &Connection, key: &str, n: usize) -> bool {
        let sql = format!("SELECT 1 FROM {} WHERE {key}", self.table);
        db.prepare_cached(&sql)
            .and_then(|mut it| it.exists(rusqlite::params_from_iter(&self.values[..n])))
            .unwrap_or(false)
    }

    /// Exactly this row is there; `key` speaks of its first `n` columns.
    pub(super) fn exists(&self, db: &Connection, key: &str, n: usize) -> bool {
        let sum = n + 1;
        let sql = format!("SELECT 1 FROM {} WHERE {key} AND sum = ?{sum}", self.table);
        let seal = Value::Blob(self.sum.to_vec());
        let values = self.values[..n].iter().chain([&seal]);
        db.prepare_cached(&sql)
            .and_then(|mut it| it.exists(rusqlite::params_from_iter(values)))
            .unwrap_or(false)
    }
}

fn as_ref<'a>(value: &'a ToSqlOutput<'_>) -> ValueRef<'a> {
    match value {
        ToSqlOutput::Borrowed(it) => *it,
        ToSqlOutput::Owned(it) => ValueRef::from(it),
        _ => ValueRef::Null,
    }
}
