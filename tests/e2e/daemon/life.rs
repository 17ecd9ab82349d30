//! How a daemon begins and ends.

use super::den::Den;
use crate::cli::world::HONEST;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// The Engineer thinks for so long before its first word.
pub fn slow(ms: u32) -> String {
    let first = "duty = \"change\"\n[[run.reply]]\n";
    let script = HONEST.replace(first, &format!("{first}delay_ms = {ms}\n"));
    assert_ne!(script, HONEST);
    script
}

#[test]
fn it_is_started_looked_at_and_stopped() {
    let den = Den::new(HONEST);
    assert!(den.status().is_null());
    assert!(den.baton(&["daemon", "status"]).ends(1).out.contains("No daemon runs"));
    den.baton(&["daemon", "start"]).ends(0);
    let pid = den.pid();
    den.baton(&["daemon", "start"]).ends(0);
    assert_eq!(den.pid(), pid, "a second start finds the first");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&den.file(".sock").unwrap()), mode(&den.folder())), (0o600, 0o700));
    let lock = std::fs::read_to_string(den.file(".lock").unwrap()).unwrap();
    assert_eq!(lock.trim(), pid.to_string());
    den.baton(&["board"]).ends(0);
    let status = den.baton(&["daemon", "status"]).ends(0).out.clone();
    assert!(status.contains(&format!("process {pid}")), "{status}");
    assert!(den.baton(&["daemon", "stop"]).ends(0).out.contains("has ended"));
    assert!(den.status().is_null());
    assert_eq!(den.file(".sock"), None);
    let log = std::fs::read_to_string(den.file("log").unwrap()).unwrap();
    assert!(log.contains("listening") && log.contains("ended"), "{log}");
    den.baton(&["daemon", "stop"]).ends(0);
}

#[test]
fn many_starts_at_once_make_one() {
    let den = Den::new(HONEST);
    let mut all = Vec::new();
    for _ in 0..8 {
        let mut command = den.command(&["daemon", "start", "--json"]);
        all.push(command.stdout(Stdio::piped()).spawn().unwrap());
    }
    let pids = all.into_iter().map(|it| {
        let output = it.wait_with_output().unwrap();
        assert!(output.status.success());
        let says: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        says["pid"].as_i64().unwrap()
    });
    let pids: std::collections::BTreeSet<_> = pids.collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
}

#[test]
fn what_a_killed_one_left_behind_is_replaced() {
    let den = Den::new(HONEST);
    den.baton(&["daemon", "start"]).ends(0);
    den.kill();
    assert!(den.file(".sock").is_some(), "nobody was there to remove it");
    assert!(den.status().is_null());
    den.baton(&["run", "--yes", "the answer is wrong"]).ends(0);
    assert_eq!(den.world.answer(), "right\n");
}

#[test]
fn it_ends_when_nobody_needs_it_and_not_before() {
    let den = Den::new(&slow(2_500));
    let config = den.world.dir.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    den.world.config(&format!("{text}\n[daemon]\nidle_s_max = 1\n"));
    let task = den.baton(&["run", "--detach", "--yes", "the answer is wrong"]);
    assert_eq!(task.ends(0).out, "T1\n");
    den.until_it_ends();
    // Nobody was connected for longer than it stays without work.
    assert_eq!(den.world.answer(), "right\n");
    assert!(den.status().is_null());
}

#[test]
fn it_takes_nothing_from_whoever_starts_it() {
    let den = Den::new(HONEST);
    let mut command = den.command(&["daemon", "start"]);
    command.env("SECRET_TOKEN", "x").env("LD_PRELOAD", "").env("PATH", "/somewhere:/usr/bin:/bin");
    assert!(command.env("LC_TIME", "C").status().unwrap().success());
    let pid = den.pid();
    let Ok(text) = std::fs::read(format!("/proc/{pid}/environ")) else {
        // Not even its own user can read it: the system keeps it from others' debuggers.
        return;
    };
    let text = String::from_utf8(text).unwrap();
    let names: Vec<&str> = text.split('\0').filter_map(|it| it.split('=').next()).collect();
    let fits = |it: &&str| {
        it.is_empty()
            || ["HOME", "PATH", "LANG", "LANGUAGE"].contains(it)
            || ["XDG_", "LC_", "BATON_"].iter().any(|start| it.starts_with(start))
    };
    assert!(names.iter().all(fits) && names.contains(&"LC_TIME"), "{names:?}");
    assert!(!text.contains("/somewhere"), "{text}");
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
}

