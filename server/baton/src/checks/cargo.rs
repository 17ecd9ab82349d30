//! Reads what `cargo test` prints, which the tests themselves may have had a hand in; and writes its
//! command lines.

use std::collections::BTreeSet;
use std::path::Path;
use team::{Outcome, Tests};

/// Most failing names that are kept.
const FAILING_MAX: usize = 200;
/// A longer line is no line of the test runner's.
const LINE_BYTES_MAX: usize = 1024;
/// Most blocks, one a test binary, that are counted.
const BLOCKS_MAX: usize = 10_000;
/// Most names that one command line asks for.
const NAMES_MAX: usize = 200;

/// A test runner's block: opened by `running 3 tests`, closed by a `test result:` line whose counts
/// add up to that.
struct Block {
    tests: u32,
    result: Option<Counts>,
}

#[derive(Clone, Copy)]
struct Counts {
    passed: u32,
    failed: u32,
    ignored: u32,
    measured: u32,
}

/// Counts and names of all test binaries in one output. Only well-formed lines count, and of two
/// results that fit one block the redder one, so that what a failing test prints can't hide it. The
/// exit code is the caller's to judge.
pub fn read_cargo(output: &str, names: &[String]) -> Tests {
    let mut blocks: Vec<Block> = Vec::new();
    let mut seen: Vec<(String, Outcome)> = Vec::new();
    let mut failing = BTreeSet::new();
    let mut pending: Option<String> = None;
    let mut in_failures = false;
    let plain = strip_colours(output);
    for line in plain.lines().filter(|it| it.len() <= LINE_BYTES_MAX) {
        if let Some(tests) = read_running(line) {
            if blocks.len() < BLOCKS_MAX {
                blocks.push(Block { tests, result: None });
            }
        } else if let Some(counts) = read_result(line) {
            close(&mut blocks, counts);
            in_failures = false;
        } else if let Some((name, outcome)) = read_test(line, &mut pending) {
            if outcome == Outcome::Failed && failing.len() < FAILING_MAX {
                failing.insert(name.clone());
            }
            seen.push((name, outcome));
        } else if line == "failures:" {
            in_failures = true;
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| in_failures) {
            if !name.starts_with(' ') {
                if failing.len() < FAILING_MAX {
                    failing.insert(name.to_string());
                }
                // Its own line may be torn by the output of another; this list comes after all ended.
                seen.push((name.to_string(), Outcome::Failed));
            }
        } else if !line.is_empty() {
            in_failures = false;
        }
    }
    let mut tests = Tests {
        failing: failing.into_iter().collect(),
        named: names.iter().map(|it| (it.clone(), outcome_of(it, &seen))).collect(),
        ..Tests::default()
    };
    for counts in blocks.iter().filter_map(|it| it.result) {
        tests.passed = tests.passed.saturating_add(counts.passed);
        tests.failed = tests.failed.saturating_add(counts.failed);
        tests.ignored = tests.ignored.saturating_add(counts.ignored);
    }
    tests
}

fn close(blocks: &mut [Block], counts: Counts) {
    let sum = u64::from(counts.passed)
        + u64::from(counts.failed)
        + u64::from(counts.ignored)
        + u64::from(counts.measured);
    let block = blocks.iter_mut().rev().find(|it| u64::from(it.tests) == sum);
    if let Some(block) = block
        && block.result.is_none_or(|it| it.failed < counts.failed)
    {
        block.result = Some(counts);
    }
}

