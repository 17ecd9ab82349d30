//! What was learned of each model: how well formed its edits were, over all repositories of this user.
//! `models.json` in the state folder; small, and no loss if it is lost.

use super::blocking;
use super::crew::Desk;
use crate::agent::{Record, StepBody};
use crate::config::Home;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use team::{Code, Failure};

const FILE: &str = "models.json";
const FILE_BYTES_MAX: u64 = 256 * 1024;
const MODELS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 200;
/// The name of a script that names no model: nothing is learned from it.
const REHEARSAL: &str = "rehearsal";

#[derive(Default, Serialize, Deserialize)]
struct Models {
    #[serde(default)]
    models: BTreeMap<String, Record>,
}

/// What is known of a model.
pub(super) async fn of(desk: &Desk, model: &str) -> Record {
    let (home, name) = (desk.shared.home.clone(), key(model));
    let read = blocking(move || Ok(read(&home).models.remove(&name).unwrap_or_default())).await;
    read.unwrap_or_default()
}

/// Adds what a run showed. That it can't be written ends no run.
pub(super) async fn add(desk: &Desk, model: &str, steps: &[StepBody]) {
    let run = Record::of(steps);
    if model == REHEARSAL || run == Record::default() {
        return;
    }
    let (home, name) = (desk.shared.home.clone(), key(model));
    if let Err(failure) = blocking(move || change(&home, name, &run)).await {
        tracing::warn!(%failure, "what was learned of a model is lost");
    }
}

fn key(model: &str) -> String {
    crate::clean::line(model).chars().take(NAME_CHARS_MAX).collect()
}

/// A file that is missing or can't be read is an empty one: it holds habits, no facts.
fn read(home: &Home) -> Models {
    let mut bytes = Vec::new();
    let file = File::open(home.state_dir.join(FILE));
    let read = file.and_then(|it| it.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Ok(_) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Models::default(),
    }
}

/// One change at a time over all processes; the old file or the new one, never half of one.
fn change(home: &Home, name: String, run: &Record) -> Result<(), Failure> {
    let dir = &home.state_dir;
    let fail = |it: std::io::Error| Failure::new(Code::Store, format!("write {FILE}: {it}"));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
    let lock = File::create(dir.join("models.lock")).map_err(fail)?;
    lock.lock().map_err(fail)?;
    let mut all = read(home);
    if MODELS_MAX <= all.models.len() && !all.models.contains_key(&name) {
        // Nobody works with so many; which one is forgotten matters little.
        all.models.pop_first();
    }
    all.models.entry(name).or_default().add(run);
    let json = serde_json::to_vec_pretty(&all)
        .map_err(|it| Failure::new(Code::Bug, format!("{FILE} is no JSON: {it}")))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(fail)?;
    file.write_all(&json).map_err(fail)?;
    file.persist(dir.join(FILE)).map_err(|it| fail(it.error))?;
    lock.unlock().map_err(fail)
}
