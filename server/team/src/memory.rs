//! What the team remembers of a repository: decisions and facts, each with an id, until a person
//! says to forget it. Nothing forgotten reaches a brief again; the log keeps that it was there.

use crate::handoff::{By, Decision};
use crate::ids::{DecisionId, FactId, Millis, TaskId};
use crate::setup::Quarantined;
use crate::task::{Task, Team};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A decision with its task, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    pub task: TaskId,
    pub decision: Decision,
    /// Who said to forget it, and when.
    pub forgotten: Option<(By, Millis)>,
}

/// Something that can be forgotten: `D3` or `F1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Memo {
    Decision(DecisionId),
    Fact(FactId),
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Memo::Decision(id) => id.fmt(f),
            Memo::Fact(id) => id.fmt(f),
        }
    }
}

impl FromStr for Memo {
    type Err = String;
    fn from_str(text: &str) -> Result<Memo, String> {
        let wrong = || format!("`{text}` is nothing to forget; it looks like D1 or F1");
        match text.chars().next() {
            Some('D' | 'd') => text.parse().map(Memo::Decision).map_err(|_| wrong()),
            Some('F' | 'f') => text.parse().map(Memo::Fact).map_err(|_| wrong()),
            Some(_) | None => Err(wrong()),
        }
    }
}

impl Team {
    /// What was decided about a task and is not forgotten, oldest first.
    pub fn decisions<'a>(
        &'a self,
        task: &'a Task,
    ) -> impl DoubleEndedIterator<Item = (DecisionId, &'a Decision)> {
        let known = task.decisions.iter().filter_map(|id| Some((*id, self.remembered(*id)?)));
        known.filter(|it| it.1.forgotten.is_none()).map(|it| (it.0, &it.1.decision))
    }

    /// Forgotten ones too.
    pub fn remembered(&self, id: DecisionId) -> Option<&Remembered> {
        self.memory.get(&id).map(|it| &**it)
    }

    /// A test that is put aside as flaky.
    pub fn fact(&self, id: FactId) -> Option<&Quarantined> {
        self.quarantine.iter().find(|it| it.id == id)
    }

    /// Everything that was decided here and is not forgotten, newest first; of one task, or of the
    /// tasks that were about this path: they point at it, plan it or change it.
    pub fn recalled<'a>(
        &'a self,
        task: Option<TaskId>,
        path: Option<&'a str>,
    ) -> impl Iterator<Item = (DecisionId, &'a Remembered)> {
        let all: Box<dyn Iterator<Item = DecisionId>> = match task {
            Some(task) => {
                let ids = self.task(task).map(|it| it.decisions.iter().rev().copied());
                Box::new(ids.into_iter().flatten())
            }
            None => Box::new(self.memory.ids().rev()),
        };
        let all = all.filter_map(|id| Some((id, self.remembered(id)?)));
        all.filter(move |(_, it)| {
            it.forgotten.is_none()
                && task.is_none_or(|task| task == it.task)
                && path.is_none_or(|path| self.task(it.task).is_some_and(|it| is_about(it, path)))
        })
    }
}

/// Whether a task points at this path, changes it, or plans to.
fn is_about(task: &Task, path: &str) -> bool {
    let is_it =
        |it: &str| it == path || it.strip_prefix(path).is_some_and(|it| it.starts_with('/'));
    let place = task.brief.place.iter().map(|it| it.path.as_str());
    let changed = task.head.iter().flat_map(|it| &it.files).map(|it| it.path.as_str());
    let planned = task.design.iter().flat_map(|it| &it.plan.paths).map(String::as_str);
    place.chain(changed).chain(planned).any(is_it)
}
