//! Positions in three encodings, incremental changes against a slow model, and what is unsaved.

use super::*;
use std::str::FromStr;

fn uri(text: &str) -> Uri {
    Uri::from_str(text).unwrap()
}

fn at(line: u32, character: u32) -> Position {
    Position::new(line, character)
}

fn change(range: Option<Range>, text: &str) -> TextDocumentContentChangeEvent {
    TextDocumentContentChangeEvent { range, range_length: None, text: text.to_owned() }
}

#[test]
fn the_encoding_is_the_first_of_ours_that_is_offered() {
    use PositionEncodingKind as Kind;
    let negotiate = |it: &[PositionEncodingKind]| Encoding::negotiate(Some(it));
    assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
    assert_eq!(negotiate(&[]), Encoding::Utf16);
    assert_eq!(negotiate(&[Kind::UTF16, Kind::UTF8]), Encoding::Utf8);
    assert_eq!(negotiate(&[Kind::UTF32, Kind::UTF16]), Encoding::Utf32);
    assert_eq!(negotiate(&[Kind::new("klingon")]), Encoding::Utf16);
}

#[test]
fn columns_count_in_the_units_of_the_encoding() {
    let text = Text::from("aä🦀z\r\nnext");
    for (encoding, column) in [(Encoding::Utf8, 7), (Encoding::Utf16, 4), (Encoding::Utf32, 3)] {
        assert_eq!(text.offset(at(0, column), encoding), 7, "{encoding:?}");
        assert_eq!(text.position(7, encoding), at(0, column));
        // Past the end of the line is its end, not the next line.
        assert_eq!(text.offset(at(0, 99), encoding), 8);
        assert_eq!(text.offset(at(9, 9), encoding), text.bytes());
    }
    // Inside a surrogate pair: the start of the character.
    assert_eq!(text.offset(at(0, 3), Encoding::Utf16), 3);
}

#[test]
fn lines_end_with_newline_carriage_return_or_both() {
    let text = Text::from("a\nb\r\nc\rd\n");
    let lines: Vec<String> = (0..6).map(|it| text.line(it).into_owned()).collect();
    assert_eq!(lines, ["a", "b", "c", "d", "", ""]);
    assert_eq!(text.position(text.bytes(), Encoding::Utf8), at(4, 0));
    assert_eq!(
        Text::from("a\u{2028}b\u{b}c").line(0),
        "a\u{2028}b\u{b}c",
        "no end in the protocol"
    );
}

/// A slow and plain model of a document: lines of characters.
fn model_offset(text: &str, position: Position) -> usize {
    let mut line = 0;
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if line == position.line && (units >= position.character || c == '\n') {
            return at;
        }
        if c == '\n' {
            line += 1;
            units = 0;
        } else if line == position.line {
            units += c.len_utf16() as u32;
        }
    }
    text.len()
}

#[test]
fn incremental_changes_give_what_a_plain_model_gives() {
    let seed = 0x5eed_u64;
    let mut state = seed;
    let mut random = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let pieces = ["", "x", "ä", "🦀", "\n", "one\ntwo", "\n\n", "tail\n", "日本"];
    let name = uri("untitled:random");
    let mut documents = Documents::default();
    let mut model = "fn main() {}\n".to_owned();
    documents.open(name.clone(), 0, model.clone());
    for step in 0..3_000 {
        let mut from = at(random(6) as u32, random(9) as u32);
        let mut to = at(random(6) as u32, random(9) as u32);
        if to < from {
            std::mem::swap(&mut from, &mut to);
        }
        // A position inside a pair is the client's mistake, and not what this test is about.
        let whole = |it: Position| model.is_char_boundary(model_offset(&model, it));
        let snap = |it: Position| position(&model, model_offset(&model, it), Encoding::Utf16);
        assert!(whole(from) && whole(to));
        let (from, to) = (snap(from), snap(to));
        let new = pieces[random(pieces.len() as u64) as usize];
        let bytes = model_offset(&model, from)..model_offset(&model, to);
        model.replace_range(bytes, new);
        if 400 < model.len() {
            model.truncate(model.char_indices().nth(20).unwrap().0);
            documents.change(&name, step, &[change(None, &model)]);
        } else {
            documents.change(&name, step, &[change(Some(Range::new(from, to)), new)]);
        }
        let document = documents.get(&name).unwrap();
        assert_eq!(document.text.to_string(), model, "seed {seed:#x}, step {step}");
    }
}

fn units(c: char, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
        Encoding::Utf32 => 1,
    }
}

