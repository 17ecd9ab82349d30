//! What a project says it needs, as one hash: two trees with the same one can share what was installed
//! for either of them. Scripts, versions and settings of tools don't count.

use super::report::{open_dir, read_file};
use crate::sandbox::hex;
use cap_std::fs::Dir;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// Most of all files of one kind.
const MANIFESTS_BYTES_MAX: u64 = 64 * 1024 * 1024;

const NODE_LOCKS: [&str; 6] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "yarn.lock",
    "bun.lock",
];
/// Of package.json.
const NODE_KEYS: [&str; 9] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "overrides",
    "resolutions",
    "workspaces",
    "packageManager",
    "pnpm",
];
const PYTHON_FILES: [&str; 12] = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "requirements-test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "uv.lock",
    "poetry.lock",
    "Pipfile",
    "Pipfile.lock",
    "setup.py",
    "setup.cfg",
];
/// Of pyproject.toml.
const PYTHON_KEYS: [&[&str]; 9] = [
    &["project", "name"],
    &["project", "dependencies"],
    &["project", "optional-dependencies"],
    &["project", "scripts"],
    &["dependency-groups"],
    &["build-system"],
    &["tool", "poetry", "dependencies"],
    &["tool", "poetry", "group"],
    &["tool", "uv"],
];

/// What dependencies are installed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Cargo,
    Go,
    Node,
    Python,
}

impl Language {
    pub const ALL: [Language; 4] =
        [Language::Cargo, Language::Go, Language::Node, Language::Python];
}

/// The files of a folder that say what is needed.
pub(super) struct Manifests<'a> {
    root: Dir,
    /// Relative; `""` or ending in `/`.
    folder: &'a str,
    left: std::cell::Cell<u64>,
}

impl<'a> Manifests<'a> {
    pub(super) fn open(root: &Path, folder: &'a str) -> Option<Manifests<'a>> {
        let left = std::cell::Cell::new(MANIFESTS_BYTES_MAX);
        Some(Manifests { root: open_dir(root).ok()?, folder, left })
    }

    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut left = self.left.get();
        let bytes = read_file(&self.root, &format!("{}{name}", self.folder), &mut left).ok();
        self.left.set(left);
        bytes
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    /// Those of a language's files that are there.
    pub(super) fn there(&self, language: Language) -> Vec<String> {
        let partly: &[&str] = match language {
            Language::Node => &["package.json"],
            Language::Python => &["pyproject.toml"],
            Language::Cargo | Language::Go => &[],
        };
        let all = partly.iter().chain(whole(language));
        all.filter(|it| self.read(it).is_some()).map(|it| it.to_string()).collect()
    }

    /// Hex; `None` where nothing says that anything is needed.
    pub(super) fn hash(&self, language: Language) -> Option<String> {
        let mut hash = Sha256::new();
        let mut any = false;
        let mut add = |name: &str, bytes: &[u8]| {
            hash.update(name);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
            any = true;
        };
        for name in whole(language) {
            if let Some(bytes) = self.read(name) {
                add(name, &bytes);
            }
        }
        let parts = match language {
            Language::Node => self.text("package.json").map(|it| of_package(&it)),
            Language::Python => self.text("pyproject.toml").map(|it| of_pyproject(&it)),
            Language::Cargo | Language::Go => None,
        };
        if let Some(parts) = parts.filter(|it| !it.is_empty()) {
            add("parts", parts.as_bytes());
        }
        any.then(|| hex(&hash.finalize()))
    }
}

fn whole(language: Language) -> &'static [&'static str] {
    match language {
        Language::Cargo => &["Cargo.lock"],
        Language::Go => &["go.mod", "go.sum", "go.work"],
        Language::Node => &NODE_LOCKS,
        Language::Python => &PYTHON_FILES,
    }
}

/// The keys that say what is needed; the whole text where it can't be read.
fn of_package(text: &str) -> String {
    let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else {
        return text.to_string();
    };
    let found = NODE_KEYS.iter().filter_map(|it| Some((it, package.get(it)?)));
    let found = found.filter(|(_, it)| it.as_object().is_none_or(|it| !it.is_empty()));
    found.map(|(key, value)| format!("{key} {value}\n")).collect()
}

fn of_pyproject(text: &str) -> String {
    let Ok(table) = text.parse::<toml::Table>() else {
        return text.to_string();
    };
    let table = toml::Value::Table(table);
    let mut res = String::new();
    for path in PYTHON_KEYS {
        let found = path.iter().try_fold(&table, |it, key| it.get(key));
        if let Some(found) = found {
            // Writing to a String cannot fail.
            let _ = writeln!(res, "{} {found}", path.join("."));
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_counts() {
        let dir = tempfile::TempDir::new().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let hash = |language| Manifests::open(dir.path(), "").unwrap().hash(language);
        for language in Language::ALL {
            assert_eq!(hash(language), None, "{language:?}");
        }
        write("package.json", r#"{"scripts":{"test":"jest"},"devDependencies":{"jest":"30"}}"#);
        write("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['x']\n[tool.ruff]\nx = 1");
        let (node, python) = (hash(Language::Node), hash(Language::Python));
        assert!(node.is_some() && python.is_some());
        write("package.json", r#"{"scripts":{"test":"x"},"devDependencies":{"jest":"30"}}"#);
        write("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['x']\n[tool.ruff]\nx = 2");
        assert_eq!((hash(Language::Node), hash(Language::Python)), (node.clone(), python.clone()));
        write("package.json", r#"{"devDependencies":{"jest":"29"}}"#);
        write("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['y']\n");
        assert_ne!(hash(Language::Node), node);
        assert_ne!(hash(Language::Python), python);
        let before = hash(Language::Node);
        write("package-lock.json", "{}");
        assert_ne!(hash(Language::Node), before);
        // A link is no manifest.
        std::os::unix::fs::symlink("package-lock.json", dir.path().join("yarn.lock")).unwrap();
        let with_link = hash(Language::Node);
        std::fs::remove_file(dir.path().join("yarn.lock")).unwrap();
        assert_eq!(hash(Language::Node), with_link);
    }
}
