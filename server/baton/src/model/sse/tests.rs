//! The parser of events.

use super::*;
use std::time::{Duration, Instant};

fn whole(text: &[u8]) -> Vec<String> {
    Sse::default().feed(text).unwrap()
}

#[test]
fn every_line_ending_ends_a_line() {
    let text = "data: a\n\ndata: b\n\n";
    let expected = ["a", "b"];
    assert_eq!(whole(text.as_bytes()), expected);
    assert_eq!(whole(text.replace('\n', "\r\n").as_bytes()), expected);
    assert_eq!(whole(text.replace('\n', "\r").as_bytes()), expected);
    assert_eq!(whole(b"data: a\r\n\ndata: b\r\r\n"), expected);
}

#[test]
fn data_is_joined_and_all_else_is_passed_over() {
    let text =
        b": comment\nevent: x\nid: 1\nretry: 5\ndata:  a\ndata:b\ndata\ndatax: c\nno field\n\n";
    assert_eq!(whole(text), [" a\nb\n"]);
    // An event without data is none; one with empty data is one.
    assert_eq!(whole(b"event: x\n\n\n\ndata:\n\n"), [""]);
    // What never ended never happened.
    assert_eq!(whole(b"data: a\n\ndata: b\n"), ["a"]);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_beginning_alone() {
    assert_eq!(whole(b"\xef\xbb\xbfdata: a\n\n"), ["a"]);
    assert_eq!(whole(b"data: \xef\xbb\xbfa\n\n"), ["\u{feff}a"]);
    assert!(whole(b"\n\xef\xbb\xbfdata: a\n\n").is_empty());
}

#[test]
fn invalid_utf_8_costs_only_itself() {
    assert_eq!(whole(b"data: a\xffb\n\ndata: c\n\n"), ["a\u{fffd}b", "c"]);
}

/// Numbers for a test, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn no_split_changes_what_is_read() {
    const PIECES: [&[u8]; 14] = [
        b"data: ",
        b"data",
        b":",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b"event: x",
        b"\xef\xbb\xbf",
        b"\xff",
        "\u{1f600}".as_bytes(),
        b"{\"a\":1}",
        b" ",
    ];
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |it| it.as_nanos() as u64);
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for _ in 0..2_000 {
        let mut text = Vec::new();
        for _ in 0..dice.roll(30) {
            text.extend_from_slice(PIECES[dice.roll(PIECES.len())]);
        }
        let expected = whole(&text);
        let mut one_by_one = Sse::default();
        let bytes = text.chunks(1).flat_map(|it| one_by_one.feed(it).unwrap());
        assert_eq!(bytes.collect::<Vec<_>>(), expected, "{text:?}");
        let mut parts = Sse::default();
        let mut events = Vec::new();
        let mut rest = &text[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(1 + dice.roll(rest.len()));
            events.extend(parts.feed(now).unwrap());
            rest = later;
        }
        assert_eq!(events, expected, "{text:?}");
    }
}

#[test]
fn a_long_line_in_small_chunks_takes_linear_time() {
    // Rescanning the line at every chunk would read 260 GB here.
    let begun = Instant::now();
    let mut sse = Sse::default();
    sse.feed(b"data: ").unwrap();
    for _ in 0..(8 * 1024 * 1024 / 128) {
        assert!(sse.feed(&[b'x'; 128]).unwrap().is_empty());
    }
    let events = sse.feed(b"\n\n").unwrap();
    assert_eq!(events[0].len(), 8 * 1024 * 1024);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_never_ends_is_refused() {
    let mib = vec![b'x'; 1024 * 1024];
    let mut one_line = Sse::default();
    for _ in 0..16 {
        assert_eq!(one_line.feed(&mib), Ok(vec![]));
    }
    assert_eq!(one_line.feed(&mib), Err(TooLong));
    let mut many_lines = Sse::default();
    let refused = (0..20).find(|_| {
        let begun = many_lines.feed(b"data: ").and_then(|_| many_lines.feed(&mib));
        begun.and_then(|_| many_lines.feed(b"\n")).is_err()
    });
    assert_eq!(refused, Some(15));
}
