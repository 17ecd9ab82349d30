//! Looks at the user's worktrees that have a branch checked out, and says for each changed path
//! whether it can move, can move only by merging into the user's text, or stands in the way.

use super::files::{Folder, MODE_EXEC, MODE_FILE, MODE_LINK, OnDisk, as_path};
use super::lens::Lens;
use super::objects::Objects;
use super::sparse::{Sparse, is_skipped};
use super::{Buffer, Doing, Git};
use git2::{Index, IndexEntry, MergeFileInput, ObjectType, Oid, Repository};
use std::path::{Path, PathBuf};
use team::{Code, Failure, PlannedPath, Target};

/// "assume unchanged" of an index entry.
const FLAG_ASSUMED: u16 = 0x8000;

/// One worktree of the user's that has the target checked out.
pub(super) struct Ground {
    pub(super) git_dir: PathBuf,
    pub(super) repo: Repository,
    pub(super) folder: Folder,
    pub(super) index: Index,
    sparse: Option<Sparse>,
    trusts_mode: bool,
}

/// A file's mode and blob on one side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) mode: u32,
    pub(super) id: Oid,
}

/// One path that a landing changes.
pub(super) struct Wish {
    pub(super) path: Vec<u8>,
    pub(super) from: Option<Side>,
    pub(super) to: Option<Side>,
}

pub(super) enum Standing {
    /// Disk = index = tip.
    Ready(PlannedPath),
    /// Disk differs, index = tip, and the three-way merge is clean.
    Merged(PlannedPath),
    /// A sentence.
    Blocked(String),
}

/// Everything that a landing must know about the user's worktrees.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) plan: Vec<PlannedPath>,
    pub(super) merges: Vec<String>,
    pub(super) blocked: Vec<String>,
}

impl Git {
    /// The worktrees that have this branch checked out; or a sentence why none may be touched.
    pub(super) fn grounds(
        &self,
        objects: &Objects,
        target: &str,
    ) -> Result<Result<Vec<Ground>, String>, Failure> {
        let mut found = Vec::new();
        for (git_dir, root) in self.worktrees() {
            let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
            let has = head.trim_end() == format!("ref: {target}");
            if let Some(what) = busy(&git_dir, target, has) {
                let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Ok(Err(format!("{what} is in progress in `{name}`: finish or abort it")));
            }
            if !has {
                continue;
            }
            if !root.is_dir() {
                if git_dir.join("locked").exists() {
                    return Ok(Err(format!(
                        "a locked worktree that is not here has the branch: `{}`",
                        root.display()
                    )));
                }
                continue;
            }
            let repo = super::open_at(&git_dir).doing("open a worktree")?;
            let odb = objects.repo.odb().doing("open the store")?;
            repo.set_odb(&odb).doing("open the store")?;
            let index = Index::open(&git_dir.join("index")).doing("read your index")?;
            let config = repo.config().doing("read your configuration")?;
            found.push(Ground {
                folder: Folder::open(&root)?,
                trusts_mode: config.get_bool("core.filemode").unwrap_or(true),
                sparse: Sparse::of(&repo, &git_dir)?,
                git_dir,
                repo,
                index,
            });
        }
        Ok(Ok(found))
    }

    /// The same repository, seen from the worktree that has this branch checked out; where none has
    /// it, from where it was opened.
    pub fn at_branch(&self, target: &Target) -> Git {
        let has = |git_dir: &Path| {
            let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
            matches!(target, Target::Branch(it) if head.trim_end() == format!("ref: {it}"))
        };
        let mut git = self.clone();
        if !has(&self.place.git_dir) {
            let mut all = self.worktrees().into_iter();
            if let Some((git_dir, root)) = all.find(|(dir, root)| has(dir) && root.is_dir()) {
                git.place.git_dir = git_dir;
                git.place.root = root;
            }
        }
        git
    }

