//! The wire types in the clients' languages: TypeScript for VS Code, LuaCATS annotations for Neovim.
//! Written from the same schemas as the documentation, so that no client has types of its own.

use super::document::{Language, MESSAGES, NOTIFICATIONS, about, kind, schemas};
use super::{PROTOCOL_VERSION, method};
use serde_json::Value;
use std::fmt::Write;

const TYPESCRIPT: Language = Language {
    list: |it| if it.contains('|') { format!("({it})[]") } else { format!("{it}[]") },
    either: " | ",
    word: |it| match it {
        "integer" => "number",
        "string" | "number" | "boolean" | "null" => it,
        _ => "unknown",
    },
    any: "unknown",
};

const LUA: Language = Language {
    list: TYPESCRIPT.list,
    either: "|",
    word: |it| match it {
        "null" => "nil",
        "string" | "integer" | "number" | "boolean" => it,
        _ => "any",
    },
    any: "any",
};

/// `editors/vscode/src/protocol.gen.ts`.
pub fn typescript() -> String {
    let mut text = String::from(
        "// The wire types of the server, written from its own: UPDATE=1 cargo test -p baton --test e2e document\n\
         // Fields may come, unknown ones are ignored; unknown names are shown as they are.\n\n",
    );
    let _ = writeln!(text, "export const PROTOCOL_VERSION = {PROTOCOL_VERSION};\n");
    text.push_str("export const method = {\n");
    for name in method::REQUESTS.iter().chain(&method::NOTIFICATIONS) {
        let _ = writeln!(text, "  {}: \"{name}\",", key(name));
    }
    text.push_str(
        "} as const;\n\n/** Params and result of each request. */\nexport interface Requests {\n",
    );
    for (name, _, params, result) in MESSAGES {
        let _ = writeln!(text, "  \"{name}\": {{ params: {params}; result: {result} }};");
    }
    text.push_str("}\n\n/** Params of each notification. */\nexport interface Notifications {\n");
    for (name, _, params) in NOTIFICATIONS {
        let _ = writeln!(text, "  \"{name}\": {params};");
    }
    text.push_str("}\n");
    for (name, schema) in schemas() {
        text.push('\n');
        if let Some(about) = about(&schema) {
            let _ = writeln!(text, "/** {about} */");
        }
        let Some(fields) = fields(&schema) else {
            let _ = writeln!(text, "export type {name} = {};", names(&schema, &TYPESCRIPT));
            continue;
        };
        let _ = writeln!(text, "export interface {name} {{");
        for field in fields {
            if let Some(about) = about(field.schema) {
                let _ = writeln!(text, "  /** {about} */");
            }
            let maybe = if field.required { "" } else { "?" };
            let kind = kind(field.schema, &TYPESCRIPT, &|it| it.to_owned());
            let _ = writeln!(text, "  {}{maybe}: {kind};", field.name);
        }
        text.push_str("}\n");
    }
    text
}

/// `editors/nvim/lua/baton/protocol/gen.lua`.
pub fn lua() -> String {
    let mut text = String::from(
        "---@meta\n-- The wire types of the server, written from its own: UPDATE=1 cargo test -p baton --test e2e document\n\
         -- Fields may come, unknown ones are ignored; unknown names are shown as they are.\n",
    );
    let class = |name: &str| format!("baton.{name}");
    for (name, schema) in schemas() {
        text.push('\n');
        if let Some(about) = about(&schema) {
            let _ = writeln!(text, "---{about}");
        }
        let Some(fields) = fields(&schema) else {
            let _ = writeln!(text, "---@alias {} {}", class(&name), names(&schema, &LUA));
            continue;
        };
        let _ = writeln!(text, "---@class {}", class(&name));
        for field in fields {
            let maybe = if field.required { "" } else { "?" };
            let kind = kind(field.schema, &LUA, &class);
            let about = about(field.schema).map(|it| format!(" {it}")).unwrap_or_default();
            let _ = writeln!(text, "---@field {}{maybe} {kind}{about}", field.name);
        }
    }
    text.push_str("\nlocal M = {}\n\n");
    let _ = writeln!(text, "M.version = {PROTOCOL_VERSION}\n");
    text.push_str("M.method = {\n");
    for name in method::REQUESTS.iter().chain(&method::NOTIFICATIONS) {
        let _ = writeln!(text, "  {} = \"{name}\",", key(name));
    }
    text.push_str("}\n\nreturn M\n");
    text
}

struct Field<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

fn fields(schema: &Value) -> Option<Vec<Field<'_>>> {
    let properties = schema.get("properties")?.as_object()?;
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|it| it.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    Some(
        properties
            .iter()
            .map(|(name, schema)| Field {
                name,
                schema,
                required: required.contains(&name.as_str()),
            })
            .collect(),
    )
}

/// The last part of a method's name.
fn key(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The names of an enum, as literals.
fn names(schema: &Value, language: &Language) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut add = |it: &Value| all.extend(it.as_str().map(|it| format!("\"{it}\"")));
    for kind in std::iter::once(schema)
        .chain(schema.get("oneOf").and_then(Value::as_array).into_iter().flatten())
    {
        kind.get("const").into_iter().for_each(&mut add);
        kind.get("enum").and_then(Value::as_array).into_iter().flatten().for_each(&mut add);
    }
    if all.is_empty() { language.any.to_owned() } else { all.join(language.either) }
}
