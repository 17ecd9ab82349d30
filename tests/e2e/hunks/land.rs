//! On the command line: what lands, what doesn't, and what is asked then.

use super::{SCRIPT, approval, at_approval, list, task};
use crate::story::Story;

fn changed(story: &Story) -> String {
    story.git(&["diff", "HEAD~", "HEAD", "--name-only"])
}

#[test]
fn the_chosen_hunks_land_and_the_others_stay_out() {
    let story = at_approval(SCRIPT);
    let shown = story.ok(&["diff", "T1"]);
    assert!(shown.contains("1-2") && shown.contains("whole: it is new"), "{shown}");
    let shown = story.ok(&["diff", "T1", "--hunks"]);
    for it in ["--only src/numbers.txt:1", "--only src/list.txt:2", "--only extra.txt   "] {
        assert!(shown.contains(it), "{shown}");
    }
    story.write("notes.txt", "first, changed\nsecond\n");
    let only = ["--only", "src/numbers.txt", "--only", "src/list.txt:2"];
    let said = story.ok(&[&["answer", "A1", "approve", "--plain"], &only[..]].concat());
    assert!(said.contains("approved 2 hunks (src/list.txt, src/numbers.txt) of A1"), "{said}");
    assert_eq!(changed(&story), "src/list.txt\nsrc/numbers.txt");
    assert_eq!(story.read("src/list.txt"), list().replace("line 30", "thirtieth line"));
    assert!(story.read("src/numbers.txt").contains("two = 2"));
    assert!(!story.root.join("extra.txt").exists());
    assert_eq!(story.git(&["status", "--porcelain"]), " M notes.txt");
    // One prompt, one answer; the checks ran on exactly these files, and the commit says it is a part.
    let whole = task(&story);
    assert_eq!(whole["approvals"].as_array().unwrap().len(), 1, "{whole:#}");
    assert_eq!(whole["approvals"][0]["outcome"], "approved in part by person (terminal)");
    let receipts = whole["approvals"][0]["receipts"].as_array().unwrap();
    let landed = story.git(&["rev-parse", "HEAD^{tree}"]);
    let team = story.reader().team().unwrap();
    let id = receipts[0].as_str().unwrap().parse().unwrap();
    let receipt = team.receipt(id).unwrap();
    assert!(receipt.is_green());
    assert_eq!(receipt.tree.as_ref().unwrap().0, landed);
    let message = story.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains("Baton-Part: 2 hunks, A1"), "{message}");
    assert!(!message.contains("Baton-Checks"), "those ran on all of it: {message}");
    assert!(whole["says"].as_str().unwrap().starts_with("landed in part as"), "{}", whole["says"]);
    story.ok(&["undo", "T1"]);
    assert_eq!(story.read("src/list.txt"), list());
}

#[test]
fn what_is_red_alone_is_offered_whole_again() {
    let story = at_approval(SCRIPT);
    let before = story.git(&["rev-parse", "HEAD"]);
    let said = story.exits(2, &["answer", "A1", "approve", "--plain", "--only", "src/list.txt"]);
    assert!(said.contains("the hunks you accepted don't land alone: R"), "{said}");
    assert_eq!(story.git(&["rev-parse", "HEAD"]), before, "nothing moved");
    let again = approval(&story, "A2");
    assert_eq!(
        (again["state"].as_str(), again["subject"].as_str()),
        (Some("open"), Some("landing"))
    );
    assert_eq!(again["files"].as_array().unwrap().len(), 3, "the whole change: {again:#}");
    let note = again["notes"].to_string();
    assert!(note.contains("A1: the hunks you accepted don't land alone: R"), "{note}");
    assert!(note.contains("is red") && note.contains("the whole change again"), "{note}");
    assert_eq!(approval(&story, "A1")["state"], "void");
    // All of it is still there, and another part of it too.
    story.ok(&["answer", "A2", "approve", "--only", "src/numbers.txt", "--only", "extra.txt"]);
    assert_eq!(changed(&story), "extra.txt\nsrc/numbers.txt");
    assert_eq!(story.read("src/list.txt"), list());
}

