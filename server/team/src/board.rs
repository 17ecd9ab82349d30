//! What a person sees now: computed from the team, never stored.

use crate::brief::Usage;
use crate::change::{Candidate, ChangeId, FileChange, FileHunks, lines};
use crate::decide::flaky_notes;
use crate::estimate::estimate;
use crate::event::{Parked, Subject, Why, Work};
use crate::handoff::{Class, Duty, Handoff, Plan, Role};
use crate::ids::{ApprovalId, Millis, QuestionId, ReceiptId, RunId, TaskId};
use crate::receipt::{Outcome, Ran, SandboxLevel};
use crate::setup::Setup;
use crate::stages::Stage;
use crate::task::{Asked, End, Task, TaskState, Team, Wait};
use std::collections::{BTreeMap, BTreeSet};

/// So many of the tasks that ended are on the board: those that ended last.
pub const BOARD_ENDED_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    pub version: u64,
    /// Newest first: all that have not ended, and the last that did.
    pub tasks: Vec<TaskLine>,
    /// How many ended besides.
    pub more: usize,
    /// Open ones, oldest first.
    pub approvals: Vec<ApprovalLine>,
    pub questions: Vec<QuestionLine>,
    pub spent: Usage,
}

/// The columns of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    NeedsYou,
    Working,
    Parked,
    /// Landed, applied or answered.
    Shipped,
    /// Rejected, cancelled or undone.
    Ended,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskLine {
    pub task: TaskId,
    /// The first line of the brief.
    pub title: String,
    pub class: Option<Class>,
    pub column: Column,
    /// What happens now, in words.
    pub step: String,
    pub role: Option<Role>,
    pub run: Option<RunId>,
    /// Of a task at work: what earlier ones of its class let expect.
    pub expects: Option<String>,
    pub spent: Usage,
    pub delegated_at: Millis,
    pub ended_at: Option<Millis>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalLine {
    pub approval: ApprovalId,
    pub task: TaskId,
    pub title: String,
    /// The first line a person reads: the proof.
    pub proof: String,
    /// Name it when answering: the answer is refused if the change is no longer this one.
    pub change: Option<ChangeId>,
    pub files: Vec<FileChange>,
    pub receipts: Vec<ReceiptId>,
    /// Paths that need a tick of their own.
    pub ticks: Vec<String>,
    /// What may be chosen of it; empty where it is taken whole.
    pub hunks: Vec<FileHunks>,
    /// Why it can't land on the branch, for edits; the exact commands, for commands; why a person is
    /// asked, for a plan.
    pub why: Vec<String>,
    /// The plan that is to be approved.
    pub plan: Option<Plan>,
    pub notes: Vec<String>,
    /// What may be answered: `approve`, `apply`, `revise`, `rebuild`, `reject`.
    pub answers: Vec<&'static str>,
    pub asked_at: Millis,
}

#[derive(Clone, Debug, PartialEq)]
pub struct QuestionLine {
    pub question: QuestionId,
    pub task: TaskId,
    pub text: String,
    pub options: Vec<String>,
    pub default: u32,
    pub proceed: bool,
    pub stakes: String,
    pub deadline_at: Millis,
}

pub fn board(team: &Team) -> Board {
    let (approvals, questions) = waiting(team, usize::MAX);
    let mut shown = team.last_ended(BOARD_ENDED_MAX);
    let more = team.ended().saturating_sub(shown.len());
    shown.extend(team.open_tasks().map(|it| it.0));
    let tasks = task_lines(team, &shown);
    Board { version: team.version, tasks, more, approvals, questions, spent: team.spent }
}

/// What waits for a person, oldest first: at most so many approvals and so many questions.
pub fn waiting(team: &Team, max: usize) -> (Vec<ApprovalLine>, Vec<QuestionLine>) {
    let open: BTreeSet<ApprovalId> = team.waiting_approvals().map(|it| it.0).collect();
    let asked: BTreeMap<QuestionId, &Asked> = team.waiting_questions().collect();
    let question = |(id, it): (QuestionId, &Asked)| QuestionLine {
        question: id,
        task: it.task,
        text: it.ask.text.clone(),
        options: it.ask.options.clone(),
        default: it.ask.default,
        proceed: it.ask.proceed,
        stakes: it.ask.stakes.clone(),
        deadline_at: it.ask.deadline_at,
    };
    let approvals = open.into_iter().filter_map(|id| approval_line(team, id)).take(max);
    (approvals.collect(), asked.into_iter().map(question).take(max).collect())
}

/// Newest first. What to expect is worked out once for each class that is at work.
fn task_lines(team: &Team, shown: &BTreeSet<TaskId>) -> Vec<TaskLine> {
    let mut known: Vec<(Class, Option<String>)> = vec![];
    let mut expects = |class: Class| {
        if let Some((_, it)) = known.iter().find(|it| it.0 == class) {
            return it.clone();
        }
        let it = estimate(team, class).map(|it| it.says());
        known.push((class, it.clone()));
        it
    };
    let newest = shown.iter().rev().filter_map(|id| Some((*id, team.task(*id)?)));
    let lines = newest.map(|(id, it)| {
        let mut line = task_line(team, id, it);
        if line.column == Column::Working {
            line.expects = it.class.and_then(&mut expects);
        }
        line
    });
    lines.collect()
}

/// One line by itself, without what to expect.
pub fn task_line(team: &Team, task: TaskId, it: &Task) -> TaskLine {
    let (column, step) = describe(team, it);
    let run = team.live_run(task);
    let role = run.and_then(|it| team.run(it)).and_then(|it| match it.work {
        Work::Role { duty, .. } => Some(Role::of(duty)),
        Work::Checks { .. } | Work::Setup { .. } => None,
    });
    TaskLine {
        task,
        title: title(it),
        class: it.class,
        column,
        step,
        role,
        run,
        expects: None,
        spent: it.spent,
        delegated_at: it.delegated_at,
        ended_at: it.ended_at,
    }
}

/// The first line of the brief, at most 80 characters.
pub fn title(task: &Task) -> String {
    let first = task.brief.text.trim().lines().next().unwrap_or("");
    if first.chars().count() <= 80 {
        return first.to_string();
    }
    let short: String = first.chars().take(79).collect();
    format!("{short}…")
}

fn describe(team: &Team, it: &Task) -> (Column, String) {
    let words = |text: &str| text.to_string();
    match &it.state {
        TaskState::Waiting { on: Wait::Snapshot } => {
            (Column::Working, words("taking the snapshot"))
        }
        TaskState::Waiting { on: Wait::Candidate { .. } } => {
            (Column::Working, words("building the candidate"))
        }
        TaskState::Waiting { on: Wait::Part { .. } } => {
            (Column::Working, words("taking the hunks you chose by themselves"))
        }
        TaskState::Waiting { on: Wait::Question { question } } => {
            (Column::NeedsYou, format!("{question} waits for your answer"))
        }
        TaskState::Working { run } | TaskState::Checking { run, .. } => {
            (Column::Working, team.run(*run).map_or(String::new(), |r| work(it, &r.work)))
        }
        TaskState::AwaitingApproval { approval, .. } => {
            (Column::NeedsYou, format!("{approval} waits for your decision"))
        }
        TaskState::Landing { .. } => (Column::Working, words("landing")),
        TaskState::Undoing { .. } => (Column::Working, words("being taken back")),
        TaskState::Parked { why: Parked::Failed(failure), .. } => {
            (Column::Parked, format!("failed: {failure}"))
        }
        TaskState::Parked { why: Parked::NeedsPerson(text), .. } => {
            (Column::Parked, format!("needs a person: {text}"))
        }
        TaskState::Parked { why: Parked::Stopped, .. } => (Column::Parked, words("stopped by you")),
        TaskState::Closed(End::Landed { approval, .. }) => {
            let asked = team.approvals.get(approval);
            let commit = match asked.map(|it| &it.subject) {
                Some(Subject::Landing { candidate, .. }) => candidate.commit.short().to_string(),
                Some(
                    Subject::Edits { .. }
                    | Subject::Commands { .. }
                    | Subject::Plan { .. }
                    | Subject::Stage { .. }
                    | Subject::Setup { .. },
                )
                | None => String::new(),
            };
            let in_part = if asked.is_some_and(|it| it.part.is_some()) { "in part " } else { "" };
            (Column::Shipped, format!("landed {in_part}as {commit}"))
        }
        TaskState::Closed(End::Applied { .. }) => (Column::Shipped, words("applied as edits")),
        TaskState::Closed(End::Answered) => (Column::Shipped, words("answered")),
        TaskState::Closed(End::Rejected { why }) => (Column::Ended, format!("rejected: {why}")),
        TaskState::Closed(End::Cancelled) => (Column::Ended, words("cancelled")),
        TaskState::Closed(End::Undone { how }) => (Column::Ended, format!("undone: {how}")),
    }
}

fn work(task: &Task, work: &Work) -> String {
    match work {
        Work::Role { duty: Duty::Triage, .. } => "the PM triages".into(),
        Work::Role { duty: Duty::Design, .. } => "the Architect makes a plan".into(),
        Work::Role { duty: Duty::Build, .. } => {
            format!("the Engineer builds ({} of {})", task.builds, task.brief.limits.builds_max)
        }
        Work::Role { duty: Duty::Validate, .. } => "the Tester judges".into(),
        Work::Role { duty: Duty::Announce, .. } => "Marketing writes the notes".into(),
        Work::Role { duty: Duty::Answer, .. } => "the Architect looks for the answer".into(),
        Work::Setup { .. } => "the set-up, with a network".into(),
        Work::Checks { why: Why::Baseline, .. } => "checks before the change".into(),
        Work::Checks { why: Why::Gate, .. } => "checks of the change".into(),
        Work::Checks { why: Why::Candidate, .. } => "checks of the candidate".into(),
    }
}

/// Everything a person needs to decide on one approval, open or not.
pub fn approval_line(team: &Team, approval: ApprovalId) -> Option<ApprovalLine> {
    let it = team.approvals.get(&approval)?;
    let task = team.task(it.task)?;
    let mut res = ApprovalLine {
        approval,
        task: it.task,
        title: title(task),
        proof: String::new(),
        change: None,
        files: vec![],
        receipts: vec![],
        ticks: vec![],
        hunks: vec![],
        why: vec![],
        plan: None,
        notes: vec![],
        answers: vec![],
        asked_at: it.asked_at,
    };
    match &it.subject {
        Subject::Landing { candidate, receipts } => {
            let is_part = it.part.is_some();
            res.proof = proof(team, task, (candidate, receipts), is_part);
            res.change = Some(candidate.change.clone());
            res.files.clone_from(&candidate.files);
            res.receipts.clone_from(receipts);
            res.ticks = candidate.acts.iter().chain(&candidate.merges).cloned().collect();
            res.hunks.clone_from(&candidate.hunks);
            res.notes.clone_from(&candidate.notes);
            res.notes.extend(candidate.risk.iter().map(|it| format!("risk: {it}")));
            let weakened = task.head.iter().flat_map(|it| &it.weakened);
            res.notes.extend(weakened.map(|it| format!("tests weakened: {it}")));
            res.notes.extend(flaky_notes(team, receipts));
            res.answers = vec!["approve", "apply", "revise", "rebuild", "reject"];
        }
        Subject::Edits { why, receipts, .. } => {
            let files = task.head.as_ref().map(|it| it.files.clone()).unwrap_or_default();
            res.proof = format!("can't land on the branch as things are; {}", size(&files));
            res.files = files;
            res.receipts.clone_from(receipts);
            res.why = vec![why.clone()];
            res.answers = vec!["apply", "revise", "rebuild", "reject"];
        }
        Subject::Commands { commit, checks, .. } => {
            let n = checks.len();
            res.proof =
                format!("no sandbox here: run {n} command(s) unconfined on {}?", commit.short());
            res.why = checks.iter().map(|it| it.argv.join(" ")).collect();
            res.answers = vec!["approve", "reject"];
        }
        Subject::Plan { plan, why, .. } => {
            let first = plan.approach.trim().lines().next().unwrap_or("");
            res.proof = format!("a plan, nothing is built yet: {first}");
            res.why.clone_from(why);
            res.plan = Some(plan.clone());
            res.answers = vec!["approve", "revise", "reject"];
        }
        Subject::Stage { before } => stage_asked(task, *before, &mut res),
        Subject::Setup { setup, .. } => setup_asked(setup, &mut res),
    }
    Some(res)
}

/// Whether this may run with a network.
fn setup_asked(setup: &Setup, res: &mut ApprovalLine) {
    let (command, on) = (setup.argv.join(" "), setup.commit.short());
    res.proof = format!("run `{command}` with a network, in the sandbox, on {on}?");
    res.why = vec![setup.why.clone()];
    let files = setup.files.join(", ");
    res.notes.push(format!(
        "one yes holds while the command and {} stay the same",
        if files.is_empty() { "the commit's needs" } else { &files }
    ));
    res.answers = vec!["approve", "reject"];
}

/// Whether to go on, with what there is so far.
fn stage_asked(task: &Task, before: Stage, res: &mut ApprovalLine) {
    let files = task.head.as_ref().map(|it| it.files.clone()).unwrap_or_default();
    let so_far = match (before, task.class) {
        (Stage::Validate | Stage::Announce, _) => size(&files),
        (Stage::Design | Stage::Build, Some(class)) => format!("classed as {}", class.name()),
        (Stage::Design | Stage::Build, None) => "not triaged".into(),
    };
    res.proof = format!("go on with {}? So far: {so_far}", before.name());
    res.files = files;
    res.notes = task.criteria.iter().map(|it| format!("done when: {it}")).collect();
    res.answers = vec!["approve", "revise", "reject"];
}

/// `+6 -2 in 1 file`.
pub fn size(files: &[FileChange]) -> String {
    let (added, removed) = lines(files);
    let n = files.len();
    format!("+{added} -{removed} in {n} file{}", if n == 1 { "" } else { "s" })
}

/// The proof in one line: what failed before and passes now, the other tests, the size, where to
/// look first.
fn proof(
    team: &Team,
    task: &Task,
    (candidate, receipts): (&Candidate, &[ReceiptId]),
    is_part: bool,
) -> String {
    let mut parts = vec![];
    let tests: Vec<_> = receipts.iter().filter_map(|it| team.receipt(*it)).collect();
    let passed: u32 = tests.iter().filter_map(|it| it.tests.as_ref()).map(|it| it.passed).sum();
    let mut shown = 0;
    if let Some(repro) = &task.repro {
        let green = |name: &&String| {
            let mut all = tests.iter().filter_map(|it| it.tests.as_ref());
            all.any(|it| it.named.iter().any(|(n, how)| n == *name && *how == Outcome::Passed))
        };
        for name in repro.tests.iter().filter(green) {
            let failed = if repro.strong { "failed" } else { "did not build" };
            let (from, to) = (repro.commit.short(), candidate.commit.short());
            parts.push(format!("{name}: {failed} at {from}, passes at {to}"));
            shown += 1;
        }
    }
    let others = passed.saturating_sub(shown);
    match (tests.is_empty(), shown) {
        (true, _) => parts.push("no checks ran: this project has none that Baton knows".into()),
        (false, 0) if is_part && task.repro.is_some() => {
            parts
                .push(format!("{passed} tests pass; the one that shows the bug is not among them"));
        }
        (false, 0) if 0 < passed => parts.push(format!("{passed} tests pass; none shows the bug")),
        (false, _) if others == 1 => parts.push("1 other passes".to_owned()),
        (false, _) if 0 < passed => parts.push(format!("{others} others pass")),
        (false, _) => {
            let name = |ran: &Ran| match ran {
                Ran::Check { name }
                | Ran::Repro { name }
                | Ran::OwnCheck { name }
                | Ran::Rerun { name } => name.clone(),
                Ran::Setup | Ran::Command => String::new(),
            };
            let names: Vec<String> = tests.iter().map(|it| name(&it.ran)).collect();
            parts.push(format!("{} green", names.join(", ")));
        }
    }
    match tests.iter().map(|it| it.sandbox).min() {
        Some(SandboxLevel::None) => parts.push("run without a sandbox".into()),
        Some(SandboxLevel::Reduced) => parts.push("run in a reduced sandbox".into()),
        Some(SandboxLevel::Full) | None => {}
    }
    parts.push(size(&candidate.files));
    let look = task.handoffs.iter().rev().find_map(|(_, it)| match it {
        Handoff::Changed { look_first, .. } => Some(look_first.clone()),
        Handoff::Triaged { .. }
        | Handoff::Designed { .. }
        | Handoff::Validated { .. }
        | Handoff::Answered { .. }
        | Handoff::Announced { .. }
        | Handoff::Declined { .. } => None,
    });
    if let Some(look) = look.filter(|it| !it.is_empty()) {
        parts.push(format!("look first at {look}"));
    }
    parts.join("; ")
}
