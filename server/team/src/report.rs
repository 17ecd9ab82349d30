//! What the team was worth: what happened since some time, how much was really delegated, and what
//! each task took of money and of the person's time. Computed from the team, never stored.
//!
//! Everything is counted from what the log holds. What nobody can know from there (whether somebody
//! edited a landed line afterwards, say) is not claimed: [`DEFINITION`] says what is.

use crate::board::{Column, task_line};
use crate::handoff::{By, Class};
use crate::ids::{Millis, TaskId};
use crate::task::{ApprovalState, End, Task, TaskState, Team};

mod steps;

pub use steps::{StepRow, TaskSteps, steps};

/// For people: what `delegated` counts.
pub const DEFINITION: &str = "delegated: it landed or was answered, no person said or decided \
anything about it after handing it in but one approval (or none, by a rule they set), and it was \
not taken back. assisted: it landed, was applied or answered with more of a person than that. Of \
all tasks that ended, or stopped for a person. Edits by hand after a landing are not seen.";

/// A landing this young may yet be taken back: seven days.
const YOUNG_MS: Millis = 7 * 24 * 60 * 60 * 1000;
/// Tasks of the table of steps.
const TASKS_MAX: usize = 10;
/// Lines of a digest.
const LINES_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq)]
pub struct TeamReport {
    /// Only what ended or stopped since then counts; `None`: everything.
    pub since: Option<Millis>,
    pub at: Millis,
    pub digest: Digest,
    /// Without documentation and chores, which would make it look better.
    pub all: Rates,
    /// Each class that occurs; `None`: ended before it was triaged.
    pub classes: Vec<(Option<Class>, Rates)>,
    /// The last tasks that ended, newest first.
    pub tasks: Vec<TaskSteps>,
}

/// What happened, and what waits now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// `3 shipped, 1 needs you`; empty where nothing happened and nothing waits.
    pub says: String,
    /// Landed, applied or answered since then.
    pub shipped: u32,
    /// Rejected, cancelled or taken back since then.
    pub ended: u32,
    /// Now, however long already.
    pub needs_you: u32,
    pub parked: u32,
    pub working: u32,
    /// What needs a person, then what stopped, then what ended, newest first each.
    pub lines: Vec<DigestLine>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DigestLine {
    pub task: TaskId,
    pub title: String,
    pub column: Column,
    pub step: String,
}

/// Sums over tasks that ended, or stopped for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// All of them: what the others are parts of.
    pub tasks: u32,
    pub delegated: u32,
    pub assisted: u32,
    /// Of the delegated ones, those that no person approved: a rule they set did.
    pub by_rule: u32,
    /// Of the delegated ones, those that landed in the last seven days and may yet be taken back.
    pub young: u32,
    /// Landed, applied or answered, and not taken back.
    pub shipped: u32,
    /// Tasks whose review a client told of. The person's time of others is not known.
    pub measured: u32,
    /// Their median, in milliseconds.
    pub person_ms: Option<Millis>,
    /// From asking for an approval to a person's answer: the median of all, in milliseconds.
    pub waited_ms: Option<Millis>,
    /// Micro-dollars of all of them, whatever became of them.
    pub micros: u64,
    /// The same, divided by what was shipped.
    pub micros_per_shipped: Option<u64>,
    /// Tasks with a model whose price is not known: they are in no sum of money.
    pub unpriced: u32,
    /// Builds beyond the first of a task.
    pub rebuilds: u32,
    /// How often a person sent the work back.
    pub sent_back: u32,
    /// Built, and then rejected, cancelled or taken back.
    pub false_starts: u32,
}

/// What a person did about a task after handing it in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touches {
    /// Approvals answered.
    pub approvals: u32,
    /// Questions answered.
    pub answers: u32,
    /// Texts said to whoever worked on it.
    pub words: u32,
    pub retries: u32,
    /// Of the approvals, those that sent it back.
    pub sent_back: u32,
}

