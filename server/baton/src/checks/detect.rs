//! Which checks a project has, by the files of a commit. Nothing of the project is run to find out.

use super::CHECK_MS_MAX;
use super::script::{self, Script};
use team::{CheckSpec, REPORT_FILE, Report};

/// Most test files that are looked into.
const FILES_READ_MAX: usize = 20;
/// Where Python's tests lie, besides the root.
const PYTHON_FOLDERS: [&str; 3] = ["", "tests", "test"];
/// Where a Python project says what it needs.
const PYTHON_NEEDS: [&str; 10] = [
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "Pipfile",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements/dev.txt",
];

/// The files of a commit.
pub struct Tree<'a> {
    /// A file's text, if it is there and not huge.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The names in a folder (`""`: the root); folders end in `/`.
    pub list: &'a dyn Fn(&str) -> Vec<String>,
}

/// The checks of a project: those that a trusted team file names, and those that its files imply,
/// unless it says itself what `test` is.
///
/// Every language that the root has tests of gets a required check: the first is `test`, others are
/// `test-go`, `test-node`, `test-python`. A `test` of make's or just's counts only where there is
/// no other: it mostly calls the same.
pub fn detect(tree: &Tree<'_>, named: &[CheckSpec]) -> Vec<CheckSpec> {
    let mut all = named.to_vec();
    if all.iter().any(|it| it.name == "test") {
        return all;
    }
    let languages =
        [("cargo", cargo(tree)), ("go", go(tree)), ("node", node(tree)), ("python", python(tree))];
    let mut found: Vec<(&str, Found)> =
        languages.into_iter().filter_map(|(kind, it)| Some((kind, it?))).collect();
    if found.is_empty() {
        found.extend(make(tree).or_else(|| just(tree)).map(|it| ("make", it)));
    }
    for (n, (kind, Found { argv, report })) in found.into_iter().enumerate() {
        let name = if n == 0 { "test".to_string() } else { format!("test-{kind}") };
        if !all.iter().any(|it| it.name == name) {
            let timeout_ms_max = CHECK_MS_MAX;
            all.push(CheckSpec { name, argv, report, required: true, timeout_ms_max });
        }
    }
    all
}

/// A project's own way to run its tests.
struct Found {
    argv: Vec<String>,
    report: Report,
}

fn found(argv: &[&str], report: Report) -> Option<Found> {
    Some(Found { argv: argv.iter().map(|it| it.to_string()).collect(), report })
}

fn fresh_junit() -> Report {
    Report::Junit { path: REPORT_FILE.into() }
}

fn cargo(tree: &Tree<'_>) -> Option<Found> {
    (tree.read)("Cargo.toml")?;
    // Without the flag the first red binary would hide what the others say.
    found(&["cargo", "test", "--no-fail-fast"], Report::Cargo)
}

fn go(tree: &Tree<'_>) -> Option<Found> {
    (tree.read)("go.mod")?;
    found(&["go", "test", "-json", "./..."], Report::Go)
}

fn node(tree: &Tree<'_>) -> Option<Found> {
    let script = script::test_script(&(tree.read)("package.json")?)?;
    let runs = if (tree.read)("pnpm-lock.yaml").is_some() {
        vec!["pnpm", "run", "test"]
    } else if (tree.read)("yarn.lock").is_some() {
        vec!["yarn", "run", "test"]
    } else {
        vec!["npm", "test", "--"]
    };
    let with = |more: &[String]| {
        let mut argv: Vec<String> = runs.iter().map(|it| it.to_string()).collect();
        argv.extend(more.iter().cloned());
        argv
    };
    let (argv, report) = match script {
        Script::NodeTest { flags } => (node_test(&flags), fresh_junit()),
        Script::NodeTestInShell => {
            let options = format!("NODE_OPTIONS={}", reporters().join(" "));
            let bare = runs.iter().copied().filter(|it| *it != "--");
            let argv = ["env", &options].into_iter().chain(bare).map(String::from);
            (argv.collect(), fresh_junit())
        }
        Script::Vitest => {
            let more = ["--run", "--reporter=default", "--reporter=json"].map(String::from);
            let file = format!("--outputFile.json={REPORT_FILE}");
            (with(&[more.to_vec(), vec![file]].concat()), Report::Jest)
        }
        Script::Jest => {
            let file = format!("--outputFile={REPORT_FILE}");
            (with(&["--ci".into(), "--json".into(), file]), Report::Jest)
        }
        Script::Other => {
            let bare = runs.iter().filter(|it| **it != "--");
            (bare.map(|it| it.to_string()).collect(), Report::Exit)
        }
    };
    Some(Found { argv, report })
}

