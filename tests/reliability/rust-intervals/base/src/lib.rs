//! Half-open intervals of whole numbers, `start..end`.

/// Merges intervals that overlap or touch. The result is sorted.
pub fn merge(mut all: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    all.sort();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in all {
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = end,
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// How many numbers the intervals cover together.
pub fn covered(all: Vec<(i64, i64)>) -> i64 {
    merge(all).iter().map(|it| it.1 - it.0).sum()
}