    /// The same repository, seen from one of its worktrees: the main one, or a linked one by git's name
    /// for it. Errors: `Git`; it is gone.
    pub fn in_worktree(&self, name: Option<&str>) -> Result<Git, Failure> {
        let common = &self.place.common_dir;
        let wanted = name.map_or_else(|| common.clone(), |it| common.join("worktrees").join(it));
        if self.place.git_dir == wanted {
            return Ok(self.clone());
        }
        let mut all = self.worktrees().into_iter();
        let Some((git_dir, root)) = all.find(|(dir, root)| *dir == wanted && root.is_dir()) else {
            let text = format!("find the worktree {}", name.unwrap_or("that is the main one"));
            return Err(Failure::new(Code::Git, text).hint("it was removed; delegate again"));
        };
        let mut git = self.clone();
        git.place.root = root.canonicalize().doing("open the worktree")?;
        git.place.git_dir = git_dir;
        Ok(git)
    }

    /// (git folder, root) of every worktree of the user's repository.
    fn worktrees(&self) -> Vec<(PathBuf, PathBuf)> {
        let common = &self.place.common_dir;
        let main = super::open_at(common).ok().and_then(|it| it.workdir().map(Path::to_path_buf));
        let mut found: Vec<_> = main.into_iter().map(|it| (common.clone(), it)).collect();
        let linked = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
        for git_dir in linked.map(|it| it.path()) {
            let Ok(text) = std::fs::read_to_string(git_dir.join("gitdir")) else {
                continue;
            };
            let dot_git = git_dir.join(text.trim_end());
            if let Some(root) = dot_git.parent() {
                found.push((git_dir.clone(), root.to_path_buf()));
            }
        }
        found.sort();
        found
    }

    /// How the change from one tree to another can come into the worktrees that have the branch.
    pub(super) fn survey(
        &self,
        objects: &Objects,
        grounds: &[Ground],
        wishes: &[Wish],
        unsaved: &[Buffer],
    ) -> Result<Survey, Failure> {
        let mut whole: Option<Survey> = None;
        for ground in grounds {
            let mut survey = Survey::default();
            let lens = Lens::new(self, &ground.repo, objects, &ground.git_dir.join("index"))?;
            for wish in wishes {
                match ground.stand(objects, &lens, wish, unsaved)? {
                    Standing::Ready(path) => survey.plan.push(path),
                    Standing::Merged(path) => {
                        survey.merges.push(path.path.clone());
                        survey.plan.push(path);
                    }
                    Standing::Blocked(why) => survey.blocked.push(why),
                }
            }
            if let Some(first) = &mut whole {
                if first.plan != survey.plan {
                    let text = "two worktrees have the branch and their files differ: \
                                switch one of them to another";
                    survey.blocked.push(text.into());
                }
                first.blocked.append(&mut survey.blocked);
            } else {
                whole = Some(survey);
            }
        }
        Ok(whole.unwrap_or_default())
    }
}

/// What of git's is in progress there and would be disturbed.
fn busy(git_dir: &Path, target: &str, has: bool) -> Option<&'static str> {
    let branch = target.strip_prefix("refs/heads/").unwrap_or(target);
    let is = |file: &str, text: &str| {
        std::fs::read_to_string(git_dir.join(file)).is_ok_and(|it| it.trim_end() == text)
    };
    let there = |file: &str| git_dir.join(file).exists();
    if is("rebase-merge/head-name", target) || is("rebase-apply/head-name", target) {
        return Some("a rebase");
    }
    if is("BISECT_START", branch) {
        return Some("a bisect");
    }
    if !has {
        return None;
    }
    let signs = [
        ("MERGE_HEAD", "a merge"),
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
        ("sequencer", "a cherry-pick"),
        ("BISECT_LOG", "a bisect"),
    ];
    signs.into_iter().find(|it| there(it.0)).map(|it| it.1)
}

impl Ground {
    pub(super) fn entry(&self, path: &[u8]) -> Option<IndexEntry> {
        self.index.get_path(as_path(path), 0)
    }

