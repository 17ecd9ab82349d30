//! The tools: their names, what each duty may use, their schemas, and reading a model's arguments.
//!
//! Models get arguments slightly wrong in a few known ways (another tool's field names, a number as a
//! string, a list as JSON text); those are read as meant. Everything else comes back with the field's
//! name and an example, because that is what a model needs to do it right the next time.

use crate::agent::args;
use crate::agent::format::Format;
use crate::model::{ToolSpec, UNPARSED};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use team::{Duty, Role};

macro_rules! tools {
    ($($tool:ident $name:literal $says:literal $example:literal)*) => {
        /// A tool.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tool { $($tool),* }

        /// A call whose arguments were read.
        #[derive(Debug)]
        pub enum Want { $($tool(args::$tool)),* }

        impl Want {
            /// The tool that is called.
            pub fn tool(&self) -> Tool {
                match self { $(Want::$tool(_) => Tool::$tool),* }
            }
        }

        impl Tool {
            pub const ALL: &[Tool] = &[$(Tool::$tool),*];

            pub fn name(self) -> &'static str {
                match self { $(Tool::$tool => $name),* }
            }

            /// What the model is told it does.
            pub fn says(self) -> &'static str {
                match self { $(Tool::$tool => $says),* }
            }

            /// Arguments as JSON, for error texts.
            pub fn example(self) -> &'static str {
                match self { $(Tool::$tool => $example),* }
            }

            fn raw_schema(self) -> Value {
                match self { $(Tool::$tool => derive_schema::<args::$tool>()),* }
            }

            fn read(self, input: Value) -> Result<Want, serde_json::Error> {
                match self { $(Tool::$tool => serde_json::from_value(input).map(Want::$tool)),* }
            }
        }
    };
}

tools! {
    ReadFile "read_file"
        "Lines of a file, numbered, at most 250 lines or 16k characters; gives the file's blob."
        r#"{"path": "src/lib.rs", "first_line": 1, "lines": 80}"#
    FindFiles "find_files"
        "Paths that match a glob, ignored files left out."
        r#"{"glob": "**/*.rs"}"#
    Search "search"
        "Lines that match, as path:line: text; at most 100."
        r#"{"pattern": "fn parse\\b", "glob": "*.rs"}"#
    EditFile "edit_file"
        "Replace text in a file; gives the diff."
        r#"{"path": "src/lib.rs", "old": "a + 1", "new": "a - 1"}"#
    ApplyPatch "apply_patch"
        "Change, add, delete or move files, all or nothing; gives the diffs. *** Begin Patch, then for each file *** Update File: PATH with hunks (@@ and the function's name, then lines after a space that stay, - that go, + that come), *** Add File: PATH with + lines, or *** Delete File: PATH; *** Move to: PATH after Update moves; *** End Patch."
        r#"{"patch": "*** Begin Patch\n*** Update File: src/lib.rs\n@@ fn half\n-    n / 3\n+    n / 2\n*** End Patch"}"#
    WriteFile "write_file"
        "Write a whole file, new or not. For changes prefer edit_file."
        r#"{"path": "tests/empty.rs", "text": "fn main() {}\n"}"#
    RunCommand "run_command"
        "Run a command in the sandbox: no network. Gives exit, output, receipt."
        r#"{"command": "cargo test empty_input"}"#
    RunCheck "run_check"
        "Run one of the project's checks here; gives counts, failing names, receipt."
        r#"{"name": "test"}"#
    ShowDiff "show_diff"
        "Everything changed since the task's start."
        r#"{}"#
    Checkpoint "checkpoint"
        "For a bug, before the fix: commits what is there and runs the named tests; they must run and fail."
        r#"{"tests": ["parse::empty_input"], "note": "shows the panic"}"#
    Ask "ask"
        "Ask the person what only they can decide. Ends your run until it is answered."
        r#"{"question": "Keep the old flag?", "options": ["keep", "remove"], "default": "keep", "stakes": "scripts that use it break"}"#
    Decline "decline"
        "Give the task back, when it can't or shouldn't be done. Ends your run."
        r#"{"why": "the described function does not exist in this repository"}"#
    HandOverTriage "hand_over_triage"
        "Your deliverable. Ends your run."
        r#"{"class": "bug", "severity": "medium", "summary": "parse() panics on empty input", "criteria": ["parse(\"\") returns an error"]}"#
    HandOverPlan "hand_over_plan"
        "Your deliverable: how it shall be done. Ends your run if the gates accept it."
        r#"{"approach": "parse() returns Error::Empty; the caller in main.rs prints it", "paths": ["src/parse.rs", "src/main.rs"], "tests": "a test of parse(\"\") and one of the exit code", "rejected": ["Option instead of Result: loses the reason"], "assumptions": [], "decisions": ["a new variant of Error because callers match on it"]}"#
    HandOverChange "hand_over_change"
        "Your deliverable: the files as they are now. Ends your run if the gates accept it."
        r#"{"summary": "parse() indexed before checking the length; it now returns Error::Empty", "look_first": "src/parse.rs:40", "risks": []}"#
    HandOverVerdict "hand_over_verdict"
        "Your deliverable. Ends your run if the gates accept it."
        r#"{"verdict": "fail", "head": "<the 40 digits after `head:` in the brief>", "receipts": ["R3.1"], "notes": "parse(\" \") still panics: cargo test blank"}"#
    HandOverNotes "hand_over_notes"
        "Your deliverable: the documentation as it is now, or that there is nothing to announce. Ends your run if the gates accept it."
        r#"{"summary": "CHANGELOG: --quiet says nothing on success", "nothing": false}"#
    HandOverAnswer "hand_over_answer"
        "Your deliverable. Ends your run."
        r#"{"text": "Retries are capped in one place, ...", "citations": ["src/net.rs:88"]}"#
}

