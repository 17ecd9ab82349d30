//! The self-test: lays out bait in a folder of ours, runs the canaries confined, and looks at what
//! they reported and at what they left.

use super::canary::{self, Bait, Place};
use super::{Confined, Environment, Full, LAUNCH_ARGUMENT, LAUNCHER_INSIDE, Lack, Reduced};
use super::{bubblewrap, folders, reduced as alone, watch};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use team::Failure;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A sandbox that takes longer to start is broken.
const PROBE_MS_MAX: u64 = 5_000;
/// Most entries of the user's home that the canaries look for.
const HOME_ENTRIES_MAX: usize = 64;
/// Looked for even where the user has none.
const ALWAYS_HIDDEN: [&str; 4] = [".ssh", ".aws", ".gnupg", ".netrc"];

const HOW_TO_INSTALL: &str = "install bubblewrap 0.8 or newer (Debian, Ubuntu: `sudo apt install \
     bubblewrap`; Fedora: `sudo dnf install bubblewrap`; Arch: `sudo pacman -S bubblewrap`), then \
     run `baton doctor`";
const HOW_TO_ALLOW: &str = "let bubblewrap make user namespaces (on Ubuntu 24.04 and newer it needs \
     an AppArmor profile that allows `userns`; elsewhere `sysctl kernel.unprivileged_userns_clone=1`; \
     in a container start it with user namespaces allowed), then run `baton doctor`";
const HOW_TO_REPORT: &str = "no command will run confined on this machine; checks can be approved \
     one by one; `baton doctor` prints what to report";

const HOW_TO_LAY_OUT: &str = "look at the rights and the free space of Baton's state folder";

fn lack(why: impl Into<String>, hint: &str) -> Lack {
    Lack { why: why.into(), hint: hint.into(), only_missing: false }
}

fn missing(why: impl Into<String>, hint: &str) -> Lack {
    Lack { only_missing: true, ..lack(why, hint) }
}

pub(super) async fn full(launcher: &Path, scratch: &Path, env: &Environment) -> Result<Full, Lack> {
    let begun = Instant::now();
    let Some(bwrap) = find_bwrap(env) else {
        return Err(missing("bubblewrap is not installed", HOW_TO_INSTALL));
    };
    let laid = lay_out(scratch, env).map_err(not_laid_out)?;
    let (seen, version) =
        tokio::join!(release_full(launcher, &bwrap, &laid, env), version_of(&bwrap));
    let (report, note) = seen.map_err(|failure| explain(&failure))?;
    laid.judge(&report, Place::OwnRoot)?;
    Ok(Full {
        bwrap,
        bwrap_version: version,
        landlock_abi: value(&note, "landlock").unwrap_or_default(),
        processes_bounded: value(&note, "bounded") == Some(1),
        took_ms: begun.elapsed().as_millis() as u64,
    })
}

pub(super) async fn reduced(
    launcher: &Path,
    scratch: &Path,
    env: &Environment,
    instead: &Lack,
) -> Result<Reduced, Lack> {
    let begun = Instant::now();
    let laid = lay_out(scratch, env).map_err(not_laid_out)?;
    let not_run = |text: &str| lack(format!("the self-test could not run: {text}"), HOW_TO_REPORT);
    let cmd = canaries(launcher, &laid, env, Place::HostRoot);
    let prepared =
        alone::prepare(&cmd, &[], launcher, scratch).map_err(|failure| not_run(&failure.text))?;
    let vars = folders::variables(env, false, &prepared.private);
    let seen = release(launcher, prepared.args.clone(), vars, true).await;
    // The last canary changed the pointer: a look that does not notice is no wall.
    let noticed = prepared.pointer.check().is_err();
    prepared.remove();
    let (report, note) = seen.map_err(|failure| not_run(&failure.text))?;
    laid.judge(&report, Place::HostRoot)?;
    if !noticed {
        let how = "the self-test failed: a changed .git pointer was not noticed";
        return Err(lack(how, HOW_TO_REPORT));
    }
    Ok(Reduced {
        instead: instead.clone(),
        scratch: scratch.to_path_buf(),
        landlock_abi: value(&note, "landlock").unwrap_or_default(),
        processes_bounded: value(&note, "bounded") == Some(1),
        took_ms: begun.elapsed().as_millis() as u64,
    })
}

