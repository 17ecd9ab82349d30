//! The secrets that this process has read. One list for the whole process, so that no sink can be
//! forgotten: whoever reads a key says so once, and everything that is shown or stored asks here.

use super::redact::{Redactor, Stream};
use serde_json::Value;
use std::sync::{LazyLock, RwLock};

/// Values that are kept; a process reads a handful of keys.
const SECRETS_MAX: usize = 64;

struct Secrets {
    values: Vec<String>,
    redactor: Redactor,
}

static SECRETS: LazyLock<RwLock<Secrets>> =
    LazyLock::new(|| RwLock::new(Secrets { values: Vec::new(), redactor: Redactor::new([]) }));

/// From here on this value is taken out of whatever is shown or stored, in every form that it may
/// take on its way.
pub fn keep_secret(value: &str) {
    let Ok(mut secrets) = SECRETS.write() else { return };
    let value = value.trim();
    if value.is_empty() || secrets.values.iter().any(|it| it == value) {
        return;
    }
    // The oldest is the one that was most likely replaced.
    if SECRETS_MAX <= secrets.values.len() {
        secrets.values.remove(0);
    }
    secrets.values.push(value.to_owned());
    secrets.redactor = Redactor::new(secrets.values.iter().map(String::as_str));
}

/// Takes out what is known and what has the shape of a key.
pub fn redactor() -> Redactor {
    match SECRETS.read() {
        Ok(it) => it.redactor.clone(),
        // Somebody panicked while adding one; what was known before is still known.
        Err(poisoned) => poisoned.into_inner().redactor.clone(),
    }
}

pub fn redact(text: &str) -> String {
    redactor().redact(text)
}

pub fn redact_bytes(bytes: &[u8]) -> Vec<u8> {
    redactor().redact_bytes(bytes)
}

/// For text that comes in pieces, wherever it is cut.
pub fn stream() -> Stream {
    redactor().stream()
}

/// Takes secrets out of every text in a JSON value.
pub fn redact_json(value: &mut Value) {
    let redactor = redactor();
    each_text(value, &[], |it| redactor.redact(it));
}

/// Changes every text in a JSON value, but for what stands under one of these names.
pub fn each_text(value: &mut Value, but: &[&str], change: impl Fn(&str) -> String) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                let clean = change(text);
                if clean != *text {
                    *text = clean;
                }
            }
            Value::Array(all) => open.extend(all),
            Value::Object(map) => {
                open.extend(
                    map.iter_mut().filter(|it| !but.contains(&it.0.as_str())).map(|it| it.1),
                );
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
