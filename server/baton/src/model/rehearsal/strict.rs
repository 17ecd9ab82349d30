//! Reads a request and refuses what the real service refuses, so that a rehearsal does not praise
//! a conversation that would fail in earnest.

use crate::model::message::{Block, Message, Speaker};
use serde::Deserialize;
use serde_json::Value;

const MARKS_MAX: usize = 4;

/// A request as far as a rehearsal looks at it.
pub(super) struct Asked {
    pub(super) tools: Vec<String>,
    pub(super) messages: Vec<Message>,
    pub(super) bytes: usize,
}

#[derive(Deserialize)]
struct Wire {
    model: String,
    max_tokens: u32,
    messages: Vec<Value>,
    #[serde(default)]
    tools: Vec<Value>,
    #[serde(default)]
    system: Value,
}

pub(super) fn read(body: &[u8]) -> Result<Asked, String> {
    let mut wire: Wire = serde_json::from_slice(body).map_err(|it| it.to_string())?;
    if wire.model.is_empty() || wire.max_tokens == 0 {
        return Err("model and max_tokens are needed".to_owned());
    }
    let mut marks =
        take_marks(&mut wire.system) + wire.tools.iter_mut().map(take_mark).sum::<usize>();
    let mut messages = Vec::new();
    for (at, mut message) in wire.messages.into_iter().enumerate() {
        if let Some(content) = message.get_mut("content") {
            marks += take_marks(content);
        }
        let message: Message =
            serde_json::from_value(message).map_err(|it| format!("messages.{at}: {it}"))?;
        check_blocks(&message).map_err(|why| format!("messages.{at}: {why}"))?;
        messages.push(message);
    }
    if MARKS_MAX < marks {
        return Err(format!("{marks} cache_control marks, at most {MARKS_MAX}"));
    }
    check_order(&messages)?;
    let mut tools = Vec::new();
    for tool in &wire.tools {
        let name = tool.get("name").and_then(Value::as_str);
        let is_object =
            tool.pointer("/input_schema/type").and_then(Value::as_str) == Some("object");
        match name {
            Some(name) if is_object => tools.push(name.to_owned()),
            Some(_) | None => return Err("a tool without name or input_schema".to_owned()),
        }
    }
    Ok(Asked { tools, messages, bytes: body.len() })
}

fn take_marks(content: &mut Value) -> usize {
    match content.as_array_mut() {
        Some(list) => list.iter_mut().map(take_mark).sum(),
        None => 0,
    }
}

fn take_mark(block: &mut Value) -> usize {
    let map = block.as_object_mut();
    usize::from(map.and_then(|it| it.remove("cache_control")).is_some())
}

fn check_blocks(message: &Message) -> Result<(), String> {
    if message.blocks.is_empty() {
        return Err("no content".to_owned());
    }
    for block in &message.blocks {
        match block {
            Block::Text { text } if text.trim().is_empty() => {
                return Err("a text must hold more than white space".to_owned());
            }
            Block::ToolUse { .. } if message.speaker == Speaker::User => {
                return Err("the user can't call tools".to_owned());
            }
            Block::ToolResult { .. } if message.speaker == Speaker::Assistant => {
                return Err("the assistant can't give results".to_owned());
            }
            Block::Text { .. }
            | Block::ToolUse { .. }
            | Block::ToolResult { .. }
            | Block::Opaque(_) => {}
        }
    }
    Ok(())
}

/// The user begins; each call is answered in the next message, and nothing else is.
fn check_order(messages: &[Message]) -> Result<(), String> {
    if messages.first().is_none_or(|it| it.speaker != Speaker::User) {
        return Err("the first message must be the user's".to_owned());
    }
    if messages.last().is_some_and(|it| it.speaker != Speaker::User) {
        return Err("the last message must be the user's".to_owned());
    }
    let mut open: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let mut calls = Vec::new();
        for block in &message.blocks {
            match block {
                Block::ToolUse { id, .. } if seen.contains(&id.as_str()) => {
                    return Err(format!("messages.{at}: tool_use id {id} is used twice"));
                }
                Block::ToolUse { id, .. } => {
                    seen.push(id);
                    calls.push(id.as_str());
                }
                Block::ToolResult { tool_use_id, .. } => {
                    let before = open.len();
                    open.retain(|it| it != tool_use_id);
                    if open.len() == before {
                        return Err(format!("messages.{at}: no tool_use for {tool_use_id}"));
                    }
                }
                Block::Text { .. } | Block::Opaque(_) => {}
            }
        }
        if let Some(id) = open.first() {
            return Err(format!("messages.{at}: tool_use {id} has no tool_result"));
        }
        open = calls;
    }
    Ok(())
}
