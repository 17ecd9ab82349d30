//! What is kept beside the entries says what a walk over all of them says; and a team that is written
//! down and read again now and then, only what changed each time, can't be told from one that never
//! was.

use super::Random;
use crate::task::{Entry, Frame, Shelf};
use crate::*;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Disk {
    rows: BTreeMap<(&'static str, u32), String>,
    frame: Option<String>,
    version: Option<u64>,
}

/// The same team twice: the second is written down and read again.
pub(super) struct Twin {
    /// Of its own, so that the team's story is the same with a twin and without.
    random: Random,
    team: Team,
    disk: Arc<Mutex<Disk>>,
    /// Copies that were taken at some time, and must not see what came later.
    copies: Vec<(Team, Team)>,
}

impl Twin {
    pub(super) fn new(seed: u32) -> Twin {
        let random = Random(seed.wrapping_mul(2_246_822_519).max(1));
        Twin { random, team: Team::default(), disk: Arc::default(), copies: vec![] }
    }

    pub(super) fn after(&mut self, events: &[Event], plain: &Team) {
        for event in events {
            self.team.apply(event);
        }
        if self.random.one_in(8) {
            self.copies.push((plain.clone(), self.team.clone()));
        }
        if self.random.one_in(6) {
            self.write();
        }
        if self.random.one_in(3) && self.disk.lock().unwrap().version == Some(self.team.version) {
            self.read();
        }
    }

    pub(super) fn is_the_same(&mut self, plain: &Team, seed: u32) {
        assert_eq!(self.team, *plain, "seed {seed}: the team that was read again is another one");
        self.check_copies();
    }

    fn check_copies(&mut self) {
        for (plain, copy) in self.copies.drain(..) {
            assert_eq!(copy, plain, "a copy saw what came later");
        }
    }

    fn write(&mut self) {
        let mut disk = self.disk.lock().unwrap();
        let mut put = |number: u32, it: Entry<'_>| {
            disk.rows.insert((it.kind(), number), serde_json::to_string(&it).unwrap())
        };
        if self.team.settled().is_none() {
            self.team.entries().for_each(|(number, it)| drop(put(number, it)));
        } else {
            self.team.changed().for_each(|(number, it)| drop(put(number, it)));
        }
        disk.frame = Some(serde_json::to_string(&self.team.frame()).unwrap());
        disk.version = Some(self.team.version);
        drop(disk);
        self.team.settle();
    }

    fn read(&mut self) {
        // Those that were read before go by the rows as they are now.
        self.check_copies();
        let frame = self.disk.lock().unwrap().frame.clone().unwrap();
        let frame: Frame = serde_json::from_str(&frame).unwrap();
        let shelf = Shelf {
            tasks: self.fetch("task"),
            runs: self.fetch("run"),
            approvals: self.fetch("approval"),
            questions: self.fetch("question"),
            decisions: self.fetch("decision"),
            endings: self.fetch("ending"),
        };
        self.team = Team::fetched(frame, shelf);
    }

    fn fetch<V: DeserializeOwned>(&self, kind: &'static str) -> Fetch<V> {
        let disk = Arc::clone(&self.disk);
        Arc::new(move |number| {
            let disk = disk.lock().unwrap();
            serde_json::from_str(disk.rows.get(&(kind, number))?).ok()
        })
    }
}

pub(super) fn indexes_hold(team: &Team, story: &dyn Fn() -> String) {
    let is_closed = |it: &Task| matches!(it.state, TaskState::Closed(_));
    let open = |id: &TaskId| !is_closed(&team.tasks[id]);
    let ids: Vec<TaskId> = team.tasks.keys().copied().collect();
    for id in &ids {
        assert_eq!(team.is_open(*id), open(id), "{}: {id}", story());
    }
    let live: BTreeSet<RunId> = team.live_runs().map(|it| it.0).collect();
    let runs = team.runs.iter().filter(|it| it.1.state == RunState::Live).map(|it| *it.0);
    assert_eq!(live, runs.collect(), "{}: live runs", story());
    let waits: BTreeSet<ApprovalId> = team.waiting_approvals().map(|it| it.0).collect();
    let all = team.approvals.iter().filter(|it| it.1.state == ApprovalState::Open);
    assert_eq!(waits, all.map(|it| *it.0).collect(), "{}: approvals", story());
    let asked: BTreeSet<QuestionId> = team.waiting_questions().map(|it| it.0).collect();
    let all = team.questions.iter().filter(|(id, it)| {
        let waiting = TaskState::Waiting { on: Wait::Question { question: **id } };
        it.answer.is_none() && team.tasks[&it.task].state == waiting
    });
    assert_eq!(asked, all.map(|it| *it.0).collect(), "{}: questions", story());
    sums_hold(team, &ids, story);
}

fn sums_hold(team: &Team, ids: &[TaskId], story: &dyn Fn() -> String) {
    let mut spent = Usage::default();
    team.tasks.values().for_each(|it| spent.add(&it.spent));
    assert_eq!(team.spent, spent, "{}", story());
    let column = |id: &TaskId| task_line(team, *id, &team.tasks[id]).column;
    let count = |wanted: Column| {
        let n = ids.iter().filter(|id| !team.is_open(**id) && column(id) == wanted).count();
        u32::try_from(n).unwrap()
    };
    let is_by_rule = |id: &&TaskId| match &team.tasks[*id].state {
        TaskState::Closed(End::Landed { approval, .. }) => {
            matches!(team.approvals[approval].state, ApprovalState::Answered { by: By::Rule, .. })
        }
        _ => false,
    };
    let by_rule = u32::try_from(ids.iter().filter(is_by_rule).count()).unwrap();
    let (shipped, otherwise) = (count(Column::Shipped), count(Column::Ended));
    assert_eq!(team.ends, Ends { shipped, by_rule, otherwise }, "{}", story());
    let ended: BTreeSet<TaskId> = ids.iter().copied().filter(|it| !team.is_open(*it)).collect();
    assert_eq!(team.ended_since(None), ended, "{}", story());
    assert_eq!(team.ended(), ended.len(), "{}", story());
    for (id, it) in &team.tasks {
        let runs: Vec<RunId> =
            team.runs.iter().filter(|run| run.1.task == *id).map(|it| *it.0).collect();
        assert_eq!(it.runs, runs, "{}: runs of {id}", story());
        let asked = team.questions.iter().filter(|asked| asked.1.task == *id).map(|it| *it.0);
        assert_eq!(it.asked, asked.collect::<Vec<_>>(), "{}: questions of {id}", story());
    }
}
