//! The roles' prompts: short, and naming only tools that the role has. A tool that a prompt names
//! and a role lacks makes a model call it, be refused, and call it again.

use crate::none;
use crate::tree::{File, tree};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FOLDER: &str = "server/baton/src/agent/prompts/";
const WORDS_MAX: usize = 600;

/// Each role by its lower-case name, with its duty behind it where it has several; and the names of
/// its tools.
static ROLES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let read = baton::agent::tools_json();
    let roles = read["roles"].as_array().unwrap();
    let text = |it: &Value| it.as_str().unwrap().to_lowercase();
    let role = |it: &Value| {
        let tools = it["tools"].as_array().unwrap();
        let is_one = roles.iter().filter(|other| other["role"] == it["role"]).count() == 1;
        let name = match is_one {
            true => text(&it["role"]),
            false => format!("{}-{}", text(&it["role"]), text(&it["duty"])),
        };
        (name, tools.iter().map(|it| text(&it["name"])).collect())
    };
    roles.iter().map(role).collect()
});

#[test]
fn prompts_are_short_and_name_only_tools_of_their_role() {
    let mut found = Vec::new();
    let prompts: Vec<&File> =
        tree().files.iter().filter(|it| it.path.starts_with(FOLDER)).collect();
    assert_eq!(prompts.len(), ROLES.len(), "each role has one prompt for each duty in {FOLDER}");
    for prompt in prompts {
        found.extend(wrong(prompt));
    }
    none(found, "say less, or give the role the tool");
}

fn wrong(prompt: &File) -> Vec<String> {
    let mut found = Vec::new();
    let count = prompt.text.split_whitespace().count();
    if WORDS_MAX < count {
        found.push(format!("{}: {count} words, at most {WORDS_MAX}", prompt.path));
    }
    let role = prompt.path[FOLDER.len()..].trim_end_matches(".md");
    let Some(own) = ROLES.get(role) else {
        found.push(format!("{}: no role is called `{role}`", prompt.path));
        return found;
    };
    for named in named_tools(&prompt.text) {
        if !own.iter().any(|it| it == named) {
            found.push(format!("{}: the {role} has no tool `{named}`", prompt.path));
        }
    }
    found
}

/// Words in backticks that are tools of some role, or look like a hand-over.
fn named_tools(text: &str) -> impl Iterator<Item = &str> {
    let between = text.split('`').enumerate().filter(|(i, _)| i % 2 == 1);
    between.filter_map(|(_, part)| {
        let word = part.split(['(', ' ']).next()?;
        let of_some_role = ROLES.values().flatten().any(|it| it == word);
        (of_some_role || word.starts_with("hand_over_")).then_some(word)
    })
}

#[test]
fn a_tool_of_another_role_is_noticed() {
    let sample =
        |role: &str, text: &str| wrong(&File::new(&format!("{FOLDER}{role}.md"), text)).len();
    assert_eq!(sample("pm", "Use `read_file`, then `hand_over_triage`. Never `some_word`."), 0);
    assert_eq!(sample("pm", "Use `edit_file(path)` and `hand_over_change`."), 2);
    assert_eq!(sample("tester", "Call `hand_over_nothing`."), 1);
    assert_eq!(sample("nobody", ""), 1);
    assert_eq!(sample("pm", &"word ".repeat(WORDS_MAX + 1)), 1);
}
