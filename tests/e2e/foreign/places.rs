//! Repositories as people have them: without a check that is known, on no branch, in a linked worktree,
//! behind a symlink, in a folder with spaces and umlauts.

use super::server::{KEY, mend, with};
use super::world::{NUMBERS, PROJECT, World, said};
use serde_json::{Value, json};

const BRIEF: &str = "two is three";
const FILE: &str = "src/numbers.txt";

/// The only branch of Baton's, and that it is the fix on this parent.
#[track_caller]
fn branch_with_the_fix(world: &World, parent: &str) -> String {
    let all = world.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/baton"]);
    assert!(all.starts_with("baton/T1") && all.lines().count() == 1, "{all:?}");
    assert_eq!(world.landed_lines(&all), ["-two = 3", "+two = 2"]);
    assert_eq!(world.git(&["rev-parse", &format!("{all}^@")]), parent);
    all
}

#[test]
fn a_python_project_without_a_known_check_waits_for_the_person() {
    let source = "def area(width, height):\n    return width + height\n";
    let test = "from area import area\n\ndef test_area():\n    assert area(2, 3) == 6\n";
    let world =
        World::new(&[("area.py", source), ("checks_by_hand.py", test), ("README.md", "# area\n")]);
    let plan = json!({
        "key": KEY, "summary": "The area is a product.", "command": "python3 -c 'import area'",
        "edits": [{ "path": "area.py", "old": "width + height", "new": "width * height" }],
    });
    let Some(_server) = world.stranger(&plan) else { return };
    let before = world.digest();
    let ran = world.baton(&["run", "--yes", "area adds instead of multiplying"]).ends(2);
    let ran = ran.points(&["no checks ran", "answer A1 approve"]);
    assert!(ran.out.contains("checks: none found"), "{}", ran.out);
    assert_eq!(world.digest(), before, "a rule lands nothing that is not proven");
    world.baton(&["answer", "A1", "approve"]).ends(0);
    let landed = ["-    return width + height", "+    return width * height"];
    assert_eq!(world.landed_lines("HEAD"), landed);
    let trailers = world.git(&["log", "-1", "--format=%(trailers:only)"]);
    assert_eq!(trailers, "Baton-Task: T1", "no check is claimed");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn plain_text_without_any_check_can_be_applied_as_edits() {
    let world = World::new(&[("letter.txt", "Dear Sir,\n\nI recieve.\n\nYours\n")]);
    let edit = json!([{ "path": "letter.txt", "old": "recieve", "new": "receive" }]);
    let plan = json!({ "key": KEY, "summary": "Spell receive.", "class": "docs", "edits": edit });
    let Some(_server) = world.stranger(&plan) else { return };
    let before = world.digest();
    world.baton(&["run", "--yes", "a word is misspelt"]).ends(2);
    world.baton(&["answer", "A1", "apply"]).ends(0);
    assert_eq!(world.read("letter.txt"), "Dear Sir,\n\nI receive.\n\nYours\n");
    assert_eq!(world.git(&["status", "--porcelain"]), " M letter.txt");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn on_a_detached_head_a_new_branch_takes_the_fix() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    world.git(&["checkout", "-q", "--detach"]);
    let start = world.git(&["rev-parse", "HEAD"]);
    world.write(FILE, &NUMBERS.replace("seven", "SEVEN"));
    world.git(&["add", FILE]);
    let files = world.git(&["status", "--porcelain"]);
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    let branch = branch_with_the_fix(&world, &start);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), start);
    assert_eq!(world.git(&["rev-parse", "main"]), start);
    assert_eq!(world.git(&["status", "--porcelain"]), files);
    assert_eq!(world.read(FILE), NUMBERS.replace("seven", "SEVEN"));
    world.baton(&["undo", "T1"]).ends(0);
    assert!(!world.git(&["branch", "--list"]).contains(&branch));
}

