//! What to expect of a task: from the last tasks of its class, once there are enough of them.

use crate::event::Subject;
use crate::handoff::Class;
use crate::ids::{Millis, TaskId};
use crate::report::median;
use crate::routing::{Guess, guess};
use crate::task::{End, Task, TaskState, Team};

/// Fewer tasks of a class say nothing.
const TASKS_MIN: usize = 5;
/// So many of the last ones are looked at.
const TASKS_MAX: usize = 9;
/// Older tasks are not looked at.
const LOOKED_AT_MAX: usize = 500;

/// Over the last tasks of one class that ended, or stopped for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub class: Class,
    /// How many were looked at.
    pub of: usize,
    /// Of these, those that landed, were applied or answered.
    pub shipped: usize,
    /// From handing in to an approval that waits, or an answer: the median, in milliseconds.
    pub ready_ms: Option<Millis>,
    /// The median of what one took, in micro-dollars; 0 where no price is known.
    pub micros: u64,
}

/// What the last tasks of this class let expect; `None`: there are fewer than five.
pub fn estimate(team: &Team, class: Class) -> Option<Estimate> {
    let newest = team.tasks.values().rev().take(LOOKED_AT_MAX).map(|it| &**it);
    let over = newest.filter(|it| it.class == Some(class) && has_stopped(it));
    let last: Vec<&Task> = over.take(TASKS_MAX).collect();
    if last.len() < TASKS_MIN {
        return None;
    }
    let is_shipped = |it: &&&Task| {
        matches!(
            it.state,
            TaskState::Closed(End::Landed { .. } | End::Applied { .. } | End::Answered)
        )
    };
    Some(Estimate {
        class,
        of: last.len(),
        shipped: last.iter().filter(is_shipped).count(),
        ready_ms: median(last.iter().filter_map(|it| ready(team, it)).collect()),
        micros: median(last.iter().map(|it| it.spent.micros).collect()).unwrap_or(0),
    })
}

fn has_stopped(task: &Task) -> bool {
    matches!(task.state, TaskState::Closed(_) | TaskState::Parked { .. })
}

/// How long it took until a person could decide on the result.
fn ready(team: &Team, task: &Task) -> Option<Millis> {
    let mut asked = task.approvals.iter().filter_map(|it| team.approvals.get(it));
    let result =
        asked.find(|it| matches!(it.subject, Subject::Landing { .. } | Subject::Edits { .. }));
    let at = match (result, &task.state) {
        (Some(it), _) => it.asked_at,
        (None, TaskState::Closed(End::Answered)) => task.ended_at?,
        (None, _) => return None,
    };
    Some(at.saturating_sub(task.delegated_at))
}

impl Estimate {
    /// `about 4 min, $0.30; 7 of your last 9 bugs landed`.
    pub fn says(&self) -> String {
        let (these, ended) = match self.class {
            Class::Bug => ("bugs", "landed"),
            Class::Feature => ("features", "landed"),
            Class::Refactor => ("refactorings", "landed"),
            Class::Docs => ("docs tasks", "landed"),
            Class::Chore => ("chores", "landed"),
            Class::Question => ("questions", "were answered"),
            Class::NeedsHuman => ("tasks for a person", "landed"),
        };
        let mut parts = vec![];
        parts.extend(self.ready_ms.map(|it| format!("about {}", duration(it))));
        if 0 < self.micros {
            let cents = self.micros.div_ceil(10_000);
            parts.push(format!("${}.{:02}", cents / 100, cents % 100));
        }
        let expected = if parts.is_empty() { String::new() } else { parts.join(", ") + "; " };
        format!("{expected}{} of your last {} {these} {ended}", self.shipped, self.of)
    }
}

/// For people: what earlier tasks let expect of this one, where its class is plain already.
pub fn expected(team: &Team, task: TaskId) -> Option<String> {
    let it = team.task(task)?;
    let class = it.class.or_else(|| match guess(&it.brief) {
        Guess::Sure { class, .. } => Some(class),
        Guess::Open { .. } => None,
    });
    estimate(team, class?).map(|it| it.says())
}

/// `40 s`, `4 min`, `2 h`: no more precise than it is known.
fn duration(ms: Millis) -> String {
    match ms {
        0..60_000 => format!("{} s", (ms / 10_000 + 1) * 10),
        60_000..5_400_000 => format!("{} min", ms.div_ceil(60_000)),
        5_400_000.. => format!("{} h", (ms + 1_800_000) / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::script::play;
    use std::fmt::Write;

    /// So many bugs, of which every third is rejected; each needs seven lines, a minute apart.
    fn bugs(n: u32) -> Team {
        play(&bugs_told(n)).0
    }

    fn bugs_told(n: u32) -> String {
        let mut script = String::new();
        for task in 1..=n {
            let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|it| (task - 1) * 5 + it);
            let _ = write!(
                script,
                "delegate it fails\nT{task} snapshotted\nR{a} triaged bug\nR{b} checked 41\n\
                 R{c} changed h{task}\nR{c} spent 300000\nR{d} checked 42\n\
                 R{e} validated pass receipts=R{d}.1\nT{task} candidate l{task}\n"
            );
            let _ = match task % 3 {
                0 => writeln!(script, "A{task} reject no"),
                _ => writeln!(script, "A{task} approve\nT{task} planned\nT{task} landed"),
            };
        }
        script
    }

    #[test]
    fn a_task_says_what_to_expect_once_its_class_is_plain() {
        let more = "delegate it fails\nT6 snapshotted\nR26 triaged bug\n";
        let team = play(&(bugs_told(5) + more)).0;
        let known = estimate(&team, Class::Bug).map(|it| it.says());
        assert!(known.is_some());
        assert_eq!(expected(&team, TaskId(6)), known);
        assert_eq!(expected(&team, TaskId(7)), None);
    }

    #[test]
    fn five_tasks_of_a_class_are_enough_and_four_are_not() {
        assert_eq!(estimate(&bugs(4), Class::Bug), None);
        let it = estimate(&bugs(5), Class::Bug).unwrap();
        assert_eq!((it.of, it.shipped), (5, 4));
        assert_eq!(estimate(&bugs(5), Class::Docs), None);
    }

    #[test]
    fn only_the_last_ones_count() {
        let it = estimate(&bugs(12), Class::Bug).unwrap();
        assert_eq!((it.of, it.shipped), (9, 6));
        assert_eq!(it.says(), "about 8 min, $0.30; 6 of your last 9 bugs landed");
        let unpriced = Estimate { micros: 0, ready_ms: None, ..it };
        assert_eq!(unpriced.says(), "6 of your last 9 bugs landed");
    }

    #[test]
    fn times_are_no_more_precise_than_they_are_known() {
        for (ms, text) in [
            (0, "10 s"),
            (31_000, "40 s"),
            (61_000, "2 min"),
            (3_600_000, "60 min"),
            (7_100_000, "2 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
