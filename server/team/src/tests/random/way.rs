//! What always holds of the way through the stages, whatever arrives; and what may arrive about it.

use super::super::script::{facts, notes_facts};
use super::Random;
use crate::*;
use std::collections::BTreeSet;

pub(super) fn holds(after: &Team, events: &[Event], story: &dyn Fn() -> String) {
    for event in events {
        gates_are_passed_before_work(after, event, story);
        a_plan_moves_nothing_of_the_persons(after, event, story);
        notes_touch_documentation_alone(event, story);
        changes_stay_in_their_plan(event, story);
        a_candidate_was_validated(after, event, story);
    }
    questions_change_nothing(after, story);
}

/// What was reached, so that the sentences are about something.
pub(super) fn note(team: &Team, event: &Event, seen: &mut BTreeSet<&'static str>) {
    if let Event::ApprovalAnswered { approval, answer: Answer::Approve { .. }, .. } = event
        && let Subject::Plan { .. } = &team.approvals[approval].subject
    {
        seen.insert("planned by a person");
    }
    if let Event::TaskLanded { task, .. } = event {
        let written = |it: &(RunId, Handoff)| {
            matches!(it.1, Handoff::Announced { notes: Notes::Written { .. } })
        };
        if team.tasks[task].handoffs.iter().any(written) {
            seen.insert("landed with notes");
        }
    }
}

/// Approvals of this task that a person granted, with their subjects.
fn granted<'a>(team: &'a Team, task: &Task) -> Vec<&'a Subject> {
    let all = task.approvals.iter().map(|it| &team.approvals[it]);
    let yes = all.filter(|it| {
        matches!(
            &it.state,
            ApprovalState::Answered { answer: Answer::Approve { .. }, by: By::Person { .. }, .. }
        )
    });
    yes.map(|it| &it.subject).collect()
}

/// No stage starts before its human gate was passed; a build with a plan only on the plan that was
/// approved, where a person approves it or it holds a path of risk; and none without a design where
/// the way has one.
fn gates_are_passed_before_work(team: &Team, event: &Event, story: &dyn Fn() -> String) {
    let Event::RunStarted { task, run, work, .. } = event else { return };
    let task = &team.tasks[task];
    let stage = match work {
        Work::Role { duty: Duty::Design, .. } => Stage::Design,
        Work::Role { duty: Duty::Build, .. } => Stage::Build,
        Work::Role { duty: Duty::Validate, .. } => Stage::Validate,
        Work::Role { duty: Duty::Announce, .. } => Stage::Announce,
        Work::Checks { why: Why::Baseline, .. } => Stage::Build,
        Work::Setup { then: Why::Baseline, .. } => Stage::Build,
        Work::Role { duty: Duty::Triage | Duty::Answer, .. }
        | Work::Checks { .. }
        | Work::Setup { .. } => return,
    };
    let stages = task.stages();
    let gate = stages.gate(stage);
    assert!(gate.is_some(), "{}: {run} is of no stage of its task", story());
    if stage == Stage::Build && stages.design.is_some() {
        assert!(task.design.is_some(), "{}: {run} builds without a plan", story());
    }
    let granted = granted(team, task);
    match (stage, &task.design) {
        (Stage::Build, Some(design)) => {
            let same =
                |it: &&Subject| matches!(it, Subject::Plan { run, .. } if *run == design.run);
            let asked = gate == Some(Gate::Person) || !design.risk.is_empty();
            assert!(!asked || granted.iter().any(same), "{}: {run} has no approved plan", story());
        }
        (Stage::Design | Stage::Build | Stage::Validate | Stage::Announce, _) => {
            let this = |it: &&Subject| **it == Subject::Stage { before: stage };
            let asked = gate == Some(Gate::Person);
            assert!(!asked || granted.iter().any(this), "{}: {run} passed no gate", story());
        }
    }
}

