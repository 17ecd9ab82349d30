//! The gates: what must be true, by what the server saw, before a signal goes through. A model can
//! turn a pass into a fail, never a fail into a pass. Every refusal says what to do.

use super::{Millis, Refusal, Run, RunId, Task, TaskId, Team, flaky, get, required};
use crate::change::{ChangeFacts, Facts, NotesFacts, PlanFacts, lines};
use crate::handoff::{Handoff, Notes, Plan, Verdict};
use crate::ids::{CommitId, ReceiptId, TreeId};
use crate::paths::is_documentation;
use crate::receipt::{CheckSpec, Exit, Outcome, Ran, Receipt, Tests};

/// A plan with more paths names their folders.
const PLAN_PATHS_MAX: usize = 40;
/// Lines that Marketing may add and remove.
const NOTES_LINES_MAX: u32 = 200;

/// The signal as the server lets it through: a change's head is what git reported.
pub(super) fn pass(
    team: &Team,
    now: Millis,
    task: TaskId,
    run: RunId,
    handoff: Handoff,
    facts: Option<&Facts>,
) -> Result<Handoff, Refusal> {
    let it = get(team, task)?;
    match handoff {
        Handoff::Changed { summary, look_first, risks, .. } => {
            let Some(Facts::Change(facts)) = facts else {
                return gate("the server saw no change: edit the files, then hand over again");
            };
            change(it, facts)?;
            Ok(Handoff::Changed { head: facts.head.clone(), summary, look_first, risks })
        }
        Handoff::Validated { verdict, head, receipts, notes } => {
            judged(team, it, run, &head, &receipts)?;
            match verdict {
                Verdict::Pass => passed(team, now, it, &head, &receipts)?,
                Verdict::Fail if notes.trim().is_empty() => {
                    return gate("a fail needs notes: what fails, how to see it");
                }
                Verdict::Fail => (),
            }
            Ok(Handoff::Validated { verdict, head, receipts, notes })
        }
        Handoff::Designed { plan } => {
            let Some(Facts::Plan(facts)) = facts else {
                return gate("the server saw no plan: hand over again");
            };
            designed(&plan, facts)?;
            Ok(Handoff::Designed { plan })
        }
        Handoff::Announced { notes: Notes::Written { summary, .. } } => {
            let Some(Facts::Notes(facts)) = facts else {
                return gate("the server saw no notes: hand over again");
            };
            announced(it, facts)?;
            let head = facts.change.head.clone();
            Ok(Handoff::Announced { notes: Notes::Written { head, summary } })
        }
        Handoff::Answered { text, citations } => {
            cited(&citations, facts)?;
            Ok(Handoff::Answered { text, citations })
        }
        Handoff::Announced { notes: Notes::Nothing { .. } }
        | Handoff::Triaged { .. }
        | Handoff::Declined { .. } => Ok(handoff),
    }
}

fn gate<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Gate(text.into()))
}

fn change(task: &Task, facts: &ChangeFacts) -> Result<(), Refusal> {
    let limits = &task.brief.limits;
    if facts.files.is_empty() {
        return gate("nothing was changed: edit the files first, then hand over");
    }
    if !facts.descends {
        return gate(
            "the head does not descend from where the task started: leave commits to the server, which makes \
             them from your files, and hand over again",
        );
    }
    if !facts.protected.is_empty() {
        let paths = facts.protected.join(", ");
        return gate(format!("these paths are not yours to change, put them back: {paths}"));
    }
    if !facts.weakened.is_empty() && !task.person_answered {
        let what = facts.weakened.join("; ");
        return gate(format!(
            "tests were weakened: {what}. Put them back; if one is wrong, ask the person first"
        ));
    }
    if !facts.outside.is_empty() {
        let paths = facts.outside.join(", ");
        return gate(format!(
            "the plan does not name these files, put them back: {paths}. Tests and documentation \
             are free; if the task can't be done without the others, decline and say which and \
             why: then the plan is made again"
        ));
    }
    let (added, removed) = lines(&facts.files);
    if limits.diff_lines_max < added + removed {
        let max = limits.diff_lines_max;
        return gate(format!(
            "the change has {} lines, at most {max}: do less, or ask the person how to split it",
            added + removed
        ));
    }
    let files = u32::try_from(facts.files.len()).unwrap_or(u32::MAX);
    if limits.diff_files_max < files {
        let max = limits.diff_files_max;
        return gate(format!(
            "the change touches {files} files, at most {max}: do less, or ask the person how to split it"
        ));
    }
    Ok(())
}

