//! One event of the log as one line for a person, or as one JSON object for a program. Pure: it
//! reads events in order and remembers only which run and approval belong to which task.

use super::screen::{Shade, cut, safe};
use crate::protocol::exit_text;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use team::{
    Answer, ApprovalId, By, Candidate, Event, Facts, Handoff, Millis, Notes, Parked, Ran, Receipt,
    ReceiptId, Role, RunId, SandboxLevel, Subject, TaskId, Team, Verdict, Why, Work, lines,
};

/// Widest text of a line, in characters.
const TEXT_CHARS_MAX: usize = 160;

/// What happened, said in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Position in the log, from 1.
    pub version: u64,
    /// Unix time in milliseconds.
    pub at: Millis,
    /// What kind of event, e.g. `taskLanded`.
    pub event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Who did it: `You`, `Baton` or a role.
    pub who: &'static str,
    pub text: String,
    /// Of interest to a program only.
    #[serde(skip)]
    pub quiet: bool,
    #[serde(skip)]
    pub shade: Shade,
}

/// What has to be remembered from earlier events to name things.
#[derive(Clone, Debug, Default)]
pub struct Narrator {
    runs: BTreeMap<RunId, (TaskId, Work)>,
    approvals: BTreeMap<ApprovalId, TaskId>,
    questions: BTreeMap<team::QuestionId, RunId>,
    targets: BTreeMap<TaskId, String>,
    candidates: BTreeMap<TaskId, String>,
    /// Approvals of some hunks only.
    parts: BTreeSet<ApprovalId>,
}

/// The part of a line that an event decides.
struct Said {
    event: &'static str,
    who: &'static str,
    text: String,
    shade: Shade,
    quiet: bool,
}

fn said(event: &'static str, who: &'static str, text: impl Into<String>) -> Said {
    Said { event, who, text: text.into(), shade: Shade::Plain, quiet: false }
}

impl Said {
    fn shade(mut self, shade: Shade) -> Said {
        self.shade = shade;
        self
    }

    fn quiet(mut self) -> Said {
        self.quiet = true;
        self
    }
}

const YOU: &str = "You";
const BATON: &str = "Baton";

impl Narrator {
    /// The line for this event, which comes right after those told before.
    pub fn tell(&mut self, version: u64, at: Millis, event: &Event) -> Line {
        self.remember(event);
        let said = self.say(event);
        let (task, run, approval) = self.ids(event);
        Line {
            version,
            at,
            event: said.event,
            task: task.map(|it| it.to_string()),
            run: run.map(|it| it.to_string()),
            approval: approval.map(|it| it.to_string()),
            who: said.who,
            text: safe(&said.text),
            quiet: said.quiet,
            shade: said.shade,
        }
    }

    /// A narrator who knows what goes on, and tells what comes.
    pub fn of(team: &Team) -> Narrator {
        let mut res = Narrator::default();
        team.open_tasks().for_each(|it| res.know(team, it.0));
        res
    }

    /// Whatever comes of this task can be told, even if it has ended.
    pub fn know(&mut self, team: &Team, task: TaskId) {
        let Some(it) = team.task(task) else { return };
        for (run, it) in team.runs_of(task) {
            self.runs.insert(run, (task, it.work.clone()));
        }
        self.approvals.extend(it.approvals.iter().map(|it| (*it, task)));
        let asked = it.asked.iter().filter_map(|id| Some((*id, team.questions.get(id)?.run)));
        self.questions.extend(asked);
        if let Some(base) = &it.base {
            self.targets.insert(task, branch_name(base.target.reference()));
        }
        if let Some(candidate) = &it.candidate {
            self.candidates.insert(task, candidate.commit.short().to_owned());
        }
    }

    /// The role that does this run; `None` for a round of checks.
    pub fn role_of(&self, run: RunId) -> Option<Role> {
        match &self.runs.get(&run)?.1 {
            Work::Role { duty, .. } => Some(Role::of(*duty)),
            Work::Checks { .. } | Work::Setup { .. } => None,
        }
    }

