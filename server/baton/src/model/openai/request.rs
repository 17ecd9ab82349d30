//! The bytes of a question on this wire. The same conversation always gives the same bytes, and a
//! longer one begins with those of the shorter, so that the provider finds its cache again.

use super::Kept;
use super::habits::{Habits, LengthField};
use crate::model::Call;
use crate::model::message::{Block, Message, Speaker};
use hyper::body::Bytes;
use serde_json::{Map, Value, json};
use team::{Code, Failure};

/// Put before what a tool gave when it failed: this wire has no mark for that.
const FAILED: &str = "Error: ";

pub(in crate::model) fn body(
    model: &str,
    call: &Call<'_>,
    habits: Habits,
) -> Result<Bytes, Failure> {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("stream".to_owned(), json!(true));
    if habits.asks_counts {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    let length = match habits.length {
        LengthField::MaxTokens => Some("max_tokens"),
        LengthField::MaxCompletionTokens => Some("max_completion_tokens"),
        LengthField::None => None,
    };
    if let Some(name) = length {
        body.insert(name.to_owned(), json!(call.max_output_tokens));
    }
    if habits.forbids_thinking {
        body.insert("reasoning_effort".to_owned(), json!("none"));
    }
    let tools = call.tools.iter().map(|it| {
        let function =
            json!({ "name": it.name, "description": it.description, "parameters": it.schema });
        json!({ "type": "function", "function": function })
    });
    // Some servers refuse an empty list.
    if !call.tools.is_empty() {
        body.insert("tools".to_owned(), tools.collect());
    }
    // Last, since this is what grows.
    body.insert("messages".to_owned(), messages(call, habits));
    let bytes = serde_json::to_vec(&body)
        .map_err(|it| Failure::new(Code::Bug, format!("the question can't be written: {it}")))?;
    Ok(Bytes::from(bytes))
}

fn messages(call: &Call<'_>, habits: Habits) -> Value {
    let mut sent = Vec::new();
    if !call.system.is_empty() {
        sent.push(json!({ "role": "system", "content": call.system }));
    }
    for message in call.messages {
        match message.speaker {
            Speaker::Assistant => sent.extend(spoken(message, habits)),
            Speaker::User => tell(message, &mut sent),
        }
    }
    Value::Array(sent)
}

/// What tools gave, each a message of its own, then what was said.
fn tell(message: &Message, sent: &mut Vec<Value>) {
    let mut said = Vec::new();
    for block in &message.blocks {
        match block {
            Block::ToolResult { tool_use_id, content, is_error } => {
                let mark = if *is_error { FAILED } else { "" };
                sent.push(json!({ "role": "tool", "tool_call_id": tool_use_id,
                    "content": format!("{mark}{content}") }));
            }
            Block::Text { text } => said.push(text.as_str()),
            // The user's side calls no tools and thinks nothing.
            Block::ToolUse { .. } | Block::Opaque(_) => {}
        }
    }
    if said.is_empty() {
        return;
    }
    let text = said.join("\n\n");
    // Many templates refuse two messages of the user in a row.
    if let Some(last) = sent.last_mut().filter(|it| it["role"] == "user") {
        let before = last["content"].as_str().unwrap_or_default();
        last["content"] = Value::from(format!("{before}\n\n{text}"));
        return;
    }
    sent.push(json!({ "role": "user", "content": text }));
}

/// A reply as it goes back; None where nothing of it can be said on this wire.
fn spoken(message: &Message, habits: Habits) -> Option<Value> {
    let mut kept = Kept::of(&message.blocks);
    let mut text = String::new();
    let mut calls = Vec::new();
    for block in &message.blocks {
        match block {
            Block::Text { text: more } => {
                if !text.is_empty() {
                    text.push_str("\n\n");
                }
                text.push_str(more);
            }
            Block::ToolUse { id, name, input } => {
                let whole = kept.calls.remove(id).filter(|_| habits.echoes_thoughts);
                calls.push(whole.unwrap_or_else(|| plain_call(id, name, &input.to_string())));
            }
            // What the other wire's models thought is of no use here.
            Block::ToolResult { .. } | Block::Opaque(_) => {}
        }
    }
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let mut sent = Map::new();
    sent.insert("role".to_owned(), json!("assistant"));
    sent.insert("content".to_owned(), if text.is_empty() { Value::Null } else { text.into() });
    if !calls.is_empty() {
        // What led to no call is over; what led to one is asked back by several providers.
        if habits.echoes_thoughts {
            sent.extend(kept.fields);
        }
        sent.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    Some(Value::Object(sent))
}

/// A call as we write it.
pub(super) fn plain_call(id: &str, name: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

#[cfg(test)]
mod tests;
