//! Older and newer databases.

use super::{events, open, replayed};
use baton::store::{Reader, Store};
use std::path::{Path, PathBuf};
use team::{Code, RunId, TaskId};
use tempfile::TempDir;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/store/format-1.sql")
}

/// As `.dump` would write it, in a fixed order.
fn dump(dir: &Path) -> String {
    let db = rusqlite::Connection::open(dir.join("baton.sqlite3")).unwrap();
    let mut text = String::new();
    let mut tables = Vec::new();
    let mut query = db
        .prepare("SELECT sql, type, name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        text += &(row.get::<_, String>(0).unwrap() + ";\n");
        if row.get::<_, String>(1).unwrap() == "table" {
            tables.push(row.get::<_, String>(2).unwrap());
        }
    }
    for table in tables {
        let width = db.prepare(&format!("SELECT * FROM {table}")).unwrap().column_count();
        let names: Vec<String> = (1..=width).map(|n| format!("quote(c{n})")).collect();
        let columns: Vec<String> = (1..=width).map(|n| format!("c{n}")).collect();
        let sql = format!(
            "WITH it ({}) AS (SELECT * FROM {table}) SELECT concat_ws(', ', {}) FROM it",
            columns.join(", "),
            names.join(", ")
        );
        let mut query = db.prepare(&sql).unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: String = row.get(0).unwrap();
            text += &format!("INSERT INTO {table} VALUES ({values});\n");
        }
    }
    for pragma in ["application_id", "user_version"] {
        let value: i64 = db.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        text += &format!("PRAGMA {pragma} = {value};\n");
    }
    text
}

/// A log of the first format, as it was written then, opens with nothing lost. `UPDATE=1` writes the
/// fixture again, which is right only as long as that format has not shipped.
#[test]
fn a_log_of_the_first_format_opens() {
    let dir = TempDir::new().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        super::fill(dir.path(), 12);
        std::fs::write(fixture(), dump(dir.path())).unwrap();
    }
    let dir = TempDir::new().unwrap();
    let db = rusqlite::Connection::open(dir.path().join("baton.sqlite3")).unwrap();
    db.execute_batch(&std::fs::read_to_string(fixture()).unwrap()).unwrap();
    db.close().unwrap();

    let opened = open(dir.path());
    assert_eq!(opened.notes, Vec::<String>::new());
    assert_eq!(opened.team, replayed(&events(12)));
    assert_eq!(opened.store.steps(RunId(1)).unwrap().len(), 3);
    assert_eq!(opened.store.buffers(TaskId(1)).unwrap().len(), 1);
    assert_eq!(opened.store.spent_since(0).unwrap().calls, 3);
    let output = opened.store.output(&format!("{:064}", 2)).unwrap();
    assert_eq!(output.unwrap(), "output 2 ".repeat(60).as_bytes());
}

#[test]
fn a_newer_log_is_refused_by_name_and_untouched() {
    let dir = TempDir::new().unwrap();
    super::fill(dir.path(), 12);
    let path = dir.path().join("baton.sqlite3");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "PRAGMA user_version = 99; UPDATE meta SET value = '99' WHERE key = 'schema';
         CREATE TABLE from_the_future (x);",
    )
    .unwrap();
    db.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    let failure = Store::open(dir.path()).map(|_| ()).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert!(failure.text.contains("format 99"), "{failure}");
    assert!(failure.hint.contains("newer Baton"), "{failure}");
    assert!(Reader::open(dir.path()).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// The tables are as today's, an event is not.
#[test]
fn an_event_of_a_newer_format_is_refused_by_name_and_untouched() {
    for (column, value) in [("format", "2"), ("body", "'{\"TaskTeleported\":{}}'")] {
        let dir = TempDir::new().unwrap();
        super::fill(dir.path(), 12);
        let path = dir.path().join("baton.sqlite3");
        let db = rusqlite::Connection::open(&path).unwrap();
        let (mut hash, mut columns): (Vec<u8>, Vec<rusqlite::types::Value>) = db
            .query_row("SELECT hash FROM event WHERE version = 11", [], |row| {
                Ok((row.get(0)?, Vec::new()))
            })
            .unwrap();
        let sql = format!("UPDATE event SET {column} = {value} WHERE version = 12");
        db.execute(&sql, []).unwrap();
        db.query_row(
            "SELECT version, format, at, kind, body FROM event WHERE version = 12",
            [],
            |row| {
                for n in 0..5 {
                    columns.push(row.get(n)?);
                }
                Ok(())
            },
        )
        .unwrap();
        hash = sealed(&hash, &columns);
        db.execute("UPDATE event SET hash = ?1 WHERE version = 12", [hash]).unwrap();
        db.close().unwrap();
        // The head remembers the event that stood there; a newer Baton would have written it anew.
        std::fs::remove_file(dir.path().join("head")).unwrap();
        let before = std::fs::read(&path).unwrap();
        let failure = Store::open(dir.path()).map(|_| ()).unwrap_err();
        assert!(failure.text.contains("event 12"), "{failure}");
        assert!(failure.hint.contains("newer Baton"), "{failure}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

/// The chain, written a second time from its description: previous hash, `event`, then each column
/// with its kind and length.
fn sealed(previous: &[u8], columns: &[rusqlite::types::Value]) -> Vec<u8> {
    use rusqlite::types::Value;
    use sha2::Digest;
    let mut bytes = [previous, b"event"].concat();
    for column in columns {
        match column {
            Value::Integer(number) => {
                bytes.push(b'i');
                bytes.extend(number.to_be_bytes());
            }
            Value::Text(text) => {
                bytes.push(b't');
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
            other => panic!("an event has no such column: {other:?}"),
        }
    }
    sha2::Sha256::digest(&bytes).to_vec()
}
