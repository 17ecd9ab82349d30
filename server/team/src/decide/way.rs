//! The way of a task through its stages: what its class is, which stage comes next, and whether a
//! person is asked before it. The stages are the task's own data (`stages.rs`).

use super::{
    Duty, Event, Millis, Parked, Refusal, RunId, Start, Subject, Task, TaskId, Team, Why,
    ask_approval, get, next, required, start_checks, start_role,
};
use crate::handoff::{About, By, Class, Question};
use crate::ids::QuestionId;
use crate::paths::{is_documentation, is_test};
use crate::routing::{Guess, criteria, guess};
use crate::stages::{Gate, Stage};

/// How long the question of the class waits before the safer one is taken.
const CLASS_QUESTION_MS: u64 = 24 * 60 * 60 * 1000;

/// The first step after the snapshot. Where the rules are sure of a question nobody triages it; where
/// they are sure of another class and the brief holds its own criteria neither. A class that the person
/// gave is as sure.
pub(super) fn triage(team: &Team, now: Millis, task: TaskId) -> Result<Vec<Event>, Refusal> {
    let it = get(team, task)?;
    let Some(seen) = it.base.as_ref().map(|it| it.seen.clone()) else {
        return Err(Refusal::NoSuchTask(task));
    };
    let Guess::Sure { class, why } = guess(&it.brief) else {
        return Ok(vec![start_role(team, now, task, Duty::Triage, seen, Start::Fresh)]);
    };
    let criteria = criteria(&it.brief.text);
    let is_clear = class == Class::Question || !criteria.is_empty();
    let by = match it.brief.class {
        Some(_) => By::Person { door: it.brief.origin.door().to_string() },
        None => By::Rule,
    };
    let classified = Event::TaskClassified { task, class, by, why, criteria };
    let mut after = team.clone();
    after.apply(&classified);
    let mut res = vec![classified];
    if is_clear {
        res.extend(classed(&after, now, task, class));
    } else {
        res.push(start_role(&after, now, task, Duty::Triage, seen, Start::Fresh));
    }
    Ok(res)
}

/// The PM handed over: its class, unless it was settled before; where two fit, a person's.
pub(super) fn triaged(
    team: &Team,
    now: Millis,
    (task, run): (TaskId, RunId),
    (class, or_class): (Class, Option<Class>),
    summary: &str,
) -> Result<Vec<Event>, Refusal> {
    let it = get(team, task)?;
    if class == Class::NeedsHuman {
        let why = Parked::NeedsPerson(summary.to_string());
        return Ok(vec![Event::TaskParked { task, why, at: now }]);
    }
    let settled = it.class.filter(|_| it.is_settled);
    if let (None, Some(other)) = (settled, or_class.filter(|it| *it != class)) {
        let safer = class.safer(other);
        if it.questions < it.brief.limits.questions_max {
            return Ok(vec![ask_class(team, now, run, class, other, summary)]);
        }
        let why = "two classes fit, and enough was asked: the safer one".into();
        let classified = classify(task, safer, By::Rule, why);
        let mut after = team.clone();
        after.apply(&classified);
        let mut res = vec![classified];
        res.extend(classed(&after, now, task, safer));
        return Ok(res);
    }
    Ok(classed(team, now, task, settled.unwrap_or(class)))
}

fn ask_class(
    team: &Team,
    now: Millis,
    run: RunId,
    one: Class,
    other: Class,
    summary: &str,
) -> Event {
    let question = QuestionId(next(team.questions.last().map(|it| it.0)));
    let default = u32::from(one.safer(other) == other);
    let says = |it: Class| format!("{}: {}", it.name(), what_follows(it));
    let ask = Question {
        text: format!("Which class is it, {} or {}? {summary}", one.name(), other.name()),
        options: vec![says(one), says(other)],
        default,
        proceed: true,
        deadline_at: now + CLASS_QUESTION_MS,
        stakes: "the wrong roles work on it first".into(),
    };
    Event::QuestionAsked { run, question, ask, about: About::Class { one, other } }
}

fn what_follows(class: Class) -> &'static str {
    match class {
        Class::Bug => "it is built and validated",
        Class::Feature | Class::Refactor => "it is designed first",
        Class::Docs | Class::Chore => "it is changed without a design",
        Class::Question => "it is answered and nothing is changed",
        Class::NeedsHuman => "it waits for you",
    }
}

