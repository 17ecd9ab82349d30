//! Throws random inputs at the team: whatever arrives, in whatever order, these sentences hold.
//! The seed stands in every message; `TEAM_SEED=n` plays one alone.

use super::script::{
    START, base, brief, candidate, commit, plan, receipt, setup, show, test_check,
};
use crate::*;
use expect_test::expect_file;
use std::collections::BTreeSet;

mod looked;
mod moves;
mod part;
mod twin;
mod way;

use moves::{Moves, lifecycle, note_moves};

const SEEDS: u32 = 20_000;
const STEPS: u32 = 60;

/// A small xorshift: the same numbers everywhere, from a printed seed.
struct Random(u32);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % n
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

#[test]
fn what_always_holds() {
    let one = std::env::var("TEAM_SEED").ok().and_then(|it| it.parse::<u32>().ok());
    let seeds = one.map_or(0..SEEDS, |it| it..it + 1);
    let (mut seen, mut moves) = (BTreeSet::new(), BTreeSet::new());
    for seed in seeds {
        play(seed, &mut seen, &mut moves);
    }
    if one.is_none() {
        expect_file!["../../../../docs/lifecycle.md"].assert_eq(&lifecycle(&moves));
        // A test that never gets anywhere would hold too.
        let ends = [
            "landed",
            "applied",
            "undone",
            "rejected",
            "cancelled",
            "answered",
            "rebased",
            "classified",
            "designed",
            "planned by a person",
            "announced",
            "landed with notes",
            "quarantined",
            "set up",
            "part refused",
            "landed in part",
            "landed in part, checked",
            "looked at",
            "forgotten",
        ];
        for it in ends {
            assert!(seen.contains(it), "{SEEDS} seeds and no task was {it}");
        }
    }
}

fn play(seed: u32, seen: &mut BTreeSet<&'static str>, moves: &mut Moves) {
    let mut random = Random(seed.wrapping_mul(2_654_435_761).max(1));
    let mut team = Team::default();
    let mut log: Vec<Event> = vec![];
    let mut twin = twin::Twin::of(seed);
    let mut now = START;
    for step in 0..STEPS {
        now += u64::from(random.below(90_000));
        // Mostly what a well-behaved shell would report next, so that tasks get far; else anything.
        let input = if random.one_in(4) {
            anything(&mut random, step)
        } else {
            likely(&mut random, &team, step)
        };
        let Ok(events) = decide(&team, now, input.clone()) else { continue };
        let before = team.clone();
        for event in &events {
            team.apply(event);
            note(event, seen);
            way::note(&team, event, seen);
            part::note(&team, event, seen);
        }
        note_moves(&before, &team, moves);
        let story = || format!("seed {seed}, step {step}: {input:?}");
        closed_tasks_stay_closed(&before, &team, &story);
        runs_do_not_outlive_their_tasks(&team, &story);
        landings_are_approved_and_proven(&team, &story);
        passes_have_green_receipts(&team, &events, &story);
        spend_passes_its_cap_by_one_call(&team, &story);
        set_ups_are_approved(&team, &story);
        twin::jobs_are_one_a_task(&team, &story);
        looked::measured_honestly(&team, &story);
        way::holds(&team, &events, &story);
        if let Some(twin) = &mut twin {
            twin.after(&events, &team, &story);
        }
        log.extend(events);
    }
    let replayed = log.iter().fold(Team::default(), |mut team, it| {
        team.apply(it);
        team
    });
    assert_eq!(replayed, team, "seed {seed}: the log does not tell the whole story");
    if let Some(mut twin) = twin {
        twin.is_the_same(&team, seed);
    }
}

fn note(event: &Event, seen: &mut BTreeSet<&'static str>) {
    let name = match event {
        Event::TaskLanded { .. } => "landed",
        Event::TaskApplied { .. } => "applied",
        Event::TaskUndone { .. } => "undone",
        Event::PartRefused { .. } => "part refused",
        Event::TaskRejected { .. } => "rejected",
        Event::TaskCancelled { .. } => "cancelled",
        Event::TaskAnswered { .. } => "answered",
        Event::ApprovalRebased { .. } => "rebased",
        Event::TaskClassified { .. } => "classified",
        Event::RunHandedOver { handoff: Handoff::Designed { .. }, .. } => "designed",
        Event::RunHandedOver {
            handoff: Handoff::Announced { notes: Notes::Written { .. } },
            ..
        } => "announced",
        Event::TestsQuarantined { .. } => "quarantined",
        Event::TaskViewed { .. } => "looked at",
        Event::MemoForgotten { .. } => "forgotten",
        Event::RunStarted { work: Work::Setup { .. }, .. } => "set up",
        other if show(other).is_empty() => "nothing",
        _other => "else",
    };
    seen.insert(name);
}

