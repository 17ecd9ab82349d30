//! How full the model's window is, and what is shortened when it fills.
//!
//! Between two borders nothing that was sent is ever changed, so that providers' prompt caches hit. At
//! a border old tool outputs shrink to their first and last lines.

use crate::model::{Block, Message};
use team::Usage;

const CHARS_A_TOKEN: f64 = 4.0;
/// Percent of the window at which old outputs are shortened, and how many of the last stay whole.
const FIRST_BORDER: (u64, u32) = (60, 10);
const SECOND_BORDER: (u64, u32) = (85, 3);
/// Shortening at the first border must free this much of the window; a broken prefix is paid for.
const FREED_PERCENT_MIN: u64 = 10;
/// Shorter outputs are left alone.
const ELIDED_CHARS_MIN: usize = 600;
const LAST_LINES: usize = 3;
const LAST_CHARS_MAX: usize = 300;
const FIRST_CHARS_MAX: usize = 300;
/// An image of the whole window would be refused by the provider before it is this full.
const FULL_PERCENT: u64 = 95;

/// The estimate of tokens, corrected by what the provider counted.
#[derive(Debug)]
pub struct Window {
    chars_a_token: f64,
}

impl Default for Window {
    fn default() -> Self {
        Window { chars_a_token: CHARS_A_TOKEN }
    }
}

impl Window {
    /// Learns from one call: these messages were counted so.
    pub fn measure(&mut self, sent: &[Message], usage: &Usage) {
        let counted = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
        let chars = chars(sent);
        // Small ones are mostly system text and schemas, which are not in `sent`.
        if 2_000 < counted {
            self.chars_a_token = (chars as f64 / counted as f64).clamp(1.5, 6.0);
        }
    }

    fn tokens(&self, chars: usize) -> u64 {
        (chars as f64 / self.chars_a_token).ceil() as u64
    }

    /// How many outputs to keep whole, if now is a border.
    pub fn elision(&self, messages: &[Message], window_tokens: u64) -> Option<u32> {
        let full = self.tokens(chars(messages));
        let at = |percent: u64| window_tokens.saturating_mul(percent) / 100;
        let frees = |keep: u32| self.tokens(freed(messages, keep));
        let (first, keep) = FIRST_BORDER;
        if at(first) <= full && at(FREED_PERCENT_MIN) <= frees(keep) {
            return Some(keep);
        }
        let (second, keep) = SECOND_BORDER;
        (at(second) <= full && 0 < frees(keep)).then_some(keep)
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
