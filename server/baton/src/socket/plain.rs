//! Reaching a daemon that runs, without a runtime: for the proxy, whose start an editor waits for.

use super::{
    Address, HELLO_BYTES_MAX, Line, WELCOME_MS_MAX, failed, frame, hello, read_frame, stranger,
    welcome,
};
use crate::config::Home;
use crate::protocol::{Wants, Welcome};
use futures_util::FutureExt;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use team::Failure;
use tokio::io::{AsyncRead, BufReader, ReadBuf};

/// A connection after the welcome, as blocking streams have it.
pub struct PlainLine {
    pub stream: UnixStream,
    /// What came after the welcome already.
    pub heard: Vec<u8>,
    pub welcome: Welcome,
}

impl PlainLine {
    /// Errors: the system's.
    pub fn of(line: Line) -> Result<PlainLine, Failure> {
        let Line { input, output, welcome } = line;
        let heard = input.buffer().to_vec();
        let stream = input.into_inner().reunite(output).map_err(failed)?;
        let stream = stream.into_std().map_err(failed)?;
        stream.set_nonblocking(false).map_err(failed)?;
        Ok(PlainLine { stream, heard, welcome })
    }
}

/// Says hello to a daemon that runs; `meanwhile` is done while that one reads it. `None`: none runs, or
/// it is one that ends; `call` knows what to do. Errors: as of `call`.
pub fn call_at_once(home: &Home, meanwhile: impl FnOnce()) -> Result<Option<PlainLine>, Failure> {
    let Ok(mut stream) = UnixStream::connect(Address::of(home).socket) else { return Ok(None) };
    let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(failed)?;
    if peer.uid != rustix::process::getuid() {
        return Err(stranger());
    }
    if stream.write_all(&frame(&hello(home, Wants::Serve))).is_err() {
        return Ok(None);
    }
    meanwhile();
    let wait = Duration::from_millis(WELCOME_MS_MAX);
    stream.set_read_timeout(Some(wait)).map_err(failed)?;
    let mut input = BufReader::new(Blocking(stream));
    let Some(answer) = read_frame(&mut input, HELLO_BYTES_MAX).now_or_never() else {
        return Ok(None);
    };
    let welcome = welcome(answer)?.filter(|it| !it.made_room);
    let (heard, Blocking(stream)) = (input.buffer().to_vec(), input.into_inner());
    stream.set_read_timeout(None).map_err(failed)?;
    Ok(welcome.map(|welcome| PlainLine { stream, heard, welcome }))
}

/// A stream that is waited for where it stands, so that what is read from it is there at once.
struct Blocking(UnixStream);

impl AsyncRead for Blocking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let n = self.0.read(buffer.initialize_unfilled())?;
        buffer.advance(n);
        Poll::Ready(Ok(()))
    }
}
