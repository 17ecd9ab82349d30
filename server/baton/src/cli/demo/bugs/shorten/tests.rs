//! How titles are shortened.

use shorten::{row, shorten};

#[test]
fn a_short_title_stays() {
    assert_eq!(shorten("Ulysses", 10), "Ulysses");
}

#[test]
fn a_long_title_ends_in_an_ellipsis() {
    assert_eq!(shorten("War and Peace", 8), "War and…");
}

#[test]
fn no_space_before_the_ellipsis() {
    assert_eq!(shorten("War and Peace", 9), "War and…");
}

#[test]
fn a_row_is_made_of_columns() {
    assert_eq!(row(&["Emma", "Ulysses"], 6), "Emma   Ulyss…");
}
