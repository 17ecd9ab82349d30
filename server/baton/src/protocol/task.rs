//! One task whole: what was asked, who did what, what the server saw, what it cost.

use super::board::{ApprovalView, QuestionView};
use super::moment::timeline;
use super::plan::PlanView;
use super::report::PersonView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use team::{End, Exit, Handoff, Notes, Outcome, Ran, Role, RunState, TaskId, TaskState, Team};
use team::{Wait, Work};

/// Where a task stands. A client shows a name that it does not know as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StateName {
    /// The engine prepares the next step: a snapshot, a candidate.
    Preparing,
    /// A role is at work.
    Working,
    /// The server runs the project's checks.
    Checking,
    /// A question waits for a person.
    Asking,
    /// An approval waits for a person.
    AwaitingApproval,
    /// Approved; the branch or the files are being moved.
    Landing,
    /// What landed is being taken back.
    Undoing,
    /// Stopped until a person says how to go on.
    Parked,
    Landed,
    /// Applied as edits to files and buffers; nothing was committed.
    Applied,
    Answered,
    Rejected,
    Cancelled,
    Undone,
}

impl StateName {
    pub fn of(state: &TaskState) -> StateName {
        match state {
            TaskState::Waiting { on: Wait::Question { .. } } => StateName::Asking,
            TaskState::Waiting {
                on: Wait::Snapshot | Wait::Candidate { .. } | Wait::Part { .. },
            } => StateName::Preparing,
            TaskState::Working { .. } => StateName::Working,
            TaskState::Checking { .. } => StateName::Checking,
            TaskState::AwaitingApproval { .. } => StateName::AwaitingApproval,
            TaskState::Landing { .. } => StateName::Landing,
            TaskState::Undoing { .. } => StateName::Undoing,
            TaskState::Parked { .. } => StateName::Parked,
            TaskState::Closed(end) => match end {
                End::Landed { .. } => StateName::Landed,
                End::Applied { .. } => StateName::Applied,
                End::Answered => StateName::Answered,
                End::Rejected { .. } => StateName::Rejected,
                End::Cancelled => StateName::Cancelled,
                End::Undone { .. } => StateName::Undone,
            },
        }
    }

    /// Nothing happens any more unless a person asks for it.
    pub fn is_end(self) -> bool {
        match self {
            StateName::Landed
            | StateName::Applied
            | StateName::Answered
            | StateName::Rejected
            | StateName::Cancelled
            | StateName::Undone => true,
            StateName::Preparing
            | StateName::Working
            | StateName::Checking
            | StateName::Asking
            | StateName::AwaitingApproval
            | StateName::Landing
            | StateName::Undoing
            | StateName::Parked => false,
        }
    }
}

/// One task with everything that is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    pub repository: String,
    /// `T17`.
    pub id: String,
    /// The version of the board that this shows.
    pub version: u64,
    /// The first line of what was asked.
    pub title: String,
    pub state: StateName,
    /// For people: what is going on, or why it stopped.
    pub says: String,
    pub brief: BriefView,
    pub base: Option<BaseView>,
    /// How it was triaged: `bug`, `feature`, `question`, ...
    pub class: Option<String>,
    /// The stages of that class here, `human:` before those that a person lets it into.
    pub stages: Vec<String>,
    /// The testable "done", as triaged.
    pub criteria: Vec<String>,
    /// The plan that holds.
    pub plan: Option<PlanView>,
    pub handoffs: Vec<HandoffView>,
    pub runs: Vec<RunView>,
    pub approvals: Vec<ApprovalView>,
    pub questions: Vec<QuestionView>,
    pub decisions: Vec<DecisionView>,
    /// What people said while it was under way.
    pub words: Vec<WordsView>,
    /// The person's own time and part.
    pub person: PersonView,
    pub cost: CostView,
    pub timeline: Vec<MomentView>,
    pub delegated_at: u64,
    pub ended_at: Option<u64>,
}

/// What the person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BriefView {
    pub text: String,
    /// `commandLine`, `sentence`, `selection` or `diagnostic`.
    pub origin: String,
    pub place: Option<PlaceView>,
    /// `seen` (unsaved text too) or `head` (the last commit).
    pub start: String,
    pub land_by_rule: bool,
    /// What the person called it, where they did.
    #[serde(default)]
    pub class: Option<String>,
    /// What the person gave it at most, where they did: `$0.50, 200000 tokens`.
    #[serde(default)]
    pub budget: Option<String>,
}

