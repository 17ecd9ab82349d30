//! `baton bench`: a right change lands, wrong ones do not, and what no visible test can tell is
//! counted as a false pass and not hidden.

use super::world::World;
use serde_json::Value;
use std::path::Path;

const MANIFEST: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reliability/manifest.toml");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn right_and_wrong_changes_are_told_apart() {
    let world = World::empty();
    let asked = ["bench", MANIFEST, "--task", "rust-calendar", "--mutants", "1", "--json"];
    let said = world.baton(&asked);
    said.ends(0);
    let lines = lines(&said.out);
    let outcome = |says: &str| {
        let it = lines.iter().find(|it| it["change"].as_str().is_some_and(|it| it.contains(says)));
        it.unwrap_or_else(|| panic!("{says}: {}", said.out))["outcome"].as_str().unwrap()
    };
    assert_eq!(outcome("the right fix"), "resolved");
    assert_eq!(outcome("forgets every 400 years"), "refused");
    assert_eq!(outcome("mutant"), "refused");
    // Special cases for exactly what the tests ask: no gate can know, and the figure must say so.
    assert_eq!(outcome("knows only the years of the report"), "false_pass");
    let sums = &lines.last().unwrap()["sums"];
    assert_eq!((&sums["cases"], &sums["refused"]), (&4.into(), &2.into()), "{sums}");
}

#[test]
fn a_manifest_that_is_wrong_is_refused_by_name() {
    let world = World::empty();
    world.baton(&["bench", "none.toml"]).ends(1).complains(&["read the manifest none.toml"]);
    let unknown = world.baton(&["bench", MANIFEST, "--task", "nothing"]);
    unknown.ends(64).complains(&["there is no task nothing; there are rust-intervals"]);
    let dir = world.dir.path().join("mine");
    write(&dir, "manifest.toml", "tasks = [\"one\"]\n");
    write(&dir, "one/base/a.txt", "a\n");
    write(&dir, "one/hidden/b.txt", "b\n");
    let task =
        "brief = \"b\"\njudge = [\"true\"]\n[[fix]]\npath = \"a.txt\"\nold = \"x\"\nnew = \"y\"\n";
    write(&dir, "one/task.toml", task);
    let manifest = dir.join("manifest.toml").display().to_string();
    let bad = world.baton(&["bench", &manifest]);
    bad.ends(1).complains(&["read the task one", "a.txt: not exactly once there: x"]);
    let refuses_itself = task.replace("true", "false").replace("\"x\"", "\"a\"");
    write(&dir, "one/task.toml", &refuses_itself);
    let bad = world.baton(&["bench", &manifest]);
    bad.ends(1).complains(&["the tests of one refuse its own fix"]);
}

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
