//! OpenAI's Chat Completions: the wire that OpenAI, OpenRouter, Ollama, llama.cpp, vLLM, LM Studio and
//! many others speak, each with habits of its own.

pub(super) mod habits;
pub(super) mod reply;
pub(super) mod request;

pub(super) use habits::Habits;
pub(super) use reply::Assembly;

use super::message::Block;
use serde_json::{Map, Value};

/// The type of the block that keeps what a message of this wire holds beyond text and calls. It
/// stands in the journal and is sent to nobody as it is.
const KEPT: &str = "baton_openai";
/// Fields of a message that some providers want back with the calls that they led to.
const FIELDS: [&str; 5] =
    ["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "extra_content"];

/// What a message holds that our blocks have no place for.
#[derive(Default)]
struct Kept {
    /// Those of `FIELDS` that came.
    fields: Map<String, Value>,
    /// Whole calls by their id, where they are more than id, name and arguments as we would write them.
    calls: Map<String, Value>,
}

impl Kept {
    /// None where nothing is kept.
    fn into_block(self) -> Option<Block> {
        if self.fields.is_empty() && self.calls.is_empty() {
            return None;
        }
        let mut block = Map::new();
        block.insert("type".to_owned(), Value::from(KEPT));
        block.insert("fields".to_owned(), Value::Object(self.fields));
        block.insert("calls".to_owned(), Value::Object(self.calls));
        Some(Block::Opaque(Value::Object(block)))
    }

    /// What such a block of a message keeps.
    fn of(blocks: &[Block]) -> Kept {
        let kept = blocks.iter().find_map(|it| match it {
            Block::Opaque(value) if value["type"] == KEPT => Some(value),
            Block::Opaque(_)
            | Block::Text { .. }
            | Block::ToolUse { .. }
            | Block::ToolResult { .. } => None,
        });
        let object = |name: &str| kept.and_then(|it| it.get(name)?.as_object());
        Kept {
            fields: object("fields").cloned().unwrap_or_default(),
            calls: object("calls").cloned().unwrap_or_default(),
        }
    }
}
