//! Finds where the hunks of a patch belong in a text, with the matching of `edit_file`: exactly, then
//! without trailing white space, then without indentation; and never one of two places.

use super::parse::{Hunk, Mark};
use crate::agent::edit::{
    Lines, ambiguous, indent, not_found, same_but_indented, same_but_trailing,
};
use crate::agent::outline;
use std::ops::Range;

type Same = fn(&str, &str) -> bool;

/// A hunk with its place: the lines of the text that it replaces.
struct Placed<'a> {
    lines: &'a [(Mark, String)],
    at: Range<usize>,
}

/// The text with all hunks in it; the error is for the model.
pub fn patched(text: &str, hunks: &[Hunk]) -> Result<String, String> {
    let file = Lines::of(text);
    let mut placed: Vec<Placed> = Vec::new();
    for (number, hunk) in (1..).zip(hunks) {
        let found = place(&file, hunk, &placed).map_err(|why| match hunks.len() {
            1 => why,
            of => format!("hunk {number} of {of}: {why}"),
        })?;
        placed.push(found);
    }
    placed.sort_by_key(|it| it.at.start);
    Ok(put_together(&file, &placed))
}

fn place<'a>(file: &Lines<'_>, hunk: &'a Hunk, done: &[Placed]) -> Result<Placed<'a>, String> {
    let lines = without_blank_ends(&hunk.lines);
    let old: Vec<&str> =
        lines.iter().filter(|it| it.0 != Mark::Put).map(|it| it.1.as_str()).collect();
    let scopes = scopes(file, &hunk.headers);
    if old.iter().all(|it| it.trim().is_empty()) {
        return insertion(file, hunk, lines, &old, &scopes);
    }
    if let Some(short) = old.iter().find(|it| file.lines.len() < old.len() && !it.is_empty()) {
        return Err(not_found(file, short, "what the patch replaces"));
    }
    let last = file.lines.iter().rposition(|it| !it.0.trim().is_empty()).map_or(0, |it| it + 1);
    let free = |at: &usize| {
        let ends_right = !hunk.at_end || last <= at + old.len();
        ends_right && done.iter().all(|it| at + old.len() <= it.at.start || it.at.end <= *at)
    };
    let exactly: Same = |line, wanted| line == wanted;
    for same in [exactly, same_but_trailing, same_but_indented] {
        let places: Vec<usize> = file.all_places(&old, same).into_iter().filter(free).collect();
        let at = match choose(&places, old.len(), &scopes, done) {
            None => continue,
            Some(Ok(at)) => at,
            Some(Err(places)) => {
                return Err(ambiguous(
                    file.text,
                    places,
                    "what the patch replaces",
                    AMBIGUOUS_HINT,
                ));
            }
        };
        return Ok(Placed { lines, at: at..at + old.len() });
    }
    Err(not_found(file, &old.join("\n"), "what the patch replaces"))
}

const AMBIGUOUS_HINT: &str = "add context lines, or name the function after @@";

/// One of several places, if the patch itself says which: by a header, or since hunks are in order.
fn choose(
    places: &[usize],
    length: usize,
    scopes: &[Range<usize>],
    done: &[Placed],
) -> Option<Result<usize, Vec<usize>>> {
    let within = |at: &&usize| scopes.iter().any(|it| it.start <= **at && **at + length <= it.end);
    let after = done.last().map_or(0, |it| it.at.end);
    let scoped: Vec<usize> = places.iter().filter(within).copied().collect();
    let later: Vec<usize> = places.iter().filter(|it| after <= **it).copied().collect();
    match (scoped.as_slice(), places, later.as_slice()) {
        ([at], _, _) | ([], [at], _) => Some(Ok(*at)),
        ([], _, [at]) if !done.is_empty() => Some(Ok(*at)),
        (_, [], _) => None,
        ([], _, _) => Some(Err(places.to_vec())),
        (_, _, _) => Some(Err(scoped)),
    }
}

