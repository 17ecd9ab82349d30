//! Which landing a line comes from: blame, no further back than the first landing there was.

use super::{Doing, Git, commit_id, oid};
use git2::{BlameOptions, ErrorCode};
use std::path::Path;
use team::{CommitId, Failure};

/// The trailer of a landed commit that names its task.
const TASK_TRAILER: &str = "Baton-Task";

/// Lines of a file that a landing wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedLines {
    /// Counted from 1, both ends included.
    pub first_line: usize,
    pub last_line: usize,
    pub commit: CommitId,
    /// As the commit's trailer has it.
    pub task: String,
}

impl Git {
    /// The commit that HEAD is at.
    pub fn tip(&self) -> Result<CommitId, Failure> {
        let user = self.user()?;
        let head = user.head().and_then(|it| it.peel_to_commit()).doing("read HEAD")?;
        Ok(commit_id(head.id()))
    }

    /// The branch that HEAD names, by full ref name; `None`: it is detached.
    pub fn checked_out(&self) -> Result<Option<String>, Failure> {
        let user = self.user()?;
        let head = user.find_reference("HEAD").doing("read HEAD")?;
        Ok(head.symbolic_target().ok().flatten().map(str::to_owned))
    }

    /// The lines of this text of a file that a landing at or after `oldest` wrote, in order. Lines
    /// that were changed since, committed or not, are not among them. A file that HEAD doesn't hold has
    /// none.
    pub fn landed_lines(
        &self,
        path: &str,
        text: &[u8],
        oldest: &CommitId,
    ) -> Result<Vec<LandedLines>, Failure> {
        let user = self.user()?;
        let mut options = BlameOptions::new();
        options.oldest_commit(oid(&oldest.0)?);
        let blamed = match user.blame_file(Path::new(path), Some(&mut options)) {
            Ok(blamed) => blamed,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).doing("blame a file"),
        };
        let now = blamed.blame_buffer(text).doing("blame a buffer")?;
        let mut res = Vec::new();
        for hunk in now.iter() {
            let id = hunk.final_commit_id();
            // Not committed; or older than what was looked at.
            if id.is_zero() || hunk.is_boundary() {
                continue;
            }
            let Ok(commit) = user.find_commit(id) else { continue };
            let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
            let Ok(trailers) = git2::message_trailers_strs(&message) else { continue };
            let named = trailers.iter().find(|it| it.0 == TASK_TRAILER);
            if let Some((_, task)) = named {
                let first_line = hunk.final_start_line();
                let last_line = first_line + hunk.lines_in_hunk().saturating_sub(1);
                let task = task.to_owned();
                res.push(LandedLines { first_line, last_line, commit: commit_id(id), task });
            }
        }
        Ok(res)
    }
}