impl Tool {
    pub fn by_name(name: &str) -> Option<Tool> {
        Tool::ALL.iter().copied().find(|it| it.name() == name)
    }

    /// The tools of this duty, in the order in which the model sees them.
    pub fn of(duty: Duty) -> &'static [Tool] {
        use Tool::*;
        match duty {
            Duty::Triage => &[ReadFile, FindFiles, Search, Ask, Decline, HandOverTriage],
            Duty::Build => &[
                ReadFile,
                FindFiles,
                Search,
                EditFile,
                WriteFile,
                RunCommand,
                RunCheck,
                ShowDiff,
                Checkpoint,
                Ask,
                Decline,
                HandOverChange,
            ],
            Duty::Validate => &[
                ReadFile,
                FindFiles,
                Search,
                RunCommand,
                RunCheck,
                ShowDiff,
                Ask,
                Decline,
                HandOverVerdict,
            ],
            Duty::Design => &[ReadFile, FindFiles, Search, Ask, Decline, HandOverPlan],
            Duty::Announce => &[
                ReadFile,
                FindFiles,
                Search,
                EditFile,
                WriteFile,
                ShowDiff,
                Ask,
                Decline,
                HandOverNotes,
            ],
            Duty::Answer => &[ReadFile, FindFiles, Search, Ask, Decline, HandOverAnswer],
        }
    }

    /// The one tool that completes a run of this duty.
    pub fn hand_over(duty: Duty) -> Tool {
        match duty {
            Duty::Triage => Tool::HandOverTriage,
            Duty::Design => Tool::HandOverPlan,
            Duty::Announce => Tool::HandOverNotes,
            Duty::Build => Tool::HandOverChange,
            Duty::Validate => Tool::HandOverVerdict,
            Duty::Answer => Tool::HandOverAnswer,
        }
    }

    /// Ends the run where it is accepted.
    pub fn ends(self) -> bool {
        use Tool::*;
        match self {
            Ask | Decline | HandOverTriage | HandOverPlan | HandOverChange | HandOverVerdict
            | HandOverNotes | HandOverAnswer => true,
            ReadFile | FindFiles | Search | EditFile | ApplyPatch | WriteFile | RunCommand
            | RunCheck | ShowDiff | Checkpoint => false,
        }
    }

    /// Starts a process: after a crash it is reported as interrupted, never run again by itself.
    pub fn runs(self) -> bool {
        matches!(self, Tool::RunCommand | Tool::RunCheck | Tool::Checkpoint)
    }

    /// Changes files by what the model wrote.
    pub fn edits(self) -> bool {
        matches!(self, Tool::EditFile | Tool::ApplyPatch | Tool::WriteFile)
    }

    /// May leave the slot's files other than they were.
    pub fn changes_files(self) -> bool {
        self.runs() || self.edits()
    }

    /// The schema of its arguments, without what costs tokens and tells a model nothing.
    pub fn schema(self) -> Value {
        let mut schema = self.raw_schema();
        slim(&mut schema);
        schema
    }

    fn spec(self, format: Format) -> ToolSpec {
        ToolSpec {
            name: self.name().to_owned(),
            description: format.adapt(self.says()).into_owned(),
            schema: self.schema(),
        }
    }
}

