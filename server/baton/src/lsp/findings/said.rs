//! What the Tester said about places in the code: why a change failed, and what it noticed about one that waits
//! for a person. Its lines are those of the change; they are shown where they are in the live text.

use super::{FINDINGS_MAX, Found, add, diagnostic, ranges};
use crate::hub::{Hub, blocking};
use crate::lsp::Door;
use crate::lsp::documents::{Encoding, Text};
use crate::lsp::repositories::Repository;
use crate::lsp::types::{DiagnosticSeverity, Uri};
use std::collections::BTreeSet;
use std::path::Path;
use team::{CommitId, Handoff, Subject, TaskId, Team, Verdict};

/// A larger file is not compared.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// A place that the Tester named.
struct Named {
    path: String,
    /// Counted from 0, in the file at `head`.
    line: usize,
    head: CommitId,
    severity: DiagnosticSeverity,
    says: String,
}

pub(super) async fn look(
    door: &Door,
    repository: &Repository,
    hub: &Hub,
    encoding: Encoding,
    found: &mut Found,
) {
    for it in named(&hub.team()) {
        let file = repository.root.join(&it.path);
        let open = door.documents.borrow().at(&file).map(|it| (it.uri.clone(), it.text.clone()));
        let (uri, text) = match open {
            Some((uri, text)) => (uri, Some(text)),
            None => match Uri::from_file_path(&file) {
                Some(uri) => (uri, None),
                None => continue,
            },
        };
        let (git, Named { path, line, head, severity, says }) = (hub.git().clone(), it);
        let work = move || {
            let Some(text) = text.or_else(|| read(&file)) else { return Ok(None) };
            let lines = git.line_in(&head, &path, line, text.to_string().as_bytes())?;
            Ok(lines.map(|it| ranges(&text, encoding)(&it)))
        };
        match blocking(work).await {
            Ok(Some(range)) => add(found, &uri, vec![diagnostic(severity, range, &says)]),
            Ok(None) => (),
            Err(failure) => tracing::info!(%failure, "no place for a finding"),
        }
    }
}

fn read(file: &Path) -> Option<Text> {
    let is_short = file.metadata().is_ok_and(|it| it.is_file() && it.len() <= FILE_BYTES_MAX);
    let text = is_short.then(|| std::fs::read_to_string(file).ok())??;
    Some(Text::from(text.as_str()))
}

/// What the last verdict about each open task names: all of a failure's; a pass's as long as a person is asked.
fn named(team: &Team) -> Vec<Named> {
    let mut res = Vec::new();
    let is_change = |it: &Subject| matches!(it, Subject::Landing { .. } | Subject::Edits { .. });
    let asked = team.waiting_approvals().filter(|(_, it)| is_change(&it.subject));
    let asked: BTreeSet<TaskId> = asked.map(|(_, it)| it.task).collect();
    for (id, task) in team.open_tasks() {
        let last = task.handoffs.iter().rev().find_map(|(_, it)| match it {
            Handoff::Validated { verdict, notes, head, .. } => Some((verdict, notes, head)),
            Handoff::Triaged { .. }
            | Handoff::Changed { .. }
            | Handoff::Answered { .. }
            | Handoff::Designed { .. }
            | Handoff::Announced { .. }
            | Handoff::Declined { .. } => None,
        });
        let (severity, notes, head) = match last {
            Some((Verdict::Fail, notes, head)) => (DiagnosticSeverity::WARNING, notes, head),
            Some((Verdict::Pass, notes, head)) if asked.contains(&id) => {
                (DiagnosticSeverity::INFORMATION, notes, head)
            }
            Some((Verdict::Pass, ..)) | None => continue,
        };
        for line in notes.lines() {
            let says = format!("{id} Tester: {line}");
            res.extend(places(line).into_iter().map(|(path, number)| Named {
                path,
                line: number as usize - 1,
                head: head.clone(),
                severity,
                says: says.clone(),
            }));
        }
    }
    res.truncate(FINDINGS_MAX);
    res
}

/// `src/parse.rs:40` and the like in a text. Nothing that leads out of the repository.
fn places(text: &str) -> Vec<(String, u32)> {
    let words = text.split(|it: char| it.is_whitespace() || "()[]`'\",;".contains(it));
    let place = |word: &str| {
        let mut parts = word.split(':');
        let (path, line) = (parts.next()?, parts.next()?.parse::<u32>().ok()?);
        let is_inside = !path.is_empty()
            && !path.starts_with('/')
            && path.split('/').all(|it| !it.is_empty() && it != ".." && it != ".git");
        (is_inside && 0 < line).then(|| (path.to_owned(), line))
    };
    words.filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_notes_and_none_outside() {
        let text =
            "blank() fails (src/a.rs:40), see `tests/b.rs:7:3`; not ../x.rs:1, /etc/y:2 or c:0";
        let found = places(text);
        assert_eq!(found, [("src/a.rs".to_owned(), 40), ("tests/b.rs".to_owned(), 7)]);
    }
}