#[test]
fn a_choice_of_all_is_the_whole_change() {
    let story = at_approval(SCRIPT);
    let all = ["src/numbers.txt", "src/list.txt:1-2", "extra.txt"];
    let all: Vec<&str> = all.iter().flat_map(|it| ["--only", it]).collect();
    story.ok(&[&["answer", "A1", "approve"][..], &all].concat());
    assert_eq!(changed(&story), "extra.txt\nsrc/list.txt\nsrc/numbers.txt");
    assert_eq!(approval(&story, "A1")["outcome"], "approved by person (terminal)");
}

#[test]
fn the_branch_went_on_and_the_same_hunks_land_there() {
    let story = at_approval(SCRIPT);
    story.write("notes.txt", "first\nsecond\nthird\n");
    story.write("src/list.txt", &("line 00\n".to_owned() + &list()));
    story.git(&["commit", "-aqm", "mine"]);
    story.ok(&["answer", "A1", "approve", "--only", "src/numbers.txt", "--only", "src/list.txt:1"]);
    assert_eq!(changed(&story), "src/list.txt\nsrc/numbers.txt");
    let expected = "line 00\n".to_owned() + &list().replace("line 03", "third line");
    assert_eq!(story.read("src/list.txt"), expected);
    // The branch took one of the hunks away: what was chosen is no longer what would land.
    let story = at_approval(SCRIPT);
    story.write("src/list.txt", &list().replace("line 30", "thirtieth line"));
    story.git(&["commit", "-aqm", "mine"]);
    let only = ["--only", "src/numbers.txt", "--only", "src/list.txt:2"];
    let said = story.exits(2, &[&["answer", "A1", "approve", "--plain"], &only[..]].concat());
    assert!(said.contains("there it would be another change"), "{said}");
    assert_eq!(story.git(&["log", "-1", "--format=%s"]), "mine");
    assert_eq!(approval(&story, "A2")["state"], "open");
}

/// A file of the person's that is merged into needs its tick where it is chosen, and only there.
#[test]
fn a_tick_is_needed_where_its_file_is_among_them() {
    let story = super::story(SCRIPT);
    story.write("src/list.txt", &list().replace("line 15", "line 15, mine"));
    story.ok(&["run", "--no-land", "--plain", "two is three"]);
    assert_eq!(approval(&story, "A1")["ticks"], serde_json::json!(["src/list.txt"]));
    let only = ["answer", "A1", "approve", "--only", "src/numbers.txt", "--only", "src/list.txt:1"];
    story.exits(3, &only);
    story.ok(&["answer", "A1", "approve", "--only", "src/numbers.txt"]);
    assert_eq!(changed(&story), "src/numbers.txt");
    assert_eq!(story.read("src/list.txt"), list().replace("line 15", "line 15, mine"));
    let story = super::story(SCRIPT);
    story.write("src/list.txt", &list().replace("line 15", "line 15, mine"));
    story.ok(&["run", "--no-land", "--plain", "two is three"]);
    story.ok(&[&only[..], &["--tick", "src/list.txt"]].concat());
    let expected = list().replace("line 15", "line 15, mine").replace("line 03", "third line");
    assert_eq!(story.read("src/list.txt"), expected);
    assert_eq!(story.git(&["diff", "--numstat"]), "1\t1\tsrc/list.txt");
}

#[test]
fn wrong_choices_say_what_to_type() {
    let story = at_approval(SCRIPT);
    for (wrong, says) in [
        (["approve", "src/list.txt:3"], "has hunks 1 to 2"),
        (["approve", "none.txt"], "no hunks at `none.txt`"),
        (["apply", "src/list.txt"], "--only belongs to approve"),
    ] {
        let output = story.run(&["answer", "A1", wrong[0], "--only", wrong[1]]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{error}");
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(approval(&story, "A1")["state"], "open");
}
