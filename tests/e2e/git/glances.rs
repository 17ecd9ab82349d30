//! Only what may have changed is looked at: the tree is still the one that git makes of all files,
//! whatever happened to them and however quickly.

use super::world::{TASK, World};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use team::{CommitId, RunId, StartFrom, TreeId};

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, max: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % max
    }

    fn letter(&mut self) -> String {
        char::from(b'a' + u8::try_from(self.below(26)).unwrap()).to_string()
    }
}

/// The files and folders below, links among the files; nothing of git's.
fn below(root: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut files, mut folders) = (vec![], vec![root.to_path_buf()]);
    let mut at = 0;
    while at < folders.len() {
        let mut entries: Vec<_> =
            fs::read_dir(&folders[at]).unwrap().map(|it| it.unwrap().path()).collect();
        entries.sort();
        for path in entries.into_iter().filter(|it| !it.ends_with(".git")) {
            let is_dir = path.symlink_metadata().unwrap().is_dir();
            if is_dir { folders.push(path) } else { files.push(path) }
        }
        at += 1;
    }
    (files, folders)
}

fn happen(dice: &mut Dice, root: &Path) {
    let (files, folders) = below(root);
    let folder = &folders[dice.below(folders.len())];
    let file = files.get(dice.below(files.len().max(1)));
    let name = format!("{}{}", ["new", "x.", "a-", "src"][dice.below(4)], dice.letter());
    let text = format!("{}\n", dice.letter().repeat(8));
    match (dice.below(12), file) {
        // As long as before, and maybe within the same tick of the clock.
        (0 | 1, Some(file)) if file.is_file() => fs::write(file, text).unwrap(),
        (2, Some(file)) => fs::remove_file(file).unwrap(),
        (3, Some(file)) => {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
            fs::write(file.join("inner"), text).unwrap();
        }
        (4, _) if folder != root => {
            fs::remove_dir_all(folder).unwrap();
            if dice.below(2) == 0 {
                fs::write(folder, text).unwrap();
            }
        }
        (5, Some(file)) if file.is_file() => {
            let mode = [0o644, 0o755][dice.below(2)];
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
        (6, Some(file)) => {
            fs::remove_file(file).unwrap();
            std::os::unix::fs::symlink(["nowhere", "..", "/"][dice.below(3)], file).unwrap();
        }
        (7, _) => {
            let rules = ["new*\n", "*.a\nsrc*/\n", "", "!new*\n", "/*\n!/x.*\n"];
            let _ = fs::remove_dir(folder.join(".gitignore"));
            let _ = fs::remove_file(folder.join(".gitignore"));
            let _ = fs::write(folder.join(".gitignore"), rules[dice.below(5)]);
        }
        (8, Some(file)) if file.is_file() => {
            let same = fs::read(file).unwrap();
            fs::write(file, same).unwrap();
        }
        (9, _) => drop(fs::create_dir(folder.join(name))),
        (_, _) => {
            let path = folder.join(name);
            if !path.is_dir() {
                let _ = fs::remove_file(&path);
                fs::write(path, text).unwrap();
            }
        }
    }
}

/// What git makes of the files when it looks at each of them, having known `before`.
fn by_git(world: &World, dir: &Path, before: &str) -> TreeId {
    let index = world.beside("plain-index");
    let _ = fs::remove_file(&index);
    let run = |args: &[&str]| {
        let output = world.command(dir, args).env("GIT_INDEX_FILE", &index).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    };
    run(&["read-tree", before]);
    run(&["add", "-A", "."]);
    TreeId(run(&["write-tree"]))
}

fn world(files: usize) -> World {
    let world = World::new();
    for n in 0..files {
        world.write(&format!("part{}/area{}/file{n}", n % 3, n % 40), "aaaaaaaa\n");
    }
    world.commit_all("more");
    world
}

#[test]
fn a_slot_is_saved_as_git_would_add_it() {
    // With more than a thousand files a second thread looks too.
    for (seed, files, rounds) in [(1, 1, 60), (2, 12, 60), (3, 12, 60), (4, 1_300, 30)] {
        let world = world(files);
        let git = world.open();
        let start = CommitId(world.git(&["rev-parse", "HEAD"]));
        let slot = git.slot("e1", &start).unwrap();
        let (mut dice, mut last) = (Dice(seed), git.tree(&start).unwrap());
        for round in 0..rounds {
            for _ in 0..dice.below(4) {
                happen(&mut dice, &slot.dir);
            }
            let expected = by_git(&world, &slot.dir, &last.0);
            last = git.save(&slot, RunId(1)).unwrap();
            assert_eq!(last, expected, "seed {seed}, round {round}");
            if dice.below(8) == 0 {
                git.restore(&slot, &last).unwrap();
                assert_eq!(git.stands(&slot).unwrap().0, last, "seed {seed}, round {round}");
            }
        }
        world.store(&["fsck", "--strict"]);
        git.slot("e1", &start).unwrap();
        assert_eq!(git.stands(&slot).unwrap(), (git.tree(&start).unwrap(), Some(start)));
    }
}

#[test]
fn a_snapshot_is_what_git_would_add() {
    for (seed, files, rounds) in [(5, 12, 50), (6, 1_300, 20)] {
        let world = world(files);
        let git = world.open();
        let mut dice = Dice(seed);
        for round in 0..rounds {
            for _ in 0..dice.below(4) {
                happen(&mut dice, &world.root);
            }
            if dice.below(4) == 0 {
                world.git(&["add", "-A"]);
            }
            let staged = world.git(&["write-tree"]);
            let index = fs::read(world.root.join(".git/index")).unwrap();
            let expected = by_git(&world, &world.root, &staged);
            let base = git.snapshot(TASK, "glance", &[], StartFrom::Seen, false).unwrap();
            assert_eq!(base.left_out, Vec::<String>::new(), "seed {seed}, round {round}");
            assert_eq!(base.seen_tree, expected, "seed {seed}, round {round}");
            assert_eq!(fs::read(world.root.join(".git/index")).unwrap(), index);
        }
    }
}