/// These tools as the model gets them.
pub fn specs(tools: &[Tool], format: Format) -> Vec<ToolSpec> {
    tools.iter().map(|it| it.spec(format)).collect()
}

/// Reads a call. The error is for the model: what is wrong, and a call that would be right.
pub fn read_call(offered: &[Tool], name: &str, input: &Value) -> Result<Want, String> {
    let known = Tool::by_name(name).filter(|it| offered.contains(it));
    let Some(tool) = known else {
        let names: Vec<_> = offered.iter().map(|it| it.name()).collect();
        return Err(format!("there is no tool `{name}` here; your tools are {}", names.join(", ")));
    };
    let wrong = |what: String| format!("{what}. Call {name} for example with {}", tool.example());
    let schema = tool.schema();
    let input = repair(input, &schema).map_err(wrong)?;
    check(name, &input, &schema).map_err(wrong)?;
    tool.read(input).map_err(|error| wrong(format!("{name} can't be called like this: {error}")))
}

fn derive_schema<T: schemars::JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Takes out titles, formats, bounds of integer types, "or null" of optional fields, and that there are
/// no others: a call with another field is answered with the names of those that there are.
fn slim(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for key in ["$schema", "title", "format", "minimum", "default", "additionalProperties"]
            {
                // A property may have the same name as a keyword; properties are objects.
                if map.get(key).is_some_and(|it| !it.is_object()) {
                    map.shift_remove(key);
                }
            }
            if let Some(Value::Array(types)) = map.get("type") {
                let first = types.iter().find(|it| *it != "null").cloned();
                if let Some(first) = first {
                    map.insert("type".to_owned(), first);
                }
            }
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.retain(|it| !it.is_null());
            }
            map.values_mut().for_each(slim);
        }
        Value::Array(items) => items.iter_mut().for_each(slim),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Field names of other tools of this kind, and ours.
const ALIASES: &[(&str, &str)] = &[
    ("file_path", "path"),
    ("filename", "path"),
    ("file", "path"),
    ("old_text", "old"),
    ("old_str", "old"),
    ("old_string", "old"),
    ("new_text", "new"),
    ("new_str", "new"),
    ("new_string", "new"),
    ("replace_all", "all"),
    ("content", "text"),
    ("contents", "text"),
    ("cmd", "command"),
    ("cwd", "dir"),
    ("start_line", "first_line"),
    ("offset", "first_line"),
    ("limit", "lines"),
    ("query", "pattern"),
    ("regex", "pattern"),
    ("pattern", "glob"),
    ("input", "patch"),
    ("diff", "patch"),
];

/// Reads arguments as they were meant; the error says why they are none.
fn repair(input: &Value, schema: &Value) -> Result<Value, String> {
    let whole = input.as_object().filter(|it| it.len() == 1);
    let input = whole.and_then(|it| it.get(UNPARSED)).unwrap_or(input);
    let mut map = match input {
        Value::Object(map) => map.clone(),
        Value::Null => Map::new(),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err("the arguments are no JSON object".to_owned()),
            Err(error) => return Err(format!("the arguments are no valid JSON ({error})")),
        },
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("the arguments are no JSON object".to_owned());
        }
    };
    map.retain(|_, value| !value.is_null());
    for (alias, name) in ALIASES {
        let meant =
            !schema["properties"][*name].is_null() && schema["properties"][*alias].is_null();
        if meant
            && !map.contains_key(*name)
            && let Some(value) = map.shift_remove(*alias)
        {
            map.insert((*name).to_owned(), value);
        }
    }
    // Words of a command in the field for a shell line: joining them would lose their borders.
    if !schema["properties"]["argv"].is_null() && map.get("command").is_some_and(Value::is_array) {
        let words = map.shift_remove("command").unwrap_or_default();
        map.insert("argv".to_owned(), words);
    }
    for (name, value) in &mut map {
        coerce(value, &schema["properties"][name.as_str()]);
    }
    Ok(Value::Object(map))
}

