//! The start of the language server: through a daemon that runs, with one that has to be started, and
//! all in one process; and what the daemon holds and does when nothing goes on.

use crate::bare;
use crate::forest::{Forest, M, S};
use crate::measure::{Bench, median, median_of, ratio, timed};
use crate::world::BATON;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

const RUNNING_MAX: f64 = 1.5;
const COLD_MAX: f64 = 5.0;
const MEMORY_MIB_MAX: f64 = 25.0;
const IDLE_CORES_MAX: f64 = 0.01;
/// How long an idle daemon is watched.
const IDLE_S: u64 = 10;
/// The system counts a process's time in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

pub fn measure(bench: &mut Bench) {
    let place = bench.memory().join("start");
    let forest = Forest::grow(&place, "repository", if bench.quick { S } else { M });
    fs::create_dir_all(place.join("home")).unwrap();
    let rounds = if bench.quick { 5 } else { 20 };
    let root = &forest.root;

    let version = median_of(rounds, |_| {
        let mut command = at_home(&place, root, Command::new(BATON));
        assert!(command.arg("--version").stdout(Stdio::null()).status().unwrap().success());
    });
    // One after the other in each round, so that other work on this machine hits all of them.
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        let starts: [&dyn Fn() -> Child; 4] = [
            &|| initialized(at_home(&place, root, bare::command()), root),
            &|| initialized(baton(&place, root, &["--in-process", "lsp"]), root),
            // The daemon is started by the first of these two, and found by the second.
            &|| initialized(baton(&place, root, &["lsp"]), root),
            &|| initialized(baton(&place, root, &["lsp"]), root),
        ];
        for (start, times) in starts.iter().zip(&mut times) {
            let (time, child) = timed(start);
            times.push(time);
            end(child);
        }
        stop(&place, root);
    }
    let [floor, in_process, cold, running] = times.map(median);
    bench.say("baton --version", version, "this binary starts and ends");
    bench.say("bare tower-lsp: initialize answered", floor, "floor");
    bench.say("baton lsp --in-process: the same", in_process, &ratio(in_process / floor));
    bench.say("baton lsp, daemon running: the same", running, &ratio(running / floor));
    bench.say("baton lsp, daemon to be started: the same", cold, &ratio(cold / floor));
    let text =
        format!("P3: proxy and running daemon, {} of bare tower-lsp", ratio(running / floor));
    bench.goal(&format!("{text} (at most {RUNNING_MAX}x)"), running <= RUNNING_MAX * floor);
    let text = format!("P3: cold daemon, {} of bare tower-lsp", ratio(cold / floor));
    bench.goal(&format!("{text} (at most {COLD_MAX}x)"), cold <= COLD_MAX * floor);
    idle(bench, &place, root);
    fs::remove_dir_all(place).unwrap();
}

/// A daemon with an open repository and one editor, and nothing to do.
fn idle(bench: &mut Bench, place: &Path, root: &Path) {
    let mut editor = initialized(baton(place, root, &["lsp"]), root);
    let input = editor.stdin.as_mut().unwrap();
    say(input, r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#);
    say(input, r#"{"jsonrpc":"2.0","id":2,"method":"baton/board","params":{}}"#);
    hear(&mut editor, "\"tasks\"");
    let status = baton(place, root, &["daemon", "status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let pid = u32::try_from(status["pid"].as_u64().unwrap()).unwrap();
    let (memory, proxy) = (resident_mib(pid), resident_mib(editor.id()));
    let before = ticks(pid);
    // Time is what is measured against: nothing happens in it.
    let (_wake, alarm) = std::sync::mpsc::channel::<()>();
    let _ = alarm.recv_timeout(Duration::from_secs(IDLE_S));
    #[expect(clippy::cast_precision_loss, reason = "a handful of ticks")]
    let cores = (ticks(pid) - before) as f64 / TICKS_A_SECOND / IDLE_S as f64;
    bench.say_plain("daemon resident, one repository open", &format!("{memory:.1} MiB"));
    bench.say_plain("proxy resident", &format!("{proxy:.1} MiB"));
    bench.say_plain("daemon busy when idle", &format!("{cores:.3} cores"));
    let text = format!("P3: {memory:.1} MiB resident, daemon with a repository open");
    bench.goal(&format!("{text} (at most {MEMORY_MIB_MAX})"), memory <= MEMORY_MIB_MAX);
    let text = format!("P11: an idle daemon takes {cores:.3} cores (at most {IDLE_CORES_MAX})");
    bench.goal(&text, cores <= IDLE_CORES_MAX);
    end(editor);
    stop(place, root);
}

fn at_home(place: &Path, root: &Path, mut command: Command) -> Command {
    command.current_dir(root).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", place.join("home"));
    command.env("BATON_CONFIG", place.join("home/config.toml"));
    command.env("BATON_STATE_DIR", place.join("state"));
    command
}

pub fn baton(place: &Path, root: &Path, arguments: &[&str]) -> Command {
    let mut command = at_home(place, root, Command::new(BATON));
    command.args(arguments);
    command
}

pub fn stop(place: &Path, root: &Path) {
    let mut stop = baton(place, root, &["daemon", "stop"]);
    assert!(stop.stdout(Stdio::null()).status().unwrap().success());
}

/// Starts a server and waits for the answer to its first request.
pub fn initialized(mut command: Command, root: &Path) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let folder = format!("file://{}", root.display());
    let body = serde_json::json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "processId": null, "rootUri": folder, "capabilities": {},
            "workspaceFolders": [{ "uri": folder, "name": "repository" }],
        },
    })
    .to_string();
    say(child.stdin.as_mut().unwrap(), &body);
    hear(&mut child, "\"capabilities\"");
    child
}

pub fn say(input: &mut ChildStdin, body: &str) {
    write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    input.flush().unwrap();
}

/// Reads up to the message with this in it; the server may speak of other things first.
fn hear(child: &mut Child, text: &str) {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    while !message(&mut output).expect("the server is gone").contains(text) {}
    child.stdout = Some(output.into_inner());
}

/// `None`: the server is gone.
pub fn message(output: &mut impl BufRead) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(it) = line.strip_prefix("Content-Length: ") {
            length = it.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).unwrap();
    Some(String::from_utf8(body).unwrap())
}

fn resident_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}

/// The processor time of a process so far, in ticks.
pub fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Its input ends, so does it.
pub fn end(mut child: Child) {
    drop(child.stdin.take());
    child.wait().unwrap();
}
