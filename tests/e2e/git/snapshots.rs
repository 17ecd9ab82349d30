//! S is exactly what `git add -A` would have committed, plus unsaved text; and nothing of the user's
//! changes but one ref that keeps the base.

use super::world::{Digest, TASK, TEXT, World, buffer, same};
use baton::git::{Buffer, UNTRACKED_FILE_BYTES_MAX};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use team::{Base, StartFrom};

/// The tree that git makes of everything, on a copy of the index.
pub fn git_tree(world: &World) -> String {
    let scratch = world.base_dir().join("scratch");
    std::fs::create_dir_all(scratch.join("objects")).unwrap();
    let index = scratch.join("index");
    let real = world.git(&["rev-parse", "--path-format=absolute", "--git-path", "index"]);
    std::fs::copy(real, &index).unwrap();
    let objects = world.git_dir().join("objects");
    let run = |args: &[&str]| {
        let mut command = world.command(&world.root, args);
        command.env("GIT_INDEX_FILE", &index);
        command.env("GIT_OBJECT_DIRECTORY", scratch.join("objects"));
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    run(&["add", "-A", "--sparse"]);
    run(&["write-tree"])
}

fn seen(world: &World, buffers: &[Buffer]) -> Base {
    let before = world.digest();
    let base = world.open().snapshot(TASK, "", buffers, StartFrom::Seen, false).unwrap();
    same(&before, &world.digest());
    let keep = world.git(&["for-each-ref", "refs/baton", "--format=%(refname) %(objectname)"]);
    assert_eq!(keep, format!("refs/baton/keep/T17 {}", base.base.0));
    base
}

/// The snapshot equals git's, and every object of it can be read.
fn equals_git(world: &World) -> Base {
    let base = seen(world, &[]);
    assert_eq!(base.seen_tree.0, git_tree(world));
    world.store(&["rev-list", "--objects", &base.seen.0]);
    base
}

#[test]
fn nothing_differs() {
    let world = World::new();
    let base = equals_git(&world);
    assert_eq!(base.seen, base.base);
    assert_eq!(base.says, format!("HEAD {}", base.base.short()));
    assert_eq!(base.left_out, Vec::<String>::new());
    assert_eq!(base.target.reference(), "refs/heads/main");
}

#[test]
fn everything_differs() {
    let world = World::new();
    world.write(".gitignore", "*.log\nbuild/\n");
    world.commit_all("ignore");
    world.write("a.txt", "staged\n");
    world.git(&["add", "a.txt"]);
    world.write("a.txt", "staged, then more\n");
    world.write("b.txt", &TEXT.replace("six", "6"));
    std::fs::remove_file(world.root.join("src/deep/c.txt")).unwrap();
    world.write("x.log", "ignored");
    world.write("build/out", "ignored");
    world.write("new/file.rs", "fn main() {}\n");
    let base = equals_git(&world);
    let says = format!("HEAD {} + 3 changed + 1 untracked", base.base.short());
    assert_eq!(base.says, says);
    let parent = world.store(&["rev-parse", &format!("{}^", base.seen.0)]);
    assert_eq!(parent, base.base.0);
}

#[test]
fn from_the_last_commit() {
    let world = World::new();
    world.write("a.txt", "mine\n");
    let base = world.open().snapshot(TASK, "", &[], StartFrom::Head, false).unwrap();
    assert_eq!(base.seen, base.base);
    assert_eq!(base.says, format!("HEAD {}", base.base.short()));
}

#[test]
fn odd_files() {
    let world = World::new();
    symlink("a.txt", world.root.join("link")).unwrap();
    symlink("/nowhere", world.root.join("dangling")).unwrap();
    let exec = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.root.join("a.txt"), exec).unwrap();
    world.write("with space", "1");
    world.write("with \"quotes\" and \\", "2");
    world.write("with\nnewline", "3");
    world.write("umlaut-ä-\u{1f600}", "4");
    world.write("-dash", "5");
    world.write("empty", "");
    let bytes = std::ffi::OsStr::from_bytes(b"not-utf8-\xff");
    std::fs::write(world.root.join(bytes), "6").unwrap();
    // A file where a folder was, and a folder where a file was.
    std::fs::remove_dir_all(world.root.join("src")).unwrap();
    world.write("src", "a file now");
    std::fs::remove_file(world.root.join("b.txt")).unwrap();
    world.write("b.txt/inside", "a folder now");
    let base = equals_git(&world);
    let git = world.open();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    assert_eq!(git.tree_of(&slot).unwrap(), base.seen_tree);
    let files = |mut digest: Digest| {
        digest.retain(|path, _| !path.starts_with(".git"));
        digest
    };
    same(&files(super::world::digest(&world.root)), &files(super::world::digest(&slot.dir)));
}