/// A plan says what is done, where, and how it will be shown.
fn designed(plan: &Plan, facts: &PlanFacts) -> Result<(), Refusal> {
    if plan.approach.trim().is_empty() {
        return gate("the plan needs an approach: say what is changed, and how");
    }
    if plan.tests.trim().is_empty() {
        return gate("the plan needs tests: say what shows that each criterion is met");
    }
    if plan.paths.is_empty() {
        return gate("the plan names no paths: say what files or folders the change may touch");
    }
    if PLAN_PATHS_MAX < plan.paths.len() {
        return gate(format!(
            "the plan has over {PLAN_PATHS_MAX} paths: name their folders and hand over again"
        ));
    }
    if !facts.wrong.is_empty() {
        return gate(format!(
            "these paths can't stand in a plan: {}. Name others and hand over again",
            facts.wrong.join("; ")
        ));
    }
    Ok(())
}

/// Marketing's commit: documentation alone, on top of the change that was validated.
fn announced(task: &Task, facts: &NotesFacts) -> Result<(), Refusal> {
    if facts.files.is_empty() {
        return gate(
            "nothing was written: edit the documentation and hand over, or hand over that there is \
             nothing to announce",
        );
    }
    let code = |it: &&String| !is_documentation(it);
    let paths: Vec<&String> = facts.files.iter().map(|it| &it.path).collect();
    let code: Vec<&str> = paths.into_iter().filter(code).map(String::as_str).collect();
    if !code.is_empty() {
        return gate(format!(
            "only documentation is yours to change, put these back: {}. Then hand over again",
            code.join(", ")
        ));
    }
    let (added, removed) = lines(&facts.files);
    if NOTES_LINES_MAX < added + removed {
        return gate(format!(
            "the notes change {} lines, at most {NOTES_LINES_MAX}: say it shorter and hand over again",
            added + removed
        ));
    }
    if task.head.is_none() || !facts.change.descends {
        return gate(
            "the head does not descend from the change that was validated: put them back as they were, \
             write the notes and hand over again",
        );
    }
    if !facts.change.protected.is_empty() {
        let paths = facts.change.protected.join(", ");
        return gate(format!("these paths are not yours to change, put them back: {paths}"));
    }
    Ok(())
}

/// Each citation names a line that the person can open.
fn cited(citations: &[String], facts: Option<&Facts>) -> Result<(), Refusal> {
    if citations.is_empty() {
        return gate("an answer needs citations: cite the `path:line` of what you read");
    }
    let Some(Facts::Citations { wrong }) = facts else {
        return gate("the server saw no citations: hand over again");
    };
    if !wrong.is_empty() {
        return gate(format!(
            "these citations name nothing: {}. Read the file and cite lines that are there",
            wrong.join("; ")
        ));
    }
    Ok(())
}

/// A verdict is about the task's head, and every receipt it cites exists and is about that head.
fn judged(
    team: &Team,
    task: &Task,
    run: RunId,
    head: &CommitId,
    receipts: &[ReceiptId],
) -> Result<(), Refusal> {
    let Some(current) = &task.head else {
        return gate("there is no change to judge: decline and say so");
    };
    if &current.commit != head {
        return gate(format!(
            "the verdict names {}, but the change under test is {}: judge that one and name it",
            head.short(),
            current.commit
        ));
    }
    for id in receipts {
        let Some(receipt) = team.receipt(*id) else {
            return gate(format!(
                "there is no receipt {id}: cite receipts that the server gave you, or run the check"
            ));
        };
        // The run that showed the bug is about this change too.
        let repro = task.repro.as_ref().is_some_and(|it| it.receipt == *id);
        let own = id.run == run && receipt.commit.is_none();
        if receipt.commit.as_ref() != Some(head) && !own && !repro {
            let on = receipt.commit.as_ref().map_or("changed files", |it| it.short());
            return gate(format!(
                "{id} is about {on}, not about {}: cite receipts of this head",
                head.short()
            ));
        }
    }
    Ok(())
}

