//! Merging intervals.

use intervals::{covered, merge};

#[test]
fn intervals_apart_stay_apart() {
    assert_eq!(merge(vec![(5, 7), (1, 3)]), [(1, 3), (5, 7)]);
}

#[test]
fn overlapping_intervals_become_one() {
    assert_eq!(merge(vec![(1, 4), (2, 6)]), [(1, 6)]);
}

#[test]
fn what_is_covered_is_counted_once() {
    assert_eq!(covered(vec![(0, 5), (3, 8)]), 8);
}
