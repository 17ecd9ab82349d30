//! Scripts, and the replies chosen from them.

use super::choose::choose;
use super::*;

const SCRIPT: &str = r#"
says = "These words are scripted: no model is running."
[[run]]
duty = "change"
build = 2
[[run.reply]]
text = "Again."
[[run]]
duty = "change"
match = "pagination"
[[run.reply]]
thinking = "hm"
text = "Reading $${x} at ${head}."
[[run.reply.call]]
name = "read_file"
input = { path = "src/lib.rs", list = ["${receipts}", "${receipt}", "all ${receipts}"] }
[[run.reply.call]]
name = "search"
[[run.reply]]
text = "Done."
"#;

const HEAD: &str = "0123456789012345678901234567890123456789";

fn tool(name: &str) -> Value {
    json!({ "name": name, "input_schema": { "type": "object" } })
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": [{ "type": "text", "text": text }] })
}

fn assistant(text: &str) -> Value {
    json!({ "role": "assistant", "content": [{ "type": "text", "text": text }] })
}

fn request(messages: &[Value]) -> Value {
    json!({ "model": "m", "max_tokens": 9, "messages": messages,
        "tools": [tool("read_file"), tool("hand_over_change")] })
}

fn reply(script: &str, request: &Value) -> Result<Chosen, String> {
    let script = Script::parse(script).unwrap();
    choose(&script, &strict::read(request.to_string().as_bytes())?)
}

fn text(messages: &[Value]) -> String {
    let chosen = reply(SCRIPT, &request(messages)).unwrap();
    let block = chosen.blocks.iter().find(|it| it["type"] == "text");
    block.unwrap()["text"].as_str().unwrap().to_owned()
}

#[test]
fn the_reply_is_filled_in() {
    let brief = format!("Fix pagination.\nbuild: 1 of 3\nhead: abc\nhead: {HEAD}\nR2.1, (R2.10).");
    let chosen = reply(SCRIPT, &request(&[user(&brief)])).unwrap();
    let input = json!({ "list": [["R2.1", "R2.10"], "R2.10", "all R2.1, R2.10"],
        "path": "src/lib.rs" });
    assert_eq!(
        json!(chosen.blocks),
        json!([
            { "type": "thinking", "thinking": "hm", "signature": "c2NyaXB0" },
            { "type": "text", "text": format!("Reading ${{x}} at {HEAD}.") },
            { "type": "tool_use", "id": "toolu_rehearsal_0_0", "name": "read_file", "input": input },
            { "type": "tool_use", "id": "toolu_rehearsal_0_1", "name": "search", "input": {} },
        ])
    );
    assert_eq!(chosen.stop_reason, "tool_use");
    assert_ne!(chosen.usage["input_tokens"], 0);
}

#[test]
fn what_the_request_lacks_is_named() {
    let error = reply(SCRIPT, &request(&[user("pagination")])).map(|_| ()).unwrap_err();
    assert!(error.contains("${head}"), "{error}");
}

#[test]
fn replies_are_counted_from_the_brief() {
    let head = format!("pagination\nbuild: 1 of 3\nhead: {HEAD}\nR1.1");
    let mut messages = vec![user(&head)];
    assert!(text(&messages).starts_with("Reading"));
    messages.extend([assistant("a"), user("go on")]);
    assert_eq!(text(&messages), "Done.");
    messages.extend([assistant("b"), user("and?")]);
    assert_eq!(text(&messages), "The script ends here.");
    // The next run carries the whole history of this one, and begins anew.
    messages.extend([assistant("c"), user("it failed\nbuild: 2 of 3")]);
    assert_eq!(text(&messages), "Again.");
    messages.extend([assistant("d"), user("go on")]);
    assert_eq!(text(&messages), "The script ends here.");
}

#[test]
fn names_of_calls_are_unique_in_a_conversation() {
    let script = "says = \"\"\n[[run]]\n[[run.reply]]\n[[run.reply.call]]\nname = \"a\"";
    let id = |messages: &[Value]| {
        let chosen = reply(script, &request(messages)).unwrap();
        chosen.blocks[0]["id"].clone()
    };
    let first = [user("build: 1 of 3")];
    let second = [first[0].clone(), assistant("x"), user("build: 2 of 3")];
    assert_ne!(id(&first), id(&second));
}

