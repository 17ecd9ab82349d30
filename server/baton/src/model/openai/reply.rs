//! Puts a reply together from the chunks of a stream, or from one JSON document, and bounds it. Servers
//! of this wire differ most in how they cut tool calls into pieces; every piece finds its call here.

use super::request::plain_call;
use super::{FIELDS, Kept};
use crate::model::lenient;
use crate::model::message::{Block, Message, Speaker, UNPARSED};
use crate::model::price::{self, PriceTable};
use crate::model::reply::{BLOCKS_MAX, BUSY, CONTENT_BYTES_MAX, fresh_id, too_large};
use crate::model::retry::Fault;
use crate::model::{Delta, Reply, Stop, refusal};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use team::Usage;

/// A reply as far as it came.
pub(in crate::model) struct Assembly {
    text: String,
    kept: Map<String, Value>,
    calls: Vec<Part>,
    refusal: String,
    finish_reason: Option<String>,
    usage: Map<String, Value>,
    content_bytes: usize,
    question_bytes: usize,
    /// How many messages the question had; names calls that came without a name of their own.
    place: usize,
    has_begun: bool,
    is_complete: bool,
}

/// A tool call as far as it came.
#[derive(Default)]
struct Part {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// Fields beside those that everybody has.
    more: Map<String, Value>,
}

type On<'a> = &'a mut (dyn FnMut(Delta) + Send);

impl Assembly {
    pub(in crate::model) fn new(question_bytes: usize, place: usize) -> Assembly {
        Assembly {
            text: String::new(),
            kept: Map::new(),
            calls: Vec::new(),
            refusal: String::new(),
            finish_reason: None,
            usage: Map::new(),
            content_bytes: 0,
            question_bytes,
            place,
            has_begun: false,
            is_complete: false,
        }
    }

    pub(in crate::model) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether nothing of the content is missing, should the stream end here: the counts may be.
    pub(in crate::model) fn is_whole(&self) -> bool {
        self.is_complete || self.finish_reason.is_some()
    }

    /// Bytes of content so far: grows while the model works, whatever else is sent.
    pub(in crate::model) fn content_bytes(&self) -> usize {
        self.content_bytes
    }

    /// What was counted so far, and its record; an estimate where the server has not counted, None
    /// where nothing came at all.
    pub(in crate::model) fn usage(&self, prices: Option<&PriceTable>) -> Option<(Usage, Value)> {
        if !self.usage.is_empty() {
            let raw = Value::Object(self.usage.clone());
            return Some((price::chat_usage(&self.usage, prices), raw));
        }
        if !self.has_begun {
            return None;
        }
        let estimate = price::estimate(self.question_bytes, self.content_bytes);
        Some((price::chat_usage(&estimate, prices), Value::Object(estimate)))
    }

    /// Takes the data of one event.
    pub(in crate::model) fn event(&mut self, data: &str, on: On<'_>) -> Result<(), Fault> {
        if data.trim() == "[DONE]" {
            if !self.has_begun {
                return Err(Fault::broken("the reply is empty"));
            }
            self.is_complete = true;
            return Ok(());
        }
        let Ok(Value::Object(chunk)) = serde_json::from_str(data) else {
            return Err(Fault::broken("an event of the reply is not JSON"));
        };
        self.take(chunk, on)
    }

    /// Takes a whole reply that did not come as a stream.
    pub(in crate::model) fn document(&mut self, bytes: &[u8], on: On<'_>) -> Result<(), Fault> {
        let Ok(Value::Object(reply)) = serde_json::from_slice(bytes) else {
            return Err(Fault::broken("the reply is neither a stream nor a JSON object"));
        };
        self.take(reply, on)?;
        if !self.has_begun {
            return Err(Fault::broken("the reply has no choices"));
        }
        self.is_complete = true;
        Ok(())
    }

    fn take(&mut self, mut chunk: Map<String, Value>, on: On<'_>) -> Result<(), Fault> {
        if let Some(fault) = error_in(&chunk) {
            return Err(fault);
        }
        // Null in every chunk but the last, and totals so far where it is in several.
        if let Some(Value::Object(usage)) = chunk.get_mut("usage") {
            self.usage = std::mem::take(usage);
        }
        let Some(Value::Array(choices)) = chunk.remove("choices") else {
            return Ok(());
        };
        for choice in choices {
            let Value::Object(mut choice) = choice else {
                return Err(Fault::broken("a choice of the reply is not an object"));
            };
            // One was asked for.
            if choice.get("index").and_then(Value::as_u64).unwrap_or(0) != 0 {
                continue;
            }
            if let Some(fault) = error_in(&choice) {
                return Err(fault);
            }
            self.has_begun = true;
            let said = choice.remove("delta").filter(|it| !it.is_null());
            if let Some(Value::Object(delta)) = said.or_else(|| choice.remove("message")) {
                self.add(delta, on)?;
            }
            let reason = choice.get("finish_reason").and_then(Value::as_str);
            if let Some(reason) = reason.filter(|it| !it.is_empty()) {
                if ["error", "network_error", "insufficient_system_resource"].contains(&reason) {
                    return Err(Fault::again(format!("the provider broke off: {reason}"), BUSY));
                }
                self.finish_reason = Some(reason.to_owned());
            }
        }
        Ok(())
    }

