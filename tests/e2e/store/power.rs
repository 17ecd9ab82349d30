//! Power cuts: a real process writes the log under strace, which records every write, truncation and
//! sync. Each cut is a point in that record: what was synced before it is on the disk; of the rest each
//! write came whole, in part (by sectors, as disks tear them), or not at all. The log must open and hold
//! what was acknowledged.

use super::faults::{after, asked, child_under};
use super::{Dice, event, open, replayed};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use team::Event;
use tempfile::TempDir;

const CUTS: u64 = 500;
const SECTOR_BYTES: usize = 512;
/// Longer writes than any of SQLite's.
const WRITE_BYTES_MAX: &str = "1000000";
const APPENDS: u64 = 120;

/// What happened to one file.
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut { len: usize },
}

enum Record {
    Changed(String, Change),
    Synced(String),
    Removed(String),
    /// The writer said that the log is at this version.
    Acknowledged(u64),
}

/// Not a story of its own: fills a log and says how far it is, where a parent asks it to.
#[test]
fn appends_some() {
    let Some(dir) = asked() else {
        return;
    };
    let mut store = open(&dir).store;
    let mut out = std::io::stdout();
    for n in 0..APPENDS {
        let version = store.version();
        let first = u32::try_from(version).unwrap();
        let few: Vec<Event> = (first..first + 1 + first % 3).map(event).collect();
        let version = store.append(version, &few, n).unwrap();
        writeln!(out, "acknowledged {version}").unwrap();
        out.flush().unwrap();
        if n % 7 == 0 {
            store.put_output(&format!("{n:064}"), &vec![b'x'; 20_000]).unwrap();
        }
        if n % 40 == 39 {
            let all: Vec<Event> = (0..u32::try_from(version).unwrap()).map(event).collect();
            store.checkpoint(&mut replayed(&all)).unwrap();
        }
    }
}

/// The files of the state folder by name, as a cut leaves them.
#[derive(Clone, Default)]
struct Disk(BTreeMap<String, Vec<u8>>);

impl Disk {
    fn apply(&mut self, name: &str, change: &Change, sectors: impl Fn(usize) -> bool) {
        let file = self.0.entry(name.to_owned()).or_default();
        match change {
            Change::Cut { len } => file.resize(*len, 0),
            Change::Write { at, bytes } => {
                file.resize(file.len().max(at + bytes.len()), 0);
                for (n, part) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    let from = at + n * SECTOR_BYTES;
                    if sectors(n) {
                        file[from..from + part.len()].copy_from_slice(part);
                    }
                }
            }
        }
    }

    fn write(&self, dir: &Path) {
        for (name, bytes) in &self.0 {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
    }
}

/// The disk after a cut behind `records`, and the version that was acknowledged.
fn cut(records: &[Record], dice: &mut Dice) -> (Disk, u64) {
    let (mut disk, mut acknowledged) = (Disk::default(), 0);
    let mut open: Vec<(&str, &Change)> = vec![];
    for it in records {
        match it {
            Record::Changed(name, change) => open.push((name, change)),
            Record::Synced(name) => {
                let (synced, rest) = open.into_iter().partition(|it| it.0 == name);
                let synced: Vec<(&str, &Change)> = synced;
                synced.iter().for_each(|(name, change)| disk.apply(name, change, |_| true));
                open = rest;
            }
            Record::Removed(name) => {
                open.retain(|it| it.0 != name);
                disk.0.remove(name);
            }
            Record::Acknowledged(version) => acknowledged = *version,
        }
    }
    for (name, change) in open {
        match dice.roll(3) {
            0 => {}
            1 => disk.apply(name, change, |_| true),
            _ => {
                let torn: Vec<bool> = (0..4096).map(|_| dice.roll(2) == 0).collect();
                disk.apply(name, change, |n| torn[n % torn.len()]);
            }
        }
    }
    // Shared memory of the processes: nothing of it outlives a power cut.
    disk.0.retain(|name, _| !name.ends_with("-shm"));
    (disk, acknowledged)
}

#[test]
fn no_acknowledged_event_is_lost_to_a_power_cut() {
    let dir = TempDir::new().unwrap();
    let Some(records) = record(dir.path()) else { return };
    let all: Vec<Event> = (0..u32::try_from(3 * APPENDS).unwrap()).map(event).collect();
    let seed = 11;
    println!("seed {seed}, {} records", records.len());
    let (mut dice, mut lost_most) = (Dice(seed), 0);
    for n in 0..CUTS {
        let at = usize::try_from(dice.roll(records.len() as u64 + 1)).unwrap();
        let (disk, acknowledged) = cut(&records[..at], &mut dice);
        let after = TempDir::new().unwrap();
        disk.write(after.path());
        let opened = open(after.path());
        let version = opened.store.version();
        assert!(acknowledged <= version, "cut {n} at {at}: {version} of {acknowledged}");
        let held = &all[..usize::try_from(version).unwrap()];
        let (team, notes) = (&opened.team, &opened.notes);
        let at = format!("cut {n} at {at}: {version}, {acknowledged} acknowledged, {notes:?}");
        assert_eq!(team.version, version, "{at}");
        assert!(*team == replayed(held), "{at}");
        lost_most = lost_most.max(version - acknowledged);
    }
    println!("{CUTS} cuts; at most {lost_most} events more than were acknowledged");
}

