//! `baton lsp`: what an editor starts. It calls the user's daemon, says hello, and passes bytes
//! through both ways; the language service itself lives in the daemon. It keeps nothing: where the
//! daemon goes, this goes too, and the editor starts it anew.

use crate::config::Home;
use crate::protocol::Wants;
use crate::socket::{IfNone, Line, call};
use std::io::Write;
use std::time::Duration;
use team::{Code, Failure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What is passed on at once, in bytes.
const PIECE_BYTES: usize = 64 << 10;
/// A body that says `shutdown` or `exit` is no longer.
const SHORT_BYTES_MAX: usize = 512;
const HEADER_BYTES_MAX: usize = 4 << 10;

/// How long the last words of the daemon may take once the editor has closed its side.
const FAREWELL_MS_MAX: u64 = 2_000;

/// Which side of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Source,
    Sink,
}

/// Serves the editor that started this process. `None`: no daemon can be had here; why was said, and
/// the caller serves in this process instead. Else the exit code that LSP asks for.
pub fn run_proxy() -> Option<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(why) => {
            complain(&format!("failed to start: {why}"));
            return Some(1);
        }
    };
    let called = runtime.block_on(async {
        let home = Home::from_env()?;
        let line = call(&home, Wants::Serve, IfNone::Start).await?;
        line.ok_or_else(|| Failure::new(Code::Bug, "reach the daemon: none was started"))
    });
    let code = match called {
        Ok(line) => {
            line.welcome.notice.iter().for_each(|it| complain(it));
            Some(runtime.block_on(pass_through(line)))
        }
        Err(failure) => {
            complain(&format!("failed to {failure}; serving in this process"));
            None
        }
    };
    // A reader may still be blocked on standard input.
    runtime.shutdown_background();
    code
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "baton: {text}");
}

async fn pass_through(line: Line) -> i32 {
    let Line { input, mut output, .. } = line;
    let mut scan = Scan::default();
    let mut to_editor = Box::pin(pass(input, tokio::io::stdout(), |_| ()));
    let to_daemon = pass(tokio::io::stdin(), &mut output, |bytes| scan.look(bytes));
    let (daemon_is_gone, speaks) = tokio::select! {
        ended = to_daemon => (ended == Ended::Sink, true),
        ended = &mut to_editor => (ended == Ended::Source, false),
    };
    if speaks {
        // What it still has to say is heard; of a daemon that is gone that ends at once.
        let _ = output.shutdown().await;
        let wait = Duration::from_millis(FAREWELL_MS_MAX);
        let _ = tokio::time::timeout(wait, to_editor).await;
    }
    if scan.is_exit {
        return i32::from(!scan.is_shutdown);
    }
    if scan.is_broken {
        return 1;
    }
    if daemon_is_gone {
        complain("the daemon has gone; what was done is kept, start me again");
        return 1;
    }
    0
}

async fn pass(
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    mut look: impl FnMut(&[u8]),
) -> Ended {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let bytes = match source.read(&mut piece).await {
            Ok(0) | Err(_) => return Ended::Source,
            Ok(n) => &piece[..n],
        };
        look(bytes);
        if sink.write_all(bytes).await.is_err() || sink.flush().await.is_err() {
            return Ended::Sink;
        }
    }
}

/// Watches what the editor says go by, for the two words that decide the exit code: `shutdown` and
/// `exit`. Bodies that are too long for those are not looked at.
#[derive(Debug, Default)]
struct Scan {
    is_shutdown: bool,
    is_exit: bool,
    /// What came was no frame; nothing after it can be found.
    is_broken: bool,
    /// The header lines so far, or a short body.
    kept: Vec<u8>,
    /// Bytes of the body that are still to come; `None`: in the header.
    body_left: Option<usize>,
    is_short: bool,
}

impl Scan {
    fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_broken {
            bytes = match self.body_left {
                Some(left) => self.body(bytes, left),
                None => self.header(bytes),
            };
        }
    }

    fn header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (first, rest) = bytes.split_at(1);
        self.kept.extend_from_slice(first);
        let is_whole = self.kept.ends_with(b"\r\n\r\n") || self.kept.ends_with(b"\n\n");
        if is_whole {
            let text = String::from_utf8_lossy(&self.kept).to_lowercase();
            let mut lines = text.lines().filter_map(|it| it.strip_prefix("content-length:"));
            let length = lines.next().and_then(|it| it.trim().parse().ok());
            self.is_broken = length.is_none();
            self.is_short = length.is_some_and(|it| it <= SHORT_BYTES_MAX);
            self.body_left = length.filter(|it| 0 < *it);
            self.kept.clear();
        }
        self.is_broken |= HEADER_BYTES_MAX < self.kept.len();
        rest
    }

    fn body<'a>(&mut self, bytes: &'a [u8], left: usize) -> &'a [u8] {
        let (here, rest) = bytes.split_at(left.min(bytes.len()));
        if self.is_short {
            self.kept.extend_from_slice(here);
        }
        self.body_left = Some(left - here.len()).filter(|it| 0 < *it);
        if self.body_left.is_none() && self.is_short {
            let read = serde_json::from_slice::<serde_json::Value>(&self.kept).unwrap_or_default();
            let method = read.get("method").and_then(|it| it.as_str());
            self.is_shutdown |= method == Some("shutdown");
            self.is_exit |= method == Some("exit");
            self.kept.clear();
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn goodbye_is_seen_however_it_is_cut_into_pieces() {
        let long = "x".repeat(5_000);
        let said = [
            frame(&format!(r#"{{"method":"textDocument/didOpen","text":"exit shutdown {long}"}}"#)),
            frame(r#"{"method":"a","text":"\"method\":\"exit\""}"#),
            frame(""),
            frame(r#"{"jsonrpc":"2.0","id":3,"method":"shutdown"}"#),
        ]
        .concat();
        for size in [1, 2, 7, 64, 10_000] {
            let mut scan = Scan::default();
            said.as_bytes().chunks(size).for_each(|it| scan.look(it));
            assert!(scan.is_shutdown && !scan.is_exit && !scan.is_broken, "{size}: {scan:?}");
            scan.look(frame(r#"{"method":"exit"}"#).as_bytes());
            assert!(scan.is_exit, "{size}");
        }
    }

    #[test]
    fn what_is_no_frame_is_noticed_and_kept_short() {
        for wrong in ["GET / HTTP/1.1\r\n\r\n", &"x".repeat(100_000)] {
            let mut scan = Scan::default();
            scan.look(wrong.as_bytes());
            assert!(scan.is_broken && scan.kept.len() <= HEADER_BYTES_MAX + 1);
        }
    }
}
