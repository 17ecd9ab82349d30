//! Hidden.

use std::cmp::Ordering;
use versions::{compare, newest};

#[test]
fn by_number() {
    assert_eq!(compare("1.10", "1.9"), Ordering::Greater);
    assert_eq!(compare("2.0.9", "2.0.10"), Ordering::Less);
    assert_eq!(compare("100.0", "20.0"), Ordering::Greater);
    assert_eq!(newest(&["0.9.0", "0.10.0", "0.2.0"]), Some("0.10.0"));
}

#[test]
fn leading_noughts_and_lengths() {
    assert_eq!(compare("1.02", "1.2"), Ordering::Equal);
    assert_eq!(compare("1.2.1", "1.2"), Ordering::Greater);
    assert_eq!(compare("1", "1.0.1"), Ordering::Less);
}
