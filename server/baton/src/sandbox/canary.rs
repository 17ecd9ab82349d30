//! Canaries: what a command must not be able to do, tried by this binary inside the sandbox, and
//! what must work there. One line each; the daemon trusts a sandbox only if every line is right.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const CANARIES: &str = "canaries";
/// The last line of a full report.
const DONE: &str = "done";
/// A host that does not answer at once is out of reach.
const CONNECT_MS_MAX: u64 = 300;
/// bubblewrap's first process and the canaries.
const PROCESSES_MAX: usize = 2;

/// What the canaries try, laid out by the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bait {
    pub(super) slot: PathBuf,
    /// Holds the file `secret`; not bound.
    pub(super) outside: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) abstract_name: String,
    pub(super) port: u16,
    /// A process of the host.
    pub(super) pid: i32,
    /// Written to `slot/proof`, so that a report cannot be made up by a program that ran nothing.
    pub(super) nonce: String,
    /// Paths in the user's home that are not bound.
    pub(super) home: Vec<PathBuf>,
}

impl Bait {
    pub(super) fn words(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = vec![
            text(&self.slot),
            text(&self.outside),
            text(&self.socket),
            self.abstract_name.clone(),
            self.port.to_string(),
            self.pid.to_string(),
            self.nonce.clone(),
        ];
        words.extend(self.home.iter().map(|it| text(it)));
        words
    }

    fn read(args: impl Iterator<Item = OsString>) -> Option<Bait> {
        let mut args = args.map(|it| it.to_string_lossy().into_owned());
        Some(Bait {
            slot: args.next()?.into(),
            outside: args.next()?.into(),
            socket: args.next()?.into(),
            abstract_name: args.next()?,
            port: args.next()?.parse().ok()?,
            pid: args.next()?.parse().ok()?,
            nonce: args.next()?,
            home: args.map(PathBuf::from).collect(),
        })
    }
}

/// Where the canaries are: what is walled off differs, and so does what must work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A root and namespaces of their own, at level `Full`.
    OwnRoot,
    /// The host's root, at level `Reduced`.
    HostRoot,
}

impl Place {
    pub(super) fn word(self) -> &'static str {
        match self {
            Place::OwnRoot => "own-root",
            Place::HostRoot => "host-root",
        }
    }

    fn canaries(self) -> &'static [Canary] {
        match self {
            Place::OwnRoot => &IN_OWN_ROOT,
            Place::HostRoot => &ON_HOST_ROOT,
        }
    }
}

