//! At the prompt: one question a hunk, and a yes for what they are together.

use super::{SCRIPT, list, story};
use crate::cli::terminal::Terminal;

#[test]
fn hunks_are_taken_one_by_one_at_the_prompt() {
    let story = story(SCRIPT);
    let mut terminal = Terminal::start(&mut story.baton(&["run", "two is three"]));
    terminal.expect("some (of its hunks), diff");
    terminal.press("some\n");
    terminal.expect("Take extra.txt:1?");
    assert!(terminal.shown.contains("extra.txt goes whole: it is new"), "{}", terminal.shown);
    terminal.press("what\n");
    terminal.expect("Take extra.txt:1?");
    terminal.press("n\n");
    terminal.expect("Take src/list.txt:1?");
    terminal.press("no\n");
    terminal.expect("Take src/list.txt:2?");
    terminal.press("y\n");
    terminal.expect("Take src/numbers.txt:1?");
    terminal.press("all\n");
    terminal.expect("2 of 4 hunks");
    // Anything but a whole yes decides nothing.
    terminal.press("y\n");
    terminal.expect("A1: type approve");
    assert_eq!(story.read("src/list.txt"), list());
    terminal.press("some\n");
    terminal.expect("Take extra.txt:1?");
    terminal.press("quit\n");
    terminal.expect("A1: type approve");
    terminal.press("some\n");
    terminal.expect("Take extra.txt:1?");
    terminal.press("n\n");
    terminal.expect("Take src/list.txt:1?");
    terminal.press("all\n");
    terminal.expect("3 of 4 hunks");
    terminal.press("yes\n");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert!(!story.root.join("extra.txt").exists());
    let both = list().replace("line 03", "third line").replace("line 30", "thirtieth line");
    assert_eq!(story.read("src/list.txt"), both);
}
