//! Many runs that talk at once, and two editors that listen: what is sent, and how often.

use super::den::Den;
use crate::cli::world::HONEST;
use crate::lsp::client::Editor;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const RUNS: usize = 10;
/// Of these the second editor watches so many.
const WATCHED: usize = 3;
const WORDS: usize = 200;
const WORD_MS: u64 = 10;
/// One look of the server's at what was gathered, at the soonest after the one before.
const LOOK_MS: u64 = 50;
const PROGRESS: &str = "baton/runProgress";

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const BEGIN: &str = r#"data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"slow","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

"#;
const END: &str = r#"data: {"type":"content_block_stop","index":0}

data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":200}}

data: {"type":"message_stop"}

"#;

/// A model that says the same words to everybody, one at a time, once it may; and after that nothing.
struct Slow {
    base_url: String,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Slow {
    fn start() -> Slow {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let gate = Arc::new(Gate::default());
        let at_gate = gate.clone();
        // It ends with the tests' process.
        std::thread::spawn(move || {
            let silent = Arc::new(Mutex::new(Vec::new()));
            for stream in listener.incoming().map_while(Result::ok) {
                let (gate, silent) = (at_gate.clone(), silent.clone());
                std::thread::spawn(move || {
                    silent.lock().unwrap().extend(answer(stream, &gate));
                });
            }
        });
        Slow { base_url, gate }
    }

    fn may_speak(&self) {
        *self.gate.is_open.lock().unwrap() = true;
        self.gate.opened.notify_all();
    }
}

fn word(n: usize) -> String {
    format!("word{n} ")
}

/// The stream, where nothing was said on it: the first question of a run is answered alone.
fn answer(mut stream: TcpStream, gate: &Gate) -> Option<TcpStream> {
    let mut input = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(it) = line.strip_prefix("content-length:") {
            length = it.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    let asked: Value = serde_json::from_slice(&body).ok()?;
    if 1 < asked["messages"].as_array()?.len() {
        return Some(stream);
    }
    stream.set_nodelay(true).ok()?;
    stream.write_all(format!("{HEAD}{BEGIN}").as_bytes()).ok()?;
    let closed = gate.is_open.lock().unwrap();
    drop(gate.opened.wait_while(closed, |is_open| !*is_open).unwrap());
    let (_wake, clock) = channel::<()>();
    for n in 0..WORDS {
        let delta = json!({ "type": "content_block_delta", "index": 0,
                            "delta": { "type": "text_delta", "text": word(n) } });
        stream.write_all(format!("data: {delta}\n\n").as_bytes()).ok()?;
        // The pace of a model.
        let waited = clock.recv_timeout(Duration::from_millis(WORD_MS));
        assert_eq!(waited, Err(RecvTimeoutError::Timeout));
    }
    stream.write_all(END.as_bytes()).ok()?;
    None
}

/// What an editor heard, run by run, until all of these had said everything; in how many messages.
fn listen(editor: &mut Editor, runs: usize) -> (BTreeMap<String, String>, usize) {
    let (mut said, mut messages) = (BTreeMap::<String, String>::new(), 0);
    let is_whole = |it: &String| it.contains(word(WORDS - 1).trim());
    while said.len() < runs || !said.values().all(is_whole) {
        let told = editor.told(PROGRESS, |_| true);
        messages += 1;
        let told = told["runs"].as_array().unwrap();
        assert!(!told.is_empty(), "a message without anything in it");
        let mut ids: Vec<&str> = told.iter().map(|it| it["run"].as_str().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), told.len(), "each run once");
        for it in told {
            assert_eq!(it["lost"], false, "{it}");
            let run = it["run"].as_str().unwrap().to_owned();
            said.entry(run).or_default().push_str(it["says"].as_str().unwrap());
        }
    }
    (said, messages)
}

/// Returns when all tasks are at work: their runs.
fn until_all_work(editor: &mut Editor) -> Vec<String> {
    loop {
        let board = editor.request("baton/board", json!({})).unwrap();
        let tasks = board["tasks"].as_array().unwrap();
        let runs: Vec<_> = tasks.iter().filter_map(|it| it["run"].as_str()).collect();
        if runs.len() == RUNS {
            return runs.into_iter().map(str::to_owned).collect();
        }
        let version = board["version"].as_u64();
        editor.told("baton/boardChanged", |it| version < it["version"].as_u64());
    }
}

#[test]
fn what_many_runs_say_comes_whole_in_few_messages_and_only_to_who_listens() {
    let slow = Slow::start();
    let den = Den::new(HONEST);
    let config = format!(
        "[model]\nprovider = \"anthropic\"\nmodel = \"slow\"\nbase_url = {:?}\n\n[at_once]\nruns_max = {RUNS}\n",
        slow.base_url
    );
    den.world.config(&config);
    let wish = json!({ "showMessage": false, "runProgress": true });
    let can = json!({ "experimental": { "baton": wish } });
    let (mut all, _) = Editor::open(den.command(&["lsp"]), &den.folder_uri(), can);
    all.ignored.extend(["baton/boardChanged", "baton/attention", PROGRESS]);
    let mut some = den.editor();
    let tasks: Vec<Value> = (0..RUNS)
        .map(|n| {
            let text = json!({ "text": format!("look at number {n}") });
            all.request("baton/delegate", text).unwrap()["task"].clone()
        })
        .collect();
    let runs = until_all_work(&mut some);
    let watched = &runs[..WATCHED];
    for run in watched {
        some.request("baton/watch", json!({ "run": run, "on": true })).unwrap();
    }
    let begun = Instant::now();
    slow.may_speak();
    let (said, messages) = listen(&mut all, RUNS);
    let bound = begun.elapsed().as_millis() / u128::from(LOOK_MS) + 1;
    assert!(messages as u128 <= bound, "{messages} messages, at most {bound}");
    let whole: String = (0..WORDS).map(word).collect();
    for (run, text) in &said {
        assert_eq!(text, &whole, "{run}");
    }
    // Whoever watches some hears those, and no others.
    let (heard, messages) = listen(&mut some, WATCHED);
    let bound = begun.elapsed().as_millis() / u128::from(LOOK_MS) + 1;
    assert!(messages as u128 <= bound, "{messages} messages, at most {bound}");
    assert!(heard.keys().all(|it| watched.contains(it)), "{:?} of {watched:?}", heard.keys());
    assert!(heard.values().all(|it| *it == whole), "{heard:?}");
    for run in watched {
        some.request("baton/watch", json!({ "run": run, "on": false })).unwrap();
    }
    some.ignored.push(PROGRESS);
    for task in tasks {
        all.request("baton/cancel", json!({ "task": task })).unwrap();
    }
    assert_eq!((all.end(), some.end()), (0, 0));
}
