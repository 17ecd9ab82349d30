//! The daemon's side of a running command: its output, its end, and the lifeline.

use super::launcher::{READY, SCOPED, SUPERVISE};
use super::output::Output;
use super::{Finished, LAUNCH_ARGUMENT};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use team::{Code, Exit, Failure};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How long a supervisor may take to kill everything before it is killed itself.
const KILL_MS_MAX: u64 = 5_000;
/// How long output may still come after the end; a stray process may hold the pipe open.
const DRAIN_MS_MAX: u64 = 500;
const CHUNK_BYTES: usize = 64 * 1024;
/// Most that is kept of what the launcher says.
const SAID_BYTES_MAX: usize = 4 * 1024;

/// What to start below a supervisor.
pub(super) struct Started<'a> {
    pub(super) launcher: &'a Path,
    /// A program by its full path, and its arguments.
    pub(super) args: Vec<OsString>,
    pub(super) vars: BTreeMap<String, String>,
    /// Its signals reach only what it starts; needs Landlock.
    pub(super) scoped: bool,
    pub(super) timeout_ms_max: u64,
    pub(super) output_bytes_max: usize,
    pub(super) stop: &'a CancellationToken,
}

/// How it went.
pub(super) struct Seen {
    exit: Exit,
    duration_ms: u64,
    output: Output,
    /// What the launcher and bubblewrap said before the command started.
    said: String,
}

impl Seen {
    /// The command's ending; or, when the command never started, the failure that `explain` makes
    /// of what was said.
    pub(super) fn finished(self, explain: impl Fn(&str) -> Failure) -> Result<Finished, Failure> {
        let cut_off = matches!(self.exit, Exit::TimedOut | Exit::Interrupted);
        if self.note().is_none() && !cut_off {
            let lines: Vec<&str> = self.said.lines().map(str::trim).collect();
            let said = lines.join("; ");
            return Err(match said.as_str() {
                "" => explain("it ended without a word"),
                said => explain(said),
            });
        }
        let (output, output_bytes, output_sha256) = self.output.finish();
        Ok(Finished {
            exit: self.exit,
            duration_ms: self.duration_ms,
            output,
            output_bytes,
            output_sha256,
        })
    }

    /// What stage 2 said when all walls stood.
    pub(super) fn note(&self) -> Option<&str> {
        self.said.lines().find_map(|it| it.strip_prefix(READY))
    }
}

/// Starts, reads and waits. Dropping the future cuts the lifeline too.
pub(super) async fn watch(started: Started<'_>) -> Result<Seen, Failure> {
    let begun = Instant::now();
    let mut child = spawn(&started)?;
    let lifeline = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = Output::new(started.output_bytes_max);
    let mut said = Vec::new();
    let exit = {
        let reading = async {
            tokio::join!(
                drain(stdout, |chunk| output.push(chunk)),
                drain(stderr, |chunk| {
                    let room = SAID_BYTES_MAX - said.len();
                    said.extend_from_slice(&chunk[..chunk.len().min(room)]);
                })
            )
        };
        tokio::pin!(reading);
        let mut read = false;
        let drain_max = Duration::from_millis(DRAIN_MS_MAX);
        let deadline = begun + Duration::from_millis(started.timeout_ms_max);
        let ended = loop {
            tokio::select! {
                status = child.wait() => break exit_of(status),
                () = started.stop.cancelled() => break Exit::Interrupted,
                () = sleep_until(deadline) => break Exit::TimedOut,
                _ = &mut reading, if !read => read = true,
            }
        };
        drop(lifeline);
        // Read on while everything is killed, so that nothing is held up by a full pipe; and a little
        // longer, but not for as long as a stray process may hold the pipe open.
        let ending = end(&mut child);
        tokio::pin!(ending);
        let mut gone = None;
        while gone.is_none() || !read {
            tokio::select! {
                () = &mut ending, if gone.is_none() => gone = Some(Instant::now()),
                _ = &mut reading, if !read => read = true,
                () = sleep_until(gone.unwrap_or(begun) + drain_max), if gone.is_some() => break,
            }
        }
        ended
    };
    Ok(Seen {
        exit,
        duration_ms: begun.elapsed().as_millis() as u64,
        output,
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

fn spawn(started: &Started<'_>) -> Result<Child, Failure> {
    let mut command = Command::new(started.launcher);
    command
        .args([LAUNCH_ARGUMENT, SUPERVISE])
        .args(started.scoped.then_some(SCOPED))
        .arg("--")
        .args(&started.args)
        .current_dir("/")
        .env_clear()
        .envs(&started.vars)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Keys pressed in the daemon's terminal are not for commands.
        .process_group(0)
        // Where nothing else would end what it started, it must live to do that: its lifeline is cut
        // by the same drop.
        .kill_on_drop(!started.scoped);
    command.spawn().map_err(|error| {
        Failure::new(Code::Command, format!("start {}: {error}", started.launcher.display()))
            .hint("was the program replaced while it ran? restart it")
    })
}

async fn drain(from: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut from) = from else { return };
    let mut chunk = vec![0; CHUNK_BYTES];
    // A pipe of ours that cannot be read is at its end.
    while let Ok(n @ 1..) = from.read(&mut chunk).await {
        take(&chunk[..n]);
    }
}

/// Waits until the supervisor has killed everything; if it takes too long, kills it.
async fn end(child: &mut Child) {
    let wait = Duration::from_millis(KILL_MS_MAX);
    if timeout(wait, child.wait()).await.is_err() {
        // It is killed; what is left of it is the kernel's to end.
        let _ = child.kill().await;
    }
}

fn exit_of(status: std::io::Result<ExitStatus>) -> Exit {
    let Ok(status) = status else {
        return Exit::Interrupted;
    };
    match (status.code(), status.signal()) {
        (Some(code @ 129..=159), _) => Exit::Signal(code - 128),
        (Some(code), _) => Exit::Code(code),
        // The supervisor itself was killed, which says nothing about the command.
        (None, _) => Exit::Interrupted,
    }
}
