//! Comments on lines go back with the change: the Engineer hears each with its line.

use super::{at_approval, editor_in, hears, task_when};
use serde_json::json;

#[test]
fn a_comment_reaches_the_engineer_with_its_line() {
    let story = at_approval(&hears("- src/list.txt:30 `thirtieth line`: say it in digits"));
    let mut editor = editor_in(&story);
    let comment = |line: u32, side: &str, text: &str| json!({ "path": "src/list.txt", "line": line, "side": side, "text": text });
    let mut revise = |comments: serde_json::Value, word: &str| {
        let params = json!({ "approval": "A1", "answer": word, "comments": comments });
        editor.request("baton/answerApproval", params)
    };
    for (comments, word, says) in [
        (json!([comment(99, "to", "why?")]), "revise", "find src/list.txt:99"),
        (json!([comment(0, "to", "why?")]), "revise", "find src/list.txt:0"),
        (json!([comment(3, "left", "why?")]), "revise", "`from` or `to`"),
        (json!([comment(3, "to", " ")]), "revise", "says nothing"),
        (json!([comment(3, "to", "why?")]), "approve", "belong to `revise`"),
        (json!([]), "revise", "what to do differently"),
    ] {
        let refused = revise(comments, word).unwrap_err();
        assert!(refused["message"].as_str().unwrap().contains(says), "{refused:#}");
    }
    let comments =
        json!([comment(30, "to", "say it in digits"), comment(3, "from", "this was better")]);
    revise(comments, "revise").unwrap();
    let task = task_when(&mut editor, |it| it["state"] == "awaitingApproval");
    let patch = editor.request("baton/diff", json!({ "task": "T1" })).unwrap()["patch"].to_string();
    assert!(patch.contains("30th line"), "{patch}");
    let decided = task["decisions"].to_string();
    let old = "- src/list.txt:3 (as it was before the change) `line 03`: this was better";
    assert!(decided.contains(old), "{decided}");
    assert_eq!(editor.end(), 0);
}
