//! The board: what a person sees now, and what waits for a decision.

use super::moment::answer_name;
use super::plan::PlanView;
use super::task::{CostView, StateName, by};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use team::{ApprovalId, ApprovalState, Board, QuestionId, Subject, Team};

/// What is true now in one repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoardView {
    pub repository: String,
    /// Grows with every event; two boards of one version are equal.
    pub version: u64,
    /// Newest first: all that have not ended, and the hundred that ended last.
    pub tasks: Vec<TaskLineView>,
    /// How many ended before those; `baton/task` and `baton/report` know them.
    #[serde(default)]
    pub more: u64,
    /// Those that wait, oldest first.
    pub approvals: Vec<ApprovalView>,
    pub questions: Vec<QuestionView>,
    pub spent: CostView,
}

/// One task in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskLineView {
    /// `T17`.
    pub id: String,
    pub title: String,
    pub class: Option<String>,
    /// `needsYou`, `working`, `parked`, `shipped` or `ended`.
    pub column: String,
    pub state: StateName,
    /// What happens now, in words.
    pub step: String,
    /// Who is at work.
    pub role: Option<String>,
    pub run: Option<String>,
    /// Of a task at work, once five of its class have ended: `about 4 min, $0.30; 7 of your last 9 bugs
    /// landed`.
    pub expects: Option<String>,
    pub spent: CostView,
    pub delegated_at: u64,
    pub ended_at: Option<u64>,
}

/// One approval: what it is about, the evidence, and how it may be answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    pub repository: String,
    /// `A3`.
    pub id: String,
    pub task: String,
    pub title: String,
    /// `landing`, `edits`, `commands`, `setup`, `plan`, or `stage`: whether to go on.
    pub subject: String,
    /// The evidence in one line.
    pub proof: String,
    /// Send it back with the answer: it is refused if the change is no longer this one. Absent
    /// where the approval's id alone names what is approved.
    pub revision: Option<String>,
    pub files: Vec<FileLineView>,
    pub added: u32,
    pub removed: u32,
    /// Receipts of the required checks.
    pub receipts: Vec<String>,
    /// Paths that need a tick of their own in the answer.
    pub ticks: Vec<String>,
    /// How many hunks an answer can choose among; 0 where it is for the whole.
    pub hunks: u32,
    /// Why it can't land on the branch; or the exact commands; or why a person is asked.
    pub why: Vec<String>,
    /// What is to be built, of a plan. Approving it lands nothing.
    pub plan: Option<PlanView>,
    pub notes: Vec<String>,
    /// What may be answered: `approve`, `apply`, `revise`, `rebuild`, `reject`. Empty once it is
    /// answered or void.
    pub answers: Vec<String>,
    /// `open`, `answered` or `void`.
    pub state: String,
    /// For people: who answered what, or why it is void.
    pub outcome: Option<String>,
    pub asked_at: u64,
    /// How long a person was measured to look at it, in milliseconds.
    pub viewed_ms: u64,
}

/// A changed file in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileLineView {
    /// Relative to the root of the repository.
    pub path: String,
    /// `added`, `deleted` or `modified`.
    pub kind: String,
    pub added: u32,
    pub removed: u32,
}

/// A question to the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuestionView {
    pub repository: String,
    /// `Q2`.
    pub id: String,
    pub task: String,
    pub text: String,
    pub options: Vec<String>,
    /// Index into `options`.
    pub default: u32,
    /// At the deadline the default is taken; else the task is parked.
    pub proceed: bool,
    /// What it costs to be wrong.
    pub stakes: String,
    pub deadline_at: u64,
    /// The answer, once there is one.
    pub answer: Option<String>,
}

impl BoardView {
    pub fn of(repository: &str, team: &Team) -> BoardView {
        BoardView::from_board(repository, team, &team::board(team))
    }

    /// The same, where the board was computed already.
    pub fn from_board(repository: &str, team: &Team, board: &Board) -> BoardView {
        let tasks = board.tasks.iter();
        let approvals = board.approvals.iter();
        let questions = board.questions.iter();
        BoardView {
            repository: repository.to_owned(),
            version: board.version,
            tasks: tasks.filter_map(|it| TaskLineView::of(team, it)).collect(),
            approvals: approvals
                .filter_map(|it| ApprovalView::of(repository, team, it.approval))
                .collect(),
            questions: questions
                .filter_map(|it| QuestionView::of(repository, team, it.question))
                .collect(),
            more: u64::try_from(board.more).unwrap_or(u64::MAX),
            spent: CostView::of(&board.spent),
        }
    }
}

