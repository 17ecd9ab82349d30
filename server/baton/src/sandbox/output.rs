//! A command's output, kept bounded: the head, the tail, and a hash of all of it.

use super::environment::hex;
use crate::clean;
use sha2::{Digest, Sha256};

/// Most that is kept of one command's output, marker line included, unless more is asked for.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;
/// Room for the marker line.
const MARKER_BYTES_MAX: usize = 128;

pub(super) struct Output {
    head: Vec<u8>,
    /// Holds up to twice the tail, so that it is moved seldom.
    tail: Vec<u8>,
    head_max: usize,
    tail_max: usize,
    bytes: u64,
    hash: Sha256,
}

/// An output that was kept longer, as it would have been kept at this length.
pub fn shortened(output: Vec<u8>, bytes_max: usize) -> Vec<u8> {
    if output.len() <= bytes_max {
        return output;
    }
    let mut short = Output::new(bytes_max);
    short.push(&output);
    short.finish().0
}

impl Output {
    pub(super) fn new(bytes_max: usize) -> Output {
        let room = bytes_max.saturating_sub(MARKER_BYTES_MAX);
        let (head_max, tail_max) = (room / 2, room - room / 2);
        let (head, tail) = (Vec::new(), Vec::new());
        Output { head, tail, head_max, tail_max, bytes: 0, hash: Sha256::new() }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        let (head, rest) = chunk.split_at(chunk.len().min(self.head_max - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(rest);
        if 2 * self.tail_max < self.tail.len() {
            self.tail.drain(..self.tail.len() - self.tail_max);
        }
    }

    /// What was kept, without secrets; how many bytes came, and the hash of them all.
    pub(super) fn finish(self) -> (Vec<u8>, u64, String) {
        let kept = self.tail.len().min(self.tail_max);
        let left_out = self.bytes - (self.head.len() + kept) as u64;
        let tail = &self.tail[self.tail.len() - kept..];
        let mut secrets = clean::stream();
        let mut shown = secrets.push(&self.head);
        if left_out == 0 {
            shown.extend(secrets.push(tail));
            shown.extend(secrets.finish());
        } else {
            // What the head may have ended with in the middle of a secret is left out too.
            let marker = format!("\n[baton: {left_out} bytes of output left out here]\n");
            shown.extend(marker.as_bytes());
            shown.extend(clean::redact_bytes(tail));
        }
        // Redacting can lengthen: a short secret is replaced by a longer word.
        let bytes_max = self.head_max + self.tail_max + MARKER_BYTES_MAX;
        if bytes_max < shown.len() {
            shown.drain(..shown.len() - bytes_max);
        }
        (shown, self.bytes, hex(&self.hash.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD_BYTES_MAX: usize = (OUTPUT_BYTES_MAX - MARKER_BYTES_MAX) / 2;
    const TAIL_BYTES_MAX: usize = OUTPUT_BYTES_MAX - MARKER_BYTES_MAX - HEAD_BYTES_MAX;

    #[test]
    fn short_output_is_kept_whole() {
        let mut output = Output::new(OUTPUT_BYTES_MAX);
        output.push(b"abc");
        output.push(b"");
        let (kept, bytes, hash) = output.finish();
        assert_eq!((kept.as_slice(), bytes), (&b"abc"[..], 3));
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn no_secret_is_kept_even_where_the_middle_is_left_out() {
        let key = ["ghp", "_Ab3dEf6hIj9lMn2pQr5tUv8xYz1BCdEFgHiJ"].concat();
        for cut in 0..=key.len() {
            let mut output = Output::new(OUTPUT_BYTES_MAX);
            output.push(&vec![b' '; HEAD_BYTES_MAX - cut]);
            output.push(key.as_bytes());
            output.push(&vec![b' '; 3 * TAIL_BYTES_MAX]);
            output.push(format!("the end {key}").as_bytes());
            let (kept, _, hash) = output.finish();
            let text = String::from_utf8(kept).unwrap();
            assert!(!text.contains(&key), "cut at {cut}");
            assert!(text.ends_with("the end [redacted]"), "cut at {cut}");
            assert_eq!(hash.len(), 64);
        }
    }

    #[test]
    fn at_the_border_nothing_is_left_out() {
        let all = vec![7u8; HEAD_BYTES_MAX + TAIL_BYTES_MAX];
        let mut output = Output::new(OUTPUT_BYTES_MAX);
        output.push(&all);
        assert_eq!(output.finish().0, all);
    }

    #[test]
    fn long_output_keeps_head_and_tail() {
        // Every line is numbered, so that the test sees which were kept.
        let mut output = Output::new(OUTPUT_BYTES_MAX);
        let mut all = Vec::new();
        for n in 0..400_000 {
            let line = format!("line {n:09}\n");
            output.push(line.as_bytes());
            all.extend_from_slice(line.as_bytes());
        }
        let (kept, bytes, hash) = output.finish();
        assert_eq!(bytes, all.len() as u64);
        assert_eq!(hash, hex(&Sha256::digest(&all)));
        assert!(kept.len() <= OUTPUT_BYTES_MAX);
        // The last bytes of the head may have begun a secret.
        assert!(all.starts_with(&kept[..HEAD_BYTES_MAX - 64]));
        assert!(all.ends_with(&kept[kept.len() - TAIL_BYTES_MAX..]));
        let left_out = all.len() - HEAD_BYTES_MAX - TAIL_BYTES_MAX;
        let text = String::from_utf8_lossy(&kept);
        assert!(text.contains(&format!("[baton: {left_out} bytes of output left out here]")));
    }

    #[test]
    fn what_was_kept_long_can_be_kept_short() {
        let all: Vec<u8> = (0..100_000u32).flat_map(|n| n.to_be_bytes()).collect();
        assert_eq!(shortened(all.clone(), all.len()), all);
        let short = shortened(all.clone(), 1_000);
        assert!(short.len() <= 1_000 && short.starts_with(&all[..400]), "{}", short.len());
        assert!(short.ends_with(&all[all.len() - 400..]));
    }
}
