//! What in a workspace would act, and whether the user trusts exactly that content.
//!
//! Before that nothing under `.baton` is done with but hashing. No link is followed: a link is hashed
//! as a link and never read through.

use super::team_file::{TEAM_FILE, TeamFile, parse_team_file};
use super::{Home, canonical, hex};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt, PermissionsExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use team::{Code, Failure, Millis};

const FOLDER: &str = ".baton";
/// Names ignored files that are copied into slots.
const INCLUDE_FILE: &str = ".worktreeinclude";
const FILES_MAX: usize = 200;
const DEPTH_MAX: usize = 8;
const BYTES_MAX: u64 = 4 << 20;
const STORE_VERSION: u32 = 1;
/// Contents trusted for one repository; the oldest is forgotten first. More than one, because
/// branches differ.
const CONTENTS_MAX: usize = 20;

/// What would act in a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// Path relative to the root, and SHA-256 of the content (of a link: of where it points), hex;
    /// sorted.
    pub files: Vec<(String, String)>,
    /// Over all paths, kinds and contents.
    pub hash: String,
}

/// One content of one repository that the user trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedEntry {
    pub common_dir: PathBuf,
    pub hash: String,
    pub at: Millis,
}

struct Found {
    acting: Acting,
    /// The very bytes that were hashed.
    team_file: Option<Vec<u8>>,
    include_file: Option<Vec<u8>>,
}

/// Reads everything under `.baton`, and `.worktreeinclude`, for hashing alone. Neither: nothing acts. Errors:
/// `Config` for more than is sensible, or what can't be read.
pub fn acting(root: &Path) -> Result<Acting, Failure> {
    look(root).map(|it| it.acting)
}

/// Where nothing acts, nothing needs trust.
pub fn is_trusted(home: &Home, common_dir: &Path, acting: &Acting) -> bool {
    if acting.files.is_empty() {
        return true;
    }
    let key = key(common_dir);
    read_store(home).is_ok_and(|store| {
        let contents = store.repositories.get(&key);
        contents.is_some_and(|it| it.iter().any(|it| it.hash == acting.hash))
    })
}

/// Trusts exactly this content in this repository.
pub fn trust(home: &Home, common_dir: &Path, acting: &Acting) -> Result<(), Failure> {
    change_store(home, |store| {
        let contents = store.repositories.entry(key(common_dir)).or_default();
        contents.retain(|it| it.hash != acting.hash);
        contents.push(Content { hash: acting.hash.clone(), at: now() });
        let too_many = contents.len().saturating_sub(CONTENTS_MAX);
        contents.drain(..too_many);
    })
}

/// Trusts nothing in this repository any more.
pub fn revoke(home: &Home, common_dir: &Path) -> Result<(), Failure> {
    change_store(home, |store| {
        store.repositories.remove(&key(common_dir));
    })
}

/// All that is trusted, by repository, the oldest first.
pub fn list(home: &Home) -> Result<Vec<TrustedEntry>, Failure> {
    let store = read_store(home)?;
    let entries = store.repositories.into_iter().flat_map(|(dir, contents)| {
        contents.into_iter().map(move |it| TrustedEntry {
            common_dir: PathBuf::from(&dir),
            hash: it.hash,
            at: it.at,
        })
    });
    Ok(entries.collect())
}

/// The team file, if exactly what acts here is trusted; else `None` and what is ignored, for the one
/// line that says so. Errors: `Config` for a trusted file that is broken.
pub fn team_file(
    home: &Home,
    root: &Path,
    common_dir: &Path,
) -> Result<(Option<TeamFile>, Vec<String>), Failure> {
    let found = match look(root) {
        Ok(found) => found,
        // A stranger's repository must not be able to stop the work by what it holds.
        Err(failure) if !has_trusted(home, common_dir) => {
            return Ok((None, vec![format!("{FOLDER} ({})", failure.text)]));
        }
        Err(failure) => return Err(failure),
    };
    let names = |keep: fn(&str) -> bool| {
        let files = found.acting.files.iter().map(|it| crate::clean::line(&it.0));
        files.filter(|it| keep(it)).collect::<Vec<_>>()
    };
    if !is_trusted(home, common_dir, &found.acting) {
        return Ok((None, names(|_| true)));
    }
    let others = names(|it| it != TEAM_FILE && it != INCLUDE_FILE)
        .into_iter()
        .map(|it| format!("{it}: not supported yet"));
    let Some(bytes) = &found.team_file else {
        let link = names(|it| it == TEAM_FILE);
        let link = link.into_iter().map(|it| format!("{it}: a link, not read"));
        return Ok((None, link.chain(others).collect()));
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::new(Code::Config, format!("{TEAM_FILE} is not UTF-8")))?;
    let mut file = parse_team_file(text)?;
    file.ignored.extend(others);
    Ok((Some(file), Vec::new()))
}

