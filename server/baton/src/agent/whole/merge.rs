//! Puts a block into a text: as the whole of it, or definition by definition where their names say where
//! they belong. What can't be told is refused, never guessed.

use super::Shown;
use super::show::flatten;
use crate::agent::outline::{self, Definition, indent_of};
use std::ops::Range;

const IMPORTS: &[&str] = &["import ", "from ", "use ", "#include", "require ", "using "];
const LEFT_OUT: &[&str] =
    &["rest of", "unchanged", "existing code", "same as before", "remains the same", "omitted"];
const COMMENTS: &[&str] = &["#", "//", "--", "/*", "*", ";", "<!--"];

/// Lines that replace a range of the text's lines.
type Edit = (Range<usize>, Vec<String>);

/// The text with the block in it; the error is for the model.
pub fn merge(text: &str, block: &str, shown: &[Shown]) -> Result<String, String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (text.lines().collect(), block.lines().collect());
    if let Some(line) = left_out(&old, &new) {
        return Err(format!(
            "your block leaves lines out (`{line}`). Write it whole, from the first line to the last"
        ));
    }
    let may_be_whole = shown.is_empty() || shown.iter().any(|it| it.whole);
    if may_be_whole && is_whole(&old, &new) {
        return Ok(with_ends_of(text, new.iter().map(|it| (*it).to_owned()).collect()));
    }
    let edits = edits(&old, &new, shown)?;
    let mut lines: Vec<String> = Vec::with_capacity(old.len() + new.len());
    let mut done = 0;
    for (range, replaced) in edits {
        if range.start < done {
            return Err(
                "your block changes the same lines twice; write each function once".to_owned()
            );
        }
        lines.extend(old[done..range.start].iter().map(|it| (*it).to_owned()));
        lines.extend(replaced);
        done = range.end;
    }
    lines.extend(old[done..].iter().map(|it| (*it).to_owned()));
    Ok(with_ends_of(text, lines))
}

/// The lines with the line ends of the text, and a last one if the text has it.
fn with_ends_of(text: &str, lines: Vec<String>) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = lines.join(end);
    if text.is_empty() || text.ends_with('\n') {
        out.push_str(end);
    }
    out
}

/// A comment that stands for code, as models write to save words.
fn left_out<'a>(old: &[&str], new: &[&'a str]) -> Option<&'a str> {
    let is_known = |line: &str| old.iter().any(|it| it.trim() == line);
    new.iter().map(|it| it.trim()).find(|line| {
        let comment = COMMENTS.iter().find_map(|it| line.strip_prefix(it));
        let lower = comment.unwrap_or_default().to_lowercase();
        let dots = lower.contains("...") || lower.contains('\u{2026}');
        let stands_for_code = comment.is_some()
            && (dots && lower.trim_matches(['.', ' ', '\u{2026}']).split(' ').count() <= 4
                || LEFT_OUT.iter().any(|it| lower.contains(it)));
        (*line == "..." || *line == "\u{2026}" || stands_for_code) && !is_known(line)
    })
}

/// The block is the text as a whole: it has all that is defined there, and most of what stands around it.
fn is_whole(old: &[&str], new: &[&str]) -> bool {
    let (defined, given) =
        (outline::definitions(old, 0..old.len()), outline::definitions(new, 0..new.len()));
    let has = |it: &Definition| given.iter().any(|new| new.name == it.name);
    let lines = outside(old, &defined);
    let kept = lines.iter().filter(|line| new.iter().any(|it| it.trim() == **line)).count();
    let most = lines.len() <= 2 * kept;
    match defined.is_empty() {
        // Without a definition only the lines tell that it is this text.
        true => old.is_empty() || (most && (0 < kept || lines.len() < 3)),
        false => defined.iter().all(has) && most && (0 < kept || lines.is_empty()),
    }
}

