//! The hidden side of the binary: small single-threaded programs around a command. They restrict
//! themselves and become the command, so the many-threaded daemon never forks by hand.
//!
//! `supervise -- PROGRAM ARGS` holds the lifeline: its standard input is a pipe whose other end only
//! the daemon has. `stage2 OPTIONS -- CMD` runs inside bubblewrap, raises the walls and becomes the
//! command; `alone OPTIONS -- CMD` raises those that need no namespace. `plain DIR -- CMD` is for a
//! command that a person approved without walls.
//!
//! Standard error is a line to the daemon until the command starts; then both its outputs are one.

use super::walls::Sockets;
use super::{canary, folders, walls};
use rustix::process::{Pid, Signal, WaitOptions};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio, exit};
use std::time::{Duration, Instant};

pub(super) const SUPERVISE: &str = "supervise";
pub(super) const STAGE2: &str = "stage2";
pub(super) const ALONE: &str = "alone";
pub(super) const PLAIN: &str = "plain";
/// For a supervisor: nothing that it starts may signal anything else, so that it can end them all.
pub(super) const SCOPED: &str = "--scoped";
/// Said to the daemon when the next step is the command itself.
pub(super) const READY: &str = "baton: ready";

/// A stage refuses to go on.
const REFUSED: i32 = 125;
/// As shells: the program was not found, or is not one.
const NOT_STARTED: i32 = 127;
/// How long a supervisor goes on killing what is left.
const KILL_MS_MAX: u64 = 5_000;

/// The hidden subcommand; `args` are those after `__launch`. Call it before anything else is done.
pub fn launch(args: impl Iterator<Item = OsString>) -> ! {
    close_fds::set_fds_cloexec(3, &[]);
    let mut args = args;
    let stage = args.next().unwrap_or_default();
    let done = match stage.to_str() {
        Some(SUPERVISE) => supervise(args),
        Some(STAGE2) => stage2(args),
        Some(ALONE) => alone(args),
        Some(PLAIN) => plain(args),
        Some(canary::CANARIES) => canary::release(args),
        _ => Err("this argument is for baton itself".into()),
    };
    match done {
        Ok(code) => exit(code),
        Err(why) => {
            // The daemon reads this; if it is gone, nobody does.
            let _ = writeln!(std::io::stderr(), "baton: {why}");
            exit(REFUSED)
        }
    }
}

/// Starts a program and outlives it only to kill what it left.
fn supervise(args: impl Iterator<Item = OsString>) -> Result<i32, String> {
    let mut words = args.peekable();
    let scoped = words.next_if(|it| it == SCOPED).is_some();
    if scoped {
        scope()?;
    }
    let mut words = words.skip_while(|it| it == "--");
    let program = words.next().ok_or("supervise what?")?;
    // Whoever loses its parent below becomes our child, so that we find and kill it.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| format!("become the reaper: {error}"))?;
    let mut child = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("start {}: {error}", program.display()))?;
    let pid = Pid::from_child(&child);
    // The child dies with the thread that started it, this one; so another one watches.
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // Nothing is ever written to a lifeline: whatever ends this read, it is cut.
        let _ = std::io::stdin().take(1).read_to_end(&mut rest);
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    });
    let status =
        child.wait().map_err(|error| format!("wait for {}: {error}", program.display()))?;
    if scoped {
        kill_all_in_scope();
    }
    kill_the_rest();
    Ok(code_of(status))
}

/// Puts this process into a scope of signals, and proves that it is in one: its own parent, whose
/// user is the same, must be out of its reach.
fn scope() -> Result<(), String> {
    walls::scope_signals().map_err(|it| format!("Landlock: {it}"))?;
    let parent = rustix::process::getppid().ok_or("the daemon is gone")?;
    match rustix::process::test_kill_process(parent) {
        Err(rustix::io::Errno::PERM) => Ok(()),
        Ok(()) | Err(_) => Err("Landlock does not hold back signals".into()),
    }
}

/// Everything in the scope but this process, at one blow, so that no fork gets away: the kernel
/// delivers this signal while nobody can fork. It reaches nothing outside, which `scope` has proved.
fn kill_all_in_scope() {
    // To "everybody" is how the call is spelled; that nobody is left is no failure.
    let _ = rustix::process::kill_process_group(Pid::INIT, Signal::KILL);
}

fn code_of(status: ExitStatus) -> i32 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => REFUSED,
    }
}

