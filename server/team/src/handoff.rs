//! What a role does and what it leaves for the next one. Each duty has its own deliverable, so a
//! Tester cannot hand over a commit and an Engineer cannot pass its own work.

use crate::ids::{CommitId, Millis, ReceiptId};
use serde::{Deserialize, Serialize};

/// What a run is for. Decides which single hand-over tool is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Duty {
    Triage,
    Build,
    Validate,
    Answer,
}

/// A name with a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    Pm,
    Architect,
    Engineer,
    Tester,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Pm => "PM",
            Role::Architect => "Architect",
            Role::Engineer => "Engineer",
            Role::Tester => "Tester",
        }
    }

    /// Who does this duty.
    pub fn of(duty: Duty) -> Role {
        match duty {
            Duty::Triage => Role::Pm,
            Duty::Build => Role::Engineer,
            Duty::Validate => Role::Tester,
            Duty::Answer => Role::Architect,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    Bug,
    Feature,
    Refactor,
    Docs,
    Chore,
    Question,
    NeedsHuman,
}

impl Class {
    pub const ALL: [Class; 7] = [
        Class::Bug,
        Class::Feature,
        Class::Refactor,
        Class::Docs,
        Class::Chore,
        Class::Question,
        Class::NeedsHuman,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Class::Bug => "bug",
            Class::Feature => "feature",
            Class::Refactor => "refactor",
            Class::Docs => "docs",
            Class::Chore => "chore",
            Class::Question => "question",
            Class::NeedsHuman => "needs-human",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Pass,
    Fail,
}

/// A completion signal. Free text never completes a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handoff {
    Triaged {
        class: Class,
        severity: Severity,
        summary: String,
        criteria: Vec<String>,
    },
    /// The head is what git reported, never what the model said.
    Changed {
        head: CommitId,
        summary: String,
        look_first: String,
        risks: Vec<String>,
    },
    Validated {
        verdict: Verdict,
        head: CommitId,
        receipts: Vec<ReceiptId>,
        notes: String,
    },
    Answered {
        text: String,
        citations: Vec<String>,
    },
    /// The role can't go on and says why.
    Declined {
        why: String,
    },
}

impl Handoff {
    /// The duty whose deliverable this is; `None`: any duty may hand it over.
    pub fn duty(&self) -> Option<Duty> {
        match self {
            Handoff::Triaged { .. } => Some(Duty::Triage),
            Handoff::Changed { .. } => Some(Duty::Build),
            Handoff::Validated { .. } => Some(Duty::Validate),
            Handoff::Answered { .. } => Some(Duty::Answer),
            Handoff::Declined { .. } => None,
        }
    }
}

/// A choice somebody made. Superseded, never edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub by: By,
    pub what: String,
    pub why: String,
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// A person, and through which door (`terminal`, `editor`).
    Person { door: String },
    /// The rule that the person set when delegating.
    Rule,
    /// A question's default, after its deadline.
    Deadline,
}

/// A question to the person: 2-4 options, one of them the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub text: String,
    pub options: Vec<String>,
    /// Index into `options`.
    pub default: u32,
    /// What happens at the deadline: go on with the default, or park.
    pub proceed: bool,
    pub deadline_at: Millis,
    /// What it costs to be wrong.
    pub stakes: String,
}

/// The tests that show a bug, as the server saw them fail at a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repro {
    pub commit: CommitId,
    /// Test names.
    pub tests: Vec<String>,
    /// The receipt of the failing run.
    pub receipt: ReceiptId,
    /// They ran and failed by name. False: it did not even build there, which is weak evidence.
    pub strong: bool,
}
