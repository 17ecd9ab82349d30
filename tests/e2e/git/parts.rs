//! Some hunks of a change: the bytes are those that were chosen, on whatever the person has, and what
//! only makes sense whole is taken whole.

use super::world::{TASK, TEXT, Told, World};
use baton::git::{Built, FileDiff, Parted};
use std::os::unix::fs::PermissionsExt;
use team::{ApprovalId, Candidate, CommitId, FileHunks};

const ANSWER: ApprovalId = ApprovalId(3);

fn files(told: &Told, candidate: &Candidate) -> Vec<FileDiff> {
    told.git.files(&candidate.tip, &candidate.commit).unwrap()
}

/// What is chosen: of these paths these numbers, counted from 1; none: all of the file's.
fn choose(candidate: &Candidate, wanted: &[(&str, &[usize])]) -> Vec<FileHunks> {
    let file = |(path, numbers): &(&str, &[usize])| {
        let offered = candidate.hunks.iter().find(|it| it.path == *path).unwrap();
        let hunks = match numbers {
            [] => offered.hunks.clone(),
            some => some.iter().map(|n| offered.hunks[n - 1].clone()).collect(),
        };
        FileHunks { path: (*path).to_owned(), hunks }
    };
    wanted.iter().map(file).collect()
}

fn part(told: &Told, candidate: &Candidate, chosen: &[FileHunks]) -> Parted {
    told.git.part(ANSWER, &told.base, candidate, chosen, "part").unwrap()
}

/// The candidate of a part, which must change what was chosen and nothing else.
fn built(told: &Told, candidate: &Candidate, chosen: &[FileHunks]) -> Candidate {
    let Parted::Made { head, change } = part(told, candidate, chosen) else {
        panic!("{chosen:?} conflicts");
    };
    match told.git.candidate(TASK, &told.base, &head, "part", &[]).unwrap() {
        Built::Candidate(built) => {
            assert_eq!(built.change, change);
            built
        }
        Built::Conflict { paths, .. } => panic!("conflict in {paths:?}"),
    }
}

fn text(told: &Told, at: &CommitId, path: &str) -> Option<String> {
    let bytes = told.git.read(at, path).unwrap()?;
    Some(String::from_utf8(bytes).unwrap())
}

/// `one` to `forty`, so to say.
fn lines(n: usize) -> String {
    (1..=n).map(|it| format!("line {it}\n")).collect()
}

#[test]
fn hunks_of_one_file_are_taken_one_by_one() {
    let world = World::new();
    world.write("long.txt", &lines(40));
    world.commit_all("long");
    // Something of the person's own, in the same file and not committed.
    world.write("long.txt", &lines(40).replace("line 20\n", "line 20, mine\n"));
    let told = world.delegate(&[], |slot| {
        let path = slot.join("long.txt");
        let old = std::fs::read_to_string(&path).unwrap();
        let new = old.replace("line 1\n", "first\nline 1\n").replace("line 10\n", "");
        std::fs::write(&path, new.replace("line 40\n", "line 40\nlast\n")).unwrap();
    });
    let whole = told.candidate();
    let tip = lines(40);
    for (numbers, expected) in [
        (&[1][..], tip.replacen("line 1\n", "first\nline 1\n", 1)),
        (&[2], tip.replace("line 10\n", "")),
        (&[3], tip.clone() + "last\n"),
        (&[1, 3], tip.replacen("line 1\n", "first\nline 1\n", 1) + "last\n"),
        (&[3, 2], tip.replace("line 10\n", "") + "last\n"),
    ] {
        let chosen = choose(&whole, &[("long.txt", numbers)]);
        let made = built(&told, &whole, &chosen);
        assert_eq!(text(&told, &made.commit, "long.txt").unwrap(), expected, "{numbers:?}");
        // On what the person saw it stands beside their own text.
        let on_seen = text(&told, &made.head, "long.txt").unwrap();
        assert_eq!(on_seen, expected.replace("line 20\n", "line 20, mine\n"), "{numbers:?}");
    }
    let all = built(&told, &whole, &whole.hunks);
    assert_eq!((all.tree, all.change), (whole.tree.clone(), whole.change.clone()));
    // The head is reached by a ref, as every head is, and made again it is the same files.
    let at = world.store(&["rev-parse", "refs/baton/heads/A3^{tree}"]);
    assert_eq!(at, told.git.tree(&all.head).unwrap().0);
}

