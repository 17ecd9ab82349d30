//! The other wire with a stranger behind it, and its faults at every chunk of a reply: whatever the
//! server does, the task lands, or is parked with the reason and the next step.

use super::server::{Server, mend, with};
use super::world::{PROJECT, Said, World};
use serde_json::{Value, json};

const BRIEF: &str = "two is three";
/// As many as most replies have; longer ones are broken somewhere else in each story.
const CHUNKS: usize = 24;
/// Fewer than any story asks.
const QUESTIONS: usize = 6;

/// The task landed, alone, and nothing of the person's moved but by that.
#[track_caller]
fn lands(world: &World, ran: Said, start: &str) -> Said {
    let ran = ran.ends(0);
    world.landed_the_fix_alone(start);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    ran
}

/// The same for a stranger with this plan. Gives what it was asked.
#[track_caller]
fn lands_with(plan: &Value) -> Option<Vec<Value>> {
    let (world, server) = World::mended_by_chat(plan)?;
    let start = world.git(&["rev-parse", "HEAD"]);
    lands(&world, world.baton(&["run", "--yes", BRIEF]), &start);
    Some(server.asked())
}

/// The task is parked with one sentence that says why and what to do, and lands once all is well. Gives
/// how often it was asked until then.
#[track_caller]
fn is_parked(plan: &Value, parts: &[&str]) -> Option<usize> {
    is_parked_with(1, plan, parts)
}

#[track_caller]
fn is_parked_with(code: i32, plan: &Value, parts: &[&str]) -> Option<usize> {
    let (world, server) = World::mended_by_chat(plan)?;
    let (before, start) = (world.digest(), world.git(&["rev-parse", "HEAD"]));
    let ran = world.baton(&["run", "--yes", BRIEF]).ends(code);
    let about: Vec<&str> = ran.err.lines().filter(|it| it.contains("T1 is parked")).collect();
    assert_eq!(about.len(), 1, "{}", ran.err);
    for part in parts {
        assert!(about[0].contains(part), "no {part:?} in {:?}", about[0]);
    }
    assert!(ran.err.contains("baton retry T1"), "the next step: {}", ran.err);
    assert_eq!(world.digest(), before);
    let asked = server.asked().len();
    server.plan(&mend());
    lands(&world, world.baton(&["retry", "T1"]), &start);
    Some(asked)
}

#[test]
fn a_stranger_in_four_styles_lands_it() {
    let Some(asked) = lands_with(&mend()) else { return };
    assert!(asked.iter().all(|it| it["path"] == "/v1/chat/completions"));
    assert!(asked.iter().all(|it| it["body"]["model"] == "stranger-1"));
    // Each question begins with the bytes of the one before it in the same run.
    let talk = |it: &Value| it["body"]["messages"].as_array().unwrap().clone();
    let grown = asked.windows(2).filter(|it| {
        let (before, now) = (talk(&it[0]), talk(&it[1]));
        now.len() > before.len() && now[..before.len()] == before[..]
    });
    assert!(3 <= grown.count(), "{asked:?}");
}

#[test]
fn the_mock_of_others_lands_it_too() {
    let world = World::new(PROJECT);
    let Some(server) = Server::aimock(&world.home, &mend()) else { return };
    world.configure_as("openai", &server.url, "");
    world.baton(&["trust", "--yes"]).ends(0);
    let start = world.git(&["rev-parse", "HEAD"]);
    lands(&world, world.baton(&["run", "--yes", BRIEF]), &start);
}

#[test]
fn many_calls_in_one_reply_and_a_question_on_the_way() {
    let edits = json!([{ "path": "src/numbers.txt", "old": "two = 3", "new": "two = 2" },
        { "path": "notes.txt", "old": "second", "new": "second: two is two" }]);
    let ask = json!({ "question": "Hand it over?", "options": ["yes", "no"], "default": "yes",
        "stakes": "little" });
    let plan = with(with(with(mend(), "edits", edits), "ask", ask), "again", json!([]));
    let Some((world, _server)) = World::mended_by_chat(&plan) else { return };
    world.baton(&["run", "--yes", BRIEF]).ends(2).points(&["Hand it over?"]);
}

