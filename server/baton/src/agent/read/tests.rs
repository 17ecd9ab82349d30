//! What the reading tools show, and where they stop.

use super::*;
use expect_test::expect;

fn slot() -> (tempfile::TempDir, Files) {
    let temp = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let path = temp.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("src/a.rs", b"fn one() {}\nfn two() { one() }\n");
    put("src/deep/b.rs", b"use crate::one;\n");
    put("c.bin", b"fn one\0\x01");
    put("latin.txt", b"caf\xe9 one\n");
    put("empty", b"");
    let files = Files::open(temp.path(), &[]).unwrap();
    (temp, files)
}

fn read(files: &Files, path: &str, first_line: Option<u32>, lines: Option<u32>) -> String {
    let path = path.to_owned();
    match read_file(files, &args::ReadFile { path, first_line, lines }) {
        Ok(text) => text,
        Err(why) => format!("ERROR {why}"),
    }
}

fn hits(files: &Files, pattern: &str, glob: Option<&str>, path: Option<&str>) -> String {
    let want = args::Search {
        pattern: pattern.to_owned(),
        glob: glob.map(str::to_owned),
        path: path.map(str::to_owned),
    };
    search(files, &want).unwrap()
}

#[test]
fn lines_are_numbered_and_the_blob_is_named() {
    let (_temp, files) = slot();
    expect![[r#"
        src/a.rs lines 1-1 of 2
        blob: e994b618ef2aeda1c0abdd3af297aab175b9dd16
        1	fn one() {}
        (more from first_line 2)"#]]
    .assert_eq(&read(&files, "src/a.rs", None, Some(1)));
    assert!(read(&files, "src/a.rs", Some(2), None).ends_with("2\tfn two() { one() }\n"));
    assert!(read(&files, "src/a.rs", Some(9), None).contains("has 2 lines"));
    assert!(read(&files, "c.bin", None, None).contains("binary, 8 bytes"));
    assert!(read(&files, "latin.txt", None, None).contains("not UTF-8"));
    assert!(read(&files, "empty", None, None).starts_with("empty is empty"));
    expect!["ERROR there is no file `src/none.rs`; look for it with find_files"].assert_eq(&read(
        &files,
        "src/none.rs",
        None,
        None,
    ));
}

#[test]
fn a_read_stops_at_lines_and_at_characters() {
    let (temp, files) = slot();
    std::fs::write(temp.path().join("long"), "x\n".repeat(1_000)).unwrap();
    assert!(read(&files, "long", None, Some(9_999)).starts_with("long lines 1-250 of 1000"));
    std::fs::write(temp.path().join("wide"), format!("{}\n", "é".repeat(900)).repeat(100)).unwrap();
    let text = read(&files, "wide", None, None);
    assert!(text.len() < READ_CHARS_MAX + 200, "{}", text.len());
    std::fs::write(temp.path().join("one"), "é".repeat(2_000_000)).unwrap();
    assert!(read(&files, "one", None, None).contains("[+1999000 characters]"));
}

#[test]
fn globs_match_names_anywhere_and_paths_from_the_root() {
    let (_temp, files) = slot();
    let find = |glob: &str| find_files(&files, &args::FindFiles { glob: glob.to_owned() }).unwrap();
    assert_eq!(find("*.rs"), "src/a.rs\nsrc/deep/b.rs");
    assert_eq!(find("src/*.rs"), "src/a.rs");
    assert_eq!(find("./src/**"), "src/a.rs\nsrc/deep/b.rs");
    assert_eq!(find("*.py"), "no file matches `*.py`; ignored files are not listed");
    let bad = find_files(&files, &args::FindFiles { glob: "src/[".to_owned() });
    assert!(bad.unwrap_err().contains("no glob"));
}

#[test]
fn hits_name_path_and_line() {
    let (_temp, files) = slot();
    expect![[r#"
        latin.txt:1: caf� one
        src/a.rs:1: fn one() {}
        src/a.rs:2: fn two() { one() }
        src/deep/b.rs:1: use crate::one;
    "#]]
    .assert_eq(&hits(&files, r"\bone\b", None, None));
    assert_eq!(
        hits(&files, "one", Some("b.rs"), Some("src")),
        "src/deep/b.rs:1: use crate::one;\n"
    );
    assert_eq!(hits(&files, "none", None, None), "no line matches in 5 files");
    assert!(hits(&files, "two(", None, None).contains("searched as plain text"));
}

#[test]
fn hits_are_bounded() {
    let (temp, files) = slot();
    let line = format!("{}needle\n", "y".repeat(5_000));
    std::fs::write(temp.path().join("many"), line.repeat(300)).unwrap();
    let text = hits(&files, "needle", None, None);
    assert_eq!(text.matches("many:").count(), HITS_MAX);
    assert!(text.ends_with("(only the first 100; narrow the pattern, glob or path)"));
    assert!(text.len() < HITS_MAX * (HIT_CHARS_MAX + 60), "{}", text.len());
}
