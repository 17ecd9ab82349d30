//! Whole blocks: how a model works that can't hold a tool loop.
//!
//! It gets no tools. It is shown the code that the task is about and replies with the corrected function
//! or file in a fence; the server puts that into its place, runs the required checks, feeds red output
//! back a few times, and hands over for it. Triage and verdict are one reply each, with the server's own
//! rules before and its receipts behind them. What counts is decided by the same gates as always.

use crate::agent::brief::{BriefFacts, Earlier, Failing};
use crate::agent::journal::Ending;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use team::{CommitId, Duty, Place, Ran, Receipt, ReceiptId};

pub mod brief;
mod fence;
mod judge;
mod merge;
pub mod put;
mod show;

/// The deed that puts a reply's blocks into their files.
pub const PLACE: &str = "place";
/// Replies with a block before the run ends.
const BUILD_TRIES_MAX: u32 = 3;
/// Replies before the server goes on by itself.
const JUDGE_TRIES_MAX: u32 = 2;
const SUMMARY_CHARS_MAX: usize = 600;
const RISK: &str = "written in whole blocks: no reproducing test was made, and the model saw only the code it was shown";

/// What a run in whole blocks is told and decides by.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub words: String,
    pub place: Option<Place>,
    pub summary: String,
    pub criteria: Vec<String>,
    /// Why it goes on, where it continues another run.
    pub why: String,
    pub comments: Vec<String>,
    pub build: Option<(u32, u32)>,
    pub earlier: Vec<Earlier>,
    pub failing: Vec<Failing>,
    pub checks: Vec<Required>,
    pub head: Option<CommitId>,
    /// The server's own receipts of the required checks on the head.
    pub receipts: Vec<ReceiptId>,
}

/// A required check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Required {
    pub name: String,
    /// What failed before any change.
    pub failing_before: Vec<String>,
}

/// Code that the model was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub path: String,
    /// From 1, both ends included.
    pub first_line: usize,
    pub last_line: usize,
    /// The file has no other lines.
    pub whole: bool,
}

/// What the server needs to act on a reply. Part of the journal, so that a run which goes on after a
/// crash acts alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub duty: Duty,
    pub words: String,
    pub shown: Vec<Shown>,
    pub checks: Vec<Required>,
    pub head: Option<CommitId>,
    pub receipts: Vec<ReceiptId>,
    /// Arguments of a hand-over that needs no model.
    pub at_once: Option<Value>,
}

/// What the server does with a reply, one after the other; the first that fails ends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    pub name: &'static str,
    pub input: Value,
}

impl Facts {
    /// From what every brief is made of. `why`: what a run that continues another is told.
    pub fn of(facts: &BriefFacts<'_>, why: &str) -> Facts {
        let is_check =
            |it: &Receipt, name: &str| matches!(&it.ran, Ran::Check { name: ran } if ran == name);
        let required = facts.checks.iter().filter(|it| it.required).map(|check| {
            let before = facts.baseline.iter().find(|it| is_check(it, &check.name));
            let tests = before.and_then(|it| it.tests.as_ref());
            let failing_before = tests.map(|it| it.failing.clone()).unwrap_or_default();
            Required { name: check.name.clone(), failing_before }
        });
        // What failed before the last build, which was green, does not fail any more.
        let is_mended = !facts.receipts.is_empty() && facts.receipts.iter().all(|it| it.is_green());
        let failing = if is_mended { &[] } else { facts.failing };
        let on_head = |it: &&&Receipt| facts.head.is_some() && it.commit.as_ref() == facts.head;
        Facts {
            words: facts.words.to_owned(),
            place: facts.place.cloned(),
            summary: facts.summary.to_owned(),
            criteria: facts.criteria.to_vec(),
            why: why.to_owned(),
            comments: facts.comments.to_vec(),
            build: facts.build,
            earlier: facts.earlier.to_vec(),
            failing: failing.to_vec(),
            checks: required.collect(),
            head: facts.head.cloned(),
            receipts: facts.receipts.iter().filter(on_head).map(|it| it.id).collect(),
        }
    }
}

