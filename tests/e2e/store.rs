//! The log as the hub uses it: appended, replayed, read beside its owner, and what happens when the
//! disk, the process or the file fails.

mod damage;
mod faults;
mod migrate;
mod power;
mod shelf;

use baton::store::{OUTPUT_BYTES_MAX, Opened, Reader, Step, Store, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use team::{
    Brief, Code, CommitId, Decision, Duty, Event, Origin, RunId, Start, TaskId, Team, Usage, Work,
};
use tempfile::TempDir;

/// Numbers that look random and can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

fn usage(n: u64) -> Usage {
    Usage {
        calls: 1,
        input_tokens: n,
        output_tokens: 2,
        cache_read_tokens: 3,
        cache_write_tokens: 4,
        micros: 5,
        ..Usage::default()
    }
}

/// What happened `n`-th: every fourth event delegates a task, the rest happens to it.
fn event(n: u32) -> Event {
    let task = TaskId(n / 4 + 1);
    let run = RunId(n / 4 + 1);
    match n % 4 {
        0 => Event::TaskDelegated {
            task,
            brief: Brief::new(
                format!("fix the bug number {n}, mind the \"quotes\" and ünïcödé"),
                Origin::CommandLine,
            ),
            at: u64::from(n),
        },
        1 => Event::RunStarted {
            run,
            task,
            work: Work::Role {
                duty: Duty::Triage,
                on: CommitId("3f2a".repeat(10)),
                start: Start::Fresh,
            },
            at: u64::from(n),
            deadline_at: u64::from(n) + 1000,
        },
        2 => Event::RunSpent { run, usage: usage(u64::from(n)), at: 7 },
        _ => Event::DecisionRecorded {
            task,
            decision: Decision {
                by: team::By::Rule,
                what: format!("decision {n}"),
                why: "because ".repeat(usize::try_from(n % 50).unwrap()),
            },
        },
    }
}

fn events(count: u32) -> Vec<Event> {
    (0..count).map(event).collect()
}

fn replayed(events: &[Event]) -> Team {
    let mut team = Team::default();
    events.iter().for_each(|it| team.apply(it));
    team
}

fn step(n: u32, body: &str) -> Step {
    Step {
        n,
        kind: "reply".into(),
        body: body.into(),
        tree: n.is_multiple_of(2).then(|| "aa11".repeat(10)),
        at: u64::from(n) * 10,
    }
}

fn open(dir: &Path) -> Opened {
    Store::open(dir).unwrap()
}

/// A log with a bit of everything in it; returns its events.
fn fill(dir: &Path, count: u32) -> Vec<Event> {
    let mut store = open(dir).store;
    let all = events(count);
    for (n, few) in all.chunks(5).enumerate() {
        let n = u32::try_from(n).unwrap();
        let version = store.version();
        store.append(version, few, u64::from(n)).unwrap();
        store.journal(RunId(1), &step(n + 1, &format!("{{\"n\": {n}}}"))).unwrap();
        store
            .put_output(&format!("{n:064}"), format!("output {n} ").repeat(60).as_bytes())
            .unwrap();
        store.ledger(RunId(1), n, &usage(1), "{}").unwrap();
    }
    store.keep_buffers(TaskId(1), &[("src/a.rs".into(), b"fn a() {}".repeat(700))]).unwrap();
    all
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let all = events(10);
    let mut opened = open(dir.path());
    assert_eq!(opened.team, Team::default());
    assert_eq!(opened.store.append(0, &all[..3], 7).unwrap(), 3);
    assert_eq!(opened.store.append(3, &all[3..], 8).unwrap(), 10);
    assert_eq!(opened.store.append(10, &[], 9).unwrap(), 10);
    drop(opened);

    let opened = open(dir.path());
    assert_eq!(opened.team, replayed(&all));
    assert_eq!(opened.store.version(), 10);
    assert!(opened.notes.is_empty(), "{:?}", opened.notes);

    let reader = Reader::open(dir.path()).unwrap();
    let seen = reader.events(2, 2).unwrap();
    assert_eq!(seen, [(3, 7, all[2].clone()), (4, 8, all[3].clone())]);
    assert_eq!(reader.events(10, 5).unwrap(), []);
    assert_eq!(reader.verify().unwrap().problem, None);
}

#[test]
fn an_append_to_a_log_that_moved_on_is_refused_and_writes_nothing() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    store.append(0, &events(2), 0).unwrap();
    let failure = store.append(1, &events(1), 0).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert!(failure.text.contains("the log is at 2"), "{failure}");
    assert_eq!(store.append(2, &events(1), 0).unwrap(), 3);
}

