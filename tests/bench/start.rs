//! The start of the language server, and what it holds in memory when nothing goes on.

use crate::forest::{Forest, M, S};
use crate::measure::{Bench, median, median_of, ratio, timed};
use crate::world::BATON;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The goal speaks of a bare `tower-lsp` server; the bare start of this binary does less than that,
/// so this asks for more.
const STARTS_MAX: f64 = 5.0;
const MEMORY_MIB_MAX: f64 = 25.0;

pub fn measure(bench: &mut Bench) {
    let place = bench.memory().join("start");
    let forest = Forest::grow(&place, "repository", if bench.quick { S } else { M });
    fs::create_dir_all(place.join("home")).unwrap();
    let rounds = if bench.quick { 5 } else { 20 };

    let floor = median_of(rounds, |_| {
        let mut command = baton(&place, &forest.root);
        assert!(command.arg("--version").stdout(Stdio::null()).status().unwrap().success());
    });
    let (mut times, mut memory) = (vec![], vec![]);
    for _ in 0..rounds {
        let (time, child) = timed(|| initialized(&place, &forest.root));
        times.push(time);
        memory.push(resident_mib(child.id()));
        end(child);
    }
    let (time, memory) = (median(times), median(memory));
    bench.say("baton --version", floor, "floor: this binary starts and ends");
    bench.say("baton lsp --in-process: initialize answered", time, &ratio(time / floor));
    bench.say_plain("resident after initialize, no repository open", &format!("{memory:.1} MiB"));
    let text = format!("P3: initialize answered in {} of the bare start", ratio(time / floor));
    bench.goal(&format!("{text} (at most {STARTS_MAX}x)"), time <= STARTS_MAX * floor);
    let text = format!("P3: {memory:.1} MiB resident after initialize (at most {MEMORY_MIB_MAX})");
    bench.goal(&text, memory <= MEMORY_MIB_MAX);
    fs::remove_dir_all(place).unwrap();
}

fn baton(place: &Path, root: &Path) -> Command {
    let mut command = Command::new(BATON);
    command.current_dir(root).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", place.join("home"));
    command.env("BATON_CONFIG", place.join("home/config.toml"));
    command.env("BATON_STATE_DIR", place.join("state"));
    command
}

/// Starts the server and waits for the answer to its first request.
fn initialized(place: &Path, root: &Path) -> Child {
    let mut command = baton(place, root);
    command.args(["lsp", "--in-process"]).stdin(Stdio::piped()).stdout(Stdio::piped());
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
    let input = child.stdin.as_mut().unwrap();
    write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    input.flush().unwrap();
    // It may speak of other things first.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    while !message(&mut output).contains("\"capabilities\"") {}
    child.stdout = Some(output.into_inner());
    child
}

fn message(output: &mut impl BufRead) -> String {
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() != 0, "the server is gone");
        if line.trim().is_empty() {
            break;
        }
        if let Some(it) = line.strip_prefix("Content-Length: ") {
            length = it.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn resident_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}

/// Its input ends, so does it.
fn end(mut child: Child) {
    drop(child.stdin.take());
    child.wait().unwrap();
}
