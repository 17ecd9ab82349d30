//! What a task changes, by file and hunk. The door that asks git fills these in.

use super::board::FileLineView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole change of a task, never an increment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffView {
    pub repository: String,
    pub task: String,
    /// The commit on the left side.
    pub from: String,
    /// The commit on the right side: the candidate, or the Engineer's head before there is one.
    pub to: String,
    pub files: Vec<FileDiffView>,
    /// The same as a unified diff, as `git apply` reads it.
    pub patch: String,
}

/// One file's change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileDiffView {
    pub file: FileLineView,
    /// Where it was before it was renamed.
    pub old_path: Option<String>,
    /// What an answer can choose of it, in order: one id for each hunk, or one alone for all of it.
    pub ids: Vec<String>,
    /// Why it can only be taken whole, where that is so (`it is new`, `it is renamed`, ...).
    pub whole: Option<String>,
    pub hunks: Vec<HunkView>,
}

/// Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HunkView {
    /// Names it in an answer that takes some hunks only. The same lines keep it, wherever they stand. In
    /// a file that goes whole every hunk has the file's.
    pub id: String,
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    /// Lines with ` `, `+` or `-` in front.
    pub text: String,
}
