//! The environment of a command: built from an allow-list, never inherited.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Variables that a command may get from the process that started us. None of them names a secret.
const TAKEN: [&str; 22] = [
    "CARGO_HOME",
    "CC",
    "CXX",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "HOME",
    "JAVA_HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "NVM_DIR",
    "PATH",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// Set for every command: plain output, no questions, no user configuration of git, no downloads.
const SET: [(&str, &str); 15] = [
    ("CARGO_NET_OFFLINE", "true"),
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_PROGRESS_WHEN", "never"),
    ("CI", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GOPROXY", "off"),
    ("GOTOOLCHAIN", "local"),
    ("NO_COLOR", "1"),
    ("PAGER", "cat"),
    // Compiled files beside the sources would pass for a change.
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("TERM", "dumb"),
];

/// Where programs are looked for when nobody said.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables of a command. `HOME` and `CARGO_HOME` are the user's own; a confined command gets
/// private ones in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub vars: BTreeMap<String, String>,
}

impl Environment {
    /// From this process's environment, by the allow-list.
    pub fn from_process() -> Environment {
        Environment::from_lookup(|name| std::env::var(name).ok())
    }

    /// From what a client said of its own environment, by the same allow-list.
    pub fn from_profile(profile: &BTreeMap<String, String>) -> Environment {
        Environment::from_lookup(|name| profile.get(name).cloned())
    }

    /// What a client says of its own environment: the variables of the allow-list, as they are.
    pub fn profile() -> BTreeMap<String, String> {
        let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
        TAKEN.iter().filter_map(set).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// As `from_process`, from any source of variables.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Environment {
        let taken = TAKEN
            .iter()
            .filter_map(|name| Some((name.to_string(), lookup(name)?)))
            .filter(|(_, value)| !value.is_empty());
        let mut vars: BTreeMap<String, String> = taken.collect();
        let path = vars.remove("PATH").as_deref().and_then(absolute_only);
        vars.insert("PATH".into(), path.unwrap_or_else(|| PATH_DEFAULT.into()));
        vars.extend(SET.map(|(name, value)| (name.into(), value.into())));
        Environment { vars }
    }

    /// SHA-256 over the names and values, hex.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.vars {
            hash.update(name);
            hash.update([b'=']);
            hash.update(value);
            hash.update([0]);
        }
        hex(&hash.finalize())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }
}

/// A relative folder on `PATH` would let a file in a slot pass for a program.
fn absolute_only(path: &str) -> Option<String> {
    let entries = path.split(':').filter(|it| it.starts_with('/'));
    let path = entries.collect::<Vec<_>>().join(":");
    (!path.is_empty()).then_some(path)
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_what_is_allowed() {
        let all = Environment::from_lookup(|name| Some(format!("value of {name}")));
        for secret in ["ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK"] {
            assert_eq!(all.get(secret), None);
        }
        assert_eq!(all.get("LANG"), Some("value of LANG"));
        assert_eq!(all.get("PATH"), Some(PATH_DEFAULT));
        assert_eq!(all.get("CARGO_NET_OFFLINE"), Some("true"));
        assert_eq!(all.vars.len(), TAKEN.len() + SET.len());
    }

    #[test]
    fn a_path_is_always_there() {
        assert_eq!(Environment::from_lookup(|_| None).get("PATH"), Some(PATH_DEFAULT));
    }

    #[test]
    fn no_folder_on_the_path_is_relative() {
        let path = |text: &str| {
            let env = Environment::from_lookup(|name| (name == "PATH").then(|| text.to_string()));
            env.vars["PATH"].clone()
        };
        assert_eq!(path("/a::.:/b/c:d/e:"), "/a:/b/c");
        assert_eq!(path(".:"), PATH_DEFAULT);
    }

    #[test]
    fn the_hash_tells_environments_apart() {
        let one = Environment::from_lookup(|_| None);
        let mut two = one.clone();
        assert_eq!(one.hash(), two.hash());
        two.vars.insert("LANG".into(), "C".into());
        assert_ne!(one.hash(), two.hash());
        assert_eq!(one.hash().len(), 64);
    }
}
