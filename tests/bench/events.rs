//! A long history, made by the rules themselves: whole tasks, one after the other, from delegation
//! to landing, some eighty events each.

use team::*;

/// Paid calls of a role's run.
const CALLS: usize = 22;

/// Plays one task until it has landed; the events it took.
pub fn play_task(team: &mut Team, now: &mut Millis) -> Vec<Event> {
    let mut events = Vec::new();
    let number = team.tasks.last().map_or(1, |it| it.0 + 1);
    say(team, now, &mut events, Input::Delegate { brief: brief(number) });
    let task = TaskId(number);
    while let Some(inputs) = next(team, task) {
        for input in inputs {
            say(team, now, &mut events, input);
        }
    }
    events
}

/// This team with one more task, whose first run is at work.
pub fn with_live_run(team: &Team) -> Team {
    let (mut team, mut now, mut events) = (team.clone(), 0, Vec::new());
    let number = team.tasks.last().map_or(1, |it| it.0 + 1);
    let (task, checks) = (TaskId(number), vec![check()]);
    say(&mut team, &mut now, &mut events, Input::Delegate { brief: brief(number) });
    let limits = Limits::default();
    let snapshotted =
        Input::Snapshotted { task, base: base(task), checks, ways: Ways::default(), limits };
    say(&mut team, &mut now, &mut events, snapshotted);
    team
}

pub fn paid_call(run: RunId) -> Input {
    let usage = Usage {
        calls: 1,
        input_tokens: 120,
        output_tokens: 210,
        cache_read_tokens: 9_000,
        cache_write_tokens: 400,
        micros: 900,
        ..Usage::default()
    };
    let day = DayMoney { spent_micros: 0, micros_max: 20_000_000 };
    Input::Spent { run, usage, day }
}

fn say(team: &mut Team, now: &mut Millis, events: &mut Vec<Event>, input: Input) {
    *now += 40;
    let said = decide(team, *now, input).unwrap();
    said.iter().for_each(|it| team.apply(it));
    events.extend(said);
}

/// What happens next to a task; `None`: it is closed.
fn next(team: &Team, task: TaskId) -> Option<Vec<Input>> {
    let it = team.task(task).unwrap();
    Some(match &it.state {
        TaskState::Waiting { on: Wait::Snapshot } => {
            let (checks, limits) = (vec![check()], Limits::default());
            vec![Input::Snapshotted {
                task,
                base: base(task),
                checks,
                ways: Ways::default(),
                limits,
            }]
        }
        TaskState::Waiting { on: Wait::Candidate { .. } } => {
            vec![Input::CandidateBuilt { task, candidate: candidate(task) }]
        }
        TaskState::Working { run } => role(team, task, *run),
        TaskState::Checking { run, .. } => {
            let run = *run;
            vec![Input::Recorded { run, receipt: receipt(team, run) }, Input::Checked { run }]
        }
        TaskState::AwaitingApproval { approval, .. } => {
            let expected = it.candidate.as_ref().map(|it| it.change.clone());
            let answer = Answer::Approve { ticked: vec![] };
            let by = By::Person { door: "terminal".into() };
            vec![Input::Answer { approval: *approval, expected, answer, by }]
        }
        TaskState::Landing { step: Step::PlanBranch | Step::PlanEdits, .. } => {
            let planned = PlannedPath {
                path: "src/parse.rs".into(),
                mode: 0o100_644,
                mode_before: 0o100_644,
                before: Some(hash(task, "before")),
                after: Some(hash(task, "after")),
                index: Some(hash(task, "after")),
                buffer: false,
            };
            vec![Input::LandingPlanned { task, plan: vec![planned] }]
        }
        TaskState::Landing { .. } => vec![Input::Landed { task }],
        TaskState::Closed(_) => return None,
        TaskState::Waiting { on: Wait::Question { .. } | Wait::Part { .. } }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. } => panic!("{task} left its course: {:?}", it.state),
    })
}

