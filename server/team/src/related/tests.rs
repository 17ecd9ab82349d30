//! Which earlier tasks are shown, and why.

use super::*;
use crate::brief::{Brief, Origin, Place};
use crate::change::{FileChange, FileKind};
use crate::event::Event;
use crate::ids::{CommitId, TreeId};
use crate::task::Head;
use std::sync::Arc;

fn team(briefs: &[(&str, Option<&str>, &[&str])]) -> Team {
    let mut team = Team::default();
    for (n, (text, place, changed)) in (1..).zip(briefs) {
        let brief = Brief {
            place: place.map(|path| Place {
                path: path.into(),
                first_line: 1,
                last_line: 2,
                text: String::new(),
            }),
            ..Brief::new(*text, Origin::CommandLine)
        };
        team.apply(&Event::TaskDelegated { task: TaskId(n), brief, at: 0 });
        let file = |path: &&str| FileChange {
            path: (*path).into(),
            kind: FileKind::Modified,
            added: 1,
            removed: 1,
        };
        if !changed.is_empty() {
            let task = Arc::make_mut(team.tasks.get_mut(&TaskId(n)).unwrap());
            task.head = Some(Head {
                commit: CommitId("c".into()),
                tree: TreeId("t".into()),
                by: RunId(n),
                files: changed.iter().map(file).collect(),
                weakened: vec![],
            });
        }
    }
    team
}

fn shown(team: &Team, task: u32) -> Vec<(u32, String)> {
    related(team, TaskId(task)).into_iter().map(|it| (it.task.0, it.why)).collect()
}

#[test]
fn the_same_file_pointed_at_or_named() {
    let team = team(&[
        ("mend it", None, &["src/parse.rs", "src/lib.rs"]),
        ("about parsing", Some("src/parse.rs"), &[]),
        ("other", Some("src/other.rs"), &["README.md"]),
        ("again", Some("src/parse.rs"), &[]),
        ("`src/lib.rs:12` is wrong.", None, &[]),
        ("src/lib.rs2 is another file", None, &[]),
    ]);
    let about = (2, "it was about src/parse.rs too".into());
    assert_eq!(shown(&team, 4), [about, (1, "it changed src/parse.rs too".into())]);
    assert_eq!(shown(&team, 5), [(1, "it changed src/lib.rs too".into())]);
    assert_eq!(shown(&team, 6), []);
    assert_eq!(shown(&team, 1), [], "later tasks are not earlier ones");
}

#[test]
fn the_same_error_whatever_differs_in_it() {
    let team = team(&[
        ("thread 'main' panicked at src/a.rs:10:5:\nindex out of bounds: the len is 3", None, &[]),
        ("it says: error: expected `;`, found `x`", None, &[]),
        ("thread 'main' (77) panicked at src/b.rs:99:1:\nother", None, &[]),
        ("error", None, &[]),
        ("error", None, &[]),
    ]);
    assert_eq!(shown(&team, 3), [(1, "the same error: thread main panicked at".into())]);
    assert_eq!(shown(&team, 5), [], "too short to be the same");
}

#[test]
fn at_most_so_many_the_latest_first() {
    let many = vec![("x", Some("a.rs"), &[][..]); 20];
    let found = shown(&team(&many), 20);
    let ids: Vec<u32> = found.iter().map(|it| it.0).collect();
    assert_eq!(ids, [19, 18, 17, 16, 15]);
    assert_eq!(shown(&team(&many), 20), found, "the same again");
}

#[test]
fn says_how_it_ended() {
    let mut team = team(&[("x", Some("a.rs"), &[]), ("y", Some("a.rs"), &[])]);
    assert_eq!(related(&team, TaskId(2))[0].ended, "open");
    team.apply(&Event::TaskRejected { task: TaskId(1), why: "too large".into(), at: 1 });
    assert_eq!(related(&team, TaskId(2))[0].ended, "rejected: too large");
    assert_eq!(related(&team, TaskId(9)), []);
}
