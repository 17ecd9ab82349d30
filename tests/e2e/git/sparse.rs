//! Sparse checkouts: what is not here stays as it is; a change of it lands in the index alone, as
//! git's own merge would leave it.

use super::judge::{judge, whole};
use super::world::{TASK, TEXT, World, buffer};
use baton::git::{Planned, Undo};
use std::path::Path;

fn sparse(how: &[&str]) -> World {
    let world = World::new();
    world.write("in/x.txt", TEXT);
    world.write("out/y.txt", TEXT);
    world.write("out/deep/z.txt", TEXT);
    world.commit_all("more");
    world.git(&[&["sparse-checkout", "set", "--no-sparse-index"], how].concat());
    assert!(!world.root.join("out").exists());
    assert!(world.root.join("in/x.txt").exists());
    world
}

const KINDS: [&[&str]; 2] =
    [&["--cone", "in"], &["--no-cone", "/*", "!/out/", "!/src/", "/src/deep/"]];

#[test]
fn a_change_inside() {
    for how in KINDS {
        let world = sparse(how);
        whole(&world, "a.txt");
        whole(&world, "in/x.txt");
        world.write("in/x.txt", "mine\n");
        std::fs::remove_file(world.root.join("b.txt")).unwrap();
        whole(&world, "a.txt");
        // A file outside of it that is there all the same is there, for git as well.
        world.write("out/y.txt", "here after all\n");
        whole(&world, "a.txt");
        assert_eq!(world.read("out/y.txt"), "here after all\n");
    }
}

fn outside(slot: &Path) {
    assert_eq!(std::fs::read_to_string(slot.join("out/y.txt")).unwrap(), TEXT);
    std::fs::write(slot.join("out/y.txt"), TEXT.replace("two", "TWO")).unwrap();
    std::fs::write(slot.join("out/new.txt"), "new outside\n").unwrap();
    std::fs::write(slot.join("in/new.txt"), "new inside\n").unwrap();
    std::fs::remove_file(slot.join("out/deep/z.txt")).unwrap();
}

#[test]
fn a_change_outside_moves_the_index_alone() {
    for how in KINDS {
        let world = sparse(how);
        world.status();
        let before = judge(&world);
        let told = world.delegate(&[], outside);
        let (candidate, plan) = told.land(&[]);
        let after = judge(&world);
        assert_eq!(world.status(), "");
        assert!(!world.root.join("out").exists());
        let mut files = after.files.clone();
        assert_eq!(files.remove("in/new.txt").unwrap().1, b"new inside\n");
        super::world::same(&before.files, &files);
        let out: Vec<&String> = after.index.iter().filter(|it| it.contains("\tout/")).collect();
        assert_eq!(out.len(), 2);
        assert!(out.iter().all(|it| it.starts_with("S ")), "{out:?}");
        let undone = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
        assert_eq!(undone, Undo::Back);
        assert_eq!(judge(&world), before);
        // Taken in, it is what was landed.
        let (candidate, plan) = told.land(&[]);
        world.git(&["sparse-checkout", "disable"]);
        assert_eq!(world.status(), "");
        assert_eq!(world.read("out/y.txt"), TEXT.replace("two", "TWO"));
        assert_eq!(world.read("out/new.txt"), "new outside\n");
        assert!(!world.root.join("out/deep").exists());
        let undone = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
        assert!(
            matches!(&undone, Undo::Refused(why) if why.contains("is inside now")),
            "{undone:?}"
        );
    }
}

#[test]
fn edits_outside_are_refused_by_name() {
    let world = sparse(KINDS[0]);
    let before = judge(&world);
    let told = world.delegate(&[], outside);
    let planned = told.git.plan_edits(&told.base, &told.head, &[]).unwrap();
    let Planned::Refused(why) = planned else { panic!("{planned:?}") };
    assert!(why.contains("outside of your sparse checkout"), "{why}");
    assert!(why.contains("git sparse-checkout add"), "{why}");
    assert_eq!(judge(&world), before);
}

/// Hidden on purpose in a checkout that is whole: the person keeps something of their own there.
#[test]
fn a_skipped_file_of_the_users_own_blocks() {
    let world = World::new();
    world.git(&["update-index", "--skip-worktree", "a.txt"]);
    world.write("a.txt", &TEXT.replace("nine", "mine"));
    let before = judge(&world);
    let told = world.delegate_fix(&[buffer("b.txt", TEXT)]);
    let refused = told.refused_plan(&told.candidate(), &[]);
    assert_eq!(refused, "`a.txt` is marked assume-unchanged or skip-worktree");
    assert_eq!(judge(&world), before);
    whole(&world, "src/deep/c.txt");
}

#[test]
fn sparse_in_one_worktree_only() {
    let world = World::new();
    let side = world.beside("side");
    world.git(&["worktree", "add", "-q", "-b", "side", side.to_str().unwrap()]);
    let side = world.moved_to(&side);
    side.git(&["sparse-checkout", "set", "--no-sparse-index", "nothing"]);
    assert!(!side.root.join("src").exists());
    whole(&side, "a.txt");
    whole(&world, "src/deep/c.txt");
    let told = side.delegate(&[], |slot| {
        std::fs::write(slot.join("src/deep/c.txt"), "changed\n").unwrap();
    });
    told.land(&[]);
    assert_eq!((side.status(), side.root.join("src").exists()), (String::new(), false));
}
