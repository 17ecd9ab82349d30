//! Where the lines of a text start, kept up to date from one change to the next: a key press in a long
//! document costs no look at all of it.

use super::{Encoding, Position};
use std::ops::Range;

/// Byte offsets of the starts of all lines; the first is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Lines {
        let mut starts = vec![0];
        starts_in(text, 0..text.len(), &mut starts);
        Lines(starts)
    }

    /// `text`: as it is after `removed` was replaced by so many bytes.
    pub fn edited(&mut self, text: &str, removed: Range<usize>, added: usize) {
        // A line's end may be joined with, or parted from, what stands beside the change: the line
        // before and the one after are looked at anew.
        let first = self.line_of(removed.start).saturating_sub(1);
        let last = (self.line_of(removed.end) + 2).min(self.0.len());
        let moved = |it: usize| it - removed.len() + added;
        let from = self.0[first];
        let to = self.0.get(last).map_or(text.len(), |it| moved(*it));
        // Of a long document this is most of the work: one addition each, that may go backwards.
        let shift = added.wrapping_sub(removed.len());
        for it in &mut self.0[last..] {
            *it = it.wrapping_add(shift);
        }
        let mut fresh = vec![];
        starts_in(text, from..to, &mut fresh);
        // The next line's start is there already.
        if last < self.0.len() && fresh.last() == Some(&to) {
            fresh.pop();
        }
        self.0.splice(first + 1..last, fresh);
    }

    /// The line that this byte belongs to, counted from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.0.partition_point(|it| *it <= offset).saturating_sub(1)
    }

    /// The bytes of a line, without its end. Past the last line: the end of the text.
    pub fn line(&self, text: &str, line: u32) -> Range<usize> {
        let Some(start) = usize::try_from(line).ok().and_then(|it| self.0.get(it)).copied() else {
            return text.len()..text.len();
        };
        let next = self.0.get(line as usize + 1).copied();
        let whole = &text[start..next.unwrap_or(text.len())];
        let bare = match next {
            Some(_) => whole.strip_suffix("\r\n").or(whole.strip_suffix(['\n', '\r'])),
            None => None,
        };
        start..start + bare.unwrap_or(whole).len()
    }

    /// The byte offset of a position. A column past the line's end is its end; one inside a character
    /// is that character's start.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let bytes = self.line(text, position.line);
        let line = &text[bytes.clone()];
        let column = position.character as usize;
        // Most of most lines is ASCII, where all encodings agree.
        let plain = column.min(line.len());
        if line.as_bytes()[..plain].is_ascii() {
            return bytes.start + plain;
        }
        let mut left = column;
        let mut at = 0;
        for c in line.chars() {
            let units = encoding.units(c);
            if left < units {
                break;
            }
            left -= units;
            at += c.len_utf8();
        }
        bytes.start + at
    }

    /// The position of a byte offset that lies on a character's start.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let line = self.line_of(offset);
        let before = &text[self.0[line]..offset];
        let character = before.chars().map(|c| encoding.units(c)).sum::<usize>();
        let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Position::new(count(line), count(character))
    }
}

/// Adds the starts of the lines that follow a line's end in this range: `\n`, `\r\n` and `\r` end one.
fn starts_in(text: &str, range: Range<usize>, starts: &mut Vec<usize>) {
    let bytes = text.as_bytes();
    for at in range {
        let ends = match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            starts.push(at + 1);
        }
    }
}