fn passed(
    team: &Team,
    now: Millis,
    task: &Task,
    head: &CommitId,
    receipts: &[ReceiptId],
) -> Result<(), Refusal> {
    let checks = required(task);
    // Where nothing is required nothing may have run: the approval says that no checks ran, and a
    // rule lands nothing without receipts.
    if receipts.is_empty() && !checks.is_empty() {
        return gate("a pass needs receipts: cite those of the checks you rely on");
    }
    if let Some(red) = receipts
        .iter()
        .filter_map(|it| team.receipt(*it))
        .find(|it| matches!(it.ran, Ran::Check { .. }) && !stands(team, now, task, it))
    {
        return gate(format!(
            "{} is red: {}; a pass can't cite it: hand over a fail that says what is wrong",
            red.id,
            describe(red)
        ));
    }
    if checks.is_empty() {
        return Ok(());
    }
    let mut rounds = rounds_of(team, task);
    let round = rounds.find(|it| {
        let on_head = |it: &Receipt| it.commit.as_ref() == Some(head);
        missing_receipts(task, it).is_empty() && it.receipts.iter().any(on_head)
    });
    let Some(round) = round else {
        return gate(format!(
            "the required checks have not run on {}: decline and say so",
            head.short()
        ));
    };
    match gate_problem(team, now, task, round) {
        Some(problem) => gate(format!("{problem}: hand over a fail that says so")),
        None => Ok(()),
    }
}

/// The runs of a task, newest first: those of others stand for other work.
fn rounds_of<'a>(team: &'a Team, task: &'a Task) -> impl Iterator<Item = &'a Run> {
    task.runs.iter().rev().filter_map(|it| team.run(*it))
}

/// Names of required checks without a receipt in this round.
pub(super) fn missing_receipts(task: &Task, round: &Run) -> Vec<String> {
    let ran = |name: &str| {
        let is = |it: &&Receipt| matches!(&it.ran, Ran::Check { name: ran } if ran == name);
        round.receipts.iter().any(|it| is(&it))
    };
    required(task).into_iter().map(|it| it.name).filter(|it| !ran(it)).collect()
}

/// What keeps H from going to the Tester; compared with S, which may have been red already.
pub(super) fn gate_problem(team: &Team, now: Millis, task: &Task, round: &Run) -> Option<String> {
    for receipt in checks_of(round) {
        if !stands(team, now, task, receipt) {
            return Some(format!("{} is red: {}", receipt.id, describe(receipt)));
        }
    }
    fewer_tests(team, task, round).or_else(|| repro_problem(team, now, task, round))
}

/// Green, red before the change already, or red by flaky tests alone.
fn stands(team: &Team, now: Millis, task: &Task, it: &Receipt) -> bool {
    it.is_green() || was_red_before(team, task, it) || flaky::is_excused(team, now, it)
}

/// What keeps L from landing: no excuse by the baseline here, but for fewer tests, since the
/// person's own uncommitted tests are not in L. A part may leave the reproducing test out: the
/// approval's proof says so, and the required checks decide.
pub(super) fn candidate_problem(
    team: &Team,
    now: Millis,
    task: &Task,
    round: &Run,
    is_part: bool,
) -> Option<String> {
    let tree = task.candidate.as_ref().map(|it| &it.tree);
    for receipt in checks_of(round) {
        if receipt.tree.as_ref() != tree {
            return Some(format!("{} is about other files", receipt.id));
        }
        if !receipt.is_green() && !flaky::is_excused(team, now, receipt) {
            return Some(format!("{} is red: {}", receipt.id, describe(receipt)));
        }
    }
    let fewer = if is_clean_start(task) { fewer_tests(team, task, round) } else { None };
    let unshown = || repro_problem(team, now, task, round).filter(|_| !is_part);
    fewer.or_else(unshown)
}

/// The receipts of a round's checks.
pub(super) fn ids(round: &Run) -> Vec<ReceiptId> {
    checks_of(round).map(|it| it.id).collect()
}

fn checks_of(round: &Run) -> impl Iterator<Item = &Receipt> {
    round.receipts.iter().filter(|it| matches!(it.ran, Ran::Check { .. }))
}

fn before<'a>(team: &'a Team, task: &Task, of: &Receipt) -> Option<&'a Receipt> {
    let baseline = team.run(task.baseline?)?;
    baseline.receipts.iter().find(|it| it.ran == of.ran)
}

