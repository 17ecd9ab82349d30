//! What a whole task costs in words: the bytes of all requests that a task made, of all roles. The same
//! task is a story of the end-to-end tests, where the goals are assertions.

#[path = "../e2e/words/count.rs"]
mod count;

use crate::forest::{S, git};
use crate::measure::Bench;
use crate::world::World;
use count::{Counted, FIRST_BYTES_MAX, FRESH_MAX, KEPT_BYTES_MAX, LOUD, SENT_BYTES_MAX};
use std::fs;

pub fn measure(bench: &mut Bench) {
    let place = bench.disk().join("words");
    let calls = count::calls("numbers.txt", LOUD);
    let calls: Vec<(&str, &str)> = calls.iter().map(|it| (it.0, it.1.as_str())).collect();
    let world = World::new(&place, S, &calls);
    for (path, text) in count::sources() {
        let path = world.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(&world.root, &["add", "-A"]);
    git(&world.root, &["commit", "-q", "-m", "more"]);
    let bodies = world.play().bodies;
    let counted = Counted::of(&bodies);
    for (who, bytes) in &counted.runs {
        let (sent, first) = (bytes.iter().sum::<usize>(), bytes[0]);
        let text = format!("{sent} bytes in {} requests, the first {first}", bytes.len());
        bench.say_plain(who, &text);
    }
    let (sent, first, kept) = (counted.sent(), counted.first(), count::kept(&bodies).len());
    let fresh = counted.fresh;
    bench.say_plain(
        "with the marks of the cache, fresh",
        &format!("{:.3}", counted.fresh_with_marks),
    );
    let goal = |what: &str, is: usize, max: usize| {
        (format!("P6: {what} {is} bytes (at most {max})"), is <= max)
    };
    for (text, is_met) in [
        goal("the whole task, all roles,", sent, SENT_BYTES_MAX),
        goal("the longest first request", first, FIRST_BYTES_MAX),
        goal("kept of 168,894 bytes", kept, KEPT_BYTES_MAX),
        (format!("P6: fresh {fresh:.3} (at most {FRESH_MAX})"), fresh <= FRESH_MAX),
    ] {
        bench.goal(&text, is_met);
    }
    drop(world);
    fs::remove_dir_all(place).unwrap();
}
