//! What kind of task a brief is, by rules on its words alone. Where they are sure no model is asked;
//! where they aren't, what they saw is a hint to the PM.
//!
//! The rules are ranked: a label that the person wrote beats the form of the sentence, that beats the
//! paths that are named, those the door it came through, and that the verb it begins with. Rules of
//! one rank that disagree are sure of nothing.

use crate::brief::{Brief, Origin};
use crate::handoff::Class;
use crate::paths::is_documentation;

/// Criteria that are taken from a brief.
const CRITERIA_MAX: usize = 10;
const CRITERION_CHARS_MAX: usize = 600;

/// What the rules make of a brief.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    Sure {
        class: Class,
        why: String,
    },
    /// Classes that some words speak for, each with these words; may be empty.
    Open {
        fits: Vec<(Class, String)>,
    },
}

/// Labels as people and commit messages write them: `fix: ...`, `[docs] ...`.
const LABELS: [(&str, Class); 20] = [
    ("bug", Class::Bug),
    ("bugfix", Class::Bug),
    ("fix", Class::Bug),
    ("fixme", Class::Bug),
    ("hotfix", Class::Bug),
    ("regression", Class::Bug),
    ("feat", Class::Feature),
    ("feature", Class::Feature),
    ("enhancement", Class::Feature),
    ("refactor", Class::Refactor),
    ("refactoring", Class::Refactor),
    ("cleanup", Class::Refactor),
    ("doc", Class::Docs),
    ("docs", Class::Docs),
    ("documentation", Class::Docs),
    ("chore", Class::Chore),
    ("build", Class::Chore),
    ("ci", Class::Chore),
    ("deps", Class::Chore),
    ("question", Class::Question),
];

const VERBS: [(&str, Class); 24] = [
    ("fix", Class::Bug),
    ("repair", Class::Bug),
    ("correct", Class::Bug),
    ("add", Class::Feature),
    ("implement", Class::Feature),
    ("introduce", Class::Feature),
    ("support", Class::Feature),
    ("allow", Class::Feature),
    ("let", Class::Feature),
    ("refactor", Class::Refactor),
    ("rename", Class::Refactor),
    ("extract", Class::Refactor),
    ("inline", Class::Refactor),
    ("simplify", Class::Refactor),
    ("restructure", Class::Refactor),
    ("deduplicate", Class::Refactor),
    ("document", Class::Docs),
    ("bump", Class::Chore),
    ("upgrade", Class::Chore),
    ("downgrade", Class::Chore),
    ("pin", Class::Chore),
    ("explain", Class::Question),
    ("describe", Class::Question),
    ("summarise", Class::Question),
];

/// Words that tell of something that goes wrong, wherever they stand.
const FAULTS: [&str; 22] = [
    "panic",
    "panics",
    "panicked",
    "crash",
    "crashes",
    "segfault",
    "segfaults",
    "hangs",
    "deadlock",
    "deadlocks",
    "leaks",
    "regression",
    "broken",
    "wrong",
    "wrongly",
    "incorrect",
    "fails",
    "failing",
    "error",
    "errors",
    "overflow",
    "overflows",
];

const ASKING: [&str; 14] = [
    "why", "where", "how", "what", "which", "who", "when", "is", "are", "does", "do", "did", "has",
    "whose",
];
/// Words that make a sentence a wish, even if it ends as a question.
const WISHES: [&str; 9] =
    ["can", "could", "would", "please", "should", "fix", "shall", "want", "need"];
/// Files that configure the build; only named with nothing else.
const CHORES: [&str; 14] = [
    "cargo.lock",
    "cargo.toml",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "go.mod",
    "go.sum",
    "pyproject.toml",
    "requirements.txt",
    "poetry.lock",
    "uv.lock",
    ".gitignore",
    ".editorconfig",
];

/// Rules of one rank: each class that they see, and why.
type Rank = fn(&Brief, &str) -> Vec<(Class, String)>;

