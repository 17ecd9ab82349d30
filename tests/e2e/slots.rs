//! What commands find in a slot besides the commit: chosen ignored files, and ports of its own. And
//! what a later task is told of an earlier one.

use super::story::{HONEST, Story};

const LOOK: &str = "input = { command = \"cat app.local; echo base=$BATON_PORT_BASE of $BATON_PORT_COUNT port=$PORT\" }\n\
    [[run.reply]]\n[[run.reply.call]]\nname = \"read_file\"\ninput = { path = \"app.local\" }\n\
    [[run.reply]]\n[[run.reply.call]]\nname = \"search\"\ninput = { pattern = \"key = \" }";

fn story() -> Story {
    let story = Story::new(&HONEST.replace("input = { command = \"cat src/numbers.txt\" }", LOOK));
    story.write(".gitignore", "*.local\n");
    story.write(".worktreeinclude", "app.local\n");
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "-m", "include"]);
    story.write("app.local", "key = for the tests\n");
    story
}

/// What the tools of the Engineer's run answered, in order.
fn results(story: &Story) -> String {
    let reader = story.reader();
    let team = reader.team().unwrap();
    let steps = team.runs.keys().flat_map(|it| reader.steps(*it).unwrap());
    steps.map(|it| it.body).collect::<Vec<_>>().join("\n")
}

#[test]
fn commands_see_what_was_included_and_tools_do_not() {
    let story = story();
    // Not trusted yet: as if neither this file nor the team file were there.
    story.exits(2, &["run", "--yes", "two is three"]);
    story.ok(&["answer", "A1", "approve"]);
    let before = results(&story);
    assert!(!before.contains("key = for the tests"), "{before}");
    let answer = before.split("base=").find(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    let ports = answer.unwrap().split(['\\', '"']).next().unwrap();
    let base: u16 = ports.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(ports, format!("{base} of 10 port={base}"));
    assert!((20_000..30_000).contains(&base) && base.is_multiple_of(10));
    story.ok(&["trust", "--yes"]);
    story.write("src/numbers.txt", "one = 1\ntwo = 3\nthree = 3\n");
    story.git(&["commit", "-qam", "again"]);
    story.ok(&["run", "--yes", "two is three, again in src/numbers.txt"]);
    let after = results(&story);
    assert_eq!(after.matches("key = for the tests").count(), 1, "the command alone: {after}");
    assert!(after.contains("is not shown"), "{after}");
    // It is in no commit, here or in Baton's store.
    let store = std::fs::read_dir(&story.state).unwrap().map(|it| it.unwrap().path());
    let store = store.map(|it| it.join("store.git")).find(|it| it.is_dir()).unwrap();
    let store = format!("--git-dir={}", store.display());
    assert!(!story.git(&[&store, "rev-list", "--objects", "--all"]).contains("app.local"));
    assert_eq!(story.git(&["log", "-1", "--format=%an"]), "Uma User");
    assert_eq!(story.git(&["status", "--porcelain"]), "");
    let said = story.ok(&["doctor"]);
    assert!(said.contains("space") && said.contains("slots"), "{said}");
}

/// The second task's brief names the first one, and why; the script has a reply for that alone.
#[test]
fn a_later_task_is_told_of_an_earlier_one_on_the_file() {
    let (head, tail) = HONEST.split_once("[[run]]\nduty = \"change\"").unwrap();
    let (change, rest) = tail.split_once("[[run]]\nduty = \"verdict\"").unwrap();
    let told = change.replace("Two is two.", "Two, once more.");
    let script = format!(
        "{head}[[run]]\nduty = \"change\"\nmatch = \"(it changed src/numbers.txt too)\"{told}\
         [[run]]\nduty = \"change\"{change}[[run]]\nduty = \"verdict\"{rest}"
    );
    let story = Story::new(&script);
    story.ok(&["run", "--yes", "src/numbers.txt: two is three"]);
    assert_eq!(story.git(&["log", "-1", "--format=%s"]), "Two is two.");
    story.write("src/numbers.txt", "one = 1\ntwo = 3\nthree = 3\n");
    story.git(&["commit", "-qam", "again"]);
    story.ok(&["run", "--yes", "src/numbers.txt: two is three again"]);
    assert_eq!(story.git(&["log", "-1", "--format=%s"]), "Two, once more.");
}
