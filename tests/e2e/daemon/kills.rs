//! Proxy, daemon and command are killed at random moments of a task; it goes on or is resumed, and
//! lands once.

use super::den::Den;
use super::wire::Dice;
use crate::cli::world::HONEST;
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

/// In every run of the tests; `BATON_KILLS` asks for more.
const KILLS: u64 = 6;
/// A task takes about this long; a kill falls somewhere in it.
const TASK_MS: u64 = 2_500;
/// More restarts than this for one kill: it does not go on.
const RESUMES_MAX: u32 = 3;

#[test]
fn whoever_is_killed_the_task_lands_once() {
    let kills = std::env::var("BATON_KILLS").ok().and_then(|it| it.parse().ok());
    let seed = std::env::var("BATON_SEED").ok().and_then(|it| it.parse().ok());
    let seed: u64 = seed.unwrap_or(u64::from(std::process::id()) << 20 | 1);
    println!("BATON_SEED={seed}");
    let mut dice = Dice(seed);
    for n in 0..kills.unwrap_or(KILLS) {
        let (victim, after) = (dice.roll(3), dice.roll(TASK_MS));
        println!("kill {n}: victim {victim} after {after} ms");
        kill_one(victim, after);
    }
}

/// Victims: 0 the command, 1 the daemon, 2 an editor's proxy.
fn kill_one(victim: u64, after_ms: u64) {
    let den = Den::new(HONEST);
    let mut editor = den.editor();
    let before = editor.request("baton/board", json!({})).unwrap()["version"].as_u64().unwrap();
    let mut command = den.command(&["run", "--yes", "the answer is wrong"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = den.pid();
    // The moment is the point here: nothing is waited for.
    let (_wake, alarm) = std::sync::mpsc::channel::<()>();
    let _ = alarm.recv_timeout(Duration::from_millis(after_ms));
    match victim {
        0 => child.kill().unwrap(),
        1 => {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            den.until_it_ends();
        }
        _ => editor.kill(),
    }
    child.wait().unwrap();
    // A command that was killed before it had delegated has delegated nothing.
    let board = den.baton(&["board", "--all", "--json"]).ends(0).json();
    if board["tasks"].as_array().is_none_or(Vec::is_empty) {
        den.baton(&["run", "--yes", "the answer is wrong"]).ends(0);
    }
    let mut left = RESUMES_MAX;
    loop {
        let resumed = den.baton(&["resume"]);
        let board = den.baton(&["board", "--all", "--json"]).ends(0).json();
        let states = board["tasks"].as_array().unwrap().iter().map(|it| it["state"].clone());
        let states: Vec<_> = states.collect();
        if states == ["landed"] {
            break;
        }
        if states == ["awaitingApproval"] {
            // A command that the kill cut off is no evidence, and the rule wants all of it.
            let approval = board["approvals"][0]["id"].as_str().unwrap().to_owned();
            den.baton(&["answer", &approval, "approve"]).ends(0);
            continue;
        }
        left -= 1;
        assert!(0 < left, "{states:?}: {} {}", resumed.out, resumed.err);
    }
    assert_eq!((den.world.answer().as_str(), den.landed()), ("right\n", 1));
    editor.kill();
    let mut editor = den.editor();
    let board = editor.request("baton/board", json!({})).unwrap();
    assert!(before < board["version"].as_u64().unwrap());
    assert_eq!(board["tasks"][0]["state"], "landed", "right after one board");
    assert_eq!(editor.end(), 0);
}
