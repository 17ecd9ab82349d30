//! Nothing of the machine it was written on, of its author or of the world outside is in the tree:
//! no machine path, no host that isn't named here, no key, no address of a person; and the top level
//! holds what it shall and nothing else.

use crate::lexer::line_of;
use crate::none;
use crate::tree::tree;
use std::collections::BTreeSet;

/// Hosts that the code, the docs or a lock file may name, and why.
const HOSTS: &[(&str, &str)] = &[
    ("127.0.0.1", "loopback"),
    ("localhost", "loopback"),
    ("[", "loopback, IPv6, or a host put in by a format string"),
    ("{", "a host put in by a format string"),
    ("$", "a host put in by a shell"),
    ("api.anthropic.com", "the provider's own default"),
    ("api.openai.com", "the other provider's default"),
    ("platform.claude.com", "where a key comes from"),
    ("console.anthropic.com", "where a key comes from"),
    ("docs.claude.com", "the provider's documentation"),
    ("docs.anthropic.com", "the provider's documentation"),
    ("github.com", "the name of the public index in Cargo.lock, and sources of facts"),
    ("crates.io", "the public index"),
    ("registry.npmjs.org", "the public index, in a lock file"),
    ("json-schema.org", "the dialect of a schema"),
    ("microsoft.github.io", "the protocol's specification"),
    ("www.apache.org", "in the text of the licence"),
    ("keepachangelog.com", "the changelog's format"),
    ("www.sqlite.org", "sources of facts"),
    ("git-scm.com", "sources of facts"),
    ("doc.rust-lang.org", "sources of facts"),
    ("10.0.0.1", "a host of some local network, in tests about where a key may go"),
    ("evil", "what a hostile repository names, in tests"),
    ("hooks.slack.com", "the shape of a secret address, to be taken out of texts"),
    ("arxiv.org", "sources of facts"),
    ("www.w3.org", "the name of the format, in a picture"),
];

const TOP: &[&str] = &[
    ".baton",
    ".ci",
    ".gitignore",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "editors",
    "rustfmt.toml",
    "server",
    "tests",
];

#[test]
fn no_machine_path() {
    // In two halves, so that this file may be searched too.
    let halves = [("/ro", "ot/"), ("/wo", "rk/"), ("/fa", "rm/"), ("/Us", "ers/"), ("C:\\", "Us")];
    let paths: Vec<String> = halves.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let home = ["/ho", "me/"].concat();
    let mut found = Vec::new();
    for file in &tree().files {
        let places = paths.iter().flat_map(|it| file.text.match_indices(it));
        let homes = file.text.match_indices(&home).filter(|(at, it)| {
            let rest = &file.text[at + it.len()..];
            let name = rest.find(|it: char| !it.is_ascii_lowercase()).unwrap_or(rest.len());
            0 < name && rest[name..].starts_with('/')
        });
        for (at, it) in places.chain(homes) {
            // A longer path of another tree, such as `tests/work/x`, is no machine path.
            let before = file.text[..at].chars().next_back();
            if !before.is_some_and(|it| it.is_alphanumeric() || "_.-}".contains(it)) {
                found.push(format!("{}:{}: `{it}`", file.path, line_of(&file.text, at)));
            }
        }
    }
    none(found, "take the place from the environment, a temporary folder or `~`");
}

#[test]
fn every_host_is_known() {
    let mut found = Vec::new();
    for file in &tree().files {
        for (at, host) in hosts(&file.text) {
            let line = line_of(&file.text, at);
            if !is_known(host) && !is_example(host) {
                found.push(format!("{}:{line}: `{host}`", file.path));
            }
        }
    }
    found.sort();
    none(found, "use example.org or loopback; or add the host with its reason to HOSTS");
}

fn hosts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let schemes = ["http://", "https://"];
    schemes.into_iter().flat_map(move |scheme| {
        text.match_indices(scheme).filter_map(move |(at, _)| {
            let rest = &text[at + scheme.len()..];
            let is_end = |it: char| !it.is_alphanumeric() && !"-._@:[{$".contains(it);
            let place = &rest[..rest.find(is_end).unwrap_or(rest.len())];
            // Without the user and the port.
            let host = place.rsplit('@').next().unwrap_or(place);
            let host = host.split(':').next().unwrap_or(host).trim_end_matches('.');
            (!host.is_empty()).then_some((at, host))
        })
    })
}

fn is_known(host: &str) -> bool {
    let is_part = |it: &str| it.len() == 1 && host.starts_with(it);
    HOSTS.iter().any(|(it, _)| *it == host || is_part(it))
}

/// Reserved for examples, so that nobody owns them; or a letter that stands for some host.
fn is_example(host: &str) -> bool {
    if host.len() == 1 || host.starts_with("192.0.2.") {
        return true;
    }
    let ends = ["example.com", "example.org", "example.net", ".invalid", ".test", ".example"];
    host == "example" || ends.iter().any(|it| host.ends_with(it))
}