/// A closed task never moves, but for a person taking back what landed.
fn closed_tasks_stay_closed(before: &Team, after: &Team, story: &dyn Fn() -> String) {
    for (id, old) in &before.tasks {
        let new = &after.tasks[id].state;
        match &old.state {
            TaskState::Closed(end @ (End::Landed { .. } | End::Applied { .. })) => {
                let same = *new == old.state;
                let undoing = *new == TaskState::Undoing { end: end.clone() };
                assert!(same || undoing, "{}: {id} moved to {new:?}", story());
            }
            TaskState::Closed(_) => assert_eq!(*new, old.state, "{}: {id}", story()),
            TaskState::Undoing { end } => {
                let back = *new == TaskState::Closed(end.clone());
                let stays = *new == old.state;
                let undone = matches!(new, TaskState::Closed(End::Undone { .. }));
                assert!(back || stays || undone, "{}: {id} moved to {new:?}", story());
            }
            TaskState::Waiting { .. }
            | TaskState::Working { .. }
            | TaskState::Checking { .. }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Landing { .. }
            | TaskState::Parked { .. } => (),
        }
    }
}

/// A live run is the one run of a task that works or checks.
fn runs_do_not_outlive_their_tasks(team: &Team, story: &dyn Fn() -> String) {
    for (id, it) in &team.runs {
        if it.state == RunState::Live {
            assert_eq!(team.live_run(it.task), Some(*id), "{}: {id} lives on", story());
        }
    }
}

/// A landing has exactly one approval that was granted; the approved change is the candidate's; its
/// receipts are green, required, and on exactly the candidate's tree; its ticks were ticked.
fn landings_are_approved_and_proven(team: &Team, story: &dyn Fn() -> String) {
    for (id, task) in &team.tasks {
        let approval = match &task.state {
            TaskState::Landing { approval, step: Step::PlanBranch | Step::MoveBranch { .. } }
            | TaskState::Closed(End::Landed { approval, .. }) => approval,
            TaskState::Landing { step: Step::PlanEdits | Step::MoveEdits { .. }, .. }
            | TaskState::Waiting { .. }
            | TaskState::Working { .. }
            | TaskState::Checking { .. }
            | TaskState::AwaitingApproval { .. }
            | TaskState::Undoing { .. }
            | TaskState::Parked { .. }
            | TaskState::Closed(_) => continue,
        };
        let asked = &team.approvals[approval];
        assert_eq!(asked.task, *id, "{}: another task's approval", story());
        let Subject::Landing { candidate, receipts } = &asked.subject else {
            panic!("{}: {approval} is not about landing", story());
        };
        let (ticked, by) = part::granted(asked)
            .unwrap_or_else(|| panic!("{}: {approval} was not granted", story()));
        part::lands_what_was_chosen(asked, candidate, story);
        let granted = task.approvals.iter().filter(|it| {
            let landing = matches!(team.approvals[it].subject, Subject::Landing { .. });
            landing && part::granted(&team.approvals[it]).is_some()
        });
        assert_eq!(granted.count(), 1, "{}: {id} has one grant", story());
        for path in candidate.acts.iter().chain(&candidate.merges) {
            assert!(ticked.contains(path), "{}: {path} was not ticked", story());
        }
        for receipt in receipts {
            let receipt = team.receipt(*receipt).unwrap();
            assert!(stands(team, receipt), "{}: {} is red", story(), receipt.id);
            assert_eq!(receipt.tree.as_ref(), Some(&candidate.tree), "{}", story());
        }
        for check in task.checks.iter().filter(|it| it.required) {
            let named = |it: &&ReceiptId| match &team.receipt(**it).unwrap().ran {
                Ran::Check { name } => *name == check.name,
                Ran::Repro { .. }
                | Ran::OwnCheck { .. }
                | Ran::Rerun { .. }
                | Ran::Setup
                | Ran::Command => false,
            };
            assert!(receipts.iter().any(|it| named(&it)), "{}: no {}", story(), check.name);
        }
        if *by == By::Rule {
            assert!(task.brief.land_by_rule && !receipts.is_empty(), "{}", story());
            assert!(candidate.acts.is_empty() && candidate.risk.is_empty(), "{}", story());
        }
    }
}