#[test]
fn what_was_chosen_lands_and_the_rest_does_not() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        for path in ["a.txt", "b.txt"] {
            std::fs::write(slot.join(path), TEXT.replace("two\n", "TWO\n")).unwrap();
        }
    });
    let whole = told.candidate();
    let made = built(&told, &whole, &choose(&whole, &[("b.txt", &[1])]));
    let plan = told.plan(&made, &[]);
    told.git.land(TASK, &told.base, &made, &plan).unwrap();
    assert_eq!(world.git(&["diff", "HEAD~", "HEAD", "--name-only"]), "b.txt");
    assert_eq!((world.read("a.txt"), world.status()), (TEXT.to_owned(), String::new()));
}

#[test]
fn line_ends_and_missing_last_ones_are_kept() {
    let world = World::new();
    let crlf = lines(30).replace('\n', "\r\n");
    let bare = lines(30).trim_end().to_owned();
    world.write("crlf.txt", &crlf);
    world.write("bare.txt", &bare);
    world.commit_all("ends");
    let told = world.delegate(&[], |slot| {
        let new = crlf.replace("line 2\r\n", "second\r\n").replace("line 29\r\n", "29\r\n");
        std::fs::write(slot.join("crlf.txt"), new).unwrap();
        std::fs::write(slot.join("bare.txt"), bare.replace("line 2\n", "second\n") + "\nend")
            .unwrap();
    });
    let whole = told.candidate();
    let made = built(&told, &whole, &choose(&whole, &[("crlf.txt", &[2]), ("bare.txt", &[1])]));
    let crlf = crlf.replace("line 29\r\n", "29\r\n");
    assert_eq!(text(&told, &made.commit, "crlf.txt").unwrap(), crlf);
    assert_eq!(
        text(&told, &made.commit, "bare.txt").unwrap(),
        bare.replace("line 2\n", "second\n")
    );
    let made = built(&told, &whole, &choose(&whole, &[("bare.txt", &[2])]));
    assert_eq!(text(&told, &made.commit, "bare.txt").unwrap(), bare + "\nend");
}

#[test]
fn what_is_more_than_lines_is_taken_whole() {
    let world = World::new();
    world.write("moved.txt", &lines(40));
    world.write("run.sh", "#!/bin/sh\n");
    std::fs::write(world.root.join("image.bin"), b"\0\x01\x02").unwrap();
    world.commit_all("kinds");
    let told = world.delegate(&[], |slot| {
        std::fs::remove_file(slot.join("moved.txt")).unwrap();
        let moved = lines(40).replace("line 1\n", "1\n").replace("line 40\n", "40\n");
        std::fs::write(slot.join("there.txt"), moved).unwrap();
        std::fs::remove_file(slot.join("b.txt")).unwrap();
        std::fs::write(slot.join("new.txt"), "new\n").unwrap();
        std::fs::write(slot.join("image.bin"), b"\0\x03").unwrap();
        let script = slot.join("run.sh");
        std::fs::write(&script, "#!/bin/sh\ntrue\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::remove_file(slot.join("src/deep/c.txt")).unwrap();
        std::os::unix::fs::symlink("../../a.txt", slot.join("src/deep/c.txt")).unwrap();
    });
    let whole = told.candidate();
    let shown: Vec<(String, usize, &str)> = files(&told, &whole)
        .into_iter()
        .map(|it| (it.change.path, it.ids.len(), it.whole.unwrap()))
        .collect();
    let named: Vec<(&str, usize, &str)> =
        shown.iter().map(|it| (it.0.as_str(), it.1, it.2)).collect();
    assert_eq!(
        named,
        [
            ("b.txt", 1, "it is deleted"),
            ("image.bin", 1, "it is binary"),
            ("new.txt", 1, "it is new"),
            ("run.sh", 1, "its mode changes"),
            ("src/deep/c.txt", 1, "it becomes another kind of file"),
            ("there.txt", 1, "it is renamed"),
        ]
    );
    let paths = |made: &Candidate| {
        let range = [made.tip.0.as_str(), made.commit.0.as_str()];
        world.store(&["diff", "--no-renames", "--name-status", range[0], range[1]])
    };
    for (path, changes) in [
        ("b.txt", "D\tb.txt"),
        ("image.bin", "M\timage.bin"),
        ("new.txt", "A\tnew.txt"),
        ("run.sh", "M\trun.sh"),
        ("src/deep/c.txt", "T\tsrc/deep/c.txt"),
        ("there.txt", "D\tmoved.txt\nA\tthere.txt"),
    ] {
        let made = built(&told, &whole, &choose(&whole, &[(path, &[])]));
        assert_eq!(paths(&made), changes);
    }
}

/// A file that takes a folder's place can't come without what empties the folder.
#[test]
fn what_stands_in_its_own_way_is_refused_by_path() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        std::fs::remove_file(slot.join("src/deep/c.txt")).unwrap();
        std::fs::remove_dir(slot.join("src/deep")).unwrap();
        std::fs::write(slot.join("src/deep"), "now a file\n").unwrap();
    });
    let whole = told.candidate();
    let before = world.digest();
    let parted = part(&told, &whole, &choose(&whole, &[("src/deep", &[])]));
    assert_eq!(parted, Parted::Conflict(vec!["src/deep".into()]));
    let both = choose(&whole, &[("src/deep", &[]), ("src/deep/c.txt", &[])]);
    assert_eq!(built(&told, &whole, &both).tree, whole.tree);
    super::world::same(&before, &world.digest());
}

