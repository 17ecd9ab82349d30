//! The command that runs certain tests of a check, and only they. A name that a model gave becomes an
//! argument only after the project's own runner listed it, or in a form that can't be an option.

use super::cargo;
use super::cases::Wanted;
use std::collections::BTreeSet;
use std::path::Path;
use team::{CheckSpec, Report};

/// Most names that one command line asks for.
const NAMES_MAX: usize = 200;
/// Longest name that is asked for, in bytes.
const NAME_BYTES_MAX: usize = 500;

/// How the tests of a check are chosen.
pub(super) enum Choice {
    /// By a first command that lists all, then a second one with exact names.
    Listed { listing: Vec<String>, of: Lister },
    /// By patterns on one command line.
    Direct(Vec<String>),
    /// Not at all: the check runs whole.
    Whole,
}

pub(super) enum Lister {
    Cargo(cargo::TestCommand),
    Pytest { argv: Vec<String> },
}

pub(super) fn choose(spec: &CheckSpec, names: &[String]) -> Choice {
    let names: Vec<&str> =
        names.iter().map(|it| it.trim()).filter(|it| fits(it)).take(NAMES_MAX).collect();
    match &spec.report {
        Report::Cargo => match cargo::TestCommand::of(&spec.argv) {
            Some(command) => {
                Choice::Listed { listing: command.listing(), of: Lister::Cargo(command) }
            }
            None => Choice::Whole,
        },
        Report::Junit { .. } if is_module(&spec.argv, "pytest") => {
            let report = |it: &&String| !it.starts_with("--junitxml");
            let mut listing: Vec<String> = spec.argv.iter().filter(report).cloned().collect();
            listing.extend(["--collect-only", "-q"].map(String::from));
            Choice::Listed { listing, of: Lister::Pytest { argv: spec.argv.clone() } }
        }
        Report::Junit { .. } => node(&spec.argv, &names),
        Report::Unittest if is_module(&spec.argv, "unittest") => {
            let mut argv = spec.argv.clone();
            argv.extend(names.iter().map(|it| format!("-k*{}", last_parts(it))));
            Choice::Direct(argv)
        }
        Report::Go => go(&spec.argv, &names),
        Report::Jest if takes_patterns(&spec.argv) => {
            let mut argv = spec.argv.clone();
            // npm passes on only what follows two dashes.
            if program(&argv) == "npm" && !argv.iter().any(|it| it == "--") {
                argv.push("--".into());
            }
            argv.push(format!("--testNamePattern={}", any_title(&names)));
            Choice::Direct(argv)
        }
        Report::Unittest | Report::Jest | Report::Exit => Choice::Whole,
    }
}

impl Lister {
    /// The command that runs the listed tests that these names mean; `None`: there are none.
    pub(super) fn exactly(&self, listed: &str, names: &[String]) -> Option<Vec<String>> {
        match self {
            Lister::Cargo(command) => {
                let exact = cargo::resolve(&cargo::read_list(listed), names);
                (!exact.is_empty()).then(|| command.exactly(&exact))
            }
            Lister::Pytest { argv } => {
                let wanted: Vec<Wanted> = names.iter().map(|it| Wanted::new(it)).collect();
                // The ids of a listing come first, one a line, then an empty line.
                let ids = listed.lines().map(str::trim).filter(|it| it.contains(".py::"));
                let meant = ids.filter(|id| wanted.iter().any(|it| it.is(id)));
                let meant = meant.filter(|it| !it.starts_with('-') && it.len() <= NAME_BYTES_MAX);
                let exact: BTreeSet<&str> = meant.take(NAMES_MAX).collect();
                let mut argv = argv.clone();
                argv.extend(exact.iter().map(|it| it.to_string()));
                (!exact.is_empty()).then_some(argv)
            }
        }
    }
}

