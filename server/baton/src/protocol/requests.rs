//! Params and results of the `baton/*` requests and notifications.

use super::board::BoardView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A position in a document, as in LSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PositionAt {
    /// Counted from 0.
    pub line: u32,
    /// In the units that `initialize` agreed on.
    pub character: u32,
}

/// A range in a document, as in LSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeIn {
    pub start: PositionAt,
    pub end: PositionAt,
}

/// A document, as in LSP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentNamed {
    pub uri: String,
}

/// A problem as an editor shows it; LSP's `Diagnostic` fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub range: Option<RangeIn>,
    pub message: String,
    /// Who reported it, e.g. `rustc`.
    pub source: Option<String>,
}

/// Gives the team a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DelegateParams {
    /// Needed only where neither the document nor a single workspace folder says which.
    pub repository: Option<String>,
    /// The person's words. Absent: the selection or the line speaks for itself.
    pub text: Option<String>,
    pub text_document: Option<DocumentNamed>,
    pub range: Option<RangeIn>,
    #[serde(default)]
    pub diagnostics: Vec<Problem>,
    /// `selection`, `diagnostic`, `todo`, `tests` or `question`: what is wanted of the place;
    /// `commandLine`: no place, words alone. Absent: told from the range.
    pub origin: Option<String>,
    /// `seen` (the default: what the editor shows, unsaved text too) or `head` (the last commit).
    pub base: Option<String>,
    /// It may land by itself under the strict rule.
    #[serde(default)]
    pub land_by_rule: bool,
    /// What the person calls it: `bug`, `feature`, `refactor`, `docs`, `chore` or `question`. Absent: the
    /// team decides.
    pub class: Option<String>,
    /// What it may use at most: `0.50` (US dollars), `200k tokens`, or both with a comma between. It only
    /// lowers the configured limits; a higher one is refused.
    pub budget: Option<String>,
    /// Made up by the client: a second request with the same key gives the same task.
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DelegateResult {
    pub repository: String,
    /// `T17`.
    pub task: String,
    /// For people, where the words alone say what kind of task it is and five of that kind have ended:
    /// `about 4 min, $0.30; 7 of your last 9 bugs landed`.
    #[serde(default)]
    pub expects: Option<String>,
}

/// Asks for the board of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoardParams {
    /// Absent: the only one that is open.
    pub repository: Option<String>,
}

/// Names a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskParams {
    /// Absent: the only one that is open.
    pub repository: Option<String>,
    /// `T17`.
    pub task: String,
}

/// Answers an approval. The first answer decides; a later one is refused and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerApprovalParams {
    pub repository: Option<String>,
    /// `A3`.
    pub approval: String,
    /// As the approval showed it.
    pub revision: Option<String>,
    /// `approve`, `apply`, `revise`, `rebuild` or `reject`. Any other word is refused.
    pub answer: String,
    /// For `approve`: the paths that needed a tick and got it.
    #[serde(default)]
    pub ticked: Vec<String>,
    /// For `approve` of a landing: these hunks alone, as `baton/diff` names them; the others are left.
    /// Their candidate is checked by itself; green it lands under this answer, else the whole change is
    /// asked about again. Absent: all of it.
    pub hunks: Option<Vec<ChosenHunks>>,
    /// For `revise`: what to do differently; for `reject`: why.
    pub text: Option<String>,
    /// For `revise`: what is said about single lines; `text` may be absent then.
    #[serde(default)]
    pub comments: Vec<LineComment>,
}

/// What is taken of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenHunks {
    /// Relative to the root of the repository.
    pub path: String,
    /// Ids of hunks. Absent: all of the file's.
    pub hunks: Option<Vec<String>>,
}

/// What a person says about one line of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineComment {
    /// Relative to the root of the repository.
    pub path: String,
    /// Counted from 1.
    pub line: u32,
    /// `to` (the default: the line as it would land) or `from` (as it was), as in `baton/file`.
    pub side: Option<String>,
    /// The line itself is added by the server. All comments with `text` and their lines: at most 3,900
    /// characters.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerApprovalResult {
    pub repository: String,
    pub approval: String,
    pub task: String,
    /// For people: what was decided.
    pub says: String,
}

/// Answers a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerQuestionParams {
    pub repository: Option<String>,
    /// `Q2`.
    pub question: String,
    pub text: String,
}

/// Tells something to whoever works on a task: the run under way hears it before its model is asked
/// next; where none is, the next one does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SayParams {
    pub repository: Option<String>,
    /// `T17`.
    pub task: String,
    /// At most 4,000 characters.
    pub text: String,
}

/// What a request about a task did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoneResult {
    pub repository: String,
    /// `T17`.
    pub task: String,
    /// For people.
    pub says: String,
}

/// The board is now at `version`. Level-triggered: a client that missed ten is right after one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BoardChangedParams {
    pub repository: String,
    pub version: u64,
    /// The board itself, where it is small enough; else ask with `baton/board`.
    pub board: Option<BoardView>,
}

/// `data` of an error of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// `refused`, `failed`, `opening` or `unknown`.
    pub kind: String,
    /// What exactly, as a stable name: `alreadyAnswered`, `needsTicks`, `Locked`, ...; may be empty.
    #[serde(default)]
    pub what: String,
    /// The same request may succeed later.
    pub retryable: bool,
    /// What to do next; may be empty.
    pub hint: String,
}

/// What `initialize` offers under `capabilities.experimental.baton`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatonOffer {
    pub protocol_version: u32,
    pub version: String,
    /// The requests that are understood.
    pub requests: Vec<String>,
    pub notifications: Vec<String>,
}

/// What a client may announce under `capabilities.experimental.baton`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatonWish {
    /// The newest protocol the client speaks; unset: 1.
    pub protocol_version: Option<u32>,
    /// False: no `window/showMessage` about approvals and ends; the client shows them itself.
    pub show_message: Option<bool>,
    /// True: `baton/runProgress` tells of every run, watched or not.
    pub run_progress: Option<bool>,
    /// `terminal` for the command line; what is decided here is recorded under it. Absent: `editor`.
    pub door: Option<String>,
}
