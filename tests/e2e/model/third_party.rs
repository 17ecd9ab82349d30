//! Other people's programs as counterparts: a mock of both wires that we did not write, and the
//! providers' own SDKs as judges of what we send and as reader of what our rehearsal answers.
//! `tests/tools/install.sh` puts them into the target folder.

use super::*;
use baton::model::Stop;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of an installed tool. Without it the test has nothing to say, which is a failure where
/// everything is required.
fn tool(file: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("test-tools").join(file);
    if path.exists() {
        return Some(path);
    }
    let how = "run tests/tools/install.sh";
    let required = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
    assert!(!required, "{file} is not installed: {how}");
    // Straight to the descriptor, so that it is seen when the test passes too.
    let _ = writeln!(std::io::stderr(), "skipped: {file} is not installed ({how})");
    None
}

/// The foreign mock; ends when it is dropped.
struct Mock {
    url: String,
    _process: Child,
}

async fn start_mock(program: PathBuf) -> Mock {
    let mut process = Command::new("node")
        .arg(program)
        .args(["-p", "0", "-f"])
        .arg(root().join("tests/fixtures/model/aimock.json"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().expect("the mock ended");
        if let Some(at) = line.find("http://127.0.0.1:") {
            break line[at..].trim().to_owned();
        }
    };
    // It must not block on a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Mock { url, _process: process }
}

impl Mock {
    async fn journal(&self) -> Vec<Value> {
        let url = format!("{}/__aimock/journal", self.url);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

#[tokio::test]
async fn a_foreign_mock_understands_us_and_we_it() {
    let Some(program) = tool("aimock/node_modules/@copilotkit/aimock/dist/cli.js") else {
        return;
    };
    let mock = start_mock(program).await;
    let model = open(&mock.url, patience()).await;
    let mut messages = vec![Message::user("Please fix the pages.")];
    let stop = CancellationToken::new();
    let heard = ask_all(&model, &messages, &stop).await;
    let reply = heard.reply().clone();
    assert_eq!(reply.stop, Stop::ToolUse);
    let kinds: Vec<Value> = serde_json::to_value(&reply.message.blocks)
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["type"], it["input"], it["text"]]))
        .collect();
    let path = json!({ "path": "src/lib.rs" });
    assert_eq!(
        json!(kinds),
        json!([
            ["thinking", null, null],
            ["text", null, "Reading."],
            ["tool_use", path, null],
            ["tool_use", {}, null],
        ])
    );
    let results = results(&reply.message, "1 fn page()");
    messages.extend([reply.message, results]);
    let heard = ask_all(&model, &messages, &stop).await;
    assert_eq!(heard.reply().stop, Stop::EndTurn);
    let fixed = Block::Text { text: "Fixed.".into() };
    assert_eq!(heard.reply().message.blocks, [fixed]);
    // The mock rewrites what it got into another wire's terms; so it read every part of it.
    let journal = mock.journal().await;
    assert_eq!(journal.len(), 2);
    let body = &journal[1]["body"];
    let roles: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|it| &it["role"]).collect();
    assert_eq!(json!(roles), json!(["system", "user", "assistant", "tool", "tool"]));
    assert_eq!(body["messages"][2]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!(body["tools"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_sdk_accepts_what_the_foreign_mock_got_on_the_other_wire() {
    let program = tool("aimock/node_modules/@copilotkit/aimock/dist/cli.js");
    let (Some(program), Some(python)) = (program, tool("sdk/bin/python")) else {
        return;
    };
    let mock = start_mock(program).await;
    let model = open_chat(&mock.url, patience()).await;
    let mut messages = vec![Message::user("Please fix the pages.")];
    let stop = CancellationToken::new();
    let heard = ask_all(&model, &messages, &stop).await;
    let reply = heard.reply().clone();
    assert_eq!(reply.stop, Stop::ToolUse);
    let blocks = json!(reply.message.blocks);
    let said: Vec<Value> = blocks
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["type"], it["input"], it["text"]]))
        .collect();
    let path = json!({ "path": "src/lib.rs" });
    let expected = [
        json!(["baton_openai", null, null]),
        json!(["text", null, "Reading."]),
        json!(["tool_use", path, null]),
        json!(["tool_use", {}, null]),
    ];
    assert_eq!(said, expected);
    assert_eq!(blocks[0]["fields"]["reasoning_content"], "Which file?");
    assert!(reply.raw_usage.get("estimated").is_none(), "{}", reply.raw_usage);
    let results = results(&reply.message, "1 fn page()");
    messages.extend([reply.message, results]);
    let heard = ask_all(&model, &messages, &stop).await;
    assert_eq!(heard.reply().message.blocks, [Block::Text { text: "Fixed.".into() }]);
    let journal = mock.journal().await;
    assert_eq!(journal.len(), 2);
    let bodies: Vec<Value> = journal.iter().map(|it| without_notes(&it["body"])).collect();
    let (ok, said) =
        run_python(&python, "check_requests.py", &["chat"], json!(bodies).to_string()).await;
    assert!(ok, "{said}");
    the_chat_judge_is_awake(&python, &bodies[1]).await;
}

