//! What people say: answers to approvals and questions, cancel, stop, go on, take back.

use super::{
    Answer, ApprovalId, By, Candidate, ChangeId, Duty, Event, Millis, Parked, Question, QuestionId,
    Refusal, RunId, Start, Subject, Task, TaskId, TaskState, Team, Wait, Work, comments, get,
    handover, live, next, open, part, setup, start_checks, start_role, way,
};
use crate::brief::Brief;
use crate::handoff::{About, Class, Decision, Handoff};
use crate::stages::Stage;
use crate::task::{ApprovalState, Asked, End, Resume, Step};

/// Longest text that is said at once.
const WORDS_CHARS_MAX: usize = 4_000;
/// So many texts are said about one task.
const WORDS_MAX: usize = 100;

/// A task, under the limits that are configured and below them the budget that it was given.
pub(super) fn delegate(team: &Team, now: Millis, mut brief: Brief) -> Result<Vec<Event>, Refusal> {
    if brief.class == Some(Class::NeedsHuman) {
        let text = "`needs-human` is what the team says of a task; name another class, or none";
        return Err(Refusal::Not(text.to_string()));
    }
    brief.limits = brief.budget.within(&brief.limits).map_err(Refusal::Not)?;
    let task = TaskId(next(team.tasks.last().map(|it| it.0)));
    Ok(vec![Event::TaskDelegated { task, brief, at: now }])
}

pub(super) fn answer_approval(
    team: &Team,
    now: Millis,
    approval: ApprovalId,
    expected: Option<&ChangeId>,
    answer: Answer,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let asked = team.approvals.get(&approval).ok_or(Refusal::NoSuchApproval(approval))?;
    match &asked.state {
        ApprovalState::Open => (),
        ApprovalState::Answered { .. } => return Err(Refusal::AlreadyAnswered(approval)),
        ApprovalState::Void { why } => {
            return Err(Refusal::Not(format!("{approval} no longer holds: {why}")));
        }
    }
    let task = asked.task;
    let it = open(team, task)?;
    if !matches!(it.state, TaskState::AwaitingApproval { approval: asked, .. } if asked == approval)
    {
        return Err(Refusal::Not(format!("{task} no longer waits for {approval}")));
    }
    let answer = part::settle(&asked.subject, answer)?;
    allowed(&asked.subject, approval, expected, &answer)?;
    let answered =
        Event::ApprovalAnswered { approval, answer: answer.clone(), by: by.clone(), at: now };
    let mut after = team.clone();
    after.apply(&answered);
    let mut res = vec![answered];
    res.extend(follows(&after, now, (task, it), &asked.subject, &answer, by)?);
    Ok(res)
}

/// What an answer leads to, beyond what it does to the task by itself.
fn follows(
    after: &Team,
    now: Millis,
    (task, it): (TaskId, &Task),
    subject: &Subject,
    answer: &Answer,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let mut res = vec![];
    match (answer, subject) {
        (Answer::Approve { .. }, Subject::Commands { commit, why, .. }) => {
            res.push(start_checks(after, now, task, commit.clone(), *why, true));
        }
        (Answer::Approve { .. }, Subject::Plan { .. }) => {
            res.extend(way::enter(after, now, task, Stage::Build));
        }
        (Answer::Approve { .. }, Subject::Stage { before }) => {
            res.extend(way::enter(after, now, task, *before));
        }
        (Answer::Approve { .. }, Subject::Setup { setup, then }) => {
            res.push(setup::start(after, now, task, setup.clone(), *then));
        }
        (Answer::Reject { why }, Subject::Setup { .. }) => {
            res.push(Event::TaskParked { task, why: setup::refused(it, why), at: now });
        }
        (Answer::Revise { text, comments }, subject) => {
            let text = comments::said(text, comments);
            let what = format!("revise: {text}");
            res.push(decision(task, by, what, &format!("comments on {}", shown(subject))));
            let text = format!("the person looked at {} and says: {text}", shown(subject));
            res.push(revise(after, now, task, it, subject, text)?);
        }
        (Answer::Reject { why }, Subject::Commands { .. }) => {
            let text = format!("the checks were not allowed to run: {why}");
            res.push(Event::TaskParked { task, why: Parked::NeedsPerson(text), at: now });
        }
        (
            Answer::Reject { why },
            Subject::Landing { .. }
            | Subject::Edits { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. },
        ) => {
            res.push(decision(task, by, "rejected".into(), why));
            res.push(Event::TaskRejected { task, why: why.clone(), at: now });
        }
        (
            Answer::Approve { .. } | Answer::ApproveSome { .. } | Answer::Apply | Answer::Rebuild,
            Subject::Landing { .. } | Subject::Edits { .. },
        )
        | (
            Answer::ApproveSome { .. } | Answer::Apply | Answer::Rebuild,
            Subject::Commands { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. }
            | Subject::Setup { .. },
        ) => (),
    }
    Ok(res)
}

