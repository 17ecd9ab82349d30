//! From a delegation in an editor to its end, with the real team and a scripted model.

use super::client::Editor;
use super::desk::Desk;
use serde_json::{Value, json};

const CHANGED: &str = "baton/boardChanged";

/// A client that knows `baton/*` and shows messages itself.
pub fn open(desk: &Desk) -> Editor {
    let can = json!({
        "experimental": { "baton": { "protocolVersion": 1, "showMessage": false } },
        "workspace": { "applyEdit": true, "workspaceEdit": { "documentChanges": true } },
    });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), can);
    editor.ignored.extend([CHANGED, "baton/attention"]);
    editor
}

pub fn open_document(editor: &mut Editor, uri: &str, text: &str) {
    let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
}

fn change_document(editor: &mut Editor, uri: &str, line: u32, text: &str) {
    let at = json!({ "line": line, "character": 0 });
    editor.notify(
        "textDocument/didChange",
        json!({
            "textDocument": { "uri": uri, "version": 2 },
            "contentChanges": [{ "range": { "start": at, "end": at }, "text": text }],
        }),
    );
}

pub fn delegate_line(editor: &mut Editor, uri: &str) -> String {
    let range =
        json!({ "start": { "line": 4, "character": 4 }, "end": { "line": 4, "character": 4 } });
    let problem =
        json!({ "message": "called on a `None` value", "source": "test", "range": range });
    let params = json!({
        "text": "An empty text crashes first_line",
        "textDocument": { "uri": uri }, "range": range, "diagnostics": [problem],
    });
    let done = editor.request("baton/delegate", params).unwrap();
    done["task"].as_str().unwrap().to_owned()
}

/// The task's line on the first board for which `is_there` holds; what has to run without a sandbox
/// on this machine is allowed on the way.
pub fn until(editor: &mut Editor, task: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    let mut allowed: Vec<String> = Vec::new();
    loop {
        let board = editor.request("baton/board", json!({})).unwrap();
        for approval in board["approvals"].as_array().unwrap() {
            let id = approval["id"].as_str().unwrap().to_owned();
            if approval["subject"] == "commands" && !allowed.contains(&id) {
                let params = json!({ "approval": id, "answer": "approve" });
                editor.request("baton/answerApproval", params).unwrap();
                allowed.push(id);
            }
        }
        let tasks = board["tasks"].as_array().unwrap();
        let line = tasks.iter().find(|it| it["id"] == task).unwrap();
        if is_there(line) {
            return line.clone();
        }
        assert!(line["column"] != "parked", "parked: {line:#}");
        let version = board["version"].as_u64().unwrap();
        editor.told(CHANGED, |it| version < it["version"].as_u64().unwrap());
    }
}

pub fn waits(editor: &mut Editor, task: &str) -> Value {
    until(editor, task, |it| {
        it["state"] == "awaitingApproval" && !it["step"].as_str().unwrap().is_empty()
    });
    let whole = editor.request("baton/task", json!({ "task": task })).unwrap();
    let approvals = whole["approvals"].as_array().unwrap();
    let open = approvals.iter().find(|it| it["state"] == "open" && it["subject"] != "commands");
    match open {
        Some(approval) => approval.clone(),
        // It was for commands and is being answered; the next board has more.
        None => waits(editor, task),
    }
}

