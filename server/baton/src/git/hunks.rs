//! What a person can choose of a change, and a change made of what they chose: by hunk where a text
//! file was edited, whole where a half would make no sense.

use super::objects::{Objects, baton};
use super::review::{between, change_id};
use super::{Doing, Git, commit_id, oid};
use git2::{Delta, Diff, DiffFindOptions, Index, IndexEntry, ObjectType, Oid, Patch};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use team::{ApprovalId, Base, Candidate, ChangeId, CommitId, Failure, FileHunks};

/// So many hunks are told apart; of a larger change files can be chosen.
pub const HUNKS_MAX: usize = 2_000;
/// Digits of a hunk's id.
const ID_CHARS: usize = 12;

/// What became of making a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parted {
    Made {
        /// The chosen hunks alone, on what the person saw.
        head: CommitId,
        /// What they change on the candidate's tip.
        change: ChangeId,
    },
    /// They can't be taken without others at these paths.
    Conflict(Vec<String>),
}

/// One file of a change as it can be chosen.
pub(super) struct Choice {
    pub(super) hunks: Vec<String>,
    /// Why it goes whole, if it does: then there is one id.
    pub(super) whole: Option<&'static str>,
}

impl Git {
    /// The head of these hunks of a candidate. Made again it is another commit of the same tree.
    pub fn part(
        &self,
        approval: ApprovalId,
        base: &Base,
        candidate: &Candidate,
        chosen: &[FileHunks],
        message: &str,
    ) -> Result<Parted, Failure> {
        let objects = self.objects()?;
        let (tip, whole) = (oid(&candidate.tip.0)?, oid(&candidate.commit.0)?);
        let (from, to) = (objects.tree_of(tip)?, objects.tree_of(whole)?);
        let tree = match chosen_tree(&objects, from, to, chosen)? {
            Ok(tree) => tree,
            Err(paths) => return Ok(Parted::Conflict(paths)),
        };
        let change = change_id(&between(&objects.repo, from, tree)?)?;
        let seen = oid(&base.seen.0)?;
        let seen_tree = objects.tree_of(seen)?;
        let find = |it: Oid| objects.repo.find_tree(it).doing("read a tree");
        let merged = objects.repo.merge_trees(&find(from)?, &find(tree)?, &find(seen_tree)?, None);
        let mut merged = merged.doing("take the hunks")?;
        if merged.has_conflicts() {
            return Ok(Parted::Conflict(super::candidate::conflicts(&merged)?));
        }
        let tree = merged.write_tree_to(&objects.repo).doing("write a tree")?;
        objects.keep(Some(seen_tree), tree)?;
        let head = objects.commit(&baton("Baton")?, message, tree, &[seen])?;
        objects.point(&format!("refs/baton/heads/{approval}"), head)?;
        Ok(Parted::Made { head: commit_id(head), change })
    }
}

/// The same in a diff with its renames found: what is chosen is what is shown.
pub(super) fn find_renames(diff: &mut Diff<'_>) -> Result<(), Failure> {
    let mut options = DiffFindOptions::new();
    diff.find_similar(Some(options.renames(true))).doing("find renames")
}

/// What can be chosen of the change between two trees.
pub(super) fn offered(objects: &Objects, from: Oid, to: Oid) -> Result<Vec<FileHunks>, Failure> {
    let mut diff = between(&objects.repo, from, to)?;
    find_renames(&mut diff)?;
    let fine = is_fine(&diff)?;
    let file = |n: usize| {
        let delta = diff.get_delta(n).ok_or_else(super::review::gone)?;
        let path = super::review::name_of(&delta);
        Ok(FileHunks { path, hunks: choice(&diff, n, fine)?.hunks })
    };
    (0..diff.deltas().len()).map(file).collect()
}

/// Whether hunks are told apart, or files alone.
pub(super) fn is_fine(diff: &Diff<'_>) -> Result<bool, Failure> {
    let mut count = 0;
    for n in 0..diff.deltas().len() {
        let patch = Patch::from_diff(diff, n).doing("compare a file")?;
        count += patch.map_or(1, |it| it.num_hunks());
    }
    Ok(count <= HUNKS_MAX)
}

/// The n-th file of a diff as it can be chosen.
pub(super) fn choice(diff: &Diff<'_>, n: usize, fine: bool) -> Result<Choice, Failure> {
    let delta = diff.get_delta(n).ok_or_else(super::review::gone)?;
    let path = super::review::name_of(&delta);
    let patch = Patch::from_diff(diff, n).doing("compare a file")?;
    let modes = (delta.old_file().mode(), delta.new_file().mode());
    let is_text = patch.as_ref().is_some_and(|it| 0 < it.num_hunks());
    let whole = match delta.status() {
        Delta::Added | Delta::Copied => Some("it is new"),
        Delta::Deleted => Some("it is deleted"),
        Delta::Renamed => Some("it is renamed"),
        Delta::Modified if modes.0 != modes.1 => Some("its mode changes"),
        Delta::Modified if modes.0 == git2::FileMode::Commit => Some("it is a submodule"),
        Delta::Modified if !is_text => Some("it is binary"),
        Delta::Modified if !fine => Some("the change has too many hunks"),
        Delta::Modified => None,
        _ => Some("it becomes another kind of file"),
    };
    let mut hunks = Vec::new();
    let mut seen: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for h in 0..patch.as_ref().map_or(0, Patch::num_hunks) {
        let Some(patch) = patch.as_ref().filter(|_| whole.is_none()) else { break };
        let lines = changed_lines(patch, h)?;
        let again = seen.entry(lines.clone()).or_default();
        *again += 1;
        hunks.push(id(&[path.as_bytes(), &lines, &again.to_le_bytes()]));
    }
    if whole.is_some() {
        let old = delta.old_file().path_bytes().unwrap_or_default();
        let mut lines = Vec::new();
        for h in 0..patch.as_ref().map_or(0, Patch::num_hunks) {
            if let Some(patch) = &patch {
                lines.extend(changed_lines(patch, h)?);
            }
        }
        let kind = format!("{:?} {:?} {:?}", delta.status(), modes.0, modes.1);
        // Of what is no text the content is the change.
        let blobs = format!("{} {}", delta.old_file().id(), delta.new_file().id());
        let blobs = if is_text { String::new() } else { blobs };
        hunks = vec![id(&[path.as_bytes(), old, kind.as_bytes(), blobs.as_bytes(), &lines])];
    }
    Ok(Choice { hunks, whole })
}

