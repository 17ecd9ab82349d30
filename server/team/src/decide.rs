//! What follows from what. `decide` turns something that was asked for or reported into events, or
//! refuses and changes nothing. Time is an argument: every rule with a deadline needs it.
//!
//! The rules for what roles hand over are in `decide/handover.rs` and `decide/gates.rs`, which stage
//! comes next is in `decide/way.rs`, what people say in `decide/person.rs`, candidate and landing in
//! `decide/landing.rs`.

use crate::brief::{Brief, Limits, Usage};
use crate::budget::{DayMoney, used, used_of_day};
use crate::change::{Base, Candidate, ChangeId, Facts, PlannedPath};
use crate::event::{Answer, Event, Parked, Start, Subject, Why, Work};
use crate::failure::{Code, Failure};
use crate::handoff::{By, Duty, Handoff, Question, Repro};
use crate::ids::{ApprovalId, CommitId, Millis, QuestionId, ReceiptId, RunId, TaskId};
use crate::memory::Memo;
use crate::receipt::{CheckSpec, Receipt};
use crate::setup::{RERUNS_MAX, Setup};
use crate::stages::Ways;
use crate::task::{Run, RunState, Task, TaskState, Team, Wait};
use crate::viewing::Sign;
use std::collections::BTreeMap;
use std::fmt;

mod comments;
mod flaky;
mod gates;
mod handover;
mod landing;
mod memo;
mod part;
mod person;
mod setup;
mod way;

pub(crate) use flaky::notes as flaky_notes;
pub use flaky::rerun;

/// Asked for by a person, or reported by the shell.
#[derive(Clone, Debug)]
pub enum Input {
    Delegate {
        brief: Brief,
    },
    Answer {
        approval: ApprovalId,
        expected: Option<ChangeId>,
        answer: Answer,
        by: By,
    },
    AnswerQuestion {
        question: QuestionId,
        text: String,
        by: By,
    },
    Cancel {
        task: TaskId,
    },
    /// Stop for now; nothing is lost.
    Park {
        task: TaskId,
    },
    Retry {
        task: TaskId,
    },
    Undo {
        task: TaskId,
    },
    /// A person steers whoever works on the task: the run under way, or else the next one.
    Say {
        task: TaskId,
        text: String,
        by: By,
    },
    /// A client tells of a review.
    View {
        task: TaskId,
        approval: Option<ApprovalId>,
        sign: Sign,
        by: By,
    },
    /// No role shall be told of it again.
    Forget {
        memo: Memo,
        by: By,
    },
    Snapshotted {
        task: TaskId,
        base: Base,
        checks: Vec<CheckSpec>,
        ways: Ways,
        /// What the workspace's trusted file allows; what is lower holds.
        limits: Limits,
    },
    /// `day`: the person's money of this day, with all of today's calls but this one.
    Spent {
        run: RunId,
        usage: Usage,
        day: DayMoney,
    },
    Recorded {
        run: RunId,
        receipt: Receipt,
    },
    Reproduced {
        run: RunId,
        repro: Repro,
    },
    /// Written into the run's journal: the task's first so many words of people.
    Heard {
        run: RunId,
        words: u32,
    },
    /// `facts`: what the server observed of it; required where there is something to observe.
    HandedOver {
        run: RunId,
        handoff: Handoff,
        facts: Option<Facts>,
    },
    AskedPerson {
        run: RunId,
        ask: Question,
    },
    Checked {
        run: RunId,
    },
    /// A round of checks can't run: this has to be run first.
    SetupWanted {
        run: RunId,
        setup: Setup,
    },
    /// The set-up command ended; its receipt was recorded before.
    SetUp {
        run: RunId,
    },
    RunFailed {
        run: RunId,
        failure: Failure,
    },
    CandidateBuilt {
        task: TaskId,
        candidate: Candidate,
    },
    CandidateConflicted {
        task: TaskId,
        tip: CommitId,
        paths: Vec<String>,
    },
    /// The hunks that were accepted, alone on S: this head; and what they change on the tip.
    PartMade {
        task: TaskId,
        head: CommitId,
        change: ChangeId,
    },
    PartConflicted {
        task: TaskId,
        paths: Vec<String>,
    },
    LandingPlanned {
        task: TaskId,
        plan: Vec<PlannedPath>,
    },
    TipMoved {
        task: TaskId,
    },
    Landed {
        task: TaskId,
    },
    LandingRefused {
        task: TaskId,
        why: String,
    },
    Undone {
        task: TaskId,
        how: String,
    },
    UndoRefused {
        task: TaskId,
        why: String,
    },
    /// A step that is no run failed: snapshot, candidate, landing, undo.
    StepFailed {
        task: TaskId,
        failure: Failure,
    },
    Tick,
}

