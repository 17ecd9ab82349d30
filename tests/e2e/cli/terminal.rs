//! A person at a terminal: a real pseudo-terminal, keys typed after the prompt is shown.

use super::world::{HONEST, World};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::Winsize;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};

/// A terminal with a program in it.
pub struct Terminal {
    keys: File,
    child: Child,
    /// Everything shown so far.
    pub shown: String,
}

impl Terminal {
    pub fn start(command: &mut Command) -> Terminal {
        Terminal::start_as("xterm", command)
    }

    /// Of this kind, as `TERM` says it.
    pub fn start_as(kind: &str, command: &mut Command) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let open = || {
            let path = name.to_str().unwrap();
            File::options().read(true).write(true).open(path).unwrap()
        };
        let child = command.stdin(open()).stdout(open()).stderr(open()).env("TERM", kind);
        let child = child.spawn().unwrap();
        // The command keeps its ends of the terminal open; only the child's may count.
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        Terminal { keys: File::from(master), child, shown: String::new() }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keys, size).unwrap();
    }

    /// Waits until this is shown after all that was waited for before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let from = self.shown.len();
        let mut buffer = [0; 4096];
        while !self.shown[from..].contains(text) {
            let n = self.keys.read(&mut buffer).unwrap_or(0);
            assert!(0 < n, "it ended without {text:?}:\n{}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code, after reading what is left.
    pub fn end(&mut self) -> i32 {
        let mut buffer = [0; 4096];
        // Reading a terminal whose other end is closed is an error on Linux.
        while let Ok(n) = self.keys.read(&mut buffer) {
            if n == 0 {
                break;
            }
            self.shown.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

fn run(world: &World) -> Terminal {
    Terminal::start(&mut world.command(&["run", "the answer is wrong"]))
}

#[test]
fn a_word_typed_in_full_decides() {
    let world = World::with(HONEST);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    assert!(terminal.shown.contains("+right"), "the diff is shown: {}", terminal.shown);
    terminal.press("approve\n");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert_eq!(world.answer(), "right\n");
    assert!(terminal.shown.contains("in the terminal"), "{}", terminal.shown);
    // The time that the prompt was before the person is theirs.
    let task = world.baton(&["task", "T1", "--json"]).ends(0).json();
    assert_eq!(task["person"]["views"], 1, "{}", task["person"]);
    assert_eq!(task["approvals"][0]["viewedMs"], task["person"]["ms"]);
}

#[test]
fn anything_unclear_decides_nothing() {
    let world = World::with(HONEST);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    for unclear in ["y\n", "yes\n", "\n", "approve?\n"] {
        terminal.press(unclear);
        terminal.expect("A1: type approve");
    }
    terminal.press("later\n");
    assert_eq!(terminal.end(), 2, "{}", terminal.shown);
    assert_eq!(world.answer(), "wrong\n");
    assert_eq!(world.baton(&["board", "--json"]).json()["approvals"][0]["state"], "open");
}

#[test]
fn the_end_of_input_decides_nothing() {
    let world = World::with(HONEST);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 2, "{}", terminal.shown);
    assert_eq!(world.answer(), "wrong\n");
}

#[test]
fn comments_go_back_to_the_engineer() {
    let script = HONEST.replacen(
        "[[run]]\nduty = \"change\"\n",
        "[[run]]\nduty = \"change\"\nmatch = \"louder\"\n[[run.reply]]\n[[run.reply.call]]\nname = \"edit_file\"\n\
         input = { path = \"answer.txt\", old = \"right\", new = \"right!\" }\n\
         [[run.reply.call]]\nname = \"hand_over_change\"\ninput = { summary = \"louder\" }\n\
         [[run]]\nduty = \"change\"\n",
        1,
    );
    let world = World::with(&script);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    terminal.press("revise\n");
    terminal.expect("What shall be different?");
    terminal.press("louder, please\n");
    terminal.expect("A2: type approve");
    terminal.press("approve\n");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert_eq!(world.answer(), "right!\n");
}

#[test]
fn what_runs_by_itself_needs_a_yes_of_its_own() {
    let script = HONEST.replace(
        "[[run.reply.call]]\nname = \"hand_over_change\"",
        "[[run.reply.call]]\nname = \"write_file\"\ninput = { path = \"build.rs\", text = \"fn main() {}\\n\" }\n\
         [[run.reply.call]]\nname = \"hand_over_change\"",
    );
    let world = World::with(&script);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    terminal.press("approve\n");
    terminal.expect("Type yes:");
    terminal.press("y\n");
    terminal.expect("A1: type approve");
    assert_eq!(world.answer(), "wrong\n");
    terminal.press("approve\n");
    terminal.expect("Type yes:");
    terminal.press("yes\n");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert_eq!(world.answer(), "right\n");
}

#[test]
fn trust_asks_and_only_yes_is_a_yes() {
    let world = World::with_files(&[("a.txt", "a"), (".baton/note.md", "hello")]);
    for (typed, code) in [("y\n", 3), ("\u{4}", 3), ("yes\n", 0)] {
        let mut terminal = Terminal::start(&mut world.command(&["trust"]));
        terminal.expect("Type yes:");
        terminal.press(typed);
        assert_eq!(terminal.end(), code, "{typed:?}: {}", terminal.shown);
    }
}

#[test]
fn what_a_model_writes_does_nothing_to_the_terminal() {
    let script = HONEST
        .replace("new = \"right\"", "new = \"right \\u001b]0;owned\\u0007 \\u202e\"")
        .replace("the answer is wrong", "wrong \\u001b]0;owned\\u0007")
        .replace("made it right", "right \\u001b]0;owned\\u0007");
    let world = World::with(&script);
    let mut terminal = run(&world);
    terminal.expect("A1: type approve");
    terminal.press("later\n");
    assert_eq!(terminal.end(), 2, "{}", terminal.shown);
    assert!(terminal.shown.contains("owned"), "{}", terminal.shown);
    let acts = ["\u{1b}]0;", "\u{7}", "\u{202e}"];
    assert!(!acts.iter().any(|it| terminal.shown.contains(it)), "{:?}", terminal.shown);
}

#[test]
fn a_terminal_that_does_not_know_its_width_is_no_narrow_one() {
    let world = World::with(HONEST);
    let mut terminal = Terminal::start(&mut world.command(&["tools"]));
    terminal.resize(0, 0);
    assert_eq!(terminal.end(), 0);
    assert!(terminal.shown.contains("hand_over_change"), "{}", terminal.shown);
}
