//! What a person answers, and what comes of it: approve, revise, reject, questions, several tasks, and
//! the ways to say it: standard input, and lines for programs.

use super::server::{mend, with};
use super::world::{NUMBERS, World, said};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const BRIEF: &str = "two is three";
const FILE: &str = "src/numbers.txt";

fn lines(said: &super::world::Said) -> Vec<Value> {
    let parse = |it: &str| serde_json::from_str(it).unwrap_or_else(|why| panic!("{why} in {it:?}"));
    said.out.lines().map(parse).collect()
}

#[test]
fn the_candidate_waits_where_nothing_shall_land_and_is_approved_later() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let (before, start) = (world.digest(), world.git(&["rev-parse", "HEAD"]));
    world.baton(&["run", "--no-land", BRIEF]).ends(0).points(&["answer A1 approve"]);
    assert_eq!(world.digest(), before);
    let diff = world.baton(&["diff", "T1", "--patch"]).ends(0);
    assert!(diff.out.contains("-two = 3\n+two = 2"), "{}", diff.out);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    world.landed_the_fix_alone(&start);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.digest(), before, "byte for byte");
}

#[test]
fn comments_go_back_to_the_engineer_and_a_second_approval_covers_both() {
    let again = json!([{ "path": "notes.txt", "old": "third", "new": "third: two is two" }]);
    let plan = with(mend(), "again", again);
    let Some((world, server)) = World::mended_by_stranger(&plan) else { return };
    world.baton(&["run", BRIEF]).ends(2);
    let words = "say so in the notes – auf Deutsch";
    world.baton(&["answer", "A1", "revise", "-m", words]).ends(2).points(&["answer A2 approve"]);
    let last = server.asked().into_iter().rfind(|it| it["body"].to_string().contains(words));
    assert!(last.is_some(), "the comment reached the model");
    world.baton(&["answer", "A1", "approve"]).ends(3).points(&["already answered"]);
    world.baton(&["answer", "A2", "approve"]).ends(0);
    let expected = ["-third", "+third: two is two", "-two = 3", "+two = 2"];
    assert_eq!(world.landed_lines("HEAD"), expected);
    assert_eq!(world.git(&["rev-list", "--count", "HEAD"]), "2", "one commit for both");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_rejected_change_leaves_nothing_behind() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let before = world.digest();
    world.baton(&["run", BRIEF]).ends(2);
    world.baton(&["answer", "A1", "reject", "-m", "three is right"]).ends(0);
    assert_eq!(world.digest(), before);
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"]);
    assert_eq!(refs, "refs/heads/main");
    world.baton(&["answer", "A1", "approve"]).ends(3).points(&["already answered"]);
    world.baton(&["retry", "T1"]).ends(3);
    world.baton(&["undo", "T1"]).ends(3);
    assert_eq!(world.digest(), before);
}

