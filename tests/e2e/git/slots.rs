//! Slots: moved by what differs, caches kept, nothing lost, and lost slots noticed.

use super::world::{TASK, TEXT, World, digest, fix_line_two};
use baton::git::{Git, Slot};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use team::{Code, CommitId, Role, RunId, TreeId};

fn head(world: &World) -> CommitId {
    CommitId(world.git(&["rev-parse", "HEAD"]))
}

fn slot_files(slot: &Slot) -> Vec<String> {
    digest(&slot.dir).into_keys().filter(|it| it != ".git").collect()
}

/// Inode and times: what build tools trust.
fn stamp(path: &Path) -> (u64, i64, i64, i64) {
    let meta = path.symlink_metadata().unwrap();
    (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime_nsec())
}

/// A slot that is clean equals what git would check out.
fn equals_checkout(world: &World, git: &Git, slot: &Slot, at: &CommitId) {
    assert_eq!(git.tree_of(slot).unwrap(), git.tree(at).unwrap());
    assert_eq!(git.head(slot).unwrap(), *at);
    assert_eq!(world.git_in(&slot.dir, &["status", "--porcelain"]), "");
    assert_eq!(world.git_in(&slot.dir, &["rev-parse", "HEAD"]), at.0);
    world.git_in(&slot.dir, &["fsck", "--strict"]);
}