/// `Err` says how a forbidden thing succeeded, or how an allowed one failed.
type Tried = Result<(), String>;
type Canary = (&'static str, fn(&Bait) -> Tried);

const IN_OWN_ROOT: [Canary; 14] = [
    ("the .git pointer", pointer),
    ("files outside", outside),
    ("the home folder", home),
    ("the host's loopback", loopback),
    ("the host's sockets", sockets),
    ("the host's processes", processes),
    ("capabilities and seccomp", status),
    ("Landlock", landlock),
    ("odd sockets", odd_sockets),
    ("the environment", environment),
    ("writing the slot", slot),
    ("writing the private folder", private),
    ("a loopback server", loopback_server),
    ("a local socket", local_socket),
];

const ON_HOST_ROOT: [Canary; 13] = [
    ("files outside", outside),
    ("the home folder", closed_home),
    ("the host's loopback", loopback),
    ("the host's sockets", sockets),
    ("the host's processes", closed_processes),
    ("capabilities and seccomp", status_alone),
    ("Landlock", landlock),
    ("sockets of any kind", all_sockets),
    ("the environment", private_environment),
    ("writing the slot", slot),
    ("writing the private folder", private),
    ("a pair of sockets", socket_pair),
    ("a changed .git pointer", change_pointer),
];

/// Tries all, prints the report.
pub(super) fn release(args: impl Iterator<Item = OsString>) -> Result<i32, String> {
    let mut args = args;
    let word = args.next().unwrap_or_default();
    let place = [Place::OwnRoot, Place::HostRoot].into_iter().find(|it| word == it.word());
    let place = place.ok_or("canaries where?")?;
    let bait = Bait::read(args).ok_or("the bait is incomplete")?;
    let mut report = String::new();
    for (name, canary) in place.canaries() {
        match canary(&bait) {
            Ok(()) => report.push_str(&format!("right: {name}\n")),
            Err(how) => report.push_str(&format!("wrong: {name}: {how}\n")),
        }
    }
    report.push_str(DONE);
    let mut out = std::io::stdout();
    out.write_all(report.as_bytes()).map_err(|error| error.to_string())?;
    Ok(0)
}

/// `Err` names the first canary that went wrong or is missing.
pub(super) fn judge(report: &str, place: Place) -> Result<(), String> {
    let mut lines = report.lines();
    for (name, _) in place.canaries() {
        let line = lines.next().unwrap_or_default();
        if let Some(how) = line.strip_prefix("wrong: ") {
            return Err(how.into());
        }
        if line != format!("right: {name}") {
            return Err(format!("{name}: the self-test did not get that far"));
        }
    }
    match (lines.next(), lines.next()) {
        (Some(DONE), None) => Ok(()),
        _ => Err("the self-test's report is not whole".into()),
    }
}

fn forbidden<T, E>(tried: Result<T, E>, what: &str) -> Tried {
    match tried {
        Ok(_) => Err(format!("a command could {what}")),
        Err(_) => Ok(()),
    }
}

fn needed<T, E: std::fmt::Display>(tried: Result<T, E>, what: &str) -> Result<T, String> {
    tried.map_err(|error| format!("a command could not {what}: {error}"))
}

fn pointer(bait: &Bait) -> Tried {
    let pointer = bait.slot.join(".git");
    let open = OpenOptions::new().write(true).open(&pointer);
    forbidden(open, "open it for writing")?;
    forbidden(fs::remove_file(&pointer), "remove it")?;
    let other = bait.slot.join("other");
    needed(fs::write(&other, "gitdir: elsewhere"), "write the slot")?;
    forbidden(fs::rename(&other, &pointer), "replace it")?;
    forbidden(fs::rename(&bait.slot, "/tmp/slot"), "move the slot")?;
    needed(fs::read(&pointer), "read it").map(|_| ())
}

fn outside(bait: &Bait) -> Tried {
    forbidden(fs::read(bait.outside.join("secret")), "read a file there")?;
    // Below a private `/tmp` these two may succeed, in memory: the daemon looks at the real folders.
    for dir in [bait.slot.parent().unwrap_or(&bait.slot), &bait.outside] {
        let _ = fs::write(dir.join("new"), "x");
    }
    for file in ["/new", "/usr/new", "/etc/new", "/dev/new", "/etc/shadow"] {
        forbidden(
            OpenOptions::new().append(true).create(true).open(file),
            &format!("write {file}"),
        )?;
    }
    Ok(())
}

fn home(bait: &Bait) -> Tried {
    for path in &bait.home {
        forbidden(path.symlink_metadata(), &format!("see {}", path.display()))?;
    }
    Ok(())
}

/// Landlock does not hide names, but nothing in them can be read or listed.
fn closed_home(bait: &Bait) -> Tried {
    for path in &bait.home {
        forbidden(fs::read_dir(path), &format!("list {}", path.display()))?;
        forbidden(fs::File::open(path), &format!("open {}", path.display()))?;
    }
    Ok(())
}

fn loopback(bait: &Bait) -> Tried {
    let wait = Duration::from_millis(CONNECT_MS_MAX);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], bait.port));
    forbidden(TcpStream::connect_timeout(&address, wait), "connect to it")
}

fn sockets(bait: &Bait) -> Tried {
    forbidden(UnixStream::connect(&bait.socket), "connect to a path")?;
    let name = needed(SocketAddr::from_abstract_name(&bait.abstract_name), "name a socket")?;
    forbidden(UnixStream::connect_addr(&name), "connect to a name")
}

fn processes(bait: &Bait) -> Tried {
    let listed = needed(fs::read_dir("/proc"), "list /proc")?;
    let numbers = listed.flatten().filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok());
    let count = numbers.count();
    if PROCESSES_MAX < count {
        return Err(format!("a command could see {count} processes"));
    }
    // A small number may by chance be one of the sandbox's own.
    match rustix::process::Pid::from_raw(bait.pid) {
        Some(pid) if PROCESSES_MAX < bait.pid as usize => {
            forbidden(rustix::process::test_kill_process(pid), "signal one")
        }
        _ => Ok(()),
    }
}