/// Red on S already, and no worse now: nothing fails that did not fail there. Where only an exit
/// code speaks, "no worse" can't be seen: then it counts only if S held the person's own text.
fn was_red_before(team: &Team, task: &Task, receipt: &Receipt) -> bool {
    let Some(old) = before(team, task, receipt).filter(|it| !it.is_green()) else { return false };
    match (&old.tests, &receipt.tests) {
        (Some(old), Some(new)) => {
            let built_before = 0 < old.passed + old.failed;
            let new_failures = new.failing.iter().any(|it| !old.failing.contains(it));
            !built_before || (0 < new.passed + new.failed && !new_failures)
        }
        (None, _) | (_, None) => !is_clean_start(task),
    }
}

/// S is B: nothing of the person's own was in it.
pub(super) fn is_clean_start(task: &Task) -> bool {
    task.base.as_ref().is_some_and(|it| it.base == it.seen)
}

fn fewer_tests(team: &Team, task: &Task, round: &Run) -> Option<String> {
    checks_of(round).find_map(|it| {
        let old = before(team, task, it)?.tests.as_ref()?;
        let new = it.tests.as_ref()?;
        let ran = |it: &Tests| it.passed + it.failed;
        (ran(new) < ran(old)).then(|| {
            format!("{}: {} tests ran, {} did before the change", it.id, ran(new), ran(old))
        })
    })
}

fn repro_problem(team: &Team, now: Millis, task: &Task, round: &Run) -> Option<String> {
    let repro = task.repro.as_ref()?;
    if let Err(why) = flaky::shows_something(team, now, round.task, repro) {
        return Some(why.to_string());
    }
    let named = |name: &String| {
        let mut tests = round.receipts.iter().filter_map(|it| it.tests.as_ref());
        tests.any(|it| it.named.iter().any(|(n, how)| n == name && *how == Outcome::Passed))
    };
    let missing = repro.tests.iter().find(|it| !named(it))?;
    let ran = |it: &&Receipt| it.tests.as_ref().is_some_and(|it| 0 < it.passed + it.failed);
    let why = match round.receipts.iter().find(|it| it.tests.is_some() && !it.is_green()) {
        // Then it is mostly not the change that is wrong, but a program or a package is missing.
        Some(red) if !round.receipts.iter().any(|it| ran(&it)) => {
            format!(": {} ran no test at all, its output says why", red.id)
        }
        Some(_) | None => String::new(),
    };
    Some(format!("the reproducing test `{missing}` does not pass{why}"))
}

/// One line about a red receipt.
pub(super) fn describe(receipt: &Receipt) -> String {
    let command = receipt.argv.join(" ");
    match (&receipt.exit, &receipt.tests) {
        (Exit::TimedOut, _) => format!("`{command}` took too long"),
        (Exit::Interrupted, _) => format!("`{command}` was interrupted"),
        (Exit::Signal(n), _) => format!("`{command}` was killed by signal {n}"),
        (Exit::Code(_), Some(tests)) if 0 < tests.failed => {
            let names: Vec<&str> = tests.failing.iter().take(3).map(String::as_str).collect();
            format!(
                "{} of {} tests fail ({})",
                tests.failed,
                tests.passed + tests.failed,
                names.join(", ")
            )
        }
        (Exit::Code(0), Some(Tests { trouble: Some(trouble), .. })) => {
            format!("`{command}` ended well, but {trouble}")
        }
        (Exit::Code(0), Some(_)) => format!("`{command}` ran no test"),
        (Exit::Code(n), _) => format!("`{command}` exits with {n}"),
    }
}

/// Green receipts of every required check on exactly this tree, if there are any.
pub(super) fn evidence(
    team: &Team,
    now: Millis,
    task: &Task,
    tree: &TreeId,
    is_part: bool,
) -> Option<Vec<ReceiptId>> {
    let checks: Vec<CheckSpec> = required(task);
    let mut rounds = rounds_of(team, task).filter(|it| {
        it.receipts.iter().any(|it| it.tree.as_ref() == Some(tree))
            && missing_receipts(task, it).is_empty()
    });
    if checks.is_empty() {
        return Some(vec![]);
    }
    let round = rounds.find(|round| {
        checks_of(round).all(|it| it.is_green() && it.tree.as_ref() == Some(tree))
            && (is_part || repro_problem(team, now, task, round).is_none())
    })?;
    Some(ids(round))
}