#[test]
fn made_and_moved() {
    let world = World::new();
    world.write(".gitignore", "target/\n*.o\n");
    world.commit_all("ignore");
    let first = head(&world);
    world.write("a.txt", "changed\n");
    world.write("src/added.txt", "added\n");
    std::fs::remove_file(world.root.join("src/deep/c.txt")).unwrap();
    world.commit_all("second");
    let second = head(&world);
    let git = world.open();
    let slot = git.slot("engineer-1", &first).unwrap();
    equals_checkout(&world, &git, &slot, &first);
    let kept = stamp(&slot.dir.join("b.txt"));
    let moved = stamp(&slot.dir.join("a.txt"));
    // A build cache, and what a run leaves behind.
    std::fs::create_dir_all(slot.dir.join("target/debug")).unwrap();
    std::fs::write(slot.dir.join("target/debug/lib.o"), "cache").unwrap();
    std::fs::write(slot.dir.join("junk.txt"), "junk").unwrap();
    std::fs::write(slot.dir.join("a.txt"), "half an edit").unwrap();
    for resting in [false, true] {
        if resting {
            git.rest(&slot).unwrap();
        }
        let slot = git.slot("engineer-1", &second).unwrap();
        equals_checkout(&world, &git, &slot, &second);
        let files = [".gitignore", "a.txt", "b.txt", "src/added.txt", "target/debug/lib.o"];
        assert_eq!(slot_files(&slot), files);
        assert_eq!(stamp(&slot.dir.join("b.txt")), kept);
        assert_ne!(stamp(&slot.dir.join("a.txt")), moved);
        assert!(!slot.dir.join("src/deep").exists());
        git.rest(&slot).unwrap();
        git.slot("engineer-1", &first).unwrap();
        equals_checkout(&world, &git, &slot, &first);
        assert_eq!(stamp(&slot.dir.join("b.txt")), kept);
    }
    // What was left in the slot is on a ref.
    let left = world.store(&["for-each-ref", "refs/baton/left", "--format=%(refname)"]);
    assert_eq!(left, "refs/baton/left/engineer-1/1");
    assert_eq!(world.store(&["show", "refs/baton/left/engineer-1/1:junk.txt"]), "junk");
    assert_eq!(world.store(&["show", "refs/baton/left/engineer-1/1:a.txt"]), "half an edit");
    // The user's repository knows of no worktree but its own.
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn moved_to_where_it_is() {
    let world = World::new();
    let git = world.open();
    let slot = git.slot("tester-1", &head(&world)).unwrap();
    let before = stamp(&slot.dir.join("a.txt"));
    git.rest(&slot).unwrap();
    git.slot("tester-1", &head(&world)).unwrap();
    assert_eq!(stamp(&slot.dir.join("a.txt")), before);
    assert_eq!(world.store(&["for-each-ref", "refs/baton/left"]), "");
}

#[test]
fn saved_restored_committed() {
    let world = World::new();
    let git = world.open();
    let start = head(&world);
    let slot = git.slot("engineer-1", &start).unwrap();
    let clean = git.save(&slot, RunId(4)).unwrap();
    assert_eq!(clean, git.tree(&start).unwrap());
    fix_line_two(&slot.dir.join("a.txt"));
    std::fs::write(slot.dir.join("new.rs"), "fn new() {}\n").unwrap();
    let first = git.save(&slot, RunId(4)).unwrap();
    assert_eq!(git.save(&slot, RunId(4)).unwrap(), first);
    std::fs::remove_file(slot.dir.join("b.txt")).unwrap();
    let second = git.save(&slot, RunId(4)).unwrap();
    assert_ne!(first, second);
    let trees = world.store(&["log", "--format=%T", "refs/baton/runs/R4"]);
    let tree = git.tree(&start).unwrap();
    assert_eq!(trees.lines().collect::<Vec<_>>(), [&second.0, &first.0, &clean.0, &tree.0]);
    git.restore(&slot, &first).unwrap();
    assert_eq!(git.tree_of(&slot).unwrap(), first);
    assert!(slot.dir.join("b.txt").exists());
    assert_eq!(git.head(&slot).unwrap(), start);
    let commit = git.commit(&slot, RunId(4), Role::Engineer, "fix it").unwrap();
    assert_eq!(git.tree(&commit).unwrap(), first);
    assert_eq!(git.head(&slot).unwrap(), commit);
    assert_eq!(git.commit(&slot, RunId(4), Role::Engineer, "again").unwrap(), commit);
    let who = world.store(&["log", "-1", "--format=%an|%s|%P", "refs/baton/heads/R4"]);
    assert_eq!(who, format!("Baton Engineer|fix it|{start}"));
    assert_eq!(git.read(&commit, "new.rs").unwrap().unwrap(), b"fn new() {}\n");
    assert_eq!(git.read(&commit, "none.rs").unwrap(), None);
    let patch = git.patch(&start, &commit).unwrap();
    assert!(patch.contains("-two\n+TWO\n") && patch.contains("new file mode 100644"), "{patch}");
    std::fs::write(slot.dir.join("later.txt"), "untracked\n").unwrap();
    let patch = git.slot_patch(&slot, &commit).unwrap();
    assert!(patch.contains("+untracked") && !patch.contains("TWO"), "{patch}");
}

/// An edit in the same tick and of the same size as what was written last.
#[test]
fn racy_edits_are_saved() {
    let world = World::new();
    let git = world.open();
    let slot = git.slot("engineer-1", &head(&world)).unwrap();
    let mut last = TreeId(String::new());
    for n in 0..30 {
        std::fs::write(slot.dir.join("a.txt"), format!("{n:06}\n")).unwrap();
        let tree = git.save(&slot, RunId(1)).unwrap();
        assert_ne!(tree, last);
        last = tree;
    }
}

#[test]
fn lost_slots_are_noticed_and_made_again() {
    type Act = fn(&Slot);
    let acts: [Act; 6] = [
        |slot| std::fs::remove_dir_all(&slot.dir).unwrap(),
        |slot| std::fs::rename(&slot.dir, slot.dir.with_extension("moved")).unwrap(),
        |slot| std::fs::remove_file(slot.dir.join(".git")).unwrap(),
        |slot| std::fs::write(slot.dir.join(".git"), "gitdir: /tmp/elsewhere\n").unwrap(),
        |slot| {
            let real = slot.dir.join(".git-real");
            std::fs::rename(slot.dir.join(".git"), &real).unwrap();
            std::os::unix::fs::symlink(&real, slot.dir.join(".git")).unwrap();
        },
        |slot| {
            let away = slot.dir.with_extension("away");
            std::fs::rename(&slot.dir, &away).unwrap();
            std::os::unix::fs::symlink(&away, &slot.dir).unwrap();
        },
    ];
    for act in acts {
        let world = World::new();
        let git = world.open();
        let start = head(&world);
        let slot = git.slot("engineer-1", &start).unwrap();
        git.check_slot(&slot).unwrap();
        let before = world.digest();
        act(&slot);
        for failed in [
            git.check_slot(&slot).unwrap_err(),
            git.save(&slot, RunId(1)).unwrap_err(),
            git.commit(&slot, RunId(1), Role::Engineer, "x").unwrap_err(),
            git.restore(&slot, &git.tree(&start).unwrap()).unwrap_err(),
        ] {
            assert_eq!(failed.code, Code::WorktreeLost);
        }
        super::world::same(&before, &world.digest());
        let slot = git.slot("engineer-1", &start).unwrap();
        equals_checkout(&world, &git, &slot, &start);
    }
}

#[test]
fn a_nested_repository_is_set_aside() {
    let world = World::new();
    let git = world.open();
    let start = head(&world);
    let slot = git.slot("engineer-1", &start).unwrap();
    std::fs::create_dir(slot.dir.join("nested")).unwrap();
    std::fs::write(slot.dir.join("nested/precious.txt"), "precious").unwrap();
    world.git_in(&slot.dir.join("nested"), &["init", "-q"]);
    git.slot("engineer-1", &start).unwrap();
    equals_checkout(&world, &git, &slot, &start);
    assert!(!slot.dir.join("nested").exists());
    let left = world.state.join("left/engineer-1-0/precious.txt");
    assert_eq!(std::fs::read_to_string(left).unwrap(), "precious");
}

#[test]
fn symlinks_in_a_slot_are_not_followed() {
    let world = World::new();
    let outside = world.base_dir().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("c.txt"), "private").unwrap();
    let git = world.open();
    let start = head(&world);
    let slot = git.slot("engineer-1", &start).unwrap();
    std::fs::remove_dir_all(slot.dir.join("src/deep")).unwrap();
    std::os::unix::fs::symlink(&outside, slot.dir.join("src/deep")).unwrap();
    std::fs::remove_file(slot.dir.join("a.txt")).unwrap();
    std::os::unix::fs::symlink(outside.join("c.txt"), slot.dir.join("a.txt")).unwrap();
    let tree = git.save(&slot, RunId(1)).unwrap();
    let names = world.store(&["ls-tree", "-r", &tree.0]);
    assert!(!names.contains("src/deep/c.txt"), "{names}");
    assert_eq!(names.matches("120000").count(), 2, "{names}");
    assert!(!world.store(&["show", &format!("{}:a.txt", tree.0)]).contains("private"));
    // Moved back: the links go, what they point at stays.
    git.slot("engineer-1", &start).unwrap();
    equals_checkout(&world, &git, &slot, &start);
    assert_eq!(std::fs::read_to_string(outside.join("c.txt")).unwrap(), "private");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(slot.dir.join("src/deep/c.txt")).unwrap(), TEXT);
}