/// Lines of a file as they were when the task was delegated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceView {
    /// Relative to the root of the repository.
    pub path: String,
    /// Counted from 1, both ends included.
    pub first_line: u32,
    pub last_line: u32,
    pub text: String,
}

/// Where a task starts and where it shall land.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaseView {
    /// The target branch's commit at delegation.
    pub base: String,
    /// A commit of what the person saw; it lies in Baton's own store.
    pub seen: String,
    /// Full name of the branch.
    pub target: String,
    pub says: String,
    /// Paths that were not snapshotted, each with the reason.
    pub left_out: Vec<String>,
}

/// What a run left for the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandoffView {
    /// `R4`.
    pub run: String,
    pub role: String,
    /// `triaged`, `designed`, `changed`, `validated`, `announced`, `answered` or `declined`.
    pub kind: String,
    /// The main text: summary, notes, answer or reason.
    pub text: String,
    /// `pass` or `fail`, of a validation.
    pub verdict: Option<String>,
    /// The commit that was handed over or validated.
    pub head: Option<String>,
    /// Acceptance criteria, paths, risks, receipts or citations.
    pub points: Vec<String>,
    /// Where a reviewer should look first.
    pub look_first: Option<String>,
}

/// One run of a role, or one round of checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// `R4`.
    pub id: String,
    /// `PM`, `Engineer`, `Tester`, ..., or `checks` for the server's own.
    pub role: String,
    /// `live`, `ended`, `asked`, `lost` or `stopped`.
    pub state: String,
    /// Why it was lost.
    pub failure: Option<String>,
    pub started_at: u64,
    pub ended_at: Option<u64>,
    pub deadline_at: u64,
    pub cost: CostView,
    pub receipts: Vec<ReceiptView>,
}

/// What the server saw of one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// `R4.3`; `baton replay R4.3` runs it again.
    pub id: String,
    /// `check`, `repro`, `ownCheck`, `rerun`, `setup` or `command`. Gates count the first two, and `rerun` for what is flaky.
    pub ran: String,
    /// Name of the check.
    pub name: Option<String>,
    pub argv: Vec<String>,
    pub green: bool,
    /// For people: `exit 0`, `signal 9`, `timed out`.
    pub exit: String,
    pub exit_code: Option<i32>,
    pub duration_ms: u64,
    pub commit: Option<String>,
    pub tests: Option<TestsView>,
    /// It ran in the sandbox.
    pub sandboxed: bool,
    /// SHA-256 of the output, hex.
    pub output_sha256: String,
    pub output_bytes: u64,
    pub at: u64,
}

/// Counts as read from a check's report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestsView {
    pub passed: u32,
    pub failed: u32,
    pub ignored: u32,
    pub failing: Vec<String>,
    /// Tests asked for by name, each as `name: passed`, `failed` or `missing`.
    pub named: Vec<String>,
}

/// A choice somebody made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionView {
    /// `D3`.
    pub id: String,
    /// `person (editor)`, `rule`, `deadline`, or a role.
    pub by: String,
    pub what: String,
    pub why: String,
    /// No role is told of it any more.
    pub forgotten: bool,
}

/// What model calls cost, as the provider reported it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostView {
    pub calls: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    /// Micro-dollars; 0 where the price is not known.
    pub micros: u64,
}

/// What a person said to whoever works on a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WordsView {
    pub text: String,
    pub by: String,
    pub at: u64,
    /// The runs whose model was told. None yet: it is kept for the next run.
    pub heard_by: Vec<String>,
}

fn words(team: &Team, id: TaskId, task: &team::Task) -> Vec<WordsView> {
    let runs = || team.runs_of(id);
    let heard_by = |nth: u32| runs().filter(move |it| nth < it.1.heard).map(|it| it.0.to_string());
    let view = |(nth, it): (u32, &team::Words)| WordsView {
        text: it.text.clone(),
        by: by(&it.by),
        at: it.at,
        heard_by: heard_by(nth).collect(),
    };
    (0..).zip(&task.words).map(view).collect()
}

/// Something that happened, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MomentView {
    pub at: u64,
    pub text: String,
}

