//! What is offered for what waits, and in which form.

use super::*;
use expect_test::{Expect, expect};
use team::{
    Brief, Candidate, ChangeId, CheckSpec, CommitId, Event, Exit, FileChange, FileKind, Origin,
    Question, Ran, Receipt, ReceiptId, Report, RunId, SandboxLevel, Start, TaskId, Tests, TreeId,
    Why, Work,
};

fn commit(digit: char) -> CommitId {
    CommitId(std::iter::repeat_n(digit, 40).collect())
}

fn candidate() -> Candidate {
    let file = |path: &str, added, removed| FileChange {
        path: path.to_owned(),
        kind: FileKind::Modified,
        added,
        removed,
    };
    Candidate {
        commit: commit('c'),
        tree: TreeId("t".to_owned()),
        tip: commit('a'),
        head: commit('b'),
        change: ChangeId("change1".to_owned()),
        files: vec![file("src/parse.rs", 6, 2)],
        hunks: vec![],
        acts: vec![],
        risk: vec![],
        merges: vec![],
        blocked: vec![],
        notes: vec![],
    }
}

fn receipt(run: RunId, passed: u32) -> Receipt {
    Receipt {
        id: ReceiptId { run, n: 1 },
        ran: Ran::Check { name: "test".to_owned() },
        argv: vec!["cargo".to_owned(), "test".to_owned()],
        dir: String::new(),
        exit: Exit::Code(0),
        duration_ms: 1,
        output: String::new(),
        output_bytes: 0,
        commit: Some(commit('c')),
        tree: None,
        tests: Some(Tests { passed, ..Tests::default() }),
        sandbox: SandboxLevel::Full,
        environment: String::new(),
        at: 3,
    }
}

/// A team with one task that was checked in R1.
fn team() -> Team {
    let mut team = Team::default();
    let task = TaskId(1);
    let brief = Brief::new("fix the parser", Origin::Selection);
    team.apply(&Event::TaskDelegated { task, brief, at: 1 });
    let work = Work::Checks { commit: commit('c'), why: Why::Candidate, unconfined: false };
    let run = RunId(1);
    team.apply(&Event::RunStarted { run, task, work, at: 2, deadline_at: 9 });
    team.apply(&Event::ReceiptRecorded { run, receipt: receipt(run, 42) });
    team
}

fn asked(subject: Subject) -> Team {
    let mut team = team();
    let approval = team::ApprovalId(1);
    team.apply(&Event::ApprovalAsked { approval, task: TaskId(1), subject, at: 4 });
    team
}

fn landing(change: impl FnOnce(&mut Candidate)) -> Team {
    let mut candidate = candidate();
    change(&mut candidate);
    let receipts = vec![ReceiptId { run: RunId(1), n: 1 }];
    asked(Subject::Landing { candidate, receipts })
}

fn commands(argv: &[&str]) -> Team {
    let check = CheckSpec {
        name: "test".to_owned(),
        argv: argv.iter().map(|it| (*it).to_owned()).collect(),
        report: Report::Cargo,
        required: true,
        timeout_ms_max: 1,
    };
    asked(Subject::Commands { commit: commit('c'), why: Why::Gate, checks: vec![check] })
}

fn check(team: &Team, expected: &Expect) {
    let board = team::board(team);
    let entry = approval_entry("demo-1", team, &board.approvals[0]);
    assert_eq!(entry.kind, DECIDE_KIND);
    let seen = format!("{}\n{} {}\n", entry.title, entry.command, entry.argument);
    expected.assert_eq(&seen);
}

