//! `baton init`, `baton completions`, `baton man`: what sets Baton up in a repository and in a shell.

use super::args::{Completions, Init, Man, Typed};
use super::open::{Doing, Here, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use crate::checks;
use crate::config::{Config, TEAM_FILE, parse_team_file};
use cap_std::fs::{Dir, OpenOptions};
use clap::CommandFactory;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write};
use std::path::Path;
use team::{CheckSpec, Code, Failure, Limits};

/// Larger files say nothing about how a project is tested.
const FILE_BYTES_MAX: u64 = 256 * 1024;
const NAMES_MAX: usize = 10_000;

/// What `init --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    path: &'static str,
    /// False with `--dry-run`.
    written: bool,
    checks: Vec<CheckView>,
    text: String,
}

#[derive(Serialize)]
struct CheckView {
    name: String,
    command: Vec<String>,
}

pub fn init(screen: &Screen, here: &Here, asked: &Init) -> Result<u8, Trouble> {
    let checks = found(&here.place.root, &[]);
    let text =
        team_file(&checks, &Config::load(&here.home).map(|it| it.limits).unwrap_or_default());
    // What Baton writes, Baton reads.
    parse_team_file(&text).doing("write the team file")?;
    if !asked.dry_run {
        write(&here.place.root, &text)?;
    }
    if asked.json {
        let check = |it: &CheckSpec| CheckView { name: it.name.clone(), command: it.argv.clone() };
        let (written, checks) = (!asked.dry_run, checks.iter().map(check).collect());
        print_json(screen, &View { path: TEAM_FILE, written, checks, text })?;
        return Ok(exit::DONE);
    }
    screen.line(screen.paint(Shade::Name, TEAM_FILE));
    text.lines().for_each(|it| screen.line(format!("  {}", safe(it))));
    screen.line("");
    if asked.dry_run {
        screen.line("Nothing was written.");
        return Ok(exit::DONE);
    }
    screen.line(
        screen
            .paint(Shade::Good, &format!("Wrote {TEAM_FILE}. It is yours to edit and to commit.")),
    );
    screen.line(format!(
        "It acts once you trust exactly what it says: baton{} trust. A changed byte needs trust again.",
        here.repo_option
    ));
    Ok(exit::DONE)
}

/// The checks that a team file names, and those that Baton finds by itself in the files as they are.
pub(super) fn found(root: &Path, named: &[CheckSpec]) -> Vec<CheckSpec> {
    // Never through a link out of the repository.
    let Ok(root) = Dir::open_ambient_dir(root, cap_std::ambient_authority()) else {
        return vec![];
    };
    let read = |path: &str| {
        let small = root.metadata(path).is_ok_and(|it| it.is_file() && it.len() <= FILE_BYTES_MAX);
        if small { root.read_to_string(path).ok() } else { None }
    };
    let list = |folder: &str| {
        let entries = root.read_dir(if folder.is_empty() { "." } else { folder });
        let names = entries.into_iter().flatten().flatten().take(NAMES_MAX).map(|it| {
            let is_folder = it.file_type().is_ok_and(|it| it.is_dir());
            let end = if is_folder { "/" } else { "" };
            format!("{}{end}", it.file_name().to_string_lossy())
        });
        names.collect()
    };
    checks::detect(&checks::Tree { read: &read, list: &list }, named)
}

/// Makes the folder and the file; never changes one that is there, never goes through a link.
fn write(root: &Path, text: &str) -> Result<(), Trouble> {
    let doing = format!("write {TEAM_FILE}");
    let there = |it: std::io::Error| match it.kind() {
        ErrorKind::AlreadyExists => Trouble::Refused {
            doing: doing.clone(),
            why: format!(
                "there is a {TEAM_FILE} already, and it stays as it is (baton init --dry-run shows a new one)"
            ),
        },
        _ => Trouble::Failed {
            doing: doing.clone(),
            failure: Failure::new(Code::Config, it.to_string()),
        },
    };
    let (folder, name) = TEAM_FILE.split_once('/').unwrap_or((".", TEAM_FILE));
    let root = Dir::open_ambient_dir(root, cap_std::ambient_authority()).doing(&doing)?;
    match root.create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(there(error)),
        Ok(()) | Err(_) => (),
    }
    let is_folder = root.symlink_metadata(folder).is_ok_and(|it| it.is_dir());
    if !is_folder {
        let why = format!("{folder} is no folder of this repository; it stays as it is");
        return Err(Trouble::Refused { doing, why });
    }
    let dir = root.open_dir(folder).map_err(there)?;
    let mut options = OpenOptions::new();
    let mut file = dir.open_with(name, options.write(true).create_new(true)).map_err(there)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).doing(&doing)
}