/// `running 3 tests`
fn read_running(line: &str) -> Option<u32> {
    let rest = line.strip_prefix("running ")?;
    let number = rest.strip_suffix(" tests").or(rest.strip_suffix(" test"))?;
    read_number(number)
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`
fn read_result(line: &str) -> Option<Counts> {
    let (word, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut parts = rest.split("; ");
    let mut count = |what: &str| {
        let (number, name) = parts.next()?.split_once(' ')?;
        (name == what).then(|| read_number(number)).flatten()
    };
    let counts = Counts {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored")?,
        measured: count("measured")?,
    };
    count("filtered out")?;
    let time = parts.next().is_none_or(|it| it.starts_with("finished in "));
    let word_fits = match word {
        "ok" => counts.failed == 0,
        "FAILED" => 0 < counts.failed,
        _ => false,
    };
    (word_fits && time && parts.next().is_none()).then_some(counts)
}

fn read_number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `test a::b ... ok`. With one thread the name comes first, then whatever else writes to the same
/// output, then the outcome on a line of its own: `pending` holds that name.
fn read_test(line: &str, pending: &mut Option<String>) -> Option<(String, Outcome)> {
    let outcome = |word: &str| match word {
        "ok" => Some(Outcome::Passed),
        "FAILED" => Some(Outcome::Failed),
        "ignored" => Some(Outcome::Missing),
        _ if word.starts_with("ignored, ") => Some(Outcome::Missing),
        _ => None,
    };
    let Some(rest) = line.strip_prefix("test ") else {
        let outcome = outcome(line)?;
        return pending.take().map(|name| (name, outcome));
    };
    let (name, word) =
        rest.split_once(" ... ").or(rest.strip_suffix(" ...").map(|name| (name, "")))?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name).to_string();
    match outcome(word) {
        Some(outcome) => {
            *pending = None;
            Some((name, outcome))
        }
        None => {
            *pending = Some(name);
            None
        }
    }
}

/// Of all tests that this name means: failed if one failed, passed if one passed.
fn outcome_of(name: &str, seen: &[(String, Outcome)]) -> Outcome {
    let outcomes = |means: &dyn Fn(&str, &str) -> bool| {
        let those = seen.iter().filter(|(full, _)| means(full, name));
        those.map(|(_, outcome)| *outcome).collect::<Vec<_>>()
    };
    let mut all = outcomes(&is_meant);
    if all.is_empty() {
        all = outcomes(&is_meant_with_crate);
    }
    for outcome in [Outcome::Failed, Outcome::Passed] {
        if all.contains(&outcome) {
            return outcome;
        }
    }
    Outcome::Missing
}

fn is_meant(full: &str, name: &str) -> bool {
    let end = full.strip_suffix(name);
    end.is_some_and(|it| it.is_empty() || it.ends_with("::"))
}

/// `crate::module::test`, or `file::test` for a file in `tests/`: printed without the first part.
fn is_meant_with_crate(full: &str, name: &str) -> bool {
    name.split_once("::").is_some_and(|(_, rest)| full == rest)
}

/// Full names of the tests in a listing: lines `a::b: test`.
pub(super) fn read_list(output: &str) -> Vec<String> {
    let lines = output.lines().filter(|it| it.len() <= LINE_BYTES_MAX);
    lines.filter_map(|it| it.strip_suffix(": test")).map(String::from).collect()
}

/// The full names that `names` mean, sorted.
pub(super) fn resolve(listed: &[String], names: &[String]) -> Vec<String> {
    let mut all = BTreeSet::new();
    for name in names {
        let mut meant: Vec<&String> = listed.iter().filter(|it| is_meant(it, name)).collect();
        if meant.is_empty() {
            meant = listed.iter().filter(|it| is_meant_with_crate(it, name)).collect();
        }
        all.extend(meant.into_iter().cloned());
    }
    all.into_iter().take(NAMES_MAX).collect()
}

/// A command line of `cargo test`, cut at its `--`.
pub(super) struct TestCommand {
    cargo: Vec<String>,
    runner: Vec<String>,
}

impl TestCommand {
    /// `None` when it is another command, whose tests can't be chosen.
    pub(super) fn of(argv: &[String]) -> Option<TestCommand> {
        let (program, rest) = argv.split_first()?;
        let is_cargo = Path::new(program).file_name()? == "cargo";
        let verb = rest.iter().find(|it| !it.starts_with('+'))?;
        if !is_cargo || !matches!(verb.as_str(), "test" | "t") {
            return None;
        }
        let end = argv.iter().position(|it| it == "--").unwrap_or(argv.len());
        Some(TestCommand {
            cargo: argv[..end].to_vec(),
            runner: argv.get(end + 1..).unwrap_or_default().to_vec(),
        })
    }

    /// Builds, and lists all tests.
    pub(super) fn listing(&self) -> Vec<String> {
        let mut argv = self.cargo.clone();
        argv.extend(["--", "--list"].map(String::from));
        argv
    }

    /// Runs the tests with these full names.
    pub(super) fn exactly(&self, names: &[String]) -> Vec<String> {
        let mut argv = self.cargo.clone();
        if !argv.iter().any(|it| it == "--no-fail-fast") {
            argv.push("--no-fail-fast".into());
        }
        argv.push("--".into());
        argv.extend(self.runner.iter().cloned());
        argv.push("--exact".into());
        argv.extend(names.iter().cloned());
        argv
    }
}

/// Without escape sequences of terminals and without carriage returns.
pub(super) fn strip_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\x1b', Some('[')) => {
                rest.next();
                // Parameters, then one final byte.
                while rest.next().is_some_and(|it| !('@'..='~').contains(&it)) {}
            }
            ('\x1b', Some(']')) => {
                // To the bell or to the string's end, but never past the line.
                while let Some(it) = rest.next_if(|it| *it != '\n') {
                    if it == '\x07' || it == '\\' {
                        break;
                    }
                }
            }
            ('\x1b' | '\r', _) => {}
            (c, _) => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
