//! Level `Reduced`, where there are no namespaces: Landlock and seccomp alone, on the host's own
//! root. What an empty root does at level `Full` is done here by a list of paths, a private folder
//! on the disk, no sockets at all, and a look at the `.git` pointer afterwards.

use super::folders::{self, Kind, Private};
use super::{Confined, LAUNCH_ARGUMENT, launcher};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use team::{Code, Failure};
use tempfile::TempDir;

/// Begins the name of every private folder; what a killed process left is found by it.
const PRIVATE: &str = "private-";
/// Most folders that are looked into to leave a hidden one out.
const ENTRIES_MAX: usize = 4_096;
/// A pointer is one line.
const POINTER_BYTES_MAX: u64 = 4 * 1024;
/// Most folders that are made writable again to remove what a command left.
const REMOVED_MAX: usize = 100_000;

/// A command that is ready to be started below a scoped supervisor.
pub(super) struct Prepared {
    pub(super) args: Vec<OsString>,
    pub(super) private: Private,
    pub(super) pointer: Pointer,
    dir: TempDir,
}

/// Lays out a command's private folder and its list of paths. Errors: `WorktreeLost` when the slot
/// or its pointer is not what it should be, `NoSandbox` where this level cannot keep something apart.
pub(super) fn prepare(
    cmd: &Confined,
    hidden: &[PathBuf],
    launcher: &Path,
    scratch: &Path,
) -> Result<Prepared, Failure> {
    let pointer = Pointer::read(cmd)?;
    if let Some(bound) = cmd.bound.first() {
        return Err(inseparable(&bound.at, "the folder that it stands for"));
    }
    let unready = |error: std::io::Error| {
        Failure::new(Code::Command, format!("make a private folder for a command: {error}"))
            .hint("look at the free space of Baton's state folder")
    };
    std::fs::create_dir_all(scratch).map_err(unready)?;
    let scratch = scratch.canonicalize().map_err(unready)?;
    let dir = tempfile::Builder::new().prefix(PRIVATE).tempdir_in(scratch).map_err(unready)?;
    let private = Private::at(dir.path());
    std::fs::create_dir_all(&private.cargo_home).map_err(unready)?;
    if let Some(config) = folders::cargo_config(&cmd.env) {
        std::fs::write(private.cargo_home.join("config.toml"), config).map_err(unready)?;
    }
    let (mut readable, mut writable) = (vec![launcher.to_path_buf()], vec![]);
    let mounts = folders::mounts(cmd, hidden)?;
    let out_of_sight: Vec<&Path> =
        mounts.iter().filter(|it| it.kind == Kind::Hidden).map(|it| it.at.as_path()).collect();
    for mount in &mounts {
        match mount.kind {
            Kind::Writable if out_of_sight.iter().any(|it| it.starts_with(&mount.source)) => {
                return Err(inseparable(&mount.source, "a folder that must stay hidden"));
            }
            Kind::Writable => writable.push(mount.source.clone()),
            Kind::ReadOnly => {
                readable.extend(without(&mount.source, &out_of_sight)?);
            }
            // The kernel follows it to a folder that is on the list itself.
            Kind::Link | Kind::Hidden => {}
        }
        if let Ok(name) = mount.at.strip_prefix(folders::HOME) {
            let link = private.home.join(name);
            std::fs::create_dir_all(link.parent().unwrap_or(&private.home)).map_err(unready)?;
            std::os::unix::fs::symlink(&mount.source, link).map_err(unready)?;
        }
    }
    writable.push(private.tmp.clone());
    readable.extend(folders::cargo_configs_above(&cmd.dir));
    let args = arguments(cmd, launcher, &readable, &writable);
    Ok(Prepared { args, private, pointer, dir })
}

fn arguments(
    cmd: &Confined,
    launcher: &Path,
    readable: &[PathBuf],
    writable: &[PathBuf],
) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        vec![launcher.into(), LAUNCH_ARGUMENT.into(), launcher::ALONE.into()];
    args.extend(["--dir".into(), cmd.dir.clone().into()]);
    for (option, paths) in [("--read", readable), ("--write", writable)] {
        args.extend(paths.iter().flat_map(|it| [option.into(), it.clone().into()]));
    }
    if cmd.network {
        args.push("--network".into());
    }
    args.push("--".into());
    args.extend(cmd.argv.iter().map(OsString::from));
    args
}

fn inseparable(path: &Path, from: &str) -> Failure {
    let text = format!(
        "run a command confined: {} can't be kept apart from {from} without namespaces",
        path.display()
    );
    Failure::new(Code::NoSandbox, text)
        .hint("let bubblewrap make namespaces; `baton doctor` says how")
}

/// A folder, or what lies in it beside the hidden ones: a right to a folder is one to all of it.
fn without(root: &Path, hidden: &[&Path]) -> Result<Vec<PathBuf>, Failure> {
    // What was given inside of a hidden folder is shown.
    let hidden: Vec<&Path> = hidden.iter().copied().filter(|it| it.starts_with(root)).collect();
    let mut open = vec![root.to_path_buf()];
    let mut shown = Vec::new();
    let mut seen = 0;
    while let Some(path) = open.pop() {
        if hidden.iter().any(|it| path.starts_with(it)) {
            continue;
        }
        if !hidden.iter().any(|it| it.starts_with(&path)) {
            shown.push(path);
            continue;
        }
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            seen += 1;
            if ENTRIES_MAX < seen {
                return Err(inseparable(root, "a hidden folder deep inside it"));
            }
            open.push(entry.path());
        }
    }
    Ok(shown)
}

impl Prepared {
    /// Removes the private folder. The command may have closed folders in it to us.
    pub(super) fn remove(self) {
        let path = self.dir.keep();
        remove(&path);
    }
}

