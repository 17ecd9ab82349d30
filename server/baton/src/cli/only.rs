//! Hunks as a person types them: `src/a.rs`, `src/b.rs:2`, `src/b.rs:1,3-4`, by the numbers that
//! `baton diff T1 --hunks` shows, or by their ids.

use super::open::Trouble;
use super::person::Person;
use super::screen::{Screen, safe};
use crate::git::FileDiff;
use team::{Answer, ApprovalId, FileHunks, Team};

/// A range like `1-4000000000` names no hunks.
const RANGE_MAX: usize = 10_000;

/// An approval that names the hunks after `--only`. Errors: wrong use, with what to type.
pub fn narrow(
    team: &Team,
    approval: ApprovalId,
    answer: Answer,
    only: &[String],
) -> Result<Answer, Trouble> {
    if only.is_empty() {
        return Ok(answer);
    }
    let Answer::Approve { ticked } = answer else {
        return Err(Trouble::Wrong("--only belongs to approve".to_owned()));
    };
    let line = team::approval_line(team, approval);
    let task = line.as_ref().map(|it| it.task.to_string()).unwrap_or_else(|| "T1".to_owned());
    let offered = line.map(|it| it.hunks).unwrap_or_default();
    let hunks = chosen(only, &offered, &format!("baton diff {task} --hunks shows them"))?;
    Ok(Answer::ApproveSome { ticked, hunks })
}

fn chosen(only: &[String], offered: &[FileHunks], hint: &str) -> Result<Vec<FileHunks>, Trouble> {
    let mut res: Vec<FileHunks> = Vec::new();
    for typed in only {
        let (file, which) = file_of(typed, offered).ok_or_else(|| {
            Trouble::Wrong(format!("the change has no hunks at `{}`; {hint}", safe(typed)))
        })?;
        let ids = match which {
            None => file.hunks.clone(),
            Some(list) => named(file, list).ok_or_else(|| {
                let (path, n) = (safe(&file.path), file.hunks.len());
                let list = safe(list);
                Trouble::Wrong(format!("`{path}` has hunks 1 to {n}, none is `{list}`; {hint}"))
            })?,
        };
        match res.iter_mut().find(|it| it.path == file.path) {
            Some(known) => known.hunks.extend(ids),
            None => res.push(FileHunks { path: file.path.clone(), hunks: ids }),
        }
    }
    Ok(res)
}

/// The file that is meant, and what of it; a path may have a `:` of its own.
fn file_of<'a, 'b>(
    typed: &'b str,
    offered: &'a [FileHunks],
) -> Option<(&'a FileHunks, Option<&'b str>)> {
    let by_path = |path: &str| offered.iter().find(|it| it.path == path);
    if let Some(file) = by_path(typed) {
        return Some((file, None));
    }
    let (path, list) = typed.rsplit_once(':')?;
    by_path(path).map(|file| (file, Some(list)))
}

/// `2`, `1,3-4`, or ids; `None`: one of them is nothing of this file's.
fn named(file: &FileHunks, list: &str) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for part in list.split(',').map(str::trim) {
        // An id may look like a number: the ids are known, so they go first.
        if let Some(id) = file.hunks.iter().find(|it| *it == part) {
            ids.push(id.clone());
            continue;
        }
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        if from == 0 || to < from || RANGE_MAX < to {
            return None;
        }
        for n in from..=to {
            ids.push(file.hunks.get(n - 1)?.clone());
        }
    }
    Some(ids)
}

/// One question for each hunk, and a yes for all that were taken; `None`: nothing is chosen.
pub async fn pick(
    screen: &Screen,
    person: &Person<'_>,
    files: &[FileDiff],
) -> Option<Vec<FileHunks>> {
    let mut res: Vec<FileHunks> = Vec::new();
    let mut rest = None;
    for file in files {
        let mut taken = Vec::new();
        for (n, id) in (1..).zip(&file.ids) {
            if rest.is_none() {
                show_choice(screen, file, n);
            }
            while rest.is_none() {
                let path = safe(&file.change.path);
                let question = format!("Take {path}:{n}? (yes, no, all, none, quit) ");
                match person.line(&question).await?.trim().to_lowercase().as_str() {
                    "y" | "yes" => taken.push(id.clone()),
                    "n" | "no" => {}
                    "a" | "all" => rest = Some(true),
                    "none" => rest = Some(false),
                    "q" | "quit" => return None,
                    _ => continue,
                }
                break;
            }
            if rest == Some(true) {
                taken.push(id.clone());
            }
        }
        if !taken.is_empty() {
            res.push(FileHunks { path: file.change.path.clone(), hunks: taken });
        }
    }
    let (some, all) = (team::count(&res), files.iter().map(|it| it.ids.len()).sum::<usize>());
    let question =
        format!("{some} of {all} hunks: check them by themselves, and land them if green?");
    (0 < some && person.says_yes(&question).await).then_some(res)
}

