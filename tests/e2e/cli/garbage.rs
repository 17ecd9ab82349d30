//! Garbage in: one clear sentence with the next step, the right exit code, nothing lost.

use super::world::{HONEST, Said, World, said};
use std::process::{Command, Stdio};

fn run(world: &World) -> Said {
    world.baton(&["run", "it is wrong"])
}

#[test]
fn no_repository() {
    let world = World::empty();
    world.script(HONEST);
    for asked in [&["run", "x"][..], &["board"], &["task", "T1"], &["undo", "T1"], &["trust"]] {
        world.baton(asked).ends(1).complains(&["failed to find a repository", "("]);
    }
}

#[test]
fn no_commit_yet() {
    let world = World::empty();
    world.script(HONEST);
    git2::Repository::init(&world.repo).unwrap();
    run(&world).ends(1).complains(&["commit", "("]);
}

#[test]
fn no_model() {
    let world = World::with_files(&[("a.txt", "a")]);
    run(&world).ends(1).complains(&["failed to find a model", "ANTHROPIC_API_KEY"]);
    world.baton(&["doctor"]).ends(1);
}

#[test]
fn a_broken_configuration_of_the_user() {
    let world = World::with_files(&[("a.txt", "a")]);
    world.config("[model]\nprovder = \"script\"\n");
    run(&world).ends(1).complains(&["failed to read your configuration", "provder"]);
    world.config("[model\n");
    run(&world).ends(1).complains(&["failed to read your configuration", "config.toml, line 1"]);
}

#[test]
fn a_broken_team_file_is_named_and_never_trusted() {
    let world = World::with_files(&[("a.txt", "a"), (".baton/team.toml", "[[check]\nname = 1\n")]);
    world.script(HONEST);
    world.baton(&["trust", "--yes"]).ends(1).complains(&["team.toml", "line 1"]);
    let ran = run(&world);
    assert!(ran.err.contains("ignored until you trust"), "{}", ran.err);
}

#[test]
fn a_full_disk() {
    let world = World::with(HONEST);
    let trusted: Vec<_> = std::fs::read_dir(world.state()).unwrap().collect();
    assert!(!trusted.is_empty());
    // The state on a disk of 64 KiB. Bubblewrap makes it without being root.
    let mut command = Command::new("bwrap");
    let full = world.dir.path().join("full");
    std::fs::create_dir(&full).unwrap();
    command
        .args(["--dev-bind", "/", "/", "--size", "65536", "--tmpfs"])
        .arg(&full)
        .arg(env!("CARGO_BIN_EXE_baton"))
        .args(["run", "it is wrong"])
        .current_dir(&world.repo)
        .stdin(Stdio::null());
    world.surround(&mut command);
    command.env("BATON_STATE_DIR", &full);
    let before = world.head();
    said(&command.output().unwrap()).ends(1).complains(&["failed to", "disk", "("]);
    assert_eq!((world.head(), world.answer()), (before, "wrong\n".to_owned()));
}

#[test]
fn no_bubblewrap_asks_for_each_command_and_runs_none_unasked() {
    let world = World::with(HONEST);
    // Else this machine may have a weaker level that needs no bubblewrap.
    let config = world.dir.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap() + "\n[sandbox]\nlevel = \"full\"\n";
    std::fs::write(&config, text).unwrap();
    let tools = world.dir.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink(which("grep"), tools.join("grep")).unwrap();
    let bare = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        said(&command.env("PATH", &tools).output().unwrap())
    };
    let ran = bare(&["run", "it is wrong"]);
    ran.ends(2);
    assert!(ran.err.contains("A1 waits for you"), "{}", ran.err);
    assert!(ran.err.contains("baton answer A1 approve"), "{}", ran.err);
    let task = bare(&["task", "T1", "--json"]).ends(0).json();
    let receipts = task["runs"].as_array().unwrap().iter().flat_map(|it| it["receipts"].as_array());
    assert_eq!(receipts.flatten().count(), 0, "nothing may have run");
    // Approved: exactly this round runs, the next one asks again.
    bare(&["answer", "A1", "approve"]).ends(2);
    let board = bare(&["board", "--json"]).ends(0).json();
    assert_eq!(board["approvals"][0]["id"], "A2");
    assert_eq!(board["approvals"][0]["subject"], "commands");
    bare(&["sandbox", "--", "true"]).ends(1).complains(&["failed to run the command confined"]);
}

fn which(program: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|it| it.join(program)).find(|it| it.exists()).unwrap()
}

