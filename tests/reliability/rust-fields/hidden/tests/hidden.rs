//! Hidden.

use fields::fields;

#[test]
fn doubled() {
    assert_eq!(fields("\"say \"\"hi\"\"\",x"), ["say \"hi\"", "x"]);
    assert_eq!(fields("\"\"\"\""), ["\""]);
    assert_eq!(fields("\"a\"\",b\",c"), ["a\",b", "c"]);
}

#[test]
fn empty_quotes() {
    assert_eq!(fields("\"\",x"), ["", "x"]);
    assert_eq!(fields(""), [""]);
}
