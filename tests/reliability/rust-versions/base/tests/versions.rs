//! Comparing versions.

use std::cmp::Ordering;
use versions::{compare, newest};

#[test]
fn equal_versions_are_equal() {
    assert_eq!(compare("1.2.3", "1.2.3"), Ordering::Equal);
}

#[test]
fn the_first_difference_decides() {
    assert_eq!(compare("1.3.0", "1.2.9"), Ordering::Greater);
}

#[test]
fn a_missing_part_is_nought() {
    assert_eq!(compare("1.2", "1.2.0"), Ordering::Equal);
}

#[test]
fn the_newest_is_found() {
    assert_eq!(newest(&["1.0", "1.2", "1.1"]), Some("1.2"));
}