/// A plain scan: where a line, counted from 0, starts, and its text without its end. Past the last line: the
/// end of the text.
fn line_at(text: &str, line: u32) -> (usize, &str) {
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
fn offset(text: &str, position: Position, encoding: Encoding) -> usize {
    let (start, line) = line_at(text, position.line);
    let mut left = position.character as usize;
    let mut at = 0;
    for c in line.chars() {
        let units = units(c, encoding);
        if left < units {
            break;
        }
        left -= units;
        at += c.len_utf8();
    }
    start + at
}

/// The position of a byte offset that lies on a character's start.
fn position(text: &str, offset: usize, encoding: Encoding) -> Position {
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
    let character = before.chars().map(|c| units(c, encoding)).sum::<usize>();
    Position::new(line, u32::try_from(character).unwrap_or(u32::MAX))
}

/// Against a plain scan, in every encoding, with every kind of line end; long enough to be in pieces.
#[test]
fn a_text_in_pieces_says_what_a_plain_one_says() {
    let seed = 0x11e5_u64;
    let mut state = seed;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let long = "x".repeat(700);
    let pieces = ["", "x", "ä🦀", "\n", "\r", "\r\n", "a\nb\r", "\n\r\n", "日本\r\r", &long];
    let (mut plain, mut text) = (String::new(), Text::default());
    for step in 0..6_000 {
        let mut end = || {
            let near = random(plain.len() + 1);
            (near..=plain.len()).find(|it| plain.is_char_boundary(*it)).unwrap()
        };
        let (a, b) = (end(), end());
        // Mostly small changes, as a person makes them.
        let range = if random(4) == 0 { a.min(b)..a.max(b) } else { a..a };
        let new = pieces[random(pieces.len())];
        plain.replace_range(range.clone(), new);
        text.replace(range, new);
        let told = || format!("seed {seed:#x}, step {step}: {plain:?}");
        assert_eq!(text.to_string(), plain, "{}", told());
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let wanted = at(random(9) as u32, random(7) as u32);
            let found = text.offset(wanted, encoding);
            assert_eq!(found, offset(&plain, wanted, encoding), "{wanted:?} in {}", told());
            let here = position(&plain, found, encoding);
            assert_eq!(text.position(found, encoding), here, "{found} in {}", told());
        }
        let nth = random(9) as u32;
        let (start, line) = line_at(&plain, nth);
        assert_eq!(text.line(nth), line, "line {nth} at {start} in {}", told());
        if 12_000 < plain.len() {
            plain.clear();
            text = Text::default();
        }
    }
}

#[test]
fn changes_of_one_message_build_on_each_other() {
    let name = uri("untitled:x");
    let mut documents = Documents::default();
    documents.open(name.clone(), 1, "ab".to_owned());
    let one = change(Some(Range::new(at(0, 1), at(0, 1))), "\n");
    let two = change(Some(Range::new(at(1, 0), at(1, 1))), "c");
    documents.change(&name, 2, &[one, two]);
    let document = documents.get(&name).unwrap();
    assert_eq!((document.text.to_string(), document.version), ("a\nc".to_owned(), 2));
    documents.close(&name);
    documents.change(&name, 3, &[change(None, "late")]);
    assert!(documents.get(&name).is_none());
}

/// A folder with a file, and its documents.
struct Desk {
    _dir: tempfile::TempDir,
    root: PathBuf,
    documents: Documents,
}

impl Desk {
    fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        Desk { _dir: dir, root, documents: Documents::default() }
    }
    fn write(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.root.join(path), bytes).unwrap();
    }
    fn uri(&self, path: &str) -> Uri {
        Uri::from_file_path(self.root.join(path)).unwrap()
    }
    fn open(&mut self, path: &str, text: &str) {
        let uri = self.uri(path);
        self.documents.open(uri, 1, text.to_owned());
    }
    fn edit(&mut self, path: &str, text: &str) {
        let uri = self.uri(path);
        self.documents.change(&uri, 2, &[change(None, text)]);
    }
    fn unsaved(&self) -> Vec<(String, String)> {
        let all = self.documents.touched(&self.root).unsaved().into_iter();
        all.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
    }
}

#[test]
fn unsaved_is_what_a_person_changed_and_has_not_saved() {
    let mut desk = Desk::new();
    desk.write("a.rs", b"one\n");
    desk.open("a.rs", "one\n");
    assert_eq!(desk.unsaved(), []);
    desk.edit("a.rs", "two\n");
    assert_eq!(desk.unsaved(), [("a.rs".to_owned(), "two\n".to_owned())]);
    desk.edit("a.rs", "one\n");
    assert_eq!(desk.unsaved(), [], "changed back");
    desk.edit("a.rs", "two\n");
    desk.write("a.rs", b"two\n");
    let saved = desk.uri("a.rs");
    desk.documents.saved(&saved);
    // The file moves on below the editor: its old text is no one's unsaved work.
    desk.write("a.rs", b"three\n");
    assert_eq!(desk.unsaved(), []);
}

#[test]
fn a_document_opened_changed_is_unsaved_and_a_new_one_too() {
    let mut desk = Desk::new();
    desk.write("a.rs", b"one\n");
    desk.open("a.rs", "restored\n");
    desk.open("new file ä.rs", "fresh\n");
    desk.open("empty.rs", "");
    let names: Vec<String> = desk.unsaved().into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["a.rs", "new file ä.rs"]);
}

#[test]
fn a_byte_order_mark_and_another_encoding_are_no_changes() {
    let mut desk = Desk::new();
    desk.write("bom.rs", b"\xef\xbb\xbfone\n");
    desk.open("bom.rs", "one\n");
    desk.write("latin.rs", b"caf\xe9\n");
    desk.open("latin.rs", "caf\u{e9}\n");
    desk.write("dos.rs", b"a\r\nb\r\n");
    desk.open("dos.rs", "a\r\nb\r\n");
    assert_eq!(desk.unsaved(), []);
    desk.edit("bom.rs", "two\n");
    assert_eq!(desk.unsaved(), [("bom.rs".to_owned(), "\u{feff}two\n".to_owned())]);
}

#[test]
fn only_files_under_the_root_count_and_links_lead_there() {
    let mut desk = Desk::new();
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&desk.root, other.path().join("link")).unwrap();
    std::fs::create_dir(desk.root.join(".git")).unwrap();
    desk.write("a.rs", b"one\n");
    let linked = Uri::from_file_path(other.path().join("link/a.rs")).unwrap();
    desk.documents.open(linked, 1, "through a link\n".to_owned());
    let outside = Uri::from_file_path(other.path().join("b.rs")).unwrap();
    desk.documents.open(outside, 1, "outside\n".to_owned());
    desk.open(".git/COMMIT_EDITMSG", "message\n");
    desk.documents.open(uri("untitled:Untitled-1"), 1, "no file\n".to_owned());
    assert_eq!(desk.unsaved(), [("a.rs".to_owned(), "through a link\n".to_owned())]);
}
