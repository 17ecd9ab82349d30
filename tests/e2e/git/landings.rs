//! Landing: your text stays yours, the branch gets exactly the agents' part, and where that can't be
//! nothing moves.

use super::world::{TASK, TEXT, World, buffer, digest, fix_line_two, same};
use baton::git::{Built, Git, Moved, Planned, find};
use team::{Role, RunId, StartFrom, Target};

/// The change that the landed commit brings, as git shows it.
fn landed_diff(world: &World) -> String {
    world.git(&["diff", "HEAD^", "HEAD", "--stat=200", "--summary"])
}

const ONLY_THE_FIX: &str = " a.txt | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)";

#[test]
fn clean_tree() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    assert_eq!(told.base.seen, told.base.base);
    let (candidate, _) = told.land(&[]);
    assert_eq!(world.git(&["rev-parse", "main"]), candidate.commit.0);
    assert_eq!(world.status(), "");
    assert_eq!(world.read("a.txt"), TEXT.replace("two", "TWO"));
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(
        world.git(&["log", "-1", "--format=%an %ae %cn"]),
        "Uma User uma@example.com Uma User"
    );
    assert_eq!(
        world.git(&["log", "-1", "--format=%(trailers:key=Baton-Task)"]).trim(),
        "Baton-Task: T17"
    );
    world.git(&["fsck", "--full", "--strict"]);
}

#[test]
fn your_unstaged_text_in_the_same_file() {
    let world = World::new();
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    world.write("b.txt", "all mine\n");
    world.write("new.txt", "untracked\n");
    let told = world.delegate_fix(&[]);
    let candidate = told.candidate();
    assert_eq!(candidate.merges, ["a.txt"]);
    let before = world.digest();
    let why = told.refused_plan(&candidate, &[]);
    assert!(why.contains("`a.txt` has your own edits"), "{why}");
    same(&before, &world.digest());
    told.land(&["a.txt"]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.read("a.txt"), TEXT.replace("two", "TWO").replace("nine", "nine, mine"));
    // What git shows as yours is what was yours.
    assert_eq!(world.status(), " M a.txt\n M b.txt\n?? new.txt");
    let diff = world.git(&["diff", "-U0", "a.txt"]);
    assert!(diff.contains("-nine\n+nine, mine") && !diff.contains("TWO"), "{diff}");
}

#[test]
fn your_text_in_another_file_needs_no_tick() {
    let world = World::new();
    world.write("b.txt", "all mine\n");
    let told = world.delegate_fix(&[]);
    assert_eq!(told.candidate().merges, Vec::<String>::new());
    told.land(&[]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.read("b.txt"), "all mine\n");
    assert_eq!(world.status(), " M b.txt");
}

#[test]
fn your_staged_text_in_the_same_file() {
    let world = World::new();
    world.write("a.txt", &TEXT.replace("nine", "nine, staged"));
    world.git(&["add", "a.txt"]);
    let told = world.delegate_fix(&[]);
    let candidate = told.candidate();
    assert_eq!(candidate.blocked, ["`a.txt` is staged: commit or unstage it"]);
    let before = world.digest();
    let why = told.refused_plan(&candidate, &[]);
    assert!(why.contains("staged"), "{why}");
    let moved = told.git.land(TASK, &told.base, &candidate, &[]).unwrap();
    assert!(matches!(moved, Moved::Refused(_)), "{moved:?}");
    same(&before, &world.digest());
    // Nothing but the fix is in the candidate all the same.
    let tip = &candidate.tip.0;
    let stat = world.store(&["diff", tip, &candidate.commit.0, "--stat=200"]);
    assert_eq!(stat, ONLY_THE_FIX);
}

#[test]
fn staged_in_another_file_stays_staged() {
    let world = World::new();
    world.write("b.txt", "staged\n");
    world.git(&["add", "b.txt"]);
    world.write("b.txt", "and more\n");
    let told = world.delegate_fix(&[]);
    told.land(&[]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.status(), "MM b.txt");
    assert_eq!(world.git(&["show", ":b.txt"]), "staged");
}

