//! The commands that only look: board, task, diff, log, status. They read the log without its lock,
//! so they work while a run is under way.

use super::approve::sides;
use super::args;
use super::follow::{json_line, pointer, shown};
use super::narrate::Narrator;
use super::only;
use super::open::{Doing, Here, Trouble, exit};
use super::screen::{Screen, Shade, count, cut, duration, money, safe, tokens};
use crate::git::Git;
use crate::protocol::{BoardView, DiffView, FileLineView, RunView, TaskView};
use serde::Serialize;
use std::collections::VecDeque;
use team::{Code, Column, Failure, TaskId, Team};

/// How many events are read from the log at once.
const EVENTS_MAX: u64 = 1_000;
const TITLE_CHARS_MAX: usize = 48;
const STEP_CHARS_MAX: usize = 56;

/// A value as JSON, indented.
pub fn print_json<T: Serialize>(screen: &Screen, value: &T) -> Result<(), Trouble> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Code::Bug, error.to_string()))
        .doing("write JSON")?;
    screen.line(text);
    Ok(())
}

pub fn board(screen: &Screen, here: &Here, asked: &args::Board) -> Result<u8, Trouble> {
    let team = here.team("read the board")?;
    let mut view = BoardView::of(&here.place.name, &team);
    let board = team::board(&team);
    let open = |it: &team::TaskLine| match it.column {
        Column::NeedsYou | Column::Working | Column::Parked => true,
        Column::Shipped | Column::Ended => asked.all,
    };
    let shown: Vec<_> = board.tasks.iter().filter(|it| open(it)).collect();
    if asked.json {
        view.tasks.retain(|it| shown.iter().any(|line| line.task.to_string() == it.id));
        print_json(screen, &view)?;
        return Ok(exit::DONE);
    }
    if shown.is_empty() {
        screen.line(match team.tasks.len() {
            0 => "Nothing was delegated here yet. (baton run \"what is wrong\")".to_owned(),
            n => format!("Nothing is open; {n} ended. (baton board --all)"),
        });
        return Ok(exit::DONE);
    }
    let rows: Vec<_> = shown.iter().map(|it| task_row(screen, it)).collect();
    screen.table(&["Task", "State", "What", "Now", "Tokens", "Money"], &rows);
    for line in &shown {
        if let Some(expects) = &line.expects {
            screen.line(format!("{} expects {}", line.task, safe(expects)));
        }
    }
    if asked.all && 0 < board.more {
        screen
            .line(format!("{} that ended before these are not shown. (baton task T1)", board.more));
    }
    for line in board.tasks.iter().filter(|it| it.column == Column::NeedsYou) {
        pointer(&team, line.task, &here.repo_option).iter().for_each(|it| screen.line(it));
    }
    let spent = &board.spent;
    screen.line(format!("{} tokens, {} in all", tokens(spent), money(spent.micros)));
    Ok(exit::DONE)
}

fn task_row(screen: &Screen, it: &team::TaskLine) -> Vec<String> {
    let (word, shade) = match it.column {
        Column::NeedsYou => ("needs you", Shade::Warn),
        Column::Working => ("working", Shade::Name),
        Column::Parked => ("parked", Shade::Bad),
        Column::Shipped => ("shipped", Shade::Good),
        Column::Ended => ("ended", Shade::Quiet),
    };
    vec![
        it.task.to_string(),
        screen.paint(shade, word),
        cut(&safe(&it.title), TITLE_CHARS_MAX),
        cut(&safe(&it.step), STEP_CHARS_MAX),
        tokens(&it.spent),
        money(it.spent.micros),
    ]
}

fn no_such_task(task: TaskId) -> Trouble {
    let failure =
        Failure::new(Code::Store, "there is no such task").hint("baton board --all lists them");
    Trouble::Failed { doing: format!("show {task}"), failure }
}