fn age(path: &std::path::Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let time = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(time).unwrap();
}

#[test]
fn line_endings() {
    let configs: [&[&str]; 5] = [
        &[],
        &["core.autocrlf", "true"],
        &["core.autocrlf", "input"],
        &["core.eol", "crlf"],
        &["core.safecrlf", "false"],
    ];
    let attributes = [
        "",
        "* text=auto\n",
        "*.txt text\n",
        "*.txt text eol=crlf\n",
        "*.txt -text\n",
        "*.txt ident\n",
        "* text=auto eol=lf\n*.bin binary\n",
    ];
    for config in configs {
        for attribute in attributes {
            let world = World::empty();
            // Committed with CRLF inside, before any attribute was there.
            world.write("crlf.txt", "one\r\ntwo\r\n");
            world.write("lf.txt", "one\ntwo\n");
            world.write("mixed.txt", "one\r\ntwo\n");
            world.write("data.bin", "a\r\n\0b\n");
            // Else git, which may look at seconds only, takes them for racy and reads them again.
            for name in ["crlf.txt", "lf.txt", "mixed.txt", "data.bin"] {
                age(&world.root.join(name));
            }
            world.commit_all("start");
            if let [key, value] = config {
                world.git(&["config", key, value]);
            }
            world.write(".gitattributes", attribute);
            world.write("crlf.txt", "one\r\ntwo\r\nthree\r\n");
            world.write("lf.txt", "one\r\ntwo\r\n$Id$\r\n");
            world.write("new.txt", "new\r\n$Id: x$\r\n");
            world.write("new.bin", "new\r\n\0");
            equals_git(&world);
            // An unsaved buffer becomes what the saved file would.
            let text = "unsaved\r\ntext\r\n";
            let base = seen(&world, &[buffer("lf.txt", text), buffer("crlf.txt", text)]);
            world.write("lf.txt", text);
            world.write("crlf.txt", text);
            assert_eq!(base.seen_tree.0, git_tree(&world), "{config:?} {attribute:?}");
        }
    }
}

#[test]
fn unsaved_text_wins() {
    let world = World::new();
    world.write(".gitignore", "ignored.txt\n");
    world.commit_all("ignore");
    world.write("b.txt", "on disk\n");
    world.write("secret.pem", "key");
    let buffers = [
        buffer("a.txt", "unsaved a\n"),
        buffer("b.txt", "unsaved b\n"),
        buffer("src/deep/c.txt", TEXT),
        buffer("src/new.txt", "never saved\n"),
        buffer("ignored.txt", "x"),
        buffer("secret.pem", "x"),
        buffer(".env", "x"),
        buffer("../outside", "x"),
        buffer(".git/config", "x"),
    ];
    let base = seen(&world, &buffers);
    assert_eq!(base.says, format!("HEAD {} + 3 unsaved", base.base.short()));
    let show = |path: &str| world.store(&["show", &format!("{}:{path}", base.seen.0)]);
    assert_eq!(show("a.txt"), "unsaved a");
    assert_eq!(show("b.txt"), "unsaved b");
    assert_eq!(show("src/new.txt"), "never saved");
    let names = world.store(&["ls-tree", "-r", "--name-only", &base.seen.0]);
    assert_eq!(names, ".gitignore\na.txt\nb.txt\nsrc/deep/c.txt\nsrc/new.txt");
    let left_out = [
        "secret.pem: named like a secret",
        "ignored.txt: unsaved, and ignored by git",
        "secret.pem: unsaved, and named like a secret",
        ".env: unsaved, and named like a secret",
        "../outside: unsaved, and outside of the repository",
        ".git/config: unsaved, and outside of the repository",
    ];
    assert_eq!(base.left_out, left_out);
}

