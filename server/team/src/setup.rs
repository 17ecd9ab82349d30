//! What a check needs besides a commit: packages that a set-up command fetches, and a memory of tests
//! that can't be trusted for now.

use crate::ids::{CommitId, FactId, Millis, ReceiptId};
use serde::{Deserialize, Serialize};

/// How long a flaky test does not count, one way or the other.
pub const QUARANTINE_MS: Millis = 14 * 24 * 60 * 60 * 1000;
/// How often a red check is run once more on the same files.
pub const RERUNS_MAX: usize = 2;

/// One command that fetches what a project needs: the only step with a network. A person approves it
/// once for each content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    pub argv: Vec<String>,
    /// It runs on the files of this commit.
    pub commit: CommitId,
    /// The manifests and lock files that it goes by, as found there.
    pub files: Vec<String>,
    /// SHA-256 over the command and the content of those files, hex.
    pub content: String,
    /// What is missing without it.
    pub why: String,
}

/// A test that failed and passed on the same files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub id: FactId,
    pub check: String,
    pub test: String,
    /// The runs that differ.
    pub receipts: Vec<ReceiptId>,
    /// From then on it counts again.
    pub until: Millis,
}

/// Whether two people mean the same test: one name is the other or the end of it, whatever stands
/// between the parts.
pub fn is_same_test(full: &str, name: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let text = text.replace(".py::", "::");
        let all = text.split(|it: char| !it.is_alphanumeric() && it != '_');
        all.filter(|it| !it.is_empty()).map(String::from).collect()
    };
    let (full, name) = (parts(full), parts(name));
    !name.is_empty() && (full.ends_with(&name) || name.ends_with(&full))
}

/// `2026-05-04`, in UTC.
pub fn date(at: Millis) -> String {
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let days = at / 86_400_000 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (d, m) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let y = era * 400 + year + u64::from(m <= 2);
    format!("{y:04}-{m:02}-{d:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, text) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_709_164_800_000, "2024-02-29"),
            (1_735_689_599_999, "2024-12-31"),
            (4_102_444_800_000, "2100-01-01"),
        ] {
            assert_eq!(date(at), text);
        }
    }

    #[test]
    fn a_test_is_the_same_by_its_end() {
        assert!(is_same_test("tests/test_a.py::T::test_x", "T.test_x"));
        assert!(is_same_test("a::b", "crate::a::b"));
        assert!(
            !is_same_test("a::b", "bb") && !is_same_test("a::b", "") && !is_same_test("a::b", "a")
        );
    }
}
