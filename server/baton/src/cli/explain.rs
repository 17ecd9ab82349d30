//! `baton explain`: why an approval was asked. The rules are the team's own; this reads the log up to
//! the moment when they were applied.

use super::args;
use super::open::{Doing, Here, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use serde::Serialize;
use team::{ApprovalId, Code, Event, Failure, Rule, Team};

/// How many events are read from the log at once.
const EVENTS_MAX: u64 = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    approval: String,
    task: String,
    became: String,
    rules: Vec<RuleView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleView {
    rule: &'static str,
    kept: bool,
    says: String,
}

impl RuleView {
    fn of(rule: Rule) -> RuleView {
        RuleView { rule: rule.name, kept: rule.kept, says: safe(&rule.says) }
    }
}

pub fn explain(screen: &Screen, here: &Here, asked: &args::Explain) -> Result<u8, Trouble> {
    let id = asked.approval;
    let doing = format!("explain {id}");
    let found = then_and_now(here, id)?;
    let missing = || {
        Failure::new(Code::Store, "there is no such approval").hint("baton board --all shows tasks")
    };
    let approvals = found.as_ref().map(|(then, now)| (then, then.approvals.get(&id), now));
    let Some((then, Some(approval), now)) = approvals else {
        return Err(Trouble::Failed { doing, failure: missing() });
    };
    let state = now.approvals.get(&id).map_or(&approval.state, |it| &it.state);
    let explained = Explained {
        approval: id.to_string(),
        task: approval.task.to_string(),
        became: safe(&team::became(state)),
        rules: team::explain(then, approval).into_iter().map(RuleView::of).collect(),
    };
    if asked.json {
        print_json(screen, &explained)?;
    } else {
        show(screen, &explained);
    }
    Ok(exit::DONE)
}

fn show(screen: &Screen, it: &Explained) {
    let head = format!("{} for {}: {}", it.approval, it.task, it.became);
    screen.line(screen.paint(Shade::Strong, &head));
    for rule in &it.rules {
        let (mark, shade) = match rule.kept {
            true => (screen.symbol("✓", "kept"), Shade::Good),
            false => (screen.symbol("!", "asks"), Shade::Warn),
        };
        screen.line(format!("  {} {:<9} {}", screen.paint(shade, mark), rule.rule, rule.says));
    }
}

/// The team when this approval was last asked about, and as it is; `None`: there is no log.
fn then_and_now(here: &Here, id: ApprovalId) -> Result<Option<(Team, Team)>, Trouble> {
    let doing = "read the log";
    let Some(reader) = here.reader(doing)? else {
        return Ok(None);
    };
    let (mut then, mut now) = (Team::default(), Team::default());
    loop {
        let events = reader.events(now.version, EVENTS_MAX).doing(doing)?;
        if events.is_empty() {
            return Ok(Some((then, now)));
        }
        for (_, _, event) in &events {
            now.apply(event);
            if let Event::ApprovalAsked { approval, .. } | Event::ApprovalRebased { approval, .. } =
                event
                && *approval == id
            {
                then = now.clone();
            }
        }
    }
}
