//! Writes a reply as the bytes of a stream, in chunks of odd sizes, with the faults of its script.

use super::choose::Chosen;
use super::script::Fault;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::{Body, Bytes, Frame};
use serde_json::{Value, json};
use std::io;

/// Sizes of chunks, in turn: none of them is the size of anything.
const CHUNK_BYTES: [usize; 8] = [17, 1, 113, 5, 499, 3, 1_021, 61];
/// Sizes of the fragments that text and arguments come in, in characters.
const FRAGMENT_CHARS: [usize; 5] = [11, 3, 29, 1, 53];
const FILL_BYTES: usize = 16 * 1024;

type Chunks = Box<dyn Iterator<Item = Bytes> + Send>;

/// How the stream goes on after its bytes.
#[derive(Clone, Copy)]
enum End {
    Whole,
    Cut,
    Stalled,
}

pub(super) fn body(chosen: Chosen) -> impl Body<Data = Bytes, Error = io::Error> + Send + 'static {
    let fault = chosen.fault.clone();
    let chunks =
        if fault.json { odd(document(chosen).to_string().into_bytes()) } else { events(&chosen) };
    let (bytes_max, end) = match fault {
        Fault { cut_after_bytes: Some(max), .. } => (max, End::Cut),
        Fault { end_after_bytes: Some(max), .. } => (max, End::Whole),
        Fault { stall_after_bytes: Some(max), .. } => (max, End::Stalled),
        _ => (usize::MAX, End::Whole),
    };
    let state = (chunks, bytes_max);
    StreamBody::new(stream::unfold(state, move |(mut chunks, left)| async move {
        let next = if left == 0 { None } else { chunks.next() };
        if let Some(mut chunk) = next {
            chunk.truncate(left);
            let left = left - chunk.len();
            return Some((Ok(Frame::data(chunk)), (chunks, left)));
        }
        match end {
            End::Whole => None,
            End::Cut if left == 0 => {
                // What was written so far must leave before the connection breaks.
                tokio::task::yield_now().await;
                let cut = io::Error::other("this cut stands in the script");
                Some((Err(cut), (chunks, usize::MAX)))
            }
            End::Cut => None,
            End::Stalled => std::future::pending().await,
        }
    }))
}

/// The reply as it comes without a stream.
fn document(chosen: Chosen) -> Value {
    json!({ "id": chosen.id, "type": "message", "role": "assistant", "model": "rehearsal",
        "content": chosen.blocks, "stop_reason": chosen.stop_reason, "stop_sequence": null,
        "usage": chosen.usage })
}

