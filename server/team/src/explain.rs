//! Why an approval was asked, rule by rule. The same rules decide whether a candidate lands by
//! itself, so that what is explained is what was decided.

use crate::change::{Candidate, count};
use crate::event::{Answer, Subject, Why};
use crate::handoff::By;
use crate::ids::ReceiptId;
use crate::receipt::SandboxLevel;
use crate::task::{Approval, ApprovalState, Task, Team};

/// A rule, whether it was kept, and the recorded facts that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `delegated`, `evidence`, `sandbox`, `acts`, `risk`, `merges`, `weakened`, `branch`, `commands`,
    /// `setup`.
    pub name: &'static str,
    /// Not kept: a reason to ask.
    pub kept: bool,
    pub says: String,
}

fn rule(name: &'static str, kept: bool, says: impl Into<String>) -> Rule {
    Rule { name, kept, says: says.into() }
}

/// What must hold of a candidate before a rule may land it: complete green evidence from a full
/// sandbox, and nothing that a person should look at. A receipt that is red
/// only by a flaky test that was put aside may be offered, but never lands by a rule.
pub(crate) fn candidate_rules(
    team: &Team,
    task: &Task,
    candidate: &Candidate,
    receipts: &[ReceiptId],
) -> Vec<Rule> {
    let names =
        |all: &[ReceiptId]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let weak: Vec<ReceiptId> = receipts
        .iter()
        .copied()
        .filter(|it| team.receipt(*it).is_none_or(|it| it.sandbox != SandboxLevel::Full))
        .collect();
    let weakened = task.head.as_ref().map(|it| it.weakened.as_slice()).unwrap_or_default();
    let none_of = |name, list: &[String], none: &str, some: &str| {
        let says = match list {
            [] => none.to_owned(),
            list => format!("{some}: {}", list.join(", ")),
        };
        rule(name, list.is_empty(), says)
    };
    let red: Vec<ReceiptId> = receipts
        .iter()
        .copied()
        .filter(|it| team.receipt(*it).is_none_or(|it| !it.is_green()))
        .collect();
    vec![
        match receipts {
            // A flaky test that is put aside may leave a check red: a person looks at that.
            _ if !red.is_empty() => rule("evidence", false, format!("not green: {}", names(&red))),
            [] => rule("evidence", false, "no required check ran: nothing shows that it works"),
            all => {
                rule("evidence", true, format!("every required check is green ({})", names(all)))
            }
        },
        match weak.as_slice() {
            [] => rule("sandbox", true, "all of it ran in the full sandbox"),
            weak => {
                let says = format!("run reduced, or without a sandbox: {}", names(weak));
                rule("sandbox", false, says)
            }
        },
        none_of("acts", &candidate.acts, "nothing in it runs by itself", "runs by itself"),
        none_of("risk", &candidate.risk, "no risk path", "a mistake is dear in"),
        none_of(
            "merges",
            &candidate.merges,
            "no file that you have changed",
            "merges into files that you have changed",
        ),
        none_of("weakened", weakened, "no test was weakened", "tests were weakened"),
        none_of("branch", &candidate.blocked, "it can land on the branch", "it can't land"),
    ]
}

/// Whether a rule may land it.
pub(crate) fn lands_by_rule(
    team: &Team,
    task: &Task,
    candidate: &Candidate,
    receipts: &[ReceiptId],
) -> bool {
    candidate_rules(team, task, candidate, receipts).iter().all(|it| it.kept)
}

/// Why this approval was asked. `team` as it was then: later facts are no reasons.
pub fn explain(team: &Team, asked: &Approval) -> Vec<Rule> {
    let Some(task) = team.task(asked.task) else {
        return Vec::new();
    };
    let delegated = match task.brief.land_by_rule {
        true => rule("delegated", true, "with `--yes`: it lands by itself if every rule is kept"),
        false => rule("delegated", false, "without `--yes`: a person is always asked"),
    };
    let mut rules = vec![delegated];
    match &asked.subject {
        Subject::Landing { candidate, receipts } => {
            rules.extend(candidate_rules(team, task, candidate, receipts));
        }
        Subject::Edits { why, .. } => {
            let says = format!("{why}: it is offered as edits, which a person takes or leaves");
            rules.push(rule("branch", false, says));
        }
        Subject::Commands { commit, why, checks } => {
            let what = match why {
                Why::Baseline => "before the change",
                Why::Gate => "of the change",
                Why::Candidate => "of what would land",
            };
            let lines: Vec<String> = checks.iter().map(|it| it.argv.join(" ")).collect();
            let says = "there is no sandbox here, and nothing runs unconfined unasked";
            rules.push(rule("sandbox", false, says));
            let says = format!("{} at {}, the state {what}", lines.join("; "), commit.short());
            rules.push(rule("commands", false, says));
        }
        Subject::Setup { setup, .. } => {
            let says = format!(
                "`{}` runs with a network, and each content of it is approved once",
                setup.argv.join(" ")
            );
            rules.push(rule("setup", false, says));
        }
        Subject::Plan { why, .. } => {
            rules.extend(why.iter().map(|it| rule("plan", false, it.clone())));
        }
        Subject::Stage { before } => {
            let says = format!("a person lets it into {} here", before.name());
            rules.push(rule("stage", false, says));
        }
    }
    rules
}

/// What became of it, in words.
pub fn became(state: &ApprovalState) -> String {
    match state {
        ApprovalState::Open => "it waits for an answer".into(),
        ApprovalState::Void { why } => format!("it was overtaken: {why}"),
        ApprovalState::Answered { answer, by, .. } => {
            let what = match answer {
                Answer::Approve { ticked } if ticked.is_empty() => "approved".to_owned(),
                Answer::Approve { ticked } => format!("approved, with {}", ticked.join(", ")),
                Answer::ApproveSome { hunks, .. } => {
                    let paths: Vec<&str> = hunks.iter().map(|it| it.path.as_str()).collect();
                    format!("approved in part, {} hunks of {}", count(hunks), paths.join(", "))
                }
                Answer::Apply => "applied as edits".to_owned(),
                Answer::Revise { text, comments } if comments.is_empty() => {
                    format!("sent back: {text}")
                }
                Answer::Revise { text, comments } => {
                    format!("sent back with {} comments on lines: {text}", comments.len())
                }
                Answer::Rebuild => "built again".to_owned(),
                Answer::Reject { why } if why.is_empty() => "rejected".to_owned(),
                Answer::Reject { why } => format!("rejected: {why}"),
            };
            match by {
                By::Person { door } => format!("{what} by a person, through the {door}"),
                By::Rule => format!("{what} by the rule, since every one was kept"),
                By::Deadline => format!("{what} by its deadline"),
                By::Role(role) => format!("{what} by the {}", role.name()),
            }
        }
    }
}
