//! A person takes some hunks of a change, or comments on its lines.

use super::super::script::check;
use expect_test::expect;

/// To the approval of `l1`, whose hunks are `src/lib.rs:h1+h2` and `b.bin:b1`.
const ASKED: &str = "
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
";

#[test]
fn the_part_is_green_by_itself_and_lands() {
    check(
        &format!(
            "{ASKED}
T1 candidate l1
A1 approve only=src/lib.rs:h2
A1 approve
T1 part p1
T1 candidate l2 head=h1
T1 candidate l2 head=p1 tree=t2 change=part
R6 checked 41
T1 tip-moved
T1 candidate l3 head=p1 tip=b1 tree=t3 change=part
R7 checked 41
T1 planned
T1 landed
"
        ),
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
            > A1 approve only=src/lib.rs:h2
              A1 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "src/lib.rs", hunks: ["h2"] }] } by Person { door: "terminal" }
            > A1 approve
              refused: A1 was already answered
            > T1 part p1
              A1 in part: p1 with the change part
            > T1 candidate l2 head=h1
              refused: T1 does not wait for this
            > T1 candidate l2 head=p1 tree=t2 change=part
              T1 candidate l2 on b0
              R6 started: Candidate checks of T1 on l2
            > R6 checked 41
              R6.1 green
              R6 checked
              A1 holds for l2 on b0
            > T1 tip-moved
              T1: the tip moved
            > T1 candidate l3 head=p1 tip=b1 tree=t3 change=part
              T1 candidate l3 on b1
              R7 started: Candidate checks of T1 on l3
            > R7 checked 41
              R7.1 green
              R7 checked
              A1 holds for l3 on b1
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 landed
            T1 Shipped: landed in part as l3
        "#]],
    );
}

/// Without the test that shows the bug the required checks decide; the whole change needs it.
#[test]
fn a_part_may_leave_the_reproducing_test_out() {
    check(
        "
delegate parser panics on empty file
T1 snapshotted
R1 triaged bug
R2 checked 41
R3 recorded c1
R3 reproduced c1
R3 changed h1
R4 checked 42
R5 validated pass receipts=R4.1
T1 candidate l1
A1 approve only=src/lib.rs:h2
T1 part p1
T1 candidate l2 head=p1 tree=t2 change=part
R6 checked 41 unshown
A1 approve
",
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
            > R3 recorded c1
              R3.1 green
            > R3 reproduced c1
              R3 reproduced at c1
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
            > A1 approve only=src/lib.rs:h2
              A1 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "src/lib.rs", hunks: ["h2"] }] } by Person { door: "terminal" }
            > T1 part p1
              A1 in part: p1 with the change part
            > T1 candidate l2 head=p1 tree=t2 change=part
              T1 candidate l2 on b0
              R6 started: Candidate checks of T1 on l2
            > R6 checked 41 unshown
              R6.1 green
              R6 checked
              A1 holds for l2 on b0
            > A1 approve
              refused: A1 was already answered
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

