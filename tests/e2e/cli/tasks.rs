//! Tasks from the command line: run, look, answer, undo, park, resume, replay.

use super::garbage::read_until;
use super::world::{HONEST, World, said};
use std::process::Stdio;

#[test]
fn a_rule_lands_what_is_proven() {
    let world = World::with(HONEST);
    let before = world.head();
    let ran = world.baton(&["run", "--yes", "the answer is wrong"]);
    ran.ends(0);
    assert!(ran.out.contains("landed T1 on main"), "{}", ran.out);
    assert!(ran.out.contains("by the rule you set"), "{}", ran.out);
    assert!(ran.out.contains("My time"), "{}", ran.out);
    assert_eq!(world.answer(), "right\n");
    assert_ne!(world.head(), before);
    let status = world.baton(&["status", "--json"]).ends(0).json();
    assert_eq!((&status["shipped"], &status["shippedByRule"]), (&1.into(), &1.into()));
    assert_eq!(world.baton(&["status", "--short"]).ends(0).out, "\n");
}

#[test]
fn a_rule_lands_nothing_that_runs_by_itself() {
    let script = HONEST.replace(
        "[[run.reply.call]]\nname = \"hand_over_change\"",
        "[[run.reply.call]]\nname = \"write_file\"\ninput = { path = \"build.rs\", text = \"fn main() {}\\n\" }\n\
         [[run.reply.call]]\nname = \"hand_over_change\"",
    );
    let world = World::with(&script);
    let ran = world.baton(&["run", "--yes", "the answer is wrong"]);
    ran.ends(2);
    assert!(ran.err.contains("--tick build.rs"), "{}", ran.err);
    world.baton(&["answer", "A1", "approve"]).ends(3).complains(&["build.rs", "--tick"]);
    world.baton(&["answer", "A1", "approve", "--tick", "build.rs"]).ends(0);
    assert!(world.repo.join("build.rs").exists());
}

#[test]
fn without_a_person_the_approval_waits() {
    let world = World::with(HONEST);
    let before = world.head();
    let ran = world.baton(&["run", "the answer is wrong"]);
    ran.ends(2);
    assert!(ran.err.contains("baton answer A1 approve"), "{}", ran.err);
    assert_eq!((world.answer().as_str(), world.head()), ("wrong\n", before));
    let board = world.baton(&["board", "--json"]).ends(0).json();
    assert_eq!(board["approvals"][0]["id"], "A1");
    assert!(board["approvals"][0]["proof"].as_str().unwrap().contains("+1 -1 in 1 file"));
    assert!(world.baton(&["board"]).ends(0).out.contains("needs you"));
    assert_eq!(world.baton(&["status", "--short"]).ends(0).out, "1 needs you\n");
    world.baton(&["answer", "A1", "reject", "-m", "not like this"]).ends(0);
    assert_eq!(world.answer(), "wrong\n");
    world.baton(&["answer", "A1", "approve"]).ends(3).complains(&["already answered"]);
}

#[test]
fn the_candidate_is_enough_where_nothing_shall_land() {
    let world = World::with(HONEST);
    world.baton(&["run", "--no-land", "the answer is wrong"]).ends(0);
    let made = world.baton(&["checkout", "T1", "--json"]).ends(0).json();
    let result = std::path::Path::new(made["path"].as_str().unwrap()).join("answer.txt");
    assert_eq!(std::fs::read_to_string(result).unwrap(), "right\n");
    assert_eq!(world.baton(&["checkout", "T1"]).ends(0).out.trim(), made["path"]);
    world.baton(&["checkout", "T2"]).ends(3).complains(&["no task T2"]);
    assert_eq!(world.answer(), "wrong\n");
    let patch = world.baton(&["diff", "T1", "--patch"]).ends(0).out.clone();
    assert!(patch.contains("-wrong\n+right\n"), "{patch}");
    let diff = world.baton(&["diff", "T1", "--json"]).ends(0).json();
    assert_eq!(diff["files"][0]["file"]["path"], "answer.txt");
    assert!(world.baton(&["diff", "T1"]).ends(0).out.contains("answer.txt"));
    let landed = world.baton(&["answer", "A1", "approve", "--json"]);
    landed.ends(0);
    let kinds: Vec<_> = landed.json_lines().iter().map(|it| it["event"].clone()).collect();
    assert_eq!(kinds.first().unwrap(), "approvalAnswered");
    assert_eq!(kinds.last().unwrap(), "taskLanded");
    assert_eq!(world.answer(), "right\n");
}

