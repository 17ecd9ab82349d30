//! When old outputs are shortened, and to what.

use super::*;
use crate::model::Speaker;
use expect_test::expect;

fn outputs(count: usize, chars: usize) -> Vec<Message> {
    let content = format!("command: exit 0, receipt R1.1\n{}\nlast line", "x\n".repeat(chars / 2));
    let block = |n: usize| Block::ToolResult {
        tool_use_id: format!("t{n}"),
        content: content.clone(),
        is_error: false,
    };
    let blocks = (0..count).map(block).collect();
    vec![Message { speaker: Speaker::User, blocks }]
}

fn long(messages: &[Message]) -> usize {
    let whole =
        |it: &&Block| matches!(it, Block::ToolResult { content, .. } if 2_000 < content.len());
    messages[0].blocks.iter().filter(whole).count()
}

#[test]
fn nothing_changes_between_the_borders() {
    let window = Window::default();
    assert_eq!(window.elision(&outputs(20, 20_000), 200_000), None);
    assert_eq!(window.elision(&outputs(25, 20_000), 200_000), Some(9));
    assert_eq!(window.elision(&outputs(80, 6_000), 200_000), Some(10));
    // Nothing to gain at the first border, so the prefix stays until the second.
    let many_words = [vec![Message::user("w".repeat(480_000))], outputs(3, 20_000)].concat();
    assert_eq!(window.elision(&many_words, 200_000), None);
    let more_words = [vec![Message::user("w".repeat(640_000))], outputs(4, 20_000)].concat();
    assert_eq!(window.elision(&more_words, 200_000), Some(3));
    assert_eq!(window.elision(&outputs(1, 900_000), 200_000), None);
    assert!(window.is_full(&outputs(1, 900_000), 200_000));
}

#[test]
fn after_shortening_it_is_not_a_border_any_more() {
    let mut messages = outputs(25, 20_000);
    shorten(&mut messages, 10);
    assert_eq!(long(&messages), 10);
    assert_eq!(Window::default().elision(&messages, 200_000), None);
    let once = messages.clone();
    shorten(&mut messages, 10);
    assert_eq!(messages, once);
}

#[test]
fn what_stays_is_the_first_line_and_the_last_ones() {
    let mut messages = outputs(2, 1_000);
    shorten(&mut messages, 1);
    let Block::ToolResult { content, .. } = &messages[0].blocks[0] else {
        panic!("no result");
    };
    expect![[r#"
        command: exit 0, receipt R1.1
        [... 499 lines left out to make room; call the tool again if you need them ...]
        x

        last line"#]]
    .assert_eq(content);
}

#[test]
fn the_providers_count_corrects_the_estimate() {
    let mut window = Window::default();
    let messages = outputs(20, 20_000);
    let usage = Usage { input_tokens: 1_000, cache_read_tokens: 150_000, ..Usage::default() };
    window.measure(&messages, &usage);
    assert_eq!(window.elision(&messages, 200_000), Some(6));
}

#[test]
fn the_next_request_is_never_estimated_below_what_was_counted() {
    let messages = outputs(2, 4_000);
    let mut window = Window::default();
    let bytes = chars(&messages);
    assert_eq!(window.request_tokens(&messages, 1_000), (bytes as u64 + 1_000).div_ceil(2));
    window.measure(&messages, &Usage { input_tokens: 9_000, ..Usage::default() });
    assert_eq!(window.request_tokens(&messages, 1_000), 9_000);
    let longer = outputs(3, 4_000);
    let new = (chars(&longer) - bytes) as u64;
    assert_eq!(window.request_tokens(&longer, 1_000), 9_000 + new.div_ceil(2));
    // What was shortened since is not trusted to be smaller before the provider said so.
    assert_eq!(window.request_tokens(&outputs(1, 4_000), 1_000), 9_000);
}
