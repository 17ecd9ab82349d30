//! The tools that write: `edit_file` and `write_file`.
//!
//! Search and replace is looked for exactly first, then without trailing white space, then without
//! indentation: models lose those more often than anything else. A place that is not the only one is
//! never guessed.

use crate::agent::args;
use crate::agent::files::{Content, Files, blob, content};
use crate::agent::read::numbered;
use std::fmt::Write;
use std::ops::Range;

mod diff;

/// Up to this size a file is shown whole after failed edits.
pub const WHOLE_LINES_MAX: usize = 300;
/// Failed edits of one file after which it is shown whole.
pub const FAILED_EDITS_MAX: u32 = 2;
const PLACES_SHOWN_MAX: usize = 8;
const OLD_HINT: &str = "add lines around it so that it names one, or set all to true";

/// Replaces text in a file; gives the diff. `failed`: how many edits of this file failed in a row.
pub fn edit_file(files: &Files, want: &args::EditFile, failed: u32) -> Result<String, String> {
    let path = files.writable(&want.path)?;
    let bytes = files.read(&path)?;
    let now = blob(&bytes);
    let text = match content(bytes) {
        Content::Text(text) => text,
        Content::Lossy(_) => {
            return Err(format!(
                "`{path}` is not UTF-8, so edit_file would damage it; change it with run_command, or write it anew with write_file"
            ));
        }
        Content::Binary => {
            return Err(format!("`{path}` is binary; change it with the program that makes it"));
        }
    };
    if let Some(expected) = want.expected_blob.as_deref()
        && !now.starts_with(expected.trim())
    {
        return Err(format!(
            "`{path}` has changed: its blob is now {now}; read it again, then edit"
        ));
    }
    let edited = replace(&text, &want.old, &want.new, want.all.unwrap_or(false))
        .map_err(|why| after_failing(&path, &text, why, failed))?;
    files.write(&path, edited.as_bytes())?;
    Ok(report(&path, &text, &edited))
}

/// Writes a whole file; gives the diff against what was there.
pub fn write_file(files: &Files, want: &args::WriteFile) -> Result<String, String> {
    let path = files.writable(&want.path)?;
    let before = match files.read(&path) {
        Ok(bytes) => match content(bytes) {
            Content::Text(text) | Content::Lossy(text) => Some(text),
            Content::Binary => return Err(format!("`{path}` is binary; leave it as it is")),
        },
        // No such file, or one that write refuses with its own words.
        Err(_) => None,
    };
    files.write(&path, want.text.as_bytes())?;
    match before {
        Some(before) => Ok(report(&path, &before, &want.text)),
        None => {
            let lines = want.text.lines().count();
            Ok(format!("{path} written, {lines} lines\nblob: {}", blob(want.text.as_bytes())))
        }
    }
}

/// What an edit did, for the model.
pub fn report(path: &str, before: &str, after: &str) -> String {
    let diff = diff::of(before, after);
    format!(
        "{path} +{} -{}\n{}blob: {}",
        diff.added,
        diff.removed,
        diff.text,
        blob(after.as_bytes())
    )
}

/// Why an edit failed; after some failures in a row with the whole file.
pub fn after_failing(path: &str, text: &str, why: String, failed: u32) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if failed + 1 < FAILED_EDITS_MAX || WHOLE_LINES_MAX < lines.len() {
        return format!("`{path}` is unchanged: {why}");
    }
    let (whole, last) = numbered(&lines, 1, WHOLE_LINES_MAX);
    let rest = match last < lines.len() {
        true => format!("(more from first_line {} with read_file)\n", last + 1),
        false => String::new(),
    };
    format!(
        "`{path}` is unchanged: {why}\nThis is the file now:\n{whole}{rest}Write it whole with write_file, with your change in it"
    )
}

/// The text with `old` replaced; the error is for the model.
pub fn replace(text: &str, old: &str, new: &str, all: bool) -> Result<String, String> {
    if old.is_empty() {
        return Err("`old` is empty; copy the lines to replace, or use write_file for a new file"
            .to_owned());
    }
    if old == new {
        return Err("`old` and `new` are the same; nothing to do".to_owned());
    }
    // A file with CRLF gets CRLF, whatever the model wrote.
    let crlf = text.contains("\r\n") && !new.contains('\r');
    let ended = if crlf { new.replace('\n', "\r\n") } else { new.to_owned() };
    let exact: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    match exact.len() {
        0 => {}
        1 => return Ok(text.replacen(old, &ended, 1)),
        _ if all => return Ok(text.replace(old, &ended)),
        _ => {
            let places = exact.iter().map(|&at| text[..at].matches('\n').count());
            return Err(ambiguous(text, places.collect(), "`old`", OLD_HINT));
        }
    }
    let file = Lines::of(text);
    if let Some(plain) = without_numbers(old) {
        // The numbers of read_file were copied along.
        let new = without_numbers(new).unwrap_or_else(|| new.to_owned());
        return replace(text, &plain, &new, all);
    }
    for same in [same_but_trailing as fn(&str, &str) -> bool, same_but_indented] {
        let wanted: Vec<&str> = trim_blank(old.lines().collect());
        let places = file.places(&wanted, same);
        match places.as_slice() {
            [] => {}
            [_, _, ..] if !all => return Err(ambiguous(text, places, "`old`", OLD_HINT)),
            places => return Ok(file.put(places, &wanted, new)),
        }
    }
    Err(not_found(&file, old, "`old`"))
}

