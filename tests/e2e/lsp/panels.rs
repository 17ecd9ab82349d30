//! What panels, lenses and review views need beyond the board: where a task came from, what a run said
//! and says, both sides of a change, and who is needed.

use super::client::Editor;
use super::desk::Desk;
use super::story::{delegate_line, open, open_document, until, waits};
use serde_json::{Value, json};

fn lenses(editor: &mut Editor, uri: &str) -> Value {
    editor.request("textDocument/codeLens", json!({ "textDocument": { "uri": uri } })).unwrap()
}

#[test]
fn a_lens_shows_where_a_task_came_from_and_decides_it() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    assert_eq!(lenses(&mut editor, &uri), json!([]));
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    // The text has moved by two lines meanwhile; the lens goes with it.
    let top = json!({ "line": 0, "character": 0 });
    let change = json!([{ "range": { "start": top, "end": top }, "text": "// new\n// new\n" }]);
    let document = json!({ "uri": uri, "version": 3 });
    let params = json!({ "textDocument": document, "contentChanges": change });
    editor.notify("textDocument/didChange", params);
    let shown = lenses(&mut editor, &uri);
    assert_eq!(shown[0]["range"]["start"]["line"], 6, "{shown:#}");
    let command = &shown[0]["command"];
    assert!(command["title"].as_str().unwrap().starts_with(&format!("{task} approve: +")));
    assert_eq!(command["arguments"][0]["revision"], approval["revision"]);
    // The person's unsaved lines stand in the way of a landing, and none of them is lost by trying.
    let run = json!({ "command": command["command"], "arguments": command["arguments"] });
    editor.request("workspace/executeCommand", run).unwrap();
    until(&mut editor, &task, |it| it["state"] != "landing");
    assert!(!desk.read("src/lib.rs").contains("// new"));
    editor.request("baton/cancel", json!({ "task": task })).unwrap();
    until(&mut editor, &task, |it| it["state"] == "cancelled");
    assert_eq!(lenses(&mut editor, &uri), json!([]), "a closed task has none");
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_run_can_be_read_and_both_sides_of_its_change() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    let needed = editor.told("baton/attention", |it| it["kind"] == "approval");
    assert_eq!((&needed["task"], &needed["id"]), (&json!(task), &approval["id"]));

    let whole = editor.request("baton/task", json!({ "task": task })).unwrap();
    let runs = whole["runs"].as_array().unwrap();
    let engineer = runs.iter().find(|it| it["role"] == "Engineer").unwrap();
    let run = engineer["id"].clone();
    let all = editor.request("baton/transcript", json!({ "run": run })).unwrap();
    assert_eq!(all["next"], Value::Null, "the run is over");
    let steps = all["steps"].as_array().unwrap();
    assert_eq!(steps[0]["kind"], "brief");
    let tools: Vec<&str> = steps.iter().filter_map(|it| it["tool"].as_str()).collect();
    assert!(tools.contains(&"edit_file") && tools.last() == Some(&"hand_over_change"), "{tools:?}");
    assert!(steps.iter().any(|it| it["kind"] == "result" && it["isError"] == false));
    // From a cursor on: the rest of the same.
    let middle = steps[steps.len() / 2]["n"].clone();
    let rest = editor.request("baton/transcript", json!({ "run": run, "from": middle })).unwrap();
    let same: Vec<&Value> = steps.iter().filter(|it| middle.as_u64() <= it["n"].as_u64()).collect();
    assert_eq!(rest["steps"].as_array().unwrap().iter().collect::<Vec<_>>(), same);

    let side = |editor: &mut Editor, path: &str, side: &str| {
        let params = json!({ "task": task, "path": path, "side": side });
        editor.request("baton/file", params)
    };
    let from = side(&mut editor, "src/lib.rs", "from").unwrap();
    let to = side(&mut editor, "src/lib.rs", "to").unwrap();
    assert_eq!(from["text"], desk.read("src/lib.rs"));
    assert!(to["text"].as_str().unwrap().contains("unwrap_or_default"));
    let none = side(&mut editor, "src/none.rs", "to").unwrap();
    assert_eq!(
        (&none["text"], &none["why"]),
        (&Value::Null, &json!("there is no such file on this side"))
    );
    assert_eq!(side(&mut editor, "src/lib.rs", "left").unwrap_err()["code"], -32602);
    let unknown = editor.request("baton/transcript", json!({ "run": "R99" })).unwrap_err();
    assert_eq!(unknown["code"], 3);
    editor.request("baton/cancel", json!({ "task": task })).unwrap();
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_watched_run_streams_and_another_does_not() {
    let desk = Desk::new();
    // The Engineer thinks for a while first, so that it can be watched from its start.
    let script = std::fs::read_to_string(desk.home().join("script.toml")).unwrap();
    let slow = script.replacen("[[run.reply]]", "[[run.reply]]\ndelay_ms = 1500", 2);
    std::fs::write(desk.home().join("script.toml"), slow).unwrap();
    let mut editor = open(&desk);
    let params = json!({ "text": "An empty text crashes first_line" });
    let delegated = editor.request("baton/delegate", params).unwrap();
    let task = delegated["task"].as_str().unwrap().to_owned();
    let line = until(&mut editor, &task, |it| it["role"] == "PM");
    let run = line["run"].clone();
    let unknown = editor.request("baton/watch", json!({ "run": "R99", "on": true })).unwrap_err();
    assert_eq!(unknown["code"], 3);
    let watched = editor.request("baton/watch", json!({ "run": run, "on": true })).unwrap();
    assert_eq!((&watched["run"], &watched["on"]), (&run, &json!(true)));
    let mut does = Vec::new();
    while !does.iter().any(|it: &String| it.starts_with("hand_over_triage")) {
        let told = editor.told("baton/runProgress", |_| true);
        let told = told["runs"].as_array().unwrap();
        assert_eq!((told.len(), &told[0]["run"]), (1, &run), "only what is watched");
        does.extend(
            told[0]["does"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()),
        );
    }
    editor.request("baton/watch", json!({ "run": run, "on": false })).unwrap();
    waits(&mut editor, &task);
    editor.request("baton/cancel", json!({ "task": task })).unwrap();
    // The Engineer and the Tester were not watched: nothing of theirs was sent, or the end would fail.
    assert_eq!(editor.end(), 0);
}

