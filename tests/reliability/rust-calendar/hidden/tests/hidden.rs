//! Hidden.

use calendar::{day_of_year, days, is_leap};

#[test]
fn centuries() {
    assert!(!is_leap(1900) && !is_leap(2100) && !is_leap(1700));
    assert!(is_leap(2000) && is_leap(1600) && is_leap(2400));
    assert!(is_leap(1996) && is_leap(2004) && !is_leap(2001));
}

#[test]
fn what_follows() {
    assert_eq!(days(2100, 2), 28);
    assert_eq!(day_of_year(2100, 3, 1), 60);
    assert_eq!(day_of_year(2000, 12, 31), 366);
}
