//! What a role is told when its run starts: gathered from the team, and for red receipts from their
//! stored output. The wording is the agent's (`agent/brief.rs`).

use super::crew::Desk;
use super::{blocking, guide};
use crate::agent::{self, BriefFacts, Earlier, Failing};
use crate::checks::{self, Observed};
use crate::store::Reader;
use team::{
    Code, Decision, Duty, Failure, Guess, Handoff, Ran, Receipt, Related, Run, RunId, RunState,
    Severity, Start, Task, TaskId, Team, Verdict, Why, Work,
};

/// Red receipts whose output is told.
const FAILING_MAX: usize = 3;

/// The first text of a run: a brief, or what a run that continues another one gets to hear. And the same
/// facts for a run in whole blocks.
pub(super) async fn opening(
    desk: &Desk,
    task: TaskId,
    run: RunId,
) -> Result<(String, agent::Facts), Failure> {
    let missing = || Failure::new(Code::Bug, format!("find {run}"));
    let it = desk.team.task(task).ok_or_else(missing)?;
    let Some(Work::Role { duty, start, .. }) = desk.team.run(run).map(|it| &it.work) else {
        return Err(missing());
    };
    let gathered = Gathered::of(desk, task, it, run, *duty).await?;
    let facts = gathered.facts(it, *duty);
    Ok(match start {
        Start::Fresh => (agent::brief(&facts), agent::Facts::of(&facts, "")),
        Start::Continues { text, .. } => {
            (agent::continue_text(text, &facts), agent::Facts::of(&facts, text))
        }
    })
}

/// What the facts borrow from.
struct Gathered<'a> {
    severity: Option<Severity>,
    summary: String,
    baseline: Vec<&'a Receipt>,
    receipts: Vec<&'a Receipt>,
    change: String,
    earlier: Vec<Earlier>,
    failing: Vec<Failing>,
    comments: Vec<String>,
    class_why: String,
    guide: String,
    related: Vec<Related>,
    decisions: Vec<Decision>,
}

impl<'a> Gathered<'a> {
    async fn of(
        desk: &'a Desk,
        id: TaskId,
        task: &'a Task,
        run: RunId,
        duty: Duty,
    ) -> Result<Gathered<'a>, Failure> {
        let team = &desk.team;
        let baseline = task.baseline.and_then(|it| team.run(it));
        let baseline: Vec<&Receipt> = baseline.map(checks_of).unwrap_or_default();
        let receipts = last_gate(team, id, run).map(checks_of).unwrap_or_default();
        let is_build = duty == Duty::Build;
        let red_of = |all: &[&'a Receipt]| -> Vec<&'a Receipt> {
            all.iter().copied().filter(|it| is_build && !it.is_green()).collect()
        };
        let red = match red_of(&receipts) {
            red if red.is_empty() => red_of(&baseline),
            red => red,
        };
        let failing = failing(desk, &red).await?;
        let (severity, summary, mut change) = said(task);
        if duty == Duty::Build {
            change.clear();
        }
        // Nothing that the person said to forget is among them.
        let decisions: Vec<Decision> = team.decisions(task).map(|it| it.1.clone()).collect();
        let person = decisions.iter().filter(|it| it.what.starts_with("revise: "));
        let comments = person.map(|it| it.what.clone()).collect();
        let earlier = earlier(team, task);
        let class_why = if duty == Duty::Triage { class_why(task) } else { String::new() };
        let guide = guide::read(&desk.shared, task).await?;
        let related = match duty {
            Duty::Triage | Duty::Design | Duty::Build => team::related(team, id),
            Duty::Validate | Duty::Answer | Duty::Announce => vec![],
        };
        Ok(Gathered {
            severity,
            summary,
            baseline,
            receipts,
            change,
            earlier,
            failing,
            comments,
            class_why,
            guide,
            related,
            decisions,
        })
    }

    fn facts<'b>(&'b self, task: &'b Task, duty: Duty) -> BriefFacts<'b> {
        let mut res = BriefFacts::new(duty, &task.brief.text);
        res.place = task.brief.place.as_ref();
        if let Some(base) = &task.base {
            res.base_says = &base.says;
            res.left_out = &base.left_out;
            res.seen = Some(&base.seen);
        }
        res.class = task.class;
        res.class_why = &self.class_why;
        res.guide = &self.guide;
        if duty != Duty::Design {
            res.plan = task.design.as_ref().map(|it| &it.plan);
        }
        res.severity = self.severity;
        res.summary = &self.summary;
        res.criteria = &task.criteria;
        if matches!(duty, Duty::Build | Duty::Validate) {
            res.build = Some((task.builds, task.brief.limits.builds_max));
            res.checks = &task.checks;
        }
        if matches!(duty, Duty::Validate | Duty::Announce) {
            res.head = task.head.as_ref().map(|it| &it.commit);
        }
        res.baseline = &self.baseline;
        res.receipts = &self.receipts;
        res.repro = task.repro.as_ref();
        res.change = &self.change;
        if duty == Duty::Build {
            res.earlier = &self.earlier;
        }
        res.failing = &self.failing;
        res.related = &self.related;
        res.comments = &self.comments;
        res.decisions = &self.decisions;
        res
    }
}

