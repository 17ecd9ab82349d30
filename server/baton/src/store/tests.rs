//! Tests of the store that need its inside: steps of migration that have not been invented yet.

use super::schema::{STEPS, migrate, version};
use super::{DATABASE, Store, connect};
use rusqlite::Connection;
use std::path::Path;
use team::{Code, Event, TaskId};
use tempfile::TempDir;

fn cancelled(task: u32) -> Event {
    Event::TaskCancelled { task: TaskId(task), at: 5 }
}

fn count(path: &Path) -> u32 {
    let db = Connection::open(path).unwrap();
    db.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_migration_keeps_a_copy_and_every_event() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(DATABASE);
    let mut store = Store::open(dir.path()).unwrap().store;
    store.append(0, &[cancelled(1), cancelled(2)], 5).unwrap();
    drop(store);

    let mut steps = STEPS.to_vec();
    steps.push("ALTER TABLE ledger ADD COLUMN model TEXT");
    steps.push("CREATE TABLE later (x INTEGER) STRICT");
    let mut db = connect(&path).unwrap();
    let done = migrate(&mut db, &path, &steps).unwrap().unwrap();
    assert_eq!(done.from, STEPS.len());
    assert_eq!(version(&db).unwrap(), steps.len());
    db.prepare("SELECT model FROM ledger").unwrap();
    drop(db);
    assert_eq!(count(&path), 2);
    let backup = done.backup.unwrap();
    assert_eq!(count(&backup), 2);
    assert_eq!(version(&Connection::open(&backup).unwrap()).unwrap(), STEPS.len());
    // Today's Baton can't read tomorrow's log, and says so.
    let failure = Store::open(dir.path()).map(|_| ()).unwrap_err();
    assert!(failure.hint.contains("newer Baton"), "{failure}");
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(DATABASE);
    let mut store = Store::open(dir.path()).unwrap().store;
    store.append(0, &[cancelled(1)], 5).unwrap();
    drop(store);

    let mut steps = STEPS.to_vec();
    steps.push("DROP TABLE event");
    steps.push("this is no SQL");
    let mut db = connect(&path).unwrap();
    let failure = migrate(&mut db, &path, &steps).map(|_| ()).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    drop(db);
    let opened = Store::open(dir.path()).unwrap();
    assert_eq!(opened.store.version(), 1);
    assert_eq!(opened.notes, Vec::<String>::new());
}

#[test]
fn a_database_that_is_up_to_date_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(DATABASE);
    drop(Store::open(dir.path()).unwrap());
    let mut db = connect(&path).unwrap();
    assert!(migrate(&mut db, &path, STEPS).unwrap().is_none());
    assert_eq!(version(&db).unwrap(), STEPS.len());
}
