//! The proxy, and whatever may come over the socket.

use super::den::Den;
use crate::cli::world::HONEST;
use crate::lsp::client::Editor;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

/// Garbled conversations; each is a connection of its own.
const CASES: u64 = 10_000;

#[test]
fn the_exit_code_tells_a_goodbye_from_none() {
    let den = Den::new(HONEST);
    assert_eq!(den.editor().end(), 0, "shutdown and exit");
    let mut editor = den.editor();
    editor.notify("exit", Value::Null);
    assert_eq!(editor.wait(), 1, "exit without shutdown");
    assert_eq!(den.editor().wait(), 0, "the input ended");
    let mut editor = Editor::start(den.command(&["lsp"]));
    editor.write(b"GET / HTTP/1.1\r\n\r\n");
    editor.take(|it| it["error"]["code"] == -32700);
    assert_eq!(editor.wait(), 1, "no frame");
}

#[test]
fn a_proxy_whose_daemon_is_gone_says_so_in_one_line_and_ends() {
    let den = Den::new(HONEST);
    let mut child = den.command(&["lsp"]);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#;
    let input = child.stdin.as_mut().unwrap();
    write!(input, "Content-Length: {}\r\n\r\n{hello}", hello.len()).unwrap();
    let mut one = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut one).unwrap();
    den.kill();
    // Its input is open still; waiting would close it.
    let _open = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("baton: the daemon has gone"), "{said}");
}

#[test]
fn hello_is_answered_before_the_repository_is_open() {
    let den = Den::new(HONEST);
    // Another process has the repository: it can't be opened at all.
    let mut holder = Editor::start(den.command(&["--in-process", "lsp"]));
    let folder = json!({ "processId": null, "rootUri": den.folder_uri(), "capabilities": {} });
    holder.request("initialize", folder).unwrap();
    holder.notify("initialized", json!({}));
    holder.request("baton/board", json!({})).unwrap();
    let mut editor = den.editor();
    let locked = editor.request("baton/board", json!({})).unwrap_err();
    assert_eq!(locked["data"]["what"], "Locked", "{locked}");
    assert!(locked["message"].as_str().unwrap().contains("already works"), "{locked}");
    assert_eq!(holder.end(), 0);
    editor.request("baton/board", json!({})).unwrap();
    editor.ignored.push("window/showMessage");
    assert_eq!(editor.end(), 0);
}

#[test]
fn two_folders_of_two_repositories_and_one_connection() {
    let (den, other) = (Den::new(HONEST), Den::new(HONEST));
    let mut editor = den.editor();
    let folder = json!({ "uri": other.folder_uri(), "name": "other" });
    let change = json!({ "event": { "added": [folder], "removed": [] } });
    editor.notify("workspace/didChangeWorkspaceFolders", change);
    let several = editor.request("baton/board", json!({})).unwrap_err();
    assert!(several["message"].as_str().unwrap().contains("several repositories"), "{several}");
    // Which folders there are is known before their repositories are open.
    let mut looks = (0..1_000).map(|_| den.status()["status"]["repositories"].clone());
    assert!(looks.any(|it| it.as_array().unwrap().len() == 2), "{}", den.status());
    assert_eq!(editor.end(), 0);
}