/// Runs the writer under strace; `None` where processes can't be traced.
fn record(dir: &Path) -> Option<Vec<Record>> {
    let there = Command::new("strace").arg("-V").output().is_ok_and(|it| it.status.success());
    if !crate::sandbox::lab::need("strace", there) {
        return None;
    }
    // Some containers have the program and forbid what it does; no installation mends that.
    let may_trace = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !may_trace.is_ok_and(|it| it.success()) {
        println!("skipped: processes can't be traced here");
        return None;
    }
    let (state, trace) = (dir.join("state"), dir.join("trace"));
    let calls = "trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,rename";
    let mut tracer = Command::new("strace");
    tracer.args([
        "-f",
        "-qq",
        "-y",
        "-xx",
        "-s",
        WRITE_BYTES_MAX,
        "-e",
        calls,
        "-e",
        "signal=none",
        "-o",
    ]);
    tracer.arg(&trace).arg(std::env::current_exe().unwrap());
    let status = child_under(tracer, &state, "store::power::appends_some").wait().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(&trace).unwrap();
    let records: Vec<Record> = whole(&text).iter().filter_map(|it| read(it, &state)).collect();
    let acknowledged = records.iter().filter(|it| matches!(it, Record::Acknowledged(_))).count();
    assert_eq!(acknowledged as u64, APPENDS, "the trace holds every word of the writer");
    assert!(records.iter().any(|it| matches!(it, Record::Synced(_))));
    Some(records)
}

/// The calls in the order in which they ended; those that another process cut in two are put together.
fn whole(text: &str) -> Vec<String> {
    let mut open: BTreeMap<&str, String> = BTreeMap::new();
    let mut res = vec![];
    for line in text.lines() {
        let Some((process, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            open.insert(process, begun.to_owned());
        } else if call.starts_with("<... ") {
            let rest = call.split_once(" resumed>").unwrap().1;
            res.push(open.remove(process).unwrap_or_default() + rest);
        } else {
            res.push(call.to_owned());
        }
    }
    res
}

/// What a call did to a file of the folder, or what the writer said.
fn read(call: &str, dir: &Path) -> Option<Record> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ")?;
    if result.starts_with('-') {
        return None;
    }
    let named = |path: &[u8]| {
        let path = std::str::from_utf8(path).ok()?;
        let file = Path::new(path).strip_prefix(dir).ok()?;
        Some(file.to_str()?.to_owned())
    };
    // `5<\x2f..>` or `"\x2f.."`, then what is left.
    let at = |text: &str, from: char, to: char| {
        let (_, text) = text.split_once(from)?;
        let (text, rest) = text.split_once(to)?;
        Some((unescape(text), rest.to_owned()))
    };
    match name {
        "unlink" | "unlinkat" => {
            let path = at(arguments, '"', '"')?.0;
            return Some(Record::Removed(named(&path)?));
        }
        "rename" => {
            let path = at(arguments, '"', '"')?.0;
            assert!(named(&path).is_none(), "a rename in the state folder is not played");
            return None;
        }
        _ => {}
    }
    let (path, rest) = at(arguments, '<', '>')?;
    if name == "write" {
        let text = String::from_utf8(at(&rest, '"', '"')?.0).ok()?;
        if let Some(version) = after(&text, "acknowledged ") {
            return Some(Record::Acknowledged(version.parse().unwrap()));
        }
    }
    let file = named(&path)?;
    let number = |text: &str| text.rsplit(", ").next().unwrap().parse().unwrap();
    Some(match name {
        "pwrite64" => {
            let (bytes, rest) = at(&rest, '"', '"')?;
            Record::Changed(file, Change::Write { at: number(&rest), bytes })
        }
        // Small notes beside the log are no part of it; nothing is acknowledged by them.
        "write" => return None,
        "ftruncate" => Record::Changed(file, Change::Cut { len: number(&rest) }),
        _ => Record::Synced(file),
    })
}

/// `\x2f\x74`: two bytes.
fn unescape(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|it| u8::from_str_radix(it, 16).unwrap()).collect()
}