fn not_laid_out(error: std::io::Error) -> Lack {
    lack(format!("the self-test could not be laid out: {error}"), HOW_TO_LAY_OUT)
}

/// A number in the note of stage 2, `name=1 other=2`.
fn value(note: &str, name: &str) -> Option<u32> {
    let mut pairs = note.split_whitespace().filter_map(|it| it.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then(|| value.parse().ok())?)
}

fn find_bwrap(env: &Environment) -> Option<PathBuf> {
    let dirs = std::env::split_paths(env.get("PATH").unwrap_or_default());
    dirs.filter(|it| it.is_absolute()).map(|it| it.join("bwrap")).find(|it| {
        it.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

/// Bait, alive until the test is over.
struct Laid {
    bait: Bait,
    dir: TempDir,
    _path: UnixListener,
    _name: UnixListener,
    _port: TcpListener,
}

const POINTER: &str = "gitdir: nowhere\n";

fn lay_out(scratch: &Path, env: &Environment) -> std::io::Result<Laid> {
    std::fs::create_dir_all(scratch)?;
    let dir = tempfile::Builder::new().prefix("probe-").tempdir_in(scratch.canonicalize()?)?;
    let (slot, outside) = (dir.path().join("slot"), dir.path().join("outside"));
    std::fs::create_dir(&slot)?;
    std::fs::create_dir(&outside)?;
    std::fs::write(slot.join(".git"), POINTER)?;
    std::fs::write(outside.join("secret"), "secret")?;
    // The path of a socket is at most 107 bytes long; a state folder may be deeper than that.
    let socket = dir.path().join("s");
    let socket = match socket.as_os_str().len() {
        ..=107 => socket,
        _ => std::env::temp_dir().join(dir.path().file_name().unwrap_or_default()),
    };
    let path = UnixListener::bind(&socket)?;
    let nonce = format!("{:?} {}", Instant::now(), dir.path().display());
    let abstract_name = format!("baton {}", dir.path().display());
    let abstract_name = abstract_name.chars().rev().take(100).collect::<String>();
    let name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?;
    let port = TcpListener::bind("127.0.0.1:0")?;
    let bait = Bait {
        outside,
        socket,
        abstract_name,
        port: port.local_addr()?.port(),
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        nonce,
        home: unbound_in_home(&confined(&slot, Vec::new(), env)),
        slot,
    };
    Ok(Laid { bait, dir, _path: path, _name: name, _port: port })
}

/// What lies in the user's home and is no part of any mount.
fn unbound_in_home(cmd: &Confined) -> Vec<PathBuf> {
    let Some(home) = cmd.env.get("HOME").map(PathBuf::from) else {
        return Vec::new();
    };
    let mounts = folders::mounts(cmd, &[]).unwrap_or_default();
    let there = std::fs::read_dir(&home).into_iter().flatten().flatten();
    let always = ALWAYS_HIDDEN.map(|it| home.join(it));
    always
        .into_iter()
        .chain(there.map(|it| it.path()))
        .filter(|path| {
            let private = [folders::TMP, "/dev", "/proc", "/run"];
            !private.iter().any(|it| path == Path::new(it))
                && !mounts.iter().any(|it| it.at.starts_with(path))
        })
        .take(HOME_ENTRIES_MAX)
        .collect()
}

fn confined(slot: &Path, argv: Vec<String>, env: &Environment) -> Confined {
    let mut cmd = Confined::new(&argv, slot, slot, env.clone());
    cmd.timeout_ms_max = PROBE_MS_MAX;
    cmd
}

/// The canaries' report, and the note of stage 2.
async fn release_full(
    launcher: &Path,
    bwrap: &Path,
    laid: &Laid,
    env: &Environment,
) -> Result<(String, String), Failure> {
    let cmd = canaries(Path::new(LAUNCHER_INSIDE), laid, env, Place::OwnRoot);
    let mut args = vec![bwrap.as_os_str().to_os_string()];
    args.extend(bubblewrap::arguments(&folders::mounts(&cmd, &[])?, launcher, &cmd)?);
    let vars = folders::variables(env, false, &folders::Private::inside());
    release(launcher, args, vars, false).await
}

fn canaries(launcher: &Path, laid: &Laid, env: &Environment, place: Place) -> Confined {
    let mut bait = laid.bait.clone();
    // Wherever it lies, a command may read this program.
    bait.home.retain(|it| it != launcher);
    let launcher = launcher.to_string_lossy().into_owned();
    let mut argv = vec![launcher, LAUNCH_ARGUMENT.into(), canary::CANARIES.into()];
    argv.push(place.word().into());
    argv.extend(bait.words());
    confined(&laid.bait.slot, argv, env)
}

async fn release(
    launcher: &Path,
    args: Vec<OsString>,
    vars: BTreeMap<String, String>,
    scoped: bool,
) -> Result<(String, String), Failure> {
    let stop = CancellationToken::new();
    let timeout_ms_max = PROBE_MS_MAX;
    let started = watch::Started {
        launcher,
        args,
        vars,
        scoped,
        timeout_ms_max,
        output_bytes_max: super::OUTPUT_BYTES_MAX,
        stop: &stop,
    };
    let seen = watch::watch(started).await?;
    let note = seen.note().unwrap_or_default().to_string();
    let finished = seen.finished(|said| Failure::new(team::Code::NoSandbox, said))?;
    let report = String::from_utf8_lossy(&finished.output).into_owned();
    Ok((report, note))
}

fn explain(failure: &Failure) -> Lack {
    let text = &failure.text;
    let about = |words: &[&str]| words.iter().any(|it| text.contains(it));
    if about(&["Unknown option"]) {
        missing(format!("bubblewrap is too old: {text}"), HOW_TO_INSTALL)
    } else if about(&["uid map", "namespace", "Operation not permitted", "Permission denied"]) {
        missing(format!("bubblewrap could not start: {text}"), HOW_TO_ALLOW)
    } else {
        lack(format!("the self-test could not run: {text}"), HOW_TO_REPORT)
    }
}

async fn version_of(bwrap: &Path) -> String {
    let mut command = tokio::process::Command::new(bwrap);
    command.arg("--version").env_clear().kill_on_drop(true);
    command.stdin(std::process::Stdio::null());
    let wait = Duration::from_millis(PROBE_MS_MAX);
    let text = match tokio::time::timeout(wait, command.output()).await {
        Ok(Ok(it)) => String::from_utf8_lossy(&it.stdout).into_owned(),
        Ok(Err(_)) | Err(_) => String::new(),
    };
    let version = text.trim().rsplit(' ').next().unwrap_or_default();
    match version {
        "" => "of unknown version".into(),
        version => version.chars().take(20).collect(),
    }
}

impl Laid {
    fn judge(&self, report: &str, place: Place) -> Result<(), Lack> {
        canary::judge(report, place)
            .and_then(|()| self.inspect(place))
            .map_err(|how| lack(format!("the self-test failed: {how}"), HOW_TO_REPORT))
    }

    /// What the canaries really left, whatever they said.
    fn inspect(&self, place: Place) -> Result<(), String> {
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        if read(self.bait.slot.join("proof")) != self.bait.nonce {
            return Err("the canaries did not run".into());
        }
        if place == Place::OwnRoot && read(self.bait.slot.join(".git")) != POINTER {
            return Err("the .git pointer was changed".into());
        }
        let count = |dir: &Path| std::fs::read_dir(dir).map_or(0, Iterator::count);
        // `secret`; and `slot`, `outside` and the socket, unless that had to lie elsewhere.
        if count(&self.bait.outside) != 1 || 3 < count(self.dir.path()) {
            return Err("something was written outside the slot".into());
        }
        Ok(())
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        // It may lie outside the folder that is removed. If it is gone, that is what we want.
        let _ = std::fs::remove_file(&self.bait.socket);
    }
}
