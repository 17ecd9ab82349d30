//! The reduced level in a whole story, and `baton explain`.

use crate::story::{HONEST, Story};
use serde_json::Value;

fn explain(story: &Story, approval: &str) -> Value {
    serde_json::from_str(&story.ok(&["explain", approval, "--json"])).unwrap()
}

/// The names of the rules that were a reason to ask.
fn reasons(explained: &Value) -> Vec<&str> {
    let rules = explained["rules"].as_array().unwrap().iter();
    rules.filter(|it| it["kept"] == false).map(|it| it["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_landing_by_rule_kept_every_rule() {
    let story = Story::new(HONEST);
    story.ok(&["run", "--yes", "--plain", "two is three"]);
    let explained = explain(&story, "A1");
    assert_eq!(reasons(&explained), [""; 0], "{explained}");
    assert!(explained["became"].as_str().unwrap().starts_with("approved by the rule"));
    let said = story.ok(&["explain", "A1", "--plain"]);
    assert!(said.contains("full sandbox") && said.contains("no risk path"), "{said}");
    story.exits(1, &["explain", "A9"]);
    // R4 is the round of checks on the Engineer's commit.
    let said = story.ok(&["explain", "R4.1", "--plain"]);
    assert!(said.starts_with("R4.1 sh check.sh: exit 0"), "{said}");
    assert!(said.contains("  on commit ") && said.contains("it printed nothing"), "{said}");
    story.exits(1, &["explain", "R99.1"]);
    story.exits(64, &["explain", "T1"]);
}

#[test]
fn a_receipt_shows_what_was_printed() {
    let story = Story::new(HONEST);
    story.write("check.sh", "printf '\\033[31mred\\033[0m\\nblue\\n'\nfalse\n");
    story.git(&["commit", "-q", "-a", "-m", "a check that prints"]);
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    let said = story.ok(&["explain", "R2.1", "--plain"]);
    assert!(said.contains("red") && said.ends_with("blue\n"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let told: Value = serde_json::from_str(&story.ok(&["explain", "R2.1", "--json"])).unwrap();
    assert_eq!(told["exitCode"], 1);
    assert!(told["output"].as_str().unwrap().ends_with("blue\n"), "{told}");
}

#[test]
fn without_the_rule_a_person_is_asked_and_the_answer_is_told() {
    let story = Story::new(HONEST);
    story.exits(2, &["run", "--plain", "two is three"]);
    assert_eq!(reasons(&explain(&story, "A1")), ["delegated"]);
    story.ok(&["answer", "A1", "reject", "--plain"]);
    let explained = explain(&story, "A1");
    assert_eq!(reasons(&explained), ["delegated"], "a later fact is no reason");
    assert!(explained["became"].as_str().unwrap().starts_with("rejected"), "{explained}");
}

#[test]
fn at_reduced_the_work_is_done_and_nothing_lands_by_rule() {
    let story = Story::new(HONEST);
    let config = std::fs::read_to_string(story.home.join("config.toml")).unwrap();
    story.configure(&format!("{config}\n[sandbox]\nlevel = \"reduced\"\n"));
    let before = story.git(&["rev-parse", "main"]);
    let said = story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert!(said.contains("reduced sandbox"), "{said}");
    assert_eq!(story.git(&["rev-parse", "main"]), before, "it landed by rule");
    assert_eq!(reasons(&explain(&story, "A1")), ["sandbox"]);
    let team = story.reader().team().unwrap();
    let receipts = team.runs.values().flat_map(|it| it.receipts.clone()).collect::<Vec<_>>();
    assert!(3 <= receipts.len());
    for it in receipts {
        assert_eq!(it.sandbox, team::SandboxLevel::Reduced, "{}", it.id);
    }
    assert!(story.ok(&["task", "T1", "--plain"]).contains("reduced sandbox"));
    story.ok(&["answer", "A1", "approve", "--plain"]);
    assert_eq!(story.read("src/numbers.txt").lines().nth(1), Some("two = 2"));
    let left = std::fs::read_dir(&story.state).unwrap().flatten();
    let left = left.flat_map(|it| std::fs::read_dir(it.path()).into_iter().flatten().flatten());
    let names: Vec<String> = left.map(|it| it.file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|it| it.starts_with("private-")), "{names:?}");
}
