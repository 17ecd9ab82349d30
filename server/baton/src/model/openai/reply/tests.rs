//! Replies from chunks, in the forms that servers really send.

use super::*;
use crate::model::retry::Again;
use expect_test::expect;

fn read(events: &[Value]) -> (Result<Reply, Fault>, Vec<Delta>) {
    let mut deltas = Vec::new();
    let mut assembly = Assembly::new(400, 3);
    for event in events {
        let data = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        if let Err(fault) = assembly.event(&data, &mut |it| deltas.push(it)) {
            return (Err(fault), deltas);
        }
    }
    assert!(assembly.is_whole());
    (Ok(assembly.finish(None)), deltas)
}

fn delta(delta: Value) -> Value {
    json!({ "id": "c", "object": "chat.completion.chunk",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": null }], "usage": null })
}

fn piece(piece: Value) -> Value {
    delta(json!({ "tool_calls": [piece] }))
}

fn end(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

/// The blocks of a reply of these chunks, as the journal has them.
fn blocks(chunks: &[Value]) -> String {
    let events = [chunks, &[end("tool_calls"), json!("[DONE]")]].concat();
    let reply = read(&events).0.unwrap();
    assert_eq!(reply.stop, Stop::ToolUse);
    serde_json::to_string(&reply.message.blocks).unwrap()
}

#[test]
fn a_reply_is_put_together_with_its_counts() {
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
        "prompt_tokens_details": { "cached_tokens": 64 } });
    let events = [
        delta(json!({ "role": "assistant", "content": null })),
        delta(json!({ "reasoning_content": "Where " })),
        delta(json!({ "reasoning_content": "is it?" })),
        delta(json!({ "content": "I " })),
        delta(json!({ "content": "read." })),
        piece(json!({ "index": 0, "id": "call_1", "type": "function",
            "function": { "name": "read_file", "arguments": "" } })),
        piece(json!({ "index": 0, "function": { "arguments": "{\"path\"" } })),
        piece(json!({ "index": 0, "function": { "arguments": ":\"a\"}" } })),
        end("tool_calls"),
        json!({ "choices": [], "usage": usage }),
        json!("[DONE]"),
    ];
    let (reply, deltas) = read(&events);
    let reply = reply.unwrap();
    let written = serde_json::to_string(&reply.message.blocks).unwrap();
    expect![[r#"[{"type":"baton_openai","fields":{"reasoning_content":"Where is it?"},"calls":{}},{"type":"text","text":"I read."},{"type":"tool_use","id":"call_1","name":"read_file","input":{"path":"a"}}]"#]]
    .assert_eq(&written);
    let again: Vec<Block> = serde_json::from_str(&written).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    assert_eq!(reply.stop, Stop::ToolUse);
    let counts =
        [reply.usage.input_tokens, reply.usage.cache_read_tokens, reply.usage.output_tokens];
    assert_eq!(counts, [36, 64, 20]);
    assert_eq!(reply.raw_usage, usage);
    let expected = [
        Delta::Text("I ".into()),
        Delta::Text("read.".into()),
        Delta::ToolStarted("read_file".into()),
    ];
    assert_eq!(deltas, expected);
}

#[test]
fn interleaved_pieces_find_their_calls_by_index() {
    let begin = |index: u64| {
        let id = format!("c{index}");
        piece(json!({ "index": index, "id": id, "function": { "name": "edit", "arguments": "" } }))
    };
    let more = |index: u64, text: &str| {
        piece(json!({ "index": index, "function": { "arguments": text } }))
    };
    let chunks =
        [begin(0), begin(1), more(1, "{\"b\""), more(0, "{\"a\":"), more(1, ":2}"), more(0, "1}")];
    expect![[r#"[{"type":"tool_use","id":"c0","name":"edit","input":{"a":1}},{"type":"tool_use","id":"c1","name":"edit","input":{"b":2}}]"#]]
    .assert_eq(&blocks(&chunks));
    // Two in one chunk.
    let both = delta(json!({ "tool_calls": [
        { "index": 0, "id": "x", "function": { "name": "edit", "arguments": "{}" } },
        { "index": 1, "id": "y", "function": { "name": "edit", "arguments": "{}" } }] }));
    assert_eq!(blocks(&[both]).matches("tool_use").count(), 2);
}

#[test]
fn whole_calls_under_one_index_are_several() {
    // Gemini and old Ollama: each whole, all with index 0 or with none.
    for index in [json!(0), Value::Null] {
        let whole = |id: &str, path: &str| {
            let arguments = json!({ "path": path }).to_string();
            piece(json!({ "index": index, "id": id, "type": "function",
                "function": { "name": "read_file", "arguments": arguments } }))
        };
        expect![[r#"[{"type":"tool_use","id":"x","name":"read_file","input":{"path":"a"}},{"type":"tool_use","id":"y","name":"read_file","input":{"path":"b"}}]"#]]
        .assert_eq(&blocks(&[whole("x", "a"), whole("y", "b")]));
        // Without ids they get names of ours.
        expect![[r#"[{"type":"tool_use","id":"b00003000","name":"read_file","input":{"path":"a"}},{"type":"tool_use","id":"b00003001","name":"read_file","input":{"path":"b"}}]"#]]
        .assert_eq(&blocks(&[whole("", "a"), whole("", "b")]));
    }
}

#[test]
fn pieces_without_index_or_id_go_on_where_the_last_one_was() {
    let chunks = [
        piece(json!({ "id": "x", "function": { "name": "edit", "arguments": "{\"a\"" } })),
        piece(json!({ "function": { "arguments": ":1" } })),
        piece(json!({ "index": 0, "function": { "arguments": "}" } })),
    ];
    expect![[r#"[{"type":"tool_use","id":"x","name":"edit","input":{"a":1}}]"#]]
        .assert_eq(&blocks(&chunks));
    // A name that is said again with each piece, and an id that is invented anew for each.
    let chunks = [
        piece(
            json!({ "index": 0, "id": "x", "function": { "name": "edit", "arguments": "{\"a\"" } }),
        ),
        piece(json!({ "index": 0, "id": null, "function": { "name": "edit", "arguments": ":1" } })),
        piece(json!({ "index": 0, "id": "z", "function": { "arguments": "}" } })),
    ];
    expect![[r#"[{"type":"tool_use","id":"x","name":"edit","input":{"a":1}}]"#]]
        .assert_eq(&blocks(&chunks));
}

#[test]
fn ids_are_unique_in_a_reply() {
    let whole = |index: u64| {
        piece(json!({ "index": index, "id": "call_0",
            "function": { "name": "edit", "arguments": "{}" } }))
    };
    expect![[r#"[{"type":"tool_use","id":"call_0","name":"edit","input":{}},{"type":"tool_use","id":"b00003001","name":"edit","input":{}}]"#]]
    .assert_eq(&blocks(&[whole(0), whole(1)]));
}

#[test]
fn arguments_come_as_objects_as_nothing_and_broken() {
    let of = |arguments: Value| {
        let function = json!({ "name": "edit", "arguments": arguments });
        blocks(&[piece(json!({ "index": 0, "id": "x", "function": function }))])
    };
    let input = |input: &str| {
        format!("[{{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"edit\",\"input\":{input}}}]")
    };
    assert_eq!(of(json!({ "a": [1] })), input("{\"a\":[1]}"));
    assert_eq!(of(Value::Null), input("{}"));
    assert_eq!(of(json!(" ")), input("{}"));
    assert_eq!(of(json!("{\"a\":")), input(r#"{"__unparsed":"{\"a\":"}"#));
    assert_eq!(of(json!("[1]")), input(r#"{"__unparsed":"[1]"}"#));
    // A line end as it is: the server could not read it back, so that it goes back mended.
    assert_eq!(of(json!("{\"a\":\"x\ny\"}")), input(r#"{"a":"x\ny"}"#));
    // The bytes as they came are kept beside, where ours would differ.
    expect![[r#"[{"type":"baton_openai","fields":{},"calls":{"x":{"id":"x","type":"function","function":{"name":"edit","arguments":"{ \"a\": 1 }"}}}},{"type":"tool_use","id":"x","name":"edit","input":{"a":1}}]"#]]
    .assert_eq(&of(json!("{ \"a\": 1 }")));
}

#[test]
fn what_a_provider_wants_back_is_kept() {
    let detail = |text: &str| {
        delta(json!({ "reasoning": text, "reasoning_details": [{ "type": "reasoning.text",
            "index": 0, "text": text, "signature": null }] }))
    };
    let signed = delta(json!({ "reasoning_details": [
        { "type": "reasoning.text", "index": 0, "signature": "c2ln" },
        { "type": "reasoning.encrypted", "index": 1, "data": "eA==" }] }));
    let call =
        piece(json!({ "index": 0, "id": "x", "function": { "name": "edit", "arguments": "{}" } }));
    // Gemini sends it in a piece of its own.
    let thought = json!({ "google": { "thought_signature": "sig" } });
    let more = piece(json!({ "index": 0, "extra_content": thought }));
    expect![[r#"[{"type":"baton_openai","fields":{"reasoning":"ab","reasoning_details":[{"type":"reasoning.text","index":0,"text":"ab","signature":"c2ln"},{"type":"reasoning.encrypted","index":1,"data":"eA=="}]},"calls":{"x":{"id":"x","type":"function","function":{"name":"edit","arguments":"{}"},"extra_content":{"google":{"thought_signature":"sig"}}}}},{"type":"tool_use","id":"x","name":"edit","input":{}}]"#]]
    .assert_eq(&blocks(&[detail("a"), detail("b"), signed, call, more]));
}

#[test]
fn stop_reasons_are_named() {
    let of = |reason: &str| read(&[delta(json!({ "content": "a" })), end(reason)]).0.unwrap().stop;
    for (reason, stop) in [
        ("stop", Stop::EndTurn),
        ("eos", Stop::EndTurn),
        ("tool_calls", Stop::EndTurn),
        ("length", Stop::MaxTokens),
        ("content_filter", Stop::Refusal),
        ("recitation", Stop::Other("recitation".into())),
    ] {
        assert_eq!(of(reason), stop, "{reason}");
    }
    let call =
        piece(json!({ "index": 0, "id": "x", "function": { "name": "edit", "arguments": "{" } }));
    assert_eq!(read(&[call.clone(), end("stop")]).0.unwrap().stop, Stop::ToolUse);
    assert_eq!(read(&[call, end("length")]).0.unwrap().stop, Stop::MaxTokens);
    let refused = [delta(json!({ "refusal": "I can't " })), delta(json!({ "refusal": "do it." }))];
    let reply = read(&[&refused[..], &[end("stop")]].concat()).0.unwrap();
    assert_eq!(reply.stop, Stop::Refusal);
    assert_eq!(reply.message.blocks, [Block::Text { text: "I can't do it.".into() }]);
}

#[test]
fn a_server_that_counts_nothing_is_estimated_and_the_record_says_so() {
    let reply = read(&[delta(json!({ "content": "12345678" })), end("stop")]).0.unwrap();
    assert_eq!((reply.usage.input_tokens, reply.usage.output_tokens), (100, 2));
    assert_eq!(reply.raw_usage["estimated"], true);
    let nothing = Assembly::new(400, 0);
    assert!(nothing.usage(None).is_none());
}

#[test]
fn a_document_is_read_like_a_stream() {
    let message = json!({ "role": "assistant", "content": "a", "tool_calls": [
        { "id": "x", "type": "function", "function": { "name": "edit", "arguments": "{\"a\":1}" } }] });
    let document = json!({ "object": "chat.completion", "choices": [{ "index": 0,
        "message": message, "finish_reason": "tool_calls" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4 } });
    let mut assembly = Assembly::new(0, 0);
    let mut deltas = Vec::new();
    let read = assembly.document(document.to_string().as_bytes(), &mut |it| deltas.push(it));
    assert!(read.is_ok() && assembly.is_complete());
    let reply = assembly.finish(None);
    assert_eq!(reply.message.blocks.len(), 2);
    assert_eq!(reply.usage.tokens(), 7);
    assert_eq!(deltas.len(), 2);
    // What calls were before there could be several.
    let old = json!({ "choices": [{ "message": { "function_call": {
        "name": "edit", "arguments": "{}" } }, "finish_reason": "function_call" }] });
    let mut assembly = Assembly::new(0, 0);
    assert!(assembly.document(old.to_string().as_bytes(), &mut |_| {}).is_ok());
    assert_eq!(assembly.finish(None).stop, Stop::ToolUse);
}

#[test]
fn broken_events_and_errors_are_asked_again() {
    for case in [
        json!([1]),
        json!("{"),
        json!("[DONE]"),
        json!({ "choices": [1] }),
        delta(json!({ "tool_calls": [1] })),
        end("error"),
        json!({ "error": { "message": "Provider disconnected", "code": 502 } }),
        json!({ "error": "boom" }),
        json!({ "object": "error", "message": "boom", "code": 500 }),
        json!({ "choices": [{ "error": { "message": "boom" }, "delta": {} }] }),
    ] {
        let fault = read(std::slice::from_ref(&case)).0;
        assert!(matches!(fault, Err(Fault::Again(Again { wait: None, .. }))), "{case}");
    }
    for bytes in [&b""[..], b"<html>", b"[]", b"{}", br#"{"choices":[]}"#] {
        let read = Assembly::new(0, 0).document(bytes, &mut |_| {});
        assert!(matches!(read, Err(Fault::Again(_))), "{bytes:?}");
    }
    // Chunks that say nothing are none.
    let quiet = [json!({}), json!({ "choices": null }), delta(Value::Null), end("stop")];
    assert!(read(&quiet).0.unwrap().message.blocks.is_empty());
}

#[test]
fn a_reply_is_bounded_in_bytes_and_calls() {
    let part = delta(json!({ "content": "x".repeat(1024 * 1024) }));
    let (fault, _) = read(&vec![part; 9]);
    assert!(matches!(fault, Err(Fault::Final(_))));
    let part = delta(json!({ "reasoning": "x".repeat(1024 * 1024) }));
    assert!(matches!(read(&vec![part; 9]).0, Err(Fault::Final(_))));
    let calls: Vec<Value> = (0..1_100).map(|it| piece(json!({ "index": it, "id": "x" }))).collect();
    assert!(matches!(read(&calls).0, Err(Fault::Final(_))));
}
