//! Which reply answers a request, and what stands in it.

use super::script::{Fault, NAMES, Reply, Run, Script, ToolCall};
use super::strict::Asked;
use crate::model::message::{Block, Message, Speaker};
use serde_json::{Map, Value, json};

const HAND_OVER: &str = "hand_over_";

/// A reply with everything filled in.
pub(super) struct Chosen {
    /// Index of the run and the reply.
    pub(super) place: (usize, usize),
    pub(super) id: String,
    /// Content blocks of the wire; a call's `input` may be a string: its arguments as they are.
    pub(super) blocks: Vec<Value>,
    pub(super) stop_reason: String,
    pub(super) usage: Map<String, Value>,
    pub(super) delay_ms: u64,
    pub(super) fault: Fault,
}

/// What a request says about where it stands.
struct Position<'a> {
    duty: Option<&'a str>,
    brief: &'a str,
    first: &'a str,
    build: Option<u32>,
    /// Replies since the brief.
    replies: usize,
    /// Replies in all: makes names that are unique in a conversation.
    replies_in_all: usize,
    /// The messages from the brief on.
    since: &'a [Message],
}

pub(super) fn choose(script: &Script, asked: &Asked) -> Result<Chosen, String> {
    let position = position(asked);
    let run = script.runs.iter().position(|it| fits(it, &position));
    let replies = run.map_or(&[][..], |it| &script.runs[it].replies);
    let ended = Reply {
        text: Some(match run {
            Some(_) => "The script ends here.".to_owned(),
            None => nothing_fits(&position),
        }),
        ..Reply::default()
    };
    let reply = replies.get(position.replies).unwrap_or(&ended);
    let number = position.replies_in_all;
    let mut chosen = Chosen {
        place: (run.unwrap_or(usize::MAX), position.replies),
        id: format!("msg_rehearsal_{number}"),
        blocks: Vec::new(),
        stop_reason: reply.stop_reason.clone().unwrap_or_else(|| {
            let calls = !reply.calls.is_empty();
            if calls { "tool_use" } else { "end_turn" }.to_owned()
        }),
        usage: reply.usage.clone(),
        delay_ms: reply.delay_ms,
        fault: reply.fault.clone(),
    };
    let filler = Filler { asked, since: position.since };
    if let Some(thinking) = &reply.thinking {
        let block = json!({ "type": "thinking", "thinking": thinking, "signature": "c2NyaXB0" });
        chosen.blocks.push(block);
    }
    chosen.blocks.extend(reply.opaque.clone());
    if let Some(text) = &reply.text {
        let text = filler.fill(text)?;
        chosen.blocks.push(json!({ "type": "text", "text": text }));
    }
    for (at, call) in reply.calls.iter().enumerate() {
        let id = format!("toolu_rehearsal_{number}_{at}");
        let input = filler.input(call)?;
        let block = json!({ "type": "tool_use", "id": id, "name": call.name, "input": input });
        chosen.blocks.push(block);
    }
    estimate(&mut chosen, asked);
    Ok(chosen)
}

fn position(asked: &Asked) -> Position<'_> {
    let mut brief = None;
    let mut first = None;
    for (at, message) in asked.messages.iter().enumerate() {
        for text in user_texts(message, false) {
            first = first.or(Some((at, text)));
            if build_line(text).is_some() {
                brief = Some((at, text));
            }
        }
    }
    let (at, text) = brief.or(first).unwrap_or((0, ""));
    let since = asked.messages.get(at..).unwrap_or_default();
    let count = |list: &[Message]| {
        let replies = list.iter().filter(|it| it.speaker == Speaker::Assistant);
        replies.count()
    };
    Position {
        duty: asked.tools.iter().find_map(|it| it.strip_prefix(HAND_OVER)),
        brief: text,
        first: first.map_or("", |it| it.1),
        build: build_line(text),
        replies: count(since),
        replies_in_all: count(&asked.messages),
        since,
    }
}

fn fits(run: &Run, position: &Position<'_>) -> bool {
    let duty = run.duty.as_deref();
    let text = run.matches.as_deref().unwrap_or("");
    (duty.is_none() || duty == position.duty)
        && (run.build.is_none() || run.build == position.build)
        && (position.brief.contains(text) || position.first.contains(text))
        && run.heard.as_deref().is_none_or(|it| said(position, it))
}

fn said(position: &Position<'_>, text: &str) -> bool {
    position.since.iter().flat_map(|it| user_texts(it, false)).any(|it| it.contains(text))
}