fn coerce(value: &mut Value, property: &Value) {
    let read = match (property["type"].as_str(), &*value) {
        (Some("integer"), Value::String(text)) => text.trim().parse::<u64>().ok().map(Value::from),
        (Some("integer"), Value::Number(number)) => number
            .as_f64()
            .filter(|it| number.is_f64() && it.fract() == 0.0 && (0.0..1e9).contains(it))
            .map(|it| json!(it as u64)),
        (Some("boolean"), Value::String(text)) => text.trim().parse::<bool>().ok().map(Value::from),
        (Some("string"), Value::Number(number)) => Some(Value::from(number.to_string())),
        (Some("array"), Value::String(text)) => match serde_json::from_str(text) {
            Ok(list @ Value::Array(_)) => Some(list),
            Ok(_) | Err(_) => Some(json!([text])),
        },
        (Some("string"), Value::Array(items)) => {
            let lines: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            lines.map(|it| Value::from(it.join("\n")))
        }
        (Some("string"), Value::String(text)) if property["enum"].is_array() => {
            Some(Value::from(text.trim().to_lowercase().replace([' ', '_'], "-")))
        }
        _ => None,
    };
    if let Some(read) = read {
        *value = read;
    }
}

fn check(tool: &str, input: &Value, schema: &Value) -> Result<(), String> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if input[name].is_null() {
            return Err(format!("{tool} needs the field `{name}`"));
        }
    }
    for (name, value) in input.as_object().into_iter().flatten() {
        let Some(property) = properties.get(name) else {
            let known: Vec<_> = properties.keys().map(|it| format!("`{it}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("{tool} has no field `{name}`; its fields: {known}"));
        };
        if let Some(allowed) = property["enum"].as_array()
            && !allowed.contains(value)
        {
            let allowed: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            return Err(format!("`{name}` of {tool} must be one of {}", allowed.join(", ")));
        }
        let wanted = property["type"].as_str().unwrap_or("string");
        if !is_a(value, wanted) {
            return Err(format!("`{name}` of {tool} must be {}", in_words(wanted)));
        }
    }
    Ok(())
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "integer" => value.as_u64().is_some_and(|it| it <= u64::from(u32::MAX)),
        "boolean" => value.is_boolean(),
        "array" => value.as_array().is_some_and(|it| it.iter().all(Value::is_string)),
        _ => value.is_string(),
    }
}

fn in_words(wanted: &str) -> &'static str {
    match wanted {
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list of strings",
        _ => "a string",
    }
}

const DUTIES: [Duty; 6] =
    [Duty::Triage, Duty::Design, Duty::Answer, Duty::Build, Duty::Validate, Duty::Announce];

fn duty_name(duty: Duty) -> &'static str {
    match duty {
        Duty::Triage => "triage",
        Duty::Design => "design",
        Duty::Announce => "announce",
        Duty::Build => "build",
        Duty::Validate => "validate",
        Duty::Answer => "answer",
    }
}

/// What this duty may use in one edit format or another.
fn ever_offered(duty: Duty) -> impl Iterator<Item = Tool> {
    let own = Tool::of(duty);
    let offered = move |it: &Tool| {
        own.contains(it) || (*it == Tool::ApplyPatch && own.contains(&Tool::EditFile))
    };
    Tool::ALL.iter().copied().filter(offered)
}

/// Each role's tools with their schemas, for `baton tools --json`. The Engineer gets one of
/// `edit_file` and `apply_patch`, by the edit format.
pub fn tools_json() -> Value {
    let roles: Vec<Value> = DUTIES
        .iter()
        .map(|&duty| {
            let tools: Vec<Value> = ever_offered(duty)
                .map(|it| json!({"name": it.name(), "description": it.says(), "input_schema": it.schema()}))
                .collect();
            json!({"role": Role::of(duty).name(), "duty": duty_name(duty), "tools": tools})
        })
        .collect();
    json!({ "roles": roles })
}

/// The tools as a Markdown table, for docs/tools.md.
pub fn tool_table() -> String {
    let mut table = String::from("| tool | takes | does | who |\n|---|---|---|---|\n");
    for &tool in Tool::ALL {
        let schema = tool.schema();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields: Vec<String> = schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(|it| it.keys())
            .map(|it| {
                let must = required.iter().any(|name| name == it);
                format!("`{it}{}`", if must { "" } else { "?" })
            })
            .collect();
        let mut who: Vec<_> = DUTIES
            .iter()
            .filter(|&&duty| ever_offered(duty).any(|it| it == tool))
            .map(|&duty| Role::of(duty).name())
            .collect();
        // The Architect has two duties.
        who.dedup();
        let (name, says) = (tool.name(), tool.says());
        let (fields, who) = (fields.join(" "), who.join(", "));
        table.push_str(&format!("| `{name}` | {fields} | {says} | {who} |\n"));
    }
    table
}

#[cfg(test)]
mod tests;
