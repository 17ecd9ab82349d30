//! From what was typed to a repository, its state, and a hub; and from what went wrong to an exit
//! code and one clear sentence.

use super::args::Global;
use super::reach::Reach;
use super::remote::Remote;
use super::screen::{Screen, safe};
use crate::config::{Config, Home, trust};
use crate::git::{self, Place};
use crate::hub::{Hub, Refused};
use crate::model::local;
use crate::protocol::{Wants, refusal_name};
use crate::socket::{IfNone, call};
use crate::store::Reader;
use std::path::PathBuf;
use team::{Code, Failure, Refusal, Team};

/// The log in a state folder.
pub const LOG_FILE: &str = "baton.sqlite3";

/// The exit codes, as `baton --help` lists them.
pub mod exit {
    pub const DONE: u8 = 0;
    pub const FAILED: u8 = 1;
    pub const NEEDS_PERSON: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const WRONG_USE: u8 = 64;
    pub const BUG: u8 = 70;
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Trouble {
    /// The world failed. `doing` fits after "failed to".
    Failed { doing: String, failure: Failure },
    /// The rules forbid it.
    Refused { doing: String, why: String },
    /// The command was used wrongly; a whole sentence.
    Wrong(String),
}

impl Trouble {
    pub fn code(&self) -> u8 {
        match self {
            Trouble::Failed { failure, .. } => match failure.code {
                Code::Interrupted => exit::INTERRUPTED,
                Code::Bug => exit::BUG,
                Code::Git
                | Code::Store
                | Code::DiskFull
                | Code::Locked
                | Code::Config
                | Code::Key
                | Code::Model
                | Code::Stuck
                | Code::Command
                | Code::NoSandbox
                | Code::WorktreeLost
                | Code::TimedOut => exit::FAILED,
            },
            Trouble::Refused { .. } => exit::REFUSED,
            Trouble::Wrong(_) => exit::WRONG_USE,
        }
    }

    /// The sentence for standard error.
    pub fn sentence(&self) -> String {
        let text = match self {
            Trouble::Failed { doing, failure } => format!("baton: failed to {doing}: {failure}"),
            Trouble::Refused { doing, why } => format!("baton: refused to {doing}: {why}"),
            Trouble::Wrong(text) => format!("baton: {text}"),
        };
        safe(&text)
    }
}

/// Says what was being done when it failed.
pub trait Doing<T> {
    fn doing(self, doing: impl Into<String>) -> Result<T, Trouble>;
}

impl<T> Doing<T> for Result<T, Failure> {
    fn doing(self, doing: impl Into<String>) -> Result<T, Trouble> {
        self.map_err(|failure| Trouble::Failed { doing: doing.into(), failure })
    }
}

impl<T> Doing<T> for Result<T, Refused> {
    fn doing(self, doing: impl Into<String>) -> Result<T, Trouble> {
        self.map_err(|it| match it {
            Refused::Failure(failure) => Trouble::Failed { doing: doing.into(), failure },
            Refused::Refusal(refusal) => {
                Trouble::Refused { doing: doing.into(), why: with_next_step(&refusal) }
            }
        })
    }
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl Into<String>) -> Result<T, Trouble> {
        self.map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::StorageFull => Code::DiskFull,
                _ => Code::Command,
            };
            Trouble::Failed { doing: doing.into(), failure: Failure::new(code, error.to_string()) }
        })
    }
}

fn with_next_step(refusal: &Refusal) -> String {
    format!("{refusal}{}", next_step(refusal_name(refusal)))
}

/// What to type after a refusal of this name.
pub fn next_step(what: &str) -> &'static str {
    match what {
        "noSuchTask" | "noSuchApproval" | "noSuchQuestion" => {
            " (baton board --all shows what there is)"
        }
        "noSuchMemo" => " (baton memory shows what there is)",
        "needsTicks" => " (add --tick PATH for each)",
        "changed" => " (baton diff shows it)",
        "alreadyAnswered" | "closed" => " (baton board shows what waits)",
        _ => "",
    }
}

/// A repository and where its state lies. Nothing is opened or made yet.
#[derive(Clone, Debug)]
pub struct Here {
    pub home: Home,
    pub place: Place,
    pub state: PathBuf,
    /// For commands that are shown to be typed: ` --repo DIR`, or nothing.
    pub repo_option: String,
    /// The daemon is not asked.
    pub in_process: bool,
}

