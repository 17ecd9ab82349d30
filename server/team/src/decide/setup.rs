//! The set-up command: asked for by a round of checks that can't run without it, approved by a person
//! once for each content, run with a network, and followed by the same round again.

use super::{
    Code, Event, Failure, Millis, Parked, Refusal, RunId, Setup, Subject, Task, TaskId, Team, Why,
    Work, ask_approval, gates, live, start_checks, start_with,
};
use crate::receipt::{Exit, Ran, Receipt};
use crate::task::{Run, RunState};

/// How long a set-up may take.
const SETUP_MS_MAX: Millis = 30 * 60 * 1000;

/// A round of checks found that this has to run first. Nothing runs that no person approved.
pub(super) fn wanted(
    team: &Team,
    now: Millis,
    run: RunId,
    setup: Setup,
) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let Work::Checks { commit, why, .. } = &it.work else {
        return Err(Refusal::StaleRun(run));
    };
    let (setup, then) = (Setup { commit: commit.clone(), ..setup }, *why);
    let failure = Failure::new(Code::Command, format!("run the checks yet: {}", setup.why));
    let mut res = vec![Event::RunLost { run, failure, at: now }];
    if let Some(receipt) = ran_well(team, task, &setup) {
        let text = format!("the set-up ran well ({}), and still: {}", receipt.id, setup.why);
        res.push(Event::TaskParked { task, why: Parked::NeedsPerson(text), at: now });
    } else if is_approved(team, &setup) {
        res.push(start(team, now, task, setup, then));
    } else {
        res.push(ask_approval(team, now, task, Subject::Setup { setup, then }));
    }
    Ok(res)
}

pub(super) fn start(team: &Team, now: Millis, task: TaskId, setup: Setup, then: Why) -> Event {
    start_with(team, now, task, Work::Setup { setup, then }, SETUP_MS_MAX)
}

/// The command ended: on with the checks, or to a person with what it said.
pub(super) fn ended(team: &Team, now: Millis, run: RunId) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let Work::Setup { setup, then } = &it.work else {
        return Err(Refusal::StaleRun(run));
    };
    let Some(receipt) = receipt(it) else {
        return Err(Refusal::Gate("no receipt of the set-up".into()));
    };
    let over = Event::RunChecked { run, at: now };
    if receipt.exit != Exit::Code(0) {
        let text = format!("the set-up failed ({}): {}", receipt.id, gates::describe(receipt));
        let parked = Event::TaskParked { task, why: Parked::NeedsPerson(text), at: now };
        return Ok(vec![over, parked]);
    }
    let mut after = team.clone();
    after.apply(&over);
    let commit = setup.commit.clone();
    Ok(vec![over, start_checks(&after, now, task, commit, *then, false)])
}

fn receipt(run: &Run) -> Option<&Receipt> {
    run.receipts.iter().rev().find(|it| it.ran == Ran::Setup)
}

/// One yes holds for all tasks, as long as the command and what it goes by stay the same.
fn is_approved(team: &Team, setup: &Setup) -> bool {
    team.setups.contains(&setup.content)
}

/// It ran for this task since the last try, and made no difference.
fn ran_well<'a>(team: &'a Team, task: TaskId, setup: &Setup) -> Option<&'a Receipt> {
    let mut runs = team.runs_of(task).rev().map(|it| it.1);
    // The newest run is the round that asks; the one before it may be the set-up.
    let before = runs.nth(1)?;
    let same =
        matches!(&before.work, Work::Setup { setup: old, .. } if old.content == setup.content);
    let ended = matches!(before.state, RunState::Ended { .. });
    receipt(before).filter(|it| same && ended && it.exit == Exit::Code(0))
}

/// The task's own word on why it waits, for the person.
pub(super) fn refused(task: &Task, why: &str) -> Parked {
    let title = task.brief.text.lines().next().unwrap_or_default();
    Parked::NeedsPerson(format!("the set-up for `{title}` was not allowed: {why}"))
}