impl TaskLineView {
    fn of(team: &Team, line: &team::TaskLine) -> Option<TaskLineView> {
        Some(TaskLineView {
            id: line.task.to_string(),
            title: line.title.clone(),
            class: line.class.map(|it| it.name().to_owned()),
            column: column(line.column).to_owned(),
            state: StateName::of(&team.task(line.task)?.state),
            step: line.step.clone(),
            role: line.role.map(|it| it.name().to_owned()),
            run: line.run.map(|it| it.to_string()),
            expects: line.expects.clone(),
            spent: CostView::of(&line.spent),
            delegated_at: line.delegated_at,
            ended_at: line.ended_at,
        })
    }
}

pub(super) fn column(column: team::Column) -> &'static str {
    match column {
        team::Column::NeedsYou => "needsYou",
        team::Column::Working => "working",
        team::Column::Parked => "parked",
        team::Column::Shipped => "shipped",
        team::Column::Ended => "ended",
    }
}

impl FileLineView {
    pub fn of(file: &team::FileChange) -> FileLineView {
        FileLineView {
            path: file.path.clone(),
            kind: match file.kind {
                team::FileKind::Added => "added",
                team::FileKind::Deleted => "deleted",
                team::FileKind::Modified => "modified",
            }
            .to_owned(),
            added: file.added,
            removed: file.removed,
        }
    }
}

impl ApprovalView {
    /// `None`: there is no such approval.
    pub fn of(repository: &str, team: &Team, id: ApprovalId) -> Option<ApprovalView> {
        let approval = team.approvals.get(&id)?;
        let line = team::approval_line(team, id)?;
        let (added, removed) = team::lines(&line.files);
        let subject = match approval.subject {
            Subject::Landing { .. } => "landing",
            Subject::Edits { .. } => "edits",
            Subject::Commands { .. } => "commands",
            Subject::Plan { .. } => "plan",
            Subject::Stage { .. } => "stage",
            Subject::Setup { .. } => "setup",
        };
        let (state, outcome) = match &approval.state {
            ApprovalState::Open => ("open", None),
            ApprovalState::Answered { answer, by: who, .. } => {
                let outcome = format!("{} by {}", answer_name(answer), by(who));
                ("answered", Some(outcome))
            }
            ApprovalState::Void { why } => ("void", Some(why.clone())),
        };
        let answers = line.answers.iter().filter(|_| state == "open");
        Some(ApprovalView {
            repository: repository.to_owned(),
            id: id.to_string(),
            task: line.task.to_string(),
            title: line.title,
            subject: subject.to_owned(),
            proof: line.proof,
            revision: line.change.map(|it| it.0),
            files: line.files.iter().map(FileLineView::of).collect(),
            added,
            removed,
            receipts: line.receipts.iter().map(ToString::to_string).collect(),
            ticks: line.ticks,
            hunks: u32::try_from(team::count(&line.hunks)).unwrap_or(u32::MAX),
            why: line.why,
            plan: line.plan.as_ref().map(PlanView::of),
            notes: line.notes,
            answers: answers.map(|it| (*it).to_owned()).collect(),
            state: state.to_owned(),
            outcome,
            asked_at: line.asked_at,
            viewed_ms: approval.viewed_ms,
        })
    }
}

impl QuestionView {
    /// `None`: there is no such question.
    pub fn of(repository: &str, team: &Team, id: QuestionId) -> Option<QuestionView> {
        let asked = team.questions.get(&id)?;
        Some(QuestionView {
            repository: repository.to_owned(),
            id: id.to_string(),
            task: asked.task.to_string(),
            text: asked.ask.text.clone(),
            options: asked.ask.options.clone(),
            default: asked.ask.default,
            proceed: asked.ask.proceed,
            stakes: asked.ask.stakes.clone(),
            deadline_at: asked.ask.deadline_at,
            answer: asked.answer.as_ref().map(|(text, _)| text.clone()),
        })
    }
}
