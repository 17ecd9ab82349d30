//! A round of checks: the server runs the project's own commands on exactly one commit, in a slot
//! that no Engineer can write, and records what it saw.

use super::crew::{Desk, settled};
use super::shared::Shared;
use super::{blocking, now_ms, setup};
use crate::checks::{self, Ground, Installed, Observed};
use crate::config::SandboxChoice;
use crate::fail;
use crate::git::Slot;
use crate::sandbox::Environment;
use std::path::Path;
use team::{
    CheckSpec, Code, CommitId, Event, Failure, Input, RERUNS_MAX, Ran, Receipt, ReceiptId, Repro,
    Run, RunId, SandboxLevel, Task, TaskId, Team, Tests, Work,
};
use tokio_util::sync::CancellationToken;

pub(super) async fn check(desk: &Desk, task: TaskId, run: RunId) -> Result<(), Failure> {
    let missing = || Failure::new(Code::Bug, format!("find {run}"));
    let it = desk.team.task(task).ok_or_else(missing)?;
    let round = desk.team.run(run).ok_or_else(missing)?;
    let Work::Checks { commit, unconfined, .. } = &round.work else { return Err(missing()) };
    let unconfined = *unconfined || opted_out(&desk.shared).await;
    let names = it.repro.as_ref().map(|it| it.tests.clone()).unwrap_or_default();
    let slot = desk.shared.check_slots.lease(task).await;
    let env = desk.shared.environment_of(&desk.team, task);
    let ground = ground(&desk.shared, &slot.name(), commit, env).await?;
    let mut needs = match unconfined {
        true => None,
        false => setup::first(&desk.shared, &ground, commit).await?,
    };
    // Those recorded before a crash stay; the rest runs.
    for spec in it.checks.iter().filter(|it| it.required && !has_run(round, &it.name)) {
        if needs.is_some() {
            break;
        }
        let observed = observe(&desk.shared, spec, &ground, &names, unconfined, &desk.stop).await?;
        let level = level(&desk.shared, unconfined).await;
        let ran = Ran::Check { name: spec.name.clone() };
        record(desk, run, ran, &observed, &ground, level).await?;
        if !unconfined {
            needs = setup::after(&desk.shared, spec, &observed, &ground, commit).await?;
        }
    }
    if needs.is_none() {
        rerun(desk, it, run, &ground, unconfined).await?;
    }
    let (git, at) = (desk.shared.git.clone(), Slot { name: slot.name(), dir: ground.slot.clone() });
    blocking(move || git.rest(&at)).await?;
    drop(slot);
    let report = match needs {
        Some(setup) => Input::SetupWanted { run, setup },
        None => Input::Checked { run },
    };
    settled(desk.report(report).await)
}

/// Red checks that may be flaky, once more on the same files, as often as the rules say.
async fn rerun(
    desk: &Desk,
    task: &Task,
    run: RunId,
    ground: &Ground,
    unconfined: bool,
) -> Result<(), Failure> {
    for spec in task.checks.iter().filter(|it| it.required) {
        for _ in 0..RERUNS_MAX {
            let Some(failing) = team::rerun(&desk.latest(), run, &spec.name) else { break };
            let shared = &desk.shared;
            let seen = observe(shared, spec, ground, &failing, unconfined, &desk.stop).await?;
            let level = level(shared, unconfined).await;
            let ran = Ran::Rerun { name: spec.name.clone() };
            record(desk, run, ran, &seen, ground, level).await?;
        }
    }
    Ok(())
}

/// The user's own configuration says so, and there is no sandbox here. Every receipt shows it.
async fn opted_out(shared: &Shared) -> bool {
    let none = shared.sandbox().await.level() == SandboxLevel::None;
    none && matches!(shared.config.sandbox, SandboxChoice::Unconfined)
}

fn has_run(round: &Run, name: &str) -> bool {
    round.receipts.iter().any(|it| matches!(&it.ran, Ran::Check { name: it } if it == name))
}

async fn level(shared: &Shared, unconfined: bool) -> SandboxLevel {
    if unconfined { SandboxLevel::None } else { shared.sandbox().await.level() }
}