pub fn task(screen: &Screen, here: &Here, asked: &args::Task) -> Result<u8, Trouble> {
    let team = here.team(&format!("show {}", asked.task))?;
    let view = TaskView::of(&here.place.name, &team, asked.task);
    let view = view.ok_or_else(|| no_such_task(asked.task))?;
    if asked.json {
        print_json(screen, &view)?;
        return Ok(exit::DONE);
    }
    let head = format!("{} {}", view.id, safe(&view.title));
    screen.line(screen.paint(Shade::Strong, &head));
    screen.line(format!("  {}", safe(&view.says)));
    let more = view.brief.text.trim().lines().skip(1);
    more.for_each(|it| screen.line(format!("  | {}", safe(it))));
    if let Some(base) = &view.base {
        screen.line(format!("  from {}, for {}", safe(&base.says), safe(&base.target)));
        for path in &base.left_out {
            screen.line(format!("  left out: {}", safe(path)));
        }
    }
    if !view.stages.is_empty() {
        let class = view.class.as_deref().unwrap_or_default();
        screen.line(format!("  {}: {}, land", safe(class), view.stages.join(", ")));
    }
    let budget = view.brief.budget.iter().map(|it| format!("may use at most {}", safe(it)));
    let done = view.criteria.iter().map(|it| format!("done when: {}", safe(it)));
    budget.chain(done).for_each(|it| screen.line(format!("  {it}")));
    screen.line("");
    let rows: Vec<_> = view.runs.iter().map(run_row).collect();
    screen.table(&["Run", "Who", "State", "Took", "Tokens", "Money"], &rows);
    for it in &view.handoffs {
        screen.line("");
        let kind = format!("{} {} {}", it.run, it.role, it.kind);
        screen.line(format!("{}: {}", screen.paint(Shade::Name, &kind), safe(&it.text)));
        it.points.iter().for_each(|point| screen.line(format!("  - {}", safe(point))));
        if let Some(look) = it.look_first.as_ref().filter(|it| !it.is_empty()) {
            screen.line(format!("  look first at {}", safe(look)));
        }
    }
    if let Some(plan) = &view.plan {
        screen.line("");
        let rest = [("tests", std::slice::from_ref(&plan.tests))];
        let rest = rest.into_iter().chain([
            ("assumes", plan.assumptions.as_slice()),
            ("rejected", plan.rejected.as_slice()),
        ]);
        for (name, items) in rest {
            items.iter().for_each(|it| screen.line(format!("  the plan {name}: {}", safe(it))));
        }
    }
    receipts(screen, here, &view.runs);
    for it in &view.decisions {
        let gone = if it.forgotten { ", forgotten" } else { "" };
        let (by, what, why) = (safe(&it.by), safe(&it.what), safe(&it.why));
        screen.line(format!("{} decided by {by}: {what} ({why}){gone}", it.id));
    }
    for it in &view.words {
        let heard = match it.heard_by.as_slice() {
            [] => "kept for the next run".to_owned(),
            runs => format!("heard by {}", runs.join(", ")),
        };
        screen.line(format!("{} said: {} ({heard})", safe(&it.by), safe(&it.text)));
    }
    if let Some(ms) = view.person.ms {
        screen.line(format!("you were with it for {}", duration(ms)));
    }
    pointer(&team, asked.task, &here.repo_option).iter().for_each(|it| screen.line(it));
    Ok(exit::DONE)
}

fn run_row(it: &RunView) -> Vec<String> {
    let took = it.ended_at.map(|end| duration(end.saturating_sub(it.started_at)));
    let tokens = it.cost.input_tokens
        + it.cost.output_tokens
        + it.cost.cache_read_tokens
        + it.cost.cache_write_tokens;
    let state = match &it.failure {
        Some(why) => format!("{}: {}", it.state, cut(&safe(why), STEP_CHARS_MAX)),
        None => it.state.clone(),
    };
    vec![
        it.id.clone(),
        it.role.clone(),
        state,
        took.unwrap_or_else(|| "-".to_owned()),
        count(tokens),
        money(it.cost.micros),
    ]
}

fn receipts(screen: &Screen, here: &Here, runs: &[RunView]) {
    let all: Vec<_> = runs.iter().flat_map(|it| &it.receipts).collect();
    if all.is_empty() {
        return;
    }
    screen.line("");
    let rows: Vec<_> = all
        .iter()
        .map(|it| {
            let shade = if it.green { Shade::Good } else { Shade::Bad };
            let tests = it.tests.as_ref();
            let tests = tests.map(|it| format!("{} passed, {} failed", it.passed, it.failed));
            vec![
                it.id.clone(),
                it.ran.clone(),
                cut(&safe(&it.argv.join(" ")), STEP_CHARS_MAX),
                screen.paint(shade, &it.exit),
                tests.unwrap_or_default(),
                it.commit
                    .as_deref()
                    .map(|it| it.get(..10).unwrap_or(it).to_owned())
                    .unwrap_or_default(),
            ]
        })
        .collect();
    screen.table(&["Receipt", "Kind", "Command", "Ended", "Tests", "On"], &rows);
    screen.line(format!("each can be run again: baton{} replay {}", here.repo_option, all[0].id));
    screen.line("");
}

