//! A snapshot of a dirty tree, against looking at each file once.

use crate::forest::{Forest, M, S, XL, command, output};
use crate::measure::{Bench, median, median_of, ms, ratio};
use baton::git::{Git, find};
use std::fs;
use team::{StartFrom, TaskId};

/// At most so many times the floor, at XL.
const FLOORS_MAX: f64 = 4.0;

pub fn measure(bench: &mut Bench) {
    let sizes: &[(&str, usize)] =
        if bench.quick { &[("S", S), ("M", M)] } else { &[("M", M), ("XL", XL)] };
    for &(name, size) in sizes {
        measure_one(bench, name, size);
    }
}

fn measure_one(bench: &mut Bench, name: &str, size: usize) {
    let place = bench.memory().join(format!("snapshot-{name}"));
    let forest = Forest::grow(&place, "repository", size);
    let git = Git::open(&find(&forest.root).unwrap(), &place.join("state")).unwrap();
    let index = forest.root.join(".git/index");
    let rounds = if size == XL { 5 } else { 9 };
    let before = fs::read(&index).unwrap();

    let (mut snapshots, mut adds) = (vec![], vec![]);
    for round in 0..rounds {
        forest.soil(round);
        let task = TaskId(u32::try_from(round).unwrap() + 1);
        let take = || git.snapshot(task, "dirty", &[], StartFrom::Seen, false).unwrap();
        let (time, base) = crate::measure::timed(take);
        snapshots.push(time);

        let copy = place.join("index");
        let env = |args: &[&str]| {
            let mut command = command(&forest.root, args);
            command.env("GIT_INDEX_FILE", &copy);
            output(command)
        };
        adds.push(ms(|| {
            fs::copy(&index, &copy).unwrap();
            env(&["add", "-A"]);
        }));
        assert_eq!(base.seen_tree.0, env(&["write-tree"]), "git sees another tree");
    }
    assert!(before == fs::read(&index).unwrap(), "the user's index was written");
    let floor = median_of(rounds, |_| forest.look_at_all());

    let (snapshot, add) = (median(snapshots), median(adds));
    bench.say(&format!("{name} lstat of all {size} files"), floor, "floor");
    bench.say(&format!("{name} git add -A into a copied index"), add, &ratio(add / floor));
    bench.say(&format!("{name} snapshot, 15 changes"), snapshot, &ratio(snapshot / floor));
    let figure = ratio(snapshot / floor);
    let text = format!("P2 {name}: snapshot {figure} of lstat-all, the user's index untouched");
    if size == XL {
        bench.goal(&format!("{text} (at most {FLOORS_MAX}x)"), snapshot <= FLOORS_MAX * floor);
    } else {
        println!("  {text}, the tree equals git's");
    }
    fs::remove_dir_all(place).unwrap();
}