/// Every question's first reply is broken at another chunk.
fn broken_at_every_chunk(fault: &str) {
    let mut stories = Vec::new();
    for first in (0..CHUNKS).step_by(QUESTIONS) {
        let at = |n| format!("{fault} {}", first + n);
        let faults: Vec<String> = (0..QUESTIONS).map(at).collect();
        let plan = with(mend(), "first", json!(faults));
        stories.push(std::thread::spawn(move || {
            let asked = lands_with(&plan)?;
            let bodies = asked.iter().map(|it| it["body"].to_string());
            let bodies: std::collections::BTreeSet<_> = bodies.collect();
            // What broke was asked again, and only that.
            assert!(asked.len() <= bodies.len() + QUESTIONS, "{}", asked.len());
            Some(asked.len() - bodies.len())
        }));
    }
    let broken = stories.into_iter().map(|it| it.join().unwrap());
    let Some(broken) = broken.collect::<Option<Vec<usize>>>() else { return };
    assert!(broken.iter().all(|it| *it == QUESTIONS), "{broken:?}");
}

#[test]
fn a_cut_at_any_chunk_is_mended() {
    broken_at_every_chunk("cut");
}

#[test]
fn an_error_after_any_chunk_is_mended() {
    broken_at_every_chunk("error");
}

#[test]
fn garbage_after_any_chunk_is_mended() {
    broken_at_every_chunk("garbage");
}

#[test]
fn a_slow_drip_a_limit_and_a_server_that_still_loads_cost_nothing_but_time() {
    let faults = json!([503, "drip", 429, "drip", "empty", "mute"]);
    lands_with(&with(mend(), "first", faults));
    lands_with(&with(mend(), "each", json!("drip")));
}

#[test]
fn a_reply_that_was_whole_is_taken_without_its_end_and_counts() {
    let Some(asked) = lands_with(&with(mend(), "each", json!("tail"))) else { return };
    let bodies: Vec<String> = asked.iter().map(|it| it["body"].to_string()).collect();
    let once: std::collections::BTreeSet<&String> = bodies.iter().collect();
    assert_eq!(once.len(), bodies.len(), "nothing is asked twice");
}

#[test]
fn a_reply_that_is_too_large_or_never_ends_parks_the_task() {
    // What came was paid, as far as can be told, and is more than a run may use.
    let spent = "out of budget, tokens of this run";
    let large = "larger than 8 MiB";
    for (code, fault, why) in [(2, "huge 2", spent), (2, "endless 3", spent), (1, "line 0", large)]
    {
        let plan = with(mend(), "each", json!(fault));
        let Some(asked) = is_parked_with(code, &plan, &[why]) else { return };
        assert_eq!(asked, 1, "{fault}");
    }
}

#[test]
fn what_stays_broken_parks_the_task_with_the_reason() {
    let cases = [
        ("cut 0", "the reply broke off"),
        ("cut 2", "the reply broke off"),
        ("garbage 1", "an event of the reply is not JSON"),
        ("error 4", "Provider disconnected"),
        ("empty", "the reply is empty"),
        ("mute", "the reply is empty"),
    ];
    let stories = cases.map(|(fault, why)| {
        std::thread::spawn(move || {
            let plan = with(mend(), "each", json!(fault));
            is_parked(&plan, &[why, "asked 5 times"])
        })
    });
    for story in stories {
        let Some(asked) = story.join().unwrap() else { return };
        assert_eq!(asked, 5);
    }
}

#[test]
fn a_wrong_key_and_a_window_that_is_too_small_are_said() {
    let wrong = with(mend(), "key", json!("another"));
    if is_parked(&wrong, &["refused the key (HTTP 401)", "key of [model] is right"]).is_none() {
        return;
    }
    let small = with(mend(), "window", json!(2_000));
    let said = ["longer than the model's window", "(8192 tokens)", "window_tokens in [model]"];
    is_parked(&small, &said);
}

#[test]
fn a_server_is_asked_as_it_wants_and_one_that_counts_nothing_is_estimated() {
    let plan = with(with(mend(), "only_new_names", json!(true)), "no_counts", json!(true));
    let Some((world, server)) = World::mended_by_chat(&plan) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let ran = lands(&world, world.baton(&["run", "--yes", BRIEF]), &start);
    let refused = server.asked().iter().filter(|it| it["body"].get("max_tokens").is_some()).count();
    assert_eq!(refused, 1, "it is learned once, for all runs");
    assert!(!ran.out.contains("$0.00"), "{}", ran.out);
    assert!(ran.out.contains("(~ is estimated)"), "{}", ran.out);
    assert!(world.baton(&["board", "--all"]).out.contains('~'));
}

