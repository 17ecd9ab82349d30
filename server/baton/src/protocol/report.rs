//! The digest, the measures and the memory of a repository; and what a client tells of a review.

use super::task::by;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use team::{
    CommitId, DecisionId, Millis, Rates, Remembered, StepRow, TaskId, TaskSteps, Team, TeamReport,
};

/// A person's review of a task was opened, is being worked on, or was closed: so their time with it
/// is measured. Of `working` at most one every 30 seconds, and only on real input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewedParams {
    pub repository: Option<String>,
    /// `T17`.
    pub task: String,
    /// The approval that is looked at, where there is one.
    pub approval: Option<String>,
    /// `opened`, `working` or `closed`.
    pub sign: String,
}

/// Asks for the digest and the measures of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportParams {
    pub repository: Option<String>,
    /// Only what ended or stopped since then counts; absent: everything.
    pub since_at: Option<u64>,
}

/// What the team was worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportView {
    pub repository: String,
    pub version: u64,
    pub since_at: Option<u64>,
    /// When it was made.
    pub at: u64,
    pub digest: DigestView,
    /// For people: what `delegated` counts, and what is not known.
    pub definition: String,
    /// Without documentation and chores, which would make it look better.
    pub all: RatesView,
    /// Each class that occurs.
    pub classes: Vec<RatesView>,
    /// The last tasks that ended, newest first, each with its steps.
    pub tasks: Vec<TaskStepsView>,
}

/// What happened, and what waits now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigestView {
    /// `3 shipped, 1 needs you`; empty where nothing happened and nothing waits.
    pub says: String,
    /// Landed, applied or answered since then.
    pub shipped: u32,
    /// Rejected, cancelled or taken back since then.
    pub ended: u32,
    pub needs_you: u32,
    pub parked: u32,
    pub working: u32,
    /// What needs a person, then what stopped, then what ended; newest first each.
    pub lines: Vec<DigestLineView>,
}

/// One task of a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigestLineView {
    /// `T17`.
    pub task: String,
    pub title: String,
    /// `needsYou`, `parked`, `shipped` or `ended`.
    pub column: String,
    /// What happens now, or how it ended, in words.
    pub step: String,
}

/// Sums over tasks that ended, or stopped for a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatesView {
    /// Absent: of several classes, or never triaged.
    pub class: Option<String>,
    /// All of them: what the others are parts of.
    pub tasks: u32,
    /// As `definition` says.
    pub delegated: u32,
    pub assisted: u32,
    /// Of the delegated ones, those that a person's rule approved.
    pub by_rule: u32,
    /// Of the delegated ones, those of the last seven days: they may yet be taken back.
    pub young: u32,
    /// Landed, applied or answered, and not taken back.
    pub shipped: u32,
    /// Tasks whose review a client told of. The person's time of others is not known.
    pub measured: u32,
    /// The median of those, in milliseconds.
    pub person_ms: Option<u64>,
    /// Median time that an approval waited for its answer, in milliseconds.
    pub waited_ms: Option<u64>,
    /// Micro-dollars of all of them, whatever became of them.
    pub micros: u64,
    /// The same, divided by what was shipped.
    pub micros_per_shipped: Option<u64>,
    /// Tasks with a model whose price is not known; they are in no sum of money.
    pub unpriced: u32,
    /// Builds beyond the first of a task.
    pub rebuilds: u32,
    /// How often a person sent the work back.
    pub sent_back: u32,
    /// Built, and then rejected, cancelled or taken back.
    pub false_starts: u32,
}

/// What happened to one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskStepsView {
    /// `T17`.
    pub task: String,
    pub title: String,
    pub class: Option<String>,
    pub ended_at: Option<u64>,
    /// The person's measured time, in milliseconds; absent: no client told of any.
    pub person_ms: Option<u64>,
    pub steps: Vec<StepRowView>,
}

/// One row of Step, Role, Action and My time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepRowView {
    /// `Delegate`, `Triage`, `Design`, `Build`, `Judge`, `Announce`, `Answer`, `Ask`, `Say`, `Decide`, `End`.
    pub step: String,
    /// `you`, `server`, or a role.
    pub role: String,
    pub action: String,
    /// Of the person's time, in milliseconds; absent: not measured.
    pub person_ms: Option<u64>,
}

