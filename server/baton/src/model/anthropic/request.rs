//! The bytes of a request. What does not change from call to call comes first, and nothing that was
//! sent is written differently later, so that the provider finds its cache again.

use crate::model::Call;
use crate::model::message::{Block, CacheControl, Marked, Message, Speaker, ToolSpec};
use hyper::body::Bytes;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use team::{Code, Failure};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "<[Tool]>::is_empty")]
    tools: &'a [Tool<'a>],
    #[serde(skip_serializing_if = "<[System]>::is_empty")]
    system: &'a [System<'a>],
    /// Last, since this is what grows.
    messages: Messages<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(flatten)]
    spec: &'a ToolSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct System<'a> {
    r#type: &'static str,
    text: &'a str,
    cache_control: CacheControl,
}

struct Messages<'a>(&'a [Message]);

#[derive(Serialize)]
struct Sent<'a> {
    role: Speaker,
    content: Vec<Marked<'a>>,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let told = self.0.iter().map(|it| {
            let blocks: Vec<&Block> = it.blocks.iter().filter(|it| !it.is_ours()).collect();
            (it.speaker, blocks)
        });
        // A provider refuses a message without blocks.
        let sent: Vec<_> = told.filter(|it| !it.1.is_empty()).collect();
        let marked = sent.iter().rposition(|it| it.0 == Speaker::User);
        let mut list = to.serialize_seq(Some(sent.len()))?;
        for (index, (role, blocks)) in sent.into_iter().enumerate() {
            let last = blocks.len().checked_sub(1);
            let mark_at = last.filter(|_| Some(index) == marked);
            let mark = |at| (Some(at) == mark_at).then_some(CacheControl::EPHEMERAL);
            let blocks = blocks.into_iter().enumerate();
            let content = blocks.map(|(at, block)| Marked { block, cache_control: mark(at) });
            list.serialize_element(&Sent { role, content: content.collect() })?;
        }
        list.end()
    }
}

/// Two marks at most: the end of tools and instructions, which a whole run shares, and the end of
/// what the user's side said last, which the next call starts with.
pub(in crate::model) fn body(model: &str, call: &Call<'_>) -> Result<Bytes, Failure> {
    let last_tool = call.tools.len().checked_sub(1);
    let tools: Vec<Tool> = call
        .tools
        .iter()
        .enumerate()
        .map(|(at, spec)| Tool {
            spec,
            cache_control: (call.system.is_empty() && Some(at) == last_tool)
                .then_some(CacheControl::EPHEMERAL),
        })
        .collect();
    let system =
        System { r#type: "text", text: call.system, cache_control: CacheControl::EPHEMERAL };
    let body = Body {
        model,
        max_tokens: call.max_output_tokens,
        stream: true,
        tools: &tools,
        system: if call.system.is_empty() { &[] } else { std::slice::from_ref(&system) },
        messages: Messages(call.messages),
    };
    let bytes = serde_json::to_vec(&body)
        .map_err(|it| Failure::new(Code::Bug, format!("the question can't be written: {it}")))?;
    Ok(Bytes::from(bytes))
}

#[cfg(test)]
mod tests;
