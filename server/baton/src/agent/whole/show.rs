//! Chooses the code that a task is about, by what the task, the summary and the failing output name, and
//! shows as much of it as a small model can read.

use super::{Facts, Shown};
use crate::agent::brief::fenced;
use crate::agent::edit::WHOLE_LINES_MAX;
use crate::agent::files::{Content, Files, content};
use crate::agent::outline::{self, Definition};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const FILES_SEEN_MAX: usize = 3_000;
const FILE_CHARS_MAX: usize = 400_000;
const FILES_SHOWN_MAX: usize = 3;
const CODE_CHARS_MAX: usize = 9_000;
/// Of a file that is not shown whole and of which no function is named.
const HEAD_LINES_MAX: usize = 80;
const FUNCTIONS_MAX: usize = 3;
/// A second file is shown only if it is named, or defines what is named.
const NAMED_SCORE_MIN: i64 = 25;
const WORD_CHARS_MIN: usize = 4;

/// What is shown.
pub struct Code {
    pub text: String,
    pub shown: Vec<Shown>,
}

struct Candidate {
    path: String,
    text: String,
    score: i64,
    /// Lines of it that are named, from 0.
    hints: Vec<usize>,
}

/// What the texts of a task name.
#[derive(Default)]
struct Named {
    /// Words of the checks' own commands: what they run is seldom at fault.
    commands: BTreeSet<String>,
    /// Path-like words with the line after them, if any.
    paths: Vec<(String, Option<usize>)>,
    /// Words that look like names of code.
    names: BTreeSet<String>,
    /// All the task's own words.
    words: BTreeSet<String>,
}

/// The code for this task.
pub fn code(files: &Files, facts: &Facts) -> Code {
    let named = Named::of(facts);
    let mut found = candidates(files, facts, &named);
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    let mut code = Code { text: String::new(), shown: Vec::new() };
    for it in found.iter().take(FILES_SHOWN_MAX) {
        let wanted = code.shown.is_empty() || NAMED_SCORE_MIN <= it.score;
        let room = CODE_CHARS_MAX.saturating_sub(code.text.len());
        if wanted && 0 < room {
            it.show(&named, room, &mut code);
        }
    }
    code
}

