//! Rules about names and modes: what no agent may write, what runs by itself, where a mistake is
//! dear, and what looks like a secret.

use super::files::{MODE_EXEC, MODE_LINK, MODE_MODULE};
use globset::{Glob, GlobSet, GlobSetBuilder};
use icu_normalizer::ComposingNormalizerBorrowed;
use std::collections::HashMap;
use team::{Code, Failure};

/// One changed path with what stood there before and stands there now; modes are 0 where nothing.
pub(super) struct Touched<'a> {
    pub(super) path: &'a [u8],
    pub(super) old_mode: u32,
    pub(super) new_mode: u32,
    /// Where the new symlink points.
    pub(super) link: Option<Vec<u8>>,
    /// The old and new text, of `package.json` files only.
    pub(super) package: Option<(Vec<u8>, Vec<u8>)>,
    /// The file is stored through a program (`filter=`) or a foreign encoding.
    pub(super) foreign: Option<String>,
}

/// Files and folders whose content is run or obeyed by tools without anybody asking.
const ACTING_NAMES: [&str; 53] = [
    ".vscode",
    ".idea",
    ".devcontainer",
    ".devcontainer.json",
    ".gitattributes",
    ".gitmodules",
    ".husky",
    ".pre-commit-config.yaml",
    ".envrc",
    "build.rs",
    "rust-toolchain.toml",
    "rust-toolchain",
    ".npmrc",
    ".mcp.json",
    ".claude",
    ".cursor",
    ".codex",
    ".gemini",
    "agents.md",
    "claude.md",
    "gemini.md",
    ".baton",
    ".gitlab-ci.yml",
    ".circleci",
    "jenkinsfile",
    ".yarnrc.yml",
    ".worktreeinclude",
    ".yarnrc",
    ".pnpmfile.cjs",
    ".pnp.cjs",
    ".bazelrc",
    ".githooks",
    ".lefthook.yml",
    "lefthook.yml",
    ".lintstagedrc",
    ".pre-commit-hooks.yaml",
    ".mise.toml",
    "mise.toml",
    ".tool-versions",
    ".exrc",
    ".nvimrc",
    ".nvim.lua",
    ".vimrc",
    ".dir-locals.el",
    ".zed",
    ".fleet",
    ".windsurf",
    ".agents",
    ".travis.yml",
    ".drone.yml",
    ".buildkite",
    "azure-pipelines.yml",
    "sitecustomize.py",
];
const ACTING_PATHS: [&str; 4] =
    [".github/workflows/", ".github/actions/", ".cargo/config", ".github/copilot-instructions.md"];

/// Words in a path where a mistake is dear.
const RISK_WORDS: [&str; 17] = [
    "auth",
    "oauth",
    "login",
    "authentication",
    "authorization",
    "authorize",
    "authenticate",
    "password",
    "passwords",
    "payment",
    "payments",
    "billing",
    "checkout",
    "migration",
    "migrations",
    "migrate",
    "crypto",
];

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|it| *it == b'/')
}

/// Names that some file system takes for `.git`: other case, characters that are not drawn, short
/// names, trailing dots and streams.
pub(super) fn is_git_like(path: &[u8]) -> bool {
    parts(path).any(|part| {
        let text: String = String::from_utf8_lossy(part)
            .chars()
            .filter(|it| !is_not_drawn(*it))
            .flat_map(char::to_lowercase)
            .collect();
        let stem = text.split(':').next().unwrap_or_default();
        let stem = stem.trim_end_matches([' ', '.']);
        let short = stem.strip_prefix("git~").is_some_and(|it| it.parse::<u32>().is_ok());
        stem == ".git" || short || text == "." || text == ".." || text.is_empty()
    })
}