#[test]
fn your_unsaved_text_in_the_same_file() {
    let world = World::new();
    let text = TEXT.replace("nine", "nine, unsaved");
    let told = world.delegate_fix(&[buffer("a.txt", &text)]);
    assert!(told.base.says.ends_with("+ 1 unsaved"), "{}", told.base.says);
    let candidate = told.candidate();
    let before = world.digest();
    let why = told.refused_plan(&candidate, &[buffer("a.txt", &text)]);
    assert_eq!(why, "`a.txt` has unsaved text: save it");
    same(&before, &world.digest());
    // Saved meanwhile: a merge like any other.
    world.write("a.txt", &text);
    told.land(&["a.txt"]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.read("a.txt"), text.replace("two", "TWO"));
}

#[test]
fn your_text_on_the_adjacent_line_conflicts() {
    let world = World::new();
    world.write("a.txt", &TEXT.replace("three", "three, mine"));
    let told = world.delegate_fix(&[]);
    let before = world.digest();
    let Built::Conflict { tip, paths } = told.built() else { panic!("no conflict") };
    assert_eq!(tip, told.base.base);
    assert_eq!(paths, ["a.txt"]);
    // As edits it goes: the base of that merge is what you saw.
    let Planned::Plan(plan) = told.git.plan_edits(&told.base, &told.head, &[]).unwrap() else {
        panic!("no plan");
    };
    same(&before, &world.digest());
    assert_eq!(told.git.apply_edits(TASK, &plan).unwrap(), Moved::Done);
    assert_eq!(world.read("a.txt"), TEXT.replace("two\nthree", "TWO\nthree, mine"));
    assert_eq!(told.git.apply_edits(TASK, &plan).unwrap(), Moved::Done);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), told.base.base.0);
}

#[test]
fn your_text_committed_meanwhile() {
    let world = World::new();
    world.write("a.txt", &TEXT.replace("three", "three, mine"));
    let told = world.delegate_fix(&[]);
    let stale = told.built();
    assert!(matches!(stale, Built::Conflict { .. }));
    world.commit_all("mine first");
    let (candidate, _) = told.land(&[]);
    assert_eq!(candidate.merges, Vec::<String>::new());
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.read("a.txt"), TEXT.replace("two\nthree", "TWO\nthree, mine"));
    assert_eq!(world.status(), "");
}

#[test]
fn the_tip_moves_between_plan_and_landing() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let candidate = told.candidate();
    let plan = told.plan(&candidate, &[]);
    world.write("b.txt", "more\n");
    world.commit_all("meanwhile");
    let before = world.digest();
    assert_eq!(told.git.land(TASK, &told.base, &candidate, &plan).unwrap(), Moved::TipMoved);
    let planned = told.git.plan_landing(&told.base, &candidate, &[], &[]).unwrap();
    assert_eq!(planned, Planned::TipMoved);
    same(&before, &world.digest());
    // The same change on the new tip has the same id, and lands.
    let rebuilt = told.candidate();
    assert_eq!(rebuilt.change, candidate.change);
    assert_ne!(rebuilt.commit, candidate.commit);
    told.land(&[]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.status(), "");
}

