//! A start from a checkpoint: what ended is read when it is looked at, and is what the events say.

use super::{Dice, event, events, open, replayed};
use baton::store::{Opened, Reader, Store};
use std::path::Path;
use team::{
    By, Decision, Event, RunId, TaskId, Team, Usage, board, jobs, next_deadline, report, task_line,
};
use tempfile::TempDir;

fn sql(dir: &Path, text: &str) {
    let db = rusqlite::Connection::open(dir.join("baton.sqlite3")).unwrap();
    db.execute_batch(text).unwrap();
}

fn number(dir: &Path, text: &str) -> u32 {
    let db = rusqlite::Connection::open(dir.join("baton.sqlite3")).unwrap();
    db.query_row(text, [], |row| row.get(0)).unwrap()
}

/// Something that happens to a task or a run of the first few, ended or not.
fn happens(dice: &mut Dice, n: u32) -> Event {
    let tasks = u64::from(n / 4 + 1);
    let mut pick = || u32::try_from(dice.roll(tasks)).unwrap() + 1;
    let (task, run) = (TaskId(pick()), RunId(pick()));
    let at = u64::from(n) * 100;
    match dice.roll(8) {
        0 | 1 => Event::TaskAnswered { task, at },
        2 => Event::TaskCancelled { task, at },
        3 => Event::PersonSaid { task, text: format!("word {n}"), by: By::Rule, at },
        4 => Event::RunSpent { run, usage: Usage { calls: 1, micros: 7, ..Usage::default() }, at },
        5 => Event::RunChecked { run, at },
        6 => Event::MemoForgotten {
            memo: team::Memo::Decision(team::DecisionId(run.0)),
            by: By::Rule,
            at,
        },
        _ => {
            let (what, why) = (format!("it is {n}"), String::new());
            Event::DecisionRecorded { task, decision: Decision { by: By::Rule, what, why } }
        }
    }
}

/// What a checkpoint may suffer while nobody has it open.
fn harm(dir: &Path, dice: &mut Dice) {
    let of = dice.roll(5);
    let what = match dice.roll(9) {
        0 => "UPDATE checkpoint SET made_by = 'another'",
        1 => "DELETE FROM checkpoint",
        2 => "UPDATE checkpoint SET body = replace(body, '1', '2')",
        3 => "DELETE FROM entry",
        4 => "DELETE FROM entry WHERE id % 5 = N",
        5 => "UPDATE entry SET body = replace(body, '1', '2') WHERE id % 5 = N",
        6 => "UPDATE entry SET version = version + 1000 WHERE id % 5 = N",
        7 => "UPDATE entry SET id = id + 100000 WHERE id % 5 = N",
        _ => return,
    };
    sql(dir, &what.replace('N', &of.to_string()));
}

#[test]
fn however_it_is_started_the_team_is_what_the_events_say() {
    for seed in 0..12 {
        let dir = TempDir::new().unwrap();
        let mut dice = Dice(seed);
        let (mut all, mut n) = (Vec::<Event>::new(), 0);
        for start in 0..8 {
            let mut opened = open(dir.path());
            let story = format!("seed {seed}, start {start}, {} events", all.len());
            if dice.roll(2) == 0 {
                assert_eq!(opened.team, replayed(&all), "{story}");
            }
            for _ in 0..dice.roll(6) {
                let mut few = Vec::new();
                for _ in 0..dice.roll(20) {
                    few.push(event(n));
                    n += 1;
                    few.extend((0..dice.roll(3)).map(|_| happens(&mut dice, n)));
                }
                opened.store.append(opened.team.version, &few, 0).unwrap();
                few.iter().for_each(|it| opened.team.apply(it));
                all.extend(few);
                if dice.roll(3) == 0 {
                    opened.store.checkpoint(&mut opened.team).unwrap();
                }
            }
            let plain = replayed(&all);
            assert_eq!(jobs(&opened.team), jobs(&plain), "{story}");
            assert_eq!(next_deadline(&opened.team), next_deadline(&plain), "{story}");
            assert_eq!(board(&opened.team), board(&plain), "{story}");
            let since = Some(dice.roll(u64::from(n) * 100 + 1));
            assert_eq!(report(&opened.team, 9, since), report(&plain, 9, since), "{story}");
            drop(opened);
            assert_eq!(Reader::open(dir.path()).unwrap().team().unwrap(), plain, "{story}");
            harm(dir.path(), &mut dice);
        }
        assert_eq!(open(dir.path()).team, replayed(&all), "seed {seed}");
    }
}