/// A body as it was sent: the mock adds words of its own to what it notes.
fn without_notes(body: &Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
    body
}

/// Each of these is one mistake, and each is found.
async fn the_chat_judge_is_awake(python: &Path, good: &Value) {
    let spoil = |pointer: &str, name: &str, value: Value| {
        let mut body = good.clone();
        let place = body.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(place.remove(name)),
            other => drop(place.insert(name.to_owned(), other)),
        }
        body
    };
    let spoiled = [
        spoil("", "model", json!(null)),
        spoil("", "stream", json!(false)),
        spoil("", "max_output_tokens", json!(1)),
        spoil("/tools/0", "function", json!(null)),
        spoil("/messages/0", "role", json!("nobody")),
        spoil("/messages/2/tool_calls/0", "id", json!(null)),
        spoil("/messages/2/tool_calls/0/function", "arguments", json!({})),
        spoil("/messages/3", "tool_call_id", json!(null)),
    ];
    let (ok, said) =
        run_python(python, "check_requests.py", &["chat"], json!(spoiled).to_string()).await;
    assert!(!ok);
    for number in 0..spoiled.len() {
        assert!(said.contains(&format!("request {number}: ")), "{number} passed:\n{said}");
    }
}

#[tokio::test]
async fn a_foreign_mocks_faults_are_mended() {
    for open in [Wire::Messages, Wire::Chat] {
        let Some(program) = tool("aimock/node_modules/@copilotkit/aimock/dist/cli.js") else {
            return;
        };
        let mock = start_mock(program).await;
        let model = match open {
            Wire::Messages => super::open(&mock.url, patience()).await,
            Wire::Chat => open_chat(&mock.url, patience()).await,
        };
        mends_the_mocks_faults(&model).await;
    }
}

enum Wire {
    Messages,
    Chat,
}

async fn mends_the_mocks_faults(model: &Model) {
    let text = |heard: &Heard| match &heard.reply().message.blocks[..] {
        [Block::Text { text }] => text.clone(),
        other => panic!("{other:?}"),
    };
    let heard = ask(model, "limited").await;
    assert_eq!(text(&heard), "Here you are.");
    assert_eq!(heard.waits().len(), 2);
    assert_eq!(heard.waits()[0], 0);
    let heard = ask(model, "cut").await;
    assert_eq!(text(&heard), "An answer that is cut in its middle.");
    assert_eq!(heard.waits().len(), 1);
    // It had begun to speak before it was cut.
    assert!(matches!(heard.deltas[0], Delta::Text(_)), "{:?}", heard.deltas);
    assert_eq!(heard.lost().len(), 1);
    let heard = ask(model, "nothing that it knows").await;
    assert!(heard.failure().text.contains("knows no such model"));
}

