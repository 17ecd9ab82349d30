//! Takes secrets out of text: known values in any form they may take on their way, and whatever has
//! the shape of a key. Works on a stream, wherever its chunks are cut.

use super::shapes::{Letters, PRIVATE_KEYS, SHAPES, Shape};
use std::sync::Arc;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A known value shorter than this would be found by chance everywhere.
const KNOWN_BYTES_MIN: usize = 6;
/// What is held back at the end of a chunk because it may become a secret.
const HELD_BYTES_MAX: usize = 8 << 10;
/// After a private key's first line, what must follow to make it a key and not talk about keys.
const PRIVATE_KEY_BYTES_MIN: usize = 32;
/// The longest `-----END ... -----`.
const LAST_LINE_BYTES_MAX: usize = 64;

/// Knows what to take out. Cheap to clone; never prints what it knows.
#[derive(Clone)]
pub struct Redactor {
    known: Arc<Known>,
}

struct Known {
    /// Values in all their forms, the longest first.
    forms: Vec<Vec<u8>>,
    /// The shapes that begin with each byte. Nearly every byte of a text begins none.
    shapes: Vec<Vec<&'static Shape>>,
    /// Whether a form or a private key begins with this byte.
    begins: [bool; 256],
}

/// Takes secrets out of one stream. Nothing that may be the beginning of a secret is given out before
/// it is clear that it is none.
pub struct Stream {
    known: Arc<Known>,
    pub(super) held: Vec<u8>,
    /// The byte before `held`.
    before: u8,
    inside: Inside,
}

#[derive(Clone, Copy)]
enum Inside {
    Nothing,
    /// A key whose mark is written; its letters are swallowed.
    Key(Letters),
    PrivateKey,
}

/// What stands at a place.
enum Found {
    Nothing,
    /// More must be seen first.
    Maybe,
    /// So many bytes to show, so many to swallow, and what goes on after them.
    Secret {
        shown: usize,
        bytes: usize,
        then: Inside,
    },
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} forms)", self.known.forms.len())
    }
}

impl Redactor {
    /// `known`: secret values as they are, e.g. API keys. Their base64, URL-encoded and JSON-escaped
    /// forms are taken out too.
    pub fn new<'a>(known: impl IntoIterator<Item = &'a str>) -> Redactor {
        let mut forms: Vec<Vec<u8>> = known
            .into_iter()
            .map(str::trim)
            .filter(|it| KNOWN_BYTES_MIN <= it.len())
            .flat_map(forms)
            .collect();
        // The longest first: a value that begins another one must not leave the other one's rest.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        forms.dedup();
        let mut shapes = vec![Vec::new(); 256];
        for shape in SHAPES {
            let first = shape.begins.as_bytes().first().copied().unwrap_or(0);
            shapes[usize::from(first)].push(shape);
        }
        let mut begins = [false; 256];
        begins[usize::from(b'-')] = true;
        for form in &forms {
            begins[usize::from(form[0])] = true;
        }
        Redactor { known: Arc::new(Known { forms, shapes, begins }) }
    }

    pub fn redact(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact_bytes(text.as_bytes())).into_owned()
    }

    pub fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut clean = stream.push(bytes);
        clean.extend(stream.finish());
        clean
    }

    pub fn stream(&self) -> Stream {
        Stream {
            known: self.known.clone(),
            held: Vec::new(),
            before: b' ',
            inside: Inside::Nothing,
        }
    }
}

