//! The words of a whole task: the scripted task itself, and what is counted of the requests it made.

#![allow(dead_code, reason = "the stories and the benchmarks use it, each a part")]

use serde_json::Value;

/// Prints 168,894 bytes.
pub const LOUD: &str = "seq 1 30000";
pub const LOUD_BYTES: u64 = 168_894;
/// What of them may be kept in the conversation.
pub const KEPT_BYTES_MAX: usize = 3_000;
/// A third of what the leanest of the other agents sent for a task like this one.
pub const SENT_BYTES_MAX: usize = 110_000;
pub const FIRST_BYTES_MAX: usize = 12_000;
/// What is sent that the request before did not begin with, against what is new.
pub const FRESH_MAX: f64 = 1.02;

/// Files that the Engineer looks at: some 3 kB each.
pub fn sources() -> Vec<(String, String)> {
    let file = |n: usize| {
        let part = |it: usize| {
            format!(
                "/// Part {it} of {n}.\npub fn part_{n}_{it}(value: u64) -> u64 {{\n    value.wrapping_mul({it}).rotate_left({n})\n}}\n\n"
            )
        };
        (format!("src/area{n}.rs"), (0..20).map(part).collect())
    };
    (0..20).map(file).collect()
}

/// The Engineer's eight replies, of which the last hands over: search, read, edit, run something that
/// prints much, run the check, and look again. `numbers` is the file with the bug.
pub fn calls(numbers: &str, loud: &str) -> Vec<(&'static str, String)> {
    vec![
        ("search", "pattern = \"fn part_1[0-9]_7\"".into()),
        ("read_file", "path = \"src/area7.rs\"".into()),
        ("read_file", format!("path = \"{numbers}\"")),
        ("edit_file", format!("path = \"{numbers}\", old = \"two = 3\", new = \"two = 2\"")),
        ("run_command", format!("command = \"{loud}\"")),
        ("run_check", "name = \"test\"".into()),
        ("show_diff", String::new()),
    ]
}

/// What was sent for one task.
#[derive(Debug, Default)]
pub struct Counted {
    /// Of each run: its duty's tools, by the hand-over's name, and its requests' bytes.
    pub runs: Vec<(String, Vec<usize>)>,
    /// What was sent that the request before did not begin with, against what is new. How far the
    /// provider keeps a prefix is marked in it, and moves on: those marks are no words.
    pub fresh: f64,
    /// The same with the marks.
    pub fresh_with_marks: f64,
}

impl Counted {
    /// Of all requests of all roles, in order.
    pub fn of(bodies: &[Vec<u8>]) -> Counted {
        let mut counted = Counted::default();
        let (mut plain, mut marked) = (Sum::default(), Sum::default());
        let mut last: Option<(String, Vec<u8>, Vec<u8>)> = None;
        for body in bodies {
            let (who, bare) = (hands_over(body), without_marks(body));
            let before = last.take().filter(|it| it.0 == who);
            if before.is_none() {
                counted.runs.push((who.clone(), vec![]));
            }
            if let Some(run) = counted.runs.last_mut() {
                run.1.push(body.len());
            }
            plain.add(before.as_ref().map(|it| it.1.as_slice()), &bare);
            marked.add(before.as_ref().map(|it| it.2.as_slice()), body);
            last = Some((who, bare, body.clone()));
        }
        counted.fresh = plain.factor();
        counted.fresh_with_marks = marked.factor();
        counted
    }

    pub fn sent(&self) -> usize {
        self.runs.iter().flat_map(|it| &it.1).sum()
    }

    /// The longest first request of a run.
    pub fn first(&self) -> usize {
        self.runs.iter().filter_map(|it| it.1.first()).copied().max().unwrap_or(0)
    }
}

#[derive(Default)]
struct Sum {
    fresh: usize,
    new: usize,
}

impl Sum {
    fn add(&mut self, before: Option<&[u8]>, body: &[u8]) {
        let before = before.unwrap_or_default();
        let shared = before.iter().zip(body).take_while(|(a, b)| a == b).count();
        self.fresh += body.len() - shared;
        self.new += body.len().saturating_sub(before.len());
    }

    fn factor(&self) -> f64 {
        self.fresh as f64 / self.new as f64
    }
}

/// The tool that ends the run which this request is of.
pub fn hands_over(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    let tools = body["tools"].as_array().unwrap();
    let mut names = tools.iter().filter_map(|it| it["name"].as_str());
    names.find(|it| it.starts_with("hand_over")).unwrap().to_string()
}

/// Byte for byte but for the marks.
fn without_marks(body: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    text.replace(r#","cache_control":{"type":"ephemeral"}"#, "").into_bytes()
}

/// What is kept of the loud command's output in the last request that holds it.
pub fn kept(bodies: &[Vec<u8>]) -> String {
    let mut found = None;
    for body in bodies {
        let body: Value = serde_json::from_slice(body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let blocks = messages.iter().filter_map(|it| it["content"].as_array()).flatten();
        let mut results = blocks.filter_map(|it| it["content"].as_str());
        if let Some(it) = results.rfind(|it| it.contains("left out")) {
            found = Some(it.to_string());
        }
    }
    found.expect("the output of the loud command was shortened")
}
