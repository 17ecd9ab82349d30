//! When it ends, and when it does not.

use super::*;
use serde_json::json;

fn after(deeds: &[(&str, &str, bool)]) -> Watch {
    let mut watch = Watch::default();
    for (call, result, failed) in deeds {
        watch.note(Deed::of("search", &json!({ "pattern": call }), result, *failed));
    }
    watch
}

fn repeats(watch: &Watch, call: &str) -> bool {
    watch.would_repeat("search", &json!({ "pattern": call })).is_some()
}

#[test]
fn a_fourth_equal_call_is_not_made() {
    let same = ("a", "exit 1, 3.2 s, receipt R4.2", false);
    assert!(!repeats(&after(&[same, same]), "a"));
    let later = ("a", "exit 1, 9.9 s, receipt R4.17", false);
    assert!(repeats(&after(&[same, same, later]), "a"));
    assert!(!repeats(&after(&[same, same, later]), "b"));
    assert!(!repeats(&after(&[same, ("b", "x", false), same, same]), "a"));
    assert!(!repeats(&after(&[same, same, ("a", "other words", false)]), "a"));
    assert_eq!(after(&[same, same, same]).verdict(), None);
}

#[test]
fn three_equal_failures_end_it_whatever_they_said() {
    let why = after(&[("a", "x", true), ("a", "y", true), ("a", "z", true)]).verdict();
    assert_eq!(why.unwrap(), "the same call of search failed 3 times in a row");
    assert_eq!(after(&[("a", "x", true), ("b", "x", true), ("a", "x", true)]).verdict(), None);
    assert_eq!(after(&[("a", "x", true), ("a", "x", true)]).verdict(), None);
    assert_eq!(after(&[("a", "x", true), ("a", "x", false), ("a", "x", true)]).verdict(), None);
}

#[test]
fn six_equal_pairs_end_it() {
    let pair = [("a", "x", false), ("b", "y", false)];
    assert_eq!(after(&pair.repeat(5)).verdict(), None);
    let why = after(&pair.repeat(6)).verdict().unwrap();
    assert!(why.contains("6 times"), "{why}");
    let mut moved = pair.repeat(6);
    moved[5].1 = "progress";
    assert_eq!(after(&moved).verdict(), None);
}

#[test]
fn fifteen_calls_that_give_nothing_new_end_it() {
    // Three calls in a circle: neither equal ones in a row, nor pairs.
    let round = [("a", "x", false), ("b", "y", false), ("c", "z", false)];
    assert_eq!(after(&round.repeat(5)).verdict(), None);
    let why = after(&round.repeat(6)).verdict().unwrap();
    assert_eq!(why, "the last 15 calls gave nothing that was not known before");
    // Its honest twin looks at the same things again after each edit.
    let edits: Vec<String> = (0..6).map(|n| format!("edit {}", "i".repeat(n))).collect();
    let honest: Vec<_> =
        edits.iter().flat_map(|it| [round.as_slice(), &[(it, "done", false)]].concat()).collect();
    assert_eq!(after(&honest).verdict(), None);
}
