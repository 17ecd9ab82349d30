//! What waits is answered from the menu of an editor that knows nothing of Baton: sent back with the words of a
//! line, and rejected.

use super::{at_approval, editor_in, hears, task_when};
use crate::lsp::client::Editor;
use serde_json::{Value, json};

/// Runs the entry of the second line's menu that begins so.
fn choose(editor: &mut Editor, uri: &str, title: &str) -> Value {
    let here = json!({ "line": 1, "character": 2 });
    let params = json!({
        "textDocument": { "uri": uri }, "range": { "start": here, "end": here },
        "context": { "diagnostics": [], "triggerKind": 1 },
    });
    let menu = editor.request("textDocument/codeAction", params).unwrap();
    let entries = menu.as_array().unwrap();
    let found = entries.iter().find(|it| it["title"].as_str().unwrap().starts_with(title));
    let entry = found.unwrap_or_else(|| panic!("no `{title}` in {menu:#}"));
    let run = json!({ "command": entry["command"], "arguments": entry["arguments"] });
    editor.request("workspace/executeCommand", run).unwrap()
}

#[test]
fn a_change_is_sent_back_with_the_words_of_a_line_and_rejected() {
    let story = at_approval(&hears("say it in digits (src/list.txt:2)"));
    let mut editor = editor_in(&story);
    let uri = format!("file://{}/src/list.txt", story.root.display());
    let text = "first\n# say it in digits\n";
    let document = json!({ "uri": uri, "languageId": "text", "version": 1, "text": text });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
    task_when(&mut editor, |it| it["state"] == "awaitingApproval");
    choose(&mut editor, &uri, "T1 send back: the comment on this line: say it in digits");
    let approvals = |it: &Value| it["approvals"].as_array().unwrap().len();
    let revised =
        task_when(&mut editor, |it| it["state"] == "awaitingApproval" && approvals(it) == 2);
    let decided = revised["decisions"].to_string();
    assert!(decided.contains("say it in digits (src/list.txt:2)"), "{decided}");
    let patch = editor.request("baton/diff", json!({ "task": "T1" })).unwrap()["patch"].to_string();
    assert!(patch.contains("30th line"), "{patch}");
    choose(&mut editor, &uri, "T1 reject: ");
    task_when(&mut editor, |it| it["state"] == "rejected");
    assert_eq!(editor.end(), 0);
}
