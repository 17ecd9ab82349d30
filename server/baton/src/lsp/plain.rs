//! Text of models and repositories in one line, for titles and messages.

/// One line of at most `chars_max` characters, without control and direction characters.
pub fn line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let shown = |c: &char| !c.is_control() && !is_hidden(*c);
    let line: String = words.join(" ").chars().filter(shown).collect();
    if line.chars().count() <= chars_max {
        return line;
    }
    let cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Characters that change how their neighbours look, and are not seen themselves.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_is_one_line_and_shows_what_it_says() {
        assert_eq!(line("a\n b\tc", 9), "a b c");
        assert_eq!(line("\u{1b}[31mred\u{202e}", 20), "[31mred");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("äöü", 3), "äöü");
    }
}
