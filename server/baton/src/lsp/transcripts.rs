//! `baton/transcript` and `baton/file`: what a run said and did, and both sides of a change. Read
//! from the log and the store, off the connection's own thread.

use super::requests::{id, no_task, sides};
use super::{Door, errors};
use crate::agent::StepBody;
use crate::clean;
use crate::hub::blocking;
use crate::model::{Block, Speaker};
use crate::protocol::{FileParams, FileView, StepView, TranscriptParams, TranscriptView};
use crate::store::Step;
use team::{Code, Failure, RunId, RunState, TaskId};
use tower_lsp::jsonrpc::Result;

/// Steps in one answer; the cursor leads to the next ones.
const STEPS_MAX: usize = 100;
/// Of one thing that was said or printed.
const TEXT_CHARS_MAX: usize = 20_000;
/// A larger file is looked at with other tools.
const FILE_BYTES_MAX: usize = 2 << 20;

impl Door {
    /// `baton/transcript`.
    pub async fn transcript(&self, params: TranscriptParams) -> Result<TranscriptView> {
        let run = id::<RunId>(&params.run)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let known = hub.team().run(run).map(|it| it.state == RunState::Live);
        let Some(live) = known else {
            let none = Failure::new(Code::Config, format!("there is no run {run}"));
            return Err(errors::unknown(none));
        };
        let from = params.from.unwrap_or(0);
        let reader = move || hub.reader()?.steps(run);
        let steps = blocking(reader).await.map_err(errors::failed)?;
        let wanted: Vec<&Step> = steps.iter().filter(|it| from <= it.n).collect();
        let shown = wanted.iter().take(STEPS_MAX);
        let more = STEPS_MAX < wanted.len();
        let last = shown.clone().next_back().map_or(from, |it| it.n + 1);
        let views = shown.map(|it| views(it)).collect::<std::result::Result<Vec<_>, _>>();
        Ok(TranscriptView {
            repository: repository.name.clone(),
            run: run.to_string(),
            steps: views.map_err(errors::failed)?.concat(),
            next: (more || live).then_some(last),
        })
    }

    /// `baton/file`.
    pub async fn file(&self, params: FileParams) -> Result<FileView> {
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let team = hub.team();
        let Some((from, to)) = sides(&team, team.task(task).ok_or_else(|| no_task(task))?) else {
            return Err(errors::refused(format!("{task} has not changed anything yet")));
        };
        let commit = match params.side.as_str() {
            "from" => from,
            "to" => to,
            _ => return Err(errors::invalid("`side` is `from` or `to`")),
        };
        let (git, at, path) = (hub.git().clone(), commit.clone(), params.path.clone());
        let bytes = blocking(move || git.read(&at, &path)).await.map_err(errors::failed)?;
        let (text, why) = shown(bytes);
        Ok(FileView {
            repository: repository.name.clone(),
            task: task.to_string(),
            path: params.path,
            commit: commit.0,
            text,
            why: why.map(str::to_owned),
        })
    }
}

/// The text of a file, or why there is none.
fn shown(bytes: Option<Vec<u8>>) -> (Option<String>, Option<&'static str>) {
    match bytes {
        None => (None, Some("there is no such file on this side")),
        Some(bytes) if FILE_BYTES_MAX < bytes.len() => (None, Some("it is too large to be shown")),
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => (Some(text), None),
            Ok(_) | Err(_) => (None, Some("it is no text")),
        },
    }
}

/// What one step of the journal says to a person.
fn views(step: &Step) -> std::result::Result<Vec<StepView>, Failure> {
    let view = |kind: &str, text: &str| StepView {
        n: step.n,
        kind: kind.to_owned(),
        text: clean::text(&cut(text)),
        tool: None,
        is_error: false,
        at: step.at,
    };
    Ok(match StepBody::from_json(&step.body)? {
        StepBody::Opened { messages, .. } => messages
            .iter()
            .filter(|it| it.speaker == Speaker::User)
            .flat_map(|it| &it.blocks)
            .filter_map(|it| match it {
                Block::Text { text } => Some(view("brief", text)),
                Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
            })
            .collect(),
        StepBody::Reply { message, .. } => message
            .blocks
            .iter()
            .filter_map(|it| match it {
                Block::Text { text } => Some(view("says", text)),
                Block::ToolUse { name, input, .. } => Some(StepView {
                    tool: Some(clean::line(name)),
                    ..view("calls", &input.to_string())
                }),
                Block::ToolResult { .. } | Block::Opaque(_) => None,
            })
            .collect(),
        StepBody::Result { content, is_error, .. } => {
            vec![StepView { is_error, ..view("result", &content) }]
        }
        StepBody::Note { text, .. } => vec![view("note", &text)],
        StepBody::Started { .. } | StepBody::Elided { .. } => Vec::new(),
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_only_as_text() {
        assert_eq!(shown(Some(b"a\n".to_vec())), (Some("a\n".to_owned()), None));
        for bytes in
            [None, Some(vec![0xff]), Some(vec![b'a', 0]), Some(vec![b'a'; FILE_BYTES_MAX + 1])]
        {
            let (text, why) = shown(bytes);
            assert!(text.is_none() && why.is_some());
        }
    }
}
