//! What kind of task it is: by rules, by the PM, by a person; and questions, which change nothing.

use super::super::script::check;
use expect_test::expect;

/// Rules are sure of some classes; a PM's other word changes nothing, its stop does.
#[test]
fn rules_settle_what_is_clear() {
    check(
        r#"
delegate docs: say what retries do
T1 snapshotted unchecked
R1 triaged feature
delegate fix: it panics
T2 snapshotted unchecked
R3 triaged needs-human
T2 retry
R4 triaged bug
"#,
        expect![[r#"
            > delegate docs: say what retries do
              T1 delegated
            > T1 snapshotted unchecked
              T1 starts from b0
              T1 is a docs: it is labelled `docs`
              R1 started: Triage of T1 on b0
            > R1 triaged feature
              R1 handed over
              R2 started: Build of T1 on b0
            > delegate fix: it panics
              T2 delegated
            > T2 snapshotted unchecked
              T2 starts from b0
              T2 is a bug: it is labelled `fix`
              R3 started: Triage of T2 on b0
            > R3 triaged needs-human
              R3 handed over
              T2 parked: it is so
            > T2 retry
              T2 retried
              R4 started: Triage of T2 on b0
            > R4 triaged bug
              R4 handed over
              R5 started: Build of T2 on b0
            job run R2 of T1
            job run R5 of T2
            T2 Working: the Engineer builds (1 of 3)
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// A person's class is not guessed again, whatever the words or the PM say; `needs-human` is none.
#[test]
fn a_class_that_the_person_gave_stands() {
    check(
        r#"
delegate class=bug add a flag
T1 snapshotted unchecked
R1 triaged feature or=docs
delegate class=question fix: it panics
T2 snapshotted unchecked
delegate class=needs-human x
"#,
        expect![[r#"
            > delegate class=bug add a flag
              T1 delegated
            > T1 snapshotted unchecked
              T1 starts from b0
              T1 is a bug: the person said so
              R1 started: Triage of T1 on b0
            > R1 triaged feature or=docs
              R1 handed over
              R2 started: Build of T1 on b0
            > delegate class=question fix: it panics
              T2 delegated
            > T2 snapshotted unchecked
              T2 starts from b0
              T2 is a question: the person said so
              R3 started: Answer of T2 on b0
            > delegate class=needs-human x
              refused: `needs-human` is what the team says of a task; name another class, or none
            job run R2 of T1
            job run R3 of T2
            T2 Working: the Architect looks for the answer
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// Two classes fit: a person chooses, the safer one is the default.
#[test]
fn a_tie_asks_a_person() {
    check(
        r#"
delegate x
T1 snapshotted unchecked
R1 triaged bug or=feature
Q1 1
delegate y
T2 snapshotted unchecked
R3 triaged docs or=question
Q2 chore
delegate z
T3 snapshotted unchecked
R5 triaged bug or=refactor
Q3 it is about the parser
R6 triaged bug or=bug
"#,
        expect![[r#"
            > delegate x
              T1 delegated
            > T1 snapshotted unchecked
              T1 starts from b0
              R1 started: Triage of T1 on b0
            > R1 triaged bug or=feature
              R1 handed over
              Q1 asked by R1
            > Q1 1
              Q1 answered: bug: it is built and validated (Person { door: "terminal" })
              decided: Which class is it, bug or feature? it is so -> bug: it is built and validated
              T1 is a bug: the answer to Q1
              R2 started: Build of T1 on b0
            > delegate y
              T2 delegated
            > T2 snapshotted unchecked
              T2 starts from b0
              R3 started: Triage of T2 on b0
            > R3 triaged docs or=question
              R3 handed over
              Q2 asked by R3
            > Q2 chore
              Q2 answered: chore (Person { door: "terminal" })
              decided: Which class is it, docs or question? it is so -> chore
              T2 is a chore: the answer to Q2
              R4 started: Build of T2 on b0
            > delegate z
              T3 delegated
            > T3 snapshotted unchecked
              T3 starts from b0
              R5 started: Triage of T3 on b0
            > R5 triaged bug or=refactor
              R5 handed over
              Q3 asked by R5
            > Q3 it is about the parser
              Q3 answered: it is about the parser (Person { door: "terminal" })
              decided: Which class is it, bug or refactor? it is so -> it is about the parser
              R6 started: Triage of T3 on b0, continues R5: the answer to Q3: it is about the parser
            > R6 triaged bug or=bug
              R6 handed over
              R7 started: Build of T3 on b0
            job run R2 of T1
            job run R4 of T2
            job run R7 of T3
            T3 Working: the Engineer builds (1 of 3)
            T2 Working: the Engineer builds (1 of 3)
            T1 Working: the Engineer builds (1 of 3)
        "#]],
    );
}

/// A question needs citations that are there.
#[test]
fn an_answer_cites_what_is_there() {
    check(
        r#"
delegate where is the limit?
T1 snapshotted
R1 answered uncited
R1 answered wrong=src/a.rs:9000
R1 answered here
"#,
        expect![[r#"
            > delegate where is the limit?
              T1 delegated
            > T1 snapshotted
              T1 starts from b0
              T1 is a question: it asks `where ...?`
              R1 started: Answer of T1 on b0
            > R1 answered uncited
              refused: an answer needs citations: cite the `path:line` of what you read
            > R1 answered wrong=src/a.rs:9000
              refused: these citations name nothing: src/a.rs:9000. Read the file and cite lines that are there
            > R1 answered here
              R1 handed over
              T1 answered
            T1 Shipped: answered
        "#]],
    );
}
