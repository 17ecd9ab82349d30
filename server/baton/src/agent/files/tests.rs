//! What must never be reached, and what must work.

use super::*;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

fn slot() -> (tempfile::TempDir, Files) {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("slot");
    std::fs::create_dir_all(root.join("src")).unwrap();
    std::fs::write(root.join("src/lib.rs"), "fn a() {}\n").unwrap();
    std::fs::write(root.join(".git"), "gitdir: elsewhere\n").unwrap();
    std::fs::write(temp.path().join("outside.txt"), "SECRET\n").unwrap();
    let files = Files::open(&root, &["*.vault".to_owned()]).unwrap();
    (temp, files)
}

#[test]
fn paths_that_leave_the_slot_are_refused_with_what_to_do() {
    let (temp, files) = slot();
    let outside = temp.path().join("outside.txt");
    let escapes = [
        "../outside.txt",
        "src/../../outside.txt",
        "src/../src/lib.rs",
        "..\\outside.txt",
        "/etc/passwd",
        outside.to_str().unwrap(),
    ];
    for path in escapes {
        for refusal in [files.read(path).unwrap_err(), files.write(path, b"x").unwrap_err()] {
            assert!(refusal.contains("relative"), "{path}: {refusal}");
        }
    }
    assert_eq!(std::fs::read(outside).unwrap(), b"SECRET\n");
}

#[test]
fn absolute_paths_into_the_slot_are_taken() {
    let (temp, files) = slot();
    let path = temp.path().join("slot/src/lib.rs");
    assert_eq!(files.relative(path.to_str().unwrap()).unwrap(), "src/lib.rs");
    assert_eq!(files.read(path.to_str().unwrap()).unwrap(), b"fn a() {}\n");
    assert_eq!(files.relative("./src//lib.rs").unwrap(), "src/lib.rs");
}

#[test]
fn git_in_every_spelling_is_refused() {
    let (temp, files) = slot();
    let spellings = [
        ".git",
        ".GIT",
        ".git/config",
        "src/.Git/hooks/pre-commit",
        "git~1",
        ".git.",
        ".git ",
        ".g\u{200c}it",
        ".git::$INDEX_ALLOCATION",
    ];
    for path in spellings {
        assert!(files.read(path).is_err(), "{path:?} was read");
        assert!(files.write(path, b"x").is_err(), "{path:?} was written");
    }
    let pointer = std::fs::read(temp.path().join("slot/.git")).unwrap();
    assert_eq!(pointer, b"gitdir: elsewhere\n");
    files.write(".gitignore", b"target\n").unwrap();
    files.write(".github/workflows/ci.yml", b"on: push\n").unwrap();
}

#[test]
fn what_is_the_persons_is_not_written_and_secrets_are_not_read() {
    let (temp, files) = slot();
    for path in [".baton/team.toml", ".BATON/agents/x.md", ".env", "a/server.pem"] {
        let refusal = files.write(path, b"x").unwrap_err();
        assert!(refusal.contains("hand-over"), "{path}: {refusal}");
    }
    for name in [".env", ".env.local", "KEY.PEM", "id_ed25519", "x.vault"] {
        std::fs::write(temp.path().join("slot").join(name), "token").unwrap();
        let refusal = files.read(name).unwrap_err();
        assert!(refusal.contains("secrets"), "{name}: {refusal}");
    }
    for name in [".env.example", "id_map.rs"] {
        std::fs::write(temp.path().join("slot").join(name), "fine").unwrap();
        assert_eq!(files.read(name).unwrap(), b"fine");
    }
}

