//! `baton doctor`: everything that a run needs, looked at one by one, with what to do where something
//! is missing. It changes nothing but a scratch folder for the sandbox's self-test.

use super::args::{self, Global};
use super::open::{Here, LOG_FILE, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use super::setup;
use crate::config::{Config, Home, ModelConfig, WantedLevel, no_model_message, trust};
use crate::git::Git;
use crate::model::local::{self, Found};
use crate::protocol::{Wants, Welcome};
use crate::sandbox::Sandbox;
use crate::socket::{IfNone, call};
use crate::store::Reader;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::path::Path;
use team::{CheckSpec, Failure, SandboxLevel};

/// Less room than this on the state folder's disk is worth a word.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Health {
    Good,
    /// It works, with less.
    Weak,
    /// A run can't start.
    Bad,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    what: &'static str,
    health: Health,
    says: String,
}

fn good(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, health: Health::Good, says: says.into() }
}

fn weak(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, health: Health::Weak, says: says.into() }
}

fn bad(what: &'static str, why: &Failure) -> Finding {
    Finding { what, health: Health::Bad, says: why.to_string() }
}

pub async fn doctor(screen: &Screen, global: &Global, asked: &args::Doctor) -> Result<u8, Trouble> {
    let mut found = vec![good("versions", versions())];
    match Here::find(global) {
        Ok(here) => {
            found.push(good("repository", here.place.root.display().to_string()));
            found.extend(in_repository(&here));
        }
        Err(Trouble::Failed { failure, .. }) => found.push(bad("repository", &failure)),
        Err(trouble @ (Trouble::Refused { .. } | Trouble::Wrong(_))) => return Err(trouble),
    }
    match Home::from_env() {
        Ok(home) => found.extend(for_user(&home).await),
        Err(failure) => found.push(bad("configuration", &failure)),
    }
    found.iter_mut().for_each(|it| it.says = safe(&it.says));
    if asked.json {
        print_json(screen, &found)?;
    } else {
        show(screen, &found);
    }
    let ready = found.iter().all(|it| it.health != Health::Bad);
    Ok(if ready { exit::DONE } else { exit::FAILED })
}

fn show(screen: &Screen, found: &[Finding]) {
    for it in found {
        let (mark, shade) = match it.health {
            Health::Good => (screen.symbol("✓", "ok  "), Shade::Good),
            Health::Weak => (screen.symbol("!", "weak"), Shade::Warn),
            Health::Bad => (screen.symbol("✗", "bad "), Shade::Bad),
        };
        screen.line(format!("{} {:<14} {}", screen.paint(shade, mark), it.what, it.says));
    }
    if found.iter().all(|it| it.health != Health::Bad) {
        screen.line("A run could start here.");
    } else {
        screen.line("A run can't start here yet.");
    }
}

fn versions() -> String {
    let system = rustix::system::uname();
    format!(
        "baton {}, {} {}",
        env!("CARGO_PKG_VERSION"),
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy()
    )
}

fn in_repository(here: &Here) -> Vec<Finding> {
    let mut found = vec![state(here), lock(&here.state)];
    let team_file = trust::team_file(&here.home, &here.place.root, &here.place.common_dir);
    let trusted = team_file.as_ref().ok().and_then(|it| it.0.as_ref());
    let named = trusted.map(|it| it.checks.clone()).unwrap_or_default();
    found.push(checks(&setup::found(&here.place.root, &named)));
    found.push(match team_file {
        Ok((Some(_), _)) => good("trust", "the team file is trusted"),
        Ok((None, ignored)) if ignored.is_empty() => good("trust", "nothing here would act"),
        Ok((None, ignored)) => weak(
            "trust",
            format!("ignored until you trust them: {} (baton trust)", ignored.join(", ")),
        ),
        Err(failure) => bad("trust", &failure),
    });
    if here.state.exists() {
        match Git::open(&here.place, &here.state) {
            Ok(git) => {
                found.extend(git.notes().into_iter().map(|it| weak("git", it)));
                found.push(space(here, &git));
            }
            Err(failure) => found.push(bad("git", &failure)),
        }
    }
    found
}