/// The lines with words that stand in no definition.
fn outside<'a>(lines: &[&'a str], defined: &[Definition]) -> Vec<&'a str> {
    let is_out = |at: &usize| !defined.iter().any(|it| it.lines.contains(at));
    let found = (0..lines.len()).filter(is_out).map(|at| lines[at].trim());
    found.filter(|it| !it.is_empty()).collect()
}

fn edits(old: &[&str], new: &[&str], shown: &[Shown]) -> Result<Vec<Edit>, String> {
    let mut all = Vec::new();
    flatten(old, 0..old.len(), &mut all);
    let given = outline::definitions(new, 0..new.len());
    if given.is_empty() {
        return Err("your block holds no function of it and is not the whole of it. Write the whole corrected function, or the whole file".to_owned());
    }
    let mut edits: Vec<Edit> = Vec::new();
    let mut unknown: Vec<&Definition> = Vec::new();
    for it in &given {
        match find(&all, it, shown)? {
            Some(there) => replace(old, there, new, it, &mut edits),
            None => unknown.push(it),
        }
    }
    if edits.is_empty() {
        let names: Vec<_> = given.iter().map(|it| format!("`{}`", it.name)).collect();
        return Err(format!(
            "it defines no {}. Keep the names of the functions that are there",
            names.join(" and no ")
        ));
    }
    edits.sort_by_key(|it| it.0.start);
    add_unknown(old, new, &unknown, &mut edits);
    add_around(old, new, &given, &mut edits);
    edits.sort_by_key(|it| it.0.start);
    Ok(edits)
}

/// The one definition of that name; of several the one that was shown.
fn find<'a>(
    all: &'a [Definition],
    given: &Definition,
    shown: &[Shown],
) -> Result<Option<&'a Definition>, String> {
    let named: Vec<&Definition> = all.iter().filter(|it| it.name == given.name).collect();
    let in_sight = |it: &&&Definition| {
        let lines = &it.lines;
        shown.iter().any(|it| !it.whole && lines.start < it.last_line && it.first_line <= lines.end)
    };
    match named.as_slice() {
        [] => Ok(None),
        [it] => Ok(Some(it)),
        several => match several.iter().filter(in_sight).collect::<Vec<_>>().as_slice() {
            [it] => Ok(Some(it)),
            _ => {
                let lines: Vec<_> =
                    several.iter().map(|it| (it.signature + 1).to_string()).collect();
                Err(format!(
                    "it defines `{}` at lines {}. Write the class or block around the one you mean, whole, or the whole file",
                    given.name,
                    lines.join(" and ")
                ))
            }
        },
    }
}

/// A definition in place of its old self. Of a class or the like that comes without some of its members,
/// only the members that came are replaced: the others were not meant to go.
fn replace(
    old: &[&str],
    there: &Definition,
    new: &[&str],
    given: &Definition,
    edits: &mut Vec<Edit>,
) {
    if there.holds {
        let has = outline::definitions(old, outline::inside(there));
        let gets = outline::definitions(new, outline::inside(given));
        let lacks = has.iter().any(|it| !gets.iter().any(|new| new.name == it.name));
        if lacks && !gets.is_empty() {
            let mut last = None;
            for it in &gets {
                match has.iter().find(|old| old.name == it.name) {
                    Some(member) => {
                        replace(old, member, new, it, edits);
                        last = Some(member.lines.end);
                    }
                    None => {
                        let at = last
                            .or(has.last().map(|it| it.lines.end))
                            .unwrap_or(there.signature + 1);
                        let mut lines = vec![String::new()];
                        lines.extend(fitted(new, &it.lines, indent_text(old, has.first(), there)));
                        edits.push((at..at, lines));
                    }
                }
            }
            return;
        }
    }
    let indent = old[there.signature];
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    // Attributes and decorators that the block lacks were there for a reason.
    let bare = given.lines.start == given.signature;
    let range = if bare { there.signature..there.lines.end } else { there.lines.clone() };
    edits.push((range, fitted(new, &given.lines, indent)));
}

