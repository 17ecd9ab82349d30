//! Taking a landing, or edits, back.

use super::world::{TASK, TEXT, World, buffer, digest, same};
use baton::git::{Built, Moved, Planned, Undo};

/// Files, index as git reads it, and branches; not what a landing leaves in reflogs and objects.
fn state(world: &World) -> (super::world::Digest, String, String) {
    let mut files = digest(&world.root);
    files.retain(|path, _| !path.starts_with(".git"));
    let index = world.git(&["ls-files", "-s", "--full-name"]);
    let refs = world.git(&["for-each-ref", "refs/heads", "--format=%(refname) %(objectname)"]);
    (files, index, refs)
}

#[test]
fn back_to_where_it_was() {
    let world = World::new();
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    world.write("b.txt", "mine\n");
    let told = world.delegate(&[], |slot| {
        super::world::fix_line_two(&slot.join("a.txt"));
        std::fs::write(slot.join("new.txt"), "new\n").unwrap();
        std::fs::remove_file(slot.join("src/deep/c.txt")).unwrap();
    });
    let before = (state(&world), world.status());
    let (candidate, plan) = told.land(&["a.txt"]);
    assert_ne!((state(&world), world.status()), before);
    let undo = || told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undo(), Undo::Back);
    assert_eq!((state(&world), world.status()), before);
    // Once more, as after a crash.
    assert_eq!(undo(), Undo::Back);
    assert_eq!((state(&world), world.status()), before);
}

#[test]
fn edits_made_since_are_kept() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let (candidate, plan) = told.land(&[]);
    world.write("a.txt", &TEXT.replace("two", "TWO").replace("nine", "nine, since"));
    let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undo, Undo::Back);
    assert_eq!(world.read("a.txt"), TEXT.replace("nine", "nine, since"));
    assert_eq!(world.status(), " M a.txt");
    assert_eq!(world.git(&["rev-parse", "HEAD"]), told.base.base.0);
}

#[test]
fn edits_in_the_same_lines_or_staged_refuse() {
    type Act = fn(&World);
    let acts: [(&str, Act); 3] = [
        ("same lines", |world| world.write("a.txt", &TEXT.replace("two", "2"))),
        ("same lines", |world| std::fs::remove_file(world.root.join("a.txt")).unwrap()),
        ("staged", |world| {
            world.write("a.txt", &TEXT.replace("two", "TWO").replace("nine", "nine, since"));
            world.git(&["add", "a.txt"]);
        }),
    ];
    for (why, act) in acts {
        let world = World::new();
        let told = world.delegate_fix(&[]);
        let (candidate, plan) = told.land(&[]);
        act(&world);
        let before = world.digest();
        let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
        let Undo::Refused(said) = undo else { panic!("{undo:?}") };
        assert!(said.contains(why), "{said}");
        same(&before, &world.digest());
    }
}

#[test]
fn an_inverse_on_top_of_later_commits() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let (candidate, plan) = told.land(&[]);
    world.write("b.txt", "later\n");
    let later = world.commit_all("later");
    world.write("src/deep/c.txt", "not committed\n");
    let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    let Undo::Inverse(commit) = undo else { panic!("{undo:?}") };
    assert_eq!(world.git(&["rev-parse", "main"]), commit.0);
    assert_eq!(world.git(&["rev-parse", "main^"]), later);
    assert_eq!(world.read("a.txt"), TEXT);
    assert_eq!(world.status(), " M src/deep/c.txt");
    assert_eq!(world.git(&["log", "-1", "--format=%an: %s"]), "Uma User: Undo T17: Fix line two");
    world.git(&["fsck", "--full", "--strict"]);
    // As after a crash: it is there already, and nothing is done twice.
    let again = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(again, Undo::Inverse(commit.clone()));
    assert_eq!(world.git(&["rev-parse", "main"]), commit.0);
    assert_eq!(world.status(), " M src/deep/c.txt");
}

#[test]
fn no_inverse_where_it_does_not_apply() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let (candidate, plan) = told.land(&[]);
    world.write("a.txt", &TEXT.replace("two", "TWO and a half"));
    world.commit_all("on top");
    let before = world.digest();
    let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert!(matches!(&undo, Undo::Refused(why) if why.contains("git revert")), "{undo:?}");
    same(&before, &world.digest());
    // Taken back by hand: nothing is left to take back.
    world.write("a.txt", TEXT);
    world.commit_all("by hand");
    let before = world.digest();
    let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert!(matches!(&undo, Undo::Refused(why) if why.contains("any more")), "{undo:?}");
    same(&before, &world.digest());
}

