//! What a client may say at any time and expects no fuss about: it takes a request back, folders leave
//! its workspace, its settings change, it wants a trace.

use super::client::Editor;
use super::desk::Desk;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;

const REQUEST_CANCELLED: i64 = -32800;

/// The user's configuration as a pipe, so that opening a repository waits until the test has written
/// it; the function that writes it, and lets everybody after this find a file.
fn hold_up_opening(desk: &Desk) -> impl FnOnce() + use<> {
    let config = desk.home().join("config.toml");
    let text = std::fs::read(&config).unwrap();
    let (aside, pipe) = (desk.home().join("aside.toml"), desk.home().join("pipe"));
    std::fs::rename(&config, &aside).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::hard_link(&pipe, &config).unwrap();
    move || {
        // Waits for who reads it.
        let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        std::fs::rename(&aside, &config).unwrap();
        writer.write_all(&text).unwrap();
    }
}

#[test]
fn a_request_that_is_taken_back_is_answered_with_that_and_costs_nobody_else_anything() {
    let desk = Desk::new();
    let let_it_open = hold_up_opening(&desk);
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    let [first, second, third] = [(); 3].map(|()| editor.ask("baton/board", json!({})));
    editor.notify("$/cancelRequest", json!({ "id": second }));
    let error = editor.answer(second).unwrap_err();
    assert_eq!(error["code"], REQUEST_CANCELLED, "{error}");
    // Of what nobody asked, and of what was answered, nothing comes.
    for id in [json!(second), json!(99), json!("no number"), Value::Null] {
        editor.notify("$/cancelRequest", json!({ "id": id }));
    }
    let_it_open();
    let boards = [first, third].map(|it| editor.answer(it).unwrap());
    assert_eq!(boards[0], boards[1]);
    assert_eq!(editor.request("baton/board", json!({})).unwrap(), boards[0]);
    editor.notify("$/cancelRequest", json!({ "id": first }));
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_folder_that_leaves_is_meant_by_its_name_alone_and_its_tasks_go_on() {
    let (desk, other) = (Desk::new(), Desk::new());
    let can = json!({ "experimental": { "baton": { "showMessage": false } } });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), can);
    editor.ignored.extend(["baton/boardChanged", "baton/attention"]);
    let stays = editor.request("baton/board", json!({})).unwrap()["repository"].clone();
    let change = |added: &[&Desk], removed: &[&Desk]| {
        let named = |all: &[&Desk]| -> Vec<Value> {
            all.iter().map(|it| json!({ "uri": it.uri(""), "name": "project" })).collect()
        };
        json!({ "event": { "added": named(added), "removed": named(removed) } })
    };
    editor.notify("workspace/didChangeWorkspaceFolders", change(&[&other], &[]));
    let several = editor.request("baton/board", json!({})).unwrap_err();
    assert!(several["message"].as_str().unwrap().contains("several repositories"), "{several}");
    let of_other = json!({ "text": "fix it", "textDocument": { "uri": other.uri("src/lib.rs") } });
    let task = editor.request("baton/delegate", of_other).unwrap();
    let leaves = task["repository"].clone();
    assert_ne!(stays, leaves);
    editor.notify("workspace/didChangeWorkspaceFolders", change(&[], &[&other]));
    let only = editor.request("baton/board", json!({})).unwrap();
    assert_eq!(only["repository"], stays, "the only folder that is left");
    let named = json!({ "repository": leaves });
    let board = editor.request("baton/board", named).unwrap();
    assert_eq!(board["tasks"][0]["id"], task["task"], "{board}");
    let version = board["version"].as_u64();
    let is_newer = |it: &Value| it["repository"] == leaves && version < it["version"].as_u64();
    editor.told("baton/boardChanged", is_newer);
    let it = json!({ "repository": leaves, "task": task["task"] });
    editor.request("baton/cancel", it).unwrap();
    // One folder leaves and comes back in one message; one that never was there leaves.
    editor.notify("workspace/didChangeWorkspaceFolders", change(&[&other], &[&desk]));
    let only = editor.request("baton/board", json!({})).unwrap();
    assert_eq!(only["repository"], leaves);
    let gone = json!({ "event": { "added": [],
        "removed": [{ "uri": "file:///never/was", "name": "x" }, { "uri": "untitled:1", "name": "" }] } });
    editor.notify("workspace/didChangeWorkspaceFolders", gone);
    let still = editor.request("baton/board", json!({})).unwrap();
    assert_eq!(still["repository"], leaves);
    assert_eq!(editor.end(), 0);
}

/// Whatever it says there, it gets no message for it: anything left unread fails the test.
#[test]
fn settings_and_traces_change_and_nothing_is_said_about_it() {
    let desk = Desk::new();
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    let board = editor.request("baton/board", json!({})).unwrap();
    let settings = [json!({}), Value::Null, json!({ "baton": { "model": 7 } }), json!([1])];
    for settings in settings {
        editor.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    }
    editor.notify("workspace/didChangeConfiguration", json!({}));
    for value in ["verbose", "messages", "off", "loud"] {
        editor.notify("$/setTrace", json!({ "value": value }));
    }
    editor.notify("$/anything", json!({ "id": 1 }));
    assert_eq!(editor.request("baton/board", json!({})).unwrap(), board);
    // A request of that kind may not be passed over.
    let unknown = editor.request("$/anything", json!({})).unwrap_err();
    assert_eq!(unknown["code"], -32601, "{unknown}");
    assert_eq!(editor.end(), 0);
}