impl TaskView {
    /// `None`: there is no such task.
    pub fn of(repository: &str, team: &Team, id: TaskId) -> Option<TaskView> {
        let task = team.task(id)?;
        let line = team::task_line(team, id, task);
        let runs = team.runs_of(id);
        let approvals = task.approvals.iter();
        let questions = task.asked.iter();
        Some(TaskView {
            repository: repository.to_owned(),
            id: id.to_string(),
            version: team.version,
            title: line.title,
            state: StateName::of(&task.state),
            says: line.step,
            brief: BriefView::of(&task.brief),
            base: task.base.as_ref().map(BaseView::of),
            class: task.class.map(|it| it.name().to_owned()),
            stages: task
                .class
                .and_then(|it| task.ways.of(it))
                .map(team::Stages::words)
                .unwrap_or_default(),
            criteria: task.criteria.clone(),
            plan: task.design.as_ref().map(|it| PlanView::of(&it.plan)),
            handoffs: task
                .handoffs
                .iter()
                .map(|(run, it)| HandoffView::of(team, *run, it))
                .collect(),
            runs: runs.map(|(id, it)| RunView::of(id, it)).collect(),
            approvals: approvals.filter_map(|it| ApprovalView::of(repository, team, *it)).collect(),
            questions: questions.filter_map(|it| QuestionView::of(repository, team, *it)).collect(),
            decisions: task
                .decisions
                .iter()
                .filter_map(|it| Some(DecisionView::of(*it, team.remembered(*it)?)))
                .collect(),
            words: words(team, id, task),
            person: PersonView::of(team, task),
            cost: CostView::of(&task.spent),
            timeline: timeline(team, id, task),
            delegated_at: task.delegated_at,
            ended_at: task.ended_at,
        })
    }
}

impl BriefView {
    fn of(brief: &team::Brief) -> BriefView {
        BriefView {
            text: brief.text.clone(),
            origin: match brief.origin {
                team::Origin::CommandLine => "commandLine",
                team::Origin::Sentence => "sentence",
                team::Origin::Selection => "selection",
                team::Origin::Diagnostic => "diagnostic",
            }
            .to_owned(),
            place: brief.place.as_ref().map(|it| PlaceView {
                path: it.path.clone(),
                first_line: it.first_line,
                last_line: it.last_line,
                text: it.text.clone(),
            }),
            start: match brief.start {
                team::StartFrom::Seen => "seen",
                team::StartFrom::Head => "head",
            }
            .to_owned(),
            land_by_rule: brief.land_by_rule,
            class: brief.class.map(|it| it.name().to_owned()),
            budget: (!brief.budget.is_none()).then(|| brief.budget.to_string()),
        }
    }
}

impl BaseView {
    fn of(base: &team::Base) -> BaseView {
        BaseView {
            base: base.base.0.clone(),
            seen: base.seen.0.clone(),
            target: base.target.reference().to_owned(),
            says: base.says.clone(),
            left_out: base.left_out.clone(),
        }
    }
}

impl HandoffView {
    fn of(team: &Team, run: team::RunId, handoff: &Handoff) -> HandoffView {
        let role = team.run(run).map(|it| role_of(&it.work));
        let mut view = HandoffView {
            run: run.to_string(),
            role: role.unwrap_or_default().to_owned(),
            kind: String::new(),
            text: String::new(),
            verdict: None,
            head: None,
            points: Vec::new(),
            look_first: None,
        };
        let kind = match handoff {
            Handoff::Triaged { summary, criteria, .. } => {
                view.text.clone_from(summary);
                view.points.clone_from(criteria);
                "triaged"
            }
            Handoff::Changed { head, summary, look_first, risks } => {
                view.text.clone_from(summary);
                view.head = Some(head.0.clone());
                view.points.clone_from(risks);
                view.look_first = Some(look_first.clone());
                "changed"
            }
            Handoff::Validated { verdict, head, receipts, notes } => {
                view.text.clone_from(notes);
                view.head = Some(head.0.clone());
                view.points = receipts.iter().map(ToString::to_string).collect();
                view.verdict = Some(
                    match verdict {
                        team::Verdict::Pass => "pass",
                        team::Verdict::Fail => "fail",
                    }
                    .to_owned(),
                );
                "validated"
            }
            Handoff::Answered { text, citations } => {
                view.text.clone_from(text);
                view.points.clone_from(citations);
                "answered"
            }
            Handoff::Designed { plan } => {
                view.text.clone_from(&plan.approach);
                view.points.clone_from(&plan.paths);
                "designed"
            }
            Handoff::Announced { notes: Notes::Written { head, summary } } => {
                view.text.clone_from(summary);
                view.head = Some(head.0.clone());
                "announced"
            }
            Handoff::Announced { notes: Notes::Nothing { why } } => {
                view.text = format!("nothing to announce: {why}");
                "announced"
            }
            Handoff::Declined { why } => {
                view.text.clone_from(why);
                "declined"
            }
        };
        view.kind = kind.to_owned();
        view
    }
}

