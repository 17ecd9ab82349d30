//! A model that talks at a steady pace and never ends: a server in a process of its own, so that what
//! it takes is nobody else's.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::MissedTickBehavior;

/// The first argument that makes this very program such a server.
pub const ARGUMENT: &str = "--slow-model";
/// Of each reply.
pub const TOKENS_A_SECOND: u64 = 100;
/// Each token is this text.
pub const TOKEN: &str = " word";

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const BEGIN: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"slow","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

"#;

/// One that runs, and its address.
pub struct Slow {
    child: Child,
    pub base_url: String,
}

impl Slow {
    pub fn start() -> Slow {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let piped = command.arg(ARGUMENT).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut base_url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base_url).unwrap();
        Slow { child, base_url: base_url.trim().to_string() }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        writeln!(std::io::stdout(), "http://{address}").unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // It ends when the caller hangs up.
            tokio::spawn(async move { talk(stream).await });
        }
    });
}

async fn talk(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (input, mut output) = stream.into_split();
    let mut input = tokio::io::BufReader::new(input);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(it) = line.strip_prefix("content-length:") {
            length = it.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).await?;
    output.write_all(HEAD.as_bytes()).await?;
    output.write_all(&chunk(BEGIN)).await?;
    let delta = format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{TOKEN}\"}}}}\n\n"
    );
    let delta = chunk(&delta);
    let mut beat = tokio::time::interval(Duration::from_millis(1_000 / TOKENS_A_SECOND));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        beat.tick().await;
        output.write_all(&delta).await?;
    }
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}
