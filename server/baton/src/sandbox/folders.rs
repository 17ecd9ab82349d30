//! What a confined command sees of the machine: an allow-list of folders, and the variables that
//! point into it. Never the whole of `HOME`.

use super::{Bound, Confined, Environment};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use team::{Code, Failure};

/// An empty private folder, gone with the command.
pub(super) const TMP: &str = "/tmp";
pub(super) const HOME: &str = "/tmp/home";
/// Private, so that cargo can take its locks; the caches below it are the user's, read-only.
pub(super) const CARGO_HOME: &str = "/tmp/home/.cargo";

/// The same for go: its modules are the user's.
const GO_PATH: &str = "/tmp/home/go";

/// Folders of the system. `/etc` is not among them: it holds keys and password hashes.
const SYSTEM: [&str; 4] = ["/usr", "/opt", "/nix/store", "/sys/devices/system/cpu"];
/// Links into `/usr` on most systems, folders on some.
const SYSTEM_LINKS: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// Of `/etc`, what programs need to find libraries, names, certificates and the time zone. Each costs
/// a little time at every start.
const ETC: [&str; 19] = [
    "alternatives",
    "group",
    "hosts",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "java-25-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki/tls/certs",
    "services",
    "ssl/ca-bundle.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
];
/// And with a network.
const ETC_NETWORK: [&str; 2] = ["resolv.conf", "protocols"];
/// Where a machine keeps whom it trusts: Debian's and its kin's, Fedora's, SUSE's. Within what `ETC` binds.
const AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];
/// Package managers that bring a list of their own look here first.
const AUTHORITY_VARIABLES: [&str; 4] =
    ["NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];
/// Folders in the user's home that a version manager owns. Each is bound when `PATH` or a variable
/// leads into it.
const MANAGERS: [&str; 18] = [
    ".asdf",
    ".bun",
    ".deno",
    ".elan",
    ".fnm",
    ".ghcup",
    ".jbang",
    ".local/share/fnm",
    ".local/share/mise",
    ".nodenv",
    ".nvm",
    ".opam",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".sdkman/candidates",
    ".volta",
    "miniconda3",
];
/// Of the user's cargo folder, what is read; never its credentials.
const CARGO_CACHES: [&str; 2] = ["registry", "git"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Writable,
    ReadOnly,
    /// An empty folder in its place.
    Hidden,
    /// A symbolic link; `source` is its text.
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) source: PathBuf,
    pub(super) at: PathBuf,
    pub(super) kind: Kind,
}

fn mount(path: &Path, kind: Kind) -> Mount {
    Mount { source: path.to_path_buf(), at: path.to_path_buf(), kind }
}

/// All mounts of a command, parents before what lies in them; of two at one place the stricter.
pub(super) fn mounts(cmd: &Confined, hidden: &[PathBuf]) -> Result<Vec<Mount>, Failure> {
    let mut all = system(cmd.network);
    let home = home(&cmd.env);
    let tools = toolchains(&cmd.env);
    all.extend(tools.iter().map(|it| mount(it, Kind::ReadOnly)));
    all.extend(package_caches(cmd)?);
    for path in &cmd.read_only {
        all.extend(given(path, Kind::ReadOnly)?);
    }
    for path in &cmd.writable {
        all.extend(given(path, Kind::Writable)?);
    }
    let slot = if cmd.slot_read_only { Kind::ReadOnly } else { Kind::Writable };
    all.extend(slot_and_pointer(&cmd.slot, slot)?);
    for it in &cmd.bound {
        all.extend(bound(it)?);
    }
    let hidden = hidden.iter().map(PathBuf::as_path);
    // A home below a folder of the system would else be seen with it.
    let home_below = home.filter(|it| SYSTEM.iter().any(|dir| it.starts_with(dir)));
    for path in hidden.chain(home_below) {
        if path.is_dir() {
            all.push(mount(path, Kind::Hidden));
        }
    }
    all.sort_by_key(|it| (it.at.components().count(), it.at.clone(), it.kind));
    // The last of equals is the strictest.
    all.reverse();
    all.dedup_by(|looser, stricter| looser.at == stricter.at);
    all.reverse();
    Ok(all)
}

