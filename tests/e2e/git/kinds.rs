//! Repositories of every kind that Baton works in: what is odd about them stays as it is.

use super::judge::{delegated, fixed, judge, whole};
use super::world::{TEXT, World};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_plain_one() {
    whole(&World::new(), "a.txt");
}

#[test]
fn with_changes_of_the_users_own_all_around() {
    let world = World::new();
    world.write("b.txt", "staged\n");
    world.git(&["add", "b.txt"]);
    world.write("b.txt", "and edited\n");
    world.write("untracked.txt", "new\n");
    std::fs::remove_file(world.root.join("src/deep/c.txt")).unwrap();
    whole(&world, "a.txt");
}

#[test]
fn submodules() {
    let world = World::new();
    let other = World::new();
    let url = other.root.to_str().unwrap();
    let add = |path| {
        world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, path]);
    };
    add("sub");
    add("vendor/deep");
    world.commit_all("submodules");
    // One with an edit inside, one that is not checked out.
    std::fs::write(world.root.join("sub/a.txt"), "edited in the submodule\n").unwrap();
    world.git(&["submodule", "--quiet", "deinit", "-f", "vendor/deep"]);
    whole(&world, "a.txt");
}

/// A submodule that stands at another commit than the index has is the user's own change, and stays.
#[test]
fn a_submodule_that_moved() {
    let world = World::new();
    let other = World::new();
    let url = other.root.to_str().unwrap();
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    world.commit_all("submodule");
    let sub = world.root.join("sub");
    let who = ["-c", "user.name=u", "-c", "user.email=u@example.com"];
    world.git_in(&sub, &[&who[..], &["commit", "-q", "--allow-empty", "-m", "on"]].concat());
    let before = judge(&world);
    let told = delegated(&world, "a.txt");
    told.land(&[]);
    let after = judge(&world);
    let entry = |it: &Vec<String>| it.iter().find(|it| it.ends_with("\tsub")).cloned();
    assert_eq!(entry(&after.index), entry(&before.index));
    assert_eq!(world.git(&["diff", "--name-only"]), "sub");
    assert_eq!(world.git(&["diff", "HEAD~", "HEAD", "--name-only"]), "a.txt");
}

/// What an agent puts where a submodule is can't be part of a change; it is kept beside.
#[test]
fn slots_move_across_submodules() {
    let world = World::new();
    let first = team::CommitId(world.git(&["rev-parse", "HEAD"]));
    let other = World::new();
    let url = other.root.to_str().unwrap();
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    let second = team::CommitId(world.commit_all("submodule"));
    let git = world.open();
    let slot = git.slot("e1", &second).unwrap();
    std::fs::write(slot.dir.join("sub/written.txt"), "by an agent\n").unwrap();
    let head = git.commit(&slot, team::RunId(4), team::Role::Engineer, "x").unwrap();
    assert_eq!(head, second, "nothing of it is in a commit");
    for at in [&first, &second, &first] {
        let slot = git.slot("e1", at).unwrap();
        assert_eq!(git.tree_of(&slot).unwrap(), git.tree(at).unwrap());
        assert_eq!(slot.dir.join("sub").exists(), at == &second);
    }
    let kept = std::fs::read_to_string(world.state.join("left/e1-0/written.txt")).unwrap();
    assert_eq!(kept, "by an agent\n");
}

/// Stands for a filter as LFS has it: the blob is a pointer, the file is something else.
fn with_filter() -> World {
    let world = World::new();
    world.git(&["config", "filter.lfs.clean", "sed s/^BIG:/pointer:/"]);
    world.git(&["config", "filter.lfs.smudge", "sed s/^pointer:/BIG:/"]);
    world.git(&["config", "filter.lfs.required", "true"]);
    world.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    world.write("data/x.bin", "BIG:1\n");
    world.write("y.bin", "BIG:2\n");
    world.commit_all("filtered");
    assert_eq!(world.git(&["show", "HEAD:y.bin"]), "pointer:2");
    world
}

#[test]
fn filtered_files_that_nobody_touches() {
    let world = with_filter();
    whole(&world, "a.txt");
    assert_eq!(world.read("y.bin"), "BIG:2\n");
    assert_eq!(world.git(&["cat-file", "-p", "HEAD:y.bin"]), "pointer:2");
}

