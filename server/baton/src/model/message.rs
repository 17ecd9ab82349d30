//! What is said between the team and a model. The serialised form is the wire's, and reading it
//! back and writing it again gives the same bytes, so that a journal can be sent as it stands.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The single field of a tool call's input whose arguments were no JSON object: holds them as they
/// came. Such a call must be answered with a tool error, so that the model can mend it.
pub const UNPARSED: &str = "__unparsed";

/// What the types of our own notes begin with.
pub(super) const OURS: &str = "baton_";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    #[serde(rename = "role")]
    pub speaker: Speaker,
    #[serde(rename = "content")]
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Text {
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        /// Always an object; see `UNPARSED`.
        input: Value,
    },
    ToolResult {
        tool_use_id: String,
        content: String,
        is_error: bool,
    },
    /// An object that we don't read (thinking, and whatever comes later), sent back as it came.
    Opaque(Value),
}

/// A tool that is offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// A JSON schema of an object.
    #[serde(rename = "input_schema")]
    pub schema: Value,
}

impl Message {
    pub fn user(text: impl Into<String>) -> Message {
        let text = text.into();
        Message { speaker: Speaker::User, blocks: vec![Block::Text { text }] }
    }
}

impl Block {
    /// The arguments of a tool call that were no JSON object.
    pub fn unparsed(&self) -> Option<&str> {
        match self {
            Block::ToolUse { input, .. } => match input.as_object() {
                Some(it) if it.len() == 1 => it.get(UNPARSED)?.as_str(),
                _ => None,
            },
            Block::Text { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
        }
    }

    /// A note of ours beside what was said: kept in the journal, sent to nobody as it is.
    pub(super) fn is_ours(&self) -> bool {
        match self {
            Block::Opaque(value) => value["type"].as_str().is_some_and(|it| it.starts_with(OURS)),
            Block::Text { .. } | Block::ToolUse { .. } | Block::ToolResult { .. } => false,
        }
    }

    /// A block of the wire; what has other fields than those we know stays opaque, whole.
    pub(super) fn from_wire(map: Map<String, Value>) -> Block {
        let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
        let known = match map.get("type").and_then(Value::as_str) {
            Some("text") if map.len() == 2 => text("text").map(|text| Block::Text { text }),
            Some("tool_use") if map.len() == 4 => tool_use(&map),
            Some("tool_result") if map.len() == 4 => {
                let is_error = map.get("is_error").and_then(Value::as_bool);
                match (text("tool_use_id"), text("content"), is_error) {
                    (Some(tool_use_id), Some(content), Some(is_error)) => {
                        Some(Block::ToolResult { tool_use_id, content, is_error })
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        known.unwrap_or(Block::Opaque(Value::Object(map)))
    }
}

/// The call in a block, whatever else is in it; none without id, name and an object as input.
pub(super) fn tool_use(map: &Map<String, Value>) -> Option<Block> {
    let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Block::ToolUse {
        id: text("id")?,
        name: text("name")?,
        input: map.get("input").filter(|it| it.is_object())?.clone(),
    })
}

/// A block as it goes out. The only thing that may differ between two calls is `cache_control`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Wire<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: &'a str,
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

/// Up to here the provider may keep what it read, for five minutes.
#[derive(Clone, Copy, Serialize)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl CacheControl {
    pub(super) const EPHEMERAL: CacheControl = CacheControl { kind: "ephemeral" };
}

/// A block with or without the mark.
pub(super) struct Marked<'a> {
    pub(super) block: &'a Block,
    pub(super) cache_control: Option<CacheControl>,
}

impl Serialize for Marked<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let cache_control = self.cache_control;
        match self.block {
            Block::Text { text } => Wire::Text { text, cache_control }.serialize(to),
            Block::ToolUse { id, name, input } => {
                Wire::ToolUse { id, name, input, cache_control }.serialize(to)
            }
            Block::ToolResult { tool_use_id, content, is_error } => {
                Wire::ToolResult { tool_use_id, content, is_error: *is_error, cache_control }
                    .serialize(to)
            }
            // Not every kind takes the mark (thinking does not): none gets it.
            Block::Opaque(value) => value.serialize(to),
        }
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let marked = Marked { block: self, cache_control: None };
        marked.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Block, D::Error> {
        let map = Map::<String, Value>::deserialize(from)?;
        if !map.get("type").is_some_and(Value::is_string) {
            return Err(D::Error::custom("a block without a type"));
        }
        Ok(Block::from_wire(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn same(text: &str) -> Message {
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        message
    }

    #[test]
    fn every_block_comes_back_byte_for_byte() {
        let message = same(concat!(
            r#"{"role":"assistant","content":[{"type":"text","text":"a\u0001\n\"ü😀"},"#,
            r#"{"type":"thinking","thinking":"","signature":"c2ln"},"#,
            r#"{"type":"redacted_thinking","data":"eA=="},"#,
            r#"{"type":"tool_use","id":"t1","name":"edit","input":{"z":1,"a":[0.1,1e+300,-0.0]}},"#,
            r#"{"type":"tool_use","id":"t2","name":"edit","input":{},"caller":{"type":"direct"}},"#,
            r#"{"type":"text","text":"b","citations":[]}]}"#
        ));
        assert!(matches!(message.blocks[0], Block::Text { .. }));
        assert!(matches!(message.blocks[3], Block::ToolUse { .. }));
        // More fields than we know: kept whole instead of trimmed.
        assert!(matches!(message.blocks[4], Block::Opaque(_)));
        assert!(matches!(message.blocks[5], Block::Opaque(_)));
        let result = same(concat!(
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","#,
            r#""content":"no","is_error":true}]}"#
        ));
        assert!(matches!(result.blocks[0], Block::ToolResult { is_error: true, .. }));
    }

    #[test]
    fn floats_keep_their_bytes_through_many_journals() {
        // 2.2250738585072011e-308 and friends are off by one bit with a sloppy reader.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..2_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let float = f64::from_bits(state);
            if !float.is_finite() {
                continue;
            }
            let first = serde_json::to_string(&json!({ "it": float })).unwrap();
            let again: Value = serde_json::from_str(&first).unwrap();
            assert_eq!(serde_json::to_string(&again).unwrap(), first);
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        assert!(serde_json::from_str::<Block>("3").is_err());
        assert!(serde_json::from_str::<Block>(r#"{"text":"a"}"#).is_err());
    }

    #[test]
    fn only_the_mark_itself_is_unparsed() {
        let call = |input| Block::ToolUse { id: "t".into(), name: "n".into(), input };
        assert_eq!(call(json!({ UNPARSED: "{" })).unparsed(), Some("{"));
        assert_eq!(call(json!({ UNPARSED: "{", "b": 1 })).unparsed(), None);
        assert_eq!(call(json!({})).unparsed(), None);
    }
}
