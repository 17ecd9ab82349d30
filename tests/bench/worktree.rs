//! An isolated worktree for a task: Baton's kept slots against `git worktree add`.

use crate::forest::{self, DIFFER, Forest, M, S, XL};
use crate::measure::{Bench, median, median_of, ms, ratio};
use baton::git::{Git, find};
use std::fs;
use team::{StartFrom, TaskId};

pub fn measure(bench: &mut Bench) {
    let sizes: &[(&str, usize, f64)] = if bench.quick {
        &[("S", S, 1.0), ("M", M, 0.1)]
    } else {
        &[("M", M, 0.1), ("XL", XL, 0.05)]
    };
    for &(name, size, goal) in sizes {
        measure_one(bench, name, size, goal);
    }
}

fn measure_one(bench: &mut Bench, name: &str, size: usize, goal: f64) {
    let place = bench.memory().join(format!("worktree-{name}"));
    let grown = Forest::grow(&place, "repository", size);
    let git = Git::open(&find(&grown.root).unwrap(), &place.join("state")).unwrap();
    let (many, few) = if size == XL { (5, 2) } else { (11, 3) };

    let mut add = Vec::new();
    for n in 0..few {
        let to = place.join(format!("added{n}"));
        let to = to.to_str().unwrap();
        add.push(ms(|| {
            forest::git(&grown.root, &["worktree", "add", "-q", "--detach", to, "main"])
        }));
        fs::remove_dir_all(to).unwrap();
        forest::git(&grown.root, &["worktree", "prune"]);
    }
    let cold = median_of(few, |it| drop(git.slot(&format!("e{it}"), &grown.first).unwrap()));

    let slot = git.slot("e0", &grown.first).unwrap();
    let (mut rests, mut moves, mut stays, mut unrested) = (vec![], vec![], vec![], vec![]);
    for round in 0..many {
        let to = if round % 2 == 0 { &grown.second } else { &grown.first };
        rests.push(ms(|| git.rest(&slot).unwrap()));
        moves.push(ms(|| git.slot("e0", to).unwrap()));
        git.rest(&slot).unwrap();
        stays.push(ms(|| git.slot("e0", to).unwrap()));
        // No rest before this one, as after a kill.
        unrested.push(ms(|| git.slot("e0", to).unwrap()));
    }
    let snapshot = median_of(few, |it| {
        let task = TaskId(u32::try_from(it).unwrap() + 1);
        git.snapshot(task, "clean", &[], StartFrom::Seen, false).unwrap();
    });

    let (add, moved) = (median(add), median(moves));
    let of_add = |it: f64| format!("{} of git worktree add", ratio(it / add));
    bench.say(&format!("{name} git worktree add, {size} files"), add, "floor of peers");
    bench.say(&format!("{name} cold slot"), cold, &of_add(cold));
    bench.say(&format!("{name} kept slot, {DIFFER} files differ"), moved, &of_add(moved));
    let stays = median(stays);
    bench.say(&format!("{name} kept slot, 0 files differ"), stays, &of_add(stays));
    let unrested = median(unrested);
    bench.say(&format!("{name} kept slot not rested, 0 differ"), unrested, &of_add(unrested));
    bench.say(&format!("{name} rest, at the end of a run"), median(rests), "");
    let both = snapshot + moved;
    bench.say(&format!("{name} snapshot of a clean tree + kept slot"), both, &of_add(both));
    // What was asked for is a ready worktree after a delegation; the move alone is the part of it
    // that a pool makes cheap. Both are judged, since they come out differently.
    for (what, it) in [("the move of a kept slot", moved), ("snapshot and move", both)] {
        let text = format!("P1 {name}: {what}, {DIFFER} files differ, {}", of_add(it));
        bench.goal(&format!("{text} (at most {})", ratio(goal)), it <= goal * add);
    }
    drop(grown);
    fs::remove_dir_all(place).unwrap();
}
