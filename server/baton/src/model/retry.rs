//! What is asked again, after how long, and what is said when it is given up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use team::{Code, Failure};

/// After the first try.
pub(super) const RETRIES_MAX: u32 = 4;
/// A longer wait than this is a matter for a person.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How long the client waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// From chunk to chunk.
    pub read: Duration,
    /// From one piece of content to the next, whatever else is sent, and until the first one on a wire
    /// without pings: a small machine reads a long question for minutes. There is no limit for
    /// a whole reply; the run has one.
    pub progress: Duration,
    /// For a server that reads its weights.
    pub loading: Duration,
    /// Before the first retry; doubles each time.
    pub backoff: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(90),
            progress: Duration::from_secs(10 * 60),
            loading: Duration::from_secs(10 * 60),
            backoff: Duration::from_secs(1),
        }
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Fault {
    /// Worth asking again.
    Again(Again),
    Final(Failure),
    /// The server refused how it was asked; asked otherwise it may answer.
    Unsuited {
        said: String,
        failure: Failure,
    },
    /// The server reads its weights and will answer when it has.
    Loading,
}

#[derive(Debug)]
pub(super) struct Again {
    /// A lower-case fragment, already safe to show.
    pub(super) why: String,
    /// As the provider asked; None: ours to choose.
    pub(super) wait: Option<Duration>,
    /// What a person can do when it never gets better.
    pub(super) hint: &'static str,
}

impl Again {
    pub(super) fn give_up(self, url: &str, tries: u32) -> Failure {
        let text = format!("no reply from {url}: {} (asked {tries} times)", self.why);
        Failure::new(Code::Model, text).hint(self.hint)
    }
}

impl Fault {
    pub(super) fn again(why: impl Into<String>, hint: &'static str) -> Fault {
        Fault::Again(Again { why: why.into(), wait: None, hint })
    }

    /// The reply came, but not whole or not as it should.
    pub(super) fn broken(why: impl Into<String>) -> Fault {
        Fault::again(why, "try again; if it stays, check what base_url in [model] points to")
    }
}

pub(super) fn stopped() -> Failure {
    Failure::new(Code::Interrupted, "stopped while waiting for the model")
}

/// The wait before retry number `retries` (from 0): doubled each time, then between half and the
/// whole of it, so that many runs do not come back in step.
pub(super) fn backoff(first: Duration, retries: u32) -> Duration {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let seed = (u64::from(std::process::id()) << 32) ^ count;
    let half = (first * 2_u32.saturating_pow(retries)).min(WAIT_MAX) / 2;
    half + half * u32::from(mix(seed)) / u32::from(u8::MAX)
}

/// One step of splitmix64, cut to eight bits.
fn mix(seed: u64) -> u8 {
    let mut it = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    it.to_be_bytes()[0]
}

/// `Retry-After`, in seconds or as a date, at most a minute. What is neither is as if it were absent.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let at = httpdate::parse_http_date(value).ok()?;
        at.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = httpdate::parse_http_date("Sun, 22 Nov 2026 10:00:00 GMT").unwrap();
        let wait = |value| retry_after(value, now).map(|it| it.as_secs());
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait(" 0 "), Some(0));
        assert_eq!(wait("3600"), Some(60));
        assert_eq!(wait("Sun, 22 Nov 2026 10:00:05 GMT"), Some(5));
        assert_eq!(wait("Sun, 22 Nov 2026 09:00:00 GMT"), Some(0));
        assert_eq!(wait("Mon, 23 Nov 2026 10:00:00 GMT"), Some(60));
        for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn the_wait_doubles_varies_and_ends_at_a_minute() {
        let first = Duration::from_secs(1);
        for retries in 0..40 {
            let whole = (first * 2_u32.saturating_pow(retries)).min(WAIT_MAX);
            for _ in 0..50 {
                let wait = backoff(first, retries);
                assert!(whole / 2 <= wait && wait <= whole, "{retries}: {wait:?}");
            }
        }
        let waits: std::collections::BTreeSet<_> = (0..50).map(|_| backoff(first, 0)).collect();
        assert!(10 < waits.len(), "{waits:?}");
    }
}