/// Who is at work, for people.
pub fn role_of(work: &Work) -> &'static str {
    match work {
        Work::Role { duty, .. } => Role::of(*duty).name(),
        Work::Checks { .. } => "checks",
        Work::Setup { .. } => "set-up",
    }
}

impl RunView {
    fn of(id: team::RunId, run: &team::Run) -> RunView {
        let (state, ended_at, failure) = match &run.state {
            RunState::Live => ("live", None, None),
            RunState::Ended { at } => ("ended", Some(*at), None),
            RunState::Asked { .. } => ("asked", None, None),
            RunState::Lost { failure } => ("lost", None, Some(failure.to_string())),
            RunState::Stopped => ("stopped", None, None),
        };
        RunView {
            id: id.to_string(),
            role: role_of(&run.work).to_owned(),
            state: state.to_owned(),
            failure,
            started_at: run.started_at,
            ended_at,
            deadline_at: run.deadline_at,
            cost: CostView::of(&run.spent),
            receipts: run.receipts.iter().map(ReceiptView::of).collect(),
        }
    }
}

impl ReceiptView {
    pub fn of(receipt: &team::Receipt) -> ReceiptView {
        let (ran, name) = match &receipt.ran {
            Ran::Check { name } => ("check", Some(name)),
            Ran::Repro { name } => ("repro", Some(name)),
            Ran::OwnCheck { name } => ("ownCheck", Some(name)),
            Ran::Rerun { name } => ("rerun", Some(name)),
            Ran::Setup => ("setup", None),
            Ran::Command => ("command", None),
        };
        let (exit, exit_code) = match receipt.exit {
            Exit::Code(code) => (format!("exit {code}"), Some(code)),
            Exit::Signal(signal) => (format!("signal {signal}"), None),
            Exit::TimedOut => ("timed out".to_owned(), None),
            Exit::Interrupted => ("interrupted".to_owned(), None),
        };
        ReceiptView {
            id: receipt.id.to_string(),
            ran: ran.to_owned(),
            name: name.cloned(),
            argv: receipt.argv.clone(),
            green: receipt.is_green(),
            exit,
            exit_code,
            duration_ms: receipt.duration_ms,
            commit: receipt.commit.as_ref().map(|it| it.0.clone()),
            tests: receipt.tests.as_ref().map(TestsView::of),
            sandboxed: receipt.sandbox != team::SandboxLevel::None,
            output_sha256: receipt.output.clone(),
            output_bytes: receipt.output_bytes,
            at: receipt.at,
        }
    }
}

impl TestsView {
    fn of(tests: &team::Tests) -> TestsView {
        let named = tests.named.iter().map(|(name, outcome)| {
            let outcome = match outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::Missing => "missing",
            };
            format!("{name}: {outcome}")
        });
        TestsView {
            passed: tests.passed,
            failed: tests.failed,
            ignored: tests.ignored,
            failing: tests.failing.clone(),
            named: named.collect(),
        }
    }
}

impl DecisionView {
    fn of(id: team::DecisionId, it: &team::Remembered) -> DecisionView {
        let decision = &it.decision;
        DecisionView {
            id: id.to_string(),
            by: by(&decision.by),
            what: decision.what.clone(),
            why: decision.why.clone(),
            forgotten: it.forgotten.is_some(),
        }
    }
}

/// Who decided, for people.
pub fn by(by: &team::By) -> String {
    match by {
        team::By::Person { door } => format!("person ({door})"),
        team::By::Rule => "rule".to_owned(),
        team::By::Role(role) => role.name().to_owned(),
        team::By::Deadline => "deadline".to_owned(),
    }
}

impl CostView {
    pub fn of(usage: &team::Usage) -> CostView {
        CostView {
            calls: usage.calls,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            micros: usage.micros,
        }
    }
}
