//! Reads a patch as models write it: with fences or a here-document around it, without the space before
//! context lines, with line numbers after `@@` that mean nothing. What can be read in two ways is refused.

use super::EXAMPLE;

pub const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File:";
const DELETE: &str = "*** Delete File:";
const UPDATE: &str = "*** Update File:";
const MOVE: &str = "*** Move to:";
const END_OF_FILE: &str = "*** End of File";
const PATCH_BYTES_MAX: usize = 1024 * 1024;
const FILES_MAX: usize = 50;
const HUNKS_MAX: usize = 500;

/// What a patch does with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Add { path: String, text: String },
    Delete { path: String },
    Update { path: String, to: Option<String>, hunks: Vec<Hunk> },
}

impl Deed {
    pub fn path(&self) -> &str {
        match self {
            Deed::Add { path, .. } | Deed::Delete { path } | Deed::Update { path, .. } => path,
        }
    }
}

/// One place of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// What stands after `@@`, outermost first.
    pub headers: Vec<String>,
    pub lines: Vec<(Mark, String)>,
    /// It ends where the file ends.
    pub at_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Keep,
    Drop,
    Put,
}

/// The deeds of a patch, in its order; the error is for the model.
pub fn read(text: &str) -> Result<Vec<Deed>, String> {
    if PATCH_BYTES_MAX < text.len() {
        return Err("the patch is over 1 MiB; send it in parts".to_owned());
    }
    let mut deeds: Vec<Deed> = Vec::new();
    for line in body(text)? {
        match header(line) {
            Some(deed) => deeds.push(deed?),
            None => match deeds.last_mut() {
                Some(deed) => take(deed, line)?,
                None if line.trim().is_empty() => {}
                None => {
                    return Err(wrong(&format!("`{}` stands before any file", short(line))));
                }
            },
        }
    }
    if deeds.is_empty() {
        return Err(wrong("the patch names no file"));
    }
    if FILES_MAX < deeds.len() {
        return Err(format!("a patch changes at most {FILES_MAX} files; send it in parts"));
    }
    deeds.iter_mut().try_for_each(finish)?;
    Ok(deeds)
}

fn wrong(what: &str) -> String {
    format!("{what}. A patch looks like this:\n{EXAMPLE}")
}

fn short(line: &str) -> String {
    line.chars().take(80).collect()
}

/// The lines between the marks.
fn body(text: &str) -> Result<Vec<&str>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let is = |line: &&str, mark: &str| line.trim().eq_ignore_ascii_case(mark);
    let begin = lines.iter().position(|it| is(it, BEGIN));
    let end = lines.iter().rposition(|it| is(it, END));
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => Ok(lines[begin + 1..end].to_vec()),
        (Some(_), None) => {
            Err(format!("the patch has no `{END}`; it may be cut off: send it whole"))
        }
        (None, None) => {
            let first = lines.iter().position(|it| header(it).is_some());
            let Some(first) = first else {
                return Err(wrong("there is no patch in it"));
            };
            let fence = lines.iter().skip(first).position(|it| it.trim_end() == "```");
            Ok(lines[first..fence.map_or(lines.len(), |it| first + it)].to_vec())
        }
        (Some(_) | None, Some(_)) => Err(wrong(&format!("`{BEGIN}` is missing before `{END}`"))),
    }
}

/// The deed that a line begins; `None`: no such line.
fn header(line: &str) -> Option<Result<Deed, String>> {
    let after = |mark: &str| {
        let head = line.get(..mark.len())?;
        head.eq_ignore_ascii_case(mark).then(|| named(&line[mark.len()..]))
    };
    let deed = if let Some(path) = after(ADD) {
        path.map(|path| Deed::Add { path, text: String::new() })
    } else if let Some(path) = after(DELETE) {
        path.map(|path| Deed::Delete { path })
    } else {
        let path = after(UPDATE)?;
        path.map(|path| Deed::Update { path, to: None, hunks: Vec::new() })
    };
    Some(deed)
}

fn named(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches(['`', '"', '\'']).trim();
    match path.is_empty() {
        true => Err(wrong("a file of the patch has no name")),
        false => Ok(path.to_owned()),
    }
}

