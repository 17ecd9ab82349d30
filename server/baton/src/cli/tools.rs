//! `baton tools`: which tools each role has, as the model gets them.

use super::args;
use super::open::{Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, cut, safe};
use crate::agent::tools_json;
use serde_json::Value;

const DOES_CHARS_MAX: usize = 70;

pub fn tools(screen: &Screen, asked: &args::Tools) -> Result<u8, Trouble> {
    let roles = tools_json();
    if asked.json {
        print_json(screen, &roles)?;
        return Ok(exit::DONE);
    }
    screen.table(&["Role", "Tool", "Does"], &rows(&roles));
    Ok(exit::DONE)
}

fn rows(tools: &Value) -> Vec<Vec<String>> {
    let list = |it: &Value, name: &str| it[name].as_array().cloned().unwrap_or_default();
    let text = |it: &Value, name: &str| it[name].as_str().map(safe).unwrap_or_default();
    let mut rows = Vec::new();
    for role in list(tools, "roles") {
        for tool in list(&role, "tools") {
            let does = cut(&text(&tool, "description"), DOES_CHARS_MAX);
            rows.push(vec![text(&role, "role"), text(&tool, "name"), does]);
        }
    }
    rows
}