/// The file was touched, its content is what the pointer means: only the filter could tell.
#[test]
fn filtered_files_of_the_users_own_stay_out() {
    let world = with_filter();
    world.write("y.bin", "BIG:mine\n");
    world.write("new.bin", "BIG:new\n");
    let told = delegated(&world, "a.txt");
    let why = "stored through filter=lfs: not as you see it, but as last committed or staged";
    assert_eq!(told.base.left_out[1], format!("y.bin: {why}"));
    assert_eq!(told.base.left_out[0], "new.bin: stored through filter=lfs, and new");
    assert_eq!(std::fs::read_to_string(told.slot.dir.join("y.bin")).unwrap(), "pointer:2\n");
    told.land(&[]);
    assert_eq!(world.read("y.bin"), "BIG:mine\n");
    assert_eq!(world.status(), " M y.bin\n?? new.bin");
}

#[test]
fn a_change_of_a_filtered_file_is_refused_by_name() {
    let world = with_filter();
    let told = world.delegate(&[], |slot| {
        std::fs::write(slot.join("y.bin"), "pointer:3\n").unwrap();
        std::fs::remove_file(slot.join("data/x.bin")).unwrap();
    });
    let facts = told.git.facts(&told.base, &told.head, &[]).unwrap();
    let why = "stored through a filter";
    assert_eq!(facts.protected, [format!("data/x.bin ({why})"), format!("y.bin ({why})")]);
    let before = judge(&world);
    let refused = told.refused_plan(&told.candidate(), &[]);
    assert!(refused.contains("`y.bin` is stored through filter=lfs"), "{refused}");
    assert!(refused.contains("`data/x.bin` is stored through filter=lfs"), "{refused}");
    assert_eq!(judge(&world), before);
}

#[test]
fn symlinks_also_to_outside() {
    let world = World::new();
    symlink("a.txt", world.root.join("inside")).unwrap();
    symlink("/etc/passwd", world.root.join("outside")).unwrap();
    symlink("../..", world.root.join("src/up")).unwrap();
    symlink("loop", world.root.join("loop")).unwrap();
    world.commit_all("links");
    symlink("/nowhere", world.root.join("untracked")).unwrap();
    whole(&world, "a.txt");
}

#[test]
fn line_endings_of_every_kind() {
    let crlf = TEXT.replace('\n', "\r\n");
    let mixed = format!("{TEXT}{crlf}");
    for (autocrlf, attributes) in [
        ("false", ""),
        ("true", ""),
        ("input", ""),
        ("true", "* text=auto\n"),
        ("false", "* text=auto\n"),
        ("false", "* text=auto eol=crlf\n"),
        ("true", "* text=auto eol=lf\n"),
        ("true", "*.txt -text\n"),
        ("false", "*.txt text\n"),
        ("input", "*.txt text eol=crlf\n"),
    ] {
        let world = World::empty();
        // The blobs are as somebody without any of this committed them.
        for (path, text) in [("a.txt", TEXT), ("b.txt", &crlf), ("c.txt", &mixed)] {
            world.write(path, text);
        }
        world.commit_all("start");
        if !attributes.is_empty() {
            world.write(".gitattributes", attributes);
            world.git(&["add", ".gitattributes"]);
            world.git(&["commit", "-q", "-m", "attributes"]);
        }
        world.git(&["config", "core.autocrlf", autocrlf]);
        std::fs::remove_file(world.root.join(".git/index")).unwrap();
        world.git(&["reset", "-q", "--hard"]);
        println!("autocrlf={autocrlf} {attributes:?}");
        whole(&world, "a.txt");
        // What is on disk is what git itself would have written.
        let told = delegated(&world, "a.txt");
        told.land(&[]);
        let ours = world.read("a.txt");
        std::fs::remove_file(world.root.join("a.txt")).unwrap();
        world.git(&["checkout", "-q", "--", "a.txt"]);
        assert_eq!(world.read("a.txt"), ours);
    }
}