    fn who(&self, run: RunId) -> &'static str {
        self.role_of(run).map_or(BATON, Role::name)
    }

    fn remember(&mut self, event: &Event) {
        if let Event::RunStarted { run, task, work, .. } = event {
            self.runs.insert(*run, (*task, work.clone()));
        }
        if let Event::ApprovalAsked { approval, task, .. } = event {
            self.approvals.insert(*approval, *task);
        }
        if let Event::QuestionAsked { run, question, .. } = event {
            self.questions.insert(*question, *run);
        }
        if let Event::TaskSnapshotted { task, base, .. } = event {
            self.targets.insert(*task, branch_name(base.target.reference()));
        }
        if let Event::CandidateBuilt { task, candidate } = event {
            self.candidates.insert(*task, candidate.commit.short().to_owned());
        }
        if let Event::PartMade { approval, .. } = event {
            self.parts.insert(*approval);
        }
        if let Event::ApprovalRebased { approval, candidate, .. } = event
            && let Some(task) = self.approvals.get(approval)
        {
            self.candidates.insert(*task, candidate.commit.short().to_owned());
        }
    }

    fn ids(&self, event: &Event) -> (Option<TaskId>, Option<RunId>, Option<ApprovalId>) {
        match event {
            Event::TaskDelegated { task, .. }
            | Event::TaskSnapshotted { task, .. }
            | Event::TaskClassified { task, .. }
            | Event::CandidateWanted { task, .. }
            | Event::CandidateBuilt { task, .. }
            | Event::CandidateConflicted { task, .. }
            | Event::LandingPlanned { task, .. }
            | Event::TipMoved { task, .. }
            | Event::TaskLanded { task, .. }
            | Event::TaskApplied { task, .. }
            | Event::LandingRefused { task, .. }
            | Event::TaskAnswered { task, .. }
            | Event::TaskRejected { task, .. }
            | Event::TaskCancelled { task, .. }
            | Event::TaskParked { task, .. }
            | Event::TaskRetried { task }
            | Event::UndoStarted { task }
            | Event::UndoRefused { task, .. }
            | Event::PersonSaid { task, .. }
            | Event::TaskViewed { task, .. }
            | Event::TaskUndone { task, .. }
            | Event::TestsQuarantined { task, .. }
            | Event::DecisionRecorded { task, .. } => (Some(*task), None, None),
            Event::RunStarted { run, .. }
            | Event::RunSpent { run, .. }
            | Event::BudgetWarned { run, .. }
            | Event::ReceiptRecorded { run, .. }
            | Event::ReproRecorded { run, .. }
            | Event::RunHandedOver { run, .. }
            | Event::QuestionAsked { run, .. }
            | Event::RunLost { run, .. }
            | Event::WordsHeard { run, .. }
            | Event::RunChecked { run, .. } => {
                (self.runs.get(run).map(|it| it.0), Some(*run), None)
            }
            Event::MemoForgotten { .. } => (None, None, None),
            Event::QuestionAnswered { question, .. } => {
                let run = self.questions.get(question).copied();
                (run.and_then(|it| self.runs.get(&it)).map(|it| it.0), run, None)
            }
            Event::ApprovalAsked { approval, task, .. } => (Some(*task), None, Some(*approval)),
            Event::PartMade { approval, .. }
            | Event::PartRefused { approval, .. }
            | Event::ApprovalRebased { approval, .. }
            | Event::ApprovalAnswered { approval, .. }
            | Event::ApprovalVoided { approval, .. } => {
                (self.approvals.get(approval).copied(), None, Some(*approval))
            }
        }
    }

    #[rustfmt::skip]
    fn say(&self, event: &Event) -> Said {
        match event {
            Event::TaskDelegated { task, brief, .. } => said("taskDelegated", YOU, format!("delegated {task}: {}", cut(&brief.text, TEXT_CHARS_MAX))).shade(Shade::Strong),
            Event::TaskSnapshotted { base, checks, .. } => {
                let checks: Vec<_> = checks.iter().map(|it| format!("{} ({})", it.name, it.argv.join(" "))).collect();
                let checks = if checks.is_empty() { "none found".to_owned() } else { checks.join(", ") };
                said("taskSnapshotted", BATON, format!("starts from {}; checks: {checks}", base.says))
            }
            Event::TaskClassified { class, by, why, .. } => said("taskClassified", by_name(by), format!("{}: {why}", class.name())),
            Event::RunStarted { run, work, .. } => self.started(*run, work),
            Event::RunSpent { run, usage, .. } => said("runSpent", self.who(*run), format!("{} tokens", usage.tokens())).quiet(),
            Event::BudgetWarned { run, text } => said("budgetWarned", self.who(*run), text).shade(Shade::Warn),
            Event::ReceiptRecorded { run, receipt } => received(self.who(*run), receipt),
            Event::ReproRecorded { repro, .. } => said("reproRecorded", BATON, repro_text(repro)).shade(Shade::Name),
            Event::RunHandedOver { run, handoff, facts, .. } => handed_over(self.who(*run), handoff, facts.as_ref()),
            Event::QuestionAsked { run, question, ask, .. } => said("questionAsked", self.who(*run), format!("asks {question}: {}", ask.text)).shade(Shade::Warn),
            Event::QuestionAnswered { question, text, by, .. } => said("questionAnswered", by_name(by), format!("answered {question}: {text}")),
            Event::PersonSaid { task, text, by, .. } => said("personSaid", by_name(by), format!("said about {task}: {}", cut(text, TEXT_CHARS_MAX))).shade(Shade::Strong),
            Event::WordsHeard { run, .. } => said("wordsHeard", self.who(*run), "was told what you said").shade(Shade::Quiet),
            Event::RunLost { run, failure, .. } => said("runLost", self.who(*run), format!("failed to go on: {failure}")).shade(Shade::Bad),
            Event::RunChecked { .. } => said("runChecked", BATON, "the checks ended").quiet(),
            Event::CandidateWanted { .. } => said("candidateWanted", BATON, "builds the candidate").quiet(),
            Event::CandidateBuilt { candidate, .. } => said("candidateBuilt", BATON, format!("built the candidate {}: {}", candidate.commit.short(), size(candidate))),
            Event::CandidateConflicted { paths, .. } => said("candidateConflicted", BATON, format!("the change depends on text that is not committed: {}", paths.join(", "))).shade(Shade::Warn),
            Event::ApprovalRebased { approval, candidate, .. } if self.parts.contains(approval) => said("approvalRebased", BATON, format!("{approval} holds for exactly those hunks: they are green by themselves, as {}", candidate.commit.short())),
            Event::ApprovalRebased { approval, candidate, .. } => said("approvalRebased", BATON, format!("{approval} still holds: the same change is green on the moved branch, as {}", candidate.commit.short())),
            Event::PartMade { head, .. } => said("partMade", BATON, format!("took those hunks by themselves, at {}", head.short())),
            Event::PartRefused { approval, why } => said("partRefused", BATON, format!("{approval}: {why}")).shade(Shade::Warn),
            Event::ApprovalAsked { approval, subject, .. } => said("approvalAsked", BATON, format!("{approval} waits for you: {}", subject_text(subject))).shade(Shade::Warn),
            Event::ApprovalAnswered { approval, answer, by, .. } => said("approvalAnswered", by_name(by), format!("{} {approval}{}", answer_text(answer), door(by))).shade(Shade::Strong),
            Event::ApprovalVoided { approval, why } => said("approvalVoided", BATON, format!("{approval} no longer holds: {why}")).shade(Shade::Warn),
            Event::TipMoved { .. } => said("tipMoved", BATON, "your branch moved meanwhile; the same change is built and checked on its new tip"),
            Event::LandingPlanned { plan, .. } => said("landingPlanned", BATON, format!("lands {} path{}", plan.len(), if plan.len() == 1 { "" } else { "s" })).quiet(),
            Event::TaskLanded { task, .. } => said("taskLanded", BATON, format!("landed {task}{}", self.landed_where(*task))).shade(Shade::Good),
            Event::TaskApplied { task, .. } => said("taskApplied", BATON, format!("put {task} into your files; nothing was committed")).shade(Shade::Good),
            Event::LandingRefused { why, .. } => said("landingRefused", BATON, format!("did not land: {why}")).shade(Shade::Bad),
            Event::TaskAnswered { task, .. } => said("taskAnswered", BATON, format!("{task} is answered")).shade(Shade::Good),
            Event::TaskRejected { task, why, .. } => said("taskRejected", YOU, format!("rejected {task}{}", reason(why))),
            Event::TaskCancelled { task, .. } => said("taskCancelled", YOU, format!("cancelled {task}")),
            Event::TaskParked { task, why, .. } => said("taskParked", BATON, format!("parked {task}: {}", parked_text(why))).shade(Shade::Warn),
            Event::TaskRetried { task } => said("taskRetried", YOU, format!("go on with {task}")),
            Event::UndoStarted { task } => said("undoStarted", YOU, format!("take {task} back")),
            Event::UndoRefused { why, .. } => said("undoRefused", BATON, format!("did not take it back: {why}")).shade(Shade::Bad),
            Event::TaskUndone { task, how, .. } => said("taskUndone", BATON, format!("took {task} back: {how}")).shade(Shade::Good),
            Event::TaskViewed { task, sign, by, .. } => said("taskViewed", by_name(by), format!("{} {task}", sign_text(*sign))).quiet(),
            Event::MemoForgotten { memo, by, .. } => said("memoForgotten", by_name(by), format!("said to forget {memo}")).shade(Shade::Strong),
            Event::TestsQuarantined { tests, receipts, until, .. } => said("testsQuarantined", BATON, flaky_text(tests, receipts, *until)).shade(Shade::Warn),
            Event::DecisionRecorded { decision, .. } => said("decisionRecorded", by_name(&decision.by), format!("decided: {}{}", decision.what, reason(&decision.why))),
        }
    }

    fn started(&self, run: RunId, work: &Work) -> Said {
        match work {
            Work::Role { .. } => {
                said("runStarted", self.who(run), format!("starts ({run})")).shade(Shade::Quiet)
            }
            Work::Checks { commit, why, unconfined } => {
                let bare = if *unconfined { ", unconfined as you approved" } else { "" };
                let text = format!(
                    "runs the checks on {} {}{bare} ({run})",
                    why_text(*why),
                    commit.short()
                );
                said("runStarted", BATON, text).shade(Shade::Quiet)
            }
            Work::Setup { setup, .. } => {
                let command = cut(&setup.argv.join(" "), TEXT_CHARS_MAX);
                let text =
                    format!("runs the set-up with a network, as you approved: {command} ({run})");
                said("runStarted", BATON, text)
            }
        }
    }

    fn landed_where(&self, task: TaskId) -> String {
        match (self.targets.get(&task), self.candidates.get(&task)) {
            (Some(branch), Some(commit)) => format!(" on {branch} as {commit}"),
            (Some(branch), None) => format!(" on {branch}"),
            (None, Some(_) | None) => String::new(),
        }
    }
}

