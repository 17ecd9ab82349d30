//! Just enough of Rust's lexical grammar to tell code, comments and literals apart. Every view has
//! the length and the lines of the text, so that an offset in one is an offset in all.

use std::ops::Range;

/// Views of one Rust file; what does not belong to a view is blank there.
pub struct Rust {
    /// Without comments and without what is between quotes.
    pub code: String,
    /// Comments alone.
    pub comments: String,
    /// `code` without what is compiled for tests only.
    pub product: String,
    /// `code` of what is compiled for tests only.
    pub tests: String,
    /// Paths without `.rs` of the modules that are declared here for tests only.
    pub test_modules: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Rust {
    pub fn read(path: &str, text: &str) -> Rust {
        let kinds = kinds(text.as_bytes());
        let code = view(text, |i| kinds[i] == Kind::Code);
        let comments = view(text, |i| kinds[i] == Kind::Comment);
        let all_test = path.starts_with("tests/") || path.contains("/tests/");
        let (ranges, test_modules) = test_items(path, &code, text);
        let in_test = |i: usize| all_test || ranges.iter().any(|it| it.contains(&i));
        Rust {
            product: view(&code, |i| !in_test(i)),
            tests: view(&code, in_test),
            code,
            comments,
            test_modules,
        }
    }

    /// The whole file is compiled for tests only.
    pub fn become_test(&mut self) {
        self.tests = self.code.clone();
        self.product = view(&self.code, |_| false);
    }
}

/// The text with a space for each byte that is not kept; line ends stay.
fn view(text: &str, keep: impl Fn(usize) -> bool) -> String {
    let bytes = text
        .bytes()
        .enumerate()
        .map(|(i, byte)| if byte == b'\n' || keep(i) { byte } else { b' ' })
        .collect();
    String::from_utf8(bytes).expect("only whole characters are blanked")
}

fn kinds(text: &[u8]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; text.len()];
    let mut i = 0;
    while i < text.len() {
        let rest = &text[i..];
        let after_word = 0 < i && is_word(text[i - 1]);
        let (kind, range) = if rest.starts_with(b"//") {
            let len = rest.iter().position(|it| *it == b'\n');
            (Kind::Comment, i..i + len.unwrap_or(rest.len()))
        } else if rest.starts_with(b"/*") {
            (Kind::Comment, i..i + block_comment(rest))
        } else if rest[0] == b'"' {
            let end = i + quoted(rest, b'"');
            (Kind::Literal, i + 1..end - 1)
        } else if rest[0] == b'r' && (!after_word || is_prefix(&text[..i])) && raw(rest).is_some() {
            let (open, len) = raw(rest).unwrap_or_default();
            (Kind::Literal, i + open..i + len - open + 1)
        } else if rest[0] == b'\'' && is_char(rest) {
            (Kind::Literal, i + 1..i + quoted(rest, b'\'') - 1)
        } else {
            i += 1;
            continue;
        };
        let range = range.start.min(text.len())..range.end.clamp(range.start, text.len());
        kinds[range.clone()].fill(kind);
        // The closing quote of a literal is code again, and is stepped over.
        i = match kind {
            Kind::Literal if rest[0] == b'r' => range.end + rest_of_raw(&text[range.end..]),
            Kind::Literal => range.end + 1,
            Kind::Comment | Kind::Code => range.end,
        };
    }
    kinds
}

/// `b` or `c` alone before an `r`: still the prefix of a literal.
fn is_prefix(before: &[u8]) -> bool {
    let word = before.iter().rev().take_while(|it| is_word(**it)).count();
    word == 1 && matches!(before.last(), Some(b'b' | b'c'))
}

fn rest_of_raw(text: &[u8]) -> usize {
    1 + text.iter().skip(1).take_while(|it| **it == b'#').count()
}

fn block_comment(text: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut i = 0;
    while i < text.len() {
        if text[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if text[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    text.len()
}

/// Length of a literal with escapes, both quotes included.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut i = 1;
    while i < text.len() {
        match text[i] {
            b'\\' => i += 2,
            it if it == quote => return i + 1,
            _ => i += 1,
        }
    }
    text.len() + 1
}

/// Length of `r##"` and of the whole literal.
fn raw(text: &[u8]) -> Option<(usize, usize)> {
    let hashes = text[1..].iter().take_while(|it| **it == b'#').count();
    let open = hashes + 2;
    if text.get(hashes + 1) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let end = text[open..]
        .windows(close.len())
        .position(|it| it == close)
        .map_or(text.len(), |it| open + it + close.len());
    Some((open, end))
}

/// `'x'` and `'\n'`, not the lifetime `'x`.
fn is_char(text: &[u8]) -> bool {
    let Some(first) = text.get(1) else {
        return false;
    };
    let width = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    *first == b'\\' || text.get(1 + width) == Some(&b'\'')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where items stand that are compiled for tests only, and the modules declared so.
fn test_items(path: &str, code: &str, text: &str) -> (Vec<Range<usize>>, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut ranges = Vec::new();
    let mut modules = Vec::new();
    for (start, _) in code.match_indices(MARK) {
        let body = start + MARK.len();
        let end = item_end(code, body);
        ranges.push(start..end);
        let item = &code[body..end];
        if let Some((_, name)) = item.split_once("mod ")
            && let Some(name) = name.trim().strip_suffix(';')
        {
            modules.push(format!("{}/{}", module_folder(path), name.trim()));
        }
        debug_assert!(end <= text.len());
    }
    (ranges, modules)
}

/// The folder where the modules declared in this file lie.
pub fn module_folder(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "lib.rs" | "main.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

/// Where the item ends that starts at or after this offset: past its `;` or its closing brace.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (i, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' if depth <= 1 => return i + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return i + 1,
            _ => (),
        }
    }
    code.len()
}

/// The offset past the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (i, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => (),
        }
    }
    code.len()
}

/// Identifiers and keywords, with their offsets.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + code[from..].find(|it: char| it.is_alphanumeric() || it == '_')?;
        let rest = &code[start..];
        let len = rest.find(|it: char| !it.is_alphanumeric() && it != '_');
        from = start + len.unwrap_or(rest.len());
        Some((start, &code[start..from]))
    })
}

/// The line of an offset, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|it| **it == b'\n').count()
}

#[test]
fn code_comments_and_literals_are_told_apart() {
    let text = r####"fn a<'x>(b: &'x str) { /* one /* two */ three */ let c = '"'; let d = "\"fn no\" //"; }
// a comment with "quotes
let e = r#"raw " text"#; let f = b"bytes"; let g = br"raw"; let h = '\''; // end
#[cfg(test)]
mod tests { fn t() {} }
fn last() {}
#[cfg(test)]
mod more;
"####;
    let read = Rust::read("server/x/src/lib.rs", text);
    let at = |view: &str, word: &str| view.contains(word);
    for word in ["fn a<'x>", "let d", "let e", "let f", "let g", "let h", "fn last"] {
        assert!(at(&read.code, word), "{word} is code\n{}", read.code);
    }
    for word in ["fn no", "one", "three", "raw \"", "bytes", "quotes", "end"] {
        assert!(!at(&read.code, word), "{word} is not code\n{}", read.code);
    }
    assert!(at(&read.comments, "three") && at(&read.comments, "quotes"));
    assert!(!at(&read.comments, "fn no"));
    assert!(at(&read.tests, "fn t()") && !at(&read.product, "fn t()"));
    assert!(at(&read.product, "fn last"));
    assert_eq!(read.test_modules, ["server/x/src/more"]);
    assert_eq!(read.code.len(), text.len());
}
