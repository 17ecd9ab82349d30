//! Tests that fail and pass on the same files. A red check is run again, a bounded number of times; a
//! test whose result differs is put aside for a while: it holds nothing up, and it proves nothing.

use super::{Event, Millis, Refusal, RunId, Task, TaskId, Team, Why, Work};
use crate::handoff::Repro;
use crate::ids::ReceiptId;
use crate::receipt::{Exit, Outcome, Ran, Receipt};
use crate::setup::{QUARANTINE_MS, Quarantined, RERUNS_MAX, date, is_same_test};
use crate::task::Run;

/// The failing tests of a red check of this round that are worth another run on the same files: none
/// of them failed before the change. `None`: it is green, was red before, or was run often enough.
pub fn rerun(team: &Team, run: RunId, check: &str) -> Option<Vec<String>> {
    let round = team.run(run)?;
    let task = team.task(round.task)?;
    let is_about_change =
        matches!(round.work, Work::Checks { why: Why::Gate | Why::Candidate, .. });
    let red = first(round, check).filter(|it| fails_by_name(it))?;
    let failing = &red.tests.as_ref()?.failing;
    let known = failed_before(team, task, check);
    let open = reruns(round, check).count() < RERUNS_MAX
        && failing.iter().any(|it| !passed_again(round, check, it));
    let is_new = failing.iter().all(|it| !known.contains(it));
    (is_about_change && open && is_new).then(|| failing.clone())
}

/// What a round found out: tests whose result differs on the same files, one event a check.
pub(super) fn found(task: TaskId, now: Millis, round: &Run) -> Vec<Event> {
    let mut res = vec![];
    let red = round.receipts.iter().filter(|it| fails_by_name(it));
    for receipt in red {
        let Ran::Check { name } = &receipt.ran else { continue };
        let failing = receipt.tests.iter().flat_map(|it| &it.failing);
        let tests: Vec<String> =
            failing.filter(|it| passed_again(round, name, it)).cloned().collect();
        if tests.is_empty() {
            continue;
        }
        let mut receipts: Vec<ReceiptId> = vec![receipt.id];
        receipts.extend(reruns(round, name).map(|it| it.id));
        let (check, until) = (name.clone(), now + QUARANTINE_MS);
        res.push(Event::TestsQuarantined { task, check, tests, receipts, until });
    }
    res
}

/// A red check all of whose failing tests are put aside: it holds nothing up.
pub(super) fn is_excused(team: &Team, now: Millis, receipt: &Receipt) -> bool {
    let Ran::Check { name } = &receipt.ran else { return false };
    let failing = receipt.tests.iter().flat_map(|it| &it.failing);
    fails_by_name(receipt)
        && receipt.tests.as_ref().is_some_and(|it| 0 < it.passed)
        && failing.into_iter().all(|it| quarantined(team, now, name, it).is_some())
}

/// For the person: which tests of these receipts were put aside, and until when.
pub(crate) fn notes(team: &Team, receipts: &[ReceiptId]) -> Vec<String> {
    let red = receipts.iter().filter_map(|it| team.receipt(*it)).filter(|it| !it.is_green());
    let mut res = vec![];
    for receipt in red {
        for test in receipt.tests.iter().flat_map(|it| &it.failing) {
            let all = team.quarantine.iter();
            let Some(it) = all.rev().find(|it| it.test == *test) else { continue };
            let runs: Vec<String> = it.receipts.iter().map(|it| it.to_string()).collect();
            res.push(format!(
                "flaky: {test} failed and passed on the same files ({}); it does not count until {}",
                runs.join(", "),
                date(it.until)
            ));
        }
    }
    res
}

/// A flaky test shows nothing, so it can't be what a fix is measured by.
pub(super) fn shows_something(
    team: &Team,
    now: Millis,
    task: TaskId,
    repro: &Repro,
) -> Result<(), Refusal> {
    let checks = team.task(task).map(|it| &it.checks).into_iter().flatten();
    for check in checks {
        for test in &repro.tests {
            if quarantined(team, now, &check.name, test).is_some() {
                return Err(Refusal::Gate(format!(
                    "{test} is flaky: it failed and passed on the same files, so it shows nothing; \
                     write a test that fails each time"
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn quarantined<'a>(
    team: &'a Team,
    now: Millis,
    check: &str,
    test: &str,
) -> Option<&'a Quarantined> {
    let is_it = |it: &&Quarantined| {
        it.check == check && now < it.until && (it.test == test || is_same_test(&it.test, test))
    };
    team.quarantine.iter().find(is_it)
}

fn first<'a>(round: &'a Run, check: &str) -> Option<&'a Receipt> {
    round.receipts.iter().find(|it| matches!(&it.ran, Ran::Check { name } if name == check))
}

fn reruns<'a>(round: &'a Run, check: &'a str) -> impl Iterator<Item = &'a Receipt> {
    round.receipts.iter().filter(move |it| matches!(&it.ran, Ran::Rerun { name } if name == check))
}

/// It ended by itself, and every failure has a name.
fn fails_by_name(receipt: &Receipt) -> bool {
    let named = |it: &crate::receipt::Tests| {
        0 < it.failed && it.failing.len() == it.failed as usize && it.trouble.is_none()
    };
    matches!(receipt.exit, Exit::Code(n) if n != 0) && receipt.tests.as_ref().is_some_and(named)
}

/// On the same files it ran once more, and passed by name.
fn passed_again(round: &Run, check: &str, test: &str) -> bool {
    let tree = first(round, check).and_then(|it| it.tree.as_ref());
    reruns(round, check).filter(|it| tree.is_some() && it.tree.as_ref() == tree).any(|it| {
        let mut named = it.tests.iter().flat_map(|it| &it.named);
        named.any(|(name, how)| name == test && *how == Outcome::Passed)
    })
}

fn failed_before(team: &Team, task: &Task, check: &str) -> Vec<String> {
    let baseline = task.baseline.and_then(|it| team.run(it));
    let tests = baseline.and_then(|it| first(it, check)).and_then(|it| it.tests.as_ref());
    tests.map(|it| it.failing.clone()).unwrap_or_default()
}
