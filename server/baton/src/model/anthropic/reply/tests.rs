//! Replies from events.

use super::*;
use crate::model::retry::Again;
use expect_test::expect;
use team::Code;

fn read(events: &[Value]) -> (Result<Reply, Fault>, Vec<Delta>) {
    let mut deltas = Vec::new();
    let mut assembly = Assembly::default();
    for event in events {
        let taken = assembly.event(&event.to_string(), &mut |it| deltas.push(it));
        if let Err(fault) = taken {
            return (Err(fault), deltas);
        }
    }
    assert!(assembly.is_complete());
    (Ok(assembly.finish(None)), deltas)
}

fn start(index: u64, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u64, delta: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn call(index: u64) -> Value {
    let id = format!("t{index}");
    start(index, json!({ "type": "tool_use", "id": id, "name": "edit", "input": {} }))
}

fn json_part(index: u64, text: &str) -> Value {
    delta(index, json!({ "type": "input_json_delta", "partial_json": text }))
}

fn end(reason: Value) -> [Value; 2] {
    let last = json!({ "type": "message_delta", "delta": { "stop_reason": reason } });
    [last, json!({ "type": "message_stop" })]
}

fn inputs(reply: &Reply) -> Vec<Value> {
    let blocks = reply.message.blocks.iter();
    blocks
        .filter_map(|it| match it {
            Block::ToolUse { input, .. } => Some(input.clone()),
            Block::Text { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
        })
        .collect()
}

#[test]
fn blocks_are_put_together_in_order_even_when_interleaved() {
    let mut events = vec![
        json!({ "type": "message_start", "message": { "usage": {
            "input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5 } } }),
        json!({ "type": "ping" }),
        start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "hm" })),
        delta(0, json!({ "type": "signature_delta", "signature": "c2ln" })),
        start(1, json!({ "type": "redacted_thinking", "data": "eA==" })),
        start(2, json!({ "type": "text", "text": "" })),
        call(4),
        call(3),
        delta(2, json!({ "type": "text_delta", "text": "I " })),
        json_part(3, "{\"a\":"),
        json_part(4, "{\"b\""),
        json_part(3, "[1]}"),
        json_part(4, ":2}"),
        delta(2, json!({ "type": "text_delta", "text": "read." })),
        json!({ "type": "content_block_stop", "index": 3 }),
        json!({ "type": "something_new", "x": 1 }),
        json!({ "type": "message_delta", "delta": {},
            "usage": { "output_tokens": 7, "input_tokens": null } }),
        json!({ "type": "message_delta", "delta": {}, "usage": { "output_tokens": 42 } }),
    ];
    events.extend(end(json!("tool_use")));
    let (reply, deltas) = read(&events);
    let reply = reply.unwrap();
    let blocks = serde_json::to_string(&reply.message.blocks).unwrap();
    expect![[r#"[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"eA=="},{"type":"text","text":"I read."},{"type":"tool_use","id":"t3","name":"edit","input":{"a":[1]}},{"type":"tool_use","id":"t4","name":"edit","input":{"b":2}}]"#]]
    .assert_eq(&blocks);
    assert_eq!(reply.stop, Stop::ToolUse);
    // The counts are totals: nothing is added up.
    assert_eq!(reply.usage.output_tokens, 42);
    assert_eq!(reply.usage.input_tokens, 10);
    assert_eq!(reply.usage.cache_read_tokens, 5);
    assert_eq!(reply.usage.calls, 1);
    assert_eq!(reply.raw_usage["output_tokens"], 42);
    assert_eq!(
        deltas,
        [
            Delta::ToolStarted("edit".into()),
            Delta::ToolStarted("edit".into()),
            Delta::Text("I ".into()),
            Delta::Text("read.".into()),
        ]
    );
}

#[test]
fn arguments_that_are_no_object_are_kept_for_an_answer() {
    let mut events = Vec::new();
    let texts = ["", "{\"a\":", "[1]", "nonsense", "{}", " "];
    for (index, text) in (0..).zip(texts) {
        events.push(call(index));
        events.push(json_part(index, text));
    }
    events.extend(end(Value::Null));
    let reply = read(&events).0.unwrap();
    let expected = [
        json!({}),
        json!({ UNPARSED: "{\"a\":" }),
        json!({ UNPARSED: "[1]" }),
        json!({ UNPARSED: "nonsense" }),
        json!({}),
        json!({}),
    ];
    assert_eq!(inputs(&reply), expected);
    assert_eq!(reply.message.blocks[1].unparsed(), Some("{\"a\":"));
    // No reason was given: a call is one.
    assert_eq!(reply.stop, Stop::ToolUse);
}

#[test]
fn a_call_with_more_fields_is_a_call_and_an_unknown_block_stays_whole() {
    let mut events = vec![
        start(
            0,
            json!({ "type": "tool_use", "id": "t", "name": "n",
            "input": { "a": 1 }, "caller": { "type": "direct" } }),
        ),
        start(1, json!({ "type": "server_tool_use", "id": "s", "name": "web", "input": {} })),
        json_part(1, "{\"q\":1}"),
        start(2, json!({ "type": "from_the_future", "n": [1, { "z": 0, "a": 0.5 }] })),
        delta(2, json!({ "type": "future_delta", "words": "a", "n": 3 })),
        delta(2, json!({ "type": "future_delta", "words": "b" })),
        start(3, json!({ "type": "text", "text": "", "citations": null })),
        delta(3, json!({ "type": "text_delta", "text": "x" })),
    ];
    events.extend(end(json!("pause_turn")));
    let reply = read(&events).0.unwrap();
    assert_eq!(inputs(&reply), [json!({ "a": 1 })]);
    let opaque = |value| Block::Opaque(value);
    assert_eq!(
        reply.message.blocks[1..],
        [
            opaque(json!({ "type": "server_tool_use", "id": "s", "name": "web",
                "input": { "q": 1 } })),
            opaque(json!({ "type": "from_the_future", "n": [1, { "z": 0, "a": 0.5 }],
                "words": "ab" })),
            Block::Text { text: "x".into() },
        ]
    );
    assert_eq!(reply.stop, Stop::Other("pause_turn".into()));
}

#[test]
fn citations_are_collected() {
    let mut events = vec![
        start(0, json!({ "type": "text", "text": "a", "citations": [] })),
        delta(0, json!({ "type": "citations_delta", "citation": { "n": 1 } })),
        delta(0, json!({ "type": "citations_delta", "citation": { "n": 2 } })),
    ];
    events.extend(end(json!("end_turn")));
    let reply = read(&events).0.unwrap();
    let expected = json!({ "type": "text", "text": "a", "citations": [{ "n": 1 }, { "n": 2 }] });
    assert_eq!(reply.message.blocks, [Block::Opaque(expected)]);
}

#[test]
fn blank_text_is_dropped_and_nothing_is_a_reply_too() {
    let mut events = vec![start(0, json!({ "type": "text", "text": " \n" }))];
    events.extend(end(json!("end_turn")));
    let reply = read(&events).0.unwrap();
    assert_eq!(reply.message.blocks, []);
    assert_eq!(reply.stop, Stop::EndTurn);
    assert_eq!(reply.raw_usage, json!({}));
}

#[test]
fn stop_reasons_are_named() {
    for (reason, stop) in [
        ("end_turn", Stop::EndTurn),
        ("stop_sequence", Stop::EndTurn),
        ("max_tokens", Stop::MaxTokens),
        ("model_context_window_exceeded", Stop::MaxTokens),
        ("refusal", Stop::Refusal),
    ] {
        assert_eq!(read(&end(json!(reason))).0.unwrap().stop, stop);
    }
}

#[test]
fn a_document_is_read_like_a_stream() {
    let mut assembly = Assembly::default();
    let document = json!({ "type": "message", "role": "assistant", "stop_reason": "tool_use",
        "content": [{ "type": "text", "text": "a" },
            { "type": "tool_use", "id": "t", "name": "n", "input": { "a": 1 } }],
        "usage": { "input_tokens": 3, "output_tokens": 4 } });
    let mut deltas = Vec::new();
    let read = assembly.document(document.to_string().as_bytes(), &mut |it| deltas.push(it));
    assert!(read.is_ok());
    let reply = assembly.finish(None);
    assert_eq!(inputs(&reply), [json!({ "a": 1 })]);
    assert_eq!(reply.usage.tokens(), 7);
    assert_eq!(deltas.len(), 2);
}

#[test]
fn broken_events_are_asked_again() {
    let cases = [
        json!([1]),
        json!({ "type": "content_block_start", "index": 0 }),
        json!({ "type": "content_block_start", "content_block": {} }),
        start(0, json!({ "text": "no type" })),
        start(0, json!({ "type": "tool_use", "name": "no id" })),
        delta(5, json!({ "type": "text_delta", "text": "no block" })),
    ];
    for case in cases {
        let fault = read(std::slice::from_ref(&case)).0;
        assert!(matches!(fault, Err(Fault::Again(Again { wait: None, .. }))), "{case}");
    }
    let nothing = &mut |_| {};
    for bytes in [&b""[..], b"<html>", b"[]", b"{}", br#"{"content":[1]}"#] {
        let read = Assembly::default().document(bytes, nothing);
        assert!(matches!(read, Err(Fault::Again(_))), "{bytes:?}");
    }
    assert!(matches!(Assembly::default().event("{", nothing), Err(Fault::Again(_))));
    assert!(Assembly::default().event("[DONE]", nothing).is_ok());
}

#[test]
fn an_error_in_the_stream_is_asked_again_only_if_it_may_pass() {
    let fault = |kind: &str| {
        let error = json!({ "type": "error", "error": { "type": kind, "message": "m" } });
        read(&[error]).0.unwrap_err()
    };
    for kind in ["overloaded_error", "rate_limit_error", "api_error", "new_error", ""] {
        assert!(matches!(fault(kind), Fault::Again(_)), "{kind}");
    }
    for (kind, code) in [
        ("invalid_request_error", Code::Model),
        ("request_too_large", Code::Model),
        ("authentication_error", Code::Key),
        ("billing_error", Code::Key),
    ] {
        let Fault::Final(failure) = fault(kind) else {
            panic!("{kind}");
        };
        assert_eq!(failure.code, code, "{kind}");
    }
}

#[test]
fn a_reply_is_bounded_in_bytes_and_blocks() {
    let part = delta(0, json!({ "type": "text_delta", "text": "x".repeat(1024 * 1024) }));
    let mut events = vec![start(0, json!({ "type": "text", "text": "" }))];
    events.extend(std::iter::repeat_n(part, 9));
    let (fault, deltas) = read(&events);
    assert!(matches!(fault, Err(Fault::Final(_))));
    // The frame of the block counts too.
    assert_eq!(deltas.len(), 8);
    let blocks: Vec<Value> = (0..1_100).map(|it| start(it, json!({ "type": "x" }))).collect();
    assert!(matches!(read(&blocks).0, Err(Fault::Final(_))));
}
