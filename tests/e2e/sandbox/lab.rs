//! A machine in small: a home with secrets, the user's repository, Baton's store, two slots, and
//! listeners that must never hear a thing.

use baton::config::WantedLevel;
use baton::sandbox::{Confined, Environment, Finished, Sandbox};
use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const SECRET: &str = "canary-5b1d0c";

/// The `baton` binary; another copy where this one can't be read.
pub fn launcher() -> PathBuf {
    match std::env::var_os("BATON_TEST_LAUNCHER") {
        Some(path) => path.into(),
        None => env!("CARGO_BIN_EXE_baton").into(),
    }
}

/// Where labs are built. By default not below `/tmp`, which is private inside; a rerun as another
/// user sets it to a folder that is.
fn base() -> PathBuf {
    match std::env::var_os("BATON_TEST_LAB") {
        Some(path) => path.into(),
        None => env!("CARGO_TARGET_TMPDIR").into(),
    }
}

pub struct Lab {
    pub dir: TempDir,
    pub env: Environment,
    pub tcp: TcpListener,
    pub tcp6: Option<TcpListener>,
    pub udp: UdpSocket,
    path_socket: UnixListener,
    name_socket: UnixListener,
    name: String,
    /// A process of the host.
    pub host: Child,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Lab {
    pub fn new() -> Lab {
        std::fs::create_dir_all(base()).unwrap();
        let dir = tempfile::Builder::new().prefix("lab").tempdir_in(base()).unwrap();
        let root = dir.path();
        for (file, text) in [
            ("home/.ssh/id_rsa", SECRET),
            ("home/.config/baton/config.toml", SECRET),
            ("home/.cargo/registry/index/config.json", "{}"),
            ("user/.git/config", "[core]"),
            ("user/.git/hooks/README", "none"),
            ("user/src/lib.rs", SECRET),
            ("store/HEAD", "ref: refs/heads/main"),
            ("store/worktrees/slot/HEAD", "ref: x"),
            ("other/.git", "gitdir: ../store/worktrees/other"),
            ("other/file", SECRET),
            ("outside/file", SECRET),
            ("cache/file", "cached"),
            ("slot/file", "text"),
            ("slot/.git", "gitdir: ../store/worktrees/slot"),
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let home = root.join("home").to_string_lossy().into_owned();
        let env = Environment::from_lookup(|name| match name {
            "HOME" => Some(home.clone()),
            // rustup sets it to the developer's own.
            "CARGO_HOME" => None,
            _ => std::env::var(name).ok(),
        });
        let name = format!("lab {}", root.display());
        let address = SocketAddr::from_abstract_name(&name[..name.len().min(100)]).unwrap();
        let mut host = Command::new("cat");
        host.stdin(Stdio::piped()).stdout(Stdio::null());
        let lab = Lab {
            env,
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            tcp6: TcpListener::bind("[::1]:0").ok(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            path_socket: UnixListener::bind(root.join("s")).unwrap(),
            name_socket: UnixListener::bind_addr(&address).unwrap(),
            name: name[..name.len().min(100)].to_string(),
            host: host.spawn().unwrap(),
            before: files(root),
            dir,
        };
        lab.tcp.set_nonblocking(true).unwrap();
        lab.udp.set_nonblocking(true).unwrap();
        lab.path_socket.set_nonblocking(true).unwrap();
        lab.name_socket.set_nonblocking(true).unwrap();
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub async fn sandbox(&self) -> Sandbox {
        self.sandbox_of(WantedLevel::Full).await
    }

    /// Its private folders lie in this lab, which must stay.
    pub async fn sandbox_of(&self, wanted: WantedLevel) -> Sandbox {
        let scratch = self.path("scratch");
        let sandbox = Sandbox::probe_with(&launcher(), &scratch, &self.env, wanted).await;
        assert_eq!(sandbox.why_not(), None, "no sandbox on this machine: {}", sandbox.describe());
        assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0, "the self-test left something");
        std::fs::remove_dir(scratch).unwrap();
        sandbox
    }

    /// In the slot, with the store and the cache, as the hub would.
    pub fn command(&self, argv: &[&str]) -> Confined {
        let argv: Vec<String> = argv.iter().map(|it| it.to_string()).collect();
        let slot = self.path("slot");
        let mut cmd = Confined::new(&argv, &slot, &slot, self.env.clone());
        cmd.read_only = vec![self.path("store")];
        cmd.writable = vec![self.path("cache")];
        cmd.timeout_ms_max = 60_000;
        cmd
    }

    /// A script with this lab's paths and numbers in it.
    pub fn fill(&self, script: &str) -> String {
        let port = |it: &TcpListener| it.local_addr().unwrap().port().to_string();
        script
            .replace("{root}", &self.dir.path().to_string_lossy())
            .replace("{home}", &self.path("home").to_string_lossy())
            .replace("{tcp}", &port(&self.tcp))
            .replace("{tcp6}", &self.tcp6.as_ref().map_or("9".into(), port))
            .replace("{udp}", &self.udp.local_addr().unwrap().port().to_string())
            .replace("{host}", &self.host.id().to_string())
            .replace("{daemon}", &std::process::id().to_string())
            .replace("{name}", &self.name)
    }

    /// What is no longer as it was outside the slot and the cache; empty when all is well.
    pub fn damage(&mut self) -> Vec<String> {
        let mut damage = Vec::new();
        let after = files(self.dir.path());
        let free = |path: &Path| {
            let inside =
                path.starts_with(self.path("slot")) || path.starts_with(self.path("cache"));
            inside && path != self.path("slot/.git")
        };
        for path in self.before.keys().chain(after.keys()).filter(|it| !free(it)) {
            if self.before.get(path) != after.get(path) {
                damage.push(format!("changed: {}", path.display()));
            }
        }
        if self.tcp.accept().is_ok() {
            damage.push("a connection by TCP".into());
        }
        if self.udp.recv(&mut [0; 8]).is_ok() {
            damage.push("a datagram".into());
        }
        if self.path_socket.accept().is_ok() || self.name_socket.accept().is_ok() {
            damage.push("a connection by a local socket".into());
        }
        if self.host.try_wait().unwrap().is_some() {
            damage.push("a process of the host was ended".into());
        }
        damage
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

/// Every file below, with its content and mode.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut dirs = vec![root.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().flatten() {
            let meta = entry.path().symlink_metadata().unwrap();
            let mut state = format!("{:o} ", meta.permissions().mode()).into_bytes();
            if meta.is_dir() {
                dirs.push(entry.path());
            } else if meta.is_file() {
                // A file that was closed to us has another mode, which tells enough.
                state.extend(std::fs::read(entry.path()).unwrap_or_default());
            }
            all.insert(entry.path(), state);
        }
    }
    all
}

pub async fn run(sandbox: &Sandbox, cmd: &Confined) -> Finished {
    sandbox.run(cmd, &CancellationToken::new()).await.unwrap()
}

pub fn text(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.output).into_owned()
}

/// Waits for a condition, at most so long. Returns how long it took.
pub fn wait_for(what: &str, most: Duration, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < most, "waited {most:?} in vain: {what}");
        // The condition is about other processes, which tell nobody when it comes true.
        std::thread::park_timeout(Duration::from_millis(2));
    }
    begun.elapsed()
}