#[test]
fn what_landed_can_be_taken_back_once() {
    let world = World::with(HONEST);
    let before = world.head();
    world.baton(&["run", "--yes", "the answer is wrong"]).ends(0);
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!((world.answer().as_str(), world.head()), ("wrong\n", before));
    world.baton(&["undo", "T1"]).ends(3).complains(&["already taken back"]);
}

/// The folder of the one repository.
fn log_dir(world: &World) -> std::path::PathBuf {
    let mut all = std::fs::read_dir(world.state()).unwrap().map(|it| it.unwrap().path());
    all.find(|it| it.join(baton::store::DATABASE).exists()).unwrap()
}

/// As after years: nothing of the task is in the events that a start replays.
#[test]
fn a_task_that_ended_long_ago_can_be_shown_and_taken_back() {
    let world = World::with(HONEST);
    let before = world.head();
    world.baton(&["run", "--yes", "the answer is wrong"]).ends(0);
    let shown = world.baton(&["task", "T1", "--json"]).ends(0).json();
    let reported = world.baton(&["report", "--json"]).ends(0).json();
    let mut opened = baton::store::Store::open(&log_dir(&world)).unwrap();
    opened.store.checkpoint(&mut opened.team).unwrap();
    drop(opened);

    assert_eq!(world.baton(&["task", "T1", "--json"]).ends(0).json(), shown);
    let again = world.baton(&["report", "--json"]).ends(0).json();
    assert_eq!((&again["all"], &again["tasks"]), (&reported["all"], &reported["tasks"]));
    world.baton(&["diff", "T1"]).ends(0);
    world.baton(&["undo", "T1"]).ends(0);
    assert_eq!((world.answer().as_str(), world.head()), ("wrong\n", before));
    let board = world.baton(&["board", "--all", "--json"]).ends(0).json();
    assert_eq!((&board["tasks"][0]["state"], &board["more"]), (&"undone".into(), &0.into()));
    let opened = baton::store::Store::open(&log_dir(&world)).unwrap();
    let reader = baton::store::Reader::open(&log_dir(&world)).unwrap();
    let mut replayed = team::Team::default();
    reader.events(0, 10_000).unwrap().iter().for_each(|it| replayed.apply(&it.2));
    assert_eq!(opened.team, replayed);
}

#[test]
fn a_program_reads_one_event_a_line() {
    let world = World::with(HONEST);
    let ran = world.baton(&["run", "--yes", "--json", "the answer is wrong"]);
    ran.ends(0);
    let lines = ran.json_lines();
    let versions: Vec<_> = lines.iter().map(|it| it["version"].as_u64().unwrap()).collect();
    let expected: Vec<_> = (1..=u64::try_from(lines.len()).unwrap()).collect();
    assert_eq!(versions, expected, "no gaps, no repeats");
    assert_eq!(lines.first().unwrap()["event"], "taskDelegated");
    assert_eq!(lines.last().unwrap()["event"], "taskLanded");
    assert!(lines.iter().all(|it| it["task"] == "T1"), "every event names its task");
    let log = world.baton(&["log", "--json"]).ends(0).json_lines();
    assert_eq!(log, lines, "the log says the same");
    let last = world.baton(&["log", "--last", "1"]).ends(0).out.clone();
    assert!(last.contains("landed T1") && last.lines().count() == 1, "{last}");
    assert_eq!(world.baton(&["log", "--task", "T7", "--json"]).ends(0).out, "");
}