#[test]
fn from_a_line_in_an_editor_to_a_commit_on_the_branch() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    // Unsaved text in another file: it is in what the team sees, and stays the person's own.
    let notes = desk.uri("notes.md");
    open_document(&mut editor, &notes, "# Notes\n");
    change_document(&mut editor, &notes, 1, "unsaved ä\n");
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    assert_eq!(approval["subject"], "landing", "{approval:#}");
    let proof = approval["proof"].as_str().unwrap();
    assert!(proof.contains("of_an_empty_text"), "{proof}");

    let whole = editor.request("baton/task", json!({ "task": task })).unwrap();
    assert_eq!(whole["brief"]["origin"], "diagnostic");
    assert_eq!(whole["brief"]["place"]["path"], "src/lib.rs");
    assert_eq!(whole["brief"]["place"]["firstLine"], 5);
    assert!(whole["brief"]["text"].as_str().unwrap().contains("called on a `None` value"));
    let seen = whole["base"]["seen"].as_str().unwrap();
    let snapshot = desk.store(&["show", &format!("{seen}:notes.md")]);
    assert_eq!(snapshot, "# Notes\nunsaved ä\n");
    let diff = editor.request("baton/diff", json!({ "task": task })).unwrap();
    let paths: Vec<&str> = diff["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["file"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["src/lib.rs", "tests/first.rs"]);
    assert!(
        diff["patch"].as_str().unwrap().contains("+    text.lines().next().unwrap_or_default()")
    );

    let answer = json!({
        "approval": approval["id"], "revision": approval["revision"], "answer": "approve",
    });
    let stale = json!({ "approval": approval["id"], "revision": "other", "answer": "approve" });
    assert_eq!(editor.request("baton/answerApproval", stale).unwrap_err()["code"], 1);
    // Two answers at once: exactly one decides.
    let reject = json!({ "approval": approval["id"], "answer": "reject", "text": "no" });
    let first = editor.ask("baton/answerApproval", answer);
    let second = editor.ask("baton/answerApproval", reject);
    assert!(editor.answer(first).is_ok());
    let late = editor.answer(second).unwrap_err();
    assert_eq!((&late["code"], &late["data"]["kind"]), (&json!(1), &json!("refused")));
    until(&mut editor, &task, |it| it["state"] == "landed");
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert_eq!(desk.read("notes.md"), "# Notes\n");
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    assert!(desk.git(&["log", "-1", "--format=%B"]).contains(&format!("Baton-Task: {task}")));

    editor.request("baton/undo", json!({ "task": task })).unwrap();
    until(&mut editor, &task, |it| it["state"] == "undone");
    assert!(!desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert_eq!(editor.end(), 0);
}

#[test]
fn edits_reach_the_buffer_that_the_person_types_in() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    change_document(&mut editor, &uri, 0, "// my own, unsaved\n");
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    let answer =
        json!({ "approval": approval["id"], "revision": approval["revision"], "answer": "apply" });
    editor.request("baton/answerApproval", answer).unwrap();
    let (id, params) = editor.asked("workspace/applyEdit");
    let change = &params["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"]["uri"], uri);
    assert_eq!(change["textDocument"]["version"], 2);
    let edit = &change["edits"][0];
    assert_eq!(edit["newText"], "    text.lines().next().unwrap_or_default()\n");
    assert_eq!(edit["range"]["start"], json!({ "line": 5, "character": 0 }));
    editor.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "applied": true } }));
    until(&mut editor, &task, |it| it["state"] == "applied");
    assert!(!desk.read("src/lib.rs").contains("unwrap_or_default"), "the file is the editor's");
    assert!(desk.read("tests/first.rs").contains("of_an_empty_text"));
    assert_eq!(desk.git(&["log", "--format=%s"]), "start\n");
    // The person's text has it now and is still not saved: that is where it is taken back.
    let at = |line: u32| json!({ "line": line, "character": 0 });
    let range = json!({ "start": at(5), "end": at(6) });
    editor.notify(
        "textDocument/didChange",
        json!({
            "textDocument": { "uri": uri, "version": 3 },
            "contentChanges": [{ "range": range, "text": edit["newText"] }],
        }),
    );
    editor.request("baton/undo", json!({ "task": task })).unwrap();
    let (id, params) = editor.asked("workspace/applyEdit");
    let edit = &params["edit"]["documentChanges"][0]["edits"][0];
    assert_eq!(edit["newText"], "    text.lines().next().unwrap()\n");
    editor.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "applied": true } }));
    until(&mut editor, &task, |it| it["state"] == "undone");
    assert!(!desk.read("tests/first.rs").contains("of_an_empty_text"));
    assert_eq!(editor.end(), 0);
}

