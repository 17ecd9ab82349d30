//! A log of a million events: pages of it, the board, and the start of a process that owns it.

use crate::events::{paid_call, play_task, with_live_run};
use crate::measure::{Bench, median_of, ms, ratio, sync_floor};
use baton::store::{DATABASE, Reader, Store};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use team::{Millis, Team};

const EVENTS_PER_APPEND_MAX: usize = 10_000;
const PAGE: u64 = 100;
/// As many as a hub writes between two checkpoints.
const EVENTS_AFTER_CHECKPOINT: usize = 900;
const EVENTS_PER_CHECKPOINT: usize = 1_000;
const PAGE_MS_MAX: f64 = 1.0;
const START_MS_MAX: f64 = 100.0;

pub fn measure(bench: &mut Bench) {
    append_one_by_one(bench);
    let events = if bench.quick { 100_000 } else { 1_000_000 };
    let dir = bench.memory().join("log");
    let (team, made) = fill(bench, &dir, events);

    let file_mib = fs::metadata(dir.join(DATABASE)).unwrap().len() as f64 / f64::from(1 << 20);
    let (tasks, runs) = (team.tasks.len(), team.runs.len());
    bench.say_plain("events", &made.to_string());
    bench.say_plain("tasks, runs", &format!("{tasks}, {runs}"));
    bench.say_plain("file", &format!("{file_mib:.0} MiB"));

    let opened = Store::open(&dir).unwrap();
    assert!(opened.team == team, "the team that was read is another one");
    drop(opened);
    // As a daemon has it that was just started: what ended is not in memory.
    let team = Store::open(&dir).unwrap().team;
    let first_board = ms(|| black_box(team::board(&team)));
    let open = median_of(5, |_| drop(Store::open(&dir).unwrap()));
    let reader = Reader::open(&dir).unwrap();
    let page = |from: u64| median_of(20, |_| drop(black_box(reader.events(from, PAGE).unwrap())));
    let (first, last) = (page(0), page(made as u64 - PAGE));
    let board = median_of(5, |_| drop(black_box(team::board(&team))));
    let jobs = median_of(5, |_| drop(black_box(team::jobs(&team))));
    let copy = median_of(5, |_| drop(black_box(team.clone())));

    bench.say("first 100 events", first, "");
    bench.say("last 100 events", last, "");
    bench.say("Reader::open", median_of(20, |_| drop(Reader::open(&dir).unwrap())), "");
    bench.say("the first board after a start", first_board, "");
    bench.say("a board", board, "");
    bench.say("jobs, each transaction", jobs, "");
    let live = with_live_run(&team);
    let spent = || team::decide(&live, 0, paid_call(live.runs.last().unwrap()));
    let decided = median_of(5, |_| drop(black_box(spent().unwrap())));
    let paid = spent().unwrap();
    let copy_and_change = median_of(5, |_| {
        let mut copy = live.clone();
        paid.iter().for_each(|it| copy.apply(it));
        drop(black_box(copy));
    });
    let deadline = median_of(5, |_| _ = black_box(team::next_deadline(&live)));
    bench.say("a copy of the team", copy, "");
    bench.say("a copy and a change, each transaction", copy_and_change, "");
    bench.say("decide on one paid call, each call", decided, "");
    bench.say("next deadline, each transaction", deadline, "");
    bench.say("Store::open, 900 events after a checkpoint", open, "");
    let pages = first.max(last);
    let text = format!("P8: a page of 100 events {pages:.2} ms");
    bench.goal(&format!("{text} (at most {PAGE_MS_MAX} ms)"), pages <= PAGE_MS_MAX);
    let text = format!("P8: the board at {tasks} tasks {board:.2} ms");
    bench.goal(&format!("{text} (at most {PAGE_MS_MAX} ms)"), board <= PAGE_MS_MAX);
    let text = format!("P8: start-up replay {open:.0} ms");
    bench.goal(&format!("{text} (at most {START_MS_MAX} ms)"), open <= START_MS_MAX);
    fs::remove_dir_all(dir).unwrap();
}

/// Writes whole tasks until there are so many events; the team then, and their number.
fn fill(bench: &Bench, dir: &Path, events: usize) -> (Team, usize) {
    let mut store = Store::open(dir).unwrap().store;
    let (mut team, mut now) = (Team::default(), 1_700_000_000_000);
    let (mut made, mut append_ms) = (0, 0.0);
    let mut fill_up_to = |store: &mut Store, team: &mut Team, upto: usize| {
        while made < upto {
            let mut lines = Vec::new();
            while lines.len() < EVENTS_PER_APPEND_MAX.min(upto - made) {
                lines.extend(play_task(team, &mut now));
            }
            let at: Millis = now;
            append_ms += ms(|| store.append(made as u64, &lines, at).unwrap());
            made += lines.len();
        }
        (made, append_ms)
    };
    let last_checkpoint = events - EVENTS_AFTER_CHECKPOINT;
    fill_up_to(&mut store, &mut team, last_checkpoint - EVENTS_PER_CHECKPOINT);
    let whole = ms(|| store.checkpoint(&mut team).unwrap());
    fill_up_to(&mut store, &mut team, last_checkpoint);
    let checkpoint = ms(|| store.checkpoint(&mut team).unwrap());
    let (made, append_ms) = fill_up_to(&mut store, &mut team, events);
    bench.say("append of 10,000 events, each", append_ms / made as f64, "grouped");
    bench.say("a whole checkpoint, where there is none yet", whole, "");
    bench.say("a checkpoint, every 1,000 events", checkpoint, "");
    (team, made)
}

/// What one acknowledgement costs on a disk.
fn append_one_by_one(bench: &Bench) {
    let dir = bench.disk().join("one-by-one");
    let mut store = Store::open(&dir).unwrap().store;
    let (mut team, mut now) = (Team::default(), 1_700_000_000_000);
    let events = play_task(&mut team, &mut now);
    let floor = sync_floor(&bench.disk());
    let each = median_of(50, |it| {
        store.append(it as u64, &events[it..=it], now).unwrap();
    });
    bench.say("one small write and its sync", floor, "floor");
    bench.say("append of one event", each, &ratio(each / floor));
    drop(store);
    fs::remove_dir_all(dir).unwrap();
}
