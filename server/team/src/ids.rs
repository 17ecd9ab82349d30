//! Typed ids. Small numbers, unique within a hub, printed `T17 R42 A3 Q2`, so a person can say them
//! aloud; and the hashes that name what git stores.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Unix time in milliseconds.
pub type Millis = u64;

/// An id that counts: the n-th of its kind has number n.
pub trait Numbered: Copy + Ord {
    fn number(self) -> u32;
    fn of(number: u32) -> Self;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl Numbered for $name {
            fn number(self) -> u32 {
                self.0
            }

            fn of(number: u32) -> $name {
                $name(number)
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let digits = text.strip_prefix($prefix).or(text.strip_prefix(&$prefix.to_lowercase()));
                digits.unwrap_or(text).parse().map($name).map_err(|_| {
                    format!(concat!("`{}` is no id; ids look like ", $prefix, "1"), text)
                })
            }
        }
    };
}

id!(TaskId, "T");
id!(
    /// One run of a role, or one round of checks. Never reused: the late result of a lost run carries
    /// an id that is no longer live and is refused.
    RunId,
    "R"
);
id!(ApprovalId, "A");
id!(QuestionId, "Q");
id!(
    /// The n-th decision of the log, counted from 1.
    DecisionId,
    "D"
);
id!(
    /// The n-th fact that was learned, counted from 1.
    FactId,
    "F"
);

id!(
    /// The n-th time that a task ended, counted from 1.
    EndingId,
    "E"
);

/// A git commit: full hash text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommitId(pub String);

/// A git tree: full hash text. Equal trees hold equal files, so evidence on one holds on the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreeId(pub String);

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The n-th receipt of a run, counted from 1; printed `R4.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReceiptId {
    pub run: RunId,
    pub n: u32,
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.n)
    }
}

impl FromStr for ReceiptId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no receipt; receipts look like R4.3");
        let (run, n) = text.trim().split_once('.').ok_or_else(wrong)?;
        let run = run.parse().map_err(|_| wrong())?;
        Ok(ReceiptId { run, n: n.parse().map_err(|_| wrong())? })
    }
}
