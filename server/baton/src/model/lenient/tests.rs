//! Texts that models really wrote instead of calls, and texts that must not be taken for one.

use super::*;
use team::Usage;

fn tools() -> Vec<ToolSpec> {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: String::new(),
        schema: json!({ "type": "object" }),
    };
    vec![tool("edit_file"), tool("read_file")]
}

fn reply(text: &str, stop: Stop) -> Reply {
    let blocks = vec![Block::Text { text: text.to_owned() }];
    let message = Message { speaker: crate::model::Speaker::Assistant, blocks };
    Reply { message, stop, usage: Usage::default(), raw_usage: json!({}) }
}

/// What is said and called, as JSON.
fn heard(text: &str) -> String {
    let read = read(reply(text, Stop::EndTurn), &tools(), 7);
    let has_call = read.message.blocks.iter().any(|it| matches!(it, Block::ToolUse { .. }));
    assert_eq!(read.stop == Stop::ToolUse, has_call);
    let seen = read.message.blocks.iter().filter_map(|it| match it {
        Block::Text { text } => Some(json!(text)),
        Block::ToolUse { id, name, input } => Some(json!([id, name, input])),
        Block::Opaque(note) => {
            assert_eq!(note["text"], text, "the journal keeps it as it came");
            None
        }
        Block::ToolResult { .. } => unreachable!(),
    });
    let seen: Vec<Value> = seen.collect();
    Value::Array(seen).to_string()
}

const READ: &str = r#"["b00007000","read_file",{"path":"src/page.py"}]"#;

#[test]
fn a_call_in_a_fence_is_a_call() {
    // Qwen2.5-Coder-1.5B behind llama.cpp, with native tools offered: always this.
    let fenced =
        "```json\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"src/page.py\"}}\n```";
    assert_eq!(heard(fenced), format!("[{READ}]"));
    let said = format!("I'll read the file first.\n\n{fenced}\n\nThen I fix it.");
    let expected = format!("[\"I'll read the file first.\\n\\n\\n\\nThen I fix it.\",{READ}]");
    assert_eq!(heard(&said), expected);
    for language in ["", "tool_call", "JSON"] {
        assert_eq!(heard(&fenced.replace("json", language)), format!("[{READ}]"), "{language}");
    }
    // The end of the fence was the end of the reply.
    assert_eq!(heard(fenced.trim_end_matches('`')), format!("[{READ}]"));
    assert_eq!(heard(&format!("{fenced}\n{fenced}")).matches("read_file").count(), 2);
}

#[test]
fn a_bare_call_is_a_call_in_its_spellings() {
    for text in [
        r#"{"name": "read_file", "arguments": {"path": "src/page.py"}}"#,
        r#"{"name": "read_file", "parameters": {"path": "src/page.py"}}"#,
        r#"{"type": "function", "name": "read_file", "parameters": {"path": "src/page.py"}}"#,
        r#"{"type": "function", "function": {"name": "read_file", "arguments": {"path": "src/page.py"}}}"#,
        r#"{"name": "read_file", "arguments": "{\"path\": \"src/page.py\"}"}"#,
        r#"[{"name": "read_file", "arguments": {"path": "src/page.py"}, "id": "1"}]"#,
        "\n{\n  \"name\": \"read_file\",\n  \"arguments\": {\n    \"path\": \"src/page.py\"\n  }\n}\n",
    ] {
        assert_eq!(heard(text), format!("[{READ}]"), "{text}");
    }
}

#[test]
fn tags_hold_one_call_or_several() {
    let call = "{\"name\": \"read_file\", \"arguments\": {\"path\": \"src/page.py\"}}";
    // Hermes and Qwen; the last tag is often missing.
    assert_eq!(heard(&format!("<tool_call>\n{call}\n</tool_call>")), format!("[{READ}]"));
    assert_eq!(heard(&format!("<tool_call>\n{call}")), format!("[{READ}]"));
    // Mistral.
    assert_eq!(heard(&format!("[TOOL_CALLS][{call}]")), format!("[{READ}]"));
    let other = "{\"name\": \"edit_file\", \"arguments\": {}}";
    let two = heard(&format!("<tool_call>{call}</tool_call>\n<tool_call>{other}</tool_call>"));
    assert_eq!(two, format!("[{READ},[\"b00007001\",\"edit_file\",{{}}]]"));
    // Which of them is meant can't be told.
    let broken = format!("<tool_call>{call}</tool_call><tool_call>{{\"name\":</tool_call>");
    assert!(!heard(&broken).contains("b0000"));
}

