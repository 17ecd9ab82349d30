//! What a path is for, by its name alone: documentation, or a test. Names only, so that the same rule
//! holds for a model, the server and a reader.

/// Endings of text that people read.
const PROSE: [&str; 5] = ["md", "markdown", "rst", "adoc", "txt"];
/// Names of documents that may have no ending.
const DOCUMENTS: [&str; 9] = [
    "readme",
    "changelog",
    "changes",
    "news",
    "history",
    "releases",
    "contributing",
    "authors",
    "release-notes",
];
/// Instructions to agents: text, but it acts.
const INSTRUCTIONS: [&str; 3] = ["agents.md", "claude.md", "gemini.md"];
/// Files of prose that programs read: a build or a package follows them.
const READ_BY_PROGRAMS: [&str; 3] = ["requirements", "constraints", "cmakelists"];
const TEST_FOLDERS: [&str; 9] = [
    "tests",
    "test",
    "spec",
    "specs",
    "__tests__",
    "testdata",
    "fixtures",
    "__snapshots__",
    "snapshots",
];

/// Documentation for people: `README`, `CHANGELOG.md`, `docs/usage.rst`. Nothing that a program runs,
/// and nothing that tells an agent what to do.
pub fn is_documentation(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut folders: Vec<&str> = path.split('/').collect();
    let name = folders.pop().unwrap_or("");
    // `.github`, `.claude`, ...: what lies there is for programs; among tests it is what they expect.
    let for_programs = |it: &&str| it.starts_with('.') || TEST_FOLDERS.contains(it);
    if folders.iter().any(for_programs) || name.starts_with('.') {
        return false;
    }
    if INSTRUCTIONS.contains(&name) {
        return false;
    }
    match name.rsplit_once('.') {
        None => DOCUMENTS.contains(&name),
        Some((stem, ending)) => {
            let acts = READ_BY_PROGRAMS.iter().any(|it| stem.starts_with(it));
            PROSE.contains(&ending) && !acts && (ending != "txt" || is_named(stem, &folders))
        }
    }
}

/// A `.txt` may be data: it counts where its name or its folder says that it is a document.
fn is_named(stem: &str, folders: &[&str]) -> bool {
    let in_docs = folders.iter().any(|it| matches!(*it, "docs" | "doc" | "documentation"));
    in_docs || DOCUMENTS.contains(&stem)
}

/// A test, or what only tests read.
pub fn is_test(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut folders: Vec<&str> = path.split('/').collect();
    let name = folders.pop().unwrap_or("");
    if folders.iter().any(|it| TEST_FOLDERS.contains(it)) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or("");
    let dotted = [".test.", ".tests.", ".spec."].iter().any(|it| name.contains(it));
    matches!(stem, "test" | "tests" | "conftest")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || dotted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_told_from_what_acts() {
        for it in [
            "README",
            "README.md",
            "CHANGELOG.md",
            "docs/usage.rst",
            "docs/notes.txt",
            "crates/a/README.adoc",
            "NEWS.txt",
        ] {
            assert!(is_documentation(it), "{it}");
        }
        for it in [
            "src/lib.rs",
            "docs/conf.py",
            "docs/build.sh",
            "docs/page.html",
            "AGENTS.md",
            "sub/CLAUDE.md",
            ".claude/agents/x.md",
            ".github/pull_request_template.md",
            "requirements.txt",
            "CMakeLists.txt",
            "data/words.txt",
            "tests/expected/report.md",
            "Makefile",
            ".env",
            "",
        ] {
            assert!(!is_documentation(it), "{it}");
        }
    }

    #[test]
    fn tests_are_known_by_their_names() {
        for it in [
            "tests/a.rs",
            "src/parse/tests.rs",
            "a/test_x.py",
            "x_test.go",
            "web/a.spec.ts",
            "src/__tests__/a.js",
            "conftest.py",
        ] {
            assert!(is_test(it), "{it}");
        }
        for it in ["src/lib.rs", "src/latest.rs", "src/contest.py", "protest/a.rs"] {
            assert!(!is_test(it), "{it}");
        }
    }
}
