//! Servers that are broken below the wire's own terms, and bounds that only a process of its own
//! can show.

use super::*;
use baton::config::KeySource;
use std::process::Command;
use team::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads a request's head, then lets `answer` do what it likes with the connection.
async fn raw<F>(answer: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 16 * 1024];
            let _ = stream.read(&mut head).await;
            tokio::spawn(answer(stream));
        }
    });
    url
}

async fn says(bytes: &'static [u8]) -> String {
    raw(move |mut stream| async move {
        let _ = stream.write_all(bytes).await;
    })
    .await
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_next_step() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let heard = ask(&open(&url, patience()).await, "a").await;
    let failure = heard.failure();
    assert_eq!(failure.code, Code::Model);
    assert!(failure.text.starts_with(&format!("no reply from {url}/v1/messages")), "{failure}");
    assert!(failure.text.contains("refused"), "{failure}");
    assert!(failure.hint.contains("base_url"), "{failure}");
    assert_eq!(heard.waits().len(), 4);
}

#[tokio::test]
async fn what_is_no_http_is_given_up() {
    for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"", b"\x15\x03\x01\x00\x02\x02\x46"] {
        let heard = ask(&open(&says(bytes).await, patience()).await, "a").await;
        assert_eq!(heard.failure().code, Code::Model);
        assert_eq!(heard.waits().len(), 4);
    }
}

#[tokio::test]
async fn a_page_instead_of_a_reply_is_named() {
    let url = says(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 14\r\n\r\n<html>Log in</",
    )
    .await;
    let heard = ask(&open(&url, patience()).await, "a").await;
    assert!(heard.failure().text.contains("answered with text/html"));
    assert!(heard.waits().is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = play("says = \"\"").await;
    let to = elsewhere.base_url.clone();
    let url = raw(move |mut stream| {
        let head = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}/v1/messages\r\ncontent-length: 0\r\n\r\n"
        );
        async move {
            let _ = stream.write_all(head.as_bytes()).await;
        }
    })
    .await;
    let heard = ask(&open(&url, patience()).await, "a").await;
    assert!(heard.failure().text.contains("points elsewhere"));
    assert_eq!(elsewhere.request_count(), 0);
}

#[tokio::test]
async fn a_server_that_only_pings_is_left() {
    let url = raw(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let mut sent = stream.write_all(head).await;
        while sent.is_ok() {
            sent = stream.write_all(b": ping\n\ndata: {\"type\":\"ping\"}\n\n").await;
            tokio::task::yield_now().await;
        }
    })
    .await;
    let short = Patience { progress: Duration::from_millis(100), ..patience() };
    let heard = ask(&open(&url, short).await, "a").await;
    assert!(
        heard.failure().text.contains("the model said nothing for 0.1 s"),
        "{}",
        heard.failure()
    );
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_not_repeated() {
    let url = raw(|mut stream| async move {
        let body = r#"{"error":{"type":"x","message":"bad key sk-secret-7 in header"}}"#;
        let head = format!("HTTP/1.1 400 No\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(head.as_bytes()).await;
    })
    .await;
    let mut config = config(&url);
    let argv = ["echo", "sk-secret-7"].map(str::to_owned);
    config.key = Some(KeySource::Command(argv.to_vec()));
    let model = Model::open_with(&config, patience()).await.unwrap();
    let heard = ask(&model, "a").await;
    let shown = format!("{:?} {:?} {model:?}", heard.failure(), heard.deltas);
    assert!(shown.contains("bad key [key] in header"), "{shown}");
    assert!(!shown.contains("sk-secret-7"), "{shown}");
}

/// Runs one test of this binary in a process of its own; true in that process.
fn is_alone(test: &str, variables: &[(&str, &str)]) -> bool {
    const ALONE: &str = "BATON_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    false
}

#[test]
fn loopback_asks_no_proxy() {
    // A proxy that is nowhere: whoever asks it fails.
    let proxies = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let proxies = proxies.map(|it| (it, "http://127.0.0.1:1"));
    if !is_alone("model::wire::loopback_asks_no_proxy", &proxies) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = play("says = \"\"\n[[run]]\n[[run.reply]]\ntext = \"Hello.\"").await;
        assert!(ask(&open(&server.base_url, patience()).await, "a").await.reply.is_ok());
    });
}

/// The most memory that this process ever held, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_huge_reply_costs_little_memory() {
    if !is_alone("model::wire::a_huge_reply_costs_little_memory", &[]) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut before = 0;
        for kind in ["ping = true", "huge_bytes = 50_000_000", "huge_line_bytes = 50_000_000"] {
            let script = format!("says = \"\"\n[[run]]\n[[run.reply]]\nfault = {{ {kind} }}");
            let server = play(&script).await;
            let heard = ask(&open(&server.base_url, patience()).await, "a").await;
            if before == 0 {
                assert!(heard.reply.is_ok());
                before = peak_kib();
            } else {
                assert!(heard.failure().text.contains("larger than"));
            }
        }
        let grown = peak_kib() - before;
        println!("grown by {grown} KiB");
        assert!(grown < 64 * 1024, "{grown} KiB");
    });
}