impl Stream {
    /// Takes a chunk, gives out what is clear by now.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(chunk);
        self.take(false)
    }

    /// Gives out the rest.
    pub fn finish(mut self) -> Vec<u8> {
        self.take(true)
    }

    fn take(&mut self, last: bool) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut clean = Vec::with_capacity(held.len());
        let mut at = 0;
        while at < held.len() {
            let rest = &held[at..];
            let swallowed = match self.inside {
                Inside::Nothing => {
                    match self.find(rest, last) {
                        Found::Nothing => {
                            clean.push(rest[0]);
                            self.before = rest[0];
                            at += 1;
                        }
                        Found::Maybe => break,
                        Found::Secret { shown, bytes, then } => {
                            clean.extend_from_slice(&rest[..shown]);
                            clean.extend_from_slice(REDACTED.as_bytes());
                            self.before = b']';
                            self.inside = then;
                            at += bytes;
                        }
                    }
                    continue;
                }
                Inside::Key(letters) => rest.iter().take_while(|it| letters.has(**it)).count(),
                Inside::PrivateKey => match private_key_bytes(rest, last) {
                    Body::Ended(bytes) => {
                        at += bytes;
                        self.inside = Inside::Nothing;
                        continue;
                    }
                    Body::Open(bytes) => {
                        at += bytes;
                        break;
                    }
                },
            };
            at += swallowed;
            if at < held.len() {
                self.inside = Inside::Nothing;
            }
        }
        self.held = held[at..].to_vec();
        clean
    }

    fn find(&self, rest: &[u8], last: bool) -> Found {
        let patient = !last && rest.len() < HELD_BYTES_MAX;
        let first = usize::from(rest[0]);
        if !self.known.begins[first] && self.known.shapes[first].is_empty() {
            return Found::Nothing;
        }
        let mut maybe = false;
        for known in &self.known.forms {
            if rest.starts_with(known) {
                if maybe {
                    return Found::Maybe;
                }
                return Found::Secret { shown: 0, bytes: known.len(), then: Inside::Nothing };
            }
            maybe |= patient && known.starts_with(rest);
        }
        for first_line in PRIVATE_KEYS {
            maybe |= patient && first_line.as_bytes().starts_with(rest);
            if rest.starts_with(first_line.as_bytes()) {
                return private_key(rest, first_line.len(), last, patient);
            }
        }
        for shape in &self.known.shapes[first] {
            match self.fits(shape, rest, last, patient) {
                Found::Nothing => {}
                Found::Maybe => maybe = true,
                found @ Found::Secret { .. } => return found,
            }
        }
        if maybe { Found::Maybe } else { Found::Nothing }
    }

    fn fits(&self, shape: &Shape, rest: &[u8], last: bool, patient: bool) -> Found {
        let begins = shape.begins.as_bytes();
        if shape.alone && (self.before.is_ascii_alphanumeric() || b"-_".contains(&self.before)) {
            return Found::Nothing;
        }
        let Some(after) = rest.strip_prefix(begins) else {
            let may_come = patient && begins.starts_with(rest);
            return if may_come { Found::Maybe } else { Found::Nothing };
        };
        let letters = after.iter().take_while(|it| shape.letters.has(**it)).count();
        let open = letters == after.len() && !last;
        let body = &after[..letters];
        let dots = body.iter().filter(|it| **it == b'.').count();
        let right = shape.letters_min <= letters
            && shape.dots_min <= dots
            && (!shape.alone || body.iter().any(u8::is_ascii_digit));
        if right {
            let then = if open { Inside::Key(shape.letters) } else { Inside::Nothing };
            return Found::Secret {
                shown: if shape.keep { begins.len() } else { 0 },
                bytes: begins.len() + letters,
                then,
            };
        }
        if open && patient { Found::Maybe } else { Found::Nothing }
    }
}

/// A private key's lines, from after its first line.
enum Body {
    /// Its end is known.
    Ended(usize),
    /// It goes on; so much may be swallowed already.
    Open(usize),
}

fn private_key(rest: &[u8], first_line: usize, last: bool, patient: bool) -> Found {
    let (bytes, then) = match private_key_bytes(&rest[first_line..], last) {
        Body::Ended(bytes) => (bytes, Inside::Nothing),
        Body::Open(bytes) => (bytes, Inside::PrivateKey),
    };
    if PRIVATE_KEY_BYTES_MIN <= bytes {
        return Found::Secret { shown: 0, bytes: first_line + bytes, then };
    }
    match then {
        Inside::PrivateKey if patient => Found::Maybe,
        Inside::PrivateKey | Inside::Key(_) | Inside::Nothing => Found::Nothing,
    }
}

fn private_key_bytes(rest: &[u8], last: bool) -> Body {
    let mut at = 0;
    while at < rest.len() {
        let byte = rest[at];
        if byte == b'-' {
            let line = &rest[at..];
            let end = b"-----END ";
            if line.len() < end.len() && end.starts_with(line) && !last {
                return Body::Open(at);
            }
            if let Some(after) = line.strip_prefix(end) {
                let close = after.windows(5).position(|it| it == b"-----");
                return match close {
                    Some(close) => Body::Ended(at + end.len() + close + 5),
                    None if last || LAST_LINE_BYTES_MAX < line.len() => Body::Ended(at + end.len()),
                    None => Body::Open(at),
                };
            }
        } else if !is_private_key_byte(byte) {
            return Body::Ended(at);
        }
        at += 1;
    }
    if last { Body::Ended(at) } else { Body::Open(at) }
}

/// Base64, white space also as it is written in JSON, and header lines of older forms.
fn is_private_key_byte(byte: u8) -> bool {
    Letters::Base64.has(byte) || byte.is_ascii_whitespace() || b"\\:,".contains(&byte)
}

/// Every form a value may take on its way.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let mut forms = vec![bytes.to_vec(), percent(bytes, false), percent(bytes, true)];
    let json = serde_json::Value::from(value).to_string();
    forms.push(json.trim_matches('"').as_bytes().to_vec());
    for shift in 0..3 {
        for alphabet in [STANDARD, URL_SAFE] {
            forms.push(base64_inside(bytes, shift, alphabet));
        }
    }
    forms.retain(|it| KNOWN_BYTES_MIN <= it.len());
    forms
}

fn percent(bytes: &[u8], upper: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(*byte);
        } else {
            let code = if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
            text.extend(code.bytes());
        }
    }
    text
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The letters that base64 gives these bytes wherever they stand `shift` bytes (modulo 3) into a
/// longer text: those at either end that also depend on the neighbours are left out.
fn base64_inside(bytes: &[u8], shift: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bits = |from: usize| {
        // Six bits from bit `from` of the shifted bytes; `None` where they are not all ours.
        let mut value = 0_usize;
        for bit in from..from + 6 {
            let byte = (bit / 8).checked_sub(shift)?;
            let ours = bytes.get(byte)?;
            value = value << 1 | usize::from(ours >> (7 - bit % 8) & 1);
        }
        Some(value)
    };
    let letters = ((shift + bytes.len()) * 8).div_ceil(6);
    (0..letters).filter_map(|n| bits(n * 6)).map(|value| alphabet[value]).collect()
}
