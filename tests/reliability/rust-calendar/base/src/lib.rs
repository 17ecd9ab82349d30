//! Days and months of the Gregorian calendar.

/// Whether this year has a 29th of February.
pub fn is_leap(year: u32) -> bool {
    year % 4 == 0
}

/// How many days the month (1 to 12) has.
pub fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the year, counted from 1.
pub fn day_of_year(year: u32, month: u32, day: u32) -> u32 {
    (1..month).map(|it| days(year, it)).sum::<u32>() + day
}
