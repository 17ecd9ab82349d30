//! Triage, builds, rework, budgets, failures: the life of a task up to its verdict.

use super::super::script::check;
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

/// A run under way hears it; the one that continues it knows it; a fresh one hears it again; a closed
/// task takes nothing.
#[test]
fn what_a_person_says_is_heard_once_by_each_talk() {
    check(
        r#"
delegate parser panics on empty file
T1 snapshotted
T1 say use the old name
R1 heard 1
R1 triaged bug
R2 checked 41
T1 say and be brief
R3 heard 2
R3 asks
Q1 this
T1 say
R1 heard 2
T1 cancel
T1 say too late
"#,
        expect![[r#"
            > delegate parser panics on empty file
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > T1 say use the old name
              T1 was told: use the old name
            > R1 heard 1
              R1 heard 1
            > R1 triaged bug
              R1 handed over
              R2 started: Baseline checks of T1 on b0
            > R2 checked 41
              R2.1 green
              R2 checked
              R3 started: Build of T1 on b0
            > T1 say and be brief
              T1 was told: and be brief
            > R3 heard 2
              R3 heard 2
            > R3 asks
              Q1 asked by R3
            > Q1 this
              Q1 answered: this (Person { door: "terminal" })
              decided: which one? -> this
              R4 started: Build of T1 on b0, continues R3: the answer to Q1: this
            > T1 say
              refused: there is nothing in it: say something
            > R1 heard 2
              refused: R1 is no longer at work; its task went on
            > T1 cancel
              T1 cancelled
            > T1 say too late
              refused: T1 has ended
            T1 Ended: cancelled
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
              R3 warned: four fifths used, money of this run: $1.70 of $2.00
            > R3 spent 400000
              R3 spent 400000
              R3 lost: out of budget, money of this run: $2.10 of $2.00
              T1 parked: out of budget, money of this run: $2.10 of $2.00
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

/// A budget lowers what one task may use and never raises it; a person who sends the task on gives it once
/// more.
#[test]
fn a_budget_is_below_the_limits() {
    check(
        r#"
delegate budget=5.01 parser panics
delegate budget=5000ktokens parser panics
delegate budget=0.50 parser panics
T1 snapshotted unchecked
R1 spent 400000
R1 spent 100001
T1 retry
R2 spent 399999
delegate budget=25tokens parser panics
T2 snapshotted unchecked
R3 spent 1
R3 spent 1
R3 spent 1
"#,
        expect![[r#"
            > delegate budget=5.01 parser panics
              refused: a budget of $5.01 is more than one task may use here, $5.00; give less, or raise `limits.task_usd_max` in your config.toml
            > delegate budget=5000ktokens parser panics
              refused: a budget of 5000000 tokens is more than one task may use here, 4000000 tokens; give less, or raise `limits.task_tokens_max` in your config.toml
            > delegate budget=0.50 parser panics
              T1 delegated
            > T1 snapshotted unchecked
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 spent 400000
              R1 spent 400000
              R1 warned: four fifths used, money of this task: $0.40 of $0.50
            > R1 spent 100001
              R1 spent 100001
              R1 lost: out of budget, money of this task: $0.50 of $0.50
              T1 parked: out of budget, money of this task: $0.50 of $0.50
            > T1 retry
              T1 retried
              R2 started: Triage of T1 on b0, continues R1: you were stopped; go on
            > R2 spent 399999
              R2 spent 399999
            > delegate budget=25tokens parser panics
              T2 delegated
            > T2 snapshotted unchecked
              T2 starts from b0
              R3 started: Triage of T2 on b0
            > R3 spent 1
              R3 spent 1
            > R3 spent 1
              R3 spent 1
              R3 warned: four fifths used, tokens of this task: 20 of 25
            > R3 spent 1
              R3 spent 1
              R3 lost: out of budget, tokens of this task: 30 of 25
              T2 parked: out of budget, tokens of this task: 30 of 25
            job run R2 of T1
            T2 Parked: needs a person: out of budget, tokens of this task: 30 of 25
            T1 Working: the PM triages
        "#]],
    );
}