fn system(network: bool) -> Vec<Mount> {
    let mut all = Vec::new();
    for dir in SYSTEM.map(Path::new) {
        if dir.is_dir() {
            all.push(mount(dir, Kind::ReadOnly));
        }
    }
    for dir in SYSTEM_LINKS.map(Path::new) {
        match std::fs::read_link(dir) {
            Ok(text) => all.push(Mount { source: text, at: dir.into(), kind: Kind::Link }),
            Err(_) if dir.is_dir() => all.push(mount(dir, Kind::ReadOnly)),
            Err(_) => {}
        }
    }
    let etc_network: &[&str] = if network { &ETC_NETWORK } else { &[] };
    for name in ETC.iter().chain(etc_network) {
        let path = Path::new("/etc").join(name);
        // A link is followed: what it leads to may lie in a part of /etc that is not bound.
        if let Ok(source) = path.canonicalize() {
            all.push(Mount { source, at: path, kind: Kind::ReadOnly });
        }
    }
    all
}

fn home(env: &Environment) -> Option<&Path> {
    env.get("HOME").map(Path::new).filter(|it| it.is_absolute() && it.parent().is_some())
}

fn cargo_home(env: &Environment) -> Option<PathBuf> {
    match env.get("CARGO_HOME") {
        Some(dir) => Some(dir.into()),
        None => home(env).map(|it| it.join(".cargo")),
    }
}

fn go_modules(env: &Environment) -> Option<PathBuf> {
    let named = env.get("GOMODCACHE").map(PathBuf::from);
    // A path of several folders: modules go to the first.
    let path = || env.get("GOPATH").and_then(|it| std::env::split_paths(it).next());
    let of_path = || path().or_else(|| Some(home(env)?.join("go"))).map(|it| it.join("pkg/mod"));
    named.or_else(of_path).filter(|it| it.is_absolute())
}

/// Whether the user has this program at all.
fn has(env: &Environment, program: &str) -> bool {
    let path = env.get("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|it| it.join(program).is_file())
}

/// Whether a command may run this program: it names it, or is a script that names who knows what.
fn may_run(argv: &[String], program: &str) -> bool {
    let is_script = argv.first().is_some_and(|it| it.contains('/'));
    let mut words = argv.iter().flat_map(|it| it.split(|it: char| !it.is_alphanumeric()));
    is_script || words.any(|it| it == program)
}

/// The user's own: read-only, but for a set-up command, which fills them and for which they are made,
/// where it runs their program and that is there to fill them.
fn package_caches(cmd: &Confined) -> Result<Vec<Mount>, Failure> {
    let (env, writable) = (&cmd.env, cmd.network);
    let cargo = cargo_home(env).into_iter().flat_map(|from| {
        CARGO_CACHES.map(|name| ("cargo", from.join(name), Path::new(CARGO_HOME).join(name)))
    });
    let go = go_modules(env).map(|source| ("go", source, Path::new(GO_PATH).join("pkg/mod")));
    let kind = if writable { Kind::Writable } else { Kind::ReadOnly };
    let mut all = Vec::new();
    for (program, source, at) in cargo.chain(go) {
        if writable && has(env, program) && may_run(&cmd.argv, program) {
            std::fs::create_dir_all(&source).map_err(|error| {
                let text = format!("make the package cache {}: {error}", source.display());
                Failure::new(Code::Command, text)
            })?;
        }
        if source.is_dir() {
            all.push(Mount { source, at, kind });
        }
    }
    Ok(all)
}

/// The user's cargo configuration without anything that could be a secret, e.g. which registry
/// stands in for which. It decides the names of cache folders, so a build needs it.
pub(super) fn cargo_config(env: &Environment) -> Option<String> {
    let dir = cargo_home(env)?;
    let text = std::fs::read_to_string(dir.join("config.toml"))
        .or_else(|_| std::fs::read_to_string(dir.join("config")))
        .ok()?;
    let mut table: toml::Table = text.parse().ok()?;
    table.retain(|name, _| KEPT.contains(&name));
    drop_secrets(&mut table);
    toml::to_string(&table).ok()
}

/// Cargo's configuration files above this folder, which it would stumble over if it could not read
/// them; without those that hold more than a build needs.
pub(super) fn cargo_configs_above(dir: &Path) -> Vec<PathBuf> {
    let names = [".cargo/config.toml", ".cargo/config"];
    let above = dir.ancestors().skip(1).flat_map(|it| names.map(|name| it.join(name)));
    let is_harmless = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok();
        let table: Option<toml::Table> = text.and_then(|it| it.parse().ok());
        table.is_some_and(|table| {
            let mut kept = table.clone();
            kept.retain(|name, _| KEPT.contains(&name));
            drop_secrets(&mut kept);
            kept == table
        })
    };
    above.filter(is_harmless).collect()
}

