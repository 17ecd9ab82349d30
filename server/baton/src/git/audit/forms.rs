//! What tests look like in each language, line by line: how one starts, how it is skipped or run
//! alone, what asserts.

use super::always::is_always_true;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    Script,
    Go,
}

impl Language {
    pub(super) fn of(path: &str) -> Option<Language> {
        let ending = path.rsplit_once('.')?.1;
        match ending {
            "rs" => Some(Language::Rust),
            "py" => Some(Language::Python),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Some(Language::Script),
            "go" => Some(Language::Go),
            _ => None,
        }
    }
}

/// The head of a test.
pub(super) struct Start {
    pub(super) name: String,
    pub(super) skipped: bool,
    pub(super) alone: bool,
}

/// What stood above a function: attributes and decorators.
#[derive(Default)]
pub(super) struct Marks {
    test: bool,
    pub(super) skip: bool,
    pub(super) must_panic: bool,
}

impl Marks {
    /// Whether the line was a mark.
    pub(super) fn take(&mut self, line: &str, language: Language) -> bool {
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
                let never =
                    ["#[cfg(any())]", "#[cfg(FALSE)]", "#[cfg(false)]", "#[cfg(not(test))]"];
                let never = never.iter().any(|it| line.starts_with(it));
                self.skip |= last == "ignore" || conditional || never;
                self.must_panic |= last == "should_panic";
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

/// What holds for several tests: of a file, a class, a `describe`.
#[derive(Default)]
pub(super) struct Group {
    all_skipped: bool,
    alone: bool,
    /// Columns before the class that is skipped.
    skipped_class: Option<usize>,
}

impl Group {
    pub(super) fn of_file(language: Language, text: &str) -> Group {
        let never = ["//go:build ignore", "// +build ignore", "//go:build never"];
        let left_out = language == Language::Go
            && text.lines().take(20).any(|it| never.iter().any(|never| it.starts_with(never)));
        Group { all_skipped: left_out, ..Group::default() }
    }

    pub(super) fn take(&mut self, whole: &str, line: &str, language: Language, marked: bool) {
        match language {
            Language::Script => {
                let heads = ["describe", "suite", "context"];
                let is = |ends: &[&str]| {
                    ends.iter()
                        .any(|end| heads.iter().any(|it| line.starts_with(&format!("{it}.{end}("))))
                };
                // Inside, every test is skipped until the file ends.
                self.all_skipped |= is(&["skip", "todo"]) || line.starts_with("xdescribe(");
                self.alone |= is(&["only"]) || line.starts_with("fdescribe(");
            }
            Language::Python if !line.is_empty() => {
                let column = whole.len() - whole.trim_start().len();
                if self.skipped_class.is_some_and(|it| column <= it) {
                    self.skipped_class = None;
                }
                let of_class = line.starts_with("class ");
                let switched_off = line.starts_with("__test__ = False");
                if (of_class && marked) || (switched_off && 0 < column) {
                    let class = if of_class { column } else { column - 1 };
                    self.skipped_class = Some(class);
                }
                let marks = line.starts_with("pytestmark") && line.contains("skip");
                let module = line.contains("allow_module_level=True") && line.contains("skip");
                self.all_skipped |= column == 0 && (marks || module || switched_off);
            }
            Language::Rust | Language::Python | Language::Go => {}
        }
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.all_skipped || self.skipped_class.is_some()
    }

    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }
}

/// The line without its comment, trimmed: a test that is commented out is gone.
pub(super) fn code_of(line: &str, language: Language) -> &str {
    let line = line.trim();
    let comment = match language {
        Language::Python => line.starts_with('#'),
        Language::Rust | Language::Script | Language::Go => {
            line.starts_with("//") || line.starts_with("/*") || line.starts_with('*')
        }
    };
    if comment { "" } else { line }
}

/// The test that starts on this line.
pub(super) fn start(line: &str, language: Language, marks: &Marks) -> Option<Start> {
    let named = |text: &str| {
        let name = text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
        Start { name, skipped: false, alone: false }
    };
    match language {
        Language::Rust => {
            let (_, rest) = line.split_once("fn ").filter(|_| marks.test)?;
            Some(named(rest))
        }
        Language::Python => {
            let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ")?;
            rest.starts_with("test").then(|| named(rest))
        }
        Language::Go => {
            let rest = line.strip_prefix("func ")?;
            let is_test = ["Test", "Fuzz", "Example"].iter().any(|it| rest.starts_with(it));
            is_test.then(|| named(rest))
        }
        Language::Script => script_start(line),
    }
}

fn script_start(line: &str) -> Option<Start> {
    let heads = ["it", "test", "xit", "xtest", "fit", "ftest", "Deno.test", "bench"];
    let (head, rest) = line.split_once('(')?;
    let mut words = head.split('.');
    let first = if head.starts_with("Deno.test") { "Deno.test" } else { words.next()? };
    if !heads.contains(&first) {
        return None;
    }
    let has = |parts: &[&str]| parts.iter().any(|it| head.contains(it));
    let skipped = first.starts_with('x')
        || has(&[".skip", ".todo", ".fails", ".failing", ".runIf", ".ignore"]);
    let alone = first.starts_with('f') || has(&[".only"]);
    // `it.skipIf(true)("name", ...)`: the name is in the second pair of parentheses.
    let rest = rest.rsplit_once(")(").filter(|_| has(&["If", ".each"])).map_or(rest, |it| it.1);
    let quote = rest.trim_start().chars().next()?;
    if !matches!(quote, '"' | '\'' | '`') {
        return None;
    }
    let name = rest.trim_start().get(1..)?.split(quote).next()?;
    Some(Start { name: name.to_string(), skipped, alone })
}

/// Another function starts here: what follows is not the test's.
pub(super) fn ends(line: &str, language: Language) -> bool {
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

/// Nothing of the body yet: an empty line, the rest of a signature, a docstring.
pub(super) fn is_head(line: &str) -> bool {
    line.is_empty() || ["\"\"\"", "'''", ")", "{"].iter().any(|it| line.starts_with(it))
}

/// Leaves the function, whatever it has seen.
pub(super) fn is_return(line: &str) -> bool {
    matches!(line.trim_end_matches(';'), "return" | "return None" | "return Ok(())" | "return nil")
}

/// How many assertions a line has, and how many of them hold whatever the code does.
pub(super) fn assertions(line: &str, language: Language) -> (usize, usize) {
    let marks: &[&str] = match language {
        Language::Rust => &["assert", "panic!(", "expect![", "expect_err(", "unwrap_err("],
        Language::Python => &["assert", "pytest.raises", "self.fail("],
        Language::Script => &["expect(", "assert", "should."],
        Language::Go => &["t.Error", "t.Fatal", "t.Fail", "assert.", "require.", "b.Fatal"],
    };
    let all: usize = marks.iter().map(|it| line.matches(it).count()).sum();
    if 0 < all && line.split(';').filter(|it| !it.trim().is_empty()).all(is_always_true) {
        return (0, all);
    }
    (all, 0)
}

pub(super) fn skips_inside(line: &str, language: Language) -> bool {
    let marks: &[&str] = match language {
        Language::Rust => &[],
        Language::Python => &[
            "pytest.skip(",
            "pytest.xfail(",
            "self.skipTest(",
            "raise unittest.SkipTest",
            "raise SkipTest",
        ],
        Language::Script => &["this.skip()", "t.skip(", "ctx.skip(", "context.skip(", "pending("],
        Language::Go => &["t.Skip", "b.Skip"],
    };
    marks.iter().any(|it| line.contains(it))
}
