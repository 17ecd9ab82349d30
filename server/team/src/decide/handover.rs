//! Who works next, given what was just handed over or checked. All routing is here.

use super::{
    Duty, Event, Millis, Parked, Refusal, RunId, Start, Task, TaskId, Team, Why, Work,
    ask_approval, flaky, gates, get, landing, live, required, start_checks, start_role,
};
use crate::change::ChangeFacts;
use crate::event::Subject;
use crate::handoff::{Class, Handoff, Verdict};
use crate::ids::CommitId;

/// After this many builds the next one starts fresh: a new pair of eyes, with what was tried.
const CONTINUED_BUILDS_MAX: u32 = 2;

pub(super) fn handed_over(
    team: &Team,
    now: Millis,
    run: RunId,
    handoff: Handoff,
    facts: Option<ChangeFacts>,
) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let Work::Role { duty, .. } = it.work else {
        return Err(Refusal::StaleRun(run));
    };
    if handoff.duty().is_some_and(|it| it != duty) {
        let text = format!("this run's duty is {duty:?}; hand over with the tool of that duty");
        return Err(Refusal::Gate(text));
    }
    let handoff = gates::pass(team, now, task, run, handoff, facts.as_ref())?;
    let over = Event::RunHandedOver { run, handoff: handoff.clone(), facts, at: now };
    let mut after = team.clone();
    after.apply(&over);
    let mut res = vec![over];
    res.extend(route(&after, now, task, &handoff)?);
    Ok(res)
}

fn route(team: &Team, now: Millis, task: TaskId, handoff: &Handoff) -> Result<Vec<Event>, Refusal> {
    let it = get(team, task)?;
    let Some(base) = &it.base else {
        return Err(Refusal::NoSuchTask(task));
    };
    let seen = base.seen.clone();
    Ok(match handoff {
        Handoff::Triaged { class, summary, .. } => match class {
            Class::Bug | Class::Feature | Class::Refactor | Class::Docs | Class::Chore => {
                vec![baseline(team, now, task, it, seen)]
            }
            Class::Question => {
                vec![start_role(team, now, task, Duty::Answer, seen, Start::Fresh)]
            }
            Class::NeedsHuman => vec![park(task, summary.clone(), now)],
        },
        Handoff::Changed { head, .. } => {
            if required(it).is_empty() {
                return Ok(vec![validate(team, now, task, head.clone())]);
            }
            vec![start_checks(team, now, task, head.clone(), Why::Gate, false)]
        }
        Handoff::Validated { verdict: Verdict::Fail, notes, .. } => {
            vec![rework(team, now, task, it, format!("the Tester says: {notes}"))]
        }
        Handoff::Validated { verdict: Verdict::Pass, head, .. } => {
            vec![Event::CandidateWanted { task, head: head.clone() }]
        }
        Handoff::Answered { .. } => vec![Event::TaskAnswered { task, at: now }],
        Handoff::Declined { why } => vec![park(task, why.clone(), now)],
    })
}

/// The required checks on S, once; evidence on an equal tree is evidence.
fn baseline(team: &Team, now: Millis, task: TaskId, it: &Task, seen: CommitId) -> Event {
    if required(it).is_empty() {
        return start_role(team, now, task, Duty::Build, seen, Start::Fresh);
    }
    start_checks(team, now, task, seen, Why::Baseline, false)
}

fn validate(team: &Team, now: Millis, task: TaskId, head: CommitId) -> Event {
    start_role(team, now, task, Duty::Validate, head, Start::Fresh)
}

fn park(task: TaskId, why: String, now: Millis) -> Event {
    Event::TaskParked { task, why: Parked::NeedsPerson(why), at: now }
}

/// Back to the Engineer, a bounded number of times.
pub(super) fn rework(team: &Team, now: Millis, task: TaskId, it: &Task, why: String) -> Event {
    let max = it.brief.limits.builds_max;
    if max <= it.builds {
        return park(task, format!("{max} builds did not get there; the last one: {why}"), now);
    }
    let seen = it.base.as_ref().map(|it| it.seen.clone());
    let head = it.head.as_ref().map(|it| it.commit.clone());
    let last = team.last_build(task);
    match (last, head, seen) {
        (Some(run), Some(head), _) if it.builds < CONTINUED_BUILDS_MAX => {
            start_role(team, now, task, Duty::Build, head, Start::Continues { run, text: why })
        }
        (_, _, Some(seen)) => start_role(team, now, task, Duty::Build, seen, Start::Fresh),
        (_, _, None) => park(task, why, now),
    }
}

/// A round of checks ended; its receipts are recorded.
pub(super) fn checked(team: &Team, now: Millis, run: RunId) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let Work::Checks { commit, why, .. } = &it.work else {
        return Err(Refusal::StaleRun(run));
    };
    let state = get(team, task)?;
    let missing = gates::missing_receipts(state, it);
    if !missing.is_empty() {
        return Err(Refusal::Gate(format!("no receipt of {}", missing.join(", "))));
    }
    let over = Event::RunChecked { run, at: now };
    let mut res = vec![over];
    res.extend(flaky::found(task, now, it));
    let mut after = team.clone();
    res.iter().for_each(|it| after.apply(it));
    match why {
        Why::Baseline => {
            let seen = commit.clone();
            res.push(start_role(&after, now, task, Duty::Build, seen, Start::Fresh));
        }
        Why::Gate => match gates::gate_problem(&after, now, state, it) {
            None => res.push(validate(&after, now, task, commit.clone())),
            Some(problem) => res.push(rework(&after, now, task, state, problem)),
        },
        Why::Candidate => {
            let under = state.state.under();
            let Some(candidate) = state.candidate.clone() else {
                return Err(Refusal::Not(format!("{task} has no candidate")));
            };
            match gates::candidate_problem(&after, now, state, it) {
                None => {
                    let receipts = gates::ids(it);
                    let proven = (candidate, receipts);
                    res.extend(landing::proven(&after, now, task, proven, under));
                }
                Some(problem) => {
                    if let Some(approval) = under {
                        let why = format!("the branch moved, and there {problem}");
                        res.push(Event::ApprovalVoided { approval, why });
                    }
                    let receipts = gates::ids(it);
                    let why = if gates::is_clean_start(state) {
                        format!("on the branch {problem}")
                    } else {
                        format!("without your uncommitted text {problem}; it may depend on it")
                    };
                    let subject = Subject::Edits { head: candidate.head, why, receipts };
                    res.push(ask_approval(&after, now, task, subject));
                }
            }
        }
    }
    Ok(res)
}
