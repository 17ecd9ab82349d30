//! Starts the daemon: detached, with an environment of its own, and heard until it is ready.

use super::{Address, failed};
use crate::config::{Config, Home};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};
use team::Failure;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;

/// The first word that a daemon says.
pub const READY: &str = "ready";
/// Another one has the lock; its process follows.
pub const TAKEN: &str = "taken";
/// Why follows.
pub const FAILED: &str = "failed";

/// How long a daemon may take until it listens.
const STARTING_MS_MAX: u64 = 10_000;
/// How long is waited before one that is just starting, or ending, is looked for again.
const AGAIN_MS: u64 = 20;
const FIRST_WORDS_BYTES_MAX: u64 = 4 << 10;
/// Where the daemon looks for programs of its own (the sandbox, the command that prints a key). A
/// caller's PATH belongs to its task, and a repository's tools may have had a hand in it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin:/opt/homebrew/bin";

/// Starts a daemon, or waits for one that somebody else is starting, and connects.
pub(super) async fn start(home: &Home, address: &Address) -> Result<UnixStream, Failure> {
    address.prepare()?;
    let give_up = Instant::now() + Duration::from_millis(STARTING_MS_MAX);
    loop {
        let said = launch(home, address).await?;
        let why = match said.split_once(' ').unwrap_or((&said, "")) {
            (READY, _) => String::new(),
            (TAKEN, pid) => format!("process {pid} has its lock and does not listen"),
            (FAILED, why) => return Err(failed(why)),
            _ => format!("it ended at once; see {}", address.log.display()),
        };
        match UnixStream::connect(&address.socket).await {
            Ok(stream) => return Ok(stream),
            Err(it) if give_up < Instant::now() => {
                let why = if why.is_empty() { it.to_string() } else { why };
                return Err(failed(why));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await,
        }
    }
}

/// The daemon's first line.
async fn launch(home: &Home, address: &Address) -> Result<String, Failure> {
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&address.log);
    let mut child = tokio::process::Command::new(std::env::current_exe().map_err(failed)?)
        .args(["daemon", "serve"])
        .env_clear()
        .envs(environment(home))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output.take(FIRST_WORDS_BYTES_MAX));
        let wait = Duration::from_millis(STARTING_MS_MAX);
        let heard = tokio::time::timeout(wait, output.read_line(&mut said)).await;
        heard.map_err(|_| failed("it does not get ready"))?.map_err(failed)?;
    }
    Ok(said.trim_end().to_owned())
}

/// The variables with keys that the user's configuration names and that are set here.
pub(super) fn keys(home: &Home) -> Vec<String> {
    let mut keys = Config::load(home).map(|it| it.key_variables()).unwrap_or_default();
    keys.retain(|it| std::env::var_os(it).is_some_and(|it| !it.is_empty()));
    keys
}

/// All that a daemon takes from whoever starts it: where the user's things lie, the language, and
/// the variables that the user's own configuration names for keys.
pub fn environment(home: &Home) -> BTreeMap<String, String> {
    let keys = keys(home);
    let taken = |name: &str| {
        let is_own = name.starts_with("BATON_") && name != "BATON_IN_PROCESS";
        ["HOME", "LANG", "LANGUAGE"].contains(&name)
            || ["XDG_", "LC_"].iter().any(|it| name.starts_with(it))
            || is_own
            || keys.iter().any(|it| it == name)
    };
    let of_caller = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut all: BTreeMap<_, _> = of_caller.filter(|(name, _)| taken(name)).collect();
    all.insert("PATH".to_owned(), PATH.to_owned());
    all
}
