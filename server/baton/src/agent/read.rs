//! The tools that only read: `read_file`, `find_files`, `search`.

use crate::agent::args;
use crate::agent::files::walk::Kept;
use crate::agent::files::{Content, Files, blob, content};
use crate::agent::output::plain;
use globset::{GlobBuilder, GlobMatcher};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::sinks::Lossy;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use std::fmt::Write;
use std::ops::ControlFlow;

const LINES_MAX: usize = 250;
const READ_CHARS_MAX: usize = 16_000;
const LINE_CHARS_MAX: usize = 1_000;
const PATHS_MAX: usize = 200;
const HITS_MAX: usize = 100;
const HIT_CHARS_MAX: usize = 240;
/// Files that are found before any is read; their folders stay open for so long.
const BATCH_FILES: usize = 128;
/// A second thread is worth it from so many files on.
const SHARED_FILES_MIN: usize = 32;

/// Lines of a file, numbered.
pub fn read_file(files: &Files, want: &args::ReadFile) -> Result<String, String> {
    let bytes = files.read(&want.path)?;
    let path = files.relative(&want.path)?;
    let blob = format!("blob: {}\n", blob(&bytes));
    show(&path, &blob, bytes, want)
}

/// Lines of what a command printed, numbered.
pub fn read_output(bytes: Vec<u8>, want: &args::ReadFile) -> Result<String, String> {
    let text = plain(&String::from_utf8_lossy(&bytes));
    show(&want.path, "", text.into_bytes(), want)
}

