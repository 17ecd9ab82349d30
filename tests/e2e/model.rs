//! The model's wire: our client against our rehearsal with its faults, against servers that are
//! broken below HTTP, and against a third party's mock.

mod chat;
mod faults;
mod rehearsal;
mod third_party;
mod wire;

use baton::config::{EditFormat, ModelConfig, Provider};
use baton::model::rehearsal::{Script, Server, serve};
use baton::model::{Block, Call, Delta, Message, Model, Patience, Reply, Speaker, ToolSpec};
use serde_json::json;
use std::time::Duration;
use team::Failure;
use tokio_util::sync::CancellationToken;

/// Long enough for a loaded machine; what a test waits for on purpose it sets itself.
fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(10),
        read: Duration::from_secs(30),
        progress: Duration::from_secs(120),
        loading: Duration::from_secs(30),
        backoff: Duration::from_millis(1),
    }
}

fn config(base_url: &str) -> ModelConfig {
    ModelConfig {
        provider: Provider::Anthropic,
        base_url: base_url.to_owned(),
        model: "claude-sonnet-5-5".to_owned(),
        key: None,
        max_output_tokens: 1_000,
        edit_format: EditFormat::Auto,
        window_tokens: None,
        prices: None,
        script: None,
    }
}

/// The same for the other wire.
fn chat_config(base_url: &str) -> ModelConfig {
    ModelConfig { provider: Provider::OpenAi, model: "gpt-6-sol".to_owned(), ..config(base_url) }
}

async fn open_chat(base_url: &str, patience: Patience) -> Model {
    Model::open_with(&chat_config(base_url), patience).await.unwrap()
}

async fn play(script: &str) -> Server {
    serve(Script::parse(script).unwrap()).await.unwrap()
}

async fn open(base_url: &str, patience: Patience) -> Model {
    Model::open_with(&config(base_url), patience).await.unwrap()
}

fn tools() -> Vec<ToolSpec> {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "A tool.".to_owned(),
        schema: json!({ "type": "object", "properties": { "path": { "type": "string" } } }),
    };
    vec![tool("read_file"), tool("hand_over_change")]
}

/// What came of a question.
struct Heard {
    reply: Result<Reply, Failure>,
    deltas: Vec<Delta>,
}

impl Heard {
    fn reply(&self) -> &Reply {
        self.reply.as_ref().unwrap()
    }

    fn failure(&self) -> &Failure {
        self.reply.as_ref().unwrap_err()
    }

    /// The waits before each retry, in milliseconds.
    fn waits(&self) -> Vec<u64> {
        let waits = self.deltas.iter().filter_map(|it| match it {
            Delta::Retrying { wait_ms, .. } => Some(*wait_ms),
            Delta::Text(_) | Delta::ToolStarted(_) | Delta::Lost { .. } => None,
        });
        waits.collect()
    }

    /// The input tokens of each reply that was paid and lost.
    fn lost(&self) -> Vec<u64> {
        let lost = self.deltas.iter().filter_map(|it| match it {
            Delta::Lost { usage, .. } => Some(usage.input_tokens),
            Delta::Text(_) | Delta::ToolStarted(_) | Delta::Retrying { .. } => None,
        });
        lost.collect()
    }
}

async fn ask_all(model: &Model, messages: &[Message], stop: &CancellationToken) -> Heard {
    let tools = tools();
    let call = Call { system: "You fix bugs.", tools: &tools, messages, max_output_tokens: 4_000 };
    let mut deltas = Vec::new();
    let reply = model.call(&call, &mut |it| deltas.push(it), stop).await;
    Heard { reply, deltas }
}

async fn ask(model: &Model, text: &str) -> Heard {
    ask_all(model, &[Message::user(text)], &CancellationToken::new()).await
}

/// An answer to each call of a message; to the second of them an error.
fn results(message: &Message, content: &str) -> Message {
    let calls = message.blocks.iter().filter_map(|it| match it {
        Block::ToolUse { id, .. } => Some(id.clone()),
        Block::Text { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
    });
    let blocks = calls.enumerate().map(|(at, tool_use_id)| Block::ToolResult {
        tool_use_id,
        content: content.to_owned(),
        is_error: at == 1,
    });
    Message { speaker: Speaker::User, blocks: blocks.collect() }
}
