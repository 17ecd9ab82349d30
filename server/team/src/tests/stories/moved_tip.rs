//! The branch moves between the approval and the landing.

use super::super::script::check;
use expect_test::expect;

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