fn nothing_fits(position: &Position<'_>) -> String {
    let duty = position.duty.unwrap_or("none");
    let build = position.build.map_or("none".to_owned(), |it| it.to_string());
    format!("No run of the script fits this request (duty: {duty}, build: {build}).")
}

/// N of a line `build: N of M`.
fn build_line(text: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let (n, of) = line.strip_prefix("build:")?.split_once(" of ")?;
        let _: u32 = of.trim().parse().ok()?;
        n.trim().parse().ok()
    })
}

/// What the user's side said: texts, and on demand what tools gave.
fn user_texts(message: &Message, with_results: bool) -> impl Iterator<Item = &str> {
    let is_user = message.speaker == Speaker::User;
    let blocks = message.blocks.iter().filter(move |_| is_user);
    blocks.filter_map(move |it| match it {
        Block::Text { text } => Some(text.as_str()),
        Block::ToolResult { content, .. } if with_results => Some(content.as_str()),
        Block::ToolResult { .. } | Block::ToolUse { .. } | Block::Opaque(_) => None,
    })
}

/// Replaces the names in strings.
struct Filler<'a> {
    asked: &'a Asked,
    since: &'a [Message],
}

impl Filler<'_> {
    fn input(&self, call: &ToolCall) -> Result<Value, String> {
        match (&call.arguments, &call.input) {
            (Some(text), _) => Ok(Value::String(text.clone())),
            (None, Some(input)) => self.value(input),
            (None, None) => Ok(json!({})),
        }
    }

    fn value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if text == "${receipts}" => json!(self.receipts()),
            Value::String(text) => Value::String(self.fill(text)?),
            Value::Array(list) => {
                let list: Result<_, _> = list.iter().map(|it| self.value(it)).collect();
                Value::Array(list?)
            }
            Value::Object(map) => {
                let mut filled = Map::new();
                for (name, it) in map {
                    filled.insert(name.clone(), self.value(it)?);
                }
                Value::Object(filled)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn fill(&self, text: &str) -> Result<String, String> {
        let parts = text.split("$${").map(|part| {
            let mut part = part.to_owned();
            for name in NAMES {
                let mark = format!("${{{name}}}");
                if part.contains(&mark) {
                    part = part.replace(&mark, &self.named(name)?);
                }
            }
            Ok(part)
        });
        let parts: Result<Vec<String>, String> = parts.collect();
        Ok(parts?.join("${"))
    }

    fn named(&self, name: &str) -> Result<String, String> {
        let found = match name {
            "receipts" => Some(self.receipts().join(", ")),
            "receipt" => self.receipts().pop(),
            _ => self.last_line(name),
        };
        found.ok_or_else(|| format!("the script wants ${{{name}}}, but the request has none"))
    }

    /// The hexadecimal word of the last line `name: HEX`.
    fn last_line(&self, name: &str) -> Option<String> {
        let texts = self.asked.messages.iter();
        let lines = texts.flat_map(|it| user_texts(it, true)).flat_map(str::lines);
        let words = lines.filter_map(|line| {
            let word = line.strip_prefix(name)?.strip_prefix(": ")?.trim();
            let is_hex = word.len() == 40 && word.bytes().all(|it| it.is_ascii_hexdigit());
            is_hex.then(|| word.to_owned())
        });
        words.last()
    }

    /// The names of receipts (`R12.3`) since the brief, each once, in order.
    fn receipts(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let texts = self.since.iter().flat_map(|it| user_texts(it, true));
        for word in texts.flat_map(|it| it.split(|c: char| !c.is_ascii_alphanumeric() && c != '.'))
        {
            let word = word.trim_end_matches('.');
            if is_receipt(word) && !found.iter().any(|it| it == word) {
                found.push(word.to_owned());
            }
        }
        found
    }
}

fn is_receipt(word: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let parts = word.strip_prefix('R').and_then(|it| it.split_once('.'));
    parts.is_some_and(|(run, n)| is_number(run) && is_number(n))
}

/// Four bytes a token: plausible, the same every time, and not a bill.
fn estimate(chosen: &mut Chosen, asked: &Asked) {
    let said: usize = chosen.blocks.iter().map(|it| it.to_string().len()).sum();
    let counts = [
        ("input_tokens", asked.bytes.div_ceil(4)),
        ("cache_creation_input_tokens", 0),
        ("cache_read_input_tokens", 0),
        ("output_tokens", said.div_ceil(4)),
    ];
    for (name, count) in counts {
        chosen.usage.entry(name).or_insert_with(|| json!(count));
    }
}
