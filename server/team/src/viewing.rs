//! How much of a person's time a task takes: measured from what editors and the command line tell of
//! a review, never guessed. What nobody told of counts as nothing.

use crate::ids::Millis;
use serde::{Deserialize, Serialize};

/// A pause longer than this is no work on the task: the rest of it isn't counted.
pub const IDLE_MS_MAX: Millis = 2 * 60 * 1000;
/// Signs of work that come closer together than this say nothing new and are not written down.
const WORKING_MS_MIN: Millis = 20 * 1000;
/// Signs that are kept of one task; further ones are not written down.
const SIGNS_MAX: u32 = 2_000;

/// What a client tells of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// It is before the person.
    Opened,
    /// The person did something in it.
    Working,
    /// It is no longer before the person.
    Closed,
}

/// A person's measured time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewing {
    pub ms: Millis,
    /// How often a review was opened.
    pub views: u32,
    /// All signs so far.
    pub signs: u32,
    /// The last sign of a review that was not closed.
    pub since: Option<Millis>,
}

impl Viewing {
    /// Takes a sign down and returns how many milliseconds it adds: those since the last one, without
    /// a long pause. A review that is opened while it is open was left without a word: its time ended
    /// at its last sign.
    pub(crate) fn note(&mut self, sign: Sign, at: Millis) -> Millis {
        let added = match (self.since, sign) {
            (Some(since), Sign::Working | Sign::Closed) => {
                at.saturating_sub(since).min(IDLE_MS_MAX)
            }
            (Some(_), Sign::Opened) | (None, _) => 0,
        };
        self.signs = self.signs.saturating_add(1);
        // Work in a review that nobody opened: it was open all the same.
        let is_new = match sign {
            Sign::Opened => true,
            Sign::Working => self.since.is_none(),
            Sign::Closed => false,
        };
        self.views = self.views.saturating_add(u32::from(is_new));
        self.ms = self.ms.saturating_add(added);
        self.since = match sign {
            Sign::Opened | Sign::Working => Some(at.max(self.since.unwrap_or(0))),
            Sign::Closed => None,
        };
        added
    }

    /// Whether a sign is worth writing down.
    pub(crate) fn tells(&self, sign: Sign, at: Millis) -> bool {
        let is_fresh = self.since.is_some_and(|it| at < it.saturating_add(WORKING_MS_MIN));
        let says_more = match sign {
            Sign::Opened | Sign::Working => !is_fresh,
            Sign::Closed => self.since.is_some(),
        };
        says_more && self.signs < SIGNS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Sign::{Closed, Opened, Working};

    fn measured(signs: &[(Sign, Millis)]) -> Viewing {
        let mut it = Viewing::default();
        for (sign, at) in signs {
            it.note(*sign, *at);
        }
        it
    }

    #[test]
    fn time_between_signs_counts_without_long_pauses() {
        let it = measured(&[(Opened, 1_000), (Working, 31_000), (Closed, 41_000)]);
        assert_eq!((it.ms, it.views, it.since), (40_000, 1, None));
        let it = measured(&[(Opened, 0), (Working, 3_600_000), (Closed, 3_601_000)]);
        assert_eq!(it.ms, IDLE_MS_MAX + 1_000);
    }

    #[test]
    fn a_client_that_vanishes_counts_to_its_last_sign() {
        let it = measured(&[(Opened, 0), (Working, 30_000)]);
        assert_eq!(it.ms, 30_000);
        let it = measured(&[(Opened, 0), (Working, 30_000), (Opened, 90_000), (Closed, 95_000)]);
        assert_eq!((it.ms, it.views), (35_000, 2));
    }

    #[test]
    fn two_windows_at_once_are_one_person() {
        let signs = [(Opened, 0), (Working, 30_000), (Working, 50_000), (Closed, 60_000)];
        assert_eq!(measured(&signs).ms, 60_000);
        // The second window's time goes on with its next sign.
        let it = measured(&[(Opened, 0), (Closed, 10_000), (Working, 20_000), (Closed, 30_000)]);
        assert_eq!((it.ms, it.views), (20_000, 2));
    }

    #[test]
    fn a_clock_that_goes_back_takes_nothing_away() {
        let it = measured(&[(Opened, 50_000), (Working, 10_000), (Closed, 60_000)]);
        assert_eq!(it.ms, 10_000);
    }

    #[test]
    fn signs_that_say_nothing_new_are_left_out() {
        let it = measured(&[(Opened, 0)]);
        assert!(!it.tells(Working, 10_000) && !it.tells(Opened, 10_000));
        assert!(it.tells(Working, 20_000) && it.tells(Closed, 1));
        assert!(!Viewing::default().tells(Closed, 0));
        let full = Viewing { signs: SIGNS_MAX, ..it };
        assert!(!full.tells(Closed, 60_000));
    }
}
