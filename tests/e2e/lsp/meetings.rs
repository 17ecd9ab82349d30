//! Where running tasks meet each other, and what is said when the branch is switched under them.

use super::client::Editor;
use super::desk::Desk;
use super::panels::{DIAGNOSTICS, shown};
use super::story::open_document;
use serde_json::json;

/// Two Engineers who write another word into the same line, and then think for a minute.
const SCRIPT: &str = r##"
says = "Two words for one line."
[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
[run.reply.call.input]
class = "docs"
severity = "low"
summary = "The title of notes.md."
criteria = ["the title is as asked"]
[[run]]
duty = "change"
match = "title one"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "notes.md", old = "# Notes", new = "# One" }
[[run.reply]]
delay_ms = 60000
text = "One."
[[run]]
duty = "change"
match = "title two"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "notes.md", old = "# Notes", new = "# Two" }
[[run.reply]]
delay_ms = 60000
text = "Two."
"##;

fn open(desk: &Desk) -> Editor {
    std::fs::write(desk.home().join("script.toml"), SCRIPT).unwrap();
    let can = json!({
        "experimental": { "baton": {} },
        "textDocument": { "publishDiagnostics": {} },
    });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), can);
    editor.ignored.extend(["baton/boardChanged", "baton/attention", DIAGNOSTICS]);
    open_document(&mut editor, &desk.uri("notes.md"), &desk.read("notes.md"));
    editor
}

fn delegate(editor: &mut Editor, word: &str) {
    let text = format!("Documentation: give notes.md the title {word}");
    editor.request("baton/delegate", json!({ "text": text })).unwrap();
}

#[test]
fn two_tasks_that_would_not_merge_are_shown_where_they_meet() {
    let desk = Desk::new();
    let uri = desk.uri("notes.md");
    let mut editor = open(&desk);
    delegate(&mut editor, "one");
    shown(&mut editor, &uri, |it| *it == [(0, "T1 is changing this".to_owned())]);
    delegate(&mut editor, "two");
    let both = "T1 and T2 are changing this: the two would not merge";
    shown(&mut editor, &uri, |it| it.iter().any(|it| *it == (0, both.to_owned())));
    editor.request("baton/cancel", json!({ "task": "T2" })).unwrap();
    shown(&mut editor, &uri, |it| *it == [(0, "T1 is changing this".to_owned())]);
    editor.request("baton/cancel", json!({ "task": "T1" })).unwrap();
    shown(&mut editor, &uri, <[_]>::is_empty);
    editor.ignored.push("window/showMessage");
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_branch_that_is_switched_under_a_task_is_said_once() {
    let desk = Desk::new();
    let uri = desk.uri("notes.md");
    let mut editor = open(&desk);
    delegate(&mut editor, "one");
    shown(&mut editor, &uri, |it| *it == [(0, "T1 is changing this".to_owned())]);
    desk.git(&["switch", "-q", "-c", "other"]);
    let mut version = 1;
    let mut press = |editor: &mut Editor, text: &str| {
        version += 1;
        let document = json!({ "uri": uri, "version": version });
        let changes = json!([{ "text": text }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        editor.notify("textDocument/didChange", params);
    };
    press(&mut editor, "# Mine\n");
    let said = "main is not checked out any more: T1 goes on and lands there all the same";
    editor.told("window/showMessage", |it| it["message"] == said);
    shown(&mut editor, &uri, |it| it[0].1.contains("would not merge"));
    // The way back says nothing more.
    desk.git(&["switch", "-q", "main"]);
    press(&mut editor, "# Notes\n");
    shown(&mut editor, &uri, |it| *it == [(0, "T1 is changing this".to_owned())]);
    editor.request("baton/cancel", json!({ "task": "T1" })).unwrap();
    shown(&mut editor, &uri, <[_]>::is_empty);
    editor.told("window/showMessage", |it| it["message"].as_str().unwrap().contains("cancelled"));
    assert_eq!(editor.end(), 0);
}
