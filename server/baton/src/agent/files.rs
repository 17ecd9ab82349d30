//! A slot's files as the tools may touch them: by a capability on the slot's folder, never by an
//! ambient path.
//!
//! Each part of a path is opened in the folder before it and no symbolic link is ever followed, so a
//! link that is swapped in between two steps changes nothing. Refusals say what to do instead.

use cap_std::fs::{Dir, File, OpenOptions};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use team::{Code, Failure};

pub mod walk;

/// Larger files are neither read nor searched.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What one write may hold.
const WRITE_BYTES_MAX: usize = 2 * 1024 * 1024;
const PATH_CHARS_MAX: usize = 1_000;

/// Names that hold secrets in most projects; the names of samples are no secrets.
const SECRET_GLOBS: &[&str] = &[
    ".env",
    ".env.*",
    ".envrc",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.keystore",
    "*.jks",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "credentials.json",
    "*.kdbx",
];
const SAMPLE_ENDINGS: &[&str] = &[".example", ".sample", ".template", ".dist"];

/// The files of one slot.
pub struct Files {
    dir: Dir,
    root: PathBuf,
    secrets: GlobSet,
}

/// A file's bytes as text that can be edited and written back unchanged.
#[derive(Debug)]
pub enum Content {
    Text(String),
    /// Text but for some bytes that are no UTF-8, shown as replacement characters.
    Lossy(String),
    Binary,
}

impl Files {
    /// Opens the slot. `secret_globs`: further names that no agent reads. Errors: `WorktreeLost`.
    pub fn open(root: &Path, secret_globs: &[String]) -> Result<Files, Failure> {
        let dir = Dir::open_ambient_dir(root, cap_std::ambient_authority()).map_err(|error| {
            Failure::new(Code::WorktreeLost, format!("open the slot's folder: {error}"))
        })?;
        let mut secrets = GlobSetBuilder::new();
        let names = SECRET_GLOBS.iter().copied();
        for name in names.chain(secret_globs.iter().map(String::as_str)) {
            let glob = GlobBuilder::new(name)
                .case_insensitive(true)
                .build()
                .map_err(|error| Failure::new(Code::Config, format!("read a glob: {error}")))?;
            secrets.add(glob);
        }
        let secrets = secrets
            .build()
            .map_err(|error| Failure::new(Code::Config, format!("read the globs: {error}")))?;
        Ok(Files { dir, root: root.to_owned(), secrets })
    }

    /// The path relative to the slot, `/` between parts; the error is for the model.
    pub fn relative(&self, path: &str) -> Result<String, String> {
        let path = path.trim();
        let given = Path::new(path);
        let inside = match given.strip_prefix(&self.root) {
            Ok(inside) => inside,
            Err(_) if given.is_absolute() => {
                return Err(format!(
                    "`{path}` is outside of your worktree; use a path relative to its root, like src/lib.rs"
                ));
            }
            Err(_) => given,
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in inside.to_str().unwrap_or_default().split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => {
                    return Err(format!(
                        "`{path}` contains `..`; use a path relative to the worktree's root, like src/lib.rs"
                    ));
                }
                part if is_git_like(part) => {
                    return Err(format!(
                        "`{path}` belongs to git, which the server looks after; use show_diff or read the files themselves"
                    ));
                }
                part => parts.push(part),
            }
        }
        let relative = parts.join("/");
        if PATH_CHARS_MAX < relative.chars().count() || relative.chars().any(char::is_control) {
            return Err(
                "this path can't be used; give a plain path of a file in the worktree".to_owned()
            );
        }
        Ok(relative)
    }

    /// Whether a name is one of those that hold secrets.
    pub fn is_secret(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let sample = SAMPLE_ENDINGS.iter().any(|it| name.ends_with(it));
        !sample && (self.secrets.is_match(&name) || self.secrets.is_match(path))
    }

    /// Reads a file; the error is for the model.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.relative(path)?;
        if self.is_secret(&path) {
            return Err(format!(
                "`{path}` is named like a file of secrets and is not shown; go on without it, or ask the person for what you need from it"
            ));
        }
        let mut file = self.open_file(&path, OpenOptions::new().read(true))?;
        read_whole(&mut file, &path)
    }

    /// Writes a whole file, with the folders above it; the error is for the model.
    pub fn write(&self, path: &str, text: &[u8]) -> Result<(), String> {
        let path = self.writable(path)?;
        if WRITE_BYTES_MAX < text.len() {
            return Err(format!("`{path}` would be over 2 MiB; write less, or split it"));
        }
        let (parent, name) = self.parent(&path, true)?;
        refuse_special(&parent, &name, &path)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = open_in(&parent, &name, options, &path)?;
        file.write_all(text).map_err(|error| format!("`{path}` can't be written: {error}"))
    }

    /// Whether something stands at this path, of whatever kind; the error is for the model.
    pub fn is_there(&self, path: &str) -> Result<bool, String> {
        let path = self.relative(path)?;
        let mut dir = self.dir.try_clone().map_err(|error| cannot(&path, &error))?;
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        for part in folders.split('/').filter(|it| !it.is_empty()) {
            match open_folder(&dir, part) {
                Ok(inner) => dir = inner,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(cannot(&path, &error)),
            }
        }
        Ok(dir.symlink_metadata(name).is_ok())
    }

    /// Removes a file; the error is for the model.
    pub fn remove(&self, path: &str) -> Result<(), String> {
        let path = self.writable(path)?;
        let (parent, name) = self.parent(&path, false)?;
        refuse_special(&parent, &name, &path)?;
        parent.remove_file(&name).map_err(|error| cannot(&path, &error))
    }

    /// Gives a file another name where nothing stands yet, with the folders above it; the error is for
    /// the model.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), String> {
        let (from, to) = (self.writable(from)?, self.writable(to)?);
        let (parent, name) = self.parent(&from, false)?;
        refuse_special(&parent, &name, &from)?;
        if self.is_there(&to)? {
            return Err(format!("`{to}` is there already; nothing is moved over it"));
        }
        let (folder, new) = self.parent(&to, true)?;
        parent.rename(&name, &folder, &new).map_err(|error| cannot(&from, &error))
    }

    /// The relative path, if a team may write there; the error is for the model.
    pub fn writable(&self, path: &str) -> Result<String, String> {
        let path = self.relative(path)?;
        let first = path.split('/').next().unwrap_or_default();
        if path.is_empty() {
            return Err("name a file, like src/lib.rs".to_owned());
        }
        if first.eq_ignore_ascii_case(".baton") {
            return Err(format!(
                "`{path}` holds the person's own settings for the team; leave it as it is and say in your hand-over what should change there"
            ));
        }
        if self.is_secret(&path) {
            return Err(format!(
                "`{path}` is named like a file of secrets; leave it to the person and say in your hand-over what it should hold"
            ));
        }
        Ok(path)
    }

    fn open_file(&self, path: &str, options: &mut OpenOptions) -> Result<File, String> {
        if path.is_empty() {
            return Err("the worktree's root is a folder; list it with find_files".to_owned());
        }
        let (parent, name) = self.parent(path, false)?;
        refuse_special(&parent, &name, path)?;
        open_in(&parent, &name, options.clone(), path)
    }

    /// The folder that holds `path`, opened part by part, and the last part.
    fn parent(&self, path: &str, create: bool) -> Result<(Dir, String), String> {
        let mut dir = self.dir.try_clone().map_err(|error| cannot(path, &error))?;
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for part in folders.split('/').filter(|it| !it.is_empty()) {
            if create && dir.symlink_metadata(part).is_err() {
                match dir.create_dir(part) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(cannot(path, &error)),
                }
            }
            dir = open_folder(&dir, part).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    format!("there is no folder `{part}` on the way to `{path}`; look with find_files")
                }
                _ => format!(
                    "`{part}` on the way to `{path}` is no folder or a symbolic link, which is not followed; use the path it stands for"
                ),
            })?;
        }
        Ok((dir, name.to_owned()))
    }
}