/// What the rules make of this brief. A class that the person gave is not guessed again.
pub fn guess(brief: &Brief) -> Guess {
    if let Some(class) = brief.class {
        return Guess::Sure { class, why: "the person said so".to_string() };
    }
    let text = brief.text.trim();
    let ranks: [Rank; 5] = [label, form, paths, door, verb];
    for (rank, rule) in ranks.iter().enumerate() {
        let mut fits = rule(brief, text);
        let Some((class, why)) = fits.first().cloned() else { continue };
        // A verb is the weakest sign: words about a fault beside it leave the question open.
        let is_weakest = rank + 1 == ranks.len();
        if is_weakest && class != Class::Bug {
            fits.extend(fault(text));
        }
        if fits.iter().all(|it| it.0 == class) {
            return Guess::Sure { class, why };
        }
        return Guess::Open { fits };
    }
    Guess::Open { fits: fault(text).into_iter().collect() }
}

/// The person's own "done when", where the brief has one: a list under such a line.
pub fn criteria(text: &str) -> Vec<String> {
    let mut res = vec![];
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        let head = line.trim_start_matches('#').trim().trim_end_matches(':').to_lowercase();
        if matches!(&*head, "done when" | "acceptance criteria" | "criteria" | "definition of done")
        {
            inside = true;
            continue;
        }
        let item = ["- [ ] ", "- ", "* "].iter().find_map(|it| line.strip_prefix(it));
        match item.map(str::trim).filter(|it| !it.is_empty()) {
            Some(item) if inside => res.push(item.chars().take(CRITERION_CHARS_MAX).collect()),
            None if inside && !line.is_empty() => inside = false,
            Some(_) | None => {}
        }
    }
    res.truncate(CRITERIA_MAX);
    res
}

/// `fix: ...`, `feat(parser): ...`, `[docs] ...`.
fn label(_: &Brief, text: &str) -> Vec<(Class, String)> {
    let first = text.lines().next().unwrap_or("");
    let named = match first.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|it| it.0),
        None => first.split_once(':').map(|it| it.0),
    };
    let Some(name) = named else { return vec![] };
    let name = name.split('(').next().unwrap_or("").trim_end_matches('!').trim().to_lowercase();
    let found = LABELS.iter().find(|it| it.0 == name);
    found.map(|it| (it.1, format!("it is labelled `{name}`"))).into_iter().collect()
}

/// One or more questions and no wish.
fn form(brief: &Brief, text: &str) -> Vec<(Class, String)> {
    if brief.origin == Origin::Diagnostic || !text.ends_with('?') {
        return vec![];
    }
    let all = words(text);
    let asks = all.first().is_some_and(|it| ASKING.contains(&it.as_str()));
    // "How do I add ...?" asks; "How about adding ...?" and "Can you add ...?" wish.
    let wishes = all.iter().any(|it| WISHES.contains(&it.as_str()))
        || all.get(1).is_some_and(|it| it == "about");
    let one_kind = text.split(['.', '!']).filter(|it| 2 < words(it).len()).count() <= 1;
    if asks && !wishes && one_kind {
        return vec![(Class::Question, format!("it asks `{} ...?`", all[0]))];
    }
    vec![]
}

/// Only documentation is named, or only files that configure the build.
fn paths(brief: &Brief, text: &str) -> Vec<(Class, String)> {
    let mut named: Vec<String> = text.split_whitespace().filter_map(path_in).collect();
    named.extend(brief.place.iter().map(|it| it.path.clone()));
    if named.is_empty() {
        return vec![];
    }
    if named.iter().all(|it| is_documentation(it)) {
        let why = format!("only documentation is named: {}", named.join(", "));
        return vec![(Class::Docs, why)];
    }
    let configures = |it: &String| {
        let name = it.rsplit('/').next().unwrap_or("").to_lowercase();
        CHORES.contains(&name.as_str()) || it.starts_with(".github/")
    };
    if named.iter().all(configures) {
        let why = format!("only build files are named: {}", named.join(", "));
        return vec![(Class::Chore, why)];
    }
    vec![]
}