/// An id is the path's and the lines', wherever they stand; equal lines are told apart by their order.
#[test]
fn ids_are_stable_and_differ() {
    let world = World::new();
    let text: String = (0..3).map(|_| lines(12)).collect();
    world.write("same.txt", &text);
    world.write("other.txt", &text);
    world.commit_all("same");
    let fix = |slot: &std::path::Path| {
        for path in ["same.txt", "other.txt"] {
            let path = slot.join(path);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("line 6\n", "six\n")).unwrap();
        }
    };
    let told = world.delegate(&[], fix);
    let whole = told.candidate();
    let mut ids: Vec<&String> = whole.hunks.iter().flat_map(|it| &it.hunks).collect();
    assert_eq!(ids.len(), 6);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "all of them differ");
    let second = choose(&whole, &[("same.txt", &[2])]);
    let made = built(&told, &whole, &second);
    let expected = lines(12) + &lines(12).replace("line 6\n", "six\n") + &lines(12);
    assert_eq!(text_of(&told, &made), expected);
    // The branch goes on elsewhere in the file: the hunks keep their names.
    world.write("same.txt", &("above\n".to_owned() + &text));
    world.commit_all("above");
    let moved = told.candidate();
    assert_eq!(moved.hunks, whole.hunks);
    assert_eq!(text_of(&told, &built(&told, &moved, &second)), "above\n".to_owned() + &expected);
}

fn text_of(told: &Told, made: &Candidate) -> String {
    text(told, &made.commit, "same.txt").unwrap()
}

/// Random edits, random choices, and git's own `apply` as the judge.
#[test]
fn git_applies_the_same_hunks_to_the_same_bytes() {
    let seed = std::process::id();
    let mut state = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    for round in 0..12 {
        let world = World::new();
        world.write("t.txt", &lines(60));
        world.commit_all("t");
        let mut new = Vec::new();
        for (n, line) in lines(60).lines().enumerate() {
            match below(12) {
                0 => new.push(format!("new {n}")),
                1 => {}
                2 => new.extend([line.to_owned(), format!("more {n}")]),
                _ => new.push(line.to_owned()),
            }
        }
        let told = world.delegate(&[], |slot| {
            let end = if round % 2 == 0 { "\n" } else { "" };
            std::fs::write(slot.join("t.txt"), new.join("\n") + end).unwrap();
        });
        let whole = told.candidate();
        let shown = files(&told, &whole);
        let picked: Vec<usize> = (0..shown[0].ids.len()).filter(|_| below(2) == 0).collect();
        if picked.is_empty() {
            continue;
        }
        let mut patch = "--- a/t.txt\n+++ b/t.txt\n".to_owned();
        for n in &picked {
            let it = &shown[0].hunks[*n];
            let (from, to) = ((it.old_start, it.old_lines), (it.new_start, it.new_lines));
            patch += &format!("@@ -{},{} +{},{} @@\n{}", from.0, from.1, to.0, to.1, it.text);
        }
        let numbers: Vec<usize> = picked.iter().map(|it| it + 1).collect();
        let made = built(&told, &whole, &choose(&whole, &[("t.txt", &numbers)]));
        world.feed(&["apply", "--unidiff-zero", "-"], patch.as_bytes());
        let by_git = world.read("t.txt");
        let ours = text(&told, &made.commit, "t.txt").unwrap();
        assert_eq!(ours, by_git, "seed {seed}, round {round}, hunks {numbers:?} of\n{patch}");
    }
}
