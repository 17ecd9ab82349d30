//! `baton report` and `baton memory`: what came of the team's work, and what it remembers.

use super::approve::DOOR;
use super::args::{self, MemoryAct};
use super::open::{Doing, Here, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, Shade, cut, duration, money, safe};
use crate::hub::now_ms;
use crate::protocol::{MemoryView, RatesView, ReportView, TaskStepsView};
use team::{By, Input, Memo};

const TEXT_CHARS_MAX: usize = 90;
/// Tasks whose steps are shown; `--json` has all that there are.
const TASKS_MAX: usize = 3;

pub fn report(screen: &Screen, here: &Here, asked: &args::Report) -> Result<u8, Trouble> {
    let team = here.team("read the board")?;
    let at = now_ms();
    let since = asked.since.map(|it| at.saturating_sub(it));
    let view = ReportView::of(&here.place.name, &team, at, since);
    if asked.json {
        print_json(screen, &view)?;
        return Ok(exit::DONE);
    }
    if view.digest.says.is_empty() {
        screen.line("Nothing happened here, and nothing waits.");
        return Ok(exit::DONE);
    }
    screen.line(screen.paint(Shade::Strong, &view.digest.says));
    for it in &view.digest.lines {
        let title = cut(&safe(&it.title), TEXT_CHARS_MAX);
        screen.line(format!("  {} {title}: {}", it.task, cut(&safe(&it.step), TEXT_CHARS_MAX)));
    }
    if view.all.tasks + view.classes.iter().map(|it| it.tasks).sum::<u32>() == 0 {
        return Ok(exit::DONE);
    }
    screen.line("");
    let head =
        ["Class", "Delegated", "Assisted", "My time", "Waited", "Each", "Rework", "False starts"];
    let mut rows = vec![rates_row("all but docs, chores", &view.all)];
    for it in &view.classes {
        rows.push(rates_row(it.class.as_deref().unwrap_or("not triaged"), it));
    }
    screen.table(&head, &rows);
    notes(&view).iter().for_each(|it| screen.line(screen.paint(Shade::Quiet, it)));
    view.tasks.iter().take(TASKS_MAX).for_each(|it| show_steps(screen, it));
    Ok(exit::DONE)
}

fn rates_row(name: &str, it: &RatesView) -> Vec<String> {
    let time = |ms: Option<u64>| ms.map_or_else(|| "-".to_owned(), duration);
    let part = |n: u32| match (u64::from(n) * 100).checked_div(u64::from(it.tasks)) {
        Some(percent) => format!("{n} of {}, {percent} %", it.tasks),
        None => "-".to_owned(),
    };
    let measured = match it.person_ms {
        Some(_) if it.measured < it.tasks => {
            format!("{} ({} of {})", time(it.person_ms), it.measured, it.tasks)
        }
        Some(_) | None => time(it.person_ms),
    };
    vec![
        name.to_owned(),
        part(it.delegated),
        part(it.assisted),
        measured,
        time(it.waited_ms),
        it.micros_per_shipped.map_or_else(|| "-".to_owned(), money),
        format!("{} builds, {} sent back", it.rebuilds, it.sent_back),
        it.false_starts.to_string(),
    ]
}

/// What the numbers mean, and what they leave out.
fn notes(view: &ReportView) -> Vec<String> {
    let all: u32 = view.classes.iter().map(|it| it.tasks).sum();
    let sum = |of: fn(&RatesView) -> u32| view.classes.iter().map(of).sum::<u32>();
    let mut res = vec![format!("{}.", view.definition.trim_end_matches('.'))];
    res.push(
        "My time and Waited are medians; Each is all that was spent, divided by what shipped."
            .into(),
    );
    let unmeasured = all.saturating_sub(sum(|it| it.measured));
    if 0 < unmeasured {
        res.push(format!("Nobody told of your time with {unmeasured} of {all}; it isn't guessed."));
    }
    let young = sum(|it| it.young);
    if 0 < young {
        res.push(format!("{young} landed in the last seven days, and may yet be taken back."));
    }
    let unpriced = sum(|it| it.unpriced);
    if 0 < unpriced {
        res.push(format!("{unpriced} used a model without a known price: not in the money."));
    }
    res
}

fn show_steps(screen: &Screen, it: &TaskStepsView) {
    screen.line("");
    let head = format!("{} {}", it.task, safe(&it.title));
    screen.line(screen.paint(Shade::Strong, &head));
    let time = |ms: Option<u64>| ms.map(duration).unwrap_or_default();
    let row = |it: &crate::protocol::StepRowView| {
        let action = cut(&safe(&it.action), TEXT_CHARS_MAX);
        vec![it.step.clone(), it.role.clone(), action, time(it.person_ms)]
    };
    let mut rows: Vec<_> = it.steps.iter().map(row).collect();
    let sum = it.person_ms.map_or_else(|| "not measured".to_owned(), duration);
    rows.push(vec!["Sum".to_owned(), String::new(), String::new(), sum]);
    screen.table(&super::steps::HEAD, &rows);
}

pub async fn memory(screen: &Screen, here: &Here, asked: &args::Memory) -> Result<u8, Trouble> {
    if let Some(MemoryAct::Forget { memo }) = asked.act {
        return forget(screen, here, memo).await;
    }
    let team = here.team("read the memory")?;
    let path = asked.path.as_deref().map(|it| it.trim_start_matches("./").trim_end_matches('/'));
    let view = MemoryView::of(&here.place.name, &team, now_ms(), asked.task, path);
    if asked.json {
        print_json(screen, &view)?;
        return Ok(exit::DONE);
    }
    if view.decisions.is_empty() && view.facts.is_empty() {
        screen.line("Nothing is remembered here.");
        return Ok(exit::DONE);
    }
    let decisions = view.decisions.iter().map(|it| {
        let what = cut(&safe(&format!("{}: {}", it.what, it.why)), TEXT_CHARS_MAX);
        vec![it.id.clone(), it.task.clone(), safe(&it.by), what]
    });
    let facts = view.facts.iter().map(|it| {
        let until = it.until_at.map(|it| format!(", until {}", team::date(it))).unwrap_or_default();
        let what = format!("{}{until}", cut(&safe(&it.what), TEXT_CHARS_MAX));
        let id = it.id.clone().unwrap_or_else(|| "-".to_owned());
        vec![id, it.receipts.join(" "), it.kind.clone(), what]
    });
    let rows: Vec<_> = decisions.chain(facts).collect();
    screen.table(&["Id", "From", "Who or what", "Says"], &rows);
    screen
        .line(format!("baton{} memory forget ID   no role is told of it again", here.repo_option));
    Ok(exit::DONE)
}

async fn forget(screen: &Screen, here: &Here, memo: Memo) -> Result<u8, Trouble> {
    let hub = here.hub(screen, here.config(screen).await?).await?;
    let by = By::Person { door: DOOR.to_owned() };
    let sent = hub.send(Input::Forget { memo, by }).await;
    hub.close().await;
    sent.doing(format!("forget {memo}"))?;
    screen.line(format!("{memo} is forgotten; no role is told of it again."));
    Ok(exit::DONE)
}
