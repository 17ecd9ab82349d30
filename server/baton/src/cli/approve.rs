//! Shows a person what waits, with the evidence, and takes the decision down. Only a word typed in
//! full decides; the end of input, or anything unclear, leaves it waiting.

use super::follow::Waits;
use super::narrate::receipt_text;
use super::only;
use super::open::{Doing, Here, Trouble};
use super::person::{Choice, Person, UNCLEAR_MAX, choice, option_text};
use super::reach::Reach;
use super::screen::{Screen, Shade, safe};
use crate::hub::{Refused, blocking};
use std::time::Instant;
use team::{
    Answer, ApprovalId, ApprovalLine, By, CommitId, Input, Plan, QuestionId, Setup, Sign, Subject,
    TaskId, Team,
};

/// Lines of a diff that are shown before anybody asks for more.
const DIFF_LINES_MAX: usize = 120;

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    Answered,
    Later,
}

/// The door that a decision comes through, as it is recorded.
pub const DOOR: &str = crate::protocol::DOOR_TERMINAL;

/// Asks about what waits. Errors: the decision could not be written down.
pub async fn ask(
    hub: &Reach,
    here: &Here,
    screen: &Screen,
    person: &Person<'_>,
    task: TaskId,
    waits: Waits,
) -> Result<Decided, Trouble> {
    let approval = match waits {
        Waits::Approval(approval) => Some(approval),
        Waits::Question(_) => None,
    };
    tell(hub, task, approval, Sign::Opened).await;
    let decided = match waits {
        Waits::Approval(approval) => ask_approval(hub, here, screen, person, task, approval).await,
        Waits::Question(question) => ask_question(hub, screen, person, question).await,
    };
    // After an answer it is closed already, and this says nothing new.
    tell(hub, task, approval, Sign::Closed).await;
    decided
}

/// The time that a prompt is shown counts as the person's. A measure that can't be taken down is no
/// reason to stop.
async fn tell(hub: &Reach, task: TaskId, approval: Option<ApprovalId>, sign: Sign) {
    let by = By::Person { door: DOOR.to_owned() };
    let _ = hub.send(Input::View { task, approval, sign, by }).await;
}

async fn ask_approval(
    hub: &Reach,
    here: &Here,
    screen: &Screen,
    person: &Person<'_>,
    task: TaskId,
    approval: ApprovalId,
) -> Result<Decided, Trouble> {
    let team = hub.team();
    let Some(line) = team::approval_line(&team, approval) else {
        return Ok(Decided::Later);
    };
    let shown = Instant::now();
    let patch = patch(hub, &team, task, approval).await?;
    show(screen, here, &team, &line, patch.as_deref());
    let some = if 1 < team::count(&line.hunks) { "some (of its hunks), " } else { "" };
    let words = format!("{}, {some}diff, later: ", line.answers.join(", "));
    let mut typed = person.line_since(shown, &format!("{approval}: type {words}")).await;
    let mut unclear = 0;
    loop {
        let Some(text) = &typed else {
            return Ok(Decided::Later);
        };
        tell(hub, task, Some(approval), Sign::Working).await;
        let chosen = choice(text);
        let answer = match chosen {
            Choice::Later => return Ok(Decided::Later),
            Choice::Diff => {
                screen.diff(patch.as_deref().unwrap_or("there is no diff"));
                None
            }
            Choice::Unclear => {
                unclear += 1;
                if unclear == UNCLEAR_MAX {
                    screen.note("Nothing was decided.");
                    return Ok(Decided::Later);
                }
                None
            }
            Choice::Some => some_of(hub, screen, person, &line).await?,
            Choice::Approve | Choice::Apply | Choice::Reject | Choice::Revise | Choice::Rebuild => {
                put(person, &line, &chosen).await
            }
        };
        if let Some(answer) = answer {
            let by = By::Person { door: DOOR.to_owned() };
            let expected = line.change.clone();
            match hub.send(Input::Answer { approval, expected, answer, by }).await {
                Ok(_) => return Ok(Decided::Answered),
                Err(Refused::Refusal(why)) => {
                    let why = screen.paint_err(Shade::Bad, &safe(&why.to_string()));
                    screen.note(format!("Not taken: {why}"));
                    // Overtaken: another door answered, or the branch moved.
                    if !still_open(hub, approval) {
                        return Ok(Decided::Answered);
                    }
                }
                Err(failed @ Refused::Failure(_)) => {
                    return Err(failed).doing(format!("answer {approval}"));
                }
            }
        }
        typed = person.line(&format!("{approval}: type {words}")).await;
    }
}

