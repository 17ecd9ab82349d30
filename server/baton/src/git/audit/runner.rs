//! Files that tell a test runner what to run: tests that they leave out are weakened too.

use std::collections::BTreeSet;

/// (end of the file's name, marks of a line that leaves tests out).
const RUNNERS: [(&str, &[&str]); 16] = [
    ("Cargo.toml", &["autotests=false", "test=false", "doctest=false"]),
    (".config/nextest.toml", &["default-filter", "skip"]),
    ("pytest.ini", PYTEST),
    ("pyproject.toml", PYTEST),
    ("setup.cfg", PYTEST),
    ("tox.ini", PYTEST),
    (
        "conftest.py",
        &[
            "collect_ignore",
            "pytest_collection_modifyitems",
            "pytest_ignore_collect",
            "pytest.mark.skip",
            "pytest.mark.xfail",
            "pytest_runtest_makereport",
            "os._exit",
        ],
    ),
    ("package.json", SCRIPT),
    ("jest.config.js", SCRIPT),
    ("jest.config.ts", SCRIPT),
    ("jest.config.json", SCRIPT),
    ("vitest.config.js", SCRIPT),
    ("vitest.config.ts", SCRIPT),
    ("vite.config.ts", SCRIPT),
    (".mocharc.json", SCRIPT),
    ("karma.conf.js", SCRIPT),
];
const PYTEST: &[&str] = &[
    "--ignore",
    "--deselect",
    "collect_ignore",
    "norecursedirs",
    "-k\"",
    "-k'",
    "-m\"not",
    "-m'not",
];
const SCRIPT: &[&str] = &[
    "testPathIgnorePatterns",
    "testNamePattern",
    "passWithNoTests",
    "--testPathIgnore",
    "\"exclude\"",
    "exclude:[",
    "forbidOnly:false",
];

fn marks(path: &str) -> &'static [&'static str] {
    let is = |end: &str| path == end || path.ends_with(&format!("/{end}"));
    RUNNERS.iter().find(|it| is(it.0)).map_or(&[], |it| it.1)
}

pub(super) fn reads(path: &str) -> bool {
    !marks(path).is_empty()
}

/// Lines that leave tests out and were not there before.
pub(super) fn leaves_out(path: &str, old: &str, new: &str) -> Vec<String> {
    let marks = marks(path);
    let plain = |it: &str| it.chars().filter(|it| !it.is_whitespace()).collect::<String>();
    let before: BTreeSet<String> = old.lines().map(plain).collect();
    let comment = |it: &str| it.starts_with('#') || it.starts_with("//");
    let mut said = Vec::new();
    for line in new.lines() {
        let bare = plain(line);
        let leaves = marks.iter().any(|it| bare.contains(it)) && !comment(&bare);
        if leaves && !before.contains(&bare) {
            said.push(format!("{path}: tests may be left out by `{}`", line.trim()));
        }
    }
    said
}
