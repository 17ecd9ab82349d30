//! What the server says of a change: facts for the gates, ticks, risks, and the change's id.

use super::world::{TASK, TEXT, World, fix_line_two};
use baton::git::{Built, PATCH_BYTES_MAX};
use std::path::Path;
use team::{CommitId, FileKind, Role, RunId};

fn put(slot: &Path, path: &str, text: &str) {
    let path = slot.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn facts_of_a_plain_fix() {
    let world = World::new();
    world.write("b.txt", "mine\n");
    let told = world.delegate_fix(&[]);
    let facts = told.git.facts(&told.base, &told.head, &[]).unwrap();
    assert!(facts.descends);
    assert_eq!(facts.head, told.head);
    assert_eq!(facts.tree, told.git.tree(&told.head).unwrap());
    assert_eq!(facts.files.len(), 1);
    let file = &facts.files[0];
    let seen = (file.path.as_str(), file.kind, file.added, file.removed);
    assert_eq!(seen, ("a.txt", FileKind::Modified, 1, 1));
    assert_eq!(facts.protected, Vec::<String>::new());
    assert_eq!(facts.weakened, Vec::<String>::new());
}

#[test]
fn a_head_from_elsewhere_does_not_descend() {
    let world = World::new();
    world.write("b.txt", "mine\n");
    let told = world.delegate_fix(&[]);
    let facts = told.git.facts(&told.base, &told.base.base, &[]).unwrap();
    assert!(!facts.descends);
}

#[test]
fn protected_paths() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        put(slot, ".baton/team.toml", "version = 1\n");
        put(slot, ".Baton/roles.toml", "x\n");
        put(slot, "odd\u{202e}name.txt", "x\n");
        put(slot, "bell\u{7}.txt", "x\n");
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, slot.join(at)).unwrap();
        link("/etc/passwd", "absolute");
        link("../../outside", "src/upwards");
        link("deep/c.txt", "src/inside");
        link(".git/config", "into-git");
    });
    let facts = told.git.facts(&told.base, &told.head, &[]).unwrap();
    let whys: Vec<&str> = facts
        .protected
        .iter()
        .map(|it| it.rsplit_once(" (").unwrap().1.trim_end_matches(')'))
        .collect();
    let leaves = "a symlink that leaves the tree";
    let hidden = "characters in the name that do not show";
    let rules = "Baton's own rules";
    assert_eq!(whys, [rules, rules, leaves, hidden, leaves, hidden, leaves]);
    // The same paths each need a tick of their own.
    assert_eq!(told.candidate().acts.len(), 7);
}

/// Heads that no slot could make: written with git's plumbing, as an attacker would.
#[test]
fn git_like_names_and_new_submodules() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let blob = world.store(&["rev-parse", &format!("{}:a.txt", told.base.base)]);
    for name in
        [".git", ".GIT", "git~1", ".g\u{200c}it", ".git ", ".git.", ".git::$INDEX_ALLOCATION"]
    {
        let lines = format!("100644 blob {blob}\t{name}\n160000 commit {}\tsub\n", told.base.base);
        let file = world.base_dir().join("tree");
        std::fs::write(&file, lines).unwrap();
        let mut command = world.command(told.git.store_dir(), &["mktree"]);
        command.stdin(std::fs::File::open(&file).unwrap());
        let tree = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let identity = ["-c", "user.name=x", "-c", "user.email=x"];
        let rest = ["commit-tree", "-m", "x", "-p", &told.base.seen.0, tree.trim()];
        let head = CommitId(world.store(&[&identity[..], &rest[..]].concat()));
        let facts = told.git.facts(&told.base, &head, &[]).unwrap();
        let named = |why: &str| facts.protected.iter().any(|it| it.contains(why));
        assert!(named("a name like git's own"), "{name:?} {:?}", facts.protected);
        assert!(named("sub (a submodule)"), "{:?}", facts.protected);
    }
}

#[test]
fn weakened_tests_are_named() {
    let world = World::new();
    world.write("tests/a.rs", "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n");
    world.write("tests/b.rs", "#[test]\nfn b() {\n    assert!(true);\n}\n");
    world.write("t.py", "def test_x():\n    assert f() == 1\n");
    world.commit_all("tests");
    let told = world.delegate(&[], |slot| {
        put(slot, "tests/a.rs", "#[test]\n#[ignore]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n");
        std::fs::remove_file(slot.join("tests/b.rs")).unwrap();
        put(slot, "t.py", "def test_x():\n    f()\n");
    });
    let facts = told.git.facts(&told.base, &told.head, &[]).unwrap();
    let said = [
        "t.py: the test `test_x` asserts less, 1 -> 0",
        "tests/a.rs: the test `adds` is skipped now",
        "tests/b.rs: the file was deleted with 1 tests in it",
    ];
    assert_eq!(facts.weakened, said);
}

