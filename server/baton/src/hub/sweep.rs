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
use team::{Failure, Millis, RunId, RunState, TaskId, TaskState, Team};
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

/// Outputs that nobody needs, as the team was when the last run was `upto`.
#[derive(Debug)]
pub(super) struct Forgettable {
    pub(super) outputs: Vec<String>,
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
        let ended = team.tasks.values().filter(|it| is_ended(&it.state)).count();
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

fn is_ended(state: &TaskState) -> bool {
    matches!(state, TaskState::Closed(_))
}

async fn sweep(
    team: &Arc<Team>,
    shared: &Arc<Shared>,
    messages: &mpsc::Sender<Message>,
) -> Result<Swept, Failure> {
    let ended: BTreeSet<TaskId> =
        team.tasks.iter().filter(|it| is_ended(&it.1.state)).map(|it| *it.0).collect();
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

/// Of the outputs that are kept, those that only tasks name which ended long ago.
fn forgettable(team: &Team, kept: &BTreeSet<String>, now: Millis) -> Forgettable {
    let is_old = |id: TaskId| {
        let ended_at = team.task(id).filter(|it| is_ended(&it.state)).and_then(|it| it.ended_at);
        ended_at.is_some_and(|it| it + OUTPUT_KEPT_MS < now)
    };
    let (mut old, mut needed) = (BTreeSet::new(), BTreeSet::new());
    for run in team.runs.values() {
        let outputs = run.receipts.iter().map(|it| &it.output);
        let side = if is_old(run.task) { &mut old } else { &mut needed };
        side.extend(outputs);
    }
    let outputs = old.difference(&needed).filter(|it| kept.contains(**it));
    let outputs = outputs.take(OUTPUTS_MAX).map(|it| (*it).clone()).collect();
    let upto = team.runs.keys().next_back().copied().unwrap_or(RunId(0));
    Forgettable { outputs, upto }
}

impl Forgettable {
    /// Without what was named since.
    pub(super) fn still(self, team: &Team) -> Vec<String> {
        let is_young = |(id, run): &(&RunId, &Arc<team::Run>)| {
            self.upto < **id || matches!(run.state, RunState::Live)
        };
        let young = team.runs.iter().filter(is_young).flat_map(|it| &it.1.receipts);
        let named: BTreeSet<&String> = young.map(|it| &it.output).collect();
        self.outputs.into_iter().filter(|it| !named.contains(it)).collect()
    }
}

#[cfg(test)]
mod tests;