pub const DIAGNOSTICS: &str = "textDocument/publishDiagnostics";

const SCRIPT: &str = include_str!("project/script.toml");
const THINKS: &str = r#"
[[run]]
duty = "change"
heard = "told from an empty line"
[[run.reply]]
delay_ms = 60000
text = "So."

"#;

/// A client that shows diagnostics.
fn open_showing(desk: &Desk) -> Editor {
    let can = json!({
        "experimental": { "baton": { "showMessage": false } },
        "textDocument": { "publishDiagnostics": {} },
    });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), can);
    editor.ignored.extend(["baton/boardChanged", "baton/attention", DIAGNOSTICS]);
    editor
}

/// The messages of the next diagnostics of this document for which this holds.
pub fn shown(editor: &mut Editor, uri: &str, is_it: impl Fn(&[(u64, String)]) -> bool) {
    let read = |it: &Value| -> Vec<(u64, String)> {
        let all = it["diagnostics"].as_array().unwrap().iter();
        all.map(|it| {
            let line = it["range"]["start"]["line"].as_u64().unwrap();
            (line, it["message"].as_str().unwrap().to_owned())
        })
        .collect()
    };
    editor.told(DIAGNOSTICS, |it| it["uri"] == uri && is_it(&read(it)));
}

#[test]
fn a_broken_team_file_is_shown_on_its_line_while_it_is_typed() {
    let desk = Desk::new();
    let uri = desk.uri(".baton/team.toml");
    let mut editor = open_showing(&desk);
    open_document(&mut editor, &uri, "version = 1\n\n[[check]]\nnme = \"x\"\n");
    shown(&mut editor, &uri, |it| it.len() == 1 && it[0].0 == 3);
    let whole = json!([{ "text": "version = 1\n" }]);
    let document = json!({ "uri": uri, "version": 2 });
    let params = json!({ "textDocument": document, "contentChanges": whole });
    editor.notify("textDocument/didChange", params);
    shown(&mut editor, &uri, <[_]>::is_empty);
    assert_eq!(editor.end(), 0);
}