    /// Why the index has something else than the tip here.
    pub(super) fn why_staged(&self, path: &[u8], name: &str, tip: Option<Side>) -> Option<String> {
        if (1..=3).any(|stage| self.index.get_path(as_path(path), stage).is_some()) {
            return Some(format!("`{name}` has a conflict that is not resolved"));
        }
        let entry = self.entry(path);
        let same = match (&entry, tip) {
            (None, None) => true,
            (Some(entry), Some(tip)) => entry.id == tip.id && entry.mode == tip.mode,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            return Some(format!("`{name}` is staged: commit or unstage it"));
        }
        // Skipped and not here, or here although a sparse checkout leaves it out: nothing is hidden.
        let hides = |it: &IndexEntry| {
            let skipped = is_skipped(it) && self.sparse.is_none() && self.is_there(path);
            it.flags & FLAG_ASSUMED != 0 || skipped
        };
        let hidden = entry.as_ref().is_some_and(hides);
        hidden.then(|| format!("`{name}` is marked assume-unchanged or skip-worktree"))
    }

    pub(super) fn is_there(&self, path: &[u8]) -> bool {
        !matches!(self.folder.look(path), Ok(OnDisk::Absent))
    }

    /// Not here on purpose: only the index has it, or would have it.
    pub(super) fn is_outside(&self, wish: &Wish) -> bool {
        let outside = match (self.entry(&wish.path), &self.sparse) {
            (Some(entry), _) => is_skipped(&entry),
            (None, Some(sparse)) => !sparse.takes(&wish.path),
            (None, None) => false,
        };
        outside && !self.is_there(&wish.path)
    }

    fn stand(
        &self,
        objects: &Objects,
        lens: &Lens<'_>,
        wish: &Wish,
        unsaved: &[Buffer],
    ) -> Result<Standing, Failure> {
        let Ok(name) = std::str::from_utf8(&wish.path) else {
            let name = String::from_utf8_lossy(&wish.path);
            return Ok(Standing::Blocked(format!("the name of `{name}` is not UTF-8")));
        };
        if let Some(why) = self.why_staged(&wish.path, name, wish.from) {
            return Ok(Standing::Blocked(why));
        }
        if let Some(attribute) = lens.foreign(&wish.path) {
            return Ok(Standing::Blocked(format!("`{name}` is stored through {attribute}")));
        }
        if self.is_outside(wish) {
            return Ok(Standing::Ready(outside(name, wish)));
        }
        let disk = self.folder.look(&wish.path)?;
        if let Some(buffer) = unsaved.iter().find(|it| it.path == name) {
            let saved = matches!(&disk, OnDisk::File { bytes, .. } if *bytes == buffer.text);
            if !saved {
                return Ok(Standing::Blocked(format!("`{name}` has unsaved text: save it")));
            }
        }
        let (mode, bytes) = match (disk, wish.from) {
            (OnDisk::Other, _) => {
                return Ok(Standing::Blocked(format!(
                    "a folder or a link is in the way of `{name}`"
                )));
            }
            (OnDisk::File { .. }, None) => {
                return Ok(Standing::Blocked(format!("an untracked file is in the way: `{name}`")));
            }
            (OnDisk::Absent, _) => (0, None),
            (OnDisk::File { mode, bytes, .. }, Some(_)) => (mode, Some(bytes)),
        };
        self.compare(objects, lens, wish, name, (mode, bytes))
    }

