//! What a patch changes, and that a refused one changes nothing.

use super::*;
use expect_test::{Expect, expect};
use std::path::Path;

const LIB: &str =
    "fn half(n: u32) -> u32 {\n    n / 3\n}\n\nfn third(n: u32) -> u32 {\n    n / 3\n}\n";
const NOTES: &str = "one\ntwo\nthree\n";

fn slot() -> (tempfile::TempDir, Files) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("src")).unwrap();
    std::fs::write(temp.path().join("src/lib.rs"), LIB).unwrap();
    std::fs::write(temp.path().join("notes.txt"), NOTES).unwrap();
    std::fs::write(temp.path().join("raw.bin"), b"\0\x01").unwrap();
    let files = Files::open(temp.path(), &[]).unwrap();
    (temp, files)
}

fn tree(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(tree(&path)),
            false => found.push((path.display().to_string(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

fn want(patch: &str) -> args::ApplyPatch {
    args::ApplyPatch { patch: patch.to_owned(), expected_blobs: None }
}

fn after(path: &str, patch: &str) -> String {
    let (temp, files) = slot();
    let before = tree(temp.path());
    match apply_patch(&files, &want(patch), 0) {
        Ok(_) => std::fs::read_to_string(temp.path().join(path)).unwrap_or("(gone)".to_owned()),
        Err(why) => {
            assert_eq!(tree(temp.path()), before, "refused, and yet: {why}");
            format!("ERROR {why}")
        }
    }
}

#[track_caller]
fn is(path: &str, patch: &str, expected: &str) {
    assert_eq!(after(path, patch), expected);
}

fn whole(body: &str) -> String {
    format!("*** Begin Patch\n{body}\n*** End Patch")
}

/// The file after this patch, or why it was refused; then nothing is changed.
fn check(path: &str, patch: &str, expect: Expect) {
    expect.assert_eq(&after(path, patch));
}

#[test]
fn a_patch_changes_adds_deletes_and_moves() {
    let (temp, files) = slot();
    let patch = whole(
        "*** Update File: src/lib.rs\n@@ fn half\n-    n / 3\n+    n / 2\n*** Add File: docs/new.md\n+# New\n+\n+text\n\n*** Delete File: raw.bin\n*** Update File: notes.txt\n*** Move to: docs/notes.txt\n@@\n one\n-two\n+zwei\n three",
    );
    let said = apply_patch(&files, &want(&patch), 0).unwrap();
    let read = |path: &str| std::fs::read_to_string(temp.path().join(path)).unwrap();
    assert_eq!(read("src/lib.rs"), LIB.replacen("n / 3", "n / 2", 1));
    assert_eq!(read("docs/new.md"), "# New\n\ntext\n");
    assert_eq!(read("docs/notes.txt"), "one\nzwei\nthree\n");
    assert!(!temp.path().join("notes.txt").exists() && !temp.path().join("raw.bin").exists());
    for part in ["src/lib.rs +1 -1", "docs/new.md added, 3 lines", "raw.bin deleted", "moved to"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[test]
fn sloppy_patches_are_read_as_meant() {
    // A fence, numbers after @@, no space before context, another indentation.
    let sloppy = "```diff\n*** Begin Patch\n*** Update File: `src/lib.rs`\n@@ -5,3 +5,3 @@ fn third(n: u32) -> u32 {\nfn third(n: u32) -> u32 {\n-  n / 3\n+  n / 4\n }\n*** End Patch\n```\n";
    let expected =
        LIB.replace("third(n: u32) -> u32 {\n    n / 3", "third(n: u32) -> u32 {\n    n / 4");
    is("src/lib.rs", sloppy, &expected);
    // A here-document, and no marks at all around it.
    let naked = "*** Update File: notes.txt\n-two\n+2\n";
    check("notes.txt", naked, expect!["one\n2\nthree\n"]);
    // The headers of a unified diff, repeated.
    let unified = whole(
        "*** Update File: notes.txt\n--- a/notes.txt\n+++ b/notes.txt\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n\\ No newline at end of file",
    );
    check("notes.txt", &unified, expect!["1\ntwo\nthree\n"]);
    // A new file whose lines have no mark.
    check("a.txt", &whole("*** Add File: a.txt\nx\ny"), expect!["x\ny\n"]);
}

#[test]
fn a_patch_sent_as_a_command_is_a_patch() {
    let patch = whole("*** Update File: notes.txt\n-two\n+2");
    let line = format!("apply_patch <<'EOF'\n{patch}\nEOF\n");
    let argv = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    for found in [
        in_command(Some(&argv(&["apply_patch", &patch])), None),
        in_command(Some(&argv(&["bash", "-lc", &line])), None),
        in_command(None, Some(&line)),
    ] {
        check("notes.txt", &found.unwrap(), expect!["one\n2\nthree\n"]);
    }
    assert_eq!(in_command(None, Some("cat notes.txt")), None);
    assert_eq!(in_command(Some(&argv(&["echo", &patch])), None), None);
    assert_eq!(in_command(None, Some("echo '*** Begin Patch'")), None);
}

#[test]
fn a_place_that_is_not_the_only_one_is_never_guessed() {
    check(
        "src/lib.rs",
        &whole("*** Update File: src/lib.rs\n@@\n-    n / 3\n+    n / 2"),
        expect![[r#"
            ERROR the patch was not applied, no file is changed: `src/lib.rs` is unchanged: what the patch replaces stands at 2 places; add context lines, or name the function after @@:
            2	    n / 3
            6	    n / 3"#]],
    );
    // Hunks are in order: after the first there is one place left.
    let both = "*** Update File: src/lib.rs\n@@\n fn half(n: u32) -> u32 {\n-    n / 3\n+    n / 2\n@@\n-    n / 3\n+    n / 30";
    let expected =
        "fn half(n: u32) -> u32 {\n    n / 2\n}\n\nfn third(n: u32) -> u32 {\n    n / 30\n}\n";
    is("src/lib.rs", &whole(both), expected);
    // The end of the file is a place too.
    check(
        "notes.txt",
        &whole("*** Update File: notes.txt\n@@\n+four\n*** End of File"),
        expect!["one\ntwo\nthree\nfour\n"],
    );
    let no_place = whole("*** Update File: notes.txt\n@@\n+four");
    check(
        "notes.txt",
        &no_place,
        expect![
            "ERROR the patch was not applied, no file is changed: `notes.txt` is unchanged: a hunk has no context: give the lines around the place, as the file has them"
        ],
    );
    let named = whole("*** Update File: src/lib.rs\n@@ fn third(n: u32) -> u32 {\n+    // Three.");
    let expected =
        LIB.replace("third(n: u32) -> u32 {\n", "third(n: u32) -> u32 {\n    // Three.\n");
    is("src/lib.rs", &named, &expected);
}

#[test]
fn a_refusal_says_what_to_do() {
    let update = |path: &str| whole(&format!("*** Update File: {path}\n-two\n+2"));
    for (patch, why) in [
        (String::from("please fix it"), "looks like this"),
        ("*** Begin Patch\n*** Update File: notes.txt\n-two".to_owned(), "cut off"),
        (whole("hello\n*** Update File: notes.txt\n-two"), "before any file"),
        (whole("*** Update File: notes.txt"), "nothing is changed in"),
        (whole("*** Rename File: notes.txt"), "before any file"),
        (whole("*** Update File: notes.txt\n-two\n*** Copy: x"), "no line of a patch"),
        (whole("*** Delete File: notes.txt\n-two"), "no lines are expected"),
        (whole("*** Add File: a.txt\n+x\ny"), "has no + before it"),
        (whole("*** Add File: notes.txt\n+x"), "there already"),
        (whole("*** Update File: notes.txt\n*** Move to: src/lib.rs\n-two\n+2"), "there already"),
        (whole("*** Update File: notes.txt\n two"), "changes nothing"),
        (whole("*** Update File: notes.txt\n-zwei\n+2"), "read the file"),
        (update("missing.txt"), "there is no file"),
        (update("../notes.txt"), "contains `..`"),
        (update("/etc/hosts"), "outside of your worktree"),
        (update(".git/config"), "belongs to git"),
        (update(".baton/team.toml"), "settings for the team"),
        (update("raw.bin"), "is binary"),
        (whole("*** Add File: .env\n+KEY=1"), "file of secrets"),
        (
            whole("*** Update File: notes.txt\n*** Move to: .git/hooks/x\n-two\n+2"),
            "belongs to git",
        ),
        (whole("*** Delete File: .baton/team.toml"), "settings for the team"),
    ] {
        let (temp, files) = slot();
        let before = tree(temp.path());
        let said = apply_patch(&files, &want(&patch), 0).unwrap_err();
        assert!(said.contains(why), "{patch}\n{said}");
        assert_eq!(tree(temp.path()), before);
    }
}

/// The second file is wrong: the first one stays as it was, and so does what the disk refused.
#[test]
fn all_or_nothing() {
    let half = whole("*** Update File: notes.txt\n-two\n+2\n*** Update File: src/lib.rs\n-zzz\n+x");
    check(
        "notes.txt",
        &half,
        expect![[r#"
        ERROR the patch was not applied, no file is changed: `src/lib.rs` is unchanged: what the patch replaces is not in it; read the file and copy the lines exactly"#]],
    );
    let (temp, files) = slot();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), temp.path().join("link")).unwrap();
    let before = tree(&temp.path().join("src"));
    let through = whole(
        "*** Update File: notes.txt\n-two\n+2\n*** Update File: src/lib.rs\n*** Move to: old.rs\n@@ fn half\n-    n / 3\n+    n / 2\n*** Add File: notes.txt/x\n+x",
    );
    let said = apply_patch(&files, &want(&through), 0).unwrap_err();
    assert!(said.contains("no file is changed"), "{said}");
    assert_eq!(std::fs::read_to_string(temp.path().join("notes.txt")).unwrap(), NOTES);
    assert_eq!(tree(&temp.path().join("src")), before);
    let link = whole("*** Add File: link/x\n+x");
    assert!(apply_patch(&files, &want(&link), 0).is_err());
    assert!(!outside.path().join("x").exists());
}

#[test]
fn blobs_are_checked() {
    let (_temp, files) = slot();
    let patch = whole("*** Update File: notes.txt\n-two\n+2");
    let with = |blobs: &[String]| args::ApplyPatch {
        patch: patch.clone(),
        expected_blobs: Some(blobs.to_vec()),
    };
    let now = blob(NOTES.as_bytes());
    let stale = apply_patch(&files, &with(&["notes.txt 00ff".to_owned()]), 0).unwrap_err();
    assert!(stale.contains(&now) && stale.contains("no file is changed"), "{stale}");
    assert!(apply_patch(&files, &with(&["00ff".to_owned()]), 0).is_err());
    apply_patch(&files, &with(&[format!("notes.txt {}", &now[..8])]), 0).unwrap();
}

#[test]
fn after_two_failed_patches_the_whole_file_is_offered() {
    let (_temp, files) = slot();
    let patch = want(&whole("*** Update File: notes.txt\n-zwei\n+2"));
    let first = apply_patch(&files, &patch, 0).unwrap_err();
    assert!(!first.contains("write_file"), "{first}");
    let second = apply_patch(&files, &patch, 1).unwrap_err();
    assert!(second.contains("2\ttwo") && second.contains("with write_file"), "{second}");
    assert_eq!(paths(&patch.patch), ["notes.txt"]);
}

#[test]
fn line_ends_and_the_missing_last_one_stay() {
    let (temp, files) = slot();
    let path = temp.path().join("notes.txt");
    let apply = |text: &str, body: &str| {
        std::fs::write(&path, text).unwrap();
        let patch = whole(&format!("*** Update File: notes.txt\n{body}"));
        apply_patch(&files, &want(&patch), 0).unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    assert_eq!(apply("a\r\nb\r\nc\r\n", " a\n-b\n+x\n+y\n c"), "a\r\nx\r\ny\r\nc\r\n");
    assert_eq!(apply("a\nb", "-b\n+c"), "a\nc");
    assert_eq!(apply("a\nb", " b\n+c"), "a\nb\nc");
    assert_eq!(apply("a  \nb\n", " a\n-b\n+c"), "a  \nc\n");
    assert_eq!(apply("a\n\nb\n", " a\n\n-b\n+c\n\n"), "a\n\nc\n");
}

/// Random patches over random texts: one that is refused changes nothing, one that is taken keeps every
/// line that it does not name.
#[test]
fn random_patches_leave_everything_else_alone() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = seed.as_nanos() as u64 | 1;
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "seed {seed}");
    let mut state = seed;
    let mut next = |max: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % max as u64) as usize
    };
    let words = ["let a = 1;", "  b();", "\tc {", "}", "", "fn d(e)  ", "über"];
    let (temp, files) = slot();
    let (mut taken, mut refused) = (0, 0);
    for round in 0..1_500 {
        let lines: Vec<&str> = (0..1 + next(10)).map(|_| words[next(words.len())]).collect();
        let text = lines.join("\n") + if next(2) == 0 { "\n" } else { "" };
        std::fs::write(temp.path().join("notes.txt"), &text).unwrap();
        let before = tree(temp.path());
        let mut body = String::from("*** Update File: notes.txt\n");
        let from = next(lines.len());
        let to = (from + 1 + next(4)).min(lines.len());
        for it in &lines[from..to] {
            let line = if next(3) == 0 { it.trim() } else { it };
            body += match next(4) {
                0 => "-",
                1 => "",
                2 => "+MARK\n ",
                _ => " ",
            };
            body += line;
            body += "\n";
        }
        body += ["", "*** End of File", "@@", "*** Add File: src/lib.rs\n+x", "+MARK"][next(5)];
        let patch = if next(8) == 0 { body } else { whole(&body) };
        match apply_patch(&files, &want(&patch), 0) {
            Err(why) => {
                refused += 1;
                assert_eq!(tree(temp.path()), before, "seed {seed} round {round}: {patch}\n{why}");
            }
            Ok(_) => {
                taken += 1;
                let after = std::fs::read_to_string(temp.path().join("notes.txt")).unwrap();
                let kept: Vec<&str> =
                    after.lines().filter(|it| !it.trim_end().ends_with("MARK")).collect();
                // What is left is the text without some lines, in its order.
                let mut old = text.lines();
                let in_order = kept.iter().all(|it| old.any(|line| line == *it));
                assert!(in_order, "seed {seed} round {round}: {text:?}\n{patch}\n{after:?}");
            }
        }
    }
    assert!(100 < taken && 100 < refused, "{taken} taken, {refused} refused");
}
