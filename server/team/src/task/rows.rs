//! A team in pieces, for a checkpoint: one row an entry, of which only those are written that changed
//! since the last one, and a small frame around them. How they are stored is the store's.

use super::{Approval, Asked, Ending, Ends, Run, Task, Team};
use crate::brief::Usage;
use crate::budget::Day;
use crate::ids::{Numbered, TaskId};
use crate::kept::{Extent, Fetch, Kept};
use crate::memory::Remembered;
use crate::setup::Quarantined;
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Entry<'a> {
    Task(&'a Task),
    Run(&'a Run),
    Approval(&'a Approval),
    Question(&'a Asked),
    Decision(&'a Remembered),
    Ending(&'a Ending),
}

impl Entry<'_> {
    /// The name of its kind, in rows.
    pub fn kind(&self) -> &'static str {
        match self {
            Entry::Task(_) => "task",
            Entry::Run(_) => "run",
            Entry::Approval(_) => "approval",
            Entry::Question(_) => "question",
            Entry::Decision(_) => "decision",
            Entry::Ending(_) => "ending",
        }
    }
}

/// What reads the entries of a checkpoint again.
pub struct Shelf {
    pub tasks: Fetch<Task>,
    pub runs: Fetch<Run>,
    pub approvals: Fetch<Approval>,
    pub questions: Fetch<Asked>,
    pub decisions: Fetch<Remembered>,
    pub endings: Fetch<Ending>,
}

/// All of a team but its entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    version: u64,
    tasks: Extent,
    runs: Extent,
    approvals: Extent,
    questions: Extent,
    decisions: Extent,
    endings: Extent,
    open: Vec<TaskId>,
    ends: Ends,
    spent: Usage,
    today: Day,
    quarantine: Vec<Quarantined>,
    facts: u32,
    setups: Vec<String>,
}

impl Team {
    pub fn frame(&self) -> Frame {
        Frame {
            version: self.version,
            tasks: self.tasks.extent(),
            runs: self.runs.extent(),
            approvals: self.approvals.extent(),
            questions: self.questions.extent(),
            decisions: self.memory.extent(),
            endings: self.endings.extent(),
            open: self.open.iter().copied().collect(),
            ends: self.ends,
            spent: self.spent,
            today: self.today,
            quarantine: self.quarantine.clone(),
            facts: self.facts,
            setups: self.setups.iter().cloned().collect(),
        }
    }

    /// The team that a checkpoint holds.
    pub fn fetched(frame: Frame, shelf: Shelf) -> Team {
        Team {
            version: frame.version,
            tasks: Kept::fetched(frame.tasks, shelf.tasks),
            runs: Kept::fetched(frame.runs, shelf.runs),
            approvals: Kept::fetched(frame.approvals, shelf.approvals),
            questions: Kept::fetched(frame.questions, shelf.questions),
            memory: Kept::fetched(frame.decisions, shelf.decisions),
            endings: Kept::fetched(frame.endings, shelf.endings),
            open: frame.open.into_iter().collect(),
            ends: frame.ends,
            spent: frame.spent,
            today: frame.today,
            quarantine: frame.quarantine,
            facts: frame.facts,
            setups: frame.setups.into_iter().collect(),
            settled: Some(frame.version),
        }
    }

    /// The version of the checkpoint that [`Team::changed`] counts from. `None`: there is none.
    pub fn settled(&self) -> Option<u64> {
        self.settled
    }

    /// A checkpoint holds the team as it is.
    pub fn settle(&mut self) {
        self.tasks.settle();
        self.runs.settle();
        self.approvals.settle();
        self.questions.settle();
        self.memory.settle();
        self.endings.settle();
        self.settled = Some(self.version);
    }

    /// The entries that a checkpoint has to write after the one at [`Team::settled`], with their
    /// numbers.
    pub fn changed(&self) -> impl Iterator<Item = (u32, Entry<'_>)> {
        let tasks = rows(self.tasks.changed(), Entry::Task);
        let runs = rows(self.runs.changed(), Entry::Run);
        let approvals = rows(self.approvals.changed(), Entry::Approval);
        let questions = rows(self.questions.changed(), Entry::Question);
        let decisions = rows(self.memory.changed(), Entry::Decision);
        let endings = rows(self.endings.changed(), Entry::Ending);
        tasks.chain(runs).chain(approvals).chain(questions).chain(decisions).chain(endings)
    }

    /// How many entries there are.
    pub fn len_of_all(&self) -> usize {
        let Team { tasks, runs, approvals, questions, memory, endings, .. } = self;
        let asked = approvals.len() + questions.len();
        tasks.len() + runs.len() + asked + memory.len() + endings.len()
    }

    /// All entries, with their numbers; those that are not in memory are fetched.
    pub fn entries(&self) -> impl Iterator<Item = (u32, Entry<'_>)> {
        let tasks = rows(all(&self.tasks), Entry::Task);
        let runs = rows(all(&self.runs), Entry::Run);
        let approvals = rows(all(&self.approvals), Entry::Approval);
        let questions = rows(all(&self.questions), Entry::Question);
        let decisions = rows(all(&self.memory), Entry::Decision);
        let endings = rows(all(&self.endings), Entry::Ending);
        tasks.chain(runs).chain(approvals).chain(questions).chain(decisions).chain(endings)
    }
}

fn all<K: Numbered, V>(kept: &Kept<K, V>) -> impl Iterator<Item = (K, &V)> {
    kept.iter().map(|(id, it)| (*id, &**it))
}

fn rows<'a, K: Numbered, V: 'a>(
    entries: impl Iterator<Item = (K, &'a V)>,
    of: fn(&'a V) -> Entry<'a>,
) -> impl Iterator<Item = (u32, Entry<'a>)> {
    entries.map(move |(id, it)| (id.number(), of(it)))
}

/// The same facts; which of them a checkpoint holds, and where, is no difference.
impl PartialEq for Team {
    fn eq(&self, other: &Team) -> bool {
        self.frame() == other.frame()
            && self.tasks == other.tasks
            && self.runs == other.runs
            && self.approvals == other.approvals
            && self.questions == other.questions
            && self.memory == other.memory
            && self.endings == other.endings
    }
}
