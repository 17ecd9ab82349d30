//! What a change is: files, lines, hunks, the facts that gates judge, and the change's own id.

use super::acting::{Kept, Touched, why_protected};
use super::files::MODE_LINK;
use super::lens::Lens;
use super::objects::Objects;
use super::{Doing, FileDiff, Git, Hunk, Slot, audit, commit_id, hunks, oid, tree_id};
use git2::{Delta, Diff, DiffFormat, DiffOptions, Oid, Patch, Repository};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use team::{Base, ChangeFacts, ChangeId, CommitId, Failure, FileChange, FileKind};

/// A patch is cut off here.
pub const PATCH_BYTES_MAX: usize = 1024 * 1024;
/// A file larger than this is not looked at for tests.
const AUDITED_BYTES_MAX: usize = 1024 * 1024;

impl Git {
    /// What the gates judge of S..H. `protected`: globs of what no agent may write, besides what none
    /// ever may.
    pub fn facts(
        &self,
        base: &Base,
        head: &CommitId,
        protected: &[String],
    ) -> Result<ChangeFacts, Failure> {
        let kept = Kept::new(protected)?;
        let objects = self.objects()?;
        let (seen, head) = (oid(&base.seen.0)?, oid(&head.0)?);
        let tree = objects.tree_of(head)?;
        let repo = &objects.repo;
        let descends =
            seen == head || repo.graph_descendant_of(head, seen).doing("compare commits")?;
        let diff = between(repo, objects.tree_of(seen)?, tree)?;
        let user = self.user_onto(&objects)?;
        let index = super::snapshot::index_of(&user);
        let lens = Lens::new(self, &user, &objects, &index)?;
        let mut protected = Vec::new();
        let mut texts = Vec::new();
        for delta in diff.deltas() {
            let touched = touch(&objects, &delta, Some(&lens))?;
            let path = String::from_utf8_lossy(touched.path).into_owned();
            if let Some(why) = why_protected(&touched) {
                protected.push(format!("{path} ({why})"));
            } else if kept.holds(&path) {
                protected.push(format!("{path} (protected in this project)"));
            }
            let text = |id: Oid| -> String {
                let bytes = repo.find_blob(id).map(|it| it.content().to_vec()).unwrap_or_default();
                let small = bytes.len() <= AUDITED_BYTES_MAX;
                if small { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() }
            };
            if audit::reads(&path) {
                let gone = delta.status() == Delta::Deleted;
                let old = text(delta.old_file().id());
                texts.push((path, old, (!gone).then(|| text(delta.new_file().id()))));
            }
        }
        Ok(ChangeFacts {
            head: commit_id(head),
            tree: tree_id(tree),
            descends,
            files: changes(&diff)?,
            protected,
            weakened: audit::weakened(&texts),
            outside: vec![],
        })
    }

    /// Files that hold more than tests, and from which lines were taken away or that are gone: what a
    /// commit changes that shall only show a bug.
    pub fn beyond_tests(&self, from: &CommitId, to: &CommitId) -> Result<Vec<String>, Failure> {
        let objects = self.objects()?;
        let (from, to) = (oid(&from.0)?, oid(&to.0)?);
        let diff = between(&objects.repo, objects.tree_of(from)?, objects.tree_of(to)?)?;
        let files = changes(&diff)?.into_iter();
        let beyond = files.filter(|it| 0 < it.removed && !audit::is_test_path(&it.path));
        Ok(beyond.map(|it| it.path).collect())
    }

    /// A unified diff, at most `PATCH_BYTES_MAX`.
    pub fn patch(&self, from: &CommitId, to: &CommitId) -> Result<String, Failure> {
        let objects = self.objects()?;
        let (from, to) = (oid(&from.0)?, oid(&to.0)?);
        let diff = between(&objects.repo, objects.tree_of(from)?, objects.tree_of(to)?)?;
        print(&diff)
    }

    /// A unified diff from a commit to what the slot holds now, untracked files included.
    pub fn slot_patch(&self, slot: &Slot, from: &CommitId) -> Result<String, Failure> {
        let mut work = self.work(slot)?;
        let to = work.absorb()?;
        let from = work.objects.tree_of(oid(&from.0)?)?;
        print(&between(&work.objects.repo, from, to)?)
    }

    /// The change file by file, renames found.
    pub fn files(&self, from: &CommitId, to: &CommitId) -> Result<Vec<FileDiff>, Failure> {
        let objects = self.objects()?;
        let (from, to) = (oid(&from.0)?, oid(&to.0)?);
        let mut diff = between(&objects.repo, objects.tree_of(from)?, objects.tree_of(to)?)?;
        hunks::find_renames(&mut diff)?;
        let fine = hunks::is_fine(&diff)?;
        (0..diff.deltas().len()).map(|n| file_diff(&diff, n, fine)).collect()
    }
}

/// The diff of two trees of the store.
pub(super) fn between(repo: &Repository, from: Oid, to: Oid) -> Result<Diff<'_>, Failure> {
    let from = repo.find_tree(from).doing("read a tree")?;
    let to = repo.find_tree(to).doing("read a tree")?;
    let mut options = DiffOptions::new();
    options.include_typechange(true);
    repo.diff_tree_to_tree(Some(&from), Some(&to), Some(&mut options)).doing("compare trees")
}

pub(super) fn name_of(delta: &git2::DiffDelta<'_>) -> String {
    let file = if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
    String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned()
}