fn fits(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

fn program(argv: &[String]) -> &str {
    let name = argv.first().and_then(|it| Path::new(it).file_name()).and_then(|it| it.to_str());
    name.unwrap_or_default()
}

/// `python3 -m pytest`, or `pytest`.
fn is_module(argv: &[String], module: &str) -> bool {
    let is_python = program(argv).starts_with("python");
    let by_name = argv.windows(2).any(|it| it[0] == "-m" && it[1] == module);
    (is_python && by_name) || program(argv) == module
}

fn takes_patterns(argv: &[String]) -> bool {
    matches!(program(argv), "npm" | "pnpm" | "yarn" | "npx" | "jest" | "vitest")
}

/// Of `tests/test_a.py::T::test_x`, or of that with dots, what `unittest` compares: its end.
fn last_parts(name: &str) -> String {
    let name = name.replace(".py::", ".").replace("::", ".").replace('/', ".");
    // A name of characters that mean something in a pattern is looked for by its last part alone.
    let plain = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.');
    if name.chars().all(plain) {
        return name;
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    last.chars().filter(|it| plain(*it)).collect()
}

/// `node --test`: patterns stand before the files.
fn node(argv: &[String], names: &[&str]) -> Choice {
    let Some(at) = argv.iter().position(|it| it == "--test").filter(|_| program(argv) == "node")
    else {
        return Choice::Whole;
    };
    let mut argv = argv.to_vec();
    for name in names {
        argv.insert(at + 1, format!("--test-name-pattern={}", escaped(title(name))));
    }
    Choice::Direct(argv)
}

/// `go test -run '^(TestA|TestB)$'`: whole tests, with all of their parts.
fn go(argv: &[String], names: &[&str]) -> Choice {
    let Some(at) = argv.iter().position(|it| it == "test").filter(|_| program(argv) == "go") else {
        return Choice::Whole;
    };
    let tops: BTreeSet<String> = names.iter().filter_map(|it| go_test(it)).collect();
    // A pattern that matches nothing, rather than everything.
    let any = if tops.is_empty() {
        "^$".to_string()
    } else {
        let tops: Vec<&str> = tops.iter().map(String::as_str).collect();
        format!("^({})$", tops.join("|"))
    };
    let mut argv = argv.to_vec();
    argv.insert(at + 1, format!("-run={any}"));
    Choice::Direct(argv)
}

/// Of `example.org/m/pkg.TestA/sub`: `TestA`.
fn go_test(name: &str) -> Option<String> {
    let is_test = |it: &str| ["Test", "Example", "Fuzz"].iter().any(|word| it.starts_with(word));
    let mut parts = name.split(['.', '/', ':', ' ']);
    let top = parts.find(|it| is_test(it))?;
    top.chars().all(|it| it.is_alphanumeric() || it == '_').then(|| top.to_string())
}

/// The last title of `file > suite > title`.
fn title(name: &str) -> &str {
    name.rsplit(" > ").next().unwrap_or(name).trim()
}

fn any_title(names: &[&str]) -> String {
    let titles: Vec<String> = names.iter().map(|it| escaped(title(it))).collect();
    titles.join("|")
}

/// For a JavaScript pattern.
fn escaped(text: &str) -> String {
    let mut res = String::new();
    for c in text.chars() {
        if r"\^$.*+?()[]{}|/".contains(c) {
            res.push('\\');
        }
        res.push(c);
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(argv: &str, report: Report) -> CheckSpec {
        let argv = argv.split(' ').map(String::from).collect();
        CheckSpec { name: "test".into(), argv, report, required: true, timeout_ms_max: 1 }
    }

    fn direct(argv: &str, report: Report, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|it| it.to_string()).collect();
        match choose(&spec(argv, report), &names) {
            Choice::Direct(argv) => argv.join(" "),
            Choice::Whole => "whole".into(),
            Choice::Listed { listing, of } => {
                let listed =
                    "tests/test_a.py::test_x[a b]\ntests/test_a.py::test_y\n--co.py::z\n\n";
                let exact = of.exactly(listed, &names).map(|it| it.join(" "));
                format!("{} => {}", listing.join(" "), exact.unwrap_or_default())
            }
        }
    }

    #[test]
    fn each_runner_gets_its_own_form() {
        let junit = || Report::Junit { path: "{report}".into() };
        let all = [
            direct("python3 -m pytest --junitxml={report}", junit(), &["test_x", "z"]),
            direct("python3 -m pytest --junitxml={report}", junit(), &["--version"]),
            direct("python3 -m unittest discover -v", Report::Unittest, &["T.test_x", "a[1]"]),
            direct("go test -json ./...", Report::Go, &["m/pkg.TestA/sub (1)", "TestB"]),
            direct("go test -json ./...", Report::Go, &["-exec=sh"]),
            direct("node --test --test-reporter=x a.js", junit(), &["s > adds (two)", "b"]),
            direct("npm test -- --json", Report::Jest, &["a.js > s > adds", "b?"]),
            direct("npm test", Report::Jest, &["b"]),
            direct("make test", junit(), &["b"]),
            direct("make test", Report::Exit, &["b"]),
        ];
        expect_test::expect![[r#"
            python3 -m pytest --collect-only -q => python3 -m pytest --junitxml={report} tests/test_a.py::test_x[a b]
            python3 -m pytest --collect-only -q => 
            python3 -m unittest discover -v -k*T.test_x -k*a1
            go test -run=^(TestA|TestB)$ -json ./...
            go test -run=^$ -json ./...
            node --test --test-name-pattern=b --test-name-pattern=adds \(two\) --test-reporter=x a.js
            npm test -- --json --testNamePattern=adds|b\?
            npm test -- --testNamePattern=b
            whole
            whole"#]]
        .assert_eq(&all.join("\n"));
    }
}
