//! The life of a task, story by story.

use super::script::check;
use expect_test::expect;

/// A failed check goes back to the Engineer with its receipt; the second build lands.
#[test]
fn rework_then_landed() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 reproduced c1
R3 changed h1
R4 checked 41 failing=repro
R5 changed h2
R6 checked 42
R7 validated pass receipts=R6.1
T1 candidate l1
A1 approve
T1 planned
T1 landed
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
            > R3 reproduced c1
              R3 reproduced at c1
            > R3 changed h1
              R3 handed over
              R4 started: Gate checks of T1 on h1
            > R4 checked 41 failing=repro
              R4.1 red
              R4 checked
              R5 started: Build of T1 on h1, continues R3: R4.1 is red: 1 of 42 tests fail (repro)
            > R5 changed h2
              R5 handed over
              R6 started: Gate checks of T1 on h2
            > R6 checked 42
              R6.1 green
              R6 checked
              R7 started: Validate of T1 on h2
            > R7 validated pass receipts=R6.1
              R7 handed over
              T1 wants a candidate of h2
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R6.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 landed
            T1 Shipped: landed as l1
        "#]],
    );
}

/// Three builds, then a person.
#[test]
fn endless_disagreement_is_parked_for_a_person() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 41 failing=x
R5 changed h2
R6 checked 41 failing=x
R7 changed h3
R8 checked 41 failing=x
T1 retry
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
            > R4 checked 41 failing=x
              R4.1 red
              R4 checked
              R5 started: Build of T1 on h1, continues R3: R4.1 is red: 1 of 42 tests fail (x)
            > R5 changed h2
              R5 handed over
              R6 started: Gate checks of T1 on h2
            > R6 checked 41 failing=x
              R6.1 red
              R6 checked
              R7 started: Build of T1 on b0
            > R7 changed h3
              R7 handed over
              R8 started: Gate checks of T1 on h3
            > R8 checked 41 failing=x
              R8.1 red
              R8 checked
              T1 parked: 3 builds did not get there; the last one: R8.1 is red: 1 of 42 tests fail (x)
            > T1 retry
              T1 retried
              R9 started: Build of T1 on b0
            job run R9 of T1
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

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
              refused: the verdict names b0, but the change under test is h1
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

/// L is red while H is green: apply as edits, or commit yours and rebuild.
#[test]
fn red_without_your_text_offers_edits() {
    check(
        r#"
delegate x
T1 snapshotted s0
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1 tree=other
R6 checked 40 failing=y
A1 approve
A1 apply
T1 planned
T1 landed
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
            > R2 checked 41
              R2.1 green
              R2 checked
              R3 started: Build of T1 on s0
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
            > T1 candidate l1 tree=other
              T1 candidate l1 on b0
              R6 started: Candidate checks of T1 on l1
            > R6 checked 40 failing=y
              R6.1 red
              R6 checked
              A1 asked: edits of h1: without your uncommitted text R6.1 is red: 1 of 41 tests fail (y); it may depend on it
            > A1 approve
              refused: A1 can't land on the branch as things are; apply it as edits, commit yours and rebuild, revise or reject
            > A1 apply
              A1 answered: Apply by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 applied
            T1 Shipped: applied as edits
        "#]],
    );
}

/// One answer; late results are refused by their number.
#[test]
fn second_answer_and_stale_runs_are_refused() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
R3 changed h7
R5 validated pass receipts=R4.1
A1 approve change=another
A1 approve change=same
A1 approve
A1 reject too late
A9 approve
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > R3 changed h7
              refused: R3 is no longer at work; its task went on
            > R5 validated pass receipts=R4.1
              refused: R5 is no longer at work; its task went on
            > A1 approve change=another
              refused: the change of A1 is no longer the one you looked at; look again
            > A1 approve change=same
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > A1 approve
              refused: A1 was already answered
            > A1 reject too late
              refused: A1 was already answered
            > A9 approve
              refused: there is no approval A9
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

/// The approval holds for the same change, green on the new tip.
#[test]
fn the_tip_moves_and_the_same_change_lands() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve
T1 tip-moved
T1 candidate l2 tip=b1 tree=moved
R6 checked 43
T1 planned
T1 landed
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 tip-moved
              T1: the tip moved
            > T1 candidate l2 tip=b1 tree=moved
              T1 candidate l2 on b1
              R6 started: Candidate checks of T1 on l2
            > R6 checked 43
              R6.1 green
              R6 checked
              A1 holds for l2 on b1
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 landed
            T1 Shipped: landed as l2
        "#]],
    );
}

