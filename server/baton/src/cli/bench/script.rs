//! The words of the played team: an Engineer who hands over exactly one given change and has nothing
//! else, and a Tester who passes whatever reaches it. What stops a wrong change is the server alone.

use super::manifest::{Edit, Said};
use serde_json::{Value, json};

/// The script for this change, as TOML. `test`: the Engineer writes its own test first.
pub fn of(said: &Said, change: &[Edit], test: bool) -> String {
    let none: &[Edit] = &[];
    let (tests, repro) =
        if test { (said.test.as_slice(), said.repro.as_slice()) } else { (none, &[][..]) };
    let mut engineer: Vec<Value> = tests.iter().map(edit).collect();
    if !repro.is_empty() {
        engineer.push(call("checkpoint", json!({"tests": repro})));
    }
    engineer.extend(change.iter().map(edit));
    let done = json!({"summary": "The change.", "look_first": change_place(change), "risks": []});
    engineer.push(call("hand_over_change", done));
    let triage = json!({
        "class": "bug", "severity": "medium", "summary": said.brief,
        "criteria": ["it works as the report wants"],
    });
    let verdict = json!({
        "verdict": "pass", "head": "${head}", "receipts": "${receipts}", "notes": "it looks right",
    });
    let declined = json!({"why": "this change is all there is"});
    let script = json!({
        "says": "A played team: no model is running.",
        "run": [
            run("triage", None, vec![call("hand_over_triage", triage)]),
            run("change", Some(1), engineer),
            run("change", None, vec![call("decline", declined)]),
            run("verdict", None, vec![call("hand_over_verdict", verdict)]),
        ],
    });
    toml::to_string(&script).unwrap_or_default()
}

fn run(duty: &str, build: Option<u32>, calls: Vec<Value>) -> Value {
    // What follows a refused call is not said: one reply for each, so that the next is seen.
    let replies: Vec<Value> = calls.into_iter().map(|it| json!({"call": [it]})).collect();
    match build {
        Some(build) => json!({"duty": duty, "build": build, "reply": replies}),
        None => json!({"duty": duty, "reply": replies}),
    }
}

fn call(name: &str, input: Value) -> Value {
    json!({"name": name, "input": escaped(input)})
}

fn edit(edit: &Edit) -> Value {
    match &edit.old {
        Some(old) => call("edit_file", json!({"path": edit.path, "old": old, "new": edit.new})),
        None => call("write_file", json!({"path": edit.path, "text": edit.new})),
    }
}

fn change_place(change: &[Edit]) -> String {
    change.first().map_or_else(String::new, |it| format!("{}:1", it.path))
}

/// A script's own placeholders stay; those that a project's text happens to hold are escaped.
fn escaped(value: Value) -> Value {
    const OURS: [&str; 2] = ["${head}", "${receipts}"];
    match value {
        Value::String(text) if !OURS.contains(&text.as_str()) => {
            Value::String(text.replace("${", "$${"))
        }
        Value::Array(list) => list.into_iter().map(escaped).collect(),
        Value::Object(map) => map.into_iter().map(|(key, it)| (key, escaped(it))).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rehearsal::Script;

    #[test]
    fn the_script_can_be_played_whatever_the_project_holds() {
        let edit = Edit {
            path: "a.js".into(),
            old: Some("`${total}`".into()),
            new: "`${total + 1}` // \"quoted\" '''\n".into(),
        };
        let said = Said {
            brief: "the total is wrong: ${total}".into(),
            judge: vec!["true".into()],
            repro: vec!["totals".into()],
            test: vec![Edit { path: "b.js".into(), old: None, new: "test()".into() }],
            fix: vec![edit.clone()],
            wrong: vec![],
        };
        for test in [true, false] {
            let text = of(&said, std::slice::from_ref(&edit), test);
            Script::parse(&text).unwrap_or_else(|it| panic!("{it}\n{text}"));
            assert_eq!(text.contains("checkpoint"), test);
        }
    }
}