impl Touches {
    pub fn all(self) -> u32 {
        self.approvals + self.answers + self.words + self.retries
    }
}

/// What became of a task, for the rates.
enum Fate {
    Shipped {
        at: Millis,
    },
    /// Applied as edits: nobody knows what the person made of them.
    Applied,
    FalseStart,
    /// It ended or stopped otherwise.
    Nothing,
}

/// Everything since `since`, as of now. `at`: now.
pub fn report(team: &Team, at: Millis, since: Option<Millis>) -> TeamReport {
    let counted: Vec<(TaskId, &Task)> = open_or_ended(team, since)
        .filter(|(_, it)| stopped_at(it).is_some_and(|it| since.is_none_or(|since| since <= it)))
        .collect();
    let rates = |fits: &dyn Fn(Option<Class>) -> bool| {
        let fit = counted.iter().filter(|it| fits(it.1.class));
        rates(team, at, &fit.copied().collect::<Vec<_>>())
    };
    let classes = Class::ALL.map(Some).into_iter().chain([None]);
    let classes = classes.map(|class| (class, rates(&|it| it == class)));
    TeamReport {
        since,
        at,
        digest: digest(team, since),
        all: rates(&|it| !matches!(it, Some(Class::Docs | Class::Chore))),
        classes: classes.filter(|it| 0 < it.1.tasks).collect(),
        tasks: counted
            .iter()
            .filter(|it| it.1.ended_at.is_some())
            .take(TASKS_MAX)
            .map(|(id, it)| steps(team, *id, it))
            .collect(),
    }
}

/// When it ended, or last stopped for a person and still does.
fn stopped_at(task: &Task) -> Option<Millis> {
    match &task.state {
        TaskState::Closed(_) | TaskState::Undoing { .. } => task.ended_at,
        TaskState::Parked { .. } => task.tally.parked_at,
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. } => None,
    }
}

/// The tasks that have not ended, and those that did since then; newest first.
fn open_or_ended(team: &Team, since: Option<Millis>) -> impl Iterator<Item = (TaskId, &Task)> {
    let mut ids = team.ended_since(since);
    ids.extend(team.open_tasks().map(|it| it.0));
    ids.into_iter().rev().filter_map(|id| Some((id, team.task(id)?)))
}

fn digest(team: &Team, since: Option<Millis>) -> Digest {
    let mut res = Digest::default();
    let mut found: Vec<(u8, DigestLine)> = vec![];
    for (id, task) in open_or_ended(team, since) {
        let is_new = task.ended_at.is_some_and(|it| since.is_none_or(|since| since <= it));
        if task.ended_at.is_some() && !is_new {
            continue;
        }
        let line = task_line(team, id, task);
        let rank = match line.column {
            Column::NeedsYou => {
                res.needs_you += 1;
                0
            }
            Column::Parked => {
                res.parked += 1;
                1
            }
            Column::Shipped => {
                res.shipped += 1;
                2
            }
            Column::Ended => {
                res.ended += 1;
                3
            }
            Column::Working => {
                res.working += 1;
                continue;
            }
        };
        let (title, column, step) = (line.title, line.column, line.step);
        found.push((rank, DigestLine { task: id, title, column, step }));
    }
    found.sort_by_key(|it| it.0);
    res.lines = found.into_iter().map(|it| it.1).take(LINES_MAX).collect();
    let needs = if res.needs_you == 1 { "needs you" } else { "need you" };
    let parts = [
        (res.shipped, "shipped"),
        (res.needs_you, needs),
        (res.parked, "parked"),
        (res.ended, "ended otherwise"),
        (res.working, "at work"),
    ];
    let parts = parts.iter().filter(|it| 0 < it.0).map(|(n, what)| format!("{n} {what}"));
    res.says = parts.collect::<Vec<_>>().join(", ");
    res
}