fn flaky_text(tests: &[String], receipts: &[ReceiptId], until: Millis) -> String {
    let runs: Vec<String> = receipts.iter().map(|it| it.to_string()).collect();
    format!(
        "flaky: {} failed and passed on the same files ({}); not counted until {}",
        tests.join(", "),
        runs.join(", "),
        team::date(until)
    )
}

fn sign_text(sign: team::Sign) -> &'static str {
    match sign {
        team::Sign::Opened => "looks at",
        team::Sign::Working => "works on",
        team::Sign::Closed => "leaves",
    }
}

/// `main` for `refs/heads/main`.
fn branch_name(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}

/// Why a round of checks runs, before the short hash of the commit.
pub fn why_text(why: Why) -> &'static str {
    match why {
        Why::Baseline => "the start",
        Why::Gate => "the Engineer's commit",
        Why::Candidate => "the candidate",
    }
}

fn received(who: &'static str, receipt: &Receipt) -> Said {
    let mut text = format!("{} {}", receipt.id, receipt_text(receipt));
    let green = receipt.is_green();
    if receipt.ran == Ran::Setup && !green {
        text.push_str(&format!("; baton explain {} shows what it printed", receipt.id));
    }
    let said = said("receiptRecorded", who, text);
    match receipt.ran {
        Ran::Check { .. } if green => said.shade(Shade::Good),
        // A repro is there to fail.
        Ran::Repro { .. } => said,
        Ran::Check { .. } => said.shade(Shade::Bad),
        Ran::Setup | Ran::Rerun { .. } => said,
        Ran::OwnCheck { .. } | Ran::Command => said.shade(Shade::Quiet),
    }
}

