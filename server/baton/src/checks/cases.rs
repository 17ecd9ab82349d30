//! Single tests as a report names them, what they add up to, and which of them a name means.

use std::collections::BTreeSet;
use team::{Outcome, Tests};

/// Most failing names that are kept.
const FAILING_MAX: usize = 200;
/// Most cases of one report whose names are kept; those after them are only counted.
const CASES_MAX: usize = 200_000;
/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 500;
/// Stands between the parts of a name once its own separators are gone.
const PART: char = '\u{1f}';

/// How one test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Failed,
    /// Skipped, ignored, to be written.
    Ignored,
}

struct Case {
    name: String,
    /// Another name that people know it by.
    also: Option<String>,
    ending: Ending,
}

#[derive(Default)]
pub(super) struct Cases {
    all: Vec<Case>,
    passed: u32,
    failed: u32,
    ignored: u32,
    trouble: Option<String>,
}

impl Cases {
    pub(super) fn add(&mut self, name: &str, also: Option<&str>, ending: Ending) {
        let count = match ending {
            Ending::Passed => &mut self.passed,
            Ending::Failed => &mut self.failed,
            Ending::Ignored => &mut self.ignored,
        };
        *count = count.saturating_add(1);
        if self.all.len() < CASES_MAX {
            let also = also.filter(|it| *it != name).map(clipped);
            self.all.push(Case { name: clipped(name), also, ending });
        }
    }

    /// From here on the report is not to be believed.
    pub(super) fn doubt(&mut self, trouble: impl Into<String>) {
        self.trouble.get_or_insert(trouble.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.passed == 0 && self.failed == 0 && self.ignored == 0
    }

    /// Counts, failing names, and how those of `names` ended.
    pub(super) fn tests(self, names: &[String]) -> Tests {
        let failed = self.all.iter().filter(|it| it.ending == Ending::Failed);
        let failing: BTreeSet<&String> = failed.map(|it| &it.name).take(FAILING_MAX).collect();
        Tests {
            failing: failing.into_iter().cloned().collect(),
            named: names.iter().map(|it| (it.clone(), self.outcome_of(it))).collect(),
            passed: self.passed,
            failed: self.failed,
            ignored: self.ignored,
            trouble: self.trouble,
        }
    }

    /// Of all tests that this name means: failed if one failed, passed if one passed.
    fn outcome_of(&self, name: &str) -> Outcome {
        let wanted = Wanted::new(name);
        let meant: Vec<Ending> = self
            .all
            .iter()
            .filter(|it| wanted.is(&it.name) || it.also.as_ref().is_some_and(|it| wanted.is(it)))
            .map(|it| it.ending)
            .collect();
        if meant.contains(&Ending::Failed) {
            Outcome::Failed
        } else if meant.contains(&Ending::Passed) {
            Outcome::Passed
        } else {
            Outcome::Missing
        }
    }
}

fn clipped(name: &str) -> String {
    let kept = name.chars().filter(|it| !it.is_control()).take(NAME_CHARS_MAX);
    kept.collect::<String>().trim().to_string()
}

/// A test by the name that somebody gave it: its full one or the end of one, with whatever stands
/// between the parts (`::`, `.`, `/`, ` > `), and with or without its parameters.
pub(super) struct Wanted {
    parts: String,
}

impl Wanted {
    pub(super) fn new(name: &str) -> Wanted {
        Wanted { parts: parts(name) }
    }

    pub(super) fn is(&self, full: &str) -> bool {
        let full = parts(full);
        if self.parts.is_empty() {
            return false;
        }
        // `test_x` means `test_x[1]` too.
        let bare = full.strip_suffix(']').and_then(|it| it.rfind('[')).map(|it| &full[..it]);
        self.ends(&full) || bare.is_some_and(|it| self.ends(it))
    }

    fn ends(&self, full: &str) -> bool {
        let before = full.strip_suffix(self.parts.as_str());
        before.is_some_and(|it| it.is_empty() || it.ends_with(PART))
    }
}

fn parts(name: &str) -> String {
    let name = name.trim().replace(".py::", "::");
    let name = name.replace("::", "\u{1f}").replace(" > ", "\u{1f}").replace(" › ", "\u{1f}");
    name.replace(['/', '.', '#'], "\u{1f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_what_people_mean_by_it() {
        let is = |full: &str, name: &str| Wanted::new(name).is(full);
        for name in ["tests/test_a.py::T::test_x", "T.test_x", "T::test_x", "tests.test_a.T.test_x"]
        {
            assert!(is("tests/test_a.py::T::test_x", name), "{name}");
        }
        assert!(is("tests/test_a.py::test_p[a.b/c]", "test_p"));
        assert!(is("tests/test_a.py::test_p[a.b/c]", "test_p[a.b/c]"));
        assert!(is("example.org/m/pkg.TestA/sub_one", "TestA/sub_one"));
        assert!(is("src/a.test.js > adds > two (fast)", "two (fast)"));
        for name in ["x", "est_x", "U.test_x", "test_x.T", "", "test_x[1]"] {
            assert!(!is("tests/test_a.py::T::test_x", name), "{name}");
        }
        assert!(!is("tests/test_a.py::test_p[1]", "test_p[2]"));
    }

    #[test]
    fn the_worst_ending_of_all_that_a_name_means_counts() {
        let mut cases = Cases::default();
        cases.add("a.test_x[1]", None, Ending::Passed);
        cases.add("a.test_x[2]", Some("the second"), Ending::Failed);
        cases.add("a.test_y", None, Ending::Ignored);
        let names = ["test_x", "test_x[1]", "the second", "test_y"].map(String::from);
        let tests = cases.tests(&names);
        let how: Vec<Outcome> = tests.named.iter().map(|it| it.1).collect();
        use Outcome::{Failed, Missing, Passed};
        assert_eq!(how, [Failed, Passed, Failed, Missing]);
        assert_eq!((tests.passed, tests.failed, tests.ignored), (1, 1, 1));
        assert_eq!(tests.failing, ["a.test_x[2]"]);
    }
}
