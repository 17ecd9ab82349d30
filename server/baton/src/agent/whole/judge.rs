//! Triage, verdict and answer of a model without tools: the server's rules and receipts first, and of
//! the reply what can be read.

use super::{Deed, Frame, Shown, fence};
use serde_json::{Value, json};
use team::Class;

const TEXT_CHARS_MAX: usize = 1_500;
const CRITERIA_MAX: usize = 5;

/// What a task is by its words alone, where these leave no doubt. Small models call every question a
/// feature and every word about documentation a bug.
pub fn class_by_rule(words: &str) -> Option<Class> {
    let text = words.trim().to_lowercase();
    let first = text.split(|it: char| !it.is_alphanumeric()).next().unwrap_or_default();
    let has = |list: &[&str]| {
        text.split(|it: char| !it.is_alphanumeric()).any(|word| list.contains(&word))
    };
    if text.ends_with('?') || matches!(first, "why" | "how" | "where" | "who") {
        return Some(Class::Question);
    }
    if has(&["readme", "docs", "documentation", "typo", "docstring", "changelog"]) {
        return Some(Class::Docs);
    }
    if matches!(first, "rename" | "refactor" | "extract" | "inline" | "simplify") {
        return Some(Class::Refactor);
    }
    if matches!(first, "add" | "support" | "implement" | "allow" | "introduce") {
        return Some(Class::Feature);
    }
    has(&[
        "bug",
        "fix",
        "wrong",
        "wrongly",
        "fails",
        "failing",
        "crash",
        "crashes",
        "panics",
        "error",
        "broken",
        "incorrect",
        "raises",
        "instead",
    ])
    .then_some(Class::Bug)
}

/// The arguments of a triage that needs no model.
pub fn triage_by_rule(words: &str) -> Option<Value> {
    class_by_rule(words).map(|class| triaged(words, class, None))
}

/// The arguments of a plan that binds nobody: a model without tools can't look around, so the task's own
/// words stand, and a person who is asked about it sees that.
pub fn no_plan(words: &str) -> Value {
    let approach: String = words.chars().take(TEXT_CHARS_MAX).collect();
    json!({
        "approach": approach,
        "paths": ["**"],
        "tests": "the project's required checks",
        "assumptions": ["no plan was made: this model works in whole blocks, without tools"],
    })
}

/// The arguments of an announcement that is left out.
pub fn no_notes() -> Value {
    json!({
        "summary": "Left out: this model works in whole blocks, and documentation is no block.",
        "nothing": true,
    })
}

/// The arguments of a triage by this reply; on the last one, whatever it says.
pub fn triage(words: &str, reply: &str, is_last: bool) -> Result<Value, String> {
    let read = object(reply);
    let named = read.as_ref().and_then(|it| it["class"].as_str()).map(str::to_lowercase);
    let work = [Class::Bug, Class::Feature, Class::Refactor, Class::Docs, Class::Chore];
    let class = named.and_then(|name| work.into_iter().find(|it| it.name() == name.trim()));
    match class.or(is_last.then_some(Class::Bug)) {
        Some(class) => Ok(triaged(words, class, read.as_ref())),
        None => Err(
            "That could not be read. Reply with one fenced JSON object: {\"class\": \"bug\", \"severity\": \"medium\", \"summary\": \"...\", \"criteria\": [\"...\"]}; class is one of bug, feature, refactor, docs, chore."
                .to_owned(),
        ),
    }
}

fn triaged(words: &str, class: Class, read: Option<&Value>) -> Value {
    let words = clip(words);
    let text = |name: &str| {
        let text = read.and_then(|it| it[name].as_str()).map(clip);
        text.filter(|it| !it.trim().is_empty())
    };
    let severity = text("severity").map(|it| it.to_lowercase());
    let severity = severity.filter(|it| ["low", "medium", "high"].contains(&it.as_str()));
    let criteria: Vec<String> = read
        .and_then(|it| it["criteria"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|it| it.as_str().map(clip))
        .take(CRITERIA_MAX)
        .collect();
    let criteria = if criteria.is_empty() { vec![words.clone()] } else { criteria };
    json!({
        "class": class.name(),
        "severity": severity.unwrap_or("medium".to_owned()),
        "summary": text("summary").unwrap_or(words),
        "criteria": criteria,
    })
}

/// The verdict: a fail where the model says so and why; else what the receipts say.
pub fn verdict(frame: &Frame, reply: &str, is_last: bool) -> Result<Vec<Deed>, String> {
    let read = object(reply);
    let text =
        |name: &str| read.as_ref().and_then(|it| it[name].as_str()).map(str::trim).unwrap_or("");
    let (says, notes) = (text("verdict").to_lowercase(), clip(text("notes")));
    let proven = !frame.receipts.is_empty();
    let (verdict, notes) = match says.as_str() {
        "fail" if !notes.is_empty() => ("fail", notes),
        "pass" => ("pass", format!("By the server's receipts; the model agrees: {notes}")),
        _ if is_last && proven => (
            "pass",
            "By the server's receipts; the model gave no verdict that could be read.".to_owned(),
        ),
        _ if is_last => {
            let why = "no check is required here, and the model gave no verdict that could be read";
            return Ok(vec![Deed { name: "decline", input: json!({ "why": why }) }]);
        }
        _ => {
            return Err("That could not be read. Reply with one fenced JSON object: {\"verdict\": \"pass\", \"notes\": \"...\"}; for a fail the notes must say what is wrong.".to_owned());
        }
    };
    let receipts: Vec<String> = frame.receipts.iter().map(ToString::to_string).collect();
    let head = frame.head.as_ref().map(|it| it.0.clone()).unwrap_or_default();
    let input = json!({ "verdict": verdict, "head": head, "receipts": receipts, "notes": notes });
    Ok(vec![Deed { name: "hand_over_verdict", input }])
}

/// The reply is the answer; it is cited what was shown.
pub fn answer(shown: &[Shown], reply: &str) -> Result<Vec<Deed>, String> {
    if reply.trim().is_empty() {
        return Err("Your reply was empty. Answer the question in a few sentences.".to_owned());
    }
    let citations: Vec<String> =
        shown.iter().map(|it| format!("{}:{}", it.path, it.first_line)).collect();
    let text: String = reply.chars().take(8 * TEXT_CHARS_MAX).collect();
    let input = json!({ "text": text, "citations": citations });
    Ok(vec![Deed { name: "hand_over_answer", input }])
}

/// The first JSON object of a reply, fenced or not.
fn object(reply: &str) -> Option<Value> {
    let fenced = fence::read(reply).into_iter().map(|it| it.text);
    let bare = reply.find('{').zip(reply.rfind('}')).and_then(|(from, to)| reply.get(from..=to));
    let mut texts = fenced.chain(bare.map(str::to_owned));
    texts.find_map(|it| serde_json::from_str::<Value>(it.trim()).ok().filter(Value::is_object))
}

fn clip(text: &str) -> String {
    text.trim().chars().take(TEXT_CHARS_MAX).collect()
}
