//! `baton lsp`: what an editor starts. It calls the user's daemon, says hello, and passes bytes
//! through both ways; the language service itself lives in the daemon. It keeps nothing: where the
//! daemon goes, this goes too, and the editor starts it anew.
//!
//! An editor waits for its start and every message goes through it, so there is no runtime in it
//! where a daemon runs already: two threads that read and write.

use crate::config::Home;
use crate::protocol::Wants;
use crate::socket::{IfNone, PlainLine, call, call_at_once};
use std::fs::File;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use team::{Code, Failure};

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

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ToDaemon,
    ToEditor,
}

/// Serves the editor that started this process: the exit code that LSP asks for. Errors: no daemon can
/// be had here; why was said, and the caller serves in this process instead, beginning with what
/// the editor has said so far.
pub fn run_proxy() -> Result<i32, Vec<u8>> {
    // Not for children: a daemon that is started here would hold the editor's pipes open.
    let own = |it| rustix::io::fcntl_dupfd_cloexec(it, 0).map(File::from);
    let streams =
        own(rustix::stdio::stdin()).and_then(|it| Ok((it, own(rustix::stdio::stdout())?)));
    let (mut input, output) = match streams {
        Ok(streams) => streams,
        Err(why) => {
            complain(&format!("failed to start: {why}"));
            return Ok(1);
        }
    };
    let mut said = Vec::new();
    match reach(|| said = first_words(&mut input)) {
        Ok(line) => {
            line.welcome.notice.iter().for_each(|it| complain(it));
            Ok(pass_through(line, &said, input, output))
        }
        Err(failure) => {
            complain(&format!("failed to {failure}; serving in this process"));
            Err(said)
        }
    }
}

/// The daemon that runs, or a new one.
fn reach(meanwhile: impl FnOnce()) -> Result<PlainLine, Failure> {
    let home = Home::from_env()?;
    if let Some(line) = call_at_once(&home, meanwhile)? {
        return Ok(line);
    }
    let bug = |why: String| Failure::new(Code::Bug, format!("reach the daemon: {why}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| bug(why.to_string()))?;
    runtime.block_on(async {
        let line = call(&home, Wants::Serve, IfNone::Start).await?;
        PlainLine::of(line.ok_or_else(|| bug("none was started".to_owned()))?)
    })
}

/// An editor speaks first, so this waits for nothing that would not be waited for anyway.
fn first_words(input: &mut File) -> Vec<u8> {
    let mut piece = vec![0; PIECE_BYTES];
    let n = input.read(&mut piece).unwrap_or_default();
    piece.truncate(n);
    piece
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "baton: {text}");
}

fn pass_through(line: PlainLine, said: &[u8], input: File, mut output: File) -> i32 {
    let PlainLine { stream, heard, .. } = line;
    let scan = Arc::new(Mutex::new(Scan::default()));
    let look = {
        let scan = scan.clone();
        move |bytes: &[u8]| scan.lock().unwrap_or_else(PoisonError::into_inner).look(bytes)
    };
    let (Ok(to_daemon), Ok(from_daemon)) = (stream.try_clone(), stream.try_clone()) else {
        complain("failed to start: no descriptor is left");
        return 1;
    };
    look(said);
    // Where that fails the daemon has gone, which the first reading tells.
    let _ = (&stream).write_all(said);
    let (tell, ended) = channel();
    let told = tell.clone();
    std::thread::spawn(move || {
        let is_heard = output.write_all(&heard).is_ok();
        let how = if is_heard { pass(from_daemon, output, |_| ()) } else { Ended::Sink };
        let _ = told.send((Way::ToEditor, how));
    });
    std::thread::spawn(move || {
        let _ = tell.send((Way::ToDaemon, pass(input, to_daemon, look)));
    });
    let first = ended.recv().unwrap_or((Way::ToEditor, Ended::Source));
    if first.0 == Way::ToDaemon {
        // What it still has to say is heard; of a daemon that is gone that ends at once.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = ended.recv_timeout(Duration::from_millis(FAREWELL_MS_MAX));
    }
    let scan = scan.lock().unwrap_or_else(PoisonError::into_inner);
    if scan.is_exit {
        return i32::from(!scan.is_shutdown);
    }
    if scan.is_broken {
        return 1;
    }
    match first {
        (Way::ToDaemon, Ended::Sink) | (Way::ToEditor, Ended::Source) => {
            complain("the daemon has gone; what was done is kept, start me again");
            1
        }
        (Way::ToDaemon, Ended::Source) | (Way::ToEditor, Ended::Sink) => 0,
    }
}

fn pass(mut source: impl Read, mut sink: impl Write, look: impl Fn(&[u8])) -> Ended {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let bytes = match source.read(&mut piece) {
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return Ended::Source,
            Ok(n) => &piece[..n],
        };
        look(bytes);
        if sink.write_all(bytes).is_err() {
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