#[test]
fn left_out_by_name() {
    let world = World::new();
    for name in [
        ".env",
        ".env.local",
        "server.pem",
        "id_ed25519",
        "tls.key",
        ".netrc",
        ".npmrc",
        "x/.ssh/config",
    ] {
        world.write(name, "secret");
    }
    for name in ["id_map.rs", "environment.txt", "id_ed25519.pub"] {
        world.write(name, "fine");
    }
    let big = vec![b'x'; usize::try_from(UNTRACKED_FILE_BYTES_MAX).unwrap() + 1];
    std::fs::write(world.root.join("big.dat"), big).unwrap();
    world.write("nested/file", "x");
    world.git_in(&world.root.join("nested"), &["init", "-q"]);
    let base = seen(&world, &[]);
    let names = world.store(&["diff", "--name-only", &base.base.0, &base.seen.0]);
    assert_eq!(names, "environment.txt\nid_ed25519.pub\nid_map.rs");
    assert!(base.left_out.contains(&"big.dat: untracked and 10 MiB".to_string()), "{base:?}");
    assert!(base.left_out.contains(&"nested/: a nested repository".to_string()));
    assert_eq!(base.left_out.len(), 10);
    // A tracked file of such a name is the repository's.
    world.git(&["add", "-f", ".env"]);
    let base = seen(&world, &[]);
    let names = world.store(&["ls-tree", "-r", "--name-only", &base.seen.0]);
    assert!(names.contains(".env"), "{names}");
}

#[test]
fn a_submodule_stays_at_its_commit() {
    let world = World::new();
    let other = World::new();
    let url = other.root.to_str().unwrap();
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    world.commit_all("submodule");
    world.write("a.txt", "mine\n");
    let base = equals_git(&world);
    assert_eq!(base.left_out, ["sub: a submodule, its files are not part of this repository"]);
    let git = world.open();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    assert_eq!(std::fs::read_dir(slot.dir.join("sub")).unwrap().count(), 0);
    assert_eq!(git.tree_of(&slot).unwrap(), base.seen_tree);
    // A submodule as the root is a repository like any other.
    let place = baton::git::find(&world.root.join("sub")).unwrap();
    assert_eq!(place.name, "sub");
}

/// libgit2 does not write what an alternate has: what only the index reached must not vanish with it.
#[test]
fn staged_text_survives_gc() {
    let world = World::new();
    world.write("deep/er/staged.txt", "only staged\n");
    world.write("a.txt", "staged too\n");
    world.git(&["add", "-A"]);
    // Trees too: git wrote them, nothing but a dropped stash reaches them.
    world.git(&["stash", "-q"]);
    world.git(&["stash", "apply", "-q", "--index"]);
    world.git(&["stash", "drop", "-q"]);
    let base = equals_git(&world);
    world.git(&["reset", "-q", "--hard"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    world.store(&["fsck", "--full", "--strict"]);
    world.store(&["rev-list", "--objects", &base.seen.0]);
    let text = world.store(&["show", &format!("{}:deep/er/staged.txt", base.seen.0)]);
    assert_eq!(text, "only staged");
    let git = world.open();
    let slot = git.slot("engineer-1", &base.seen).unwrap();
    let text = std::fs::read_to_string(slot.dir.join("a.txt")).unwrap();
    assert_eq!(text, "staged too\n");
}

#[test]
fn a_conflicted_index() {
    let world = World::new();
    world.git(&["checkout", "-q", "-b", "side"]);
    world.write("a.txt", "side\n");
    world.commit_all("side");
    world.git(&["checkout", "-q", "main"]);
    world.write("a.txt", "main\n");
    world.commit_all("main");
    assert!(!world.command(&world.root, &["merge", "-q", "side"]).status().unwrap().success());
    equals_git(&world);
}

#[test]
fn intent_to_add_and_old_index_formats() {
    let world = World::new();
    world.write("later.txt", "intended\n");
    world.git(&["add", "-N", "later.txt"]);
    equals_git(&world);
    world.git(&["update-index", "--index-version", "4"]);
    world.write("b.txt", "changed\n");
    equals_git(&world);
    world.git(&["config", "core.untrackedCache", "true"]);
    world.git(&["update-index", "--untracked-cache"]);
    world.git(&["status"]);
    equals_git(&world);
}

/// A change within the same tick and of the same size as what the index describes.
#[test]
fn racy_changes_are_seen() {
    for n in 0..20 {
        let world = World::new();
        world.write("a.txt", &format!("{n:04}\n"));
        world.git(&["add", "a.txt"]);
        world.write("a.txt", &format!("{:04}\n", n + 1));
        let base = seen(&world, &[]);
        let text = world.store(&["show", &format!("{}:a.txt", base.seen.0)]);
        assert_eq!(text, format!("{:04}", n + 1));
    }
}