/// What a person has before them, in words.
fn shown(subject: &Subject) -> &'static str {
    match subject {
        Subject::Landing { .. } | Subject::Edits { .. } => "the change",
        Subject::Commands { .. } | Subject::Setup { .. } => "the commands",
        Subject::Plan { .. } => "the plan",
        Subject::Stage { before: Stage::Design | Stage::Build } => "the triage",
        Subject::Stage { before: Stage::Validate | Stage::Announce } => "the change",
    }
}

/// Back to the role whose work was shown.
fn revise(
    team: &Team,
    now: Millis,
    task: TaskId,
    it: &Task,
    subject: &Subject,
    text: String,
) -> Result<Event, Refusal> {
    match subject {
        Subject::Plan { .. } => return Ok(handover::redesign(team, now, task, it, text)),
        Subject::Stage { before: Stage::Design | Stage::Build } => {
            let Some(on) = it.base.as_ref().map(|it| it.seen.clone()) else {
                return Err(Refusal::NoSuchTask(task));
            };
            let mut triaged = it.handoffs.iter().rev();
            let last = triaged.find(|it| matches!(it.1, Handoff::Triaged { .. })).map(|it| it.0);
            let start = match last {
                Some(run) => Start::Continues { run, text },
                None => Start::Fresh,
            };
            return Ok(start_role(team, now, task, Duty::Triage, on, start));
        }
        Subject::Landing { .. }
        | Subject::Edits { .. }
        | Subject::Commands { .. }
        | Subject::Setup { .. }
        | Subject::Stage { before: Stage::Validate | Stage::Announce } => (),
    }
    let (Some(head), Some(run)) = (&it.head, team.last_build(task)) else {
        return Err(Refusal::Not(format!("{task} has no change to revise")));
    };
    let start = Start::Continues { run, text };
    Ok(start_role(team, now, task, Duty::Build, head.commit.clone(), start))
}

fn allowed(
    subject: &Subject,
    approval: ApprovalId,
    expected: Option<&ChangeId>,
    answer: &Answer,
) -> Result<(), Refusal> {
    match (subject, answer) {
        (Subject::Landing { candidate, .. }, Answer::Approve { ticked }) => {
            let needed = candidate.acts.iter().chain(&candidate.merges);
            as_shown(candidate, approval, expected, needed.filter(|it| !ticked.contains(it)))
        }
        (Subject::Landing { candidate, .. }, Answer::ApproveSome { ticked, hunks }) => {
            let needed = part::ticks(candidate, hunks);
            as_shown(candidate, approval, expected, needed.filter(|it| !ticked.contains(it)))
        }
        (Subject::Edits { .. }, Answer::ApproveSome { .. }) => Err(Refusal::Not(format!(
            "{approval} can't land on the branch as things are, and edits take all of it: apply, \
             revise or reject"
        ))),
        (
            Subject::Commands { .. }
            | Subject::Setup { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. },
            Answer::ApproveSome { .. },
        ) => Err(Refusal::Not(format!(
            "{approval} is about {}, which has no hunks: answer it for all",
            shown(subject)
        ))),
        (Subject::Edits { .. }, Answer::Approve { .. }) => Err(Refusal::Not(format!(
            "{approval} can't land on the branch as things are; apply it as edits, commit yours \
             and rebuild, revise or reject"
        ))),
        (
            Subject::Commands { .. } | Subject::Setup { .. },
            Answer::Apply | Answer::Rebuild | Answer::Revise { .. },
        ) => Err(Refusal::Not(format!("{approval} is about commands: approve or reject"))),
        (Subject::Plan { .. } | Subject::Stage { .. }, Answer::Apply | Answer::Rebuild) => {
            let what = shown(subject);
            Err(Refusal::Not(format!("{approval} is about {what}: approve, revise or reject")))
        }
        (
            Subject::Landing { .. }
            | Subject::Edits { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. },
            Answer::Revise { text, comments },
        ) if text.trim().is_empty() || !comments.is_empty() => {
            comments::allowed(subject, text, comments)
        }
        (
            Subject::Landing { .. } | Subject::Edits { .. },
            Answer::Apply | Answer::Rebuild | Answer::Revise { .. } | Answer::Reject { .. },
        )
        | (
            Subject::Commands { .. } | Subject::Setup { .. },
            Answer::Approve { .. } | Answer::Reject { .. },
        )
        | (
            Subject::Plan { .. } | Subject::Stage { .. },
            Answer::Approve { .. } | Answer::Revise { .. } | Answer::Reject { .. },
        ) => Ok(()),
    }
}

