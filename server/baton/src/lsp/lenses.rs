//! Code lenses: above the lines that a task came from, where the task stands, and above lines that an Engineer
//! is changing now. A task that waits for a decision is decided there, under the same rules as in the menu of
//! code actions.

use super::documents::{Encoding, Text};
use super::selection::SHOWN_TASKS_MAX;
use super::types::{CodeLens, CodeLensParams, Command, Position, Range};
use super::{Door, actions, commands, places, plain};
use serde_json::json;
use std::time::Duration;
use team::{Board, Place, TaskId, Team};

const TITLE_CHARS_MAX: usize = 110;
/// Places of one document where Engineers are at work.
const SHOWN_CHANGES_MAX: usize = 50;
/// How long a client may take to say that it heard of new lenses.
const REFRESH_MS_MAX: u64 = 10_000;

impl Door {
    /// The lenses of one document, from what is known now.
    pub fn lenses(&self, params: &CodeLensParams) -> Vec<CodeLens> {
        let (document, encoding) = {
            let documents = self.documents.borrow();
            (documents.get(&params.text_document.uri).cloned(), documents.encoding())
        };
        let Some(document) = document else { return Vec::new() };
        let Some(file) = document.path.as_deref() else { return Vec::new() };
        let Some(repository) = self.repositories.of(file) else { return Vec::new() };
        let (Some(hub), Some(path)) =
            (repository.open_now(), places::relative(&repository.root, file))
        else {
            return Vec::new();
        };
        let team = hub.team();
        let from_here = open_tasks(&team).filter(|(_, place)| place.path == path);
        let shown: Vec<(TaskId, &Place)> = from_here.take(SHOWN_TASKS_MAX).collect();
        let uri = params.text_document.uri.as_str();
        let changing = self.changing.borrow().get(uri).cloned().unwrap_or_default();
        if shown.is_empty() && changing.is_empty() {
            return Vec::new();
        }
        let (board, text) = (team::board(&team), document.text.to_string());
        let came = shown.into_iter().map(|(task, place)| {
            let range = range(&document.text, &text, place, encoding);
            (task, range, command(&repository.name, &team, &board, task))
        });
        let mut all: Vec<(TaskId, Range, Option<Command>)> = came.collect();
        // Where a task's own lens stands, that says already what it is at.
        for (task, lines) in changing.into_iter().take(SHOWN_CHANGES_MAX) {
            if all.iter().all(|it| (it.0, it.1.start.line) != (task, lines.start.line)) {
                let title = format!("{task} Engineer is changing this");
                let above = Range::new(lines.start, lines.start);
                all.push((task, above, Some(shows(&repository.name, task, title))));
            }
        }
        let lens = |(_, range, command)| CodeLens { range, command, data: None };
        all.into_iter().map(lens).collect()
    }

    /// Tells the client, where it can be told, to ask again. In the background: nobody waits for it.
    pub fn refresh_lenses(&self) {
        if !self.wishes().refreshes_lenses {
            return;
        }
        let door = self.clone();
        tokio::spawn(async move {
            let wait = Duration::from_millis(REFRESH_MS_MAX);
            let _ = tokio::time::timeout(wait, door.client.code_lens_refresh()).await;
        });
    }
}

/// Tasks that have not ended and came from a place, newest first.
fn open_tasks(team: &Team) -> impl Iterator<Item = (TaskId, &Place)> {
    team.open_tasks().rev().filter_map(|(id, it)| Some((id, it.brief.place.as_ref()?)))
}

/// Where the place's first line is now, in a text that is given also as a whole. The text that stood there is looked for first, since lines
/// above it may have come or gone.
fn range(text: &Text, whole: &str, place: &Place, encoding: Encoding) -> Range {
    let wanted = place.text.trim_end();
    let first = wanted.lines().next().unwrap_or_default();
    let was = place.first_line.saturating_sub(1);
    let mut found: Vec<Position> = match first.trim() {
        "" => Vec::new(),
        _ => whole.match_indices(first).map(|(at, _)| text.position(at, encoding)).collect(),
    };
    found.sort_by_key(|it| it.line.abs_diff(was));
    let lines = u32::try_from(whole.lines().count()).unwrap_or(u32::MAX);
    let line = found.first().map_or(was.min(lines.saturating_sub(1)), |it| it.line);
    Range::new(Position::new(line, 0), Position::new(line, 0))
}

fn command(repository: &str, team: &Team, board: &Board, task: TaskId) -> Option<Command> {
    let line = board.tasks.iter().find(|it| it.task == task)?;
    let expects = line.expects.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
    let title = || plain::line(&format!("{task} {}{expects}", line.step), TITLE_CHARS_MAX);
    let decision = actions::decision_of(repository, team, board, task);
    Some(decision.unwrap_or_else(|| shows(repository, task, title())))
}

fn shows(repository: &str, task: TaskId, title: String) -> Command {
    Command {
        title,
        command: commands::SHOW.to_owned(),
        arguments: Some(vec![json!({ "repository": repository, "task": task.to_string() })]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str, first_line: u32, wanted: &str) -> u32 {
        let place =
            Place { path: "a.rs".into(), first_line, last_line: first_line, text: wanted.into() };
        range(&text.into(), text, &place, Encoding::Utf16).start.line
    }

    #[test]
    fn a_lens_follows_its_text() {
        assert_eq!(line_of("a\nb\nc\n", 2, "b"), 1);
        assert_eq!(line_of("new\nnew\na\nb\nc\n", 2, "b\n"), 3);
        assert_eq!(line_of("x = 1\ny\nz\nx = 1\n", 4, "x = 1"), 3, "the nearest one");
    }

    #[test]
    fn a_lens_whose_text_is_gone_stays_inside_the_document() {
        assert_eq!(line_of("a\nb\n", 2, "gone"), 1);
        assert_eq!(line_of("a\n", 9, "gone"), 0);
        assert_eq!(line_of("", 9, ""), 0);
    }
}
