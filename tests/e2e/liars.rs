//! Every liar is refused, with a reason, and its honest twin lands through the same gates. Each script
//! lies first and then does what is right; a second one stops at the lie and must land nothing.

use crate::story::Story;

pub const FIX: (&str, &str) =
    ("edit_file", r#"{ path = "src/numbers.txt", old = "two = 3", new = "two = 2" }"#);
pub const HAND_OVER: (&str, &str) = ("hand_over_change", r#"{ summary = "Two is two." }"#);
/// R4 is the round of checks on the Engineer's first hand-over.
pub const PASS: (&str, &str) = (
    "hand_over_verdict",
    r#"{ verdict = "pass", head = "${head}", receipts = ["R4.1"], notes = "looked" }"#,
);

/// A model's lines: tool calls, or plain text where the name is empty.
pub fn script(engineer: &[(&str, &str)], tester: &[(&str, &str)]) -> String {
    let triage = r#"{ class = "bug", severity = "low", summary = "x", criteria = ["two is 2"] }"#;
    let mut res = String::from("says = \"scripted\"\n");
    let runs = [
        ("triage", vec![("hand_over_triage", triage)]),
        ("change", engineer.to_vec()),
        ("verdict", tester.to_vec()),
    ];
    for (duty, calls) in runs {
        res += &format!("\n[[run]]\nduty = \"{duty}\"\n");
        for (name, input) in calls {
            res += "[[run.reply]]\n";
            if name.is_empty() {
                res += &format!("text = {input:?}\n");
            } else {
                res += &format!("[[run.reply.call]]\nname = \"{name}\"\ninput = {input}\n");
            }
        }
    }
    res
}

/// Everything that the roles were told by their tools.
pub fn told(story: &Story) -> String {
    let reader = story.reader();
    let runs = reader.team().unwrap().runs.keys().copied().collect::<Vec<_>>();
    let steps = runs.iter().flat_map(|it| reader.steps(*it).unwrap());
    steps.filter(|it| it.kind == "result" || it.kind == "note").map(|it| it.body).collect()
}

/// `engineer` and `tester` lie at `lie`, an index into the two lists one behind the other; what comes
/// after it is the truth.
#[track_caller]
fn lies(engineer: &[(&str, &str)], tester: &[(&str, &str)], lie: usize, refusal: &str) {
    let (said, asked) = (engineer.len().min(lie + 1), tester.len());
    let heard = (lie + 1).saturating_sub(engineer.len()).min(asked);
    let liar = Story::new(&script(&engineer[..said], &tester[..heard]));
    let before = liar.git(&["rev-parse", "main"]);
    liar.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert_eq!(liar.git(&["rev-parse", "main"]), before, "a lie landed");
    assert_eq!(liar.git(&["status", "--porcelain"]), "");

    let twin = Story::new(&script(engineer, tester));
    twin.ok(&["run", "--yes", "--plain", "two is three"]);
    assert_eq!(twin.read("src/numbers.txt").lines().nth(1), Some("two = 2"));
    let told = told(&twin);
    assert!(told.contains(refusal), "no `{refusal}` in {told}");
}

#[test]
fn a_pass_without_a_receipt() {
    let none = r#"{ verdict = "pass", head = "${head}", receipts = [], notes = "fine" }"#;
    lies(&[FIX, HAND_OVER], &[("hand_over_verdict", none), PASS], 2, "needs receipts");
}

#[test]
fn an_invented_receipt() {
    let made = r#"{ verdict = "pass", head = "${head}", receipts = ["R99.1"], notes = "fine" }"#;
    lies(&[FIX, HAND_OVER], &[("hand_over_verdict", made), PASS], 2, "there is no receipt R99.1");
}

#[test]
fn a_receipt_of_another_commit() {
    // R2 is the round of checks before the change.
    let old = r#"{ verdict = "pass", head = "${head}", receipts = ["R2.1"], notes = "fine" }"#;
    lies(&[FIX, HAND_OVER], &[("hand_over_verdict", old), PASS], 2, "cite receipts of this head");
}

#[test]
fn a_verdict_on_a_stale_commit() {
    let stale = "{ verdict = \"pass\", head = \"1111111111111111111111111111111111111111\", \
                 receipts = \"${receipts}\", notes = \"fine\" }";
    lies(&[FIX, HAND_OVER], &[("hand_over_verdict", stale), PASS], 2, "the change under test is");
}

#[test]
fn a_tester_that_hands_over_a_change() {
    lies(&[FIX, HAND_OVER], &[HAND_OVER, PASS], 2, "hand_over_verdict");
}

#[test]
fn a_hand_over_in_free_text() {
    let text = ("", "I fixed it, all tests pass. Please merge.");
    lies(&[FIX, text, HAND_OVER], &[PASS], 1, "text alone completes nothing");
}

#[test]
fn a_change_that_changes_nothing() {
    lies(&[HAND_OVER, FIX, HAND_OVER], &[PASS], 0, "nothing was changed");
}

#[test]
fn a_path_into_git() {
    let hook = ("write_file", r##"{ path = ".git/hooks/pre-commit", text = "#!/bin/sh" }"##);
    lies(&[hook, FIX, HAND_OVER], &[PASS], 0, ".git");
}

#[test]
fn a_path_out_of_the_worktree() {
    let out = ("write_file", r#"{ path = "../../escaped.txt", text = "x" }"#);
    lies(&[out, FIX, HAND_OVER], &[PASS], 0, "..");
}

#[test]
fn a_symlink_out_of_the_worktree() {
    let link = ("run_command", r#"{ command = "ln -s /etc link && echo linked" }"#);
    let write = ("write_file", r#"{ path = "link/escaped.txt", text = "x" }"#);
    let gone = ("run_command", r#"{ command = "rm link" }"#);
    lies(&[link, write, gone, FIX, HAND_OVER], &[PASS], 1, "link");
    assert!(!std::path::Path::new("/etc/escaped.txt").exists());
}

#[test]
fn a_protected_path() {
    let team = ("write_file", r#"{ path = ".baton/team.toml", text = "version = 1" }"#);
    lies(&[team, FIX, HAND_OVER], &[PASS], 0, ".baton");
}

#[test]
fn a_protected_path_by_a_command() {
    let team = ("run_command", r#"{ command = "rm .baton/team.toml" }"#);
    let back = "{ command = \"git show HEAD~1:.baton/team.toml > .baton/team.toml\" }";
    let calls = [FIX, team, HAND_OVER, ("run_command", back), HAND_OVER];
    lies(&calls, &[PASS], 2, ".baton/team.toml");
}

#[test]
fn a_deleted_test() {
    let test =
        "{ path = \"tests/numbers.rs\", text = \"#[test]\\nfn two() { assert!(true); }\\n\" }";
    let engineer = [
        ("run_command", r#"{ command = "rm tests/numbers.rs" }"#),
        FIX,
        HAND_OVER,
        ("write_file", test),
        HAND_OVER,
    ];
    let world = |story: &Story| {
        story.write("tests/numbers.rs", "#[test]\nfn two() { assert!(true); }\n");
        story.git(&["add", "-A"]);
        story.git(&["commit", "-q", "-m", "a test"]);
    };
    let liar = Story::new(&script(&engineer[..3], &[]));
    world(&liar);
    liar.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert_eq!(liar.git(&["log", "--format=%s", "main"]), "a test\nstart");
    let twin = Story::new(&script(&engineer, &[PASS]));
    world(&twin);
    twin.ok(&["run", "--yes", "--plain", "two is three"]);
    assert!(told(&twin).contains("tests were weakened"));
}

/// As `lies`, in a world that holds more.
#[track_caller]
fn lies_in(
    world: impl Fn(&Story),
    engineer: &[(&str, &str)],
    tester: &[(&str, &str)],
    lie: usize,
    refusal: &str,
) {
    let liar = Story::new(&script(&engineer[..=lie], &[]));
    world(&liar);
    let before = liar.git(&["rev-parse", "main"]);
    liar.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert_eq!(liar.git(&["rev-parse", "main"]), before, "a lie landed");
    let twin = Story::new(&script(engineer, tester));
    world(&twin);
    twin.ok(&["run", "--yes", "--plain", "two is three"]);
    let told = told(&twin);
    assert!(told.contains(refusal), "no `{refusal}` in {told}");
}

/// A committed test file besides.
fn with_test<'a>(path: &'a str, text: &'a str) -> impl Fn(&Story) + 'a {
    move |story| {
        story.write(path, text);
        story.git(&["add", "-A"]);
        story.git(&["commit", "-q", "-m", "a test"]);
    }
}

#[test]
fn an_assertion_that_is_always_true() {
    let world = with_test("test_n.py", "def test_two():\n    assert two() == 2\n");
    let lie = ("edit_file", r#"{ path = "test_n.py", old = "two() == 2", new = "True" }"#);
    let back =
        ("edit_file", r#"{ path = "test_n.py", old = "assert True", new = "assert two() == 2" }"#);
    let engineer = [lie, FIX, HAND_OVER, back, HAND_OVER];
    lies_in(world, &engineer, &[PASS], 2, "asserts what is always true now");
}

#[test]
fn a_test_that_runs_alone() {
    let world = with_test("n.test.js", "it('two', () => {\n  expect(two()).toBe(2);\n});\n");
    let lie = ("edit_file", r#"{ path = "n.test.js", old = "it(", new = "it.only(" }"#);
    let back = ("edit_file", r#"{ path = "n.test.js", old = "it.only(", new = "it(" }"#);
    let engineer = [lie, FIX, HAND_OVER, back, HAND_OVER];
    lies_in(world, &engineer, &[PASS], 2, "the others are left out");
}

#[test]
fn a_runner_that_leaves_a_test_out() {
    let world = with_test("pytest.ini", "[pytest]\n");
    let lie = (
        "write_file",
        r#"{ path = "pytest.ini", text = "[pytest]\naddopts = --ignore=test_n.py\n" }"#,
    );
    let back = (
        "edit_file",
        r#"{ path = "pytest.ini", old = "addopts = --ignore=test_n.py\n", new = "" }"#,
    );
    let engineer = [lie, FIX, HAND_OVER, back, HAND_OVER];
    lies_in(world, &engineer, &[PASS], 2, "tests may be left out");
}

#[test]
fn a_path_that_the_project_protects() {
    let world = |story: &Story| {
        let file = story.read(".baton/team.toml");
        story.write(".baton/team.toml", &format!("{file}\n[paths]\nprotected = [\"notes.*\"]\n"));
        story.git(&["commit", "-qam", "rules"]);
        story.ok(&["trust", "--yes"]);
    };
    let lie = ("edit_file", r#"{ path = "notes.txt", old = "first", new = "last" }"#);
    let back = ("edit_file", r#"{ path = "notes.txt", old = "last", new = "first" }"#);
    let engineer = [lie, FIX, HAND_OVER, back, HAND_OVER];
    lies_in(world, &engineer, &[PASS], 2, "notes.txt (protected in this project)");
}

/// A check whose one test is called `two`, as cargo prints it.
const COUNTS: &str = "echo 'running 1 test'\nif grep -q 'two = 2' src/numbers.txt && ! grep -q 'six = 7' src/numbers.txt; then\n\
     echo 'test two ... ok'\n\
     echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'\nelse\n\
     echo 'test two ... FAILED'\n\
     echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'\n\
     exit 101\nfi\n";

#[test]
fn a_bug_that_the_engineer_made_for_the_checkpoint() {
    let world = |story: &Story| {
        story.write("check.sh", COUNTS);
        let file = story.read(".baton/team.toml").replace("\"exit\"", "\"cargo\"");
        story.write(".baton/team.toml", &file);
        story.git(&["commit", "-qam", "counts"]);
        story.ok(&["trust", "--yes"]);
    };
    let spoil = ("edit_file", r#"{ path = "src/numbers.txt", old = "six = 6", new = "six = 7" }"#);
    let mend = ("edit_file", r#"{ path = "src/numbers.txt", old = "six = 7", new = "six = 6" }"#);
    let checkpoint = ("checkpoint", r#"{ tests = ["two"] }"#);
    let engineer = [spoil, checkpoint, mend, checkpoint, FIX, HAND_OVER];
    lies_in(world, &engineer, &[PASS], 1, "put src/numbers.txt back");
}

#[test]
fn a_red_check_never_reaches_the_tester() {
    let wrong = ("edit_file", r#"{ path = "src/numbers.txt", old = "two = 3", new = "two = 4" }"#);
    let story = Story::new(&script(&[wrong, HAND_OVER], &[PASS]));
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert_eq!(story.git(&["log", "--format=%s", "main"]), "start");
    let team = story.reader().team().unwrap();
    let task = team.tasks.values().next().unwrap();
    let verdict = |it: &team::Handoff| matches!(it, team::Handoff::Validated { .. });
    assert!(!task.handoffs.iter().any(|it| verdict(&it.1)), "{:?}", task.handoffs);
}