async fn observe(
    shared: &Shared,
    spec: &CheckSpec,
    ground: &Ground,
    names: &[String],
    unconfined: bool,
    stop: &CancellationToken,
) -> Result<Observed, Failure> {
    let sandbox = shared.sandbox().await;
    fail::point("hub.check.before");
    let observed = checks::run(sandbox, spec, ground, names, unconfined, stop).await?;
    fail::point("hub.check.after");
    Ok(observed)
}

/// Writes the receipt and its output down; the receipt's id.
pub(super) async fn record(
    desk: &Desk,
    run: RunId,
    ran: Ran,
    observed: &Observed,
    ground: &Ground,
    sandbox: SandboxLevel,
) -> Result<ReceiptId, Failure> {
    let input = |n: u32| {
        let receipt = receipt(ReceiptId { run, n }, ran.clone(), observed, ground, sandbox);
        Input::Recorded { run, receipt }
    };
    let events = desk.report_output(&observed.output_sha256, &observed.output, input(0)).await;
    recorded(events)
}

fn recorded(events: Result<Vec<Event>, super::Refused>) -> Result<ReceiptId, Failure> {
    let gone = || Failure::new(Code::Interrupted, "record a receipt: the run is over");
    match events {
        Ok(events) => {
            let mut ids = events.iter().filter_map(|it| {
                if let Event::ReceiptRecorded { receipt, .. } = it {
                    Some(receipt.id)
                } else {
                    None
                }
            });
            ids.next().ok_or_else(gone)
        }
        Err(super::Refused::Failure(failure)) => Err(failure),
        Err(super::Refused::Refusal(_)) => Err(gone()),
    }
}

fn receipt(
    id: ReceiptId,
    ran: Ran,
    observed: &Observed,
    ground: &Ground,
    sandbox: SandboxLevel,
) -> Receipt {
    Receipt {
        id,
        ran,
        argv: observed.argv.clone(),
        dir: String::new(),
        exit: observed.exit,
        duration_ms: observed.duration_ms,
        output: observed.output_sha256.clone(),
        output_bytes: observed.output_bytes,
        commit: ground.commit.clone(),
        tree: ground.tree.clone(),
        tests: observed.tests.clone(),
        sandbox,
        environment: observed.environment.clone(),
        at: now_ms(),
    }
}

/// A slot at this commit, ready for a command.
pub(super) async fn ground(
    shared: &Shared,
    slot: &str,
    commit: &CommitId,
    environment: Environment,
) -> Result<Ground, Failure> {
    ground_with(shared, slot, commit, environment, shared.include().await?).await
}

/// The same with these patterns of ignored files to be copied in.
pub(super) async fn ground_with(
    shared: &Shared,
    slot: &str,
    commit: &CommitId,
    environment: Environment,
    include: String,
) -> Result<Ground, Failure> {
    let (git, name, at) = (shared.git.clone(), slot.to_string(), commit.clone());
    let (slot, tree) = blocking(move || {
        let slot = git.slot(&name, &at)?;
        git.include(&slot, &include)?;
        let tree = git.tree(&at)?;
        Ok((slot, tree))
    })
    .await?;
    let mut ground = ground_at(shared, &slot.name, &slot.dir, environment).await?;
    ground.commit = Some(commit.clone());
    ground.tree = Some(tree);
    Ok(ground)
}

/// The ground of a slot as it is, with nothing said about its content.
pub(super) async fn ground_at(
    shared: &Shared,
    slot: &str,
    dir: &Path,
    environment: Environment,
) -> Result<Ground, Failure> {
    let mut ground =
        Ground::new(dir, &shared.cache(slot)?, shared.environment_in(slot, environment)?);
    ground.read_only =
        [vec![shared.git.store_dir().to_path_buf()], shared.git.objects_dirs()].concat();
    let (worktree, deps) = (shared.place.root.clone(), setup::deps(shared));
    let (slot, named) = (dir.to_path_buf(), setup::named(shared).await?);
    ground.installed = blocking(move || {
        let mut all = checks::of_worktree(&worktree, &slot);
        let made = checks::of_setups(&deps, &slot, named.as_deref());
        let is_new = |it: &Installed| !all.iter().any(|old| old.at == it.at);
        let made: Vec<Installed> = made.into_iter().filter(is_new).collect();
        all.extend(made);
        Ok(all)
    })
    .await?;
    Ok(ground)
}

