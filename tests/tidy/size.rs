//! Files and functions stay short, say what they are for, and belong to a module.

use crate::lexer::{Rust, closing, line_of, module_folder, words};
use crate::none;
use crate::tree::{File, tree};
use std::collections::BTreeSet;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Longer than allowed, for now: `path` or `path: name`, and the lines it has. Entries may only
/// shrink or leave; nothing may be added.
const RATCHET: &[(&str, usize)] = &[];

#[test]
fn every_file_says_what_it_is_for() {
    let found = tree()
        .rust()
        .filter(|(file, _)| !file.text.starts_with("//! "))
        .map(|(file, _)| format!("{}:1", file.path))
        .collect();
    none(found, "open the file with a `//!` sentence that says what it is for");
}

#[test]
fn every_script_says_what_it_is_for() {
    let found = tree()
        .files
        .iter()
        .filter(|it| !it.is_fixture() && is_silent_script(&it.path, &it.text))
        .map(|it| format!("{}:1", it.path))
        .collect();
    none(found, "say in a comment at the top what the script is for");
}

fn is_silent_script(path: &str, text: &str) -> bool {
    let first = text.lines().find(|it| !it.starts_with("#!")).unwrap_or_default();
    let opens = |marks: &[&str]| marks.iter().any(|it| first.starts_with(it));
    match path.rsplit('.').next() {
        Some("sh" | "ci/run") => !opens(&["# "]),
        Some("py") => !opens(&["# ", "\"\"\""]),
        Some("lua") => !opens(&["-- ", "---"]),
        Some("ts" | "js" | "mjs") => !opens(&["// ", "/*"]),
        Some(_) | None => false,
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut found = Vec::new();
    let mut long = Vec::new();
    for (file, rust) in tree().rust() {
        let lines = file.text.lines().count();
        if FILE_LINES_MAX < lines {
            long.push((file.path.clone(), lines));
        }
        for (line, name, lines) in functions(file, rust) {
            if FUNCTION_LINES_MAX < lines {
                let key = format!("{}: {name}", file.path);
                if !RATCHET.iter().any(|it| it.0 == key) {
                    found.push(format!("{}:{line}: `{name}` has {lines} lines", file.path));
                }
                long.push((key, lines));
            }
        }
    }
    for (key, lines) in &long {
        match RATCHET.iter().find(|it| it.0 == key) {
            Some((_, max)) if max < lines => found.push(format!("{key}: {lines} lines, was {max}")),
            Some((_, max)) if lines < max => {
                found.push(format!("{key}: has shrunk to {lines} lines: say so in RATCHET"));
            }
            Some(_) => (),
            None if key.ends_with(".rs") => found.push(format!("{key}: {lines} lines")),
            None => (),
        }
    }
    for (key, _) in RATCHET {
        if !long.iter().any(|it| it.0 == *key) {
            found.push(format!("{key}: is short now: take it out of RATCHET"));
        }
    }
    let to_do = format!(
        "split it by what it does: a file has at most {FILE_LINES_MAX} lines, a function \
         {FUNCTION_LINES_MAX}; whole lines of a literal text in a function don't count"
    );
    none(found, &to_do);
}

#[test]
fn every_rust_file_is_a_module_of_some_other() {
    let targets = ["lib.rs", "main.rs"];
    let declared = declared();
    let found = tree()
        .rust()
        .filter(|(file, _)| !targets.contains(&name(&file.path)))
        .filter(|(file, _)| !declared.contains(file.path.trim_end_matches(".rs")))
        .map(|(file, _)| file.path.clone())
        .collect();
    none(found, "no `mod` names this file, so nothing compiles it: declare it, or remove it");
}

#[test]
fn no_file_is_called_mod_rs() {
    let is_mod = |it: &&String| name(it) == "mod.rs";
    let found = tree().paths.iter().filter(is_mod).cloned().collect();
    none(found, "`foo.rs` beside `foo/`, so that a file's name says what it is");
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Paths, without `.rs`, of every module that some file declares.
fn declared() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (file, rust) in tree().rust() {
        let folder = module_folder(&file.path);
        let mut last = "";
        for (_, word) in words(&rust.code) {
            if std::mem::replace(&mut last, word) == "mod" {
                paths.insert(format!("{folder}/{word}"));
            }
        }
    }
    paths
}

/// Line, name and number of lines of each function with a body. Lines that lie within a literal as a
/// whole (a transcript, a script) are not counted.
fn functions(file: &File, rust: &Rust) -> Vec<(usize, String, usize)> {
    let code = &rust.code;
    let all: Vec<(usize, &str)> = words(code).collect();
    let mut found = Vec::new();
    for pair in all.windows(2) {
        let [(start, "fn"), (at, name)] = pair else {
            continue;
        };
        // `fn(u8)` is a type: a name stands right behind the keyword.
        if !code[*start..*at].ends_with("fn ") {
            continue;
        }
        let Some(open) = body(code, *at) else {
            continue;
        };
        let end = closing(code, open);
        let first = line_of(code, *start);
        let lines = file.text[*start..end]
            .lines()
            .zip(code[*start..end].lines())
            .filter(|(text, code)| text.trim().is_empty() || !is_literal(text, code))
            .count();
        found.push((first, (*name).to_owned(), lines));
    }
    found
}

/// Nothing of the line is code, and it is no comment either.
fn is_literal(text: &str, code: &str) -> bool {
    code.trim().is_empty() && !text.trim_start().starts_with("//")
}

/// The brace that opens the body of the function whose name starts here; none for a declaration.
fn body(code: &str, name: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, byte) in code.bytes().enumerate().skip(name) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(i),
            b';' if depth == 0 => return None,
            _ => (),
        }
    }
    None
}

#[test]
fn a_silent_script_is_noticed() {
    assert!(is_silent_script(".ci/run", "#!/bin/sh\nset -e\n"));
    assert!(!is_silent_script("a.sh", "#!/bin/sh\n# Runs a.\n"));
    assert!(is_silent_script("a/b.lua", "return {}\n"));
    assert!(!is_silent_script("a/b.rs", "fn a() {}\n"));
}

#[test]
fn lengths_are_counted_rightly() {
    let text = "//! x\nfn a() {\n    b();\n}\ntrait T {\n    fn no(&self);\n}\nfn c(f: fn(u8)) -> [u8; 2] {\n    let t = \"\none\ntwo\n\";\n}\n";
    let file = File::new("server/x/src/x.rs", text);
    let read = functions(&file, file.rust.as_ref().unwrap());
    let expected = [(2, "a".to_owned(), 3), (8, "c".to_owned(), 4)];
    assert_eq!(read, expected);
}

#[test]
fn the_style_guide_states_these_numbers() {
    let style = &tree().file("docs/style.md").text;
    for number in [FILE_LINES_MAX, FUNCTION_LINES_MAX] {
        assert!(style.contains(&number.to_string()), "docs/style.md doesn't say {number}");
    }
}
