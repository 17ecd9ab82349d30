//! Diagnostics of ours, on the lines they concern: where a running task's change meets what is being
//! typed or another task's, what a Tester found, and a team file that is broken. Worked out off the hub's loop, a
//! moment after the last change, and sent only where something is different.

use super::documents::{Encoding, Text};
use super::repositories::Repository;
use super::types::{Diagnostic, DiagnosticSeverity, Position, Range, Uri};
use super::{Door, branches, plain};
use crate::config::{TEAM_FILE, parse_team_file};
use crate::git::Overlap;
use crate::hub::{Hub, blocking};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;
use team::{CommitId, RunId, TaskId, Team};

mod said;

/// How long after a change it is looked at; what comes meanwhile is looked at with it.
const SETTLE_MS: u64 = 400;
/// Of the documents and of one document's findings.
const DOCUMENTS_MAX: usize = 50;
const FINDINGS_MAX: usize = 50;
const MESSAGE_CHARS_MAX: usize = 300;
/// Pairs of running tasks that are compared in one document.
const PAIRS_MAX: usize = 20;
const SOURCE: &str = "baton";

/// Diagnostics by document.
type Found = BTreeMap<String, Vec<Diagnostic>>;
/// The lines that Engineers are changing now, by document.
pub type Changing = BTreeMap<String, Vec<(TaskId, Range)>>;

/// What one look at the open documents gives.
#[derive(Default)]
struct Looked {
    found: Found,
    changing: Changing,
}

/// An open document, as it is compared.
struct Open {
    uri: Uri,
    path: String,
}

/// A run that is changing files now.
struct Live {
    task: TaskId,
    run: RunId,
    seen: CommitId,
}

/// Runs as long as the connection.
pub async fn tell(door: Door) {
    let mut told = Found::new();
    let mut checked_out = branches::CheckedOut::new();
    loop {
        door.touched.notified().await;
        tokio::time::sleep(Duration::from_millis(SETTLE_MS)).await;
        let wishes = door.wishes();
        let mut looked = Looked::default();
        for repository in door.repositories.all() {
            let Some(hub) = repository.open_now() else { continue };
            branches::look(&door, &repository, &hub, &mut checked_out).await;
            if wishes.diagnostics || wishes.lenses {
                look(&door, &repository, &hub, &mut looked).await;
            }
        }
        let Looked { mut found, changing } = looked;
        let differs = *door.changing.borrow() != changing;
        if differs {
            door.changing.send_replace(changing);
            door.refresh_lenses();
        }
        if !wishes.diagnostics {
            continue;
        }
        let gone = told.keys().filter(|it| !found.contains_key(*it)).cloned();
        let gone: Vec<String> = gone.collect();
        found.extend(gone.into_iter().map(|it| (it, Vec::new())));
        for (uri, diagnostics) in &found {
            if told.get(uri) != Some(diagnostics)
                && let Ok(uri) = Uri::from_str(uri)
            {
                door.client.publish_diagnostics(uri, diagnostics.clone(), None).await;
            }
        }
        found.retain(|_, it| !it.is_empty());
        told = found;
    }
}

async fn look(door: &Door, repository: &Repository, hub: &Hub, looked: &mut Looked) {
    let Looked { found, changing } = looked;
    let (open, encoding) = {
        let documents = door.documents.borrow();
        (documents.under(&repository.root, DOCUMENTS_MAX), documents.encoding())
    };
    let open: Vec<Open> = open.into_iter().map(|(path, uri)| Open { uri, path }).collect();
    let team = hub.team();
    for it in &open {
        if it.path == TEAM_FILE
            && let Some(text) = door.text_of(&it.uri)
        {
            add(found, &it.uri, broken_team_file(&text.to_string()));
        }
    }
    said::look(door, repository, hub, encoding, found).await;
    let live: Vec<Live> = live(&team).collect();
    for it in &open {
        let mut changed = Vec::new();
        for run in &live {
            let (git, seen, path) = (hub.git().clone(), run.seen.clone(), it.path.clone());
            let (id, door, uri) = (run.run, door.clone(), it.uri.clone());
            let work = move || git.overlap(&seen, id, &path, || door.text_of(&uri));
            match blocking(work).await {
                Ok(None) => (),
                Ok(Some((overlap, text))) => {
                    let range = ranges(&text, encoding);
                    add(found, &it.uri, collisions(run.task, &overlap, &range));
                    let lines = overlap.changing.iter().map(|it| (run.task, range(it)));
                    changing.entry(it.uri.as_str().to_owned()).or_default().extend(lines);
                    changed.push((run, overlap));
                }
                Err(failure) => tracing::info!(%failure, "no look at a collision"),
            }
        }
        let rivals = rivals(hub, it, &changed).await;
        if let Some(text) = door.text_of(&it.uri).filter(|_| !rivals.is_empty()) {
            add(found, &it.uri, shown_rivals(&rivals, &text, encoding));
        }
    }
}

/// Two tasks, and the lines of a document that both are changing.
type Rivals = (TaskId, TaskId, std::ops::Range<usize>);

