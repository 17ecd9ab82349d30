//! Who may name whom. `team` has no hands; a module looks down only; each foreign library has one
//! user; stored events, wire types and rows are three formats.

use crate::lexer::{closing, line_of, words};
use crate::none;
use crate::tree::{File, root, tree};

/// A module may use itself and what stands below it; those on one line don't know each other.
const LAYERS: &[&[&str]] = &[
    &["lsp", "cli", "daemon"],
    &["hub"],
    &["agent", "checks", "git", "store", "socket"],
    &["model", "sandbox"],
    &["protocol", "config"],
    &["clean", "fail"],
];

/// The only module that may name a library, because it hides what the library is.
const OWNERS: &[(&str, &[&str])] = &[
    ("git", &["git2"]),
    ("store", &["rusqlite"]),
    ("model", &["reqwest", "hyper", "hyper_util", "http_body_util"]),
    ("lsp", &["tower_lsp", "tower"]),
    ("sandbox", &["landlock", "seccompiler", "close_fds"]),
];

const SOURCES: &str = "server/baton/src/";

#[test]
fn modules_look_down_only() {
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        found.extend(looks_up(file, &rust.code));
    }
    let order = LAYERS.iter().map(|it| it.join(" | "));
    let order: Vec<String> = order.collect();
    let to_do = format!(
        "the order is {} > team; hand the value in from above, or move the code down",
        order.join(" > ")
    );
    none(found, &to_do);
}

fn looks_up(file: &File, code: &str) -> Vec<String> {
    let Some(module) = module_of(&file.path) else {
        return Vec::new();
    };
    let Some(own) = layer(module) else {
        return vec![format!("{}: `{module}` has no layer yet: give it one", file.path)];
    };
    let mut found = Vec::new();
    for (at, used) in top_level_uses(file, code) {
        let is_up = match layer(used) {
            Some(it) => it < own || (it == own && used != module),
            None => false,
        };
        if is_up {
            let line = line_of(code, at);
            found.push(format!("{}:{line}: `{module}` may not use `{used}`", file.path));
        }
    }
    found
}

/// The module that a file of the program belongs to; none for its doors, which may name everything.
fn module_of(path: &str) -> Option<&str> {
    let module = path.strip_prefix(SOURCES)?.split(['/', '.']).next()?;
    (!["lib", "main"].contains(&module)).then_some(module)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|it| it.contains(&module))
}

/// Names used from the crate's root, by `crate::`, by `baton::` or by enough `super::`.
fn top_level_uses<'a>(file: &File, code: &'a str) -> Vec<(usize, &'a str)> {
    let depth = file.path[SOURCES.len()..].matches('/').count() + 1;
    let up = "super::".repeat(depth);
    let mut found = Vec::new();
    for root in ["crate::", "baton::", up.as_str()] {
        for (at, _) in code.match_indices(root) {
            let rest = at + root.len();
            if code[rest..].starts_with('{') {
                let group = rest..closing(code, rest);
                found.extend(group_heads(&code[group]).map(|(it, name)| (rest + it, name)));
            } else if let Some((0, name)) = words(&code[rest..]).next() {
                found.push((rest, name));
            }
        }
    }
    found
}

/// `a` and `d` of `{a::{b, c}, d}`.
fn group_heads(group: &str) -> impl Iterator<Item = (usize, &str)> {
    words(group).filter(|(at, _)| {
        let before = &group[..*at];
        let depth = before.matches('{').count() - before.matches('}').count();
        depth == 1 && before.trim_end().ends_with(['{', ','])
    })
}

#[test]
fn each_library_has_one_user() {
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        let Some(module) = module_of(&file.path) else {
            continue;
        };
        for (at, word) in words(&rust.product) {
            let owner = OWNERS.iter().find(|it| it.1.contains(&word));
            let Some((owner, _)) = owner.filter(|it| it.0 != module) else {
                continue;
            };
            // A crate is named at the head of a path, by `use` or in the middle of the code.
            let tail = &rust.product[at + word.len()..];
            let is_head = !rust.product[..at].ends_with("::") && !rust.product[..at].ends_with('.');
            if is_head && tail.starts_with("::") {
                let line = line_of(&rust.product, at);
                found.push(format!("{}:{line}: `{word}` is `{owner}`'s", file.path));
            }
        }
    }
    none(found, "ask the module that owns the library for what you need");
}

#[test]
fn the_team_has_no_hands() {
    let manifest: toml::Table = tree().file("server/team/Cargo.toml").text.parse().unwrap();
    let names = |it: &str| manifest[it].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names("dependencies"),
        ["imbl", "serde"],
        "a new dependency of `team` is a decision"
    );
    assert_eq!(names("dev-dependencies"), ["expect-test", "serde_json"]);

    let hands = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "std::thread",
        "std::io",
        "std::time",
        "SystemTime",
        "Instant",
        "println!",
        "print!",
        "eprintln!",
        "dbg!",
        "async ",
        "unsafe ",
    ];
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        if !file.path.starts_with("server/team/") {
            continue;
        }
        for hand in hands {
            for (at, _) in rust.product.match_indices(hand) {
                let line = line_of(&rust.product, at);
                found.push(format!("{}:{line}: `{}`", file.path, hand.trim()));
            }
        }
    }
    none(found, "`team` only thinks: time and facts come in as inputs, acts go out as jobs");
}

