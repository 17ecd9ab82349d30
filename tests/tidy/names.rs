//! What things are called: no vague suffixes, one word for one meaning, limits that end in `_MAX`.

use crate::lexer::{Rust, line_of, words};
use crate::none;
use crate::tree::tree;

/// They name a place to put code, not a thing.
const VAGUE: &[&str] = &["manager", "service", "helper", "helpers", "util", "utils", "handler"];

/// Words for which the house has another: task, run, question, ...
const TAKEN: &[&str] = &["session", "thread", "turn", "attempt", "execution"];

const ITEMS: &[&str] =
    &["struct", "enum", "trait", "type", "mod", "fn", "const", "static", "union"];

#[test]
fn nothing_is_named_vaguely() {
    let found = each_item(|name| {
        let last = parts(name).pop()?;
        VAGUE.contains(&last.as_str()).then(|| format!("`{name}` names no thing"))
    });
    none(found, "say what it is or does: a verb for a function, the thing itself for a type");
}

#[test]
fn one_word_has_one_meaning() {
    let found = each_item(|name| {
        let parts = parts(name);
        let taken = TAKEN.iter().find(|it| parts.iter().any(|part| part == *it))?;
        Some(format!("`{name}`: the house doesn't say `{taken}`"))
    });
    none(found, "the words are in docs/style.md: task, run, handoff, check, question, ...");
}

#[test]
fn limits_are_called_max() {
    let found = each_const(|name| {
        let parts = parts(name);
        let word =
            parts.iter().find(|it| ["limit", "maximum", "cap", "most"].contains(&it.as_str()));
        let misplaced = parts.iter().position(|it| it == "max").filter(|it| it + 1 != parts.len());
        (word.is_some() || misplaced.is_some()).then(|| format!("`{name}` is a limit"))
    });
    none(found, "a limit is called WHAT_UNIT_MAX, as in OUTPUT_BYTES_MAX");
}

fn each_item(wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    each(|rust| defined(rust, ITEMS), wrong)
}

fn each_const(wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    each(|rust| defined(rust, &["const", "static"]), wrong)
}

fn each(
    names: impl Fn(&Rust) -> Vec<(usize, &str)>,
    wrong: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        for (at, name) in names(rust) {
            let line = line_of(&rust.code, at);
            found.extend(wrong(name).map(|it| format!("{}:{line}: {it}", file.path)));
        }
    }
    found
}

/// Names that follow one of these keywords, where they are defined.
fn defined<'a>(rust: &'a Rust, keywords: &[&str]) -> Vec<(usize, &'a str)> {
    let mut last = (0, "");
    let mut found = Vec::new();
    for (at, word) in words(&rust.code) {
        let (before, keyword) = std::mem::replace(&mut last, (at, word));
        let is_next = rust.code[before + keyword.len()..at] == *" ";
        let is_keyword = keywords.contains(&keyword) && is_next;
        if is_keyword && !["fn", "unsafe", "mut", "async"].contains(&word) {
            found.push((at, word));
        }
    }
    found
}

/// `end`, `turn` of `EndTurn`, `end_turn` and `END_TURN`.
fn parts(name: &str) -> Vec<String> {
    let is_shout = !name.contains(|it: char| it.is_lowercase());
    let mut parts = vec![String::new()];
    for it in name.chars() {
        if it == '_' || (it.is_uppercase() && !is_shout) {
            parts.push(String::new());
        }
        if it != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(it.to_lowercase());
        }
    }
    parts.retain(|it| !it.is_empty());
    parts
}

#[test]
fn names_are_taken_apart() {
    assert_eq!(parts("EndTurn"), ["end", "turn"]);
    assert_eq!(parts("end_turn"), ["end", "turn"]);
    assert_eq!(parts("MAX_TURNS"), ["max", "turns"]);
    assert_eq!(parts("returned"), ["returned"]);
    let rust = Rust::read(
        "x.rs",
        "pub struct A { b: u8 }\nconst fn c() {}\nconst D: u8 = 1;\ntype E = fn(u8);",
    );
    let names: Vec<&str> = defined(&rust, ITEMS).into_iter().map(|it| it.1).collect();
    assert_eq!(names, ["A", "c", "D", "E"]);
}