/// What the person did about it.
pub fn touches(team: &Team, task: &Task) -> Touches {
    let mut res = Touches { retries: task.tally.retries, ..Touches::default() };
    res.sent_back = task.tally.sent_back;
    let approvals = task.approvals.iter().filter_map(|it| team.approvals.get(it));
    for it in approvals {
        if let ApprovalState::Answered { by: By::Person { .. }, .. } = it.state {
            res.approvals += 1;
        }
    }
    let asked = task.asked.iter().filter_map(|it| team.questions.get(it));
    let answers = asked.filter(|it| matches!(it.answer, Some((_, By::Person { .. })))).count();
    res.answers = u32::try_from(answers).unwrap_or(u32::MAX);
    res.words = u32::try_from(task.words.len()).unwrap_or(u32::MAX);
    res
}

fn fate(task: &Task) -> Fate {
    let false_start = if task.tally.builds == 0 { Fate::Nothing } else { Fate::FalseStart };
    match &task.state {
        TaskState::Closed(End::Landed { .. } | End::Answered)
        | TaskState::Undoing { end: End::Landed { .. } } => {
            Fate::Shipped { at: task.ended_at.unwrap_or(0) }
        }
        TaskState::Closed(End::Applied { .. })
        | TaskState::Undoing { end: End::Applied { .. } } => Fate::Applied,
        TaskState::Closed(End::Rejected { .. } | End::Cancelled | End::Undone { .. }) => {
            false_start
        }
        TaskState::Undoing { .. }
        | TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Parked { .. } => Fate::Nothing,
    }
}

fn rates(team: &Team, at: Millis, tasks: &[(TaskId, &Task)]) -> Rates {
    let mut res = Rates::default();
    let (mut person, mut waited) = (vec![], vec![]);
    for (_, task) in tasks {
        res.tasks += 1;
        let touched = touches(team, task);
        match fate(task) {
            Fate::Shipped { at: shipped } => {
                res.shipped += 1;
                if touched.all() <= 1 && touched.all() == touched.approvals {
                    res.delegated += 1;
                    res.by_rule += u32::from(is_by_rule(team, task));
                    res.young += u32::from(at < shipped.saturating_add(YOUNG_MS));
                } else {
                    res.assisted += 1;
                }
            }
            Fate::Applied => {
                res.shipped += 1;
                res.assisted += 1;
            }
            Fate::FalseStart => res.false_starts += 1,
            Fate::Nothing => {}
        }
        if 0 < task.viewing.views {
            res.measured += 1;
            person.push(task.viewing.ms);
        }
        waited.extend(waits(team, task));
        res.micros += task.spent.micros;
        res.unpriced += u32::from(task.spent.micros == 0 && 0 < task.spent.tokens());
        res.rebuilds += task.tally.builds.saturating_sub(1);
        res.sent_back += touched.sent_back;
    }
    res.person_ms = median(person);
    res.waited_ms = median(waited);
    res.micros_per_shipped = res.micros.checked_div(u64::from(res.shipped));
    res
}

fn is_by_rule(team: &Team, task: &Task) -> bool {
    let TaskState::Closed(End::Landed { approval, .. }) = &task.state else {
        return false;
    };
    let state = team.approvals.get(approval).map(|it| &it.state);
    matches!(state, Some(ApprovalState::Answered { by: By::Rule, .. }))
}

/// How long each approval that a person answered had waited for them.
fn waits<'a>(team: &'a Team, task: &'a Task) -> impl Iterator<Item = Millis> + 'a {
    let approvals = task.approvals.iter().filter_map(|it| team.approvals.get(it));
    approvals.filter_map(|it| match &it.state {
        ApprovalState::Answered { by: By::Person { .. }, at, .. } => {
            Some(at.saturating_sub(it.asked_at))
        }
        ApprovalState::Answered { .. } | ApprovalState::Open | ApprovalState::Void { .. } => None,
    })
}

/// The middle one; of an even number the lower of the two.
pub(crate) fn median(mut all: Vec<u64>) -> Option<u64> {
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests;
