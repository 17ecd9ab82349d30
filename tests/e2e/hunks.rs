//! An answer that takes some hunks of a change, over the real program: what was chosen is checked by
//! itself and lands under that answer, or the whole change is asked about again.

mod comments;
mod crash;
mod far;
mod land;
mod menu;
mod typed;
mod wire;

use crate::lsp::client::Editor;
use crate::story::Story;
use serde_json::{Value, json};

/// Two hunks in one file, one in another, and a new file; only `src/numbers.txt` has the bug.
pub const SCRIPT: &str = r#"
says = "scripted"
[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
input = { class = "bug", severity = "low", summary = "x", criteria = ["two is 2"] }
[[run]]
duty = "change"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "src/numbers.txt", old = "two = 3", new = "two = 2" }
[[run.reply.call]]
name = "edit_file"
input = { path = "src/list.txt", old = "line 03\n", new = "third line\n" }
[[run.reply.call]]
name = "edit_file"
input = { path = "src/list.txt", old = "line 30\n", new = "thirtieth line\n" }
[[run.reply.call]]
name = "write_file"
input = { path = "extra.txt", content = "nobody asked for this\n" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "Two is two, and some more." }
[[run]]
duty = "verdict"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_verdict"
input = { verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked" }
"#;

pub fn list() -> String {
    (1..=40).map(|it| format!("line {it:02}\n")).collect()
}

/// A repository with more to change in it, and its task at the approval.
pub fn story(script: &str) -> Story {
    let story = Story::new(script);
    story.write("src/list.txt", &list());
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "-m", "list"]);
    story
}

pub fn at_approval(script: &str) -> Story {
    let story = story(script);
    story.ok(&["run", "--no-land", "--plain", "two is three"]);
    story
}

/// What `baton task T1 --json` tells.
pub fn task(story: &Story) -> Value {
    serde_json::from_str(&story.ok(&["task", "T1", "--json"])).unwrap()
}

pub fn approval(story: &Story, id: &str) -> Value {
    let task = task(story);
    let all = task["approvals"].as_array().unwrap();
    all.iter().find(|it| it["id"] == id).unwrap().clone()
}

/// An editor in the story's folder that is told when a board changes, and of nothing else of Baton's.
fn editor_in(story: &Story) -> Editor {
    let can = json!({ "experimental": { "baton": { "showMessage": false } } });
    let root = format!("file://{}", story.root.display());
    let (mut editor, _) = Editor::open(story.baton(&["lsp", "--in-process"]), &root, can);
    editor.ignored.extend(["baton/boardChanged", "baton/attention", "window/logMessage"]);
    editor
}

/// The task, once this holds of it.
fn task_when(editor: &mut Editor, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let task = editor.request("baton/task", json!({ "task": "T1" })).unwrap();
        if holds(&task) {
            return task;
        }
        assert_ne!(task["state"], "parked", "{task:#}");
        let version = task["version"].as_u64().unwrap();
        editor.told("baton/boardChanged", |it| version < it["version"].as_u64().unwrap());
    }
}

/// The script with an Engineer who hears these words, which a person sent back, and does as they say.
fn hears(words: &str) -> String {
    let (first, rest) = SCRIPT.split_at(SCRIPT.find("[[run]]").unwrap());
    format!("{first}{}{rest}", HEARD.replace("WORDS", words))
}

const HEARD: &str = r#"
[[run]]
duty = "change"
heard = "WORDS"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "src/list.txt", old = "thirtieth line\n", new = "30th line\n" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "In digits." }
"#;
