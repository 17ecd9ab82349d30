//! Neovim with our forty lines: by code action from a selection to a commit on the branch.

use super::desk::Desk;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The whole story takes half a minute on an idle machine.
const STORY_S_MAX: &str = "420";

/// `$BATON_TEST_NVIM`, or what `tests/tools/install.sh nvim` put in its place.
fn neovim() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BATON_TEST_NVIM") {
        return Some(named.into());
    }
    let target = Path::new(env!("CARGO_BIN_EXE_baton")).ancestors().nth(2)?;
    let installed = target.join("test-tools/nvim/bin/nvim");
    installed.exists().then_some(installed)
}

#[test]
fn a_person_delegates_approves_and_lands_in_neovim() {
    let Some(nvim) = neovim() else {
        let all = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
        assert!(!all, "Neovim is required: run tests/tools/install.sh nvim");
        println!("skipped: no Neovim; run tests/tools/install.sh nvim");
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let desk = Desk::new();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", STORY_S_MAX]).arg(nvim);
    command.args(["--clean", "--headless", "-n", "-u", "NONE", "-l"]);
    command.arg(here.join("tests/editors/nvim.lua")).arg(here.join("editors/nvim"));
    command.arg(env!("CARGO_BIN_EXE_baton")).current_dir(&desk.root);
    desk.isolate(&mut command);
    let done = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let mut stop = Command::new(env!("CARGO_BIN_EXE_baton"));
    desk.isolate(&mut stop);
    let stopped = stop.args(["daemon", "stop"]).output().unwrap();
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(String::from_utf8_lossy(&stopped.stdout).contains("has ended"), "the team outlived it");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
    assert!(out.contains("the buffer shows it"), "{out}");
    let landed = desk.git(&["show", "--stat", "--format=%an%n%B", "HEAD"]);
    assert!(landed.starts_with("Person\n"), "{landed}");
    assert!(landed.contains("Baton-Task: T1"), "{landed}");
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert_eq!(desk.read("notes.md"), "# Notes\n", "unsaved text stays in the editor");
    let seen = desk.store(&["log", "--all", "--format=%H"]);
    let holds = |commit: &str| {
        let tree = desk.store(&["ls-tree", "--name-only", commit]);
        tree.contains("notes.md")
            && desk
                .store(&["show", &format!("{commit}:notes.md")])
                .contains("unsaved in Neovim: ä🦀")
    };
    assert!(seen.lines().any(holds), "the snapshot holds the unsaved text");
}

#[test]
fn the_client_is_forty_lines() {
    let text = include_str!("../../editors/nvim/lsp/baton.lua");
    assert!(text.lines().count() <= 40);
    assert!(text.lines().all(|it| it.chars().count() <= 120));
}