#[test]
fn two_tasks_one_after_the_other_land_on_each_other() {
    let Some((world, server)) = World::mended_by_stranger(&mend()) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    world.baton(&["run", "--yes", BRIEF]).ends(0);
    world.landed_the_fix_alone(&start);
    let first = world.git(&["rev-parse", "HEAD"]);
    let edits = json!([{ "path": FILE, "old": "six = 6", "new": "six = 006" }]);
    server.plan(&with(with(mend(), "edits", edits), "summary", json!("Six is 006.")));
    world.baton(&["run", "--yes", "six shall be 006"]).ends(0);
    assert_eq!(world.git(&["rev-parse", "HEAD^@"]), first);
    assert_eq!(world.landed_lines("HEAD"), ["-six = 6", "+six = 006"]);
    let text = world.git(&["log", "-1", "--format=%B"]);
    assert!(text.starts_with("Six is 006.") && text.contains("Baton-Task: T2"), "{text}");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    // The first one is taken back by an inverse on top: the second one stays.
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!(world.read(FILE), NUMBERS.replace("six = 6", "six = 006"));
    assert_eq!(world.landed_lines("HEAD"), ["-two = 2", "+two = 3"]);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn two_tasks_that_wait_land_in_the_other_order() {
    let Some((world, server)) = World::mended_by_stranger(&mend()) else { return };
    world.baton(&["run", BRIEF]).ends(2);
    let edits = json!([{ "path": "notes.txt", "old": "third", "new": "3rd" },
        { "path": FILE, "old": "two = 3", "new": "two = 2" }]);
    server.plan(&with(mend(), "edits", edits));
    world.baton(&["run", "and the notes"]).ends(2);
    world.baton(&["answer", "A2", "approve"]).ends(0);
    let tip = world.git(&["rev-parse", "HEAD"]);
    // The other one's change is in the branch already.
    world.baton(&["answer", "A1", "approve"]).ends(2).points(&["nothing to land"]);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), tip);
    world.baton(&["cancel", "T1"]).ends(0);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_brief_comes_from_standard_input() {
    let Some((world, server)) = World::mended_by_stranger(&mend()) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let mut command = world.baton_in(&world.root, &["run", "--yes", "-"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let brief = "two is three – größer als zwei\n\n    see \"numbers\"\n";
    child.stdin.take().unwrap().write_all(brief.as_bytes()).unwrap();
    said(&child.wait_with_output().unwrap()).ends(0);
    world.landed_the_fix_alone(&start);
    let first = &server.asked()[0]["body"]["messages"][0];
    let heard = first["content"][0]["text"].as_str().unwrap();
    assert!(heard.contains(brief.trim_end()), "{heard}");
}

#[test]
fn lines_for_programs_all_parse_and_end_with_the_end_of_the_task() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let ran = world.baton(&["run", "--yes", "--json", BRIEF]).ends(0);
    let all = lines(&ran);
    let last = all.last().unwrap();
    assert_eq!((&last["event"], &last["task"]), (&json!("taskLanded"), &json!("T1")));
    assert_eq!(all[0]["event"], "taskDelegated");
    let versions: Vec<u64> = all.iter().map(|it| it["version"].as_u64().unwrap()).collect();
    assert!(versions.windows(2).all(|it| it[0] + 1 == it[1]), "none is missing: {versions:?}");
    assert_eq!(ran.err, "", "nothing else is said");
    let undone = world.baton(&["undo", "T1", "--json"]).ends(0);
    assert_eq!(lines(&undone).last().unwrap()["event"], "taskUndone");
    let log = world.baton(&["log", "--json"]).ends(0);
    assert_eq!(lines(&log)[..all.len()], all[..]);
}

#[test]
fn lines_for_programs_end_where_a_person_is_needed() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let ran = world.baton(&["run", "--json", BRIEF]).ends(2);
    assert_eq!(lines(&ran).last().unwrap()["event"], "approvalAsked");
    let answered = world.baton(&["answer", "A1", "approve", "--json"]).ends(0);
    assert_eq!(lines(&answered).last().unwrap()["event"], "taskLanded");
    for listing in [&["board", "--json"][..], &["task", "T1", "--json"], &["diff", "T1", "--json"]]
    {
        let listed = world.baton(listing).ends(0);
        let parsed: Result<Value, _> = serde_json::from_str(&listed.out);
        assert!(parsed.is_ok(), "{listing:?}: {}", listed.out);
    }
}

/// The model asks after its edit and trusts that it is still there.
#[test]
fn what_was_edited_before_a_question_is_there_after_the_answer() {
    let ask = json!({ "question": "Hand it over?", "options": ["yes", "no"], "default": "yes",
        "stakes": "little" });
    let plan = with(with(mend(), "ask_last", ask), "again", json!([]));
    let Some((world, _server)) = World::mended_by_stranger(&plan) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    world.baton(&["run", "--yes", BRIEF]).ends(2).points(&["Hand it over?"]);
    world.baton(&["answer", "Q1", "yes"]).ends(0);
    world.landed_the_fix_alone(&start);
}

#[test]
fn a_question_is_answered_by_its_number_and_the_task_goes_on() {
    let note = |word: &str| {
        let new = format!("second: {word}");
        json!({ "path": "notes.txt", "old": "second", "new": new, "if": format!("Q1: {word}") })
    };
    let edits = json!([mend()["edits"][0], note("left"), note("right")]);
    let ask = json!({
        "question": "Which side of the notes?", "options": ["left", "right"], "default": "left",
        "stakes": "a word in the notes",
    });
    let plan = with(with(mend(), "edits", edits), "ask", ask);
    let Some((world, _server)) = World::mended_by_stranger(&plan) else { return };
    let before = world.digest();
    let ran = world.baton(&["run", BRIEF]).ends(2);
    ran.points(&["Which side of the notes?", "1 left, 2 right", "answer Q1"]);
    assert_eq!(world.digest(), before);
    world.baton(&["answer", "Q1", "2"]).ends(2).points(&["answer A1 approve"]);
    world.baton(&["answer", "Q1", "1"]).ends(3);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    assert_eq!(world.landed_lines("HEAD"), ["-second", "+second: right", "-two = 3", "+two = 2"]);
}