/// Tables of cargo's configuration that a build needs.
const KEPT: [&str; 8] =
    ["source", "registries", "build", "target", "profile", "unstable", "net", "patch"];

fn drop_secrets(table: &mut toml::Table) {
    table.retain(|name, value| {
        let name = name.to_lowercase();
        let url_with_user = value
            .as_str()
            .and_then(|it| it.split_once("://"))
            .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|it| it.contains('@')));
        !["token", "secret", "credential", "password", "proxy"].iter().any(|it| name.contains(it))
            && !url_with_user
    });
    for (_, value) in table.iter_mut() {
        if let toml::Value::Table(inner) = value {
            drop_secrets(inner);
        }
    }
}

/// Variables by which the user names a toolchain's folder.
const NAMED: [&str; 5] = ["GOROOT", "JAVA_HOME", "NVM_DIR", "PYENV_ROOT", "RUSTUP_HOME"];

/// Folders that the programs on `PATH` live in, outside of the system's.
fn toolchains(env: &Environment) -> Vec<PathBuf> {
    let home = home(env);
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in std::env::split_paths(env.get("PATH").unwrap_or_default()) {
        // What a link leads to is needed too, e.g. the folder of the chosen version.
        let real = entry.canonicalize().ok();
        let both = [Some(entry), real].into_iter().flatten();
        found.extend(both.filter_map(|it| tool_root(&it, home)));
    }
    let named = NAMED.iter().filter_map(|name| env.get(name)).map(PathBuf::from);
    // The programs in ~/.cargo/bin need rustup's folder, though PATH does not lead into it.
    let rustup = home.map(|it| it.join(".rustup"));
    found.extend(named.chain(rustup).filter(|it| is_outside(it, home)));
    found.sort();
    found.dedup();
    found
}

/// A folder that is no part of the system's and does not hold the home.
fn is_outside(dir: &Path, home: Option<&Path>) -> bool {
    let mut system = SYSTEM.iter().chain(&SYSTEM_LINKS);
    // A relative path means another folder to each process.
    dir.is_absolute()
        && dir.is_dir()
        && dir.parent().is_some()
        && !system.any(|it| dir.starts_with(it))
        && !home.is_some_and(|it| it.starts_with(dir))
}

/// The folder to bind for one folder of programs, or none when that would show too much.
fn tool_root(entry: &Path, home: Option<&Path>) -> Option<PathBuf> {
    if !is_outside(entry, home) {
        return None;
    }
    let managers = home.into_iter().flat_map(|home| MANAGERS.map(|it| home.join(it)));
    if let Some(root) = managers.into_iter().find(|it| entry.starts_with(it)) {
        return Some(root);
    }
    // A repository is not a toolchain, and its .git is none of a command's business.
    let fits = |dir: &Path| is_outside(dir, home) && !dir.join(".git").exists();
    let shared = |dir: &Path| {
        home.is_some_and(|home| {
            let parts = [home.join(".local"), home.join(".cargo")];
            parts.iter().any(|it| it == dir) || dir.parent() == Some(home)
        })
    };
    let prefix = entry
        .parent()
        .filter(|it| entry.ends_with("bin") && it.join("lib").is_dir() && !shared(it) && fits(it));
    match prefix {
        Some(prefix) => Some(prefix.to_path_buf()),
        None => fits(entry).then(|| entry.to_path_buf()),
    }
}

