//! Which moves of a task the random test saw, as a page of the documentation.

use crate::*;
use std::collections::BTreeSet;

/// From, to: the names of two states.
pub(super) type Moves = BTreeSet<(&'static str, &'static str)>;

/// The page in the documentation: every move that was seen, as a diagram.
pub(super) fn lifecycle(moves: &Moves) -> String {
    let mut res = String::from(
        "# The life of a task\n\nGenerated: every move of a task that the random test of \
         `server/team` saw over its seeds; the test\ncompares this page, `UPDATE_EXPECT=1` rewrites \
         it. A state's data is in `task.rs`.\n\n```mermaid\nstateDiagram-v2\n    [*] --> Snapshot\n",
    );
    for (from, to) in moves {
        res += &format!("    {from} --> {to}\n");
    }
    res + "```\n"
}

fn state_name(state: &TaskState) -> &'static str {
    match state {
        TaskState::Waiting { on: Wait::Snapshot } => "Snapshot",
        TaskState::Waiting { on: Wait::Candidate { .. } } => "Candidate",
        TaskState::Waiting { on: Wait::Part { .. } } => "Part",
        TaskState::Waiting { on: Wait::Question { .. } } => "Question",
        TaskState::Working { .. } => "Working",
        TaskState::Checking { .. } => "Checking",
        TaskState::AwaitingApproval { .. } => "AwaitingApproval",
        TaskState::Landing { .. } => "Landing",
        TaskState::Undoing { .. } => "Undoing",
        TaskState::Parked { .. } => "Parked",
        TaskState::Closed(End::Landed { .. }) => "Landed",
        TaskState::Closed(End::Applied { .. }) => "Applied",
        TaskState::Closed(End::Answered) => "Answered",
        TaskState::Closed(End::Rejected { .. }) => "Rejected",
        TaskState::Closed(End::Cancelled) => "Cancelled",
        TaskState::Closed(End::Undone { .. }) => "Undone",
    }
}

pub(super) fn note_moves(before: &Team, after: &Team, moves: &mut Moves) {
    for (id, old) in &before.tasks {
        let (from, to) = (state_name(&old.state), state_name(&after.tasks[id].state));
        if from != to {
            moves.insert((from, to));
        }
    }
}
