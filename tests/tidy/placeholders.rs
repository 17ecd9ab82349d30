//! Nothing is half done: no stubs, no notes to oneself, no switched-off tests or lints, and no test
//! that sleeps and hopes.

use crate::lexer::line_of;
use crate::none;
use crate::tree::tree;

#[test]
fn nothing_is_a_stub() {
    let stubs = ["todo!", "unimplemented!", "#[ignore"];
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        for stub in stubs {
            for (at, _) in rust.code.match_indices(stub) {
                found.push(format!("{}:{}: {stub}", file.path, line_of(&rust.code, at)));
            }
        }
    }
    none(found, "finish it, or leave it out and say so in docs/shortcomings.md");
}

#[test]
fn there_are_no_notes_to_oneself() {
    let mut found = Vec::new();
    for file in &tree().files {
        let is_script = [".lua", ".py", ".sh", ".ts", ".mjs", ".js"].iter();
        let is_script =
            is_script.clone().any(|it| file.path.ends_with(it)) || file.path == ".ci/run";
        let text = match &file.rust {
            Some(rust) => &rust.comments,
            None if is_script => &file.text,
            None => continue,
        };
        if !file.is_fixture() {
            found.extend(
                notes(text).map(|it| format!("{}:{}: a note", file.path, line_of(text, it))),
            );
        }
    }
    none(found, "do it, or file it; HEAD is for readers, not for plans");
}

/// The word is allowed in backticks and quotes: some comments speak about such notes.
fn notes(text: &str) -> impl Iterator<Item = usize> {
    let marks = ["TO", "FIX", "XX"].into_iter().zip(["DO", "ME", "X"]);
    marks.flat_map(|(a, b)| {
        let mark = format!("{a}{b}");
        let is_edge =
            |it: Option<char>| !it.is_some_and(|it| it.is_alphanumeric() || "`\"'_".contains(it));
        text.match_indices(&mark)
            .filter(|(at, _)| is_edge(text[..*at].chars().next_back()))
            .filter(|(at, _)| is_edge(text[at + mark.len()..].chars().next()))
            .map(|it| it.0)
            .collect::<Vec<_>>()
    })
}

#[test]
fn no_test_sleeps() {
    let mut found = Vec::new();
    for file in &tree().files {
        let text = match &file.rust {
            Some(rust) => &rust.tests,
            None if is_test_script(&file.path) => &file.text,
            None => continue,
        };
        for nap in [
            "thread::sleep",
            "time::sleep",
            "time.sleep(",
            "asyncio.sleep(",
            "uv.sleep(",
            "waitForTimeout(",
        ] {
            for (at, _) in text.match_indices(nap) {
                found.push(format!("{}:{}: {nap}", file.path, line_of(text, at)));
            }
        }
    }
    none(found, "wait for what you expect: a board version, a line of output, a child's end");
}

fn is_test_script(path: &str) -> bool {
    let is_script = [".lua", ".py", ".mjs", ".ts", ".js"].iter().any(|it| path.ends_with(it));
    is_script && (path.starts_with("tests/") || path.contains("/test"))
}

#[test]
fn lints_are_silenced_with_a_reason_only() {
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        for (at, _) in rust.product.match_indices("[allow(") {
            found.push(format!("{}:{}: allow", file.path, line_of(&rust.product, at)));
        }
        for (at, _) in rust.product.match_indices("[expect(") {
            let rest = &rust.product[at..];
            let end = rest.find(")]").unwrap_or(rest.len());
            if !rest[..end].contains("reason") {
                found.push(format!("{}:{}: no reason", file.path, line_of(&rust.product, at)));
            }
        }
    }
    none(
        found,
        "outside tests a lint is silenced by `#[expect(lint, reason = \"...\")]`, where the reason \
         states the invariant",
    );
}

#[test]
fn notes_are_noticed() {
    let mark = ["TO", "DO"].concat();
    let count = |it: String| notes(&it).count();
    assert_eq!(count(format!("// {mark}: later")), 1);
    assert_eq!(count(format!("// a `{mark}` in the text, {mark}s, \"{mark}\"")), 0);
}
