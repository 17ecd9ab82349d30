//! Joins bookings of a room that overlap or touch.

/// Minutes of the day, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    pub start: u32,
    pub end: u32,
}

/// When the room is taken: sorted, without overlaps.
pub fn taken(bookings: &[Booking]) -> Vec<Booking> {
    let mut sorted = bookings.to_vec();
    sorted.sort_by_key(|it| it.start);
    let mut joined: Vec<Booking> = Vec::new();
    for booking in sorted {
        match joined.last_mut() {
            Some(last) if booking.start <= last.end => last.end = booking.end,
            _ => joined.push(booking),
        }
    }
    joined
}

/// Whether the room is free at this minute.
pub fn is_free(bookings: &[Booking], minute: u32) -> bool {
    taken(bookings)
        .iter()
        .all(|it| minute < it.start || it.end <= minute)
}