fn show(path: &str, blob: &str, bytes: Vec<u8>, want: &args::ReadFile) -> Result<String, String> {
    let size = bytes.len();
    let (text, note) = match content(bytes) {
        Content::Text(text) => (text, ""),
        Content::Lossy(text) => (text, ", not UTF-8: bytes shown as \u{fffd} can't be edited"),
        Content::Binary => {
            return Ok(format!("{path} is binary, {size} bytes; it is not shown"));
        }
    };
    if text.is_empty() {
        return Ok(format!("{path} is empty\n{blob}").trim_end().to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    let first = want.first_line.unwrap_or(1).max(1) as usize;
    if lines.len() < first {
        return Err(format!("{path} has {} lines; first_line can be 1 to that", lines.len()));
    }
    let wanted = (want.lines.unwrap_or(LINES_MAX as u32) as usize).clamp(1, LINES_MAX);
    let (shown, last) = numbered(&lines, first, wanted);
    let mut out = format!("{path} lines {first}-{last} of {}{note}\n{blob}", lines.len());
    out.push_str(&shown);
    if last < lines.len() {
        let _ = write!(out, "(more from first_line {})", last + 1);
    }
    Ok(out)
}

/// At most `count` lines from `first` (from 1) within the limit of characters; and the last one shown.
pub fn numbered(lines: &[&str], first: usize, count: usize) -> (String, usize) {
    let mut out = String::new();
    let mut last = first;
    for (at, line) in lines.iter().enumerate().skip(first - 1).take(count) {
        let line = cut(line, LINE_CHARS_MAX);
        if first <= at && READ_CHARS_MAX < out.len() + line.len() {
            break;
        }
        last = at + 1;
        let _ = writeln!(out, "{last}\t{line}");
    }
    (out, last)
}

/// The paths that match, sorted.
pub fn find_files(files: &Files, want: &args::FindFiles) -> Result<String, String> {
    let glob = matcher(&want.glob)?;
    let mut paths: Vec<String> = Vec::new();
    let mut count = 0usize;
    let whole = files.walk("", &mut |found| {
        if glob.is_match(found.path) {
            count += 1;
            if paths.len() < PATHS_MAX {
                paths.push(found.path.to_owned());
            }
        }
        ControlFlow::Continue(())
    })?;
    if paths.is_empty() {
        return Ok(format!("no file matches `{}`; ignored files are not listed", want.glob));
    }
    let mut out = paths.join("\n");
    if paths.len() < count {
        let _ = write!(out, "\n({} more; use a narrower glob)", count - paths.len());
    }
    if !whole {
        out.push_str("\n(too many files: the rest was not looked at)");
    }
    Ok(out)
}

/// Lines of what a command printed that match a pattern.
pub fn search_output(bytes: &[u8], want: &args::Search) -> Result<String, String> {
    let (pattern, note) = regex(&want.pattern)?;
    let text = plain(&String::from_utf8_lossy(bytes));
    let mut hits = Hits::default();
    hits.look(&pattern, &mut searcher(), "", text.as_bytes());
    Ok(hits.told("no line of it matches", note))
}

/// Lines that match a pattern.
pub fn search(files: &Files, want: &args::Search) -> Result<String, String> {
    let (pattern, note) = regex(&want.pattern)?;
    let glob = want.glob.as_deref().map(matcher).transpose()?;
    let mut hits = Hits::default();
    let from = want.path.as_deref().unwrap_or_default();
    let mut batch = Vec::with_capacity(BATCH_FILES);
    files.walk(from, &mut |found| {
        if glob.as_ref().is_none_or(|it| it.is_match(found.path)) {
            batch.push(found.keep());
        }
        if batch.len() < BATCH_FILES {
            return ControlFlow::Continue(());
        }
        hits.add(in_files(&pattern, &batch));
        batch.clear();
        match hits.count <= HITS_MAX {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    if hits.count <= HITS_MAX {
        hits.add(in_files(&pattern, &batch));
    }
    let none = format!("no line matches in {} files", hits.files);
    Ok(hits.told(&none, note))
}

/// The hits in these files, in their order; half of them are a second thread's.
fn in_files(pattern: &RegexMatcher, files: &[Kept]) -> Hits {
    let look = |files: &[Kept]| {
        let (mut hits, mut searcher) = (Hits::default(), searcher());
        for file in files.iter() {
            if HITS_MAX < hits.count {
                break;
            }
            if let Some(bytes) = file.read() {
                hits.files += 1;
                hits.look(pattern, &mut searcher, &format!("{}:", file.path), &bytes);
            }
        }
        hits
    };
    if files.len() < SHARED_FILES_MIN {
        return look(files);
    }
    let (ours, theirs) = files.split_at(files.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| look(theirs));
        let mut hits = look(ours);
        match other.join() {
            Ok(more) => hits.add(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        hits
    })
}

/// Lines that match, as far as they are told.
#[derive(Default)]
struct Hits {
    /// In so many files was looked.
    files: usize,
    count: usize,
    lines: Vec<String>,
}

impl Hits {
    fn look(
        &mut self,
        pattern: &RegexMatcher,
        searcher: &mut Searcher,
        before: &str,
        bytes: &[u8],
    ) {
        let sink = Lossy(|number, line| {
            self.count += 1;
            if self.lines.len() < HITS_MAX {
                let line = cut(line.trim_end(), HIT_CHARS_MAX);
                self.lines.push(format!("{before}{number}: {line}\n"));
            }
            Ok(self.count <= HITS_MAX)
        });
        // What can't be searched has no hits.
        let _ = searcher.search_slice(pattern, bytes, sink);
    }

    fn add(&mut self, more: Hits) {
        self.files += more.files;
        self.count += more.count;
        let room = HITS_MAX - self.lines.len();
        self.lines.extend(more.lines.into_iter().take(room));
    }

    fn told(self, none: &str, note: &str) -> String {
        if self.count == 0 {
            return format!("{none}{note}");
        }
        let mut out = self.lines.concat();
        if HITS_MAX < self.count {
            let _ = write!(out, "(only the first {HITS_MAX}; narrow the pattern, glob or path)");
        }
        out.push_str(note);
        out
    }
}

fn searcher() -> Searcher {
    SearcherBuilder::new().binary_detection(BinaryDetection::quit(0)).line_number(true).build()
}

fn regex(pattern: &str) -> Result<(RegexMatcher, &'static str), String> {
    let build = |fixed: bool| {
        RegexMatcherBuilder::new()
            .fixed_strings(fixed)
            .line_terminator(Some(b'\n'))
            .size_limit(4 * 1024 * 1024)
            .build(pattern)
    };
    if let Ok(matcher) = build(false) {
        return Ok((matcher, ""));
    }
    build(true)
        .map(|it| (it, " (the pattern is no regular expression and was searched as plain text)"))
        .map_err(|_| "the pattern can't span lines; search for one of its lines".to_owned())
}

/// A glob without `/` matches names at any depth.
fn matcher(glob: &str) -> Result<GlobMatcher, String> {
    let glob = glob.trim().trim_start_matches("./").trim_start_matches('/');
    let anywhere = match glob.contains('/') {
        true => glob.to_owned(),
        false => format!("**/{glob}"),
    };
    GlobBuilder::new(&anywhere)
        .literal_separator(true)
        .build()
        .map(|it| it.compile_matcher())
        .map_err(|error| format!("`{glob}` is no glob ({error}); write it like src/**/*.rs"))
}

/// The first `max` characters, and how many were left out.
fn cut(line: &str, max: usize) -> String {
    match line.char_indices().nth(max) {
        None => line.to_owned(),
        Some((at, _)) => {
            let (kept, rest) = line.split_at(at);
            format!("{kept} [+{} characters]", rest.chars().count())
        }
    }
}

#[cfg(test)]
mod tests;