/// A person's time with a task, and what they did about it after handing it in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    /// Measured, in milliseconds, without pauses of more than two minutes; absent: no client told of
    /// a review.
    pub ms: Option<u64>,
    /// How often a review was opened.
    pub views: u32,
    /// Approvals that they answered.
    pub approvals: u32,
    /// Questions that they answered.
    pub answers: u32,
    /// Texts that they said to whoever worked on it.
    pub words: u32,
    pub retries: u32,
    /// Of the approvals, those that sent it back.
    pub sent_back: u32,
}

/// Asks what the team remembers of a repository; with `forget`, first forgets something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryParams {
    pub repository: Option<String>,
    /// Only decisions of this task.
    pub task: Option<String>,
    /// Only decisions of tasks that point at this file or folder, plan it or change it; relative to
    /// the root of the repository.
    pub path: Option<String>,
    /// `D3` or `F1`: no role is told of it again.
    pub forget: Option<String>,
}

/// Decisions and facts. What was forgotten is not among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryView {
    pub repository: String,
    /// Newest first; at most 500.
    pub decisions: Vec<RememberedView>,
    /// Of the whole repository, whatever was asked for.
    pub facts: Vec<FactView>,
}

/// A decision with its task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RememberedView {
    /// `D3`.
    pub id: String,
    /// `T17`.
    pub task: String,
    /// `person (editor)`, `rule`, `deadline`, or a role.
    pub by: String,
    pub what: String,
    pub why: String,
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactView {
    /// `F1`; absent: it is seen anew with each task, there is nothing to forget.
    pub id: Option<String>,
    /// `flaky`: a test that is put aside; `check`: a command that the project is checked with.
    pub kind: String,
    pub what: String,
    /// The receipts that show it.
    pub receipts: Vec<String>,
    /// From then on it counts no more.
    pub until_at: Option<u64>,
}

/// A checkout of a task's result, made for a person to open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutResult {
    pub repository: String,
    /// `T17`.
    pub task: String,
    /// The folder, absolute. It is cleared away once newer ones were made; work in it is saved in
    /// Baton's own store before.
    pub path: String,
    pub commit: String,
    /// For people.
    pub says: String,
}

impl CheckoutResult {
    /// `repository`: its name on the wire.
    pub fn of(repository: &str, task: TaskId, commit: &CommitId, dir: &Path) -> CheckoutResult {
        CheckoutResult {
            repository: repository.to_owned(),
            task: task.to_string(),
            path: dir.display().to_string(),
            says: format!("{task} as of {}, for you to try", commit.short()),
            commit: commit.0.clone(),
        }
    }
}

/// Decisions in one answer.
const DECISIONS_MAX: usize = 500;

impl ReportView {
    /// `at`: now.
    pub fn of(repository: &str, team: &Team, at: Millis, since: Option<Millis>) -> ReportView {
        let TeamReport { digest, all, classes, tasks, .. } = team::report(team, at, since);
        let line = |it: &team::DigestLine| DigestLineView {
            task: it.task.to_string(),
            title: it.title.clone(),
            column: super::board::column(it.column).to_owned(),
            step: it.step.clone(),
        };
        let class = |(class, it): &(Option<team::Class>, Rates)| RatesView {
            class: class.map(|it| it.name().to_owned()),
            ..RatesView::of(it)
        };
        ReportView {
            repository: repository.to_owned(),
            version: team.version,
            since_at: since,
            at,
            digest: DigestView {
                lines: digest.lines.iter().map(line).collect(),
                says: digest.says,
                shipped: digest.shipped,
                ended: digest.ended,
                needs_you: digest.needs_you,
                parked: digest.parked,
                working: digest.working,
            },
            definition: team::DEFINITION.to_owned(),
            all: RatesView::of(&all),
            classes: classes.iter().map(class).collect(),
            tasks: tasks.iter().map(TaskStepsView::of).collect(),
        }
    }
}