fn is_not_drawn(letter: char) -> bool {
    matches!(letter,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{00ad}' | '\u{e0000}'..='\u{e007f}')
}

/// Control characters and characters that change how a name reads.
fn is_odd(path: &[u8]) -> bool {
    match std::str::from_utf8(path) {
        Ok(text) => text.chars().any(|it| it.is_control() || is_not_drawn(it)),
        Err(_) => true,
    }
}

/// Untracked files of these names are not shown to agents.
pub(super) fn looks_secret(path: &[u8]) -> bool {
    let name = parts(path).last().unwrap_or_default();
    let name = String::from_utf8_lossy(name).to_lowercase();
    let whole = [
        ".netrc",
        "_netrc",
        ".npmrc",
        ".pypirc",
        ".pgpass",
        ".git-credentials",
        ".htpasswd",
        "credentials",
        "credentials.json",
        "secrets.json",
        "secrets.yml",
        "secrets.yaml",
        "service-account.json",
    ];
    let ends = [".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".asc"];
    let starts = [".env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_"];
    let public = name.ends_with(".pub");
    whole.contains(&name.as_str())
        || ends.iter().any(|it| name.ends_with(it))
        || (!public && starts.iter().any(|it| name.starts_with(it)) && !is_source(&name))
        || parts(path).any(|it| it == b".ssh" || it == b".aws" || it == b".gnupg")
}

/// `id_map.rs` is a source file, not a key; a key has no ending that a compiler reads.
fn is_source(name: &str) -> bool {
    let endings = [
        ".rs", ".py", ".js", ".ts", ".tsx", ".jsx", ".go", ".c", ".h", ".cpp", ".java", ".rb",
        ".md", ".html", ".css", ".sql", ".kt", ".swift", ".cs", ".php", ".sh", ".lua",
    ];
    name.starts_with("id_") && endings.iter().any(|it| name.ends_with(it))
}

/// Why no agent may write this path; `None`: it may.
pub(super) fn why_protected(it: &Touched<'_>) -> Option<&'static str> {
    if is_git_like(it.path) {
        return Some("a name like git's own");
    }
    if parts(it.path).next().is_some_and(|part| part.eq_ignore_ascii_case(b".baton")) {
        return Some("Baton's own rules");
    }
    if is_odd(it.path) {
        return Some("characters in the name that do not show");
    }
    if it.new_mode == MODE_MODULE || it.old_mode == MODE_MODULE {
        return Some("a submodule");
    }
    if it.link.as_deref().is_some_and(|link| leaves(it.path, link)) {
        return Some("a symlink that leaves the tree");
    }
    if it.foreign.is_some() {
        return Some("stored through a filter");
    }
    None
}

/// Whether a symlink at `path` points out of the tree, or into a folder like git's.
fn leaves(path: &[u8], link: &[u8]) -> bool {
    if link.first() == Some(&b'/') || link.contains(&0) {
        return true;
    }
    let mut depth = parts(path).count() - 1;
    for part in parts(link) {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            part if is_git_like(part) => return true,
            _ => depth += 1,
        }
    }
    false
}

/// Whether this path runs by itself once it is in the tree.
pub(super) fn acts(it: &Touched<'_>) -> bool {
    let path = String::from_utf8_lossy(it.path).to_lowercase();
    let named = path.split('/').any(|part| ACTING_NAMES.contains(&part));
    let nested = format!("/{path}");
    let placed = ACTING_PATHS.iter().any(|it| nested.contains(&format!("/{it}")));
    let new_exec = it.new_mode == MODE_EXEC && it.old_mode != MODE_EXEC;
    let new_link =
        it.new_mode == MODE_LINK && it.link.as_deref().is_some_and(|l| leaves(it.path, l));
    let scripts =
        it.package.as_ref().is_some_and(|(old, new)| acting_keys(old) != acting_keys(new));
    named || placed || new_exec || new_link || scripts || why_protected(it).is_some()
}

/// What of a `package.json` is run by the package manager, or by the hooks that it sets up.
fn acting_keys(text: &[u8]) -> Option<Vec<Option<serde_json::Value>>> {
    let json: serde_json::Value = serde_json::from_slice(text).ok()?;
    let keys = ["scripts", "husky", "lint-staged", "simple-git-hooks", "pre-commit", "gypfile"];
    Some(keys.iter().map(|it| json.get(it).cloned()).collect())
}

/// Paths of `new` that are the same as another path of the tree to a file system that folds case, or
/// that takes the composed and the decomposed spelling of a letter for one.
pub(super) fn collisions<'a>(
    all: impl Iterator<Item = Vec<u8>>,
    new: impl Iterator<Item = &'a [u8]>,
) -> Vec<Vec<u8>> {
    let composed = ComposingNormalizerBorrowed::new_nfc();
    let fold = |it: &[u8]| {
        let lower = composed.normalize(&String::from_utf8_lossy(it)).to_lowercase();
        composed.normalize(&lower).into_owned()
    };
    let mut seen: HashMap<String, u32> = HashMap::new();
    for path in all {
        *seen.entry(fold(&path)).or_default() += 1;
    }
    let collides = |it: &&[u8]| seen.get(&fold(it)).is_some_and(|n| 1 < *n);
    new.filter(collides).map(<[u8]>::to_vec).collect()
}

/// What no agent may write by the workspace's own rules.
pub(super) struct Kept {
    globs: GlobSet,
}

impl Kept {
    pub(super) fn new(globs: &[String]) -> Result<Kept, Failure> {
        Ok(Kept { globs: glob_set(globs, "protected")? })
    }

    pub(super) fn holds(&self, path: &str) -> bool {
        self.globs.is_match(path)
    }
}

fn glob_set(globs: &[String], what: &str) -> Result<GlobSet, Failure> {
    let wrong = |error| Failure::new(Code::Config, format!("read a {what} pattern: {error}"));
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob).map_err(wrong)?);
    }
    builder.build().map_err(wrong)
}

/// Where a mistake is dear: built-in words and places, plus globs of the configuration.
pub(super) struct Risk {
    globs: GlobSet,
}

impl Risk {
    pub(super) fn new(globs: &[String]) -> Result<Risk, Failure> {
        Ok(Risk { globs: glob_set(globs, "risk")? })
    }

    pub(super) fn is_dear(&self, path: &str) -> bool {
        let lower = path.to_lowercase();
        let ci = lower.starts_with(".github/")
            || lower.starts_with(".circleci/")
            || lower.ends_with(".gitlab-ci.yml")
            || lower.ends_with("jenkinsfile");
        let words = lower.split(|it: char| !it.is_alphanumeric());
        ci || words.into_iter().any(|it| RISK_WORDS.contains(&it)) || self.globs.is_match(path)
    }
}
