//! The table that ends a run: Step, Role, Action, My time. Made from the log, so it tells what
//! happened and not what was meant to.

use super::narrate::{files_of, parked_text};
use super::screen::{cut, duration, money, safe, tokens};
use crate::protocol::exit_text;
use std::collections::BTreeMap;
use team::{
    By, Event, Exit, Handoff, Millis, Notes, Outcome, Ran, Receipt, Role, RunId, TaskId, Team,
    Verdict, Why, Work, lines,
};

const ACTION_CHARS_MAX: usize = 90;

/// Columns of the table.
pub const HEAD: [&str; 4] = ["Step", "Role", "Action", "My time"];

/// One row a step of this task, and the sum. `person_ms`: human time measured in this process, in
/// milliseconds; it stands beside the last decision that a person made here.
pub fn rows(
    task: TaskId,
    log: &[(Millis, Event)],
    team: &Team,
    person_ms: u64,
) -> Vec<Vec<String>> {
    let mut table = Table { task, runs: BTreeMap::new(), rows: Vec::new(), decided: None };
    for (_, event) in log {
        table.add(event);
    }
    if let Some(row) = table.decided.and_then(|it| table.rows.get_mut(it)) {
        row[3] = seconds(person_ms);
    }
    if let Some(it) = team.task(task) {
        let first = log.first().map_or(0, |it| it.0);
        let last = log.last().map_or(0, |it| it.0);
        let mut spent = format!(
            "{} in all, {} model calls, {} tokens, {}",
            duration(last.saturating_sub(first)),
            it.spent.calls,
            tokens(&it.spent),
            money(it.spent.micros),
        );
        if it.spent.estimated_calls != 0 {
            spent.push_str(" (~ is estimated)");
        }
        table.push("Sum", "", spent, &seconds(person_ms));
    }
    table.rows
}

/// Tenths matter for somebody who only reads and types a word.
fn seconds(ms: u64) -> String {
    if ms < 60_000 { format!("{}.{} s", ms / 1000, ms % 1000 / 100) } else { duration(ms) }
}

struct Table {
    task: TaskId,
    runs: BTreeMap<RunId, (TaskId, Work, Vec<Receipt>)>,
    rows: Vec<Vec<String>>,
    /// Index of the row of the last decision by a person.
    decided: Option<usize>,
}

impl Table {
    fn push(&mut self, step: &str, role: &str, action: impl AsRef<str>, time: &str) {
        let action = cut(&safe(action.as_ref()), ACTION_CHARS_MAX);
        self.rows.push(vec![step.into(), role.into(), action, time.into()]);
    }