/// Where two running tasks change the same lines of this document and would not merge.
async fn rivals(hub: &Hub, document: &Open, changed: &[(&Live, Overlap)]) -> Vec<Rivals> {
    let mut res = Vec::new();
    let pairs = (0..changed.len()).flat_map(|n| (n + 1..changed.len()).map(move |m| (n, m)));
    for (n, m) in pairs.take(PAIRS_MAX) {
        let ((one, theirs), (other, others)) = (&changed[n], &changed[m]);
        let Some(lines) = theirs.meets(others).cloned() else { continue };
        let (git, path) = (hub.git().clone(), document.path.clone());
        let a = (one.seen.clone(), one.run);
        let b = (other.seen.clone(), other.run);
        match blocking(move || git.would_merge((&a.0, a.1), (&b.0, b.1), &path)).await {
            Ok(true) => (),
            Ok(false) => res.push((one.task, other.task, lines)),
            Err(failure) => tracing::info!(%failure, "no look at two tasks"),
        }
    }
    res
}

fn add(found: &mut Found, uri: &Uri, more: Vec<Diagnostic>) {
    if !more.is_empty() {
        let all = found.entry(uri.as_str().to_owned()).or_default();
        all.extend(more);
        all.truncate(FINDINGS_MAX);
    }
}

fn live(team: &Team) -> impl Iterator<Item = Live> {
    team.open_tasks().filter_map(|(task, it)| {
        let run = team.live_run(task)?;
        Some(Live { task, run, seen: it.base.as_ref()?.seen.clone() })
    })
}

fn diagnostic(severity: DiagnosticSeverity, range: Range, message: &str) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(severity),
        source: Some(SOURCE.to_owned()),
        message: plain::line(message, MESSAGE_CHARS_MAX),
        ..Diagnostic::default()
    }
}

/// Whole lines of a text, as its client counts.
fn ranges(text: &Text, encoding: Encoding) -> impl Fn(&std::ops::Range<usize>) -> Range {
    // Git's lines end with `\n` alone.
    let whole = text.to_string();
    let starts = whole.match_indices('\n').map(|(at, _)| at + 1);
    let starts: Vec<usize> = std::iter::once(0).chain(starts).collect();
    let at = move |line: usize| {
        let offset = starts.get(line).copied().unwrap_or(text.bytes());
        text.position(offset, encoding)
    };
    move |lines| Range::new(at(lines.start), at(lines.end))
}

fn shown_rivals(rivals: &[Rivals], text: &Text, encoding: Encoding) -> Vec<Diagnostic> {
    let range = ranges(text, encoding);
    let shown = rivals.iter().map(|(one, other, lines)| {
        let says = format!("{one} and {other} are changing this: the two would not merge");
        diagnostic(DiagnosticSeverity::INFORMATION, range(lines), &says)
    });
    shown.collect()
}

/// What the Engineer is changing, as hints; what would not merge, as warnings.
fn collisions(
    task: TaskId,
    overlap: &Overlap,
    range: impl Fn(&std::ops::Range<usize>) -> Range,
) -> Vec<Diagnostic> {
    let changing = overlap.changing.iter().filter(|it| !overlap.colliding.contains(it));
    let hints = changing.map(|it| {
        let says = format!("{task} is changing this");
        diagnostic(DiagnosticSeverity::HINT, range(it), &says)
    });
    let warnings = overlap.colliding.iter().map(|it| {
        let says = format!("{task} is changing this too: the two would not merge");
        diagnostic(DiagnosticSeverity::INFORMATION, range(it), &says)
    });
    hints.chain(warnings).collect()
}

fn broken_team_file(text: &str) -> Vec<Diagnostic> {
    let Err(failure) = parse_team_file(text) else { return Vec::new() };
    let line = failure.text.split("line ").nth(1).and_then(|it| {
        let digits: String = it.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    let line = line.unwrap_or(1).saturating_sub(1);
    vec![diagnostic(DiagnosticSeverity::ERROR, whole(line), &failure.to_string())]
}

fn whole(line: u32) -> Range {
    Range::new(Position::new(line, 0), Position::new(line + 1, 0))
}

impl Door {
    fn text_of(&self, uri: &Uri) -> Option<Text> {
        self.documents.borrow().get(uri).map(|it| it.text.clone())
    }

    /// Something that findings are about may have changed.
    pub fn touch(&self) {
        self.touched.notify_one();
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is meant, not its numbers")]
mod tests {
    use super::*;

    #[test]
    fn a_broken_team_file_is_an_error_on_its_line() {
        assert_eq!(broken_team_file("version = 1\n"), []);
        let found = broken_team_file("version = 1\n\n[[check]]\nnme = \"x\"\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].range.start.line, 3, "{found:?}");
        assert_eq!(found[0].severity, Some(DiagnosticSeverity::ERROR));
    }

    #[test]
    fn collisions_are_told_from_changes() {
        let overlap = Overlap { changing: vec![0..1, 2..2], colliding: vec![0..1] };
        let text = Text::from("ä\nb\nc\n");
        let found = collisions(TaskId(3), &overlap, ranges(&text, Encoding::Utf16));
        let seen: Vec<(u32, u32, &str)> = found
            .iter()
            .map(|it| (it.range.start.line, it.range.end.line, it.message.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (2, 2, "T3 is changing this"),
                (0, 1, "T3 is changing this too: the two would not merge"),
            ]
        );
    }
}
