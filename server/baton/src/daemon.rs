//! The user's daemon: one process that holds the hubs, one per repository, and outlives every editor
//! and every command. Callers reach it over the local socket; each connection gets the language
//! service. It ends by itself when nobody is connected and nothing is under way.
//!
//! From whoever started it, it takes only where the user's things lie and the language: what a task's
//! commands run with comes with each connection.

mod lock;
mod log;
mod proxy;
mod visit;

pub use proxy::run_proxy;

use crate::config::{Config, Home};
use crate::hub::{Hubs, now_ms};
use crate::socket::{Address, FAILED, READY, TAKEN};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use team::{Code, Failure, Millis};
use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One more caller is told so, and hung up on.
const CONNECTIONS_MAX: usize = 256;
/// How long connections may take to end when the daemon does.
const GOODBYE_MS_MAX: u64 = 2_000;
/// How long closing the repositories may take; then the process ends all the same.
const CLOSING_MS_MAX: u64 = 10_000;

/// The language service of one connection, handed in by `main`, since the doors don't know each other.
pub type Serve = fn(
    BufReader<OwnedReadHalf>,
    OwnedWriteHalf,
    Connection,
) -> Pin<Box<dyn Future<Output = i32> + Send>>;

/// What a connection gets.
pub struct Connection {
    pub hubs: Hubs,
    pub environment: BTreeMap<String, String>,
    pub stop: CancellationToken,
}

/// What all connections share.
#[derive(Clone)]
struct Daemon {
    hubs: Hubs,
    serve: Serve,
    started_at: Millis,
    connections: Arc<watch::Sender<usize>>,
    /// No more callers, and those that are here are asked to go.
    stop: CancellationToken,
    /// Everything is closed.
    closed: CancellationToken,
}

/// Runs the daemon until it is told to end, or nobody needs it. The exit code.
pub fn run(serve: Serve) -> u8 {
    let said = Home::from_env().and_then(|home| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|it| Failure::new(Code::Command, it.to_string()))?;
        let done = runtime.block_on(live(home, serve));
        runtime.shutdown_background();
        done
    });
    match said {
        Ok(()) => 0,
        Err(failure) => {
            let word = if failure.code == Code::Locked { TAKEN } else { FAILED };
            let text = failure.to_string().replace('\n', " ");
            say(&format!("{word} {text}"));
            1
        }
    }
}

/// The one line for whoever starts it; from then on standard output is the log.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
    let _ = rustix::stdio::dup2_stdout(rustix::stdio::stderr());
}

async fn live(home: Home, serve: Serve) -> Result<(), Failure> {
    detach();
    let address = Address::of(&home);
    address.prepare()?;
    let lock = lock::take(&address.lock)?;
    log::begin(&address.log);
    let listener = listen(&address)?;
    let hubs = Hubs::new(home.clone());
    let daemon = Daemon {
        hubs,
        serve,
        started_at: now_ms(),
        connections: Arc::new(watch::Sender::new(0)),
        stop: CancellationToken::new(),
        closed: CancellationToken::new(),
    };
    tracing::info!(pid = std::process::id(), version = crate::socket::version(), "listening");
    say(READY);
    tokio::select! {
        () = daemon.accept(&listener) => {}
        () = daemon.idle(&home) => tracing::info!("nobody is connected and nothing is under way"),
        () = told_to_end() => tracing::info!("told to end"),
        () = daemon.stop.cancelled() => {}
    }
    // First of all it can't be found any more: who calls from here on starts another, which waits
    // for the lock.
    let _ = std::fs::remove_file(&address.socket);
    drop(listener);
    daemon.stop.cancel();
    daemon.close().await;
    tracing::info!("ended");
    drop(lock);
    daemon.closed.cancel();
    // Whoever asked for the end is told of it.
    daemon.wait_for_goodbyes().await;
    Ok(())
}

/// Out of the terminal and the process group of whoever started it.
fn detach() {
    let _ = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Under the lock, so that a socket that lies there is nobody's.
fn listen(address: &Address) -> Result<UnixListener, Failure> {
    use std::os::unix::fs::PermissionsExt;
    let shown = address.socket.display();
    let fail = |why: std::io::Error| Failure::new(Code::Store, format!("listen at {shown}: {why}"));
    match std::fs::remove_file(&address.socket) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(fail(why)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&address.socket).map_err(fail)?;
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&address.socket, own).map_err(fail)?;
    Ok(listener)
}

async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    // A terminal that is closed takes its programs along, but not this one.
    let _hangup = signal(SignalKind::hangup());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

impl Daemon {
    async fn accept(&self, listener: &UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.receive(stream),
                // Out of descriptors, mostly: others will be closed.
                Err(why) => {
                    tracing::warn!(%why, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn receive(&self, stream: UnixStream) {
        if CONNECTIONS_MAX <= *self.connections.borrow() {
            tracing::warn!("too many connections");
            return;
        }
        self.connections.send_modify(|it| *it += 1);
        let daemon = self.clone();
        tokio::spawn(async move {
            let one = Counted(daemon.connections.clone());
            visit::receive(&daemon, stream).await;
            drop(one);
        });
    }

    /// Returns when nobody was connected and nothing was under way for as long as the user's
    /// configuration says. Looks only where connections come and go, and once in that time.
    async fn idle(&self, home: &Home) {
        let idle_s_max = Config::load(home).unwrap_or_default().daemon_idle_s_max.max(1);
        let mut connections = self.connections.subscribe();
        loop {
            let _ = connections.wait_for(|it| *it == 0).await;
            let wait = Duration::from_secs(idle_s_max);
            let came = connections.wait_for(|it| *it != 0);
            let is_idle = tokio::time::timeout(wait, came).await.is_err();
            if is_idle && !self.hubs.is_busy().await {
                return;
            }
        }
    }

    /// Lets the connections end, then closes the repositories.
    async fn close(&self) {
        let wait = Duration::from_millis(CLOSING_MS_MAX);
        if tokio::time::timeout(wait, self.hubs.close()).await.is_err() {
            tracing::warn!("a repository took too long to close");
        }
    }

    async fn wait_for_goodbyes(&self) {
        let mut connections = self.connections.subscribe();
        let wait = Duration::from_millis(GOODBYE_MS_MAX);
        let _ = tokio::time::timeout(wait, connections.wait_for(|it| *it == 0)).await;
    }
}

/// A connection that is open, as long as this lives.
struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|it| *it = it.saturating_sub(1));
    }
}
