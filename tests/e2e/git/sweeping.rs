//! Clearing away deletes nothing that no ref reaches: 500 seeded trials, half of them killed in the
//! middle, with live siblings beside.

use super::world::{Digest, TEXT, World, digest, same};
use baton::git::{Git, find};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use team::{CommitId, Role, RunId, StartFrom, TaskId, TreeId};

const TRIALS: u64 = 500;
/// A new repository after so many trials.
const TRIALS_PER_WORLD: u64 = 50;
const ORDERS: &str = "BATON_TEST_SWEEP";

#[derive(Serialize, Deserialize)]
struct Orders {
    root: PathBuf,
    state: PathBuf,
    ended: BTreeSet<TaskId>,
}

/// Slots e1 and e2 are the pool.
fn is_spare(slot: &str) -> bool {
    !matches!(slot, "e1" | "e2")
}

/// By itself nothing: the process that a fail-point kills in the middle of a sweep.
#[test]
fn child() {
    let Ok(file) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let git = Git::open_as_owner(&find(&orders.root).unwrap(), &orders.state).unwrap();
    git.sweep(&is_spare, &orders.ended).unwrap();
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What an agent may have left in a slot.
fn mess(dice: &mut Dice, git: &Git, name: &str, at: &CommitId) {
    let slot = git.slot(name, at).unwrap();
    let text = |dice: &mut Dice| format!("only here {}\n", dice.below(u64::MAX >> 34));
    for _ in 0..dice.below(5) {
        let n = dice.below(4);
        let bytes = text(dice);
        let path = slot.dir.join(["a.txt", "new.txt", "src/deep/c.txt", "deep/er/x"][n as usize]);
        if std::fs::create_dir_all(path.parent().unwrap()).is_ok() {
            let _ = std::fs::write(&path, bytes);
        }
    }
    if dice.yes() {
        let _ = std::fs::remove_file(slot.dir.join("b.txt"));
    }
    if dice.below(4) == 0 {
        git.commit(&slot, RunId(dice.below(1_000) as u32), Role::Engineer, "work").unwrap();
        std::fs::write(slot.dir.join("after.txt"), text(dice)).unwrap();
    }
    if dice.below(4) == 0 {
        git.save(&slot, RunId(dice.below(1_000) as u32)).unwrap();
    }
    if dice.below(4) == 0 {
        git.rest(&slot).unwrap();
    }
    if dice.below(4) == 0 {
        let nested = slot.dir.join("nested");
        std::fs::create_dir_all(nested.join(".git/objects")).unwrap();
        std::fs::create_dir_all(nested.join(".git/refs")).unwrap();
        std::fs::write(nested.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(nested.join("inside.txt"), text(dice)).unwrap();
    }
    if dice.below(6) == 0 {
        // An ignored cache goes with its slot, what lies behind a link does not.
        std::fs::create_dir_all(slot.dir.join("target")).unwrap();
        std::fs::write(slot.dir.join("target/cache"), "built").unwrap();
        let _ = symlink("../../../work", slot.dir.join("target/link"));
    }
    match dice.below(12) {
        0 => std::fs::write(slot.dir.join(".git"), "gitdir: /elsewhere\n").unwrap(),
        1 if is_spare(name) => {
            // A pipe can't be read, so the slot can't be saved.
            let made = Command::new("mkfifo").arg(slot.dir.join(".gitignore.new")).status();
            assert!(made.unwrap().success());
            std::fs::rename(slot.dir.join(".gitignore.new"), slot.dir.join(".gitignore")).unwrap();
        }
        _ => {}
    }
}

/// The content of every file that git does not ignore: what must not be lost.
fn contents(dir: &Path) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return found };
    for entry in entries.map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !matches!(entry.file_name().to_str(), Some("target")) {
            found.extend(contents(&entry.path()));
        } else if kind.is_file() && entry.file_name() != ".git" {
            found.insert(std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// What a ref of the store reaches, as git says.
fn reachable(world: &World, wanted: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let all = world.store(&["rev-list", "--objects", "--all"]);
    let ids: BTreeSet<&str> = all.lines().filter_map(|it| it.split(' ').next()).collect();
    let id = |it: &Vec<u8>| git2::Oid::hash_object(git2::ObjectType::Blob, it).unwrap().to_string();
    wanted.iter().filter(|it| ids.contains(id(it).as_str())).cloned().collect()
}

fn run_child(world: &World, ended: &BTreeSet<TaskId>, at: u64) {
    let file = world.base_dir().join("sweep.json");
    let orders =
        Orders { root: world.root.clone(), state: world.state.clone(), ended: ended.clone() };
    std::fs::write(&file, serde_json::to_vec(&orders).unwrap()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "git::sweeping::child", "--quiet"]);
    command.env(ORDERS, file).env("BATON_FAIL_AT", at.to_string());
    command.stdout(std::process::Stdio::null()).status().unwrap();
}

fn trial(world: &World, git: &Git, seed: u64) {
    let mut dice = Dice(seed);
    let base = CommitId(world.git(&["rev-parse", "HEAD"]));
    let spares: Vec<String> = (3..4 + dice.below(3)).map(|n| format!("e{n}")).collect();
    for name in spares.iter().map(String::as_str).chain(["e1", "e2"]) {
        mess(&mut dice, git, name, &base);
    }
    let state = &world.state;
    let before = [contents(&state.join("slots")), contents(&state.join("left"))].concat_all();
    let live = ["e1", "e2"].map(|it| digest(&state.join("slots").join(it)));
    let yours = world.digest();
    let lost: Vec<&String> = spares.iter().filter(|it| !is_whole(state, it)).collect();
    if dice.yes() {
        run_child(world, &BTreeSet::new(), 1 + dice.below(3 * spares.len() as u64 + 1));
        let kept = kept(world, &before);
        assert_eq!(kept, before, "seed {seed}: lost after the kill");
    }
    git.sweep(&is_spare, &BTreeSet::new()).unwrap();
    assert_eq!(kept(world, &before), before, "seed {seed}: lost");
    for (name, digest_before) in ["e1", "e2"].iter().zip(&live) {
        same(digest_before, &digest(&state.join("slots").join(name)));
    }
    same(&yours, &world.digest());
    for name in &spares {
        let is_there = state.join("slots").join(name).exists();
        assert_eq!(is_there, lost.contains(&name), "seed {seed}: {name}");
    }
    assert_eq!(std::fs::read_dir(state.join("trash")).map_or(0, Iterator::count), 0);
    // What was swapped is not touched; the next trial shall find a free name.
    for name in lost {
        std::fs::remove_dir_all(state.join("slots").join(name)).unwrap();
    }
}

fn is_whole(state: &Path, name: &str) -> bool {
    let pointer = std::fs::read_to_string(state.join("slots").join(name).join(".git")).unwrap();
    !pointer.contains("elsewhere")
}

/// What of it is still on disk, or on a ref.
fn kept(world: &World, before: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let state = &world.state;
    let mut found = [contents(&state.join("slots")), contents(&state.join("left"))].concat_all();
    found.retain(|it| before.contains(it));
    let rest = before.difference(&found).cloned().collect();
    found.extend(reachable(world, &rest));
    found
}

trait ConcatAll {
    fn concat_all(self) -> BTreeSet<Vec<u8>>;
}

impl<const N: usize> ConcatAll for [BTreeSet<Vec<u8>>; N] {
    fn concat_all(self) -> BTreeSet<Vec<u8>> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn nothing_that_no_ref_reaches_is_deleted() {
    let first = u64::from(std::process::id());
    println!("{TRIALS} trials from seed {first}");
    let worlds = 0..TRIALS / TRIALS_PER_WORLD;
    std::thread::scope(|scope| {
        for half in 0..2 {
            let mine: Vec<u64> = worlds.clone().filter(|it| it % 2 == half).collect();
            scope.spawn(move || {
                for n in mine {
                    let world = World::new();
                    world.write(".gitignore", "target/\n");
                    world.commit_all("ignore");
                    let git = world.open();
                    for k in 0..TRIALS_PER_WORLD {
                        trial(&world, &git, first + n * TRIALS_PER_WORLD + k);
                    }
                }
            });
        }
    });
}

#[test]
fn bases_that_a_branch_reaches_are_let_go() {
    let world = World::new();
    let git = world.open();
    let snap = |task: u32| {
        git.snapshot(TaskId(task), "", &[], StartFrom::Seen, false).unwrap();
    };
    snap(1);
    world.write("a.txt", "on\n");
    world.commit_all("on");
    snap(2);
    world.git(&["commit", "-q", "--amend", "-m", "amended"]);
    snap(3);
    world.git(&["commit", "-q", "--allow-empty", "-m", "further"]);
    snap(4);
    world.git(&["update-ref", "refs/baton/keep/other", "HEAD"]);
    world.git(&["pack-refs", "--all"]);
    let before = world.digest();
    let ended: BTreeSet<TaskId> = [1, 2, 3].map(TaskId).into();
    let swept = git.sweep(&is_spare, &ended).unwrap();
    // The base of T2 was amended away: only the ref has it. T4 is still open.
    assert_eq!(swept.bases, [TaskId(1), TaskId(3)]);
    let left = world.git(&["for-each-ref", "--format=%(refname)", "refs/baton"]);
    assert_eq!(left, "refs/baton/keep/T2\nrefs/baton/keep/T4\nrefs/baton/keep/other");
    let mut after = world.digest();
    let packed = |it: &mut Digest| it.remove(".git/packed-refs").unwrap();
    let mut before = before;
    assert_ne!(packed(&mut before), packed(&mut after));
    same(&before, &after);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "-q", "--prune=now"]);
    git.tree(&CommitId(world.git(&["rev-parse", "refs/baton/keep/T2"]))).unwrap();
    assert_eq!(git.sweep(&is_spare, &ended).unwrap().bases, []);
}

#[test]
fn disk_use_by_part() {
    let world = World::new();
    let git = world.open();
    let head = CommitId(world.git(&["rev-parse", "HEAD"]));
    let slot = git.slot("e7", &head).unwrap();
    std::fs::write(slot.dir.join("big"), vec![1; 1 << 20]).unwrap();
    let sizes: BTreeMap<_, _> = git.disk_use().into_iter().map(|it| (it.what, it.bytes)).collect();
    assert!((1 << 20) < sizes["slots"], "{sizes:?}");
    assert!(0 < sizes["git store"], "{sizes:?}");
    git.sweep(&is_spare, &BTreeSet::new()).unwrap();
    assert!(!git.disk_use().iter().any(|it| it.what == "to be deleted"));
    let saved = world.store(&["cat-file", "-s", "refs/baton/left/e7/1:big"]);
    assert_eq!(saved, (1 << 20).to_string());
    assert!(!slot.dir.exists());
    // Asked for again, it is made again.
    let slot = git.slot("e7", &head).unwrap();
    assert_eq!(git.tree_of(&slot).unwrap(), TreeId(world.git(&["rev-parse", "HEAD^{tree}"])));
    assert_eq!(std::fs::read_to_string(slot.dir.join("a.txt")).unwrap(), TEXT);
}
