//! What we build on: every crate's licence and where it comes from, for every platform, as cargo
//! itself resolves the lock file. This is the test that a `cargo deny` would be, without its build.

use crate::none;
use crate::tree::root;
use serde_json::Value;
use std::process::Command;
use std::sync::LazyLock;

const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
];

/// Crate, licence, and why it is fine here.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("borrow-or-share", "MIT-0", "MIT without the notice"),
    ("imbl", "MPL-2.0+", "MPL-2.0, or a later one"),
    ("imbl-sized-chunks", "MPL-2.0+", "MPL-2.0, or a later one"),
    ("webpki-root-certs", "CDLA-Permissive-2.0", "data, for platforms other than Linux"),
];

/// Crate, and why it shall not come back.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "rustls is the one TLS"),
    ("native-tls", "rustls is the one TLS"),
    ("aws-lc-sys", "ring is the one crypto library; this one needs a C tool chain of its own"),
    ("libssh2-sys", "Baton never talks to a remote through git"),
    ("birdcage", "GPL"),
    ("hakoniwa", "LGPL"),
    ("lsp-types", "the fork's `ls-types` are the one set of protocol types"),
];

static METADATA: LazyLock<Value> = LazyLock::new(metadata);

fn packages() -> &'static [Value] {
    METADATA["packages"].as_array().map_or(&[], Vec::as_slice)
}

/// For all platforms where the crates can be had; else for this one, whose crates are here since
/// they were just built.
fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let run = |more: &[&str]| {
        let out = Command::new(&cargo)
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(more)
            .current_dir(root())
            .output()
            .expect("cargo is needed to ask what is built");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        out.status.success().then_some(out.stdout).ok_or(said)
    };
    let version = Command::new(&cargo).arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version.lines().find_map(|it| it.strip_prefix("host: ")).unwrap();
    let bytes = run(&["--offline"])
        .or_else(|_| run(&[]))
        .or_else(|_| run(&["--offline", "--filter-platform", host]))
        .unwrap_or_else(|said| panic!("cargo metadata: {said}"));
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn every_licence_is_allowed() {
    assert!(100 < packages().len(), "cargo metadata lists too little");
    let mut found = Vec::new();
    for package in packages() {
        let name = text(package, "name");
        let licence = text(package, "license");
        let excepted = EXCEPTIONS.iter().any(|it| (it.0, it.1) == (name, licence));
        if !excepted && !is_allowed(licence) {
            found.push(format!("{name} {}: `{licence}`", text(package, "version")));
        }
    }
    for (name, licence, _) in EXCEPTIONS {
        if is_allowed(licence) {
            found.push(format!("{name}: `{licence}` needs no exception"));
        }
    }
    none(found, "do without the crate, or name the exception and why it is fine in EXCEPTIONS");
}

#[test]
fn every_crate_is_from_the_registry_or_from_here() {
    let root = root();
    let mut found = Vec::new();
    for package in packages() {
        let name = text(package, "name");
        let is_fine = match package["source"].as_str() {
            Some(source) => source.starts_with("registry+"),
            None => std::path::Path::new(text(package, "manifest_path")).starts_with(&root),
        };
        if !is_fine {
            found.push(format!("{name}: neither from the registry nor from this tree"));
        }
    }
    none(found, "no git sources and no paths outside: a fresh clone must build anywhere");
}

#[test]
fn no_banned_crate_came_back() {
    let found = packages()
        .iter()
        .filter_map(|it| BANNED.iter().find(|banned| banned.0 == text(it, "name")))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    none(found, "`cargo tree -i NAME -e features` says who brings it; switch that feature off");
}

#[test]
fn what_is_heavy_or_holds_state_is_here_once() {
    let found = ["tokio", "hyper", "reqwest", "rustls", "rusqlite", "git2", "serde_json", "toml"]
        .into_iter()
        .map(|name| (name, packages().iter().filter(|it| text(it, "name") == name).count()))
        .filter(|(_, count)| *count != 1)
        .map(|(name, count)| format!("{name}: {count} versions"))
        .collect();
    none(found, "two versions are two builds and two sets of types: move to one");
}

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// Reads an SPDX expression (`/` is the old way to say OR).
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any_of(&tokens, &mut at);
    allowed && at == tokens.len()
}

fn any_of(tokens: &[&str], at: &mut usize) -> bool {
    let mut allowed = all_of(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all_of(tokens, at);
    }
    allowed
}

fn all_of(tokens: &[&str], at: &mut usize) -> bool {
    let mut allowed = one(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(tokens, at);
    }
    allowed
}

fn one(tokens: &[&str], at: &mut usize) -> bool {
    let Some(token) = tokens.get(*at) else {
        // Past the end, so that the whole is no expression.
        *at = tokens.len() + 1;
        return false;
    };
    *at += 1;
    if *token == "(" {
        let allowed = any_of(tokens, at);
        *at += 1;
        return allowed;
    }
    if let [id, "WITH", exception] = tokens[*at - 1..].get(..3).unwrap_or_default() {
        *at += 2;
        return LICENCES.contains(&format!("{id} WITH {exception}").as_str());
    }
    LICENCES.contains(token)
}

#[test]
fn licence_expressions_are_read_rightly() {
    for fine in [
        "MIT",
        "MIT/Apache-2.0",
        "MIT OR GPL-3.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
    ] {
        assert!(is_allowed(fine), "{fine}");
    }
    for wrong in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "MIT WITH x", "AND MIT", "MIT )"] {
        assert!(!is_allowed(wrong), "{wrong}");
    }
}