/// The rules forbid it. The text is for the person, or the model, who asked; it says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchTask(TaskId),
    NoSuchApproval(ApprovalId),
    NoSuchQuestion(QuestionId),
    NoSuchMemo(Memo),
    /// The late result of a run that is no longer live.
    StaleRun(RunId),
    Closed(TaskId),
    AlreadyAnswered(ApprovalId),
    /// The change is no longer the one that was looked at.
    Changed(ApprovalId),
    /// These paths need a tick of their own.
    NeedsTicks(Vec<String>),
    /// A gate; what is missing and what to do.
    Gate(String),
    /// Not now, or not this; why, and what would be possible.
    Not(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoSuchTask(id) => write!(f, "there is no task {id}"),
            Refusal::NoSuchApproval(id) => write!(f, "there is no approval {id}"),
            Refusal::NoSuchQuestion(id) => write!(f, "there is no question {id}"),
            Refusal::NoSuchMemo(id) => write!(f, "there is no {id}"),
            Refusal::StaleRun(id) => write!(f, "{id} is no longer at work; its task went on"),
            Refusal::Closed(id) => write!(f, "{id} has ended"),
            Refusal::AlreadyAnswered(id) => write!(f, "{id} was already answered"),
            Refusal::Changed(id) => {
                write!(f, "the change of {id} is no longer the one you looked at; look again")
            }
            Refusal::NeedsTicks(paths) => {
                write!(f, "these need a tick of their own: {}", paths.join(", "))
            }
            Refusal::Gate(text) | Refusal::Not(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Refusal {}

pub fn decide(team: &Team, now: Millis, input: Input) -> Result<Vec<Event>, Refusal> {
    match input {
        Input::Delegate { brief } => person::delegate(team, now, brief),
        Input::Answer { approval, expected, answer, by } => {
            person::answer_approval(team, now, approval, expected.as_ref(), answer, by)
        }
        Input::AnswerQuestion { question, text, by } => {
            person::answer_question(team, now, question, text, by)
        }
        Input::Cancel { task } => person::cancel(team, now, task),
        Input::Park { task } => person::park(team, now, task),
        Input::Retry { task } => person::retry(team, now, task),
        Input::Undo { task } => person::undo(team, task),
        Input::Say { task, text, by } => person::say(team, now, task, text, by),
        Input::View { task, approval, sign, by } => memo::view(team, now, task, approval, sign, by),
        Input::Forget { memo, by } => memo::forget(team, now, memo, by),
        Input::Heard { run, words } => {
            live(team, run)?;
            Ok(vec![Event::WordsHeard { run, words }])
        }
        Input::Snapshotted { task, base, checks, ways, limits } => {
            let it = waiting(team, task, |on| matches!(on, Wait::Snapshot))?;
            let limits = it.brief.limits.narrowed(&limits);
            let limits = (limits != it.brief.limits).then_some(limits);
            let snapshotted = Event::TaskSnapshotted { task, base, checks, ways, limits };
            let mut after = team.clone();
            after.apply(&snapshotted);
            Ok([vec![snapshotted], way::triage(&after, now, task)?].concat())
        }
        Input::Spent { run, usage, day } => spent(team, now, run, &usage, day),
        // The number is given here, so that no two receipts of a run share one.
        Input::Recorded { run, mut receipt } => {
            let (_, it) = live(team, run)?;
            let n = u32::try_from(it.receipts.len()).unwrap_or(u32::MAX).saturating_add(1);
            receipt.id = ReceiptId { run, n };
            Ok(vec![Event::ReceiptRecorded { run, receipt }])
        }
        Input::Reproduced { run, repro } => {
            let (task, _) = live(team, run)?;
            flaky::shows_something(team, now, task, &repro)?;
            Ok(vec![Event::ReproRecorded { run, repro }])
        }
        Input::HandedOver { run, handoff, facts } => {
            handover::handed_over(team, now, run, handoff, facts)
        }
        Input::AskedPerson { run, ask } => person::ask(team, run, ask),
        Input::Checked { run } => handover::checked(team, now, run),
        Input::SetupWanted { run, setup } => setup::wanted(team, now, run, setup),
        Input::SetUp { run } => setup::ended(team, now, run),
        Input::RunFailed { run, failure } => run_failed(team, now, run, failure),
        Input::CandidateBuilt { task, candidate } => landing::built(team, now, task, candidate),
        Input::CandidateConflicted { task, tip, paths } => {
            landing::conflicted(team, now, task, tip, paths)
        }
        Input::PartMade { task, head, change } => part::made(team, task, head, change),
        Input::PartConflicted { task, paths } => part::conflicted(team, task, &paths),
        Input::LandingPlanned { task, plan } => landing::planned(team, task, plan),
        Input::TipMoved { task } => landing::tip_moved(team, task),
        Input::Landed { task } => landing::landed(team, now, task),
        Input::LandingRefused { task, why } => landing::refused(team, now, task, why),
        Input::Undone { task, how } => landing::undone(team, now, task, how),
        Input::UndoRefused { task, why } => landing::undo_refused(team, task, why),
        Input::StepFailed { task, failure } => landing::step_failed(team, now, task, failure),
        Input::Tick => Ok(tick(team, now)),
    }
}

/// When the next deadline falls, for the one timer of the shell.
pub fn next_deadline(team: &Team) -> Option<Millis> {
    let runs = team.live_runs().map(|it| it.1.deadline_at);
    runs.chain(team.waiting_questions().map(|it| it.1.ask.deadline_at)).min()
}

/// Whether this run is past one of its limits: then it acts no more.
pub fn is_over_budget(team: &Team, run: RunId) -> bool {
    let Some((it, task)) = team.run(run).and_then(|it| Some((it, team.task(it.task)?))) else {
        return true;
    };
    let used = used(&it.spent, &task.spent_since_sent(), &task.brief.limits);
    used.iter().any(|it| it.max < it.used)
}

/// A paid call is always written down, whoever made it. What a call may cost is held before it is
/// made, so a cap is passed only where a provider charged more than its list says: that ends a run.
fn spent(
    team: &Team,
    now: Millis,
    run: RunId,
    usage: &Usage,
    day: DayMoney,
) -> Result<Vec<Event>, Refusal> {
    let Some(before) = team.run(run) else {
        return Err(Refusal::StaleRun(run));
    };
    let mut res = vec![Event::RunSpent { run, usage: *usage, at: now }];
    if before.state != RunState::Live {
        return Ok(res);
    }
    let Some(task) = team.task(before.task) else { return Ok(res) };
    let mut of_run = before.spent;
    of_run.add(usage);
    let (had, limits) = (task.spent_since_sent(), &task.brief.limits);
    let mut of_task = had;
    of_task.add(usage);
    let afterwards = used(&of_run, &of_task, limits);
    if let Some(over) = afterwards.iter().find(|it| it.max < it.used) {
        let text = format!("out of budget, {}", over.says());
        let failure = Failure::new(Code::Stuck, text.clone());
        res.push(Event::RunLost { run, failure, at: now });
        let why = Parked::NeedsPerson(text);
        res.push(Event::TaskParked { task: before.task, why, at: now });
        return Ok(res);
    }
    let earlier = used(&before.spent, &had, limits).map(|it| it.used);
    let spent_micros = day.spent_micros.saturating_add(usage.micros);
    let of_day = used_of_day(DayMoney { spent_micros, ..day });
    let mut with_day = afterwards.iter().zip(earlier).chain([(&of_day, day.spent_micros)]);
    if let Some((near, _)) = with_day.find(|(it, before)| it.warns_after(*before)) {
        let text = format!("four fifths used, {}", near.says());
        res.push(Event::BudgetWarned { run, text });
    }
    Ok(res)
}

fn run_failed(
    team: &Team,
    now: Millis,
    run: RunId,
    failure: Failure,
) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let lost = Event::RunLost { run, failure: failure.clone(), at: now };
    if let (Work::Checks { commit, why, .. }, Code::NoSandbox) = (&it.work, failure.code) {
        let checks = required(get(team, task)?);
        let subject = Subject::Commands { commit: commit.clone(), why: *why, checks };
        return Ok(vec![lost, ask_approval(team, now, task, subject)]);
    }
    // Nobody waits for words about a change that is already validated.
    if let (Work::Role { duty: Duty::Announce, .. }, Code::Stuck) = (&it.work, failure.code) {
        let mut after = team.clone();
        after.apply(&lost);
        let mut res = vec![lost];
        res.extend(way::wanted(&after, task));
        return Ok(res);
    }
    let why = match failure.code {
        Code::Stuck => Parked::NeedsPerson(failure.text),
        Code::Git
        | Code::Store
        | Code::DiskFull
        | Code::Locked
        | Code::Config
        | Code::Key
        | Code::Model
        | Code::Command
        | Code::NoSandbox
        | Code::WorktreeLost
        | Code::TimedOut
        | Code::Interrupted
        | Code::Bug => Parked::Failed(failure),
    };
    Ok(vec![lost, Event::TaskParked { task, why, at: now }])
}

fn tick(team: &Team, now: Millis) -> Vec<Event> {
    let mut res = vec![];
    // The oldest first, whichever task they are of.
    for (run, it) in team.live_runs().collect::<BTreeMap<_, _>>() {
        if it.deadline_at <= now {
            let minutes = it.deadline_at.saturating_sub(it.started_at) / 60_000;
            let text = format!("{run} took longer than its {minutes} minutes");
            let failure = Failure::new(Code::TimedOut, text);
            res.push(Event::RunLost { run, failure: failure.clone(), at: now });
            let why = Parked::Failed(failure);
            res.push(Event::TaskParked { task: it.task, why, at: now });
        }
    }
    let mut started = team.clone();
    for event in &res {
        started.apply(event);
    }
    for (question, it) in team.waiting_questions().collect::<BTreeMap<_, _>>() {
        if it.ask.deadline_at <= now {
            let events = person::deadline(&started, now, question, it);
            for event in &events {
                started.apply(event);
            }
            res.extend(events);
        }
    }
    res
}

fn next(last: Option<u32>) -> u32 {
    last.unwrap_or(0) + 1
}

fn get(team: &Team, task: TaskId) -> Result<&Task, Refusal> {
    team.task(task).ok_or(Refusal::NoSuchTask(task))
}

fn open(team: &Team, task: TaskId) -> Result<&Task, Refusal> {
    let it = get(team, task)?;
    if matches!(it.state, TaskState::Closed(_)) {
        return Err(Refusal::Closed(task));
    }
    Ok(it)
}

fn waiting(team: &Team, task: TaskId, fits: impl Fn(&Wait) -> bool) -> Result<&Task, Refusal> {
    awaited(team, task, |on| fits(on).then_some(())).map(|(it, ())| it)
}

/// The task, and what of its wait is asked for.
fn awaited<'a, T>(
    team: &'a Team,
    task: TaskId,
    pick: impl Fn(&'a Wait) -> Option<T>,
) -> Result<(&'a Task, T), Refusal> {
    let it = open(team, task)?;
    let picked = match &it.state {
        TaskState::Waiting { on } => pick(on),
        TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => None,
    };
    let refusal = || Refusal::Not(format!("{task} does not wait for this"));
    Ok((it, picked.ok_or_else(refusal)?))
}

/// The task of a run that is at work right now; anything later is refused by its number.
fn live(team: &Team, run: RunId) -> Result<(TaskId, &Run), Refusal> {
    let it = team.run(run).ok_or(Refusal::StaleRun(run))?;
    if it.state == RunState::Live && team.live_run(it.task) == Some(run) {
        return Ok((it.task, it));
    }
    Err(Refusal::StaleRun(run))
}

fn required(task: &Task) -> Vec<CheckSpec> {
    task.checks.iter().filter(|it| it.required).cloned().collect()
}

/// A run of a role begins.
fn start_role(
    team: &Team,
    now: Millis,
    task: TaskId,
    duty: Duty,
    on: CommitId,
    start: Start,
) -> Event {
    let ms = team.task(task).map_or(0, |it| it.brief.limits.run_ms_max);
    start_with(team, now, task, Work::Role { duty, on, start }, ms)
}

/// A round of checks begins; its deadline is the sum of what its checks may take, and a minute.
fn start_checks(
    team: &Team,
    now: Millis,
    task: TaskId,
    commit: CommitId,
    why: Why,
    unconfined: bool,
) -> Event {
    let specs = team.task(task).map(required).unwrap_or_default();
    // The checks themselves, the named tests of a reproduction, and what may be run again.
    let runs = 2 + RERUNS_MAX as u64;
    let ms = specs.iter().map(|it| it.timeout_ms_max * runs).sum::<u64>() + 60_000;
    start_with(team, now, task, Work::Checks { commit, why, unconfined }, ms)
}

fn start_with(team: &Team, now: Millis, task: TaskId, work: Work, ms: u64) -> Event {
    let run = RunId(next(team.runs.last().map(|it| it.0)));
    Event::RunStarted { run, task, work, at: now, deadline_at: now + ms }
}

fn ask_approval(team: &Team, now: Millis, task: TaskId, subject: Subject) -> Event {
    let approval = ApprovalId(next(team.approvals.last().map(|it| it.0)));
    Event::ApprovalAsked { approval, task, subject, at: now }
}