/// Text, text with odd bytes, or binary.
pub fn content(bytes: Vec<u8>) -> Content {
    const PROBED: usize = 8_000;
    if bytes.iter().take(PROBED).any(|&it| it == 0) {
        return Content::Binary;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(error) => Content::Lossy(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Names one content of a file: the first forty digits of its SHA-256.
pub fn blob(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(20).map(|it| format!("{it:02x}")).collect()
}

/// `.git` in the spellings that some file system or git itself takes for it.
pub fn is_git_like(part: &str) -> bool {
    let plain: String = part
        .chars()
        .filter(|it| !matches!(it, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .collect();
    let plain = plain.split(':').next().unwrap_or_default();
    let plain = plain.trim_end_matches([' ', '.']).to_ascii_lowercase();
    plain == ".git" || plain == "git~1"
}

fn cannot(path: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => {
            format!("there is no file `{path}`; look for it with find_files")
        }
        _ => format!("`{path}` can't be opened: {error}"),
    }
}

fn refuse_special(parent: &Dir, name: &str, path: &str) -> Result<(), String> {
    let Ok(meta) = parent.symlink_metadata(name) else {
        return Ok(());
    };
    if meta.is_symlink() {
        return Err(format!(
            "`{path}` is a symbolic link, which is not followed; use the path it stands for"
        ));
    }
    if meta.is_dir() {
        return Err(format!("`{path}` is a folder; list it with find_files, like {path}/**"));
    }
    if !meta.is_file() {
        return Err(format!("`{path}` is no regular file; leave it alone"));
    }
    Ok(())
}

/// What was looked at may have been swapped since: the open itself follows no link and waits for no
/// pipe.
fn open_in(parent: &Dir, name: &str, mut options: OpenOptions, path: &str) -> Result<File, String> {
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = parent.open_with(name, &options).map_err(|error| cannot(path, &error))?;
    let meta = file.metadata().map_err(|error| cannot(path, &error))?;
    if !meta.is_file() {
        return Err(format!("`{path}` is no regular file; leave it alone"));
    }
    Ok(file)
}

fn open_folder(dir: &Dir, part: &str) -> std::io::Result<Dir> {
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(libc::O_NOFOLLOW | libc::O_DIRECTORY);
        let file = dir.open_with(part, &options)?;
        Ok(Dir::from_std_file(file.into_std()))
    }
    #[cfg(not(unix))]
    {
        if dir.symlink_metadata(part)?.is_symlink() {
            return Err(std::io::Error::other("a symbolic link"));
        }
        dir.open_dir(part)
    }
}

fn read_whole(file: &mut File, path: &str) -> Result<Vec<u8>, String> {
    // One byte more than there is, so that its end is seen without growing.
    let size = file.metadata().map_or(0, |it| it.len()).min(FILE_BYTES_MAX);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| cannot(path, &error))?;
    if FILE_BYTES_MAX < bytes.len() as u64 {
        return Err(format!("`{path}` is over 8 MiB and is not shown; look at smaller files"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
