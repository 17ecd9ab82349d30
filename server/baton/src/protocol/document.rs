//! Writes the generated part of `docs/protocol.md` from the schemas of the wire types.

use super::{
    AnswerApprovalParams, AnswerApprovalResult, AnswerQuestionParams, AttentionParams, BatonOffer,
    BatonWish, BoardChangedParams, BoardParams, BoardView, CheckoutResult, DelegateParams,
    DelegateResult, DiffView, DoneResult, ErrorData, FileParams, FileView, Hello, MemoryParams,
    MemoryView, ReplayParams, ReplayView, ReportParams, ReportView, RunProgressParams, SayParams,
    TaskParams, TaskView, TranscriptParams, TranscriptView, ViewedParams, WatchParams, WatchResult,
    Welcome, method,
};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::fmt::Write;

/// One message: name, what it does, the types of its params and of its result.
pub(super) type Row = (&'static str, &'static str, &'static str, &'static str);

pub(super) const MESSAGES: [Row; 19] = [
    (
        method::DELEGATE,
        "gives the team a task and returns its id at once",
        "DelegateParams",
        "DelegateResult",
    ),
    (method::BOARD, "the board of a repository", "BoardParams", "BoardView"),
    (method::TASK, "one task whole", "TaskParams", "TaskView"),
    (
        method::TRANSCRIPT,
        "what a run said and did, from a cursor on",
        "TranscriptParams",
        "TranscriptView",
    ),
    (method::DIFF, "what a task changes, by file and hunk", "TaskParams", "DiffView"),
    (method::FILE, "one side of a file that a task changes", "FileParams", "FileView"),
    (
        method::ANSWER_APPROVAL,
        "decides an approval, once",
        "AnswerApprovalParams",
        "AnswerApprovalResult",
    ),
    (method::ANSWER_QUESTION, "answers a question, once", "AnswerQuestionParams", "DoneResult"),
    (method::CANCEL, "ends a task; nothing of it lands", "TaskParams", "DoneResult"),
    (method::PARK, "stops a task for now; nothing of it is lost", "TaskParams", "DoneResult"),
    (method::RETRY, "a parked task goes on where it stopped", "TaskParams", "DoneResult"),
    (method::UNDO, "takes a landing, or applied edits, back", "TaskParams", "DoneResult"),
    (method::REPLAY, "runs a receipt's command again", "ReplayParams", "ReplayView"),
    (method::SAY, "tells something to whoever works on a task", "SayParams", "DoneResult"),
    (method::WATCH, "begins or ends the streaming of a run", "WatchParams", "WatchResult"),
    (
        method::VIEWED,
        "tells of a person's review: how their time is measured",
        "ViewedParams",
        "DoneResult",
    ),
    (method::REPORT, "the digest and the measures of a repository", "ReportParams", "ReportView"),
    (
        method::MEMORY,
        "decisions and facts of a repository: list, and forget",
        "MemoryParams",
        "MemoryView",
    ),
    (
        method::CHECKOUT,
        "a checkout of a task's result, to open in a window",
        "TaskParams",
        "CheckoutResult",
    ),
];

/// Name, what it says, the type of its params.
pub(super) const NOTIFICATIONS: [(&str, &str, &str); 3] = [
    (method::BOARD_CHANGED, "what is true now; at most 20 a second", "BoardChangedParams"),
    (
        method::RUN_PROGRESS,
        "what the watched runs say and do; gathered, at most 20 a second for all of them",
        "RunProgressParams",
    ),
    (method::ATTENTION, "somebody is needed; once for each thing that waits", "AttentionParams"),
];

/// Markdown: the tables of messages, then every type with its fields.
pub fn describe() -> String {
    let mut text = String::new();
    text.push_str("### Requests\n\n| request | does | params | result |\n|---|---|---|---|\n");
    for (name, does, params, result) in MESSAGES {
        let _ = writeln!(text, "| `{name}` | {does} | `{params}` | `{result}` |");
    }
    text.push_str("\n### Notifications\n\n| notification | says | params |\n|---|---|---|\n");
    for (name, says, params) in NOTIFICATIONS {
        let _ = writeln!(text, "| `{name}` | {says} | `{params}` |");
    }
    text.push_str("\n### Types\n");
    for (name, schema) in schemas() {
        describe_type(&mut text, &name, &schema);
    }
    text
}

