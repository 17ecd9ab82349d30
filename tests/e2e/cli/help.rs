//! Help, wrong use, and the generated page of the documentation.

use super::world::World;
use std::fmt::Write;
use std::path::Path;

#[test]
fn the_documentation_is_what_the_program_says() {
    let mut page = String::from(
        "# The command line\n\nGenerated from the program's own help; `UPDATE=1 cargo test` \
         rewrites it.\n",
    );
    for (name, text) in baton::cli::help_pages() {
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim()).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    if std::env::var_os("UPDATE").is_some_and(|it| it == "1") {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/cli.md is not what the program says; UPDATE=1 rewrites it");
}

#[test]
fn help_is_asked_for_and_wrong_use_is_64() {
    let world = World::empty();
    for asked in [&["--help"][..], &["-h"], &["run", "--help"], &["--version"], &[]] {
        let said = world.baton(asked);
        said.ends(0);
        assert!(said.out.contains("baton"), "{asked:?}: {}", said.out);
    }
    for wrong in [
        &["fly"][..],
        &["run"],
        &["run", "x", "--bogus"],
        &["task", "seven"],
        &["replay", "R4"],
        &["answer", "T1", "approve"],
        &["answer", "A1"],
        &["demo", "--seed", "9"],
        &["demo", "--cheat", "--script", "x"],
        &["run", "x", "--yes", "--no-land"],
        &["sandbox"],
        &["daemon"],
        &["daemon", "dance"],
        &["--color", "blue", "board"],
    ] {
        let said = world.baton(wrong);
        said.ends(64);
        assert!(said.out.is_empty(), "{wrong:?} spoke on standard output: {}", said.out);
        assert!(!said.err.is_empty(), "{wrong:?} said nothing");
    }
}

#[test]
fn a_decision_must_be_one_of_the_words() {
    let world = World::with_files(&[("a.txt", "a")]);
    world.baton(&["answer", "A1", "yes"]).ends(64).complains(&["approve", "reject"]);
    world.baton(&["answer", "A1", "approve", "it"]).ends(64).complains(&["-m"]);
    world.baton(&["answer", "A1", "revise"]).ends(64).complains(&["-m"]);
    world.baton(&["answer", "A1", "reject", "--tick", "x"]).ends(64).complains(&["--tick"]);
    world.baton(&["run", "  "]).ends(64).complains(&["baton run"]);
}

#[test]
fn tools_are_listed_for_people_and_programs() {
    let world = World::empty();
    let tools = world.baton(&["tools", "--json"]).ends(0).json();
    let roles = tools["roles"].as_array().unwrap();
    let engineer = roles.iter().find(|it| it["role"] == "Engineer").unwrap();
    let names: Vec<_> = engineer["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"edit_file") && names.contains(&"hand_over_change"), "{names:?}");
    assert!(!names.contains(&"hand_over_verdict"), "an Engineer can't pass its own work");
    assert!(world.baton(&["tools"]).ends(0).out.contains("hand_over_verdict"));
}

#[test]
fn colours_only_where_they_were_asked_for() {
    let world = World::with_files(&[("a.txt", "a")]);
    let plain = world.baton(&["doctor"]);
    assert!(!plain.out.contains('\u{1b}'), "{:?}", plain.out);
    let colour = world.baton(&["doctor", "--color", "always"]);
    assert!(colour.out.contains("\u{1b}["), "{:?}", colour.out);
}
