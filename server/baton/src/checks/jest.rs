//! Reads the JSON that jest and vitest write.

use super::cases::{Cases, Ending};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    test_results: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    /// An absolute path.
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    assertion_results: Vec<Assertion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
}

/// `root`: where the files' names begin. Nesting is bounded by the parser.
pub(super) fn read(bytes: &[u8], root: &str, cases: &mut Cases) {
    let whole: Whole = match serde_json::from_slice(bytes) {
        Ok(it) => it,
        Err(error) => return cases.doubt(format!("its JSON report can't be read: {error}")),
    };
    for file in whole.test_results {
        let name = file.name.strip_prefix(root).unwrap_or(&file.name).trim_start_matches('/');
        for it in &file.assertion_results {
            let ending = match it.status.as_str() {
                "passed" => Ending::Passed,
                "failed" => Ending::Failed,
                _ => Ending::Ignored,
            };
            let titles = it.ancestor_titles.iter().filter(|it| !it.is_empty());
            let titles = titles.map(String::as_str).chain([it.title.as_str()]);
            let titles: Vec<&str> = titles.collect();
            let full = format!("{name} > {}", titles.join(" > "));
            cases.add(&full, Some(&titles.join(" ")), ending);
        }
        let said = file.assertion_results.iter().any(|it| it.status == "failed");
        if file.status == "failed" && !said {
            // It could not be loaded.
            cases.add(name, None, Ending::Failed);
        }
    }
}

/// The last line of an output that is a JSON object.
pub(super) fn in_output(output: &str) -> Option<&str> {
    let is_object = |it: &&str| it.starts_with('{') && it.ends_with('}');
    output.lines().map(str::trim).rfind(is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use team::Outcome;

    const REPORT: &str = r#"{"numTotalTests":4,"success":false,"testResults":[
        {"name":"/slot/src/sum.test.js","status":"failed","message":"...","assertionResults":[
            {"ancestorTitles":["sum","of two"],"title":"adds","status":"failed","failureMessages":["x"]},
            {"ancestorTitles":[],"title":"adds nothing","status":"passed"},
            {"ancestorTitles":["sum"],"title":"later","status":"todo"}]},
        {"name":"/slot/src/broken.test.js","status":"failed","assertionResults":[]}]}"#;

    #[test]
    fn counts_tests_and_files_that_do_not_load() {
        let mut cases = Cases::default();
        read(REPORT.as_bytes(), "/slot", &mut cases);
        let names = [
            "sum of two adds",
            "adds nothing",
            "sum > later",
            "src/sum.test.js > sum > of two > adds",
        ];
        let tests = cases.tests(&names.map(String::from));
        assert_eq!((tests.passed, tests.failed, tests.ignored), (1, 2, 1));
        assert_eq!(tests.failing, ["src/broken.test.js", "src/sum.test.js > sum > of two > adds"]);
        use Outcome::{Failed, Missing, Passed};
        let how: Vec<Outcome> = tests.named.iter().map(|it| it.1).collect();
        assert_eq!(how, [Failed, Passed, Missing, Failed]);
        assert_eq!(tests.trouble, None);
    }

    #[test]
    fn what_is_torn_or_too_deep_is_not_believed() {
        let deep = "[".repeat(100_000);
        let deep = format!("{{\"testResults\":[],\"x\":{deep}");
        for bad in [&REPORT[..200], "", "[]", &deep] {
            let mut cases = Cases::default();
            read(bad.as_bytes(), "/slot", &mut cases);
            let tests = cases.tests(&[]);
            assert!(tests.passed == 0 && tests.trouble.is_some(), "{bad:.40}");
        }
    }

    #[test]
    fn the_last_object_of_an_output_is_the_report() {
        assert_eq!(in_output("a\n{\"x\":1}\n{\"y\":2}\nTests: 1\n"), Some("{\"y\":2}"));
        assert_eq!(in_output("nothing"), None);
    }
}