/// Another change needs another approval.
#[test]
fn the_tip_moves_and_the_change_differs() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve
T1 tip-moved
T1 candidate l2 tip=b1 tree=moved change=other
R6 checked 43
A1 approve
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 tip-moved
              T1: the tip moved
            > T1 candidate l2 tip=b1 tree=moved change=other
              T1 candidate l2 on b1
              R6 started: Candidate checks of T1 on l2
            > R6 checked 43
              R6.1 green
              R6 checked
              A1 void: the branch moved and what was approved does not cover the change there
              A2 asked: land l2 by R6.1
            > A1 approve
              refused: A1 no longer holds: the branch moved and what was approved does not cover the change there
            T1 NeedsYou: A2 waits for your decision
            A2: 43 tests pass; none shows the bug; +6 -2 in 1 file; look first at src/lib.rs:40 [approve apply revise rebuild reject]
        "#]],
    );
}

/// Red on the new tip: the approval is void.
#[test]
fn the_tip_moves_and_it_is_red() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve
T1 tip-moved
T1 candidate l2 tip=b1 tree=moved
R6 checked 40 failing=z
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 tip-moved
              T1: the tip moved
            > T1 candidate l2 tip=b1 tree=moved
              T1 candidate l2 on b1
              R6 started: Candidate checks of T1 on l2
            > R6 checked 40 failing=z
              R6.1 red
              R6 checked
              A1 void: the branch moved, and there R6.1 is red: 1 of 41 tests fail (z)
              A2 asked: edits of h1: on the branch R6.1 is red: 1 of 41 tests fail (z)
            T1 NeedsYou: A2 waits for your decision
            A2: can't land on the branch as things are; +6 -2 in 1 file [apply revise rebuild reject]
        "#]],
    );
}

/// A build script wants a tick of its own.
#[test]
fn what_runs_by_itself_needs_a_tick() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1 acts=build.rs
A1 approve
A1 approve tick=build.rs
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1 acts=build.rs
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              refused: these need a tick of their own: build.rs
            > A1 approve tick=build.rs
              A1 answered: Approve { ticked: ["build.rs"] } by Person { door: "terminal" }
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

/// The change depends on uncommitted text.
#[test]
fn a_conflict_offers_edits() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 conflicted src/lib.rs
A1 rebuild
T1 candidate l1
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 conflicted src/lib.rs
              T1 conflicts in src/lib.rs
              A1 asked: edits of h1: the change does not merge into the branch's tip in src/lib.rs
            > A1 rebuild
              A1 answered: Rebuild by Person { door: "terminal" }
            > T1 candidate l1
              T1 candidate l1 on b0
              A2 asked: land l1 by R4.1
            T1 NeedsYou: A2 waits for your decision
            A2: 42 tests pass; none shows the bug; +6 -2 in 1 file; look first at src/lib.rs:40 [approve apply revise rebuild reject]
        "#]],
    );
}

/// Revise continues the same Engineer; the count of builds begins anew.
#[test]
fn comments_go_back_to_the_engineer() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 revise
A1 revise name it better
R6 changed h2
R7 checked 42
R8 validated pass receipts=R7.1
T1 candidate l2
A2 reject not needed any more
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 revise
              refused: say what shall be different
            > A1 revise name it better
              A1 answered: Revise { text: "name it better" } by Person { door: "terminal" }
              decided: revise: name it better
              R6 started: Build of T1 on h1, continues R3: the person looked at the change and says: name it better
            > R6 changed h2
              R6 handed over
              R7 started: Gate checks of T1 on h2
            > R7 checked 42
              R7.1 green
              R7 checked
              R8 started: Validate of T1 on h2
            > R8 validated pass receipts=R7.1
              R8 handed over
              T1 wants a candidate of h2
            > T1 candidate l2
              T1 candidate l2 on b0
              A2 asked: land l2 by R7.1
            > A2 reject not needed any more
              A2 answered: Reject { why: "not needed any more" } by Person { door: "terminal" }
              decided: rejected
              T1 rejected: not needed any more
            T1 Ended: rejected: not needed any more
        "#]],
    );
}