#[test]
fn a_new_branch_goes() {
    let world = World::new();
    world.git(&["checkout", "-q", "--detach"]);
    let told = world.delegate_fix(&[]);
    let before = state(&world);
    let (candidate, plan) = told.land(&[]);
    assert_ne!(state(&world), before);
    let undo = || told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undo(), Undo::Back);
    assert_eq!(state(&world), before);
    assert_eq!(undo(), Undo::Back);
}

#[test]
fn landed_elsewhere_undone_where_it_is_checked_out() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let before = state(&world);
    world.git(&["checkout", "-q", "--detach"]);
    let (candidate, plan) = told.land(&[]);
    assert_eq!(plan, []);
    world.git(&["checkout", "-q", "main"]);
    assert_eq!(world.read("a.txt"), TEXT.replace("two", "TWO"));
    let undo = told.git.undo_landing(TASK, &told.base, &candidate, &plan).unwrap();
    assert_eq!(undo, Undo::Back);
    assert_eq!(state(&world), before);
    assert_eq!(world.status(), "");
}

#[test]
fn edits_into_files_and_buffers() {
    let world = World::new();
    let mine = TEXT.replace("three", "three, mine");
    world.write("a.txt", &mine);
    world.write("b.txt", &mine);
    let unsaved = mine.replace("nine", "nine, unsaved");
    let buffers = [buffer("b.txt", &unsaved)];
    let told = world.delegate(&buffers, |slot| {
        super::world::fix_line_two(&slot.join("a.txt"));
        super::world::fix_line_two(&slot.join("b.txt"));
        std::fs::write(slot.join("new.txt"), "new\n").unwrap();
        std::fs::remove_file(slot.join("src/deep/c.txt")).unwrap();
    });
    assert!(matches!(told.built(), Built::Conflict { .. }));
    let before = (state(&world), world.status());
    let Planned::Plan(plan) = told.git.plan_edits(&told.base, &told.head, &buffers).unwrap() else {
        panic!("no plan");
    };
    let to_buffer: Vec<_> = plan.iter().filter(|it| it.buffer).collect();
    assert_eq!(to_buffer.len(), 1);
    let after = told.git.blob(to_buffer[0].after.as_deref().unwrap()).unwrap();
    assert_eq!(String::from_utf8(after).unwrap(), unsaved.replace("two", "TWO"));
    assert_eq!(told.git.apply_edits(TASK, &plan).unwrap(), Moved::Done);
    assert_eq!(world.read("a.txt"), mine.replace("two", "TWO"));
    assert_eq!(world.read("b.txt"), mine);
    assert_eq!(world.status(), " M a.txt\n M b.txt\n D src/deep/c.txt\n?? new.txt");
    // The person edits on, elsewhere in the file: undo keeps that.
    world.write("a.txt", &mine.replace("two", "TWO").replace("twelve", "12"));
    // Its other file was never saved: what is taken back is the editor's text, with what was typed since.
    let now = [buffer("b.txt", &format!("{}typed since\n", unsaved.replace("two", "TWO")))];
    let Planned::Plan(back) = told.git.plan_undo_edits(&plan, &now).unwrap() else {
        panic!("no plan");
    };
    let in_buffer = back.iter().find(|it| it.buffer).unwrap();
    let text = told.git.blob(in_buffer.after.as_deref().unwrap()).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), format!("{unsaved}typed since\n"));
    assert_eq!(told.git.apply_edits(TASK, &back).unwrap(), Moved::Done);
    assert_eq!(world.read("b.txt"), mine, "the file of unsaved text is not touched");
    assert_eq!(world.read("a.txt"), mine.replace("twelve", "12"));
    world.write("a.txt", &mine);
    assert_eq!((state(&world), world.status()), before);
}

#[test]
fn edits_that_conflict_or_are_late_refuse() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let Planned::Plan(plan) = told.git.plan_edits(&told.base, &told.head, &[]).unwrap() else {
        panic!("no plan");
    };
    world.write("a.txt", &TEXT.replace("two", "2"));
    let before = world.digest();
    let planned = told.git.plan_edits(&told.base, &told.head, &[]).unwrap();
    let why = "your text conflicts with the change in `a.txt`";
    assert_eq!(planned, Planned::Refused(why.into()));
    let moved = told.git.apply_edits(TASK, &plan).unwrap();
    assert_eq!(moved, Moved::Refused("`a.txt` changed since this was planned".into()));
    let undo = told.git.plan_undo_edits(&plan, &[]).unwrap();
    assert_eq!(undo, Planned::Refused("`a.txt` was edited in the same lines since".into()));
    same(&before, &world.digest());
}