/// What the rules about names and modes ask of one changed path.
pub(super) fn touch<'a>(
    objects: &Objects,
    delta: &git2::DiffDelta<'a>,
    lens: Option<&Lens<'_>>,
) -> Result<Touched<'a>, Failure> {
    let gone = delta.status() == Delta::Deleted;
    let file = if gone { delta.old_file() } else { delta.new_file() };
    let path = file.path_bytes().unwrap_or_default();
    let mode = |it: git2::DiffFile<'_>| {
        if it.id().is_zero() { 0 } else { u32::from(it.mode()) }
    };
    let new_mode = if gone { 0 } else { mode(delta.new_file()) };
    let old_mode = if delta.status() == Delta::Added { 0 } else { mode(delta.old_file()) };
    let link = match new_mode {
        MODE_LINK => Some(objects.read_blob(delta.new_file().id())?),
        _ => None,
    };
    let is_package = path == b"package.json" || path.ends_with(b"/package.json");
    let text = |id: Oid| objects.read_blob(id).unwrap_or_default();
    let package = is_package.then(|| (text(delta.old_file().id()), text(delta.new_file().id())));
    let foreign = lens.and_then(|it| it.foreign(path));
    Ok(Touched { path, old_mode, new_mode, link, package, foreign })
}

fn change(diff: &Diff<'_>, n: usize) -> Result<FileChange, Failure> {
    let delta = diff.get_delta(n).ok_or_else(gone)?;
    let kind = match delta.status() {
        Delta::Added | Delta::Copied | Delta::Untracked => FileKind::Added,
        Delta::Deleted => FileKind::Deleted,
        _ => FileKind::Modified,
    };
    let patch = Patch::from_diff(diff, n).doing("compare a file")?;
    let (added, removed) = match &patch {
        Some(patch) => {
            let (_, added, removed) = patch.line_stats().doing("compare a file")?;
            (added, removed)
        }
        None => (0, 0),
    };
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    Ok(FileChange { path: name_of(&delta), kind, added: count(added), removed: count(removed) })
}

pub(super) fn gone() -> Failure {
    Failure::new(team::Code::Bug, "compare a file: the diff has no such file")
}

/// The files of a diff with their counts of lines.
pub(super) fn changes(diff: &Diff<'_>) -> Result<Vec<FileChange>, Failure> {
    (0..diff.deltas().len()).map(|n| change(diff, n)).collect()
}

fn file_diff(diff: &Diff<'_>, n: usize, fine: bool) -> Result<FileDiff, Failure> {
    let change = change(diff, n)?;
    let delta = diff.get_delta(n).ok_or_else(gone)?;
    let old_path = (delta.status() == Delta::Renamed).then(|| {
        String::from_utf8_lossy(delta.old_file().path_bytes().unwrap_or_default()).into_owned()
    });
    let choice = hunks::choice(diff, n, fine)?;
    let mut hunks = Vec::new();
    if let Some(patch) = Patch::from_diff(diff, n).doing("compare a file")? {
        for h in 0..patch.num_hunks() {
            let (hunk, lines) = patch.hunk(h).doing("compare a file")?;
            let mut text = String::new();
            for l in 0..lines {
                let line = patch.line_in_hunk(h, l).doing("compare a file")?;
                push_line(&mut text, &line);
            }
            let id = choice.hunks.get(h).or(choice.hunks.first()).cloned().unwrap_or_default();
            hunks.push(Hunk {
                id,
                old_start: hunk.old_start(),
                old_lines: hunk.old_lines(),
                new_start: hunk.new_start(),
                new_lines: hunk.new_lines(),
                text,
            });
        }
    }
    let (ids, whole) = (choice.hunks, choice.whole);
    Ok(FileDiff { change, old_path, ids, whole, hunks })
}

fn push_line(text: &mut String, line: &git2::DiffLine<'_>) {
    if matches!(line.origin(), ' ' | '+' | '-') {
        text.push(line.origin());
    }
    text.push_str(&String::from_utf8_lossy(line.content()));
}

fn print(diff: &Diff<'_>) -> Result<String, Failure> {
    let mut text = String::new();
    let mut left = 0_u64;
    let printed = diff.print(DiffFormat::Patch, |_, _, line| {
        if text.len() + line.content().len() < PATCH_BYTES_MAX {
            push_line(&mut text, &line);
        } else {
            left += 1;
        }
        true
    });
    printed.doing("print a diff")?;
    if 0 < left {
        let _ = write!(text, "\n[{left} more lines of this diff are left out]\n");
    }
    Ok(text)
}

/// SHA-256 over the sorted (path, mode, removed and added lines).
pub(super) fn change_id(diff: &Diff<'_>) -> Result<ChangeId, Failure> {
    let mut parts = Vec::new();
    for (n, delta) in diff.deltas().enumerate() {
        let mut part = name_of(&delta).into_bytes();
        let mode = u32::from(delta.new_file().mode());
        part.extend_from_slice(format!("\0{mode:o}\0{:?}\0", delta.status()).as_bytes());
        match Patch::from_diff(diff, n).doing("compare a file")? {
            Some(patch) if 0 < patch.num_hunks() => add_lines(&patch, &mut part)?,
            // Binary, or a mode alone: the blobs are the change.
            Some(_) | None => {
                let blobs = format!("{} {}", delta.old_file().id(), delta.new_file().id());
                part.extend_from_slice(blobs.as_bytes());
            }
        }
        parts.push(part);
    }
    parts.sort();
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(&part);
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(ChangeId(text))
}

fn add_lines(patch: &Patch<'_>, part: &mut Vec<u8>) -> Result<(), Failure> {
    for h in 0..patch.num_hunks() {
        let lines = patch.num_lines_in_hunk(h).doing("compare a file")?;
        for l in 0..lines {
            let line = patch.line_in_hunk(h, l).doing("compare a file")?;
            if matches!(line.origin(), '+' | '-') {
                part.push(if line.origin() == '+' { b'+' } else { b'-' });
                part.extend_from_slice(line.content());
            }
        }
    }
    Ok(())
}
