//! Comments on lines: what may be commented on, and how the role whose work it was hears it.

use super::{Refusal, Subject};
use crate::change::{Comment, Side};
use crate::stages::Stage;

/// So many comments go back at once.
const COMMENTS_MAX: usize = 100;
/// So long is all that is said with comments, their lines included: as much as a brief takes, so that
/// none of it is cut off there.
const SAID_CHARS_MAX: usize = 3_900;

/// Something is said, and what is commented on has lines.
pub(super) fn allowed(subject: &Subject, text: &str, comments: &[Comment]) -> Result<(), Refusal> {
    let no = |text: String| Err(Refusal::Not(text));
    let has_lines = match subject {
        Subject::Landing { .. }
        | Subject::Edits { .. }
        | Subject::Stage { before: Stage::Validate | Stage::Announce } => true,
        Subject::Commands { .. }
        | Subject::Setup { .. }
        | Subject::Plan { .. }
        | Subject::Stage { before: Stage::Design | Stage::Build } => false,
    };
    if !has_lines && !comments.is_empty() {
        return no("nothing is changed yet, so no line can be commented on: say it in words".into());
    }
    if COMMENTS_MAX < comments.len() {
        return no(format!(
            "at most {COMMENTS_MAX} comments go back at once: say the first of them"
        ));
    }
    if !comments.is_empty() && SAID_CHARS_MAX < said(text, comments).chars().count() {
        return no(format!(
            "all of it is longer than {SAID_CHARS_MAX} characters: say it shorter, or the rest when \
             it comes back"
        ));
    }
    if let Some(it) = comments.iter().find(|it| it.text.trim().is_empty()) {
        return no(format!("the comment on {}:{} says nothing", it.path, it.line));
    }
    if text.trim().is_empty() && comments.is_empty() {
        return no("say what shall be different".into());
    }
    Ok(())
}

/// The person's words with the comments as a list below them, each with its line's text.
pub(super) fn said(text: &str, comments: &[Comment]) -> String {
    let mut res = text.trim().to_string();
    if !comments.is_empty() {
        res += if res.is_empty() { "comments on lines:" } else { "\ncomments on lines:" };
    }
    for it in comments {
        let side = match it.side {
            Side::Old => " (as it was before the change)",
            Side::New => "",
        };
        let (path, line, quoted) = (&it.path, it.line, it.quoted.trim());
        let said = it.text.trim().replace('\n', "\n  ");
        res += &format!("\n- {path}:{line}{side} `{quoted}`: {said}");
    }
    res
}