#[test]
fn a_person_who_wants_branches_gets_one_and_no_checkout_is_touched() {
    let Some((world, server)) = World::mended_by_stranger(&mend()) else { return };
    world.configure(&server.url, "\n[land]\nto = \"branch\"\n");
    let start = world.git(&["rev-parse", "HEAD"]);
    world.write(FILE, &NUMBERS.replace("seven", "SEVEN"));
    world.git(&["add", FILE]);
    world.write("notes.txt", "dirty\n");
    let (index, files) =
        (world.git(&["ls-files", "--stage"]), world.git(&["status", "--porcelain"]));
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    branch_with_the_fix(&world, &start);
    assert_eq!(world.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(world.git(&["rev-parse", "HEAD"]), start);
    assert_eq!(world.git(&["ls-files", "--stage"]), index);
    assert_eq!(world.git(&["status", "--porcelain"]), files);
    // A second one gets a branch of its own.
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    let all = world.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/baton"]);
    assert_eq!(all.lines().count(), 2, "{all}");
}

#[test]
fn a_linked_worktree_is_where_its_task_lands() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let side = world.beside("side tree");
    world.git(&["worktree", "add", "-q", "-b", "topic", side.to_str().unwrap()]);
    world.write(FILE, &NUMBERS.replace("seven", "SEVEN"));
    world.git(&["add", FILE]);
    let (index, start) = (world.git(&["ls-files", "--stage"]), world.git(&["rev-parse", "HEAD"]));
    let ran = said(&world.baton_in(&side, &["run", "--yes", BRIEF]).output().unwrap()).ends(0);
    assert!(ran.out.contains("landed T1 on topic"), "{}", ran.out);
    assert_eq!(world.landed_lines("topic"), ["-two = 3", "+two = 2"]);
    assert_eq!(world.git_in(&side, &["status", "--porcelain"]), "");
    assert!(std::fs::read_to_string(side.join(FILE)).unwrap().contains("two = 2"));
    assert_eq!(world.git(&["rev-parse", "main"]), start);
    assert_eq!(world.git(&["ls-files", "--stage"]), index);
    assert_eq!(world.read(FILE), NUMBERS.replace("seven", "SEVEN"));
    // One hub for both: the other worktree knows of it, and takes it back there.
    let board = world.baton(&["board", "--all"]).ends(0);
    assert!(board.out.contains("landed as"), "{}", board.out);
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.git(&["rev-parse", "topic"]), start);
    assert_eq!(std::fs::read_to_string(side.join(FILE)).unwrap(), NUMBERS);
    assert_eq!(world.git_in(&side, &["status", "--porcelain"]), "");
    assert_eq!(world.read(FILE), NUMBERS.replace("seven", "SEVEN"));
}

/// Delegated in one worktree, answered from another: the edits belong to the first.
#[test]
fn edits_go_to_the_worktree_that_was_seen() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let side = world.beside("side");
    world.git(&["worktree", "add", "-q", "-b", "topic", side.to_str().unwrap()]);
    let mine = NUMBERS.replace("three = 3", "three = 3 # mine");
    std::fs::write(side.join(FILE), &mine).unwrap();
    let before = world.digest();
    said(&world.baton_in(&side, &["run", "--yes", BRIEF]).output().unwrap()).ends(2);
    world.baton(&["answer", "A1", "apply"]).ends(0);
    assert_eq!(world.digest(), before, "the other worktree is not meant");
    let there = std::fs::read_to_string(side.join(FILE)).unwrap();
    assert_eq!(there, mine.replace("two = 3", "two = 2"));
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(std::fs::read_to_string(side.join(FILE)).unwrap(), mine);
    assert_eq!(world.digest(), before);
}

#[test]
fn a_symlink_to_a_repository_is_the_repository() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let (start, link) = (world.git(&["rev-parse", "HEAD"]), world.beside("link"));
    std::os::unix::fs::symlink(&world.root, &link).unwrap();
    said(&world.baton_in(&link, &["run", BRIEF]).output().unwrap()).ends(2);
    let board: Value =
        serde_json::from_str(&world.baton(&["board", "--json"]).ends(0).out).unwrap();
    assert_eq!(board["approvals"][0]["id"], "A1", "one board for both names");
    let inside = link.join("src");
    said(&world.baton_in(&inside, &["answer", "A1", "approve"]).output().unwrap()).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn spaces_and_umlauts_in_names_are_names() {
    let name = "größte Übung/src/zähl werk \"neu\".txt";
    let check = format!("grep -q '^two = 2$' '{name}'\n");
    let mut files = vec![(name, NUMBERS), ("check.sh", check.as_str())];
    files.extend(PROJECT.iter().filter(|it| it.0 == ".baton/team.toml"));
    let world = World::at("Müller & Söhne/mein projekt (1)", &files);
    let edits = json!([{ "path": name, "old": "two = 3", "new": "two = 2" }]);
    let Some(_server) = world.stranger(&with(mend(), "edits", edits)) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    let start = world.git(&["rev-parse", "HEAD"]);
    let mine = NUMBERS.replace("seven", "SEVEN");
    world.write(name, &mine);
    world.baton(&["run", "--yes", BRIEF]).ends(2);
    world.baton(&["answer", "A1", "approve", "--tick", name]).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!(world.read(name), mine.replace("two = 3", "two = 2"));
    let elsewhere = world.beside("home");
    let repo = world.root.to_str().unwrap();
    let args = ["--repo", repo, "undo", "T1"];
    said(&world.baton_in(&elsewhere, &args).output().unwrap()).ends(0);
    assert_eq!(world.read(name), mine);
}
