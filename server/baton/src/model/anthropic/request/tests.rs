//! Requests as bytes.

use super::*;
use crate::model::Block;
use serde_json::{Value, json};

fn tools() -> Vec<ToolSpec> {
    let tool = |name: &str| ToolSpec {
        name: name.into(),
        description: "d".into(),
        schema: json!({ "type": "object", "properties": { "b": {}, "a": {} } }),
    };
    vec![tool("read_file"), tool("hand_over_change")]
}

fn sent(system: &str, tools: &[ToolSpec], messages: &[Message]) -> String {
    let call = Call { system, tools, messages, max_output_tokens: 1_000 };
    String::from_utf8(body("m", &call).unwrap().to_vec()).unwrap()
}

fn step(n: u32) -> [Message; 2] {
    let id = format!("t{n}");
    let call = Block::ToolUse {
        id: id.clone(),
        name: "read_file".into(),
        input: json!({ "z": n, "a": 0.1 }),
    };
    let thinking = Block::Opaque(json!({ "type": "thinking", "thinking": "", "signature": "s" }));
    let result =
        Block::ToolResult { tool_use_id: id, content: format!("line {n}"), is_error: false };
    [
        Message { speaker: Speaker::Assistant, blocks: vec![thinking, call] },
        Message { speaker: Speaker::User, blocks: vec![result] },
    ]
}

#[test]
fn a_request_is_exactly_this() {
    let messages = [vec![Message::user("fix it")], step(1).to_vec()].concat();
    expect_test::expect![[r#"{"model":"m","max_tokens":1000,"stream":true,"tools":[{"name":"read_file","description":"d","input_schema":{"type":"object","properties":{"b":{},"a":{}}}},{"name":"hand_over_change","description":"d","input_schema":{"type":"object","properties":{"b":{},"a":{}}}}],"system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"fix it"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"tool_use","id":"t1","name":"read_file","input":{"z":1,"a":0.1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"line 1","is_error":false,"cache_control":{"type":"ephemeral"}}]}]}"#]]
    .assert_eq(&sent("be brief", &tools(), &messages));
}

#[test]
fn a_longer_conversation_starts_with_the_bytes_of_the_shorter() {
    const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;
    let tools = tools();
    let mut messages = vec![Message::user("fix it")];
    let mut before = sent("s", &tools, &messages);
    for n in 0..30 {
        messages.extend(step(n));
        let now = sent("s", &tools, &messages);
        // All but the mark at the end and the brackets that close the whole.
        let kept = before.strip_suffix("}]}]}").unwrap();
        let kept = kept.strip_suffix(MARK).unwrap();
        assert!(now.starts_with(kept), "{n}");
        assert_eq!(now.matches(MARK).count(), 2);
        before = now;
    }
}

#[test]
fn without_instructions_the_last_tool_carries_the_mark() {
    let body: Value = serde_json::from_str(&sent("", &tools(), &[Message::user("a")])).unwrap();
    assert_eq!(body.get("system"), None);
    assert_eq!(body["tools"][0].get("cache_control"), None);
    assert_eq!(body["tools"][1]["cache_control"]["type"], "ephemeral");
    let body: Value = serde_json::from_str(&sent("", &[], &[Message::user("a")])).unwrap();
    assert_eq!(body.get("tools"), None);
}

#[test]
fn an_empty_message_is_left_out() {
    let empty = Message { speaker: Speaker::Assistant, blocks: vec![] };
    let messages = [Message::user("a"), empty, Message::user("b")];
    let body: Value = serde_json::from_str(&sent("", &[], &messages)).unwrap();
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"][0]["content"][0].get("cache_control"), None);
    assert!(body["messages"][1]["content"][0].get("cache_control").is_some());
}
