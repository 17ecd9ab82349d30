//! Small trees, and the checks that follow from them.

use super::*;
use std::collections::BTreeMap;

/// Of each check: its name, its command and its report.
fn checks(files: &[(&str, &str)], named: &[CheckSpec]) -> String {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &str| files.get(path).map(|it| it.to_string());
    let list = |folder: &str| {
        let inside = files.keys().filter_map(|it| match folder {
            "" => Some(*it),
            _ => it.strip_prefix(folder)?.strip_prefix('/'),
        });
        let names = inside.map(|it| match it.split_once('/') {
            Some((dir, _)) => format!("{dir}/"),
            None => it.to_string(),
        });
        names.collect()
    };
    let all = detect(&Tree { read: &read, list: &list }, named);
    let lines =
        all.iter().map(|it| format!("{}: {} | {:?}", it.name, it.argv.join(" "), it.report));
    lines.collect::<Vec<_>>().join("\n")
}

fn first(files: &[(&str, &str)]) -> String {
    let all = checks(files, &[]);
    all.lines().next().unwrap_or("none").to_string()
}

fn spec(name: &str) -> CheckSpec {
    CheckSpec {
        name: name.into(),
        argv: vec!["make".into(), name.into()],
        report: Report::Exit,
        required: true,
        timeout_ms_max: 1,
    }
}

#[test]
fn each_kind_of_project_has_its_own_command() {
    let vitest = r#"{"scripts":{"test":"vitest"}}"#;
    let node = r#"{"scripts":{"test":"node --test"}}"#;
    let shell = r#"{"scripts":{"test":"node --test 'a/*.js'"}}"#;
    let other = r#"{"scripts":{"test":"mocha"}}"#;
    let all = [
        first(&[("Cargo.toml", "")]),
        first(&[("go.mod", "")]),
        first(&[("package.json", vitest)]),
        first(&[("package.json", r#"{"scripts":{"test":"jest"}}"#), ("yarn.lock", "")]),
        first(&[("package.json", node)]),
        first(&[("package.json", shell), ("pnpm-lock.yaml", "")]),
        first(&[("package.json", other), ("pnpm-lock.yaml", "")]),
        first(&[("package.json", other)]),
        first(&[("tests/test_a.py", "def test_a(): pass")]),
        first(&[("test_a.py", "import unittest")]),
        first(&[("tests/test_a.py", "import unittest")]),
        first(&[("tests/test_a.py", "import unittest"), ("tests/__init__.py", "")]),
        first(&[("test_a.py", "import unittest"), ("requirements.txt", "pytest==9")]),
        first(&[("Makefile", "CC := x\nbuild:\n\t true\ntest: build\n\ttrue\n")]),
        first(&[("Makefile", "all: x\ncheck: x\n\t@sh test/run\n.PHONY: check\n")]),
        first(&[("justfile", "test *args:\n  true\n")]),
    ];
    expect_test::expect![[r#"
        test: cargo test --no-fail-fast | Cargo
        test: go test -json ./... | Go
        test: npm test -- --run --reporter=default --reporter=json --outputFile.json={report} | Jest
        test: yarn run test --ci --json --outputFile={report} | Jest
        test: node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination={report} | Junit { path: "{report}" }
        test: env NODE_OPTIONS=--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination={report} pnpm run test | Junit { path: "{report}" }
        test: pnpm run test | Exit
        test: npm test | Exit
        test: python3 -m pytest -p no:cacheprovider -o junit_family=xunit1 --junitxml={report} | Junit { path: "{report}" }
        test: python3 -m unittest discover -v | Unittest
        test: python3 -m unittest discover -v -s tests | Unittest
        test: python3 -m unittest discover -v | Unittest
        test: python3 -m pytest -p no:cacheprovider -o junit_family=xunit1 --junitxml={report} | Junit { path: "{report}" }
        test: make test | Exit
        test: make check | Exit
        test: just test | Exit"#]].assert_eq(&all.join("\n"));
}

#[test]
fn no_tests_are_no_check() {
    for (path, text) in [
        ("package.json", "{}"),
        ("setup.py", ""),
        ("Makefile", "tests:\n\ttrue\n# test:\ntest := 1\n\ttest:\n.PHONY: test\n"),
        ("README.md", "test: x"),
    ] {
        assert_eq!(first(&[(path, text)]), "none", "{path}");
    }
}

#[test]
fn several_languages_make_several_checks_and_make_none_beside_them() {
    let node = r#"{"scripts":{"test":"mocha"}}"#;
    let files =
        [("Cargo.toml", ""), ("package.json", node), ("Makefile", "test:\n"), ("test_a.py", "")];
    let names = |named: &[CheckSpec]| {
        let all = checks(&files, named);
        all.lines().map(|it| it.split(':').next().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["test", "test-node", "test-python"]);
    assert_eq!(names(&[spec("lint")]), ["lint", "test", "test-node", "test-python"]);
    // The team file may say what one of them is, or what `test` means: then it says all.
    assert_eq!(names(&[spec("test-node")]), ["test-node", "test", "test-python"]);
    assert_eq!(names(&[spec("test")]), ["test"]);
}
