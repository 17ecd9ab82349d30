//! An answer to an approval as the wire has it, made into one that the rules understand: the hunks by
//! their ids, the comments with the text of their lines.

use super::errors;
use super::requests::{no_task, sides};
use crate::hub::{Hub, blocking};
use crate::protocol::{AnswerApprovalParams, LineComment};
use std::collections::BTreeMap;
use team::{
    Answer, Approval, Candidate, Code, Comment, CommitId, Failure, FileHunks, Side, Subject,
};
use tower_lsp::jsonrpc::Result;

const ANSWERS: &str = "`answer` is `approve`, `apply`, `revise`, `rebuild` or `reject`";

/// Any word that is no answer is refused: nothing unknown ever counts as a yes or a no. Nor does a
/// choice that belongs to another answer.
pub fn named(params: &AnswerApprovalParams) -> Result<()> {
    let says_nothing = params.text.as_deref().unwrap_or_default().trim().is_empty();
    match params.answer.as_str() {
        "approve" | "apply" | "rebuild" | "reject" | "revise" => {}
        _ => return Err(errors::invalid(ANSWERS)),
    }
    if params.answer != "approve" && params.hunks.is_some() {
        return Err(errors::invalid("`hunks` belong to `approve`; any other answer is for all"));
    }
    if params.answer != "revise" && !params.comments.is_empty() {
        return Err(errors::invalid("`comments` belong to `revise`: nothing else sends them on"));
    }
    if params.answer == "revise" && says_nothing && params.comments.is_empty() {
        return Err(errors::invalid("to send it back, say in `text` what to do differently"));
    }
    Ok(())
}

/// The answer; `asked`: what it answers, where there is such an approval.
pub async fn read(
    hub: &Hub,
    asked: Option<&Approval>,
    params: &AnswerApprovalParams,
) -> Result<Answer> {
    let text = params.text.clone().unwrap_or_default();
    let ticked = params.ticked.clone();
    Ok(match params.answer.as_str() {
        "approve" => match &params.hunks {
            None => Answer::Approve { ticked },
            Some(_) => Answer::ApproveSome { ticked, hunks: hunks(asked, params) },
        },
        "apply" => Answer::Apply,
        "revise" => {
            Answer::Revise { text, comments: comments(hub, asked, &params.comments).await? }
        }
        "rebuild" => Answer::Rebuild,
        "reject" => Answer::Reject { why: text },
        _ => return Err(errors::invalid(ANSWERS)),
    })
}

/// Where all hunks of a file are meant, they are named.
fn hunks(asked: Option<&Approval>, params: &AnswerApprovalParams) -> Vec<FileHunks> {
    let offered = match asked.map(|it| &it.subject) {
        Some(Subject::Landing { candidate: Candidate { hunks, .. }, .. }) => hunks.as_slice(),
        Some(
            Subject::Edits { .. }
            | Subject::Commands { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. }
            | Subject::Setup { .. },
        )
        | None => &[],
    };
    let all = |path: &str| {
        let file = offered.iter().find(|it| it.path == path);
        file.map(|it| it.hunks.clone()).unwrap_or_default()
    };
    let chosen = params.hunks.iter().flatten();
    chosen
        .map(|it| FileHunks {
            path: it.path.clone(),
            hunks: it.hunks.clone().unwrap_or_else(|| all(&it.path)),
        })
        .collect()
}

/// The comments with the text of their lines, as the server reads them.
async fn comments(
    hub: &Hub,
    asked: Option<&Approval>,
    comments: &[LineComment],
) -> Result<Vec<Comment>> {
    let (Some(asked), false) = (asked, comments.is_empty()) else {
        return Ok(Vec::new());
    };
    let team = hub.team();
    let task = team.task(asked.task).ok_or_else(|| no_task(asked.task))?;
    let Some((from, to)) = sides(&team, task) else {
        return Err(errors::refused(format!("{} has not changed anything yet", asked.task)));
    };
    let mut wanted = Vec::new();
    for it in comments {
        let side = match it.side.as_deref() {
            None | Some("to") => Side::New,
            Some("from") => Side::Old,
            Some(_) => return Err(errors::invalid("`side` of a comment is `from` or `to`")),
        };
        wanted.push((it.clone(), side));
    }
    let git = hub.git().clone();
    let read = blocking(move || {
        let mut files: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
        let mut res = Vec::new();
        for (it, side) in wanted {
            let commit: &CommitId = if side == Side::New { &to } else { &from };
            let lines = match files.entry((it.path.clone(), side == Side::New)) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let text = git.read(commit, &it.path)?.unwrap_or_default();
                    let text = String::from_utf8_lossy(&text).into_owned();
                    new.insert(text.lines().map(str::to_owned).collect())
                }
            };
            let at = it.line.checked_sub(1).and_then(|it| usize::try_from(it).ok());
            let Some(line) = at.and_then(|it| lines.get(it)) else {
                let text = format!("find {}:{} on this side of the change", it.path, it.line);
                return Err(Failure::new(Code::Config, text).hint("lines are counted from 1"));
            };
            let quoted = line.chars().take(QUOTED_CHARS_MAX).collect();
            let LineComment { path, line, text, .. } = it;
            res.push(Comment { path, line, side, quoted, text });
        }
        Ok(res)
    });
    read.await.map_err(errors::unknown)
}

/// So much of a line is repeated to whoever it goes back to.
const QUOTED_CHARS_MAX: usize = 200;
