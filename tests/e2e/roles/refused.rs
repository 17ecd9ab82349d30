//! What the gates send back: a change outside of its plan, notes that are code.

use super::{CHANGED, Call, FIX, NOTE, NOTED, PASS, PLAN, duties, project, script, told};
use team::Duty;

/// The Engineer touches a file that the plan doesn't name, puts it back, and lands; a test beside it
/// was free.
#[test]
fn a_build_outside_of_its_plan() {
    let other: Call = ("edit_file", r#"{ path = "notes.txt", old = "first", new = "premier" }"#);
    let back: Call = ("edit_file", r#"{ path = "notes.txt", old = "premier", new = "first" }"#);
    let test: Call = ("write_file", r#"{ path = "tests/two.txt", text = "two = 2\n" }"#);
    let story = project(&script(
        r#"class = "refactor", user_visible = false"#,
        &[
            ("plan", &[PLAN]),
            ("change", &[FIX, other, CHANGED, back, test, CHANGED]),
            ("verdict", &[PASS]),
        ],
    ));
    story.ok(&["run", "--yes", "--plain", "rename three to two"]);
    let told = told(&story);
    assert!(told.contains("the plan does not name these files, put them back: notes.txt"));
    assert_eq!(
        story.git(&["show", "--name-only", "--format=", "main"]),
        "src/numbers.txt\ntests/two.txt"
    );
    assert_eq!(duties(&story), [Duty::Triage, Duty::Design, Duty::Build, Duty::Validate]);
}

/// Where the plan itself is in the way the Engineer says so, and the Architect makes it again.
#[test]
fn a_plan_that_cant_be_built_is_made_again() {
    let narrow: Call = (
        "hand_over_plan",
        r#"{ approach = "In the notes.", paths = ["notes.txt"], tests = "check.sh" }"#,
    );
    let decline: Call = ("decline", r#"{ why = "two stands in src/numbers.txt" }"#);
    let mut text = script(
        r#"class = "refactor", user_visible = false"#,
        &[("plan", &[narrow, PLAN]), ("verdict", &[PASS])],
    );
    // The first build has another plan before it than the second.
    for (plan, calls) in [("In the notes.", vec![decline]), ("Set two", vec![FIX, CHANGED])] {
        text += &format!("\n[[run]]\nduty = \"change\"\nmatch = \"{plan}\"\n");
        for (name, input) in calls {
            text +=
                &format!("[[run.reply]]\n[[run.reply.call]]\nname = \"{name}\"\ninput = {input}\n");
        }
    }
    let story = project(&text);
    story.ok(&["run", "--yes", "--plain", "rename three to two"]);
    assert!(told(&story).contains("can't build this plan: two stands in src/numbers.txt"));
    let way = [Duty::Triage, Duty::Design, Duty::Build, Duty::Design, Duty::Build, Duty::Validate];
    assert_eq!(duties(&story), way);
}

/// Marketing touches code and says it did not; only its changelog entry lands.
#[test]
fn notes_that_touch_code() {
    let code: Call = (
        "edit_file",
        r#"{ path = "src/numbers.txt", old = "six = 6", new = "six = 6\nseven = 7" }"#,
    );
    let back: Call = (
        "edit_file",
        r#"{ path = "src/numbers.txt", old = "six = 6\nseven = 7", new = "six = 6" }"#,
    );
    let nothing: Call = ("hand_over_notes", r#"{ summary = "nobody sees it", nothing = true }"#);
    let story = project(&script(
        r#"class = "refactor""#,
        &[
            ("plan", &[PLAN]),
            ("change", &[FIX, CHANGED]),
            ("verdict", &[PASS]),
            ("notes", &[code, nothing, NOTE, NOTED, back, NOTED]),
        ],
    ));
    story.ok(&["run", "--yes", "--plain", "rename three to two"]);
    let told = told(&story);
    assert!(told.contains("you changed files: put them back"), "a lie about nothing was taken");
    assert!(
        told.contains("only documentation is yours to change, put these back: src/numbers.txt")
    );
    assert_eq!(
        story.git(&["show", "--name-only", "--format=", "main"]),
        "CHANGELOG.md\nsrc/numbers.txt"
    );
    assert!(!story.read("src/numbers.txt").contains("seven"));
}

/// Nothing to announce: the change lands as it was validated.
#[test]
fn nothing_to_announce() {
    let nothing: Call = ("hand_over_notes", r#"{ summary = "nobody sees it", nothing = true }"#);
    let story = project(&script(
        r#"class = "refactor""#,
        &[
            ("plan", &[PLAN]),
            ("change", &[FIX, CHANGED]),
            ("verdict", &[PASS]),
            ("notes", &[nothing]),
        ],
    ));
    let out = story.ok(&["run", "--yes", "--plain", "rename three to two"]);
    assert!(out.contains("has nothing to announce: nobody sees it"), "{out}");
    assert_eq!(story.git(&["show", "--name-only", "--format=", "main"]), "src/numbers.txt");
}
