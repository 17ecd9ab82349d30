//! The text of a document in pieces (a rope): a key press in a long document moves none of the rest of it,
//! and a copy that somebody reads costs nothing and holds nobody up.

use super::{Encoding, Position};
use ropey::{Rope, RopeSlice};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Lines end with `\n`, `\r\n` or `\r`, as in the protocol. Offsets are in bytes, each on a character's
/// start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Rope);

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(Rope::from_str(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chunks().try_for_each(|it| to.write_str(it))
    }
}

impl Text {
    pub fn bytes(&self) -> usize {
        self.0.len_bytes()
    }

    /// A line, counted from 0, without its end; empty past the last one.
    pub fn line(&self, line: u32) -> Cow<'_, str> {
        self.bare(line).1.into()
    }

    pub fn slice(&self, bytes: Range<usize>) -> Cow<'_, str> {
        self.0.byte_slice(bytes).into()
    }

    pub fn replace(&mut self, bytes: Range<usize>, new: &str) {
        let start = self.0.byte_to_char(bytes.start);
        self.0.remove(start..self.0.byte_to_char(bytes.end));
        self.0.insert(start, new);
    }

    /// The offset of a position. A column past the line's end is its end; one inside a character is that
    /// character's start.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let (start, line) = self.bare(position.line);
        let column = position.character as usize;
        let chars = match encoding {
            Encoding::Utf8 => line.byte_to_char(column.min(line.len_bytes())),
            Encoding::Utf16 => line.utf16_cu_to_char(column.min(line.len_utf16_cu())),
            Encoding::Utf32 => column.min(line.len_chars()),
        };
        start + line.char_to_byte(chars)
    }

    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let line = self.0.byte_to_line(offset);
        let before = self.0.byte_slice(self.0.line_to_byte(line)..offset);
        let character = match encoding {
            Encoding::Utf8 => before.len_bytes(),
            Encoding::Utf16 => before.len_utf16_cu(),
            Encoding::Utf32 => before.len_chars(),
        };
        let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Position::new(count(line), count(character))
    }

    /// Where a line starts, and the line without its end.
    fn bare(&self, line: u32) -> (usize, RopeSlice<'_>) {
        let line = (line as usize).min(self.0.len_lines());
        let start = self.0.line_to_byte(line);
        let Some(whole) = self.0.get_line(line) else { return (start, self.0.slice(0..0)) };
        let ends = |it: RopeSlice<'_>, with: char| {
            it.len_chars().checked_sub(1).is_some_and(|last| it.char(last) == with)
        };
        let mut bare = whole;
        for end in ['\n', '\r'] {
            if ends(bare, end) {
                bare = bare.slice(..bare.len_chars() - 1);
            }
        }
        (start, bare)
    }
}
