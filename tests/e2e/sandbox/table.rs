//! Runs the tables of hostile probes: confined, every one must be held; not confined, those that do
//! no harm must get through, which shows that they are probes at all.

use super::lab::{Lab, again_as_ordinary_user, is_root, run, text};
use super::{calls, files};
use baton::config::WantedLevel;
use baton::sandbox::Environment;
use std::path::Path;
use team::{Code, Exit, SandboxLevel};
use tokio_util::sync::CancellationToken;

/// One hostile thing. It prints `HELD` when it was refused and `BREACH` when it was not; a probe that
/// prints neither could not run, which is a failure too.
pub struct Probe {
    pub name: &'static str,
    pub script: Script,
    /// Tried without a sandbox too, where it must breach: it hurts nobody.
    pub breaches_unconfined: bool,
}

pub enum Script {
    Sh(&'static str),
    Python(&'static str),
}

pub const fn sh(name: &'static str, script: &'static str) -> Probe {
    Probe { name, script: Script::Sh(script), breaches_unconfined: true }
}

pub const fn python(name: &'static str, script: &'static str) -> Probe {
    Probe { name, script: Script::Python(script), breaches_unconfined: true }
}

impl Probe {
    /// Not to be tried without a sandbox: it would harm the machine, or only root could do it.
    pub const fn only_confined(mut self) -> Probe {
        self.breaches_unconfined = false;
        self
    }

    fn argv(&self, lab: &Lab) -> Vec<String> {
        let python = match Path::new("/usr/bin/python3").exists() {
            true => "/usr/bin/python3",
            false => "python3",
        };
        let (program, prelude, script) = match self.script {
            Script::Sh(script) => ("/bin/sh", files::PRELUDE, script),
            Script::Python(script) => (python, calls::PRELUDE, script),
        };
        let script = lab.fill(&format!("{prelude}\n{script}"));
        vec![program.into(), "-c".into(), script]
    }
}

fn all() -> impl Iterator<Item = &'static Probe> {
    files::PROBES.iter().chain(&calls::PROBES)
}

#[tokio::test]
async fn hostile_commands_are_held() {
    let sandbox = Lab::new().sandbox().await;
    let bounded = sandbox.describe().contains("processes limited;");
    let mut wrong = Vec::new();
    let mut count = 0;
    for probe in all() {
        if probe.name == calls::FORK_BOMB && !bounded {
            println!("not limited here: {}; only the time-out ends it", probe.name);
            continue;
        }
        let mut lab = Lab::new();
        let mut cmd = lab.command(&[]);
        cmd.argv = probe.argv(&lab);
        let finished = run(&sandbox, &cmd).await;
        let said = text(&finished);
        let held = said.contains("HELD") && !said.contains("BREACH");
        let damage = lab.damage();
        count += 1;
        if !held || finished.exit != Exit::Code(0) || !damage.is_empty() {
            wrong.push(format!("{}: {:?} {said}{damage:?}", probe.name, finished.exit));
        }
    }
    let user = if is_root() { "root" } else { "an ordinary user" };
    println!("{count} hostile probes as {user}, {} wrong; {}", wrong.len(), sandbox.describe());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(40 <= count);
}

#[test]
fn hostile_commands_are_held_as_an_ordinary_user() {
    again_as_ordinary_user("sandbox::table::hostile_commands_are_held");
}

/// At level reduced these change the `.git` pointer, which is then noticed: the run is over.
const NOTICED_REDUCED: [&str; 9] = [
    "write the pointer",
    "append to the pointer",
    "remove the pointer",
    "replace the pointer by a file",
    "replace the pointer by a link",
    "move the pointer away",
    "open the pointer's rights",
    "truncate the pointer",
    "a second name for the pointer",
];
/// At level reduced these get through: Landlock hides no names, and guards neither the rights nor the
/// times of files; the machine's name is the host's, and so is the disk below the private folder. They
/// are named in docs/security.md.
const OPEN_REDUCED: [&str; 8] = [
    "see the user's .git",
    "open a file's rights",
    "close a file to its owner",
    "change a file's times",
    "see that a file is there",
    "a file of any size",
    "the host's name",
    "watch the home",
];

#[tokio::test]
async fn at_reduced_exactly_the_named_get_through() {
    let machine = Lab::new();
    let sandbox = machine.sandbox_of(WantedLevel::Reduced).await;
    assert_eq!(sandbox.level(), SandboxLevel::Reduced);
    let bounded = sandbox.describe().contains("processes limited;");
    let (mut noticed, mut open, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0;
    for probe in all().filter(|it| bounded || it.name != calls::FORK_BOMB) {
        let mut lab = Lab::new();
        let mut cmd = lab.command(&[]);
        cmd.argv = probe.argv(&lab);
        count += 1;
        let finished = match sandbox.run(&cmd, &CancellationToken::new()).await {
            Err(failure) if failure.code == Code::WorktreeLost => {
                noticed.push(probe.name);
                continue;
            }
            finished => finished.unwrap(),
        };
        let said = text(&finished);
        let damage = lab.damage();
        if said.contains("BREACH") || !damage.is_empty() {
            println!("open: {}: {said}{damage:?}", probe.name);
            open.push(probe.name);
        } else if said.contains("PermissionError") {
            // Already the first step of it was refused.
        } else if !said.contains("HELD") || finished.exit != Exit::Code(0) {
            wrong.push(format!("{}: {:?} {said}", probe.name, finished.exit));
        }
    }
    let user = if is_root() { "root" } else { "an ordinary user" };
    println!(
        "{count} hostile probes at reduced as {user}: {} noticed, {} open, {} wrong; {}",
        noticed.len(),
        open.len(),
        wrong.len(),
        sandbox.describe()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(noticed, NOTICED_REDUCED);
    // Only root can shrink this bound; without new privileges it bounds nothing.
    open.retain(|it| is_root() || *it != "the bound of capabilities");
    assert_eq!(open, OPEN_REDUCED);
    assert!(60 <= count);
}

#[test]
fn at_reduced_exactly_the_named_get_through_as_an_ordinary_user() {
    again_as_ordinary_user("sandbox::table::at_reduced_exactly_the_named_get_through");
}

#[tokio::test]
async fn without_a_sandbox_the_same_commands_get_through() {
    let sandbox = Lab::new().sandbox().await;
    let mut dull = Vec::new();
    for probe in all().filter(|it| it.breaches_unconfined) {
        let lab = Lab::new();
        let mut cmd = lab.command(&[]);
        cmd.argv = probe.argv(&lab);
        // What a test process has in its environment, cargo's own variables among it.
        cmd.env = Environment { vars: std::env::vars().collect() };
        cmd.env.vars.insert("HOME".into(), lab.env.vars["HOME"].clone());
        cmd.env.vars.insert("CARGO_MANIFEST_DIR".into(), "of the test".into());
        let finished = sandbox.run_unconfined(&cmd, &CancellationToken::new()).await.unwrap();
        if !text(&finished).contains("BREACH") {
            dull.push(format!("{}: {}", probe.name, text(&finished)));
        }
    }
    assert!(dull.is_empty(), "these prove nothing:\n{}", dull.join("\n"));
}