    fn add(&mut self, delta: Map<String, Value>, on: On<'_>) -> Result<(), Fault> {
        for (name, value) in delta {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("content", Value::String(more)) => self.say(more, on),
                ("content", Value::Array(parts)) => {
                    for part in parts {
                        if let Some(more) = part.get("text").and_then(Value::as_str) {
                            self.say(more.to_owned(), on);
                        }
                    }
                }
                ("refusal", Value::String(more)) => {
                    self.content_bytes += more.len();
                    self.refusal.push_str(&more);
                }
                ("tool_calls", Value::Array(pieces)) => {
                    for piece in pieces {
                        self.add_piece(piece, on)?;
                    }
                }
                // What calls were before there could be several.
                ("function_call", function) => {
                    self.add_piece(json!({ "index": 0, "function": function }), on)?;
                }
                (name, value) if FIELDS.contains(&name) => {
                    self.content_bytes += size(&value);
                    merge(&mut self.kept, name, value);
                }
                (_, _) => {}
            }
        }
        if CONTENT_BYTES_MAX < self.content_bytes || BLOCKS_MAX < self.calls.len() {
            return Err(too_large());
        }
        Ok(())
    }

    fn say(&mut self, more: String, on: On<'_>) {
        self.content_bytes += more.len();
        self.text.push_str(&more);
        if !more.is_empty() {
            on(Delta::Text(more));
        }
    }

    fn add_piece(&mut self, piece: Value, on: On<'_>) -> Result<(), Fault> {
        let Value::Object(mut piece) = piece else {
            return Err(Fault::broken("a piece of a tool call is not an object"));
        };
        let mut function = match piece.remove("function") {
            Some(Value::Object(it)) => it,
            _ => Map::new(),
        };
        let index = piece.remove("index").and_then(|it| it.as_u64());
        let id = take_text(&mut piece, "id");
        let name = take_text(&mut function, "name");
        let arguments = match function.remove("arguments") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(it)) => it,
            // Some servers send the object itself.
            Some(it) => it.to_string(),
        };
        self.content_bytes += id.len() + name.len() + arguments.len();
        let at = match self.find(index, &id, &name, &arguments) {
            Some(at) => at,
            None => {
                self.calls.push(Part { index, id, ..Part::default() });
                self.calls.len() - 1
            }
        };
        let part = &mut self.calls[at];
        if !name.is_empty() && part.arguments.is_empty() && part.name != name {
            part.name.push_str(&name);
            on(Delta::ToolStarted(part.name.clone()));
        }
        part.arguments.push_str(&arguments);
        piece.remove("type");
        for (name, value) in piece.into_iter().filter(|it| !it.1.is_null()) {
            self.content_bytes += size(&value);
            merge(&mut part.more, &name, value);
        }
        Ok(())
    }

    /// The call that a piece belongs to; None for a new one.
    fn find(&self, index: Option<u64>, id: &str, name: &str, arguments: &str) -> Option<usize> {
        let same = |it: &Part| match index {
            Some(_) => it.index == index,
            None => true,
        };
        let last = match self.calls.iter().rposition(same) {
            // Nothing but more arguments, from a server that names the place in some pieces only.
            None if id.is_empty() && name.is_empty() => self.calls.len().checked_sub(1)?,
            other => other?,
        };
        if !id.is_empty() {
            if let Some(at) = self.calls.iter().rposition(|it| it.id == id && same(it)) {
                return Some(at);
            }
            // Another id with a name is another call, even under the same index; without a name it
            // is a server that invents an id for each piece.
            let is_new = !name.is_empty() && !self.calls[last].id.is_empty();
            return (!is_new).then_some(last);
        }
        // A name begins a call; some servers repeat it with each piece, so it does only after a whole
        // one.
        let before = &self.calls[last];
        let is_new = !name.is_empty()
            && (before.name != name || arguments.trim_start().starts_with('{'))
            && lenient::object(&before.arguments).is_some();
        (!is_new).then_some(last)
    }

    pub(in crate::model) fn finish(mut self, prices: Option<&PriceTable>) -> Reply {
        let (usage, raw_usage) = self.usage(prices).unwrap_or_default();
        let refused = !self.refusal.is_empty();
        if refused && self.text.trim().is_empty() {
            self.text = std::mem::take(&mut self.refusal);
        }
        let mut kept = Kept { fields: self.kept, ..Kept::default() };
        let mut said = Vec::new();
        if !self.text.trim().is_empty() {
            said.push(Block::Text { text: self.text });
        }
        let mut ids = BTreeSet::new();
        // A piece without a name is none that could be made, nor answered.
        let named = self.calls.into_iter().filter(|it| !it.name.is_empty());
        for (nth, part) in named.enumerate() {
            said.push(part.finish(&mut ids, fresh_id(self.place, nth), &mut kept));
        }
        let stop = stop(self.finish_reason.as_deref(), &said, refused);
        let blocks = kept.into_block().into_iter().chain(said).collect();
        let message = Message { speaker: Speaker::Assistant, blocks };
        Reply { message, stop, usage, raw_usage }
    }
}