/// A word that is a path: it has a folder, or an ending that files have.
fn path_in(word: &str) -> Option<String> {
    let word = word.trim_matches(|it: char| "`'\"(),;:!?<>[]".contains(it)).trim_end_matches('.');
    // `src/parse.rs:40` names a line of it.
    let path = word.split(':').next().unwrap_or("");
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-".contains(it);
    let name = path.rsplit('/').next().unwrap_or("");
    let has_ending = name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (1..=8).contains(&ending.len())
            && ending.chars().all(|it| it.is_ascii_alphanumeric())
            && ending.chars().any(|it| it.is_ascii_alphabetic())
    });
    // Without an ending only `README` is a file; "the changes" are none.
    let is_shouted = !name.is_empty() && !name.chars().any(char::is_lowercase);
    let is_known =
        CHORES.contains(&name.to_lowercase().as_str()) || (is_documentation(name) && is_shouted);
    let is_path = !path.is_empty()
        && !word.contains("://")
        && path.chars().all(plain)
        && (has_ending || is_known);
    is_path.then(|| path.trim_start_matches("./").to_string())
}

/// The door it came through, and what stands where the person pointed.
fn door(brief: &Brief, text: &str) -> Vec<(Class, String)> {
    let mut res = vec![];
    if brief.origin == Origin::Diagnostic && !is_lint(text) {
        res.push((Class::Bug, "it is a problem that a tool reported".to_string()));
    }
    let there = brief.place.as_ref().map_or("", |it| it.text.as_str());
    for mark in ["FIXME", "BUG:", "BUG("] {
        if there.contains(mark) {
            let mark = mark.trim_end_matches([':', '(']);
            res.push((Class::Bug, format!("`{mark}` stands where you pointed")));
        }
    }
    res
}

/// A remark about style or about what will be gone one day is no bug by itself.
fn is_lint(text: &str) -> bool {
    let text = text.to_lowercase();
    ["unused", "never used", "never read", "deprecated", "dead_code", "clippy", "style"]
        .iter()
        .any(|it| text.contains(it))
}

/// The verb that it begins with.
fn verb(_: &Brief, text: &str) -> Vec<(Class, String)> {
    let all = words(text);
    let first = all.iter().find(|it| *it != "please");
    let Some(first) = first else { return vec![] };
    // A task for tests is none of these: what they are for decides.
    if all.iter().take(6).any(|it| matches!(it.as_str(), "test" | "tests")) && first == "add" {
        return vec![];
    }
    let class_of = |word: &String| VERBS.iter().find(|it| it.0 == word).map(|it| it.1);
    let Some(class) = class_of(first) else { return vec![] };
    let mut res = vec![(class, format!("it begins with `{first}`"))];
    // "Explain it and fix it": what changes something may be what is wanted.
    if class == Class::Question {
        let others = all.iter().filter_map(|it| Some((class_of(it)?, it)));
        let other = others
            .filter(|it| it.0 != Class::Question)
            .map(|(class, word)| (class, format!("it says `{word}`")));
        res.extend(other);
    }
    res
}