impl Frame {
    /// Replies that may be read before the run ends or the server goes on by itself.
    pub fn tries_max(&self) -> u32 {
        match self.duty {
            Duty::Build => BUILD_TRIES_MAX,
            Duty::Triage | Duty::Design | Duty::Validate | Duty::Answer | Duty::Announce => {
                JUDGE_TRIES_MAX
            }
        }
    }

    /// What follows from a reply; `Err`: nothing, and what the model is told. `is_last`: it is not asked
    /// again.
    pub fn deeds(&self, reply: &str, ending: Ending, is_last: bool) -> Result<Vec<Deed>, String> {
        match self.duty {
            Duty::Build => self.change(reply, ending),
            Duty::Triage => judge::triage(&self.words, reply, is_last)
                .map(|input| vec![Deed { name: "hand_over_triage", input }]),
            Duty::Validate => judge::verdict(self, reply, is_last),
            Duty::Answer => judge::answer(&self.shown, reply),
            // Handed over before the model is asked.
            Duty::Design | Duty::Announce => Err("This needs no reply.".to_owned()),
        }
    }

    fn change(&self, reply: &str, ending: Ending) -> Result<Vec<Deed>, String> {
        let fences = fence::read(reply);
        if ending == Ending::CutOff && fences.last().is_none_or(|it| !it.closed) {
            return Err("Your reply was cut off. Write only the corrected function in one fenced block, and nothing after it.".to_owned());
        }
        if fences.is_empty() {
            return Err("Your reply held no fenced block. Write the whole corrected function, or the whole file, between ``` and ```.".to_owned());
        }
        let place = Deed { name: PLACE, input: json!({ "reply": reply }) };
        let checks = self
            .checks
            .iter()
            .map(|it| Deed { name: "run_check", input: json!({ "name": it.name }) });
        let shown = self.shown.first();
        let look = shown.map(|it| format!("{}:{}", it.path, it.first_line)).unwrap_or_default();
        let summary = self.summary(reply);
        let input = json!({ "summary": summary, "look_first": look, "risks": [RISK] });
        let over = Deed { name: "hand_over_change", input };
        Ok([place].into_iter().chain(checks).chain([over]).collect())
    }

    /// The model's own words around its blocks.
    fn summary(&self, reply: &str) -> String {
        let prose = fence::prose(reply);
        let prose: String = prose.chars().take(SUMMARY_CHARS_MAX).collect();
        if 12 <= prose.trim().chars().count() {
            return prose.trim().to_owned();
        }
        let paths: Vec<&str> = self.shown.iter().map(|it| it.path.as_str()).take(1).collect();
        format!("Rewritten in {} (the model said nothing about it).", paths.join(", "))
    }

    /// Whether a red check shows no failure that was not there before, and ran something.
    pub fn is_no_worse(&self, check: &str, tests: Option<&team::Tests>) -> bool {
        let (Some(before), Some(tests)) = (self.checks.iter().find(|it| it.name == check), tests)
        else {
            return false;
        };
        let known = tests.failing.iter().all(|it| before.failing_before.contains(it));
        !before.failing_before.is_empty() && known && 0 < tests.passed && 0 < tests.failed
    }

    /// What follows when the gates refuse a verdict: a pass that they don't take is a fail.
    pub fn after_refusal(&self, refused: &Value, why: &str) -> Option<Deed> {
        let was_pass = refused["verdict"] == "pass";
        was_pass.then(|| Deed {
            name: "hand_over_verdict",
            input: json!({
                "verdict": "fail",
                "head": refused["head"],
                "receipts": [],
                "notes": format!("The server refused a pass: {why}"),
            }),
        })
    }
}

#[cfg(test)]
mod tests;