/// The answer to a plan or to a stage never lands, applies or builds a candidate.
fn a_plan_moves_nothing_of_the_persons(after: &Team, event: &Event, story: &dyn Fn() -> String) {
    let Event::ApprovalAnswered { approval, .. } = event else { return };
    let asked = &after.approvals[approval];
    if !matches!(asked.subject, Subject::Plan { .. } | Subject::Stage { .. }) {
        return;
    }
    match &after.tasks[&asked.task].state {
        TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(End::Rejected { .. }) => (),
        other => panic!("{}: a plan's answer led to {other:?}", story()),
    }
}

/// Marketing never touches code.
fn notes_touch_documentation_alone(event: &Event, story: &dyn Fn() -> String) {
    let Event::RunHandedOver { facts: Some(Facts::Notes(facts)), .. } = event else { return };
    for file in &facts.files {
        assert!(is_documentation(&file.path), "{}: {} is announced", story(), file.path);
    }
}

/// A change that is handed over has nothing outside of its plan.
fn changes_stay_in_their_plan(event: &Event, story: &dyn Fn() -> String) {
    let Event::RunHandedOver { facts: Some(Facts::Change(facts)), .. } = event else { return };
    assert_eq!(facts.outside, Vec::<String>::new(), "{}", story());
}

/// A candidate is built only of a head that was passed, or of one that adds documentation alone to
/// it.
fn a_candidate_was_validated(team: &Team, event: &Event, story: &dyn Fn() -> String) {
    let Event::CandidateWanted { task, .. } = event else { return };
    let mut handoffs = team.tasks[task].handoffs.iter().rev().map(|it| &it.1);
    let validated = handoffs.find_map(|it| match it {
        Handoff::Announced { .. } | Handoff::Declined { .. } => None,
        Handoff::Validated { verdict, .. } => Some(*verdict == Verdict::Pass),
        Handoff::Triaged { .. }
        | Handoff::Designed { .. }
        | Handoff::Changed { .. }
        | Handoff::Answered { .. } => Some(false),
    });
    assert_eq!(validated, Some(true), "{}: {task} was not passed", story());
}

/// A question has no build, no candidate and no landing.
fn questions_change_nothing(team: &Team, story: &dyn Fn() -> String) {
    for (id, task) in &team.tasks {
        if task.class == Some(Class::Question) {
            assert_eq!((&task.head, task.builds), (&None, 0), "{}: {id} was built", story());
        }
    }
}

/// What the server saw of what this duty hands over.
pub(super) fn seen_of(random: &mut Random, duty: Duty, head: &str) -> Option<Facts> {
    match duty {
        Duty::Build => Some(Facts::Change(change_facts(random, head))),
        Duty::Design => {
            let wrong = if random.one_in(8) { vec!["..: no".into()] } else { vec![] };
            let risk = if random.one_in(6) { vec!["auth.rs".into()] } else { vec![] };
            Some(Facts::Plan(PlanFacts { wrong, risk }))
        }
        Duty::Announce => {
            let path = if random.one_in(4) { "src/lib.rs" } else { "CHANGELOG.md" };
            Some(Facts::Notes(notes_facts(head, &[path.to_string()])))
        }
        Duty::Answer => {
            let wrong = if random.one_in(6) { vec!["a:9".into()] } else { vec![] };
            Some(Facts::Citations { wrong })
        }
        Duty::Triage | Duty::Validate => None,
    }
}

/// The ways of a repository: the usual ones, or with gates.
pub(super) fn ways(random: &mut Random) -> Ways {
    let mut res = Ways::default();
    let gate = |random: &mut Random| if random.one_in(2) { Gate::Person } else { Gate::Open };
    for class in Class::ALL {
        if random.one_in(3) {
            let stages = Stages {
                design: random.one_in(2).then(|| gate(random)),
                build: gate(random),
                validate: gate(random),
                announce: random.one_in(2).then(|| gate(random)),
            };
            res.set(class, stages);
        }
    }
    res
}

fn change_facts(random: &mut Random, head: &str) -> ChangeFacts {
    let mut res = facts(head);
    if random.one_in(8) {
        res.files.clear();
    }
    if random.one_in(8) {
        res.weakened.push("a test is gone".into());
    }
    if random.one_in(8) {
        res.outside.push("src/other.rs".into());
    }
    res
}
