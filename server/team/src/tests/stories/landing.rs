//! From the candidate to the branch, and back.

use super::super::script::check;
use expect_test::expect;

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
