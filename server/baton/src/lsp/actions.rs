//! Code actions: the whole of Baton for an editor without a plugin. Delegate what is selected or
//! what is wrong on this line, and decide what waits.

use super::types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionTriggerKind,
    Command, Diagnostic,
};
use super::{Door, commands, places, plain, selection};
use crate::protocol::{
    AnswerApprovalParams, AnswerQuestionParams, DelegateParams, DocumentNamed, PositionAt, Problem,
    RangeIn,
};
use serde_json::{Value, json};
use team::{ApprovalLine, Board, Candidate, Plan, QuestionLine, Subject, TaskId, Team};

mod back;

pub const DELEGATE_KIND: &str = "baton.delegate";
/// Never `quickfix`, `source.*` or preferred: nothing may run a decision by itself.
pub const DECIDE_KIND: &str = "baton.decide";

/// What waits is listed up to here; the rest waits on the board.
const DECISIONS_MAX: usize = 3;
const TITLE_CHARS_MAX: usize = 110;

/// One entry of the menu, before it is put into the client's form.
struct Entry {
    title: String,
    kind: &'static str,
    command: &'static str,
    argument: Value,
    diagnostics: Vec<Diagnostic>,
}

impl Door {
    /// What is offered here. Reads what is known now and waits for nothing.
    pub fn actions(&self, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
        let only = params.context.only.as_deref();
        let by_hand = params.context.trigger_kind != Some(CodeActionTriggerKind::AUTOMATIC);
        let mut entries = self.delegations(params, by_hand);
        // Asked by the editor itself at every step of the cursor: a menu is shown only where
        // there is something at this place.
        if by_hand || !entries.is_empty() {
            entries.extend(self.decisions(params, by_hand));
        }
        entries.retain(|it| is_wanted(it.kind, only));
        let literals = self.wishes().literals;
        entries.into_iter().map(|it| it.in_form(literals)).collect()
    }

    fn delegations(&self, params: &CodeActionParams, by_hand: bool) -> Vec<Entry> {
        let documents = self.documents.borrow();
        let Some(document) = documents.get(&params.text_document.uri) else { return Vec::new() };
        let inside = document.path.as_deref().and_then(|it| self.repositories.of(it));
        let Some(repository) = inside else { return Vec::new() };
        let range = params.range;
        let problems: Vec<Problem> = params.context.diagnostics.iter().map(problem).collect();
        let delegate = |origin: &str| DelegateParams {
            repository: Some(repository.name.clone()),
            text_document: Some(DocumentNamed { uri: params.text_document.uri.to_string() }),
            range: Some(range_in(range)),
            diagnostics: problems.clone(),
            origin: Some(origin.to_owned()),
            ..DelegateParams::default()
        };
        let entry = |title: &str, origin: &str, diagnostics: Vec<Diagnostic>| Entry {
            title: title.to_owned(),
            kind: DELEGATE_KIND,
            command: commands::DELEGATE,
            argument: json!(delegate(origin)),
            diagnostics,
        };
        let mut entries = Vec::new();
        let selected = range.start != range.end;
        let line = selection::line_text(document, range.start.line);
        if selected {
            entries.push(entry("Delegate selection", "selection", Vec::new()));
        }
        if selection::is_todo(&line) && (by_hand || selected) {
            entries.push(entry("Delegate: do what this comment asks", "todo", Vec::new()));
        }
        if !problems.is_empty() || (by_hand && !line.is_empty()) {
            let here = params.context.diagnostics.clone();
            entries.push(entry("Delegate: fix the problem on this line", "diagnostic", here));
        }
        if selected || (by_hand && !line.is_empty()) {
            entries.push(entry("Delegate: write tests for this", "tests", Vec::new()));
            entries.push(entry("Ask the team about this", "question", Vec::new()));
        }
        entries
    }