#[test]
fn a_polite_end_closes_all_and_what_was_under_way_goes_on() {
    let den = Den::new(&slow(60_000));
    assert_eq!(den.baton(&["run", "--detach", "--yes", "it is wrong"]).ends(0).out, "T1\n");
    let pid = rustix::process::Pid::from_raw(den.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    den.until_it_ends();
    assert_eq!(den.file(".sock"), None);
    den.world.script(HONEST);
    den.baton(&["resume"]).ends(0);
    assert_eq!(den.world.answer(), "right\n");
}

#[test]
fn a_key_that_it_was_started_without_is_fetched_or_asked_for() {
    let den = Den::new(HONEST);
    let key = "OWN_KEY_VARIABLE";
    let text = format!("[model]\nprovider = \"anthropic\"\napi_key_env = \"{key}\"\n");
    den.world.config(&text);
    den.baton(&["daemon", "start"]).ends(0);
    let first = den.pid();
    let with_key = |arguments: &[&str]| {
        let mut command = den.command(arguments);
        crate::cli::world::said(&command.env(key, "sk-none").output().unwrap())
    };
    with_key(&["cancel", "T9"]).ends(3);
    let second = den.pid();
    assert_ne!(first, second, "an idle one is replaced by one with the key");
    assert_eq!(with_key(&["cancel", "T9"]).ends(3).err.lines().count(), 1);
    assert_eq!(den.pid(), second);
    den.baton(&["daemon", "stop"]).ends(0);
    let editor = den.editor();
    let third = den.pid();
    let asked = with_key(&["cancel", "T9"]);
    assert!(asked.err.contains(&format!("without {key}")), "{}", asked.err);
    assert_eq!(den.pid(), third, "somebody is connected");
    assert_eq!(editor.end(), 0);
}

#[test]
fn no_confined_command_sees_the_socket() {
    let den = Den::new(HONEST);
    den.baton(&["daemon", "start"]).ends(0);
    let socket = den.file(".sock").unwrap();
    let look = format!("test -e '{}' && echo there || echo nothing", socket.display());
    let seen = den.baton(&["sandbox", "--", "sh", "-c", &look]);
    // Without a sandbox nothing runs at all.
    assert!(seen.out == "nothing\n" || seen.err.contains("sandbox"), "{} {}", seen.out, seen.err);
}

#[test]
fn an_older_one_makes_room_unless_it_is_busy() {
    let den = Den::new(HONEST);
    den.baton(&["daemon", "start"]).ends(0);
    let (old, version) = (den.pid(), den.status()["version"].clone());
    let editor = den.editor();
    let newer = |arguments: &[&str]| {
        let mut command = den.command(arguments);
        crate::cli::world::said(&command.env("BATON_PRETEND_VERSION", "99.0.0").output().unwrap())
    };
    let ran = newer(&["run", "--no-land", "the answer is wrong"]);
    ran.ends(0);
    assert!(ran.err.contains("restart when idle"), "{}", ran.err);
    assert_eq!((den.pid(), &den.status()["version"]), (old, &version), "somebody was connected");
    assert_eq!(editor.end(), 0);
    let answered = newer(&["answer", "A1", "approve"]);
    answered.ends(0);
    assert_eq!(answered.err, "");
    assert_eq!(den.status()["version"], "99.0.0");
    assert_ne!(den.pid(), old);
    assert_eq!(den.world.answer(), "right\n");
    // The older caller takes the newer daemon as it is.
    den.baton(&["undo", "T1"]).ends(0);
    assert_eq!(den.status()["version"], "99.0.0");
}
