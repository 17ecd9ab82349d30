//! Hover: behind a line that a landing wrote, the task, who approved it, and what was decided and why.

use super::documents::{Document, Text};
use super::repositories::Repository;
use super::types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};
use super::{Door, places, plain};
use crate::git::LandedLines;
use crate::hub::{Hub, blocking};
use crate::protocol::{answer_name, by};
use std::sync::Arc;
use team::{ApprovalState, Candidate, CommitId, Subject, Task, TaskId, Team};

/// Blamed files that are remembered; the oldest is forgotten first.
const BLAMED_MAX: usize = 16;
/// A larger text is not blamed for a hover.
const TEXT_BYTES_MAX: usize = 2 << 20;
const WORDS_CHARS_MAX: usize = 300;
const DECISIONS_MAX: usize = 5;

/// The landed lines of one text of one file at one commit.
#[derive(Clone)]
pub struct Blamed {
    repository: String,
    path: String,
    tip: CommitId,
    text: Text,
    lines: Arc<Vec<LandedLines>>,
}

impl Door {
    /// What is behind a line; `None`: nothing that Baton landed.
    pub async fn behind(&self, params: HoverParams) -> Option<Hover> {
        let at = params.text_document_position_params;
        let (repository, hub, path, text) = {
            let documents = self.documents.borrow();
            let document = documents.get(&at.text_document.uri)?;
            self.file_of(document)?
        };
        let team = hub.team();
        let oldest = first_landing(&team)?;
        let lines = self.landed(&repository, &hub, path, text, oldest).await?;
        let line = usize::try_from(at.position.line).ok()? + 1;
        let found = lines.iter().find(|it| (it.first_line..=it.last_line).contains(&line))?;
        let contents = HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: describe(&team, found),
        });
        Some(Hover { contents, range: None })
    }

    fn file_of(&self, it: &Document) -> Option<(Arc<Repository>, Hub, String, Text)> {
        let file = it.path.as_deref()?;
        let repository = self.repositories.of(file)?;
        let hub = repository.open_now()?;
        let path = places::relative(&repository.root, file)?;
        (it.text.bytes() <= TEXT_BYTES_MAX).then(|| (repository, hub, path, it.text.clone()))
    }

    /// Blames once for each text; off the connection's thread.
    async fn landed(
        &self,
        repository: &Repository,
        hub: &Hub,
        path: String,
        text: Text,
        oldest: CommitId,
    ) -> Option<Arc<Vec<LandedLines>>> {
        let git = hub.git().clone();
        let tip = {
            let git = git.clone();
            blocking(move || git.tip()).await.ok()?
        };
        let known = |it: &&Blamed| {
            (&it.repository, &it.path, &it.tip) == (&repository.name, &path, &tip)
                && it.text == text
        };
        if let Some(known) = self.blamed.borrow().iter().find(known) {
            return Some(known.lines.clone());
        }
        let (asked, wanted) = (path.clone(), text.clone());
        let work = move || git.landed_lines(&asked, wanted.to_string().as_bytes(), &oldest);
        let lines = match blocking(work).await {
            Ok(lines) => Arc::new(lines),
            Err(failure) => {
                tracing::info!(%failure, "no blame");
                return None;
            }
        };
        let repository = repository.name.clone();
        let new = Blamed { repository, path, tip, text, lines: lines.clone() };
        self.blamed.send_modify(|all| {
            all.push(new);
            let surplus = all.len().saturating_sub(BLAMED_MAX);
            all.drain(..surplus);
        });
        Some(lines)
    }
}

fn candidate_of(subject: &Subject) -> Option<&Candidate> {
    match subject {
        Subject::Landing { candidate, .. } => Some(candidate),
        Subject::Edits { .. }
        | Subject::Commands { .. }
        | Subject::Setup { .. }
        | Subject::Plan { .. }
        | Subject::Stage { .. } => None,
    }
}

/// The parent of the first landing: blame needs to look no further. Found among the first approvals.
fn first_landing(team: &Team) -> Option<CommitId> {
    let mut candidates = team.approvals.values().filter_map(|it| candidate_of(&it.subject));
    candidates.next().map(|it| it.tip.clone())
}

/// The task, if one of its candidates is the commit that wrote these lines.
fn landed_as<'a>(team: &'a Team, id: TaskId, lines: &LandedLines) -> Option<&'a Task> {
    let task = team.task(id)?;
    let asked = task.approvals.iter().filter_map(|it| team.approvals.get(it));
    let mut candidates = asked.filter_map(|it| candidate_of(&it.subject));
    candidates.any(|it| it.commit == lines.commit).then_some(task)
}

/// Markdown about the landing that wrote these lines.
fn describe(team: &Team, lines: &LandedLines) -> String {
    let ours = lines.task.parse().ok().and_then(|id| Some((id, landed_as(team, id, lines)?)));
    let Some((id, task)) = ours else {
        // The trailer of another machine's Baton: its numbers are not ours.
        let (task, commit) = (words(&lines.task), lines.commit.short());
        return format!("Landed by Baton as {task} in {commit}, not from this machine.");
    };
    let title = words(&team::title(task));
    let mut text = format!("**{id}** {title}\n\nLanded as `{}`", lines.commit.short());
    let answered = task.approvals.iter().rev().filter_map(|it| team.approvals.get(it));
    let answered = answered.filter_map(|it| match &it.state {
        ApprovalState::Answered { answer, by: who, .. } => {
            Some(format!(", {} by {}", answer_name(answer), by(who)))
        }
        ApprovalState::Open | ApprovalState::Void { .. } => None,
    });
    text.extend(answered.take(1));
    text.push('.');
    for (_, decision) in team.decisions(task).rev().take(DECISIONS_MAX) {
        let (what, why) = (words(&decision.what), words(&decision.why));
        text.push_str(&format!("\n- {what}: {why}"));
    }
    text
}

/// Foreign text in Markdown: one line, nothing in it acts as markup.
fn words(text: &str) -> String {
    let line = plain::line(text, WORDS_CHARS_MAX);
    let mut res = String::new();
    for it in line.chars() {
        if it.is_ascii_punctuation() {
            res.push('\\');
        }
        res.push(it);
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_no_markup() {
        assert_eq!(words("[x](command:rm) <b>"), "\\[x\\]\\(command\\:rm\\) \\<b\\>");
    }

    #[test]
    fn a_landing_of_another_machine_is_not_taken_for_ours() {
        let lines = LandedLines {
            first_line: 1,
            last_line: 2,
            commit: CommitId("c".repeat(40)),
            task: "T1".to_owned(),
        };
        let said = describe(&Team::default(), &lines);
        assert_eq!(said, "Landed by Baton as T1 in cccccccccc, not from this machine.");
    }
}