/// A receipt without its id: `cargo test: exit 0, 12 passed, 0 failed, 3.4 s`.
pub fn receipt_text(receipt: &Receipt) -> String {
    let mut text = format!("{}: {}", cut(&receipt.argv.join(" "), 60), exit_text(receipt.exit));
    if let Some(tests) = &receipt.tests {
        text.push_str(&format!(", {} passed, {} failed", tests.passed, tests.failed));
        if !tests.failing.is_empty() {
            let names: Vec<_> = tests.failing.iter().take(3).map(String::as_str).collect();
            text.push_str(&format!(
                " ({}{})",
                names.join(", "),
                if 3 < tests.failing.len() { ", ..." } else { "" }
            ));
        }
    }
    text.push_str(&format!(
        ", {}.{} s",
        receipt.duration_ms / 1000,
        receipt.duration_ms % 1000 / 100
    ));
    match receipt.sandbox {
        SandboxLevel::Full => {}
        SandboxLevel::Reduced => text.push_str(", reduced sandbox"),
        SandboxLevel::None => text.push_str(", no sandbox"),
    }
    text
}

fn repro_text(repro: &team::Repro) -> String {
    let weak = if repro.strong { "" } else { " (weak: it did not build there)" };
    format!(
        "saw the bug: {} fails on {}{weak}, {}",
        repro.tests.join(", "),
        repro.commit.short(),
        repro.receipt
    )
}

