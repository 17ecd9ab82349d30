//! Files that nobody wrote: what a check leaves beside the change doesn't land with it, what a command
//! makes does, and the Engineer is told of both.

use crate::liars::{FIX, HAND_OVER, PASS, script, told};
use crate::story::Story;

/// A check that leaves files, as a coverage report or a lock file that nothing ignores.
const CHECK: &str = "mkdir -p coverage && echo '{}' > coverage/all.json && echo 1 > lock.txt\n\
     grep -q 'two = 2' src/numbers.txt\n";

#[test]
fn a_file_that_a_check_makes_does_not_land() {
    let engineer = [
        FIX,
        ("run_command", r#"{ command = "echo generated > gen.txt" }"#),
        ("run_check", r#"{ name = "test" }"#),
        HAND_OVER,
    ];
    let story = Story::new(&script(&engineer, &[PASS]));
    story.write("check.sh", CHECK);
    story.git(&["commit", "-q", "-a", "-m", "a check that leaves files"]);
    story.ok(&["run", "--yes", "--plain", "two is three"]);
    let landed = story.git(&["show", "--name-only", "--format=", "main"]);
    assert_eq!(landed, "gen.txt\nsrc/numbers.txt");
    assert_eq!(story.git(&["status", "--porcelain"]), "");
    let told = told(&story);
    assert!(told.contains("part of your change unless you remove them: gen.txt"), "{told}");
    assert!(told.contains("taken out again: coverage/all.json, lock.txt"), "{told}");
}
