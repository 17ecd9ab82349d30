//! The same over the wire: what an editor shows, sends, and is refused.

use super::{at_approval, list};
use crate::lsp::client::Editor;
use crate::story::Story;
use serde_json::{Value, json};

fn open(story: &Story) -> Editor {
    let can =
        json!({ "experimental": { "baton": { "protocolVersion": 1, "showMessage": false } } });
    let uri = format!("file://{}", story.root.display());
    let (mut editor, _) = Editor::open(story.baton(&["lsp", "--in-process"]), &uri, can);
    editor.ignored.extend(["baton/boardChanged", "baton/attention", "window/logMessage"]);
    editor
}

fn file<'a>(diff: &'a Value, path: &str) -> &'a Value {
    let files = diff["files"].as_array().unwrap();
    files.iter().find(|it| it["file"]["path"] == path).unwrap()
}

#[test]
fn hunks_have_ids_and_an_answer_names_them() {
    let story = at_approval(super::SCRIPT);
    let mut editor = open(&story);
    let diff = editor.request("baton/diff", json!({ "task": "T1" })).unwrap();
    let (listed, new) = (file(&diff, "src/list.txt"), file(&diff, "extra.txt"));
    let ids: Vec<&Value> = listed["hunks"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(json!(ids), listed["ids"]);
    assert_eq!((ids.len(), &listed["whole"]), (2, &Value::Null));
    assert_eq!((&new["whole"], &new["ids"][0]), (&json!("it is new"), &new["hunks"][0]["id"]));
    let board = editor.request("baton/board", json!({})).unwrap();
    let asked = board["approvals"][0].clone();
    assert_eq!(asked["hunks"], 4);
    let mut answer = |hunks: Value, revision: &Value, word: &str| {
        let params =
            json!({ "approval": "A1", "answer": word, "revision": revision, "hunks": hunks });
        editor.request("baton/answerApproval", params)
    };
    let revision = &asked["revision"];
    // Refused with what to do, and nothing is decided.
    for (hunks, word, code, says) in [
        (json!([]), "approve", 1, "choose one at least, or reject"),
        (json!([{ "path": "src/list.txt", "hunks": [] }]), "approve", 1, "choose one at least"),
        (json!([{ "path": "src/list.txt", "hunks": ["x"] }]), "approve", 1, "has no hunk x"),
        (json!([{ "path": "gone.txt" }]), "approve", 1, "doesn't touch gone.txt"),
        (json!([{ "path": "extra.txt" }]), "apply", -32602, "belong to `approve`"),
    ] {
        let refused = answer(hunks, revision, word).unwrap_err();
        assert_eq!(refused["code"], code, "{refused:#}");
        assert!(refused["message"].as_str().unwrap().contains(says), "{refused:#}");
    }
    let chosen =
        json!([{ "path": "src/numbers.txt" }, { "path": "src/list.txt", "hunks": [ids[0]] }]);
    let old = answer(chosen.clone(), &json!("another"), "approve").unwrap_err();
    assert!(old["message"].as_str().unwrap().contains("look again"), "{old:#}");
    let done = answer(chosen, revision, "approve").unwrap();
    assert_eq!(done["says"], "T1 approved in part");
    loop {
        let task = editor.request("baton/task", json!({ "task": "T1" })).unwrap();
        if task["state"] == "landed" {
            break;
        }
        assert_ne!(task["state"], "awaitingApproval", "{task:#}");
        let version = task["version"].as_u64().unwrap();
        editor.told("baton/boardChanged", |it| version < it["version"].as_u64().unwrap());
    }
    assert_eq!(story.read("src/list.txt"), list().replace("line 03", "third line"));
    assert!(!story.root.join("extra.txt").exists());
    let diff = editor.request("baton/diff", json!({ "task": "T1" })).unwrap();
    assert_eq!(diff["files"].as_array().unwrap().len(), 2, "what landed: {diff:#}");
    assert_eq!(editor.end(), 0);
}