#[test]
fn no_key() {
    let mut found = Vec::new();
    for file in &tree().files {
        for (at, what) in keys(&file.text) {
            found.push(format!("{}:{}: {what}", file.path, line_of(&file.text, at)));
        }
    }
    none(found, "a key never lies in the tree; a test that needs one puts it together as it runs");
}

fn keys(text: &str) -> Vec<(usize, &'static str)> {
    let prefixes = [
        ("sk-", 20, "a model provider's key"),
        ("ghp_", 20, "a forge's token"),
        ("github_pat_", 20, "a forge's token"),
        ("glpat-", 16, "a forge's token"),
        ("xoxb-", 16, "a chat's token"),
        ("AKIA", 16, "a cloud's key"),
        ("AIza", 30, "a cloud's key"),
    ];
    let mut found = Vec::new();
    for (prefix, len, what) in prefixes {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            let is_key = |it: &char| it.is_ascii_alphanumeric() || "-_".contains(*it);
            let tail: String = rest.chars().take_while(is_key).collect();
            let is_start = !text[..at].ends_with(|it: char| it.is_alphanumeric() || it == '-');
            let is_mixed = tail.contains(|it: char| it.is_ascii_digit());
            if is_start && is_mixed && len <= tail.len() {
                found.push((at, what));
            }
        }
    }
    // The header alone is a shape that code may look for; a key has a body.
    let block = ["-----BEGIN", " "].concat();
    for (at, _) in text.match_indices(&block) {
        let Some((head, rest)) = text[at + block.len()..].split_once("-----") else {
            continue;
        };
        let body = rest.trim_start_matches("\\n").trim_start();
        let is_body = |it: &char| it.is_ascii_alphanumeric() || "+/=".contains(*it);
        if head.ends_with("PRIVATE KEY") && 40 <= body.chars().take_while(is_body).count() {
            found.push((at, "a private key"));
        }
    }
    found
}

#[test]
fn no_person() {
    let mut found = Vec::new();
    for file in &tree().files {
        for (at, address) in addresses(&file.text) {
            let host = address.rsplit('@').next().unwrap_or_default();
            if !is_example(host) && !["localhost", "baton"].contains(&host) {
                found.push(format!("{}:{}: {address}", file.path, line_of(&file.text, at)));
            }
        }
        for mark in [["Signed-off", "-by:"], ["@", "author"]] {
            for (at, _) in file.text.match_indices(&mark.concat()) {
                found.push(format!("{}:{}: a signature", file.path, line_of(&file.text, at)));
            }
        }
    }
    let author = tree().files.iter().filter(|it| it.path.ends_with("Cargo.toml"));
    for file in author.filter(|it| it.text.contains("\nauthors")) {
        found.push(format!("{}: authors", file.path));
    }
    none(found, "the authors are `the Baton authors`; addresses in examples end in example.org");
}

/// What looks like a mail address: `somebody@example.org`, the last part of letters alone.
fn addresses(text: &str) -> Vec<(usize, &str)> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || "._%+-".contains(it);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at]
            .rfind(|it| !is_name(it))
            .map_or(0, |it| it + text[it..].chars().next().map_or(1, char::len_utf8));
        let rest = &text[at + 1..];
        let is_host = |it: char| it.is_ascii_alphanumeric() || ".-".contains(it);
        let end = rest.find(|it| !is_host(it)).unwrap_or(rest.len());
        let address = text[start..at + 1 + end].trim_end_matches('.');
        let tld = address.rsplit('.').next().unwrap_or_default();
        let is_tld = 2 <= tld.len() && tld.bytes().all(|it| it.is_ascii_lowercase());
        // A URL's user and an scp-like address are hosts' matters.
        if start < at && is_tld && address[at - start..].contains('.') {
            found.push((start, address));
        }
    }
    found
}

#[test]
fn the_top_level_is_tidy() {
    let present: BTreeSet<&str> =
        tree().paths.iter().filter_map(|it| it.split('/').next()).collect();
    let found = present.iter().filter(|it| !TOP.contains(it)).map(|it| (*it).to_owned()).collect();
    none(found, "it belongs under server, editors, tests or docs");
    for needed in ["Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE", ".ci", "docs"] {
        assert!(present.contains(needed), "{needed} is missing");
    }
}

#[test]
fn what_must_not_be_here_is_noticed() {
    let text = ["http:", "//a:b", "@some.host:8/x and http://127.0.0.1:80/"].concat();
    let read: Vec<&str> = hosts(&text).map(|it| it.1).filter(|it| !is_known(it)).collect();
    assert_eq!(read, ["some.host"]);
    let key = ["sk-", "ant-", "abcdefgh12345678ijkl"].concat();
    assert_eq!(keys(&format!("key = \"{key}\"")).len(), 1);
    let block = format!("{}{}-----\n{}", "-----BEGIN ", "PRIVATE KEY", "aB3/".repeat(16));
    assert_eq!(keys(&block).len(), 1);
    assert_eq!(keys("a task-with-a-very-long-name-of-2-words").len(), 0);
    let person = ["some.one", "@", "somewhere.net"].concat();
    assert_eq!(addresses(&format!("<{person}> and git@[::1] and a@b")).len(), 1);
}
