//! Shows how long something took.

/// `7s`, `4:05`, `1:04:05`.
pub fn show(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes}:{rest:02}")
    } else if minutes > 0 {
        format!("{minutes}:{rest:02}")
    } else {
        format!("{rest}s")
    }
}

/// The time of all of these together.
pub fn total(seconds: &[u64]) -> String {
    show(seconds.iter().sum())
}