fn handed_over(who: &'static str, handoff: &Handoff, facts: Option<&Facts>) -> Said {
    match handoff {
        Handoff::Triaged { class, severity, summary, .. } => {
            let severity = match severity {
                team::Severity::Low => "low",
                team::Severity::Medium => "medium",
                team::Severity::High => "high",
            };
            said("runHandedOver", who, format!("{}, {severity}: {summary}", class.name()))
        }
        Handoff::Changed { head, summary, .. } => {
            let size = files_of(facts).map(files_text).unwrap_or_default();
            said("runHandedOver", who, format!("hands over {}: {summary} {size}", head.short()))
        }
        Handoff::Validated { verdict, head, receipts, notes } => {
            let cited: Vec<_> = receipts.iter().map(ToString::to_string).collect();
            let (verb, shade) = match verdict {
                Verdict::Pass => ("passes", Shade::Good),
                Verdict::Fail => ("fails", Shade::Bad),
            };
            said(
                "runHandedOver",
                who,
                format!("{verb} {}, by {}: {notes}", head.short(), cited.join(", ")),
            )
            .shade(shade)
        }
        Handoff::Designed { plan } => {
            let (n, approach) = (plan.paths.len(), &plan.approach);
            let s = if n == 1 { "" } else { "s" };
            said("runHandedOver", who, format!("plans ({n} path{s}): {approach}"))
        }
        Handoff::Announced { notes: Notes::Written { head, summary } } => {
            let size = files_of(facts).map(files_text).unwrap_or_default();
            let text = format!("writes the notes {}: {summary} {size}", head.short());
            said("runHandedOver", who, text)
        }
        Handoff::Announced { notes: Notes::Nothing { why } } => {
            said("runHandedOver", who, format!("has nothing to announce: {why}"))
        }
        Handoff::Answered { text, .. } => said("runHandedOver", who, format!("answers: {text}")),
        Handoff::Declined { why } => {
            said("runHandedOver", who, format!("can't go on: {why}")).shade(Shade::Warn)
        }
    }
}