/// Every wire type by name, in alphabetical order.
pub(super) fn schemas() -> Vec<(String, Value)> {
    let mut generator = SchemaGenerator::default();
    let roots: [Schema; 34] = [
        generator.subschema_for::<AnswerApprovalParams>(),
        generator.subschema_for::<AnswerApprovalResult>(),
        generator.subschema_for::<AnswerQuestionParams>(),
        generator.subschema_for::<BatonOffer>(),
        generator.subschema_for::<BatonWish>(),
        generator.subschema_for::<BoardChangedParams>(),
        generator.subschema_for::<BoardParams>(),
        generator.subschema_for::<BoardView>(),
        generator.subschema_for::<DelegateParams>(),
        generator.subschema_for::<DelegateResult>(),
        generator.subschema_for::<DiffView>(),
        generator.subschema_for::<DoneResult>(),
        generator.subschema_for::<ErrorData>(),
        generator.subschema_for::<Hello>(),
        generator.subschema_for::<ReplayParams>(),
        generator.subschema_for::<ReplayView>(),
        generator.subschema_for::<SayParams>(),
        generator.subschema_for::<TaskParams>(),
        generator.subschema_for::<TaskView>(),
        generator.subschema_for::<Welcome>(),
        generator.subschema_for::<TranscriptParams>(),
        generator.subschema_for::<TranscriptView>(),
        generator.subschema_for::<FileParams>(),
        generator.subschema_for::<FileView>(),
        generator.subschema_for::<WatchParams>(),
        generator.subschema_for::<WatchResult>(),
        generator.subschema_for::<RunProgressParams>(),
        generator.subschema_for::<AttentionParams>(),
        generator.subschema_for::<CheckoutResult>(),
        generator.subschema_for::<MemoryParams>(),
        generator.subschema_for::<MemoryView>(),
        generator.subschema_for::<ReportParams>(),
        generator.subschema_for::<ReportView>(),
        generator.subschema_for::<ViewedParams>(),
    ];
    debug_assert!(!roots.is_empty());
    let mut all: Vec<(String, Value)> = generator.take_definitions(true).into_iter().collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn describe_type(text: &mut String, name: &str, schema: &Value) {
    let _ = write!(text, "\n#### {name}\n\n");
    if let Some(about) = about(schema) {
        let _ = write!(text, "{about}\n\n");
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        text.push_str("| field | type | is |\n|---|---|---|\n");
        for (field, it) in properties {
            let kind = kind(it, &PROSE, &str::to_owned);
            let about = about(it).unwrap_or_default();
            let _ = writeln!(text, "| `{field}` | {kind} | {about} |");
        }
        return;
    }
    for name in names_of(schema) {
        let _ = writeln!(text, "- {name}");
    }
}

/// The names of an enum, each with what it means where that is written.
fn names_of(schema: &Value) -> Vec<String> {
    let plain = |it: &Value| it.as_str().map(|it| format!("`{it}`"));
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().filter_map(plain).collect();
    }
    let kinds = schema.get("oneOf").and_then(Value::as_array);
    let mut names = Vec::new();
    for kind in kinds.into_iter().flatten() {
        match (kind.get("const").and_then(plain), about(kind)) {
            (Some(name), Some(about)) => names.push(format!("{name}: {about}")),
            (Some(name), None) => names.push(name),
            (None, _) => names.extend(names_of(kind)),
        }
    }
    names
}

/// How a language writes a type.
pub(super) struct Language {
    pub(super) list: fn(&str) -> String,
    pub(super) either: &'static str,
    /// A word of JSON Schema, as the language has it.
    pub(super) word: fn(&str) -> &str,
    /// Where nothing is known.
    pub(super) any: &'static str,
}

/// What people read.
const PROSE: Language =
    Language { list: |it| format!("list of {it}"), either: " or ", word: |it| it, any: "any" };

/// The type of a schema. `named`: how the language calls a type of ours.
pub(super) fn kind(schema: &Value, language: &Language, named: &dyn Fn(&str) -> String) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return named(reference.rsplit('/').next().unwrap_or(reference));
    }
    if let Some(kinds) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<String> = kinds.iter().map(|it| kind(it, language, named)).collect();
        return kinds.join(language.either);
    }
    match schema.get("type") {
        Some(Value::String(name)) if name == "array" => {
            let items = schema.get("items").map(|it| kind(it, language, named));
            (language.list)(&items.unwrap_or_default())
        }
        Some(Value::String(name)) => (language.word)(name).to_owned(),
        Some(Value::Array(names)) => {
            let one = |it: &Value| {
                let mut schema = schema.clone();
                schema["type"] = it.clone();
                kind(&schema, language, named)
            };
            names.iter().map(one).collect::<Vec<_>>().join(language.either)
        }
        Some(_) | None => language.any.to_owned(),
    }
}

/// What a schema says about itself, in one line.
pub(super) fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description").and_then(Value::as_str)?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
