//! The hash that seals a row: over every column, so that a changed byte shows; for events also over
//! the hash before it, so that a missing or swapped event shows.

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

/// SHA-256, as it lies in a row.
pub(super) type Hash = [u8; 32];

/// What the first event's hash is chained to.
pub(super) fn genesis() -> Hash {
    Sha256::digest(b"baton log 1").into()
}

/// The hash of an event that follows `previous`. Columns: version, format, at, kind, body.
pub(super) fn chain(previous: &Hash, columns: &[ValueRef<'_>]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(previous);
    digest(hash, "event", columns)
}

/// The hash of a row of another table; `columns` are all but the hash itself.
pub(super) fn seal(table: &str, columns: &[ValueRef<'_>]) -> Hash {
    digest(Sha256::new(), table, columns)
}

/// Every value is written with its kind and length, so that no two rows read the same.
fn digest(mut hash: Sha256, table: &str, columns: &[ValueRef<'_>]) -> Hash {
    hash.update(table.as_bytes());
    for column in columns {
        match column {
            ValueRef::Null => hash.update(b"n"),
            ValueRef::Integer(number) => {
                hash.update(b"i");
                hash.update(number.to_be_bytes());
            }
            ValueRef::Real(number) => {
                hash.update(b"r");
                hash.update(number.to_be_bytes());
            }
            ValueRef::Text(bytes) => {
                hash.update(b"t");
                hash.update(length(bytes));
                hash.update(bytes);
            }
            ValueRef::Blob(bytes) => {
                hash.update(b"b");
                hash.update(length(bytes));
                hash.update(bytes);
            }
        }
    }
    hash.finalize().into()
}

fn length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_be_bytes()
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
