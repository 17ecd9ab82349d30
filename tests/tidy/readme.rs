//! The README is true: its commands exist with these options, its table of exit codes is the one
//! that the program prints, and what CI runs is what it tells people to run.

use crate::lexer::line_of;
use crate::none;
use crate::tree::tree;
use baton::config::{Config, Home};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

/// Programs that a block may call besides ours.
const PROGRAMS: &[&str] =
    &["cargo", "git", "cd", "export", "apt-get", "sudo", "nvim", "mkdir", "cp", "npm", "code"];

#[test]
fn commands_in_the_readme_exist() {
    let mut found = Vec::new();
    let text = &tree().file("README.md").text;
    let lines = shell_lines(text);
    assert!(lines.iter().any(|it| it.1.starts_with("cargo run -- demo")), "no first command");
    for (at, line) in lines {
        if let Err(why) = exists(line) {
            found.push(format!("README.md:{}: {line}: {why}", line_of(text, at)));
        }
    }
    none(found, "`baton --help` and `baton COMMAND --help` list what there is");
}

/// Lines of the blocks marked `sh`, without comments.
fn shell_lines(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if line.starts_with("```") {
            inside = line.trim_end() == "```sh";
        } else if inside {
            let line = line.split(" #").next().unwrap_or(line).trim();
            if !line.is_empty() && !line.starts_with('#') {
                found.push((start, line));
            }
        }
    }
    found
}

fn exists(line: &str) -> Result<(), String> {
    let mut words = line.split_whitespace().skip_while(|it| it.contains('='));
    let program = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let ours = match (program, words.as_slice()) {
        ("baton", rest) => rest,
        ("cargo", ["run", "--", rest @ ..]) => rest,
        _ if PROGRAMS.contains(&program) => return Ok(()),
        _ => return Err(format!("`{program}` is not among PROGRAMS")),
    };
    let Some(command) = ours.first().filter(|it| !it.starts_with('-')) else {
        return has_options("", ours);
    };
    if !commands().iter().any(|it| it == command) {
        return Err(format!("no command `{command}`"));
    }
    has_options(command, &ours[1..])
}

fn has_options(command: &str, words: &[&str]) -> Result<(), String> {
    let help = help(command);
    let options = words.iter().take_while(|it| **it != "--").filter(|it| it.starts_with("--"));
    for option in options {
        let name = option.split('=').next().unwrap_or(option);
        let is_listed = help.split([' ', ',', '\n', '=']).any(|it| it == name);
        if !is_listed {
            return Err(format!("no option `{name}`"));
        }
    }
    Ok(())
}

/// The names under `Commands:` of `baton --help`.
pub fn commands() -> Vec<String> {
    let help = help("");
    let list = help.split("Commands:\n").nth(1).unwrap_or_default();
    list.lines()
        .take_while(|it| !it.is_empty())
        .filter(|it| it.starts_with("  ") && !it.starts_with("   "))
        .filter_map(|it| it.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// What `baton COMMAND --help` prints; each is asked for once.
fn help(command: &str) -> String {
    static SEEN: LazyLock<Mutex<BTreeMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut seen = SEEN.lock().unwrap();
    let ask = || {
        let mut call = Command::new(env!("CARGO_BIN_EXE_baton"));
        call.args(Some(command).filter(|it| !it.is_empty())).arg("--help");
        let out = call.output().unwrap();
        assert!(out.status.success(), "baton {command} --help: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    seen.entry(command.to_owned()).or_insert_with(ask).clone()
}

#[test]
fn the_configuration_in_the_readme_is_read() {
    let text = &tree().file("README.md").text;
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).collect();
    assert_eq!(blocks.len(), 1, "one block of configuration");
    let dir = tempfile::tempdir().unwrap();
    let place = |it: &str| dir.path().join(it);
    let home = Home {
        config_file: place("config.toml"),
        state_dir: place("state"),
        cache_dir: place("cache"),
        runtime_dir: None,
    };
    for block in blocks {
        let block = block.split("```").next().unwrap();
        // As it stands, and with each setting that is commented out.
        for shown in [block.to_owned(), block.replace("# base_url", "base_url")] {
            std::fs::write(&home.config_file, &shown).unwrap();
            let config = Config::load(&home).unwrap_or_else(|it| panic!("{shown}\n{it}"));
            assert!(config.model.is_some_and(|it| it.key.is_some()), "{shown}");
        }
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let readme = &tree().file("README.md").text;
    let in_table = readme.lines().filter_map(|it| it.strip_prefix("| "));
    let in_table: BTreeSet<u8> =
        in_table.filter_map(|it| it.split(' ').next()?.parse().ok()).collect();
    let help = help("");
    let list = help.split("Exit codes:\n").nth(1).unwrap_or_default();
    let in_help = list.lines().take_while(|it| !it.is_empty());
    let in_help: BTreeSet<u8> =
        in_help.filter_map(|it| it.split_whitespace().next()?.parse().ok()).collect();
    assert_eq!(in_table, in_help, "the README's table and `baton --help` differ");
    assert_eq!(in_table, BTreeSet::from([0, 1, 2, 3, 64, 70, 130]));
}

#[test]
fn ci_runs_what_the_readme_says() {
    let lines = shell_lines(&tree().file("README.md").text);
    let tests: Vec<&str> =
        lines.iter().map(|it| it.1).filter(|it| it.starts_with("cargo test")).collect();
    assert_eq!(tests, ["cargo test"], "the README names one test command, and CI reads it there");
    let ci = &tree().file(".ci/run").text;
    assert!(ci.contains("README.md") && ci.contains("BATON_TEST_REQUIRE=all"));
    for part in ["cargo fmt", "cargo clippy", "demo --yes", "--cheat", "tests/readme/run.py"] {
        assert!(ci.contains(part), ".ci/run doesn't run {part}");
    }
}

#[test]
fn a_command_that_is_not_there_is_noticed() {
    for wrong in ["baton frobnicate", "cargo run -- demo --none", "make", "baton --none"] {
        assert!(exists(wrong).is_err(), "{wrong}");
    }
    for right in ["A=b cargo test", "baton --version", "cargo run -- demo --yes", "baton run -"] {
        assert_eq!(exists(right), Ok(()), "{right}");
    }
    let text = "```sh\na # b\n# c\n```\n```lua\nd\n```\n";
    assert_eq!(shell_lines(text), [(6, "a")]);
}
