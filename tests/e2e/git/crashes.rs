//! Kill -9 at every boundary of a landing, of an undo and of an apply: calling the same again
//! finishes, and the result is the one of a run that was not killed.

use super::world::{Digest, TASK, TEXT, Told, World, digest, fix_line_two};
use baton::git::{Git, Moved, Planned, Undo, find};
use serde::{Deserialize, Serialize};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use team::{Base, Candidate, PlannedPath};

/// What the process to be killed is told.
#[derive(Serialize, Deserialize)]
struct Orders {
    root: PathBuf,
    state: PathBuf,
    what: String,
    base: Base,
    candidate: Candidate,
    plan: Vec<PlannedPath>,
}

const ORDERS: &str = "BATON_TEST_ORDERS";

/// By itself nothing: the process that `killed_at` starts and that a fail-point kills.
#[test]
fn child() {
    let Ok(file) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let git = Git::open(&find(&orders.root).unwrap(), &orders.state).unwrap();
    assert!(carry_out(&git, &orders));
}

fn carry_out(git: &Git, it: &Orders) -> bool {
    match it.what.as_str() {
        "land" => git.land(TASK, &it.base, &it.candidate, &it.plan).unwrap() == Moved::Done,
        "apply" => git.apply_edits(TASK, &it.plan).unwrap() == Moved::Done,
        _ => match git.undo_landing(TASK, &it.base, &it.candidate, &it.plan).unwrap() {
            Undo::Back | Undo::Inverse(_) => true,
            Undo::Refused(why) => panic!("{why}"),
        },
    }
}

fn run_child(dir: &Path, orders: &Orders, at: u32) -> ExitStatus {
    let file = dir.join("orders.json");
    std::fs::write(&file, serde_json::to_vec(orders).unwrap()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "git::crashes::child", "--quiet"]);
    command.env(ORDERS, file).env("BATON_FAIL_AT", at.to_string());
    command.stdout(std::process::Stdio::null()).status().unwrap()
}

/// What a person can see: files, index, branches; with what git thinks of them.
fn seen(world: &World) -> (Digest, [String; 4]) {
    let mut files = digest(&world.root);
    files.retain(|path, _| !path.starts_with(".git/") || path.contains("baton."));
    world.git(&["fsck", "--full", "--strict"]);
    let says = [
        world.git(&["ls-files", "-s"]),
        world.git(&["for-each-ref", "refs/heads", "--format=%(refname) %(tree)"]),
        world.git(&["log", "--format=%T %s", "main"]),
        world.status(),
    ];
    (files, says)
}

/// A task whose change touches many kinds of path, with the user's own edits beside it.
fn scene() -> (World, Told) {
    let world = World::new();
    world.write("run.sh", "#!/bin/sh\n");
    world.commit_all("more");
    world.write("a.txt", &TEXT.replace("nine", "nine, mine"));
    world.write("untracked.txt", "mine\n");
    world.write("staged.txt", "mine, staged\n");
    world.git(&["add", "staged.txt"]);
    let told = world.delegate(&[], |slot| {
        fix_line_two(&slot.join("a.txt"));
        std::fs::write(slot.join("b.txt"), "rewritten\n").unwrap();
        std::fs::remove_file(slot.join("src/deep/c.txt")).unwrap();
        std::fs::create_dir(slot.join("new")).unwrap();
        std::fs::write(slot.join("new/file.txt"), "new\n").unwrap();
        let exec = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(slot.join("run.sh"), exec).unwrap();
    });
    (world, told)
}

