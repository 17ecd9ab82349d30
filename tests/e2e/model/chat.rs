//! The other wire against servers that are told byte by byte what to answer.

use super::*;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use team::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Gives one answer after the other, the last one for ever, and keeps the questions.
struct Parrot {
    url: String,
    asked: Arc<Mutex<Vec<serde_json::Value>>>,
}

async fn parrot(answers: &[String]) -> Parrot {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (answers, noted) = (answers.to_vec(), asked.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(body) = read_body(&mut stream).await else { continue };
            let answer = {
                let mut noted = noted.lock().unwrap();
                noted.push(serde_json::from_slice(&body).unwrap());
                answers[(noted.len() - 1).min(answers.len() - 1)].clone()
            };
            tokio::spawn(async move {
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    Parrot { url, asked }
}

async fn read_body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.ok()?;
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split_once("content-length: ")?.1;
            let length: usize = length.lines().next()?.trim().parse().ok()?;
            if length <= body.len() {
                return Some(bytes[bytes.len() - length..].to_vec());
            }
        }
        if count == 0 {
            return None;
        }
    }
}

fn refuses(status: u16, message: &str) -> String {
    let body = json!({ "error": { "message": message, "type": "invalid_request_error" } });
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A stream of these deltas, with its end.
fn streams(deltas: &[serde_json::Value]) -> String {
    let mut text =
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n"
            .to_owned();
    for delta in deltas {
        text += &format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }));
    }
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    text + &format!("data: {end}\n\ndata: [DONE]\n\n")
}

impl Parrot {
    fn asked(&self) -> Vec<serde_json::Value> {
        self.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_server_is_asked_otherwise_until_it_likes_it_and_ever_after() {
    let hello = streams(&[json!({ "content": "Hello." })]);
    let parrot = parrot(&[
        refuses(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        refuses(422, "stream_options: Extra inputs are not permitted"),
        refuses(400, "Function tools with reasoning_effort are not supported; set it to 'none'."),
        refuses(400, "max_completion_tokens is too large: 32000. At most 16384."),
        hello,
    ])
    .await;
    let model = open_chat(&parrot.url, patience()).await;
    for _ in 0..2 {
        let heard = ask(&model, "a").await;
        assert!(heard.reply.is_ok(), "{heard:?}", heard = heard.reply);
        assert!(heard.waits().is_empty());
    }
    let asked = parrot.asked();
    assert_eq!(asked.len(), 6, "learned once");
    let last = &asked[5];
    assert_eq!(last["reasoning_effort"], "none");
    for name in ["max_tokens", "max_completion_tokens", "stream_options"] {
        assert_eq!(last.get(name), None, "{name}");
    }
    assert_eq!(asked[0]["max_tokens"], 1_000);
    assert_eq!(asked[1]["max_completion_tokens"], 1_000);
}

#[tokio::test]
async fn a_refusal_that_nothing_helps_against_ends() {
    for message in ["no", "max_tokens is too large", "Context size has been exceeded."] {
        let parrot = parrot(&[refuses(400, message)]).await;
        let heard = ask(&open_chat(&parrot.url, patience()).await, "a").await;
        assert_eq!(heard.failure().code, Code::Model);
        assert!(heard.failure().text.contains(message), "{}", heard.failure());
        assert!(parrot.asked().len() <= 2, "{message}: {}", parrot.asked().len());
    }
}

#[tokio::test]
async fn a_server_that_loads_its_model_is_waited_for_but_not_for_ever() {
    let loading = refuses(503, "Loading model");
    // More often than anything else is asked again.
    let mut answers = vec![loading.clone(); 9];
    answers.push(streams(&[json!({ "content": "Hello." })]));
    let ready = parrot(&answers).await;
    let heard = ask(&open_chat(&ready.url, patience()).await, "a").await;
    assert!(heard.reply.is_ok());
    assert_eq!(heard.waits().len(), 9);
    let never = parrot(&[loading]).await;
    let short = Patience { loading: Duration::from_millis(50), ..patience() };
    let heard = ask(&open_chat(&never.url, short).await, "a").await;
    assert!(heard.failure().text.contains("still loads its model"), "{}", heard.failure());
}

#[tokio::test]
async fn a_call_that_was_written_as_text_is_a_call_on_both_wires() {
    let text = "I look.\n```json\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"a\"}}\n```";
    let parrot = parrot(&[streams(&[json!({ "content": text })])]).await;
    let chat = ask(&open_chat(&parrot.url, patience()).await, "a").await.reply.unwrap();
    let script = json!({ "says": "", "run": [{ "reply": [{ "text": text }] }] });
    let server = play(&toml::to_string(&script).unwrap()).await;
    let messages = ask(&open(&server.base_url, patience()).await, "a").await.reply.unwrap();
    for reply in [chat, messages] {
        assert_eq!(reply.stop, baton::model::Stop::ToolUse);
        let said = reply.message.blocks.iter().filter(|it| !matches!(it, Block::Opaque(_)));
        let call = Block::ToolUse {
            id: "b00001000".into(),
            name: "read_file".into(),
            input: json!({ "path": "a" }),
        };
        let said: Vec<Block> = said.cloned().collect();
        assert_eq!(said, [Block::Text { text: "I look.".into() }, call]);
    }
    // The note beside it stays in the journal.
    assert!(!String::from_utf8_lossy(&server.requests()[0]).contains("baton_said"));
}

#[tokio::test]
async fn what_keeps_coming_is_waited_for_and_what_only_pings_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                read_body(&mut stream).await;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes()).await;
                let mut ticks = tokio::time::interval(Duration::from_millis(20));
                for tick in 0.. {
                    ticks.tick().await;
                    let ping = b": OPENROUTER PROCESSING\n\n";
                    let piece = br#"data: {"choices":[{"index":0,"delta":{"content":"x"}}]}"#;
                    let piece = [&piece[..], b"\n\n"].concat();
                    sent = match sent {
                        Ok(()) if connection == 0 || 50 < tick => stream.write_all(ping).await,
                        Ok(()) => stream.write_all(&piece).await,
                        Err(_) => return,
                    };
                }
            });
        }
    });
    let short = Patience { progress: Duration::from_millis(400), ..patience() };
    let begun = Instant::now();
    let heard = ask(&open_chat(&url, short).await, "a").await;
    let said = heard.failure().text.clone();
    assert!(said.contains("the model said nothing for 0.4 s"), "{said}");
    // Each of the later ones spoke longer than that before it fell silent: time alone ends nothing.
    assert!(Duration::from_secs(4) < begun.elapsed(), "{:?}", begun.elapsed());
    assert_eq!(heard.waits().len(), 4);
    assert!(heard.deltas.contains(&Delta::Text("x".into())));
}
