//! Finds weakened tests by a small audit, line by line, for Rust, Python, JavaScript and TypeScript,
//! and Go. It names file and test; it may miss something clever, and a person reads the diff anyway.
//!
//! What a test looks like in each language is in `audit/forms.rs`, assertions that hold whatever the
//! code does in `audit/always.rs`, and the files that tell a test runner what to leave out in
//! `audit/runner.rs`.

mod always;
mod forms;
mod runner;

use forms::Language;
use std::collections::BTreeSet;

/// So many sentences are given.
const SENTENCES_MAX: usize = 50;

/// (path, old text, new text or `None` where the file was deleted).
pub(super) type Text = (String, String, Option<String>);

/// One test as its lines show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Test {
    name: String,
    skipped: bool,
    /// Others don't run beside it.
    alone: bool,
    /// It passes where the code panics.
    must_panic: bool,
    assertions: usize,
    /// Assertions that hold whatever the code does.
    always: usize,
}

/// Whether files of this name are audited.
pub(super) fn reads(path: &str) -> bool {
    Language::of(path).is_some() || runner::reads(path)
}

/// Whether a file of this path holds tests and nothing else, by its name.
pub(super) fn is_test_path(path: &str) -> bool {
    let lower = path.to_lowercase();
    let (folder, file) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let folders = ["test", "tests", "spec", "specs", "__tests__", "testdata", "fixtures"];
    let stem = file.split('.').next().unwrap_or_default();
    folder.split('/').any(|it| folders.contains(&it))
        || stem.starts_with("test_")
        || [".test.", ".spec."].iter().any(|it| file.contains(it))
        || ["_test", "_tests", "_spec"].iter().any(|it| stem.ends_with(it))
        || ["tests.rs", "test.rs", "conftest.py"].contains(&file)
}

/// Sentences: how tests were weakened between the old and the new texts.
pub(super) fn weakened(texts: &[Text]) -> Vec<String> {
    let new_tests = |(path, _, new): &Text| -> Vec<Test> {
        new.iter().flat_map(|it| tests(path, it)).collect()
    };
    let mut rest: Vec<(&str, Test)> = Vec::new();
    for text in texts {
        rest.extend(new_tests(text).into_iter().map(|it| (text.0.as_str(), it)));
    }
    let now: BTreeSet<String> = rest.iter().map(|it| it.1.name.clone()).collect();
    // Many classes have a `test_basic`: those that stayed as they were are out of the way first.
    let mut changed: Vec<Vec<Test>> = Vec::new();
    for (path, old, _) in texts {
        let mut before = tests(path, old);
        before.retain(|it| take(&mut rest, |at, new| at == path && new == it).is_none());
        changed.push(before);
    }
    let mut said = Vec::new();
    for (text, changed) in texts.iter().zip(&changed) {
        let (path, old, new) = text;
        said.extend(runner::leaves_out(path, old, new.as_deref().unwrap_or_default()));
        let before = tests(path, old);
        let moved = before.iter().all(|it| now.contains(&it.name));
        if new.is_none() && !before.is_empty() && !moved {
            said.push(format!("{path}: the file was deleted with {} tests in it", before.len()));
            continue;
        }
        for it in changed {
            let here = take(&mut rest, |at, new| at == path && new.name == it.name);
            let found = here.or_else(|| take(&mut rest, |_, new| new.name == it.name));
            said.extend(compare(path, it, found));
        }
        said.extend(new_tests(text).iter().filter_map(|it| {
            let is_new = !before.iter().any(|old| old.name == it.name);
            is_new.then(|| new_one(path, it))?
        }));
    }
    let more = said.len().saturating_sub(SENTENCES_MAX);
    said.truncate(SENTENCES_MAX);
    if 0 < more {
        said.push(format!("and {more} more weakened tests"));
    }
    said
}

/// Takes the first that fits out of what is left.
fn take(rest: &mut Vec<(&str, Test)>, fits: impl Fn(&str, &Test) -> bool) -> Option<Test> {
    let at = rest.iter().position(|(path, it)| fits(path, it))?;
    Some(rest.remove(at).1)
}

fn compare(path: &str, old: &Test, new: Option<Test>) -> Option<String> {
    let name = &old.name;
    let Some(new) = new else {
        return Some(format!("{path}: the test `{name}` was removed"));
    };
    if new.skipped && !old.skipped {
        return Some(format!("{path}: the test `{name}` is skipped now"));
    }
    if new.alone && !old.alone {
        return Some(format!("{path}: only the test `{name}` runs now, the others are left out"));
    }
    if new.must_panic && !old.must_panic {
        return Some(format!("{path}: the test `{name}` passes by a panic now"));
    }
    let (had, has) = (old.assertions, new.assertions);
    if has < had && old.always < new.always {
        return Some(format!("{path}: the test `{name}` asserts what is always true now"));
    }
    (has < had).then(|| format!("{path}: the test `{name}` asserts less, {had} -> {has}"))
}

fn new_one(path: &str, test: &Test) -> Option<String> {
    let name = &test.name;
    if test.skipped {
        return Some(format!("{path}: the new test `{name}` is skipped"));
    }
    if test.alone {
        return Some(format!("{path}: only the new test `{name}` runs, the others are left out"));
    }
    let empty = test.assertions == 0 && 0 < test.always;
    empty.then(|| format!("{path}: the new test `{name}` asserts only what is always true"))
}

fn tests(path: &str, text: &str) -> Vec<Test> {
    let Some(language) = Language::of(path) else {
        return Vec::new();
    };
    let mut found: Vec<Test> = Vec::new();
    let mut open = false;
    // Between the head of a test and its first statement.
    let mut at_start = false;
    let mut marks = forms::Marks::default();
    let mut group = forms::Group::of_file(language, text);
    for whole in text.lines() {
        let line = forms::code_of(whole, language);
        if marks.take(line, language) {
            continue;
        }
        group.take(whole, line, language, marks.skip);
        if let Some(start) = forms::start(line, language, &marks) {
            found.push(Test {
                name: start.name,
                skipped: start.skipped || marks.skip || group.is_skipped(),
                alone: start.alone || group.is_alone(),
                must_panic: marks.must_panic,
                assertions: 0,
                always: 0,
            });
            (open, at_start) = (true, true);
            marks = forms::Marks::default();
        } else if forms::ends(line, language) {
            (open, at_start) = (false, false);
            marks = forms::Marks::default();
        } else if at_start && !forms::is_head(line) {
            at_start = false;
            if let Some(test) = found.last_mut().filter(|_| forms::is_return(line)) {
                test.skipped = true;
            }
        }
        if let Some(test) = found.last_mut().filter(|_| open) {
            let (real, always) = forms::assertions(line, language);
            test.assertions += real;
            test.always += always;
            test.skipped |= forms::skips_inside(line, language);
        }
    }
    found
}

#[cfg(test)]
mod tests;
