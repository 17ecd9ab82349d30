//! The set-up: whether a round of checks has to wait for it, and running it once a person said yes. Its
//! command is the only one with a network.

use super::crew::{Desk, settled};
use super::shared::Shared;
use super::{blocking, round};
use crate::checks::{self, Ground, Observed, Plan};
use crate::fail;
use crate::git::Slot;
use std::path::PathBuf;
use team::{CheckSpec, Code, CommitId, Exit, Failure, Input, Ran, RunId, Setup, TaskId, Work};

/// What set-ups made, one folder for each content.
pub(super) fn deps(shared: &Shared) -> PathBuf {
    shared.dir.join("deps")
}

/// The team file's own set-up, where the person trusts it.
pub(super) async fn named(shared: &Shared) -> Result<Option<Vec<String>>, Failure> {
    Ok(shared.team_file().await?.and_then(|it| it.setup))
}

/// Before the checks: a set-up that the team file names has to have run for exactly these manifests.
pub(super) async fn first(
    shared: &Shared,
    at: &Ground,
    commit: &CommitId,
) -> Result<Option<Setup>, Failure> {
    let Some(argv) = named(shared).await? else { return Ok(None) };
    let plan = checks::plans(&at.slot, Some(&argv)).pop();
    let Some(plan) = plan.filter(|it| !checks::is_done(&deps(shared), it)) else {
        return Ok(None);
    };
    let why = "the team file's set-up has not run for these files".to_string();
    Ok(Some(wanted(plan, commit, why)))
}

/// After a red check: packages are missing that a set-up would bring, and that did not run yet.
pub(super) async fn after(
    shared: &Shared,
    spec: &CheckSpec,
    seen: &Observed,
    at: &Ground,
    commit: &CommitId,
) -> Result<Option<Setup>, Failure> {
    // The person's own command stands for all: it ran before the checks.
    if named(shared).await?.is_some() {
        return Ok(None);
    }
    let found = checks::would_help(spec, seen, at, &checks::plans(&at.slot, None));
    let open = found.filter(|(plan, _)| !checks::is_done(&deps(shared), plan));
    Ok(open.map(|(plan, why)| wanted(plan, commit, why)))
}

fn wanted(plan: Plan, commit: &CommitId, why: String) -> Setup {
    let Plan { argv, files, content, .. } = plan;
    Setup { argv, commit: commit.clone(), files, content, why }
}

/// The approved command, in a slot of the server's at exactly that commit.
pub(super) async fn set_up(desk: &Desk, task: TaskId, run: RunId) -> Result<(), Failure> {
    let missing = || Failure::new(Code::Bug, format!("find {run}"));
    let live = desk.team.run(run).ok_or_else(missing)?;
    let Work::Setup { setup, .. } = &live.work else { return Err(missing()) };
    if !live.receipts.is_empty() {
        // It ran before a crash, and what it made is in its place or is made anew by the next one.
        return settled(desk.report(Input::SetUp { run }).await);
    }
    let shared = &desk.shared;
    let slot = shared.check_slots.lease(task).await;
    let env = shared.environment_of(&desk.team, task);
    // It has a network: nothing of the person's that git ignores shall lie there.
    let none = String::new();
    let ground = round::ground_with(shared, &slot.name(), &setup.commit, env, none).await?;
    let named = named(shared).await?;
    let plans = checks::plans(&ground.slot, named.as_deref());
    let plan = plans.into_iter().find(|it| it.content == setup.content && it.argv == setup.argv);
    let Some(plan) = plan else {
        let text = "run the set-up: what it goes by is not what was approved any more";
        return Err(Failure::new(Code::Config, text).hint("retry: you are asked again"));
    };
    let trouble = |error: std::io::Error| {
        Failure::new(Code::Store, format!("keep what the set-up makes: {error}"))
            .hint("look at the rights and the free space of Baton's state folder")
    };
    let deps = deps(shared);
    let (new, made) = {
        let (deps, plan) = (deps.clone(), plan.clone());
        blocking(move || checks::begin(&deps, &plan).map_err(trouble)).await?
    };
    let sandbox = shared.sandbox().await;
    fail::point("hub.setup.before");
    let observed = checks::set_up(sandbox, &plan, &ground, &made, &desk.stop).await?;
    fail::point("hub.setup.after");
    if observed.exit == Exit::Code(0) {
        blocking(move || checks::finish(&deps, &plan, &new).map_err(trouble)).await?;
    }
    round::record(desk, run, Ran::Setup, &observed, &ground, sandbox.level()).await?;
    let (git, at) = (shared.git.clone(), Slot { name: slot.name(), dir: ground.slot.clone() });
    blocking(move || git.rest(&at)).await?;
    drop(slot);
    settled(desk.report(Input::SetUp { run }).await)
}
