//! The person's own text in the way of the fix: staged, changed and not saved, in the same file, in the
//! next line, committed meanwhile. What lands is the fix alone, and the person's text stays as it was.

use super::server::{Server, mend, with};
use super::world::{NUMBERS, PROJECT, World, said};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const BRIEF: &str = "two is three";
const FILE: &str = "src/numbers.txt";

/// The person's text, far from the fix.
fn far(of: &str) -> String {
    of.replace("seven = 7", "seven = 7 # süß, mine")
}

fn fixed(of: &str) -> String {
    of.replace("two = 3", "two = 2")
}

fn world() -> Option<(World, Server)> {
    World::mended_by_stranger(&mend())
}

#[test]
fn staged_text_in_another_file_stays_staged_and_the_fix_lands() {
    let Some((world, _server)) = world() else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    world.write("notes.txt", "first\nsecond, staged\nthird\n");
    world.write("new.txt", "staged and new\n");
    world.git(&["add", "notes.txt", "new.txt"]);
    world.write("notes.txt", "first\nsecond, staged\nthird, not staged\n");
    world.write("untracked.txt", "mine\n");
    let before = (world.git(&["diff", "--cached"]), world.git(&["diff"]));
    let status = world.git(&["status", "--porcelain"]);
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!((world.git(&["diff", "--cached"]), world.git(&["diff"])), before);
    assert_eq!(world.git(&["status", "--porcelain"]), status);
    assert_eq!(world.read(FILE), fixed(NUMBERS));
    assert_eq!(world.read("untracked.txt"), "mine\n");
}