/// Shows a landing that waits and approves it under this door's name; leaves anything else waiting.
/// For the demo, whose branch and person are its own.
pub async fn approve_as(
    hub: &Reach,
    here: &Here,
    screen: &Screen,
    door: &str,
    task: TaskId,
    waits: Waits,
) -> Result<(), Trouble> {
    let team = hub.team();
    let Waits::Approval(approval) = waits else {
        return Ok(());
    };
    let Some(line) = team::approval_line(&team, approval) else {
        return Ok(());
    };
    let patch = patch(hub, &team, task, approval).await?;
    show(screen, here, &team, &line, patch.as_deref());
    if line.answers.first() != Some(&"approve") || line.change.is_none() || !line.ticks.is_empty() {
        return Ok(());
    }
    let by = By::Person { door: door.to_owned() };
    let answer = Answer::Approve { ticked: Vec::new() };
    hub.send(Input::Answer { approval, expected: line.change, answer, by })
        .await
        .doing(format!("answer {approval}"))?;
    Ok(())
}

fn still_open(hub: &Reach, approval: ApprovalId) -> bool {
    let team = hub.team();
    let state = team.approvals.get(&approval).map(|it| &it.state);
    state == Some(&team::ApprovalState::Open)
}

/// The answer with all that belongs to it; `None`: the person did not go through with it.
async fn put(person: &Person<'_>, line: &ApprovalLine, chosen: &Choice) -> Option<Answer> {
    match chosen {
        Choice::Approve => {
            let ticked = tick(person, line.ticks.iter()).await?;
            Some(Answer::Approve { ticked })
        }
        Choice::Apply => Some(Answer::Apply),
        Choice::Rebuild => Some(Answer::Rebuild),
        Choice::Revise => {
            let text = person.line("What shall be different? ").await?.trim().to_owned();
            (!text.is_empty()).then_some(Answer::Revise { text, comments: vec![] })
        }
        Choice::Reject => {
            let why = person.line("Why? (may be empty) ").await?.trim().to_owned();
            Some(Answer::Reject { why })
        }
        Choice::Some | Choice::Diff | Choice::Later | Choice::Unclear => None,
    }
}

/// A yes for each of these paths; `None`: not for all.
async fn tick(person: &Person<'_>, paths: impl Iterator<Item = &String>) -> Option<Vec<String>> {
    let mut ticked = Vec::new();
    for path in paths {
        let why = "runs by itself or is merged into a file that you changed.";
        if !person.says_yes(&format!("{} {why} Land it too?", safe(path))).await {
            return None;
        }
        ticked.push(path.clone());
    }
    Some(ticked)
}

/// The hunks that the person takes, one question each, and a yes for what they are together.
async fn some_of(
    hub: &Reach,
    screen: &Screen,
    person: &Person<'_>,
    line: &ApprovalLine,
) -> Result<Option<Answer>, Trouble> {
    let team = hub.team();
    let sides = match team.approvals.get(&line.approval).map(|it| &it.subject) {
        Some(Subject::Landing { candidate, .. }) if 1 < team::count(&line.hunks) => {
            (candidate.tip.clone(), candidate.commit.clone())
        }
        Some(_) | None => {
            screen.note("It is taken whole.");
            return Ok(None);
        }
    };
    let git = hub.git().clone();
    let read = blocking(move || git.files(&sides.0, &sides.1)).await;
    let files = read.doing(format!("show {}", line.approval))?;
    let Some(hunks) = only::pick(screen, person, &files).await else {
        screen.note("Nothing was decided.");
        return Ok(None);
    };
    let ticks = line.ticks.iter().filter(|it| only::needs_tick(it, &hunks, &line.hunks));
    let Some(ticked) = tick(person, ticks).await else {
        return Ok(None);
    };
    Ok(Some(Answer::ApproveSome { ticked, hunks }))
}

/// The proof, the receipts, what has to be known, and the diff.
pub fn show(screen: &Screen, here: &Here, team: &Team, line: &ApprovalLine, patch: Option<&str>) {
    screen.line("");
    let head = format!("{} for {}: {}", line.approval, line.task, safe(&line.title));
    screen.line(screen.paint(Shade::Strong, &head));
    screen.line(format!("  proof     {}", screen.paint(Shade::Good, &safe(&line.proof))));
    for id in &line.receipts {
        if let Some(receipt) = team.receipt(*id) {
            let text = safe(&receipt_text(receipt));
            let replay = format!("baton{} replay {id}", here.repo_option);
            let replay = screen.paint(Shade::Quiet, &replay);
            screen.line(format!("  {:<9} {text}   {replay}", id.to_string()));
        }
    }
    if let Some(plan) = &line.plan {
        show_plan(screen, plan);
    }
    for why in &line.why {
        screen.line(format!("  because   {}", screen.paint(Shade::Warn, &safe(why))));
    }
    for note in &line.notes {
        screen.line(format!("  note      {}", screen.paint(Shade::Warn, &safe(note))));
    }
    for path in &line.ticks {
        let text = format!("{} needs a yes of its own", safe(path));
        screen.line(format!("  tick      {}", screen.paint(Shade::Warn, &text)));
    }
    let Some(patch) = patch else {
        return;
    };
    screen.line("");
    let all = patch.lines().count();
    let first: Vec<&str> = patch.lines().take(DIFF_LINES_MAX).collect();
    screen.diff(&first.join("\n"));
    if DIFF_LINES_MAX < all {
        screen.line(format!("... {} more lines; type diff to see all", all - DIFF_LINES_MAX));
    }
    screen.line("");
}

