//! What a model is told when it is refused: what to do, and never a way round. Agents read error
//! texts and take the bypass that they name.

use crate::lexer::Rust;
use crate::none;
use crate::tree::tree;

/// Files whose texts reach a model.
const TOLD: [&str; 16] = [
    "server/team/src/budget.rs",
    "server/team/src/decide/gates.rs",
    "server/team/src/decide/handover.rs",
    "server/baton/src/agent/args.rs",
    "server/baton/src/agent/course.rs",
    "server/baton/src/agent/course/calls.rs",
    "server/baton/src/agent/edit.rs",
    "server/baton/src/agent/files.rs",
    "server/baton/src/agent/output.rs",
    "server/baton/src/agent/read.rs",
    "server/baton/src/agent/talk.rs",
    "server/baton/src/agent/tools.rs",
    "server/baton/src/git/acting.rs",
    "server/baton/src/git/audit.rs",
    "server/baton/src/hub/round.rs",
    "server/baton/src/hub/run.rs",
];

/// Names of what opens a gate: options, settings, variables, and words for doing without.
const WAYS_ROUND: [&str; 24] = [
    "--yes",
    "--force",
    "--tick",
    "--no-",
    "unconfined",
    "bypass",
    "override",
    "overrule",
    "disable",
    "turn off",
    "switch off",
    "config.toml",
    "team.toml",
    "sandbox =",
    "sandbox.",
    "limits.",
    "paths.protected",
    "baton trust",
    "baton answer",
    "baton run",
    "land_by_rule",
    "no-verify",
    "BATON_",
    "approve it",
];

/// A refusal of a gate is a fragment that ends in what to do.
const TO_DO: [&str; 17] = [
    "put them back",
    "put {",
    "cite ",
    "hand over",
    "ask the person",
    "decline",
    "do less",
    "edit the files",
    "judge that one",
    "give names",
    "go on",
    "fix the bug",
    "call it again",
    "run the check",
    "say what",
    "decide yourself",
    "needs notes",
];

#[test]
fn no_text_for_a_model_names_a_way_round() {
    let mut found = Vec::new();
    for path in TOLD {
        let file = tree().files.iter().find(|it| it.path == path);
        let file = file.unwrap_or_else(|| panic!("{path} is gone: mend the list"));
        found.extend(ways_round(path, &file.text));
    }
    none(found, "say what to do instead; a model takes the bypass that it reads of");
}

fn ways_round(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (line, literal) in literals(path, text) {
        for way in WAYS_ROUND.iter().filter(|it| literal.contains(*it)) {
            found.push(format!("{path}:{line}: `{way}` in {literal:?}"));
        }
    }
    found
}

#[test]
fn every_refusal_of_a_gate_says_what_to_do() {
    let path = "server/team/src/decide/gates.rs";
    let file = tree().files.iter().find(|it| it.path == path).unwrap();
    none(idle(path, &file.text), "end it with what the model shall do");
}

/// Texts given to `gate(...)` that name nothing to do.
fn idle(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let product = Rust::read(path, text).product;
    for (at, _) in product.match_indices("return gate(").chain(product.match_indices("=> gate(")) {
        // The literal of this call, or the sentence was made elsewhere.
        let Some(end) = text[at..].find(");") else { continue };
        let call = &text[at..at + end];
        let said: String = call.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
        let said = said.to_lowercase();
        if !said.is_empty() && !TO_DO.iter().any(|it| said.contains(it)) {
            let line = 1 + text[..at].lines().count();
            found.push(format!("{path}:{line}: {said:?}"));
        }
    }
    found
}

/// String literals outside of tests and comments, each with its line.
fn literals(path: &str, text: &str) -> Vec<(usize, String)> {
    let views = Rust::read(path, text);
    // What is in a literal is blank in the code and in the comments, and not in the text.
    let blank = |at: usize| {
        let there = |view: &str| view.as_bytes()[at] == b' ';
        there(&views.code) && there(&views.comments) && text.as_bytes()[at] != b' '
    };
    let tests_from = views.tests.find("mod tests").unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut start = None;
    for at in 0..text.len() {
        let inside = blank(at)
            || (start.is_some()
                && text.as_bytes()[at] == b' '
                && views.code.as_bytes()[at] == b' ');
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if from < tests_from {
                    let line = 1 + text[..from].lines().count().saturating_sub(1);
                    let literal = String::from_utf8_lossy(&text.as_bytes()[from..at]);
                    found.push((line, literal.into_owned()));
                }
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    found
}

#[test]
fn a_way_round_and_an_idle_refusal_are_noticed() {
    let sample = "fn f() -> String {\n    // baton answer is fine in a comment\n    \"set sandbox = off\".into()\n}\n";
    assert_eq!(ways_round("x.rs", sample).len(), 1, "{:?}", literals("x.rs", sample));
    assert_eq!(
        ways_round("x.rs", &sample.replace("set sandbox = off", "read it first")),
        Vec::<String>::new()
    );
    let idle_one = "fn f() {\n    return gate(\"that is wrong\");\n}\n";
    assert_eq!(idle("x.rs", idle_one).len(), 1);
    assert_eq!(
        idle("x.rs", &idle_one.replace("wrong\"", "wrong: decline\"")),
        Vec::<String>::new()
    );
}