/// A verdict of pass stands on green required receipts on the commit judged, or on ones that were
/// red before the change and are no worse.
fn passes_have_green_receipts(team: &Team, events: &[Event], story: &dyn Fn() -> String) {
    for event in events {
        let Event::RunHandedOver {
            run,
            handoff: Handoff::Validated { verdict: Verdict::Pass, head, receipts, .. },
            ..
        } = event
        else {
            continue;
        };
        let task = &team.tasks[&team.runs[run].task];
        assert_eq!(&task.head.as_ref().unwrap().commit, head, "{}", story());
        let nothing_required = !task.checks.iter().any(|it| it.required);
        assert!(!receipts.is_empty() || nothing_required, "{}", story());
        for id in receipts {
            let it = team.receipt(*id).unwrap();
            let shows_bug = task.repro.as_ref().is_some_and(|it| it.receipt == *id);
            let about = it.commit.as_ref() == Some(head) || it.commit.is_none() || shows_bug;
            assert!(about, "{}: {id} is about other files", story());
        }
        let red_before =
            task.baseline.is_some_and(|it| team.runs[&it].receipts.iter().any(|it| !it.is_green()));
        for check in task.checks.iter().filter(|it| it.required) {
            let proves = |it: &Receipt| {
                it.commit.as_ref() == Some(head)
                    && it.ran == (Ran::Check { name: check.name.clone() })
                    && (stands(team, it) || red_before)
            };
            let mut all = team.runs.values().flat_map(|it| &it.receipts);
            assert!(all.any(proves), "{}: passed without {}", story(), check.name);
        }
    }
}

/// Green, or red by tests alone that were put aside.
fn stands(team: &Team, receipt: &Receipt) -> bool {
    let aside = |test: &String| team.quarantine.iter().any(|it| it.test == *test);
    receipt.is_green() || receipt.tests.as_ref().is_some_and(|it| it.failing.iter().all(aside))
}

/// Nothing is set up that no person allowed.
fn set_ups_are_approved(team: &Team, story: &dyn Fn() -> String) {
    for it in team.runs.values() {
        let Work::Setup { setup, .. } = &it.work else { continue };
        let allowed = team.approvals.values().any(|it| {
            let same = matches!(&it.subject, Subject::Setup { setup: asked, .. } if asked.content == setup.content);
            let by_person = matches!(
                it.state,
                ApprovalState::Answered { answer: Answer::Approve { .. }, by: By::Person { .. }, .. }
            );
            same && by_person
        });
        assert!(allowed, "{}: {} was not allowed", story(), setup.content);
    }
}

/// A provider may charge more than was held for a call; then the run is over.
fn spend_passes_its_cap_by_one_call(team: &Team, story: &dyn Fn() -> String) {
    for (id, it) in &team.runs {
        if it.state == RunState::Live && matches!(it.work, Work::Role { .. }) {
            let limits = &team.tasks[&it.task].brief.limits;
            let over = limits.run_micros_max < it.spent.micros;
            assert!(!over, "{}: {id} may call with nothing left", story());
        }
    }
}

fn person() -> By {
    By::Person { door: "test".into() }
}

fn answer(random: &mut Random) -> Answer {
    match random.below(10) {
        0 => Answer::Apply,
        1 => Answer::Revise { text: "other".into(), comments: vec![] },
        2 => Answer::Rebuild,
        3 => Answer::Reject { why: "no".into() },
        4 | 5 => part::answer(random),
        _ => {
            let ticked = if random.one_in(2) { vec!["build.rs".into()] } else { vec![] };
            Answer::Approve { ticked }
        }
    }
}

fn handoff(random: &mut Random, duty: Duty, team: &Team, run: RunId) -> Handoff {
    match duty {
        Duty::Triage => {
            let class = Class::ALL[random.below(7) as usize];
            let (severity, summary) = (Severity::Low, "x".into());
            let or_class = random.one_in(6).then(|| Class::ALL[random.below(7) as usize]);
            let is_visible = !random.one_in(4);
            Handoff::Triaged { class, severity, summary, criteria: vec![], or_class, is_visible }
        }
        Duty::Build => Handoff::Changed {
            head: commit("claimed"),
            summary: "x".into(),
            look_first: String::new(),
            risks: vec![],
        },
        Duty::Validate => {
            let task = team.run(run).and_then(|it| team.task(it.task));
            let head = task.and_then(|it| it.head.as_ref()).map(|it| it.commit.clone());
            let head = head.filter(|_| !random.one_in(6)).unwrap_or_else(|| commit("c1"));
            let about = |it: &&Receipt| it.commit.as_ref() == Some(&head);
            let all = team.runs.values().flat_map(|it| &it.receipts);
            let mut receipts: Vec<ReceiptId> = all.filter(about).map(|it| it.id).collect();
            if random.one_in(6) {
                receipts.push(ReceiptId { run: RunId(random.below(9)), n: 1 });
            }
            let verdict = if random.one_in(4) { Verdict::Fail } else { Verdict::Pass };
            Handoff::Validated { verdict, head, receipts, notes: "x".into() }
        }
        Duty::Answer => {
            let citations = if random.one_in(4) { vec![] } else { vec!["a:1".into()] };
            Handoff::Answered { text: "x".into(), citations }
        }
        Duty::Design => {
            let paths = if random.one_in(8) { vec![] } else { vec!["src/**".into()] };
            Handoff::Designed { plan: plan(paths) }
        }
        Duty::Announce if random.one_in(4) => {
            Handoff::Announced { notes: Notes::Nothing { why: "x".into() } }
        }
        Duty::Announce => {
            let notes = Notes::Written { head: commit("claimed"), summary: "x".into() };
            Handoff::Announced { notes }
        }
    }
}