#[test]
fn a_log_has_one_owner_and_the_second_is_told_who() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path());
    let asked = std::time::Instant::now();
    let failure = Store::open(dir.path()).map(|_| ()).unwrap_err();
    assert!(asked.elapsed().as_millis() < 1000);
    assert_eq!(failure.code, Code::Locked);
    let pid = std::process::id().to_string();
    assert!(failure.text.contains(&pid), "{failure}");
    drop(opened);
    open(dir.path());
}

#[test]
fn nobody_else_can_read_it() {
    let dir = TempDir::new().unwrap();
    let state = dir.path().join("deep").join("state");
    let mut store = open(&state).store;
    store.append(0, &events(3), 0).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let mut seen = 0;
    for file in std::fs::read_dir(&state).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert!(5 <= seen, "database, -wal, -shm, lock, head: {seen}");
}

#[test]
fn a_checkpoint_changes_nothing_but_the_time_it_takes() {
    let dir = TempDir::new().unwrap();
    let all = events(60);
    let mut opened = open(dir.path());
    opened.store.append(0, &all[..40], 0).unwrap();
    opened.store.checkpoint(&mut replayed(&all[..40])).unwrap();
    opened.store.append(40, &all[40..], 0).unwrap();
    drop(opened);
    let with = open(dir.path()).team;

    let tamper = |sql: &str| {
        let db = rusqlite::Connection::open(dir.path().join("baton.sqlite3")).unwrap();
        db.execute_batch(sql).unwrap();
    };
    // A checkpoint that another Baton made says nothing here.
    tamper("UPDATE checkpoint SET made_by = 'other'");
    let other = open(dir.path());
    assert_eq!(other.notes.len(), 1, "{:?}", other.notes);
    drop(other.store);
    tamper("DELETE FROM checkpoint");
    let without = open(dir.path()).team;
    assert_eq!(with, replayed(&all));
    assert_eq!(other.team, with);
    assert_eq!(without, with);
}

#[test]
fn opening_a_long_log_leaves_a_checkpoint() {
    let dir = TempDir::new().unwrap();
    let all = events(1_200);
    open(dir.path()).store.append(0, &all, 0).unwrap();
    let count = || {
        let db = rusqlite::Connection::open(dir.path().join("baton.sqlite3")).unwrap();
        db.query_row("SELECT count(*) FROM checkpoint", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(count(), 0);
    assert_eq!(open(dir.path()).team, replayed(&all));
    assert_eq!(count(), 1);
    assert_eq!(open(dir.path()).team, replayed(&all));
}

#[test]
fn the_journal_gives_back_every_byte() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    let bodies = ["{\"b\":1, \"a\" : 2}", "  [1,2]\n", "{\"signature\":\"\u{0}\u{fffd}ß\"}"];
    for (n, body) in (1..).zip(bodies) {
        store.journal(RunId(4), &step(n, body)).unwrap();
    }
    // After a crash the same step may come again; another one in its place may not.
    store.journal(RunId(4), &step(2, bodies[1])).unwrap();
    assert!(store.journal(RunId(4), &step(2, "other")).is_err());
    store.journal(RunId(5), &step(1, "{}")).unwrap();
    drop(store);

    let store = open(dir.path()).store;
    let steps = store.steps(RunId(4)).unwrap();
    assert_eq!(steps, [step(1, bodies[0]), step(2, bodies[1]), step(3, bodies[2])]);
    assert_eq!(store.steps(RunId(6)).unwrap(), []);
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.steps(RunId(4)).unwrap(), steps);
}

