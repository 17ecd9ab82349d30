//! Who works next, given what was just handed over or checked. All routing is here.

use super::{
    Duty, Event, Millis, Parked, Refusal, RunId, Start, Task, TaskId, Team, Why, Work,
    ask_approval, flaky, gates, get, landing, live, part, required, start_checks, start_role, way,
};
use crate::change::Facts;
use crate::event::Subject;
use crate::handoff::{By, Decision, Handoff, Notes, Role, Verdict};
use crate::stages::Stage;

/// After this many builds the next one starts fresh: a new pair of eyes, with what was tried.
const CONTINUED_BUILDS_MAX: u32 = 2;
/// Plans that are made before a person takes it up.
const DESIGNS_MAX: u32 = 3;

pub(super) fn handed_over(
    team: &Team,
    now: Millis,
    run: RunId,
    handoff: Handoff,
    facts: Option<Facts>,
) -> Result<Vec<Event>, Refusal> {
    let (task, it) = live(team, run)?;
    let Work::Role { duty, .. } = it.work else {
        return Err(Refusal::StaleRun(run));
    };
    if handoff.duty().is_some_and(|it| it != duty) {
        let text = format!("this run's duty is {duty:?}; hand over with the tool of that duty");
        return Err(Refusal::Gate(text));
    }
    // What no gate looks at is not kept.
    let facts = facts.filter(|it| is_about(it, &handoff));
    let handoff = gates::pass(team, now, task, run, handoff, facts.as_ref())?;
    let over = Event::RunHandedOver { run, handoff: handoff.clone(), facts, at: now };
    let mut after = team.clone();
    after.apply(&over);
    let mut res = vec![over];
    res.extend(route(&after, now, (task, run), duty, &handoff)?);
    Ok(res)
}

fn is_about(facts: &Facts, handoff: &Handoff) -> bool {
    match (facts, handoff) {
        (Facts::Plan(_), Handoff::Designed { .. })
        | (Facts::Change(_), Handoff::Changed { .. })
        | (Facts::Notes(_), Handoff::Announced { notes: Notes::Written { .. } })
        | (Facts::Citations { .. }, Handoff::Answered { .. }) => true,
        (
            Facts::Plan(_) | Facts::Change(_) | Facts::Notes(_) | Facts::Citations { .. },
            Handoff::Triaged { .. }
            | Handoff::Designed { .. }
            | Handoff::Changed { .. }
            | Handoff::Validated { .. }
            | Handoff::Answered { .. }
            | Handoff::Announced { .. }
            | Handoff::Declined { .. },
        ) => false,
    }
}

fn route(
    team: &Team,
    now: Millis,
    (task, run): (TaskId, RunId),
    duty: Duty,
    handoff: &Handoff,
) -> Result<Vec<Event>, Refusal> {
    let it = get(team, task)?;
    Ok(match handoff {
        Handoff::Triaged { class, or_class, summary, .. } => {
            way::triaged(team, now, (task, run), (*class, *or_class), summary)?
        }
        Handoff::Designed { plan } => {
            let mut res: Vec<Event> = plan.decisions.iter().map(|it| decided(task, it)).collect();
            res.extend(way::begin(team, now, task, Stage::Build));
            res
        }
        Handoff::Changed { head, .. } => {
            if required(it).is_empty() {
                return Ok(way::begin(team, now, task, Stage::Validate));
            }
            vec![start_checks(team, now, task, head.clone(), Why::Gate, false)]
        }
        Handoff::Validated { verdict: Verdict::Fail, notes, .. } => {
            vec![rework(team, now, task, it, format!("the Tester says: {notes}"))]
        }
        Handoff::Validated { verdict: Verdict::Pass, .. } => way::passed(team, now, task),
        Handoff::Announced { .. } => way::wanted(team, task).into_iter().collect(),
        Handoff::Answered { .. } => vec![Event::TaskAnswered { task, at: now }],
        Handoff::Declined { why } => match (duty, &it.design) {
            (Duty::Build, Some(_)) => {
                let why = format!("the Engineer can't build this plan: {why}");
                vec![redesign(team, now, task, it, why)]
            }
            // Nobody waits for words about a change that is already validated.
            (Duty::Announce, _) => way::wanted(team, task).into_iter().collect(),
            (
                Duty::Triage | Duty::Design | Duty::Build | Duty::Validate | Duty::Answer,
                Some(_) | None,
            ) => vec![park(task, why.clone(), now)],
        },
    })
}

/// A decision of the Architect's: what, and after ` because ` why.
fn decided(task: TaskId, text: &str) -> Event {
    let (what, why) = text.split_once(" because ").unwrap_or((text, "as the plan says"));
    let decision = Decision {
        by: By::Role(Role::Architect),
        what: what.trim().to_string(),
        why: why.trim().to_string(),
    };
    Event::DecisionRecorded { task, decision }
}

fn park(task: TaskId, why: String, now: Millis) -> Event {
    Event::TaskParked { task, why: Parked::NeedsPerson(why), at: now }
}

/// Back to the Architect, a bounded number of times.
pub(super) fn redesign(team: &Team, now: Millis, task: TaskId, it: &Task, why: String) -> Event {
    if DESIGNS_MAX <= it.designs {
        let text = format!("{DESIGNS_MAX} plans did not get there; the last one: {why}");
        return park(task, text, now);
    }
    let seen = it.base.as_ref().map(|it| it.seen.clone());
    match (&it.design, seen) {
        (Some(design), Some(seen)) => {
            let start = Start::Continues { run: design.run, text: why };
            start_role(team, now, task, Duty::Design, seen, start)
        }
        (None, _) | (_, None) => park(task, why, now),
    }
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
    let Work::Checks { why, .. } = &it.work else {
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
        // The gate before the build was passed before the baseline began.
        Why::Baseline => res.extend(way::enter(&after, now, task, Stage::Build)),
        Why::Gate => match gates::gate_problem(&after, now, state, it) {
            None => res.extend(way::begin(&after, now, task, Stage::Validate)),
            Some(problem) => res.push(rework(&after, now, task, state, problem)),
        },
        Why::Candidate => {
            let under = state.state.under();
            let Some(candidate) = state.candidate.clone() else {
                return Err(Refusal::Not(format!("{task} has no candidate")));
            };
            let is_part = part::is_part(&after, under);
            match gates::candidate_problem(&after, now, state, it, is_part) {
                None => {
                    let receipts = gates::ids(it);
                    let proven = (candidate, receipts);
                    res.extend(landing::proven(&after, now, task, proven, under));
                }
                Some(problem) if is_part => {
                    res.extend(under.map(|it| part::refused(it, &problem)));
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
