//! The open documents, as the editor shows them, and positions in them.

use super::types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent, Uri};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod lines;

pub use lines::Lines;

/// How an editor counts columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    /// The first of ours that the client offers, cheapest first; UTF-16 where it offers nothing.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        let offered = offered.unwrap_or_default();
        let by_kind = [
            (PositionEncodingKind::UTF8, Encoding::Utf8),
            (PositionEncodingKind::UTF32, Encoding::Utf32),
        ];
        let found = by_kind.into_iter().find(|(kind, _)| offered.contains(kind));
        found.map_or(Encoding::Utf16, |(_, it)| it)
    }

    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }
}

/// One open document.
#[derive(Clone, Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: Arc<String>,
    lines: Lines,
    /// Where it lies on disk, links resolved; `None`: it is no file.
    pub path: Option<PathBuf>,
    /// The person changed it after it was opened or saved, or it was opened changed. A document
    /// that only lags behind its file is not unsaved work.
    pub touched: bool,
}

impl Document {
    /// The text of a line, without its end; empty past the last one.
    pub fn line(&self, line: u32) -> &str {
        &self.text[self.lines.line(&self.text, line)]
    }

    /// The bytes of a range; a range that ends before it starts is empty.
    pub fn bytes_of(&self, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
        let start = self.lines.offset(&self.text, range.start, encoding);
        let end = self.lines.offset(&self.text, range.end, encoding);
        start..end.max(start)
    }

    /// The position of a byte offset that lies on a character's start.
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        self.lines.position(&self.text, offset, encoding)
    }
}

/// All open documents of one editor.
#[derive(Debug, Default)]
pub struct Documents {
    by_uri: HashMap<String, Document>,
    encoding: Option<Encoding>,
}

