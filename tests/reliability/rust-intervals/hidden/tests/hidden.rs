//! Hidden.

use intervals::{covered, merge};

#[test]
fn one_inside_another() {
    assert_eq!(merge(vec![(1, 10), (2, 3)]), [(1, 10)]);
    assert_eq!(merge(vec![(0, 100), (10, 20), (30, 40)]), [(0, 100)]);
    assert_eq!(covered(vec![(0, 50), (5, 6), (49, 60)]), 60);
}

#[test]
fn touching() {
    assert_eq!(merge(vec![(1, 3), (3, 5)]), [(1, 5)]);
    assert_eq!(merge(vec![(-4, -2), (-2, 0), (1, 2)]), [(-4, 0), (1, 2)]);
}

#[test]
fn apart() {
    assert_eq!(merge(vec![(1, 3), (4, 5)]), [(1, 3), (4, 5)]);
    assert_eq!(merge(vec![]), []);
}
