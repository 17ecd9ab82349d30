//! `baton trust`: what in this repository would act, shown to a person who then trusts exactly that.
//! Nothing else in Baton trusts anything.

use super::args::{self, Global};
use super::open::{Doing, Here, Trouble, exit};
use super::person::Person;
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use crate::config::trust::{self, Acting, TrustedEntry};
use crate::config::{Home, TEAM_FILE, parse_team_file};
use serde::Serialize;
use std::io::Read;
use team::{Code, Failure};

/// How much of it is shown, in bytes and lines.
const SHOWN_BYTES_MAX: u64 = 64 * 1024;
const SHOWN_LINES_MAX: usize = 80;

/// What `trust --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    repository: String,
    hash: String,
    trusted: bool,
    files: Vec<FileView>,
}

#[derive(Serialize)]
struct FileView {
    path: String,
    sha256: String,
}

pub async fn trust(screen: &Screen, global: &Global, asked: &args::Trust) -> Result<u8, Trouble> {
    if asked.list {
        return list(screen, asked);
    }
    let here = Here::find(global)?;
    let common = &here.place.common_dir;
    if asked.revoke {
        trust::revoke(&here.home, common).doing("take the trust back")?;
        screen.line(format!("{} is no longer trusted.", safe(&here.place.name)));
        return Ok(exit::DONE);
    }
    let acting = trust::acting(&here.place.root).doing("look at what would act")?;
    let trusted = trust::is_trusted(&here.home, common, &acting);
    if asked.json && !asked.yes {
        print_json(screen, &view(&here, &acting, trusted))?;
        return Ok(if trusted || acting.files.is_empty() { exit::DONE } else { exit::REFUSED });
    }
    if acting.files.is_empty() {
        screen.line("Nothing in this repository would act: there is no .baton folder.");
        return Ok(exit::DONE);
    }
    if !asked.json {
        show(screen, &here, &acting);
    }
    check(&here, &acting)?;
    if trusted {
        screen.line("You trust exactly this already.");
        return Ok(exit::DONE);
    }
    let person = Person::new(screen);
    let agreed =
        asked.yes || (person.is_here() && person.says_yes("Trust exactly this content?").await);
    if !agreed {
        let why = "nobody said yes; it stays ignored (baton trust --yes in your own scripts)";
        return Err(Trouble::Refused { doing: "trust it".into(), why: why.into() });
    }
    trust::trust(&here.home, common, &acting).doing("write down the trust")?;
    if asked.json {
        print_json(screen, &view(&here, &acting, true))?;
    } else {
        screen.line(screen.paint(Shade::Good, "Trusted, until a byte of it changes."));
    }
    Ok(exit::DONE)
}

fn view(here: &Here, acting: &Acting, trusted: bool) -> View {
    let file = |it: &(String, String)| FileView { path: it.0.clone(), sha256: it.1.clone() };
    View {
        repository: here.place.name.clone(),
        hash: acting.hash.clone(),
        trusted,
        files: acting.files.iter().map(file).collect(),
    }
}

fn list(screen: &Screen, asked: &args::Trust) -> Result<u8, Trouble> {
    let home = Home::from_env().doing("find your configuration")?;
    let entries = trust::list(&home).doing("list what you trust")?;
    if asked.json {
        let views: Vec<_> = entries.iter().map(entry_view).collect();
        print_json(screen, &views)?;
        return Ok(exit::DONE);
    }
    if entries.is_empty() {
        screen.line("You trust nothing yet.");
        return Ok(exit::DONE);
    }
    let rows: Vec<_> = entries
        .iter()
        .map(|it| vec![safe(&it.common_dir.to_string_lossy()), it.hash.chars().take(16).collect()])
        .collect();
    screen.table(&["Repository", "Content"], &rows);
    Ok(exit::DONE)
}

/// What `trust --list --json` prints, for each repository.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView {
    /// Its git folder.
    common_dir: String,
    hash: String,
    at: u64,
}

fn entry_view(it: &TrustedEntry) -> EntryView {
    let common_dir = it.common_dir.to_string_lossy().into_owned();
    EntryView { common_dir, hash: it.hash.clone(), at: it.at }
}

fn show(screen: &Screen, here: &Here, acting: &Acting) {
    let head = format!("This would act in {}:", safe(&here.place.name));
    screen.line(screen.paint(Shade::Strong, &head));
    let rows: Vec<_> = acting
        .files
        .iter()
        .map(|(path, hash)| vec![safe(path), hash.chars().take(16).collect()])
        .collect();
    screen.table(&["File", "SHA-256"], &rows);
    if let Ok(text) = team_file_text(here, acting) {
        screen.line("");
        screen.line(screen.paint(Shade::Name, TEAM_FILE));
        for line in text.lines().take(SHOWN_LINES_MAX) {
            screen.line(format!("  {}", safe(line)));
        }
        let more = text.lines().count().saturating_sub(SHOWN_LINES_MAX);
        if 0 < more {
            screen.line(format!("  ... {more} more lines; read them before you say yes"));
        }
    }
}

/// The text of the team file, never through a symlink that leaves the repository.
fn team_file_text(here: &Here, acting: &Acting) -> Result<String, Failure> {
    let wrong = |it: String| Failure::new(Code::Config, format!("{TEAM_FILE}: {it}"));
    if !acting.files.iter().any(|it| it.0 == TEAM_FILE) {
        return Err(wrong("there is none".into()));
    }
    let root = cap_std::fs::Dir::open_ambient_dir(&here.place.root, cap_std::ambient_authority());
    let file = root.and_then(|it| it.open(TEAM_FILE)).map_err(|it| wrong(it.to_string()))?;
    let mut text = String::new();
    file.take(SHOWN_BYTES_MAX).read_to_string(&mut text).map_err(|it| wrong(it.to_string()))?;
    Ok(text)
}

/// A broken team file is never trusted: it would stop the next run.
fn check(here: &Here, acting: &Acting) -> Result<(), Trouble> {
    if !acting.files.iter().any(|it| it.0 == TEAM_FILE) {
        return Ok(());
    }
    let text = team_file_text(here, acting).doing("read the team file")?;
    parse_team_file(&text).doing(format!("read {TEAM_FILE}"))?;
    Ok(())
}
