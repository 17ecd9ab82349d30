//! Which outputs a sweep forgets.

use super::*;
use team::{
    Brief, End, Exit, Origin, Ran, Receipt, ReceiptId, Run, SandboxLevel, StartFrom, Task, Usage,
    Why, Work,
};

const LONG_AGO: Millis = 1_000;
const NOW: Millis = LONG_AGO + OUTPUT_KEPT_MS + 1;

/// A team of tasks: whether it is closed, when it ended, what its run's commands printed.
fn team(tasks: &[(bool, Millis, &[&str])]) -> Team {
    let mut team = Team::default();
    for (n, (is_closed, ended_at, outputs)) in tasks.iter().enumerate() {
        let (task, run) = (TaskId(n as u32 + 1), RunId(n as u32 + 1));
        let event = team::Event::TaskDelegated { task, brief: brief(), at: 0 };
        team.apply(&event);
        let it: &mut Task = Arc::make_mut(team.tasks.get_mut(&task).unwrap());
        it.ended_at = Some(*ended_at);
        if *is_closed {
            it.state = TaskState::Closed(End::Answered);
        }
        team.runs.insert(run, Arc::new(run_of(task, run, outputs)));
    }
    team
}

fn brief() -> Brief {
    Brief { start: StartFrom::Head, ..Brief::new("x", Origin::CommandLine) }
}

fn run_of(task: TaskId, run: RunId, outputs: &[&str]) -> Run {
    let commit = team::CommitId("0".repeat(40));
    Run {
        task,
        work: Work::Checks { commit, why: Why::Gate, unconfined: false },
        started_at: 0,
        deadline_at: 0,
        spent: Usage::default(),
        warned: false,
        receipts: outputs.iter().enumerate().map(|(n, it)| receipt(run, n, it)).collect(),
        state: RunState::Ended { at: 0 },
        heard: 0,
    }
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
fn only_what_long_closed_tasks_alone_name() {
    let team = team(&[
        (true, LONG_AGO, &["old", "shared", "gone already"]),
        (true, NOW - 1, &["young"]),
        (false, LONG_AGO, &["open", "shared"]),
    ]);
    let kept = kept(&["old", "shared", "young", "open", "of nobody"]);
    let found = forgettable(&team, &kept, NOW);
    assert_eq!(found.outputs, ["old"]);
    assert_eq!(found.upto, RunId(3));
}

#[test]
fn what_was_named_since_stays() {
    let old = team(&[(true, LONG_AGO, &["a", "b", "c"])]);
    let found = forgettable(&old, &kept(&["a", "b", "c"]), NOW);
    let mut now = old.clone();
    now.runs.insert(RunId(2), Arc::new(run_of(TaskId(1), RunId(2), &["b"])));
    assert_eq!(found.still(&now), ["a", "c"]);
}