fn remove(path: &Path) {
    if std::fs::remove_dir_all(path).is_ok() {
        return;
    }
    let mut dirs = vec![path.to_path_buf()];
    for _ in 0..REMOVED_MAX {
        let Some(dir) = dirs.pop() else { break };
        // What can't be opened stays, and is tried again at the next start.
        let _ = std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o700));
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        dirs.extend(
            entries.filter(|it| it.file_type().is_ok_and(|it| it.is_dir())).map(|it| it.path()),
        );
    }
    let _ = std::fs::remove_dir_all(path);
}

/// Removes the private folders that a killed process left. Only for whoever owns `scratch`.
pub(super) fn sweep(scratch: &Path) {
    for entry in std::fs::read_dir(scratch).into_iter().flatten().flatten() {
        let is_private = entry.file_name().to_str().is_some_and(|it| it.starts_with(PRIVATE));
        if is_private && entry.file_type().is_ok_and(|it| it.is_dir()) {
            remove(&entry.path());
        }
    }
}

/// The slot's `.git` pointer as it was before a command. Landlock can't carve a file out of a
/// writable folder, so it is looked at afterwards.
pub(super) struct Pointer {
    slot: PathBuf,
    /// `None`: there is none, or the slot is not writable.
    was: Option<(u32, Vec<u8>)>,
}

impl Pointer {
    fn read(cmd: &Confined) -> Result<Pointer, Failure> {
        let slot = cmd.slot.clone();
        let path = slot.join(".git");
        if cmd.slot_read_only {
            return Ok(Pointer { slot, was: None });
        }
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Pointer { slot, was: None })
            }
            Ok(meta) if meta.is_dir() => Err(inseparable(&slot, "its .git folder")),
            Ok(_) | Err(_) => {
                let was = Some(Pointer::state(&path).ok_or_else(|| lost(&slot))?);
                Ok(Pointer { slot, was })
            }
        }
    }

    /// Mode and bytes of a plain file of one name.
    fn state(path: &Path) -> Option<(u32, Vec<u8>)> {
        let meta = path.symlink_metadata().ok()?;
        if !meta.is_file() || POINTER_BYTES_MAX < meta.len() {
            return None;
        }
        Some((meta.permissions().mode(), std::fs::read(path).ok()?))
    }

    /// Errors: `WorktreeLost` when it is not what it was.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.was {
            Some(was) if Pointer::state(&self.slot.join(".git")).as_ref() != Some(was) => {
                Err(lost(&self.slot))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn lost(slot: &Path) -> Failure {
    let text = format!("use {}: its .git was changed by a command", slot.display());
    Failure::new(Code::WorktreeLost, text).hint("start the run again; its work so far is saved")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Environment;

    #[test]
    fn what_is_hidden_is_left_out_of_what_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in ["a/deep/.git/objects", "a/deep/src", "b", "c"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let hidden = root.join("a/deep/.git");
        let mut shown = without(root, &[&hidden]).unwrap();
        shown.sort();
        assert_eq!(shown, ["a/deep/src", "b", "c"].map(|it| root.join(it)));
        assert_eq!(without(&root.join("b"), &[&hidden]).unwrap(), [root.join("b")]);
        let given = hidden.join("objects");
        assert_eq!(without(&given, &[&hidden]).unwrap(), [given]);
    }

    #[test]
    fn a_pointer_that_changed_in_any_way_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let slot = dir.path();
        let cmd = Confined::new(&["x".into()], slot, slot, Environment::from_process());
        assert!(Pointer::read(&cmd).unwrap().check().is_ok(), "there is none");
        let git = slot.join(".git");
        let changes: [&dyn Fn(); 5] = [
            &|| std::fs::write(&git, "gitdir: b").unwrap(),
            &|| std::fs::remove_file(&git).unwrap(),
            &|| {
                std::fs::rename(&git, slot.join("old")).unwrap();
                std::os::unix::fs::symlink("old", &git).unwrap();
            },
            &|| std::fs::set_permissions(&git, PermissionsExt::from_mode(0o777)).unwrap(),
            &|| {
                std::fs::remove_file(&git).unwrap();
                std::fs::create_dir(&git).unwrap();
            },
        ];
        for change in changes {
            let _ = std::fs::remove_file(&git);
            std::fs::write(&git, "gitdir: a").unwrap();
            std::fs::set_permissions(&git, PermissionsExt::from_mode(0o644)).unwrap();
            let pointer = Pointer::read(&cmd).unwrap();
            assert!(pointer.check().is_ok());
            change();
            assert_eq!(pointer.check().unwrap_err().code, Code::WorktreeLost);
        }
        assert_eq!(Pointer::read(&cmd).err().map(|it| it.code), Some(Code::NoSandbox), "a folder");
    }

    #[test]
    fn a_private_folder_is_removed_whatever_was_done_to_it() {
        let scratch = tempfile::tempdir().unwrap();
        let slot = tempfile::tempdir().unwrap();
        let cmd =
            Confined::new(&["x".into()], slot.path(), slot.path(), Environment::from_process());
        let baton = Path::new("/bin/true");
        let prepared = prepare(&cmd, &[], baton, scratch.path()).unwrap();
        let closed = prepared.private.tmp.join("closed/deep");
        std::fs::create_dir_all(&closed).unwrap();
        std::fs::write(closed.join("file"), "x").unwrap();
        for dir in [&closed, &prepared.private.tmp.join("closed")] {
            std::fs::set_permissions(dir, PermissionsExt::from_mode(0o000)).unwrap();
        }
        prepared.remove();
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        // As if the process had been killed.
        let _ = prepare(&cmd, &[], baton, scratch.path()).unwrap().dir.keep();
        sweep(scratch.path());
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
