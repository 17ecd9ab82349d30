//! Reads the lines of `go test -json`: one object a line, among them what compilers print.

use super::cases::{Cases, Ending};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A longer line is no line of go's.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// What failing tests printed, for people: at most this much.
const READABLE_BYTES_MAX: usize = 64 * 1024;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Line<'a> {
    action: &'a str,
    package: String,
    test: Option<String>,
    output: String,
}

fn lines(output: &str) -> impl Iterator<Item = Line<'_>> {
    let short = output.lines().filter(|it| it.starts_with('{') && it.len() <= LINE_BYTES_MAX);
    short.filter_map(|it| serde_json::from_str(it).ok())
}

pub(super) fn read(output: &str, cases: &mut Cases) {
    let mut with_failures = BTreeSet::new();
    let mut failed = BTreeSet::new();
    for line in lines(output) {
        let ending = match line.action {
            "pass" => Ending::Passed,
            "fail" => Ending::Failed,
            "skip" => Ending::Ignored,
            _ => continue,
        };
        match line.test {
            Some(test) => {
                if ending == Ending::Failed {
                    with_failures.insert(line.package.clone());
                }
                cases.add(&format!("{}.{test}", line.package), None, ending);
            }
            None if ending == Ending::Failed => drop(failed.insert(line.package)),
            None => (),
        }
    }
    // It did not build, or ended outside of any test.
    for package in failed.difference(&with_failures) {
        cases.add(package, None, Ending::Failed);
    }
}

/// What a person would have been shown: of failing tests and of packages, what they printed; and
/// every line that is not go's. `None` where this is not the output of `go test -json`.
pub(super) fn readable(output: &str) -> Option<String> {
    let key = |it: &Line<'_>| (it.package.clone(), it.test.clone());
    let failed: BTreeSet<_> =
        lines(output).filter(|it| it.action == "fail").map(|it| key(&it)).collect();
    lines(output).next()?;
    let mut text = String::new();
    for raw in output.lines() {
        if READABLE_BYTES_MAX < text.len() {
            break;
        }
        match serde_json::from_str::<Line<'_>>(raw) {
            Ok(line) => {
                let of_failed = line.action == "output" && failed.contains(&key(&line));
                if line.action == "build-output" || of_failed {
                    text.push_str(&line.output);
                }
            }
            Err(_) => {
                text.push_str(raw);
                text.push('\n');
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use team::Outcome;

    const OUTPUT: &str = r##"{"ImportPath":"example.org/m/sub","Action":"build-output","Output":"# example.org/m/sub\n"}
{"ImportPath":"example.org/m/sub","Action":"build-output","Output":"sub/s.go:2:23: undefined: y\n"}
{"ImportPath":"example.org/m/sub","Action":"build-fail"}
{"Time":"2026-01-01T00:00:00Z","Action":"output","Package":"example.org/m/sub","Output":"FAIL\texample.org/m/sub [build failed]\n"}
{"Action":"fail","Package":"example.org/m/sub","Elapsed":0}
{"Action":"run","Package":"example.org/m","Test":"TestA/sub_one"}
{"Action":"output","Package":"example.org/m","Test":"TestA/sub_one","Output":"    a_test.go:3: bad\n"}
{"Action":"fail","Package":"example.org/m","Test":"TestA/sub_one","Elapsed":0}
{"Action":"fail","Package":"example.org/m","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"example.org/m","Test":"TestB","Output":"all good\n"}
{"Action":"pass","Package":"example.org/m","Test":"TestB","Elapsed":0}
{"Action":"skip","Package":"example.org/m","Test":"TestS","Elapsed":0}
{"Action":"fail","Package":"example.org/m","Elapsed":0.008}
"##;

    #[test]
    fn counts_tests_and_packages_that_do_not_build() {
        let mut cases = Cases::default();
        read(OUTPUT, &mut cases);
        let names = ["TestA/sub_one", "TestB", "example.org/m.TestA", "TestS", "TestC"];
        let tests = cases.tests(&names.map(String::from));
        assert_eq!((tests.passed, tests.failed, tests.ignored), (1, 3, 1));
        use Outcome::{Failed, Missing, Passed};
        let how: Vec<Outcome> = tests.named.iter().map(|it| it.1).collect();
        assert_eq!(how, [Failed, Passed, Failed, Missing, Missing]);
    }

    #[test]
    fn people_read_what_failed() {
        let text = readable(&format!("warning\n{OUTPUT}")).unwrap();
        for part in ["warning\n", "undefined: y", "a_test.go:3: bad", "[build failed]"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("good") && !text.contains("Action"), "{text}");
        assert_eq!(readable("plain\ntext\n"), None);
    }
}
