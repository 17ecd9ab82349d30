//! The other answers to what waits, for a client with nothing but a menu: reject, and send back with
//! the words that stand on this line. Offered by hand alone, and after what approves.

use super::{Entry, commands, selection};
use crate::lsp::documents::Document;
use crate::lsp::plain;
use crate::protocol::{AnswerApprovalParams, Problem};
use serde_json::json;
use team::ApprovalLine;

/// Of the line and of the problems on it, in what is sent back.
const WORDS_CHARS_MAX: usize = 1_000;
/// A title says so much of the words.
const SHOWN_CHARS_MAX: usize = 50;
const COMMENTS: [&str; 8] = ["///", "//", "/*", "<!--", "--", "#", ";", "*"];

/// What the person points at, as words for a role.
pub(super) struct Words {
    /// `the comment on this line`.
    what: &'static str,
    /// Of the line, for the title.
    shown: String,
    text: String,
}

/// `None`: the line says nothing.
pub(super) fn words(
    document: &Document,
    path: &str,
    line: u32,
    problems: &[Problem],
) -> Option<Words> {
    let text = selection::line_text(document, line);
    let comment = COMMENTS.iter().find_map(|it| text.strip_prefix(it));
    let comment = comment.map(|it| it.trim_end_matches("*/").trim_end_matches("-->").trim());
    let at = format!("{path}:{}", line + 1);
    let (what, said) = match comment {
        Some(it) if it.chars().any(char::is_alphanumeric) && problems.is_empty() => {
            ("the comment on this line", it)
        }
        Some(_) | None => ("the problem on this line", text.as_str()),
    };
    let shown = match problems.first() {
        Some(it) => &it.message,
        None => said,
    };
    if shown.trim().is_empty() {
        return None;
    }
    let said = plain::line(said, WORDS_CHARS_MAX);
    let text = match what {
        "the comment on this line" => format!("{said} ({at})"),
        _ => format!("there is a problem at {at}: `{said}`{}", selection::problems(problems)),
    };
    Some(Words { what, shown: plain::line(shown, SHOWN_CHARS_MAX), text })
}

/// At most two, as far as the approval may be answered so.
pub(super) fn entries(repository: &str, line: &ApprovalLine, words: Option<&Words>) -> Vec<Entry> {
    let task = line.task;
    let entry = |title: String, answer: &str, text: String| Entry {
        title,
        kind: super::DECIDE_KIND,
        command: commands::ANSWER,
        argument: json!(AnswerApprovalParams {
            repository: Some(repository.to_owned()),
            approval: line.approval.to_string(),
            revision: line.change.as_ref().map(|it| it.0.clone()),
            answer: answer.to_owned(),
            text: Some(text),
            ..AnswerApprovalParams::default()
        }),
        diagnostics: Vec::new(),
    };
    let mut res = Vec::new();
    if line.answers.contains(&"reject") {
        let title = format!("{task} reject: {}", plain::line(&line.title, SHOWN_CHARS_MAX));
        res.push(entry(title, "reject", String::new()));
    }
    if let Some(words) = words.filter(|_| line.answers.contains(&"revise")) {
        let title = format!("{task} send back: {}: {}", words.what, words.shown);
        res.push(entry(title, "revise", words.text.clone()));
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::documents::Documents;
    use crate::lsp::types::Uri;
    use std::str::FromStr;

    fn of(text: &str, line: u32, problems: &[&str]) -> Option<(&'static str, String)> {
        let mut documents = Documents::default();
        let uri = Uri::from_str("file:///no/such/a.rs").unwrap();
        documents.open(uri.clone(), 1, text.to_owned());
        let problem = |it: &&str| Problem { range: None, message: (*it).to_owned(), source: None };
        let problems: Vec<Problem> = problems.iter().map(problem).collect();
        let words = words(documents.get(&uri)?, "src/a.rs", line, &problems);
        words.map(|it| (it.what, it.text))
    }

    #[test]
    fn the_words_are_those_of_the_line() {
        let text = "fn a() {\n    // keep the old name\n}\n\n";
        let comment = ("the comment on this line", "keep the old name (src/a.rs:2)".to_owned());
        assert_eq!(of(text, 1, &[]), Some(comment));
        let problem = of(text, 0, &[]).unwrap();
        assert_eq!(problem.0, "the problem on this line");
        assert_eq!(problem.1, "there is a problem at src/a.rs:1: `fn a() {`");
        let shown = of(text, 1, &["unused name"]).unwrap();
        assert!(shown.1.contains("unused name"), "{shown:?}");
        assert_eq!(of(text, 3, &[]), None, "an empty line says nothing");
        assert_eq!(of(text, 99, &[]), None);
    }
}
