//! When a room is taken.

use bookings::{Booking, is_free, taken};

fn booking(start: u32, end: u32) -> Booking {
    Booking { start, end }
}

#[test]
fn bookings_apart_stay_apart() {
    let bookings = [booking(60, 90), booking(120, 150)];
    assert_eq!(taken(&bookings), bookings);
}

#[test]
fn overlapping_bookings_are_joined() {
    let joined = taken(&[booking(60, 90), booking(80, 150)]);
    assert_eq!(joined, [booking(60, 150)]);
}

#[test]
fn touching_bookings_are_joined() {
    let joined = taken(&[booking(90, 120), booking(60, 90)]);
    assert_eq!(joined, [booking(60, 120)]);
}

#[test]
fn a_room_is_free_between_bookings() {
    assert!(is_free(&[booking(60, 90), booking(120, 150)], 100));
}
