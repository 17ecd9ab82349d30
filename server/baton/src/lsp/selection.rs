//! What a person pointed at, as the place and the words of a brief.

use super::documents::{Document, Encoding, bytes_of, line_at};
use super::types::{Position, Range};
use crate::protocol::{Problem, RangeIn};
use team::{Origin, Place};

/// More of a selection is cut from the brief; the file itself is in the snapshot.
const PLACE_CHARS_MAX: usize = 4_000;
/// More problems of one place are left out.
const PROBLEMS_MAX: usize = 8;
const PROBLEM_CHARS_MAX: usize = 500;

impl From<RangeIn> for Range {
    fn from(it: RangeIn) -> Range {
        Range::new(
            Position::new(it.start.line, it.start.character),
            Position::new(it.end.line, it.end.character),
        )
    }
}

/// The lines that a range touches, as they are in the document now. A selection that ends before
/// the first character of a line does not mean that line.
pub fn place(document: &Document, path: String, range: Range, encoding: Encoding) -> Place {
    let first = range.start.line;
    let mut last = range.end.line.max(first);
    if first < last && range.end.character == 0 {
        last -= 1;
    }
    let text = &document.text;
    let whole = Range::new(Position::new(first, 0), Position::new(last, u32::MAX));
    let text = &text[bytes_of(text, whole, encoding)];
    Place {
        path,
        first_line: first + 1,
        last_line: last + 1,
        text: text.chars().take(PLACE_CHARS_MAX).collect(),
    }
}

/// The words for a place where the person gave none.
pub fn words(origin: Origin, place: &Place, problems: &[Problem]) -> String {
    let at = if place.first_line == place.last_line {
        format!("{}:{}", place.path, place.first_line)
    } else {
        format!("{}:{}-{}", place.path, place.first_line, place.last_line)
    };
    match origin {
        Origin::Diagnostic if problems.is_empty() => {
            let line = super::plain::line(&place.text, 120);
            format!(
                "Fix the problem at {at}\n\nThe line is `{line}`. Find out what is wrong with it and fix that."
            )
        }
        Origin::Diagnostic => format!("Fix the problem at {at}"),
        Origin::Selection | Origin::Sentence | Origin::CommandLine => format!(
            "Work on the selection at {at}\n\nDo what the comments in the selected lines ask for. If they ask for nothing, find what is wrong there and fix it."
        ),
    }
}

/// The problems that an editor shows at a place, as lines for the brief.
pub fn problems(problems: &[Problem]) -> String {
    let lines = problems.iter().take(PROBLEMS_MAX).map(|it| {
        let source = it.source.as_deref().unwrap_or("editor");
        let line = it.range.map(|it| format!(" (line {})", it.start.line + 1));
        let message = super::plain::line(&it.message, PROBLEM_CHARS_MAX);
        format!("- {source}: {message}{}", line.unwrap_or_default())
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("\n\nThe editor shows:\n{}", lines.join("\n"))
}

/// The text of the line at `line`, for a title.
pub fn line_text(document: &Document, line: u32) -> &str {
    line_at(&document.text, line).1.trim()
}
