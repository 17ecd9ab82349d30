//! What is kept of a command's words.

use super::*;
use expect_test::expect;
use team::{ReceiptId, RunId};

fn seen(exit: Exit, output: impl Into<Vec<u8>>) -> Seen {
    let output = output.into();
    Seen {
        receipt: ReceiptId { run: RunId(4), n: 2 },
        exit,
        duration_ms: 3_240,
        output_bytes: output.len() as u64,
        output,
        tests: None,
        made: Made::Kept(vec![]),
    }
}

#[test]
fn the_first_line_says_how_it_ended() {
    expect![[r#"
        command: exit 0, 3.2 s, receipt R4.2
        ok"#]]
    .assert_eq(&describe("command", &seen(Exit::Code(0), "ok\n")));
    expect![[r#"
        command: timed out, 3.2 s, receipt R4.2
        (no output)"#]]
    .assert_eq(&describe("command", &seen(Exit::TimedOut, "")));
    let mut red = seen(Exit::Code(101), "...");
    red.tests = Some(Tests {
        passed: 41,
        failed: 1,
        ignored: 0,
        failing: vec!["parse::empty".to_owned()],
        named: Vec::new(),
        trouble: None,
    });
    expect![[r#"
        check test: exit 101, 3.2 s, receipt R4.2
        41 passed, 1 failed, 0 ignored
        failing: parse::empty
        ..."#]]
    .assert_eq(&describe("check test", &red));
}

#[test]
fn a_long_success_is_kept_within_three_thousand_bytes() {
    let lines: Vec<String> =
        (0..4_200).map(|it| format!("line {it} of a build that is long winded")).collect();
    let output = lines.join("\n");
    assert!(169_000 < output.len());
    let text = describe("command", &seen(Exit::Code(0), output.clone()));
    assert!(text.len() < 3_000, "{}", text.len());
    assert!(text.contains("line 0 ") && text.contains("line 4199 "));
    assert!(text.contains("to see them, search or read_file with path R4.2"));
}

#[test]
fn a_long_failure_is_kept_around_its_first_trouble_and_at_its_end() {
    let mut lines: Vec<String> =
        (0..4_200).map(|it| format!("line {it} of a build that is long winded")).collect();
    lines[2_000] = "error[E0308]: mismatched types".to_owned();
    let text = describe("command", &seen(Exit::Code(1), lines.join("\n")));
    assert!(text.len() < 3_000, "{}", text.len());
    for it in ["line 0 ", "\nerror[E0308]", "line 2001 ", "line 4199 "] {
        assert!(text.contains(it), "{it}: {text}");
    }
    let short = lines[1_990..2_200].join("\n");
    assert!(describe("command", &seen(Exit::Code(1), short.clone())).ends_with(&short));
    let none = "x".repeat(20_000);
    assert!(describe("command", &seen(Exit::Code(1), none)).len() < 3_000);
}

#[test]
fn both_ends_are_whole_characters_and_nothing_is_counted_twice() {
    let text = "é".repeat(12_000);
    let kept = ends(&text, 5_000, 5_000, "");
    assert!(kept.contains("[... 2000 characters left out"), "{kept}");
    assert_eq!(kept.matches('é').count(), 10_000);
    assert_eq!(ends("short", 3, 2, ""), "short");
}

#[test]
fn control_sequences_are_taken_out() {
    let raw = "\u{1b}[1;31merror\u{1b}[0m: x\r\n10%\r50%\r100%\n\u{1b}]0;title\u{7}a\tb\u{8}\u{1b}]8;;http://x\u{1b}\\link\u{1b}c\n";
    assert_eq!(plain(raw), "error: x\n100%\na\tblink\n");
    assert_eq!(plain("cut \u{1b}[3"), "cut ");
}

#[test]
fn what_a_command_left_is_told_and_what_a_check_left_is_gone() {
    let mut it = seen(Exit::Code(0), "ok\n");
    it.made = Made::Kept(vec!["src/gen.rs".to_owned()]);
    expect![[r#"
        command: exit 0, 3.2 s, receipt R4.2
        ok
        new files, part of your change unless you remove them: src/gen.rs"#]]
    .assert_eq(&describe("command", &it));
    it.made = Made::SetAside((0..12).map(|n| format!("coverage/{n}\n.json")).collect());
    expect![[r#"
        check test: exit 0, 3.2 s, receipt R4.2
        ok
        made by the check, so not part of your change, and taken out again: coverage/0 .json, coverage/1 .json, coverage/2 .json, coverage/3 .json, coverage/4 .json, coverage/5 .json, coverage/6 .json, coverage/7 .json, coverage/8 .json, coverage/9 .json and 2 more; write them yourself if they belong to it"#]].assert_eq(&describe("check test", &it));
}
