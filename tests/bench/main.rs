//! The benchmarks: what was promised about speed, measured against its floor in the same run.
//!
//! docs/performance.md says what each figure means, what the goals are and which are missed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may panic")]
#![allow(clippy::print_stdout, reason = "what was measured")]

mod bare;
mod events;
mod forest;
mod handoff;
mod keys;
mod log;
mod measure;
mod slow;
mod snapshot;
mod start;
mod steps;
mod streams;
mod worktree;
mod world;

use measure::Bench;

const HELP: &str = "\
Measures Baton and prints medians, ratios and goals.

  cargo bench -p baton --bench bench -- [--only NAME]... [--quick]

  --only NAME  worktree, snapshot, start, handoff, steps, keys, streams or
               log; repeat it for several
  --quick      smaller trees, fewer rounds, 100,000 events instead of 1,000,000
  --help       this text

What is written goes to a new folder in /dev/shm where there is one (trees, logs) and to a new
folder for temporary files (where syncing counts); both are removed at the end.
";

type Measure = fn(&mut Bench);

const ALL: [(&str, Measure); 8] = [
    ("worktree", worktree::measure),
    ("snapshot", snapshot::measure),
    ("start", start::measure),
    ("handoff", handoff::measure),
    ("steps", steps::measure),
    ("keys", keys::measure),
    ("streams", streams::measure),
    ("log", log::measure),
];

fn main() {
    if std::env::args().nth(1).is_some_and(|it| it == bare::ARGUMENT) {
        return bare::serve();
    }
    if std::env::args().nth(1).is_some_and(|it| it == slow::ARGUMENT) {
        return slow::serve();
    }
    let mut only = Vec::new();
    let mut quick = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => quick = true,
            "--help" | "-h" => return print!("{HELP}"),
            "--only" => only.push(args.next().unwrap_or_default()),
            other => return wrong(&format!("`{other}` is no option")),
        }
    }
    if let Some(name) = only.iter().find(|it| !ALL.iter().any(|known| known.0 == it.as_str())) {
        return wrong(&format!("there is no benchmark `{name}`"));
    }
    let mut bench = Bench::new(quick);
    for (name, measure) in ALL {
        if only.is_empty() || only.iter().any(|it| it == name) {
            bench.begin(name);
            measure(&mut bench);
        }
    }
    bench.finish();
}

fn wrong(why: &str) {
    eprint!("{why}\n\n{HELP}");
    std::process::exit(64);
}
