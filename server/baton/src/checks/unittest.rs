//! Reads what `python -m unittest -v` prints, which the tests themselves may have had a hand in.

use super::cargo::strip_colours;
use super::cases::{Cases, Ending};

/// A longer line is no line of the test runner's.
const LINE_BYTES_MAX: usize = 1024;

#[derive(Default)]
struct Seen {
    /// Names by their own lines.
    tests: Vec<(String, Ending)>,
    /// Names by the blocks after all ended, which no test can write into.
    failing: Vec<String>,
    ran: Option<u32>,
    /// The last word, and whether it was a bad one.
    result: Option<(bool, u32)>,
}

/// Names and endings, and the counts of the last lines.
pub(super) fn read(output: &str, cases: &mut Cases) {
    let mut seen = Seen::default();
    let mut pending: Option<String> = None;
    let mut dashes = false;
    let plain = strip_colours(output);
    for line in plain.lines().filter(|it| it.len() <= LINE_BYTES_MAX) {
        if let Some(name) = header(line).filter(|_| dashes) {
            seen.failing.push(name);
        } else if let Some(ran) = read_ran(line) {
            seen.ran = Some(ran);
        } else if let Some(result) = read_result(line) {
            // Of two, the worse one.
            seen.result = Some(match seen.result {
                Some(old) if old.0 && !result.0 => old,
                _ => result,
            });
        } else if let Some(found) = read_test(line, &mut pending) {
            seen.tests.push(found);
        }
        dashes = !line.is_empty() && line.bytes().all(|it| it == b'=');
    }
    add_up(seen, cases);
}

fn add_up(seen: Seen, cases: &mut Cases) {
    let (Some(ran), Some((is_bad, skipped))) = (seen.ran, seen.result) else {
        return cases.doubt("it did not get to its end");
    };
    let mut known = 0;
    for (name, ending) in &seen.tests {
        if !seen.failing.contains(name) {
            cases.add(name, None, *ending);
            known += u32::from(*ending == Ending::Passed);
        }
    }
    let mut failing = seen.failing;
    failing.sort();
    failing.dedup();
    for name in &failing {
        cases.add(name, None, Ending::Failed);
    }
    if ran < known + skipped {
        cases.doubt("it names more passing tests than it counts");
    }
    if is_bad && cases.is_empty() {
        cases.doubt("it failed and names no test");
    }
}

/// `FAIL: test_x (tests.test_a.T.test_x) (i=1)`
fn header(line: &str) -> Option<String> {
    let rest = line.strip_prefix("FAIL: ").or(line.strip_prefix("ERROR: "))?;
    let rest = rest.strip_prefix("UNEXPECTED SUCCESS: ").unwrap_or(rest);
    full_name(rest)
}

/// `Ran 7 tests in 0.002s`
fn read_ran(line: &str) -> Option<u32> {
    let (number, rest) = line.strip_prefix("Ran ")?.split_once(' ')?;
    let fits = rest.starts_with("test in ") || rest.starts_with("tests in ");
    fits.then(|| number.parse().ok()).flatten()
}

/// `OK (skipped=1)`, `FAILED (failures=1, errors=2)`, `NO TESTS RAN`: bad or not, and how many were
/// skipped.
fn read_result(line: &str) -> Option<(bool, u32)> {
    let (word, rest) = line.split_once(" (").unwrap_or((line, ""));
    let is_bad = match word {
        "OK" | "NO TESTS RAN" => false,
        "FAILED" => true,
        _ => return None,
    };
    let parts = rest.trim_end_matches(')').split(", ");
    let skipped = parts.filter_map(|it| it.strip_prefix("skipped=")?.parse::<u32>().ok()).sum();
    (rest.is_empty() || rest.ends_with(')')).then_some((is_bad, skipped))
}

