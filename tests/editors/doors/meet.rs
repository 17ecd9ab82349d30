//! Both editors on one repository: a task goes on in one, and the other shows the same board.

use super::{Play, here};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The goal is 200 ms, which a test machine that is busy with other things may miss.
const APART_MS_MAX: u64 = 2_000;

/// A board as an editor showed it.
#[derive(Deserialize)]
struct Shown {
    version: u64,
    /// Unix milliseconds, by the machine's one clock.
    at: u64,
    board: Value,
}

fn shown(file: &Path) -> BTreeMap<u64, Shown> {
    let text = std::fs::read_to_string(file).unwrap();
    let all = text.lines().map(|it| serde_json::from_str::<Shown>(it).unwrap());
    let mut found = BTreeMap::new();
    for it in all {
        found.entry(it.version).or_insert(it);
    }
    found
}

/// What the two hold of a board, fields that are absent and those that are null being one.
fn told(board: &Value) -> Value {
    match board {
        Value::Object(all) => {
            let all = all.iter().filter(|it| !it.1.is_null());
            all.map(|(key, it)| (key.clone(), told(it))).collect()
        }
        Value::Array(all) => all.iter().map(told).collect(),
        other => other.clone(),
    }
}

/// What VS Code's row says of a task to a screen reader.
fn label(task: &Value) -> String {
    let [id, title, step] = ["id", "title", "step"].map(|of| task[of].as_str().unwrap());
    format!("{id} {title}, {step}")
}

/// Prints the median and the worst of these, in milliseconds; the median.
fn measured(what: &str, mut apart: Vec<u64>) -> u64 {
    apart.sort_unstable();
    let (median, worst) = (apart[apart.len() / 2], apart[apart.len() - 1]);
    println!("{what}: {median} ms apart at the median, {worst} ms at worst, of {}", apart.len());
    median
}

#[test]
fn both_editors_show_the_same_board_at_once() {
    let Some(nvim) = crate::nvim::neovim() else { return };
    let Some(_alone) = crate::vscode::ready() else { return };
    let play = Play::of(Some(include_str!("meet.toml")));
    let (home, root) = (&play.story.home, &play.story.root);
    let plugin = here().join("../../../editors/nvim").canonicalize().unwrap();
    let (node, lua) = (here().join("meet.mjs"), here().join("meet.lua"));
    let baton = Path::new(env!("CARGO_BIN_EXE_baton"));
    let start = ["--clean", "--headless", "-n", "-u", "NONE", "-l"];
    let ours = [&node, baton, root, home, &nvim].map(|it: &Path| it.to_str().unwrap());
    let neovims = [&lua, &plugin, baton, home].map(|it: &Path| it.to_str().unwrap());
    let said = play.drive(Path::new("node"), &[&ours[..], &start, &neovims].concat());
    assert!(said.contains("Neovim ended with 0"), "{said}");

    let [one, other] = ["nvim.jsonl", "vscode.jsonl"].map(|it| shown(&home.join(it)));
    assert_eq!(one.keys().last(), other.keys().last(), "the last board is the same");
    let both: Vec<_> = one.values().filter_map(|it| Some((it, other.get(&it.version)?))).collect();
    assert!(10 < both.len(), "{} boards were shown by both", both.len());
    for (it, that) in &both {
        for part in ["tasks", "approvals", "questions"] {
            let [here, there] = [it, that].map(|it| told(&it.board[part]));
            assert_eq!(here, there, "{part} of version {}", it.version);
        }
    }
    let apart = both.iter().map(|it| it.0.at.abs_diff(it.1.at)).collect();
    let held = measured("a board is held by both", apart);

    // On the screens: when a row of VS Code's window began to say it, and when Neovim had redrawn. What was
    // over before VS Code drew again is on one of them alone.
    let rows = std::fs::read_to_string(home.join("rows.json")).unwrap();
    let rows: Vec<(String, u64)> = serde_json::from_str(&rows).unwrap();
    let (mut apart, mut before) = (Vec::new(), Vec::new());
    for it in one.values() {
        let now = it.board["tasks"].as_array().unwrap().iter().map(label);
        let now: Vec<String> = now.collect();
        for label in now.iter().filter(|it| !before.contains(*it)) {
            let those = rows.iter().filter(|row| row.0 == *label);
            apart.extend(those.map(|row| it.at.abs_diff(row.1)).min());
        }
        before = now;
    }
    assert!(5 < apart.len(), "{rows:#?}");
    let seen = measured("a row is on both screens", apart);
    assert!(held < APART_MS_MAX && seen < APART_MS_MAX);
}