/// A plan, whole: it is short, and what is approved.
fn show_plan(screen: &Screen, plan: &Plan) {
    for line in plan.approach.lines() {
        screen.line(format!("  plan      {}", safe(line)));
    }
    let rows = |name: &str, items: &[String]| {
        for item in items {
            screen.line(format!("  {name:<9} {}", safe(item)));
        }
    };
    rows("touches", &plan.paths);
    rows("tests", std::slice::from_ref(&plan.tests));
    rows("assumes", &plan.assumptions);
    rows("rejected", &plan.rejected);
    rows("decides", &plan.decisions);
}

/// The two commits whose difference is what a task changes; `None`: nothing yet.
pub fn sides(team: &Team, task: TaskId) -> Option<(CommitId, CommitId)> {
    let it = team.task(task)?;
    if let Some(candidate) = &it.candidate {
        return Some((candidate.tip.clone(), candidate.commit.clone()));
    }
    let landed = it.approvals.iter().rev().find_map(|id| match &team.approvals.get(id)?.subject {
        Subject::Landing { candidate, .. } => {
            Some((candidate.tip.clone(), candidate.commit.clone()))
        }
        Subject::Edits { .. }
        | Subject::Commands { .. }
        | Subject::Plan { .. }
        | Subject::Stage { .. }
        | Subject::Setup { .. } => None,
    });
    let head = || Some((it.base.as_ref()?.seen.clone(), it.head.as_ref()?.commit.clone()));
    landed.or_else(head)
}

async fn patch(
    hub: &Reach,
    team: &Team,
    task: TaskId,
    approval: ApprovalId,
) -> Result<Option<String>, Trouble> {
    let it = team.approvals.get(&approval).map(|it| &it.subject);
    let sides = match it {
        Some(Subject::Landing { candidate, .. }) => {
            Some((candidate.tip.clone(), candidate.commit.clone()))
        }
        Some(Subject::Edits { head, .. }) => {
            let base = team.task(task).and_then(|it| it.base.as_ref());
            base.map(|it| (it.seen.clone(), head.clone()))
        }
        Some(
            Subject::Commands { commit, .. } | Subject::Setup { setup: Setup { commit, .. }, .. },
        ) => {
            let base = team.task(task).and_then(|it| it.base.as_ref());
            base.map(|it| (it.seen.clone(), commit.clone()))
        }
        Some(Subject::Stage { .. }) => {
            let it = team.task(task);
            it.and_then(|it| {
                Some((it.base.as_ref()?.seen.clone(), it.head.as_ref()?.commit.clone()))
            })
        }
        Some(Subject::Plan { .. }) | None => None,
    };
    let Some((from, to)) = sides.filter(|(from, to)| from != to) else {
        return Ok(None);
    };
    let git = hub.git().clone();
    let made = tokio::task::spawn_blocking(move || git.patch(&from, &to)).await;
    match made {
        Ok(made) => made.doing(format!("show {approval}")).map(Some),
        Err(_) => Ok(None),
    }
}

async fn ask_question(
    hub: &Reach,
    screen: &Screen,
    person: &Person<'_>,
    question: QuestionId,
) -> Result<Decided, Trouble> {
    let team = hub.team();
    let Some(asked) = team.questions.get(&question) else {
        return Ok(Decided::Later);
    };
    screen.line("");
    let head = format!("{question} for {}: {}", asked.task, safe(&asked.ask.text));
    screen.line(screen.paint(Shade::Strong, &head));
    for (n, option) in (1..).zip(&asked.ask.options) {
        let default = if n - 1 == asked.ask.default { "   (the default)" } else { "" };
        screen.line(format!("  {n}  {}{default}", safe(option)));
    }
    screen.line(format!("  if it is wrong: {}", safe(&asked.ask.stakes)));
    let prompt = format!("{question}: a number or your own words; empty: later: ");
    let typed = person.line(&prompt).await;
    let Some(text) = typed.and_then(|it| option_text(&it, &asked.ask.options)) else {
        return Ok(Decided::Later);
    };
    let by = By::Person { door: DOOR.to_owned() };
    hub.send(Input::AnswerQuestion { question, text, by })
        .await
        .doing(format!("answer {question}"))?;
    Ok(Decided::Answered)
}