#[test]
fn a_request_that_fits_no_run_is_told_so() {
    let head = format!("lists\nbuild: 1 of 3\nhead: {HEAD}");
    assert!(text(&[user(&head)]).contains("duty: change, build: 1"));
    let mut other = request(&[user("pagination")]);
    other["tools"] = json!([tool("hand_over_triage")]);
    let chosen = reply(SCRIPT, &other).unwrap();
    let text = chosen.blocks[0]["text"].as_str().unwrap();
    assert!(text.contains("duty: triage, build: none"), "{text}");
}

#[test]
fn a_broken_script_says_where() {
    let with = |rest: &str| format!("says = \"s\"\n[[run]]\n[[run.reply]]\n[[run.reply]]\n{rest}");
    for (script, why) in [
        ("says = ", "line 1"),
        ("sasy = \"\"", "unknown field `sasy`"),
        ("says = \"\"\n[[run]]\nduty = \"cook\"", "run 1: duty \"cook\" is none of triage"),
        ("says = \"\"\n[[run]]\n[[run]]\nmtach = \"\"", "run 2: unknown field `mtach`"),
        (&with("txt = \"\""), "run 1, reply 2: unknown field `txt`"),
        (&with("text = \"${haed}\""), "run 1, reply 2: ${haed} is none of"),
        (&with("text = \"${head\""), "${head has no end"),
        (&with("fault = { statsu = 1 }"), "run 1, reply 2: unknown field `statsu`"),
        (&with("call = [{ name = \"a\", input = 1 }]"), "the input of a is no table"),
        (&with("call = [{ name = \"a\", input = {}, arguments = \"\" }]"), "both"),
        (&with("call = [{ name = \"a\", input = { x = [\"${y}\"] } }]"), "${y}"),
        (&with("opaque = { a = 1 }"), "opaque has no type"),
    ] {
        let failure = Script::parse(script).unwrap_err();
        assert_eq!(failure.code, Code::Config);
        assert!(failure.text.contains(why), "{script}\n{failure}");
    }
}

#[test]
fn what_the_real_service_refuses_is_refused() {
    let call = |id: &str| {
        json!({ "role": "assistant",
            "content": [{ "type": "tool_use", "id": id, "name": "a", "input": {} }] })
    };
    let result = |id: &str| {
        json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id,
            "content": "", "is_error": false }] })
    };
    let refused = |messages: &[Value]| {
        let request = request(messages);
        strict::read(request.to_string().as_bytes()).err().unwrap_or_default()
    };
    assert_eq!(refused(&[user("a"), call("t"), result("t")]), "");
    for (messages, why) in [
        (vec![], "first message"),
        (vec![assistant("a")], "first message"),
        (vec![user("a"), assistant("b")], "last message"),
        (vec![user(" ")], "white space"),
        (vec![user("a"), call("t"), user("b")], "has no tool_result"),
        (vec![user("a"), result("t")], "no tool_use for t"),
        (vec![user("a"), call("t"), result("t"), call("t"), result("t")], "used twice"),
        (vec![user("a"), json!({ "role": "user", "content": [] })], "no content"),
        (vec![json!({ "role": "system", "content": [] })], "unknown variant `system`"),
    ] {
        let error = refused(&messages);
        assert!(error.contains(why), "{why}: {error}");
    }
    let mut marked = request(&[user("a")]);
    marked["messages"][0]["content"] = json!(
        std::iter::repeat_n(
            json!({ "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } }),
            5
        )
        .collect::<Vec<_>>()
    );
    let error = strict::read(marked.to_string().as_bytes()).err().unwrap();
    assert!(error.contains("5 cache_control marks"), "{error}");
    let mut toolless = request(&[user("a")]);
    toolless["tools"] = json!([{ "type": "function", "function": { "name": "a" } }]);
    assert!(strict::read(toolless.to_string().as_bytes()).is_err());
}

#[test]
fn the_journal_is_bounded() {
    let mut journal = Journal::default();
    for n in 0..1_000_u32 {
        journal.keep(Bytes::from(vec![0; n as usize * 100]));
    }
    assert_eq!(journal.count, 1_000);
    assert!(journal.bytes <= JOURNAL_BYTES_MAX);
    assert_eq!(journal.bytes, journal.bodies.iter().map(|it| it.1.len()).sum::<usize>());
    assert!(journal.bodies.len() <= JOURNAL_ENTRIES_MAX);
    assert_eq!(journal.bodies.back().map(|it| it.1.len()), Some(99_900));
}
