//! Tool calls that a model wrote as text, because it or its server knows no other way, and arguments
//! that are JSON but for a slip. Small local models write a call into a fence of their reply; where it
//! is plain which offered tool they mean, it is read as that call. Where it isn't, nothing is: what is
//! made of a reply must never be a guess.

use super::message::{Block, Message, OURS, ToolSpec};
use super::reply::fresh_id;
use super::{Reply, Stop};
use serde_json::{Map, Value, json};

/// A longer text is no call.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// More calls in one text are a mistake.
const CALLS_MAX: usize = 16;
/// So many places of a text are looked at.
const PIECES_MAX: usize = 64;
const TAGS: [(&str, &str); 3] = [
    ("<tool_call>", "</tool_call>"),
    ("<function_call>", "</function_call>"),
    ("[TOOL_CALLS]", "[/TOOL_CALLS]"),
];

/// A call found in a text, with the bytes where it stands.
struct Found {
    from: usize,
    to: usize,
    name: String,
    input: Map<String, Value>,
}

/// A JSON object, also where line ends and tabs stand in its strings as they are.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    match value(text)? {
        Value::Object(it) => Some(it),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

fn value(text: &str) -> Option<Value> {
    let strict = serde_json::from_str(text);
    strict.ok().or_else(|| serde_json::from_str(&escape_controls(text)).ok())
}

fn escape_controls(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 16);
    let (mut in_string, mut after_backslash) = (false, false);
    for it in text.chars() {
        match it {
            '\n' if in_string => mended.push_str("\\n"),
            '\r' if in_string => mended.push_str("\\r"),
            '\t' if in_string => mended.push_str("\\t"),
            _ => mended.push(it),
        }
        if it == '"' && !after_backslash {
            in_string = !in_string;
        }
        after_backslash = it == '\\' && !after_backslash;
    }
    mended
}

/// Reads the calls that stand in the text of a reply without any. What was said beside them stays; the
/// whole text is kept in a note. `place`: how many messages came before.
pub(super) fn read(reply: Reply, tools: &[ToolSpec], place: usize) -> Reply {
    let blocks = &reply.message.blocks;
    if blocks.iter().any(|it| matches!(it, Block::ToolUse { .. })) || tools.is_empty() {
        return reply;
    }
    let texts = blocks.iter().filter_map(|it| match it {
        Block::Text { text } => Some(text.as_str()),
        Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n\n");
    if TEXT_BYTES_MAX < text.len() {
        return reply;
    }
    match find(&text, tools) {
        Some(found) => with_calls(reply, &text, found, place),
        None => reply,
    }
}

fn with_calls(reply: Reply, text: &str, found: Vec<Found>, place: usize) -> Reply {
    let mut said = String::new();
    let mut at = 0;
    for it in &found {
        said.push_str(&text[at..it.from]);
        at = it.to;
    }
    said.push_str(&text[at..]);
    let is_other = |it: &Block| !matches!(it, Block::Text { .. });
    let mut blocks: Vec<Block> = reply.message.blocks.into_iter().filter(is_other).collect();
    blocks.push(Block::Opaque(json!({ "type": format!("{OURS}said"), "text": text })));
    let said = said.trim();
    if !said.is_empty() {
        blocks.push(Block::Text { text: said.to_owned() });
    }
    for (nth, it) in found.into_iter().enumerate() {
        let id = fresh_id(place, nth);
        blocks.push(Block::ToolUse { id, name: it.name, input: Value::Object(it.input) });
    }
    let stop = match reply.stop {
        Stop::EndTurn | Stop::ToolUse | Stop::Other(_) => Stop::ToolUse,
        // Cut off: whoever makes the calls must know.
        Stop::MaxTokens => Stop::MaxTokens,
        Stop::Refusal => Stop::Refusal,
    };
    let message = Message { speaker: reply.message.speaker, blocks };
    Reply { message, stop, ..reply }
}

/// The calls of a text: those in tags, else the one in a fence, else the one that stands bare. None if
/// anything that looks like a call is not one of an offered tool, or if several could be meant.
fn find(text: &str, tools: &[ToolSpec]) -> Option<Vec<Found>> {
    let start = after_thoughts(text);
    let tagged = pieces_in_tags(text, start);
    if !tagged.is_empty() {
        let mut all = Vec::new();
        for (from, to, inner) in tagged {
            all.extend(calls_in(from, to, inner, tools)?);
        }
        return (!all.is_empty() && all.len() <= CALLS_MAX).then_some(all);
    }
    let fenced = pieces_in_fences(text, start);
    let pieces = if fenced.iter().any(|it| looks_like_call(it.2)) {
        fenced
    } else {
        bare_pieces(text, start)
    };
    let mut all: Vec<Found> = Vec::new();
    for (from, to, inner) in pieces.into_iter().filter(|it| looks_like_call(it.2)) {
        for found in calls_in(from, to, inner, tools)? {
            let same = |it: &Found| it.name == found.name && it.input == found.input;
            // Said twice is meant once.
            if !all.iter().any(same) {
                all.push(found);
            }
        }
    }
    // Several different ones may be a plan, or examples.
    (all.len() == 1).then_some(all)
}

/// Where what was thought aloud ends.
fn after_thoughts(text: &str) -> usize {
    const END: &str = "</think>";
    text.rfind(END).map_or(0, |at| at + END.len())
}

type Piece<'a> = (usize, usize, &'a str);

fn pieces_in_tags(text: &str, start: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (open, close) in TAGS {
        let mut at = start;
        while let Some(found) = text[at..].find(open).filter(|_| pieces.len() < PIECES_MAX) {
            let from = at + found;
            let inner = from + open.len();
            // The end may be missing at the end of the text: many servers take it away.
            let (inner_end, to) = match text[inner..].find(close) {
                Some(end) => (inner + end, inner + end + close.len()),
                None => (text.len(), text.len()),
            };
            pieces.push((from, to, text[inner..inner_end].trim()));
            at = to;
        }
    }
    pieces.sort_by_key(|it| it.0);
    pieces
}

fn pieces_in_fences(text: &str, start: usize) -> Vec<Piece<'_>> {
    const FENCE: &str = "```";
    let mut pieces = Vec::new();
    let mut at = start;
    while let Some(found) = text[at..].find(FENCE).filter(|_| pieces.len() < PIECES_MAX) {
        let from = at + found;
        let inner = from + FENCE.len();
        // The language ends with its line; some write the object right behind it.
        let language = text[inner..].find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        let body = inner + language.unwrap_or(text.len() - inner);
        // The fence ends at the first mark behind a whole object: marks may stand in its strings.
        let object_end = leading_object(&text[body..]).map_or(body, |it| body + it);
        let (body_end, to) = match text[object_end..].find(FENCE) {
            Some(end) => (object_end + end, object_end + end + FENCE.len()),
            None => (text.len(), text.len()),
        };
        pieces.push((from, to, text[body..body_end].trim()));
        at = to;
    }
    pieces
}