impl Documents {
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = Some(encoding);
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding.unwrap_or(Encoding::Utf16)
    }

    pub fn open(&mut self, uri: Uri, version: i32, text: String) {
        let path = super::places::file(&uri);
        let touched = path.as_deref().is_some_and(|it| opened_changed(it, &text));
        let key = uri.as_str().to_owned();
        let (lines, text) = (Lines::of(&text), Arc::new(text));
        let document = Document { uri, version, text, lines, path, touched };
        self.by_uri.insert(key, document);
    }

    /// Applies changes one after the other; each range counts in the text that the one before left.
    pub fn change(&mut self, uri: &Uri, version: i32, changes: &[TextDocumentContentChangeEvent]) {
        let encoding = self.encoding();
        let Some(document) = self.by_uri.get_mut(uri.as_str()) else {
            tracing::warn!("a change of a document that is not open");
            return;
        };
        document.version = version;
        document.touched = true;
        let text = Arc::make_mut(&mut document.text);
        for change in changes {
            match change.range {
                Some(range) => {
                    let start = document.lines.offset(text, range.start, encoding);
                    let end = document.lines.offset(text, range.end, encoding).max(start);
                    text.replace_range(start..end, &change.text);
                    document.lines.edited(text, start..end, change.text.len());
                }
                None => {
                    text.clone_from(&change.text);
                    document.lines = Lines::of(text);
                }
            }
        }
    }

    pub fn saved(&mut self, uri: &Uri) {
        if let Some(document) = self.by_uri.get_mut(uri.as_str()) {
            document.touched = false;
        }
    }

    pub fn close(&mut self, uri: &Uri) {
        self.by_uri.remove(uri.as_str());
    }

    pub fn get(&self, uri: &Uri) -> Option<&Document> {
        self.by_uri.get(uri.as_str())
    }

    /// The open document of this file.
    pub fn at(&self, path: &Path) -> Option<&Document> {
        self.by_uri.values().find(|it| it.path.as_deref() == Some(path))
    }

    /// At most so many documents under `root`: the path relative to it, and the URI.
    pub fn under(&self, root: &Path, max: usize) -> Vec<(String, Uri)> {
        let inside = self.by_uri.values().filter_map(|it| {
            let path = super::places::relative(root, it.path.as_deref()?)?;
            Some((path, it.uri.clone()))
        });
        inside.take(max).collect()
    }

    /// Documents with changes under `root` whose text is not what their file holds: the path
    /// relative to the root with `/` between parts, and the bytes that saving would write.
    pub fn unsaved(&self, root: &Path) -> Vec<(String, Vec<u8>)> {
        let mut res: Vec<(String, Vec<u8>)> = self
            .by_uri
            .values()
            .filter(|it| it.touched)
            .filter_map(|it| {
                let path = it.path.as_deref()?;
                let relative = super::places::relative(root, path)?;
                let disk = std::fs::read(path).ok();
                let bytes = as_saved(&it.text, disk.as_deref());
                let same = match &disk {
                    Some(disk) => *disk == bytes,
                    None => bytes.is_empty(),
                };
                (!same).then_some((relative, bytes))
            })
            .collect();
        res.sort();
        res
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The bytes an editor would write: editors strip a byte order mark when they open a file and put
/// it back when they save.
fn as_saved(text: &str, disk: Option<&[u8]>) -> Vec<u8> {
    let marked = disk.is_some_and(|it| it.starts_with(BOM)) && !text.starts_with('\u{feff}');
    let mark = if marked { BOM } else { b"" };
    [mark, text.as_bytes()].concat()
}

/// The text that came with `didOpen` is not what the file holds. A file in another encoding says
/// nothing: its text never equals its bytes.
fn opened_changed(path: &Path, text: &str) -> bool {
    match std::fs::read(path) {
        Ok(disk) => std::str::from_utf8(&disk).is_ok() && as_saved(text, Some(&disk)) != disk,
        Err(_) => !text.is_empty(),
    }
}

/// The plain scan that the index of lines is tested against: where line `line` (from 0) starts, and its text without the line's end. Past the last line: the
/// end of the text.
#[cfg(test)]
pub fn line_at(text: &str, line: u32) -> (usize, &str) {
    let mut start = 0;
    for _ in 0..line {
        match line_end(&text[start..]) {
            Some((_, next)) => start += next,
            None => return (text.len(), ""),
        }
    }
    let rest = &text[start..];
    let end = line_end(rest).map_or(rest.len(), |(end, _)| end);
    (start, &rest[..end])
}

/// Where the first line of `text` ends and the next one starts: `\n`, `\r\n` and `\r` end lines.
fn line_end(text: &str) -> Option<(usize, usize)> {
    let end = text.find(['\n', '\r'])?;
    let long = if text[end..].starts_with("\r\n") { 2 } else { 1 };
    Some((end, end + long))
}

/// The byte offset of a position. A column past the line's end is its end; one inside a character
/// is that character's start.
#[cfg(test)]
pub fn offset(text: &str, position: Position, encoding: Encoding) -> usize {
    let (start, line) = line_at(text, position.line);
    let mut left = position.character as usize;
    let mut at = 0;
    for c in line.chars() {
        let units = encoding.units(c);
        if left < units {
            break;
        }
        left -= units;
        at += c.len_utf8();
    }
    start + at
}

/// The position of a byte offset that lies on a character's start.
pub fn position(text: &str, offset: usize, encoding: Encoding) -> Position {
    let mut line = 0;
    let mut start = 0;
    while let Some((_, next)) = line_end(&text[start..]) {
        if offset < start + next {
            break;
        }
        start += next;
        line += 1;
    }
    let before = &text[start..offset.max(start)];
    let character = before.chars().map(|c| encoding.units(c)).sum::<usize>();
    Position::new(line, u32::try_from(character).unwrap_or(u32::MAX))
}

/// The bytes of a range; a range that ends before it starts is empty.
#[cfg(test)]
pub fn bytes_of(text: &str, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
    let start = offset(text, range.start, encoding);
    let end = offset(text, range.end, encoding);
    start..end.max(start)
}

#[cfg(test)]
mod tests;