/// The files of what was handed over: of notes, Marketing's own.
pub fn files_of(facts: Option<&Facts>) -> Option<&[team::FileChange]> {
    match facts? {
        Facts::Change(it) => Some(&it.files),
        Facts::Notes(it) => Some(&it.files),
        Facts::Plan(_) | Facts::Citations { .. } => None,
    }
}

fn files_text(files: &[team::FileChange]) -> String {
    let (added, removed) = lines(files);
    format!(
        "(+{added} -{removed} in {} file{})",
        files.len(),
        if files.len() == 1 { "" } else { "s" }
    )
}

fn size(candidate: &Candidate) -> String {
    let text = files_text(&candidate.files);
    text.trim_matches(['(', ')']).to_owned()
}

/// What an approval is about, in a few words.
pub fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Landing { candidate, .. } => {
            format!("land {}, {}", candidate.commit.short(), size(candidate))
        }
        Subject::Edits { why, .. } => format!("apply as edits, since it can't land: {why}"),
        Subject::Commands { commit, checks, .. } => {
            let names: Vec<_> =
                checks.iter().map(|it| format!("`{}`", it.argv.join(" "))).collect();
            format!(
                "there is no sandbox; run {} on {} unconfined",
                names.join(", "),
                commit.short()
            )
        }
        Subject::Plan { plan, why, .. } => {
            let first = plan.approach.lines().next().unwrap_or_default();
            format!("the plan \"{first}\" ({})", why.join("; "))
        }
        Subject::Stage { before } => format!("go on with {}", before.name()),
        Subject::Setup { setup, .. } => format!(
            "{}; run `{}` with a network, in the sandbox, on {}",
            setup.why,
            setup.argv.join(" "),
            setup.commit.short()
        ),
    }
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Approve { ticked } if ticked.is_empty() => "approved".to_owned(),
        Answer::Approve { ticked } => format!("approved (with a tick for {})", ticked.join(", ")),
        Answer::ApproveSome { hunks, .. } => {
            let (n, paths) = (team::count(hunks), hunks.iter().map(|it| it.path.as_str()));
            let paths = paths.collect::<Vec<_>>().join(", ");
            format!("approved {n} hunk{} ({paths}) of", if n == 1 { "" } else { "s" })
        }
        Answer::Apply => "chose to apply as edits".to_owned(),
        Answer::Revise { text, comments } => match comments.len() {
            0 => format!("sent back ({})", cut(text, 80)),
            n => format!("sent back with {n} comments on lines ({})", cut(text, 80)),
        },
        Answer::Rebuild => "asked for a new candidate for".to_owned(),
        Answer::Reject { .. } => "rejected".to_owned(),
    }
}

fn by_name(by: &By) -> &'static str {
    match by {
        By::Person { .. } => YOU,
        By::Rule | By::Deadline => BATON,
        By::Role(role) => role.name(),
    }
}

fn door(by: &By) -> String {
    match by {
        By::Person { door } => format!(", in the {door}"),
        By::Rule => ", by the rule you set".to_owned(),
        By::Role(_) => String::new(),
        By::Deadline => ", by its deadline".to_owned(),
    }
}

fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

/// Why a task is parked, in words.
pub fn parked_text(why: &Parked) -> String {
    match why {
        Parked::Failed(failure) => failure.to_string(),
        Parked::NeedsPerson(text) => text.clone(),
        Parked::Stopped => "you stopped it".to_owned(),
    }
}
