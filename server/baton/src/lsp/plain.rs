//! Text of models and repositories in one line, for titles and messages.

/// One line of at most `chars_max` characters; what is unseen or unsafe is written out.
pub fn line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = crate::clean::line(&words.join(" "));
    if line.chars().count() <= chars_max {
        return line;
    }
    let cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_is_one_line_and_shows_what_it_says() {
        assert_eq!(line("a\n b\tc", 9), "a b c");
        assert_eq!(line("\u{1b}[31mred\u{202e}", 40), "\\u{1b}[31mred\\u{202e}");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("äöü", 3), "äöü");
    }
}
