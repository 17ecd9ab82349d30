use project::first_line;

#[test]
fn the_first_of_two() {
    assert_eq!(first_line("one\ntwo"), "one");
}