#[test]
fn pipes_in_a_slot_do_not_hang() {
    let world = World::new();
    let git = world.open();
    let start = head(&world);
    let slot = git.slot("engineer-1", &start).unwrap();
    std::fs::remove_file(slot.dir.join("a.txt")).unwrap();
    for name in ["a.txt", "pipe"] {
        let made = std::process::Command::new("mkfifo").arg(slot.dir.join(name)).status().unwrap();
        assert!(made.success());
    }
    let tree = git.save(&slot, RunId(1)).unwrap();
    let names = world.store(&["ls-tree", "-r", "--name-only", &tree.0]);
    assert_eq!(names, "b.txt\nsrc/deep/c.txt");
    git.slot("engineer-1", &start).unwrap();
    assert_eq!(std::fs::read_to_string(slot.dir.join("a.txt")).unwrap(), TEXT);
}

/// Files and folders that change places, also with ignored content inside.
#[test]
fn files_and_folders_swap() {
    let world = World::new();
    world.write(".gitignore", "*.o\n");
    world.commit_all("ignore");
    let folders = head(&world);
    std::fs::remove_dir_all(world.root.join("src")).unwrap();
    world.write("src", "a file\n");
    std::fs::remove_file(world.root.join("b.txt")).unwrap();
    world.write("b.txt/x", "a folder\n");
    world.commit_all("swapped");
    let files = head(&world);
    let git = world.open();
    let slot = git.slot("engineer-1", &folders).unwrap();
    std::fs::write(slot.dir.join("src/deep/cache.o"), "cache").unwrap();
    for at in [&files, &folders, &files] {
        git.slot("engineer-1", at).unwrap();
        equals_checkout(&world, &git, &slot, at);
    }
    let left = world.state.join("left/engineer-1-0/deep/cache.o");
    assert_eq!(std::fs::read_to_string(left).unwrap(), "cache");
}