impl RatesView {
    fn of(it: &Rates) -> RatesView {
        RatesView {
            class: None,
            tasks: it.tasks,
            delegated: it.delegated,
            assisted: it.assisted,
            by_rule: it.by_rule,
            young: it.young,
            shipped: it.shipped,
            measured: it.measured,
            person_ms: it.person_ms,
            waited_ms: it.waited_ms,
            micros: it.micros,
            micros_per_shipped: it.micros_per_shipped,
            unpriced: it.unpriced,
            rebuilds: it.rebuilds,
            sent_back: it.sent_back,
            false_starts: it.false_starts,
        }
    }
}

impl TaskStepsView {
    fn of(it: &TaskSteps) -> TaskStepsView {
        let row = |it: &StepRow| StepRowView {
            step: it.step.to_owned(),
            role: it.role.to_owned(),
            action: it.action.clone(),
            person_ms: it.person_ms,
        };
        TaskStepsView {
            task: it.task.to_string(),
            title: it.title.clone(),
            class: it.class.map(|it| it.name().to_owned()),
            ended_at: it.ended_at,
            person_ms: it.person_ms,
            steps: it.rows.iter().map(row).collect(),
        }
    }
}

impl PersonView {
    pub fn of(team: &Team, task: &team::Task) -> PersonView {
        let touched = team::touches(team, task);
        PersonView {
            ms: (0 < task.viewing.views).then_some(task.viewing.ms),
            views: task.viewing.views,
            approvals: touched.approvals,
            answers: touched.answers,
            words: touched.words,
            retries: touched.retries,
            sent_back: touched.sent_back,
        }
    }
}

impl MemoryView {
    /// `at`: now. Of one task, or of tasks about one path.
    pub fn of(
        repository: &str,
        team: &Team,
        at: Millis,
        task: Option<team::TaskId>,
        path: Option<&str>,
    ) -> MemoryView {
        let decisions = team.recalled(task, path).take(DECISIONS_MAX);
        MemoryView {
            repository: repository.to_owned(),
            decisions: decisions.map(|(id, it)| RememberedView::of(id, it)).collect(),
            facts: flaky(team, at).chain(checks(team)).collect(),
        }
    }
}

impl RememberedView {
    fn of(id: DecisionId, it: &Remembered) -> RememberedView {
        RememberedView {
            id: id.to_string(),
            task: it.task.to_string(),
            by: by(&it.decision.by),
            what: it.decision.what.clone(),
            why: it.decision.why.clone(),
        }
    }
}

fn flaky(team: &Team, at: Millis) -> impl Iterator<Item = FactView> {
    let open = team.quarantine.iter().rev().filter(move |it| at < it.until);
    open.map(|it| FactView {
        id: Some(it.id.to_string()),
        kind: "flaky".to_owned(),
        what: format!("{} of `{}` failed and passed on the same files", it.test, it.check),
        receipts: it.receipts.iter().map(ToString::to_string).collect(),
        until_at: Some(it.until),
    })
}

/// The checks of the last task that has any, each with the last receipt of it.
fn checks(team: &Team) -> impl Iterator<Item = FactView> {
    let last = team.tasks.iter().rev().find(|it| !it.1.checks.is_empty());
    let of_task = move |id| team.runs_of(id).rev().map(|it| it.1);
    last.into_iter().flat_map(|it| it.1.checks.iter().map(move |spec| (*it.0, spec))).map(
        move |(id, spec)| {
            let mut seen = of_task(id).flat_map(|it| it.receipts.iter().rev());
            let last =
                seen.find(|it| matches!(&it.ran, team::Ran::Check { name } if *name == spec.name));
            let how = last.map(|it| if it.is_green() { "green" } else { "red" });
            let how = how.map(|it| format!(", last {it}")).unwrap_or_default();
            FactView {
                id: None,
                kind: "check".to_owned(),
                what: format!("`{}` is {}{how}", spec.name, spec.argv.join(" ")),
                receipts: last.map(|it| it.id.to_string()).into_iter().collect(),
                until_at: None,
            }
        },
    )
}
