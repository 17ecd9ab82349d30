//! Where a definition ends, and what it is called, in code of any of the usual languages.
//!
//! Read off indentation and the words that begin a definition, without a parser: what is wrong about it
//! shows in a check, and a language that nobody thought of mostly works too.

use std::ops::Range;

/// Longer definitions and files with more lines are not looked at.
const LINES_MAX: usize = 20_000;
/// Words before the one that says what is defined.
const BEFORE: &[&str] = &[
    "pub",
    "pub(crate)",
    "pub(super)",
    "async",
    "unsafe",
    "const",
    "static",
    "export",
    "default",
    "public",
    "private",
    "protected",
    "internal",
    "abstract",
    "final",
    "override",
    "inline",
    "extern",
    "\"C\"",
    "virtual",
    "open",
    "data",
    "sealed",
];
const FUNCTIONS: &[&str] = &["def", "fn", "function", "func", "fun", "sub"];
const HOLDERS: &[&str] =
    &["class", "impl", "trait", "mod", "module", "interface", "struct", "enum", "object"];

/// One definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// E.g. `add`, `impl Cart`; unique among those beside it in most code.
    pub name: String,
    /// Its lines as indices, with decorators and attributes above it.
    pub lines: Range<usize>,
    /// The line that names it.
    pub signature: usize,
    /// It may hold other definitions.
    pub holds: bool,
}

/// What is defined within these lines and not inside of another definition of them.
pub fn definitions(lines: &[&str], within: Range<usize>) -> Vec<Definition> {
    let mut found: Vec<Definition> = Vec::new();
    let mut at = within.start;
    while at < within.end.min(lines.len()).min(LINES_MAX) {
        let Some((name, holds)) = named(lines[at]) else {
            at += 1;
            continue;
        };
        let block = block(lines, at);
        let free = found.last().map_or(within.start, |it| it.lines.end);
        let first = above(lines, at, free);
        let end = block.end.min(within.end);
        found.push(Definition { name, lines: first..end, signature: at, holds });
        at = end.max(at + 1);
    }
    found
}

/// The lines inside of a definition that holds others.
pub fn inside(it: &Definition) -> Range<usize> {
    (it.signature + 1).min(it.lines.end)..it.lines.end
}

/// The lines of what begins at this one: those indented deeper, and what closes it.
pub fn block(lines: &[&str], first: usize) -> Range<usize> {
    let depth = indent_of(lines[first]);
    let mut end = first + 1;
    let mut quoted = is_open(false, lines[first]);
    let mut opened = false;
    for (at, line) in lines.iter().enumerate().skip(first + 1) {
        let was_quoted = quoted;
        quoted = is_open(quoted, line);
        let text = line.trim_start();
        if was_quoted || text.is_empty() {
            end = if was_quoted { at + 1 } else { end };
            continue;
        }
        let deeper = depth < indent_of(line);
        let closes = text.starts_with('}') || text == "end" || text.starts_with("end ");
        let goes_on = text.starts_with([')', ']', '{', '}']) || text.starts_with("where") || closes;
        if !deeper && (!goes_on || indent_of(line) < depth) {
            break;
        }
        opened |= deeper;
        end = at + 1;
        if !deeper && closes && (opened || text.starts_with('}')) {
            break;
        }
    }
    first..end
}

/// Whether a text in three quotes is open after this line.
fn is_open(open: bool, line: &str) -> bool {
    let marks = line.matches("\"\"\"").count() + line.matches("'''").count();
    open != (marks % 2 == 1)
}

/// Decorators, attributes and their comments directly above a definition.
fn above(lines: &[&str], signature: usize, free: usize) -> usize {
    let depth = indent_of(lines[signature]);
    let belongs = |line: &str| {
        let text = line.trim_start();
        indent_of(line) == depth && (text.starts_with('@') || text.starts_with("#["))
    };
    let mut first = signature;
    while free < first && belongs(lines[first - 1]) {
        first -= 1;
    }
    first
}

/// The name of what this line defines, and whether that may hold definitions.
pub fn named(line: &str) -> Option<(String, bool)> {
    let mut words = line.split_whitespace().peekable();
    let mut constant = false;
    while let Some(word) = words.next_if(|it| BEFORE.contains(it)) {
        constant |= word == "const";
    }
    let word = words.next()?;
    let rest = words.collect::<Vec<_>>().join(" ");
    if FUNCTIONS.contains(&word) {
        // Go writes the receiver of a method before its name.
        let rest = match rest.strip_prefix('(') {
            Some(method) if word == "func" => method.split_once(')')?.1.trim(),
            Some(_) | None => rest.as_str(),
        };
        return identifier(rest).map(|name| (name, false));
    }
    if word == "impl" || word.starts_with("impl<") {
        let head = rest.split(['{', ':']).next().unwrap_or_default();
        return Some((format!("impl {}", head.trim()), true));
    }
    if HOLDERS.contains(&word) {
        return identifier(&rest).map(|name| (format!("{word} {name}"), true));
    }
    // `const add = (a, b) => {`
    let arrow = constant && line.trim_end().ends_with(['{', '(']) && line.contains("=>");
    arrow.then(|| identifier(word).map(|name| (name, false))).flatten()
}

fn identifier(text: &str) -> Option<String> {
    let name: String =
        text.chars().take_while(|it| it.is_alphanumeric() || matches!(it, '_' | '$')).collect();
    (!name.is_empty()).then_some(name)
}

/// The white space before the text, a tab as wide as four spaces.
pub fn indent_of(line: &str) -> usize {
    let space = line.chars().take_while(|it| it.is_whitespace());
    space.map(|it| if it == '\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests;
