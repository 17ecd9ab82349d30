//! Trust, doctor and the sandbox: what a person asks before anything runs.

use super::world::{HONEST, World};

const TEAM: &str =
    "[[check]]\nname = \"x\"\ncommand = [\"true\"]\nreport = \"exit\"\nrequired = true\n";

#[test]
fn trust_is_shown_given_bound_to_content_and_taken_back() {
    let world = World::with_files(&[("a.txt", "a"), (".baton/team.toml", TEAM)]);
    // Nobody said yes: nothing is trusted.
    let asked = world.baton(&["trust"]);
    asked.ends(3).complains(&["refused to trust it", "--yes"]);
    assert!(
        asked.out.contains(".baton/team.toml") && asked.out.contains("command"),
        "{}",
        asked.out
    );
    world.baton(&["trust", "--json"]).ends(3);
    world.baton(&["trust", "--yes"]).ends(0);
    assert_eq!(world.baton(&["trust", "--json"]).ends(0).json()["trusted"], true);
    assert_eq!(
        world.baton(&["trust", "--list", "--json"]).ends(0).json().as_array().unwrap().len(),
        1
    );
    std::fs::write(world.repo.join(".baton/team.toml"), format!("{TEAM}\n# more\n")).unwrap();
    assert_eq!(world.baton(&["trust", "--json"]).ends(3).json()["trusted"], false);
    world.baton(&["trust", "--yes"]).ends(0);
    world.baton(&["trust", "--revoke"]).ends(0);
    world.baton(&["trust", "--json"]).ends(3);
}

#[test]
fn no_other_command_trusts() {
    let world = World::with_files(&[("answer.txt", "wrong\n"), (".baton/team.toml", TEAM)]);
    world.script(HONEST);
    let ran = world.baton(&["run", "--yes", "it is wrong"]);
    assert!(ran.err.contains("ignored until you trust them: .baton/team.toml"), "{}", ran.err);
    world.baton(&["doctor"]);
    world.baton(&["board"]);
    assert_eq!(world.baton(&["trust", "--json"]).json()["trusted"], false);
    let task = world.baton(&["task", "T1", "--json"]).json();
    let commands: Vec<_> = task["runs"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["receipts"].as_array().unwrap())
        .filter(|it| it["ran"] == "check")
        .collect();
    assert!(commands.is_empty(), "an untrusted check ran: {commands:?}");
}

#[test]
fn nothing_to_trust_is_fine() {
    let world = World::with_files(&[("a.txt", "a")]);
    assert!(world.baton(&["trust"]).ends(0).out.contains("Nothing in this repository would act"));
}

#[test]
fn hostile_text_does_nothing_to_the_terminal() {
    let hostile = format!("{TEAM}# \u{1b}]0;owned\u{7} \u{202e}gnp.exe\n");
    let world = World::with_files(&[("a.txt", "a"), (".baton/team.toml", &hostile)]);
    let shown = world.baton(&["trust"]);
    assert!(shown.out.contains("gnp.exe"), "{}", shown.out);
    assert!(!shown.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", shown.out);
}

#[test]
fn doctor_says_what_there_is() {
    let world = World::with(HONEST);
    let found = world.baton(&["doctor", "--json"]).ends(0).json();
    let of = |what: &str| {
        let all = found.as_array().unwrap();
        all.iter().find(|it| it["what"] == what).unwrap_or_else(|| panic!("no {what}")).clone()
    };
    assert_eq!(of("checks")["says"], "answer: `grep -q right answer.txt`");
    for what in ["repository", "log", "lock", "trust", "model", "sandbox", "disk", "versions"] {
        assert_ne!(of(what)["health"], "bad", "{what}: {}", of(what)["says"]);
    }
    assert!(of("sandbox")["says"].as_str().unwrap().starts_with("full"), "{}", of("sandbox"));
}

#[test]
fn a_confined_command_sees_little_and_tells_its_own_exit_code() {
    let world = World::with(HONEST);
    std::fs::write(world.dir.path().join("home/secret"), "a secret").unwrap();
    world.baton(&["sandbox", "--", "sh", "-c", "exit 7"]).ends(7);
    let secret = world.dir.path().join("home/secret");
    let looked = world.baton(&["sandbox", "--", "cat", secret.to_str().unwrap()]);
    assert_ne!(looked.code, 0);
    assert!(!looked.out.contains("a secret"), "{}", looked.out);
    let wrote = world.dir.path().join("work");
    std::fs::create_dir(&wrote).unwrap();
    let dir = wrote.to_str().unwrap();
    world.baton(&["sandbox", "--dir", dir, "--", "sh", "-c", "echo hi > here"]).ends(0);
    assert_eq!(std::fs::read_to_string(wrote.join("here")).unwrap(), "hi\n");
    world.baton(&["sandbox", "--slot", "../x", "--", "true"]).ends(1).complains(&["no slot"]);
}
