//! What counts as delegated, what a person's time was, and what is remembered.

use super::*;
use crate::tests::script::play;
use crate::{Memo, memory::Remembered};

/// From a delegation to a candidate that waits as the task's first approval. Two lines of
/// `play` are a minute apart.
fn build(task: u32, first_run: u32) -> String {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|it| first_run + it);
    format!(
        "delegate it fails\nT{task} snapshotted\nR{a} triaged bug\nR{b} checked 41\n\
         R{c} changed h{task}\nR{d} checked 42\nR{e} validated pass receipts=R{d}.1\n\
         T{task} candidate l{task}\n"
    )
}

fn told(script: &str) -> (Team, Millis) {
    let (team, transcript, at) = play(script);
    assert!(!transcript.contains("refused"), "{transcript}");
    (team, at)
}

#[test]
fn one_approval_is_delegated_and_more_of_a_person_is_not() {
    let script = build(1, 1)
        + "A1 approve\nT1 planned\nT1 landed\n"
        + &build(2, 6)
        + "A2 revise shorter\nR11 changed h9\nR12 checked 42\nR13 validated pass receipts=R12.1\n\
           T2 candidate l9\nA3 approve\nT2 planned\nT2 landed\n"
        + &build(3, 14)
        + "A4 reject too large\n";
    let (team, at) = told(&script);
    let it = report(&team, at, None);
    let all = &it.all;
    assert_eq!((all.tasks, all.delegated, all.assisted, all.shipped), (3, 1, 1, 2));
    assert_eq!((all.rebuilds, all.sent_back, all.false_starts, all.young), (1, 1, 1, 1));
    assert_eq!((all.measured, all.person_ms), (0, None), "nobody told of a review");
    assert_eq!(all.waited_ms, Some(60_000));
    assert_eq!(it.digest.says, "2 shipped, 1 ended otherwise");
    assert_eq!(it.classes.len(), 1);
    // What was taken back was not delegated, and was built for nothing.
    let (team, at) =
        told(&(build(1, 1) + "A1 approve\nT1 planned\nT1 landed\nT1 undo\nT1 undone\n"));
    let all = report(&team, at, None).all;
    assert_eq!((all.delegated, all.shipped, all.false_starts), (0, 0, 1));
}

#[test]
fn only_what_ended_since_then_counts_but_what_waits_is_told() {
    let script = build(1, 1) + "A1 approve\nT1 planned\nT1 landed\n" + &build(2, 6);
    let (team, at) = told(&script);
    let since = team.task(TaskId(1)).unwrap().ended_at.unwrap() + 1;
    let it = report(&team, at, Some(since));
    assert_eq!((it.all.tasks, it.digest.says.as_str()), (0, "1 needs you"));
    let titles: Vec<_> = it.digest.lines.iter().map(|it| (it.task.0, it.column)).collect();
    assert_eq!(titles, [(2, Column::NeedsYou)]);
    assert_eq!(report(&team, at, Some(since - 1)).digest.says, "1 shipped, 1 needs you");
}

#[test]
fn the_persons_time_is_beside_the_decision() {
    let script = build(1, 1)
        + "T1 opened A1\nT1 worked-on A1\nT1 worked-on A1\nA1 approve\nT1 planned\nT1 landed\n";
    let (team, at) = told(&script);
    let it = report(&team, at, None);
    assert_eq!((it.all.measured, it.all.person_ms), (1, Some(180_000)));
    let steps = &it.tasks[0];
    assert_eq!(steps.person_ms, Some(180_000));
    let decided = steps.rows.iter().find(|it| it.step == "Decide").unwrap();
    assert_eq!((decided.role, decided.person_ms), ("you", Some(180_000)));
    let names: Vec<_> = steps.rows.iter().map(|it| it.step).collect();
    assert_eq!(names, ["Delegate", "Triage", "Build", "Judge", "Decide", "End"]);
    // The answer ended the review: nothing runs on.
    assert_eq!(team.task(TaskId(1)).unwrap().viewing.since, None);
}

#[test]
fn an_approval_of_another_task_is_not_looked_at_with_this_one() {
    let (_, transcript, _) = play(&(build(1, 1) + &build(2, 6) + "T1 opened A2\nT9 opened\n"));
    assert!(transcript.contains("refused: there is no approval A2"), "{transcript}");
    assert!(transcript.contains("refused: there is no task T9"), "{transcript}");
}

#[test]
fn a_forgotten_decision_is_told_to_nobody_and_stays_in_the_log() {
    let script = build(1, 1) + "A1 revise keep the old text\n";
    let (mut team, _) = told(&script);
    let task = team.task(TaskId(1)).unwrap();
    let of_task: Vec<String> = team.decisions(task).map(|it| it.1.what.clone()).collect();
    assert_eq!(of_task, ["revise: keep the old text"]);
    let (memo, by) = ("D1".parse::<Memo>().unwrap(), By::Rule);
    let events = crate::decide(&team, 1, crate::Input::Forget { memo, by: by.clone() }).unwrap();
    events.iter().for_each(|it| team.apply(it));
    let task = team.task(TaskId(1)).unwrap();
    assert_eq!(team.decisions(task).count(), 0);
    assert_eq!(team.recalled(None, None).count(), 0);
    let kept: Option<&Remembered> = team.remembered(crate::DecisionId(1));
    assert!(kept.unwrap().forgotten.is_some());
    let again = crate::decide(&team, 2, crate::Input::Forget { memo, by });
    assert_eq!(again.unwrap_err().to_string(), "there is no D1");
}

#[test]
fn decisions_are_found_by_path() {
    let (team, _) = told(&(build(1, 1) + "A1 revise keep the old text\n"));
    let found = |path| team.recalled(None, Some(path)).count();
    assert_eq!((found("src/lib.rs"), found("src"), found("sr"), found("doc")), (1, 1, 0, 0));
}
