//! Shortens titles for narrow columns.

/// The title, or its first `width` characters less one with an ellipsis.
pub fn shorten(title: &str, width: usize) -> String {
    if title.len() <= width {
        return title.to_owned();
    }
    let keep = width.saturating_sub(1);
    format!("{}…", title[..keep].trim_end())
}

/// A row of titles, each in a column of this width.
pub fn row(titles: &[&str], width: usize) -> String {
    let cells: Vec<String> = titles
        .iter()
        .map(|title| format!("{:width$}", shorten(title, width)))
        .collect();
    cells.join(" ").trim_end().to_owned()
}