/// A staged path in the way.
#[test]
fn landing_refused_moves_nothing_and_asks() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve
T1 landing-refused src/lib.rs is staged
A2 apply
T1 planned
T1 landed
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 landing-refused src/lib.rs is staged
              A1 void: it could not land: src/lib.rs is staged
              T1 did not land: src/lib.rs is staged
              A2 asked: edits of h1: src/lib.rs is staged
            > A2 apply
              A2 answered: Apply by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 applied
            T1 Shipped: applied as edits
        "#]],
    );
}

/// Undo only what landed, and only once.
#[test]
fn undo_takes_a_landing_back_once() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
T1 undo
A1 approve
T1 planned
T1 landed
T1 undo
T1 undo-refused something was committed on the same lines
T1 undo
T1 undone
T1 undo
T1 cancel
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > T1 undo
              refused: T1 has not landed; there is nothing to take back
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 landed
            > T1 undo
              T1 undo started
            > T1 undo-refused something was committed on the same lines
              T1 undo refused: something was committed on the same lines
            > T1 undo
              T1 undo started
            > T1 undone
              T1 undone: back
            > T1 undo
              refused: T1 was already taken back
            > T1 cancel
              refused: T1 has ended
            T1 Ended: undone: back
        "#]],
    );
}

/// The answer becomes a decision; the asked run goes on.
#[test]
fn a_question_waits_and_its_answer_continues_the_run() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 asks
R3 changed h1
Q1 2
R4 changed h1 weakened=one-is-wrong
Q1 1
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
            > R3 asks
              Q1 asked by R3
            > R3 changed h1
              refused: R3 is no longer at work; its task went on
            > Q1 2
              Q1 answered: that (Person { door: "terminal" })
              decided: which one? -> that
              R4 started: Build of T1 on b0, continues R3: the answer to Q1: that
            > R4 changed h1 weakened=one-is-wrong
              R4 handed over
              R5 started: Gate checks of T1 on h1
            > Q1 1
              refused: Q1 was already answered
            job check R5 of T1
            T1 Working: checks of the change
        "#]],
    );
}

/// The default where that was allowed, else parked; an answer still counts.
#[test]
fn a_question_nobody_answers() {
    check(
        r#"
delegate x
T1 snapshotted
R1 asks proceed
delegate y
T2 snapshotted
R2 asks
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
Q2 this
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 asks proceed
              Q1 asked by R1
            > delegate y
              T2 delegated
            > T2 snapshotted
              T2 starts from b0
              R2 started: Triage of T2 on b0
            > R2 asks
              Q2 asked by R2
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
              Q1 answered: that (Deadline)
              decided: which one? -> that
              R3 started: Triage of T1 on b0, continues R1: the answer to Q1: that
              T2 parked: nobody answered Q2: which one?
            > tick
            > tick
            > tick
            > Q2 this
              Q2 answered: this (Person { door: "terminal" })
              decided: which one? -> this
              R4 started: Triage of T2 on b0, continues R2: the answer to Q2: this
            job run R3 of T1
            job run R4 of T2
            T2 Working: the PM triages
            T1 Working: the PM triages
        "#]],
    );
}