#[test]
fn odd_names() {
    let world = World::new();
    let mut names: Vec<Vec<u8>> = [
        "new\nline",
        "quote\"s",
        "back\\slash",
        "trailing ",
        " leading",
        "-dash",
        "\u{1f600}",
        "gr\u{f6}\u{df}e",
        "gro\u{308}\u{df}e",
        "tab\there",
        "a:b",
        "*?[]",
        "CON",
        "x~1",
        "dir with space/in ner",
    ]
    .iter()
    .map(|it| it.as_bytes().to_vec())
    .collect();
    names.push(b"not-utf8-\xff\xfe".to_vec());
    for name in &names {
        let path = world.root.join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, TEXT).unwrap();
    }
    world.commit_all("odd");
    whole(&world, "a.txt");
    for name in ["quote\"s", "trailing ", " leading", "-dash", "gro\u{308}\u{df}e", "*?[]"] {
        println!("{name:?}");
        whole(&world, name);
    }
}

#[test]
fn names_that_collide_elsewhere() {
    let world = World::new();
    world.write("gr\u{f6}\u{df}e.txt", TEXT);
    world.commit_all("composed");
    let told = world.delegate(&[], |slot| {
        std::fs::write(slot.join("A.TXT"), TEXT).unwrap();
        std::fs::write(slot.join("gro\u{308}\u{df}e.txt"), TEXT).unwrap();
        std::fs::write(slot.join("GR\u{d6}SSE.txt"), TEXT).unwrap();
    });
    // Each needs a tick of its own.
    assert_eq!(told.candidate().acts, ["A.TXT", "gro\u{308}\u{df}e.txt"]);
}

#[test]
fn detached() {
    let world = World::new();
    world.git(&["checkout", "-q", "--detach"]);
    let before = judge(&world);
    let told = delegated(&world, "a.txt");
    let (candidate, _) = told.land(&[]);
    let name = "refs/heads/baton/T17-fix-it";
    let mut after = judge(&world);
    assert_eq!(world.git(&["rev-parse", name]), candidate.commit.0);
    after.refs = after.refs.replace(&format!("{name} {}", candidate.commit.0), "");
    assert_eq!(after, before);
}

#[test]
fn shallow() {
    let world = World::new();
    for n in 0..4 {
        world.write("b.txt", &format!("{n}\n"));
        world.commit_all("more");
    }
    let shallow = world.beside("shallow");
    let url = format!("file://{}", world.root.display());
    world.git(&["clone", "-q", "--depth=2", &url, shallow.to_str().unwrap()]);
    let shallow = world.moved_to(&shallow);
    assert_eq!(shallow.git(&["rev-list", "--count", "HEAD"]), "2");
    whole(&shallow, "a.txt");
    let told = delegated(&shallow, "a.txt");
    // History ends in the slot where it ends for the user.
    assert_eq!(shallow.git_in(&told.slot.dir, &["rev-list", "--count", "HEAD"]), "3");
    shallow.git(&["fetch", "-q", "--unshallow"]);
    let told = delegated(&shallow, "a.txt");
    assert_eq!(shallow.git_in(&told.slot.dir, &["rev-list", "--count", "HEAD"]), "6");
    // The tip's parent is beyond the border.
    let one = world.beside("one");
    world.git(&["clone", "-q", "--depth=1", &url, one.to_str().unwrap()]);
    whole(&world.moved_to(&one), "a.txt");
}

#[test]
fn alternates_of_the_users_own() {
    let world = World::new();
    let borrower = world.beside("borrower");
    world.git(&["clone", "-q", "--shared", ".", borrower.to_str().unwrap()]);
    let borrower = world.moved_to(&borrower);
    whole(&borrower, "a.txt");
    std::fs::write(
        borrower.root.join(".git/objects/info/alternates"),
        "../../../work/.git/objects\n",
    )
    .unwrap();
    whole(&borrower, "b.txt");
}

#[test]
fn a_worktree_named_in_the_configuration() {
    let world = World::new();
    world.git(&["config", "core.worktree", world.root.to_str().unwrap()]);
    whole(&world, "a.txt");
    world.git(&["config", "core.worktree", ".."]);
    whole(&world, "a.txt");
}

#[test]
fn modes_that_are_not_trusted() {
    let world = World::new();
    world.git(&["config", "core.fileMode", "false"]);
    for path in ["a.txt", "b.txt"] {
        let exec = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(world.root.join(path), exec).unwrap();
    }
    world.write("b.txt", "mine\n");
    whole(&world, "a.txt");
}