fn take(deed: &mut Deed, line: &str) -> Result<(), String> {
    match deed {
        Deed::Delete { path } => match line.trim().is_empty() {
            true => Ok(()),
            false => Err(wrong(&format!("after `{DELETE} {path}` no lines are expected"))),
        },
        Deed::Add { text, .. } => {
            text.push_str(line);
            text.push('\n');
            Ok(())
        }
        Deed::Update { to, hunks, .. } => take_line(to, hunks, line),
    }
}

fn take_line(to: &mut Option<String>, hunks: &mut Vec<Hunk>, line: &str) -> Result<(), String> {
    if let Some(path) = line.strip_prefix(MOVE) {
        *to = Some(named(path)?);
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("@@") {
        let new = hunks.last().is_none_or(|it| !it.lines.is_empty());
        if new {
            hunks.push(Hunk::default());
        }
        if let (Some(hunk), Some(title)) = (hunks.last_mut(), title(rest)) {
            hunk.headers.push(title.to_owned());
        }
        return Ok(());
    }
    if line.trim_end().eq_ignore_ascii_case(END_OF_FILE) {
        if let Some(hunk) = hunks.last_mut() {
            hunk.at_end = true;
        }
        return Ok(());
    }
    if line.starts_with("*** ") {
        return Err(wrong(&format!("`{}` is no line of a patch", short(line))));
    }
    if line.starts_with("\\ No newline") {
        return Ok(());
    }
    if hunks.is_empty() || hunks.last().is_some_and(|it| it.at_end) {
        hunks.push(Hunk::default());
    }
    if let Some(hunk) = hunks.last_mut() {
        hunk.lines.push(marked(line));
    }
    Ok(())
}

/// What names the place after `@@`; the numbers of a unified diff name none.
fn title(rest: &str) -> Option<&str> {
    let rest = rest.trim();
    let numbers = rest.strip_prefix('-').and_then(|it| it.split_once("@@"));
    let title = match numbers {
        Some((numbers, title)) if !numbers.contains(char::is_alphabetic) => title,
        Some(_) | None => rest.trim_end_matches("@@"),
    };
    Some(title.trim()).filter(|it| !it.is_empty())
}

/// A line without a mark was meant as context: models forget the space, most of all on empty lines.
fn marked(line: &str) -> (Mark, String) {
    let mut chars = line.chars();
    let mark = match chars.next() {
        Some('+') => Mark::Put,
        Some('-') => Mark::Drop,
        Some(' ') => Mark::Keep,
        Some(_) | None => return (Mark::Keep, line.to_owned()),
    };
    (mark, chars.as_str().to_owned())
}

fn finish(deed: &mut Deed) -> Result<(), String> {
    match deed {
        Deed::Delete { .. } => Ok(()),
        Deed::Add { path, text } => {
            *text = added(path, text)?;
            Ok(())
        }
        Deed::Update { path, to, hunks } => {
            // The headers of a unified diff, repeated.
            if let Some(first) = hunks.first_mut().filter(|it| it.headers.is_empty()) {
                let starts = |at: usize, mark, text: &str| {
                    let line = first.lines.get(at);
                    line.is_some_and(|it| it.0 == mark && it.1.starts_with(text))
                };
                if starts(0, Mark::Drop, "-- ") && starts(1, Mark::Put, "++ ") {
                    first.lines.drain(..2);
                }
            }
            hunks.retain(|it| !it.lines.is_empty());
            if hunks.is_empty() && to.is_none() {
                return Err(wrong(&format!("nothing is changed in `{path}`")));
            }
            if HUNKS_MAX < hunks.len() {
                return Err(format!("a file takes at most {HUNKS_MAX} hunks; send it in parts"));
            }
            Ok(())
        }
    }
}

/// The text of a new file: each line has its mark, or none has.
fn added(path: &str, text: &str) -> Result<String, String> {
    let marked = text.lines().filter(|it| it.starts_with('+')).count();
    if marked == 0 {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match line.strip_prefix('+') {
            Some(line) => out.push_str(line),
            None if line.trim().is_empty() => {}
            None => {
                let line = short(line);
                return Err(wrong(&format!("`{line}` of the new `{path}` has no + before it")));
            }
        }
        out.push('\n');
    }
    // Blank lines between this file and the next are the patch's, not the file's.
    let blank = text.lines().rev().take_while(|it| it.trim().is_empty()).count();
    out.truncate(out.len() - blank);
    Ok(out)
}
