//! What a run said and did, as it was journalled and as it streams; a side of a change; and who is
//! needed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for the steps of a run, from a cursor on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranscriptParams {
    pub repository: Option<String>,
    /// `R4`.
    pub run: String,
    /// The first step that is wanted, counted from 0; absent: the first.
    pub from: Option<u32>,
}

/// Some steps of a run, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranscriptView {
    pub repository: String,
    pub run: String,
    pub steps: Vec<StepView>,
    /// Where to go on; the same again once a live run has made more steps. Absent: the run is over and
    /// this is all.
    pub next: Option<u32>,
}

/// One thing that was said or done in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// The step of the journal; several things of one step have one number.
    pub n: u32,
    /// `brief`, `says`, `calls`, `result` or `note`.
    pub kind: String,
    /// The words, the arguments or the output; cut where it is long.
    pub text: String,
    /// The tool, of `calls`.
    pub tool: Option<String>,
    /// Of `result`: the tool refused or failed.
    pub is_error: bool,
    pub at: u64,
}

/// Asks for one side of a change, for the editor's own view of differences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileParams {
    pub repository: Option<String>,
    /// `T17`.
    pub task: String,
    /// Relative to the root of the repository.
    pub path: String,
    /// `from` or `to`, as `baton/diff` names the sides.
    pub side: String,
}

/// One side of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    pub repository: String,
    pub task: String,
    pub path: String,
    pub commit: String,
    /// Absent: there is no such file on this side, it is no text, or it is too large to be shown.
    pub text: Option<String>,
    /// Why there is no text.
    pub why: Option<String>,
}

/// Begins or ends the watching of a run; a watched run streams what it says and does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchParams {
    pub repository: Option<String>,
    /// `R4`.
    pub run: String,
    pub on: bool,
}

/// Whether a run is watched now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchResult {
    pub repository: String,
    pub run: String,
    pub on: bool,
}

/// What the watched runs said and did since the last of these; each run stands here once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunProgressParams {
    pub runs: Vec<RunProgress>,
}

/// What one watched run said and did. The journal has all of it afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunProgress {
    pub repository: String,
    pub run: String,
    /// What the model said, to be appended.
    pub says: String,
    /// The tool calls that began, a line each.
    pub does: Vec<String>,
    /// Hand-overs that were sent back, each with the reason.
    pub refused: Vec<String>,
    /// Why the run waits for its provider.
    pub waits: Option<String>,
    /// How long it waits, in milliseconds.
    pub wait_ms: u64,
    /// A reply of the model's is whole.
    pub replied: bool,
    /// Something was left out, since this client or the run was too quick: ask `baton/transcript`.
    pub lost: bool,
}

/// Somebody is needed. It points; nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttentionParams {
    pub repository: String,
    /// `approval`, `question` or `parked`.
    pub kind: String,
    pub task: String,
    /// The approval or the question.
    pub id: Option<String>,
    /// One line for people.
    pub says: String,
}