/// Four events a task; the first `ended` of them are over.
fn history(count: u32, ended: u32) -> Vec<Event> {
    let mut all = events(count);
    all.extend((1..=ended).map(|it| Event::TaskAnswered { task: TaskId(it), at: 9 }));
    all
}

/// A store with these events and a checkpoint of them, closed.
fn keep(dir: &Path, all: &[Event]) {
    let mut opened = open(dir);
    opened.store.append(0, all, 0).unwrap();
    opened.store.checkpoint(&mut replayed(all)).unwrap();
}

/// More events, and a checkpoint.
fn go_on(opened: &mut Opened, more: &[Event]) {
    opened.store.append(opened.team.version, more, 0).unwrap();
    more.iter().for_each(|it| opened.team.apply(it));
    opened.store.checkpoint(&mut opened.team).unwrap();
}

#[test]
fn a_checkpoint_writes_what_changed() {
    let dir = TempDir::new().unwrap();
    let all = history(400, 98);
    keep(dir.path(), &all);
    let entries = number(dir.path(), "SELECT count(*) FROM entry");
    assert_eq!(entries, 100 + 100 + 100 + 98, "tasks, runs, decisions, endings");

    let mut opened = open(dir.path());
    let more = [Event::RunSpent { run: RunId(99), usage: Usage::default(), at: 10 }];
    go_on(&mut opened, &more);
    let version = opened.team.version;
    drop(opened);
    let new = format!("SELECT count(*) FROM entry WHERE version = {version}");
    assert_eq!(number(dir.path(), &new), 2, "the run and its task");
    assert_eq!(number(dir.path(), "SELECT count(*) FROM checkpoint"), 1);
    assert_eq!(number(dir.path(), "SELECT count(*) FROM entry"), entries);
    let opened = open(dir.path());
    assert_eq!(opened.team, replayed(&[&all[..], &more[..]].concat()));
    assert_eq!(opened.store.health().unread(), 0);
}

/// The owner goes on, and a checkpoint overwrites what another process has not looked at yet.
#[test]
fn a_reader_goes_on_seeing_the_state_that_it_read() {
    let dir = TempDir::new().unwrap();
    let all = history(200, 48);
    keep(dir.path(), &all);
    let seen = Reader::open(dir.path()).unwrap().team().unwrap();

    let mut opened = open(dir.path());
    let before: Team = opened.team.clone();
    let words = |task: u32| {
        let text = "more".to_owned();
        Event::PersonSaid { task: TaskId(task), text, by: By::Rule, at: 10 }
    };
    let more: Vec<Event> = (1..=50).map(words).collect();
    go_on(&mut opened, &more);
    assert_eq!(seen, replayed(&all), "beside the owner");
    assert_eq!(before, replayed(&all), "an older copy of the owner");
    assert_eq!(opened.team, replayed(&[&all[..], &more[..]].concat()));
}

/// Reading fails where neither the row nor the log can be read: it looks as if it were not there, is
/// counted, and is there again once the disk works.
#[test]
fn what_cannot_be_read_is_counted() {
    let dir = TempDir::new().unwrap();
    let all = history(200, 48);
    keep(dir.path(), &all);
    let Ok(Opened { store, team, .. }) = Store::open(dir.path()) else { panic!() };
    sql(dir.path(), "ALTER TABLE entry RENAME TO gone; ALTER TABLE event RENAME TO gone_too");
    assert_eq!(team.task(TaskId(3)), None);
    assert_eq!(store.health().unread(), 1);
    sql(dir.path(), "ALTER TABLE gone_too RENAME TO event");
    // From the events.
    assert_eq!(team.task(TaskId(3)), replayed(&all).task(TaskId(3)));
    assert_eq!(store.health().unread(), 1);
    let line = task_line(&team, TaskId(4), team.task(TaskId(4)).unwrap());
    assert_eq!(line.step, "answered");
}
