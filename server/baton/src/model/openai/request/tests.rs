//! Questions as bytes.

use super::*;
use crate::model::message::ToolSpec;
use reqwest::Url;

fn habits() -> Habits {
    Habits::of(&Url::parse("http://127.0.0.1:8080/v1").unwrap())
}

fn tools() -> Vec<ToolSpec> {
    let schema = json!({ "type": "object", "properties": { "b": {}, "a": {} } });
    vec![ToolSpec { name: "read_file".into(), description: "d".into(), schema }]
}

fn sent(system: &str, tools: &[ToolSpec], messages: &[Message], habits: Habits) -> String {
    let call = Call { system, tools, messages, max_output_tokens: 1_000 };
    String::from_utf8(body("m", &call, habits).unwrap().to_vec()).unwrap()
}

fn call(id: &str) -> Block {
    Block::ToolUse { id: id.into(), name: "read_file".into(), input: json!({ "z": 1, "a": 0.1 }) }
}

fn result(id: &str, is_error: bool) -> Block {
    Block::ToolResult { tool_use_id: id.into(), content: format!("of {id}"), is_error }
}

fn said(text: &str) -> Block {
    Block::Text { text: text.into() }
}

fn by(speaker: Speaker, blocks: Vec<Block>) -> Message {
    Message { speaker, blocks }
}

/// A step whose reply was thought about, and had one call that was written with spaces.
fn step(n: u32) -> [Message; 2] {
    let (a, b) = (format!("a{n}"), format!("b{n}"));
    let mut kept = Kept::default();
    kept.fields.insert("reasoning_content".to_owned(), json!("hm"));
    kept.calls.insert(b.clone(), plain_call(&b, "read_file", r#"{"z": 1, "a": 0.1}"#));
    let note = kept.into_block().unwrap();
    let thinking = Block::Opaque(json!({ "type": "thinking", "thinking": "", "signature": "s" }));
    [
        by(Speaker::Assistant, vec![note, thinking, said("I look."), call(&a), call(&b)]),
        by(Speaker::User, vec![result(&a, false), result(&b, true), said("go on")]),
    ]
}

#[test]
fn a_question_is_exactly_this() {
    let messages = [vec![Message::user("fix it")], step(1).to_vec()].concat();
    expect_test::expect![[r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":1000,"tools":[{"type":"function","function":{"name":"read_file","description":"d","parameters":{"type":"object","properties":{"b":{},"a":{}}}}}],"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"fix it"},{"role":"assistant","content":"I look.","reasoning_content":"hm","tool_calls":[{"id":"a1","type":"function","function":{"name":"read_file","arguments":"{\"z\":1,\"a\":0.1}"}},{"id":"b1","type":"function","function":{"name":"read_file","arguments":"{\"z\": 1, \"a\": 0.1}"}}]},{"role":"tool","tool_call_id":"a1","content":"of a1"},{"role":"tool","tool_call_id":"b1","content":"Error: of b1"},{"role":"user","content":"go on"}]}"#]]
    .assert_eq(&sent("be brief", &tools(), &messages, habits()));
}

#[test]
fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
    let tools = tools();
    let mut messages = vec![Message::user("fix it")];
    let mut before = sent("s", &tools, &messages, habits());
    for n in 0..30 {
        messages.extend(step(n));
        let now = sent("s", &tools, &messages, habits());
        assert!(now.starts_with(before.strip_suffix("]}").unwrap()), "{n}");
        before = now;
    }
}

#[test]
fn habits_change_what_is_sent() {
    let messages = [vec![Message::user("fix it")], step(1).to_vec()].concat();
    let learn = |words: &[&str]| {
        let learned = words.iter().fold(habits(), |it, said| it.learn(said).unwrap());
        let text = sent("", &[], &messages, learned);
        let body: Value = serde_json::from_str(&text).unwrap();
        body
    };
    let body = learn(&["use max_completion_tokens", "no stream_options"]);
    assert_eq!(body["max_completion_tokens"], 1_000);
    assert!(["max_tokens", "stream_options", "tools"].iter().all(|it| body.get(*it).is_none()));
    let body = learn(&["max_tokens is too large", "reasoning_content: extra field"]);
    assert!(["max_tokens", "max_completion_tokens"].iter().all(|it| body.get(*it).is_none()));
    let reply = &body["messages"][1];
    assert_eq!(reply.get("reasoning_content"), None);
    assert_eq!(reply["tool_calls"][1]["function"]["arguments"], r#"{"z":1,"a":0.1}"#);
    let body = learn(&["set reasoning_effort to 'none'"]);
    assert_eq!(body["reasoning_effort"], "none");
}

#[test]
fn thoughts_without_a_call_do_not_go_back_and_the_users_words_are_joined() {
    let mut kept = Kept::default();
    kept.fields.insert("reasoning".to_owned(), json!("hm"));
    let note = kept.into_block().unwrap();
    let messages = [
        Message::user("a"),
        by(Speaker::Assistant, vec![note.clone()]),
        by(Speaker::User, vec![said("b"), said("c")]),
        by(Speaker::Assistant, vec![note, said("d")]),
        Message::user("e"),
    ];
    let body: Value = serde_json::from_str(&sent("", &[], &messages, habits())).unwrap();
    assert_eq!(
        body["messages"],
        json!([{ "role": "user", "content": "a\n\nb\n\nc" },
            { "role": "assistant", "content": "d" }, { "role": "user", "content": "e" }])
    );
}

#[test]
fn arguments_that_were_no_json_go_back_as_json() {
    let input = json!({ crate::model::UNPARSED: "{\"a\":" });
    let broken = Block::ToolUse { id: "t".into(), name: "read_file".into(), input };
    let messages = [Message::user("a"), by(Speaker::Assistant, vec![broken])];
    let body: Value = serde_json::from_str(&sent("", &[], &messages, habits())).unwrap();
    let call = &body["messages"][1]["tool_calls"][0]["function"];
    let arguments = call["arguments"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(arguments).unwrap().is_object());
    assert_eq!(body["messages"][1]["content"], Value::Null);
}
