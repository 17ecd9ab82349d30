//! One caller, from hello to goodbye.

use super::{Connection, Daemon};
use crate::protocol::{DaemonStatus, Hello, PROTOCOL_VERSION, Wants, Welcome};
use crate::socket::{Frame, HELLO_BYTES_MAX, frame, is_own, read_frame, version};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// A caller that says nothing for so long is hung up on.
const HELLO_MS_MAX: u64 = 5_000;

pub(super) async fn receive(daemon: &Daemon, stream: UnixStream) {
    if !is_own(&stream) {
        tracing::warn!("a caller of another user was turned away");
        return;
    }
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    let hello = read_frame(&mut input, HELLO_BYTES_MAX);
    let hello = tokio::time::timeout(Duration::from_millis(HELLO_MS_MAX), hello).await;
    let Ok(Frame::Body(body)) = hello else {
        tracing::info!("a caller said no hello");
        return;
    };
    let mut welcome = Welcome {
        protocol_version: PROTOCOL_VERSION,
        version: version(),
        pid: std::process::id(),
        ..Welcome::default()
    };
    let hello = match serde_json::from_slice::<Hello>(&body) {
        Ok(hello) if hello.protocol_version == PROTOCOL_VERSION => hello,
        Ok(hello) => {
            let (they, we) = (hello.protocol_version, PROTOCOL_VERSION);
            welcome.refused = Some(format!("it speaks protocol {we}, the caller {they}"));
            let _ = output.write_all(&frame(&welcome)).await;
            return;
        }
        Err(why) => {
            welcome.refused = Some(format!("no hello: {why}"));
            let _ = output.write_all(&frame(&welcome)).await;
            return;
        }
    };
    // An editor waits for its welcome, and has no use for what the repositories hold.
    if hello.wants != Wants::Serve || lacks(&hello).is_some() {
        welcome.status = daemon.status().await;
    }
    if hello.wants == Wants::Stop || daemon.makes_room(&hello, &mut welcome) {
        welcome.made_room = hello.wants != Wants::Stop;
        tracing::info!(wants = ?hello.wants, "ends for a caller of version {}", hello.version);
        daemon.stop.cancel();
        daemon.closed.cancelled().await;
        let _ = output.write_all(&frame(&welcome)).await;
        return;
    }
    if output.write_all(&frame(&welcome)).await.is_err() || hello.wants == Wants::Status {
        return;
    }
    let connection = Connection {
        hubs: daemon.hubs.clone(),
        environment: hello.environment,
        stop: daemon.stop.clone(),
    };
    (daemon.serve)(input, output, connection).await;
}

impl Daemon {
    async fn status(&self) -> DaemonStatus {
        let repositories = self.hubs.status().await;
        let connections = self.connections.borrow().saturating_sub(1);
        DaemonStatus { started_at: self.started_at, connections, repositories }
    }

    /// Whether it ends, since the caller's program is newer or has a key that this one was not given,
    /// and nobody is disturbed by that. A busy one stays, and says so.
    fn makes_room(&self, hello: &Hello, welcome: &mut Welcome) -> bool {
        let Some(why) = lacks(hello).filter(|_| hello.wants == Wants::Serve) else { return false };
        let status = &welcome.status;
        let is_busy = status.repositories.iter().any(|it| 0 < it.under_way);
        if !is_busy && status.connections == 0 {
            return true;
        }
        let advice = "it is busy and stays: restart when idle (baton daemon stop)";
        welcome.notice = Some(format!("{why}; {advice}"));
        false
    }
}

/// What this daemon lacks for a caller: it is older, or has not got a key.
fn lacks(hello: &Hello) -> Option<String> {
    if parts(&version()) < parts(&hello.version) {
        return Some(format!("the daemon is of version {}, this is {}", version(), hello.version));
    }
    let missing = hello.keys.iter().find(|it| std::env::var_os(it).is_none());
    missing.map(|name| format!("the daemon was started without {name}"))
}

/// `1.20.3` as numbers; what is no number counts as 0.
fn parts(version: &str) -> [u64; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|it| it.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parts("0.9.0") < parts("0.10.0"));
        assert!(parts("1.2") < parts("1.2.1-beta"));
        assert_eq!(parts("1.2.3"), parts("1.2.3+build"));
    }
}