fn events(chosen: &Chosen) -> Chunks {
    let fault = &chosen.fault;
    let mut lines = Lines { text: String::new(), ping: fault.ping, cr: fault.cr };
    let mut begun = chosen.usage.clone();
    begun.insert("output_tokens".to_owned(), json!(1));
    lines.event(
        "message_start",
        json!({ "message": { "id": chosen.id, "type": "message", "role": "assistant",
            "model": "rehearsal", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": begun } }),
    );
    for (index, block) in chosen.blocks.iter().enumerate() {
        lines.block(index, block);
    }
    let filled = fault.huge_bytes + fault.huge_line_bytes;
    let huge = (0 < filled).then(|| huge(&mut lines, chosen.blocks.len(), fault));
    let head = std::mem::take(&mut lines.text).into_bytes();
    if let Some(kind) = &fault.error_event {
        let error =
            json!({ "error": { "type": kind, "message": "this fault stands in the script" } });
        lines.event("error", error);
    } else {
        lines.event(
            "message_delta",
            json!({ "delta": { "stop_reason": chosen.stop_reason, "stop_sequence": null },
                "usage": { "output_tokens": chosen.usage.get("output_tokens") } }),
        );
        lines.event("message_stop", json!({}));
    }
    let tail = odd(lines.text.into_bytes());
    Box::new(odd(head).chain(huge.into_iter().flatten()).chain(tail))
}

/// Far more text than anybody wants, made as it is sent.
fn huge(lines: &mut Lines, index: usize, fault: &Fault) -> Chunks {
    lines.event(
        "content_block_start",
        json!({ "index": index, "content_block": { "type": "text", "text": "" } }),
    );
    let fill = "x".repeat(FILL_BYTES);
    let event = json!({ "type": "content_block_delta", "index": index,
        "delta": { "type": "text_delta", "text": fill } });
    let event = Bytes::from(format!("data: {event}\n\n"));
    let events = std::iter::repeat_n(event, fault.huge_bytes.div_ceil(FILL_BYTES));
    let line = std::iter::repeat_n(Bytes::from(fill), fault.huge_line_bytes.div_ceil(FILL_BYTES));
    let open = Bytes::from(format!(
        r#"data: {{"type":"content_block_delta","index":{index},"delta":{{"type":"text_delta","text":""#
    ));
    let close = Bytes::from_static(b"\"}}\n\n");
    let line = std::iter::once(open).chain(line).chain([close]);
    let has_line = 0 < fault.huge_line_bytes;
    Box::new(events.chain(line.filter(move |_| has_line)))
}

/// The text of a stream.
struct Lines {
    text: String,
    ping: bool,
    cr: bool,
}

impl Lines {
    fn event(&mut self, kind: &str, fields: Value) {
        let mut event = json!({ "type": kind });
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
            event.extend(fields);
        }
        let end = if self.cr { "\r" } else { "\n" };
        let lines = format!("event: {kind}{end}data: {event}{end}{end}");
        self.text.push_str(&lines);
        if self.ping && kind != "ping" {
            self.event("ping", json!({}));
        }
    }

    fn block(&mut self, index: usize, block: &Value) {
        let mut begun = block.clone();
        let mut deltas = Vec::new();
        match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                begun["text"] = json!("");
                for part in fragments(block["text"].as_str().unwrap_or("")) {
                    deltas.push(json!({ "type": "text_delta", "text": part }));
                }
            }
            Some("thinking") => {
                begun["thinking"] = json!("");
                begun["signature"] = json!("");
                for part in fragments(block["thinking"].as_str().unwrap_or("")) {
                    deltas.push(json!({ "type": "thinking_delta", "thinking": part }));
                }
                let signature = &block["signature"];
                deltas.push(json!({ "type": "signature_delta", "signature": signature }));
            }
            Some("tool_use") => {
                begun["input"] = json!({});
                let arguments = match &block["input"] {
                    Value::String(text) => text.clone(),
                    // The real service sends nothing for no arguments.
                    Value::Object(map) if map.is_empty() => String::new(),
                    input => input.to_string(),
                };
                for part in fragments(&arguments) {
                    deltas.push(json!({ "type": "input_json_delta", "partial_json": part }));
                }
            }
            _ => {}
        }
        let start = json!({ "index": index, "content_block": begun });
        self.event("content_block_start", start);
        for delta in deltas {
            let fields = json!({ "index": index, "delta": delta });
            self.event("content_block_delta", fields);
        }
        self.event("content_block_stop", json!({ "index": index }));
    }
}

fn fragments(text: &str) -> Vec<String> {
    let mut chars = text.chars().peekable();
    let mut sizes = FRAGMENT_CHARS.iter().cycle();
    let mut parts = Vec::new();
    while chars.peek().is_some() {
        let size = sizes.next().copied().unwrap_or(1);
        parts.push(chars.by_ref().take(size).collect());
    }
    parts
}

fn odd(bytes: Vec<u8>) -> Chunks {
    let mut rest = Bytes::from(bytes);
    let mut sizes = CHUNK_BYTES.iter().cycle();
    Box::new(std::iter::from_fn(move || {
        let size = sizes.next().copied().unwrap_or(1);
        let size = size.min(rest.len());
        (0 < size).then(|| rest.split_to(size))
    }))
}
