//! Classes, stages, plans, gates and notes: which way a task goes.

use super::super::script::check;
use expect_test::expect;

/// A feature is designed, built, validated and announced; one approval lands all of it.
#[test]
fn a_feature_goes_the_whole_way() {
    check(
        r#"
delegate add a quiet flag
T1 snapshotted
R1 triaged feature
R2 designed
R3 checked 41
R4 changed h1
R5 checked 42
R6 validated pass receipts=R5.1
R7 announced h2 files=CHANGELOG.md
T1 candidate l1
R8 checked 42
A1 approve
T1 planned
T1 landed
"#,
        expect![[r#"
            > delegate add a quiet flag
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              T1 is a feature: it begins with `add`
              R1 started: Triage of T1 on b0
            > R1 triaged feature
              R1 handed over
              R2 started: Design of T1 on b0
            > R2 designed
              R2 handed over
              decided: keep the old flag
              R3 started: Baseline checks of T1 on b0
            > R3 checked 41
              R3.1 green
              R3 checked
              R4 started: Build of T1 on b0
            > R4 changed h1
              R4 handed over
              R5 started: Gate checks of T1 on h1
            > R5 checked 42
              R5.1 green
              R5 checked
              R6 started: Validate of T1 on h1
            > R6 validated pass receipts=R5.1
              R6 handed over
              R7 started: Announce of T1 on h1
            > R7 announced h2 files=CHANGELOG.md
              R7 handed over
              T1 wants a candidate of h2
            > T1 candidate l1
              T1 candidate l1 on b0
              R8 started: Candidate checks of T1 on l1
            > R8 checked 42
              R8.1 green
              R8 checked
              A1 asked: land l1 by R8.1
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

/// Where the way has a gate the plan waits for a person; comments go back to the Architect.
#[test]
fn a_plan_is_revised_and_approved() {
    check(
        r#"
delegate add a quiet flag
T1 snapshotted feature=design,human:build,build,validate
R1 triaged feature
R2 designed
A1 apply
A1 revise
A1 revise keep the old flag
R3 designed
A1 approve
A2 approve
R4 checked 41
"#,
        expect![[r#"
            > delegate add a quiet flag
              T1 delegated
            > T1 snapshotted feature=design,human:build,build,validate
              T1 starts from b0
              T1 is a feature: it begins with `add`
              R1 started: Triage of T1 on b0
            > R1 triaged feature
              R1 handed over
              R2 started: Design of T1 on b0
            > R2 designed
              R2 handed over
              decided: keep the old flag
              A1 asked: the plan of R2: a person approves the plan before the build here
            > A1 apply
              refused: A1 is about the plan: approve, revise or reject
            > A1 revise
              refused: say what shall be different
            > A1 revise keep the old flag
              A1 answered: Revise { text: "keep the old flag", comments: [] } by Person { door: "terminal" }
              decided: revise: keep the old flag
              R3 started: Design of T1 on b0, continues R2: the person looked at the plan and says: keep the old flag
            > R3 designed
              R3 handed over
              decided: keep the old flag
              A2 asked: the plan of R3: a person approves the plan before the build here
            > A1 approve
              refused: A1 was already answered
            > A2 approve
              A2 answered: Approve { ticked: [] } by Person { door: "terminal" }
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

/// Three plans, then a person; a rejected plan ends the task.
#[test]
fn plans_are_bounded_and_can_be_rejected() {
    check(
        r#"
delegate add a quiet flag
T1 snapshotted feature=design,human:build,build,validate
R1 triaged feature
R2 designed
A1 revise no
R3 designed
A2 revise no
R4 designed
A3 revise still no
T1 retry
R5 designed
A4 reject not worth it
"#,
        expect![[r#"
            > delegate add a quiet flag
              T1 delegated
            > T1 snapshotted feature=design,human:build,build,validate
              T1 starts from b0
              T1 is a feature: it begins with `add`
              R1 started: Triage of T1 on b0
            > R1 triaged feature
              R1 handed over
              R2 started: Design of T1 on b0
            > R2 designed
              R2 handed over
              decided: keep the old flag
              A1 asked: the plan of R2: a person approves the plan before the build here
            > A1 revise no
              A1 answered: Revise { text: "no", comments: [] } by Person { door: "terminal" }
              decided: revise: no
              R3 started: Design of T1 on b0, continues R2: the person looked at the plan and says: no
            > R3 designed
              R3 handed over
              decided: keep the old flag
              A2 asked: the plan of R3: a person approves the plan before the build here
            > A2 revise no
              A2 answered: Revise { text: "no", comments: [] } by Person { door: "terminal" }
              decided: revise: no
              R4 started: Design of T1 on b0, continues R3: the person looked at the plan and says: no
            > R4 designed
              R4 handed over
              decided: keep the old flag
              A3 asked: the plan of R4: a person approves the plan before the build here
            > A3 revise still no
              A3 answered: Revise { text: "still no", comments: [] } by Person { door: "terminal" }
              decided: revise: still no
              T1 parked: 3 plans did not get there; the last one: the person looked at the plan and says: still no
            > T1 retry
              T1 retried
              R5 started: Design of T1 on b0, continues R4: you were stopped; go on
            > R5 designed
              R5 handed over
              decided: keep the old flag
              A4 asked: the plan of R5: a person approves the plan before the build here
            > A4 reject not worth it
              A4 answered: Reject { why: "not worth it" } by Person { door: "terminal" }
              decided: rejected
              T1 rejected: not worth it
            T1 Ended: rejected: not worth it
        "#]],
    );
}

/// A path of risk in the plan asks a person, whatever the way says.
#[test]
fn a_risky_plan_waits_for_a_person() {
    check(
        r#"
delegate refactor the login
T1 snapshotted
R1 triaged refactor
R2 designed risk=src/auth.rs
"#,
        expect![[r#"
            > delegate refactor the login
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              T1 is a refactor: it begins with `refactor`
              R1 started: Triage of T1 on b0
            > R1 triaged refactor
              R1 handed over
              R2 started: Design of T1 on b0
            > R2 designed risk=src/auth.rs
              R2 handed over
              decided: keep the old flag
              A1 asked: the plan of R2: a mistake is dear in src/auth.rs
            T1 NeedsYou: A1 waits for your decision
            A1: a plan, nothing is built yet: do it so [approve revise reject]
        "#]],
    );
}

/// A plan needs paths that can be; a change stays inside of them; one that can't goes back to the
/// Architect with the Engineer's reason.
#[test]
fn a_change_stays_in_its_plan() {
    check(
        r#"
delegate refactor the parser
T1 snapshotted unchecked
R1 triaged refactor
R2 designed nowhere
R2 designed wrong=../x
R2 designed
R3 changed h1 outside=src/net.rs
R3 declined src/net.rs calls it
R4 designed
R5 changed h1
"#,
        expect![[r#"
            > delegate refactor the parser
              T1 delegated
            > T1 snapshotted unchecked
              T1 starts from b0
              T1 is a refactor: it begins with `refactor`
              R1 started: Triage of T1 on b0
            > R1 triaged refactor
              R1 handed over
              R2 started: Design of T1 on b0
            > R2 designed nowhere
              refused: the plan names no paths: say what files or folders the change may touch
            > R2 designed wrong=../x
              refused: these paths can't stand in a plan: ../x. Name others and hand over again
            > R2 designed
              R2 handed over
              decided: keep the old flag
              R3 started: Build of T1 on b0
            > R3 changed h1 outside=src/net.rs
              refused: the plan does not name these files, put them back: src/net.rs. Tests and documentation are free; if the task can't be done without the others, decline and say which and why: then the plan is made again
            > R3 declined src/net.rs calls it
              R3 handed over
              R4 started: Design of T1 on b0, continues R2: the Engineer can't build this plan: src/net.rs calls it
            > R4 designed
              R4 handed over
              decided: keep the old flag
              R5 started: Build of T1 on b0
            > R5 changed h1
              R5 handed over
              R6 started: Validate of T1 on h1
            job run R6 of T1
            T1 Working: the Tester judges
        "#]],
    );
}

/// Gates before other stages ask whether to go on; comments go to whoever came before.
#[test]
fn every_stage_can_have_a_gate() {
    check(
        r#"
delegate x
T1 snapshotted unchecked bug=human:build,build,human:validate,validate,human:announce,announce
R1 triaged bug
A1 revise it is about the parser
R2 triaged bug
A2 approve
R3 changed h1
A3 revise smaller
R4 changed h2
A4 approve
R5 validated pass
A5 approve
R6 announced-nothing nobody sees it
T1 candidate l1
A6 approve
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 snapshotted unchecked bug=human:build,build,human:validate,validate,human:announce,announce
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug
              R1 handed over
              A1 asked: go on with build
            > A1 revise it is about the parser
              A1 answered: Revise { text: "it is about the parser", comments: [] } by Person { door: "terminal" }
              decided: revise: it is about the parser
              R2 started: Triage of T1 on b0, continues R1: the person looked at the triage and says: it is about the parser
            > R2 triaged bug
              R2 handed over
              A2 asked: go on with build
            > A2 approve
              A2 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R3 started: Build of T1 on b0
            > R3 changed h1
              R3 handed over
              A3 asked: go on with validate
            > A3 revise smaller
              A3 answered: Revise { text: "smaller", comments: [] } by Person { door: "terminal" }
              decided: revise: smaller
              R4 started: Build of T1 on h1, continues R3: the person looked at the change and says: smaller
            > R4 changed h2
              R4 handed over
              A4 asked: go on with validate
            > A4 approve
              A4 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R5 started: Validate of T1 on h2
            > R5 validated pass
              R5 handed over
              A5 asked: go on with announce
            > A5 approve
              A5 answered: Approve { ticked: [] } by Person { door: "terminal" }
              R6 started: Announce of T1 on h2
            > R6 announced-nothing nobody sees it
              R6 handed over
              T1 wants a candidate of h2
            > T1 candidate l1
              T1 candidate l1 on b0
              A6 asked: land l1 by 
            > A6 approve
              A6 answered: Approve { ticked: [] } by Person { door: "terminal" }
            job land T1: plan
            T1 Working: landing
        "#]],
    );
}

/// Marketing writes documentation alone; what it can't do stops nothing.
#[test]
fn notes_are_documentation_and_stop_nothing() {
    check(
        r#"
delegate add a quiet flag
T1 snapshotted unchecked feature=build,validate,announce
R1 triaged feature
R2 changed h1
R3 validated pass
R4 announced h2 files=CHANGELOG.md,src/lib.rs
R4 announced h2
R4 failed stuck in circles
delegate add a loud flag
T2 snapshotted unchecked feature=build,validate,announce
R5 triaged feature unseen
R6 changed h1
R7 validated pass
delegate add a test flag
T3 snapshotted unchecked feature=build,validate,announce
R8 triaged feature
R9 changed h1 only=tests/a.rs
R10 validated pass
delegate add a third flag
T4 snapshotted unchecked feature=build,validate,announce
R11 triaged feature
R12 changed h1
R13 validated pass
R14 declined nothing fits here
"#,
        expect![[r#"
            > delegate add a quiet flag
              T1 delegated
            > T1 snapshotted unchecked feature=build,validate,announce
              T1 starts from b0
              T1 is a feature: it begins with `add`
              R1 started: Triage of T1 on b0
            > R1 triaged feature
              R1 handed over
              R2 started: Build of T1 on b0
            > R2 changed h1
              R2 handed over
              R3 started: Validate of T1 on h1
            > R3 validated pass
              R3 handed over
              R4 started: Announce of T1 on h1
            > R4 announced h2 files=CHANGELOG.md,src/lib.rs
              refused: only documentation is yours to change, put these back: src/lib.rs. Then hand over again
            > R4 announced h2
              refused: nothing was written: edit the documentation and hand over, or hand over that there is nothing to announce
            > R4 failed stuck in circles
              R4 lost: stuck in circles
              T1 wants a candidate of h1
            > delegate add a loud flag
              T2 delegated
            > T2 snapshotted unchecked feature=build,validate,announce
              T2 starts from b0
              T2 is a feature: it begins with `add`
              R5 started: Triage of T2 on b0
            > R5 triaged feature unseen
              R5 handed over
              R6 started: Build of T2 on b0
            > R6 changed h1
              R6 handed over
              R7 started: Validate of T2 on h1
            > R7 validated pass
              R7 handed over
              T2 wants a candidate of h1
            > delegate add a test flag
              T3 delegated
            > T3 snapshotted unchecked feature=build,validate,announce
              T3 starts from b0
              R8 started: Triage of T3 on b0
            > R8 triaged feature
              R8 handed over
              R9 started: Build of T3 on b0
            > R9 changed h1 only=tests/a.rs
              R9 handed over
              R10 started: Validate of T3 on h1
            > R10 validated pass
              R10 handed over
              T3 wants a candidate of h1
            > delegate add a third flag
              T4 delegated
            > T4 snapshotted unchecked feature=build,validate,announce
              T4 starts from b0
              T4 is a feature: it begins with `add`
              R11 started: Triage of T4 on b0
            > R11 triaged feature
              R11 handed over
              R12 started: Build of T4 on b0
            > R12 changed h1
              R12 handed over
              R13 started: Validate of T4 on h1
            > R13 validated pass
              R13 handed over
              R14 started: Announce of T4 on h1
            > R14 declined nothing fits here
              R14 handed over
              T4 wants a candidate of h1
            job candidate of h1 for T1
            job candidate of h1 for T2
            job candidate of h1 for T3
            job candidate of h1 for T4
            T4 Working: building the candidate
            T3 Working: building the candidate
            T2 Working: building the candidate
            T1 Working: building the candidate
        "#]],
    );
}
