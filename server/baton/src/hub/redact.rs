//! No secret reaches the log, and nothing that a terminal or an editor would act on: events are
//! cleaned after they were decided and before anybody, the team included, sees them. Steps of a journal are cleaned where they are made, outputs where they are
//! read from a command.

use crate::clean;
use team::Event;

/// What git made or reads back: paths and hashes that must stay as they are, and the commands of
/// checks and set-ups, which the person sees.
const AS_THEY_ARE: [&str; 9] =
    ["base", "candidate", "checks", "files", "path", "paths", "plan", "setup", "ticked"];

pub(super) fn event(event: Event) -> Event {
    let Ok(before) = serde_json::to_value(&event) else {
        return event;
    };
    let mut after = before.clone();
    clean::each_text(&mut after, &AS_THEY_ARE, clean::text);
    if after == before {
        return event;
    }
    // Texts became other texts; whatever could be read before can still be.
    serde_json::from_value(after).unwrap_or(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use team::{Code, Failure, TaskId};

    #[test]
    fn a_secret_leaves_an_event_and_what_git_needs_stays() {
        let key = ["ghp", "_Ab3dEf6hIj9lMn2pQr5tUv8xYz1BCdEFgHiJ"].concat();
        let why =
            team::Parked::Failed(Failure::new(Code::Model, format!("use\n{key} \u{202e}there")));
        let parked = Event::TaskParked { task: TaskId(1), why, at: 1 };
        let text = serde_json::to_string(&event(parked.clone())).unwrap();
        assert!(
            !text.contains(&key) && text.contains("use\\n[redacted] \\\\u{202e}there"),
            "{text}"
        );
        let conflicted = Event::CandidateConflicted {
            task: TaskId(1),
            tip: team::CommitId("1".repeat(40)),
            paths: vec![key.clone()],
        };
        assert_eq!(event(conflicted.clone()), conflicted);
        let plain = Event::TaskRejected { task: TaskId(1), why: "no".into(), at: 2 };
        assert_eq!(event(plain.clone()), plain);
    }
}
