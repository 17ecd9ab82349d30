//! Version numbers like `1.10.2`.

use std::cmp::Ordering;

/// Compares two versions. A part that is missing counts as nought.
pub fn compare(a: &str, b: &str) -> Ordering {
    let mut left = a.split('.');
    let mut right = b.split('.');
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => {
                let (x, y) = (x.unwrap_or("0"), y.unwrap_or("0"));
                let order = x.cmp(y);
                if order != Ordering::Equal {
                    return order;
                }
            }
        }
    }
}

/// The newest of these versions.
pub fn newest<'a>(all: &[&'a str]) -> Option<&'a str> {
    all.iter().copied().max_by(|a, b| compare(a, b))
}
