//! Puts a reply together from the events of a stream, or from one JSON document, and bounds it.

use crate::model::message::{self, Block, Message, Speaker, UNPARSED};
use crate::model::price::{self, PriceTable};
use crate::model::reply::{BLOCKS_MAX, CONTENT_BYTES_MAX, too_large};
use crate::model::retry::Fault;
use crate::model::{Delta, Reply, Stop, lenient, refusal};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use team::Usage;

/// A reply as far as it came.
#[derive(Default)]
pub(in crate::model) struct Assembly {
    blocks: BTreeMap<u64, Part>,
    stop_reason: Option<String>,
    usage: Map<String, Value>,
    content_bytes: usize,
    is_complete: bool,
}

/// A block as far as it came.
struct Part {
    block: Map<String, Value>,
    /// The fragments of a tool call's input.
    arguments: String,
}

impl Assembly {
    pub(in crate::model) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes of content so far: grows while the model works, whatever else is sent.
    pub(in crate::model) fn content_bytes(&self) -> usize {
        self.content_bytes
    }

    /// What the provider counted so far, and its record; None when it said nothing.
    pub(in crate::model) fn usage(&self, prices: Option<&PriceTable>) -> Option<(Usage, Value)> {
        if self.usage.is_empty() {
            return None;
        }
        let raw = Value::Object(self.usage.clone());
        Some((price::usage(&self.usage, prices), raw))
    }

    /// Takes the data of one event. Events and deltas of unknown types are passed over.
    pub(in crate::model) fn event(
        &mut self,
        data: &str,
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        // Some servers add the end mark of another wire.
        if data == "[DONE]" {
            return Ok(());
        }
        let Ok(Value::Object(mut event)) = serde_json::from_str(data) else {
            return Err(Fault::broken("an event of the reply is not JSON"));
        };
        let index = event.get("index").and_then(Value::as_u64);
        let kind = event.get("type").and_then(Value::as_str).unwrap_or("");
        match kind {
            "message_start" => self.start(event.get("message").and_then(Value::as_object)),
            "content_block_start" => {
                let block = take_object(&mut event, "content_block");
                let (Some(index), Some(block)) = (index, block) else {
                    return Err(Fault::broken("a block of the reply began without its content"));
                };
                self.start_block(index, block, data.len(), on)?;
            }
            "content_block_delta" => {
                let part = index.and_then(|it| self.blocks.get_mut(&it));
                let (Some(part), Some(delta)) = (part, take_object(&mut event, "delta")) else {
                    return Err(Fault::broken("a part of the reply belongs to no block"));
                };
                self.content_bytes += part.add(delta, on);
                self.check_size()?;
            }
            "message_delta" => {
                let delta = event.get("delta").and_then(Value::as_object);
                self.note_stop(delta);
                self.count(event.get("usage"));
            }
            "message_stop" => self.is_complete = true,
            "error" => return Err(error_event(&event)),
            _ => {}
        }
        Ok(())
    }

    /// Takes a whole reply that did not come as a stream.
    pub(in crate::model) fn document(
        &mut self,
        bytes: &[u8],
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        let Ok(Value::Object(mut reply)) = serde_json::from_slice(bytes) else {
            return Err(Fault::broken("the reply is neither a stream nor a JSON object"));
        };
        if reply.get("type").and_then(Value::as_str) == Some("error") {
            return Err(error_event(&reply));
        }
        let Some(Value::Array(content)) = reply.remove("content") else {
            return Err(Fault::broken("the reply has no content"));
        };
        self.start(Some(&reply));
        for (index, block) in (0..).zip(content) {
            let Value::Object(block) = block else {
                return Err(Fault::broken("a block of the reply is not an object"));
            };
            self.start_block(index, block, 0, on)?;
        }
        self.note_stop(Some(&reply));
        self.content_bytes += bytes.len();
        self.check_size()?;
        self.is_complete = true;
        Ok(())
    }

    fn start(&mut self, message: Option<&Map<String, Value>>) {
        self.count(message.and_then(|it| it.get("usage")));
    }