fn indent_text<'a>(old: &[&'a str], member: Option<&Definition>, holder: &Definition) -> &'a str {
    let line = old[member.map_or(holder.signature, |it| it.signature)];
    &line[..line.len() - line.trim_start().len()]
}

/// Lines of the block, indented as their new place is.
fn fitted(new: &[&str], range: &Range<usize>, indent: &str) -> Vec<String> {
    let lines = &new[range.clone()];
    let gave = lines.iter().filter(|it| !it.trim().is_empty()).map(|it| indent_of(it)).min();
    let first = lines.iter().find(|it| !it.trim().is_empty()).copied().unwrap_or_default();
    let gave_text = &first[..first.len() - first.trim_start().len()];
    let same = gave == Some(indent_of(first)) && gave_text != indent;
    let shift = |line: &&str| match line.strip_prefix(gave_text) {
        _ if line.trim().is_empty() => String::new(),
        Some(rest) if same => format!("{indent}{rest}"),
        Some(_) | None => (*line).to_owned(),
    };
    let mut out: Vec<String> = lines.iter().map(shift).collect();
    while out.last().is_some_and(|it| it.trim().is_empty()) {
        out.pop();
    }
    out
}

/// New functions stand before the first one that is replaced, at its depth.
fn add_unknown(old: &[&str], new: &[&str], unknown: &[&Definition], edits: &mut [Edit]) {
    let Some(first) = edits.first().map(|it| it.0.start) else { return };
    let line = old.get(first).copied().unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    let blank =
        if indent.is_empty() && old.iter().any(|it| it.starts_with("def ")) { 2 } else { 1 };
    let mut lines = Vec::new();
    for it in unknown {
        lines.extend(fitted(new, &it.lines, indent));
        lines.extend(vec![String::new(); blank]);
    }
    if let (false, Some(edit)) = (lines.is_empty(), edits.first_mut()) {
        lines.append(&mut edit.1);
        edit.1 = lines;
    }
}

/// Imports that the block has and the text lacks, and constants that both have.
fn add_around(old: &[&str], new: &[&str], given: &[Definition], edits: &mut Vec<Edit>) {
    let is_import = |line: &str| IMPORTS.iter().any(|it| line.starts_with(it));
    let mut imports = Vec::new();
    for line in outside(new, given) {
        if old.iter().any(|it| it.trim() == line) {
            continue;
        }
        if is_import(line) {
            imports.push(line.to_owned());
        } else if let Some(key) = assigned(line) {
            let same = |it: &&str| indent_of(it) == 0 && assigned(it.trim()) == Some(key);
            let places: Vec<usize> = (0..old.len()).filter(|at| same(&old[*at])).collect();
            if let [at] = places.as_slice() {
                edits.push((*at..at + 1, vec![line.to_owned()]));
            }
        }
    }
    if imports.is_empty() {
        return;
    }
    let last = old.iter().rposition(|it| indent_of(it) == 0 && is_import(it));
    let comment = |it: &&&str| it.starts_with(['#', '/', '*']) && !it.starts_with("#[");
    let at = last.map_or_else(|| old.iter().take_while(comment).count(), |it| it + 1);
    // The place of the imports may be the edge of something else that is replaced.
    match edits.iter_mut().find(|it| it.0.start == at) {
        Some(edit) => {
            imports.append(&mut edit.1);
            edit.1 = imports;
        }
        None => edits.push((at..at, imports)),
    }
}

/// What a line like `MAX = 5` or `const MAX: u32 = 5;` gives a value to.
fn assigned(line: &str) -> Option<&str> {
    let (left, right) = line.split_once('=')?;
    let name = left.trim();
    let plain = |it: char| it.is_alphanumeric() || matches!(it, '_' | ' ' | ':' | '<' | '>');
    let is_plain = !name.is_empty() && name.chars().all(plain) && !right.starts_with('=');
    is_plain.then_some(name)
}
