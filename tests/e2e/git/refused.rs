//! What Baton cannot work in is refused by name and with the next step, by the real program, and no
//! byte of it changes.

use super::world::{World, digest, same};
use std::path::Path;
use std::process::Stdio;

/// The program refuses to run a task here: these words, this next step, nothing changed.
fn refuses(world: &World, dir: &Path, why: &str, hint: &str) {
    let before = digest(dir);
    let state = world.beside("state-refused");
    for args in [&["run", "--yes", "fix it"][..], &["resume"], &["board"]] {
        let mut command = world.command(dir, &[]);
        let mut baton = std::process::Command::new(env!("CARGO_BIN_EXE_baton"));
        baton.args(args).current_dir(dir).env_clear().stdin(Stdio::null());
        baton.envs(
            command
                .env("BATON_STATE_DIR", &state)
                .get_envs()
                .filter_map(|(key, value)| value.map(|value| (key, value))),
        );
        let output = baton.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{args:?} ran in {}", dir.display());
        assert!(said.contains(why), "{args:?}: no {why:?} in {said}");
        assert!(said.contains(hint), "{args:?}: no {hint:?} in {said}");
    }
    same(&before, &digest(dir));
    assert!(!state.exists(), "a state folder was made");
}

#[test]
fn no_repository_bare_and_no_commit_yet() {
    let world = World::new();
    let elsewhere = world.beside("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    refuses(&world, &elsewhere, "no git repository", "git init");
    let bare = world.beside("bare.git");
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    refuses(&world, &bare, "is a bare repository", "git worktree add");
    refuses(&world, &world.root.join(".git/refs"), "git folder", "go to a worktree");
    world.git(&["config", "core.bare", "true"]);
    refuses(&world, &world.root, "is a bare repository", "git worktree add");
    let empty = World::empty();
    refuses(&empty, &empty.root, "this repository has no commit yet", "git commit --allow-empty");
    let orphan = World::new();
    orphan.git(&["checkout", "-q", "--orphan", "new"]);
    refuses(&orphan, &orphan.root, "no commit yet", "git commit");
}

#[test]
fn other_stores_of_refs_and_objects() {
    let world = World::empty();
    for (name, args, why, hint) in [
        ("reftable", ["init", "-q", "--ref-format=reftable"], "a reftable", "git refs migrate"),
        ("sha256", ["init", "-q", "--object-format=sha256"], "sha256", "a clone with sha1"),
    ] {
        let dir = world.beside(name);
        std::fs::create_dir(&dir).unwrap();
        world.git_in(&dir, &args);
        refuses(&world, &dir, why, hint);
    }
}

#[test]
fn partial_clones() {
    let world = World::new();
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.root.display());
    for filter in ["blob:none", "tree:0"] {
        let dir = world.beside(&filter.replace(':', "-"));
        let filter = format!("--filter={filter}");
        world.git(&["clone", "-q", &filter, &url, dir.to_str().unwrap()]);
        refuses(&world, &dir, "a partial clone", "git clone without --filter");
    }
}

#[test]
fn extensions_that_nobody_knows() {
    let world = World::new();
    world.git(&["config", "extensions.teleport", "true"]);
    // Without a version that has extensions, git ignores it, and so does Baton.
    super::judge::whole(&world, "a.txt");
    let text = world.read(".git/config");
    world.write(".git/config", &text.replace("version = 0", "version = 1"));
    refuses(&world, &world.root, "extension `teleport`", "a clone without it");
}

#[test]
fn indexes_in_parts() {
    let world = World::new();
    world.git(&["update-index", "--split-index"]);
    let hint = "git update-index --no-split-index";
    refuses(&world, &world.root, "this repository has a split index", hint);
    world.git(&["update-index", "--no-split-index"]);
    super::judge::whole(&world, "a.txt");
    let sparse = World::new();
    sparse.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "src/other"]);
    let hint = "git sparse-checkout reapply --no-sparse-index";
    refuses(&sparse, &sparse.root, "this repository has a sparse index", hint);
    sparse.git(&["sparse-checkout", "reapply", "--no-sparse-index"]);
    super::judge::whole(&sparse, "a.txt");
}

#[test]
fn replaced_content() {
    let world = World::new();
    world.write("other.txt", "shown in place of a.txt\n");
    let other = world.git(&["hash-object", "-w", "other.txt"]);
    std::fs::remove_file(world.root.join("other.txt")).unwrap();
    let blob = world.git(&["rev-parse", "HEAD:a.txt"]);
    world.git(&["replace", &blob, &other]);
    let why = format!("`{blob}` is replaced by an object with other content");
    refuses(&world, &world.root, &why, &format!("git replace -d {blob}"));
    world.git(&["pack-refs", "--all"]);
    refuses(&world, &world.root, &why, "git replace -d");
    world.git(&["replace", "-d", &blob]);
    let first = world.git(&["rev-parse", "HEAD"]);
    world.write("b.txt", "second\n");
    let second = world.commit_all("second");
    world.git(&["replace", &second, &first]);
    refuses(&world, &world.root, &format!("`{second}` is replaced"), "git replace -d");
}

#[test]
fn a_git_folder_far_from_its_files() {
    let world = World::new();
    let (dir, root) = (world.beside("far.git"), world.beside("far"));
    let args = ["clone", "-q", ".", root.to_str().unwrap(), "--separate-git-dir"];
    world.git(&[&args[..], &[dir.to_str().unwrap()]].concat());
    let hint = format!("git config core.worktree {}", root.display());
    refuses(&world, &root, "belongs to another place", &hint);
    let far = world.moved_to(&root);
    far.git(&["config", "core.worktree", root.to_str().unwrap()]);
    far.git(&["config", "user.name", "Uma User"]);
    far.git(&["config", "user.email", "uma@example.com"]);
    super::judge::whole(&far, "a.txt");
}