/// The text of `.worktreeinclude`, if exactly what acts here is trusted; else nothing.
pub fn worktree_include(home: &Home, root: &Path, common_dir: &Path) -> Result<String, Failure> {
    let Ok(found) = look(root) else {
        // Said once, where the team file is read.
        return Ok(String::new());
    };
    let Some(bytes) = &found.include_file else {
        return Ok(String::new());
    };
    if !is_trusted(home, common_dir, &found.acting) {
        return Ok(String::new());
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::new(Code::Config, format!("{INCLUDE_FILE} is not UTF-8")))?;
    Ok(text.to_owned())
}

fn look(root: &Path) -> Result<Found, Failure> {
    let fail = |it: std::io::Error| unreadable(FOLDER, &it);
    let dir = Dir::open_ambient_dir(root, cap_std::ambient_authority()).map_err(fail)?;
    let mut walk = Walk::default();
    match dir.symlink_metadata(FOLDER) {
        Ok(about) if about.is_dir() => walk.folder(&dir, FOLDER, FOLDER, 0)?,
        Ok(_) => walk.entry(&dir, FOLDER, FOLDER, 0)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
    }
    match dir.symlink_metadata(INCLUDE_FILE) {
        Ok(_) => walk.entry(&dir, INCLUDE_FILE, INCLUDE_FILE, 0)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
    }
    walk.entries.sort();
    let mut hash = Sha256::new();
    for (path, kind, sha256) in &walk.entries {
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(kind);
        hash.update(sha256);
    }
    let files = walk.entries.into_iter().map(|(path, _, hash)| (path, hash));
    Ok(Found {
        acting: Acting { files: files.collect(), hash: hex(&hash.finalize()) },
        team_file: walk.team_file,
        include_file: walk.include_file,
    })
}

fn unreadable(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(Code::Config, format!("can't read {path}: {error}"))
}

