//! A person types in a document of a megabyte and asks for code actions, in a repository with hundreds
//! of tasks behind it: what each key press and each menu costs, over the wire.

use crate::events::play_task;
use crate::forest::{Forest, S};
use crate::measure::{Bench, median, ms};
use crate::start::{baton, end, initialized, message, say};
use baton::store::{DATABASE, Store};
use serde_json::{Value, json};
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};
use team::{Millis, Team};

const TASKS: usize = 500;
const DOCUMENT_BYTES: usize = 1 << 20;
const KEYS: usize = 2_000;
const KEYS_IN_A_ROW: usize = 200;
const ACTION_MS_MAX: f64 = 5.0;
const KEY_MS_MAX: f64 = 0.2;

struct Typist {
    child: Child,
    output: BufReader<ChildStdout>,
    uri: String,
    version: u64,
    asked: u64,
}

pub fn measure(bench: &mut Bench) {
    let place = bench.memory().join("keys");
    let forest = Forest::grow(&place, "repository", S);
    fs::create_dir_all(place.join("home")).unwrap();
    let mut typist = Typist::start(&place, &forest.root);
    typist.ask("baton/board", json!({}));
    end(typist.child);
    fill(&log_of(&place.join("state")));

    let mut typist = Typist::start(&place, &forest.root);
    let board = typist.ask("baton/board", json!({}));
    let board = &board["result"];
    let more = usize::try_from(board["more"].as_u64().unwrap()).unwrap();
    let tasks = board["tasks"].as_array().unwrap().len() + more;
    assert_eq!(tasks, TASKS, "another board than was made");
    let line = "let some_name = another(\"a text that is as long as lines are\", 42);\n";
    let lines = DOCUMENT_BYTES / line.len();
    let document = json!({ "uri": typist.uri, "languageId": "rust", "version": 1,
                           "text": line.repeat(lines) });
    typist.tell("textDocument/didOpen", json!({ "textDocument": document }));

    let (mut both, mut actions) = (Vec::new(), Vec::new());
    for n in 0..KEYS {
        let row = n * 7_919 % lines;
        both.push(ms(|| {
            typist.press(row);
            typist.menu(row);
        }));
        actions.push(ms(|| typist.menu(row)));
    }
    let rows = (0..KEYS / KEYS_IN_A_ROW).map(|n| {
        let row = n * 104_729 % lines;
        let all = ms(|| {
            (0..KEYS_IN_A_ROW).for_each(|_| typist.press(row));
            typist.menu(row);
        });
        all / KEYS_IN_A_ROW as f64
    });
    let key = median(rows.collect());
    end(typist.child);

    let (action, slow_action) = (median(actions.clone()), slowest_of_a_hundred(actions));
    let slow_both = slowest_of_a_hundred(both.clone());
    bench.say("code actions, there and back", action, "median");
    bench.say("the same", slow_action, "99th of 100");
    bench.say("a key press, then code actions", median(both), "median");
    bench.say("the same", slow_both, "99th of 100");
    bench.say("a key press among 200 in a row", key, "median of the means");
    let text = format!("code actions with {TASKS} tasks {slow_action:.2} ms, 99th of 100");
    bench.goal(&format!("{text} (at most {ACTION_MS_MAX} ms)"), slow_action <= ACTION_MS_MAX);
    let text = format!("a key press in 1 MiB {key:.3} ms");
    bench.goal(&format!("{text} (at most {KEY_MS_MAX} ms)"), key <= KEY_MS_MAX);
    fs::remove_dir_all(place).unwrap();
}

pub fn slowest_of_a_hundred(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// The folder of the only log there is.
pub fn log_of(state: &Path) -> PathBuf {
    let mut all = fs::read_dir(state).unwrap().map(|it| it.unwrap().path());
    all.find(|it| it.join(DATABASE).is_file()).unwrap()
}

pub fn fill(dir: &Path) {
    let mut store = Store::open(dir).unwrap().store;
    let (mut last, mut now, mut version): (_, Millis, u64) =
        (Team::default(), 1_700_000_000_000, 0);
    for _ in 0..TASKS {
        let events = play_task(&mut last, &mut now);
        store.append(version, &events, now).unwrap();
        version += events.len() as u64;
    }
}

impl Typist {
    fn start(place: &Path, root: &Path) -> Typist {
        let mut child = initialized(baton(place, root, &["--in-process", "lsp"]), root);
        let output = BufReader::new(child.stdout.take().unwrap());
        let uri = format!("file://{}/typed.rs", root.display());
        let mut typist = Typist { child, output, uri, version: 1, asked: 1 };
        typist.tell("initialized", json!({}));
        typist
    }

    fn tell(&mut self, method: &str, params: Value) {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        say(self.child.stdin.as_mut().unwrap(), &body.to_string());
    }

    /// The answer; the server may speak of other things first.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        say(self.child.stdin.as_mut().unwrap(), &body.to_string());
        loop {
            let answer: Value = serde_json::from_str(&message(&mut self.output).unwrap()).unwrap();
            if answer["id"] == id && answer.get("method").is_none() {
                return answer;
            }
        }
    }

    fn press(&mut self, row: usize) {
        self.version += 1;
        let at = json!({ "line": row, "character": 12 });
        let document = json!({ "uri": self.uri, "version": self.version });
        let change = json!([{ "range": { "start": at, "end": at }, "text": "x" }]);
        let params = json!({ "textDocument": document, "contentChanges": change });
        self.tell("textDocument/didChange", params);
    }

    fn menu(&mut self, row: usize) {
        let at = json!({ "line": row, "character": 12 });
        let answer = self.ask(
            "textDocument/codeAction",
            json!({
                "textDocument": { "uri": self.uri }, "range": { "start": at, "end": at },
                "context": { "diagnostics": [], "triggerKind": 1 },
            }),
        );
        assert!(!answer["result"].as_array().unwrap().is_empty(), "{answer}");
    }
}