#[test]
fn a_plain_landing_is_one_answer_that_names_the_change() {
    check(
        &landing(|_| ()),
        &expect![[r#"
            T1 approve: +6 -2 in 1 file, 42 tests pass
            baton.do.answer {"repository":"demo-1","approval":"A1","revision":"change1","answer":"approve","ticked":[],"hunks":null,"text":null,"comments":[]}
        "#]],
    );
}

#[test]
fn what_needs_a_closer_look_is_not_decided_from_a_menu() {
    let path = || "build.rs".to_owned();
    let cases = [
        landing(|it| it.acts.push(path())),
        landing(|it| it.merges.push(path())),
        landing(|it| it.risk.push(path())),
        landing(|it| it.blocked.push(path())),
    ];
    for team in cases {
        let board = team::board(&team);
        let entry = approval_entry("demo-1", &team, &board.approvals[0]);
        assert_eq!(entry.command, commands::REVIEW, "{}", entry.title);
        assert!(entry.title.contains("needs review"), "{}", entry.title);
    }
}

#[test]
fn commands_without_a_sandbox_are_shown_whole_or_not_decided_here() {
    check(
        &commands(&["cargo", "test"]),
        &expect![[r#"
            T1 run without a sandbox, on cccccccccc: `cargo test`
            baton.do.answer {"repository":"demo-1","approval":"A1","revision":null,"answer":"approve","ticked":[],"hunks":null,"text":null,"comments":[]}
        "#]],
    );
    let long = "x".repeat(200);
    for argv in [&["sh", "-c", &long][..], &["sh", "-c", "a\u{202e}b"], &["sh", "-c", "a\nb"]] {
        let team = commands(argv);
        let board = team::board(&team);
        let entry = approval_entry("demo-1", &team, &board.approvals[0]);
        assert_eq!(entry.command, commands::REVIEW, "{argv:?}");
    }
}

#[test]
fn edits_are_applied_and_not_landed() {
    let edits = Subject::Edits { head: commit('b'), why: "conflict".to_owned(), receipts: vec![] };
    check(
        &asked(edits),
        &expect![[r#"
            T1 apply as edits: +0 -0 in 0 files
            baton.do.answer {"repository":"demo-1","approval":"A1","revision":null,"answer":"apply","ticked":[],"hunks":null,"text":null,"comments":[]}
        "#]],
    );
}

#[test]
fn each_option_of_a_question_is_an_answer() {
    let mut team = team();
    let run = RunId(2);
    let work = Work::Role { duty: team::Duty::Build, on: commit('b'), start: Start::Fresh };
    team.apply(&Event::RunStarted { run, task: TaskId(1), work, at: 5, deadline_at: 9 });
    let ask = Question {
        text: "Keep the old\nname?".to_owned(),
        options: vec!["keep it".to_owned(), "rename".to_owned()],
        default: 0,
        proceed: true,
        deadline_at: 9,
        stakes: String::new(),
    };
    let (question, about) = (team::QuestionId(1), team::About::Work);
    team.apply(&Event::QuestionAsked { run, question, ask, about });
    let board = team::board(&team);
    let titles: Vec<String> =
        question_entries("demo-1", &board.questions[0]).into_iter().map(|it| it.title).collect();
    expect![[r#"
        [
            "T1 answer \"keep it\" to: Keep the old name?",
            "T1 answer \"rename\" to: Keep the old name?",
        ]
    "#]]
    .assert_debug_eq(&titles);
}

#[test]
fn kinds_are_filtered_as_the_specification_says() {
    let only = |kinds: &[&str]| -> Vec<CodeActionKind> {
        kinds.iter().map(|it| CodeActionKind::from((*it).to_owned())).collect()
    };
    assert!(is_wanted(DECIDE_KIND, None));
    assert!(is_wanted(DECIDE_KIND, Some(&only(&["baton"]))));
    assert!(is_wanted(DECIDE_KIND, Some(&only(&["baton.decide"]))));
    assert!(is_wanted(DECIDE_KIND, Some(&only(&[""]))));
    assert!(!is_wanted(DECIDE_KIND, Some(&only(&["quickfix", "source", "refactor"]))));
    assert!(!is_wanted(DECIDE_KIND, Some(&only(&["baton.dec", "baton.delegate"]))));
    assert!(!is_wanted(DECIDE_KIND, Some(&only(&[]))));
}

#[test]
fn an_entry_is_an_object_or_a_bare_command_and_never_preferred() {
    let entry = || Entry {
        title: "T1 approve\u{202e}: +1".to_owned(),
        kind: DECIDE_KIND,
        command: commands::ANSWER,
        argument: json!({"a": 1}),
        diagnostics: vec![],
    };
    let literal = serde_json::to_string(&entry().in_form(true)).unwrap();
    let plain = serde_json::to_string(&entry().in_form(false)).unwrap();
    expect![[r#"{"title":"T1 approve\\u{202e}: +1","kind":"baton.decide","command":{"title":"T1 approve\\u{202e}: +1","command":"baton.do.answer","arguments":[{"a":1}]}}"#]].assert_eq(&literal);
    expect![[
        r#"{"title":"T1 approve\\u{202e}: +1","command":"baton.do.answer","arguments":[{"a":1}]}"#
    ]]
    .assert_eq(&plain);
}
