//! Where an edit lands, and what a failed one says.

use super::*;
use expect_test::{Expect, expect};

fn check(text: &str, old: &str, new: &str, expect: Expect) {
    let edited = match replace(text, old, new, false) {
        Ok(text) => text,
        Err(why) => format!("ERROR {why}"),
    };
    expect.assert_eq(&edited);
}

const CODE: &str = "fn a() {\n    if x {\n        go();  \n    }\n}\n\nfn b() {\n\tgo();\n}\n";

#[test]
fn an_exact_place_is_replaced() {
    check("one two three", "two", "2", expect!["one 2 three"]);
    check(
        "a\nb\nc\n",
        "b\n",
        "",
        expect![[r#"
        a
        c
    "#]],
    );
}

#[test]
fn trailing_white_space_does_not_matter() {
    check(
        CODE,
        "    if x {\n        go();\n    }",
        "    if x {\n        stop();\n    }",
        expect![[r#"
        fn a() {
            if x {
                stop();
            }
        }

        fn b() {
        	go();
        }
    "#]],
    );
}

#[test]
fn indentation_is_taken_from_the_file() {
    check(
        CODE,
        "if x {\n    go();\n}\n",
        "if x {\n    if y {\n        go();\n    }\n}\n",
        expect![[r#"
        fn a() {
            if x {
                if y {
                    go();
                }
            }
        }

        fn b() {
        	go();
        }
    "#]],
    );
}

#[test]
fn two_places_are_never_guessed() {
    check(
        CODE,
        "go();",
        "stop();",
        expect![[r#"
        ERROR `old` stands at 2 places; add lines around it so that it names one, or set all to true:
        3	        go();  
        8		go();"#]],
    );
    assert_eq!(replace("a a", "a", "b", true).unwrap(), "b b");
    // Equal but for indentation.
    let text = "  x = 1\n    y\nx = 1\n      y\n";
    assert!(replace(text, "x = 1\ny", "z", false).unwrap_err().contains("2 places"));
    assert_eq!(replace(text, "x = 1\ny", "z", true).unwrap(), "  z\nz\n");
}

#[test]
fn numbers_of_read_file_are_taken_off() {
    check(
        "a\nb\nc\n",
        "2\tb\n3\tc",
        "2\tB\n3\tC",
        expect![[r#"
        a
        B
        C
    "#]],
    );
}

#[test]
fn line_ends_of_the_file_stay() {
    assert_eq!(replace("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n", false).unwrap(), "x\r\ny\r\nc\r\n");
    assert_eq!(replace("a\r\nb\r\n", "b", "x\ny", false).unwrap(), "a\r\nx\r\ny\r\n");
    // No line end at the end of the file.
    assert_eq!(replace("a\n  b", "a\nb", "x\ny", false).unwrap(), "x\ny");
}

#[test]
fn what_is_not_there_is_shown_where_it_may_be() {
    check(
        "fn parse(input: &str) {\n    1\n}\nfn other() {}\n",
        "fn parse(text: &str) {",
        "x",
        expect![[r#"
        ERROR `old` is not in it. The nearest lines are:
        1	fn parse(input: &str) {
        2	    1
        3	}
        4	fn other() {}
        Copy the lines exactly, without the numbers"#]],
    );
    check(
        "a\n",
        "",
        "x",
        expect![
            "ERROR `old` is empty; copy the lines to replace, or use write_file for a new file"
        ],
    );
    check("a\n", "a", "a", expect!["ERROR `old` and `new` are the same; nothing to do"]);
    check(
        "a\n",
        "zzz",
        "x",
        expect!["ERROR `old` is not in it; read the file and copy the lines exactly"],
    );
}

/// Whatever is asked: an edit that succeeds changes exactly one place, and everything around it stays.
#[test]
fn random_edits_leave_everything_else_alone() {
    let seed =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
            as u64;
    println_seed(seed);
    let mut state = seed | 1;
    let mut next = |max: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % max as u64) as usize
    };
    let mut replaced = 0;
    for round in 0..3_000 {
        let words = ["let a = 1;", "  b();", "\tc {", "}", "", "d(e)  ", "über"];
        let lines: Vec<&str> = (0..1 + next(12)).map(|_| words[next(words.len())]).collect();
        let text = lines.join("\n") + if next(2) == 0 { "\n" } else { "" };
        let from = next(lines.len());
        let until = from + 1 + next(lines.len() - from);
        let wanted: Vec<String> = lines[from..until]
            .iter()
            .map(|it| match next(3) {
                0 => it.trim().to_owned(),
                1 => it.trim_end().to_owned(),
                _ => (*it).to_owned(),
            })
            .collect();
        let Ok(edited) = replace(&text, &wanted.join("\n"), "MARK", false) else {
            continue;
        };
        replaced += 1;
        assert_eq!(
            edited.matches("MARK").count(),
            1,
            "seed {seed} round {round}: {text:?} {wanted:?}"
        );
        let (before, after) = edited.split_once("MARK").unwrap();
        assert!(
            text.starts_with(before.trim_end_matches([' ', '\t'])),
            "seed {seed} round {round}"
        );
        assert!(
            text.ends_with(after.trim_start_matches(['\n', ' '])),
            "seed {seed} round {round}: {text:?} {after:?}"
        );
    }
    assert!(500 < replaced);
}

fn println_seed(seed: u64) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "seed {seed}");
}

fn slot(text: &[u8]) -> (tempfile::TempDir, Files) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("a.rs"), text).unwrap();
    let files = Files::open(temp.path(), &[]).unwrap();
    (temp, files)
}

fn edit(old: &str, new: &str, expected_blob: Option<&str>) -> args::EditFile {
    args::EditFile {
        path: "a.rs".to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
        expected_blob: expected_blob.map(str::to_owned),
        all: None,
    }
}

#[test]
fn an_edit_gives_a_small_diff_and_the_new_blob() {
    let (temp, files) = slot(b"1\n2\n3\n4\n5\n6\n");
    let said = edit_file(&files, &edit("4", "four", None), 0).unwrap();
    expect![[r#"
        a.rs +1 -1
        @@ line 2 @@
         2
         3
        -4
        +four
         5
         6
        blob: 12f154861ce3bd5212fab969a749ccb07fbb5e7f"#]]
    .assert_eq(&said);
    assert_eq!(std::fs::read(temp.path().join("a.rs")).unwrap(), b"1\n2\n3\nfour\n5\n6\n");
}

#[test]
fn a_stale_blob_is_refused_and_a_short_one_is_enough() {
    let (_temp, files) = slot(b"1\n");
    let now = blob(b"1\n");
    assert!(edit_file(&files, &edit("1", "2", Some("00ff")), 0).unwrap_err().contains(&now));
    edit_file(&files, &edit("1", "2", Some(&now[..10])), 0).unwrap();
}

#[test]
fn after_two_failed_edits_the_whole_file_is_offered() {
    let (_temp, files) = slot(b"1\n2\n");
    let first = edit_file(&files, &edit("zzz", "2", None), 0).unwrap_err();
    assert!(!first.contains("write_file"), "{first}");
    let second = edit_file(&files, &edit("zzz", "2", None), 1).unwrap_err();
    assert!(second.contains("1\t1\n2\t2\nWrite it whole with write_file"), "{second}");
}

#[test]
fn what_is_no_text_is_not_damaged() {
    let (temp, files) = slot(b"caf\xe9 = 1\n");
    assert!(edit_file(&files, &edit("= 1", "= 2", None), 0).unwrap_err().contains("UTF-8"));
    std::fs::write(temp.path().join("a.rs"), b"\0\x01").unwrap();
    assert!(edit_file(&files, &edit("a", "b", None), 0).unwrap_err().contains("binary"));
    let over = args::WriteFile { path: "a.rs".to_owned(), text: "x".to_owned() };
    assert!(write_file(&files, &over).unwrap_err().contains("binary"));
    let new = args::WriteFile { path: "b/c.rs".to_owned(), text: "x\n".to_owned() };
    assert!(write_file(&files, &new).unwrap().starts_with("b/c.rs written, 1 lines"));
}