fn candidates(files: &Files, facts: &Facts, named: &Named) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut seen = 0;
    // What can't be walked is shown nothing of.
    let _ = files.walk("", &mut |it| {
        seen += 1;
        let is_ours = it.path.split('/').next().is_some_and(|it| it.eq_ignore_ascii_case(".baton"));
        if let Some(Content::Text(text)) = it.keep().read().map(content)
            && text.len() <= FILE_CHARS_MAX
            && !is_ours
        {
            let candidate = Candidate::of(it.path, text, facts, named);
            if 0 < candidate.score {
                found.push(candidate);
            }
        }
        match seen < FILES_SEEN_MAX {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    found
}

impl Named {
    fn of(facts: &Facts) -> Named {
        let mut named = Named::default();
        let commands = facts.failing.iter().flat_map(|it| it.what.split_whitespace());
        named.commands = commands.map(|it| it.trim_start_matches("./").to_owned()).collect();
        let own = [facts.words.as_str(), facts.summary.as_str(), facts.why.as_str()];
        let outputs = facts.failing.iter().map(|it| it.output.as_str());
        let all = own.into_iter().chain(facts.criteria.iter().map(String::as_str));
        let all = all.chain(facts.comments.iter().map(String::as_str)).chain(outputs);
        for text in all {
            named.read(text);
        }
        let words = facts.words.split(|it: char| !it.is_alphanumeric() && it != '_');
        named.words =
            words.map(str::to_lowercase).filter(|it| WORD_CHARS_MIN <= it.len()).collect();
        named
    }

    fn read(&mut self, text: &str) {
        let breaks = |it: char| it.is_whitespace() || "\"'`,;()[]{}<>".contains(it);
        let mut words = text.split(breaks).filter(|it| !it.is_empty()).peekable();
        while let Some(word) = words.next() {
            let (path, line) = match word.split_once(':') {
                Some((path, rest)) => (path, rest.split(':').next().and_then(|it| it.parse().ok())),
                None => (word, None),
            };
            let path = path.trim_end_matches('.');
            if path.contains('.') && path.contains(char::is_alphabetic) {
                // Python: File "a.py", line 3, in total
                let next = words.peek().filter(|it| **it == "line").is_some();
                let line = match next {
                    true => words.clone().nth(1).and_then(|it| it.parse().ok()),
                    false => line,
                };
                self.paths.push((path.trim_start_matches("./").to_owned(), line));
            }
        }
        let is_name = |it: char| it.is_alphanumeric() || it == '_';
        for word in text.split(|it| !is_name(it)) {
            let is_camel = word.chars().skip(1).any(char::is_uppercase)
                && word.chars().any(char::is_lowercase);
            let is_called =
                text.contains(&format!("{word}(")) || text.contains(&format!("`{word}`"));
            if 1 < word.len() && (word.contains('_') || is_camel || is_called) {
                self.names.insert(word.to_owned());
            }
        }
    }
}

impl Candidate {
    fn of(path: &str, text: String, facts: &Facts, named: &Named) -> Candidate {
        let (mut score, mut hints) = (0, Vec::new());
        if let Some(place) = facts.place.as_ref().filter(|it| it.path == path) {
            score += 200;
            hints.push((place.first_line as usize).saturating_sub(1));
        }
        let fits = |it: &str| {
            path == it || it.ends_with(&format!("/{path}")) || path.ends_with(&format!("/{it}"))
        };
        let is_command = named.commands.contains(path);
        let mentions: Vec<_> = named.paths.iter().filter(|it| !is_command && fits(&it.0)).collect();
        score += if mentions.is_empty() { 0 } else { 50 };
        hints.extend(
            mentions.iter().filter_map(|it| it.1).map(|line: usize| line.saturating_sub(1)),
        );
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((name, _)) = outline::named(line) else { continue };
            let short = name.rsplit(' ').next().unwrap_or(&name);
            let weight = match named.names.contains(short) {
                true => 30,
                false if named.words.contains(&short.to_lowercase()) => 15,
                false => 0,
            };
            score += weight;
            if 0 < weight {
                hints.push(at);
            }
        }
        let lower = text.to_lowercase();
        let shared = named.words.iter().filter(|it| lower.contains(it.as_str())).count();
        score += i64::try_from(shared.min(8)).unwrap_or(0);
        if 0 < score && is_aside(path) && facts.place.as_ref().is_none_or(|it| it.path != path) {
            // Tests and documents name what is wrong; the fault is seldom theirs.
            score = (score / 4).max(1);
        }
        Candidate { path: path.to_owned(), text, score, hints }
    }

    fn show(&self, named: &Named, room: usize, code: &mut Code) {
        let lines: Vec<&str> = self.text.lines().collect();
        // Of a test beside the code the one that fails is enough: each line costs a small model time.
        let beside = is_aside(&self.path) && !code.shown.is_empty();
        let whole = !beside && lines.len() <= WHOLE_LINES_MAX && self.text.len() <= room;
        if whole {
            self.put(&lines, 0..lines.len(), true, code);
            return;
        }
        for range in self.functions(&lines, named) {
            let size: usize = lines[range.clone()].iter().map(|it| it.len() + 1).sum();
            if code.text.len() + size <= CODE_CHARS_MAX {
                self.put(&lines, range, false, code);
            }
        }
    }

    fn put(&self, lines: &[&str], range: std::ops::Range<usize>, whole: bool, code: &mut Code) {
        let (first, last) = (range.start + 1, range.end.max(range.start + 1));
        let about = match whole {
            true => "the whole file".to_owned(),
            false => format!("lines {first} to {last} of {}", lines.len()),
        };
        let text = lines[range].join("\n");
        let language = self.path.rsplit_once('.').map_or("", |it| it.1);
        code.text.push_str(&format!("{} ({about}):\n{}\n", self.path, fenced(language, &text)));
        let path = self.path.clone();
        code.shown.push(Shown { path, first_line: first, last_line: last, whole });
    }

    /// The functions around the hints; without any, those that share words with the task.
    fn functions(&self, lines: &[&str], named: &Named) -> Vec<std::ops::Range<usize>> {
        let mut all = Vec::new();
        flatten(lines, 0..lines.len(), &mut all);
        let mut found: Vec<&Definition> = Vec::new();
        for hint in &self.hints {
            let around = all.iter().filter(|it| it.lines.contains(hint) && !it.holds);
            found.extend(around.min_by_key(|it| it.lines.len()));
        }
        if found.is_empty() {
            let shared = |it: &&&Definition| {
                let text = lines[it.lines.clone()].join("\n").to_lowercase();
                named.words.iter().filter(|word| text.contains(word.as_str())).count()
            };
            found.extend(all.iter().filter(|it| !it.holds).max_by_key(|it| shared(&it)));
        }
        let mut ranges: Vec<_> = found.iter().map(|it| it.lines.clone()).collect();
        ranges.sort_by_key(|it| it.start);
        ranges.dedup();
        ranges.truncate(FUNCTIONS_MAX);
        match ranges.is_empty() {
            true => std::iter::once(0..lines.len().min(HEAD_LINES_MAX)).collect(),
            false => ranges,
        }
    }
}

/// All definitions, those inside of others too.
pub fn flatten(lines: &[&str], within: std::ops::Range<usize>, found: &mut Vec<Definition>) {
    for it in outline::definitions(lines, within) {
        if it.holds {
            flatten(lines, outline::inside(&it), found);
        }
        found.push(it);
    }
}

/// Tests, documents and settings.
fn is_aside(path: &str) -> bool {
    let path = path.to_lowercase();
    let ends = [".md", ".toml", ".lock", ".json", ".yml", ".yaml", ".cfg", ".ini"];
    let mut parts = path.split(['/', '.', '_', '-']);
    parts.any(|it| matches!(it, "test" | "tests" | "spec" | "specs"))
        || ends.iter().any(|it| path.ends_with(it))
}
