//! What a person pointed at, as the place and the words of a brief.

use super::documents::{Document, Encoding};
use super::types::{Position, Range};
use crate::protocol::{Problem, RangeIn};
use team::{Origin, Place};

/// More of a selection is cut from the brief; the file itself is in the snapshot.
const PLACE_CHARS_MAX: usize = 4_000;
/// More problems of one place are left out.
const PROBLEMS_MAX: usize = 8;
const PROBLEM_CHARS_MAX: usize = 500;
/// Of the line that is meant, in a brief's words.
const LINE_CHARS_MAX: usize = 120;
/// Tasks that are shown at the lines of one document.
pub const SHOWN_TASKS_MAX: usize = 20;
const MARKERS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

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
    let whole = Range::new(Position::new(first, 0), Position::new(last, u32::MAX));
    let text = document.text.slice(document.bytes_of(whole, encoding));
    Place {
        path,
        first_line: first + 1,
        last_line: last + 1,
        text: text.chars().take(PLACE_CHARS_MAX).collect(),
    }
}

/// What a person wants of the place they pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Words of their own, and no place.
    Sentence,
    /// The same, typed in a terminal.
    CommandLine,
    Selection,
    /// What is wrong on this line.
    Diagnostic,
    /// What a comment on this line leaves to be done.
    Todo,
    Tests,
    /// To understand it; nothing is changed.
    Question,
}

impl Wish {
    /// The names on the wire, of those that a client may name.
    pub const NAMED: [(&str, Wish); 6] = [
        ("selection", Wish::Selection),
        ("diagnostic", Wish::Diagnostic),
        ("todo", Wish::Todo),
        ("tests", Wish::Tests),
        ("question", Wish::Question),
        ("commandLine", Wish::CommandLine),
    ];

    pub fn by_name(name: &str) -> Option<Wish> {
        Wish::NAMED.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    pub fn origin(self) -> Origin {
        match self {
            Wish::Sentence => Origin::Sentence,
            Wish::CommandLine => Origin::CommandLine,
            Wish::Diagnostic => Origin::Diagnostic,
            Wish::Selection | Wish::Todo | Wish::Tests | Wish::Question => Origin::Selection,
        }
    }
}

/// The words for a place where the person gave none.
pub fn words(wish: Wish, place: &Place, problems: &[Problem]) -> String {
    let at = if place.first_line == place.last_line {
        format!("{}:{}", place.path, place.first_line)
    } else {
        format!("{}:{}-{}", place.path, place.first_line, place.last_line)
    };
    let line = super::plain::line(&place.text, LINE_CHARS_MAX);
    match wish {
        Wish::Diagnostic if problems.is_empty() => format!(
            "Fix the problem at {at}\n\nThe line is `{line}`. Find out what is wrong with it and fix that."
        ),
        Wish::Diagnostic => format!("Fix the problem at {at}"),
        Wish::Todo => format!(
            "Do what the comment at {at} leaves to be done\n\nThe line is `{line}`. Do it, and take the comment away."
        ),
        Wish::Tests => format!(
            "Write tests for the code at {at}\n\nTest what it promises, its borders and its errors, in the project's own way. Don't change the code itself; where it is wrong, say so."
        ),
        Wish::Question => format!("What does the code at {at} do, and why is it there?"),
        Wish::Selection | Wish::Sentence | Wish::CommandLine => format!(
            "Work on the selection at {at}\n\nDo what the comments in the selected lines ask for. If they ask for nothing, find what is wrong there and fix it."
        ),
    }
}

/// Whether a line leaves something to be done, in the words that editors and linters look for too.
pub fn is_todo(line: &str) -> bool {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    line.split(|it| !is_word(it)).any(|it| MARKERS.contains(&it))
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
pub fn line_text(document: &Document, line: u32) -> String {
    document.text.line(line).trim().to_owned()
}
