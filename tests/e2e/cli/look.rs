//! What a terminal looks like: the live status leaves nothing behind, whatever its width, and a person
//! who wants plain lines gets lines alone.

use super::terminal::Terminal;
use super::world::{HONEST, World};
use vt100::Parser;

const ROWS: u16 = 60;

/// A model slow enough for the status to be drawn many times.
fn slow() -> String {
    HONEST.replace("[[run.reply]]\n", "[[run.reply]]\ndelay_ms = 700\n")
}

/// The screen as a person sees it in the end, and everything that scrolled by.
fn screen(columns: u16, shown: &str) -> String {
    let mut parser = Parser::new(ROWS, columns, 0);
    parser.process(shown.as_bytes());
    parser.screen().contents()
}

fn is_spinner(letter: char) -> bool {
    ('\u{2800}'..='\u{28ff}').contains(&letter)
}

fn to_the_prompt(columns: u16, before: impl FnOnce(&mut Terminal)) -> (World, Terminal) {
    let world = World::with(&slow());
    let mut command = world.command(&["run", "--color", "never", "the answer is wrong"]);
    let mut terminal = Terminal::start(&mut command);
    terminal.resize(columns, ROWS);
    before(&mut terminal);
    terminal.expect("A1: type approve");
    (world, terminal)
}

#[test]
fn the_live_status_leaves_nothing_behind() {
    for columns in [40, 80, 200] {
        let (_world, mut terminal) = to_the_prompt(columns, |_| ());
        assert!(terminal.shown.chars().any(is_spinner), "no status at all: {}", terminal.shown);
        let seen = screen(columns, &terminal.shown);
        assert!(!seen.chars().any(is_spinner), "{columns}: {seen}");
        // Each line that was told stands there once.
        for once in ["starts (R1)", "starts (R3)", "A1 waits for you"] {
            let joined = seen.replace('\n', "");
            assert_eq!(joined.matches(once).count(), 1, "{columns}: {once:?} in {seen}");
        }
        terminal.press("later\n");
        assert_eq!(terminal.end(), 2);
    }
}

/// Narrower and wider again, while the status is shown.
#[test]
fn a_resize_leaves_no_half_lines() {
    let (_world, mut terminal) = to_the_prompt(100, |terminal| {
        for (wait, columns) in [("starts (R1)", 60), ("starts (R3)", 120)] {
            terminal.expect(wait);
            terminal.resize(columns, ROWS);
        }
    });
    let seen = screen(120, &terminal.shown);
    assert!(!seen.chars().any(is_spinner), "{seen}");
    terminal.press("later\n");
    assert_eq!(terminal.end(), 2);
}

/// The status is drawn a few times a second, and each time in one piece.
#[test]
fn the_status_does_not_flicker() {
    let (_world, mut terminal) = to_the_prompt(100, |_| ());
    let drawn = terminal.shown.chars().filter(|it| is_spinner(*it)).count();
    // Some four seconds of work, four drawings a second, and one with each line that is told.
    assert!((4..200).contains(&drawn), "{drawn} drawings");
    // Never the whole screen, never an alternate one.
    for wild in ["\u{1b}[2J", "\u{1b}[H", "\u{1b}[?1049", "\u{1b}c"] {
        assert!(!terminal.shown.contains(wild), "{wild:?}");
    }
    terminal.press("later\n");
    terminal.end();
    let hidden = terminal.shown.matches("\u{1b}[?25l").count();
    let back = terminal.shown.matches("\u{1b}[?25h").count();
    assert!(hidden <= back, "the cursor stays hidden");
}

#[test]
fn plain_lines_for_a_screen_reader_and_for_a_dumb_terminal() {
    for (kind, options) in [("xterm", &["--plain", "--color", "never"][..]), ("dumb", &[])] {
        let world = World::with(&slow());
        let arguments = [&["run", "the answer is wrong"], options].concat();
        let mut terminal = Terminal::start_as(kind, &mut world.command(&arguments));
        terminal.expect("A1: type approve");
        terminal.press("approve\n");
        assert_eq!(terminal.end(), 0, "{}", terminal.shown);
        let odd = |it: &char| !it.is_ascii() || (it.is_ascii_control() && !"\r\n".contains(*it));
        let odd: Vec<char> = terminal.shown.chars().filter(odd).collect();
        assert!(odd.is_empty(), "{kind}: {odd:?} in {:?}", terminal.shown);
    }
}

#[test]
fn no_colours_where_a_person_wants_none() {
    let world = World::with(HONEST);
    let mut command = world.command(&["run", "the answer is wrong"]);
    let mut terminal = Terminal::start(command.env("NO_COLOR", "1"));
    terminal.expect("A1: type approve");
    terminal.press("later\n");
    terminal.end();
    let codes = terminal.shown.split("\u{1b}[").skip(1);
    let colours = codes.filter(|it| {
        let code: String = it.chars().take_while(|it| it.is_ascii_digit() || *it == ';').collect();
        it[code.len()..].starts_with('m')
    });
    assert_eq!(colours.count(), 0, "{:?}", terminal.shown);
}
