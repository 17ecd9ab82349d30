//! Finds weakened tests by a small audit, line by line, for Rust, Python, JavaScript and TypeScript,
//! and Go. It names file and test; it may miss something clever, and a person reads the diff anyway.

use std::collections::BTreeMap;

/// So many sentences are given.
const SENTENCES_MAX: usize = 50;

/// (path, old text, new text or `None` where the file was deleted).
pub(super) type Text = (String, String, Option<String>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
    Script,
    Go,
}

/// One test as its lines show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Test {
    name: String,
    skipped: bool,
    assertions: usize,
}

fn language(path: &str) -> Option<Language> {
    let ending = path.rsplit_once('.')?.1;
    match ending {
        "rs" => Some(Language::Rust),
        "py" => Some(Language::Python),
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Some(Language::Script),
        "go" => Some(Language::Go),
        _ => None,
    }
}

/// Whether files of this name are audited.
pub(super) fn reads(path: &str) -> bool {
    language(path).is_some()
}

/// Sentences: how tests were weakened between the old and the new texts.
pub(super) fn weakened(texts: &[Text]) -> Vec<String> {
    let mut now: BTreeMap<String, Test> = BTreeMap::new();
    for (path, _, new) in texts {
        for test in new.iter().flat_map(|it| tests(path, it)) {
            now.entry(test.name.clone()).or_insert(test);
        }
    }
    let mut said = Vec::new();
    for (path, old, new) in texts {
        let before = tests(path, old);
        let after = new.as_deref().map(|it| tests(path, it));
        let moved = before.iter().all(|it| now.contains_key(&it.name));
        if after.is_none() && !before.is_empty() && !moved {
            said.push(format!("{path}: the file was deleted with {} tests in it", before.len()));
            continue;
        }
        let after = after.unwrap_or_default();
        said.extend(before.iter().filter_map(|it| compare(path, it, &after, &now)));
        said.extend(after.iter().filter(|it| it.skipped).filter_map(|it| {
            let is_new = !before.iter().any(|old| old.name == it.name);
            is_new.then(|| format!("{path}: the new test `{}` is skipped", it.name))
        }));
    }
    let more = said.len().saturating_sub(SENTENCES_MAX);
    said.truncate(SENTENCES_MAX);
    if 0 < more {
        said.push(format!("and {more} more weakened tests"));
    }
    said
}

fn compare(path: &str, old: &Test, after: &[Test], now: &BTreeMap<String, Test>) -> Option<String> {
    let name = &old.name;
    let Some(new) = after.iter().find(|it| it.name == *name).or(now.get(name)) else {
        return Some(format!("{path}: the test `{name}` was removed"));
    };
    if new.skipped && !old.skipped {
        return Some(format!("{path}: the test `{name}` is skipped now"));
    }
    let (had, has) = (old.assertions, new.assertions);
    (has < had).then(|| format!("{path}: the test `{name}` asserts less, {had} -> {has}"))
}

