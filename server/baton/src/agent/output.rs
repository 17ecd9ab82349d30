//! What a command's end looks like to the model: exit, time, receipt, counts, then the output with
//! its middle left out.

use crate::agent::request::{Made, Seen};
use crate::clean;
use std::fmt::Write;
use team::{Exit, Tests};

/// Of a command with more output than this the ends are kept: its words stay in every later request,
/// and the receipt keeps them all.
const FAILED_CHARS_MAX: usize = 10_000;
const FINE_CHARS_MAX: usize = 6_000;
const FINE_HEAD_CHARS_MAX: usize = 500;
/// What failed says so at its end, and where its first trouble is.
const FAILED_HEAD_CHARS_MAX: usize = 300;
const TROUBLE_CHARS_MAX: usize = 1_000;
const TAIL_CHARS_MAX: usize = 1_000;
/// Words of compilers, test runners and shells.
const TROUBLE: [&str; 5] = ["error", "panicked", "fail", "exception", "not found"];
const NAMES_MAX: usize = 30;
const PATHS_MAX: usize = 10;

/// The text of a finished command or check.
pub fn describe(what: &str, seen: &Seen) -> String {
    let seconds = seen.duration_ms as f64 / 1_000.0;
    let mut out =
        format!("{what}: {}, {seconds:.1} s, receipt {}\n", exit(seen.exit), seen.receipt);
    if let Some(tests) = &seen.tests {
        count(&mut out, tests);
    }
    let text = plain(&String::from_utf8_lossy(&seen.output));
    let text = text.trim_end();
    let fine = seen.exit == Exit::Code(0);
    let whole_max = if fine { FINE_CHARS_MAX } else { FAILED_CHARS_MAX };
    let hint = format!("; to see them, search or read_file with path {}", seen.receipt);
    if text.is_empty() {
        out.push_str("(no output)");
    } else if text.chars().count() <= whole_max {
        out.push_str(text);
    } else if fine {
        out.push_str(&ends(text, FINE_HEAD_CHARS_MAX, TAIL_CHARS_MAX, &hint));
    } else {
        let (head, rest) = text.split_at(trouble(text));
        out.push_str(&ends(head, FAILED_HEAD_CHARS_MAX, 0, &hint));
        out.push_str(&ends(rest, TROUBLE_CHARS_MAX, TAIL_CHARS_MAX, &hint));
    }
    match &seen.made {
        Made::Kept(paths) if !paths.is_empty() => {
            let paths = few(paths);
            let _ = write!(out, "\nnew files, part of your change unless you remove them: {paths}");
        }
        Made::SetAside(paths) if !paths.is_empty() => {
            let paths = few(paths);
            let _ = write!(
                out,
                "\nmade by the check, so not part of your change, and taken out again: {paths}; \
                 write them yourself if they belong to it"
            );
        }
        Made::Kept(_) | Made::SetAside(_) => {}
    }
    out
}

/// Where the first line begins that speaks of trouble; the start where none does.
fn trouble(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        if TROUBLE.iter().any(|it| lower.contains(it)) {
            return at;
        }
        at += line.len();
    }
    0
}

/// Paths in one line.
fn few(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(PATHS_MAX).map(|it| clean::line(it)).collect();
    let more = paths.len().saturating_sub(PATHS_MAX);
    let more = if 0 < more { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// How a command ended, in words.
pub fn exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
        Exit::TimedOut => "timed out".to_owned(),
        Exit::Interrupted => "interrupted".to_owned(),
    }
}

fn count(out: &mut String, tests: &Tests) {
    let Tests { passed, failed, ignored, failing, named: _, trouble } = tests;
    let _ = writeln!(out, "{passed} passed, {failed} failed, {ignored} ignored");
    if let Some(trouble) = trouble {
        let _ = writeln!(out, "its report does not count: {trouble}");
    }
    if !failing.is_empty() {
        let more = failing.len().saturating_sub(NAMES_MAX);
        let names: Vec<_> = failing.iter().take(NAMES_MAX).map(String::as_str).collect();
        let more = if 0 < more { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "failing: {}{more}", names.join(", "));
    }
}

/// The first and last characters, cut at line ends where one is near, with a line that says how much
/// is left out; `hint` follows the words `left out` in it.
pub fn ends(text: &str, head: usize, tail: usize, hint: &str) -> String {
    let count = text.chars().count();
    if count <= head + tail {
        return text.to_owned();
    }
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |it| it.0);
    let (head_end, tail_start) = (at(head), at(count - tail));
    let head = &text[..head_end];
    let head = head.rfind('\n').filter(|it| head.len() / 2 < *it).map_or(head, |it| &head[..it]);
    let tail = &text[tail_start..];
    let tail = tail.find('\n').filter(|it| *it < tail.len() / 2).map_or(tail, |it| &tail[it + 1..]);
    let left = count - head.chars().count() - tail.chars().count();
    format!(
        "{head}
[... {left} characters left out{hint} ...]
{tail}"
    )
}

/// Without terminal control sequences, and with only the last state of lines that redraw themselves.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body.strip_suffix('\r').unwrap_or(body), "\n"),
            None => (line, ""),
        };
        let last = body.rsplit('\r').find(|it| !it.is_empty()).unwrap_or_default();
        strip_sequences(last, &mut out);
        out.push_str(end);
    }
    out
}

fn strip_sequences(line: &str, out: &mut String) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\u{1b}', Some('[')) => {
                chars.next();
                while chars.next_if(|it| !('@'..='~').contains(it)).is_some() {}
                chars.next();
            }
            ('\u{1b}', Some(']')) => {
                while chars.next_if(|it| !matches!(it, '\u{7}' | '\u{1b}')).is_some() {}
                if chars.next() == Some('\u{1b}') {
                    chars.next_if_eq(&'\\');
                }
            }
            ('\u{1b}', _) => {
                chars.next();
            }
            ('\t', _) => out.push('\t'),
            (c, _) if c.is_control() => {}
            (c, _) => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