/// The whole text, every setting a comment: as long as nobody takes a `#` away, it says what holds.
fn team_file(checks: &[CheckSpec], limits: &Limits) -> String {
    let mut text = String::from(
        "# What this repository says to Baton. It acts only after `baton trust`, and can only narrow what\n\
         # your own config.toml allows. All settings: docs/configuration.md of Baton.\n\
         version = 1\n\n\
         # Checks: the commands that must be green before anything lands. The server runs them itself, in\n\
         # its sandbox, without network.\n",
    );
    for it in checks {
        let _ = writeln!(
            text,
            "# Found by itself, also without this file: {} ({}).",
            it.name,
            it.argv.join(" ")
        );
    }
    if checks.is_empty() {
        text.push_str("# None was found by itself: without one nothing but the Tester's word and yours stands behind\n# a change. Name the command that runs your tests:\n");
    } else {
        text.push_str(
            "# A check of the same name takes its place; another one is required besides.\n",
        );
    }
    let argv = checks
        .first()
        .map_or_else(|| vec!["make".to_owned(), "test".to_owned()], |it| it.argv.clone());
    // A list of strings is the same in JSON and in TOML.
    let argv = serde_json::to_string(&argv).unwrap_or_default().replace("\",\"", "\", \"");
    let _ = write!(
        text,
        "#\n# [[check]]\n# name = \"test\"\n# command = {argv}\n# required = true\n# timeout_s_max = 600\n\n\
         # [paths]\n\
         # risk = [\"migrations/**\"]        # a mistake is dear here: nothing lands by itself\n\
         # protected = [\"vendor/**\"]       # no agent may change these\n\n\
         # [limits]                        # what is higher than yours changes nothing\n\
         # diff_lines_max = {}\n# diff_files_max = {}\n# task_usd_max = {}.{:02}\n",
        limits.diff_lines_max,
        limits.diff_files_max,
        limits.task_micros_max / 1_000_000,
        limits.task_micros_max % 1_000_000 / 10_000,
    );
    text
}

pub fn completions(screen: &Screen, asked: &Completions) -> Result<u8, Trouble> {
    let mut command = Typed::command();
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut command, "baton", &mut script);
    screen.raw(&String::from_utf8_lossy(&script));
    Ok(exit::DONE)
}

pub fn man(screen: &Screen, asked: &Man) -> Result<u8, Trouble> {
    let mut whole = Typed::command();
    whole.build();
    let page = match &asked.command {
        None => whole,
        Some(name) => {
            let known =
                whole.get_subcommands().find(|it| it.get_name() == name && !it.is_hide_set());
            let wrong = || {
                Trouble::Wrong(format!(
                    "there is no command `{}`; baton --help lists them",
                    safe(name)
                ))
            };
            known.cloned().ok_or_else(wrong)?
        }
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff).doing("write the manual page")?;
    screen.raw(&String::from_utf8_lossy(&roff));
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo_project() -> std::path::PathBuf {
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    /// With every `#` before a setting taken away, the file still parses and says what it said.
    #[test]
    fn the_file_means_what_it_shows() {
        for checks in [vec![], found(&cargo_project(), &[])] {
            let text = team_file(&checks, &Limits::default());
            let plain = parse_team_file(&text).unwrap();
            assert_eq!(plain, parse_team_file("version = 1").unwrap());
            let setting = |line: &str| {
                let bare = line.trim_start_matches("# ");
                bare.starts_with('[')
                    || bare.split_once(" = ").is_some_and(|it| !it.0.contains(' '))
            };
            let open: Vec<&str> = text
                .lines()
                .map(|it| if setting(it) { it.trim_start_matches("# ") } else { it })
                .collect();
            let open = parse_team_file(&open.join("\n")).unwrap();
            assert_eq!(open.checks.len(), 1, "{text}");
            assert_eq!(open.limits.narrow(&Limits::default()), Limits::default());
            assert_eq!((open.risk.len(), open.protected.len()), (1, 1));
            assert!(open.ignored.is_empty(), "{:?}", open.ignored);
        }
    }
}