/// What an ignore rule hid comes to light when the rule goes: it is saved, not taken for the next
/// agent's work.
#[test]
fn uncovered_files_are_saved() {
    let world = World::new();
    let plain = head(&world);
    world.write(".gitignore", "*.tmp\n");
    world.commit_all("ignore");
    let ignoring = head(&world);
    let git = world.open();
    let slot = git.slot("engineer-1", &ignoring).unwrap();
    std::fs::write(slot.dir.join("x.tmp"), "hidden").unwrap();
    git.slot("engineer-1", &plain).unwrap();
    equals_checkout(&world, &git, &slot, &plain);
    assert_eq!(world.store(&["show", "refs/baton/left/engineer-1/1:x.tmp"]), "hidden");
}

#[test]
fn the_users_own_ignore_rules_hold_in_slots() {
    let world = World::new();
    std::fs::write(world.root.join(".git/info/exclude"), "*.cache\n").unwrap();
    let git = world.open();
    let start = head(&world);
    let slot = git.slot("engineer-1", &start).unwrap();
    std::fs::write(slot.dir.join("x.cache"), "cache").unwrap();
    assert_eq!(git.save(&slot, RunId(1)).unwrap(), git.tree(&start).unwrap());
}

#[test]
fn names_like_gits_own_cannot_be_saved() {
    let world = World::new();
    let git = world.open();
    let slot = git.slot("engineer-1", &head(&world)).unwrap();
    std::fs::create_dir(slot.dir.join("GIT~1")).unwrap();
    std::fs::write(slot.dir.join("GIT~1/config"), "[core]\n").unwrap();
    let failed = git.save(&slot, RunId(1)).unwrap_err();
    assert!(failed.text.contains("GIT~1/config"), "{failed}");
    // The next task gets a clean slot; what could not be saved is set aside.
    let again = git.slot("engineer-1", &head(&world)).unwrap();
    assert!(!again.dir.join("GIT~1").exists());
    assert!(world.state.join("left/engineer-1-0/GIT~1/config").is_file());
}

