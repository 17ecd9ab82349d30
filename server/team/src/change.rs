//! What git reported: where a task starts, what it changed, the candidate, and the plan of a landing.
//! Hashes and paths are text; this crate never looks behind them.

use crate::ids::{CommitId, TreeId};
use serde::{Deserialize, Serialize};

/// Where a task starts from: B and S of the four commits, and where it shall land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// B: the target branch's commit at delegation.
    pub base: CommitId,
    /// S: parent B, tree = what the person saw. Equal to B when nothing differed.
    pub seen: CommitId,
    pub seen_tree: TreeId,
    pub target: Target,
    /// For people: `HEAD abc123 + 3 changed + 1 unsaved`.
    pub says: String,
    /// Paths left out of S, each with the reason.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The branch that HEAD named, by full ref name.
    Branch(String),
    /// HEAD was detached, or the person wants a branch: a new one is made at the candidate; no
    /// checkout is touched. Full ref name.
    NewBranch(String),
}

impl Target {
    pub fn reference(&self) -> &str {
        match self {
            Target::Branch(name) | Target::NewBranch(name) => name,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    Added,
    Deleted,
    Modified,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Relative to the root of the repository, `/` between parts.
    pub path: String,
    pub kind: FileKind,
    pub added: u32,
    pub removed: u32,
}

/// What the server observed of an Engineer's head (S..H), judged by the gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeFacts {
    pub head: CommitId,
    pub tree: TreeId,
    /// The head descends from S.
    pub descends: bool,
    pub files: Vec<FileChange>,
    /// Changed paths that no agent may write.
    pub protected: Vec<String>,
    /// Sentences: how tests were weakened (deleted, ignored, assertions removed).
    pub weakened: Vec<String>,
    /// Changed paths that the plan, where there is one, doesn't name; neither tests nor documentation.
    #[serde(default)]
    pub outside: Vec<String>,
}

/// What the server saw of a plan's paths in S.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Sentences: paths that can't stand in a plan.
    pub wrong: Vec<String>,
    /// Paths of the plan where a mistake is dear.
    pub risk: Vec<String>,
}

/// What the server saw of Marketing's head, H'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotesFacts {
    /// S..H'.
    pub change: ChangeFacts,
    /// H..H': Marketing's own part.
    pub files: Vec<FileChange>,
}

/// What the server observed of what was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facts {
    Plan(PlanFacts),
    Change(ChangeFacts),
    Notes(NotesFacts),
    /// Citations that name nothing in S, each with the reason.
    Citations {
        wrong: Vec<String>,
    },
}

/// SHA-256 over the sorted (path, mode, removed and added lines) of tip..candidate, hex. The same
/// change on another tip has the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeId(pub String);

/// L: exactly one parent, the target's tip; tree = merge of (base S, ours the tip, theirs H).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub commit: CommitId,
    pub tree: TreeId,
    /// L's only parent. For a new branch: B.
    pub tip: CommitId,
    /// H.
    pub head: CommitId,
    pub change: ChangeId,
    pub files: Vec<FileChange>,
    /// What a person can choose of it, in the order in which it is shown.
    #[serde(default)]
    pub hunks: Vec<FileHunks>,
    /// Changed paths that run by themselves (build scripts, CI, editor settings, ...): each needs a
    /// tick of its own.
    pub acts: Vec<String>,
    /// Changed paths where a mistake is dear (auth, payments, migrations, CI, public API).
    pub risk: Vec<String>,
    /// Your files that differ from the tip on a changed path, where a clean three-way merge into the
    /// file is possible: each needs a tick.
    pub merges: Vec<String>,
    /// Why it cannot land on the branch as things are (staged path, untracked file in the way, ...).
    pub blocked: Vec<String>,
    /// What the person should know: hooks that will not run, a commit that will not be signed.
    pub notes: Vec<String>,
}

/// Parts of one file's change, each of which makes sense by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHunks {
    /// Relative to the root of the repository, `/` between parts.
    pub path: String,
    /// Ids; one alone where the file goes whole (added, deleted, renamed, binary, another mode).
    pub hunks: Vec<String>,
}

/// The hunks of all these files.
pub fn count(files: &[FileHunks]) -> usize {
    files.iter().map(|it| it.hunks.len()).sum()
}

/// A side of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Old,
    New,
}

/// What a person says about one line of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    pub path: String,
    /// Counted from 1.
    pub line: u32,
    pub side: Side,
    /// The line itself, as the server read it.
    pub quoted: String,
    pub text: String,
}

impl Candidate {
    /// Added and removed lines over all files.
    pub fn lines(&self) -> (u32, u32) {
        lines(&self.files)
    }
}

/// Added and removed lines over these files.
pub fn lines(files: &[FileChange]) -> (u32, u32) {
    files.iter().fold((0, 0), |(a, r), it| (a + it.added, r + it.removed))
}

/// One path of a landing or of an apply: enough to finish it forward after a crash, and to run it
/// backwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPath {
    pub path: String,
    /// Git file mode to write (0o100644, 0o100755, 0o120000); 0 deletes.
    pub mode: u32,
    pub mode_before: u32,
    /// Blob in Baton's store that the file held before; `None`: no file.
    pub before: Option<String>,
    /// Blob that the file holds afterwards; `None`: deleted.
    pub after: Option<String>,
    /// L's blob for the index; `None`: leave the index alone (apply as edits).
    pub index: Option<String>,
    /// This path goes to an editor's buffer through `workspace/applyEdit`, not to the file.
    pub buffer: bool,
}