    /// The plan for a path whose index entry is the tip's.
    fn compare(
        &self,
        objects: &Objects,
        lens: &Lens<'_>,
        wish: &Wish,
        name: &str,
        (mode, bytes): (u32, Option<Vec<u8>>),
    ) -> Result<Standing, Failure> {
        let on_disk = |side: Option<Side>| -> Result<Option<Vec<u8>>, Failure> {
            side.map(|it| lens.smudge_one(&wish.path, it.mode, it.id)).transpose()
        };
        let (tip, new) = (on_disk(wish.from)?, on_disk(wish.to)?);
        let tip_mode = wish.from.map_or(0, |it| it.mode);
        let new_mode = wish.to.map_or(0, |it| it.mode);
        let same_mode = mode == tip_mode
            || (!self.trusts_mode && mode != MODE_LINK && tip_mode != MODE_LINK && mode != 0);
        let same_text = match (&bytes, wish.from) {
            (Some(bytes), Some(side)) => {
                tip.as_deref() == Some(bytes) || lens.clean(&wish.path, bytes)? == side.id
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let before = match &bytes {
            Some(bytes) => Some(objects.put(ObjectType::Blob, bytes)?.to_string()),
            None => None,
        };
        let planned = |mode_to: u32, after: Option<Vec<u8>>| -> Result<PlannedPath, Failure> {
            let after = match after {
                Some(bytes) => Some(objects.put(ObjectType::Blob, &bytes)?.to_string()),
                None => None,
            };
            Ok(PlannedPath {
                path: name.to_string(),
                mode: mode_to,
                mode_before: mode,
                before: before.clone(),
                after,
                index: wish.to.map(|it| it.id.to_string()),
                buffer: false,
            })
        };
        if same_mode && same_text {
            // Where git does not trust the mode on disk, the mode on disk says nothing and stays.
            let stays = !self.trusts_mode && is_regular(mode) && is_regular(new_mode);
            return Ok(Standing::Ready(planned(if stays { mode } else { new_mode }, new)?));
        }
        let links = [mode, tip_mode, new_mode].contains(&MODE_LINK);
        let text = three_way(tip.as_deref(), bytes.as_deref(), new.as_deref(), links);
        match (text, merged_mode(tip_mode, mode, new_mode)) {
            (Some(after), Some(mode_to)) if after.is_some() == (mode_to != 0) => {
                Ok(Standing::Merged(planned(mode_to, after)?))
            }
            (Some(_) | None, Some(_) | None) => {
                Ok(Standing::Blocked(format!("your edit of `{name}` conflicts with the change")))
            }
        }
    }
}

/// The plan for a path that is outside of a sparse checkout: its index entry moves, no file does.
pub(super) fn outside(name: &str, wish: &Wish) -> PlannedPath {
    PlannedPath {
        path: name.to_string(),
        mode: 0,
        mode_before: 0,
        before: None,
        after: None,
        index: wish.to.map(|it| it.id.to_string()),
        buffer: false,
    }
}

fn is_regular(mode: u32) -> bool {
    mode == MODE_FILE || mode == MODE_EXEC
}

/// Three-way merge of file modes; 0 is no file.
pub(super) fn merged_mode(base: u32, yours: u32, theirs: u32) -> Option<u32> {
    if yours == base || yours == theirs {
        return Some(theirs);
    }
    let both = is_regular(yours) && is_regular(theirs);
    (theirs == base || both).then_some(yours)
}

/// Three-way merge of a file's bytes; `None` as a version is no file. The outer `None`: it conflicts.
#[expect(clippy::option_option, reason = "no merge, a merge to no file, a merge to a file")]
pub(super) fn three_way(
    base: Option<&[u8]>,
    yours: Option<&[u8]>,
    theirs: Option<&[u8]>,
    links: bool,
) -> Option<Option<Vec<u8>>> {
    let owned = |it: Option<&[u8]>| it.map(<[u8]>::to_vec);
    if yours == base || yours == theirs {
        return Some(owned(theirs));
    }
    if theirs == base {
        return Some(owned(yours));
    }
    let (yours, theirs) = (yours?, theirs?);
    let base = base.unwrap_or_default();
    if links || [base, yours, theirs].iter().any(|it| it.contains(&0)) {
        return None;
    }
    let input = |bytes| {
        let mut input = MergeFileInput::new();
        input.content(bytes);
        input
    };
    let merged = git2::merge_file(&input(base), &input(yours), &input(theirs), None).ok()?;
    merged.is_automergeable().then(|| Some(merged.content().to_vec()))
}