/// Of the host's processes not even the command line can be read, and none can be signalled or
/// limited.
fn closed_processes(bait: &Bait) -> Tried {
    forbidden(fs::read_dir("/proc"), "list /proc")?;
    for name in ["cmdline", "environ", "status"] {
        for pid in [1, bait.pid] {
            let file = format!("/proc/{pid}/{name}");
            forbidden(fs::read(&file), &format!("read {file}"))?;
        }
    }
    let pid = needed(rustix::process::Pid::from_raw(bait.pid).ok_or("zero"), "name a process")?;
    forbidden(rustix::process::test_kill_process(pid), "signal one")?;
    let limit = rustix::process::Rlimit { current: None, maximum: None };
    let resource = rustix::process::Resource::Core;
    forbidden(rustix::process::prlimit(Some(pid), resource, limit), "limit one")
}

fn status(_: &Bait) -> Tried {
    let none = "0000000000000000";
    let all = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    statuses(&all.map(|it| (it, none)))
}

/// An ordinary user can't shrink the bounding set, which without new privileges bounds nothing.
fn status_alone(_: &Bait) -> Tried {
    let none = "0000000000000000";
    statuses(&["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|it| (it, none)))
}

fn statuses(capabilities: &[(&str, &str)]) -> Tried {
    let text = needed(fs::read_to_string("/proc/self/status"), "read its status")?;
    let fixed = [("NoNewPrivs", "1"), ("Seccomp", "2")];
    for (name, right) in capabilities.iter().chain(&fixed) {
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key == *name).then_some(value.trim())
        });
        if value != Some(*right) {
            return Err(format!("{name} is {}", value.unwrap_or("unknown")));
        }
    }
    Ok(())
}

fn landlock(_: &Bait) -> Tried {
    // Nothing but Landlock forbids a process to rename itself.
    forbidden(fs::write("/proc/self/comm", "x"), "write below /proc")
}

fn odd_sockets(_: &Bait) -> Tried {
    use rustix::net::{AddressFamily, SocketType, socket};
    let kernel_crypto = AddressFamily::from_raw(libc::AF_ALG as u16);
    for family in [AddressFamily::VSOCK, kernel_crypto, AddressFamily::PACKET] {
        let tried = socket(family, SocketType::STREAM, None);
        if !matches!(tried, Err(rustix::io::Errno::PERM)) {
            return Err(format!("seccomp lets through family {}", family.as_raw()));
        }
    }
    Ok(())
}

fn all_sockets(bait: &Bait) -> Tried {
    use rustix::net::{AddressFamily as Family, SocketType, socket};
    odd_sockets(bait)?;
    for family in [Family::UNIX, Family::INET, Family::INET6, Family::NETLINK] {
        for kind in [SocketType::STREAM, SocketType::DGRAM, SocketType::RAW] {
            if !matches!(socket(family, kind, None), Err(rustix::io::Errno::PERM)) {
                return Err(format!("seccomp lets through family {}", family.as_raw()));
            }
        }
    }
    Ok(())
}

fn socket_pair(_: &Bait) -> Tried {
    needed(UnixStream::pair(), "make one").map(|_| ())
}

/// Nothing holds it back there; the daemon must notice.
fn change_pointer(bait: &Bait) -> Tried {
    needed(fs::write(bait.slot.join(".git"), "gitdir: elsewhere\n"), "write it")
}

fn environment(_: &Bait) -> Tried {
    let home = std::env::var_os("HOME");
    if home.as_deref() != Some(super::folders::HOME.as_ref()) {
        return Err("HOME is the user's".into());
    }
    Ok(())
}

fn private_environment(_: &Bait) -> Tried {
    let var = |name| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let (tmp, home, cargo) = (var("TMPDIR"), var("HOME"), var("CARGO_HOME"));
    if !tmp.is_absolute() || home != tmp.join("home") || cargo != home.join(".cargo") {
        return Err("HOME is the user's".into());
    }
    Ok(())
}

