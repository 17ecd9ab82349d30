//! What the ring keeps.

use ring::Ring;

fn ring(size: usize, lines: &[&str]) -> Ring {
    let mut ring = Ring::new(size);
    for line in lines {
        ring.push(line);
    }
    ring
}

#[test]
fn keeps_all_while_there_is_room() {
    assert_eq!(ring(3, &["a", "b"]).lines(), ["a", "b"]);
}

#[test]
fn forgets_the_oldest() {
    let ring = ring(3, &["a", "b", "c", "d"]);
    assert!(!ring.lines().contains(&"a"));
    assert_eq!(ring.lines().len(), 3);
}

#[test]
fn a_full_turn_starts_over() {
    assert_eq!(ring(2, &["a", "b", "c", "d"]).lines(), ["c", "d"]);
}
