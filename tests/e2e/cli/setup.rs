//! What sets Baton up: a team file, completions, the manual.

use super::world::World;
use std::process::Command;

#[test]
fn init_writes_a_file_that_changes_nothing_and_never_another_one() {
    let world = World::with_files(&[("Cargo.toml", "[package]\nname = \"x\"\n")]);
    let file = world.repo.join(".baton/team.toml");
    world.baton(&["init", "--dry-run"]).ends(0);
    assert!(!file.exists());
    let said = world.baton(&["init"]);
    said.ends(0);
    assert!(said.out.contains("cargo test") && said.out.contains("baton trust"), "{}", said.out);
    let text = std::fs::read_to_string(&file).unwrap();
    let acts: Vec<&str> =
        text.lines().filter(|it| !it.is_empty() && !it.starts_with('#')).collect();
    assert_eq!(acts, ["version = 1"]);
    std::fs::write(&file, "mine").unwrap();
    world.baton(&["init"]).ends(3).complains(&["already"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let json = world.baton(&["init", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(
        (json["written"].as_bool(), &json["checks"][0]["name"]),
        (Some(false), &"test".into())
    );
}

#[test]
fn init_goes_through_no_link() {
    let world = World::with_files(&[("a.txt", "a")]);
    let outside = world.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.repo.join(".baton")).unwrap();
    world.baton(&["init"]).ends(3);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

/// Each shell takes its script, and completes a command with it where that can be asked for.
#[test]
fn completions_are_what_the_shell_reads() {
    let world = World::empty();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.baton(&["completions", shell]);
        script.ends(0);
        for word in ["completions", "answer", "--plain"] {
            let bare = word.trim_start_matches('-');
            assert!(script.out.contains(bare), "{shell}: {word}");
        }
    }
    world.baton(&["completions", "tcsh"]).ends(64);
    let script = world.baton(&["completions", "bash"]).out;
    let ask = format!(
        "{script}\nCOMP_WORDS=(baton ans); COMP_CWORD=1; _baton baton ans baton; echo \"${{COMPREPLY[@]}}\""
    );
    let said = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "answer", "{said:?}");
}

#[test]
fn the_manual_is_a_page_of_roff() {
    let world = World::empty();
    let page = world.baton(&["man"]).ends(0).out.clone();
    assert!(page.contains(".TH baton 1") && page.contains("Exit codes"), "{page}");
    let page = world.baton(&["man", "answer"]).ends(0).out.clone();
    assert!(page.contains("approve") && page.contains("tick"), "{page}");
    world.baton(&["man", "fly"]).ends(64).complains(&["fly"]);
}
