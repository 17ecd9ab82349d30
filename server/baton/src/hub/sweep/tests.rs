//! Which outputs a sweep forgets.

use super::*;
use team::{
    Brief, Event, Exit, Origin, Ran, Receipt, ReceiptId, SandboxLevel, StartFrom, Why, Work,
};

const LONG_AGO: Millis = 1_000;
const NOW: Millis = LONG_AGO + OUTPUT_KEPT_MS + 1;

/// A team of tasks: whether it is closed, when it ended, what its run's commands printed.
fn team(tasks: &[(bool, Millis, &[&str])]) -> Team {
    let mut team = Team::default();
    for (task, (is_closed, at, outputs)) in (1..).map(TaskId).zip(tasks) {
        team.apply(&Event::TaskDelegated { task, brief: brief(), at: 0 });
        play(&mut team, task, RunId(task.0), outputs);
        if *is_closed {
            team.apply(&Event::TaskAnswered { task, at: *at });
        }
    }
    team
}

/// A run of this task from its start to its end.
fn play(team: &mut Team, task: TaskId, run: RunId, outputs: &[&str]) {
    let commit = team::CommitId("0".repeat(40));
    let work = Work::Checks { commit, why: Why::Gate, unconfined: false };
    team.apply(&Event::RunStarted { run, task, work, at: 0, deadline_at: 0 });
    for (n, it) in outputs.iter().enumerate() {
        team.apply(&Event::ReceiptRecorded { run, receipt: receipt(run, n, it) });
    }
    team.apply(&Event::RunChecked { run, at: 0 });
}

fn brief() -> Brief {
    Brief { start: StartFrom::Head, ..Brief::new("x", Origin::CommandLine) }
}

fn receipt(run: RunId, n: usize, output: &str) -> Receipt {
    Receipt {
        id: ReceiptId { run, n: n as u32 + 1 },
        ran: Ran::Command,
        argv: vec!["true".into()],
        dir: String::new(),
        exit: Exit::Code(0),
        duration_ms: 0,
        output: output.into(),
        output_bytes: 0,
        commit: None,
        tree: None,
        tests: None,
        sandbox: SandboxLevel::Full,
        environment: String::new(),
        at: 0,
    }
}

fn kept(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn only_what_no_open_or_lately_ended_task_names() {
    let team = team(&[
        (true, LONG_AGO, &["old", "shared", "gone already"]),
        (true, NOW - 1, &["young"]),
        (false, LONG_AGO, &["open", "shared"]),
    ]);
    let kept = kept(&["old", "shared", "young", "open", "of nobody"]);
    let found = forgettable(&team, &kept, NOW);
    assert_eq!(found.outputs, ["of nobody", "old"]);
    assert_eq!(found.upto, RunId(3));
}

#[test]
fn what_was_named_since_stays() {
    let mut team = team(&[(true, LONG_AGO, &["a", "b", "c"]), (false, 0, &[])]);
    let (task, run) = (TaskId(2), RunId(3));
    let commit = team::CommitId("0".repeat(40));
    let work = Work::Checks { commit, why: Why::Gate, unconfined: false };
    team.apply(&Event::RunStarted { run, task, work, at: 0, deadline_at: 0 });
    let found = forgettable(&team, &kept(&["a", "b", "c"]), NOW);
    assert_eq!((&found.live[..], found.upto), (&[run][..], run));
    team.apply(&Event::ReceiptRecorded { run, receipt: receipt(run, 0, "c") });
    team.apply(&Event::RunChecked { run, at: 0 });
    play(&mut team, task, RunId(4), &["b"]);
    assert_eq!(found.still(&team), ["a"]);
}