impl Part {
    fn finish(self, ids: &mut BTreeSet<String>, fresh: String, kept: &mut Kept) -> Block {
        let has_own = !self.id.is_empty() && !ids.contains(&self.id);
        let id = if has_own { self.id } else { fresh };
        ids.insert(id.clone());
        let input = lenient::object(&self.arguments).map(Value::Object);
        let is_strict = serde_json::from_str::<Map<String, Value>>(&self.arguments).is_ok();
        let input = match input {
            Some(it) => it,
            None if self.arguments.trim().is_empty() => json!({}),
            None => json!({ UNPARSED: self.arguments }),
        };
        let plain = input.to_string();
        // Servers parse what comes back: only what they can read goes back as it came.
        let arguments = if is_strict { self.arguments } else { plain.clone() };
        if arguments != plain || !self.more.is_empty() {
            let mut whole = plain_call(&id, &self.name, &arguments);
            if let Value::Object(whole) = &mut whole {
                whole.extend(self.more);
            }
            kept.calls.insert(id.clone(), whole);
        }
        Block::ToolUse { id, name: self.name, input }
    }
}

fn stop(reason: Option<&str>, said: &[Block], refused: bool) -> Stop {
    let has_call = said.iter().any(|it| matches!(it, Block::ToolUse { .. }));
    match reason {
        Some("length" | "max_tokens" | "model_length") => Stop::MaxTokens,
        Some("content_filter" | "refusal") => Stop::Refusal,
        _ if refused => Stop::Refusal,
        // Many servers say "stop" after a call too.
        _ if has_call => Stop::ToolUse,
        Some("stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence") | None => Stop::EndTurn,
        // A call was announced and none came.
        Some("tool_calls" | "function_call" | "tool_use") => Stop::EndTurn,
        Some(other) => Stop::Other(other.to_owned()),
    }
}

fn take_text(map: &mut Map<String, Value>, name: &str) -> String {
    match map.remove(name) {
        Some(Value::String(it)) => it,
        Some(Value::Number(it)) => it.to_string(),
        _ => String::new(),
    }
}

/// Joins a piece of a kept field to what came before: texts are appended, lists grow, and pieces of
/// one item of a list are joined like fields.
fn merge(into: &mut Map<String, Value>, name: &str, more: Value) {
    match (into.get_mut(name), more) {
        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
        (Some(Value::Array(list)), Value::Array(more)) => {
            for item in more {
                join_item(list, item);
            }
        }
        (Some(Value::Object(map)), Value::Object(more)) => {
            for (name, value) in more {
                merge(map, &name, value);
            }
        }
        (Some(Value::Null) | None, more) => {
            into.insert(name.to_owned(), more);
        }
        // A kind that changes in the middle: what came last holds.
        (Some(before), more) => *before = more,
    }
}

/// A piece of a thought belongs to the one before it if both name the same place and kind.
fn join_item(list: &mut Vec<Value>, item: Value) {
    let (Some(Value::Object(last)), Value::Object(piece)) = (list.last_mut(), &item) else {
        return list.push(item);
    };
    let same = |name: &str| last.get(name) == piece.get(name);
    if piece.contains_key("index") && same("index") && same("type") {
        let texts = ["text", "summary", "data"];
        for (name, value) in piece {
            match (texts.contains(&name.as_str()), value) {
                (_, Value::Null) => {}
                (true, value) => merge(last, name, value.clone()),
                (false, value) => drop(last.insert(name.clone(), value.clone())),
            }
        }
    } else {
        list.push(item);
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(it) => it.len(),
        Value::Array(_) | Value::Object(_) => value.to_string().len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// An error that came where a reply should: `{"error": {...}}`, `{"error": "..."}`, or
/// `{"object": "error", "message": ...}`.
fn error_in(map: &Map<String, Value>) -> Option<Fault> {
    let error = map.get("error").filter(|it| !it.is_null());
    let is_error = map.get("object").and_then(Value::as_str) == Some("error");
    match error {
        Some(error) => Some(refusal::in_stream(error)),
        None if is_error => Some(refusal::in_stream(&Value::Object(map.clone()))),
        None => None,
    }
}

#[cfg(test)]
mod tests;
