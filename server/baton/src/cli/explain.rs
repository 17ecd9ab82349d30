//! `baton explain`: why an approval was asked, or what a receipt's command printed. The rules are the
//! team's own; this reads the log up to the moment when they were applied.

use super::args;
use super::narrate::receipt_text;
use super::open::{Doing, Here, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use crate::clean;
use crate::protocol::ReceiptView;
use serde::Serialize;
use team::{ApprovalId, Code, Event, Failure, ReceiptId, Rule, Team};

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainedReceipt {
    #[serde(flatten)]
    receipt: ReceiptView,
    /// `null`: not kept any more.
    output: Option<String>,
}

pub fn explain(screen: &Screen, here: &Here, asked: &args::Explain) -> Result<u8, Trouble> {
    match asked.it {
        args::Explainable::Approval(id) => approval(screen, here, id, asked.json),
        args::Explainable::Receipt(id) => receipt(screen, here, id, asked.json),
    }
}

fn approval(screen: &Screen, here: &Here, id: ApprovalId, json: bool) -> Result<u8, Trouble> {
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
    if json {
        print_json(screen, &explained)?;
    } else {
        show(screen, &explained);
    }
    Ok(exit::DONE)
}

fn receipt(screen: &Screen, here: &Here, id: ReceiptId, json: bool) -> Result<u8, Trouble> {
    let doing = format!("explain {id}");
    let missing = || {
        let failure = Failure::new(Code::Store, "there is no such receipt");
        let failure = failure.hint("baton task T1 lists those of a task");
        Trouble::Failed { doing: doing.clone(), failure }
    };
    let reader = here.reader(&doing)?.ok_or_else(missing)?;
    let team = reader.team().doing(&doing)?;
    let it = team.receipt(id).ok_or_else(missing)?;
    let output = reader.output(&it.output).doing(&doing)?;
    let output = output.map(|it| clean::text(&String::from_utf8_lossy(&it)));
    if json {
        let receipt = ReceiptView::of(it);
        print_json(screen, &ExplainedReceipt { receipt, output })?;
        return Ok(exit::DONE);
    }
    let shade = if it.is_green() { Shade::Good } else { Shade::Bad };
    screen.line(screen.paint(shade, &format!("{id} {}", receipt_text(it))));
    screen.line(match &it.commit {
        Some(commit) => format!("  on commit {}", commit.short()),
        None => "  on files that were not committed".to_owned(),
    });
    match &output {
        Some(text) if text.is_empty() => screen.line("  it printed nothing"),
        Some(text) => text.lines().for_each(|it| screen.line(it)),
        None => {
            screen.line(format!("  what it printed is not kept; baton replay {id} runs it again"))
        }
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
