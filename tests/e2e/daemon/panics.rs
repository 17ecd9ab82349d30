//! Bugs of Baton's own, played in the real daemon: each costs the one who met it an error, and nobody
//! else anything.

use super::den::Den;
use super::tasks::until;
use crate::cli::world::HONEST;
use serde_json::json;

const INTERNAL_ERROR: i64 = -32603;

/// A daemon that panics once, at this place.
fn den_with_a_bug(place: &str) -> Den {
    let den = Den::new(HONEST);
    let mut start = den.command(&["daemon", "start"]);
    let started = crate::cli::world::said(&start.env("BATON_PANIC_AT", place).output().unwrap());
    started.ends(0);
    den
}

fn log_names(den: &Den, place: &str) {
    let log = std::fs::read_to_string(den.file("log").unwrap()).unwrap();
    assert!(log.contains(&format!("a bug that a test asked for at {place}")), "{log}");
}

#[test]
fn a_request_that_panics_is_answered_and_nobody_else_notices() {
    // Before the handler's first wait, and after it.
    for (place, method) in [("lsp.task", "baton/task"), ("lsp.diff", "baton/diff")] {
        let den = den_with_a_bug(place);
        let pid = den.pid();
        den.baton(&["run", "--no-land", "the answer is wrong"]).ends(0);
        let (mut one, mut other) = (den.editor(), den.editor());
        let task = json!({ "task": "T1" });
        // On their way at the same time, around the one that panics.
        let before = one.ask("baton/board", json!({}));
        let meets = one.ask(method, task.clone());
        let after = one.ask("baton/board", json!({}));
        let beside = other.ask("baton/board", json!({}));
        let error = one.answer(meets).unwrap_err();
        assert_eq!(error["code"], INTERNAL_ERROR, "{error}");
        assert!(error["message"].as_str().unwrap().contains("the server goes on"), "{error}");
        let boards = [one.answer(before), one.answer(after), other.answer(beside)];
        assert!(boards.iter().all(|it| it.as_ref() == boards[0].as_ref()), "{boards:?}");
        assert!(boards[0].is_ok(), "{boards:?}");
        let again = one.request(method, task.clone()).unwrap();
        assert_eq!(again, other.request(method, task).unwrap());
        log_names(&den, place);
        assert_eq!(den.pid(), pid, "the same process");
        assert_eq!((one.end(), other.end()), (0, 0));
    }
}

#[test]
fn a_job_that_panics_parks_its_task_and_a_retry_goes_on() {
    let den = den_with_a_bug("hub.job");
    let (mut one, mut other) = (den.editor(), den.editor());
    one.request("baton/delegate", json!({ "text": "the answer is wrong" })).unwrap();
    until(&mut other, "T1", "parked");
    let task = other.request("baton/task", json!({ "task": "T1" })).unwrap().to_string();
    assert!(task.contains("this is a bug of Baton's"), "{task}");
    log_names(&den, "hub.job");
    // The next task is nothing to it, nor is the same one told to go on.
    one.request("baton/delegate", json!({ "text": "the answer is wrong" })).unwrap();
    until(&mut other, "T2", "awaitingApproval");
    one.request("baton/retry", json!({ "task": "T1" })).unwrap();
    until(&mut other, "T1", "awaitingApproval");
    assert_eq!((one.end(), other.end()), (0, 0));
}
