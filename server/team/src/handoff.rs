//! What a role does and what it leaves for the next one. Each duty has its own deliverable, so a
//! Tester cannot hand over a commit and an Engineer cannot pass its own work.

use crate::ids::{CommitId, Millis, ReceiptId};
use serde::{Deserialize, Serialize};

/// What a run is for. Decides which single hand-over tool is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Duty {
    Triage,
    Design,
    Build,
    Validate,
    Answer,
    Announce,
}

/// A name with a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    Pm,
    Architect,
    Engineer,
    Tester,
    Marketing,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Pm => "PM",
            Role::Architect => "Architect",
            Role::Engineer => "Engineer",
            Role::Tester => "Tester",
            Role::Marketing => "Marketing",
        }
    }

    /// Who does this duty.
    pub fn of(duty: Duty) -> Role {
        match duty {
            Duty::Triage => Role::Pm,
            Duty::Design | Duty::Answer => Role::Architect,
            Duty::Build => Role::Engineer,
            Duty::Validate => Role::Tester,
            Duty::Announce => Role::Marketing,
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

    pub fn by_name(name: &str) -> Option<Class> {
        let name = name.trim().to_ascii_lowercase();
        Class::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The one that does less before somebody has looked: a person's own task and a question change
    /// nothing, a feature or a refactoring is designed first.
    pub fn safer(self, other: Class) -> Class {
        let bold = |it: Class| match it {
            Class::NeedsHuman => 0,
            Class::Question => 1,
            Class::Feature => 2,
            Class::Refactor => 3,
            Class::Bug => 4,
            Class::Docs => 5,
            Class::Chore => 6,
        };
        if bold(other) < bold(self) { other } else { self }
    }
}

/// How a change shall be made, before anybody makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub approach: String,
    /// Alternatives, each with the reason why not.
    pub rejected: Vec<String>,
    /// Globs, relative to the root of the repository: what the change may touch. Tests and
    /// documentation beside them go without saying.
    pub paths: Vec<String>,
    /// How it will be shown that the change is right.
    pub tests: String,
    pub assumptions: Vec<String>,
    /// What was decided, each with the reason after ` because `.
    pub decisions: Vec<String>,
}

/// What Marketing leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notes {
    /// Nobody who uses the project will notice the change; why.
    Nothing { why: String },
    /// Documentation alone was changed, on top of the validated head. The head is what git reported.
    Written { head: CommitId, summary: String },
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
        /// A class that fits as well: then a person chooses.
        or_class: Option<Class>,
        /// Whoever uses the project will notice the change.
        is_visible: bool,
    },
    Designed {
        plan: Plan,
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
        /// `path:line`, each in the commit that the person saw.
        citations: Vec<String>,
    },
    Announced {
        notes: Notes,
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
            Handoff::Designed { .. } => Some(Duty::Design),
            Handoff::Changed { .. } => Some(Duty::Build),
            Handoff::Validated { .. } => Some(Duty::Validate),
            Handoff::Answered { .. } => Some(Duty::Answer),
            Handoff::Announced { .. } => Some(Duty::Announce),
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
    /// A rule: the person's own, set when delegating, or one of the house.
    Rule,
    /// A role, within what it was asked to do.
    Role(Role),
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

/// What a question is about, and so what its answer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// The asking role's own work: it goes on with the answer.
    #[default]
    Work,
    /// Two classes fit the task: the answer is the class.
    Class { one: Class, other: Class },
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
