//! What the team remembers, and what a person takes out of it.

use super::{CHANGED, FIX, PASS, PLAN, project, script, told};
use serde_json::Value;

/// The words of a plan that was sent back stand in the later briefs; forgotten, they don't.
#[test]
fn what_is_forgotten_is_in_no_brief() {
    let words = "keep the other numbers";
    for forgets in [false, true] {
        let story = project(&script(
            r#"class = "feature", user_visible = false"#,
            &[("plan", &[PLAN, PLAN]), ("change", &[FIX, CHANGED]), ("verdict", &[PASS])],
        ));
        story.exits(2, &["run", "--plain", "add a two that is 2"]);
        story.exits(2, &["answer", "A1", "revise", "-m", words]);
        let memory = story.ok(&["memory", "--json", "--task", "T1"]);
        let memory: Value = serde_json::from_str(&memory).unwrap();
        let decisions = memory["decisions"].as_array().unwrap();
        let mine = decisions.iter().find(|it| it["what"] == format!("revise: {words}")).unwrap();
        let id = mine["id"].as_str().unwrap().to_owned();
        assert!(mine["by"] == "person (terminal)" && mine["task"] == "T1", "{mine:#}");
        let facts = memory["facts"].as_array().unwrap();
        assert!(facts.iter().any(|it| it["kind"] == "check" && it["id"].is_null()), "{facts:#?}");
        let with_path = story.ok(&["memory", "--path", "src"]);
        assert!(with_path.contains(&id), "the plan names a file of it: {with_path}");
        if forgets {
            story.ok(&["memory", "forget", &id]);
            assert!(!story.ok(&["memory"]).contains(words));
            let again = story.run(&["memory", "forget", &id]);
            assert_eq!(again.status.code(), Some(3));
            assert!(story.ok(&["task", "T1"]).contains("forgotten"), "what happened stays");
        }
        let before = told(&story).matches(words).count();
        story.exits(2, &["answer", "A2", "approve"]);
        // The Engineer's brief and the Tester's came after that.
        let after = told(&story).matches(words).count();
        assert_eq!(after == before, forgets, "{before} times before, then {after}");
    }
}

#[test]
fn the_report_is_for_people_and_programs() {
    let story = project(&script(
        r#"class = "refactor", user_visible = false"#,
        &[("plan", &[PLAN]), ("change", &[FIX, CHANGED]), ("verdict", &[PASS])],
    ));
    assert!(story.ok(&["report"]).contains("Nothing happened here"));
    story.exits(2, &["run", "--plain", "rename three to two"]);
    assert!(story.ok(&["report"]).contains("1 needs you"));
    story.ok(&["answer", "A1", "approve"]);
    let report: Value = serde_json::from_str(&story.ok(&["report", "--json"])).unwrap();
    assert_eq!(report["digest"]["says"], "1 shipped");
    assert_eq!((&report["all"]["delegated"], &report["all"]["tasks"]), (&1.into(), &1.into()));
    // Nobody looked at it in a terminal: no time is made up.
    assert_eq!((&report["all"]["measured"], &report["all"]["personMs"]), (&0.into(), &Value::Null));
    let shown = story.ok(&["report", "--since", "7d"]);
    for words in ["1 shipped", "1 of 1, 100 %", "refactor", "Nobody told of your time", "Decide"] {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    story.ok(&["undo", "T1"]);
    let report: Value = serde_json::from_str(&story.ok(&["report", "--json"])).unwrap();
    assert_eq!(
        (&report["all"]["delegated"], &report["all"]["falseStarts"]),
        (&0.into(), &1.into())
    );
    story.exits(64, &["report", "--since", "yesterday"]);
}
