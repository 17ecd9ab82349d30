//! The table of one task: Step, Role, Action, and how long the person was with it.

use crate::board::title;
use crate::event::Answer;
use crate::handoff::{By, Class, Handoff, Notes, Role, Verdict};
use crate::ids::{Millis, RunId, TaskId};
use crate::task::{ApprovalState, End, Task, TaskState, Team};

/// Rows of one task; the first ones are left out beyond that.
const ROWS_MAX: usize = 60;
const ACTION_CHARS_MAX: usize = 160;

#[derive(Clone, Debug, PartialEq)]
pub struct TaskSteps {
    pub task: TaskId,
    pub title: String,
    pub class: Option<Class>,
    pub ended_at: Option<Millis>,
    /// The person's measured time with it, in milliseconds; `None`: nobody told of any.
    pub person_ms: Option<Millis>,
    pub rows: Vec<StepRow>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// `Delegate`, `Triage`, `Design`, `Build`, `Judge`, `Announce`, `Answer`, `Ask`, `Say`, `Decide`, `End`.
    pub step: &'static str,
    /// `you`, `server`, or a role.
    pub role: &'static str,
    pub action: String,
    /// Of the person's time, in milliseconds; `None`: not measured.
    pub person_ms: Option<Millis>,
}

/// A row and when it was, as far as that is kept.
type Timed = (Millis, StepRow);

/// What happened to a task, oldest first.
pub fn steps(team: &Team, id: TaskId, task: &Task) -> TaskSteps {
    let measured = (0 < task.viewing.views).then_some(task.viewing.ms);
    let mut rows: Vec<Timed> =
        vec![(task.delegated_at, row("Delegate", "you", &task.brief.text, None))];
    for (run, handoff) in &task.handoffs {
        rows.push((ended_at(team, *run, task), handed_over(handoff)));
    }
    for it in &task.words {
        rows.push((it.at, row("Say", "you", &it.text, None)));
    }
    for it in task.approvals.iter().filter_map(|it| team.approvals.get(it)) {
        if let ApprovalState::Answered { answer, by, at } = &it.state {
            let role = decider(by);
            let seen = (role == "you" && measured.is_some()).then_some(it.viewed_ms);
            rows.push((*at, row("Decide", role, answered(answer), seen)));
        }
    }
    for it in task.asked.iter().filter_map(|it| team.questions.get(it)) {
        if let Some((text, by)) = &it.answer {
            let action = format!("{} -> {text}", it.ask.text);
            rows.push((ended_at(team, it.run, task), row("Ask", decider(by), &action, None)));
        }
    }
    rows.sort_by_key(|it| it.0);
    if let (TaskState::Closed(end), Some(at)) = (&task.state, task.ended_at) {
        rows.push((at, row("End", "server", &ended(end), None)));
    }
    let surplus = rows.len().saturating_sub(ROWS_MAX);
    TaskSteps {
        task: id,
        title: title(task),
        class: task.class,
        ended_at: task.ended_at,
        person_ms: measured,
        rows: rows.into_iter().skip(surplus).map(|it| it.1).collect(),
    }
}

fn row(step: &'static str, role: &'static str, action: &str, person_ms: Option<Millis>) -> StepRow {
    let line = action.trim().lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(ACTION_CHARS_MAX).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    StepRow { step, role, action: short, person_ms }
}

/// When a run ended; where that isn't kept, when it began.
fn ended_at(team: &Team, run: RunId, task: &Task) -> Millis {
    let Some(it) = team.run(run) else {
        return task.delegated_at;
    };
    match it.state {
        crate::task::RunState::Ended { at } => at,
        crate::task::RunState::Live
        | crate::task::RunState::Asked { .. }
        | crate::task::RunState::Lost { .. }
        | crate::task::RunState::Stopped => it.started_at,
    }
}

fn decider(by: &By) -> &'static str {
    match by {
        By::Person { .. } => "you",
        By::Rule | By::Deadline => "server",
        By::Role(role) => role.name(),
    }
}

fn answered(answer: &Answer) -> &str {
    match answer {
        Answer::Approve { .. } => "approved",
        Answer::Apply => "applied as edits",
        Answer::ApproveSome { .. } => "approved in part",
        Answer::Revise { text, .. } if text.is_empty() => "sent back with comments",
        Answer::Revise { text, .. } => text,
        Answer::Rebuild => "rebuilt on what is committed",
        Answer::Reject { .. } => "rejected",
    }
}

fn handed_over(handoff: &Handoff) -> StepRow {
    match handoff {
        Handoff::Triaged { class, summary, .. } => {
            row("Triage", Role::Pm.name(), &format!("{}: {summary}", class.name()), None)
        }
        Handoff::Designed { plan } => row("Design", Role::Architect.name(), &plan.approach, None),
        Handoff::Changed { summary, .. } => row("Build", Role::Engineer.name(), summary, None),
        Handoff::Validated { verdict: Verdict::Pass, notes, .. } => {
            row("Judge", Role::Tester.name(), &format!("pass: {notes}"), None)
        }
        Handoff::Validated { verdict: Verdict::Fail, notes, .. } => {
            row("Judge", Role::Tester.name(), &format!("fail: {notes}"), None)
        }
        Handoff::Answered { text, .. } => row("Answer", Role::Architect.name(), text, None),
        Handoff::Announced { notes: Notes::Written { summary, .. } } => {
            row("Announce", Role::Marketing.name(), summary, None)
        }
        Handoff::Announced { notes: Notes::Nothing { why } } => {
            row("Announce", Role::Marketing.name(), &format!("nothing: {why}"), None)
        }
        Handoff::Declined { why } => row("Decline", "server", why, None),
    }
}

fn ended(end: &End) -> String {
    match end {
        End::Landed { .. } => "landed".into(),
        End::Applied { .. } => "applied as edits".into(),
        End::Answered => "answered".into(),
        End::Rejected { why } => format!("rejected: {why}"),
        End::Cancelled => "cancelled".into(),
        End::Undone { how } => format!("taken back: {how}"),
    }
}