fn fault(text: &str) -> Option<(Class, String)> {
    let all = words(text);
    let found = all.iter().find(|it| FAULTS.contains(&it.as_str()))?;
    Some((Class::Bug, format!("it says `{found}`")))
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|it: char| !it.is_alphanumeric() && it != '_' && it != '\'');
    split.filter(|it| !it.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::Place;
    use expect_test::expect;

    fn brief(text: &str, origin: Origin, place: Option<(&str, &str)>) -> Brief {
        let place = place.map(|(path, text)| Place {
            path: path.into(),
            first_line: 1,
            last_line: 1,
            text: text.into(),
        });
        Brief { place, ..Brief::new(text, origin) }
    }

    fn says(it: &Brief) -> String {
        match guess(it) {
            Guess::Sure { class, why } => format!("{}: {why}", class.name()),
            Guess::Open { fits } => {
                let fits: Vec<String> =
                    fits.iter().map(|(class, why)| format!("{} ({why})", class.name())).collect();
                format!("open: {}", fits.join(", "))
            }
        }
    }

    #[test]
    fn words_decide_where_they_are_clear() {
        let texts = [
            "fix: the parser panics",
            "feat(parser)!: read comments",
            "[docs] say what retries do",
            "Note: the parser is slow",
            "Why does parse() panic on an empty file?",
            "How do I add a command?",
            "Where is the retry limit set? And who reads it?",
            "Can you add a retry limit?",
            "How about a retry limit?",
            "Why does it panic? It has to return an error.",
            "fix the typo in README.md",
            "add a paragraph on retries to docs/net.md and README",
            "fix src/parse.rs:40 and README.md",
            "raise the version in Cargo.toml",
            "see https://example.org/a.md",
            "Add a --quiet flag",
            "add a test for the empty file",
            "Add a check so that it never panics",
            "rename Parser to Reader",
            "please bump serde",
            "explain the retry loop",
            "explain the retry loop and fix it",
            "undo the changes in the news",
            "the parser panics on empty files",
            "make it nicer",
            "",
        ];
        let said: Vec<String> = texts
            .iter()
            .map(|it| format!("{it:?} -> {}", says(&brief(it, Origin::CommandLine, None))))
            .collect();
        expect![[r#"
            "fix: the parser panics" -> bug: it is labelled `fix`
            "feat(parser)!: read comments" -> feature: it is labelled `feat`
            "[docs] say what retries do" -> docs: it is labelled `docs`
            "Note: the parser is slow" -> open: 
            "Why does parse() panic on an empty file?" -> question: it asks `why ...?`
            "How do I add a command?" -> question: it asks `how ...?`
            "Where is the retry limit set? And who reads it?" -> question: it asks `where ...?`
            "Can you add a retry limit?" -> open: 
            "How about a retry limit?" -> open: 
            "Why does it panic? It has to return an error." -> open: bug (it says `panic`)
            "fix the typo in README.md" -> docs: only documentation is named: README.md
            "add a paragraph on retries to docs/net.md and README" -> docs: only documentation is named: docs/net.md, README
            "fix src/parse.rs:40 and README.md" -> bug: it begins with `fix`
            "raise the version in Cargo.toml" -> chore: only build files are named: Cargo.toml
            "see https://example.org/a.md" -> open: 
            "Add a --quiet flag" -> feature: it begins with `add`
            "add a test for the empty file" -> open: 
            "Add a check so that it never panics" -> open: feature (it begins with `add`), bug (it says `panics`)
            "rename Parser to Reader" -> refactor: it begins with `rename`
            "please bump serde" -> chore: it begins with `bump`
            "explain the retry loop" -> question: it begins with `explain`
            "explain the retry loop and fix it" -> open: question (it begins with `explain`), bug (it says `fix`)
            "undo the changes in the news" -> open: 
            "the parser panics on empty files" -> open: bug (it says `panics`)
            "make it nicer" -> open: 
            "" -> open: "#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn doors_and_places_decide_where_words_dont() {
        let cases = [
            says(&brief("fix: cannot find value", Origin::Diagnostic, None)),
            says(&brief("mismatched types", Origin::Diagnostic, Some(("src/a.rs", "let x")))),
            says(&brief("unused variable", Origin::Diagnostic, Some(("src/a.rs", "let x")))),
            says(&brief("do it", Origin::Selection, Some(("src/a.rs", "// FIXME: empty")))),
            says(&brief("do it", Origin::Selection, Some(("src/a.rs", "// TODO: empty")))),
            says(&brief("make it clearer", Origin::Selection, Some(("docs/a.md", "text")))),
        ];
        expect![[r#"
            bug: it is labelled `fix`
            bug: it is a problem that a tool reported
            open: 
            bug: `FIXME` stands where you pointed
            open: 
            docs: only documentation is named: docs/a.md"#]]
        .assert_eq(&cases.join("\n"));
    }

    #[test]
    fn a_brief_may_hold_its_own_criteria() {
        let text = "add a flag\n\nDone when:\n- it is quiet\n- [ ] help names it\n\n* docs too\nThanks\n- no";
        assert_eq!(criteria(text), ["it is quiet", "help names it", "docs too"]);
        assert_eq!(criteria("- a\n- b"), Vec::<String>::new());
        assert_eq!(criteria(&format!("Criteria\n{}", "- a\n".repeat(99))).len(), CRITERIA_MAX);
    }
}
