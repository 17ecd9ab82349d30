//! Reads settings of the form `key = value`, one on a line.

/// The settings in the order in which they stand. Empty lines and lines that begin with `#` are
/// skipped.
pub fn parse(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(pair)
        .collect()
}

/// The value of the last setting with this key.
pub fn get<'a>(settings: &'a [(String, String)], key: &str) -> Option<&'a str> {
    settings
        .iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

fn pair(line: &str) -> Option<(String, String)> {
    let mut parts = line.split('=');
    let key = parts.next()?.trim();
    let value = parts.next()?.trim();
    Some((key.to_owned(), value.to_owned()))
}