#[derive(Default)]
struct Walk {
    /// Path, kind, hash of the content.
    entries: Vec<(String, &'static str, String)>,
    bytes: u64,
    team_file: Option<Vec<u8>>,
    include_file: Option<Vec<u8>>,
}

impl Walk {
    /// `name` in `parent`, called `path` from the root.
    fn folder(
        &mut self,
        parent: &Dir,
        name: &str,
        path: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        if DEPTH_MAX < depth {
            let text = format!("{FOLDER} is more than {DEPTH_MAX} folders deep");
            return Err(Failure::new(Code::Config, text));
        }
        let fail = |it: std::io::Error| unreadable(path, &it);
        // Should it have become a link by now, cap-std keeps it inside the parent folder.
        let dir = parent.open_dir(name).map_err(fail)?;
        for entry in dir.entries().map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let text = format!("a name under {path} is not UTF-8");
                return Err(Failure::new(Code::Config, text));
            };
            self.entry(&dir, name, &format!("{path}/{name}"), depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Dir, name: &str, path: &str, depth: usize) -> Result<(), Failure> {
        let fail = |it: std::io::Error| unreadable(path, &it);
        let about = dir.symlink_metadata(name).map_err(fail)?;
        if about.is_dir() {
            return self.folder(dir, name, path, depth + 1);
        }
        if FILES_MAX <= self.entries.len() {
            let text = format!("{FOLDER} holds more than {FILES_MAX} files");
            return Err(Failure::new(Code::Config, text));
        }
        let (kind, bytes) = if about.is_symlink() {
            let to = dir.read_link_contents(name).map_err(fail)?;
            ("link", to.to_string_lossy().into_owned().into_bytes())
        } else if about.is_file() {
            let bytes = self.read(dir, name, path)?;
            let runs = about.permissions().mode() & 0o111 != 0;
            (if runs { "program" } else { "file" }, bytes)
        } else {
            ("other", Vec::new())
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        let is_file = matches!(kind, "file" | "program");
        if path == TEAM_FILE && is_file {
            self.team_file = Some(bytes);
        } else if path == INCLUDE_FILE && is_file {
            self.include_file = Some(bytes);
        }
        self.entries.push((path.to_owned(), kind, sha256));
        Ok(())
    }

    fn read(&mut self, dir: &Dir, name: &str, path: &str) -> Result<Vec<u8>, Failure> {
        let fail = |it: std::io::Error| unreadable(path, &it);
        let mut options = OpenOptions::new();
        // A pipe that took the file's place must not make us wait for a writer.
        options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = dir.open_with(name, &options).map_err(fail)?;
        if !file.metadata().map_err(fail)?.is_file() {
            return Err(Failure::new(Code::Config, format!("{path} is not a file")));
        }
        let left = BYTES_MAX - self.bytes;
        let mut bytes = Vec::new();
        file.take(left + 1).read_to_end(&mut bytes).map_err(fail)?;
        if left < bytes.len() as u64 {
            let text = format!("{FOLDER} holds more than {BYTES_MAX} bytes");
            return Err(Failure::new(Code::Config, text));
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes)
    }
}

/// `trust.json`.
#[derive(Default, Serialize, Deserialize)]
struct TrustFile {
    version: u32,
    /// By canonical git common directory: linked worktrees are one repository.
    repositories: BTreeMap<String, Vec<Content>>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    hash: String,
    at: Millis,
}

fn key(common_dir: &Path) -> String {
    // Debug, not Display: two paths that differ in bytes that are no UTF-8 stay different.
    let path = canonical(common_dir);
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => format!("{path:?}"),
    }
}

fn has_trusted(home: &Home, common_dir: &Path) -> bool {
    read_store(home).is_ok_and(|it| it.repositories.contains_key(&key(common_dir)))
}

fn read_store(home: &Home) -> Result<TrustFile, Failure> {
    let path = home.state_dir.join("trust.json");
    let fail = |why: String| {
        Failure::new(Code::Config, format!("can't read {}: {why}", path.display()))
            .hint("until it can be read nothing is trusted; delete it to start anew")
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(TrustFile::default()),
        Err(error) => return Err(fail(error.to_string())),
    };
    let about = std::fs::metadata(&path).map_err(|it| fail(it.to_string()))?;
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o022 != 0 {
        return Err(fail("other users can change it".into()));
    }
    let store: TrustFile = serde_json::from_slice(&bytes).map_err(|it| fail(it.to_string()))?;
    if STORE_VERSION < store.version {
        return Err(fail(format!("it has version {}", store.version)));
    }
    Ok(store)
}

/// One change at a time over all processes; the old file or the new one, never half of one.
fn change_store(home: &Home, change: impl FnOnce(&mut TrustFile)) -> Result<(), Failure> {
    let dir = &home.state_dir;
    let fail = |it: std::io::Error| {
        let code = match it.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
            _ => Code::Store,
        };
        Failure::new(code, format!("can't write {}: {it}", dir.join("trust.json").display()))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
    let lock = File::create(dir.join("trust.lock")).map_err(fail)?;
    lock.lock().map_err(fail)?;
    let mut store = read_store(home)?;
    store.version = STORE_VERSION;
    change(&mut store);
    let json = serde_json::to_vec_pretty(&store)
        .map_err(|it| Failure::new(Code::Bug, format!("trust is no JSON: {it}")))?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(fail)?;
    file.write_all(&json).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(dir.join("trust.json")).map_err(|it| fail(it.error))?;
    File::open(dir).and_then(|it| it.sync_all()).map_err(fail)?;
    lock.unlock().map_err(fail)
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(0))
}
