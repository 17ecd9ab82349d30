//! `baton bench`: how often the gates let a wrong change through, and how often they refuse a right
//! one. What is right is said by hidden tests that no role ever sees.

mod case;
mod judge;
mod manifest;
mod mutate;
mod script;

use super::args;
use super::open::{Doing, Trouble, exit};
use super::screen::{Screen, Shade, cut, money, safe};
use crate::config::{Config, Home, WantedLevel, no_model_message};
use crate::sandbox::Sandbox;
use case::{Ended, Engineer};
use indicatif::{ProgressBar, ProgressStyle};
use manifest::{Edit, Task};
use serde::Serialize;
use team::{Code, Failure, SandboxLevel};
use tokio_util::sync::CancellationToken;

const WHY_CHARS_MAX: usize = 80;

/// What became of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// A right change landed.
    Resolved,
    /// A wrong change landed.
    FalsePass,
    /// A right change did not land.
    FalseRefusal,
    /// A wrong change, or none, did not land.
    Refused,
}

impl Outcome {
    fn of(landed: bool, right: bool) -> Outcome {
        match (landed, right) {
            (true, true) => Outcome::Resolved,
            (true, false) => Outcome::FalsePass,
            (false, true) => Outcome::FalseRefusal,
            (false, false) => Outcome::Refused,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Outcome::Resolved => "resolved",
            Outcome::FalsePass => "false pass",
            Outcome::FalseRefusal => "false refusal",
            Outcome::Refused => "refused",
        }
    }

    fn is_wrong(self) -> bool {
        matches!(self, Outcome::FalsePass | Outcome::FalseRefusal)
    }
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
struct Line {
    task: String,
    /// What was handed over.
    change: String,
    outcome: Outcome,
    /// Why it did not land.
    why: String,
    calls: u32,
    micros: u64,
}

/// How many cases had each outcome.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Sums {
    cases: u32,
    resolved: u32,
    false_pass: u32,
    false_refusal: u32,
    refused: u32,
    micros: u64,
}

impl Sums {
    fn of(lines: &[Line]) -> Sums {
        let mut sums = Sums::default();
        for line in lines {
            sums.cases += 1;
            sums.micros += line.micros;
            match line.outcome {
                Outcome::Resolved => sums.resolved += 1,
                Outcome::FalsePass => sums.false_pass += 1,
                Outcome::FalseRefusal => sums.false_refusal += 1,
                Outcome::Refused => sums.refused += 1,
            }
        }
        sums
    }
}

/// A change that a played Engineer hands over.
struct Change {
    says: String,
    edits: Vec<Edit>,
    /// The Engineer writes its own test first.
    test: bool,
}

pub async fn bench(screen: &Screen, asked: &args::Bench) -> Result<u8, Trouble> {
    let tasks = manifest::read(&asked.manifest, &asked.task)?;
    let scratch = tempfile::tempdir().doing("make a scratch folder")?;
    let sandbox = Sandbox::probe(scratch.path(), WantedLevel::default()).await;
    if sandbox.level() == SandboxLevel::None {
        let why = sandbox.why_not().unwrap_or_default().to_owned();
        let failure = Failure::new(Code::NoSandbox, why).hint("run `baton doctor`");
        return Err(failure).doing("bench: nothing is judged outside a sandbox");
    }
    let lines = if asked.model {
        with_model(screen, asked, &tasks, &sandbox).await?
    } else {
        with_changes(screen, asked, &tasks, &sandbox).await?
    };
    show(screen, asked, &lines);
    let wrong = asked.strict && lines.iter().any(|it| it.outcome.is_wrong());
    Ok(if wrong { exit::FAILED } else { exit::DONE })
}

async fn with_model(
    screen: &Screen,
    asked: &args::Bench,
    tasks: &[Task],
    sandbox: &Sandbox,
) -> Result<Vec<Line>, Trouble> {
    let home = Home::from_env().doing("find your configuration")?;
    let config = Config::load(&home).doing("read your configuration")?;
    if config.model.is_none() {
        return Err(no_model_message()).doing("bench a model");
    }
    let stop = CancellationToken::new();
    let bar = bar(screen, asked, tasks.len());
    let mut lines = Vec::new();
    for task in tasks {
        bar.set_message(task.name.clone());
        let ended = case::play(screen, task, Engineer::Model(&config)).await?;
        let right = match &ended.result {
            Some(files) => judge::is_right(sandbox, task, files, &stop).await?,
            None => false,
        };
        lines.push(tell(screen, asked, &bar, task, "the model's", &ended, right));
    }
    bar.finish_and_clear();
    Ok(lines)
}