#[test]
fn staged_text_in_the_same_file_moves_nothing_and_edits_are_offered() {
    let Some((world, _server)) = world() else { return };
    world.write(FILE, &far(NUMBERS));
    world.git(&["add", FILE]);
    let (before, staged) = (world.digest(), world.git(&["diff", "--cached"]));
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(2);
    ran.points(&["A1 waits for you", "answer A1 apply", FILE]);
    assert_eq!(world.digest(), before, "nothing moved");

    world.baton(&["answer", "A1", "approve"]).ends(3);
    assert_eq!(world.digest(), before, "nothing moved");

    world.baton(&["answer", "A1", "apply"]).ends(0);
    assert_eq!(world.read(FILE), fixed(&far(NUMBERS)));
    assert_eq!(world.git(&["diff", "--cached"]), staged, "what was staged stays staged");
    let mine = world.git(&["diff", "-U0"]);
    assert!(mine.contains("\n-two = 3\n+two = 2") && !mine.contains("seven"), "{mine}");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn unstaged_text_in_the_same_file_is_merged_when_the_person_ticks_it() {
    let Some((world, _server)) = world() else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    world.write(FILE, &far(NUMBERS));
    let (before, mine) = (world.digest(), world.git(&["diff", "-U0"]));
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(2);
    ran.points(&[&format!("answer A1 approve --tick {FILE}")]);
    assert_eq!(world.digest(), before, "a rule merges into nobody's dirty file");
    world.baton(&["answer", "A1", "approve"]).ends(3).points(&["--tick", FILE]);
    assert_eq!(world.digest(), before, "nothing moved");

    world.baton(&["answer", "A1", "approve", "--tick", FILE]).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!(world.read(FILE), fixed(&far(NUMBERS)));
    assert_eq!(world.git(&["diff", "--cached"]), "");
    let after = world.git(&["diff", "-U0"]);
    let lines = |it: &str| {
        it.lines().filter(|it| !it.starts_with("index ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&after), lines(&mine), "git shows the person's edits and nothing else");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn text_in_the_next_line_is_kept_by_edits_and_taken_back_byte_for_byte() {
    let Some((world, _server)) = world() else { return };
    let mine = NUMBERS.replace("three = 3", "three = 3 # next to it");
    world.write(FILE, &mine);
    let before = world.digest();
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(2);
    ran.points(&["A1 waits for you", "can't land on the branch", "answer A1 apply"]);
    assert_eq!(world.digest(), before);
    world.baton(&["answer", "A1", "apply"]).ends(0);
    assert_eq!(world.read(FILE), fixed(&mine));
    assert_eq!(world.git(&["log", "--format=%s"]), "start");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn text_in_the_next_line_that_is_committed_first_lets_the_fix_land() {
    let Some((world, _server)) = world() else { return };
    let mine = NUMBERS.replace("three = 3", "three = 3 # next to it");
    world.write(FILE, &mine);
    world.baton(&["run", BRIEF]).ends(2);
    world.git(&["commit", "-qam", "mine first"]);
    let tip = world.git(&["rev-parse", "HEAD"]);
    world.baton(&["answer", "A1", "rebuild"]).ends(2).points(&["answer A2 approve"]);
    world.baton(&["answer", "A2", "approve"]).ends(0);
    world.landed_the_fix_alone(&tip);
    assert_eq!(world.read(FILE), fixed(&mine));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_is_committed_meanwhile_stays_below_the_same_change() {
    let Some((world, _server)) = world() else { return };
    world.write(FILE, &far(NUMBERS));
    world.baton(&["run", BRIEF]).ends(2);
    // The very text that was in the way, and a file beside it.
    world.write("notes.txt", "first\nsecond\nthird\nfourth\n");
    world.git(&["commit", "-qam", "meanwhile"]);
    let tip = world.git(&["rev-parse", "HEAD"]);
    let said = world.baton(&["answer", "A1", "approve", "--tick", FILE]).ends(0);
    assert!(said.out.contains("A1 still holds: the same change is green"), "{}", said.out);
    world.landed_the_fix_alone(&tip);
    assert_eq!(world.read(FILE), fixed(&far(NUMBERS)));
    assert_eq!(world.git(&["log", "--format=%s"]), "Two is two.\nmeanwhile\nstart");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_same_fix_committed_meanwhile_leaves_nothing_to_land() {
    let Some((world, _server)) = world() else { return };
    world.baton(&["run", BRIEF]).ends(2);
    world.write(FILE, &fixed(NUMBERS));
    world.git(&["commit", "-qam", "I did it myself"]);
    let before = world.digest();
    world.baton(&["answer", "A1", "approve"]).ends(2).points(&["nothing to land"]);
    assert_eq!(world.digest(), before);
}

#[test]
fn another_value_committed_meanwhile_is_a_conflict_and_moves_nothing() {
    let Some((world, _server)) = world() else { return };
    world.baton(&["run", BRIEF]).ends(2);
    world.write(FILE, &NUMBERS.replace("two = 3", "two = 22"));
    world.git(&["commit", "-qam", "another way"]);
    let before = world.digest();
    world
        .baton(&["answer", "A1", "approve"])
        .ends(2)
        .points(&["A2 waits for you", "answer A2 apply"]);
    assert_eq!(world.digest(), before);
    // Not even as edits: the person's line says something else.
    world.baton(&["answer", "A2", "apply"]).ends(2);
    assert_eq!(world.digest(), before);
}

#[test]
fn a_branch_amended_below_the_task_still_takes_the_fix() {
    let Some((world, _server)) = world() else { return };
    world.baton(&["run", BRIEF]).ends(2);
    world.write("notes.txt", "amended\n");
    world.git(&["commit", "-q", "--amend", "-am", "start, amended"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    let tip = world.git(&["rev-parse", "HEAD"]);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    world.landed_the_fix_alone(&tip);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

/// While the roles are still at work: the candidate is built on what is there then.
#[test]
fn what_is_committed_while_the_engineer_works_stays_below_the_fix() {
    let slow = with(mend(), "faults", json!({ "3": 429 }));
    let Some((world, _server)) = World::mended_by_stranger(&slow) else { return };
    world.write(FILE, &far(NUMBERS));
    let mut command = world.baton_in(&world.root, &["run", "--yes", "--json", BRIEF]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let engineer = lines.find(|it| it.as_ref().unwrap().contains("\"who\":\"Engineer\""));
    assert!(engineer.is_some());
    world.git(&["commit", "-qam", "while it works"]);
    let tip = world.git(&["rev-parse", "HEAD"]);
    let last = lines.last().unwrap().unwrap();
    said(&child.wait_with_output().unwrap()).ends(0);
    assert!(last.contains("taskLanded"), "{last}");
    world.landed_the_fix_alone(&tip);
    assert_eq!(world.read(FILE), fixed(&far(NUMBERS)));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn on_another_branch_meanwhile_the_person_keeps_their_checkout() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    world.baton(&["run", BRIEF]).ends(2);
    world.git(&["checkout", "-q", "-b", "elsewhere"]);
    world.write(FILE, &far(NUMBERS));
    world.git(&["add", FILE]);
    let (status, index) = (world.git(&["status", "--porcelain"]), world.git(&["ls-files", "-s"]));
    world.baton(&["answer", "A1", "approve"]).ends(0);
    assert_eq!(world.landed_lines("main"), ["-two = 3", "+two = 2"]);
    assert_eq!(world.git(&["rev-parse", "main^@"]), start);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), start);
    assert_eq!(world.git(&["symbolic-ref", "HEAD"]), "refs/heads/elsewhere");
    assert_eq!(world.git(&["status", "--porcelain"]), status);
    assert_eq!(world.git(&["ls-files", "-s"]), index);
    assert_eq!(world.read(FILE), far(NUMBERS));
}

/// Green on what the person sees, red on the branch: it needs a file that is not committed.
#[test]
fn a_fix_that_needs_uncommitted_text_is_offered_as_edits() {
    let check = "grep -q '^two = 2$' src/numbers.txt && grep -q helps helper.txt\n";
    let files: Vec<(&str, &str)> =
        PROJECT.iter().map(|it| if it.0 == "check.sh" { (it.0, check) } else { *it }).collect();
    let world = World::new(&files);
    let Some(_server) = world.stranger(&mend()) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    world.write("helper.txt", "it helps\n");
    let before = world.digest();
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(2);
    ran.points(&["can't land on the branch", "answer A1 apply"]);
    assert_eq!(world.digest(), before);
    world.baton(&["answer", "A1", "apply"]).ends(0);
    assert_eq!(world.git(&["status", "--porcelain"]), " M src/numbers.txt\n?? helper.txt");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn the_mock_of_others_lands_it_beside_the_persons_text_too() {
    let world = World::new(PROJECT);
    let Some(server) = Server::aimock(&world.home, &mend()) else { return };
    world.configure(&server.url, "");
    world.baton(&["trust", "--yes"]).ends(0);
    let start = world.git(&["rev-parse", "HEAD"]);
    world.write(FILE, &far(NUMBERS));
    let before = world.digest();
    world.baton(&["run", "--yes", BRIEF]).ends(2);
    assert_eq!(world.digest(), before);
    world.baton(&["answer", "A1", "approve", "--tick", FILE]).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!(world.read(FILE), fixed(&far(NUMBERS)));
    assert_eq!(world.git(&["status", "--porcelain"]), " M src/numbers.txt");
}

#[test]
fn a_file_without_an_end_of_line_and_with_crlf_keeps_both() {
    let text = "# numbers\r\none = 1\r\ntwo = 3\r\nthree = 3\r\nfour = 4\r\nfive = 5";
    let files: Vec<(&str, &str)> = PROJECT
        .iter()
        .map(|it| match it.0 {
            FILE => (FILE, text),
            "check.sh" => ("check.sh", "grep -q '^two = 2' src/numbers.txt\n"),
            _ => *it,
        })
        .collect();
    let world = World::new(&files);
    let Some(_server) = world.stranger(&mend()) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    assert_eq!(world.read(FILE), fixed(text));
    assert_eq!(world.landed_lines("HEAD"), ["-two = 3\r", "+two = 2\r"]);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}
