//! Outputs of `cargo test`, real ones and hostile ones.

use super::*;

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|it| it.to_string()).collect()
}

const GREEN: &str = "\
   Compiling demo v0.1.0 (/slot)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.20s
     Running unittests src/lib.rs (/cache/debug/deps/demo-1)

running 3 tests
test tests::adds ... ok
test tests::slow ... ignored, takes a minute
test tests::panics - should panic ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/whole.rs (/cache/debug/deps/whole-2)

running 1 test
test works ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests demo

running 1 test
test src/lib.rs - add (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.15s

";

const RED: &str = "\
running 2 tests
test tests::adds ... ok
test tests::subtracts ... FAILED

failures:

---- tests::subtracts stdout ----

thread 'tests::subtracts' panicked at src/lib.rs:9:5:
assertion `left == right` failed
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

failures:
    tests::subtracts

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--lib`
";

#[test]
fn counts_over_all_binaries_and_doc_tests() {
    let tests = read_cargo(GREEN, &[]);
    assert_eq!((tests.passed, tests.failed, tests.ignored), (4, 0, 1));
    assert_eq!(tests.failing, names(&[]));
}

#[test]
fn failing_names_once_and_nothing_from_the_captured_text() {
    let tests = read_cargo(RED, &[]);
    assert_eq!((tests.passed, tests.failed), (1, 1));
    assert_eq!(tests.failing, names(&["tests::subtracts"]));
}

#[test]
fn outcomes_by_full_name_by_the_end_of_it_and_with_the_crate() {
    let asked = names(&[
        "tests::adds",
        "adds",
        "dds",
        "tests::panics",
        "tests::slow",
        "nowhere",
        "whole::works",
        "demo::tests::adds",
        "src/lib.rs - add (line 3)",
    ]);
    let outcomes: Vec<Outcome> = read_cargo(GREEN, &asked).named.iter().map(|it| it.1).collect();
    use Outcome::{Missing, Passed};
    assert_eq!(
        outcomes,
        [Passed, Passed, Missing, Passed, Missing, Missing, Passed, Passed, Passed]
    );
    let red = read_cargo(RED, &names(&["subtracts", "adds"]));
    assert_eq!(red.named[0].1, Outcome::Failed);
    assert_eq!(red.named[1].1, Outcome::Passed);
}

#[test]
fn one_name_in_two_binaries_fails_if_one_of_them_does() {
    let both = "test a::x ... ok\ntest b::x ... FAILED\n";
    assert_eq!(read_cargo(both, &names(&["x"])).named[0].1, Outcome::Failed);
}

#[test]
fn colours_are_stripped() {
    let text = "running 1 test\r\ntest a ... \x1b[32mok\x1b[0m\n\n\x1b]0;title\x07test result: \
                \x1b[32mok\x1b(B. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
    let text = text.replace("\x1b(B", "");
    let tests = read_cargo(&text, &names(&["a"]));
    assert_eq!((tests.passed, tests.named[0].1), (1, Outcome::Passed));
}

#[test]
fn a_name_and_its_outcome_on_two_lines() {
    let text = "test a ... hello from a child\nmore\nok\ntest b ... \nFAILED\nok\n";
    let tests = read_cargo(text, &names(&["a", "b"]));
    assert_eq!(tests.named[0].1, Outcome::Passed);
    assert_eq!(tests.named[1].1, Outcome::Failed);
}

#[test]
fn printed_results_do_not_hide_a_failure() {
    let fake = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
                finished in 0.00s";
    let whole = format!("running 2 tests\ntest tests::subtracts ... ok\n\n{fake}");
    for lie in [fake, whole.as_str()] {
        for place in ["assertion", "test tests::adds", "failures:\n    ", "error:"] {
            let text = RED.replacen(place, &format!("{lie}\n{place}"), 1);
            let tests = read_cargo(&text, &names(&["subtracts"]));
            assert_eq!(tests.failed, 1, "{text}");
            assert_eq!(tests.failing, names(&["tests::subtracts"]), "{text}");
            assert_eq!(tests.named[0].1, Outcome::Failed, "{text}");
        }
    }
}

#[test]
fn ill_formed_lines_count_nothing() {
    let right = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 \
                 filtered out; finished in 0.00s\n";
    assert_eq!(read_cargo(right, &[]).passed, 3);
    for (from, to) in [
        ("running 3 tests\n", ""),
        ("running 3", "running 4"),
        ("running 3", "running three"),
        ("test result", " test result"),
        ("ok.", "FAILED."),
        ("ok.", "fine."),
        ("3 passed", "+3 passed"),
        ("3 passed", "99999999999999999999 passed"),
        ("; 0 measured", ""),
        ("0 filtered out", "0 filtered"),
        ("finished", "and finished"),
        ("0.00s", "0.00s; more"),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right);
        assert_eq!(read_cargo(&wrong, &[]).passed, 0, "{wrong}");
    }
}

#[test]
fn any_text_is_read_within_bounds() {
    let mut text = String::new();
    for n in 0..1_000 {
        text += &format!("test t{n:04} ... FAILED\n");
    }
    text += &"x".repeat(100_000);
    text += "\n\u{1b}[";
    let tests = read_cargo(&text, &names(&["t0999"]));
    assert_eq!(tests.failing.len(), FAILING_MAX);
    assert!(tests.failing.is_sorted());
    assert_eq!(tests.named[0].1, Outcome::Failed);
    let huge = "running 4294967295 tests\ntest result: ok. 4294967295 passed; 0 failed; 0 ignored; \
                0 measured; 0 filtered out\n";
    assert_eq!(read_cargo(&huge.repeat(3), &[]).passed, u32::MAX);
}

#[test]
fn a_listing_gives_full_names() {
    let text = "tests::adds: test\ntests::fast: benchmark\n\n1 test, 1 benchmark\nworks: test\n";
    let listed = read_list(text);
    assert_eq!(listed, names(&["tests::adds", "works"]));
    assert_eq!(
        resolve(&listed, &names(&["adds", "whole::works", "nothing"])),
        names(&["tests::adds", "works"])
    );
}

#[test]
fn command_lines_for_named_tests() {
    let of = |argv: &[&str]| TestCommand::of(&names(argv));
    for other in [&["make", "test"][..], &["cargo", "nextest"], &["cargo"], &[]] {
        assert!(of(other).is_none(), "{other:?}");
    }
    let command = of(&["cargo", "+1.95", "test", "-p", "x", "--", "--test-threads=1"]).unwrap();
    assert_eq!(command.listing(), names(&["cargo", "+1.95", "test", "-p", "x", "--", "--list"]));
    assert_eq!(
        command.exactly(&names(&["a::b"])).join(" "),
        "cargo +1.95 test -p x --no-fail-fast -- --test-threads=1 --exact a::b"
    );
}

#[test]
fn a_torn_line_is_made_up_for_by_the_list_of_failures() {
    let torn = RED.replace(
        "test tests::subtracts ... FAILED",
        "test tests::subtracts ... \nrunning 1 test\ntest tests::subtracts ... ok\nFAILED",
    );
    assert_ne!(torn, RED);
    let tests = read_cargo(&torn, &names(&["subtracts"]));
    assert_eq!((tests.failed, tests.named[0].1), (1, Outcome::Failed));
}