/// The removed and added lines of a hunk, each with its sign.
fn changed_lines(patch: &Patch<'_>, hunk: usize) -> Result<Vec<u8>, Failure> {
    let mut res = Vec::new();
    for l in 0..patch.num_lines_in_hunk(hunk).doing("compare a file")? {
        let line = patch.line_in_hunk(hunk, l).doing("compare a file")?;
        if matches!(line.origin(), '+' | '-') {
            res.push(if line.origin() == '+' { b'+' } else { b'-' });
            res.extend_from_slice(line.content());
        }
    }
    Ok(res)
}

fn id(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(ID_CHARS);
    text
}

/// `from` with the chosen hunks of what leads to `to`, or the paths that stand in each other's way.
fn chosen_tree(
    objects: &Objects,
    from: Oid,
    to: Oid,
    chosen: &[FileHunks],
) -> Result<Result<Oid, Vec<String>>, Failure> {
    let repo = &objects.repo;
    let mut diff = between(repo, from, to)?;
    find_renames(&mut diff)?;
    let fine = is_fine(&diff)?;
    let mut index = Index::new().doing("read a tree")?;
    index.read_tree(&repo.find_tree(from).doing("read a tree")?).doing("read a tree")?;
    let (mut gone, mut new, mut expected) = (Vec::new(), Vec::new(), BTreeSet::new());
    for n in 0..diff.deltas().len() {
        let delta = diff.get_delta(n).ok_or_else(super::review::gone)?;
        let path = super::review::name_of(&delta);
        let Some(wanted) = chosen.iter().find(|it| it.path == path) else { continue };
        let choice = choice(&diff, n, fine)?;
        let is_chosen: Vec<bool> =
            choice.hunks.iter().map(|it| wanted.hunks.contains(it)).collect();
        if !is_chosen.contains(&true) {
            continue;
        }
        let bytes = |it: git2::DiffFile<'_>| it.path_bytes().unwrap_or_default().to_vec();
        if matches!(delta.status(), Delta::Deleted | Delta::Renamed) {
            expected.insert(bytes(delta.old_file()));
            gone.push(bytes(delta.old_file()));
        }
        if delta.status() == Delta::Deleted {
            continue;
        }
        let blob = match (choice.whole, Patch::from_diff(&diff, n).doing("compare a file")?) {
            (None, Some(patch)) if is_chosen.contains(&false) => {
                let old = objects.read_blob(delta.old_file().id())?;
                let text = apply(&old, &patch, &is_chosen)?;
                objects.put(ObjectType::Blob, &text)?
            }
            (_, _) => delta.new_file().id(),
        };
        expected.insert(bytes(delta.new_file()));
        new.push((bytes(delta.new_file()), u32::from(delta.new_file().mode()), blob));
    }
    for path in &gone {
        index.remove(super::files::as_path(path), 0).doing("take the hunks")?;
    }
    for (path, mode, blob) in &new {
        let entry: IndexEntry = super::files::Stat::default().entry(path, *mode, *blob);
        index.add(&entry).doing("take the hunks")?;
    }
    let tree = index.write_tree_to(repo).doing("write a tree")?;
    objects.keep(Some(from), tree)?;
    // A file where a folder was takes the place of all that is in it, chosen or not.
    let made = between(repo, from, tree)?;
    let mut touched = BTreeSet::new();
    for delta in made.deltas() {
        let file =
            if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
        touched.insert(file.path_bytes().unwrap_or_default().to_vec());
    }
    let beside: Vec<String> = touched
        .symmetric_difference(&expected)
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .collect();
    Ok(if beside.is_empty() { Ok(tree) } else { Err(beside) })
}

/// The old text with some hunks of a patch.
fn apply(old: &[u8], patch: &Patch<'_>, is_chosen: &[bool]) -> Result<Vec<u8>, Failure> {
    let lines: Vec<&[u8]> = old.split_inclusive(|it| *it == b'\n').collect();
    let at = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    let (mut res, mut done) = (Vec::with_capacity(old.len()), 0);
    for (h, _) in is_chosen.iter().enumerate().filter(|it| *it.1) {
        let (hunk, count) = patch.hunk(h).doing("take a hunk")?;
        let old_lines = at(hunk.old_lines());
        // A hunk without old lines stands after the line that it names.
        let start = at(hunk.old_start()).saturating_sub(usize::from(0 < old_lines));
        res.extend(lines.get(done..start).unwrap_or_default().concat());
        for l in 0..count {
            let line = patch.line_in_hunk(h, l).doing("take a hunk")?;
            if matches!(line.origin(), ' ' | '+') {
                res.extend_from_slice(line.content());
            }
        }
        done = start + old_lines;
    }
    res.extend(lines.get(done..).unwrap_or_default().concat());
    Ok(res)
}