#[test]
fn one_task_is_shown_whole() {
    let world = World::with(HONEST);
    world.baton(&["run", "--yes", "the answer is wrong"]).ends(0);
    let text = world.baton(&["task", "T1"]).ends(0).out.clone();
    for part in ["the answer is wrong", "Engineer", "made it right", "it is right", "grep -q right"]
    {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let task = world.baton(&["task", "t1", "--json"]).ends(0).json();
    assert_eq!(task["state"], "landed");
    let receipts = task["runs"].as_array().unwrap().iter().flat_map(|it| it["receipts"].as_array());
    let green: Vec<_> = receipts.flatten().filter(|it| it["green"] == true).collect();
    let receipt = green.last().unwrap()["id"].as_str().unwrap().to_owned();
    let again = world.baton(&["replay", &receipt, "--json"]).ends(0).json();
    assert_eq!((&again["same"], &again["now"]), (&true.into(), &"exit 0".into()));
    assert!(world.baton(&["replay", &receipt]).ends(0).out.contains("the same"));
    assert!(world.baton(&["board"]).ends(0).out.contains("1 ended"));
    assert!(world.baton(&["board", "--all"]).ends(0).out.contains("shipped"));
}

#[test]
fn the_brief_may_come_from_standard_input() {
    let world = World::with(HONEST);
    let mut child = world
        .command(&["run", "-", "--yes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write;
    child.stdin.take().unwrap().write_all(b"it is wrong\nsince Tuesday\n").unwrap();
    said(&child.wait_with_output().unwrap()).ends(0);
    let task = world.baton(&["task", "T1", "--json"]).json();
    assert_eq!(task["brief"]["text"], "it is wrong\nsince Tuesday\n");
}

#[test]
fn a_task_starts_from_what_is_seen_or_from_head() {
    for (from, expected) in [("seen", "seen"), ("head", "head")] {
        let world = World::with(HONEST);
        std::fs::write(world.repo.join("mine.txt"), "not committed").unwrap();
        world.baton(&["run", "--no-land", "--from", from, "it is wrong"]).ends(0);
        let task = world.baton(&["task", "T1", "--json"]).json();
        assert_eq!(task["brief"]["start"], expected);
        let same = task["base"]["base"] == task["base"]["seen"];
        assert_eq!(same, from == "head", "{}", task["base"]);
    }
}

#[test]
fn ctrl_c_parks_and_resume_goes_on() {
    let slow = HONEST.replacen("[[run.reply]]", "[[run.reply]]\ndelay_ms = 60000", 1);
    let world = World::with(&slow);
    let mut child = world
        .command(&["run", "it is wrong"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    read_until(&mut child, "starts (R1)");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = said(&child.wait_with_output().unwrap());
    ended.ends(130);
    assert!(ended.err.contains("baton resume"), "{}", ended.err);
    assert!(world.baton(&["board"]).out.contains("stopped by you"));
    world.script(HONEST);
    world.baton(&["resume"]).ends(2);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    assert_eq!(world.answer(), "right\n");
    assert!(world.baton(&["resume"]).ends(0).out.contains("Nothing was under way"));
}

#[test]
fn a_question_is_answered_and_the_task_goes_on() {
    let script = HONEST.replacen(
        "[[run]]\nduty = \"change\"\n[[run.reply]]",
        "[[run]]\nduty = \"change\"\nmatch = \"the answer to Q1\"\n[[run.reply]]\n\
         [[run.reply.call]]\nname = \"edit_file\"\ninput = { path = \"answer.txt\", old = \"wrong\", new = \"right\" }\n\
         [[run.reply.call]]\nname = \"hand_over_change\"\ninput = { summary = \"as you said\" }\n\
         [[run]]\nduty = \"change\"\n[[run.reply]]\n[[run.reply.call]]\nname = \"ask\"\n\
         input = { question = \"Which?\", options = [\"right\", \"left\"], default = \"right\", stakes = \"little\" }\n\
         [[run]]\nduty = \"change\"\nmatch = \"never\"\n[[run.reply]]",
        1,
    );
    let world = World::with(&script);
    let ran = world.baton(&["run", "it is wrong"]);
    ran.ends(2);
    assert!(ran.err.contains("baton answer Q1"), "{}", ran.err);
    world.baton(&["answer", "Q1", "1"]).ends(2);
    let task = world.baton(&["task", "T1", "--json"]).json();
    assert_eq!(task["questions"][0]["answer"], "right");
    assert_eq!(task["approvals"][0]["state"], "open");
}

#[test]
fn a_parked_task_can_be_cancelled() {
    let script = HONEST.replacen(
        "name = \"read_file\"\ninput = { path = \"answer.txt\" }",
        "name = \"decline\"\ninput = { why = \"I don't know\" }",
        1,
    );
    let world = World::with(&script);
    let ran = world.baton(&["run", "it is wrong"]);
    ran.ends(2);
    assert!(ran.err.contains("T1 is parked: I don't know"), "{}", ran.err);
    world.baton(&["cancel", "T1"]).ends(0);
    world.baton(&["retry", "T1"]).ends(3).complains(&["has ended"]);
}
