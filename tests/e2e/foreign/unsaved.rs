//! Text that is only in an editor: seen by the team, never landed, and kept in the buffer.

use super::server::mend;
use super::world::{NUMBERS, World};
use crate::lsp::client::Editor;
use serde_json::{Value, json};
use std::process::Command;

const CHANGED: &str = "baton/boardChanged";
const FILE: &str = "src/numbers.txt";

fn uri(world: &World, path: &str) -> String {
    format!("file://{}", world.root.join(path).display())
}

/// The server as an editor starts it, in front of this world.
fn editor(world: &World) -> Editor {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "300", env!("CARGO_BIN_EXE_baton"), "lsp", "--in-process"]);
    world.surround(command.current_dir(&world.root));
    let can = json!({
        "experimental": { "baton": { "protocolVersion": 1, "showMessage": false } },
        "workspace": { "applyEdit": true, "workspaceEdit": { "documentChanges": true } },
    });
    let (mut editor, _) = Editor::open(command, &uri(world, ""), can);
    editor.ignored.extend([CHANGED, "baton/attention"]);
    editor
}

/// Opens a document as it is in its file, then types until it is this.
fn types(editor: &mut Editor, world: &World, path: &str, text: &str) {
    let document = json!({
        "uri": uri(world, path), "languageId": "plaintext", "version": 1, "text": world.read(path),
    });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
    let changed = json!({ "uri": uri(world, path), "version": 2 });
    editor.notify(
        "textDocument/didChange",
        json!({ "textDocument": changed, "contentChanges": [{ "text": text }] }),
    );
}

fn delegate(editor: &mut Editor) -> String {
    let done = editor.request("baton/delegate", json!({ "text": "two is three" })).unwrap();
    done["task"].as_str().unwrap().to_owned()
}

/// The task's line on the first board where it is in this state.
fn until(editor: &mut Editor, task: &str, state: &str) -> Value {
    loop {
        let board = editor.request("baton/board", json!({})).unwrap();
        let tasks = board["tasks"].as_array().unwrap();
        let line = tasks.iter().find(|it| it["id"] == task).unwrap().clone();
        if line["state"] == state {
            return board;
        }
        assert!(line["column"] != "parked", "parked: {line:#}");
        let version = board["version"].as_u64().unwrap();
        editor.told(CHANGED, |it| version < it["version"].as_u64().unwrap());
    }
}

/// The approval that the task waits for.
fn waits(editor: &mut Editor, task: &str) -> Value {
    let board = until(editor, task, "awaitingApproval");
    let approvals = board["approvals"].as_array().unwrap();
    approvals.iter().find(|it| it["task"] == task).unwrap().clone()
}

fn answer(editor: &mut Editor, approval: &Value, answer: &str) -> Result<Value, Value> {
    let params =
        json!({ "approval": approval["id"], "revision": approval["revision"], "answer": answer });
    editor.request("baton/answerApproval", params)
}

/// The text after the edits of a `workspace/applyEdit` for one document.
fn edited(text: &str, params: &Value) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let edits = params["edit"]["documentChanges"][0]["edits"].as_array().unwrap();
    // From the last to the first, so that positions stay right.
    for edit in edits.iter().rev() {
        let at = |end: &str| {
            assert_eq!(edit["range"][end]["character"], 0, "whole lines: {edit:#}");
            edit["range"][end]["line"].as_u64().unwrap() as usize
        };
        lines.splice(at("start")..at("end"), [edit["newText"].as_str().unwrap().to_owned()]);
    }
    lines.concat()
}

