//! Reads rows out of a database file that SQLite may refuse to open: page by page, taking every cell
//! of every table leaf. It believes nothing; whoever asks proves each row by its hash.
//!
//! The format is SQLite's, as published: fixed page size, UTF-8, nothing reserved at a page's end.
//! Pages in the committed part of the write-ahead log stand before those of the main file.

use super::schema::PAGE_BYTES;
use rusqlite::types::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// No row of ours is longer.
const ROW_BYTES_MAX: usize = super::ROW_BYTES_MAX + (1 << 20);
const LEAF_TABLE: u8 = 0x0d;
const WAL_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

pub(super) struct Row {
    pub(super) id: i64,
    pub(super) values: Vec<Value>,
}

pub(super) struct Pages {
    file: Option<File>,
    wal: Option<File>,
    /// Where in the write-ahead log a page lies.
    newer: HashMap<u32, u64>,
    count: u32,
    cached: (u32, Vec<u8>),
}

impl Pages {
    /// A missing file is an empty one.
    pub(super) fn open(path: &Path) -> io::Result<Pages> {
        let mut wal_name = path.as_os_str().to_owned();
        wal_name.push("-wal");
        let file = open_if_there(path)?;
        let wal = open_if_there(Path::new(&wal_name))?;
        let newer = match &wal {
            Some(wal) => committed_pages(wal)?,
            None => HashMap::new(),
        };
        let bytes = match &file {
            Some(file) => file.metadata()?.len(),
            None => 0,
        };
        let in_file = u32::try_from(bytes.div_ceil(PAGE_BYTES as u64)).unwrap_or(u32::MAX);
        let count = newer.keys().copied().max().unwrap_or(0).max(in_file);
        Ok(Pages { file, wal, newer, count, cached: (0, Vec::new()) })
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// How many cells the page says it has; 0 where it is no leaf of a table.
    pub(super) fn cells(&mut self, page: u32) -> u16 {
        let start = header_start(page);
        let bytes = self.page(page);
        if bytes.get(start) == Some(&LEAF_TABLE) {
            u16_at(bytes, start + 3).unwrap_or(0)
        } else {
            0
        }
    }

    /// `None`: it is no row, or it leads out of the page.
    pub(super) fn row(&mut self, page: u32, cell: u16) -> Option<Row> {
        let pointer = header_start(page) + 8 + 2 * usize::from(cell);
        let bytes = self.page(page);
        let mut at = usize::from(u16_at(bytes, pointer)?);
        let length = usize::try_from(varint(bytes, &mut at)?).ok()?;
        let id = varint(bytes, &mut at)?;
        if ROW_BYTES_MAX < length {
            return None;
        }
        let local = local_bytes(length);
        let mut payload = bytes.get(at..at + local)?.to_vec();
        let mut next = if local < length { u32_at(bytes, at + local)? } else { 0 };
        while payload.len() < length {
            if next == 0 {
                return None;
            }
            let bytes = self.read(next);
            let take = (length - payload.len()).min(PAGE_BYTES - 4);
            payload.extend_from_slice(bytes.get(4..4 + take)?);
            next = u32_at(&bytes, 0)?;
        }
        Some(Row { id, values: values(&payload)? })
    }

    fn page(&mut self, page: u32) -> &[u8] {
        if self.cached.0 != page {
            self.cached = (page, self.read(page));
        }
        &self.cached.1
    }

    /// Zeros where the disk gives nothing.
    fn read(&self, page: u32) -> Vec<u8> {
        let mut bytes = vec![0; PAGE_BYTES];
        let (file, mut at) = match self.newer.get(&page) {
            Some(at) => (&self.wal, *at),
            None => (&self.file, u64::from(page.saturating_sub(1)) * PAGE_BYTES as u64),
        };
        let Some(file) = file else {
            return bytes;
        };
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], at) {
                Ok(0) | Err(_) => break,
                Ok(n) => {
                    filled += n;
                    at += n as u64;
                }
            }
        }
        bytes
    }
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first page begins with the file's header.
fn header_start(page: u32) -> usize {
    if page == 1 { 100 } else { 0 }
}

/// How much of a payload lies in the leaf itself.
fn local_bytes(length: usize) -> usize {
    let usable = PAGE_BYTES;
    let all = usable - 35;
    if length <= all {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let wanted = least + (length - least) % (usable - 4);
    if wanted <= all { wanted } else { least }
}

fn values(payload: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok()?;
    let mut body = header;
    let mut values = Vec::new();
    while at < header {
        let kind = varint(payload, &mut at)?;
        let (value, bytes) = match kind {
            0 => (Value::Null, 0),
            1..=6 => {
                let bytes = [1, 2, 3, 4, 6, 8][usize::try_from(kind - 1).ok()?];
                (Value::Integer(integer(payload.get(body..body + bytes)?)), bytes)
            }
            8 | 9 => (Value::Integer(kind - 8), 0),
            12.. => {
                let bytes = usize::try_from((kind - 12) / 2).ok()?;
                let content = payload.get(body..body.checked_add(bytes)?)?.to_vec();
                let value = if kind % 2 == 0 {
                    Value::Blob(content)
                } else {
                    Value::Text(String::from_utf8(content).ok()?)
                };
                (value, bytes)
            }
            _ => return None,
        };
        values.push(value);
        body += bytes;
    }
    Some(values)
}

/// Big-endian, signed.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|it| 0x80 <= *it);
    let start = if negative { -1 } else { 0 };
    bytes.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte))
}

/// SQLite's variable-length integer: seven bits a byte, the ninth byte whole.
fn varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value = 0_u64;
    for n in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if n == 8 {
            value = value << 8 | u64::from(byte);
            break;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(value.cast_signed())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(pair))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// The pages of the transactions that the write-ahead log holds whole, each at its newest place.
fn committed_pages(wal: &File) -> io::Result<HashMap<u32, u64>> {
    let mut committed = HashMap::new();
    let mut header = [0; WAL_HEADER_BYTES];
    if wal.read_exact_at(&mut header, 0).is_err() {
        return Ok(committed);
    }
    let word = |at| u32_at(&header, at).unwrap_or(0);
    let big_endian = match word(0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Ok(committed),
    };
    let mut sum = checksum((0, 0), &header[..24], big_endian);
    if sum != (word(24), word(28)) || word(8) as usize != PAGE_BYTES {
        return Ok(committed);
    }
    let mut pending: Vec<(u32, u64)> = Vec::new();
    let mut frame = vec![0; FRAME_HEADER_BYTES + PAGE_BYTES];
    let mut at = WAL_HEADER_BYTES as u64;
    while wal.read_exact_at(&mut frame, at).is_ok() {
        let field = |at| u32_at(&frame, at).unwrap_or(0);
        sum = checksum(sum, &frame[..8], big_endian);
        sum = checksum(sum, &frame[FRAME_HEADER_BYTES..], big_endian);
        let same_log = (field(8), field(12)) == (word(16), word(20));
        if !same_log || sum != (field(16), field(20)) {
            break;
        }
        pending.push((field(0), at + FRAME_HEADER_BYTES as u64));
        if field(4) != 0 {
            committed.extend(pending.drain(..));
        }
        at += frame.len() as u64;
    }
    Ok(committed)
}

fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let (mut a, mut b) = start;
    for eight in bytes.chunks_exact(8) {
        let word = |n: usize| {
            let four = [eight[n], eight[n + 1], eight[n + 2], eight[n + 3]];
            if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        a = a.wrapping_add(word(0)).wrapping_add(b);
        b = b.wrapping_add(word(4)).wrapping_add(a);
    }
    (a, b)
}
