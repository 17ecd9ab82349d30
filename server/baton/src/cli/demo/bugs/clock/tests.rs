//! How durations are shown.

use clock::{show, total};

#[test]
fn seconds_stand_alone() {
    assert_eq!(show(7), "7s");
}

#[test]
fn minutes_have_two_digits_of_seconds() {
    assert_eq!(show(4 * 60 + 5), "4:05");
}

#[test]
fn hours_come_first() {
    assert_eq!(show(2 * 3600 + 34 * 60 + 56), "2:34:56");
}

#[test]
fn a_total_is_shown_the_same_way() {
    assert_eq!(total(&[50, 20]), "1:10");
}