/// Objects and lists that begin a line, outside of fences.
fn bare_pieces(text: &str, start: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = start;
    let mut looked_at = 0;
    while at < text.len() && looked_at < PIECES_MAX {
        let line = text[at..].trim_start();
        // Finding no end takes the whole text.
        looked_at += usize::from(line.starts_with(['{', '[']));
        if let Some(length) = leading_object(&text[at..]) {
            pieces.push((at, at + length, text[at..at + length].trim()));
            at += length;
        } else {
            at = text[at..].find('\n').map_or(text.len(), |it| at + it + 1);
        }
    }
    pieces
}

/// How many bytes the JSON object or list at the beginning of a text takes, with the space before it.
fn leading_object(text: &str) -> Option<usize> {
    let begin = text.find(|it: char| !it.is_whitespace())?;
    if !text[begin..].starts_with(['{', '[']) {
        return None;
    }
    let (mut depth, mut in_string, mut after_backslash) = (0_usize, false, false);
    for (at, it) in text[begin..].char_indices() {
        match it {
            '"' if !after_backslash => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(begin + at + it.len_utf8());
                }
            }
            _ => {}
        }
        after_backslash = in_string && it == '\\' && !after_backslash;
    }
    None
}

/// Whether a piece is meant as a call, of whatever tool: then it must be one that can be made.
fn looks_like_call(text: &str) -> bool {
    let has = |it: &Value| it.get("arguments").or_else(|| it.get("parameters")).is_some();
    match value(text) {
        Some(Value::Array(list)) => list.iter().any(has),
        Some(it) => has(&it) || it.get("function").is_some_and(has),
        // Broken, but begun like one: what it means can't be told.
        None => {
            text.starts_with('{') && text.contains("\"name\"") && text.contains("\"arguments\"")
        }
    }
}

/// The calls that a piece is: of an object or of a list. None if it isn't calls of offered tools alone.
fn calls_in(from: usize, to: usize, text: &str, tools: &[ToolSpec]) -> Option<Vec<Found>> {
    let list = match value(text)? {
        Value::Array(list) => list,
        Value::Object(it) => vec![Value::Object(it)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let mut all = Vec::new();
    for (nth, it) in list.into_iter().enumerate() {
        let (name, input) = call(it, tools)?;
        // All of a list stand at the first one's place.
        let from = if nth == 0 { from } else { to };
        all.push(Found { from, to, name, input });
    }
    Some(all)
}

/// `{"name": ..., "arguments": {...}}` in its common spellings, and nothing else in it.
fn call(value: Value, tools: &[ToolSpec]) -> Option<(String, Map<String, Value>)> {
    let Value::Object(mut map) = value else {
        return None;
    };
    if let Some(Value::Object(inner)) = map.get_mut("function") {
        map = std::mem::take(inner);
    }
    let Some(Value::String(name)) = map.remove("name") else {
        return None;
    };
    let both = [map.remove("arguments"), map.remove("parameters")];
    let ([Some(input), None] | [None, Some(input)]) = both else {
        return None;
    };
    // What else calls carry; more than that is another thing.
    map.retain(|name, _| !["type", "id"].contains(&name.as_str()));
    if !map.is_empty() || !tools.iter().any(|it| it.name == name) {
        return None;
    }
    match input {
        Value::Object(it) => Some((name, it)),
        Value::String(text) => Some((name, object(&text)?)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests;