/// Whether this path needs its tick with these hunks: it is among them, or none of those offered.
pub fn needs_tick(path: &str, chosen: &[FileHunks], offered: &[FileHunks]) -> bool {
    let has = |all: &[FileHunks]| all.iter().any(|it| it.path == path);
    has(chosen) || !has(offered)
}

/// What of a file can be chosen, in one cell: `1-3`, or `whole: it is new`.
pub fn cell(file: &FileDiff) -> String {
    match (file.whole, file.ids.len()) {
        (Some(why), _) => format!("whole: {why}"),
        (None, 1) => "1".to_owned(),
        (None, n) => format!("1-{n}"),
    }
}

/// Every hunk below what names it after `--only`.
pub fn show(screen: &Screen, files: &[FileDiff]) {
    for file in files {
        let path = safe(&file.change.path);
        for (n, id) in (1..).zip(&file.ids) {
            match file.whole {
                Some(_) => screen.line(format!("--only {path}   {id}")),
                None => screen.line(format!("--only {path}:{n}   {id}")),
            }
            show_choice(screen, file, n);
        }
        screen.line("");
    }
}

/// The lines of the n-th choice of a file, counted from 1; why it goes whole, if it does.
fn show_choice(screen: &Screen, file: &FileDiff, n: usize) {
    if let Some(why) = file.whole {
        let old = file.old_path.as_deref().map(|it| format!(", before {}", safe(it)));
        let path = safe(&file.change.path);
        screen.line(format!("{path} goes whole: {why}{}", old.unwrap_or_default()));
    }
    for (at, hunk) in (1..).zip(&file.hunks) {
        if file.whole.is_none() && at != n {
            continue;
        }
        let head = format!(
            "@@ -{},{} +{},{} @@",
            hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines
        );
        screen.diff(&format!("{head}\n{}", hunk.text.trim_end_matches('\n')));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<FileHunks> {
        let file = |path: &str, ids: &[&str]| FileHunks {
            path: path.to_owned(),
            hunks: ids.iter().map(|it| (*it).to_owned()).collect(),
        };
        vec![file("src/a.rs", &["a1"]), file("b:2", &["b1", "b2", "b3"]), file("b", &["7", "x"])]
    }

    fn ids(only: &[&str]) -> Option<String> {
        let only: Vec<String> = only.iter().map(|it| (*it).to_owned()).collect();
        let chosen = chosen(&only, &offered(), "look").ok()?;
        let text = chosen.iter().map(|it| format!("{}={}", it.path, it.hunks.join(",")));
        Some(text.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn hunks_are_named_by_file_number_range_and_id() {
        assert_eq!(ids(&["src/a.rs"]).unwrap(), "src/a.rs=a1");
        // The path with a colon is meant where there is one.
        assert_eq!(ids(&["b:2"]).unwrap(), "b:2=b1,b2,b3");
        assert_eq!(ids(&["b:2:1,3", "b:2:2"]).unwrap(), "b:2=b1,b3,b2");
        assert_eq!(ids(&["b:2:2-3", "src/a.rs:1"]).unwrap(), "b:2=b2,b3 src/a.rs=a1");
        // An id that looks like a number is an id.
        assert_eq!(ids(&["b:7"]).unwrap(), "b=7");
    }

    #[test]
    fn what_names_no_hunk_is_wrong_use() {
        for wrong in ["none.rs", "src/a.rs:2", "src/a.rs:0", "b:2:3-1", "b:2:1-999999999", "b:2:"] {
            assert_eq!(ids(&[wrong]), None, "{wrong}");
        }
    }
}
