use super::*;
use crate::ids::TaskId;
use std::sync::Mutex;

/// A disk: what lies there, and which numbers were asked for.
#[derive(Default)]
struct Disk {
    rows: Vec<&'static str>,
    asked: Vec<u32>,
}

fn disk(rows: &[&'static str]) -> (Arc<Mutex<Disk>>, Kept<TaskId, &'static str>) {
    let disk = Arc::new(Mutex::new(Disk { rows: rows.to_vec(), asked: vec![] }));
    let count = u32::try_from(rows.len()).unwrap();
    let from = Arc::clone(&disk);
    let fetch = move |number: u32| {
        let mut disk = from.lock().unwrap();
        disk.asked.push(number);
        disk.rows.get(number as usize - 1).copied()
    };
    (disk, Kept::fetched(Extent { last: count, count }, Arc::new(fetch)))
}

fn asked(disk: &Mutex<Disk>) -> Vec<u32> {
    std::mem::take(&mut disk.lock().unwrap().asked)
}

#[test]
fn what_is_not_looked_at_is_not_fetched_and_nothing_is_fetched_twice() {
    let (disk, mut kept) = disk(&["a", "b", "c"]);
    assert_eq!((kept.len(), kept.last()), (3, Some(TaskId(3))));
    kept.insert(TaskId(4), Arc::new("d"));
    assert_eq!(kept.ids().map(|it| it.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(kept.changed().map(|it| it.0).collect::<Vec<_>>(), [TaskId(4)]);
    assert!(asked(&disk).is_empty());
    assert_eq!(kept.get(&TaskId(2)).map(|it| **it), Some("b"));
    assert_eq!(kept.clone().get(&TaskId(2)).map(|it| **it), Some("b"));
    assert_eq!(kept.iter().next_back().map(|it| **it.1), Some("d"));
    assert_eq!(asked(&disk), [2]);
    assert_eq!(kept.values().map(|it| **it).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(asked(&disk), [1, 3]);
    assert_eq!((kept.get(&TaskId(5)), kept.get(&TaskId(0))), (None, None));
    assert!(asked(&disk).is_empty());
}

#[test]
fn a_copy_goes_on_seeing_what_it_saw_when_the_disk_moves_on() {
    let (disk, before) = disk(&["a", "b"]);
    let mut after = before.clone();
    *Arc::make_mut(after.get_mut(&TaskId(1)).unwrap()) = "changed";
    let changed: Vec<_> = after.changed().map(|it| (it.0.0, *it.1)).collect();
    assert_eq!(changed, [(1, "changed")]);
    disk.lock().unwrap().rows[0] = "changed";
    after.settle();
    assert_eq!(after.changed().count(), 0);
    assert_eq!(before.values().map(|it| **it).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(after.values().map(|it| **it).collect::<Vec<_>>(), ["changed", "b"]);
    assert!(before != after);
}

#[test]
fn ranges_reach_over_both_parts() {
    let (_, mut kept) = disk(&["a", "b", "c"]);
    kept.insert(TaskId(4), Arc::new("d"));
    kept.insert(TaskId(2), Arc::new("B"));
    kept.insert(TaskId(6), Arc::new("f"));
    assert_eq!(kept.len(), 5);
    let text = |it: Entries<'_, TaskId, &'static str>| it.map(|it| **it.1).collect::<String>();
    assert_eq!(text(kept.iter()), "aBcdf");
    assert_eq!(text(kept.before(TaskId(4))), "aBc");
    assert_eq!(text(kept.before(TaskId(3))), "aB");
    assert_eq!(text(kept.before(TaskId(6))), "aBcd");
    assert_eq!(text(kept.before(TaskId(1))), "");
    assert_eq!(text(kept.since(TaskId(3))), "cdf");
    assert_eq!(text(kept.since(TaskId(5))), "f");
    assert_eq!(text(kept.since(TaskId(7))), "");
    assert_eq!(kept.before(TaskId(5)).rev().map(|it| **it.1).collect::<String>(), "dcBa");
}

#[test]
fn what_could_not_be_read_is_asked_for_again() {
    let (disk, kept) = disk(&["a"]);
    disk.lock().unwrap().rows.clear();
    assert_eq!(kept.get(&TaskId(1)), None);
    disk.lock().unwrap().rows.push("a");
    assert_eq!(kept.get(&TaskId(1)).map(|it| **it), Some("a"));
    assert_eq!(asked(&disk), [1, 1]);
}