    fn start_block(
        &mut self,
        index: u64,
        block: Map<String, Value>,
        bytes: usize,
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        let text = |name: &str| block.get(name).and_then(Value::as_str);
        match text("type") {
            Some("tool_use") if text("id").is_none() || text("name").is_none() => {
                return Err(Fault::broken("a tool call of the reply has no id or no name"));
            }
            Some("tool_use") => {
                on(Delta::ToolStarted(text("name").unwrap_or_default().to_owned()));
            }
            Some("text") => match text("text") {
                None | Some("") => {}
                Some(text) => on(Delta::Text(text.to_owned())),
            },
            Some(_) => {}
            None => return Err(Fault::broken("a block of the reply has no type")),
        }
        self.content_bytes += bytes;
        self.check_size()?;
        let arguments = String::new();
        self.blocks.insert(index, Part { block, arguments });
        if BLOCKS_MAX < self.blocks.len() {
            return Err(too_large());
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), Fault> {
        if CONTENT_BYTES_MAX < self.content_bytes {
            return Err(too_large());
        }
        Ok(())
    }

    fn note_stop(&mut self, delta: Option<&Map<String, Value>>) {
        let reason = delta.and_then(|it| it.get("stop_reason"));
        if let Some(reason) = reason.and_then(Value::as_str) {
            self.stop_reason = Some(reason.to_owned());
        }
    }

    /// The counts of a stream are totals so far, so the last one of each name holds.
    fn count(&mut self, usage: Option<&Value>) {
        let Some(Value::Object(usage)) = usage else {
            return;
        };
        for (name, value) in usage {
            if !value.is_null() {
                self.usage.insert(name.clone(), value.clone());
            }
        }
    }

    pub(in crate::model) fn finish(self, prices: Option<&PriceTable>) -> Reply {
        let usage = price::usage(&self.usage, prices);
        let blocks = self.blocks.into_values();
        let blocks: Vec<Block> = blocks.filter_map(Part::finish).collect();
        let stop = match self.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => Stop::EndTurn,
            Some("tool_use") => Stop::ToolUse,
            Some("max_tokens" | "model_context_window_exceeded") => Stop::MaxTokens,
            Some("refusal") => Stop::Refusal,
            Some(other) => Stop::Other(other.to_owned()),
            // Lenient servers leave it out.
            None if blocks.iter().any(|it| matches!(it, Block::ToolUse { .. })) => Stop::ToolUse,
            None => Stop::EndTurn,
        };
        Reply {
            message: Message { speaker: Speaker::Assistant, blocks },
            stop,
            usage,
            raw_usage: Value::Object(self.usage),
        }
    }
}

impl Part {
    /// Joins a fragment; gives its size. One rule serves text, thinking, signatures and what comes
    /// later: each string of the delta is appended to the string of that name in the block.
    fn add(&mut self, delta: Map<String, Value>, on: &mut (dyn FnMut(Delta) + Send)) -> usize {
        let is_text = delta.get("type").and_then(Value::as_str) == Some("text_delta");
        let mut bytes = 0;
        for (name, value) in delta {
            match (name.as_str(), value) {
                ("type", _) => {}
                ("partial_json", Value::String(more)) => {
                    bytes += more.len();
                    self.arguments.push_str(&more);
                }
                ("citation", citation) => {
                    bytes += citation.to_string().len();
                    match self.block.get_mut("citations") {
                        Some(Value::Array(list)) => list.push(citation),
                        _ => {
                            self.block.insert("citations".to_owned(), json!([citation]));
                        }
                    }
                }
                (_, Value::String(more)) => {
                    bytes += more.len();
                    match self.block.get_mut(&name) {
                        Some(Value::String(text)) => text.push_str(&more),
                        _ => {
                            self.block.insert(name, Value::String(more.clone()));
                        }
                    }
                    if is_text && !more.is_empty() {
                        on(Delta::Text(more));
                    }
                }
                (_, Value::Null | Value::Bool(_) | Value::Number(_)) => {}
                (_, Value::Array(_) | Value::Object(_)) => {}
            }
        }
        bytes
    }

    /// None for a text of white space alone: a provider refuses to get it back.
    fn finish(mut self) -> Option<Block> {
        let kind = self.block.get("type").and_then(Value::as_str);
        let is_call = kind == Some("tool_use");
        if kind == Some("text") && self.block.get("citations").is_none_or(Value::is_null) {
            self.block.remove("citations");
            let text = self.block.get("text").and_then(Value::as_str);
            if text.is_none_or(|it| it.trim().is_empty()) {
                return None;
            }
        }
        if !self.arguments.is_empty() || is_call {
            let begun = self.block.remove("input");
            let input = read_arguments(&self.arguments, begun);
            self.block.insert("input".to_owned(), input);
        }
        if is_call && let Some(call) = message::tool_use(&self.block) {
            return Some(call);
        }
        Some(Block::from_wire(self.block))
    }
}

/// No arguments at all are an empty object; some servers put them into the block's beginning.
fn read_arguments(text: &str, begun: Option<Value>) -> Value {
    if text.trim().is_empty() {
        return match begun {
            None | Some(Value::Null) => json!({}),
            Some(Value::Object(it)) => Value::Object(it),
            Some(other) => json!({ UNPARSED: other.to_string() }),
        };
    }
    match lenient::object(text) {
        Some(it) => Value::Object(it),
        None => json!({ UNPARSED: text }),
    }
}

fn take_object(event: &mut Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    match event.remove(name) {
        Some(Value::Object(it)) => Some(it),
        _ => None,
    }
}

/// An error in the middle of a stream.
fn error_event(event: &Map<String, Value>) -> Fault {
    refusal::in_stream(event.get("error").unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests;
