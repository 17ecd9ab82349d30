//! `baton demo`: the whole way on a small project made for it. The model's words come from a script;
//! everything else is the real path, and the table at the end is read from the log.

mod bug;
mod cheat;

use super::args;
use super::follow::{Follow, Standing, Tell, code, standing};
use super::open::{Doing, Trouble, exit};
use super::person::Person;
use super::reach::Reach;
use super::screen::{Screen, Shade, safe};
use super::stage::Stage;
use super::steps;
use crate::checks::read_cargo;
use crate::config::Config;
use crate::hub::Delegation;
use crate::sandbox::Environment;
use bug::Bug;
use std::path::Path;
use team::{End, Origin, TaskId};

/// Who answers with `--yes`, as it is recorded.
const DOOR: &str = "demo --yes";

pub async fn demo(screen: &Screen, asked: &args::Demo) -> Result<u8, Trouble> {
    let bug = Bug::of(if asked.cheat { 1 } else { asked.seed });
    let script = match &asked.script {
        Some(file) => {
            std::fs::read_to_string(file).doing(format!("read the script {}", file.display()))?
        }
        None if asked.cheat => bug::LIAR.to_owned(),
        None => bug.script.to_owned(),
    };
    let mut stage = Stage::set(bug.name, &bug.files(), "")?;
    stage.play(&script)?;
    introduce(screen, bug, asked);
    let config = Config::load(&stage.here.home).doing("read the demo's configuration")?;
    let hub = stage.here.hub(screen, config).await?;
    let played = play(screen, asked, bug, &stage, &hub).await;
    hub.close().await;
    let played = played?;
    if asked.keep {
        let (config, state) = (&stage.here.home.config_file, &stage.here.home.state_dir);
        screen.line(format!(
            "export BATON_CONFIG={} BATON_STATE_DIR={}",
            config.display(),
            state.display()
        ));
        screen.line(format!("The folder stays: cd {}", stage.project.display()));
        stage.keep();
    }
    if played == exit::DONE && !asked.cheat {
        invite(screen);
    }
    Ok(played)
}

fn introduce(screen: &Screen, bug: &Bug, asked: &args::Demo) {
    let what = if asked.cheat { "A lying model's words" } else { "The model's words" };
    screen.line(
        screen.paint(
            Shade::Strong,
            &format!("{what} in this demo are scripted: no model is running."),
        ),
    );
    screen.line(
        "Everything else is real: the repository, the snapshot, the worktree, the edits, the \
         sandboxed commands,",
    );
    screen.line("the receipts, the gates, your approval, the landing and the log.");
    screen.line("");
    screen.line(format!("A user of the crate `{}` reports:", bug.name));
    screen.line(screen.paint(Shade::Name, &format!("  {}", safe(bug.report))));
    screen.line("");
}

fn invite(screen: &Screen) {
    screen.line("");
    screen.line(
        "On your own repository, with your own model: set ANTHROPIC_API_KEY, go there, and type:  \
         baton run \"what is wrong\"",
    );
}

async fn play(
    screen: &Screen,
    asked: &args::Demo,
    bug: &Bug,
    stage: &Stage,
    hub: &Reach,
) -> Result<u8, Trouble> {
    let before = stage.fingerprint()?;
    let person = Person::new(screen);
    let mut follow = Follow::new(hub, &stage.here, screen, &person, Tell::Voices);
    follow.answers_as = asked.yes.then_some(DOOR);
    let delegation = Delegation {
        environment: Environment::profile(),
        ..Delegation::new(bug.report.trim(), Origin::CommandLine)
    };
    let task = hub.delegate(delegation).await.doing("delegate")?;
    let settled = follow.until_settled(&[task]).await?;
    if settled == exit::INTERRUPTED {
        return Ok(settled);
    }
    let landed = matches!(standing(&hub.team(), task), Standing::Closed(End::Landed { .. }));
    if landed && !asked.cheat {
        run_tests(screen, &stage.project).await?;
    }
    let rows = steps::rows(task, &follow.log, &hub.team(), person.spent_ms());
    screen.line("");
    screen.table(&steps::HEAD, &rows);
    let untouched = before == stage.fingerprint()?;
    if asked.cheat {
        return reveal(screen, hub, untouched);
    }
    Ok(outcome(screen, asked, &follow, task, landed, untouched))
}

/// Whether every lie was refused and the person's files are as they were.
fn reveal(screen: &Screen, hub: &Reach, untouched: bool) -> Result<u8, Trouble> {
    let reader = hub.reader().doing("read the log")?;
    let all_refused = cheat::show(screen, &reader, &hub.team())?;
    let (text, shade) = match (all_refused, untouched) {
        (true, true) => (
            "Every lie was refused; your branch, index and files are byte for byte as before.",
            Shade::Good,
        ),
        (false, true) => ("Not every lie was told and refused: this is a bug.", Shade::Bad),
        (_, false) => ("Something in your repository changed: this is a bug.", Shade::Bad),
    };
    screen.line(screen.paint(shade, text));
    Ok(if all_refused && untouched { exit::DONE } else { exit::BUG })
}

fn outcome(
    screen: &Screen,
    asked: &args::Demo,
    follow: &Follow<'_>,
    task: TaskId,
    landed: bool,
    untouched: bool,
) -> u8 {
    let team = follow.hub.team();
    if landed {
        return exit::DONE;
    }
    if asked.keep {
        follow.point(&[task]);
    }
    if untouched {
        screen.line("Nothing landed; your branch, index and files are byte for byte as before.");
    }
    if let Standing::Waits(_) = standing(&team, task) {
        screen.line("Nobody decided. Type baton demo in a terminal, or baton demo --yes.");
    }
    match standing(&team, task) {
        // A demo that is parked, for whatever reason, waits for a person.
        Standing::Parked(_) => exit::NEEDS_PERSON,
        Standing::Busy | Standing::Waits(_) | Standing::Closed(_) => code(&team, &[task]),
    }
}

/// The project's tests once more, as the person would run them, on the person's own files.
async fn run_tests(screen: &Screen, project: &Path) -> Result<(), Trouble> {
    let ran = tokio::process::Command::new("cargo")
        .args(["test", "--quiet", "--offline"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .doing("run cargo test")?;
    let output = String::from_utf8_lossy(&ran.stdout);
    let tests = read_cargo(&output, &[]);
    let text = format!(
        "cargo test, once more, in your own files: {} passed, {} failed",
        tests.passed, tests.failed
    );
    let good = ran.status.success() && tests.failed == 0;
    screen.line(screen.paint(if good { Shade::Good } else { Shade::Bad }, &text));
    if good {
        return Ok(());
    }
    let failure = team::Failure::new(team::Code::Bug, "the tests fail after the landing");
    Err(failure).doing("finish the demo")
}