pub fn diff(screen: &Screen, here: &Here, asked: &args::Diff) -> Result<u8, Trouble> {
    let doing = format!("show what {} changes", asked.task);
    let team = here.team(&doing)?;
    if team.task(asked.task).is_none() {
        return Err(no_such_task(asked.task));
    }
    let Some((from, to)) = sides(&team, asked.task) else {
        let failure = Failure::new(Code::Git, "nothing was handed over yet")
            .hint(format!("baton task {} shows how far it is", asked.task));
        return Err(Trouble::Failed { doing, failure });
    };
    let git = Git::open(&here.place, &here.state).doing(&doing)?;
    if asked.patch {
        let patch = git.patch(&from, &to).doing(&doing)?;
        // Whoever pipes it wants the bytes; on a terminal it is only looked at.
        if screen.out_is_terminal {
            screen.diff(&patch);
        } else {
            screen.raw(&patch);
        }
        return Ok(exit::DONE);
    }
    let files = git.files(&from, &to).doing(&doing)?;
    if asked.json {
        let view = DiffView {
            repository: here.place.name.clone(),
            task: asked.task.to_string(),
            from: from.0.clone(),
            to: to.0.clone(),
            files: files.iter().map(crate::hub::file_view).collect(),
            patch: git.patch(&from, &to).doing(&doing)?,
        };
        print_json(screen, &view)?;
        return Ok(exit::DONE);
    }
    if asked.hunks {
        only::show(screen, &files);
        return Ok(exit::DONE);
    }
    let rows: Vec<_> = files
        .iter()
        .map(|it| {
            let file = FileLineView::of(&it.change);
            vec![
                safe(&file.path),
                file.kind,
                screen.paint(Shade::Good, &format!("+{}", file.added)),
                screen.paint(Shade::Bad, &format!("-{}", file.removed)),
                only::cell(it),
            ]
        })
        .collect();
    screen.table(&["File", "Change", "Added", "Removed", "Hunks"], &rows);
    let range = format!("{}..{}", from.short(), to.short());
    screen.line(format!("{range} (--hunks and --patch show the lines)"));
    Ok(exit::DONE)
}

pub fn log(screen: &Screen, here: &Here, asked: &args::Log) -> Result<u8, Trouble> {
    let Some(reader) = here.reader("read the log")? else {
        if !asked.json {
            screen.line("Nothing was delegated here yet.");
        }
        return Ok(exit::DONE);
    };
    let last_max = asked.last.unwrap_or(usize::MAX);
    let mut narrator = Narrator::default();
    let mut kept = VecDeque::new();
    let mut from = 0;
    loop {
        let events = reader.events(from, EVENTS_MAX).doing("read the log")?;
        let Some(last) = events.last() else {
            break;
        };
        from = last.0;
        for (version, at, event) in &events {
            let line = narrator.tell(*version, *at, event);
            if asked.task.is_none_or(|task| line.task == Some(task.to_string())) {
                kept.push_back(line);
            }
            if last_max < kept.len() {
                kept.pop_front();
            }
        }
        // Without a bound on the number, nothing has to be held back.
        if asked.last.is_none() {
            kept.drain(..).for_each(|it| print_line(screen, &it, asked.json));
        }
    }
    kept.iter().for_each(|it| print_line(screen, it, asked.json));
    Ok(exit::DONE)
}

fn print_line(screen: &Screen, line: &super::narrate::Line, json: bool) {
    if json {
        screen.line(json_line(line));
    } else {
        let task = line.task.as_deref().unwrap_or("");
        screen.line(format!(
            "{:>5} {} {task:<4} {}",
            line.version,
            clock(line.at),
            shown(screen, line)
        ));
    }
}

/// `2026-03-01 09:05:07`, in UTC.
fn clock(at: u64) -> String {
    let (days, second) = (at / 86_400_000, at / 1000 % 86_400);
    // Civil date from days since 1970 (H. Hinnant's algorithm), for years after 0.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}")
}

/// What `status` prints, and `status --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    repository: String,
    working: usize,
    needs_you: usize,
    parked: usize,
    /// Landed, applied or answered.
    shipped: usize,
    /// Of those, landed by a rule that the person set: counted apart.
    shipped_by_rule: usize,
}

pub fn status(screen: &Screen, here: &Here, asked: &args::Status) -> Result<u8, Trouble> {
    let team = here.team("read the board")?;
    let status = status_of(&here.place.name, &team);
    if asked.json {
        print_json(screen, &status)?;
    } else if asked.short {
        screen.line(short(&status));
    } else {
        screen.line(format!(
            "{} working, {} waiting for you, {} parked; {} shipped, {} of them by your rule",
            status.working, status.needs_you, status.parked, status.shipped, status.shipped_by_rule
        ));
    }
    Ok(exit::DONE)
}

fn status_of(repository: &str, team: &Team) -> Status {
    let board = team::board(team);
    let of = |column| board.tasks.iter().filter(|it| it.column == column).count();
    let count = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    Status {
        repository: repository.to_owned(),
        working: of(Column::Working),
        needs_you: of(Column::NeedsYou),
        parked: of(Column::Parked),
        shipped: count(team.ends.shipped),
        shipped_by_rule: count(team.ends.by_rule),
    }
}

/// `2 working 1 needs you`; nothing at all where nothing goes on.
fn short(status: &Status) -> String {
    let parts =
        [(status.working, "working"), (status.needs_you, "needs you"), (status.parked, "parked")];
    let parts = parts.iter().filter(|it| 0 < it.0).map(|(n, word)| format!("{n} {word}"));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_knows_leap_days() {
        assert_eq!(clock(0), "1970-01-01 00:00:00");
        assert_eq!(clock(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(clock(1_772_355_907_000), "2026-03-01 09:05:07");
    }

    #[test]
    fn a_short_status_is_empty_where_nothing_goes_on() {
        let mut status = status_of("x", &Team::default());
        assert_eq!(short(&status), "");
        status.needs_you = 1;
        status.working = 2;
        assert_eq!(short(&status), "2 working 1 needs you");
    }
}