fn role(team: &Team, task: TaskId, run: RunId) -> Vec<Input> {
    let mut inputs = vec![paid_call(run); CALLS];
    let Work::Role { duty, on, .. } = &team.run(run).unwrap().work else {
        panic!("{run} is no role's run");
    };
    let (handoff, facts) = match duty {
        Duty::Triage => {
            let summary = "the parser indexes before it checks the length".into();
            let criteria = vec!["an empty file gives an error".into()];
            let (class, severity) = (Class::Bug, Severity::Medium);
            (
                Handoff::Triaged {
                    class,
                    severity,
                    summary,
                    criteria,
                    or_class: None,
                    is_visible: false,
                },
                None,
            )
        }
        Duty::Build => {
            let (summary, look_first) =
                ("an empty file is an error".into(), "src/parse.rs:40".into());
            let head = commit(task, "head");
            (Handoff::Changed { head, summary, look_first, risks: vec![] }, Some(facts(task)))
        }
        Duty::Validate => {
            let round = team.runs.before(run).next_back().unwrap().1;
            let receipts = round.receipts.iter().map(|it| it.id).collect();
            let (verdict, head) = (Verdict::Pass, on.clone());
            let notes = "ran it with an empty file".into();
            (Handoff::Validated { verdict, head, receipts, notes }, None)
        }
        Duty::Design | Duty::Announce => panic!("a bug has neither a plan nor an announcement"),
        Duty::Answer => panic!("nobody asked"),
    };
    inputs.push(Input::HandedOver { run, handoff, facts: facts.map(Facts::Change) });
    inputs
}

/// Forty hex digits that are this task's own.
fn hash(task: TaskId, what: &str) -> String {
    let seed = what.bytes().fold(u64::from(task.0), |it, byte| it * 31 + u64::from(byte));
    format!("{:016x}{:016x}{:08x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), seed, task.0)
}

fn commit(task: TaskId, what: &str) -> CommitId {
    CommitId(hash(task, what))
}

fn brief(number: u32) -> Brief {
    let text = format!("the parser panics on an empty file, report {number}");
    Brief::new(text, Origin::CommandLine)
}

fn base(task: TaskId) -> Base {
    Base {
        base: commit(task, "base"),
        seen: commit(task, "base"),
        seen_tree: TreeId(hash(task, "base tree")),
        target: Target::Branch("refs/heads/main".into()),
        says: "HEAD".into(),
        left_out: vec![],
    }
}

fn check() -> CheckSpec {
    CheckSpec {
        name: "test".into(),
        argv: vec!["cargo".into(), "test".into()],
        report: Report::Cargo,
        required: true,
        timeout_ms_max: 600_000,
    }
}

fn facts(task: TaskId) -> ChangeFacts {
    let path = "src/parse.rs".into();
    ChangeFacts {
        head: commit(task, "head"),
        tree: TreeId(hash(task, "head")),
        descends: true,
        files: vec![FileChange { path, kind: FileKind::Modified, added: 6, removed: 2 }],
        protected: vec![],
        weakened: vec![],
        outside: vec![],
    }
}

fn candidate(task: TaskId) -> Candidate {
    Candidate {
        commit: commit(task, "landing"),
        tree: TreeId(hash(task, "head")),
        tip: commit(task, "base"),
        head: commit(task, "head"),
        change: ChangeId(hash(task, "change")),
        files: facts(task).files,
        hunks: vec![],
        acts: vec![],
        risk: vec![],
        merges: vec![],
        blocked: vec![],
        notes: vec![],
    }
}

fn receipt(team: &Team, run: RunId) -> Receipt {
    let Work::Checks { commit, .. } = &team.run(run).unwrap().work else {
        panic!("{run} is no round of checks");
    };
    Receipt {
        id: ReceiptId { run, n: 0 },
        ran: Ran::Check { name: "test".into() },
        argv: check().argv,
        dir: String::new(),
        exit: Exit::Code(0),
        duration_ms: 1_200,
        output: format!("{:064x}", run.0),
        output_bytes: 4_000,
        commit: Some(commit.clone()),
        tree: Some(TreeId(commit.0.clone())),
        tests: Some(Tests {
            passed: 41,
            failed: 0,
            ignored: 0,
            failing: vec![],
            named: vec![],
            trouble: None,
        }),
        sandbox: SandboxLevel::Full,
        environment: format!("{:064x}", 7),
        at: 0,
    }
}