/// A change with many paths that act, are dear, or only look like it.
fn acting_change(slot: &Path) {
    let acting = [
        ".github/workflows/ci.yml",
        "build.rs",
        ".vscode/tasks.json",
        "crates/x/build.rs",
        ".cargo/config.toml",
        "AGENTS.md",
        "sub/.envrc",
        ".gitattributes",
    ];
    for path in acting {
        put(slot, path, "x\n");
    }
    let package = |version: &str, script: &str| {
        format!("{{\"version\": \"{version}\", \"scripts\": {{\"test\": \"{script}\"}}}}\n")
    };
    put(slot, "package.json", &package("1", "curl"));
    put(slot, "web/package.json", &package("2", "x"));
    put(slot, "readme.md", "collides\n");
    for path in ["src/auth/login.rs", "db/migrations/1.sql", "src/author.rs", "api/public.rs"] {
        put(slot, path, "x\n");
    }
    let exec = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(slot.join("a.txt"), exec).unwrap();
}

#[test]
fn ticks_and_risks() {
    let world = World::new();
    for path in ["package.json", "web/package.json"] {
        world.write(path, "{\"version\": \"1\", \"scripts\": {\"test\": \"x\"}}\n");
    }
    world.write("README.md", "readme\n");
    world.commit_all("packages");
    let told = world.delegate(&[], acting_change);
    let globs = ["api/**".to_string()];
    let built = told.git.candidate(TASK, &told.base, &told.head, "x", &globs).unwrap();
    let Built::Candidate(candidate) = built else { panic!("conflict") };
    let acts = [
        ".cargo/config.toml",
        ".gitattributes",
        ".github/workflows/ci.yml",
        ".vscode/tasks.json",
        "AGENTS.md",
        "a.txt",
        "build.rs",
        "crates/x/build.rs",
        "package.json",
        "readme.md",
        "sub/.envrc",
    ];
    assert_eq!(candidate.acts, acts);
    let risk =
        [".github/workflows/ci.yml", "api/public.rs", "db/migrations/1.sql", "src/auth/login.rs"];
    assert_eq!(candidate.risk, risk);
}

#[test]
fn the_same_change_has_the_same_id() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    let first = told.candidate();
    world.write("b.txt", "elsewhere\n");
    world.write("a.txt", &format!("zero\n{TEXT}"));
    world.commit_all("moved down");
    let moved = told.candidate();
    assert_eq!(moved.change, first.change);
    assert_ne!(moved.tree, first.tree);
    // Another text, another mode, another path: another change.
    let mut ids = vec![first.change.0];
    let others: [fn(&Path); 3] = [
        |slot| put(slot, "a.txt", &TEXT.replace("two", "Two")),
        |slot| {
            let exec = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(slot.join("b.txt"), exec).unwrap();
        },
        |slot| fix_line_two(&slot.join("src/deep/c.txt")),
    ];
    for other in others {
        let told = World::new().delegate_and_build(other);
        assert!(!ids.contains(&told), "{ids:?}");
        ids.push(told);
    }
}

impl World {
    fn delegate_and_build(&self, fix: fn(&Path)) -> String {
        self.delegate(&[], fix).candidate().change.0
    }
}

#[test]
fn files_with_hunks_and_renames() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        fix_line_two(&slot.join("a.txt"));
        std::fs::rename(slot.join("b.txt"), slot.join("moved.txt")).unwrap();
        std::fs::write(slot.join("data.bin"), b"\0\x01binary").unwrap();
    });
    let files = told.git.files(&told.base.seen, &told.head).unwrap();
    let names: Vec<_> = files.iter().map(|it| it.change.path.as_str()).collect();
    assert_eq!(names, ["a.txt", "data.bin", "moved.txt"]);
    assert_eq!(files[0].hunks.len(), 1);
    let hunk = &files[0].hunks[0];
    let lines = (hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines);
    assert_eq!(lines, (1, 5, 1, 5));
    assert_eq!(hunk.text, " one\n-two\n+TWO\n three\n four\n five\n");
    assert_eq!(files[1].hunks, []);
    assert_eq!(files[2].old_path.as_deref(), Some("b.txt"));
}

#[test]
fn a_huge_patch_is_cut_off() {
    let world = World::new();
    let told = world.delegate(&[], |slot| {
        put(slot, "huge.txt", &"a line of text\n".repeat(200_000));
    });
    let patch = told.git.patch(&told.base.seen, &told.head).unwrap();
    assert!(patch.len() < PATCH_BYTES_MAX + 100);
    assert!(patch.ends_with("more lines of this diff are left out]\n"));
}

#[test]
fn nothing_left_to_land() {
    let world = World::new();
    let told = world.delegate_fix(&[]);
    world.write("a.txt", &TEXT.replace("two", "TWO"));
    world.commit_all("the same, by hand");
    let candidate = told.candidate();
    assert_eq!(candidate.files, []);
    assert_eq!(told.git.commit(&told.slot, RunId(4), Role::Engineer, "x").unwrap(), told.head);
}