#[test]
fn line_ends_in_strings_are_forgiven() {
    let text = "```json\n{\"name\": \"edit_file\", \"arguments\": {\"old\": \"a = 1\n\tb\", \"new\": \"say \\\"x\\\"\n\"}}\n```";
    let expected = r#"[["b00007000","edit_file",{"old":"a = 1\n\tb","new":"say \"x\"\n"}]]"#;
    assert_eq!(heard(text), expected);
    // A fence within a string does not end the fence around it.
    let text =
        "```json\n{\"name\": \"edit_file\", \"arguments\": {\"new\": \"```sh\nls\n```\"}}\n```";
    assert_eq!(heard(text), r#"[["b00007000","edit_file",{"new":"```sh\nls\n```"}]]"#);
}

#[test]
fn what_was_only_thought_is_no_call() {
    let call = "{\"name\": \"read_file\", \"arguments\": {\"path\": \"src/page.py\"}}";
    let other = "{\"name\": \"edit_file\", \"arguments\": {}}";
    let text = format!("<think>\nFirst\n{other}\nno.\n</think>\n{call}");
    assert_eq!(heard(&text).matches("b0000").count(), 1);
    let only_thought = heard(&format!("<think>\n{call}\n</think>\nDone."));
    assert!(!only_thought.contains("b0000"), "{only_thought}");
}

#[test]
fn what_may_mean_something_else_is_left_alone() {
    let call = |name: &str, path: &str| {
        format!("```json\n{{\"name\": \"{name}\", \"arguments\": {{\"path\": \"{path}\"}}}}\n```")
    };
    for text in [
        // A plan of several steps.
        format!("{}\n{}", call("read_file", "a"), call("read_file", "b")),
        // A tool that is not offered, alone or beside one that is.
        call("delete_everything", "a"),
        format!("{}\n{}", call("read_file", "a"), call("delete_everything", "b")),
        // Within a sentence.
        "You could say {\"name\": \"read_file\", \"arguments\": {}} there.".to_owned(),
        // More in it than a call has, or less.
        "{\"name\": \"read_file\", \"arguments\": {}, \"price\": 3}".to_owned(),
        "{\"name\": \"read_file\"}".to_owned(),
        "{\"name\": \"read_file\", \"arguments\": [1]}".to_owned(),
        "{\"name\": \"read_file\", \"arguments\": {}, \"parameters\": {}}".to_owned(),
        "{\"arguments\": {}}".to_owned(),
        // Cut off, and the endless fence that a forced call ended in.
        "```json\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"a".to_owned(),
        format!("```json\n{}", "```".repeat(20_000)),
        "```json\n{".repeat(20_000),
        "{".repeat(200_000),
        "Nothing of the kind.".to_owned(),
    ] {
        let heard = heard(&text);
        assert!(!heard.contains("b0000"), "{heard}");
    }
}

#[test]
fn a_reply_with_a_call_of_its_own_or_without_tools_is_left_alone() {
    let text = "{\"name\": \"read_file\", \"arguments\": {}}";
    let mut own = reply(text, Stop::ToolUse);
    let call = Block::ToolUse { id: "x".into(), name: "edit_file".into(), input: json!({}) };
    own.message.blocks.push(call);
    assert_eq!(read(own.clone(), &tools(), 0), own);
    let without = reply(text, Stop::EndTurn);
    assert_eq!(read(without.clone(), &[], 0), without);
    let cut = read(reply(text, Stop::MaxTokens), &tools(), 0);
    assert_eq!(cut.stop, Stop::MaxTokens);
    assert!(matches!(cut.message.blocks.last(), Some(Block::ToolUse { .. })));
}
