//! The person's time, the digest and the measures, what is remembered, and a checkout of a result.

use super::desk::Desk;
use super::story::{delegate_line, open, open_document, until, waits};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn a_review_is_measured_from_opening_it_to_the_answer() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    let task = delegate_line(&mut editor, &uri);
    let approval = waits(&mut editor, &task);
    let whole = editor.request("baton/task", json!({ "task": task })).unwrap();
    assert_eq!(whole["person"]["ms"], Value::Null, "nobody told of a review: {whole:#}");

    let viewed = |sign: &str| json!({ "task": task, "approval": approval["id"], "sign": sign });
    let version = |editor: &mut super::client::Editor| {
        editor.request("baton/board", json!({})).unwrap()["version"].as_u64().unwrap()
    };
    let before = version(&mut editor);
    editor.request("baton/viewed", viewed("opened")).unwrap();
    // Signs that say nothing new are fine, and not written down.
    for _ in 0..20 {
        editor.request("baton/viewed", viewed("working")).unwrap();
    }
    assert_eq!(version(&mut editor), before + 1);
    assert_eq!(editor.request("baton/viewed", viewed("stared at")).unwrap_err()["code"], -32602);
    let other = json!({ "task": task, "approval": "A99", "sign": "opened" });
    assert_eq!(editor.request("baton/viewed", other).unwrap_err()["code"], 3);

    let params = json!({ "approval": approval["id"], "revision": approval["revision"], "answer": "approve" });
    editor.request("baton/answerApproval", params).unwrap();
    until(&mut editor, &task, |it| it["state"] == "landed");
    let whole = editor.request("baton/task", json!({ "task": task })).unwrap();
    let ms = whole["person"]["ms"].as_u64().unwrap();
    assert!(ms < 120_000, "the pause is bounded: {ms}");
    assert_eq!(whole["approvals"][0]["viewedMs"], ms, "all of it was with the approval");
    assert_eq!((&whole["person"]["views"], &whole["person"]["approvals"]), (&json!(1), &json!(1)));

    let report = editor.request("baton/report", json!({})).unwrap();
    assert_eq!(report["digest"]["says"], "1 shipped");
    let all = &report["all"];
    for (name, n) in [("tasks", 1), ("delegated", 1), ("measured", 1), ("young", 1)] {
        assert_eq!(all[name], n, "{name}: {report:#}");
    }
    assert_eq!(all["personMs"], ms);
    let steps = report["tasks"][0]["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[names.len() - 1]), ("Delegate", "End"), "{report:#}");
    let later = json!({ "sinceAt": report["at"].as_u64().unwrap() + 60_000 });
    let later = editor.request("baton/report", later).unwrap();
    assert_eq!((&later["digest"]["says"], &later["all"]["tasks"]), (&json!(""), &json!(0)));
    assert_eq!(editor.end(), 0);
}

fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let done = command.arg("-C").arg(dir).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_result_can_be_opened_and_what_is_done_in_it_is_kept() {
    let desk = Desk::new();
    let uri = desk.uri("src/lib.rs");
    let mut editor = open(&desk);
    open_document(&mut editor, &uri, &desk.read("src/lib.rs"));
    let task = delegate_line(&mut editor, &uri);
    waits(&mut editor, &task);
    let checkout = |editor: &mut super::client::Editor| -> (PathBuf, Value) {
        let made = editor.request("baton/checkout", json!({ "task": task })).unwrap();
        (PathBuf::from(made["path"].as_str().unwrap()), made)
    };
    let (first, made) = checkout(&mut editor);
    let text = std::fs::read_to_string(first.join("src/lib.rs")).unwrap();
    assert!(text.contains("unwrap_or_default"), "{text}");
    assert_eq!(git(&first, &["rev-parse", "HEAD"]).trim(), made["commit"]);
    assert_eq!(git(&first, &["status", "--porcelain"]), "");
    assert!(!desk.git(&["worktree", "list"]).contains("result-"), "yours knows nothing of it");
    assert_eq!(checkout(&mut editor).0, first, "nobody changed it: the same again");

    std::fs::write(first.join("src/lib.rs"), "// mine\n").unwrap();
    let (second, _) = checkout(&mut editor);
    assert_ne!(second, first);
    assert_eq!(std::fs::read_to_string(first.join("src/lib.rs")).unwrap(), "// mine\n");
    // Each of these was changed by somebody: beyond a bound the oldest goes, and is saved before.
    let mut last = second;
    for n in 0..18 {
        std::fs::write(last.join("mine.txt"), format!("mine {n}\n")).unwrap();
        last = checkout(&mut editor).0;
    }
    assert!(!first.exists(), "the oldest is gone");
    let saved = desk.store(&["for-each-ref", "--format=%(refname)", "refs/baton/left/"]);
    let saved =
        saved.lines().find(|it| it.contains(&*first.file_name().unwrap().to_string_lossy()));
    let shown = desk.store(&["show", &format!("{}:src/lib.rs", saved.unwrap())]);
    assert_eq!(shown, "// mine\n");
    let folders = std::fs::read_dir(last.parent().unwrap()).unwrap().count();
    assert!(folders <= 17, "{folders} of them");
    editor.request("baton/cancel", json!({ "task": task })).unwrap();
    assert_eq!(editor.end(), 0);
}