/// The change is the one that was looked at, and nothing lacks its tick.
fn as_shown<'a>(
    candidate: &Candidate,
    approval: ApprovalId,
    expected: Option<&ChangeId>,
    missing: impl Iterator<Item = &'a String>,
) -> Result<(), Refusal> {
    if expected.is_some_and(|it| it != &candidate.change) {
        return Err(Refusal::Changed(approval));
    }
    let missing: Vec<String> = missing.cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::NeedsTicks(missing)) }
}

fn decision(task: TaskId, by: By, what: String, why: &str) -> Event {
    Event::DecisionRecorded { task, decision: Decision { by, what, why: why.to_string() } }
}

/// Words for the run under way, or kept for the next one. They decide nothing.
pub(super) fn say(
    team: &Team,
    now: Millis,
    task: TaskId,
    text: String,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let it = open(team, task)?;
    if let TaskState::Landing { .. } | TaskState::Undoing { .. } = it.state {
        return Err(Refusal::Not(format!("{task} is being landed or undone: nobody works on it")));
    }
    if text.trim().is_empty() {
        return Err(Refusal::Not("there is nothing in it: say something".into()));
    }
    if WORDS_CHARS_MAX < text.chars().count() {
        return Err(Refusal::Not(format!(
            "that is longer than {WORDS_CHARS_MAX} characters: put it into a file and name it"
        )));
    }
    if WORDS_MAX <= it.words.len() {
        return Err(Refusal::Not(format!(
            "{WORDS_MAX} things were said about {task} already: send its result back, or delegate anew"
        )));
    }
    Ok(vec![Event::PersonSaid { task, text, by, at: now }])
}

/// A role asks the person. Bounded; and a question has a real choice.
pub(super) fn ask(team: &Team, run: RunId, ask: Question) -> Result<Vec<Event>, Refusal> {
    let (task, asking) = live(team, run)?;
    if matches!(asking.work, Work::Checks { .. } | Work::Setup { .. }) {
        return Err(Refusal::Not(format!("{run} is a round of checks: it asks nobody")));
    }
    let it = get(team, task)?;
    let max = it.brief.limits.questions_max;
    if max <= it.questions {
        let text = format!("{max} questions were asked; decide yourself and say so in the summary");
        return Err(Refusal::Gate(text));
    }
    let options = ask.options.len();
    let default = usize::try_from(ask.default).unwrap_or(usize::MAX);
    if !(2..=4).contains(&options) || options <= default {
        return Err(Refusal::Gate("a question has 2 to 4 options, one of them the default".into()));
    }
    let question = QuestionId(next(team.questions.last().map(|it| it.0)));
    Ok(vec![Event::QuestionAsked { run, question, ask, about: About::Work }])
}

pub(super) fn answer_question(
    team: &Team,
    now: Millis,
    question: QuestionId,
    text: String,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let asked = team.questions.get(&question).ok_or(Refusal::NoSuchQuestion(question))?;
    open(team, asked.task)?;
    if asked.answer.is_some() {
        return Err(Refusal::Not(format!("{question} was already answered")));
    }
    answered(team, now, question, asked, text, by)
}

fn answered(
    team: &Team,
    now: Millis,
    question: QuestionId,
    asked: &Asked,
    text: String,
    by: By,
) -> Result<Vec<Event>, Refusal> {
    let task = asked.task;
    let waits = match &get(team, task)?.state {
        TaskState::Waiting { on: Wait::Question { question: it } }
        | TaskState::Parked { was: Resume::Question { question: it }, .. } => *it == question,
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => false,
    };
    let Some(Work::Role { duty, on, .. }) = team.run(asked.run).map(|it| it.work.clone()) else {
        return Err(Refusal::NoSuchQuestion(question));
    };
    if !waits {
        return Err(Refusal::Not(format!("{task} no longer waits for {question}")));
    }
    // A number picks the option, anything else is the answer itself.
    let picked = text.trim().parse::<usize>().ok().and_then(|it| it.checked_sub(1));
    let text = picked.and_then(|it| asked.ask.options.get(it).cloned()).unwrap_or(text);
    let what = format!("{} -> {text}", asked.ask.text);
    let answer = Event::QuestionAnswered { question, text: text.clone(), by: by.clone(), at: now };
    let mut res = vec![answer, decision(task, by.clone(), what, &asked.ask.stakes)];
    if let About::Class { one, other } = asked.about
        && let Some(class) = way::class_meant(&text, &asked.ask, one, other)
    {
        res.push(way::classify(task, class, by, format!("the answer to {question}")));
        let mut after = team.clone();
        res.iter().for_each(|it| after.apply(it));
        res.extend(way::classed(&after, now, task, class));
        return Ok(res);
    }
    let text = format!("the answer to {question}: {text}");
    let start = Start::Continues { run: asked.run, text };
    res.push(start_role(team, now, task, duty, on, start));
    Ok(res)
}