/// Processes of the host with this word in their command line.
pub fn alive(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let numbered = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        if numbered && line.contains(word) {
            found.push(format!("{} {line}", entry.file_name().display()));
        }
    }
    found
}

pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Runs one test of this binary again, as a command line.
pub fn again(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command
}

/// Runs one test of this binary again as an ordinary user, in a world-readable copy below `/tmp`.
pub fn again_as_ordinary_user(test: &str) {
    if !is_root() {
        println!("skipped: this is an ordinary user already; the test itself ran as one");
        return;
    }
    let dir = tempfile::Builder::new().prefix("ordinary").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (tests, baton, lab) =
        (dir.path().join("tests"), dir.path().join("baton"), dir.path().join("lab"));
    std::fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
    std::fs::copy(launcher(), &baton).unwrap();
    std::fs::create_dir(&lab).unwrap();
    std::os::unix::fs::chown(&lab, Some(65534), Some(65534)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&tests)
        .args(["--exact", test, "--nocapture"])
        .current_dir(&lab)
        .env("HOME", &lab)
        .env("TMPDIR", &lab)
        // Root's own toolchains are closed to others.
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env_remove("PYENV_ROOT")
        .env("BATON_TEST_LAB", &lab)
        .env("BATON_TEST_LAUNCHER", &baton);
    let output = command.output().expect("setpriv is needed (util-linux)");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "as an ordinary user: {said}");
}

/// For tools that a machine may lack. Returns whether the test can go on.
pub fn need(tool: &str, there: bool) -> bool {
    let required = std::env::var("BATON_TEST_REQUIRE").as_deref() == Ok("all");
    assert!(there || !required, "{tool} is missing, and BATON_TEST_REQUIRE=all");
    if !there {
        println!("skipped: {tool} is missing");
    }
    there
}

pub fn on_path(env: &Environment, program: &str) -> bool {
    std::env::split_paths(&env.vars["PATH"]).any(|it| it.join(program).is_file())
}