    fn is_of(&self, run: RunId) -> bool {
        self.runs.get(&run).is_some_and(|it| it.0 == self.task)
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run, task, work, .. } => {
                self.runs.insert(*run, (*task, work.clone(), Vec::new()));
            }
            Event::ReceiptRecorded { run, receipt } => {
                if let Some(it) = self.runs.get_mut(run) {
                    it.2.push(receipt.clone());
                }
            }
            Event::ReproRecorded { run, repro } if self.is_of(*run) => {
                let text = format!("saw it fail: {}", repro.tests.join(", "));
                self.push("Reproduce", "server", text, "");
            }
            Event::RunHandedOver { run, handoff, facts, .. } if self.is_of(*run) => {
                let size = files_of(facts.as_ref()).map(lines);
                self.handed_over(handoff, size);
            }
            Event::RunChecked { run, .. } if self.is_of(*run) => self.checked(*run),
            Event::RunLost { run, failure, .. } if self.is_of(*run) => {
                self.push("Lost", "server", format!("{run}: {failure}"), "");
            }
            Event::QuestionAnswered { text, by, .. } => self.decision("Answer", text, by),
            Event::ApprovalAnswered { answer, by, .. } => {
                let text = crate::protocol::answer_name(answer);
                self.decision("Decide", text, by);
            }
            Event::TaskDelegated { .. }
            | Event::TaskSnapshotted { .. }
            | Event::TaskClassified { .. }
            | Event::RunSpent { .. }
            | Event::BudgetWarned { .. }
            | Event::ReproRecorded { .. }
            | Event::RunHandedOver { .. }
            | Event::RunLost { .. }
            | Event::RunChecked { .. }
            | Event::QuestionAsked { .. }
            | Event::CandidateWanted { .. }
            | Event::CandidateBuilt { .. }
            | Event::CandidateConflicted { .. }
            | Event::ApprovalRebased { .. }
            | Event::PartMade { .. }
            | Event::PartRefused { .. }
            | Event::ApprovalAsked { .. }
            | Event::ApprovalVoided { .. }
            | Event::TipMoved { .. }
            | Event::LandingPlanned { .. }
            | Event::TaskLanded { .. }
            | Event::TaskApplied { .. }
            | Event::LandingRefused { .. }
            | Event::TaskAnswered { .. }
            | Event::TaskRejected { .. }
            | Event::TaskCancelled { .. }
            | Event::TaskParked { .. }
            | Event::TaskRetried { .. }
            | Event::UndoStarted { .. }
            | Event::UndoRefused { .. }
            | Event::TaskUndone { .. }
            | Event::PersonSaid { .. }
            | Event::WordsHeard { .. }
            | Event::TaskViewed { .. }
            | Event::MemoForgotten { .. }
            | Event::TestsQuarantined { .. }
            | Event::DecisionRecorded { .. } => self.task_event(event),
        }
    }

    fn task_event(&mut self, event: &Event) {
        let task = self.task;
        if let Event::TaskDelegated { task: of, brief, .. } = event
            && *of == task
        {
            self.push("Delegate", "you", &brief.text, "");
        } else if let Event::TaskSnapshotted { task: of, base, .. } = event
            && *of == task
        {
            self.push("Snapshot", "server", format!("start from {}", base.says), "");
        } else if let Event::TaskClassified { task: of, class, why, .. } = event
            && *of == task
        {
            self.push("Class", "server", format!("{}: {why}", class.name()), "");
        } else if let Event::CandidateBuilt { task: of, candidate } = event
            && *of == task
        {
            let text = format!("built {} on {}", candidate.commit.short(), candidate.tip.short());
            self.push("Candidate", "server", text, "");
        } else if let Event::PersonSaid { task: of, text, .. } = event
            && *of == task
        {
            self.push("Say", "you", text, "");
        } else if let Event::TaskLanded { task: of, .. } = event
            && *of == task
        {
            self.push("Land", "server", "moved the branch to the candidate", "");
        } else if let Event::TaskApplied { task: of, .. } = event
            && *of == task
        {
            self.push("Apply", "server", "put the change into the files", "");
        } else if let Event::TaskParked { task: of, why, .. } = event
            && *of == task
        {
            self.push("Park", "server", parked_text(why), "");
        }
    }

    fn decision(&mut self, step: &str, text: &str, by: &By) {
        let (role, text) = match by {
            By::Person { door } => ("you", format!("{text}, in the {door}")),
            By::Rule => ("server", format!("{text}, by the rule you set")),
            By::Deadline => ("server", format!("{text}, by its deadline")),
            By::Role(role) => (role.name(), text.to_owned()),
        };
        if let By::Person { .. } = by {
            self.decided = Some(self.rows.len());
        }
        self.push(step, role, text, "");
    }

    fn handed_over(&mut self, handoff: &Handoff, size: Option<(u32, u32)>) {
        match handoff {
            Handoff::Triaged { class, summary, .. } => {
                self.push("Triage", Role::Pm.name(), format!("{}: {summary}", class.name()), "");
            }
            Handoff::Changed { summary, .. } => {
                let size = size.map(|(added, removed)| format!("+{added} -{removed}: "));
                let text = format!("{}{summary}", size.unwrap_or_default());
                self.push("Build", Role::Engineer.name(), text, "");
            }
            Handoff::Validated { verdict, notes, .. } => {
                let word = match verdict {
                    Verdict::Pass => "pass",
                    Verdict::Fail => "fail",
                };
                self.push("Judge", Role::Tester.name(), format!("{word}: {notes}"), "");
            }
            Handoff::Designed { plan } => {
                self.push("Design", Role::Architect.name(), &plan.approach, "");
            }
            Handoff::Announced { notes } => {
                let text = match notes {
                    Notes::Written { summary, .. } => summary.clone(),
                    Notes::Nothing { why } => format!("nothing to announce: {why}"),
                };
                self.push("Announce", Role::Marketing.name(), text, "");
            }
            Handoff::Answered { text, .. } => {
                self.push("Answer", Role::Architect.name(), text, "");
            }
            Handoff::Declined { why } => self.push("Decline", "", why, ""),
        }
    }

    fn checked(&mut self, run: RunId) {
        let Some((_, Work::Checks { why, .. }, receipts)) = self.runs.get(&run) else {
            return;
        };
        let what = match why {
            Why::Baseline => "before the change",
            Why::Gate => "on the Engineer's commit",
            Why::Candidate => "on the candidate",
        };
        let seen: Vec<_> = receipts.iter().map(summary).collect();
        let text = format!("{what}: {}", seen.join("; "));
        self.push("Check", "server", text, "");
    }
}

/// `test: 4 passed`, `test: 1 failed, 3 passed`, `lint: exit 1`, `the bug's test passes`.
fn summary(receipt: &Receipt) -> String {
    let name = match &receipt.ran {
        Ran::Check { name } | Ran::Repro { name } | Ran::OwnCheck { name } => name.as_str(),
        Ran::Rerun { .. } => "once more",
        Ran::Setup => "set-up",
        Ran::Command => "command",
    };
    let exit = match receipt.exit {
        Exit::Code(0) => "green".to_owned(),
        Exit::Code(_) | Exit::Signal(_) | Exit::TimedOut | Exit::Interrupted => {
            exit_text(receipt.exit)
        }
    };
    let text = match &receipt.tests {
        Some(it) if 0 < it.failed => format!("{} failed, {} passed", it.failed, it.passed),
        Some(it) if it.named.iter().any(|it| it.1 == Outcome::Passed) => {
            format!("{} passed, the bug's among them", it.passed)
        }
        Some(it) => format!("{} passed", it.passed),
        None => exit,
    };
    format!("{name}: {text}")
}