#[test]
fn outputs_are_bounded_and_keep_head_and_tail() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    let mut long = b"head".to_vec();
    long.resize(3 * OUTPUT_BYTES_MAX, b'x');
    long.extend_from_slice(b"tail");
    store.put_output("aa", b"short \xff\x00").unwrap();
    store.put_output("bb", &long).unwrap();
    store.put_output("aa", b"the first stays").unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.output("aa").unwrap().unwrap(), b"short \xff\x00");
    let kept = reader.output("bb").unwrap().unwrap();
    assert!(kept.len() <= OUTPUT_BYTES_MAX);
    assert!(kept.starts_with(b"head") && kept.ends_with(b"tail"));
    assert_eq!(reader.output("cc").unwrap(), None);
}

#[test]
fn the_ledger_counts_a_call_that_was_paid_twice_twice() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    store.ledger(RunId(1), 1, &usage(10), "{}").unwrap();
    store.ledger(RunId(1), 1, &usage(10), "{}").unwrap();
    store.ledger(RunId(2), 1, &usage(100), "{\"raw\": 1}").unwrap();
    let spent = Reader::open(dir.path()).unwrap().spent().unwrap();
    assert_eq!((spent.calls, spent.input_tokens, spent.micros), (3, 120, 15));
    assert_eq!(store.spent_since(u64::from(u32::MAX) << 20).unwrap(), Usage::default());
}

#[test]
fn buffers_are_kept_per_task() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    let first = [("b.rs".to_owned(), b"two".to_vec()), ("a.rs".to_owned(), vec![0, 255])];
    store.keep_buffers(TaskId(1), &first).unwrap();
    store.keep_buffers(TaskId(2), &first[..1]).unwrap();
    let kept = store.buffers(TaskId(1)).unwrap();
    assert_eq!(kept, [first[1].clone(), first[0].clone()]);
    store.keep_buffers(TaskId(1), &first[..1]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.buffers(TaskId(1)).unwrap(), &first[..1]);
    assert_eq!(reader.buffers(TaskId(2)).unwrap(), &first[..1]);
}

#[test]
fn a_reader_works_beside_the_writer_and_without_one() {
    let dir = TempDir::new().unwrap();
    let failure = Reader::open(dir.path()).map(|_| ()).unwrap_err();
    assert!(failure.text.contains("no log yet"), "{failure}");
    let all = events(8);
    let mut opened = open(dir.path());
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.version().unwrap(), 0);
    opened.store.append(0, &all, 1).unwrap();
    assert_eq!(reader.team().unwrap(), replayed(&all));
    drop(reader);
    drop(opened);

    let before = std::fs::read(dir.path().join("baton.sqlite3")).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.team().unwrap(), replayed(&all));
    drop(reader);
    assert_eq!(std::fs::read(dir.path().join("baton.sqlite3")).unwrap(), before);
    open(dir.path());
}

#[test]
fn a_step_is_written_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let mut store = open(dir.path()).store;
    let writes = |body: &str| {
        let run = RunId(1);
        [
            Write::Ledger { run, call: 1, usage: usage(1), raw: "{}".into() },
            Write::Output { sha256: "aa".into(), bytes: body.into() },
            Write::Buffers { task: TaskId(1), buffers: vec![("a.rs".into(), body.into())] },
            Write::Step { run, step: step(1, body) },
        ]
    };
    store.write_all(0, &events(3), &writes("one"), 5).unwrap();
    // The step's number is taken by another step, so nothing else of it is there either.
    assert!(store.write_all(3, &events(1), &writes("two"), 6).is_err());
    assert_eq!(store.version(), 3);
    assert_eq!(store.spent_since(0).unwrap().calls, 1);
    assert_eq!(store.buffers(TaskId(1)).unwrap()[0].1, b"one");
    // The same step again, as after a crash: it is there once, its call was paid twice.
    store.write_all(3, &events(1), &writes("one"), 6).unwrap();
    assert_eq!(store.version(), 4);
    assert_eq!(store.steps(RunId(1)).unwrap(), [step(1, "one")]);
    assert_eq!(store.spent_since(0).unwrap().calls, 2);
    // An output and buffers never stand in the way.
    store.write_all(4, &[], &writes("two")[1..3], 7).unwrap();
    assert_eq!(store.output("aa").unwrap().unwrap(), b"one");
    assert_eq!(store.buffers(TaskId(1)).unwrap()[0].1, b"two");
    assert_eq!(store.version(), 4);
}