    /// What waits for a decision, oldest first; in every document of a workspace that has any. By
    /// hand, the other answers to the same follow.
    fn decisions(&self, params: &CodeActionParams, by_hand: bool) -> Vec<Entry> {
        let file = places::file(&params.text_document.uri);
        let inside = file.as_deref().and_then(|it| self.repositories.of(it));
        let words = inside.as_ref().filter(|_| by_hand).and_then(|it| {
            let documents = self.documents.borrow();
            let path = places::relative(&it.root, file.as_deref()?)?;
            let problems: Vec<Problem> = params.context.diagnostics.iter().map(problem).collect();
            let document = documents.get(&params.text_document.uri)?;
            back::words(document, &path, params.range.start.line, &problems)
        });
        let all = match inside {
            Some(repository) => vec![repository],
            None => self.repositories.all(),
        };
        let (mut entries, mut others) = (Vec::new(), Vec::new());
        for repository in all {
            let Some(hub) = repository.open_now() else { continue };
            let team = hub.team();
            let (approvals, questions) = team::waiting(&team, DECISIONS_MAX);
            for it in &approvals {
                entries.push(approval_entry(&repository.name, &team, it));
                if by_hand && entries.len() <= DECISIONS_MAX {
                    others.extend(back::entries(&repository.name, it, words.as_ref()));
                }
            }
            for question in &questions {
                entries.extend(question_entries(&repository.name, question));
            }
        }
        entries.truncate(DECISIONS_MAX);
        entries.extend(others);
        entries
    }
}

/// A kind is wanted where nothing else is asked for, or it or what it belongs to is.
fn is_wanted(kind: &str, only: Option<&[CodeActionKind]>) -> bool {
    let covers = |wanted: &CodeActionKind| {
        let wanted = wanted.as_str();
        let below = || kind.strip_prefix(wanted).is_some_and(|it| it.starts_with('.'));
        wanted.is_empty() || kind == wanted || below()
    };
    only.is_none_or(|it| it.iter().any(covers))
}

impl Entry {
    /// As an object, or as a bare command where the client knows nothing else.
    fn in_form(self, literals: bool) -> CodeActionOrCommand {
        let title = plain::line(&self.title, TITLE_CHARS_MAX);
        let command = Command {
            title: title.clone(),
            command: self.command.to_owned(),
            arguments: Some(vec![self.argument]),
        };
        if !literals {
            return command.into();
        }
        let fixes = (!self.diagnostics.is_empty()).then_some(self.diagnostics);
        CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::new(self.kind)),
            diagnostics: fixes,
            command: Some(command),
            ..CodeAction::default()
        })
    }
}

/// What this task waits for, as one command; `None`: it waits for nobody.
pub fn decision_of(repository: &str, team: &Team, board: &Board, task: TaskId) -> Option<Command> {
    let approval = board.approvals.iter().find(|it| it.task == task);
    let entry = approval.map(|it| approval_entry(repository, team, it)).or_else(|| {
        let question = board.questions.iter().find(|it| it.task == task)?;
        question_entries(repository, question).into_iter().next()
    })?;
    match entry.in_form(false) {
        CodeActionOrCommand::Command(command) => Some(command),
        CodeActionOrCommand::CodeAction(_) => None,
    }
}

