//! A small diff for the model's eyes: what lies between the first and the last line that differ.

use std::fmt::Write;

const CONTEXT_LINES: usize = 2;
const SHOWN_LINES_MAX: usize = 60;

/// A change between two texts.
pub struct Diff {
    pub added: usize,
    pub removed: usize,
    /// One hunk, cut off where it is long.
    pub text: String,
}

/// Everything between the first and the last differing line, as one hunk.
pub fn of(before: &str, after: &str) -> Diff {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail =
        old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (gone, come) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let from = head.saturating_sub(CONTEXT_LINES);
    let until = (new.len() - tail + CONTEXT_LINES).min(new.len());
    let mut text = format!("@@ line {} @@\n", from + 1);
    let above = new[from..head].iter().map(|it| (' ', it));
    let below = new[new.len() - tail..until].iter().map(|it| (' ', it));
    let gone_marked = gone.iter().map(|it| ('-', it));
    let lines: Vec<_> =
        above.chain(gone_marked).chain(come.iter().map(|it| ('+', it))).chain(below).collect();
    for (mark, line) in lines.iter().take(SHOWN_LINES_MAX) {
        let _ = writeln!(text, "{mark}{line}");
    }
    if SHOWN_LINES_MAX < lines.len() {
        let _ = writeln!(text, "({} more lines)", lines.len() - SHOWN_LINES_MAX);
    }
    Diff { added: come.len(), removed: gone.len(), text }
}
