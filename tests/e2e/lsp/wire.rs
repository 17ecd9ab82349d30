//! What goes over the wire: hello and goodbye, capabilities, order, isolation, errors.

use super::client::Editor;
use super::desk::Desk;
use serde_json::{Value, json};

fn plain() -> Value {
    json!({ "textDocument": { "codeAction": {
        "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } }
    } } })
}

fn announced() -> Value {
    json!({ "experimental": { "baton": { "protocolVersion": 1, "showMessage": false } } })
}

fn open_document(editor: &mut Editor, uri: &str, text: &str) {
    let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
}

fn actions(editor: &mut Editor, uri: &str, range: [u32; 4], context: Value) -> Value {
    let [line, column, end_line, end_column] = range;
    let params = json!({
        "textDocument": { "uri": uri },
        "range": {
            "start": { "line": line, "character": column },
            "end": { "line": end_line, "character": end_column },
        },
        "context": context,
    });
    editor.request("textDocument/codeAction", params).unwrap()
}

fn titles(actions: &Value) -> Vec<&str> {
    actions.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect()
}

#[test]
fn hello_offers_the_protocol_and_goodbye_ends_with_zero() {
    let desk = Desk::new();
    let (editor, hello) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    let can = &hello["capabilities"];
    let offer = &can["experimental"]["baton"];
    assert_eq!(offer["protocolVersion"], 1);
    assert!(offer["requests"].as_array().unwrap().contains(&json!("baton/delegate")));
    assert_eq!(can["positionEncoding"], "utf-16");
    assert_eq!(can["textDocumentSync"]["change"], 2);
    let commands = can["executeCommandProvider"]["commands"].as_array().unwrap();
    assert!(commands.iter().all(|it| it.as_str().unwrap().starts_with("baton.do.")));
    assert_eq!(editor.end(), 0);
}

#[test]
fn the_exit_code_tells_a_goodbye_from_none() {
    let desk = Desk::new();
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    editor.notify("exit", Value::Null);
    assert_eq!(editor.wait(), 1, "exit without shutdown");
    let (editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    assert_eq!(editor.wait(), 0, "the input ended");
    let mut editor = Editor::start(desk.server());
    editor.write(b"GET / HTTP/1.1\r\n\r\n");
    editor.take(|it| it["error"]["code"] == -32700);
    assert_eq!(editor.wait(), 1, "no frame");
}

#[test]
fn before_hello_requests_are_refused_and_a_malformed_body_is_survived() {
    let desk = Desk::new();
    let mut editor = Editor::start(desk.server());
    let refused = editor.request("baton/board", json!({})).unwrap_err();
    assert_eq!(refused["code"], -32002);
    editor.write(b"Content-Length: 9\r\n\r\n{\"json\":}");
    editor.take(|it| it["error"]["code"] == -32700);
    let params = json!({ "processId": null, "rootUri": desk.uri(""), "capabilities": {} });
    editor.request("initialize", params).unwrap();
    editor.notify("initialized", json!({}));
    let unknown = editor.request("baton/conquer", json!({})).unwrap_err();
    assert_eq!(unknown["code"], -32601);
    let board = editor.request("baton/board", json!({ "beyond": true })).unwrap();
    assert_eq!(board["tasks"], json!([]));
    assert_eq!(editor.end(), 0);
}

#[test]
fn positions_are_counted_as_agreed() {
    for (offered, agreed) in [
        (json!(["utf-16", "utf-8"]), "utf-8"),
        (json!(["utf-32"]), "utf-32"),
        (json!(["utf-16"]), "utf-16"),
    ] {
        let desk = Desk::new();
        let can = json!({ "general": { "positionEncodings": offered } });
        let (editor, hello) = Editor::open(desk.server(), &desk.uri(""), can);
        assert_eq!(hello["capabilities"]["positionEncoding"], agreed);
        assert_eq!(editor.end(), 0);
    }
}

/// 20,000 edits with requests between them: each answer shows the text of exactly that moment.
#[test]
fn requests_see_the_text_that_was_sent_before_them() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), plain());
    editor.request("baton/board", json!({})).unwrap();
    open_document(&mut editor, &uri, "");
    let mut asked = Vec::new();
    for n in 1..=20_000u64 {
        // Odd versions have text in the line, even ones are empty, so that an answer tells them apart.
        let text = if n % 2 == 1 { format!("line {n}") } else { String::new() };
        editor.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": uri, "version": n + 1 },
                "contentChanges": [{ "text": text }],
            }),
        );
        if n % 5 == 0 {
            let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
            let id = editor.ask("textDocument/codeAction", json!({
                "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] },
            }));
            asked.push((n, id));
        }
    }
    for (n, id) in asked {
        let offered = !editor.answer(id).unwrap().as_array().unwrap().is_empty();
        assert_eq!(offered, n % 2 == 1, "after edit {n}");
    }
    assert_eq!(editor.end(), 0);
}