impl Here {
    pub fn find(global: &Global) -> Result<Here, Trouble> {
        let home = Home::from_env().doing("find your configuration")?;
        let from = match &global.repo {
            Some(dir) => dir.clone(),
            None => std::env::current_dir().doing("find the current directory")?,
        };
        let place = git::find(&from).doing("find a repository")?;
        let state = home.repository_dir(&place.name, &place.common_dir);
        let repo = global.repo.as_ref().map(|it| format!(" --repo {}", it.display()));
        let repo_option = repo.unwrap_or_default();
        Ok(Here { home, place, state, repo_option, in_process: global.in_process })
    }

    /// The log, read-only and without a lock; `None`: nothing was ever delegated here.
    pub fn reader(&self, doing: &str) -> Result<Option<Reader>, Trouble> {
        if !self.state.join(LOG_FILE).exists() {
            return Ok(None);
        }
        Reader::open(&self.state).doing(doing).map(Some)
    }

    /// The team as the log has it; empty where there is no log.
    pub fn team(&self, doing: &str) -> Result<Team, Trouble> {
        match self.reader(doing)? {
            Some(reader) => reader.team().doing(doing),
            None => Ok(Team::default()),
        }
    }

    /// What the person configured; where that names no model, with one that a server of this machine
    /// has, which is said on standard error.
    pub async fn config(&self, screen: &Screen) -> Result<Config, Trouble> {
        let mut config = Config::load(&self.home).doing("read your configuration")?;
        if let Some(found) = local::fill_in(&mut config).await {
            screen.note(format!("baton: {}", safe(&found.sentence())));
        }
        Ok(config)
    }

    /// The team of this repository: in the daemon, or, where `--in-process` was said or there can be no
    /// daemon, in this process. Says on standard error which files of the repository are ignored
    /// because nobody trusted them.
    pub async fn reach(&self, screen: &Screen, config: Config) -> Result<Reach, Trouble> {
        let (_, ignored) = trust::team_file(&self.home, &self.place.root, &self.place.common_dir)
            .doing("read the workspace's team file")?;
        if !ignored.is_empty() {
            let files = safe(&ignored.join(", "));
            screen.note(format!("baton: ignored until you trust them: {files} (baton trust)"));
        }
        if self.in_process {
            return self.hub(screen, config).await;
        }
        let line = match call(&self.home, Wants::Serve, IfNone::Start).await {
            Ok(Some(line)) => line,
            Ok(None) => return self.hub(screen, config).await,
            Err(why) => {
                let why = safe(&why.to_string());
                screen.note(format!("baton: failed to {why}; working in this process instead"));
                return self.hub(screen, config).await;
            }
        };
        if let Some(notice) = &line.welcome.notice {
            screen.note(format!("baton: {}", safe(notice)));
        }
        let doing = "open this repository's team";
        let (place, state) = (self.place.clone(), self.state.clone());
        let remote = Remote::open(line, place, state).await.doing(doing)?;
        Ok(Reach::There(remote))
    }

    /// The hub in this process. Refused where another process has it.
    pub async fn hub(&self, screen: &Screen, config: Config) -> Result<Reach, Trouble> {
        let hub = Hub::open(self.place.clone(), self.home.clone(), config)
            .await
            .doing("open this repository's team")?;
        for note in hub.notes() {
            screen.note(format!("baton: {}", safe(note)));
        }
        Ok(Reach::Here(hub))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_sentence_with_the_next_step() {
        let failure = Failure::new(Code::Locked, "process 7 has\nit").hint("end it first");
        let trouble = Trouble::Failed { doing: "open it".into(), failure };
        assert_eq!(trouble.sentence(), "baton: failed to open it: process 7 has it (end it first)");
        assert_eq!(trouble.code(), exit::FAILED);
    }

    #[test]
    fn each_kind_of_trouble_has_its_exit_code() {
        let failed = |code| {
            let failure = Failure::new(code, "");
            Trouble::Failed { doing: String::new(), failure }.code()
        };
        assert_eq!([failed(Code::Bug), failed(Code::Interrupted), failed(Code::Key)], [70, 130, 1]);
        let refused = Trouble::Refused { doing: String::new(), why: String::new() };
        assert_eq!([refused.code(), Trouble::Wrong(String::new()).code()], [3, 64]);
    }
}