#[test]
fn unsaved_text_in_the_same_file_gets_the_fix_into_the_buffer_alone() {
    let world = World::new(super::world::PROJECT);
    let Some(_server) = world.stranger(&mend()) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    let before = world.digest();
    let mine = NUMBERS.replace("three = 3", "three = 3 # unsaved ä").replace("seven", "SEVEN");
    let mut editor = editor(&world);
    types(&mut editor, &world, FILE, &mine);
    let task = delegate(&mut editor);
    let approval = waits(&mut editor, &task);
    // The branch can't take it: the person types in that file. Nothing moves by asking for it.
    let offered = approval["answers"].to_string();
    assert!(offered.contains("apply") && !offered.contains("approve"), "{approval:#}");
    let refused = answer(&mut editor, &approval, "approve").unwrap_err();
    assert_eq!(refused["data"]["kind"], "refused", "{refused:#}");
    assert_eq!(world.digest(), before);

    answer(&mut editor, &approval, "apply").unwrap();
    let (id, params) = editor.asked("workspace/applyEdit");
    assert_eq!(edited(&mine, &params), mine.replace("two = 3", "two = 2"));
    editor.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "applied": true } }));
    until(&mut editor, &task, "applied");
    assert_eq!(world.digest(), before, "the file is the editor's to save");
    assert_eq!(editor.end(), 0);
}

#[test]
fn an_editor_that_refuses_the_edits_leaves_all_as_it_was() {
    let world = World::new(super::world::PROJECT);
    let Some(_server) = world.stranger(&mend()) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    let before = world.digest();
    let mut editor = editor(&world);
    types(&mut editor, &world, FILE, &NUMBERS.replace("three = 3", "three = 33"));
    let task = delegate(&mut editor);
    let approval = waits(&mut editor, &task);
    answer(&mut editor, &approval, "apply").unwrap();
    let (id, _) = editor.asked("workspace/applyEdit");
    let no = json!({ "applied": false, "failureReason": "the document was closed" });
    editor.send(&json!({ "jsonrpc": "2.0", "id": id, "result": no }));
    let again = loop {
        let again = waits(&mut editor, &task);
        if again["id"] != approval["id"] {
            break again;
        }
    };
    assert!(again["answers"].to_string().contains("apply"), "{again:#}");
    assert_eq!(world.digest(), before);
    assert_eq!(editor.end(), 0);
}

#[test]
fn text_that_is_typed_after_the_candidate_keeps_the_branch_where_it_is() {
    let world = World::new(super::world::PROJECT);
    let Some(_server) = world.stranger(&mend()) else { return };
    world.baton(&["trust", "--yes"]).ends(0);
    let before = world.digest();
    let mut editor = editor(&world);
    let task = delegate(&mut editor);
    let approval = waits(&mut editor, &task);
    types(&mut editor, &world, FILE, &NUMBERS.replace("seven", "SEVEN"));
    answer(&mut editor, &approval, "approve").unwrap();
    let again = loop {
        let again = waits(&mut editor, &task);
        if again["id"] != approval["id"] {
            break again;
        }
    };
    assert!(again["answers"].to_string().contains("apply"), "{again:#}");
    assert_eq!(world.digest(), before, "nothing moved");
    // Saved by the person, it is ordinary unstaged text, and the change can be built anew.
    world.write(FILE, &NUMBERS.replace("seven", "SEVEN"));
    let document = json!({ "uri": uri(&world, FILE) });
    editor.notify("textDocument/didSave", json!({ "textDocument": document }));
    answer(&mut editor, &again, "rebuild").unwrap();
    let last = loop {
        let last = waits(&mut editor, &task);
        if last["id"] != again["id"] {
            break last;
        }
    };
    let params = json!({
        "approval": last["id"], "revision": last["revision"], "answer": "approve", "ticked": [FILE],
    });
    editor.request("baton/answerApproval", params).unwrap();
    until(&mut editor, &task, "landed");
    assert_eq!(world.landed_lines("HEAD"), ["-two = 3", "+two = 2"]);
    assert_eq!(world.read(FILE), NUMBERS.replace("seven", "SEVEN").replace("two = 3", "two = 2"));
    assert_eq!(editor.end(), 0);
}