#[test]
fn a_server_that_is_not_there_parks_the_task_and_a_retry_goes_on() {
    let world = World::with(HONEST);
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.config(&format!(
        "[model]\nprovider = \"anthropic\"\nbase_url = \"http://127.0.0.1:{port}\"\nmodel = \"m\"\n"
    ));
    let ran = run(&world);
    ran.ends(1);
    assert!(ran.err.contains("T1 is parked"), "{}", ran.err);
    assert!(ran.err.contains("baton retry T1"), "{}", ran.err);
    world.script(HONEST);
    world.baton(&["retry", "T1"]).ends(2);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    assert_eq!(world.answer(), "right\n");
}

#[test]
fn a_wrong_key_parks_the_task_and_is_never_shown() {
    let world = World::with(HONEST);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let script = format!("key = \"the-right-key\"\n{HONEST}");
    let script = baton::model::rehearsal::Script::parse(&script).unwrap();
    let server = runtime.block_on(baton::model::rehearsal::serve(script)).unwrap();
    let config = format!(
        "[model]\nprovider = \"anthropic\"\nbase_url = \"{}\"\nmodel = \"m\"\napi_key_env = \"MY_KEY\"\n",
        server.base_url
    );
    world.config(&config);
    let with_key = |key: Option<&str>, arguments: &[&str]| {
        let mut command = world.command(arguments);
        if let Some(key) = key {
            command.env("MY_KEY", key);
        }
        said(&command.output().unwrap())
    };
    let ran = with_key(Some("the-wrong-key-0123456789"), &["run", "it is wrong"]);
    ran.ends(1);
    assert!(ran.err.contains("T1 is parked") && ran.err.contains("key"), "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains("wrong-key"), "the key was shown");
    let looked = with_key(Some("the-wrong-key-0123456789"), &["doctor"]);
    assert!(
        looked.out.contains("with a key") && !looked.out.contains("wrong-key"),
        "{}",
        looked.out
    );
    with_key(None, &["retry", "T1"]).ends(1);
    with_key(Some("the-right-key"), &["retry", "T1"]).ends(2);
}

#[test]
fn two_processes_on_one_repository() {
    let slow = HONEST.replacen("[[run.reply]]", "[[run.reply]]\ndelay_ms = 60000", 1);
    let world = World::with(&slow);
    let mut first = world.command(&["run", "it is wrong"]).stdout(Stdio::piped()).spawn().unwrap();
    read_until(&mut first, "delegated T1");
    let pid = first.id().to_string();
    run(&world).ends(1).complains(&["failed to open this repository's team", &pid]);
    // Looking takes no lock.
    assert!(world.baton(&["board"]).ends(0).out.contains("T1"));
    assert!(world.baton(&["doctor"]).out.contains(&pid));
    first.kill().unwrap();
    first.wait().unwrap();
    // Killed, and nothing is lost: the next one goes on with it.
    world.script(HONEST);
    world.baton(&["resume"]).ends(2);
    world.baton(&["answer", "A1", "approve"]).ends(0);
    assert_eq!(world.answer(), "right\n");
}

/// Reads the child's output up to a line with this text.
pub fn read_until(child: &mut std::process::Child, text: &str) {
    use std::io::{BufRead, BufReader};
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = out.lines();
    let found = lines.by_ref().any(|it| it.unwrap().contains(text));
    assert!(found, "it ended without {text:?}");
    // Keeps reading, so that the child never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
}

#[test]
fn what_is_not_there_is_said_so() {
    let world = World::with(HONEST);
    world.baton(&["task", "T9"]).ends(1).complains(&["there is no such task", "baton board"]);
    world.baton(&["diff", "T9"]).ends(1).complains(&["there is no such task"]);
    world.baton(&["answer", "A9", "approve"]).ends(3).complains(&["refused to", "A9"]);
    world.baton(&["answer", "Q9", "yes"]).ends(3).complains(&["Q9"]);
    world.baton(&["undo", "T9"]).ends(3).complains(&["T9"]);
    world.baton(&["retry", "T9"]).ends(3).complains(&["T9"]);
    world.baton(&["cancel", "T9"]).ends(3).complains(&["T9"]);
    world.baton(&["resume", "T9"]).ends(3).complains(&["T9"]);
    world.baton(&["replay", "R9.1"]).ends(1).complains(&["no such receipt"]);
    world.baton(&["demo", "--script", "nowhere.toml"]).ends(1).complains(&["nowhere.toml"]);
}