/// Folders given by the caller: seen at the path that was given, and at the real one.
fn given(path: &Path, kind: Kind) -> Result<Vec<Mount>, Failure> {
    let unusable = |why: String| {
        Failure::new(Code::Command, format!("bind {} into the sandbox: {why}", path.display()))
    };
    if !path.is_absolute() {
        return Err(unusable("the path is not absolute".into()));
    }
    let real = path.canonicalize().map_err(|error| unusable(error.to_string()))?;
    let mut all = vec![Mount { source: real.clone(), at: path.into(), kind }];
    if real != path {
        all.push(mount(&real, kind));
    }
    Ok(all)
}

/// Seen at another place, and at the real path of that one.
fn bound(it: &Bound) -> Result<Vec<Mount>, Failure> {
    let kind = if it.writable { Kind::Writable } else { Kind::ReadOnly };
    let source = it.source.canonicalize().map_err(|error| {
        let text = format!("bind {} into the sandbox: {error}", it.source.display());
        Failure::new(Code::Command, text)
    })?;
    let places = given(&it.at, kind)?;
    Ok(places.into_iter().map(|place| Mount { source: source.clone(), ..place }).collect())
}

/// The slot, and its `.git` pointer read-only on top of it, which makes the pointer a mount point:
/// it can be neither written nor replaced.
fn slot_and_pointer(slot: &Path, kind: Kind) -> Result<Vec<Mount>, Failure> {
    let lost = |why: String| {
        Failure::new(Code::WorktreeLost, format!("use {}: {why}", slot.display()))
            .hint("start the run again; its work so far is saved")
    };
    if !slot.is_dir() {
        return Err(lost("there is no such folder any more".into()));
    }
    let mut all = given(slot, kind)?;
    let pointer = slot.join(".git");
    match pointer.symlink_metadata() {
        Ok(meta) if meta.is_symlink() => {
            return Err(lost("its .git was replaced by a link".into()));
        }
        Ok(_) => all.extend(given(&pointer, Kind::ReadOnly)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(lost(error.to_string())),
    }
    Ok(all)
}

/// The folders that a command has to itself.
#[derive(Clone, Debug)]
pub(super) struct Private {
    pub(super) tmp: PathBuf,
    pub(super) home: PathBuf,
    pub(super) cargo_home: PathBuf,
    pub(super) go_path: PathBuf,
}

impl Private {
    /// Where the root is the command's own.
    pub(super) fn inside() -> Private {
        Private {
            tmp: TMP.into(),
            home: HOME.into(),
            cargo_home: CARGO_HOME.into(),
            go_path: GO_PATH.into(),
        }
    }

    /// Within a folder of the host.
    pub(super) fn at(tmp: &Path) -> Private {
        let home = tmp.join("home");
        Private {
            tmp: tmp.to_path_buf(),
            cargo_home: home.join(".cargo"),
            go_path: home.join("go"),
            home,
        }
    }
}

/// The variables of a confined command: the given ones, with private places for the user's.
pub(super) fn variables(
    env: &Environment,
    network: bool,
    private: &Private,
) -> BTreeMap<String, String> {
    let mut vars = env.vars.clone();
    if let Some(home) = home(env) {
        // Their programs look below HOME, which is another one inside.
        for (name, dir) in
            [("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv"), ("NVM_DIR", ".nvm")]
        {
            let dir = home.join(dir);
            if dir.is_dir() && !vars.contains_key(name) {
                vars.insert(name.into(), dir.to_string_lossy().into_owned());
            }
        }
    }
    if network {
        vars.remove("CARGO_NET_OFFLINE");
        vars.remove("GOPROXY");
        // A company's own authority is in the machine's list, not in the one that pip brings along.
        if let Some(list) = AUTHORITIES.iter().find(|it| Path::new(it).is_file()) {
            vars.extend(AUTHORITY_VARIABLES.map(|name| (name.into(), (*list).to_owned())));
        }
    }
    vars.remove("GOMODCACHE");
    let Private { tmp, home, cargo_home, go_path } = private;
    let folders =
        [("HOME", home), ("CARGO_HOME", cargo_home), ("GOPATH", go_path), ("TMPDIR", tmp)];
    for (name, dir) in folders {
        vars.insert(name.into(), dir.to_string_lossy().into_owned());
    }
    vars
}

#[cfg(test)]
mod tests;