/// A text as lines, with the byte range of each, ending included.
pub struct Lines<'a> {
    pub text: &'a str,
    pub lines: Vec<(&'a str, Range<usize>)>,
    pub crlf: bool,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Lines<'a> {
        let mut at = 0;
        let lines = text
            .split_inclusive('\n')
            .map(|line| {
                let range = at..at + line.len();
                at = range.end;
                (line.trim_end_matches(['\n', '\r']), range)
            })
            .collect();
        Lines { text, lines, crlf: text.contains("\r\n") }
    }

    /// Where the wanted lines stand, as indices of their first line, none overlapping another.
    fn places(&self, wanted: &[&str], same: fn(&str, &str) -> bool) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::new();
        for first in self.all_places(wanted, same) {
            if places.last().is_none_or(|last| last + wanted.len() <= first) {
                places.push(first);
            }
        }
        places
    }

    /// The same, with those that overlap.
    pub fn all_places(&self, wanted: &[&str], same: fn(&str, &str) -> bool) -> Vec<usize> {
        if wanted.is_empty() || wanted.iter().all(|it| it.trim().is_empty()) {
            return Vec::new();
        }
        let fits = |window: &[(&str, Range<usize>)]| {
            window.iter().zip(wanted).all(|((line, _), it)| same(line, it))
        };
        let windows = self.lines.windows(wanted.len()).enumerate();
        windows.filter(|(_, it)| fits(it)).map(|(first, _)| first).collect()
    }

    fn put(&self, places: &[usize], wanted: &[&str], new: &str) -> String {
        let mut out = String::with_capacity(self.text.len() + new.len());
        let mut done = 0;
        for &first in places {
            let last = first + wanted.len() - 1;
            let (start, end) = (self.lines[first].1.start, self.lines[last].1.end);
            out.push_str(&self.text[done..start]);
            out.push_str(&self.fit(first, wanted, new));
            if !self.text[..end].ends_with('\n') && out.ends_with('\n') {
                out.truncate(out.trim_end_matches(['\n', '\r']).len());
            }
            done = end;
        }
        out.push_str(&self.text[done..]);
        out
    }

    /// The new lines with the file's indentation and line ends.
    fn fit(&self, first: usize, wanted: &[&str], new: &str) -> String {
        let lead = wanted.iter().position(|it| !it.trim().is_empty()).unwrap_or(0);
        let (has, gave) = (indent(self.lines[first + lead].0), indent(wanted[lead]));
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut out = String::new();
        for line in trim_blank(new.lines().collect()) {
            let line = line.trim_end_matches('\r');
            let fitted = match (line.trim().is_empty(), line.strip_prefix(gave)) {
                (true, _) => String::new(),
                (false, Some(rest)) => format!("{has}{rest}"),
                (false, None) => line.to_owned(),
            };
            let _ = write!(out, "{fitted}{end}");
        }
        out
    }
}

pub fn same_but_trailing(line: &str, wanted: &str) -> bool {
    line.trim_end() == wanted.trim_end()
}

pub fn same_but_indented(line: &str, wanted: &str) -> bool {
    line.trim() == wanted.trim()
}

pub fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Without blank lines at both ends: they are the most often invented ones.
fn trim_blank(mut lines: Vec<&str>) -> Vec<&str> {
    while lines.last().is_some_and(|it| it.trim().is_empty()) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|it| it.trim().is_empty()).count();
    lines.split_off(blank)
}

/// The lines without the numbers that read_file puts before them; `None` if they have none.
fn without_numbers(text: &str) -> Option<String> {
    let plain: Option<Vec<&str>> = text
        .lines()
        .map(|line| {
            let (number, rest) = line.split_once('\t')?;
            let digits = number.trim();
            (!digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())).then_some(rest)
        })
        .collect();
    plain.filter(|it| !it.is_empty()).map(|it| it.join("\n"))
}

/// Says where `what` stands, since it is no one place.
pub fn ambiguous(text: &str, places: Vec<usize>, what: &str, hint: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = format!("{what} stands at {} places; {hint}:", places.len());
    for &at in places.iter().take(PLACES_SHOWN_MAX) {
        let _ = write!(out, "\n{}\t{}", at + 1, lines.get(at).unwrap_or(&""));
    }
    out
}

/// Says where the text may have been meant: around the line that shares most with its first one.
pub fn not_found(file: &Lines<'_>, old: &str, what: &str) -> String {
    let first = old.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
    let score = |line: &str| {
        let words = |text: &str| -> Vec<String> {
            text.split(|it: char| !it.is_alphanumeric() && it != '_')
                .filter(|it| 1 < it.len())
                .map(str::to_owned)
                .collect()
        };
        let (have, want) = (words(line), words(first));
        let shared = want.iter().filter(|it| have.contains(it)).count();
        (shared * 100).checked_div(want.len().max(have.len())).unwrap_or(0)
    };
    let best = (0..file.lines.len()).max_by_key(|&at| (score(file.lines[at].0), usize::MAX - at));
    let Some(best) = best.filter(|&at| 50 <= score(file.lines[at].0)) else {
        return format!("{what} is not in it; read the file and copy the lines exactly");
    };
    let lines: Vec<&str> = file.lines.iter().map(|it| it.0).collect();
    let (shown, _) =
        numbered(&lines, best.saturating_sub(3) + 1, 3 + old.lines().count().min(20) + 3);
    format!(
        "{what} is not in it. The nearest lines are:\n{shown}Copy the lines exactly, without the numbers"
    )
}

#[cfg(test)]
mod tests;