/// What `team` names a thing by; the wire may carry these as they are.
const IDS: &[&str] = &[
    "TaskId",
    "RunId",
    "ApprovalId",
    "QuestionId",
    "ReceiptId",
    "CommitId",
    "TreeId",
    "ChangeId",
    "Millis",
];

#[test]
fn events_wire_and_rows_are_three_formats() {
    let mut found = Vec::new();
    for (file, rust) in tree().rust() {
        let code = &rust.product;
        let module = module_of(&file.path).unwrap_or_default();
        if ["protocol", "lsp"].contains(&module) {
            found.extend(team_types_on_the_wire(file, code));
        }
        if ["store", "git", "team"].contains(&module) || file.path.starts_with("server/team/") {
            for (at, word) in words(code) {
                if ["JsonSchema", "protocol"].contains(&word) {
                    let line = line_of(code, at);
                    found.push(format!("{}:{line}: `{word}` is the wire's", file.path));
                }
            }
        }
    }
    none(
        found,
        "the log may outlive the wire and the wire the log: give the wire a type of its own and a \
         conversion; ids alone are shared",
    );
}

/// Serialisable types whose definition names a type of `team` that is no id.
fn team_types_on_the_wire(file: &File, code: &str) -> Vec<String> {
    let imported = imported_from_team(code);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("#[derive(") {
        let derive = &code[at..closing(code, at + 1)];
        if !derive.contains("erialize") {
            continue;
        }
        let start = at + derive.len();
        let Some(open) = code[start..].find(['{', '(', ';']).map(|it| start + it) else {
            continue;
        };
        let body = open..closing(code, open).max(open + 1);
        for (i, word) in words(&code[body.clone()]) {
            let is_team = code[..body.start + i].ends_with("team::") || imported.contains(&word);
            if is_team && !IDS.contains(&word) {
                let line = line_of(code, body.start + i);
                found.push(format!("{}:{line}: `{word}` of `team` on the wire", file.path));
            }
        }
    }
    found
}

fn imported_from_team(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("use team::") {
        let rest = &code[at + start.len()..];
        let end = rest.find(';').unwrap_or(rest.len());
        found.extend(words(&rest[..end]).map(|it| it.1));
    }
    found
}

#[test]
fn every_crate_takes_the_houses_lints() {
    for manifest in ["server/team/Cargo.toml", "server/baton/Cargo.toml"] {
        let read: toml::Table = tree().file(manifest).text.parse().unwrap();
        assert_eq!(read["lints"]["workspace"].as_bool(), Some(true), "{manifest}: [lints]");
    }
    let read: toml::Table = tree().file("Cargo.toml").text.parse().unwrap();
    let level = |group: &str, lint: &str| {
        read["workspace"]["lints"][group][lint].as_str().map(str::to_owned)
    };
    assert_eq!(level("rust", "unsafe_code").as_deref(), Some("forbid"));
    for lint in ["unwrap_used", "expect_used", "print_stdout", "await_holding_lock"] {
        assert_eq!(level("clippy", lint).as_deref(), Some("deny"), "clippy::{lint}");
    }
    let members = read["workspace"]["members"].as_array().unwrap();
    let folders: Vec<_> = std::fs::read_dir(root().join("server")).unwrap().collect();
    assert_eq!(members.len(), folders.len(), "a crate that is no member, or a member elsewhere");
}

#[test]
fn a_look_up_is_noticed() {
    let sample = |path: &str, text: &str| {
        let file = File::new(&format!("{SOURCES}{path}"), text);
        let code = file.rust.as_ref().unwrap().code.clone();
        looks_up(&file, &code).len()
    };
    assert_eq!(sample("git/slot.rs", "use crate::{config::Home, store::{Reader, hub}, fail};"), 1);
    assert_eq!(sample("git/slot.rs", "fn a() { super::super::hub::b(); super::tree(); }"), 1);
    assert_eq!(sample("git.rs", "use super::agent; use super::clean; use crate::git::slot;"), 1);
    assert_eq!(sample("lsp.rs", "use crate::hub::Hub; // crate::cli\nlet a = \"crate::cli\";"), 0);
    assert_eq!(sample("fail.rs", "use crate::config;"), 1);
    assert_eq!(sample("novel.rs", "use team::Event;"), 1);
    assert_eq!(sample("main.rs", "use baton::cli;"), 0);

    let text = "use team::{Board, TaskId};\n#[derive(Serialize)]\nstruct A { a: TaskId, b: Board }\n#[derive(Clone)]\nstruct B(Board);\n#[derive(Deserialize)]\nstruct C(team::Event);";
    let file = File::new("server/baton/src/protocol.rs", text);
    assert_eq!(team_types_on_the_wire(&file, text).len(), 2);
}