async fn with_changes(
    screen: &Screen,
    asked: &args::Bench,
    tasks: &[Task],
    sandbox: &Sandbox,
) -> Result<Vec<Line>, Trouble> {
    let stop = CancellationToken::new();
    let cases: Vec<(&Task, Change)> = tasks
        .iter()
        .flat_map(|task| changes(asked, task).into_iter().map(move |it| (task, it)))
        .collect();
    let bar = bar(screen, asked, cases.len());
    let mut lines = Vec::new();
    for (task, change) in &cases {
        bar.set_message(format!("{}: {}", task.name, safe(&change.says)));
        let own: &[Edit] = if change.test { &task.said.test } else { &[] };
        let files = manifest::apply(&task.base, own)
            .and_then(|it| manifest::apply(&it, &change.edits))
            .doing("make a change")?;
        let right = judge::is_right(sandbox, task, &files, &stop).await?;
        let is_fix = change.edits == task.said.fix;
        if is_fix && !right {
            let text = format!("the tests of {} refuse its own fix", task.name);
            return Err(Failure::new(Code::Config, text)).doing("read the manifest");
        }
        // A mutant that the hidden tests don't tell from the fix is no wrong change.
        if right && !is_fix {
            bar.inc(1);
            continue;
        }
        let script = script::of(&task.said, &change.edits, change.test);
        let ended = case::play(screen, task, Engineer::Played(script)).await?;
        lines.push(tell(screen, asked, &bar, task, &change.says, &ended, right));
    }
    bar.finish_and_clear();
    Ok(lines)
}

/// The right fix, the wrong changes that the task names, and mutants of the fix.
fn changes(asked: &args::Bench, task: &Task) -> Vec<Change> {
    let said = &task.said;
    let fix = Change { says: "the right fix".to_owned(), edits: said.fix.clone(), test: true };
    let wrong = said.wrong.iter().map(|it| {
        let with_test = it.edit.iter().all(|it| said.test.iter().all(|test| test.path != it.path));
        Change { says: it.says.clone(), edits: it.edit.clone(), test: with_test }
    });
    let mutants = mutate::mutants(&said.fix, usize::from(asked.mutants));
    let mutants = mutants.into_iter().map(|it| Change {
        says: format!("mutant: {}", it.says),
        edits: it.edits,
        test: true,
    });
    std::iter::once(fix).chain(wrong).chain(mutants).collect()
}

fn tell(
    screen: &Screen,
    asked: &args::Bench,
    bar: &ProgressBar,
    task: &Task,
    change: &str,
    ended: &Ended,
    right: bool,
) -> Line {
    let line = Line {
        task: task.name.clone(),
        change: change.to_owned(),
        outcome: Outcome::of(ended.landed, right),
        why: ended.why.clone(),
        calls: ended.calls,
        micros: ended.micros,
    };
    bar.inc(1);
    if asked.json {
        screen.line(serde_json::to_string(&line).unwrap_or_default());
    }
    line
}

fn show(screen: &Screen, asked: &args::Bench, lines: &[Line]) {
    let sums = Sums::of(lines);
    if asked.json {
        screen.line(serde_json::json!({ "sums": sums }).to_string());
        return;
    }
    let rows: Vec<Vec<String>> = lines.iter().map(|it| row(screen, it)).collect();
    screen.table(&["Task", "Change", "Outcome", "Why not"], &rows);
    let cost = if sums.micros == 0 { String::new() } else { format!(", {}", money(sums.micros)) };
    screen.line(format!(
        "{} cases: {} resolved, {} false pass, {} false refusal, {} wrong refused{cost}",
        sums.cases, sums.resolved, sums.false_pass, sums.false_refusal, sums.refused
    ));
}

fn row(screen: &Screen, line: &Line) -> Vec<String> {
    let shade = if line.outcome.is_wrong() { Shade::Bad } else { Shade::Good };
    vec![
        line.task.clone(),
        cut(&safe(&line.change), WHY_CHARS_MAX),
        screen.paint(shade, line.outcome.name()),
        cut(&safe(&line.why), WHY_CHARS_MAX),
    ]
}

/// Drawn on a terminal only.
fn bar(screen: &Screen, asked: &args::Bench, cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(cases).unwrap_or(u64::MAX));
    if !screen.err_is_terminal || screen.plain || asked.json {
        return ProgressBar::hidden();
    }
    let bar = screen.live.add(bar);
    match ProgressStyle::with_template("{pos}/{len} {bar:20} {elapsed} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