#[test]
fn what_an_engineer_changes_is_shown_and_a_collision_before_it_happens() {
    let desk = Desk::new();
    // After the fix the Engineer thinks for a while: time for the person to type on the same line.
    let slow = SCRIPT.replace("text = \"Green.\"", "text = \"Green.\"\ndelay_ms = 8000");
    assert_ne!(SCRIPT, slow);
    std::fs::write(desk.home().join("script.toml"), slow).unwrap();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open_showing(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    assert_eq!(lenses(&mut editor, &uri), json!([]));
    // It came from no lines, so what it changes is the only thing to be seen of it here.
    let delegated = editor.request("baton/delegate", json!({ "text": "fix the name" })).unwrap();
    let task = delegated["task"].as_str().unwrap().to_owned();
    let changing = format!("{task} is changing this");
    shown(&mut editor, &uri, |it| *it == [(4, changing.clone())]);
    let above = lenses(&mut editor, &uri);
    assert_eq!(above[0]["command"]["title"], format!("{task} Engineer is changing this"));
    assert_eq!(above[0]["range"]["start"]["line"], 4);
    assert_eq!(above.as_array().unwrap().len(), 1, "{above}");
    let (from, to) = (json!({ "line": 4, "character": 0 }), json!({ "line": 5, "character": 0 }));
    let mine = json!([{ "range": { "start": from, "end": to }, "text": "    mine(text)\n" }]);
    let document = json!({ "uri": uri, "version": 2 });
    let params = json!({ "textDocument": document, "contentChanges": mine });
    editor.notify("textDocument/didChange", params);
    shown(&mut editor, &uri, |it| it.len() == 1 && it[0].1.contains("would not merge"));
    editor.request("baton/cancel", json!({ "task": task })).unwrap();
    shown(&mut editor, &uri, <[_]>::is_empty);
    assert_eq!(lenses(&mut editor, &uri), json!([]), "nobody changes it any more");
    assert_eq!(editor.end(), 0);
}

/// On the lines where they are now: two were typed above meanwhile.
#[test]
fn what_the_tester_says_of_a_line_is_shown_there() {
    let remark = "It can't be told from an empty line (src/lib.rs:5).";
    let passed = SCRIPT.replace("The empty text no longer panics.", remark);
    let failed = passed.replace("verdict = \"pass\"", "verdict = \"fail\"");
    // Then the Engineer thinks about it.
    let (first, rest) = failed.split_at(failed.find("[[run]]").unwrap());
    let failed = format!("{first}{THINKS}{rest}");
    for (script, severity) in [(passed, 3), (failed, 2)] {
        let desk = Desk::new();
        std::fs::write(desk.home().join("script.toml"), script).unwrap();
        let uri = desk.uri("src/lib.rs");
        let mut editor = open_showing(&desk);
        let typed = format!("// new\n// new\n{}", desk.read("src/lib.rs"));
        open_document(&mut editor, &uri, &typed);
        let delegated = editor
            .request("baton/delegate", json!({ "text": "fix the empty text", "base": "head" }));
        let task = delegated.unwrap()["task"].as_str().unwrap().to_owned();
        let says = format!("{task} Tester: {remark}");
        editor.told(DIAGNOSTICS, |it| {
            let all = it["diagnostics"].as_array().unwrap();
            let found = all.iter().find(|it| it["message"] == says);
            found.is_some_and(|it| it["severity"] == severity && it["range"]["start"]["line"] == 6)
        });
        editor.request("baton/cancel", json!({ "task": task })).unwrap();
        shown(&mut editor, &uri, <[_]>::is_empty);
        assert_eq!(editor.end(), 0);
    }
}

#[test]
fn behind_a_landed_line_are_its_task_and_who_approved_it() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    let hover = |editor: &mut Editor, line: u32| {
        let at = json!({ "line": line, "character": 2 });
        let params = json!({ "textDocument": { "uri": uri }, "position": at });
        editor.request("textDocument/hover", params).unwrap()
    };
    assert_eq!(hover(&mut editor, 4), Value::Null);
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    let answer = json!({ "approval": approval["id"], "answer": "approve" });
    editor.request("baton/answerApproval", answer).unwrap();
    until(&mut editor, &task, |it| it["state"] == "landed");
    let landed = desk.read("src/lib.rs");
    let whole = json!([{ "text": format!("// above\n{landed}") }]);
    let document = json!({ "uri": uri, "version": 2 });
    let params = json!({ "textDocument": document, "contentChanges": whole });
    editor.notify("textDocument/didChange", params);
    let said = hover(&mut editor, 5);
    let said = said["contents"]["value"].as_str().unwrap();
    assert!(said.starts_with(&format!("**{task}** An empty text crashes")), "{said}");
    assert!(said.contains("approved by person (editor)"), "{said}");
    assert_eq!(hover(&mut editor, 1), Value::Null, "a line of the person's");
    assert_eq!(hover(&mut editor, 0), Value::Null, "a line that is not committed");
    assert_eq!(editor.end(), 0);
}