/// The one-line decision on an approval. Where a yes needs ticks or a closer look, the entry points
/// to where that is possible, and running it decides nothing.
fn approval_entry(repository: &str, team: &Team, line: &ApprovalLine) -> Entry {
    let task = line.task;
    let answer = |word: &str| AnswerApprovalParams {
        repository: Some(repository.to_owned()),
        approval: line.approval.to_string(),
        revision: line.change.as_ref().map(|it| it.0.clone()),
        answer: word.to_owned(),
        ..AnswerApprovalParams::default()
    };
    let decide = |title: String, word: &str| Entry {
        title,
        kind: DECIDE_KIND,
        command: commands::ANSWER,
        argument: json!(answer(word)),
        diagnostics: Vec::new(),
    };
    let review = |why: &str| Entry {
        title: format!("{task} needs review ({why}): run `baton task {task}`"),
        kind: DECIDE_KIND,
        command: commands::REVIEW,
        argument: json!({ "repository": repository, "task": task.to_string(), "why": why }),
        diagnostics: Vec::new(),
    };
    let Some(approval) = team.approvals.get(&line.approval) else { return review("gone") };
    let size = team::size(&line.files);
    match &approval.subject {
        Subject::Landing { candidate, .. } => match why_look(team, line, candidate) {
            Some(why) => review(why),
            None => {
                let tests = tests(team, line);
                decide(format!("{task} approve: {size}{tests}"), "approve")
            }
        },
        Subject::Edits { .. } => decide(format!("{task} apply as edits: {size}"), "apply"),
        Subject::Commands { checks, commit, .. } => {
            let commands: Vec<String> = checks.iter().map(|it| it.argv.join(" ")).collect();
            let title = format!(
                "{task} run without a sandbox, on {}: `{}`",
                commit.short(),
                commands.join("`, `")
            );
            if is_whole(&title) {
                decide(title, "approve")
            } else {
                review("commands without a sandbox")
            }
        }
        Subject::Plan { plan, .. } => {
            let design = team.task(task).and_then(|it| it.design.as_ref());
            if design.is_some_and(|it| !it.risk.is_empty()) {
                return review("its plan touches files where mistakes are dear");
            }
            decide(format!("{task} approve the plan {}", plan_in_short(plan)), "approve")
        }
        Subject::Stage { before } => {
            decide(format!("{task} go on with {}", before.name()), "approve")
        }
        Subject::Setup { setup, .. } => {
            let command = setup.argv.join(" ");
            let on = setup.commit.short();
            let title = format!("{task} set up with a network, on {on}: `{command}`");
            if is_whole(&title) {
                decide(title, "approve")
            } else {
                review("a set-up with a network")
            }
        }
    }
}

/// Why one line is not enough to approve this landing by.
fn why_look(team: &Team, line: &ApprovalLine, candidate: &Candidate) -> Option<&'static str> {
    let look = [
        (!candidate.acts.is_empty(), "it changes files that run by themselves"),
        (!candidate.merges.is_empty(), "it merges into your own changes"),
        (!candidate.risk.is_empty(), "it changes files where mistakes are dear"),
        (!candidate.blocked.is_empty(), "it cannot land as things are"),
        (weakened(team, line), "it weakens tests"),
    ];
    look.iter().find(|it| it.0).map(|it| it.1)
}

/// What is approved lands nothing, so the start of it may stand for the whole.
fn plan_in_short(plan: &Plan) -> String {
    let paths = plan.paths.len();
    let s = if paths == 1 { "" } else { "s" };
    format!("({paths} path{s}): {}", plan.approach.lines().next().unwrap_or_default())
}

/// A title that is cut would hide a part of what runs.
fn is_whole(title: &str) -> bool {
    title.chars().count() <= TITLE_CHARS_MAX && title == plain::line(title, usize::MAX)
}

fn weakened(team: &Team, line: &ApprovalLine) -> bool {
    let head = team.task(line.task).and_then(|it| it.head.as_ref());
    head.is_some_and(|it| !it.weakened.is_empty())
}

/// `, 42 tests pass`, as the receipts of this approval count them.
fn tests(team: &Team, line: &ApprovalLine) -> String {
    let receipts = line.receipts.iter().filter_map(|it| team.receipt(*it));
    let passed: u32 = receipts.filter_map(|it| it.tests.as_ref()).map(|it| it.passed).sum();
    match passed {
        0 => String::new(),
        1 => ", 1 test passes".to_owned(),
        n => format!(", {n} tests pass"),
    }
}

fn question_entries(repository: &str, question: &QuestionLine) -> Vec<Entry> {
    let entry = |option: &String| {
        let answer = AnswerQuestionParams {
            repository: Some(repository.to_owned()),
            question: question.question.to_string(),
            text: option.clone(),
        };
        let asked = plain::line(&question.text, 60);
        Entry {
            title: format!("{} answer \"{option}\" to: {asked}", question.task),
            kind: DECIDE_KIND,
            command: commands::ANSWER,
            argument: json!(answer),
            diagnostics: Vec::new(),
        }
    };
    question.options.iter().map(entry).collect()
}

fn range_in(range: super::types::Range) -> RangeIn {
    let at = |it: super::types::Position| PositionAt { line: it.line, character: it.character };
    RangeIn { start: at(range.start), end: at(range.end) }
}

fn problem(it: &Diagnostic) -> Problem {
    Problem {
        range: Some(range_in(it.range)),
        message: it.message.clone(),
        source: it.source.clone(),
    }
}

#[cfg(test)]
mod tests;