/// A small generator, so that a seed says it all.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.roll(most)).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    fn json(&mut self, depth: u32) -> Value {
        let words = ["T1", "A1", "", "seen", "\u{0}", "file:///x", "-1", "approve", "ä\u{202e}"];
        match self.roll(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.roll(3) == 0),
            2 => json!(self.0.cast_signed()),
            3 => json!(self.pick(&words)),
            4 => json!("x".repeat(usize::try_from(self.roll(5_000)).unwrap())),
            5 => (0..self.roll(4)).map(|_| self.json(depth - 1)).collect(),
            _ => self.object(depth - 1),
        }
    }

    fn object(&mut self, depth: u32) -> Value {
        let names = [
            "task",
            "text",
            "repository",
            "range",
            "start",
            "line",
            "approval",
            "answer",
            "uri",
            "textDocument",
            "diagnostics",
            "command",
            "arguments",
            "event",
            "added",
            "position",
        ];
        let some = 0..self.roll(5);
        some.map(|_| (self.pick(&names).to_owned(), self.json(depth))).collect()
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

const HELLO: &str = r#"{"protocolVersion":1,"version":"0.1.0","wants":"serve"}"#;
const METHODS: &[&str] = &[
    "baton/delegate",
    "baton/board",
    "baton/task",
    "baton/diff",
    "baton/answerApproval",
    "baton/answerQuestion",
    "baton/cancel",
    "baton/park",
    "baton/retry",
    "baton/undo",
    "baton/replay",
    "initialize",
    "initialized",
    "textDocument/didOpen",
    "$/cancelRequest",
    "textDocument/didChange",
    "textDocument/didClose",
    "textDocument/codeAction",
    "$/setTrace",
    "workspace/executeCommand",
    "workspace/didChangeWorkspaceFolders",
    "shutdown",
    "exit",
    "",
    "workspace/didChangeConfiguration",
    "baton/nothing",
];

/// One conversation that makes no sense, in one of many ways.
fn garble(dice: &mut Dice) -> Vec<u8> {
    let mut said = Vec::new();
    match dice.roll(8) {
        0 => said.extend(dice.bytes(300)),
        1 => said.extend(frame(&dice.bytes(300))),
        2 => said.extend(frame(dice.object(3).to_string().as_bytes())),
        3 => said.extend(format!("Content-Length: {}\r\n\r\n{{", dice.0).bytes()),
        _ => said.extend(frame(HELLO.as_bytes())),
    }
    for _ in 0..dice.roll(6) {
        match dice.roll(6) {
            0 => said.extend(frame(&dice.bytes(200))),
            1 => said.extend(frame(dice.json(3).to_string().as_bytes())),
            2 => {
                let mut whole = frame(dice.object(2).to_string().as_bytes());
                whole.truncate(usize::try_from(dice.roll(whole.len() as u64)).unwrap());
                said.extend(whole);
            }
            _ => {
                let mut call = json!({ "jsonrpc": "2.0", "method": dice.pick(METHODS) });
                if dice.roll(4) != 0 {
                    call["id"] = if dice.roll(4) == 0 { dice.json(1) } else { json!(dice.0) };
                }
                if dice.roll(4) != 0 {
                    call["params"] = dice.object(4);
                }
                said.extend(frame(call.to_string().as_bytes()));
            }
        }
    }
    said
}

#[test]
fn nothing_that_comes_over_the_socket_disturbs_anybody() {
    let den = Den::new(HONEST);
    let mut editor = den.editor();
    let (pid, socket) = (den.pid(), den.file(".sock").unwrap());
    let seed = std::env::var("BATON_SEED").ok().and_then(|it| it.parse().ok());
    let seed: u64 = seed.unwrap_or(u64::from(std::process::id()) << 20 | 1);
    println!("BATON_SEED={seed}");
    let mut dice = Dice(seed);
    for n in 0..CASES {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may hang up before all of it was said.
        let _ = stream.write_all(&garble(&mut dice));
        match dice.roll(3) {
            0 => drop(stream),
            1 => {
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.take(100_000).read_to_end(&mut Vec::new());
            }
            _ => drop(stream.shutdown(std::net::Shutdown::Both)),
        }
        if n % 500 == 0 {
            editor.request("baton/board", json!({})).unwrap();
        }
    }
    editor.request("baton/board", json!({})).unwrap();
    assert_eq!(den.pid(), pid, "seed {seed}");
    let log = std::fs::read_to_string(den.file("log").unwrap()).unwrap();
    assert!(!log.contains("a bug in Baton"), "seed {seed}: {log}");
    assert_eq!(editor.end(), 0);
}

#[test]
fn too_large_a_frame_is_refused_and_the_next_one_answered() {
    let den = Den::new(HONEST);
    den.baton(&["daemon", "start"]).ends(0);
    let mut stream = UnixStream::connect(den.file(".sock").unwrap()).unwrap();
    stream.write_all(&frame(HELLO.as_bytes())).unwrap();
    let size = (64 << 20) + 1;
    write!(stream, "Content-Length: {size}\r\n\r\n").unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut left = size;
    while 0 < left {
        let n = left.min(piece.len());
        stream.write_all(&piece[..n]).unwrap();
        left -= n;
    }
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"baton/board","params":{}}"#;
    stream.write_all(&frame(call.as_bytes())).unwrap();
    let mut heard = String::new();
    let mut piece = [0; 4096];
    while !heard.contains("\"id\":7") {
        let n = stream.read(&mut piece).unwrap();
        assert_ne!(n, 0, "{heard}");
        heard += &String::from_utf8_lossy(&piece[..n]);
    }
    assert!(heard.contains("at most 67108864"), "{heard}");
    // A hello has a bound of its own.
    let mut stream = UnixStream::connect(den.file(".sock").unwrap()).unwrap();
    stream.write_all(b"Content-Length: 300000\r\n\r\n").unwrap();
    let _ = stream.write_all(&vec![b' '; 300_000]);
    assert_eq!(stream.read(&mut [0; 10]).unwrap_or(0), 0, "hung up on");
}
