//! The local socket between the user's daemon and those who call it: an editor's proxy, the command
//! line. Where it lies, how a caller reaches the daemon or starts one, and the frames on it.
//!
//! The socket is 0600 in a folder that is 0700, and each side asks the system who the other is: only
//! the same user's processes talk to each other.

mod address;
mod frames;
mod plain;
mod start;

pub use address::{Address, is_own};
pub use frames::{FRAME_BYTES_MAX, Frame, frame, read_frame};
pub use plain::{PlainLine, call_at_once};
pub use start::{FAILED, READY, TAKEN, environment};

use crate::config::Home;
use crate::protocol::{Hello, PROTOCOL_VERSION, Wants, Welcome};
use crate::sandbox::Environment;
use std::io::ErrorKind;
use std::time::Duration;
use team::{Code, Failure};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// A hello or a welcome is no longer than this.
pub const HELLO_BYTES_MAX: u64 = 256 << 10;
/// How long a daemon may take to answer a hello: it may have to close its repositories first.
const WELCOME_MS_MAX: u64 = 15_000;
/// A daemon that ends between being found and being spoken to is looked for again this often.
const CALLS_MAX: u32 = 4;

/// What is done where no daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfNone {
    Start,
    Leave,
}

/// A connection after the welcome.
pub struct Line {
    pub input: BufReader<OwnedReadHalf>,
    pub output: OwnedWriteHalf,
    pub welcome: Welcome,
}

/// This program's version; the tests may pretend another.
pub fn version() -> String {
    let pretended = cfg!(feature = "failpoints").then(|| std::env::var("BATON_PRETEND_VERSION"));
    let pretended = pretended.and_then(Result::ok);
    pretended.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())
}

fn failed(text: impl ToString) -> Failure {
    Failure::new(Code::Command, format!("reach the daemon: {}", text.to_string()))
}

/// Reaches the user's daemon. `None`: there is none, and none was to be started. Errors: it can't be
/// started, belongs to another user, or does not answer.
pub async fn call(home: &Home, wants: Wants, if_none: IfNone) -> Result<Option<Line>, Failure> {
    let address = Address::of(home);
    for _ in 0..CALLS_MAX {
        let stream = match UnixStream::connect(&address.socket).await {
            Ok(stream) => stream,
            Err(why) if is_nobody(why.kind()) => match if_none {
                IfNone::Leave => return Ok(None),
                IfNone::Start => start::start(home, &address).await?,
            },
            Err(why) => return Err(failed(format!("{}: {why}", address.socket.display()))),
        };
        if !is_own(&stream) {
            return Err(stranger());
        }
        match greet(home, stream, wants).await? {
            Some(line) if line.welcome.made_room => (),
            Some(line) => return Ok(Some(line)),
            None => (),
        }
    }
    Err(failed("each one that answers ends at once").hint("baton daemon status says what runs"))
}

fn stranger() -> Failure {
    failed("the one that answers belongs to another user")
}

fn is_nobody(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// `None`: it hung up, as one does that is ending.
async fn greet(home: &Home, stream: UnixStream, wants: Wants) -> Result<Option<Line>, Failure> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    if output.write_all(&frame(&hello(home, wants))).await.is_err() {
        return Ok(None);
    }
    let answer = read_frame(&mut input, HELLO_BYTES_MAX);
    let wait = Duration::from_millis(WELCOME_MS_MAX);
    let Ok(answer) = tokio::time::timeout(wait, answer).await else {
        let text = format!("no answer within {} s", WELCOME_MS_MAX / 1000);
        return Err(failed(text).hint("end the process that `baton daemon status` names"));
    };
    Ok(welcome(answer)?.map(|welcome| Line { input, output, welcome }))
}

fn hello(home: &Home, wants: Wants) -> Hello {
    let (environment, keys) = match wants {
        Wants::Serve => (Environment::profile(), start::keys(home)),
        Wants::Status | Wants::Stop => Default::default(),
    };
    let (protocol_version, version) = (PROTOCOL_VERSION, version());
    Hello { protocol_version, version, wants, environment, keys }
}

/// `None`: it hung up.
fn welcome(answer: Frame) -> Result<Option<Welcome>, Failure> {
    let body = match answer {
        Frame::Body(body) => body,
        Frame::End => return Ok(None),
        Frame::Broken(_) | Frame::TooLarge(_) => {
            return Err(failed("what answers is no daemon of Baton's"));
        }
    };
    let welcome: Welcome = serde_json::from_slice(&body).map_err(failed)?;
    match &welcome.refused {
        Some(why) => Err(failed(why)),
        None => Ok(Some(welcome)),
    }
}
