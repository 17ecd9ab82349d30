//! Everything of one step in one transaction: the events, and what belongs to them. One fsync.

use super::rows::{self, Broken};
use super::{Failure, Line, Sealed, Step, Store, bounded, now, number, shortened};
use rusqlite::Connection;
use rusqlite::types::Value;
use team::{Code, Event, Millis, RunId, TaskId, Usage};

/// What is written besides events.
#[derive(Clone, Debug)]
pub enum Write {
    /// A step of a run's journal. The same step again is no error; another one with its number is.
    Step { run: RunId, step: Step },
    /// What one model call cost, as the provider said it.
    Ledger { run: RunId, call: u32, usage: Usage, raw: String },
    /// A command's output under the hash that its receipt names.
    Output { sha256: String, bytes: Vec<u8> },
    /// The unsaved buffers that a task was delegated with: path in the repository, text.
    Buffers { task: TaskId, buffers: Vec<(String, Vec<u8>)> },
}

/// Rows of one `Write`, and whether rows that are there already are left as they are.
struct Rows {
    rows: Vec<Sealed>,
    key: &'static str,
    keys: usize,
    once: bool,
}

impl Rows {
    fn of(write: &Write) -> Result<Rows, Failure> {
        Ok(match write {
            Write::Step { run, step } => {
                bounded("a journal step", step.body.len())?;
                let columns = vec![
                    Value::Integer(run.0.into()),
                    Value::Integer(step.n.into()),
                    Value::Text(step.kind.clone()),
                    Value::Text(step.body.clone()),
                    step.tree.clone().map_or(Value::Null, Value::Text),
                    number(step.at)?,
                ];
                let (rows, key) = (vec![Sealed::new("journal", columns)], "run = ?1 AND n = ?2");
                Rows { rows, key, keys: 2, once: true }
            }
            Write::Ledger { run, call, usage, raw } => {
                bounded("a usage record", raw.len())?;
                let columns = vec![
                    Value::Integer(run.0.into()),
                    Value::Integer((*call).into()),
                    number(now())?,
                    Value::Integer(usage.calls.into()),
                    number(usage.input_tokens)?,
                    number(usage.output_tokens)?,
                    number(usage.cache_read_tokens)?,
                    number(usage.cache_write_tokens)?,
                    number(usage.micros)?,
                    Value::Text(raw.clone()),
                ];
                let (rows, key) = (vec![Sealed::new("ledger", columns)], "run = ?1 AND call = ?2");
                Rows { rows, key, keys: 2, once: false }
            }
            Write::Output { sha256, bytes } => {
                let columns = vec![Value::Text(sha256.clone()), Value::Blob(shortened(bytes))];
                let (rows, key) = (vec![Sealed::new("output", columns)], "sha256 = ?1");
                Rows { rows, key, keys: 1, once: true }
            }
            Write::Buffers { task, buffers } => {
                let mut rows = Vec::with_capacity(buffers.len());
                for (path, text) in buffers {
                    bounded("a buffer", text.len())?;
                    let task = Value::Integer(task.0.into());
                    let columns = vec![task, Value::Text(path.clone()), Value::Blob(text.clone())];
                    rows.push(Sealed::new("buffer", columns));
                }
                Rows { rows, key: "task = ?1 AND path = ?2", keys: 2, once: true }
            }
        })
    }

    fn put(&self, db: &Connection) -> rusqlite::Result<()> {
        for row in &self.rows {
            if !(self.once && row.exists(db, self.key, self.keys)) {
                row.insert(db)?;
            }
        }
        Ok(())
    }

    fn landed(&self, db: &Connection) -> bool {
        self.rows.iter().all(|it| it.exists(db, self.key, self.keys))
    }
}

impl Store {
    /// Writes events after event `expected`, and what belongs to them, in one transaction; on disk
    /// when it returns. Errors: `Store` where the log has moved on, `DiskFull`; then nothing of it
    /// was written.
    pub fn write_all(
        &mut self,
        expected: u64,
        events: &[Event],
        writes: &[Write],
        at: Millis,
    ) -> Result<(), Failure> {
        if expected != self.tail.version {
            let version = self.tail.version;
            let text = format!("append after event {expected}: the log is at {version}");
            return Err(Failure::new(Code::Store, text).hint("read the log again"));
        }
        let start = self.tail;
        let mut tail = start;
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            let line = Line::after(&tail, event, at)?;
            tail = line.tail();
            lines.push(line);
        }
        let rest = writes.iter().map(Rows::of).collect::<Result<Vec<_>, _>>()?;
        self.write(
            "append",
            |db| {
                // The lock keeps others out; this keeps out a second Baton that ignores the lock.
                match rows::tail(db) {
                    Ok(found) if found == start => {}
                    Ok(_) | Err(Broken::Wrong(_) | Broken::Newer(_)) => {
                        return Err(rusqlite::Error::StatementChangedRows(0));
                    }
                    Err(Broken::Sql(error)) => return Err(error),
                }
                let mut insert =
                    db.prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)")?;
                for line in &lines {
                    insert.execute(rusqlite::params_from_iter(line.columns()))?;
                }
                rest.iter().try_for_each(|it| it.put(db))
            },
            |db| {
                matches!(rows::tail(db), Ok(found) if found == tail)
                    && rest.iter().all(|it| it.landed(db))
            },
        )?;
        self.tail = tail;
        self.head.write(tail.version, &tail.hash);
        Ok(())
    }
}