/// The blocks that the headers name, each within those before it; a header that is nowhere is ignored,
/// as it is in a unified diff.
fn scopes(file: &Lines<'_>, headers: &[String]) -> Vec<Range<usize>> {
    let lines: Vec<&str> = file.lines.iter().map(|it| it.0).collect();
    let mut scopes: Vec<Range<usize>> = Vec::new();
    for header in headers {
        let inside = |at: &usize| scopes.is_empty() || scopes.iter().any(|it| it.contains(at));
        let fits: [fn(&str, &str) -> bool; 2] =
            [|line, it| line == it, |line, it| line.contains(it)];
        let named = fits.iter().find_map(|fits| {
            let found: Vec<usize> = (0..lines.len())
                .filter(|at| inside(at) && fits(lines[*at].trim(), header))
                .collect();
            (!found.is_empty()).then_some(found)
        });
        if let Some(named) = named {
            scopes = named.into_iter().map(|at| outline::block(&lines, at)).collect();
        }
    }
    scopes
}

/// Lines that come without any that stay: after the line that the header names, or at the end.
fn insertion<'a>(
    file: &Lines<'_>,
    hunk: &Hunk,
    lines: &'a [(Mark, String)],
    old: &[&str],
    scopes: &[Range<usize>],
) -> Result<Placed<'a>, String> {
    let end = file.lines.len();
    let at = match scopes {
        _ if !old.is_empty() && end != 0 => None,
        [scope] if !hunk.at_end => Some(scope.start + 1),
        _ if hunk.at_end || end == 0 => Some(end),
        _ => None,
    };
    match at {
        Some(at) => Ok(Placed { lines, at: at..at }),
        None => Err("a hunk has no context: give the lines around the place, as the file has them"
            .to_owned()),
    }
}

/// Blank context at both ends is the patch's more often than the file's.
fn without_blank_ends(lines: &[(Mark, String)]) -> &[(Mark, String)] {
    let blank = |it: &&(Mark, String)| it.0 == Mark::Keep && it.1.trim().is_empty();
    let first = lines.iter().take_while(blank).count();
    let last = lines[first..].iter().rev().take_while(blank).count();
    &lines[first..lines.len() - last]
}

fn put_together(file: &Lines<'_>, placed: &[Placed]) -> String {
    let end = if file.crlf { "\r\n" } else { "\n" };
    let mut out = String::with_capacity(file.text.len());
    let whole = |at: usize| &file.text[file.lines[at].1.clone()];
    let mut done = 0;
    for it in placed {
        (done..it.at.start).for_each(|at| out.push_str(whole(at)));
        let mut at = it.at.start;
        let mut indents = first_indents(file, it);
        for (mark, line) in it.lines {
            match mark {
                // An insertion into an empty text has no lines to keep.
                Mark::Keep | Mark::Drop if it.at.end <= at => {}
                Mark::Keep | Mark::Drop => {
                    if *mark == Mark::Keep {
                        out.push_str(whole(at));
                    }
                    if !line.trim().is_empty() {
                        indents = (indent(file.lines[at].0), indent(line));
                    }
                    at += 1;
                }
                Mark::Put => {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push_str(end);
                    }
                    out.push_str(&fit(line, indents));
                    out.push_str(end);
                }
            }
        }
        done = it.at.end;
    }
    (done..file.lines.len()).for_each(|at| out.push_str(whole(at)));
    let at_end = placed.iter().any(|it| it.at.end == file.lines.len());
    if at_end && !file.text.is_empty() && !file.text.ends_with('\n') && out.ends_with('\n') {
        out.truncate(out.trim_end_matches(['\n', '\r']).len());
    }
    out
}

/// The indentation of the first line that is replaced: as the text has it, and as the patch has it.
fn first_indents<'a>(file: &Lines<'a>, it: &'a Placed<'a>) -> (&'a str, &'a str) {
    let old = it.lines.iter().filter(|it| it.0 != Mark::Put).map(|it| it.1.as_str());
    let mut pairs = it.at.clone().zip(old).filter(|it| !it.1.trim().is_empty());
    pairs.next().map_or(("", ""), |(at, line)| (indent(file.lines[at].0), indent(line)))
}

/// A new line with the text's indentation in place of the patch's: as at the line before it.
fn fit(line: &str, (has, gave): (&str, &str)) -> String {
    if line.trim().is_empty() {
        return String::new();
    }
    match line.strip_prefix(gave) {
        Some(rest) => format!("{has}{}", rest.trim_end_matches('\r')),
        None => line.to_owned(),
    }
}
