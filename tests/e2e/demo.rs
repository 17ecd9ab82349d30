//! The demo: one command that shows the whole way. Each story runs the real binary, cargo and the
//! sandbox.

use crate::cli::terminal::Terminal;
use crate::cli::world::{Said, World};
use std::time::{Duration, Instant};

/// The demo shall not take longer, after the build.
const DEMO_MAX: Duration = Duration::from_secs(60);
const CHEAT_MAX: Duration = Duration::from_secs(30);

fn demo(arguments: &[&str]) -> (World, Said, Duration) {
    let world = World::empty();
    let begun = Instant::now();
    let said = world.baton(&[&["demo"], arguments].concat());
    let took = begun.elapsed();
    println!("demo {}: {:.1} s", arguments.join(" "), took.as_secs_f64());
    (world, said, took)
}

fn lands(seed: &str) {
    let (_world, said, took) = demo(&["--yes", "--seed", seed]);
    said.ends(0);
    let parts = [
        "scripted: no model is running",
        "saw the bug",
        "proof",
        "landed T1 on main",
        "once more",
        "0 failed",
        "My time",
        "demo --yes",
    ];
    for part in parts {
        assert!(said.out.contains(part), "seed {seed}: no {part:?} in {}", said.out);
    }
    let last = said.out.lines().last().unwrap_or_default();
    assert!(last.contains("baton run") && last.contains("ANTHROPIC_API_KEY"), "{last}");
    assert!(took < DEMO_MAX, "it took {took:?}");
}

#[test]
fn the_first_bug_is_fixed_and_lands() {
    lands("1");
}

#[test]
fn the_second_bug_is_fixed_and_lands() {
    lands("2");
}

#[test]
fn the_third_bug_is_fixed_and_lands() {
    lands("3");
}

#[test]
fn the_fourth_bug_is_fixed_and_lands() {
    lands("4");
}

#[test]
fn the_fifth_bug_is_fixed_and_lands() {
    lands("5");
}

#[test]
fn every_lie_is_refused() {
    let (_world, said, took) = demo(&["--cheat"]);
    said.ends(0);
    assert!(said.out.contains("Every lie was refused"), "{}", said.out);
    for part in ["IT GOT THROUGH", "never came to that", "landed T1"] {
        assert!(!said.out.contains(part), "{part}: {}", said.out);
    }
    for part in ["there is no receipt R99.1", "tests were weakened", "nothing was changed"] {
        assert!(said.out.contains(part), "no {part:?} in {}", said.out);
    }
    assert!(took < CHEAT_MAX, "it took {took:?}");
}

#[test]
fn a_script_without_the_fix_ends_parked() {
    let world = World::empty();
    let script = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/cli/demo/bugs/settings/script.toml"),
    )
    .unwrap();
    // The test stays, the fix goes.
    let (before, after) =
        script.split_once("path = \"src/lib.rs\"\nold = '''\n    let mut").unwrap();
    let (call, _) = before.rsplit_once("[[run.reply.call]]").unwrap();
    let (_, rest) = after.split_once("[[run.reply.call]]").unwrap();
    let file = world.dir.path().join("no-fix.toml");
    std::fs::write(&file, format!("{call}[[run.reply.call]]{rest}")).unwrap();
    let said = world.baton(&["demo", "--yes", "--script", file.to_str().unwrap()]);
    said.ends(2);
    assert!(said.out.contains("Nothing landed"), "{}", said.out);
    assert!(said.out.contains("parked T1"), "{}", said.out);
    assert!(!said.out.contains("landed T1"), "{}", said.out);
}

#[test]
fn a_person_decides_in_the_terminal_and_the_time_is_measured() {
    let world = World::empty();
    let mut terminal = Terminal::start(&mut world.command(&["demo", "--keep"]));
    terminal.expect("A1: type approve");
    terminal.press("approve\n");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert!(terminal.shown.contains("landed T1 on main"), "{}", terminal.shown);
    let (_, kept) = terminal.shown.split_once("The folder stays: cd ").unwrap();
    let kept = std::path::Path::new(kept.lines().next().unwrap().trim()).to_owned();
    assert!(kept.join("src/lib.rs").exists());
    std::fs::remove_dir_all(kept.parent().unwrap()).unwrap();
}

#[test]
fn without_a_person_nothing_lands() {
    let (_world, said, _) = demo(&[]);
    said.ends(2);
    assert!(said.out.contains("Nothing landed"), "{}", said.out);
    assert!(said.out.contains("--yes"), "{}", said.out);
}
