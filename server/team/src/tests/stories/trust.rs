//! Set-ups that wait for a person, and flaky tests that are put aside.

use super::super::script::{base, brief, check, commit, receipt, test_check};
use crate::*;
use expect_test::expect;

/// One yes holds for a content: the next task with the same one is not asked again, one with another is.
#[test]
fn a_set_up_is_asked_once_for_each_content() {
    check(
        r#"
delegate parser panics
T1 snapshotted
R1 triaged bug
R2 wants-setup c1
A1 revise no
A1 approve
R3 set-up 0
R4 checked 41
delegate another
T2 snapshotted
R6 triaged bug
R7 wants-setup c1
R8 set-up 0
R9 wants-setup c1
T2 retry
R10 wants-setup c2
A2 reject not today
T2 retry
R11 wants-setup c2
A3 approve
R12 set-up 1
"#,
        expect![[r#"
            > delegate parser panics
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on b0
            > R2 wants-setup c1
              R2 lost: run the checks yet: node_modules is not there
              A1 asked: set-up npm ci on b0
            > A1 revise no
              refused: A1 is about commands: approve or reject
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R3 started: set-up of T1 on b0, then Baseline
            > R3 set-up 0
              R3.1 green
              R3 checked
              R4 started: Baseline checks of T1 on b0
            > R4 checked 41
              R4.1 green
              R4 checked
              R5 started: Build of T1 on b0
            > delegate another
              T2 delegated
            > T2 snapshotted
              T2 starts from b0
              R6 started: Triage of T2 on b0
            > R6 triaged bug
              R6 handed over
              R7 started: Baseline checks of T2 on b0
            > R7 wants-setup c1
              R7 lost: run the checks yet: node_modules is not there
              R8 started: set-up of T2 on b0, then Baseline
            > R8 set-up 0
              R8.1 green
              R8 checked
              R9 started: Baseline checks of T2 on b0
            > R9 wants-setup c1
              R9 lost: run the checks yet: node_modules is not there
              T2 parked: the set-up ran well (R8.1), and still: node_modules is not there
            > T2 retry
              T2 retried
              R10 started: Baseline checks of T2 on b0
            > R10 wants-setup c2
              R10 lost: run the checks yet: node_modules is not there
              A2 asked: set-up npm ci on b0
            > A2 reject not today
              A2 answered: Reject { why: "not today" } by Person { door: "terminal" }
              T2 parked: the set-up for `another` was not allowed: not today
            > T2 retry
              T2 retried
              R11 started: Baseline checks of T2 on b0
            > R11 wants-setup c2
              R11 lost: run the checks yet: node_modules is not there
              A3 asked: set-up npm ci on b0
            > A3 approve
              A3 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R12 started: set-up of T2 on b0, then Baseline
            > R12 set-up 1
              R12.1 red
              R12 checked
              T2 parked: the set-up failed (R12.1): `cargo test` exits with 1
            job run R5 of T1
            T2 Parked: needs a person: the set-up failed (R12.1): `cargo test` exits with 1
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// Red, and green on the same files: put aside, shown, and the work goes on. Red each time: rework.
#[test]
fn a_flaky_test_holds_nothing_up_and_a_failing_one_does() {
    check(
        r#"
delegate parser panics
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 40 failing=a rerun=-
R5 validated pass receipts=R4.1
T1 candidate l1
R6 checked 40 failing=a
A1 approve
delegate another
T2 snapshotted
R7 triaged bug
R8 checked 41
R9 reproduced h5
R9 changed h2
R10 checked 39 failing=a,b rerun=b rerun=b
"#,
        expect![[r#"
            > delegate parser panics
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on b0
            > R2 checked 41
              R2.1 green
              R2 checked
              R3 started: Build of T1 on b0
            > R3 changed h1
              R3 handed over
              R4 started: Gate checks of T1 on h1
            > R4 checked 40 failing=a rerun=-
              R4.1 red
              R4.2 green
              R4 checked
              quarantined until 1210960000: a
              R5 started: Validate of T1 on h1
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              R6 started: Candidate checks of T1 on l1
            > R6 checked 40 failing=a
              R6.1 red
              R6 checked
              A1 asked: land l1 by R6.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > delegate another
              T2 delegated
            > T2 snapshotted
              T2 starts from b0
              R7 started: Triage of T2 on b0
            > R7 triaged bug
              R7 handed over
              R8 started: Baseline checks of T2 on b0
            > R8 checked 41
              R8.1 green
              R8 checked
              R9 started: Build of T2 on b0
            > R9 reproduced h5
              R9 reproduced at h5
            > R9 changed h2
              R9 handed over
              R10 started: Gate checks of T2 on h2
            > R10 checked 39 failing=a,b rerun=b rerun=b
              R10.1 red
              R10.2 red
              R10.3 red
              R10 checked
              quarantined until 1211620000: a
              R11 started: Build of T2 on h2, continues R9: R10.1 is red: 2 of 41 tests fail (a, b)
            job land T1: plan
            job run R11 of T2
            T2 Working: the Engineer builds (2 of 3)
            T1 Working: landing
        "#]],
    );
}

/// A test that is put aside proves nothing; what was red before the change is not run again.
#[test]
fn a_flaky_test_is_no_reproduction() {
    check(
        r#"
delegate parser panics
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 reproduced h0
R3 changed h1
R4 checked 40 failing=repro rerun=-
"#,
        expect![[r#"
            > delegate parser panics
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on b0
            > R2 checked 41
              R2.1 green
              R2 checked
              R3 started: Build of T1 on b0
            > R3 reproduced h0
              R3 reproduced at h0
            > R3 changed h1
              R3 handed over
              R4 started: Gate checks of T1 on h1
            > R4 checked 40 failing=repro rerun=-
              R4.1 red
              R4.2 green
              R4 checked
              quarantined until 1211020000: repro
              R5 started: Build of T1 on h1, continues R3: repro is flaky: it failed and passed on the same files, so it shows nothing; write a test that fails each time
            job run R5 of T1
            T1 Working: the Engineer builds (2 of 3)
        "#]],
    );
}

/// After its time a test counts again: the same red receipts, judged before and after.
#[test]
fn the_quarantine_ends() {
    let mut team = Team::default();
    let start = 1_000;
    let mut play = |now: Millis, input: Input| {
        let events = decide(&team, now, input).unwrap();
        events.iter().for_each(|it| team.apply(it));
        (team.clone(), events)
    };
    play(start, Input::Delegate { brief: brief("x") });
    let task = TaskId(1);
    let (checks, ways) = (vec![test_check()], Ways::default());
    play(
        start,
        Input::Snapshotted { task, base: base("b0"), checks, ways, limits: Limits::default() },
    );
    let handoff = Handoff::Triaged {
        class: Class::Bug,
        severity: Severity::Low,
        summary: "x".into(),
        criteria: vec![],
        or_class: None,
        is_visible: true,
    };
    play(start, Input::HandedOver { run: RunId(1), handoff, facts: None });
    play(start, Input::Recorded { run: RunId(2), receipt: receipt(RunId(2), "b0", 41, &[]) });
    play(start, Input::Checked { run: RunId(2) });
    let handoff = Handoff::Changed {
        head: commit("h1"),
        summary: "x".into(),
        look_first: String::new(),
        risks: vec![],
    };
    let facts = Some(Facts::Change(super::super::script::facts("h1")));
    play(start, Input::HandedOver { run: RunId(3), handoff, facts });
    let gate = RunId(4);
    let (asked, _) =
        play(start, Input::Recorded { run: gate, receipt: receipt(gate, "h1", 40, &["a"]) });
    assert_eq!(rerun(&asked, gate, "test"), Some(vec!["a".to_string()]));

    let mut known = asked.clone();
    let until = start + QUARANTINE_MS;
    let (check, tests) = ("test".to_string(), vec!["a".to_string()]);
    known.apply(&Event::TestsQuarantined { task, check, tests, receipts: vec![], until });
    let next = |now: Millis| match decide(&known, now, Input::Checked { run: gate }).unwrap().pop()
    {
        Some(Event::RunStarted { work: Work::Role { duty, .. }, .. }) => duty,
        other => panic!("{other:?}"),
    };
    assert_eq!(next(until - 1), Duty::Validate);
    assert_eq!(next(until), Duty::Build);
}
