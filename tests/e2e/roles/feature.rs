//! A feature from a sentence to a landed commit with its changelog entry.

use super::{CHANGED, FIX, NOTE, NOTED, PASS, PLAN, duties, project, script, told};
use team::Duty;

/// Plan, comments, approval, build, verdict, notes, one approval for all of it; every word of the
/// person's comes through a door of its own.
#[test]
fn a_plan_is_approved_built_and_announced() {
    let wide: super::Call =
        ("hand_over_plan", r#"{ approach = "Do it.", paths = ["**"], tests = "check.sh" }"#);
    let story = project(&script(
        r#"class = "feature", user_visible = true"#,
        &[
            ("plan", &[wide, PLAN, PLAN]),
            ("change", &[FIX, CHANGED]),
            ("verdict", &[PASS]),
            ("notes", &[NOTE, NOTED]),
        ],
    ));
    let before = story.git(&["rev-parse", "main"]);
    let out = story.exits(2, &["run", "--yes", "--plain", "add a two that is 2"]);
    assert!(out.contains("feature: it begins with `add`"), "{out}");
    assert!(told(&story).contains("is the whole repository"), "a plan of everything was taken");
    // Nothing was built: the plan waits, and `--yes` is no answer to it.
    assert_eq!(duties(&story), [Duty::Triage, Duty::Design]);
    let shown = story.ok(&["task", "T1"]);
    for words in [
        "feature: design, human:build, build, validate, announce, land",
        "Set two in the list.",
        "src/numbers.txt",
        "keep the format",
    ] {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    let board = story.ok(&["board", "--json"]);
    let board: serde_json::Value = serde_json::from_str(&board).unwrap();
    let asked = &board["approvals"][0];
    assert_eq!(asked["subject"], "plan");
    assert_eq!(asked["plan"]["paths"][0], "src/numbers.txt");
    assert_eq!(asked["answers"], serde_json::json!(["approve", "revise", "reject"]));

    story.exits(3, &["answer", "A1", "apply"]);
    let out = story.exits(2, &["answer", "A1", "revise", "-m", "keep the other numbers"]);
    assert!(out.contains("A2 waits for you"), "{out}");
    assert!(told(&story).contains("says: keep the other numbers"));
    assert_eq!(story.git(&["rev-parse", "main"]), before);

    let out = story.ok(&["answer", "A2", "approve"]);
    assert!(out.contains("CHANGELOG: two is two"), "{out}");
    assert_eq!(story.git(&["rev-list", "--count", &format!("{before}..main")]), "1");
    assert_eq!(
        story.git(&["diff", "--name-only", &before, "main"]),
        "CHANGELOG.md\nsrc/numbers.txt"
    );
    assert_eq!(story.read("CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- Two is two.\n");
    assert_eq!(story.read("src/numbers.txt").lines().nth(1), Some("two = 2"));
    assert_eq!(story.git(&["status", "--porcelain"]), "");
    let message = story.git(&["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("Baton-Checks: test"), "{message}");
    let way =
        [Duty::Triage, Duty::Design, Duty::Design, Duty::Build, Duty::Validate, Duty::Announce];
    assert_eq!(duties(&story), way);
    // The guide stood in the briefs, as data; the plan in the Engineer's.
    let told = told(&story);
    assert!(told.contains("Numbers are written as"), "no guide");
    assert!(told.contains("Files that you may change"), "no plan for the Engineer");
}

/// Without `--yes` the landing is one more approval, and the last one.
#[test]
fn one_approval_lands_change_and_notes() {
    let story = project(&script(
        r#"class = "refactor""#,
        &[
            ("plan", &[PLAN]),
            ("change", &[FIX, CHANGED]),
            ("verdict", &[PASS]),
            ("notes", &[NOTE, NOTED]),
        ],
    ));
    let before = story.git(&["rev-parse", "main"]);
    let out = story.exits(2, &["run", "--plain", "rename three to two"]);
    assert!(out.contains("A1 waits for you: land"), "{out}");
    assert_eq!(story.git(&["rev-parse", "main"]), before);
    story.ok(&["answer", "A1", "approve"]);
    assert!(story.git(&["show", "main:CHANGELOG.md"]).contains("Two is two."));
    story.ok(&["undo", "T1"]);
    assert!(!story.read("CHANGELOG.md").contains("Two is two."));
}

/// A file that the workspace's rules call risky in the plan asks a person, gate or no gate; a
/// rejected plan ends the task.
#[test]
fn a_risky_plan_is_rejected() {
    let story = project(&script(r#"class = "refactor""#, &[("plan", &[PLAN])]));
    story.write(".baton/team.toml", &format!("{}\n[paths]\nrisk = [\"src/**\"]\n", super::TEAM));
    story.git(&["commit", "-q", "-a", "-m", "risk"]);
    story.ok(&["trust", "--yes"]);
    let out = story.exits(2, &["run", "--plain", "rename three to two"]);
    assert!(out.contains("a mistake is dear in src/numbers.txt"), "{out}");
    story.ok(&["answer", "A1", "reject", "-m", "not now"]);
    assert_eq!(duties(&story), [Duty::Triage, Duty::Design]);
    assert!(story.ok(&["board", "--all"]).contains("rejected: not now"));
}