/// Runs a script of ours under the SDK's Python; gives whether it succeeded and what it printed.
async fn run_python(python: &Path, script: &str, args: &[&str], input: String) -> (bool, String) {
    let mut process = Command::new(python)
        .arg(root().join("tests/tools").join(script))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let feed = async move { stdin.write_all(input.as_bytes()).await };
    let (fed, ended) = tokio::join!(feed, process.wait_with_output());
    let ended = ended.unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(fed.is_ok() && !errors.contains("Traceback"), "{errors}");
    (ended.status.success(), String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// The requests of a whole conversation, as our client sent them.
async fn requests() -> Vec<Value> {
    let script = r#"
says = ""
[[run]]
[[run.reply]]
thinking = "Which file?"
opaque = { type = "redacted_thinking", data = "eA==" }
text = "Reading."
call = [
  { name = "read_file", input = { path = "src/lib.rs" } },
  { name = "read_file", arguments = "{" },
]
[[run.reply]]
text = "Fixed."
"#;
    let server = play(script).await;
    let model = open(&server.base_url, patience()).await;
    let mut messages = vec![Message::user("Please fix the pages.")];
    for _ in 0..3 {
        let heard = ask_all(&model, &messages, &CancellationToken::new()).await;
        let message = heard.reply().message.clone();
        let mut results = results(&message, "1 fn page()");
        if results.blocks.is_empty() {
            results = Message::user("Is that all?");
        }
        messages.extend([message, results]);
    }
    let bodies = server.requests();
    bodies.iter().map(|it| serde_json::from_slice(it).unwrap()).collect()
}

#[tokio::test]
async fn the_sdk_accepts_what_we_send() {
    let Some(python) = tool("sdk/bin/python") else {
        return;
    };
    let requests = requests().await;
    assert_eq!(requests.len(), 3);
    let input = json!(requests).to_string();
    let (ok, said) = run_python(&python, "check_requests.py", &[], input).await;
    assert!(ok, "{said}");
    // The judge is awake: each of these is one mistake.
    let spoil = |pointer: &str, name: &str, value: Value| {
        let mut request = requests[1].clone();
        let place = request.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(place.remove(name)),
            other => drop(place.insert(name.to_owned(), other)),
        }
        request
    };
    let spoiled = [
        spoil("", "max_tokens", json!(null)),
        spoil("", "stream", json!(false)),
        spoil("", "max_output_tokens", json!(1)),
        spoil("/tools/0", "input_schema", json!(null)),
        spoil("/system/0", "text", json!(null)),
        spoil("/messages/0", "role", json!("system")),
        spoil("/messages/1/content/3", "id", json!(null)),
        spoil("/messages/1/content/3", "input", json!("{}")),
        spoil("/messages/2/content/0", "tool_use_id", json!(null)),
        spoil("/messages/2/content/1/cache_control", "type", json!("for_ever")),
    ];
    let (ok, said) =
        run_python(&python, "check_requests.py", &[], json!(spoiled).to_string()).await;
    assert!(!ok);
    for number in 0..spoiled.len() {
        assert!(said.contains(&format!("request {number}: ")), "{number} passed:\n{said}");
    }
}

#[tokio::test]
async fn the_sdk_reads_our_rehearsal_as_we_do() {
    let Some(python) = tool("sdk/bin/python") else {
        return;
    };
    let script = r#"
says = ""
[[run]]
[[run.reply]]
thinking = "Where is it?"
text = "I read 2 × 😀."
call = [{ name = "read_file", input = { path = "a", deep = { list = [1, 2.5, true] } } },
        { name = "read_file" }]
usage = { input_tokens = 1000, cache_read_input_tokens = 7, output_tokens = 50 }
fault = { ping = true }
"#;
    let server = play(script).await;
    let model = open(&server.base_url, patience()).await;
    let ours = ask(&model, "a").await.reply.unwrap();
    let request = String::from_utf8(server.requests()[0].to_vec()).unwrap();
    let (ok, said) = run_python(&python, "ask.py", &[&server.base_url], request).await;
    assert!(ok, "{said}");
    let theirs: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(theirs["content"], json!(ours.message.blocks));
    assert_eq!(theirs["stop_reason"], "tool_use");
    assert_eq!(theirs["usage"], ours.raw_usage);
}
