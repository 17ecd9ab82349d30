//! The open documents, as the editor shows them, and positions in them.

use super::types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent, Uri};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

mod text;

pub use text::Text;

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
}

/// One open document.
#[derive(Clone, Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: Text,
    /// Where it lies on disk, links resolved; `None`: it is no file.
    pub path: Option<PathBuf>,
    /// The person changed it after it was opened or saved, or it was opened changed. A document
    /// that only lags behind its file is not unsaved work.
    pub touched: bool,
}

impl Document {
    /// The bytes of a range; a range that ends before it starts is empty.
    pub fn bytes_of(&self, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
        let start = self.text.offset(range.start, encoding);
        let end = self.text.offset(range.end, encoding);
        start..end.max(start)
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
        let text = Text::from(text.as_str());
        let document = Document { uri, version, text, path, touched };
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
        for change in changes {
            match change.range {
                Some(range) => {
                    let bytes = document.bytes_of(range, encoding);
                    document.text.replace(bytes, &change.text);
                }
                None => document.text = Text::from(change.text.as_str()),
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

    /// Documents with changes under `root`, as they are now.
    pub fn touched(&self, root: &Path) -> Touched {
        let touched = self.by_uri.values().filter(|it| it.touched).filter_map(|it| {
            let path = it.path.clone()?;
            Some((super::places::relative(root, &path)?, path, it.text.clone()))
        });
        Touched(touched.collect())
    }
}

/// Documents with changes: of each the path relative to the root with `/` between parts, its file, and
/// its text. They are compared with their files when nobody waits for the documents.
pub struct Touched(Vec<(String, PathBuf, Text)>);

impl Touched {
    /// Those whose text is not what their file holds, by path, and the bytes that saving would write.
    pub fn unsaved(self) -> Vec<(String, Vec<u8>)> {
        let unsaved = self.0.into_iter().filter_map(|(relative, path, text)| {
            let disk = std::fs::read(path).ok();
            let bytes = as_saved(&text.to_string(), disk.as_deref());
            let same = match &disk {
                Some(disk) => *disk == bytes,
                None => bytes.is_empty(),
            };
            (!same).then_some((relative, bytes))
        });
        let mut res: Vec<(String, Vec<u8>)> = unsaved.collect();
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

#[cfg(test)]
mod tests;