#[test]
fn the_part_is_refused_and_the_whole_is_asked_about_again() {
    check(
        &format!(
            "{ASKED}
T1 candidate l1
A1 approve only=src/lib.rs:h2
T1 part-conflicted src/lib.rs
T1 candidate l1
A2 approve only=b.bin:b1
T1 part p1
T1 candidate l2 head=p1 tree=t2 change=part
R6 checked 40 failing=x rerun=x
T1 candidate l1
A3 approve only=b.bin:b1
T1 part p2
T1 candidate l2 head=p2 tree=t2 change=other
T1 candidate l1
A4 approve
T1 planned
T1 landed
"
        ),
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
            > A1 approve only=src/lib.rs:h2
              A1 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "src/lib.rs", hunks: ["h2"] }] } by Person { door: "terminal" }
            > T1 part-conflicted src/lib.rs
              A1 in part: refused, the hunks you accepted don't land alone: they need others in src/lib.rs
            > T1 candidate l1
              T1 candidate l1 on b0
              A2 asked: land l1 by R4.1
            > A2 approve only=b.bin:b1
              A2 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "b.bin", hunks: ["b1"] }] } by Person { door: "terminal" }
            > T1 part p1
              A2 in part: p1 with the change part
            > T1 candidate l2 head=p1 tree=t2 change=part
              T1 candidate l2 on b0
              R6 started: Candidate checks of T1 on l2
            > R6 checked 40 failing=x rerun=x
              R6.1 red
              R6.2 red
              R6 checked
              A2 in part: refused, the hunks you accepted don't land alone: R6.1 is red: 1 of 41 tests fail (x)
            > T1 candidate l1
              T1 candidate l1 on b0
              A3 asked: land l1 by R4.1
            > A3 approve only=b.bin:b1
              A3 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "b.bin", hunks: ["b1"] }] } by Person { door: "terminal" }
            > T1 part p2
              A3 in part: p2 with the change part
            > T1 candidate l2 head=p2 tree=t2 change=other
              T1 candidate l2 on b0
              A3 in part: refused, the hunks you accepted don't land alone: the branch moved, and there it would be another change
            > T1 candidate l1
              T1 candidate l1 on b0
              A4 asked: land l1 by R4.1
            > A4 approve
              A4 answered: Approve { ticked: [] } by Person { door: "terminal" }
            > T1 planned
              T1 landing planned
            > T1 landed
              T1 landed
            T1 Shipped: landed as l1
        "#]],
    );
}

