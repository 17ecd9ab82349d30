//! What each tool takes. The schemas that models see are derived from these types; the words on the
//! fields are part of every prompt, so they are short.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadFile {
    /// Or a receipt, `R3.1`: its output.
    pub path: String,
    /// From 1.
    pub first_line: Option<u32>,
    /// At most 250.
    pub lines: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindFiles {
    /// E.g. `*.rs` or `src/**/test_*`.
    pub glob: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Regular expression (Rust syntax).
    pub pattern: String,
    pub glob: Option<String>,
    /// Folder, file or receipt to search in.
    pub path: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditFile {
    pub path: String,
    /// Text to replace, copied exactly, with enough lines around it to occur once.
    pub old: String,
    pub new: String,
    /// Refuse if the file's blob is another one.
    pub expected_blob: Option<String>,
    /// Replace every occurrence.
    pub all: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyPatch {
    /// From `*** Begin Patch` to `*** End Patch`.
    pub patch: String,
    /// `PATH BLOB`: refuse if a file's blob is another one.
    pub expected_blobs: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    pub path: String,
    /// The whole new content.
    pub text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunCommand {
    /// Shell line. Give this or `argv`.
    pub command: Option<String>,
    pub argv: Option<Vec<String>>,
    /// Folder to run in; the root unless given.
    pub dir: Option<String>,
    /// At most 600; 120 unless given.
    pub timeout_s: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunCheck {
    /// As listed in the brief.
    pub name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowDiff {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Names of the tests that fail because of the bug.
    pub tests: Vec<String>,
    pub note: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    pub question: String,
    /// 2 to 4 answers to choose from.
    pub options: Vec<String>,
    /// The safest of the options, word for word.
    pub default: String,
    /// What it costs to choose wrongly.
    pub stakes: String,
    /// Go on with the default if nobody answers in time.
    pub proceed: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    pub why: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassName {
    Bug,
    Feature,
    Refactor,
    Docs,
    Chore,
    Question,
    NeedsHuman,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeverityName {
    Low,
    Medium,
    High,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverTriage {
    pub class: ClassName,
    pub severity: SeverityName,
    /// One or two sentences: what is wrong or wanted, and where.
    pub summary: String,
    /// Testable statements that are true when it is done.
    pub criteria: Vec<String>,
    /// A second class that fits as well; then the person chooses.
    pub or_class: Option<ClassName>,
    /// False: nobody who uses the project will notice.
    pub user_visible: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverPlan {
    /// What is changed and how, in the order of the work.
    pub approach: String,
    /// Globs of the files and folders that the change may touch.
    pub paths: Vec<String>,
    /// Which tests show each criterion.
    pub tests: String,
    /// Alternatives, each with why not.
    pub rejected: Option<Vec<String>>,
    pub assumptions: Option<Vec<String>>,
    /// Each as `what because why`.
    pub decisions: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverNotes {
    /// What the notes say; or why there is nothing to announce.
    pub summary: String,
    /// True: nothing was written and nothing needs to be.
    pub nothing: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverChange {
    /// What was wrong and what the change does.
    pub summary: String,
    /// `path:line` a reviewer should read first, and why.
    pub look_first: Option<String>,
    pub risks: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    Pass,
    Fail,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverVerdict {
    pub verdict: VerdictName,
    /// The `head:` of the brief, in full.
    pub head: String,
    /// Receipts the verdict rests on, e.g. `R3.1`.
    pub receipts: Vec<String>,
    /// What was tried and seen; for a fail, how to reproduce it.
    pub notes: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverAnswer {
    pub text: String,
    /// `path:line` for each claim.
    pub citations: Vec<String>,
}