#[test]
fn indexes_of_every_kind() {
    for version in ["2", "3", "4"] {
        let world = World::new();
        world.git(&["config", "index.version", version]);
        world.git(&["update-index", "--force-write-index", "--index-version", version]);
        whole(&world, "a.txt");
    }
    let world = World::new();
    world.git(&["config", "core.untrackedCache", "true"]);
    world.git(&["config", "feature.manyFiles", "true"]);
    world.git(&["update-index", "--untracked-cache"]);
    whole(&world, "a.txt");
    world.write("src/untracked.txt", "new\n");
    whole(&world, "a.txt");
}

#[test]
fn grafts_and_replaced_history() {
    let world = World::new();
    world.write("b.txt", "second\n");
    let second = world.commit_all("second");
    world.write("b.txt", "third\n");
    world.commit_all("third");
    std::fs::write(world.root.join(".git/info/grafts"), format!("{second}\n")).unwrap();
    whole(&world, "a.txt");
    std::fs::remove_file(world.root.join(".git/info/grafts")).unwrap();
    // Only the parents differ: what is in a commit is what git shows.
    world.git(&["replace", "--graft", &second]);
    assert_eq!(world.git(&["rev-list", "--count", "HEAD"]), "2");
    whole(&world, "a.txt");
}

#[test]
fn configuration_of_one_worktree() {
    let world = World::new();
    world.git(&["config", "extensions.worktreeConfig", "true"]);
    world.git(&["config", "--worktree", "core.autocrlf", "true"]);
    std::fs::remove_file(world.root.join(".git/index")).unwrap();
    world.git(&["reset", "-q", "--hard"]);
    assert!(world.read("a.txt").contains("\r\n"));
    whole(&world, "a.txt");
    world.git(&["config", "extensions.preciousObjects", "true"]);
    whole(&world, "a.txt");
}

#[test]
fn several_worktrees() {
    let world = World::new();
    let (side, twin) = (world.beside("side"), world.beside("twin"));
    world.git(&["worktree", "add", "-q", "-b", "side", side.to_str().unwrap()]);
    let before = judge(&world);
    let side = world.moved_to(&side);
    whole(&side, "a.txt");
    delegated(&side, "a.txt").land(&[]);
    let mut after = judge(&world);
    after.refs.clone_from(&before.refs);
    assert_eq!(after, before, "the other worktree is not meant");
    whole(&world, "a.txt");
    // Two that have the branch: both follow, or none.
    world.git(&["worktree", "add", "-q", "-f", twin.to_str().unwrap(), "main"]);
    let twin = world.moved_to(&twin);
    let told = delegated(&world, "a.txt");
    told.land(&[]);
    for it in [&world, &twin] {
        assert_eq!(it.status(), "");
        assert_eq!(it.read("a.txt").as_bytes(), fixed(TEXT.as_bytes()));
    }
    twin.write("b.txt", "mine in the twin\n");
    whole(&world, "src/deep/c.txt");
    twin.write("b.txt", &TEXT.replace("eleven", "mine"));
    let told = delegated(&world, "b.txt");
    let (before, there) = (judge(&world), judge(&twin));
    let refused = told.refused_plan(&told.candidate(), &[]);
    assert!(refused.contains("two worktrees have the branch"), "{refused}");
    assert_eq!((judge(&world), judge(&twin)), (before, there));
}

#[test]
fn fifty_thousand_files() {
    let world = World::new();
    let mut stream = String::from("commit refs/heads/main\ncommitter u <u@example.com> 0 +0000\n");
    stream += "data 4\nmany\nfrom refs/heads/main^0\n";
    for n in 0..50_000 {
        let text = format!("file {n}\n");
        let (a, b) = (n % 100, n / 1000);
        stream += &format!("M 644 inline many/{a}/{b}/f{n}.txt\ndata {}\n{text}", text.len());
    }
    world.feed(&["fast-import", "--quiet", "--force"], stream.as_bytes());
    world.git(&["reset", "-q", "--hard"]);
    whole(&world, "a.txt");
}
