//! A parser of server-sent events: every line ending, a byte order mark, invalid UTF-8, and any
//! split into chunks; linear in the input, bounded in memory.

/// One line, or the data of one event.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// More bytes without an end than a provider has reason to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes chunks, gives the data of each event that became complete. The name of an event is not
/// given: every message of this wire names its type in the data as well.
#[derive(Default)]
pub(super) struct Sse {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    after_cr: bool,
    after_first_line: bool,
}

impl Sse {
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|it| matches!(it, b'\n' | b'\r'));
            let taken = end.unwrap_or(bytes.len());
            if LINE_BYTES_MAX < self.line.len() + self.data.len() + taken {
                return Err(TooLong);
            }
            self.line.extend_from_slice(&bytes[..taken]);
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            events.extend(self.end_line());
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<String> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.after_first_line, true) && line.starts_with(BOM) {
            line.drain(..BOM.len());
        }
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return std::mem::take(&mut self.has_data).then_some(data);
        }
        // "data" alone is a field with an empty value; ": ..." is a comment.
        if let Some(value) = line.strip_prefix(b"data") {
            let value = match value {
                [b':', b' ', rest @ ..] | [b':', rest @ ..] => rest,
                [] => value,
                [..] => return None,
            };
            if std::mem::replace(&mut self.has_data, true) {
                self.data.push('\n');
            }
            self.data.push_str(&String::from_utf8_lossy(value));
        }
        None
    }
}

#[cfg(test)]
mod tests;
