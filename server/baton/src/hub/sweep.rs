//! Clears away what no task needs: spare slots with their caches, refs that keep a base, outputs of
//! long-closed tasks. No job of the team's: nothing follows from it, and whenever it is cut off the
//! next one goes on. What may be deleted at all stands in `git/sweep.rs`.

use super::owner::Message;
use super::shared::Shared;
use super::{blocking, now_ms};
use crate::git::Swept;
use crate::store::Reader;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use team::{Failure, Millis, RunId, TaskId, Team};
use tokio::sync::mpsc;

/// A sweep comes at the start, and after so many tasks have ended.
const ENDED_PER_SWEEP: usize = 20;
/// The output of a command is kept so long after its task has ended.
const OUTPUT_KEPT_MS: Millis = 30 * 24 * 60 * 60 * 1000;
/// Outputs deleted in one transaction; the rest goes with the next sweep.
const OUTPUTS_MAX: usize = 2_000;

/// When the last sweep was, and whether one is under way.
#[derive(Default)]
pub(super) struct Broom {
    /// How many tasks had ended then.
    swept_at: Option<usize>,
    is_out: Arc<AtomicBool>,
}

/// Outputs that nobody needs, as the team was when the last run was `upto` and these were under way.
#[derive(Debug)]
pub(super) struct Forgettable {
    pub(super) outputs: Vec<String>,
    pub(super) live: Vec<RunId>,
    pub(super) upto: RunId,
}

impl Broom {
    /// Starts a sweep where one is due and nothing else is going on.
    pub(super) fn tend(
        &mut self,
        team: &Arc<Team>,
        shared: &Arc<Shared>,
        messages: &mpsc::Sender<Message>,
    ) {
        let ended = team.ended();
        let is_due = self.swept_at.is_none_or(|it| it + ENDED_PER_SWEEP <= ended);
        if !is_due || self.is_out.swap(true, Ordering::AcqRel) {
            return;
        }
        self.swept_at = Some(ended);
        let (team, shared, messages) = (Arc::clone(team), Arc::clone(shared), messages.clone());
        let is_out = Arc::clone(&self.is_out);
        tokio::spawn(async move {
            match sweep(&team, &shared, &messages).await {
                Ok(swept) if swept == Swept::default() => {}
                Ok(swept) => tracing::info!(?swept, "cleared away"),
                Err(failure) => tracing::warn!(%failure, "could not clear away"),
            }
            is_out.store(false, Ordering::Release);
        });
    }
}

async fn sweep(
    team: &Arc<Team>,
    shared: &Arc<Shared>,
    messages: &mpsc::Sender<Message>,
) -> Result<Swept, Failure> {
    let ended: BTreeSet<TaskId> = team.tasks.ids().filter(|it| !team.is_open(*it)).collect();
    let (git, dir, at) = (shared.git.clone(), shared.dir.clone(), Arc::clone(shared));
    let team = Arc::clone(team);
    let (swept, forgettable) = blocking(move || {
        let swept = git.sweep(&|it| at.is_spare(it), &ended)?;
        for name in &swept.slots {
            at.drop_cache(name)?;
        }
        let kept = Reader::open(&dir)?.outputs()?;
        Ok((swept, forgettable(&team, &kept, now_ms())))
    })
    .await?;
    if !forgettable.outputs.is_empty() {
        let _ = messages.send(Message::Forget(forgettable)).await;
    }
    Ok(swept)
}

/// Of the outputs that are kept, those that no task needs: neither one that is open nor one that
/// ended lately. Older tasks are not looked at, however many there are.
fn forgettable(team: &Team, kept: &BTreeSet<String>, now: Millis) -> Forgettable {
    let mut needing = team.ended_since(Some(now.saturating_sub(OUTPUT_KEPT_MS)));
    needing.extend(team.open_tasks().map(|it| it.0));
    let runs = needing.iter().flat_map(|it| team.runs_of(*it));
    let needed: BTreeSet<&String> =
        runs.flat_map(|it| &it.1.receipts).map(|it| &it.output).collect();
    let outputs = kept.iter().filter(|it| !needed.contains(it));
    let outputs = outputs.take(OUTPUTS_MAX).cloned().collect();
    let live = team.live_runs().map(|it| it.0).collect();
    Forgettable { outputs, live, upto: team.runs.last().unwrap_or(RunId(0)) }
}

impl Forgettable {
    /// Without what was named since, by a run that was under way then or has started since.
    pub(super) fn still(self, team: &Team) -> Vec<String> {
        let started = team.runs.since(RunId(self.upto.0.saturating_add(1))).map(|it| &**it.1);
        let young = self.live.iter().filter_map(|it| team.run(*it)).chain(started);
        let named: BTreeSet<&String> =
            young.flat_map(|it| &it.receipts).map(|it| &it.output).collect();
        self.outputs.into_iter().filter(|it| !named.contains(it)).collect()
    }
}

#[cfg(test)]
mod tests;
