//! Leap years and what hangs on them.

use calendar::{day_of_year, days, is_leap};

#[test]
fn every_fourth_year_is_a_leap_year() {
    assert!(is_leap(2024));
    assert!(!is_leap(2023));
}

#[test]
fn february_is_short() {
    assert_eq!(days(2023, 2), 28);
}

#[test]
fn the_last_day_of_a_year() {
    assert_eq!(day_of_year(2024, 12, 31), 366);
}