const TEXTS: [&str; 6] =
    ["x", "class=bug x", "--yes x", "docs: x", "why is x so?", "feat: x\ndone when:\n- x"];

/// What would come next from a shell that works, for one of the tasks.
fn likely(random: &mut Random, team: &Team, step: u32) -> Input {
    let n = u32::try_from(team.tasks.len()).unwrap();
    if n == 0 || (n < 3 && random.one_in(12)) {
        let text = TEXTS[random.below(6) as usize];
        return Input::Delegate { brief: brief(text) };
    }
    let task = TaskId(1 + random.below(n));
    let it = &team.tasks[&task];
    match &it.state {
        TaskState::Waiting { on: Wait::Snapshot } => {
            let seen = if random.one_in(2) { "b0" } else { "s0" };
            let checks = if random.one_in(5) { vec![] } else { vec![test_check()] };
            let limits = Limits::default();
            Input::Snapshotted { task, base: base(seen), checks, ways: way::ways(random), limits }
        }
        TaskState::Waiting { on: Wait::Candidate { head, .. } } => {
            let tree = if random.one_in(2) { head.0.clone() } else { format!("t{step}") };
            let change = if random.one_in(3) { "other" } else { part::change(it) };
            let mut l = candidate(&format!("l{step}"), "b0", &tree, &head.0, change);
            if random.one_in(4) {
                l.acts.push("build.rs".into());
            }
            if random.one_in(8) {
                l.risk.push("auth.rs".into());
            }
            if random.one_in(8) {
                l.blocked.push("staged".into());
            }
            Input::CandidateBuilt { task, candidate: l }
        }
        TaskState::Waiting { on: Wait::Part { .. } } => part::made(random, task, step),
        TaskState::Waiting { on: Wait::Question { question } } => {
            Input::AnswerQuestion { question: *question, text: "1".into(), by: person() }
        }
        TaskState::Working { run } | TaskState::Checking { run, .. } => {
            for_run(random, team, *run, step)
        }
        TaskState::AwaitingApproval { approval, .. } => Input::Answer {
            approval: *approval,
            expected: None,
            answer: answer(random),
            by: person(),
        },
        TaskState::Landing { step: Step::PlanBranch | Step::PlanEdits, .. } => {
            if random.one_in(4) {
                return Input::TipMoved { task };
            }
            Input::LandingPlanned { task, plan: vec![] }
        }
        TaskState::Landing { .. } => Input::Landed { task },
        TaskState::Undoing { .. } => Input::Undone { task, how: "back".into() },
        TaskState::Parked { .. } => Input::Retry { task },
        TaskState::Closed(_) if random.one_in(4) => Input::Undo { task },
        TaskState::Closed(_) => anything(random, step),
    }
}

