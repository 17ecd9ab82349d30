//! Damaged files: whatever is done to them, the log opens, says so, and keeps what can be proven.

use super::{Dice, events, fill, open, replayed};
use baton::store::{Reader, Store};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use team::{Event, RunId, Team};
use tempfile::TempDir;

const OPEN_MS_MAX: u128 = 5_000;

fn database(dir: &Path) -> PathBuf {
    dir.join("baton.sqlite3")
}

/// The state folder's files as a crash leaves them: the last events are in the write-ahead log only.
fn crashed(count: u32) -> (TempDir, Vec<Event>) {
    let dir = TempDir::new().unwrap();
    let all = fill(dir.path(), count - 10);
    let mut store = open(dir.path()).store;
    let rest = &events(count)[all.len()..];
    store.append(all.len() as u64, rest, 3).unwrap();
    let copy = TempDir::new().unwrap();
    for name in ["baton.sqlite3", "baton.sqlite3-wal", "head"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    (copy, events(count))
}

fn copy_of(dir: &Path) -> TempDir {
    let copy = TempDir::new_in(if Path::new("/dev/shm").is_dir() {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    })
    .unwrap();
    for file in fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

/// Opens in time, with a beginning of what was written; anything less than all of it comes with a
/// note and the damaged file; and it goes on working. Returns how many events were kept.
fn opens(dir: &Path, all: &[Event], what: &str) -> usize {
    let asked = Instant::now();
    let opened = Store::open(dir).unwrap_or_else(|it| panic!("{what}: {it}"));
    let took = asked.elapsed().as_millis();
    assert!(took < OPEN_MS_MAX, "{what}: {took} ms");
    let kept = usize::try_from(opened.store.version()).unwrap();
    assert_eq!(opened.team, replayed(&all[..kept]), "{what}");
    let aside = fs::read_dir(dir).unwrap().any(|it| {
        let name = it.unwrap().file_name();
        name.to_string_lossy().contains(".damaged-1")
    });
    assert_eq!(aside, !opened.notes.is_empty(), "{what}: {:?}", opened.notes);
    assert!(kept == all.len() || aside, "{what}: {kept} events and no word");
    let mut store = opened.store;
    let version = store.append(kept as u64, &events(1), 9).unwrap();
    drop(store);
    let opened = open(dir);
    assert_eq!(opened.store.version(), version, "{what}");
    assert_eq!(opened.notes, Vec::<String>::new(), "{what}");
    drop(opened);
    assert_eq!(Reader::open(dir).unwrap().verify().unwrap().problem, None, "{what}");
    kept
}

#[test]
fn every_truncation_is_noticed_and_survived() {
    let (dir, all) = crashed(300);
    let size = fs::metadata(database(dir.path())).unwrap().len();
    assert!(20 * 4096 < size);
    for length in (0..size).step_by(4096) {
        let copy = copy_of(dir.path());
        let file = fs::OpenOptions::new().write(true).open(database(copy.path())).unwrap();
        file.set_len(length).unwrap();
        opens(copy.path(), &all, &format!("cut to {length}"));
    }
}

#[test]
fn every_truncation_of_the_write_ahead_log_is_noticed_and_survived() {
    let (dir, all) = crashed(60);
    let name = "baton.sqlite3-wal";
    let size = fs::metadata(dir.path().join(name)).unwrap().len();
    assert!(4096 < size);
    for length in (0..size).step_by(512) {
        let copy = copy_of(dir.path());
        let file = fs::OpenOptions::new().write(true).open(copy.path().join(name)).unwrap();
        file.set_len(length).unwrap();
        let kept = opens(copy.path(), &all, &format!("log cut to {length}"));
        assert!(50 <= kept, "what was in the main file stays: {kept}");
    }
    fs::remove_file(dir.path().join(name)).unwrap();
    assert_eq!(opens(dir.path(), &all, "no write-ahead log"), 50);
}

#[test]
fn a_thousand_flipped_bytes_are_noticed_or_harmless() {
    let (dir, all) = crashed(60);
    let seed = 20;
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    let wal = fs::read(dir.path().join("baton.sqlite3-wal")).unwrap();
    let main = fs::read(database(dir.path())).unwrap();
    let mut kept_all = 0;
    for n in 0..1_000 {
        let copy = copy_of(dir.path());
        // Every fourth in the header and the schema, where one byte changes the meaning of all.
        let below = if n % 4 == 0 { 4096 } else { main.len() + wal.len() };
        let at = usize::try_from(dice.roll(below as u64)).unwrap();
        let bit = 1_u8 << dice.roll(8);
        let (name, mut bytes, at) = if at < main.len() {
            ("baton.sqlite3", main.clone(), at)
        } else {
            ("baton.sqlite3-wal", wal.clone(), at - main.len())
        };
        bytes[at] ^= bit;
        fs::write(copy.path().join(name), bytes).unwrap();
        let kept = opens(copy.path(), &all, &format!("{name} byte {at} bit {bit}"));
        kept_all += usize::from(kept == all.len());
    }
    eprintln!("{kept_all} of 1000 kept every event");
    assert!(500 < kept_all, "{kept_all}");
}

#[test]
fn a_flip_in_the_first_page_costs_nothing() {
    let (dir, all) = crashed(60);
    let copy = copy_of(dir.path());
    let mut bytes = fs::read(database(copy.path())).unwrap();
    bytes[..4096].fill(0x5a);
    fs::write(database(copy.path()), bytes).unwrap();
    assert_eq!(opens(copy.path(), &all, "first page gone"), all.len());
}

#[test]
fn garbage_and_missing_files_are_survived() {
    let (dir, all) = crashed(60);
    let copy = copy_of(dir.path());
    fs::write(database(copy.path()), b"not a database at all").unwrap();
    let kept = opens(copy.path(), &all, "garbage");
    assert!(kept < all.len());

    let copy = copy_of(dir.path());
    fs::remove_file(database(copy.path())).unwrap();
    opens(copy.path(), &all, "missing file");

    let copy = copy_of(dir.path());
    let other = rusqlite::Connection::open(copy.path().join("other")).unwrap();
    other.execute_batch("CREATE TABLE event (x)").unwrap();
    other.close().unwrap();
    fs::remove_file(copy.path().join("baton.sqlite3-wal")).unwrap();
    fs::rename(copy.path().join("other"), database(copy.path())).unwrap();
    assert_eq!(opens(copy.path(), &all, "somebody else's database"), 0);
}

#[test]
fn an_altered_event_ends_the_log_before_it_and_says_which() {
    let (dir, all) = crashed(60);
    let tamper = rusqlite::Connection::open(database(dir.path())).unwrap();
    tamper
        .execute(
            "UPDATE event SET body = replace(body, 'bug number', 'big numbr') WHERE version = 41",
            [],
        )
        .unwrap();
    tamper.close().unwrap();
    let opened = open(dir.path());
    assert_eq!(opened.team, replayed(&all[..40]));
    let note = &opened.notes[0];
    let expected = "the log was damaged (event 41 was altered): 40 of 60 events were kept, \
                    the damaged file is baton.sqlite3.damaged-1";
    assert_eq!(note, expected);
    // Runs whose start is lost will get their numbers again, so their journals must not be found.
    assert_eq!(opened.store.steps(RunId(1)).unwrap().len(), 10);
    // What was paid stays paid.
    assert_eq!(opened.store.spent_since(0).unwrap().calls, 10);
    // The damaged file is still all there.
    let aside = dir.path().join("baton.sqlite3.damaged-1");
    let db = rusqlite::Connection::open(aside).unwrap();
    let count: u32 = db.query_row("SELECT count(*) FROM event", [], |it| it.get(0)).unwrap();
    assert_eq!(count, 60);
}

/// A journal whose run the log no longer knows is not handed to the next run of that number.
#[test]
fn a_lost_run_leaves_no_journal_behind() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    store.append(0, &events(8), 0).unwrap();
    for run in [1, 2] {
        store.journal(RunId(run), &super::step(1, "{}")).unwrap();
        store.ledger(RunId(run), 1, &super::usage(1), "{}").unwrap();
    }
    drop(store);
    let tamper = rusqlite::Connection::open(database(dir.path())).unwrap();
    tamper.execute("DELETE FROM event WHERE 4 < version", []).unwrap();
    tamper.close().unwrap();
    let opened = open(dir.path());
    assert_eq!(opened.team, replayed(&events(4)));
    assert!(opened.notes[0].contains("ends at event 4, but 8 were written"));
    assert_eq!(opened.store.steps(RunId(1)).unwrap().len(), 1);
    assert_eq!(opened.store.steps(RunId(2)).unwrap().len(), 0);
    assert_eq!(opened.store.spent_since(0).unwrap().calls, 2);
}

#[test]
fn a_salvage_that_was_cut_off_is_finished() {
    let (dir, all) = crashed(60);
    let path = database(dir.path());
    fs::write(&path, b"garbage").unwrap();
    fs::remove_file(dir.path().join("baton.sqlite3-wal")).unwrap();
    let whole = TempDir::new().unwrap();
    fill(whole.path(), 60);
    fs::copy(database(whole.path()), dir.path().join("baton.sqlite3.new")).unwrap();
    // Cut off before the first rename: the new file may be half-written and is made again.
    let copy = copy_of(dir.path());
    assert_eq!(open(copy.path()).team, Team::default());
    // Cut off between the renames.
    fs::rename(&path, dir.path().join("baton.sqlite3.damaged-1")).unwrap();
    fs::write(dir.path().join("baton.sqlite3-wal"), b"of the damaged one").unwrap();
    let opened = open(dir.path());
    assert_eq!(opened.team, replayed(&all));
    let wal = fs::read(dir.path().join("baton.sqlite3.damaged-1-wal")).unwrap();
    assert_eq!(wal, b"of the damaged one");
}

#[test]
fn damage_seen_while_running_is_looked_into_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    fill(dir.path(), 20);
    let store = open(dir.path()).store;
    let tamper = rusqlite::Connection::open(database(dir.path())).unwrap();
    tamper.execute("UPDATE journal SET body = 'x' WHERE n = 3", []).unwrap();
    tamper.close().unwrap();
    let failure = store.steps(RunId(1)).unwrap_err();
    assert!(failure.hint.contains("start Baton again"), "{failure}");
    drop(store);
    assert!(dir.path().join("baton.sqlite3.suspect").exists());
    let opened = open(dir.path());
    assert!(opened.notes[0].contains("a row of journal was altered"), "{:?}", opened.notes);
    assert_eq!(opened.store.version(), 20);
    assert!(!dir.path().join("baton.sqlite3.suspect").exists());
}

/// SQLite turns a new file into one with a write-ahead log under a journal of the older kind. Killed
/// in there, page one is written and the journal says that there was no page: only a connection
/// that may write can take that back.
#[test]
fn a_log_that_was_being_born_is_no_log_yet() {
    let dir = TempDir::new().unwrap();
    let _owner = open(dir.path());
    let born = TempDir::new().unwrap();
    fs::copy(database(dir.path()), database(born.path())).unwrap();
    assert_eq!(fs::metadata(database(born.path())).unwrap().len(), 4096);
    fs::write(born.path().join("baton.sqlite3-journal"), journal_of_nothing()).unwrap();
    let no_log = Reader::open(born.path()).err().map(|it| it.text);
    assert_eq!(no_log.as_deref(), Some("there is no log yet"));
    assert_eq!(opens(born.path(), &[], "killed while it was born"), 0);
}

/// The header of a rollback journal over a database of no pages, as SQLite's page on its file format
/// (chapter 3) has it: magic, records, nonce, pages before, sector and page size; then to the sector's end.
fn journal_of_nothing() -> Vec<u8> {
    let mut res = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0u32, 7, 0, 512, 4096] {
        res.extend(number.to_be_bytes());
    }
    res.resize(512, 0);
    res
}