fn orders(world: &World, told: &Told, what: &str) -> Orders {
    let candidate = told.candidate();
    let plan = match what {
        "apply" => match told.git.plan_edits(&told.base, &told.head, &[]).unwrap() {
            Planned::Plan(plan) => plan,
            other => panic!("{other:?}"),
        },
        _ => told.plan(&candidate, &["a.txt"]),
    };
    let orders = Orders {
        root: world.root.clone(),
        state: world.state.clone(),
        what: what.into(),
        base: told.base.clone(),
        candidate,
        plan,
    };
    if what.starts_with("undo") {
        let landed = Orders { what: "land".into(), ..clone(&orders) };
        assert!(carry_out(&told.git, &landed));
    }
    if what == "undo-inverse" {
        world.write("later.txt", "later\n");
        world.write("a.txt", &TEXT.replace("two", "TWO"));
        world.git(&["add", "later.txt"]);
        world.git(&["commit", "-q", "-m", "on top"]);
    }
    orders
}

fn clone(it: &Orders) -> Orders {
    Orders {
        root: it.root.clone(),
        state: it.state.clone(),
        what: it.what.clone(),
        base: it.base.clone(),
        candidate: it.candidate.clone(),
        plan: it.plan.clone(),
    }
}

fn killed_everywhere(what: &str, boundaries_min: u32) {
    let (world, told) = scene();
    let uncut = orders(&world, &told, what);
    assert!(carry_out(&told.git, &uncut));
    let want = seen(&world);
    let mut boundaries = 0;
    loop {
        let (world, told) = scene();
        let orders = orders(&world, &told, what);
        let status = run_child(world.base_dir(), &orders, boundaries + 1);
        if status.success() {
            break;
        }
        assert_eq!(status.signal(), Some(9), "{what}: {status}");
        boundaries += 1;
        assert!(carry_out(&told.git, &orders), "{what} cut off at {boundaries}");
        let got = seen(&world);
        assert_eq!(got.1, want.1, "{what} cut off at {boundaries}");
        super::world::same(&want.0, &got.0);
        assert!(!world.root.join(".git/index.lock").exists());
        // And again: nothing is left to do.
        assert!(carry_out(&told.git, &orders));
        assert_eq!(seen(&world).1, want.1);
    }
    assert!(boundaries_min <= boundaries, "{what}: only {boundaries} boundaries");
}

#[test]
fn landing() {
    killed_everywhere("land", 18);
}

#[test]
fn undo() {
    killed_everywhere("undo", 18);
}

#[test]
fn undo_by_an_inverse() {
    killed_everywhere("undo-inverse", 18);
}

#[test]
fn apply_as_edits() {
    killed_everywhere("apply", 10);
}

/// Somebody writes a file while a landing lies half done: their text is kept.
#[test]
fn edits_made_while_a_landing_lies_half_done() {
    let mut merged = 0;
    let mut kept = 0;
    for at in 1..40 {
        for edit in ["nine, mine, and more", "nine, mine\nten, on the way"] {
            let (world, told) = scene();
            let orders = orders(&world, &told, "land");
            if run_child(world.base_dir(), &orders, at).success() {
                assert!(4 < merged && 0 < kept, "{merged} {kept}");
                return;
            }
            let now = world.read("a.txt");
            world.write("a.txt", &now.replace("nine, mine", edit));
            let moved = told.git.land(TASK, &told.base, &orders.candidate, &orders.plan).unwrap();
            let text = world.read("a.txt");
            assert!(text.contains(edit), "{at}: {text}");
            match moved {
                Moved::Done => {
                    assert_eq!(text, TEXT.replace("two", "TWO").replace("nine", edit), "{at}");
                    assert_eq!(world.git(&["rev-parse", "main"]), orders.candidate.commit.0);
                    let diff = world.git(&["diff", "a.txt"]);
                    assert!(!diff.contains("TWO\n-") && !diff.contains("-TWO"), "{at}: {diff}");
                    merged += 1;
                }
                // Cut off before the branch moved, so nothing has to be finished.
                Moved::Refused(_) => {
                    assert_eq!(world.git(&["rev-parse", "main"]), told.base.base.0);
                    assert!(!world.root.join(".git/index.lock").exists());
                    kept += 1;
                }
                Moved::TipMoved => panic!("the tip did not move"),
            }
        }
    }
}
