//! Baton's own time for each step of an Engineer: from one request to the model to the next, less
//! what the command itself takes outside of any sandbox. The model answers at once.

use crate::forest::{M, S};
use crate::handoff::EDIT;
use crate::measure::{Bench, median, median_of, ratio};
use crate::world::World;
use std::fs;
use std::process::{Command, Stdio};

const OWN_MS_MAX: f64 = 25.0;

/// Tool, its input, and the same thing done by a command.
const CALLS: [(&str, &str, &str); 8] = [
    // The first command of a process tests the sandbox; it is shown with and without.
    ("run_command", "command = \"true\"", "true"),
    ("search", "pattern = \"two = \"", "grep -rn 'two = ' . --exclude-dir=.git"),
    ("read_file", "path = \"numbers.txt\"", "cat numbers.txt"),
    ("edit_file", EDIT, "sed 's/two = 3/two = 2/' numbers.txt"),
    ("run_command", "command = \"cat numbers.txt\"", "cat numbers.txt"),
    ("run_check", "name = \"test\"", "sh check.sh || true"),
    ("search", "pattern = \"five\"", "grep -rn five . --exclude-dir=.git"),
    ("read_file", "path = \"check.sh\"", "cat check.sh"),
];

pub fn measure(bench: &mut Bench) {
    let sizes: &[(&str, usize)] = if bench.quick { &[("S", S)] } else { &[("S", S), ("M", M)] };
    for &(name, size) in sizes {
        measure_one(bench, name, size);
    }
}

fn measure_one(bench: &mut Bench, name: &str, size: usize) {
    let place = bench.disk().join(format!("steps-{name}"));
    let calls: Vec<(&str, &str)> = CALLS.iter().map(|it| (it.0, it.1)).collect();
    let world = World::new(&place, size, &calls);
    let rounds = if bench.quick { 3 } else { 5 };

    let direct: Vec<f64> = CALLS
        .iter()
        .map(|(_, _, command)| {
            median_of(rounds, |_| {
                let mut shell = Command::new("sh");
                shell.args(["-c", command]).current_dir(&world.root).stdout(Stdio::null());
                assert!(shell.status().unwrap().success());
            })
        })
        .collect();
    let (mut gaps, mut first) = (vec![vec![]; CALLS.len()], vec![]);
    for _ in 0..rounds {
        let start = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let played = world.play();
        first.push(played.requests[0] - start.as_secs_f64() * 1e3);
        // The first request is the PM's, the second the Engineer's first.
        for (n, gap) in gaps.iter_mut().enumerate() {
            gap.push(played.requests[n + 2] - played.requests[n + 1]);
        }
    }
    bench.say(&format!("{name} start of baton run -> first request"), median(first), "");
    let (mut own, mut floor) = (vec![], 0.0);
    for (n, (tool, _, _)) in CALLS.iter().enumerate() {
        let gap = median(gaps[n].clone());
        // Only what is run as a command is a command's time; the rest is all Baton's.
        let command = if tool.starts_with("run_") { direct[n] } else { 0.0 };
        let what = if n == 0 { "first command, with the sandbox's test" } else { tool };
        let note = format!("the command directly: {:.1} ms", direct[n]);
        bench.say(&format!("{name} {what}"), gap, &note);
        own.push(gap - command);
        floor += direct[n] / CALLS.len() as f64;
    }
    let mean = |it: &[f64]| it.iter().sum::<f64>() / it.len() as f64;
    // The goal counts the whole task, so the sandbox's test is in it.
    let (own, later) = (mean(&own), mean(&own[1..]));
    bench.say(&format!("{name} the same by commands directly, a step"), floor, "floor");
    bench.say(&format!("{name} own time a step, all 8"), own, &ratio(own / floor));
    bench.say(&format!("{name} own time a step, without the first"), later, "");
    let text = format!("P5 {name}: own time a step {own:.1} ms");
    bench.goal(&format!("{text} (at most {OWN_MS_MAX} ms)"), own <= OWN_MS_MAX);
    drop(world);
    fs::remove_dir_all(place).unwrap();
}