pub(super) fn classify(task: TaskId, class: Class, by: By, why: String) -> Event {
    Event::TaskClassified { task, class, by, why, criteria: vec![] }
}

/// What the answer to the question of the class says: the option, or a class by its name.
pub(super) fn class_meant(text: &str, ask: &Question, one: Class, other: Class) -> Option<Class> {
    let option = ask.options.iter().position(|it| it == text);
    match option {
        Some(0) => Some(one),
        Some(_) => Some(other),
        None => Class::by_name(text),
    }
}

/// The class is known: the first stage of its way.
pub(super) fn classed(team: &Team, now: Millis, task: TaskId, class: Class) -> Vec<Event> {
    let Some(it) = team.task(task) else { return vec![] };
    match class {
        Class::Bug | Class::Feature | Class::Refactor | Class::Docs | Class::Chore => {
            match it.stages().design {
                Some(_) => begin(team, now, task, Stage::Design),
                None => begin(team, now, task, Stage::Build),
            }
        }
        Class::Question => work(team, now, task, Duty::Answer).into_iter().collect(),
        Class::NeedsHuman => {
            let why = Parked::NeedsPerson("it takes a person".into());
            vec![Event::TaskParked { task, why, at: now }]
        }
    }
}

/// Into this stage, through its gate.
pub(super) fn begin(team: &Team, now: Millis, task: TaskId, stage: Stage) -> Vec<Event> {
    let Some(it) = team.task(task) else { return vec![] };
    match asked_first(it, stage) {
        Some(subject) => vec![ask_approval(team, now, task, subject)],
        None => enter(team, now, task, stage),
    }
}

/// What a person is asked before this stage, if they are.
fn asked_first(it: &Task, stage: Stage) -> Option<Subject> {
    let by_gate = it.stages().gate(stage) == Some(Gate::Person);
    if let (Stage::Build, Some(design)) = (stage, &it.design) {
        let mut why = vec![];
        if by_gate {
            why.push("a person approves the plan before the build here".to_string());
        }
        if !design.risk.is_empty() {
            why.push(format!("a mistake is dear in {}", design.risk.join(", ")));
        }
        let (run, plan) = (design.run, design.plan.clone());
        return (!why.is_empty()).then_some(Subject::Plan { run, plan, why });
    }
    by_gate.then_some(Subject::Stage { before: stage })
}

/// The work of this stage begins; a gate before it was passed.
pub(super) fn enter(team: &Team, now: Millis, task: TaskId, stage: Stage) -> Vec<Event> {
    let Some(it) = team.task(task) else { return vec![] };
    let seen = it.base.as_ref().map(|it| it.seen.clone());
    if let (Stage::Build, None, Some(seen)) = (stage, it.baseline, seen)
        && !required(it).is_empty()
    {
        // The required checks on S, once; evidence on an equal tree is evidence.
        return vec![start_checks(team, now, task, seen, Why::Baseline, false)];
    }
    work(team, now, task, stage.duty()).into_iter().collect()
}

/// A fresh run of this duty, where it starts.
fn work(team: &Team, now: Millis, task: TaskId, duty: Duty) -> Option<Event> {
    let it = team.task(task)?;
    let on = match duty {
        Duty::Triage | Duty::Design | Duty::Build | Duty::Answer => it.base.as_ref()?.seen.clone(),
        Duty::Validate | Duty::Announce => it.head.as_ref()?.commit.clone(),
    };
    Some(start_role(team, now, task, duty, on, Start::Fresh))
}

/// The verdict is a pass: announce it where people will notice it, then build the candidate.
pub(super) fn passed(team: &Team, now: Millis, task: TaskId) -> Vec<Event> {
    let Some(it) = team.task(task) else { return vec![] };
    let announces = it.stages().announce.is_some() && it.is_visible && is_noticed(it);
    if announces {
        return begin(team, now, task, Stage::Announce);
    }
    wanted(team, task).into_iter().collect()
}

/// Tests and documentation alone announce themselves.
fn is_noticed(it: &Task) -> bool {
    let files = it.head.as_ref().map(|it| it.files.as_slice()).unwrap_or_default();
    files.iter().any(|it| !is_test(&it.path) && !is_documentation(&it.path))
}

/// The candidate of the task's head is to be built.
pub(super) fn wanted(team: &Team, task: TaskId) -> Option<Event> {
    let head = team.task(task)?.head.as_ref()?.commit.clone();
    Some(Event::CandidateWanted { task, head })
}
