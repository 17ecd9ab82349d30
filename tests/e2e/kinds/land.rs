//! From a sentence to a commit on which the tests pass, in each kind of project.

use super::projects::{self, Project};
use super::tools;
use crate::foreign::server::KEY;
use crate::foreign::world::World;
use serde_json::{Value, json};

const BRIEF: &str = "doubling a number below nothing gives it back as it is; it should be doubled";

fn plan(project: &Project) -> Value {
    let (path, old, new) = project.fix;
    let mut plan = json!({
        "key": KEY,
        "about": "it is not doubled",
        "summary": "Numbers below nothing are doubled.",
        "look": path,
        "edits": [{ "path": path, "old": old, "new": new }],
    });
    if project.counts() {
        let (path, last, more) = project.test;
        let edit = json!({ "path": path, "old": last, "new": format!("{last}{more}") });
        plan["test"] = json!({ "names": [project.name], "edit": edit });
    }
    plan
}

fn lands(project: &Project) {
    let Some(tools) = tools::need(project.tool) else { return };
    let mut world = World::new(project.files);
    world.tools = tools;
    if project.files.iter().any(|it| it.0 == ".gitignore") {
        std::os::unix::fs::symlink(tools::modules(), world.root.join("node_modules")).unwrap();
    }
    let Some(server) = world.stranger(&plan(project)) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(0);
    assert!(ran.out.contains("landed T1 on main"), "{}", ran.out);
    assert_eq!(world.git(&["rev-parse", "HEAD^@"]), start);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    let (path, _, right) = project.fix;
    assert!(world.read(path).contains(right.trim()));
    let trailers = world.git(&["log", "-1", "--format=%(trailers:only)"]);
    let passed = if project.counts() { " 3 passed" } else { "" };
    assert_eq!(trailers, format!("Baton-Task: T1\nBaton-Checks: test{passed}"));
    if project.counts() {
        // The proof: it failed there by name, and passes.
        assert!(ran.out.contains(project.name), "{}", ran.out);
        let asked = server.asked().iter().map(Value::to_string).collect::<String>();
        assert!(asked.contains("ran and failed by name"), "{}", ran.out);
    }
}

#[test]
fn node() {
    lands(&projects::NODE);
}

#[test]
fn jest() {
    lands(&projects::JEST);
}

#[test]
fn vitest() {
    lands(&projects::VITEST);
}

#[test]
fn pytest() {
    lands(&projects::PYTEST);
}

#[test]
fn unittest() {
    lands(&projects::UNITTEST);
}

#[test]
fn go() {
    lands(&projects::GO);
}

#[test]
fn make() {
    lands(&projects::MAKE);
}

#[test]
fn just() {
    lands(&projects::JUST);
}
