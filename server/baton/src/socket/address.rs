//! Where the daemon of a user and of one configuration lies, and who is at the other end.

use crate::config::Home;
use crate::protocol::PROTOCOL_VERSION;
use sha2::{Digest, Sha256};
use std::fs::DirBuilder;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use team::{Code, Failure};
use tokio::net::UnixStream;

/// Systems keep a socket's path in about a hundred bytes.
const PATH_BYTES_MAX: usize = 100;

/// The places of one daemon. Its name holds the version of the protocol, the user, and where the
/// configuration and the state lie: whoever names others has a daemon of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub socket: PathBuf,
    /// Held as long as the daemon lives; names its process.
    pub lock: PathBuf,
    pub log: PathBuf,
}

impl Address {
    pub fn of(home: &Home) -> Address {
        let mut hash = Sha256::new();
        hash.update(rustix::process::getuid().as_raw().to_le_bytes());
        for path in [&home.state_dir, &home.config_file] {
            hash.update(path.as_os_str().as_bytes());
            hash.update([0]);
        }
        let hash: String = hash.finalize().iter().take(5).map(|it| format!("{it:02x}")).collect();
        let name = format!("v{PROTOCOL_VERSION}-{hash}");
        let folder = home.state_dir.join("daemon");
        let runtime = home.runtime_dir.as_ref().map(|it| it.join("baton"));
        let socket = runtime.unwrap_or_else(|| folder.clone()).join(format!("{name}.sock"));
        let socket = match socket.as_os_str().len() {
            PATH_BYTES_MAX.. => short(&name),
            _ => socket,
        };
        Address { socket, lock: folder.join(format!("{name}.lock")), log: folder.join("log") }
    }

    /// Makes the folders, for this user alone. Errors: `Store`; one of them is somebody else's.
    pub fn prepare(&self) -> Result<(), Failure> {
        let folders = [self.socket.parent(), self.lock.parent()];
        folders.into_iter().flatten().try_for_each(private)
    }
}

fn short(name: &str) -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    PathBuf::from(format!("/tmp/baton-{user}/{name}.sock"))
}

/// Makes a folder that is 0700, or sees that it is.
fn private(dir: &Path) -> Result<(), Failure> {
    let shown = dir.display();
    let fail = |why: std::io::Error| Failure::new(Code::Store, format!("make {shown}: {why}"));
    if let Err(why) = DirBuilder::new().mode(0o700).recursive(true).create(dir) {
        return Err(fail(why));
    }
    let about = std::fs::symlink_metadata(dir).map_err(fail)?;
    let is_own = about.is_dir() && about.uid() == rustix::process::getuid().as_raw();
    if is_own && about.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(Code::Store, format!("use {shown}: others could reach into it"))
        .hint(format!("it has to be yours alone: chmod 700 {shown}")))
}

/// Whether the process at the other end is this user's.
pub fn is_own(stream: &UnixStream) -> bool {
    let uid = rustix::process::getuid().as_raw();
    stream.peer_cred().is_ok_and(|it| it.uid() == uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn home(dir: &Path, runtime_dir: Option<PathBuf>) -> Home {
        Home {
            config_file: dir.join("config.toml"),
            state_dir: dir.join("state"),
            cache_dir: dir.join("cache"),
            runtime_dir,
        }
    }

    #[test]
    fn each_configuration_has_its_own_and_no_path_is_too_long() {
        let run = Some(PathBuf::from("/run/user/7"));
        let one = Address::of(&home(Path::new("/a"), run.clone()));
        assert!(one.socket.starts_with("/run/user/7/baton"), "{one:?}");
        assert_ne!(one.socket, Address::of(&home(Path::new("/b"), run)).socket);
        assert!(Address::of(&home(Path::new("/a"), None)).socket.starts_with("/a/state/daemon"));
        let deep = Path::new("/a").join("b".repeat(200));
        assert!(Address::of(&home(&deep, None)).socket.as_os_str().len() < PATH_BYTES_MAX);
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::of(&home(dir.path(), None));
        address.prepare().unwrap();
        let folder = address.lock.parent().unwrap();
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).unwrap();
        assert!(address.prepare().unwrap_err().hint.contains("chmod 700"));
    }
}
