//! A repository whose configuration, hooks and attributes would run programs under git. Under Baton
//! none runs, whatever is asked of the module.

use super::world::{TASK, TEXT, World, fix_line_two};
use baton::git::{Git, Undo};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use team::{Role, RunId, StartFrom};

/// Every program that git knows how to run, as one that leaves a canary.
fn arm(world: &World) {
    let canary = world.base_dir().join("canary");
    let program = world.base_dir().join("program");
    let text = format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", canary.display());
    std::fs::write(&program, &text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let hooks = world.root.join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "pre-merge-commit",
        "post-merge",
        "post-rewrite",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
        "pre-auto-gc",
        "pre-rebase",
        "update",
    ] {
        std::fs::copy(&program, hooks.join(hook)).unwrap();
    }
    let path = program.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.editor",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil2.process",
        "merge.evil.driver",
        "gpg.program",
        "credential.helper",
        "sequence.editor",
        "core.gitProxy",
        "uploadpack.packObjectsHook",
        "alias.status",
    ] {
        world.git(&["config", key, path]);
    }
    world.git(&["config", "commit.gpgsign", "true"]);
    std::fs::write(world.root.join(".git/info/attributes"), "* diff=evil merge=evil\n").unwrap();
}

fn fired(world: &World) -> Option<String> {
    std::fs::read_to_string(world.base_dir().join("canary")).ok()
}

/// All that the module does with a repository.
fn whole_task(world: &World, git: &Git) {
    let base = git.snapshot(TASK, "x", &[], StartFrom::Seen, false).unwrap();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    fix_line_two(&slot.dir.join("a.txt"));
    hostile_slot(world, &slot.dir);
    git.save(&slot, RunId(4)).unwrap();
    git.slot_patch(&slot, &base.seen).unwrap();
    std::fs::remove_file(slot.dir.join(".gitattributes")).unwrap();
    std::fs::remove_file(slot.dir.join(".gitmodules")).unwrap();
    let head = git.commit(&slot, RunId(4), Role::Engineer, "fix").unwrap();
    git.facts(&base, &head, &[]).unwrap();
    git.files(&base.seen, &head).unwrap();
    let told = super::world::Told { git: git.clone(), base, slot, head };
    let (candidate, plan) = told.land(&["a.txt"]);
    let undo = git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undo, Undo::Back);
    git.rest(&told.slot).unwrap();
    git.slot("engineer-1", &told.base.base).unwrap();
}

/// What an agent could put into its slot.
fn hostile_slot(world: &World, slot: &Path) {
    let program = world.base_dir().join("program");
    std::fs::write(slot.join(".gitattributes"), "*.txt filter=evil diff=evil merge=evil\n")
        .unwrap();
    let modules = format!(
        "[submodule \"x\"]\n\tpath = sub\n\turl = ext::{0}\n\tupdate = !{0}\n",
        program.display()
    );
    std::fs::write(slot.join(".gitmodules"), modules).unwrap();
    std::fs::write(slot.join(".gitconfig"), "[core]\n\tfsmonitor = x\n").unwrap();
}

#[test]
fn no_canary_fires() {
    let world = World::new();
    arm(&world);
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    let git = world.open();
    whole_task(&world, &git);
    assert_eq!(fired(&world), None);
    // The canaries do work: git itself sets them off.
    let _ = world.command(&world.root, &["add", "a.txt"]).output().unwrap();
    assert!(fired(&world).is_some());
}

#[test]
fn a_filter_in_the_users_attributes_does_not_run() {
    let world = World::new();
    let program = world.base_dir().join("program");
    arm(&world);
    for key in ["filter.evil.clean", "filter.evil.smudge"] {
        world.git(&["config", key, program.to_str().unwrap()]);
    }
    std::fs::write(world.root.join(".git/info/attributes"), "*.txt filter=evil\n").unwrap();
    std::fs::remove_file(world.base_dir().join("canary")).ok();
    let git = world.open();
    let base = git.snapshot(TASK, "x", &[], StartFrom::Seen, false).unwrap();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    assert_eq!(std::fs::read_to_string(slot.dir.join("a.txt")).unwrap(), TEXT);
    fix_line_two(&slot.dir.join("a.txt"));
    let head = git.commit(&slot, RunId(4), Role::Engineer, "fix").unwrap();
    let facts = git.facts(&base, &head, &[]).unwrap();
    assert_eq!(facts.protected, ["a.txt (stored through a filter)"]);
    world.write("a.txt", "changed\n");
    let again = git.snapshot(TASK, "x", &[], StartFrom::Seen, false).unwrap();
    assert_eq!(again.seen_tree, git.tree(&base.base).unwrap());
    assert!(again.left_out[0].starts_with("a.txt: stored through filter=evil"), "{again:?}");
    assert_eq!(fired(&world), None);
}

#[test]
fn nothing_private_gets_into_the_store() {
    let world = World::new();
    arm(&world);
    world.git(&["config", "remote.origin.url", "https://user:token@example.com/x"]);
    let git = world.open();
    let config = std::fs::read_to_string(git.store_dir().join("config")).unwrap();
    for word in ["token", "program", "fsmonitor", "hooks", "gpg", "filter"] {
        assert!(!config.contains(word), "{config}");
    }
    assert!(!git.store_dir().join("hooks").exists());
}

#[test]
fn a_pipe_for_an_ignore_file_does_not_hang() {
    let world = World::new();
    let git = world.open();
    let base = git.snapshot(TASK, "x", &[], StartFrom::Seen, false).unwrap();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    for name in [".gitignore", ".gitattributes"] {
        let made = std::process::Command::new("mkfifo").arg(slot.dir.join(name)).status().unwrap();
        assert!(made.success());
    }
    fix_line_two(&slot.dir.join("a.txt"));
    let (sent, got) = std::sync::mpsc::channel();
    let again = git.clone();
    let seen = base.seen.clone();
    std::thread::spawn(move || {
        let saved = again.save(&slot, RunId(4));
        sent.send((saved, again.slot("engineer-1", &seen)))
    });
    let limit = std::time::Duration::from_secs(60);
    let (saved, slot) = got.recv_timeout(limit).expect("it hangs");
    assert_eq!(
        saved.unwrap_err().text,
        "look at the files: `.gitattributes` is a pipe or a device"
    );
    // The next task gets a clean slot; the agent's text is set aside.
    assert!(!slot.unwrap().dir.join(".gitignore").exists());
    let left = std::fs::read_to_string(world.state.join("left/engineer-1-0/a.txt")).unwrap();
    assert_eq!(left, TEXT.replace("two", "TWO"));
}
