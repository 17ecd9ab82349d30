//! How full the model's window is, and what is shortened when it fills.
//!
//! Between two borders nothing that was sent is ever changed, so that providers' prompt caches hit. At
//! a border old tool outputs shrink to their first and last lines.

use crate::model::{Block, Message};
use team::Usage;

const CHARS_A_TOKEN: f64 = 4.0;
/// Dense text, such as hashes, has about so many bytes a token; most text has more.
const BYTES_A_TOKEN_MIN: u64 = 2;
/// At so many percent of the window old outputs are shortened; the latest stay whole, up to so many
/// percent of it and so many of them.
const FIRST_BORDER: Border = Border { at_percent: 60, keep_percent: 25, keep_max: 10 };
const SECOND_BORDER: Border = Border { at_percent: 85, keep_percent: 10, keep_max: 3 };
/// Shortening at the first border must free this much of the window; a broken prefix is paid for.
const FREED_PERCENT_MIN: u64 = 10;
/// Shorter outputs are left alone.
const ELIDED_CHARS_MIN: usize = 600;
const LAST_LINES: usize = 3;
const LAST_CHARS_MAX: usize = 300;
const FIRST_CHARS_MAX: usize = 300;
/// Fuller than this, a provider may refuse the next request.
const FULL_PERCENT: u64 = 95;

struct Border {
    at_percent: u64,
    keep_percent: u64,
    keep_max: usize,
}

/// The estimate of tokens, corrected by what the provider counted.
#[derive(Debug)]
pub struct Window {
    chars_a_token: f64,
    /// The last request's tokens as the provider counted them, and its messages' bytes.
    counted: Option<(u64, usize)>,
}

impl Default for Window {
    fn default() -> Self {
        Window { chars_a_token: CHARS_A_TOKEN, counted: None }
    }
}

impl Window {
    /// Learns from one call: these messages were counted so.
    pub fn measure(&mut self, sent: &[Message], usage: &Usage) {
        let counted = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
        let chars = chars(sent);
        self.counted = (0 < counted).then_some((counted, chars));
        // Small ones are mostly system text and schemas, which are not in `sent`.
        if 2_000 < counted {
            self.chars_a_token = (chars as f64 / counted as f64).clamp(1.5, 6.0);
        }
    }

    /// An upper estimate of the next request: what was counted, and what came after it. `fixed_bytes`:
    /// of what stands before the messages.
    pub fn request_tokens(&self, messages: &[Message], fixed_bytes: usize) -> u64 {
        let now = chars(messages);
        let (counted, new) = match self.counted {
            Some((tokens, then)) => (tokens, now.saturating_sub(then)),
            None => (0, fixed_bytes + now),
        };
        counted + (new as u64).div_ceil(BYTES_A_TOKEN_MIN)
    }

    fn tokens(&self, chars: usize) -> u64 {
        (chars as f64 / self.chars_a_token).ceil() as u64
    }

    /// How many outputs to keep whole, if now is a border.
    pub fn elision(&self, messages: &[Message], window_tokens: u64) -> Option<u32> {
        let full = self.tokens(chars(messages));
        let part = |percent: u64| window_tokens.saturating_mul(percent) / 100;
        let border = |border: &Border, freed_min: u64| {
            let keep = self.kept(messages, border.keep_max, part(border.keep_percent));
            let is_there = part(border.at_percent) <= full;
            (is_there && freed_min <= self.tokens(freed(messages, keep))).then_some(keep)
        };
        border(&FIRST_BORDER, part(FREED_PERCENT_MIN)).or_else(|| border(&SECOND_BORDER, 1))
    }

    /// How many of the latest outputs fit into so many tokens; at least one.
    fn kept(&self, messages: &[Message], keep_max: usize, tokens_max: u64) -> u32 {
        let blocks = messages.iter().rev().flat_map(|it| it.blocks.iter().rev());
        let sizes = blocks.filter_map(|block| match block {
            Block::ToolResult { content, .. } => Some(content.len()),
            Block::Text { .. } | Block::ToolUse { .. } | Block::Opaque(_) => None,
        });
        let sums = sizes.take(keep_max).scan(0, |sum, size| {
            *sum += size;
            Some(self.tokens(*sum))
        });
        let fit = sums.take_while(|it| *it <= tokens_max).count();
        u32::try_from(fit.max(1)).unwrap_or(u32::MAX)
    }

    /// Nothing more fits.
    pub fn is_full(&self, messages: &[Message], window_tokens: u64) -> bool {
        window_tokens.saturating_mul(FULL_PERCENT) / 100 <= self.tokens(chars(messages))
    }
}

/// Shortens all but the last `keep` tool outputs.
pub fn shorten(messages: &mut [Message], keep: u32) {
    for content in old_outputs(messages, keep) {
        if let Some(short) = short(content) {
            *content = short;
        }
    }
}

fn old_outputs(messages: &mut [Message], keep: u32) -> Vec<&mut String> {
    let blocks = messages.iter_mut().flat_map(|it| it.blocks.iter_mut());
    let mut outputs: Vec<&mut String> = blocks
        .filter_map(|block| match block {
            Block::ToolResult { content, .. } => Some(content),
            Block::Text { .. } | Block::ToolUse { .. } | Block::Opaque(_) => None,
        })
        .collect();
    let old = outputs.len().saturating_sub(keep as usize);
    outputs.truncate(old);
    outputs
}

fn freed(messages: &[Message], keep: u32) -> usize {
    let mut copy = messages.to_vec();
    let outputs = old_outputs(&mut copy, keep);
    let gain = |it: &&mut String| short(it).map_or(0, |short| it.len().saturating_sub(short.len()));
    outputs.iter().map(gain).sum()
}

/// The first line (command, exit, receipt; path and lines) and the last ones; `None`: short enough.
fn short(content: &str) -> Option<String> {
    if content.len() < ELIDED_CHARS_MIN {
        return None;
    }
    let clip = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    let lines: Vec<&str> = content.lines().collect();
    let first = clip(lines.first().unwrap_or(&""), FIRST_CHARS_MAX);
    let from = lines.len().saturating_sub(LAST_LINES).max(1);
    let tail = lines.get(from..).unwrap_or_default().join("\n");
    let skipped = tail.chars().count().saturating_sub(LAST_CHARS_MAX);
    let tail: String = tail.chars().skip(skipped).collect();
    let left = from.saturating_sub(1);
    Some(format!(
        "{first}\n[... {left} lines left out to make room; call the tool again if you need them ...]\n{tail}"
    ))
}

fn chars(messages: &[Message]) -> usize {
    let of = |block: &Block| match block {
        Block::Text { text } => text.len(),
        Block::ToolUse { name, input, .. } => name.len() + input.to_string().len(),
        Block::ToolResult { content, .. } => content.len(),
        Block::Opaque(value) => value.to_string().len(),
    };
    messages.iter().flat_map(|it| &it.blocks).map(of).sum()
}

#[cfg(test)]
mod tests;