fn tests(path: &str, text: &str) -> Vec<Test> {
    let Some(language) = language(path) else {
        return Vec::new();
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<Test> = Vec::new();
    let mut open = false;
    let mut marks = Marks::default();
    // Inside of a skipped `describe(`, every test is skipped until the file ends.
    let mut all_skipped = false;
    for line in &lines {
        let line = code_of(line, language);
        if language == Language::Script && is_skipped_group(line) {
            all_skipped = true;
        }
        if marks.take(line, language) {
            continue;
        }
        if let Some((name, skipped)) = start(line, language, &marks) {
            found.push(Test { name, skipped: skipped || marks.skip || all_skipped, assertions: 0 });
            open = true;
            marks = Marks::default();
        } else if ends(line, language) {
            open = false;
            marks = Marks::default();
        }
        if let Some(test) = found.last_mut().filter(|_| open) {
            test.assertions += assertions(line, language);
            test.skipped |= skips_inside(line, language);
        }
    }
    found
}

/// What stood above a function: attributes and decorators.
#[derive(Default)]
struct Marks {
    test: bool,
    skip: bool,
}

impl Marks {
    /// Whether the line was a mark.
    fn take(&mut self, line: &str, language: Language) -> bool {
        match language {
            Language::Rust if line.starts_with("#[") => {
                let name = line.trim_start_matches("#[");
                let word: String = name
                    .chars()
                    .take_while(|it| it.is_alphanumeric() || matches!(it, '_' | ':'))
                    .collect();
                let last = word.rsplit("::").next().unwrap_or_default();
                self.test |= matches!(last, "test" | "rstest" | "test_case" | "proptest" | "case");
                let conditional = line.starts_with("#[cfg_attr(") && line.contains("ignore");
                self.skip |= last == "ignore" || conditional;
                // `#[test] fn it() {` on one line starts the test at once.
                !line.contains("fn ")
            }
            Language::Python if line.starts_with('@') => {
                let marks = ["skip", "xfail", "expectedFailure"];
                self.skip |= marks.iter().any(|it| line.contains(it));
                true
            }
            Language::Rust | Language::Python | Language::Script | Language::Go => false,
        }
    }
}

/// The line without its comment, trimmed: a test that is commented out is gone.
fn code_of(line: &str, language: Language) -> &str {
    let line = line.trim();
    let comment = match language {
        Language::Python => line.starts_with('#'),
        Language::Rust | Language::Script | Language::Go => {
            line.starts_with("//") || line.starts_with("/*") || line.starts_with('*')
        }
    };
    if comment { "" } else { line }
}

/// The name of the test that starts on this line, and whether the line itself skips it.
fn start(line: &str, language: Language, marks: &Marks) -> Option<(String, bool)> {
    let word = |text: &str| -> String {
        text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
    };
    match language {
        Language::Rust => {
            let (_, rest) = line.split_once("fn ").filter(|_| marks.test)?;
            Some((word(rest), false))
        }
        Language::Python => {
            let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ")?;
            rest.starts_with("test").then(|| (word(rest), false))
        }
        Language::Go => {
            let rest = line.strip_prefix("func ")?;
            let is_test = ["Test", "Fuzz", "Example"].iter().any(|it| rest.starts_with(it));
            is_test.then(|| (word(rest), false))
        }
        Language::Script => script_start(line),
    }
}

fn script_start(line: &str) -> Option<(String, bool)> {
    let heads = ["it", "test", "xit", "xtest", "fit", "Deno.test", "bench"];
    let (head, rest) = line.split_once('(')?;
    let mut words = head.split('.');
    let first = if head.starts_with("Deno.test") { "Deno.test" } else { words.next()? };
    if !heads.contains(&first) {
        return None;
    }
    let skips =
        first.starts_with('x') || [".skip", ".todo", ".fails"].iter().any(|it| head.contains(it));
    let quote = rest.trim_start().chars().next()?;
    if !matches!(quote, '"' | '\'' | '`') {
        return None;
    }
    let name = rest.trim_start().get(1..)?.split(quote).next()?;
    Some((name.to_string(), skips))
}

fn is_skipped_group(line: &str) -> bool {
    let heads = ["describe.skip(", "xdescribe(", "suite.skip(", "context.skip("];
    heads.iter().any(|it| line.starts_with(it))
}

/// Another function starts here: what follows is not the test's.
fn ends(line: &str, language: Language) -> bool {
    match language {
        Language::Rust => {
            let heads = ["fn ", "pub fn ", "async fn ", "pub(crate) fn ", "mod ", "impl ", "impl<"];
            heads.iter().any(|it| line.starts_with(it))
        }
        Language::Python => line.starts_with("def ") || line.starts_with("class "),
        Language::Go => line.starts_with("func "),
        Language::Script => line.starts_with("function "),
    }
}

fn assertions(line: &str, language: Language) -> usize {
    let marks: &[&str] = match language {
        Language::Rust => &["assert", "panic!(", "expect![", "expect_err(", "unwrap_err("],
        Language::Python => &["assert", "pytest.raises", "self.fail("],
        Language::Script => &["expect(", "assert", "should."],
        Language::Go => &["t.Error", "t.Fatal", "t.Fail", "assert.", "require.", "b.Fatal"],
    };
    marks.iter().map(|it| line.matches(it).count()).sum()
}

fn skips_inside(line: &str, language: Language) -> bool {
    match language {
        Language::Rust => false,
        Language::Python => line.contains("pytest.skip(") || line.contains("self.skipTest("),
        Language::Script => line.contains("this.skip()"),
        Language::Go => line.contains("t.Skip"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, old: &str, new: Option<&str>) -> Vec<String> {
        weakened(&[(path.to_string(), old.to_string(), new.map(str::to_string))])
    }

    const RUST: &str = "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n    assert!(true);\n}\n\n\
        fn help() {\n    assert!(1 < 2);\n}\n\n#[tokio::test]\nasync fn waits() {\n    assert!(true);\n}\n";

    #[test]
    fn unchanged_and_stronger_tests_are_fine() {
        assert_eq!(said("a.rs", RUST, Some(RUST)), Vec::<String>::new());
        let more = RUST.replace("assert!(true);", "assert!(true); assert!(2 < 3);");
        assert_eq!(said("a.rs", RUST, Some(&more)), Vec::<String>::new());
        let helped = RUST.replace("assert!(1 < 2)", "let _ = 3");
        assert_eq!(said("a.rs", RUST, Some(&helped)), Vec::<String>::new());
    }

    #[test]
    fn rust_tests_weakened() {
        assert_eq!(
            said("a.rs", RUST, Some(&RUST.replace("#[test]", "#[test]\n#[ignore = \"slow\"]"))),
            ["a.rs: the test `adds` is skipped now"]
        );
        assert_eq!(
            said("a.rs", RUST, Some(&RUST.replace("#[tokio::test]\n", ""))),
            ["a.rs: the test `waits` was removed"]
        );
        assert_eq!(
            said("a.rs", RUST, Some(&RUST.replace("    assert_eq!(1 + 1, 2);\n", ""))),
            ["a.rs: the test `adds` asserts less, 2 -> 1"]
        );
        assert_eq!(said("a.rs", RUST, None), ["a.rs: the file was deleted with 2 tests in it"]);
        assert_eq!(
            said("a.rs", "", Some("#[test]\n#[ignore]\nfn new() {}\n")),
            ["a.rs: the new test `new` is skipped"]
        );
        let commented =
            RUST.replace("    assert!(true);\n}\n\nfn", "    // assert!(true);\n}\n\nfn");
        assert_eq!(
            said("a.rs", RUST, Some(&commented)),
            ["a.rs: the test `adds` asserts less, 2 -> 1"]
        );
    }

    #[test]
    fn a_test_that_moved_to_another_file_is_not_removed() {
        let texts = [
            ("a.rs".to_string(), RUST.to_string(), None),
            ("b.rs".to_string(), String::new(), Some(RUST.to_string())),
        ];
        assert_eq!(weakened(&texts), Vec::<String>::new());
    }

    #[test]
    fn python_tests_weakened() {
        let old = "class T:\n    def test_a(self):\n        assert f() == 1\n\n    def test_b(self):\n        self.assertEqual(1, 1)\n";
        let skipped = old.replace("    def test_a", "    @pytest.mark.skip\n    def test_a");
        assert_eq!(said("t.py", old, Some(&skipped)), ["t.py: the test `test_a` is skipped now"]);
        let inside = old.replace("assert f() == 1", "pytest.skip('no'); assert f() == 1");
        assert_eq!(said("t.py", old, Some(&inside)), ["t.py: the test `test_a` is skipped now"]);
        let less = old.replace("self.assertEqual(1, 1)", "pass");
        assert_eq!(
            said("t.py", old, Some(&less)),
            ["t.py: the test `test_b` asserts less, 1 -> 0"]
        );
    }

    #[test]
    fn script_tests_weakened() {
        let old = "describe('x', () => {\n  it('adds', () => {\n    expect(1).toBe(1)\n  })\n  test(\"b\", () => {\n    expect(2)\n  })\n})\n";
        assert_eq!(
            said("a.test.ts", old, Some(&old.replace("it('adds'", "it.skip('adds'"))),
            ["a.test.ts: the test `adds` is skipped now"]
        );
        assert_eq!(
            said("a.test.ts", old, Some(&old.replace("describe(", "describe.skip("))),
            ["a.test.ts: the test `adds` is skipped now", "a.test.ts: the test `b` is skipped now"]
        );
        assert_eq!(
            said("a.test.ts", old, Some(&old.replace("test(\"b\"", "other(\"b\""))),
            ["a.test.ts: the test `b` was removed"]
        );
    }

    #[test]
    fn go_tests_weakened() {
        let old = "func TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Fatal(\"no\")\n\t}\n}\n\nfunc help() {\n}\n";
        let skipped = old.replace("\tif f()", "\tt.Skip()\n\tif f()");
        assert_eq!(
            said("a_test.go", old, Some(&skipped)),
            ["a_test.go: the test `TestA` is skipped now"]
        );
        let less = old.replace("t.Fatal(\"no\")", "return");
        assert_eq!(
            said("a_test.go", old, Some(&less)),
            ["a_test.go: the test `TestA` asserts less, 1 -> 0"]
        );
        let gone = old.replace("func TestA(t *testing.T)", "func testA()");
        assert_eq!(
            said("a_test.go", old, Some(&gone)),
            ["a_test.go: the test `TestA` was removed"]
        );
    }
}
