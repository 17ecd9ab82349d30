//! The format of a script, as people write it in TOML.

use serde::Deserialize;
use serde_json::Value;
use team::{Code, Failure};

/// A rehearsal: what is said in which run.
///
/// ```toml
/// says = "These words are scripted: no model is running."
/// [[run]]                  # the first that fits a request plays
/// duty = "change"          # of the tool hand_over_change that is offered; left out: any
/// build = 1                # of the line "build: 1 of 3" in the brief; left out: any
/// match = "pagination"     # must stand in the brief or in the first text; left out: any
/// [[run.reply]]            # by the number of replies since the brief
/// text = "Reading the parser."
/// [[run.reply.call]]
/// name = "read_file"
/// input = { path = "src/lib.rs" }
/// ```
///
/// The brief is the last text of the user's side with a line `build: N of M`, else the first text.
/// Strings may hold `${head}` and `${blob}` (the last line `head: HEX`, `blob: HEX` that the user's
/// side said) and `${receipt}` (the last receipt's name since the brief); an input that is exactly
/// `"${receipts}"` becomes the list of all of them. `$${` stands for `${`.
///
/// A run may also have `heard`: it fits once any text of the user's side since the brief holds it.
///
/// A reply may also have `thinking`, `opaque` (any block), `stop_reason`, `usage`, `delay_ms` and
/// `fault`, e.g. `fault = { status = 429, retry_after = 1, times = 2 }`. A call may have `arguments`, sent as they are, instead of `input`.
#[derive(Clone, Debug)]
pub struct Script {
    /// Tells people that no model is running.
    pub says: String,
    /// If set, requests with another key are refused.
    pub(super) key: Option<String>,
    pub(super) runs: Vec<Run>,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) duty: Option<String>,
    pub(super) build: Option<u32>,
    pub(super) matches: Option<String>,
    pub(super) heard: Option<String>,
    pub(super) replies: Vec<Reply>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) thinking: Option<String>,
    pub(super) opaque: Option<Value>,
    pub(super) text: Option<String>,
    #[serde(default, rename = "call")]
    pub(super) calls: Vec<ToolCall>,
    /// Left out: `tool_use` with a call, else `end_turn`.
    pub(super) stop_reason: Option<String>,
    /// The four counts of the wire; those left out are estimated from the sizes.
    #[serde(default)]
    pub(super) usage: serde_json::Map<String, Value>,
    /// The model thinks so long before it says anything.
    #[serde(default)]
    pub(super) delay_ms: u64,
    #[serde(default)]
    pub(super) fault: Fault,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCall {
    pub(super) name: String,
    pub(super) input: Option<Value>,
    pub(super) arguments: Option<String>,
}

/// What goes wrong with a reply.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fault {
    /// Only the first so many requests get the fault. Left out: all.
    pub(super) times: Option<u32>,
    /// Instead of the reply.
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<RetryAfter>,
    /// The connection is cut after so many bytes of the reply.
    pub(super) cut_after_bytes: Option<usize>,
    /// The reply ends there as if it were whole.
    pub(super) end_after_bytes: Option<usize>,
    /// Nothing more comes, and the connection stays open.
    pub(super) stall_after_bytes: Option<usize>,
    /// An error of this type in place of the end.
    pub(super) error_event: Option<String>,
    /// A ping after each event.
    pub(super) ping: bool,
    /// Lines end with a carriage return alone.
    pub(super) cr: bool,
    /// One JSON document instead of a stream.
    pub(super) json: bool,
    /// So much text more, in many events.
    pub(super) huge_bytes: usize,
    /// So much text more, in one line.
    pub(super) huge_line_bytes: usize,
}

/// The value of the header of that name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RetryAfter {
    Seconds(u64),
    Date(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    says: String,
    key: Option<String>,
    #[serde(default)]
    run: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunTable {
    duty: Option<String>,
    build: Option<u32>,
    r#match: Option<String>,
    heard: Option<String>,
    #[serde(default)]
    reply: Vec<toml::Table>,
}

const DUTIES: [&str; 6] = ["triage", "plan", "change", "verdict", "notes", "answer"];
pub(super) const NAMES: [&str; 4] = ["head", "blob", "receipt", "receipts"];

impl Script {
    /// Errors: `Config`; the text has the line of a TOML error, else the number of the run and the
    /// reply, counted from 1.
    pub fn parse(text: &str) -> Result<Script, Failure> {
        let bad = |why: String| Failure::new(Code::Config, why);
        let file: File = toml::from_str(text).map_err(|it| bad(it.to_string()))?;
        let mut runs = Vec::new();
        for (number, table) in (1..).zip(file.run) {
            let run = read_run(table).map_err(|why| bad(format!("run {number}{why}")))?;
            runs.push(run);
        }
        Ok(Script { says: file.says, key: file.key, runs })
    }
}

fn read_run(table: toml::Table) -> Result<Run, String> {
    let RunTable { duty, build, r#match: matches, heard, reply } =
        table.try_into().map_err(|it| format!(": {}", line(it)))?;
    if let Some(duty) = &duty
        && !DUTIES.contains(&duty.as_str())
    {
        let known = DUTIES.join(", ");
        return Err(format!(": duty {duty:?} is none of {known}"));
    }
    let mut replies = Vec::new();
    for (number, reply) in (1..).zip(reply) {
        let reply: Reply =
            reply.try_into().map_err(|it| format!(", reply {number}: {}", line(it)))?;
        check(&reply).map_err(|why| format!(", reply {number}: {why}"))?;
        replies.push(reply);
    }
    Ok(Run { duty, build, matches, heard, replies })
}

/// The error's own words; the quoted source that follows is of a table out of its place.
fn line(error: toml::de::Error) -> String {
    error.message().to_owned()
}

fn check(reply: &Reply) -> Result<(), String> {
    if let Some(text) = &reply.text {
        check_names(text)?;
    }
    for call in &reply.calls {
        match (&call.input, &call.arguments) {
            (Some(Value::Object(_)), None) | (None, Some(_) | None) => {}
            (Some(_), None) => return Err(format!("the input of {} is no table", call.name)),
            (Some(_), Some(_)) => {
                return Err(format!("{} has both input and arguments", call.name));
            }
        }
        if let Some(input) = &call.input {
            check_value(input)?;
        }
    }
    match &reply.opaque {
        Some(block) if block.get("type").and_then(Value::as_str).is_none() => {
            Err("opaque has no type".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

fn check_value(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_names(text),
        Value::Array(list) => list.iter().try_for_each(check_value),
        Value::Object(map) => map.values().try_for_each(check_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn check_names(text: &str) -> Result<(), String> {
    let unescaped = text.replace("$${", "");
    for rest in unescaped.split("${").skip(1) {
        let name = rest.split_once('}').map_or(rest, |it| it.0);
        if !rest.contains('}') {
            return Err(format!("${{{name} has no end (write $${{ for ${{)"));
        }
        if !NAMES.contains(&name) {
            let known = NAMES.join("}, ${");
            return Err(format!("${{{name}}} is none of ${{{known}}} (write $${{ for ${{)"));
        }
    }
    Ok(())
}