/// A warning at four fifths, the end at the cap; a late call is still written down.
#[test]
fn money_ends_a_run_at_its_cap() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 spent 1500000
R3 spent 200000
R3 spent 400000
R3 spent 1
T1 retry
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
            > R3 spent 1500000
              R3 spent 1500000
            > R3 spent 200000
              R3 spent 200000
              R3 warned: four fifths used, money of this run: 1700000 of 2000000
            > R3 spent 400000
              R3 spent 400000
              R3 lost: out of budget, money of this run: 2100000 of 2000000
              T1 parked: out of budget, money of this run: 2100000 of 2000000
            > R3 spent 1
              R3 spent 1
            > T1 retry
              T1 retried
              R4 started: Build of T1 on b0, continues R3: you were stopped; go on
            job run R4 of T1
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// The deadline is checked against the time of the input.
#[test]
fn a_run_that_takes_too_long_is_lost() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
tick
T1 retry
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
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
            > tick
              R3 lost: R3 took longer than its 30 minutes
              T1 parked: failed: R3 took longer than its 30 minutes
            > tick
            > T1 retry
              T1 retried
              R4 started: Build of T1 on b0, continues R3: you were stopped; go on
            job run R4 of T1
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// Failed steps are parked, visible and retryable.
#[test]
fn the_world_fails_and_a_retry_goes_on() {
    check(
        r#"
delegate x
T1 step-failed
T1 retry
T1 snapshotted
R1 failed model unreachable
R1 triaged bug
T1 retry
R2 triaged bug
R3 failed model gone
T1 retry
R4 checked 41
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 step-failed
              T1 parked: failed: no space left
            > T1 retry
              T1 retried
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 failed model unreachable
              R1 lost: model unreachable
              T1 parked: failed: model unreachable
            > R1 triaged bug
              refused: R1 is no longer at work; its task went on
            > T1 retry
              T1 retried
              R2 started: Triage of T1 on b0, continues R1: you were stopped; go on
            > R2 triaged bug
              R2 handed over
              R3 started: Baseline checks of T1 on b0
            > R3 failed model gone
              R3 lost: model gone
              T1 parked: failed: model gone
            > T1 retry
              T1 retried
              R4 started: Baseline checks of T1 on b0
            > R4 checked 41
              R4.1 green
              R4 checked
              R5 started: Build of T1 on b0
            job run R5 of T1
            T1 Working: the Engineer builds (1 of 3)
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

/// Ctrl-C parks; resume continues the same run's journal.
#[test]
fn stop_and_go_on() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
T1 park
R3 changed h1
T1 park
T1 retry
R4 changed h1
T1 park
T1 retry
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
            > T1 park
              T1 parked: stopped
            > R3 changed h1
              refused: R3 is no longer at work; its task went on
            > T1 park
              refused: T1 already waits for a person
            > T1 retry
              T1 retried
              R4 started: Build of T1 on b0, continues R3: you were stopped; go on
            > R4 changed h1
              R4 handed over
              R5 started: Gate checks of T1 on h1
            > T1 park
              T1 parked: stopped
            > T1 retry
              T1 retried
              R6 started: Gate checks of T1 on h1
            job check R6 of T1
            T1 Working: checks of the change
        "#]],
    );
}

/// A question ends with its answer.
#[test]
fn questions_are_answered_without_landing() {
    check(
        r#"
delegate why is the sky blue?
T1 snapshotted
R1 triaged question
R2 answered because
"#,
        expect![[r#"
            > delegate why is the sky blue?
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged question
              R1 handed over
              R2 started: Answer of T1 on b0
            > R2 answered because
              R2 handed over
              T1 answered
            T1 Shipped: answered
        "#]],
    );
}

/// Where the team can't, a person is asked.
#[test]
fn needs_human_and_declined() {
    check(
        r#"
delegate change the licence
T1 snapshotted
R1 triaged needs-human
delegate y
T2 snapshotted
R2 declined this is not code
"#,
        expect![[r#"
            > delegate change the licence
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged needs-human
              R1 handed over
              T1 parked: it is so
            > delegate y
              T2 delegated
            > T2 snapshotted
              T2 starts from b0
              R2 started: Triage of T2 on b0
            > R2 declined this is not code
              R2 handed over
              T2 parked: this is not code
            T2 Parked: needs a person: this is not code
            T1 Parked: needs a person: it is so
        "#]],
    );
}

/// A cancelled task can't be answered, a landing one can't be cancelled.
#[test]
fn cancel_ends_it() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
T1 cancel
A1 approve
T1 retry
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > T1 cancel
              T1 cancelled
            > A1 approve
              refused: A1 no longer holds: the task ended
            > T1 retry
              refused: T1 has ended
            T1 Ended: cancelled
        "#]],
    );
}

/// Let it finish, then undo.
#[test]
fn a_landing_is_not_cancelled_halfway() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve
T1 planned
T1 cancel
T1 park
T1 landed
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve
              A1 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 cancel
              refused: T1 is being landed or undone; let it finish, then undo it
            > T1 park
              refused: T1 is being landed or undone; let it finish
            > T1 landed
              T1 landed
            T1 Shipped: landed as l1
        "#]],
    );
}

/// Nothing to land is no success.
#[test]
fn the_branch_already_has_it() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1 empty
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
            > R5 validated pass receipts=R4.1
              R5 handed over
              T1 wants a candidate of h1
            > T1 candidate l1 empty
              T1 candidate l1 on b0
              T1 parked: the branch already has this change: there is nothing to land
            T1 Parked: needs a person: the branch already has this change: there is nothing to land
        "#]],
    );
}