#[test]
fn links_are_never_followed() {
    let (temp, files) = slot();
    let root = temp.path().join("slot");
    symlink("../outside.txt", root.join("file-link")).unwrap();
    symlink("..", root.join("folder-link")).unwrap();
    symlink(".git", root.join("pointer-link")).unwrap();
    symlink("src", root.join("inner-link")).unwrap();
    for path in [
        "file-link",
        "folder-link/outside.txt",
        "folder-link/new.txt",
        "pointer-link",
        "inner-link/lib.rs",
        "inner-link/new/file.rs",
    ] {
        let refusal = files.read(path).unwrap_err();
        assert!(refusal.contains("link"), "{path}: {refusal}");
        let refusal = files.write(path, b"x").unwrap_err();
        assert!(refusal.contains("link"), "{path}: {refusal}");
    }
    assert!(!temp.path().join("new.txt").exists());
    assert_eq!(std::fs::read(root.join(".git")).unwrap(), b"gitdir: elsewhere\n");
    let mut seen = Vec::new();
    files
        .walk("", &mut |found| {
            seen.push(found.path.to_owned());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, ["src/lib.rs"]);
}

/// Ends the other side of a race, also where this side panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A folder is swapped for a link that leads out while files are read, written and walked.
#[test]
fn a_link_that_is_swapped_in_leads_nowhere() {
    let (temp, files) = slot();
    let root = temp.path().join("slot");
    let outside = temp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("a.txt"), "SECRET").unwrap();
    std::fs::create_dir(root.join("real")).unwrap();
    std::fs::write(root.join("real/a.txt"), "fine").unwrap();
    symlink(&outside, root.join("link")).unwrap();
    let here = std::fs::File::open(&root).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(
                    &here,
                    "real",
                    &here,
                    "link",
                    rustix::fs::RenameFlags::EXCHANGE,
                )
                .unwrap();
            }
        });
        let _stop = Stop(&done);
        let (mut read, mut refused) = (0, 0);
        for round in 0..200_000 {
            if 3_000 <= round && 0 < read && 0 < refused {
                break;
            }
            if let Ok(bytes) = files.read("real/a.txt") {
                assert_eq!(bytes, b"fine", "round {round}");
                read += 1;
            } else {
                refused += 1;
            }
            let _ = files.write("real/b.txt", b"written");
            if round % 50 == 0 {
                files
                    .walk("", &mut |found| {
                        let bytes = found.keep().read().unwrap_or_default();
                        assert_ne!(bytes, b"SECRET", "round {round}");
                        std::ops::ControlFlow::Continue(())
                    })
                    .unwrap();
            }
        }
        assert!(0 < read && 0 < refused, "no race took place: {read} read, {refused} refused");
    });
    assert!(!outside.join("b.txt").exists());
}

#[test]
fn a_pipe_does_not_hold_anyone_up() {
    let (temp, files) = slot();
    let pipe = temp.path().join("slot/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert!(files.read("pipe").unwrap_err().contains("no regular file"));
    assert!(files.write("pipe", b"x").unwrap_err().contains("no regular file"));
    assert!(files.read("src").unwrap_err().contains("folder"));
}

#[test]
fn sizes_are_bounded() {
    let (temp, files) = slot();
    let big = temp.path().join("slot/big.txt");
    std::fs::File::create(&big).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    assert!(files.read("big.txt").unwrap_err().contains("8 MiB"));
    let text = vec![b'a'; WRITE_BYTES_MAX + 1];
    assert!(files.write("new.txt", &text).unwrap_err().contains("2 MiB"));
    assert!(!temp.path().join("slot/new.txt").exists());
}

#[test]
fn the_walk_leaves_out_what_is_ignored() {
    let (temp, files) = slot();
    let root = temp.path().join("slot");
    for (path, text) in [
        (".gitignore", "target/\n*.log\n!keep.log\n/only-here\n"),
        ("target/debug/x.rs", ""),
        ("a.log", ""),
        ("keep.log", ""),
        ("only-here", ""),
        ("deep/only-here", ""),
        ("deep/.gitignore", "gen/**\n"),
        ("deep/gen/y.rs", ""),
        ("deep/z.rs", ""),
        (".env", ""),
    ] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }
    let walk = |from: &str| {
        let mut seen = Vec::new();
        let whole = files.walk(from, &mut |found| {
            seen.push(found.path.to_owned());
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(whole, Ok(true));
        seen.join(" ")
    };
    assert_eq!(walk(""), ".gitignore deep/.gitignore deep/only-here deep/z.rs keep.log src/lib.rs");
    assert_eq!(walk("deep"), "deep/.gitignore deep/only-here deep/z.rs");
    assert_eq!(walk("src/lib.rs"), "src/lib.rs");
    assert!(files.walk("../..", &mut |_| std::ops::ControlFlow::Continue(())).is_err());
}
