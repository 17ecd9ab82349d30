//! `baton say`: a person steers a task, whoever works on it and whether or not anybody does.

use crate::story::Story;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// An Engineer that goes on only where it was told the secret.
const TOLD: &str = r#"
says = "scripted"
[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
input = { class = "bug", severity = "low", summary = "x", criteria = ["two is 2"] }
[[run]]
duty = "change"
heard = "the word is heron"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "src/numbers.txt", old = "two = 3", new = "two = 2" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "Two is two." }
[[run]]
duty = "change"
[[run.reply]]
[[run.reply.call]]
name = "decline"
input = { why = "nobody told me the word" }
[[run]]
duty = "verdict"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_verdict"
input = { verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked" }
"#;

#[test]
fn words_for_a_parked_task_are_kept_for_its_next_run() {
    let story = Story::new(TOLD);
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    // Nothing is under way: it is written down, and the exit code says so.
    story.ok(&["say", "T1", "the word is heron"]);
    let task = story.ok(&["task", "T1"]);
    assert!(task.contains("the word is heron (kept for the next run)"), "{task}");
    story.ok(&["retry", "T1", "--json"]);
}

#[test]
fn every_later_run_knows_what_was_said() {
    let story = Story::new(TOLD);
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    story.ok(&["say", "T1", "the word is heron"]);
    story.run(&["retry", "T1"]);
    let task = story.ok(&["task", "T1", "--json"]);
    let task: serde_json::Value = serde_json::from_str(&task).unwrap();
    assert_eq!(task["words"][0]["text"], "the word is heron");
    let heard = task["words"][0]["heardBy"].as_array().unwrap().len();
    assert!(2 <= heard, "the Engineer and the Tester: {task}");
    assert_eq!(story.read("src/numbers.txt").lines().nth(1), Some("two = 2"));
}

#[test]
fn a_second_process_is_told_who_works_here_and_a_closed_task_takes_no_words() {
    let script = TOLD.replace(
        "[[run]]\nduty = \"change\"\nheard",
        "[[run]]\nduty = \"change\"\n[[run.reply]]\ntext = \"thinking\"\n[run.reply.fault]\nstall_after_bytes = 10\n[[run]]\nduty = \"change\"\nheard",
    );
    let story = Story::new(&script);
    let mut busy = story.baton(&["run", "--json", "two is three"]);
    let mut busy = busy.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(busy.stdout.take().unwrap()).lines();
    assert!(lines.any(|it| it.unwrap().contains("runStarted")));
    let refused = story.run(&["say", "T1", "hello"]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(&format!("process {}", busy.id())), "{error}");
    busy.kill().unwrap();
    busy.wait().unwrap();
    story.run(&["cancel", "T1"]);
    story.exits(3, &["say", "T1", "too late"]);
    story.exits(64, &["say", "T1", " "]);
    story.exits(3, &["say", "T9", "hello"]);
}
