//! Honest documents of several runners, and hostile ones.

use super::*;
use team::{Outcome, Tests};

fn tests(xml: &str, names: &[&str]) -> Tests {
    let mut cases = Cases::default();
    read(xml.as_bytes(), &mut cases);
    cases.tests(&names.iter().map(|it| it.to_string()).collect::<Vec<_>>())
}

fn counts(tests: &Tests) -> (u32, u32, u32) {
    (tests.passed, tests.failed, tests.ignored)
}

#[test]
fn reads_pytest() {
    let tests = tests(
        r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" tests="5">
        <testcase classname="tests.test_a.TestB" name="test_x" file="tests/test_a.py" line="3" time="0.001" />
        <testcase classname="tests.test_a" name="test_p[a&lt;b]" file="tests/test_a.py"><failure message="x">text <![CDATA[<testcase name="no"/>]]></failure></testcase>
        <testcase classname="tests.test_a" name="test_s" file="tests/test_a.py"><skipped type="pytest.skip" message="" /></testcase>
        <testcase classname="tests.test_a" name="test_f" file="tests/test_a.py"><error message="failed on setup" /></testcase>
        <testcase classname="" name="tests.test_broken" file="tests/test_broken.py"><error message="collection failure" /></testcase>
        </testsuite></testsuites>"#,
        &["tests/test_a.py::TestB::test_x", "test_p", "test_s", "test_broken.py::test_z"],
    );
    assert_eq!(counts(&tests), (1, 3, 1));
    let failing =
        ["tests/test_a.py::test_f", "tests/test_a.py::test_p[a<b]", "tests/test_broken.py"];
    assert_eq!(tests.failing, failing);
    use Outcome::{Failed, Missing, Passed};
    let how: Vec<Outcome> = tests.named.iter().map(|it| it.1).collect();
    assert_eq!(how, [Passed, Failed, Missing, Missing]);
    assert_eq!(tests.trouble, None);
}

#[test]
fn reads_node_and_others() {
    let node = r#"<testsuites>
        <testcase name="adds two" time="0.1" classname="test"/>
        <testsuite name="suite one" tests="1"><testsuite name="inner">
            <testcase name="is &lt;odd>" classname="test" failure="1 == 2"><failure type="x"/></testcase>
        </testsuite></testsuite></testsuites>"#;
    let tests_of_node = tests(node, &["inner > is <odd>"]);
    assert_eq!(counts(&tests_of_node), (1, 1, 0));
    assert_eq!(tests_of_node.failing, ["suite one > inner > is <odd>"]);
    assert_eq!(tests_of_node.named[0].1, Outcome::Failed);
    let surefire = r#"<testsuite name="a.B"><testcase name="adds" classname="a.B"/></testsuite>"#;
    let tests = tests(surefire, &["a.B.adds", "B#adds"]);
    assert_eq!(tests.named.iter().map(|it| it.1).collect::<Vec<_>>(), [Outcome::Passed; 2]);
}

#[test]
fn what_is_damaged_or_hostile_is_not_believed() {
    let deep = "<testsuite>".repeat(1_000_000);
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"><testcase name="a"/></testsuite>"#;
    let undeclared = r#"<testsuite name="&b;"><testcase name="a"/></testsuite>"#;
    let cut = r#"<testsuite name="x"><testcase name="a"/><testcase name="#;
    let torn = r#"<testsuite name="x"><testcase name="a"/>"#;
    let crossed = r#"<testsuite name="x"><testcase name="a"></testsuite></testcase>"#;
    let nested = r#"<testsuite><testcase name="a"><testcase name="b"/></testcase></testsuite>"#;
    for bad in [deep.as_str(), bomb, undeclared, cut, torn, crossed, nested, "", "text"] {
        assert!(tests(bad, &[]).trouble.is_some(), "{bad:.60}");
    }
}

#[test]
fn a_failure_is_not_taken_back() {
    let xml = r#"<testsuite><testcase name="a" classname="C"><failure/><skipped/></testcase>
        <testcase name="b" classname="C"><system-out><failure/></system-out></testcase></testsuite>"#;
    let tests = tests(xml, &[]);
    assert_eq!((counts(&tests), tests.failing), ((1, 1, 0), vec!["C.a".to_string()]));
}