/// A client that knows nothing of Baton: code actions and messages are enough.
#[test]
fn a_plain_client_delegates_and_decides_by_code_action() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let can = json!({ "window": { "workDoneProgress": true } });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), can);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    editor.request("baton/board", json!({})).unwrap();
    let menu = |editor: &mut Editor| {
        let range =
            json!({ "start": { "line": 3, "character": 0 }, "end": { "line": 5, "character": 1 } });
        editor.request("textDocument/codeAction", json!({
            "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] },
        })).unwrap()
    };
    let run = |editor: &mut Editor, entry: &Value| {
        editor
            .request(
                "workspace/executeCommand",
                json!({
                    "command": entry["command"], "arguments": entry["arguments"],
                }),
            )
            .unwrap()
    };
    let offered = menu(&mut editor);
    assert_eq!(offered[0]["title"], "Delegate selection");
    let delegated = run(&mut editor, &offered[0]);
    let task = delegated["task"].as_str().unwrap().to_owned();
    let says = |text: &str| {
        let text = text.to_owned();
        move |it: &Value| it["message"].as_str().unwrap().contains(&text)
    };
    editor.told("window/showMessage", says(&format!("{task} delegated")));
    let (id, create) = editor.asked("window/workDoneProgress/create");
    editor.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null }));
    let token = create["token"].clone();
    let begun = editor.told("$/progress", |_| true);
    assert_eq!((&begun["token"], &begun["value"]["kind"]), (&token, &json!("begin")));
    editor.ignored.extend(["$/progress", "window/workDoneProgress/create"]);
    loop {
        editor.told("window/showMessage", says(&format!("{task} waits for you")));
        let offered = menu(&mut editor);
        let offered = offered.as_array().unwrap();
        let decide = offered.iter().find(|it| it["command"] == "baton.do.answer").unwrap();
        let title = decide["title"].as_str().unwrap();
        run(&mut editor, decide);
        if title.starts_with(&format!("{task} approve: +")) {
            break;
        }
        assert!(title.contains("without a sandbox"), "{title}");
        editor.told("window/showMessage", says(&format!("{task} approved")));
    }
    editor.told("window/showMessage", says(&format!("{task} approved")));
    editor.told("window/showMessage", says(&format!("{task} landed as")));
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert_eq!(editor.end(), 0);
}

#[test]
fn the_same_key_is_the_same_task_and_a_closed_editor_loses_nothing() {
    let desk = Desk::new();
    let mut editor = open(&desk);
    let params = json!({ "text": "An empty text crashes first_line", "key": "k1" });
    let first = editor.ask("baton/delegate", params.clone());
    let second = editor.ask("baton/delegate", params);
    let first = editor.answer(first).unwrap();
    assert_eq!(first, editor.answer(second).unwrap());
    let code = editor.wait();
    assert_eq!(code, 0);
    let mut editor = open(&desk);
    let task = first["task"].as_str().unwrap();
    let approval = waits(&mut editor, task);
    let reject = json!({ "approval": approval["id"], "answer": "reject", "text": "not now" });
    editor.request("baton/answerApproval", reject).unwrap();
    until(&mut editor, task, |it| it["state"] == "rejected");
    let other = json!({ "text": "An empty text crashes first_line", "key": "k1" });
    let other = editor.request("baton/delegate", other).unwrap();
    assert_ne!(first["task"], other["task"], "a key is the connection's");
    editor.request("baton/cancel", json!({ "task": other["task"] })).unwrap();
    let board = editor.request("baton/board", json!({})).unwrap();
    let states: Vec<&str> =
        board["tasks"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["cancelled", "rejected"]);
    assert_eq!(editor.end(), 0);
}
