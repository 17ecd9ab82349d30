//! Foreign servers of the model's wire: one of our own hand that behaves as a stranger would, and one
//! that others wrote. Both are told by a plan what a clever model would find out.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The key that the stranger takes.
pub const KEY: &str = concat!("sk", "-foreign-0123456789abcdef");

/// A server in a process of its own, which ends when this is dropped.
pub struct Server {
    pub url: String,
    plan: PathBuf,
    process: Child,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/foreign").join(name)
}

/// Whether a tool is missing. Where everything is required that fails the test, else it is said.
#[track_caller]
pub fn is_missing(what: &str, is_there: bool, how: &str) -> bool {
    let required = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
    assert!(is_there || !required, "{what} is not installed: {how}");
    if !is_there {
        // Straight to the descriptor, so that it is seen when the test passes too.
        let _ = writeln!(std::io::stderr(), "skipped: {what} is not installed ({how})");
    }
    !is_there
}

/// Whether this program runs here at all.
fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

impl Server {
    /// The stranger. `None`: skipped, there is no Python here.
    pub fn stranger(dir: &Path, plan: &Value) -> Option<Server> {
        if is_missing("python3", runs("python3"), "install python3") {
            return None;
        }
        let mut command = Command::new("python3");
        command.arg(fixture("stranger.py"));
        Some(Server::start(command, dir, plan))
    }

    /// The mock of others. `None`: skipped, it is not installed.
    pub fn aimock(dir: &Path, plan: &Value) -> Option<Server> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let package = target.join("test-tools/aimock/node_modules/@copilotkit/aimock");
        let is_there = package.exists() && runs("node");
        if is_missing("aimock", is_there, "run tests/tools/install.sh") {
            return None;
        }
        let mut command = Command::new("node");
        command.arg(fixture("aimock.mjs")).arg(package);
        Some(Server::start(command, dir, plan))
    }

    fn start(mut command: Command, dir: &Path, plan: &Value) -> Server {
        let file = dir.join("plan.json");
        std::fs::write(&file, plan.to_string()).unwrap();
        // Its standard input stays open as long as we live: it ends with us, whatever happens.
        let piped = command.arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Server { url: url.trim().to_owned(), plan: file, process }
    }

    /// Changes what it knows and how it behaves, from the next request on.
    pub fn plan(&self, plan: &Value) {
        let next = self.plan.with_extension("next");
        std::fs::write(&next, plan.to_string()).unwrap();
        std::fs::rename(&next, &self.plan).unwrap();
    }

    /// Every request that it got, as `{path, version, body}`.
    pub fn asked(&self) -> Vec<Value> {
        let mut journal = self.plan.clone().into_os_string();
        journal.push(".journal");
        let text = std::fs::read_to_string(journal).unwrap_or_default();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// Whether the process has ended by itself.
    pub fn is_gone(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The edit that mends the numbers.
pub fn mend() -> Value {
    json!({ "key": KEY, "about": "two is three in src/numbers.txt", "summary": "Two is two.",
        "look": "src/numbers.txt:4",
        "edits": [{ "path": "src/numbers.txt", "old": "two = 3", "new": "two = 2" }] })
}

/// The same plan with one more field.
pub fn with(mut plan: Value, field: &str, value: Value) -> Value {
    plan[field] = value;
    plan
}
