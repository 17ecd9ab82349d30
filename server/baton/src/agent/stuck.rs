//! Sees when a run goes in circles: the same call with the same result, the same failing call, two
//! calls in turns, or any calls that give nothing new.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};

/// The same call with the same result; the one that would be this many-th is not made.
const SAME_MAX: usize = 4;
/// The same call, failing each time.
const SAME_FAILING_MAX: usize = 3;
/// Two calls with the same results in turns, so many pairs.
const PAIRS_MAX: usize = 6;

/// So many calls in a row that each gave, word for word, what the same call had given before.
const NOTHING_NEW_MAX: usize = 15;

/// One call and what came of it, as fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    name: String,
    call: [u8; 32],
    result: [u8; 32],
    failed: bool,
}

impl Deed {
    /// Numbers in the result don't count: receipts and durations are never the same.
    pub fn of(name: &str, input: &Value, result: &str, failed: bool) -> Deed {
        let plain: String = result.chars().filter(|it| !it.is_ascii_digit()).collect();
        Deed {
            name: name.to_owned(),
            call: call_print(name, input),
            result: Sha256::digest(plain.as_bytes()).into(),
            failed,
        }
    }
}

/// The last calls of a run.
#[derive(Debug, Default)]
pub struct Watch {
    deeds: VecDeque<Deed>,
    /// Every call of the run with what it gave.
    seen: HashSet<([u8; 32], [u8; 32])>,
    /// The last so many calls gave nothing new.
    nothing_new: usize,
}

impl Watch {
    /// Takes in a call that was made.
    pub fn note(&mut self, deed: Deed) {
        let is_new = self.seen.insert((deed.call, deed.result));
        self.nothing_new = if is_new { 0 } else { self.nothing_new + 1 };
        if self.deeds.len() == 2 * PAIRS_MAX {
            self.deeds.pop_front();
        }
        self.deeds.push_back(deed);
    }

    /// Why this call is not worth making: it gave the same result each of the last times.
    pub fn would_repeat(&self, name: &str, input: &Value) -> Option<String> {
        let call = call_print(name, input);
        let mut last = self.deeds.iter().rev().take(SAME_MAX - 1);
        let first = last.next().filter(|it| it.call == call)?;
        let same = 1 + last.filter(|it| *it == first).count();
        (same == SAME_MAX - 1).then(|| {
            format!(
                "{name} was called {SAME_MAX} times with the same arguments and the same result"
            )
        })
    }

    /// Why the calls made so far lead nowhere.
    pub fn verdict(&self) -> Option<String> {
        if NOTHING_NEW_MAX <= self.nothing_new {
            let n = self.nothing_new;
            return Some(format!("the last {n} calls gave nothing that was not known before"));
        }
        let last = self.deeds.back()?;
        let alike = |it: &&Deed| it.call == last.call && it.failed;
        let failing = self.deeds.iter().rev().take_while(alike).count();
        if SAME_FAILING_MAX <= failing {
            return Some(format!("the same call of {} failed {failing} times in a row", last.name));
        }
        let (a, b) = (last, self.deeds.iter().rev().nth(1)?);
        let in_pairs = self.deeds.len() == 2 * PAIRS_MAX
            && a != b
            && self.deeds.iter().rev().step_by(2).all(|it| it == a)
            && self.deeds.iter().rev().skip(1).step_by(2).all(|it| it == b);
        in_pairs.then(|| {
            let (a, b) = (&a.name, &b.name);
            format!("{b} and {a} were called in turns {PAIRS_MAX} times with the same results")
        })
    }
}

fn call_print(name: &str, input: &Value) -> [u8; 32] {
    Sha256::digest(format!("{name} {input}").as_bytes()).into()
}

#[cfg(test)]
mod tests;