/// A question's deadline passed: the default, or a person.
pub(super) fn deadline(
    team: &Team,
    now: Millis,
    question: QuestionId,
    asked: &Asked,
) -> Vec<Event> {
    let default = usize::try_from(asked.ask.default).ok();
    let option = default.and_then(|it| asked.ask.options.get(it)).cloned();
    if let (true, Some(option)) = (asked.ask.proceed, option) {
        return answered(team, now, question, asked, option, By::Deadline).unwrap_or_default();
    }
    let text = format!("nobody answered {question}: {}", asked.ask.text);
    vec![Event::TaskParked { task: asked.task, why: Parked::NeedsPerson(text), at: now }]
}

pub(super) fn cancel(team: &Team, now: Millis, task: TaskId) -> Result<Vec<Event>, Refusal> {
    match &open(team, task)?.state {
        TaskState::Landing { step: Step::MoveBranch { .. } | Step::MoveEdits { .. }, .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { was: Resume::Landing { .. }, .. } => Err(Refusal::Not(format!(
            "{task} is being landed or undone; let it finish, then undo it"
        ))),
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Parked { .. } => Ok(vec![Event::TaskCancelled { task, at: now }]),
        TaskState::Closed(_) => Err(Refusal::Closed(task)),
    }
}

pub(super) fn park(team: &Team, now: Millis, task: TaskId) -> Result<Vec<Event>, Refusal> {
    match &open(team, task)?.state {
        TaskState::Waiting { on: Wait::Snapshot | Wait::Candidate { .. } | Wait::Part { .. } }
        | TaskState::Working { .. }
        | TaskState::Checking { .. } => {
            Ok(vec![Event::TaskParked { task, why: Parked::Stopped, at: now }])
        }
        TaskState::Landing { .. } | TaskState::Undoing { .. } => {
            Err(Refusal::Not(format!("{task} is being landed or undone; let it finish")))
        }
        TaskState::Waiting { on: Wait::Question { .. } }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Parked { .. } => {
            Err(Refusal::Not(format!("{task} already waits for a person")))
        }
        TaskState::Closed(_) => Err(Refusal::Closed(task)),
    }
}

pub(super) fn retry(team: &Team, now: Millis, task: TaskId) -> Result<Vec<Event>, Refusal> {
    let it = open(team, task)?;
    let TaskState::Parked { was, .. } = &it.state else {
        return Err(Refusal::Not(format!("{task} is not parked")));
    };
    let retried = Event::TaskRetried { task };
    Ok(match was {
        Resume::Snapshot
        | Resume::Candidate { .. }
        | Resume::Part { .. }
        | Resume::Question { .. }
        | Resume::Landing { .. } => vec![retried],
        Resume::Checks { commit, why, .. } => {
            let checks = start_checks(team, now, task, commit.clone(), *why, false);
            vec![retried, checks]
        }
        Resume::Role { duty, on, continues } => {
            let start = match continues {
                Some(run) => Start::Continues { run: *run, text: "you were stopped; go on".into() },
                None => Start::Fresh,
            };
            let fresh = start == Start::Fresh;
            // A build that begins anew starts from what the person saw.
            let seen = it.base.as_ref().map(|it| it.seen.clone());
            let (duty, on) = match duty {
                Duty::Build | Duty::Validate if fresh => {
                    (Duty::Build, seen.unwrap_or_else(|| on.clone()))
                }
                Duty::Triage
                | Duty::Design
                | Duty::Build
                | Duty::Validate
                | Duty::Answer
                | Duty::Announce => (*duty, on.clone()),
            };
            vec![retried, start_role(team, now, task, duty, on, start)]
        }
    })
}

pub(super) fn undo(team: &Team, task: TaskId) -> Result<Vec<Event>, Refusal> {
    match &get(team, task)?.state {
        TaskState::Closed(End::Landed { .. } | End::Applied { .. }) => {
            Ok(vec![Event::UndoStarted { task }])
        }
        TaskState::Closed(End::Undone { .. }) => {
            Err(Refusal::Not(format!("{task} was already taken back")))
        }
        TaskState::Closed(End::Answered | End::Rejected { .. } | End::Cancelled)
        | TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. } => {
            Err(Refusal::Not(format!("{task} has not landed; there is nothing to take back")))
        }
    }
}