/// What node prints for people, and its JUnit report in a file.
fn reporters() -> [String; 4] {
    [
        "--test-reporter=spec".into(),
        "--test-reporter-destination=stdout".into(),
        "--test-reporter=junit".into(),
        format!("--test-reporter-destination={REPORT_FILE}"),
    ]
}

fn node_test(flags: &[String]) -> Vec<String> {
    let mut argv = vec!["node".to_string(), "--test".into()];
    argv.extend(reporters());
    argv.extend(flags.iter().cloned());
    argv
}

fn python(tree: &Tree<'_>) -> Option<Found> {
    let is_test =
        |it: &&String| it.ends_with(".py") && (it.starts_with("test_") || it.ends_with("_test.py"));
    let mut files = Vec::new();
    for folder in PYTHON_FOLDERS {
        let names = (tree.list)(folder);
        let dir = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        files.extend(names.iter().filter(is_test).map(|it| format!("{dir}{it}")));
    }
    let has_config = (tree.read)("pytest.ini").is_some()
        || (tree.read)("pyproject.toml").is_some_and(|it| it.contains("[tool.pytest"))
        || (tree.read)("setup.cfg").is_some_and(|it| it.contains("[tool:pytest]"))
        || (tree.read)("tox.ini").is_some_and(|it| it.contains("[pytest]"));
    if files.is_empty() && !has_config {
        return None;
    }
    let needs = |it: &&str| (tree.read)(it).is_some_and(|it| it.contains("pytest"));
    let by_pytest = has_config
        || ["conftest.py", "tests/conftest.py", "test/conftest.py"]
            .iter()
            .any(|it| (tree.read)(it).is_some())
        || PYTHON_NEEDS.iter().any(needs)
        || !files
            .iter()
            .take(FILES_READ_MAX)
            .filter_map(|it| (tree.read)(it))
            .any(|it| it.contains("unittest") && !it.contains("import pytest"));
    if by_pytest {
        let file = format!("--junitxml={REPORT_FILE}");
        // That family names each test's file; and the cache would be one more thing in the slot.
        let argv = [
            "python3",
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-o",
            "junit_family=xunit1",
            &file,
        ];
        return found(&argv, fresh_junit());
    }
    let discover = ["python3", "-m", "unittest", "discover", "-v"];
    let folder = PYTHON_FOLDERS[1..].iter().find(|it| files[0].starts_with(&format!("{it}/")));
    match folder.filter(|it| (tree.read)(&format!("{it}/__init__.py")).is_none()) {
        Some(folder) => found(&[&discover[..], &["-s", folder]].concat(), Report::Unittest),
        None => found(&discover, Report::Unittest),
    }
}

fn make(tree: &Tree<'_>) -> Option<Found> {
    let text = ["GNUmakefile", "makefile", "Makefile"].iter().find_map(|it| (tree.read)(it))?;
    // `check` is GNU's name for it.
    let target = ["test", "check"].into_iter().find(|it| has_target(&text, it))?;
    found(&["make", target], Report::Exit)
}

fn just(tree: &Tree<'_>) -> Option<Found> {
    let text = ["justfile", "Justfile", ".justfile"].iter().find_map(|it| (tree.read)(it))?;
    has_target(&text, "test").then(|| found(&["just", "test"], Report::Exit)).flatten()
}

/// A line `test:`, with needs or parameters, that is no assignment.
fn has_target(text: &str, target: &str) -> bool {
    text.lines().any(|line| {
        let Some((before, after)) = line.split_once(':') else { return false };
        let mut names = before.split_whitespace();
        !line.starts_with([' ', '\t', '#', '.'])
            && !after.starts_with('=')
            && names.next().is_some_and(|it| it.trim_start_matches('@') == target)
    })
}

#[cfg(test)]
mod tests;