#[test]
fn a_choice_is_about_what_there_is() {
    check(
        &format!(
            "{ASKED}
T1 candidate l1 acts=src/lib.rs merges=b.bin
A1 approve only=
A1 approve only=src/lib.rs
A1 approve only=src/lib.rs:h3
A1 approve only=src/none.rs:h1
A1 approve only=b.bin:b1 change=old tick=b.bin
A1 approve only=b.bin:b1
A1 approve only=b.bin:b1+b1,b.bin:b1 tick=b.bin
A1 approve only=b.bin:b1 tick=b.bin
T1 park
T1 retry
T1 part p1
T1 candidate l2 head=p1 tree=t2 change=part merges=b.bin,src/lib.rs
R6 checked 42
T1 candidate l1 acts=src/lib.rs merges=b.bin
A2 approve only=src/lib.rs:h2+h1,b.bin:b1 tick=src/lib.rs,b.bin
"
        ),
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
            > T1 candidate l1 acts=src/lib.rs merges=b.bin
              T1 candidate l1 on b0
              A1 asked: land l1 by R4.1
            > A1 approve only=
              refused: no hunk is chosen: choose one at least, or reject the change
            > A1 approve only=src/lib.rs
              refused: no hunk is chosen: choose one at least, or reject the change
            > A1 approve only=src/lib.rs:h3
              refused: src/lib.rs has no hunk h3 in this change: look again at its diff
            > A1 approve only=src/none.rs:h1
              refused: this change doesn't touch src/none.rs: look again at its diff
            > A1 approve only=b.bin:b1 change=old tick=b.bin
              refused: the change of A1 is no longer the one you looked at; look again
            > A1 approve only=b.bin:b1
              refused: these need a tick of their own: b.bin
            > A1 approve only=b.bin:b1+b1,b.bin:b1 tick=b.bin
              A1 answered: ApproveSome { ticked: ["b.bin"], hunks: [FileHunks { path: "b.bin", hunks: ["b1"] }] } by Person { door: "terminal" }
            > A1 approve only=b.bin:b1 tick=b.bin
              refused: A1 was already answered
            > T1 park
              T1 parked: stopped
            > T1 retry
              T1 retried
            > T1 part p1
              A1 in part: p1 with the change part
            > T1 candidate l2 head=p1 tree=t2 change=part merges=b.bin,src/lib.rs
              T1 candidate l2 on b0
              R6 started: Candidate checks of T1 on l2
            > R6 checked 42
              R6.1 green
              R6 checked
              A1 in part: refused, the hunks you accepted don't land alone: they need a tick that they didn't get
            > T1 candidate l1 acts=src/lib.rs merges=b.bin
              T1 candidate l1 on b0
              A2 asked: land l1 by R4.1
            > A2 approve only=src/lib.rs:h2+h1,b.bin:b1 tick=src/lib.rs,b.bin
              A2 answered: Approve { ticked: ["src/lib.rs", "b.bin"] } by Person { door: "terminal" }
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

/// Commands that a person has to allow first do not make them answer twice.
#[test]
fn a_part_is_checked_without_a_sandbox_and_after_a_set_up() {
    check(
        &format!(
            "{ASKED}
T1 candidate l1
A1 approve only=src/lib.rs:h2
T1 part p1
T1 candidate l2 head=p1 tree=t2 change=part
R6 failed no-sandbox
A2 approve only=src/lib.rs:h2
A2 approve
R7 wants-setup c1
A3 reject
T1 retry
R8 wants-setup c1
A4 approve
R9 set-up 0
R10 checked 41
T1 planned
"
        ),
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
            > A1 approve only=src/lib.rs:h2
              A1 answered: ApproveSome { ticked: [], hunks: [FileHunks { path: "src/lib.rs", hunks: ["h2"] }] } by Person { door: "terminal" }
            > T1 part p1
              A1 in part: p1 with the change part
            > T1 candidate l2 head=p1 tree=t2 change=part
              T1 candidate l2 on b0
              R6 started: Candidate checks of T1 on l2
            > R6 failed no-sandbox
              R6 lost: no-sandbox
              A2 asked: commands on l2
            > A2 approve only=src/lib.rs:h2
              refused: A2 is about the commands, which has no hunks: answer it for all
            > A2 approve
              A2 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R7 started: Candidate checks of T1 on l2, unconfined
            > R7 wants-setup c1
              R7 lost: run the checks yet: node_modules is not there
              A3 asked: set-up npm ci on l2
            > A3 reject
              A3 answered: Reject { why: "" } by Person { door: "terminal" }
              T1 parked: the set-up for `parser panics on empty file` was not allowed: 
            > T1 retry
              T1 retried
              R8 started: Candidate checks of T1 on l2
            > R8 wants-setup c1
              R8 lost: run the checks yet: node_modules is not there
              A4 asked: set-up npm ci on l2
            > A4 approve
              A4 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R9 started: set-up of T1 on l2, then Candidate
            > R9 set-up 0
              R9.1 green
              R9 checked
              R10 started: Candidate checks of T1 on l2
            > R10 checked 41
              R10.1 green
              R10 checked
              A1 holds for l2 on b0
            > T1 planned
              T1 landing planned
            job land T1: move
            T1 Working: landing
        "#]],
    );
}

#[test]
fn comments_on_lines_go_back_with_their_lines() {
    check(
        &format!(
            "{ASKED}
T1 candidate l1
A1 revise at=src/lib.rs:40
A1 reject
"
        ),
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
            > A1 revise at=src/lib.rs:40
              A1 answered: Revise { text: "at=src/lib.rs:40", comments: [Comment { path: "src/lib.rs", line: 40, side: New, quoted: "let x = 1;", text: "why so?" }] } by Person { door: "terminal" }
              decided: revise: at=src/lib.rs:40
            comments on lines:
            - src/lib.rs:40 `let x = 1;`: why so?
              R6 started: Build of T1 on h1, continues R3: the person looked at the change and says: at=src/lib.rs:40
            comments on lines:
            - src/lib.rs:40 `let x = 1;`: why so?
            > A1 reject
              refused: A1 was already answered
            job run R6 of T1
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}
