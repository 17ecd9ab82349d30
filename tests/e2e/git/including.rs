//! Ignored files copied into slots for commands: never in a tree, whatever an agent does to the ignore
//! rules.

use super::judge::judge;
use super::world::{TASK, World};
use std::os::unix::fs::symlink;
use team::{CommitId, Role, RunId, StartFrom};

fn world() -> World {
    let world = World::new();
    world.write(".gitignore", "*.local\nsecrets/\nbig/\n");
    world.commit_all("ignore");
    world.write("app.local", "key = 1\n");
    world.write("deep/er/x.local", "key = 2\n");
    world.write("secrets/token", "t\n");
    world.write("other.local", "not asked for\n");
    symlink("/etc/passwd", world.root.join("link.local")).unwrap();
    world
}

const PATTERNS: &str = "# for the tests\n/app.local\n**/x.local\nsecrets/\nlink.local\na.txt\n";

#[test]
fn copied_and_in_no_tree() {
    let world = world();
    let before = judge(&world);
    let git = world.open();
    let base = git.snapshot(TASK, "x", &[], StartFrom::Seen, false).unwrap();
    let slot = git.slot("e1", &base.seen).unwrap();
    let copied = git.include(&slot, PATTERNS).unwrap();
    assert_eq!(copied, ["app.local", "deep/er/x.local", "link.local", "secrets/token"]);
    let read = |path: &str| std::fs::read_to_string(slot.dir.join(path)).ok();
    assert_eq!(read("secrets/token").unwrap(), "t\n");
    assert_eq!(read("other.local"), None);
    assert!(slot.dir.join("link.local").symlink_metadata().is_err(), "a link is not copied");
    assert_eq!(git.tree_of(&slot).unwrap(), base.seen_tree);
    // An agent that makes git see them does not make them part of a change.
    std::fs::write(slot.dir.join(".gitignore"), "nothing\n").unwrap();
    std::fs::write(slot.dir.join("app.local"), "key = changed\n").unwrap();
    git.save(&slot, RunId(1)).unwrap();
    let head = git.commit(&slot, RunId(1), Role::Engineer, "open it").unwrap();
    let names = world.store(&["diff", "--name-only", &base.seen.0, &head.0]);
    assert_eq!(names, ".gitignore");
    assert!(!git.slot_patch(&slot, &base.seen).unwrap().contains("key ="));
    let told = super::world::Told { git: git.clone(), base, slot: slot.clone(), head };
    assert_eq!(told.candidate().files.len(), 1);
    // Moved, rested, left: still in no tree, and there again as the user has them.
    git.rest(&slot).unwrap();
    let at = CommitId(world.git(&["rev-parse", "HEAD"]));
    let slot = git.slot("e1", &at).unwrap();
    assert_eq!(git.tree_of(&slot).unwrap(), git.tree(&at).unwrap());
    git.include(&slot, PATTERNS).unwrap();
    let text = std::fs::read_to_string(slot.dir.join("app.local")).unwrap();
    assert_eq!(text, "key = 1\n");
    let all = world.store(&["rev-list", "--objects", "--all"]);
    assert!(!all.contains(".local") && !all.contains("token"), "{all}");
    assert_eq!(judge(&world), before);
}

#[test]
fn what_matches_no_more_is_taken_out() {
    let world = world();
    let git = world.open();
    let at = CommitId(world.git(&["rev-parse", "HEAD"]));
    let slot = git.slot("e1", &at).unwrap();
    git.include(&slot, PATTERNS).unwrap();
    assert_eq!(git.include(&slot, "app.local\n").unwrap(), ["app.local"]);
    assert!(!slot.dir.join("secrets").exists());
    assert_eq!(git.include(&slot, "").unwrap(), Vec::<String>::new());
    assert!(!slot.dir.join("app.local").exists());
    assert!(slot.dir.join("a.txt").exists());
}

#[test]
fn too_much_is_refused_by_name() {
    let world = world();
    for n in 0..600 {
        world.write(&format!("big/{n}"), "x");
    }
    let git = world.open();
    let at = CommitId(world.git(&["rev-parse", "HEAD"]));
    let slot = git.slot("e1", &at).unwrap();
    let failure = git.include(&slot, "big/\n").unwrap_err();
    assert!(failure.text.contains("more than 500 files"), "{failure}");
    assert!(failure.hint.contains("not folders of dependencies"), "{failure}");
    let failure = git.include(&slot, "a{b\n[z-\n").unwrap_err();
    assert!(failure.text.contains(".worktreeinclude"), "{failure}");
}
