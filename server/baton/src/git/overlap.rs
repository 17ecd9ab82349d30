//! Where a running task changes what a person is editing: the Engineer's hunks mapped onto the live
//! text, and whether the two would merge, or the work of two tasks would. Read from the store; the slot itself is not touched.

use super::objects::Objects;
use super::survey::three_way;
use super::{Doing, Git, oid};
use git2::{DiffOptions, Oid, Patch};
use std::ops::Range;
use std::path::Path;
use team::{CommitId, Failure, RunId};

/// A larger text is not compared while somebody types.
const TEXT_BYTES_MAX: usize = 2 << 20;
/// Hunks of one file that are shown.
const HUNKS_MAX: usize = 50;

/// Lines of the live text, counted from 0, the end not included; an empty range is a place between
/// two lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// What the Engineer is changing.
    pub changing: Vec<Range<usize>>,
    /// Those of them that the person has changed too, where the two don't merge.
    pub colliding: Vec<Range<usize>>,
}

impl Overlap {
    /// The first lines that both are changing, or that lie right beside each other.
    pub fn meets(&self, other: &Overlap) -> Option<&Range<usize>> {
        self.changing.iter().find(|a| other.changing.iter().any(|b| touches(a, b)))
    }
}

fn touches(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.end && b.start <= a.end
}

/// One hunk: the lines it replaces, and how many stand there afterwards.
struct Replaced {
    old: Range<usize>,
    new_lines: usize,
}

impl Git {
    /// How the last saved work of a run meets the live text of a file, with that text; `None` where it
    /// leaves the file as the person saw it (S), or one of them is too long. `text` is asked for only
    /// where there is something to compare.
    pub fn overlap<T: ToString>(
        &self,
        seen: &CommitId,
        run: RunId,
        path: &str,
        text: impl FnOnce() -> Option<T>,
    ) -> Result<Option<(Overlap, T)>, Failure> {
        let objects = self.objects()?;
        let Some(saved) = objects.target(&format!("refs/baton/runs/{run}")) else {
            return Ok(None);
        };
        let base = blob_of(&objects, oid(&seen.0)?, path)?;
        let theirs = blob_of(&objects, saved, path)?;
        let Some(text) = (base != theirs).then(text).flatten() else { return Ok(None) };
        let (base, theirs) = (read(&objects, base)?, read(&objects, theirs)?);
        let live = text.to_string();
        let longest = base.len().max(theirs.len()).max(live.len());
        if TEXT_BYTES_MAX < longest {
            return Ok(None);
        }
        Ok(Some((compare(&base, live.as_bytes(), &theirs)?, text)))
    }

    /// Where a line of a file at a commit, counted from 0, stands in a live text of that file. `None`: there is
    /// no such line, or one of the two is too long.
    pub fn line_in(
        &self,
        at: &CommitId,
        path: &str,
        line: usize,
        live: &[u8],
    ) -> Result<Option<Range<usize>>, Failure> {
        let text = text_of(&self.objects()?, oid(&at.0)?, path)?;
        let is_there = line < text.split_inclusive(|it| *it == b'\n').count();
        if !is_there || TEXT_BYTES_MAX < text.len().max(live.len()) {
            return Ok(None);
        }
        Ok(Some(moved(&(line..line + 1), &replaced(&text, live)?)))
    }

    /// Whether the last saved work of two runs, each with what its person saw (S), merges in this file.
    /// True where one of them leaves the file alone or it is too long to be compared.
    pub fn would_merge(
        &self,
        one: (&CommitId, RunId),
        other: (&CommitId, RunId),
        path: &str,
    ) -> Result<bool, Failure> {
        let objects = self.objects()?;
        let sides = |(seen, run): (&CommitId, RunId)| -> Result<Option<_>, Failure> {
            let Some(saved) = objects.target(&format!("refs/baton/runs/{run}")) else {
                return Ok(None);
            };
            let base = text_of(&objects, oid(&seen.0)?, path)?;
            Ok(Some((base, text_of(&objects, saved, path)?)))
        };
        let (Some((base, first)), Some((seen, second))) = (sides(one)?, sides(other)?) else {
            return Ok(true);
        };
        let longest = [&base, &first, &seen, &second].map(Vec::len).into_iter().max();
        if longest.is_some_and(|it| TEXT_BYTES_MAX < it) {
            return Ok(true);
        }
        Ok(merges((&base, &first), (&seen, &second)))
    }
}

/// The second change put on what the first one's person saw, and then on the first change.
fn merges((base, first): (&[u8], &[u8]), (seen, second): (&[u8], &[u8])) -> bool {
    match three_way(Some(seen), Some(base), Some(second), false) {
        Some(second) => three_way(Some(base), Some(first), second.as_deref(), false).is_some(),
        // What the two people saw differs just there; nothing is known of the two changes.
        None => true,
    }
}

fn text_of(objects: &Objects, commit: Oid, path: &str) -> Result<Vec<u8>, Failure> {
    read(objects, blob_of(objects, commit, path)?)
}

/// `None`: there is no such file.
fn blob_of(objects: &Objects, commit: Oid, path: &str) -> Result<Option<Oid>, Failure> {
    let tree = objects.repo.find_tree(objects.tree_of(commit)?).doing("read a tree")?;
    let entry = tree.get_path(Path::new(path)).ok();
    let blob = entry.filter(|it| it.kind() == Some(git2::ObjectType::Blob));
    Ok(blob.map(|it| it.id()))
}