/// How bad it is and what the PM found; what the Engineer says about the last change.
fn said(task: &Task) -> (Option<Severity>, String, String) {
    let (mut severity, mut summary, mut change) = (None, String::new(), String::new());
    for (_, handoff) in &task.handoffs {
        match handoff {
            Handoff::Triaged { severity: s, summary: text, .. } => {
                severity = Some(*s);
                summary.clone_from(text);
            }
            Handoff::Changed { summary: text, risks, .. } => {
                change.clone_from(text);
                risks.iter().for_each(|it| change += &format!("\nrisk: {it}"));
            }
            Handoff::Designed { .. }
            | Handoff::Validated { .. }
            | Handoff::Answered { .. }
            | Handoff::Announced { .. }
            | Handoff::Declined { .. } => {}
        }
    }
    (severity, summary, change)
}

fn checks_of(run: &Run) -> Vec<&Receipt> {
    run.receipts.iter().filter(|it| matches!(it.ran, Ran::Check { .. })).collect()
}

/// The last round of checks of this task's changes before this run.
fn last_gate(team: &Team, task: TaskId, before: RunId) -> Option<&Run> {
    let rounds = team.runs_of(task).rev().filter(|it| it.0 < before);
    rounds.map(|it| it.1).find(|it| {
        let of_change = matches!(it.work, Work::Checks { why: Why::Gate | Why::Candidate, .. });
        of_change && matches!(it.state, RunState::Ended { .. })
    })
}

/// The builds so far, and why each was not enough.
fn earlier(team: &Team, task: &Task) -> Vec<Earlier> {
    let mut res: Vec<Earlier> = vec![];
    for (run, handoff) in &task.handoffs {
        match handoff {
            Handoff::Changed { summary, head, .. } => {
                let build = u32::try_from(res.len()).unwrap_or(u32::MAX).saturating_add(1);
                let about = |it: &&Receipt| it.commit.as_ref() == Some(head) && !it.is_green();
                let runs = task.runs.iter().filter_map(|it| team.run(*it));
                let red = runs.flat_map(|it| &it.receipts).find(about);
                let ended = red.map_or_else(
                    || format!("handed over by {run}"),
                    |it| format!("{} was red ({})", it.argv.join(" "), it.id),
                );
                res.push(Earlier { build, summary: summary.clone(), ended });
            }
            Handoff::Validated { verdict: Verdict::Fail, notes, .. } => {
                if let Some(last) = res.last_mut() {
                    last.ended = format!("the Tester failed it: {notes}");
                }
            }
            Handoff::Validated { verdict: Verdict::Pass, .. }
            | Handoff::Triaged { .. }
            | Handoff::Designed { .. }
            | Handoff::Answered { .. }
            | Handoff::Announced { .. }
            | Handoff::Declined { .. } => {}
        }
    }
    res
}

/// What the rules saw in the words: the PM's class is settled by it, or begins there.
fn class_why(task: &Task) -> String {
    match team::guess(&task.brief) {
        Guess::Sure { why, .. } if task.is_settled => why,
        Guess::Sure { .. } => String::new(),
        Guess::Open { fits } => {
            let fits = fits.iter().map(|(class, why)| format!("{} ({why})", class.name()));
            fits.collect::<Vec<_>>().join(", ")
        }
    }
}

async fn failing(desk: &Desk, red: &[&Receipt]) -> Result<Vec<Failing>, Failure> {
    if red.is_empty() {
        return Ok(vec![]);
    }
    let wanted: Vec<Receipt> = red.iter().take(FAILING_MAX).map(|it| (*it).clone()).collect();
    let dir = desk.shared.dir.clone();
    blocking(move || {
        let reader = Reader::open(&dir)?;
        let mut res = vec![];
        for it in wanted {
            let output = reader.output(&it.output)?.unwrap_or_default();
            let (receipt, what) = (it.id, it.argv.join(" "));
            let output = checks::describe_failure(&observed(it, output));
            res.push(Failing { receipt, what, output });
        }
        Ok(res)
    })
    .await
}

fn observed(it: Receipt, output: Vec<u8>) -> Observed {
    Observed {
        argv: it.argv,
        exit: it.exit,
        duration_ms: it.duration_ms,
        output,
        output_bytes: it.output_bytes,
        output_sha256: it.output,
        tests: it.tests,
        environment: it.environment,
    }
}
