//! Reading fields.

use fields::fields;

#[test]
fn commas_separate() {
    assert_eq!(fields("a,b,c"), ["a", "b", "c"]);
}

#[test]
fn a_quoted_comma_is_text() {
    assert_eq!(fields("\"a,b\",c"), ["a,b", "c"]);
}

#[test]
fn a_field_may_be_empty() {
    assert_eq!(fields("a,,b"), ["a", "", "b"]);
}
