//! What the gates refuse, and what goes through them.

use super::super::script::check;
use expect_test::expect;

/// Every lie of a Tester, and its honest twin.
#[test]
fn a_lying_tester_is_refused() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass
R5 validated pass receipts=R99.1
R5 validated pass receipts=R2.1
R5 validated pass head=b0 receipts=R4.1
R5 changed h9
R5 validated fail
R5 validated pass receipts=R4.1
"#,
        expect![[r#"
            > delegate parser panics on empty file
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
            > R4 checked 42
              R4.1 green
              R4 checked
              R5 started: Validate of T1 on h1
            > R5 validated pass
              refused: a pass needs receipts: cite those of the checks you rely on
            > R5 validated pass receipts=R99.1
              refused: there is no receipt R99.1: cite receipts that the server gave you, or run the check
            > R5 validated pass receipts=R2.1
              refused: R2.1 is about b0, not about h1: cite receipts of this head
            > R5 validated pass head=b0 receipts=R4.1
              refused: the verdict names b0, but the change under test is h1: judge that one and name it
            > R5 changed h9
              refused: this run's duty is Validate; hand over with the tool of that duty
            > R5 validated fail
              refused: a fail needs notes: what fails, how to see it
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            job candidate of h1 for T1
            T1 Working: building the candidate
        "#]],
    );
}

/// Nothing changed, a deleted test, a protected path; then the honest change.
#[test]
fn a_lying_engineer_is_refused() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1 nothing
R3 changed h1 weakened=tests/a.rs-is-gone
R3 changed h1 protected=.git/hooks/x
R3 validated pass receipts=R2.1
R3 changed h1
"#,
        expect![[r#"
            > delegate parser panics on empty file
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
            > R3 changed h1 nothing
              refused: nothing was changed: edit the files first, then hand over
            > R3 changed h1 weakened=tests/a.rs-is-gone
              refused: tests were weakened: tests/a.rs-is-gone. Put them back; if one is wrong, ask the person first
            > R3 changed h1 protected=.git/hooks/x
              refused: these paths are not yours to change, put them back: .git/hooks/x
            > R3 validated pass receipts=R2.1
              refused: this run's duty is Build; hand over with the tool of that duty
            > R3 changed h1
              R3 handed over
              R4 started: Gate checks of T1 on h1
            job check R4 of T1
            T1 Working: checks of the change
        "#]],
    );
}

/// Deleted tests do not turn red into green.
#[test]
fn fewer_tests_than_before_is_red() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 40
"#,
        expect![[r#"
            > delegate parser panics on empty file
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
            > R4 checked 40
              R4.1 green
              R4 checked
              R5 started: Build of T1 on h1, continues R3: R4.1: 40 tests ran, 41 did before the change
            job run R5 of T1
            T1 Working: the Engineer builds (2 of 3)
        "#]],
    );
}

/// A half-typed line is no agent's fault; the candidate does not contain it.
#[test]
fn red_before_and_not_worse_goes_on_but_lands_only_green() {
    check(
        r#"
delegate x
T1 snapshotted s0
R1 triaged bug
R2 checked 40 failing=mine
R3 changed h1
R4 checked 41 failing=mine
R5 validated pass receipts=R4.1
T1 candidate l1 tree=other
R6 checked 41
A1 approve
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 snapshotted s0
              T1 starts from s0
              R1 started: Triage of T1 on s0
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on s0
            > R2 checked 40 failing=mine
              R2.1 red
              R2 checked
              R3 started: Build of T1 on s0
            > R3 changed h1
              R3 handed over
              R4 started: Gate checks of T1 on h1
            > R4 checked 41 failing=mine
              R4.1 red
              R4 checked
              R5 started: Validate of T1 on h1
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1 tree=other
              T1 candidate l1 on b0
              R6 started: Candidate checks of T1 on l1
            > R6 checked 41
              R6.1 green
              R6 checked
              A1 asked: land l1 by R6.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

/// `--yes` is a rule of the person's, recorded.
#[test]
fn the_rule_lands_complete_green_evidence() {
    check(
        r#"
delegate --yes parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
"#,
        expect![[r#"
            > delegate --yes parser panics on empty file
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
            > R4 checked 42
              R4.1 green
              R4 checked
              R5 started: Validate of T1 on h1
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
              A1 answered: Approve { ticked: [] } by Rule
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

/// A risk path waits for the person, and so does a project without checks.
#[test]
fn the_rule_does_not_land_what_needs_a_look() {
    check(
        r#"
delegate --yes parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1 risk=migrations/1.sql
delegate --yes y
T2 snapshotted b0 unchecked
R6 triaged chore
R7 changed h2
R8 recorded h2
R8 validated pass receipts=R8.1
T2 candidate l2
"#,
        expect![[r#"
            > delegate --yes parser panics on empty file
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
            > R4 checked 42
              R4.1 green
              R4 checked
              R5 started: Validate of T1 on h1
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1 risk=migrations/1.sql
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > delegate --yes y
              T2 delegated
            > T2 snapshotted b0 unchecked
              T2 starts from b0
              R6 started: Triage of T2 on b0
            > R6 triaged chore
              R6 handed over
              R7 started: Build of T2 on b0
            > R7 changed h2
              R7 handed over
              R8 started: Validate of T2 on h2
            > R8 recorded h2
              R8.1 green
            > R8 validated pass receipts=R8.1
              R8 handed over
              T2 wants a candidate of h2
            > T2 candidate l2
              T2 candidate l2 on b0
              A2 asked: land l2 by 
            T2 NeedsYou: A2 waits for your decision
            T1 NeedsYou: A1 waits for your decision
            A1: 42 tests pass; none shows the bug; +6 -2 in 1 file; look first at src/lib.rs:40 [approve apply revise rebuild reject]
            A2: no checks ran: this project has none that Baton knows; +6 -2 in 1 file; look first at src/lib.rs:40 [approve apply revise rebuild reject]
        "#]],
    );
}

/// Each round of checks is an approval of exact commands on an exact commit.
#[test]
fn no_sandbox_asks_for_exact_commands() {
    check(
        r#"
delegate x
T1 snapshotted
R1 triaged bug
R2 failed no-sandbox none here
A1 apply
A1 approve
R3 checked 41
R4 changed h1
R5 failed no-sandbox none here
A2 reject I do not trust it
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on b0
            > R2 failed no-sandbox none here
              R2 lost: no-sandbox none here
              A1 asked: commands on b0
            > A1 apply
              refused: A1 is about commands: approve or reject
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R3 started: Baseline checks of T1 on b0, unconfined
            > R3 checked 41
              R3.1 green
              R3 checked
              R4 started: Build of T1 on b0
            > R4 changed h1
              R4 handed over
              R5 started: Gate checks of T1 on h1
            > R5 failed no-sandbox none here
              R5 lost: no-sandbox none here
              A2 asked: commands on h1
            > A2 reject I do not trust it
              A2 answered: Reject { why: "I do not trust it" } by Person { door: "terminal" }
              T1 parked: the checks were not allowed to run: I do not trust it
            T1 Parked: needs a person: the checks were not allowed to run: I do not trust it
        "#]],
    );
}