/// `test_x (tests.test_a.T.test_x) ... ok`; with a doc string the name stands on a line before, and
/// what else is written comes between the dots and the ending.
fn read_test(line: &str, pending: &mut Option<String>) -> Option<(String, Ending)> {
    let ending = |word: &str| match word {
        "ok" | "expected failure" => Some(Ending::Passed),
        "FAIL" | "ERROR" | "unexpected success" => Some(Ending::Failed),
        _ if word.starts_with("skipped ") => Some(Ending::Ignored),
        _ => None,
    };
    if let Some((before, word)) = line.rsplit_once(" ... ")
        && let Some(ending) = ending(word)
    {
        let name = full_name(before.trim_start()).or(pending.take())?;
        *pending = None;
        return Some((name, ending));
    }
    if let Some(ending) = ending(line) {
        return pending.take().map(|it| (it, ending));
    }
    let begins = line.split_once(" ...").map_or(line, |it| it.0);
    if let Some(name) = full_name(begins.trim_start()) {
        *pending = Some(name);
    }
    None
}

/// `test_x (a.T.test_x)`, before Python 3.11 `test_x (a.T)`: `a.T.test_x`.
fn full_name(text: &str) -> Option<String> {
    let (name, rest) = text.split_once(" (")?;
    let (path, _) = rest.split_once(')')?;
    let plain = |it: &str| {
        !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '.'))
    };
    if !plain(name) || !plain(path) {
        return None;
    }
    let is_whole = path == name || path.ends_with(&format!(".{name}"));
    Some(if is_whole { path.to_string() } else { format!("{path}.{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use team::Outcome;

    const OUTPUT: &str = "test_broken (unittest.loader._FailedTest.test_broken) ... ERROR\n\
        setUpClass (test_u.S) ... ERROR\n\
        test_bad (test_u.T.test_bad) ... FAIL\n\
        test_doc (test_u.T.test_doc)\nA doc line. ... ok\n\
        test_exp (test_u.T.test_exp) ... expected failure\n\
        test_ok (test_u.T.test_ok) ... noise\nok\n\
        test_skip (test_u.T.test_skip) ... skipped 'why'\n\
        test_sub (test_u.T.test_sub) ... \n  test_sub (test_u.T.test_sub) (i=1) ... FAIL\n\n\
        ======\nERROR: test_broken (unittest.loader._FailedTest.test_broken)\n------\n...\n\
        ======\nERROR: setUpClass (test_u.S)\n------\n...\n\
        ======\nFAIL: test_bad (test_u.T.test_bad)\n------\n...\n\
        ======\nFAIL: test_sub (test_u.T.test_sub) (i=1)\n------\n\n\
        Ran 7 tests in 0.002s\n\nFAILED (failures=2, errors=2, skipped=1, expected failures=1)\n";

    fn tests(output: &str, names: &[&str]) -> team::Tests {
        let mut cases = Cases::default();
        read(output, &mut cases);
        cases.tests(&names.iter().map(|it| it.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn reads_names_and_endings() {
        let names =
            ["test_u.T.test_bad", "T.test_doc", "test_ok", "test_skip", "test_sub", "test_no"];
        let tests = tests(OUTPUT, &names);
        assert_eq!((tests.passed, tests.failed, tests.ignored), (3, 4, 1));
        use Outcome::{Failed, Missing, Passed};
        let how: Vec<Outcome> = tests.named.iter().map(|it| it.1).collect();
        assert_eq!(how, [Failed, Passed, Passed, Missing, Failed, Missing]);
        assert_eq!(tests.trouble, None);
    }

    #[test]
    fn a_green_one_and_an_old_one() {
        let green = "test_x (tests.test_a.T) ... ok\n\n------\nRan 1 test in 0.1s\n\nOK\n";
        let tests = tests(green, &["tests.test_a.T.test_x"]);
        assert_eq!((tests.passed, tests.failed), (1, 0));
        assert_eq!(tests.named[0].1, Outcome::Passed);
    }

    #[test]
    fn lines_that_a_test_prints_make_nothing_green() {
        let lie = OUTPUT.replace("noise\n", "\nRan 9 tests in 0.1s\n\nOK\n");
        assert_eq!(tests(&lie, &[]).failed, 4);
        let cut = &OUTPUT[..200];
        assert!(tests(cut, &[]).trouble.is_some());
        let more =
            "test_a (m.T.test_a) ... ok\ntest_b (m.T.test_b) ... ok\nRan 1 test in 0s\n\nOK\n";
        assert!(tests(more, &[]).trouble.is_some());
    }
}