#[test]
fn code_actions_take_the_form_that_the_client_knows() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let text = desk.read("src/lib.rs");
    let by_hand = json!({ "diagnostics": [], "triggerKind": 1 });
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), plain());
    editor.request("baton/board", json!({})).unwrap();
    open_document(&mut editor, &uri, &text);
    let here = actions(&mut editor, &uri, [4, 0, 4, 0], by_hand.clone());
    let anywhere = [
        "Delegate: fix the problem on this line",
        "Delegate: write tests for this",
        "Ask the team about this",
    ];
    assert_eq!(titles(&here), anywhere);
    assert_eq!(here[0]["kind"], "baton.delegate");
    assert!(here[0].get("isPreferred").is_none());
    let selected = actions(&mut editor, &uri, [3, 0, 4, 3], by_hand.clone());
    assert_eq!(titles(&selected)[0], "Delegate selection");
    assert_eq!(titles(&selected)[1..], anywhere);
    assert_eq!(actions(&mut editor, &uri, [1, 0, 1, 0], by_hand.clone()), json!([]), "no text");
    let quick = json!({ "diagnostics": [], "only": ["quickfix"] });
    assert_eq!(actions(&mut editor, &uri, [4, 0, 4, 0], quick), json!([]));
    let by_itself = json!({ "diagnostics": [], "triggerKind": 2 });
    assert_eq!(actions(&mut editor, &uri, [4, 0, 4, 0], by_itself), json!([]));
    let outside = "file:///no/such/place/x.rs";
    open_document(&mut editor, outside, &text);
    assert_eq!(actions(&mut editor, outside, [4, 0, 4, 0], by_hand.clone()), json!([]));
    assert_eq!(editor.end(), 0);

    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    editor.request("baton/board", json!({})).unwrap();
    open_document(&mut editor, &uri, &text);
    let here = actions(&mut editor, &uri, [4, 0, 4, 0], by_hand);
    assert_eq!(here[0]["command"], "baton.do.delegate", "a bare command: {here}");
    assert_eq!(editor.end(), 0);
}

#[test]
fn what_cannot_be_meant_is_refused_with_words() {
    let desk = Desk::new();
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), announced());
    editor.ignored.push("baton/boardChanged");
    let cases = [
        ("baton/delegate", json!({}), -32602, "a delegation needs `text`"),
        ("baton/delegate", json!({ "text": "x", "base": "tomorrow" }), -32602, "`base` is"),
        ("baton/delegate", json!({ "text": "x", "repository": "other" }), 3, "no repository"),
        ("baton/task", json!({ "task": "T99" }), 3, "no task T99"),
        ("baton/task", json!({ "task": "banana" }), -32602, "is no id"),
        ("baton/diff", json!({ "task": "T99" }), 3, "no task T99"),
        ("baton/cancel", json!({ "task": "T99" }), 3, "no task T99"),
        (
            "baton/answerApproval",
            json!({ "approval": "A9", "answer": "approve" }),
            3,
            "no approval A9",
        ),
        (
            "baton/answerApproval",
            json!({ "approval": "A9", "answer": "ok" }),
            -32602,
            "`answer` is",
        ),
        ("baton/answerApproval", json!({ "approval": "A9", "answer": "revise" }), -32602, "say in"),
        ("baton/answerQuestion", json!({ "question": "Q9", "text": "x" }), 3, "no question Q9"),
        ("workspace/executeCommand", json!({ "command": "baton.do.fly" }), -32602, "no command"),
    ];
    for (method, params, code, words) in cases {
        let error = editor.request(method, params.clone()).unwrap_err();
        assert_eq!(error["code"], code, "{method} {params}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{method} {params}: {message}");
    }
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_folder_that_is_no_repository_is_said_and_survived() {
    let desk = Desk::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = format!("file://{}", elsewhere.path().display());
    let (mut editor, _) = Editor::open(desk.server(), &folder, json!({}));
    let error = editor.request("baton/board", json!({})).unwrap_err();
    assert_eq!(error["code"], 3, "{error}");
    assert_eq!(error["data"]["kind"], "unknown");
    assert_eq!(editor.end(), 0);
}

/// The folder is still being looked at when the request comes; it counts all the same.
#[test]
fn a_folder_that_was_added_counts_from_the_next_request_on() {
    let (desk, other) = (Desk::new(), Desk::new());
    let (mut editor, _) = Editor::open(desk.server(), &desk.uri(""), json!({}));
    let only = editor.request("baton/board", json!({})).unwrap();
    // Many that are none, so that the one is still being looked at when the next message is read.
    let none = |n: u32| json!({ "uri": desk.uri(&format!("no{n}")), "name": "none" });
    let mut added: Vec<Value> = (0..300).map(none).collect();
    added.push(json!({ "uri": other.uri(""), "name": "other" }));
    let event = json!({ "event": { "added": added, "removed": [] } });
    editor.notify("workspace/didChangeWorkspaceFolders", event);
    let error = editor.request("baton/board", json!({})).unwrap_err();
    assert_eq!(error["code"], 3, "{error}");
    assert!(error["message"].as_str().unwrap().contains("several repositories"), "{error}");
    let named = json!({ "repository": only["repository"] });
    assert_eq!(editor.request("baton/board", named).unwrap(), only);
    assert_eq!(editor.end(), 0);
}