fn slot(bait: &Bait) -> Tried {
    needed(fs::write(bait.slot.join("proof"), &bait.nonce), "write there")
}

fn private(_: &Bait) -> Tried {
    let home = needed(std::env::var_os("HOME").ok_or("there is none"), "find its home")?;
    let file = Path::new(&home).join("file");
    needed(fs::write(file, "x"), "write there")?;
    needed(fs::write("/dev/null", "x"), "write /dev/null")
}

fn loopback_server(_: &Bait) -> Tried {
    let server = needed(TcpListener::bind("127.0.0.1:0"), "listen")?;
    let address = needed(server.local_addr(), "listen")?;
    let mut client = needed(TcpStream::connect(address), "connect")?;
    let (mut peer, _) = needed(server.accept(), "accept")?;
    needed(client.write_all(b"x"), "write")?;
    needed(peer.read_exact(&mut [0]), "read")
}

fn local_socket(_: &Bait) -> Tried {
    let server = needed(UnixListener::bind("/tmp/socket"), "listen")?;
    needed(UnixStream::connect("/tmp/socket"), "connect")?;
    needed(server.accept(), "accept").map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_report_without_a_wrong_line_is_right() {
        for place in [Place::OwnRoot, Place::HostRoot] {
            let lines = place.canaries().iter().map(|(name, _)| format!("right: {name}\n"));
            let whole = lines.collect::<String>() + DONE;
            let judge = |report: &str| judge(report, place);
            assert_eq!(judge(&whole), Ok(()));
            assert!(judge("").is_err());
            assert!(judge(DONE).is_err());
            for cut in (0..whole.len()).filter(|it| whole.is_char_boundary(*it)) {
                assert!(judge(&whole[..cut]).is_err(), "cut at {cut}");
            }
            assert!(judge(&(whole.clone() + "\nmore")).is_err());
            for (name, _) in place.canaries() {
                let right = format!("right: {name}\n");
                let bad = whole.replace(&right, &format!("wrong: {name}: how\n"));
                assert_eq!(judge(&bad), Err(format!("{name}: how")));
            }
        }
        let lines = IN_OWN_ROOT.map(|(name, _)| format!("right: {name}\n"));
        assert!(judge(&(lines.concat() + DONE), Place::HostRoot).is_err(), "another's report");
    }

    #[test]
    fn bait_survives_the_command_line() {
        let bait = Bait {
            slot: "/s s/slot".into(),
            outside: "/o".into(),
            socket: "/k".into(),
            abstract_name: "name".into(),
            port: 4711,
            pid: 9,
            nonce: "n".into(),
            home: vec!["/h/.ssh".into(), "/h/.aws".into()],
        };
        let words = bait.words().into_iter().map(OsString::from);
        assert_eq!(Bait::read(words), Some(bait));
    }

    #[test]
    fn outside_a_sandbox_the_canaries_sing() {
        // Baton's own team runs these tests in a sandbox, where no canary can sing.
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        if host.trim_end() == "sandbox" {
            return;
        }
        // The same canaries in this unconfined process: they must notice.
        let dir = tempfile::tempdir().unwrap();
        let slot = dir.path().join("slot");
        let outside_dir = dir.path().join("outside");
        fs::create_dir_all(&slot).unwrap();
        fs::create_dir_all(&outside_dir).unwrap();
        fs::write(slot.join(".git"), "gitdir: x").unwrap();
        fs::write(outside_dir.join("secret"), "x").unwrap();
        let _server = UnixListener::bind(dir.path().join("s")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let bait = Bait {
            slot,
            outside: outside_dir,
            socket: dir.path().join("s"),
            abstract_name: "unused".into(),
            port: tcp.local_addr().unwrap().port(),
            pid: rustix::process::getpid().as_raw_nonzero().get(),
            nonce: "n".into(),
            home: vec![dir.path().into()],
        };
        let sings: [fn(&Bait) -> Tried; 13] = [
            pointer,
            outside,
            home,
            closed_home,
            loopback,
            sockets,
            processes,
            closed_processes,
            status,
            status_alone,
            odd_sockets,
            all_sockets,
            private_environment,
        ];
        assert_eq!(sings.iter().filter(|canary| canary(&bait).is_ok()).count(), 0);
    }
}