#[test]
fn base_objects_outlive_the_users_history() {
    let world = World::new();
    world.write("b.txt", "only in the base\n");
    world.commit_all("base");
    let told = world.delegate_fix(&[]);
    world.git(&["reset", "-q", "--hard", "HEAD^"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(world.git(&["for-each-ref", "refs/baton/keep"]).lines().count(), 1);
    world.store(&["rev-list", "--objects", &told.head.0]);
    assert_eq!(TASK.to_string(), "T17");
    let slot = told.git.slot("tester-1", &told.head).unwrap();
    let text = std::fs::read_to_string(slot.dir.join("b.txt")).unwrap();
    assert_eq!(text, "only in the base\n");
}

#[test]
fn stale_locks_of_a_kill_do_not_stop_a_slot() {
    let world = World::new();
    let git = world.open();
    let slot = git.slot("engineer-1", &head(&world)).unwrap();
    std::fs::write(git.store_dir().join("worktrees/engineer-1/index.lock"), "").unwrap();
    fix_line_two(&slot.dir.join("a.txt"));
    git.save(&slot, RunId(1)).unwrap();
    std::fs::write(git.store_dir().join("refs/baton/runs/R1.lock"), "").unwrap();
    std::fs::write(slot.dir.join("a.txt"), "more\n").unwrap();
    git.save(&slot, RunId(1)).unwrap();
}

#[test]
fn attributes_that_arrive_with_the_files_they_are_about() {
    let world = World::new();
    let git = world.open();
    let slot = git.slot("engineer-1", &head(&world)).unwrap();
    std::fs::write(slot.dir.join(".gitattributes"), "*.txt text eol=crlf\n").unwrap();
    std::fs::write(slot.dir.join("new.txt"), "one\r\ntwo\r\n").unwrap();
    let commit = git.commit(&slot, RunId(1), Role::Engineer, "crlf").unwrap();
    assert_eq!(git.read(&commit, "new.txt").unwrap().unwrap(), b"one\ntwo\n");
    let other = git.slot("tester-1", &commit).unwrap();
    let text = std::fs::read(other.dir.join("new.txt")).unwrap();
    assert_eq!(text, b"one\r\ntwo\r\n");
    assert_eq!(git.tree_of(&other).unwrap(), git.tree(&commit).unwrap());
}

#[test]
fn what_a_check_makes_is_taken_out_again() {
    let world = World::new();
    world.write(".gitignore", "*.o\n");
    world.commit_all("ignore");
    let (git, at, run) = (world.open(), head(&world), RunId(3));
    let slot = git.slot("engineer-1", &at).unwrap();
    std::fs::write(slot.dir.join("mine.txt"), "mine").unwrap();
    let before = git.tree_of(&slot).unwrap();
    std::fs::create_dir_all(slot.dir.join("coverage/deep")).unwrap();
    for it in ["coverage/deep/a.json", "Cargo.lock", "x.o"] {
        std::fs::write(slot.dir.join(it), "made").unwrap();
    }
    std::fs::write(slot.dir.join("a.txt"), "formatted").unwrap();
    std::fs::remove_file(slot.dir.join("b.txt")).unwrap();
    assert_eq!(git.set_made_aside(&slot, run).unwrap(), ["Cargo.lock", "coverage/deep/a.json"]);
    let files = [".gitignore", "a.txt", "mine.txt", "src/deep/c.txt", "x.o"];
    assert_eq!(slot_files(&slot), files);
    assert_eq!(std::fs::read_to_string(slot.dir.join("a.txt")).unwrap(), "formatted");
    assert!(!slot.dir.join("coverage").exists());
    assert_ne!(git.tree_of(&slot).unwrap(), before);
    // Nothing is lost: the run's ref has them.
    let kept = world.store(&["show", "refs/baton/runs/R3:coverage/deep/a.json"]);
    assert_eq!(kept, "made");
    // What came before the last look is not what was made.
    assert!(git.set_made_aside(&slot, run).unwrap().is_empty());
    std::fs::write(slot.dir.join("gen.txt"), "made").unwrap();
    assert_eq!(git.made(&slot).unwrap(), ["gen.txt"]);
    assert!(slot.dir.join("gen.txt").exists());
    assert!(git.made(&slot).unwrap().is_empty());
    let tree = git.save(&slot, run).unwrap();
    assert!(world.store(&["ls-tree", "--name-only", &tree.0]).contains("gen.txt"));
}
