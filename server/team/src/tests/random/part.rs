//! Some hunks only: what the random test does with them, and what always holds.

use super::super::script::{commit, hunks};
use super::{Random, person};
use crate::*;
use std::collections::BTreeSet;

/// What every candidate of these tests offers.
const OFFERED: &str = "src/lib.rs:h1+h2,b.bin:b1";

pub(super) fn answer(random: &mut Random) -> Answer {
    let some = ["src/lib.rs:h1", "src/lib.rs:h2,b.bin:b1", "b.bin:b1", OFFERED, "b.bin:gone", ""];
    let ticked = if random.one_in(2) { vec!["build.rs".into()] } else { vec![] };
    Answer::ApproveSome { ticked, hunks: hunks(some[random.below(6) as usize]) }
}

pub(super) fn answer_to(random: &mut Random, approval: ApprovalId) -> Input {
    Input::Answer { approval, expected: None, answer: answer(random), by: person() }
}

/// What git says of the hunks.
pub(super) fn made(random: &mut Random, task: TaskId, step: u32) -> Input {
    if random.one_in(8) {
        return Input::PartConflicted { task, paths: vec!["src/lib.rs".into()] };
    }
    let head = commit(&format!("p{step}"));
    Input::PartMade { task, head, change: ChangeId("part".into()) }
}

/// What a candidate built now would change, if nothing else happened.
pub(super) fn change(task: &Task) -> &'static str {
    match &task.state {
        TaskState::Waiting { on: Wait::Candidate { head, .. } } if head.0.starts_with('p') => {
            "part"
        }
        TaskState::Waiting { .. }
        | TaskState::Working { .. }
        | TaskState::Checking { .. }
        | TaskState::AwaitingApproval { .. }
        | TaskState::Landing { .. }
        | TaskState::Undoing { .. }
        | TaskState::Parked { .. }
        | TaskState::Closed(_) => "same",
    }
}

/// What lands under an answer for some hunks is exactly those: not none, not all, and as git made them.
pub(super) fn lands_what_was_chosen(
    asked: &Approval,
    candidate: &Candidate,
    story: &dyn Fn() -> String,
) {
    let ApprovalState::Answered { answer: Answer::ApproveSome { hunks: chosen, .. }, .. } =
        &asked.state
    else {
        assert_eq!(asked.part, None, "{}: a part that nobody chose", story());
        return;
    };
    let part = asked.part.as_ref().unwrap_or_else(|| panic!("{}: no part", story()));
    assert_eq!((&part.change, &part.head), (&candidate.change, &candidate.head), "{}", story());
    let all = hunks(OFFERED);
    assert!((1..count(&all)).contains(&count(chosen)), "{}: {chosen:?}", story());
    for file in chosen {
        let there = all.iter().find(|it| it.path == file.path);
        let known = there.is_some_and(|it| file.hunks.iter().all(|id| it.hunks.contains(id)));
        assert!(known, "{}: {chosen:?}", story());
    }
}

/// What was ticked, and by whom, where an approval was given for all or for some.
pub(super) fn granted(asked: &Approval) -> Option<(&Vec<String>, &By)> {
    match &asked.state {
        ApprovalState::Answered {
            answer: Answer::Approve { ticked } | Answer::ApproveSome { ticked, .. },
            by,
            ..
        } => Some((ticked, by)),
        ApprovalState::Answered { .. } | ApprovalState::Open | ApprovalState::Void { .. } => None,
    }
}

/// Which ways were gone.
pub(super) fn note(team: &Team, event: &Event, seen: &mut BTreeSet<&'static str>) {
    let Event::TaskLanded { task, .. } = event else { return };
    let TaskState::Closed(End::Landed { approval, .. }) = &team.tasks[task].state else { return };
    if team.approvals[approval].part.is_some() {
        seen.insert("landed in part");
        let built = team.tasks[task].candidate.as_ref();
        let rounds = team.runs.values().filter(|it| {
            let of = matches!(&it.work, Work::Checks { commit, why: Why::Candidate, .. }
                if built.is_some_and(|l| l.commit == *commit));
            it.task == *task && of
        });
        if 0 < rounds.count() {
            seen.insert("landed in part, checked");
        }
    }
}
