//! Says in a few lines why a check is red: for a role's rework and for briefs.

use super::cargo::strip_colours;
use super::{Observed, go};
use std::fmt::Write;
use team::Exit;

/// Longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
/// Most failing names that are listed.
const NAMES_MAX: usize = 20;
/// Longest name that is listed, in characters.
const NAME_CHARS_MAX: usize = 160;
/// Longest line that is shown of those, in characters.
const LINE_CHARS_MAX: usize = 300;
/// Most lines of one test's own words, or of one error of the compiler.
const PART_LINES_MAX: usize = 30;

/// How it ended, the failing names, and the part of the output that says most: what failing tests
/// printed, else the compiler's errors, else the end. At most about 4,000 characters, without
/// control characters; it is still text of the project's, not an instruction.
pub fn describe_failure(observed: &Observed) -> String {
    let mut text = format!("`{}` {}", observed.argv.join(" "), ending(observed.exit));
    if let Some(tests) = &observed.tests {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {} passed, {} failed", tests.passed, tests.failed);
        if let Some(trouble) = &tests.trouble {
            let _ = write!(text, "; {trouble}");
        }
        if !tests.failing.is_empty() {
            text.push_str("\nfailing:");
            for name in tests.failing.iter().take(NAMES_MAX) {
                let name: String = name.chars().take(NAME_CHARS_MAX).collect();
                let _ = write!(text, "\n  {name}");
            }
            if NAMES_MAX < tests.failing.len() {
                let _ = write!(text, "\n  and {} more", tests.failing.len() - NAMES_MAX);
            }
        }
    }
    let output = String::from_utf8_lossy(&observed.output);
    let output = readable(&go::readable(&output).unwrap_or_else(|| output.into_owned()));
    let lines: Vec<&str> = output.lines().collect();
    let said = readable(&text);
    let mut said: String = said.chars().take(DESCRIPTION_CHARS_MAX).collect();
    let room = DESCRIPTION_CHARS_MAX - said.chars().count();
    let parts = match (captured(&lines), errors(&lines)) {
        (captured, _) if !captured.is_empty() => captured,
        (_, errors) if !errors.is_empty() => errors,
        _ => return said + &last_lines(&lines, room),
    };
    let mut left = room;
    for part in parts {
        let part = format!("\n{part}");
        let kept: String = part.chars().take(left).collect();
        left -= kept.chars().count();
        said.push_str(&kept);
    }
    said
}

fn ending(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("was ended by signal {signal}"),
        Exit::TimedOut => "took too long and was stopped".into(),
        Exit::Interrupted => "was interrupted, which says nothing about it".into(),
    }
}

fn readable(text: &str) -> String {
    let plain = strip_colours(text);
    plain.chars().filter(|it| !it.is_control() || matches!(it, '\n' | '\t')).collect()
}

/// What failing tests printed: blocks that start with `---- name stdout ----`.
fn captured(lines: &[&str]) -> Vec<String> {
    let starts = |line: &str| line.starts_with("---- ") && line.ends_with(" ----");
    blocks(lines, starts, |line| starts(line) || line == "failures:")
}

/// The compiler's errors, each to its empty line; without the closing "aborting" ones.
fn errors(lines: &[&str]) -> Vec<String> {
    let starts = |line: &str| {
        (line.starts_with("error: ") || line.starts_with("error["))
            && !line.starts_with("error: could not compile")
            && !line.starts_with("error: aborting")
            && !line.starts_with("error: test failed")
    };
    blocks(lines, starts, str::is_empty)
}

fn blocks(
    lines: &[&str],
    starts: impl Fn(&str) -> bool,
    ends: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut all = Vec::new();
    for (n, line) in lines.iter().enumerate().filter(|(_, it)| starts(it)) {
        let rest = lines[n + 1..].iter().take_while(|it| !ends(it));
        let block = std::iter::once(*line).chain(rest.copied());
        let block: Vec<String> = block
            .take(PART_LINES_MAX)
            .map(|it| it.chars().take(LINE_CHARS_MAX).collect())
            .collect();
        all.push(block.join("\n").trim_end().to_string());
    }
    all
}

fn last_lines(lines: &[&str], chars_max: usize) -> String {
    let mut kept = Vec::new();
    let mut left = chars_max;
    for line in lines.iter().rev() {
        let needed = line.chars().count() + 1;
        if left < needed {
            break;
        }
        left -= needed;
        kept.push(format!("\n{line}"));
    }
    kept.reverse();
    kept.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::read_cargo;

    fn observed(exit: Exit, output: &str) -> Observed {
        Observed {
            argv: vec!["cargo".into(), "test".into()],
            exit,
            duration_ms: 1,
            output: output.into(),
            output_bytes: output.len() as u64,
            output_sha256: String::new(),
            tests: Some(read_cargo(output, &[])),
            environment: String::new(),
        }
    }

    #[test]
    fn shows_what_failing_tests_said() {
        let output = "   Compiling demo\nrunning 1 test\ntest a::b ... FAILED\n\nfailures:\n\n---- \
                      a::b stdout ----\nleft: 1\nright: \x1b[31m2\x1b[0m\n\nfailures:\n    a::b\n\n\
                      test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered \
                      out; finished in 0.00s\n";
        expect_test::expect![[r#"
            `cargo test` ended with exit code 101; 0 passed, 1 failed
            failing:
              a::b
            ---- a::b stdout ----
            left: 1
            right: 2"#]]
        .assert_eq(&describe_failure(&observed(Exit::Code(101), output)));
    }

    #[test]
    fn shows_the_compilers_errors() {
        let output = "   Compiling demo\nwarning: unused\n\nerror[E0425]: cannot find value `x`\n \
                      --> src/lib.rs:1:1\n  |\n\nerror: could not compile `demo`\n";
        expect_test::expect![[r#"
            `cargo test` ended with exit code 101; 0 passed, 0 failed
            error[E0425]: cannot find value `x`
             --> src/lib.rs:1:1
              |"#]]
        .assert_eq(&describe_failure(&observed(Exit::Code(101), output)));
    }

    #[test]
    fn shows_the_end_of_anything_else() {
        let output = format!("{}the last line\n", "noise\n".repeat(10_000));
        let text = describe_failure(&observed(Exit::TimedOut, &output));
        assert!(text.starts_with("`cargo test` took too long"));
        assert!(text.ends_with("the last line"));
        assert!(text.chars().count() <= DESCRIPTION_CHARS_MAX);
    }

    #[test]
    fn is_bounded_whatever_it_describes() {
        let long = "é".repeat(10_000);
        let mut output = String::new();
        for n in 0..300 {
            output += &format!("test t{n} ... FAILED\n---- t{n} stdout ----\n\x07{long}\n");
        }
        let mut all = observed(Exit::Signal(9), &output);
        all.argv.push(long);
        assert!(describe_failure(&all).chars().count() <= DESCRIPTION_CHARS_MAX);
        all.argv.pop();
        let text = describe_failure(&all);
        assert!(text.chars().count() <= DESCRIPTION_CHARS_MAX);
        assert!(text.contains("and 180 more") && !text.contains('\x07'), "{text}");
    }
}
