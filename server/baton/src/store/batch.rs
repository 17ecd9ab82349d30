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

/// The rows of one `Write`, and what happens to rows that are there already.
struct Rows {
    rows: Vec<Sealed>,
    /// What names a row, speaking of its first `keys` columns.
    key: &'static str,
    keys: usize,
    there: There,
    /// The name of the fail-point.
    what: &'static str,
}

enum There {
    /// Another one is added: a call that is paid twice is there twice.
    Add,
    /// The same row stays; another one in its place is an error.
    Same,
    /// Whatever stands under that name stays.
    First,
    /// All rows of this task go first.
    Replace(TaskId),
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
                Rows { rows, key, keys: 2, there: There::Same, what: "journal" }
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
                Rows { rows, key, keys: 2, there: There::Add, what: "ledger" }
            }
            Write::Output { sha256, bytes } => {
                let columns = vec![Value::Text(sha256.clone()), Value::Blob(shortened(bytes))];
                let (rows, key) = (vec![Sealed::new("output", columns)], "sha256 = ?1");
                Rows { rows, key, keys: 1, there: There::First, what: "output" }
            }
            Write::Buffers { task, buffers } => {
                let mut rows = Vec::with_capacity(buffers.len());
                for (path, text) in buffers {
                    bounded("a buffer", text.len())?;
                    let task = Value::Integer(task.0.into());
                    let columns = vec![task, Value::Text(path.clone()), Value::Blob(text.clone())];
                    rows.push(Sealed::new("buffer", columns));
                }
                let there = There::Replace(*task);
                Rows { rows, key: "task = ?1 AND path = ?2", keys: 2, there, what: "buffer" }
            }
        })
    }

    fn put(&self, db: &Connection) -> rusqlite::Result<()> {
        if let There::Replace(task) = &self.there {
            db.prepare_cached("DELETE FROM buffer WHERE task = ?1")?.execute([task.0])?;
        }
        for row in &self.rows {
            let skip = match &self.there {
                There::Add | There::Replace(_) => false,
                There::Same => row.exists(db, self.key, self.keys),
                There::First => row.is_named(db, self.key, self.keys),
            };
            if !skip {
                row.insert(db)?;
            }
        }
        Ok(())
    }

    fn landed(&self, db: &Connection) -> bool {
        self.rows.iter().all(|row| match &self.there {
            There::First => row.is_named(db, self.key, self.keys),
            There::Add | There::Same | There::Replace(_) => row.exists(db, self.key, self.keys),
        })
    }
}

impl Store {
    /// Writes events in one transaction, after event `expected`; on disk when it returns. Returns
    /// the new version. Errors: `Store` where the log has moved on, `DiskFull`; then nothing of it
    /// was written.
    pub fn append(&mut self, expected: u64, events: &[Event], at: Millis) -> Result<u64, Failure> {
        self.write_all(expected, events, &[], at)?;
        Ok(self.tail.version)
    }

    /// Writes one step of a run. The same step again is no error; another one with its number is.
    pub fn journal(&mut self, run: RunId, step: &Step) -> Result<(), Failure> {
        self.write_one(Write::Step { run, step: step.clone() })
    }

    /// Keeps a command's output under the hash that its receipt names; of more than
    /// `OUTPUT_BYTES_MAX` bytes the head and the tail.
    pub fn put_output(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.write_one(Write::Output { sha256: sha256.to_owned(), bytes: bytes.to_vec() })
    }

    /// Writes down what one model call cost, as the provider said it. A call that is paid twice is
    /// there twice.
    pub fn ledger(
        &mut self,
        run: RunId,
        call: u32,
        usage: &Usage,
        raw: &str,
    ) -> Result<(), Failure> {
        self.write_one(Write::Ledger { run, call, usage: *usage, raw: raw.to_owned() })
    }

    /// Keeps the unsaved buffers that a task was delegated with, instead of those kept before.
    pub fn keep_buffers(
        &mut self,
        task: TaskId,
        buffers: &[(String, Vec<u8>)],
    ) -> Result<(), Failure> {
        self.write_one(Write::Buffers { task, buffers: buffers.to_vec() })
    }

    fn write_one(&mut self, write: Write) -> Result<(), Failure> {
        self.write_all(self.tail.version, &[], &[write], 0)
    }

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
        let start = self.tail;
        if expected != start.version {
            let text = format!("the log is at {}, not at {expected}", start.version);
            return Err(Failure::new(Code::Store, text).hint("read the log again"));
        }
        let mut tail = start;
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            let line = Line::after(&tail, event, at)?;
            tail = line.tail();
            lines.push(line);
        }
        let rest = writes.iter().map(Rows::of).collect::<Result<Vec<_>, _>>()?;
        let what = match (lines.first(), rest.first()) {
            (Some(_), _) => "append",
            (None, Some(first)) => first.what,
            (None, None) => return Ok(()),
        };
        self.write(
            what,
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
        if !lines.is_empty() {
            self.head.write(tail.version, &tail.hash);
        }
        Ok(())
    }
}
