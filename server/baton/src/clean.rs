//! Text from models, tools and repositories, made safe to show and store: what a terminal or an
//! editor would act on, or would not show, is written out; secrets are taken out.

mod known;
mod redact;
mod shapes;
#[cfg(test)]
mod tests;

pub use known::{each_text, keep_secret, redact, redact_bytes, redact_json, redactor, stream};
pub use redact::{REDACTED, Redactor, Stream};

use std::fmt::Write;

/// One line: line breaks and tabs become spaces, whatever else is unsafe a visible `\u{..}`. Secrets
/// are taken out.
pub fn line(text: &str) -> String {
    clean(&redact(text), true)
}

/// Text of several lines: keeps `\n` and `\t`, turns `\r\n` into `\n`, and writes out as `\u{..}`
/// control characters, escape sequences, bidirectional controls, zero-width, tag and other invisible
/// characters. Secrets are taken out.
pub fn text(text: &str) -> String {
    clean(&redact(text), false)
}

/// As `text`, with every secret in it: for the lines of a change, which a person must see as they
/// would land.
pub fn exact(text: &str) -> String {
    clean(text, false)
}

fn clean(text: &str, one_line: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(it) = chars.next() {
        match it {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\t' | '\r' if one_line => safe.push(' '),
            '\n' | '\t' => safe.push(it),
            // One such selector gives an emoji its colour; a row of them hides a text.
            '\u{fe0f}' if before.is_alphanumeric() || '\u{2000}' < before && !is_unsafe(before) => {
                safe.push(it);
            }
            _ if is_unsafe(it) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(it));
            }
            _ => safe.push(it),
        }
        before = it;
    }
    safe
}

/// A terminal acts on it, or nobody sees it.
fn is_unsafe(it: char) -> bool {
    it.is_control()
        || matches!(it,
            // Fillers that show nothing.
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{3164}' | '\u{ffa0}'
            // Marks, embeddings, overrides and isolates of writing direction.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
            // Zero width, invisible operators, line separators, annotations.
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            // Selectors and tags.
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}