#[test]
fn the_base_vanishes() {
    let world = World::new();
    world.write("b.txt", "base\n");
    world.commit_all("will be amended");
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    let told = world.delegate_fix(&[]);
    world.git(&["commit", "-q", "-a", "--amend", "-m", "amended"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    let (candidate, _) = told.land(&[]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.git(&["rev-parse", "main"]), candidate.commit.0);
    assert_eq!(world.status(), "");
    world.git(&["fsck", "--full", "--strict"]);
}

#[test]
fn you_rebased() {
    let world = World::new();
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.write("b.txt", "topic\n");
    world.commit_all("topic work");
    let told = world.delegate_fix(&[]);
    world.git(&["checkout", "-q", "main"]);
    world.write("src/deep/c.txt", "main moved\n");
    world.commit_all("main moves");
    world.git(&["checkout", "-q", "topic"]);
    world.git(&["rebase", "-q", "main"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    told.land(&[]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    assert_eq!(world.read("src/deep/c.txt"), "main moved\n");
    assert_eq!(world.status(), "");
}

#[test]
fn you_switched_branches() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    world.git(&["checkout", "-q", "-b", "other"]);
    world.write("a.txt", "something else\n");
    let candidate = told.candidate();
    let plan = told.plan(&candidate, &[]);
    assert_eq!(plan, []);
    let before = digest(&world.root);
    assert_eq!(told.git.land(TASK, &told.base, &candidate, &plan).unwrap(), Moved::Done);
    let mut after = digest(&world.root);
    let mut before = before;
    for digest in [&mut before, &mut after] {
        digest.retain(|path, _| !path.starts_with(".git/objects") && !path.ends_with("heads/main"));
    }
    same(&before, &after);
    assert_eq!(world.git(&["rev-parse", "main"]), candidate.commit.0);
    assert_eq!(world.git(&["rev-parse", "other"]), told.base.base.0);
}

#[test]
fn you_switched_branches_between_plan_and_landing() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let candidate = told.candidate();
    let plan = told.plan(&candidate, &[]);
    world.git(&["checkout", "-q", "-b", "other"]);
    let before = world.digest();
    let moved = told.git.land(TASK, &told.base, &candidate, &plan).unwrap();
    // No worktree has the branch any more: nothing but the branch would move.
    assert_eq!(moved, Moved::Done);
    let mut after = world.digest();
    let mut before = before;
    for digest in [&mut before, &mut after] {
        digest.retain(|path, _| !path.starts_with(".git/objects") && !path.ends_with("heads/main"));
    }
    same(&before, &after);
    assert_eq!(world.git(&["rev-parse", "main"]), candidate.commit.0);
}

#[test]
fn detached_head_lands_on_a_new_branch() {
    let world = World::new();
    world.git(&["checkout", "-q", "--detach"]);
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    let told = world.delegate_fix(&[]);
    assert_eq!(told.base.target, Target::NewBranch("refs/heads/baton/T17-fix-it".into()));
    let before = world.digest();
    let (candidate, _) = told.land(&[]);
    assert_eq!(world.git(&["rev-parse", "baton/T17-fix-it"]), candidate.commit.0);
    assert_eq!(world.git(&["rev-parse", "baton/T17-fix-it^"]), told.base.base.0);
    let mut after = world.digest();
    after.retain(|path, _| !path.contains("baton/T17-fix-it") && !path.contains("objects/pack"));
    same(&before, &after);
    // Again, as after a crash.
    let moved = told.git.land(TASK, &told.base, &candidate, &[]).unwrap();
    assert_eq!(moved, Moved::Done);
}

#[test]
fn a_wish_for_a_branch() {
    let world = World::new();
    let git = world.open();
    world.git(&["branch", "baton/T17-x"]);
    let base = git.snapshot(TASK, "x", &[], StartFrom::Seen, true).unwrap();
    assert_eq!(base.target, Target::NewBranch("refs/heads/baton/T17-x-2".into()));
}

#[test]
fn a_linked_worktree_has_the_target() {
    let world = World::new();
    let other = world.base_dir().canonicalize().unwrap().join("linked");
    let told = world.delegate_fix(&[]);
    world.git(&["checkout", "-q", "-b", "elsewhere"]);
    world.git(&["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
    std::fs::write(other.join("a.txt"), TEXT.replace("nine", "nine, mine")).unwrap();
    let candidate = told.candidate();
    assert_eq!(candidate.merges, ["a.txt"]);
    told.land(&["a.txt"]);
    let text = std::fs::read_to_string(other.join("a.txt")).unwrap();
    assert_eq!(text, TEXT.replace("two", "TWO").replace("nine", "nine, mine"));
    assert_eq!(world.git_in(&other, &["status", "--porcelain"]), " M a.txt");
    assert_eq!(world.read("a.txt"), TEXT);
    assert_eq!(world.status(), "");
}

#[test]
fn delegated_from_a_linked_worktree() {
    let world = World::new();
    let other = world.base_dir().canonicalize().unwrap().join("linked");
    world.git(&["worktree", "add", "-q", "-b", "topic", other.to_str().unwrap()]);
    std::fs::write(other.join("b.txt"), "mine, there\n").unwrap();
    let place = find(&other).unwrap();
    assert_eq!(place.common_dir, find(&world.root).unwrap().common_dir);
    let git = Git::open(&place, &world.state).unwrap();
    let base = git.snapshot(TASK, "", &[], StartFrom::Seen, false).unwrap();
    assert_eq!(base.target, Target::Branch("refs/heads/topic".into()));
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    assert_eq!(std::fs::read_to_string(slot.dir.join("b.txt")).unwrap(), "mine, there\n");
    fix_line_two(&slot.dir.join("a.txt"));
    let head = git.commit(&slot, RunId(4), Role::Engineer, "fix").unwrap();
    let Built::Candidate(candidate) = git.candidate(TASK, &base, &head, "fix", &[]).unwrap() else {
        panic!("conflict");
    };
    let Planned::Plan(plan) = git.plan_landing(&base, &candidate, &[], &[]).unwrap() else {
        panic!("no plan");
    };
    assert_eq!(git.land(TASK, &base, &candidate, &plan).unwrap(), Moved::Done);
    assert_eq!(world.git_in(&other, &["status", "--porcelain"]), " M b.txt");
    assert_eq!(world.git_in(&other, &["show", "--stat=200", "--format="]), ONLY_THE_FIX);
    assert_eq!(world.git(&["rev-parse", "topic"]), candidate.commit.0);
}

#[test]
fn what_stands_in_the_way() {
    type Act = fn(&World);
    let cases: [(&str, Act); 9] = [
        ("an untracked file is in the way: `new.txt`", |world| world.write("new.txt", "mine\n")),
        ("a folder or a link is in the way of `new.txt`", |world| world.write("new.txt/x", "")),
        ("your edit of `a.txt` conflicts", |world| {
            world.write("a.txt", &TEXT.replace("two", "2"));
        }),
        ("your edit of `a.txt` conflicts", |world| {
            std::fs::remove_file(world.root.join("a.txt")).unwrap();
        }),
        ("`a.txt` is staged", |world| {
            world.git(&["rm", "-q", "--cached", "a.txt"]);
        }),
        ("`a.txt` is marked assume-unchanged", |world| {
            world.git(&["update-index", "--assume-unchanged", "a.txt"]);
        }),
        ("another git command is at work", |world| {
            std::fs::write(world.root.join(".git/index.lock"), "").unwrap();
        }),
        ("the branch `main` is gone", |world| {
            world.git(&["checkout", "-q", "--detach"]);
            world.git(&["branch", "-q", "-D", "main"]);
        }),
        ("a bisect is in progress", |world| {
            world.write("z.txt", "");
            world.git(&["bisect", "start"]);
        }),
    ];
    for (why, act) in cases {
        let world = World::new();
        let told = world.delegate(&[], |slot| {
            fix_line_two(&slot.join("a.txt"));
            std::fs::write(slot.join("new.txt"), "agents'\n").unwrap();
        });
        let candidate = told.candidate();
        let plan = told.plan(&candidate, &[]);
        act(&world);
        let before = world.digest();
        let moved = told.git.land(TASK, &told.base, &candidate, &plan).unwrap();
        let Moved::Refused(said) = moved else { panic!("{why}: {moved:?}") };
        assert!(said.contains(why), "{said} / {why}");
        same(&before, &world.digest());
    }
}

#[test]
fn git_in_the_middle_of_something() {
    type Act = fn(&World);
    let cases: [(&str, Act); 3] = [
        ("a merge", |world| {
            let _ = world.command(&world.root, &["merge", "-q", "side"]).output();
        }),
        ("a cherry-pick", |world| {
            let _ = world.command(&world.root, &["cherry-pick", "side"]).output();
        }),
        ("a rebase", |world| {
            let _ = world.command(&world.root, &["rebase", "-q", "side"]).output();
        }),
    ];
    for (what, act) in cases {
        let world = World::new();
        world.git(&["checkout", "-q", "-b", "side"]);
        world.write("b.txt", "side\n");
        world.commit_all("side");
        world.git(&["checkout", "-q", "main"]);
        world.write("b.txt", "main\n");
        world.commit_all("main");
        let told = world.delegate_fix(&[]);
        let candidate = told.candidate();
        let plan = told.plan(&candidate, &[]);
        act(&world);
        let before = world.digest();
        let moved = told.git.land(TASK, &told.base, &candidate, &plan).unwrap();
        let Moved::Refused(said) = moved else { panic!("{what}: {moved:?}") };
        assert!(said.contains(what), "{said}");
        same(&before, &world.digest());
    }
}

#[test]
fn a_file_that_changes_after_the_plan() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let candidate = told.candidate();
    let plan = told.plan(&candidate, &[]);
    world.write("a.txt", &TEXT.replace("nine", "nine, just now"));
    let before = world.digest();
    let moved = told.git.land(TASK, &told.base, &candidate, &plan).unwrap();
    let why = "`a.txt` changed since the landing was planned";
    assert_eq!(moved, Moved::Refused(why.into()));
    same(&before, &world.digest());
}

#[test]
fn added_deleted_renamed_linked_and_executable() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        std::fs::remove_file(slot.join("b.txt")).unwrap();
        std::fs::rename(slot.join("src/deep/c.txt"), slot.join("src/c.txt")).unwrap();
        std::fs::create_dir_all(slot.join("new/deep")).unwrap();
        std::fs::write(slot.join("new/deep/run"), "#!/bin/sh\n").unwrap();
        let exec = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(slot.join("new/deep/run"), exec).unwrap();
        std::os::unix::fs::symlink("../a.txt", slot.join("new/link")).unwrap();
    });
    let (candidate, _) = told.land(&[]);
    assert_eq!(candidate.acts, ["new/deep/run"]);
    assert_eq!(world.status(), "");
    assert!(!world.root.join("src/deep").exists());
    assert_eq!(world.git(&["ls-files", "-s", "new"]).matches("120000").count(), 1);
    assert_eq!(world.git(&["ls-files", "-s", "new"]).matches("100755").count(), 1);
    world.git(&["fsck", "--full", "--strict"]);
    assert_eq!(world.git(&["diff", "HEAD", "--stat"]), "");
}

#[test]
fn line_endings_of_the_worktree() {
    let world = World::empty();
    world.write(".gitattributes", "*.txt text eol=crlf\n");
    world.write("a.txt", &TEXT.replace('\n', "\r\n"));
    world.commit_all("start");
    assert_eq!(world.git(&["cat-file", "-s", "HEAD:a.txt"]), TEXT.len().to_string());
    world.write("a.txt", &TEXT.replace("nine", "nine, mine").replace('\n', "\r\n"));
    let told = world.delegate(&[], |slot| {
        let text = std::fs::read_to_string(slot.join("a.txt")).unwrap();
        assert_eq!(text, TEXT.replace("nine", "nine, mine").replace('\n', "\r\n"));
        std::fs::write(slot.join("a.txt"), text.replace("two\r\n", "TWO\r\n")).unwrap();
    });
    told.land(&["a.txt"]);
    assert_eq!(landed_diff(&world), ONLY_THE_FIX);
    let text = TEXT.replace("nine", "nine, mine").replace("two", "TWO");
    assert_eq!(world.read("a.txt"), text.replace('\n', "\r\n"));
    assert_eq!(world.git(&["diff", "--numstat"]), "1\t1\ta.txt");
}

#[test]
fn no_identity() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    world.git(&["config", "user.name", ""]);
    let failed = told.git.candidate(TASK, &told.base, &told.head, "fix", &[]).unwrap_err();
    assert!(failed.hint.contains("git config --global user.name"), "{failed}");
    assert!(failed.hint.contains("git config --global user.email"), "{failed}");
}
