//! Power off at every boundary of an answer for some hunks: it goes on, and the end is the same.

use super::{SCRIPT, at_approval, list, task};
use crate::story::Story;
use std::os::unix::process::ExitStatusExt;

const SIGKILL: i32 = 9;
/// More restarts than this for one kill: it does not go on.
const RESUMES_MAX: u32 = 3;
const ANSWER: [&str; 7] =
    ["answer", "A1", "approve", "--only", "src/numbers.txt", "--only", "src/list.txt:2"];

/// Whether it was killed.
fn go(story: &Story, env: &[(&str, String)], args: &[&str]) -> bool {
    let output = story.baton(args).envs(env.iter().cloned()).output().unwrap();
    if output.status.signal() == Some(SIGKILL) {
        return true;
    }
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?} {env:?}: {text}");
    false
}

/// The branch's tree and log, the person's files, and the kinds of events that happen once a task.
fn end(story: &Story) -> (Vec<String>, Vec<String>) {
    let seen = vec![
        story.git(&["rev-parse", "main^{tree}"]),
        story.git(&["log", "--format=%B%an", "main"]),
        story.git(&["status", "--porcelain=v1"]),
        story.git(&["ls-files", "--stage"]),
        story.read("src/list.txt"),
        story.read("notes.txt"),
    ];
    let mut kinds = story.kinds();
    kinds.retain(|it| it != "ReceiptRecorded");
    (seen, kinds)
}

fn world() -> Story {
    let story = at_approval(SCRIPT);
    story.write("notes.txt", "first, changed\nsecond\n");
    story
}

#[test]
fn killed_anywhere_the_chosen_hunks_land() {
    let story = world();
    let log = story.home.join("points");
    assert!(!go(&story, &[("BATON_FAIL_LOG", log.display().to_string())], &ANSWER));
    let whole = end(&story);
    assert_eq!(story.read("src/list.txt"), list().replace("line 30", "thirtieth line"));
    let points = std::fs::read_to_string(&log).unwrap();
    let points: Vec<&str> = points.lines().collect();
    for wanted in ["hub.part.before", "hub.part.after"] {
        assert!(points.contains(&wanted), "{points:?}");
    }
    for (n, name) in (1..).zip(&points) {
        let story = world();
        let killed = go(&story, &[("BATON_FAIL_AT", n.to_string())], &ANSWER);
        let mut resumes = 0;
        while killed && task(&story)["state"] != "landed" {
            assert!(resumes < RESUMES_MAX, "boundary {n}, {name}: {:?}", story.kinds());
            resumes += 1;
            let answered = story.kinds().iter().any(|it| it == "ApprovalAnswered");
            let resume = ["resume", "--plain"];
            go(&story, &[], if answered { &resume[..] } else { &ANSWER[..] });
        }
        assert_eq!(end(&story), whole, "killed at boundary {n}, {name}");
    }
}