fn for_run(random: &mut Random, team: &Team, run: RunId, step: u32) -> Input {
    let it = &team.runs[&run];
    match &it.work {
        Work::Role { duty, .. } => {
            if random.one_in(6) {
                let micros = u64::from(random.below(900_000));
                let usage = Usage { calls: 1, micros, ..Usage::default() };
                let day = DayMoney { spent_micros: team.today.micros, micros_max: 20_000_000 };
                return Input::Spent { run, usage, day };
            }
            if random.one_in(12) {
                let why = "it can't be done".into();
                return Input::HandedOver { run, handoff: Handoff::Declined { why }, facts: None };
            }
            let facts = way::seen_of(random, *duty, &format!("h{step}"));
            Input::HandedOver { run, handoff: handoff(random, *duty, team, run), facts }
        }
        Work::Checks { commit, .. } if it.receipts.is_empty() => {
            let failing: &[&str] = if random.one_in(5) { &["x"] } else { &[] };
            let mut receipt = receipt(run, &commit.0, 40 + random.below(3), failing);
            let candidate = team.tasks[&it.task].candidate.as_ref();
            if let Some(l) = candidate.filter(|it| it.commit == *commit) {
                receipt.tree = Some(l.tree.clone());
            }
            if random.one_in(10) {
                receipt.tree = Some(TreeId("elsewhere".into()));
            }
            if random.one_in(12) {
                return Input::SetupWanted { run, setup: setup(&format!("c{}", random.below(3))) };
            }
            Input::Recorded { run, receipt }
        }
        Work::Checks { .. } => match rerun(team, run, "test") {
            Some(failing) => {
                let failing: Vec<&str> = failing.iter().map(String::as_str).collect();
                let again: &[&str] = if random.one_in(2) { &failing } else { &[] };
                let mut receipt = receipt(run, "any", 40, again);
                (receipt.commit, receipt.tree) =
                    (it.receipts[0].commit.clone(), it.receipts[0].tree.clone());
                receipt.ran = Ran::Rerun { name: "test".into() };
                if let Some(tests) = receipt.tests.as_mut().filter(|_| again.is_empty()) {
                    tests.named.push(("x".into(), Outcome::Passed));
                }
                Input::Recorded { run, receipt }
            }
            None => Input::Checked { run },
        },
        Work::Setup { setup, .. } if it.receipts.is_empty() => {
            let mut receipt = receipt(run, &setup.commit.0, 0, &[]);
            (receipt.ran, receipt.tests) = (Ran::Setup, None);
            receipt.exit = Exit::Code(i32::from(random.one_in(4)));
            Input::Recorded { run, receipt }
        }
        Work::Setup { .. } => Input::SetUp { run },
    }
}

/// Any input, about anything.
fn anything(random: &mut Random, step: u32) -> Input {
    let (task, run) = (TaskId(1 + random.below(3)), RunId(1 + random.below(12)));
    let approval = ApprovalId(1 + random.below(4));
    let code = [Code::Stuck, Code::Model, Code::NoSandbox][random.below(3) as usize];
    let failure = Failure::new(code, "gone");
    match random.below(30) {
        0 => Input::Delegate { brief: brief("x") },
        1 => Input::Cancel { task },
        2 => Input::Park { task },
        3 => Input::Retry { task },
        4 => Input::Undo { task },
        5 => {
            let (base, checks) = (base("s0"), vec![test_check()]);
            let limits = Limits::default();
            Input::Snapshotted { task, base, checks, ways: way::ways(random), limits }
        }
        6 => Input::RunFailed { run, failure },
        7 => Input::StepFailed { task, failure },
        8 => Input::Checked { run },
        9 => Input::Landed { task },
        10 => Input::LandingRefused { task, why: "staged".into() },
        11 => Input::TipMoved { task },
        23 => Input::Say { task, text: "louder".into(), by: person() },
        24 => Input::Heard { run: RunId(1), words: 1 },
        12 => Input::UndoRefused { task, why: "no".into() },
        13 => Input::Undone { task, how: "x".into() },
        14 => Input::CandidateConflicted { task, tip: commit("b1"), paths: vec![] },
        15 => {
            let l = candidate(&format!("l{step}"), "b0", "h1", "h1", "same");
            Input::CandidateBuilt { task, candidate: l }
        }
        16 => Input::Answer { approval, expected: None, answer: answer(random), by: person() },
        17 => {
            let question = QuestionId(1 + random.below(3));
            Input::AnswerQuestion { question, text: "1".into(), by: person() }
        }
        18 => {
            let options = vec!["a".into(), "b".into()];
            let (text, stakes) = ("?".into(), String::new());
            let proceed = random.one_in(2);
            let ask = Question { text, options, default: 0, proceed, deadline_at: START, stakes };
            Input::AskedPerson { run, ask }
        }
        25 => part::made(random, task, step),
        26 => part::answer_to(random, approval),
        21 => Input::SetupWanted { run, setup: setup("c1") },
        22 => Input::SetUp { run },
        19 => Input::Recorded { run, receipt: receipt(run, "c1", 41, &[]) },
        20 => {
            let duties = [
                Duty::Triage,
                Duty::Design,
                Duty::Build,
                Duty::Validate,
                Duty::Answer,
                Duty::Announce,
            ];
            let duty = duties[random.below(6) as usize];
            let of = if random.one_in(3) { Duty::Build } else { duty };
            let facts = way::seen_of(random, of, &format!("h{step}"));
            let handoff = handoff(random, duty, &Team::default(), run);
            Input::HandedOver { run, handoff, facts }
        }
        27 | 28 => looked::anything(random, task, approval),
        _ => Input::Tick,
    }
}
