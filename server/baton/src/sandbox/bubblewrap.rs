//! The arguments of bubblewrap: an empty root, the mounts, new namespaces, and stage 2 in it.

use super::folders::{self, Kind, Mount, TMP};
use super::{Confined, LAUNCH_ARGUMENT, LAUNCHER_INSIDE, launcher};
use std::ffi::OsString;
use std::path::Path;
use team::{Code, Failure};

/// Most that a command can put into its private `/tmp`, which is memory.
const TMP_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The same for `/dev/shm`.
const SHARED_MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What stands between the path of bubblewrap and the end of the line.
pub(super) fn arguments(
    mounts: &[Mount],
    launcher: &Path,
    cmd: &Confined,
) -> Result<Vec<OsString>, Failure> {
    let mut args = namespaces(cmd.network);
    let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
        args.extend(words.iter().map(|it| it.as_ref().to_os_string()));
    };
    let tmp_size = TMP_BYTES_MAX.to_string();
    let shared_size = SHARED_MEMORY_BYTES_MAX.to_string();
    add(&[&"--tmpfs", &"/", &"--proc", &"/proc", &"--dev", &"/dev"]);
    add(&[&"--size", &shared_size, &"--tmpfs", &"/dev/shm"]);
    add(&[&"--remount-ro", &"/dev"]);
    // First of all mounts, so that what lies under the host's /tmp is bound on top of it.
    add(&[&"--size", &tmp_size, &"--tmpfs", &TMP]);
    add(&[&"--dir", &folders::HOME, &"--dir", &folders::CARGO_HOME]);
    add(&[&"--symlink", &TMP, &"/var/tmp"]);
    for mount in mounts {
        match mount.kind {
            Kind::Writable => add(&[&"--bind", &mount.source, &mount.at]),
            Kind::ReadOnly => add(&[&"--ro-bind", &mount.source, &mount.at]),
            Kind::Hidden => add(&[&"--size", &"4096", &"--tmpfs", &mount.at]),
            Kind::Link => add(&[&"--symlink", &mount.source, &mount.at]),
        }
    }
    add(&[&"--ro-bind", &launcher, &LAUNCHER_INSIDE]);
    add(&[&"--remount-ro", &"/"]);
    add(&[&"--", &LAUNCHER_INSIDE, &LAUNCH_ARGUMENT, &launcher::STAGE2]);
    add(&[&"--dir", &cmd.dir, &"--host", &host_namespaces()?]);
    if let Some(config) = folders::cargo_config(&cmd.env) {
        add(&[&"--cargo-config", &config]);
    }
    if cmd.network {
        add(&[&"--network"]);
    }
    for mount in mounts.iter().filter(|it| it.kind == Kind::Writable) {
        add(&[&"--write", &mount.at]);
    }
    add(&[&"--"]);
    args.extend(cmd.argv.iter().map(OsString::from));
    Ok(args)
}

fn namespaces(network: bool) -> Vec<OsString> {
    let mut args = vec![
        // Not `--unshare-all`: that one goes on where a namespace is missing.
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--hostname",
        "sandbox",
    ];
    if !network {
        args.push("--unshare-net");
    }
    args.into_iter().map(OsString::from).collect()
}

/// The daemon's own namespaces; stage 2 refuses to be in any of them.
fn host_namespaces() -> Result<String, Failure> {
    launcher::namespaces().map_err(|error| {
        Failure::new(Code::NoSandbox, format!("read this process's namespaces: {error}"))
            .hint("mount /proc")
    })
}