#[test]
fn a_server_of_this_machine_is_found_and_said() {
    let plan =
        json!({ "models": ["nomic-embed", "stranger-1", "other"], "edits": mend()["edits"] });
    let Some((world, server)) = World::mended_by_stranger(&plan) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let port = server.url.rsplit(':').next().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = nobody.local_addr().unwrap().port();
    world.configure_with(&format!("[local]\nports = [1, {silent}, {port}]\n"));
    let found = format!("stranger-1 at {}/v1, found there", server.url);
    let doctor = world.baton(&["doctor"]);
    assert!(doctor.out.contains(&found), "{}", doctor.out);
    let ran = lands(&world, world.baton(&["run", "--yes", BRIEF]), &start);
    let said = format!("taking stranger-1, of two from the server at {}/v1", server.url);
    assert_eq!(ran.err.matches(&said).count(), 1, "{}", ran.err);
    // What is configured is not searched for.
    world.configure_with("[local]\nports = []\n");
    world.baton(&["run", BRIEF]).ends(1).points(&["no model is configured", "OPENAI_API_KEY"]);
}

#[test]
fn an_engineer_that_begins_anew_is_served_by_another_model() {
    let wrong = json!([{ "path": "src/numbers.txt", "old": "two = 3", "new": "two = 4" }]);
    let again = json!([{ "path": "src/numbers.txt", "old": "two = 4", "new": "two = 44" }]);
    let plan = with(with(mend(), "edits", wrong), "again", again);
    let Some((world, server)) = World::mended_by_chat(&plan) else { return };
    let more = "[models]\nbig = \"stranger-big\"\n[roles.engineer]\nretry_model = \"big\"\n";
    world.configure_as("openai", &server.url, more);
    world.baton(&["run", "--yes", BRIEF]).ends(2).points(&["3 builds did not get there"]);
    let builds = |model: &str| {
        let asked = server.asked().into_iter().map(|it| it["body"].clone());
        let of_engineer = asked.filter(|it| it["tools"].to_string().contains("hand_over_change"));
        let texts = of_engineer.filter(|it| it["model"] == model).map(|it| it.to_string());
        texts.collect::<Vec<String>>()
    };
    let (first, last) = (builds("stranger-1"), builds("stranger-big"));
    assert!(first.iter().all(|it| !it.contains("build: 3 of 3")) && !first.is_empty());
    assert!(last.iter().all(|it| it.contains("build: 3 of 3")) && !last.is_empty());
}

#[test]
fn each_role_is_served_by_its_own_model_on_its_own_wire() {
    let Some((world, first)) = World::mended_by_stranger(&mend()) else { return };
    let dir = world.beside("second");
    std::fs::create_dir(&dir).unwrap();
    let Some(second) = Server::stranger(&dir, &mend()) else { return };
    let start = world.git(&["rev-parse", "HEAD"]);
    let more = format!(
        "[models]\nfast = \"stranger-fast\"\n\
         home = {{ provider = \"openai\", base_url = \"{}/v1\", model = \"home-1\", api_key_env = \
         \"FOREIGN_KEY\" }}\n[roles.pm]\nmodel = \"fast\"\n[roles.engineer]\nmodel = \"home\"\n",
        second.url
    );
    world.configure(&first.url, &more);
    lands(&world, world.baton(&["run", "--yes", BRIEF]), &start);
    let names = |server: &Server| {
        let all = server.asked();
        let mut names: Vec<String> = all.iter().map(|it| it["body"]["model"].to_string()).collect();
        names.dedup();
        names
    };
    assert_eq!(names(&first), ["\"stranger-fast\"", "\"stranger-1\""]);
    assert_eq!(names(&second), ["\"home-1\""]);
    let doctor = world.baton(&["doctor"]);
    for part in
        ["PM: stranger-fast", "Engineer: home-1", "Architect, Tester, Marketing: stranger-1"]
    {
        assert!(doctor.out.contains(part), "{}", doctor.out);
    }
}
