//! Mutants of a right fix: the same change with one small thing in it wrong, as somebody who has
//! nearly understood the bug would write it. The operators are those of the mutation-testing field
//! (relational, arithmetic, logical, constant and statement-deletion; see Jia and Harman, "An
//! Analysis and Survey of the Development of Mutation Testing", 2011).

use super::manifest::Edit;

/// Text, what takes its place. With their blanks, so that `->` and `=>` are left alone.
const OPERATORS: [(&str, &str); 18] = [
    (" <= ", " < "),
    (" < ", " <= "),
    (" >= ", " > "),
    (" > ", " >= "),
    (" == ", " != "),
    (" != ", " == "),
    (" === ", " !== "),
    (" !== ", " === "),
    (" && ", " || "),
    (" || ", " && "),
    (" and ", " or "),
    (" or ", " and "),
    (" + ", " - "),
    (" - ", " + "),
    (" * ", " / "),
    (" % ", " / "),
    ("true", "false"),
    ("True", "False"),
];

/// A mutant: what was done to the fix, and the edits that make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    pub says: String,
    pub edits: Vec<Edit>,
}

/// At most `max` mutants, taken evenly from all that the operators make of what the fix adds; the
/// same for the same fix. None of them is the fix, and none leaves the base as it was.
pub fn mutants(fix: &[Edit], max: usize) -> Vec<Mutant> {
    let mut all: Vec<Mutant> = Vec::new();
    for (index, edit) in fix.iter().enumerate() {
        for (says, new) in variants(edit) {
            let mut edits = fix.to_vec();
            edits[index].new = new;
            let is_base = edits.iter().all(|it| it.old.as_ref() == Some(&it.new));
            if !is_base && edits != fix && all.iter().all(|it| it.edits != edits) {
                all.push(Mutant { says, edits });
            }
        }
    }
    let step = all.len().div_ceil(max.max(1)).max(1);
    all.into_iter().step_by(step).take(max).collect()
}

/// Each changed text of one edit, with a word about the change.
fn variants(edit: &Edit) -> Vec<(String, String)> {
    let old: Vec<&str> = edit.old.as_deref().unwrap_or_default().lines().collect();
    let lines: Vec<&str> = edit.new.lines().collect();
    let mut res = Vec::new();
    for (n, line) in lines.iter().enumerate().filter(|(_, it)| !old.contains(it)) {
        for (says, changed) in of_line(line) {
            let mut text = lines.clone();
            text[n] = &changed;
            res.push((says, text.join("\n")));
        }
        if 1 < lines.len() && !line.trim().is_empty() {
            let mut text = lines.clone();
            text.remove(n);
            res.push((format!("without `{}`", line.trim()), text.join("\n")));
        }
    }
    if edit.new.ends_with('\n') {
        res.iter_mut().for_each(|it| it.1.push('\n'));
    }
    res
}

fn of_line(line: &str) -> Vec<(String, String)> {
    let mut res = Vec::new();
    for (from, to) in OPERATORS {
        for (at, _) in line.match_indices(from) {
            let changed = format!("{}{to}{}", &line[..at], &line[at + from.len()..]);
            res.push((format!("`{}` for `{}`", to.trim(), from.trim()), changed));
        }
    }
    if let Some((number, changed)) = next_number(line) {
        res.push((format!("one more than {number}"), changed));
    }
    res
}

/// The line with its first number raised by one.
fn next_number(line: &str) -> Option<(u64, String)> {
    let start = line.find(|it: char| it.is_ascii_digit())?;
    let digits: String = line[start..].chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    let rest = &line[start + digits.len()..];
    Some((number, format!("{}{}{rest}", &line[..start], number.checked_add(1)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(old: &str, new: &str) -> Vec<Edit> {
        vec![Edit { path: "a".into(), old: Some(old.into()), new: new.into() }]
    }

    fn texts(found: &[Mutant]) -> Vec<&str> {
        found.iter().map(|it| it.edits[0].new.as_str()).collect()
    }

    #[test]
    fn only_what_the_fix_adds_is_changed() {
        let found = mutants(&fix("a < b\nkeep < it", "a <= b + 1\nkeep < it"), 50);
        let all = texts(&found);
        assert!(all.contains(&"a <= b - 1\nkeep < it"), "{all:?}");
        assert!(all.contains(&"a <= b + 2\nkeep < it"), "{all:?}");
        assert!(all.iter().all(|it| it.contains("keep < it")), "{all:?}");
    }

    #[test]
    fn neither_the_fix_nor_the_base_is_a_mutant() {
        let found = mutants(&fix("a < b", "a <= b"), 50);
        assert_eq!(found, []);
    }

    #[test]
    fn so_many_and_always_the_same() {
        let fix = fix("x", "a <= b && c + 1 > d\nnext - 3");
        let all = mutants(&fix, 50);
        assert!(6 < all.len(), "{all:?}");
        assert_eq!(mutants(&fix, 3).len(), 3);
        assert_eq!(mutants(&fix, 3), mutants(&fix, 3));
        assert_eq!(mutants(&fix, 0), []);
    }
}
