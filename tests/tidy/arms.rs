//! No catch-all arm in a match on an enum of our own: whoever adds a variant shall be led by the
//! compiler to every place that must decide about it.

use crate::lexer::{closing, line_of, words};
use crate::none;
use crate::tree::tree;
use std::collections::BTreeSet;

#[test]
fn no_catch_all_on_an_enum_of_our_own() {
    let closed = closed_enums();
    assert!(closed.contains("Event"), "found no enums in server/team");
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        for (at, name) in catch_alls(&rust.product, &closed) {
            let line = line_of(&rust.product, at);
            found.push(format!("{}:{line}: a match on `{name}` has a `_` arm", file.path));
        }
    }
    none(found, "name the other variants, so that a new one is a question and not an accident");
}

/// Every public enum of `team`.
fn closed_enums() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for (file, rust) in tree().rust() {
        if !file.path.starts_with("server/team/src/") {
            continue;
        }
        let mut last = "";
        for (_, word) in words(&rust.product) {
            if last == "enum" {
                names.insert(word);
            }
            last = word;
        }
    }
    names
}

/// Offsets of matches with a `_` arm beside arms that name one of these enums.
fn catch_alls<'a>(code: &str, closed: &BTreeSet<&'a str>) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for (at, _) in words(code).filter(|it| it.1 == "match") {
        let Some(open) = block(code, at) else {
            continue;
        };
        let arms = patterns(code, open);
        if !arms.iter().any(|it| is_catch_all(it)) {
            continue;
        }
        let named = arms.iter().find_map(|it| names_a_variant(it, closed));
        found.extend(named.map(|it| (at, it)));
    }
    found
}

/// `_`, or a name that takes whatever is left. With a guard it takes nothing for granted.
fn is_catch_all(pattern: &str) -> bool {
    let is_name = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    !pattern.is_empty() && pattern.chars().all(is_name)
}

fn names_a_variant<'a>(pattern: &str, closed: &BTreeSet<&'a str>) -> Option<&'a str> {
    let head = pattern.split(" if ").next().unwrap_or(pattern);
    // What is behind the payload's bracket may be an enum of ours whose rest is not a variant here:
    // `Exit::Code(0)` and `Exit::Code(_)`. The head of each alternative is what counts.
    words(head).find_map(|(at, word)| {
        let name = closed.get(word)?;
        head[at + word.len()..].starts_with("::").then_some(*name)
    })
}

/// The brace that opens the body of the match at this offset.
fn block(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(i),
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b';' if depth == 0 => return None,
            _ => (),
        }
    }
    None
}

/// The patterns of the arms between these braces.
fn patterns(code: &str, open: usize) -> Vec<&str> {
    let end = closing(code, open) - 1;
    let mut found = Vec::new();
    let mut at = open + 1;
    while at < end {
        let Some(arrow) = at_depth_0(code, at, end, "=>") else {
            break;
        };
        found.push(code[at..arrow].trim());
        let body =
            arrow + 2 + (code[arrow + 2..end].len() - code[arrow + 2..end].trim_start().len());
        at = if code[body..].starts_with('{') {
            closing(code, body)
        } else {
            at_depth_0(code, body, end, ",").map_or(end, |it| it + 1)
        };
        // A block may be followed by a comma, or be the head of a longer expression.
        let rest = code[at..end].trim_start();
        if rest.starts_with(',') {
            at = end - rest.len() + 1;
        }
    }
    found
}

fn at_depth_0(code: &str, from: usize, to: usize, wanted: &str) -> Option<usize> {
    let mut depth = 0usize;
    for i in from..to {
        match code.as_bytes()[i] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && code.as_bytes()[i..to].starts_with(wanted.as_bytes()) => {
                return Some(i);
            }
            _ => (),
        }
    }
    None
}

#[test]
fn a_catch_all_is_noticed() {
    let closed = BTreeSet::from(["Event", "Duty"]);
    let count = |it: &str| catch_alls(it, &closed).len();
    assert_eq!(count("match a { Event::A { x, .. } => { b() } Event::B(_) => c, _ => d, }"), 1);
    assert_eq!(count("match (a, b) { (Duty::A, _) => f(|x| y(x)), _ if z => d, rest => e }"), 1);
    assert_eq!(count("match a { Event::A => 1, _ if b => 2, Event::B => 3 }"), 0);
    assert_eq!(count("match a { Event::A => match b { 1 => 2, _ => 3 }, Event::B => 4 }"), 0);
    assert_eq!(count("match a { 0 => Event::A, _ => Event::B }"), 0);
    assert_eq!(count("match a { MyEvent::A => 1, _ => 2 }"), 0);
    assert_eq!(count("match a.map(|it| { it }) { Some(Event::A) => {}, None => (), _ => {} }"), 1);
    assert_eq!(count("if let Event::A = a { } else { match b { _ => 1 } }"), 0);
}