/// What is run before anything lands; and whether its programs are here at all.
fn checks(all: &[CheckSpec]) -> Finding {
    if all.is_empty() {
        let says = "none that Baton knows: nothing is tested before a landing (name yours in \
                    .baton/team.toml; baton init writes one)";
        return weak("checks", says);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |program: &String| {
        program.contains('/') || std::env::split_paths(&path).any(|it| it.join(program).is_file())
    };
    let missing = all.iter().filter_map(|it| it.argv.first()).find(|it| !is_here(it));
    let says: Vec<String> =
        all.iter().map(|it| format!("{}: `{}`", it.name, it.argv.join(" "))).collect();
    match missing {
        None => good("checks", says.join(", ")),
        Some(program) => {
            weak("checks", format!("{}; {program} is not on the PATH", says.join(", ")))
        }
    }
}

/// What this repository's state takes on disk, by part.
fn space(here: &Here, git: &Git) -> Finding {
    let log = here.state.join(LOG_FILE).metadata().map_or(0, |it| it.len());
    let mut parts = vec![("log", log)];
    parts.extend(git.disk_use().into_iter().map(|it| (it.what, it.bytes)));
    let all: u64 = parts.iter().map(|it| it.1).sum();
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    let parts: Vec<String> =
        parts.into_iter().map(|(what, bytes)| format!("{what} {}", mib(bytes))).collect();
    good("space", format!("{} MiB in {}: {}", mib(all), here.state.display(), parts.join(", ")))
}

/// The log: whole, damaged, or not begun.
fn state(here: &Here) -> Finding {
    if !here.state.join(LOG_FILE).exists() {
        return good("log", format!("none yet; it will lie in {}", here.state.display()));
    }
    match Reader::open(&here.state).and_then(|it| it.verify()) {
        Ok(it) => match it.problem {
            None => {
                good("log", format!("{} events, whole, in {}", it.events, here.state.display()))
            }
            Some(problem) => {
                let hint = "start Baton; it keeps the damaged file and saves what can be read";
                bad("log", &Failure::new(team::Code::Store, problem).hint(hint))
            }
        },
        Err(failure) => bad("log", &failure),
    }
}

/// Who works on this repository now. Another process there is no fault: it only keeps a second one out.
fn lock(state: &Path) -> Finding {
    let path = state.join("owner.lock");
    let Ok(file) = File::open(&path) else {
        return good("lock", "free");
    };
    match file.try_lock_shared() {
        Ok(()) => good("lock", "free"),
        Err(TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(&path).unwrap_or_default();
            weak("lock", format!("process {} works on this repository now", pid.trim()))
        }
        Err(TryLockError::Error(error)) => weak("lock", error.to_string()),
    }
}

async fn for_user(home: &Home) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut level = WantedLevel::default();
    match Config::load(home) {
        Ok(mut config) => {
            let local = local::fill_in(&mut config).await;
            found.extend(models(&config, local.as_ref()));
            level = config.sandbox_level;
        }
        Err(failure) => found.push(bad("configuration", &failure)),
    }
    found.push(sandbox(level).await);
    found.push(daemon(home).await);
    found.push(disk(&home.state_dir));
    found
}

/// Each model that is used, and for whom where they differ.
fn models(config: &Config, local: Option<&Found>) -> Vec<Finding> {
    let all = config.models_in_use();
    let one = all.len() == 1;
    let mut found = Vec::new();
    for (who, model) in all {
        let mut it = match (model, local) {
            (None, _) => bad("model", &no_model_message()),
            (Some(model), Some(local)) if Some(&model) == config.model.as_ref() => {
                weak("model", format!("{} at {}, found there", model.model, local.base_url))
            }
            (Some(model), _) => self::model(&model),
        };
        if !one {
            it.says = format!("{who}: {}", it.says);
        }
        found.push(it);
    }
    found
}

/// A model and whether its key can be had; the key itself is dropped unseen.
fn model(model: &ModelConfig) -> Finding {
    let name = format!("{} at {}", model.model, model.base_url);
    match model.key.as_ref().map(|it| it.read()) {
        Some(Ok(_)) => good("model", format!("{name}, with a key")),
        Some(Err(failure)) => bad("model", &failure),
        None => match &model.script {
            Some(script) => weak("model", format!("scripted by {}", script.display())),
            None => weak("model", format!("{name}, without a key")),
        },
    }
}

async fn sandbox(wanted: WantedLevel) -> Finding {
    let scratch = match tempfile::tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            return bad("sandbox", &Failure::new(team::Code::Command, error.to_string()));
        }
    };
    let sandbox = Sandbox::probe(scratch.path(), wanted).await;
    match sandbox.level() {
        SandboxLevel::Full => good("sandbox", sandbox.describe()),
        SandboxLevel::Reduced => {
            let more = "tests that open a socket fail; nothing lands by rule";
            weak("sandbox", format!("{} ({more})", sandbox.describe()))
        }
        SandboxLevel::None => {
            let more = "each check will ask you first, agents run no commands";
            weak("sandbox", format!("{} ({more})", sandbox.describe()))
        }
    }
}

/// The process behind editors and commands; that none runs is no fault.
async fn daemon(home: &Home) -> Finding {
    match call(home, Wants::Status, IfNone::Leave).await {
        Ok(Some(line)) => {
            let Welcome { version, pid, status, .. } = line.welcome;
            let open = status.repositories.len();
            let says = format!("process {pid}, version {version}, repositories open: {open}");
            good("daemon", says)
        }
        Ok(None) => good("daemon", "none runs; whoever needs it starts it"),
        Err(failure) => weak("daemon", failure.to_string()),
    }
}

/// Room where the state goes, or where it will be made.
fn disk(state_dir: &Path) -> Finding {
    let there = state_dir.ancestors().find(|it| it.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(there) {
        Ok(it) => {
            let free = it.f_bavail.saturating_mul(it.f_frsize);
            let says = format!("{} MiB free in {}", free / 1024 / 1024, there.display());
            if free < FREE_BYTES_MIN { weak("disk", says) } else { good("disk", says) }
        }
        Err(error) => weak("disk", error.to_string()),
    }
}
