//! What people say: answers, questions, stop, cancel.

use super::super::script::check;
use expect_test::expect;

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
              A1 answered: Revise { text: "name it better", comments: [] } by Person { door: "terminal" }
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
R1 answered because
"#,
        expect![[r#"
            > delegate why is the sky blue?
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              T1 is a question: it asks `why ...?`
              R1 started: Answer of T1 on b0
            > R1 answered because
              R1 handed over
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
