//! An editor for tests: speaks to the real binary over its standard streams, and fails a test that
//! leaves a message of the server unread, or in which the server wrote anything but the protocol.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Longer than any step takes on a loaded machine; a test that waits this long has failed.
const WAIT_MAX: Duration = Duration::from_secs(180);

pub struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Result<Value, String>>,
    unread: VecDeque<Value>,
    ids: u64,
    /// Methods whose messages may stay unread.
    pub ignored: Vec<&'static str>,
}

impl Editor {
    pub fn start(mut command: Command) -> Editor {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read_message(&mut output).transpose() {
                let is_broken = message.is_err();
                if sender.send(message).is_err() || is_broken {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Editor { child, input, messages, unread: VecDeque::new(), ids: 0, ignored: Vec::new() }
    }

    /// Starts a server in a folder and says hello; the answer to `initialize` is returned too.
    pub fn open(command: Command, folder: &str, capabilities: Value) -> (Editor, Value) {
        let mut editor = Editor::start(command);
        let folders = json!([{ "uri": folder, "name": "project" }]);
        let params = json!({
            "processId": null, "rootUri": folder, "workspaceFolders": folders,
            "capabilities": capabilities,
        });
        let hello = editor.request("initialize", params).unwrap();
        editor.notify("initialized", json!({}));
        (editor, hello)
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).and_then(|()| input.flush()).unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request and returns its id at once.
    pub fn ask(&mut self, method: &str, params: Value) -> u64 {
        self.ids += 1;
        let id = self.ids;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The answer to a request: its result, or its error.
    pub fn answer(&mut self, id: u64) -> Result<Value, Value> {
        let answer = self.take(|it| it.get("method").is_none() && it["id"] == id);
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// The params of the next message of this method for which `wanted` holds. Earlier ones of the
    /// method are read and passed over.
    pub fn told(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.take(|it| it["method"] == method);
            if wanted(&message["params"]) {
                return message["params"].clone();
            }
        }
    }

    /// The next request of the server of this method.
    pub fn asked(&mut self, method: &str) -> (Value, Value) {
        let message = self.take(|it| it["method"] == method && it.get("id").is_some());
        (message["id"].clone(), message["params"].clone())
    }

    /// The first message that fits; others stay unread for later.
    pub fn take(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unread.iter().position(&fits) {
            return self.unread.remove(at).unwrap();
        }
        loop {
            match self.messages.recv_timeout(WAIT_MAX) {
                Ok(Ok(message)) if fits(&message) => return message,
                Ok(Ok(message)) => self.unread.push_back(message),
                Ok(Err(why)) => panic!("not the protocol: {why}"),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("nothing fits; unread: {:#?}", self.unread)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server has gone; unread: {:#?}", self.unread)
                }
            }
        }
    }

    /// Says goodbye as the specification asks, and returns the exit code.
    pub fn end(mut self) -> i32 {
        self.request("shutdown", Value::Null).unwrap();
        self.notify("exit", Value::Null);
        self.wait()
    }

    /// Closes the input and returns the exit code.
    pub fn wait(mut self) -> i32 {
        self.input = None;
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        self.read_the_rest(false);
        code
    }

    /// As a power cut would end it; what it still had to say is not looked at.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.messages.recv_timeout(WAIT_MAX).is_ok() {}
    }

    /// A process that was killed may have been in the middle of a message.
    fn read_the_rest(&mut self, was_killed: bool) {
        while let Ok(message) = self.messages.recv_timeout(WAIT_MAX) {
            match message {
                Ok(message) => self.unread.push_back(message),
                Err(_) if was_killed => break,
                Err(why) => panic!("not the protocol: {why}"),
            }
        }
        let ignored = &self.ignored;
        self.unread.retain(|it| !ignored.iter().any(|method| it["method"] == *method));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            self.read_the_rest(true);
            assert!(self.unread.is_empty(), "left unread: {:#?}", self.unread);
        }
    }
}

/// `None`: the stream ended between two messages.
fn read_message(output: &mut impl BufRead) -> Result<Option<Value>, String> {
    let mut header = String::new();
    if output.read_line(&mut header).map_err(|it| it.to_string())? == 0 {
        return Ok(None);
    }
    let length = header.strip_prefix("Content-Length: ").and_then(|it| it.strip_suffix("\r\n"));
    let length: usize = length.and_then(|it| it.parse().ok()).ok_or(format!("{header:?}"))?;
    let mut rest = vec![0; length + 2];
    output.read_exact(&mut rest).map_err(|it| it.to_string())?;
    let body = rest.strip_prefix(b"\r\n").ok_or("no empty line after the header")?;
    let message: Value = serde_json::from_slice(body).map_err(|it| it.to_string())?;
    let is_call = message["method"].is_string();
    let is_answer = message.get("id").is_some()
        && (message.get("result").is_some() != message.get("error").is_some());
    match message["jsonrpc"] == "2.0" && (is_call != is_answer) {
        true => Ok(Some(message)),
        false => Err(message.to_string()),
    }
}
