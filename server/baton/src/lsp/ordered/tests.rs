//! Order, isolation and overload, over a pair of streams with a server made for these tests.

use super::*;
use crate::lsp::frames::{Ended, converse};
use crate::lsp::types::{InitializeParams, InitializeResult};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tower_lsp::{LanguageServer, LspService};

/// Notes the number of each message before its first await, and then yields a few times.
struct Probe {
    seen: watch::Sender<Vec<u64>>,
    gate: Arc<Notify>,
}

impl LanguageServer for Probe {
    async fn initialize(
        &self,
        _: InitializeParams,
    ) -> tower_lsp::jsonrpc::Result<InitializeResult> {
        Ok(InitializeResult::default())
    }
    async fn shutdown(&self) -> tower_lsp::jsonrpc::Result<()> {
        Ok(())
    }
}

fn number(params: &Value) -> u64 {
    params["n"].as_u64().unwrap()
}

impl Probe {
    async fn note(&self, params: Value) {
        let n = number(&params);
        self.seen.send_modify(|it| it.push(n));
        for _ in 0..n % 5 {
            tokio::task::yield_now().await;
        }
    }
    async fn ask(&self, params: Value) -> tower_lsp::jsonrpc::Result<u64> {
        let n = number(&params);
        self.note(params).await;
        Ok(n)
    }
    async fn panic_now(&self) -> tower_lsp::jsonrpc::Result<u64> {
        panic!("on purpose, before the first await");
    }
    async fn panic_later(&self) -> tower_lsp::jsonrpc::Result<u64> {
        tokio::task::yield_now().await;
        panic!("on purpose, after an await");
    }
    async fn panic_notified(&self) {
        panic!("on purpose, in a notification");
    }
    async fn stuck(&self) -> tower_lsp::jsonrpc::Result<u64> {
        self.gate.notified().await;
        Ok(0)
    }
}

struct Line {
    to: WriteHalf<DuplexStream>,
    from: BufReader<ReadHalf<DuplexStream>>,
    ended: JoinHandle<Ended>,
    seen: watch::Receiver<Vec<u64>>,
}

fn start(requests_max: usize) -> Line {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (seen, noted) = watch::channel(Vec::new());
    let (service, socket) = LspService::build(|_| Probe { seen, gate: Arc::new(Notify::new()) })
        .custom_method("test/note", Probe::note)
        .custom_method("test/ask", Probe::ask)
        .custom_method("test/panicNow", Probe::panic_now)
        .custom_method("test/panicLater", Probe::panic_later)
        .custom_method("test/panicNotified", Probe::panic_notified)
        .custom_method("test/stuck", Probe::stuck)
        .finish();
    let (input, output) = tokio::io::split(theirs);
    let service = Ordered::new(service, requests_max);
    let ended = tokio::spawn(converse(input, output, socket, service));
    let (from, to) = tokio::io::split(ours);
    Line { to, from: BufReader::new(from), ended, seen: noted }
}

fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Line {
    async fn send(&mut self, message: Value) {
        self.to.write_all(&framed(&message)).await.unwrap();
    }
    async fn request(&mut self, id: u64, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
    }
    async fn tell(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }
    async fn receive(&mut self) -> Value {
        let read = async {
            let mut header = String::new();
            self.from.read_line(&mut header).await.unwrap();
            let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
            let mut empty = String::new();
            self.from.read_line(&mut empty).await.unwrap();
            let mut body = vec![0; length];
            self.from.read_exact(&mut body).await.unwrap();
            serde_json::from_slice(&body).unwrap()
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("no answer in 20 s")
    }
    async fn initialize(&mut self) {
        self.request(0, "initialize", json!({"capabilities": {}})).await;
        assert_eq!(self.receive().await["id"], 0);
    }
    async fn end(mut self) -> Ended {
        self.to.shutdown().await.unwrap();
        self.ended.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_before_the_first_await_keeps_the_order_of_the_messages() {
    let mut line = start(REQUESTS_AT_ONCE_MAX);
    line.initialize().await;
    let mut to = line.to;
    let all: Vec<u8> = (1..=2_000u64)
        .flat_map(|n| match n % 4 {
            0 => framed(
                &json!({"jsonrpc": "2.0", "id": n, "method": "test/ask", "params": {"n": n}}),
            ),
            _ => framed(&json!({"jsonrpc": "2.0", "method": "test/note", "params": {"n": n}})),
        })
        .collect();
    let writer = tokio::spawn(async move {
        to.write_all(&all).await.unwrap();
        to
    });
    let mut answered = Vec::new();
    while answered.len() < 500 {
        let body = read(&mut line.from).await;
        assert_eq!(body["id"], body["result"], "{body}");
        answered.push(body["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (1..=500).map(|n| n * 4).collect::<Vec<u64>>());
    drop(writer.await.unwrap());
    let seen = line.seen.wait_for(|it| it.len() == 2_000).await.unwrap().clone();
    assert_eq!(seen, (1..=2_000).collect::<Vec<u64>>());
}

async fn read(from: &mut BufReader<ReadHalf<DuplexStream>>) -> Value {
    let mut header = String::new();
    from.read_line(&mut header).await.unwrap();
    let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
    let mut empty = String::new();
    from.read_line(&mut empty).await.unwrap();
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_panic_costs_its_own_request_alone() {
    let mut line = start(REQUESTS_AT_ONCE_MAX);
    line.initialize().await;
    for (id, method) in [(1, "test/panicNow"), (2, "test/panicLater")] {
        line.send(json!({"jsonrpc": "2.0", "id": id, "method": method})).await;
        let answer = line.receive().await;
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
    }
    line.send(json!({"jsonrpc": "2.0", "method": "test/panicNotified"})).await;
    line.request(3, "test/ask", json!({"n": 7})).await;
    assert_eq!(line.receive().await["result"], 7);
    assert_eq!(line.end().await, Ended::Gone);
}

#[tokio::test]
async fn a_slow_request_holds_up_nobody_and_can_be_cancelled() {
    let mut line = start(REQUESTS_AT_ONCE_MAX);
    line.initialize().await;
    for id in 1..=8 {
        line.send(json!({"jsonrpc": "2.0", "id": id, "method": "test/stuck"})).await;
    }
    line.request(9, "test/ask", json!({"n": 9})).await;
    assert_eq!(line.receive().await["id"], 9);
    line.tell("$/cancelRequest", json!({"id": 4})).await;
    let cancelled = line.receive().await;
    assert_eq!((&cancelled["id"], &cancelled["error"]["code"]), (&json!(4), &json!(-32800)));
    line.tell("exit", json!(null)).await;
    assert_eq!(line.ended.await.unwrap(), Ended::Exit);
}

#[tokio::test]
async fn more_requests_at_once_than_there_are_places_are_refused_not_lost() {
    let mut line = start(2);
    line.initialize().await;
    for id in 1..=3 {
        line.send(json!({"jsonrpc": "2.0", "id": id, "method": "test/stuck"})).await;
    }
    let refused = line.receive().await;
    assert_eq!(refused["id"], 3);
    assert_eq!(refused["error"]["code"], OVERLOADED);
    line.tell("test/note", json!({"n": 1})).await;
    line.seen.wait_for(|it| it.len() == 1).await.unwrap();
    line.tell("$/cancelRequest", json!({"id": 1})).await;
    assert_eq!(line.receive().await["id"], 1);
    line.request(5, "test/ask", json!({"n": 5})).await;
    assert_eq!(line.receive().await["result"], 5);
}

#[tokio::test]
async fn a_malformed_body_is_answered_and_the_next_message_is_read() {
    let mut line = start(REQUESTS_AT_ONCE_MAX);
    line.initialize().await;
    let cases: [(&[u8], i64); 6] = [
        (b"{\"jsonrpc\":\"2.0\",", -32700),
        (b"", -32700),
        (b"\xff\xfe", -32700),
        (b"[1,2]", -32600),
        (b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"test/ask\"}", -32600),
        (b"{\"id\":1}", -32600),
    ];
    for (body, code) in cases {
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        line.to.write_all(header.as_bytes()).await.unwrap();
        line.to.write_all(body).await.unwrap();
        let answer = line.receive().await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["id"], Value::Null);
    }
    let header =
        "content-type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: 65\r\n\r\n";
    let body = r#"{"jsonrpc":"2.0","id":"x","method":"test/ask","params":{"n":3}}  "#;
    line.to.write_all(format!("{header}{body}").as_bytes()).await.unwrap();
    assert_eq!(line.receive().await["id"], "x");
    let beyond = crate::socket::FRAME_BYTES_MAX + 1;
    line.to.write_all(format!("Content-Length: {beyond}\r\n\r\n").as_bytes()).await.unwrap();
    let chunk = vec![b' '; 1 << 16];
    let mut left = usize::try_from(beyond).unwrap();
    while 0 < left {
        let n = left.min(chunk.len());
        line.to.write_all(&chunk[..n]).await.unwrap();
        left -= n;
    }
    assert_eq!(line.receive().await["error"]["code"], -32600);
    line.request(2, "test/ask", json!({"n": 2})).await;
    assert_eq!(line.receive().await["result"], 2);
}

#[tokio::test]
async fn what_is_no_frame_ends_the_conversation_with_an_answer() {
    for noise in ["hello\r\n\r\n", "Content-Length: many\r\n\r\n", "X: y\r\n\r\n"] {
        let mut line = start(REQUESTS_AT_ONCE_MAX);
        line.initialize().await;
        line.to.write_all(noise.as_bytes()).await.unwrap();
        assert_eq!(line.receive().await["error"]["code"], -32700, "{noise}");
        assert_eq!(line.ended.await.unwrap(), Ended::Broken, "{noise}");
    }
}

#[tokio::test]
async fn what_was_asked_before_the_input_ended_is_still_answered() {
    let mut line = start(REQUESTS_AT_ONCE_MAX);
    line.initialize().await;
    for n in 1..=20 {
        line.request(n, "test/ask", json!({"n": n})).await;
    }
    line.to.shutdown().await.unwrap();
    let mut ids = Vec::new();
    for _ in 1..=20 {
        ids.push(line.receive().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=20).collect::<Vec<u64>>());
    assert_eq!(line.ended.await.unwrap(), Ended::Gone);
}