/// Kills orphans that became ours, until there are none.
fn kill_the_rest() {
    let until = Instant::now() + Duration::from_millis(KILL_MS_MAX);
    while Instant::now() < until {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Err(_) => return,
            Ok(None) => {
                for pid in children() {
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Processes whose parent is this one.
fn children() -> Vec<Pid> {
    let me = rustix::process::getpid().as_raw_nonzero().get();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parent_of = |pid: i32| {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat).into_owned();
        // The name in brackets may hold anything, brackets and spaces too.
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse::<i32>().ok()
    };
    entries
        .flatten()
        .filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| parent_of(*pid) == Some(me))
        .filter_map(Pid::from_raw)
        .collect()
}

#[derive(Default)]
struct Inside {
    dir: PathBuf,
    host: String,
    readable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    cargo_config: Option<OsString>,
    network: bool,
    argv: Vec<OsString>,
}

fn read_options(mut args: impl Iterator<Item = OsString>) -> Result<Inside, String> {
    let mut inside = Inside::default();
    loop {
        let option = args.next().ok_or("an option is missing")?;
        let mut value = || args.next().ok_or("a value is missing".to_string());
        match option.to_str() {
            Some("--dir") => inside.dir = value()?.into(),
            Some("--host") => inside.host = value()?.to_string_lossy().into_owned(),
            Some("--read") => inside.readable.push(value()?.into()),
            Some("--write") => inside.writable.push(value()?.into()),
            Some("--cargo-config") => inside.cargo_config = Some(value()?),
            Some("--network") => inside.network = true,
            Some("--") => break,
            _ => return Err("an unknown option".into()),
        }
    }
    inside.argv = args.collect();
    Ok(inside)
}

/// Inside bubblewrap: raises the walls that bubblewrap does not have and becomes the command.
fn stage2(args: impl Iterator<Item = OsString>) -> Result<i32, String> {
    let inside = read_options(args)?;
    check_namespaces(&inside)?;
    if let Some(config) = &inside.cargo_config {
        let file = Path::new(folders::CARGO_HOME).join("config.toml");
        std::fs::write(file, config.as_encoded_bytes())
            .map_err(|error| format!("write cargo's configuration: {error}"))?;
    }
    let bounded = walls::limit(true)?;
    let abi = walls::landlock(&inside.writable).map_err(|it| format!("Landlock: {it}"))?;
    walls::seccomp(Sockets::Own).map_err(|it| format!("seccomp: {it}"))?;
    let note = format!("landlock={abi} bounded={}", u8::from(bounded));
    become_command(&inside.dir, &inside.argv, &note)
}

/// On the host's own root: raises the walls that need no namespace and becomes the command.
fn alone(args: impl Iterator<Item = OsString>) -> Result<i32, String> {
    let inside = read_options(args)?;
    rustix::process::setsid().map_err(|error| format!("leave the terminal: {error}"))?;
    walls::drop_capabilities()?;
    let bounded = walls::limit(false)?;
    let abi = walls::landlock_alone(&inside.readable, &inside.writable, inside.network)
        .map_err(|it| format!("Landlock: {it}"))?;
    let sockets = if inside.network { Sockets::Network } else { Sockets::None };
    walls::seccomp(sockets).map_err(|it| format!("seccomp: {it}"))?;
    let note = format!("landlock={abi} bounded={}", u8::from(bounded));
    become_command(&inside.dir, &inside.argv, &note)
}

/// For an approved command: its own process group, one output, no walls.
fn plain(mut args: impl Iterator<Item = OsString>) -> Result<i32, String> {
    let dir = PathBuf::from(args.next().ok_or("no folder")?);
    let argv: Vec<OsString> = args.skip(1).collect();
    rustix::process::setsid().map_err(|error| format!("leave the terminal: {error}"))?;
    become_command(&dir, &argv, "")
}

/// Joins the outputs and becomes the command. Only returns when that fails, which is then the
/// command's own ending, as in a shell.
fn become_command(dir: &Path, argv: &[OsString], note: &str) -> Result<i32, String> {
    let (program, rest) = argv.split_first().ok_or("no command")?;
    writeln!(std::io::stderr(), "{READY} {note}").map_err(|error| error.to_string())?;
    rustix::stdio::dup2_stderr(std::io::stdout())
        .map_err(|error| format!("join the outputs: {error}"))?;
    let error = match std::env::set_current_dir(dir) {
        Err(error) => format!("baton: no folder {}: {error}", dir.display()),
        Ok(()) => {
            let error = Command::new(program).args(rest).env("PWD", dir).exec();
            format!("baton: cannot start {}: {error}", program.display())
        }
    };
    let _ = writeln!(std::io::stderr(), "{error}");
    Ok(NOT_STARTED)
}

/// The namespaces that a command must not share with the daemon.
const NAMESPACES: [&str; 7] = ["user", "mnt", "pid", "ipc", "uts", "cgroup", "net"];

/// This process's namespaces, `user:[1] mnt:[2] ...`.
pub(super) fn namespaces() -> std::io::Result<String> {
    let read = |name: &&str| {
        let text = std::fs::read_link(Path::new("/proc/self/ns").join(name))?;
        Ok(text.to_string_lossy().into_owned())
    };
    let all: std::io::Result<Vec<String>> = NAMESPACES.iter().map(read).collect();
    Ok(all?.join(" "))
}

/// A bubblewrap that left one out is no bubblewrap.
fn check_namespaces(inside: &Inside) -> Result<(), String> {
    let ours = namespaces().map_err(|error| format!("read the namespaces: {error}"))?;
    let host: Vec<&str> = inside.host.split(' ').collect();
    if host.len() != NAMESPACES.len() {
        return Err("the host's namespaces are unknown".into());
    }
    let shared = ours.split(' ').find(|it| {
        let allowed = inside.network && it.starts_with("net:");
        host.contains(it) && !allowed
    });
    match shared {
        Some(it) => Err(format!("it is not inside a sandbox, it shares {it}")),
        None => Ok(()),
    }
}
