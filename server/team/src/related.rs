//! Earlier tasks that a role may want to know of: they touched the same file, or spoke of the same
//! error. Deterministic and bounded; each says why it is shown.

use crate::board::title;
use crate::handoff::Handoff;
use crate::ids::{RunId, TaskId};
use crate::task::{End, Task, TaskState, Team};
use std::collections::BTreeSet;

/// So many are shown, the latest first.
pub const RELATED_MAX: usize = 5;
/// Older tasks are not looked at.
const LOOKED_AT_MAX: usize = 500;
/// Of a text, so many bytes are looked at for errors and names of files.
const TEXT_BYTES_MAX: usize = 20_000;
/// Shorter lines say too little to be the same error.
const SIGNATURE_CHARS_MIN: usize = 12;

/// An earlier task, and why it may matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub task: TaskId,
    pub title: String,
    /// `landed`, `rejected: too large`, `open`.
    pub ended: String,
    /// `it changed src/parse.rs too`.
    pub why: String,
    /// What its last change said of itself; empty where there was none.
    pub summary: String,
}

/// What tasks may have in common.
struct Traits<'a> {
    text: &'a str,
    place: Option<&'a str>,
    errors: BTreeSet<String>,
    failing: BTreeSet<&'a str>,
}

/// The tasks before this one that have a file or an error in common with it, the latest first. Paths
/// weigh more than errors: where both fit, the path is named.
pub fn related(team: &Team, task: TaskId) -> Vec<Related> {
    let Some(it) = team.task(task) else {
        return vec![];
    };
    let mine = Traits::of(team, it);
    let earlier = team.tasks.before(task).rev().take(LOOKED_AT_MAX);
    let found = earlier.filter_map(|(id, other)| {
        let why = common_path(&mine, other).or_else(|| {
            let other = Traits::of(team, other);
            common_error(&mine, &other)
        })?;
        let summary = last_summary(other).unwrap_or_default().to_owned();
        Some(Related { task: *id, title: title(other), ended: ended(other), why, summary })
    });
    found.take(RELATED_MAX).collect()
}

impl<'a> Traits<'a> {
    fn of(team: &'a Team, task: &'a Task) -> Traits<'a> {
        let text = clipped(&task.brief.text);
        let tests = |run: Option<RunId>| {
            let run = run.and_then(|it| team.run(it));
            let tests =
                run.into_iter().flat_map(|it| &it.receipts).filter_map(|it| it.tests.as_ref());
            tests.flat_map(|it| it.failing.iter().map(String::as_str))
        };
        let repro = task.repro.iter().flat_map(|it| it.tests.iter().map(String::as_str));
        Traits {
            text,
            place: task.brief.place.as_ref().map(|it| it.path.as_str()),
            errors: text.lines().filter_map(signature).collect(),
            failing: tests(task.baseline).chain(repro).collect(),
        }
    }

    /// Pointed at, or named in the words.
    fn speaks_of(&self, path: &str) -> bool {
        let is_end = |it: char| it.is_whitespace() || "`'\"()[]<>,;:".contains(it);
        self.place == Some(path)
            || self.text.split(is_end).any(|it| it.trim_end_matches('.') == path)
    }
}

fn clipped(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|it| text.is_char_boundary(*it));
    &text[..end.unwrap_or(0)]
}

fn common_path(mine: &Traits<'_>, other: &Task) -> Option<String> {
    let changed = other.head.iter().flat_map(|it| &it.files).map(|it| it.path.as_str());
    if let Some(path) = changed.into_iter().find(|it| mine.speaks_of(it)) {
        return Some(format!("it changed {path} too"));
    }
    let place = other.brief.place.as_ref().map(|it| it.path.as_str());
    place.filter(|it| mine.speaks_of(it)).map(|it| format!("it was about {it} too"))
}

fn common_error(mine: &Traits<'_>, other: &Traits<'_>) -> Option<String> {
    if let Some(test) = mine.failing.intersection(&other.failing).next() {
        return Some(format!("the test {test} failed there too"));
    }
    mine.errors.intersection(&other.errors).next().map(|it| format!("the same error: {it}"))
}

/// A line that speaks of an error, without what differs from one time to the next: numbers,
/// addresses, places, quoted values.
fn signature(line: &str) -> Option<String> {
    let lower = line.trim().to_lowercase();
    let words = ["error", "panicked", "exception", "failed", "fatal", "undefined"];
    if !words.iter().any(|it| lower.contains(it)) {
        return None;
    }
    let mut signature = String::new();
    for word in lower.split_whitespace() {
        let is_place = word.contains('/') || word.contains('\\');
        let kept: String = word.chars().filter(|it| it.is_alphabetic() || *it == '_').collect();
        let is_number = word.chars().any(|it| it.is_ascii_digit());
        if is_place || kept.is_empty() || (is_number && !word.starts_with("error")) {
            continue;
        }
        if !signature.is_empty() {
            signature.push(' ');
        }
        signature.push_str(&kept);
    }
    (SIGNATURE_CHARS_MIN <= signature.chars().count()).then_some(signature)
}

fn last_summary(task: &Task) -> Option<&str> {
    task.handoffs.iter().rev().find_map(|(_, it)| match it {
        Handoff::Changed { summary, .. } => Some(summary.as_str()),
        Handoff::Answered { text, .. } => Some(text.as_str()),
        Handoff::Triaged { .. }
        | Handoff::Designed { .. }
        | Handoff::Validated { .. }
        | Handoff::Announced { .. }
        | Handoff::Declined { .. } => None,
    })
}

fn ended(task: &Task) -> String {
    let TaskState::Closed(end) = &task.state else {
        return "open".into();
    };
    match end {
        End::Landed { .. } => "landed".into(),
        End::Applied { .. } => "applied as edits".into(),
        End::Answered => "answered".into(),
        End::Rejected { why } => format!("rejected: {why}"),
        End::Cancelled => "cancelled".into(),
        End::Undone { .. } => "landed and taken back".into(),
    }
}

#[cfg(test)]
mod tests;
