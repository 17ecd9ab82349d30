//! What is wrong in a TOML file, for the person who wrote it: where, what, and which key was meant.

use crate::clean;
use serde::de::DeserializeOwned;
use team::{Code, Failure};

/// A key is taken for a slip of another one up to so many letters added, dropped or changed.
const SLIPS_MAX: usize = 3;

/// Reads `text`; `file` is how the file is called in messages.
pub(super) fn parse<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = place(text, error.span().map_or(0, |it| it.start));
        let (what, hint) = explain(error.message());
        // A key may stand where something else was expected, and must not be shown for it.
        let what = clean::line(&what);
        let text = format!("{file}, line {line}, column {column}: {what}");
        Failure::new(Code::Config, text).hint(hint)
    })
}

/// Line and column, counted from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |it| it + 1);
    (line, before[start..].chars().count() + 1)
}

fn explain(message: &str) -> (String, String) {
    // A value of the wrong kind is shown by its kind only: it may be a secret.
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        let found = rest.split([' ', ',']).next().unwrap_or_default();
        let expected = rest.rsplit(", expected ").next().unwrap_or_default();
        let expected = match expected {
            "u32" | "u64" | "f64" => "a number",
            "a sequence" => "a list",
            other => other,
        };
        return (format!("found {found}, expected {expected}"), String::new());
    }
    let names = quoted(message);
    let Some((wrong, known)) = names.split_first() else {
        return (message.to_owned(), String::new());
    };
    if message.starts_with("unknown field") {
        let hint = match nearest(wrong, known) {
            Some(it) => format!("did you mean `{it}`?"),
            None if known.is_empty() => "nothing is known here".to_owned(),
            None => format!("known here: {}", known.join(", ")),
        };
        return (format!("unknown key `{wrong}`"), hint);
    }
    if message.starts_with("unknown variant") {
        let hint = match nearest(wrong, known) {
            Some(it) => format!("did you mean \"{it}\"?"),
            None => format!("one of {}", known.join(", ")),
        };
        return (format!("unknown value \"{wrong}\""), hint);
    }
    (message.to_owned(), String::new())
}

/// The names between backquotes.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// The known name that is closest, if one is close.
pub(super) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips = known.iter().map(|it| (slips(wrong, it), *it));
    let (count, name) = slips.min()?;
    (count <= SLIPS_MAX && count < wrong.chars().count()).then_some(name)
}

/// How many letters must be added, dropped or changed to get from one to the other.
fn slips(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
