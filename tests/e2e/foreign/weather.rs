//! A server that fails for good: the wrong key, nobody there, a death in the middle, nothing but
//! errors. One clear sentence says what to do, nothing is lost, and afterwards the work goes on.

use super::server::{KEY, Server, mend, with};
use super::world::{Said, World};
use serde_json::{Value, json};

const BRIEF: &str = "two is three";

/// The one sentence about the failure on standard error, with these in it.
#[track_caller]
fn complains(ran: &Said, parts: &[&str]) {
    let about: Vec<&str> = ran.err.lines().filter(|it| it.contains("T1 is parked")).collect();
    assert_eq!(about.len(), 1, "{}", ran.err);
    for part in parts {
        assert!(about[0].contains(part), "no {part:?} in {:?}", about[0]);
    }
    assert!(ran.err.contains("baton retry T1"), "the next step: {}", ran.err);
}

/// What goes on once the server is well again lands by the rule that was given at the start.
#[track_caller]
fn goes_on(world: &World, args: &[&str], start: &str) {
    world.baton(args).ends(0);
    world.landed_the_fix_alone(start);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_wrong_key_is_said_and_never_shown() {
    let wrong = with(mend(), "key", json!("another"));
    let Some((world, server)) = World::mended_by_stranger(&wrong) else { return };
    let (before, start) = (world.digest(), world.git(&["rev-parse", "HEAD"]));
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(1);
    complains(&ran, &["refused the key (HTTP 401)", "check that the key of [model] is right"]);
    assert_eq!(server.asked().len(), 1, "a wrong key is not tried again");
    assert_eq!(world.digest(), before);
    for asked in [&["log"][..], &["task", "T1"], &["board"], &["log", "--json"]] {
        world.baton(asked).ends(0);
    }
    server.plan(&mend());
    goes_on(&world, &["retry", "T1"], &start);
}

#[test]
fn a_key_that_is_not_set_is_said() {
    let Some((world, _server)) = World::mended_by_stranger(&mend()) else { return };
    let mut command = world.baton_in(&world.root, &["run", "--yes", BRIEF]);
    let ran = super::world::said(&command.env_remove("FOREIGN_KEY").output().unwrap()).ends(1);
    assert!(ran.err.contains("FOREIGN_KEY"), "{}", ran.err);
}

#[test]
fn a_server_that_is_not_there_is_said_and_resume_goes_on() {
    let Some((world, server)) = World::mended_by_stranger(&mend()) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    world.configure(&format!("http://127.0.0.1:{port}"), "");
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(1);
    complains(&ran, &[&format!("127.0.0.1:{port}"), "base_url in [model]", "server runs"]);
    world.configure(&server.url, "");
    goes_on(&world, &["resume", "T1"], &start);
}

/// Dies at this request, in the middle of its reply; then another server is there, with this plan.
fn survives(at: u32, after: &Value) {
    let faults = json!({ at.to_string(): "die halfway" });
    let dies = with(mend(), "faults", faults);
    let Some((world, mut server)) = World::mended_by_stranger(&dies) else { return };
    let (before, start) = (world.digest(), world.git(&["rev-parse", "HEAD"]));
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(1);
    complains(&ran, &["base_url in [model]", "server runs"]);
    assert!(server.is_gone());
    assert_eq!(world.digest(), before);
    let Some(_server) = world.stranger(after) else { return };
    goes_on(&world, &["retry", "T1"], &start);
}

#[test]
fn a_server_that_dies_while_the_pm_is_at_work_costs_nothing_but_time() {
    survives(1, &mend());
}

/// The model trusts what it did before: it makes no edit again, so what it did must still be there.
#[test]
fn a_server_that_dies_after_the_edit_finds_the_edit_again() {
    survives(4, &with(mend(), "again", json!([])));
}

#[test]
fn a_server_that_dies_while_the_tester_is_at_work_costs_nothing_but_time() {
    survives(6, &mend());
}

#[test]
fn a_server_with_nothing_but_errors_is_given_up_and_retried_later() {
    let broken = with(mend(), "always", json!(500));
    let Some((world, server)) = World::mended_by_stranger(&broken) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(1);
    complains(&ran, &["HTTP 500: Internal server error", "asked 5 times"]);
    assert_eq!(server.asked().len(), 5);
    let board = world.baton(&["board"]).ends(0);
    assert!(board.out.contains("parked") && board.out.contains("no reply from"), "{}", board.out);
    server.plan(&mend());
    goes_on(&world, &["retry", "T1"], &start);
}

#[test]
fn another_key_in_the_environment_is_never_sent() {
    let world = World::new(super::world::PROJECT);
    let Some(server) = Server::stranger(&world.home, &mend()) else { return };
    world.configure(&server.url, "");
    world.baton(&["trust", "--yes"]).ends(0);
    let mut command = world.baton_in(&world.root, &["run", "--yes", BRIEF]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-real").env("OTHER_SECRET", "hush-hush");
    super::world::said(&command.output().unwrap()).ends(0);
    let text = format!("{:?}", server.asked());
    assert!(!text.contains("sk-ant-real") && !text.contains("hush-hush") && !text.contains(KEY));
}
