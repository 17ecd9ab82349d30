//! From a hand-over that was accepted to the next role's request on the wire, in the same worktree:
//! the PM hands over to the Engineer. State on a disk, since syncing is what it costs.

use crate::forest::S;
use crate::measure::{Bench, median, sync_floor};
use crate::world::World;
use std::fs;
use std::path::Path;
use std::process::Command;

const SYNCS_MAX: usize = 3;

pub fn measure(bench: &mut Bench) {
    let place = bench.disk().join("handoff");
    let world = World::unchecked(&place, S, &[("edit_file", EDIT)]);
    let floor = sync_floor(&bench.disk());
    let rounds = if bench.quick { 2 } else { 5 };
    let (mut accepted, mut whole) = (vec![], vec![]);
    for _ in 0..rounds {
        let played = world.play();
        accepted.push(played.requests[1] - played.handed_over_at());
        whole.push(played.requests[1] - played.requests[0]);
    }
    let (accepted, whole) = (median(accepted), median(whole));
    bench.say("one small write and its sync", floor, "floor");
    bench.say("handed over -> the next role's request", accepted, "");
    bench.say("the PM's request -> the Engineer's request", whole, "");
    match syncs(&world, &place) {
        Some(seen) => {
            for line in &seen.lines {
                println!("  {line}");
            }
            let text = format!("P4: {} syncs from the hand-over to the next request", seen.syncs);
            bench.goal(&format!("{text} (at most {SYNCS_MAX})"), seen.syncs <= SYNCS_MAX);
        }
        None => println!("  syncs not counted: strace is missing or may not trace here"),
    }
    drop(world);
    fs::remove_dir_all(place).unwrap();
}

pub const EDIT: &str = "path = \"numbers.txt\", old = \"two = 3\", new = \"two = 2\"";

/// What was synced between the PM's request and the Engineer's.
struct Seen {
    /// What is counted: those that belong to the hand-over.
    syncs: usize,
    lines: Vec<String>,
}

/// Plays the task under strace, with the fail-points' log as marks between the syncs.
fn syncs(world: &World, place: &Path) -> Option<Seen> {
    let (trace, points) = (place.join("trace"), place.join("points"));
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-s",
        "40",
        "-e",
        "trace=fsync,fdatasync,write,writev,sendto",
        "-o",
    ]);
    let run = ["run", "--yes", "two is three"];
    command.arg(&trace).arg(crate::world::BATON).args(run);
    world.at_home(&mut command);
    command.env("BATON_FAIL_LOG", &points);
    let may_trace = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !may_trace.is_ok_and(|it| it.success()) {
        return None;
    }
    world.play_as(command);
    Some(read(&fs::read_to_string(&trace).unwrap()))
}

/// The hand-over is the second append after the request: the first holds the reply and its price.
fn read(trace: &str) -> Seen {
    let (mut requests, mut appends, mut syncs) = (0, 0, 0);
    let mut lines: Vec<String> = Vec::new();
    for line in trace.lines() {
        if line.contains("\"POST /v1/messages") {
            requests += 1;
        }
        if requests != 1 {
            continue;
        }
        if let Some(point) = line.split('"').nth(1).filter(|it| it.ends_with(".before")) {
            appends += usize::from(point.starts_with("store.append"));
            lines.push(format!("{point}:"));
        }
        let is_sync = ["fsync(", "fdatasync("].iter().any(|it| line.contains(it));
        if is_sync && !line.contains("resumed") {
            syncs += usize::from(2 <= appends);
            match lines.last_mut() {
                Some(last) => last.push_str(" sync"),
                None => lines.push("before any point: sync".into()),
            }
        }
    }
    assert!(2 <= requests && 2 <= appends, "the trace shows no hand-over");
    Seen { syncs, lines }
}
