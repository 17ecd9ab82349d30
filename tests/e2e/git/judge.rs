//! A whole task in a repository of any kind, with the real git as the judge of each step: delegated,
//! landed, undone, and nothing else of the user's moved.

use super::snapshots::git_tree;
use super::world::{Digest, TASK, Told, World, digest, same};
use baton::git::Undo;
use std::path::Path;
use team::{Role, RunId, StartFrom};

/// What git says of the user's side, and the bytes that it does not keep itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub refs: String,
    /// Mode, blob and flags of every entry.
    pub index: Vec<String>,
    pub status: String,
    pub files: Digest,
    pub config: Digest,
}

pub fn judge(world: &World) -> Verdict {
    let status = ["status", "--porcelain=v2", "--branch", "--untracked-files=all", "--ignored"];
    let refs = world.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
    let entries = world.git(&["ls-files", "-z", "--stage", "-v"]);
    let mut files = digest(&world.root);
    files.retain(|path, _| path != ".git" && !path.starts_with(".git/"));
    let mut config = digest(&world.git_dir());
    config.retain(|path, _| {
        path.starts_with("config") || path.starts_with("info/") || path.starts_with("hooks/")
    });
    Verdict {
        refs: refs.lines().filter(|it| !it.starts_with("refs/baton/keep/")).collect(),
        index: entries.split('\0').map(str::to_string).collect(),
        status: world.git(&status),
        files,
        config,
    }
}

/// The first "two" becomes "TWO", whatever ends the lines.
pub fn fix(path: &Path) {
    let text = std::fs::read(path).unwrap();
    std::fs::write(path, fixed(&text)).unwrap();
}

pub fn fixed(text: &[u8]) -> Vec<u8> {
    let at = text.windows(3).position(|it| it == b"two").unwrap();
    [&text[..at], b"TWO", &text[at + 3..]].concat()
}

/// Delegates a fix of this file; nothing of the user's moves, byte for byte.
pub fn delegated(world: &World, path: &str) -> Told {
    let git = world.open();
    let before = world.digest();
    let base = git.snapshot(TASK, "Fix it!", &[], StartFrom::Seen, false).unwrap();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    assert_eq!(git.tree_of(&slot).unwrap(), base.seen_tree, "the slot holds what was seen");
    fix(&slot.dir.join(path));
    git.save(&slot, RunId(4)).unwrap();
    let head = git.commit(&slot, RunId(4), Role::Engineer, "fix").unwrap();
    let facts = git.facts(&base, &head, &[]).unwrap();
    assert!(facts.descends, "{facts:?}");
    assert_eq!(facts.protected, Vec::<String>::new());
    assert_eq!(facts.files.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [path]);
    git.slot_patch(&slot, &base.seen).unwrap();
    same(&before, &world.digest());
    Told { git, base, slot, head }
}

/// Delegated, landed and undone; the file is as committed when it starts.
pub fn whole(world: &World, path: &str) {
    world.status();
    let tree = git_tree(world);
    let before = judge(world);
    let told = delegated(world, path);
    assert_eq!(told.base.seen_tree.0, tree, "S is what git would have committed");
    let (candidate, plan) = told.land(&[]);
    let after = judge(world);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), candidate.commit.0);
    assert_eq!(world.git(&["rev-parse", "HEAD^@"]), candidate.tip.0);
    let shown = world.git(&["-c", "core.quotePath=false", "show", "--format=", "--numstat", "-z"]);
    assert_eq!(shown.trim_end_matches('\0'), format!("1\t1\t{path}"));
    let mut files = before.files.clone();
    if let Some(file) = files.get_mut(path) {
        file.1 = fixed(&file.1);
    }
    same(&files, &after.files);
    let moved = |it: &&String| !before.index.contains(it);
    let entries: Vec<&String> = after.index.iter().filter(moved).collect();
    assert_eq!(before.index.len(), after.index.len());
    assert!(matches!(entries[..], [it] if it.ends_with(&format!("\t{path}"))), "{entries:?}");
    let dirt = |it: &str| -> Vec<String> {
        it.lines().filter(|it| !it.starts_with("# branch")).map(str::to_string).collect()
    };
    assert_eq!(dirt(&after.status), dirt(&before.status), "no more and no less differs");
    assert_eq!(after.config, before.config);
    world.git(&["fsck", "--connectivity-only"]);
    let undone = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undone, Undo::Back);
    assert_eq!(judge(world), before, "everything is back");
}