/// The named tests at a checkpoint, which must run and fail there by name. `Err` of the inner
/// result: why it shows nothing.
pub(super) async fn reproduce(
    desk: &Desk,
    (task, run): (TaskId, RunId),
    spec: &CheckSpec,
    commit: &CommitId,
    tests: &[String],
) -> Result<Result<Repro, String>, Failure> {
    let slot = desk.shared.check_slots.lease(task).await;
    let env = desk.shared.environment_of(&desk.team, task);
    let ground = ground(&desk.shared, &slot.name(), commit, env).await?;
    let sandbox = desk.shared.sandbox().await;
    fail::point("hub.repro.before");
    let observed = checks::run_named(sandbox, spec, &ground, tests, false, &desk.stop).await?;
    fail::point("hub.repro.after");
    let ran = Ran::Repro { name: spec.name.clone() };
    let receipt = record(desk, run, ran, &observed, &ground, sandbox.level()).await?;
    let named = observed.tests.as_ref().map(|it: &Tests| it.named.clone()).unwrap_or_default();
    let with = |how: team::Outcome| -> Vec<&str> {
        named.iter().filter(|it| it.1 == how).map(|it| it.0.as_str()).collect()
    };
    let passed = with(team::Outcome::Passed);
    if !passed.is_empty() {
        let passed = passed.join(", ");
        return Ok(Err(format!(
            "{passed} already passes here ({receipt}): it does not show the bug"
        )));
    }
    let missing = with(team::Outcome::Missing);
    let built = named.iter().any(|it| it.1 == team::Outcome::Failed);
    // A command that ended well did build: then what is missing is no test at all.
    let is_there = built || observed.exit == team::Exit::Code(0);
    if is_there && !missing.is_empty() {
        let missing = missing.join(", ");
        return Ok(Err(format!(
            "there is no test {missing} here ({receipt}); give names that run"
        )));
    }
    let (commit, tests) = (commit.clone(), tests.to_vec());
    Ok(Ok(Repro { commit, tests, receipt, strong: built }))
}

/// Runs the command of a receipt again on the commit it ran on.
pub(super) async fn replay(
    shared: &Shared,
    team: &Team,
    id: ReceiptId,
) -> Result<Observed, Failure> {
    let config = |text: String| Failure::new(Code::Config, text);
    let old = team.receipt(id).ok_or_else(|| config(format!("find receipt {id}")))?;
    let commit = old.commit.as_ref().ok_or_else(|| {
        config(format!("replay {id}: it ran on files that were not committed"))
            .hint("receipts of the server's own checks can be replayed")
    })?;
    let owner = team.run(id.run).map(|it| it.task).ok_or_else(|| config(format!("find {id}")))?;
    let task = team.task(owner);
    let name = match &old.ran {
        Ran::Check { name }
        | Ran::Repro { name }
        | Ran::OwnCheck { name }
        | Ran::Rerun { name } => name.as_str(),
        Ran::Setup | Ran::Command => "",
    };
    let known = task.and_then(|it| it.checks.iter().find(|it| it.name == name));
    let report = known.map_or(team::Report::Exit, |it| it.report.clone());
    let timeout_ms_max = known.map_or(crate::sandbox::TIMEOUT_MS_DEFAULT, |it| it.timeout_ms_max);
    let (name, argv) = (name.to_string(), old.argv.clone());
    let spec = CheckSpec { name, argv, report, required: false, timeout_ms_max };
    let slot = shared.check_slots.lease(owner).await;
    let env = shared.environment_of(team, owner);
    let ground = ground(shared, &slot.name(), commit, env).await?;
    observe(shared, &spec, &ground, &[], false, &CancellationToken::new()).await
}