fn read(objects: &Objects, blob: Option<Oid>) -> Result<Vec<u8>, Failure> {
    blob.map_or_else(|| Ok(Vec::new()), |it| objects.read_blob(it))
}

fn compare(base: &[u8], yours: &[u8], theirs: &[u8]) -> Result<Overlap, Failure> {
    let mine = replaced(base, yours)?;
    let agents = replaced(base, theirs)?;
    let changing: Vec<Range<usize>> = agents.iter().map(|it| moved(&it.old, &mine)).collect();
    if three_way(Some(base), Some(yours), Some(theirs), false).is_some() {
        return Ok(Overlap { changing, colliding: Vec::new() });
    }
    let colliding = agents
        .iter()
        .zip(&changing)
        .filter(|(it, _)| mine.iter().any(|mine| touches(&it.old, &mine.old)))
        .map(|(_, shown)| shown.clone())
        .collect();
    Ok(Overlap { changing, colliding })
}

fn replaced(old: &[u8], new: &[u8]) -> Result<Vec<Replaced>, Failure> {
    let doing = "compare a file";
    let mut options = DiffOptions::new();
    options.context_lines(0);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options)).doing(doing)?;
    let mut res = Vec::new();
    for n in 0..patch.num_hunks().min(HUNKS_MAX) {
        let (hunk, _) = patch.hunk(n).doing(doing)?;
        let (start, lines) = (hunk.old_start() as usize, hunk.old_lines() as usize);
        // A hunk that only adds names the line before it.
        let first = if lines == 0 { start } else { start.saturating_sub(1) };
        res.push(Replaced { old: first..first + lines, new_lines: hunk.new_lines() as usize });
    }
    Ok(res)
}

/// Where lines of the base are in a text that these hunks made of it. What was replaced itself is the
/// whole of what replaces it.
fn moved(lines: &Range<usize>, by: &[Replaced]) -> Range<usize> {
    let (mut start, mut end) = (lines.start, lines.end);
    let mut shift: isize = 0;
    let at = |line: usize, shift: isize| line.saturating_add_signed(shift);
    for it in by {
        let grown = it.new_lines as isize - it.old.len() as isize;
        if it.old.end <= lines.start {
            shift += grown;
            continue;
        }
        if lines.end <= it.old.start {
            break;
        }
        start = start.min(it.old.start);
        end = end.max(it.old.end).saturating_add_signed(grown);
    }
    let (start, end) = (at(start, shift), at(end, shift));
    start..end.max(start)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is meant, not its numbers")]
mod tests {
    use super::*;

    const BASE: &str = "a\nb\nc\nd\ne\n";

    fn of(yours: &str, theirs: &str) -> Overlap {
        compare(BASE.as_bytes(), yours.as_bytes(), theirs.as_bytes()).unwrap()
    }

    #[test]
    fn what_the_engineer_changes_is_shown_where_it_is_now() {
        let it = of("new\nnew\na\nb\nc\nd\ne\n", "a\nb\nC\nd\ne\n");
        assert_eq!(it, Overlap { changing: vec![4..5], colliding: vec![] });
        let it = of(BASE, "a\nb\nb2\nc\nd\ne\n");
        assert_eq!(it.changing, [2..2], "between two lines");
        let it = of("a\nd\ne\n", "a\nb\nc\nd\nE\n");
        assert_eq!(it.changing, [2..3], "after lines that are gone");
    }

    #[test]
    fn the_same_line_changed_twice_collides() {
        let it = of("a\nb\nmine\nd\ne\n", "a\nb\ntheirs\nd\ne\n");
        assert_eq!(it, Overlap { changing: vec![2..3], colliding: vec![2..3] });
        let it = of("a\nb\nmine\nmore\nd\ne\n", "a\nb\ntheirs\nd\ne\n");
        assert_eq!(it.colliding, [2..4]);
    }

    #[test]
    fn the_same_change_on_both_sides_is_no_collision() {
        let same = "a\nb\nC\nd\ne\n";
        assert!(of(same, same).colliding.is_empty());
    }

    #[test]
    fn two_tasks_merge_where_they_change_other_lines() {
        let merge = |first: &str, second: &str| {
            let base = BASE.as_bytes();
            merges((base, first.as_bytes()), (base, second.as_bytes()))
        };
        assert!(merge("A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n"));
        assert!(!merge("a\nb\none\nd\ne\n", "a\nb\ntwo\nd\ne\n"));
        // The second one's person had typed a line above meanwhile.
        let (seen, second) = ("new\na\nb\nc\nd\ne\n", "new\na\nb\ntwo\nd\ne\n");
        let (base, first) = (BASE.as_bytes(), "a\nb\none\nd\ne\n".as_bytes());
        assert!(!merges((base, first), (seen.as_bytes(), second.as_bytes())));
    }

    #[test]
    fn only_the_hunk_that_collides_is_named() {
        let it = of("A\nb\nc\nd\ne\n", "a!\nb\nc\nd\nE\n");
        assert_eq!(it, Overlap { changing: vec![0..1, 4..5], colliding: vec![0..1] });
    }
}
