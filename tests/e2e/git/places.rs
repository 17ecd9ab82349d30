//! Finding the repository, and refusing by name what Baton cannot work in.

use super::world::World;
use baton::git::{Git, find};
use std::path::Path;
use team::{Code, Failure};

fn refused(path: &Path) -> Failure {
    let failed = find(path).unwrap_err();
    assert_eq!(failed.code, Code::Git);
    assert!(!failed.hint.is_empty(), "{failed}");
    failed
}

#[test]
fn the_same_repository_from_everywhere() {
    let world = World::new();
    let place = find(&world.root).unwrap();
    assert_eq!(place.root, world.root);
    assert_eq!(place.git_dir, world.root.join(".git"));
    assert_eq!(place.common_dir, place.git_dir);
    assert_eq!(place.name, "work");
    assert_eq!(find(&world.root.join("src/deep")).unwrap(), place);
    assert_eq!(find(&world.root.join("a.txt")).unwrap(), place);
    let link = world.base_dir().join("link");
    std::os::unix::fs::symlink(world.root.join("src"), &link).unwrap();
    assert_eq!(find(&link).unwrap(), place);
    let linked = world.base_dir().canonicalize().unwrap().join("linked");
    world.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    let other = find(&linked).unwrap();
    assert_eq!(other.common_dir, place.common_dir);
    assert_eq!(other.name, place.name);
    assert_eq!(other.root, linked);
}

#[test]
fn a_git_folder_of_another_place() {
    let victim = World::new();
    let world = World::new();
    world.git(&["config", "core.worktree", victim.root.to_str().unwrap()]);
    assert!(refused(&world.root).text.contains("belongs to another place"));
    let world = World::new();
    let common = victim.root.join(".git");
    std::fs::write(world.root.join(".git/commondir"), common.to_str().unwrap()).unwrap();
    assert!(refused(&world.root).text.contains("belongs to another place"));
    let world = World::new();
    std::fs::rename(world.root.join(".git"), world.base_dir().join("away")).unwrap();
    let pointer = format!("gitdir: {}\n", common.display());
    std::fs::write(world.root.join(".git"), pointer).unwrap();
    assert!(refused(&world.root).text.contains("belongs to another place"));
}

#[test]
fn alternates_of_the_users_own() {
    let world = World::new();
    let borrower = world.base_dir().canonicalize().unwrap().join("borrower");
    world.git(&["clone", "-q", "--shared", ".", borrower.to_str().unwrap()]);
    let state = world.base_dir().join("state-2");
    let git = Git::open(&find(&borrower).unwrap(), &state).unwrap();
    let dirs = git.objects_dirs();
    assert_eq!(dirs.len(), 3);
    assert_eq!(dirs[0], git.store_dir().join("objects"));
    assert_eq!(dirs[1], borrower.join(".git/objects"));
    assert_eq!(dirs[2], world.root.join(".git/objects"));
    let head = team::CommitId(world.git(&["rev-parse", "HEAD"]));
    let slot = git.slot("engineer-1", &head).unwrap();
    assert!(slot.dir.join("src/deep/c.txt").is_file());
}

#[test]
fn notes_say_what_will_not_run() {
    let world = World::new();
    assert_eq!(world.open().notes(), Vec::<String>::new());
    let hook = world.root.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\n").unwrap();
    let exec = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, exec).unwrap();
    world.git(&["config", "commit.gpgsign", "true"]);
    let notes = world.open().notes();
    assert_eq!(notes[0], "your git hooks will not run: pre-commit");
    assert!(notes[1].contains("will not be signed"));
}
