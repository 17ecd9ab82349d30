//! What a model call may cost is known before it is made: it is made only where its worst case fits
//! into what is left of the run, the task and the day. Nobody overshoots, not even several runs
//! together, since what each of them holds for its call counts as spent until the call has ended.

use crate::brief::{Limits, Usage};
use crate::ids::{Millis, RunId};
use crate::task::{Run, Task, Team};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod given;

pub use given::Budget;

/// The closing call gets room for so much output; a call that leaves less for it is the closing one.
const CLOSING_OUTPUT_TOKENS: u64 = 2_048;
/// A closing call with less room than this could hand nothing over, and is not made.
const CLOSING_OUTPUT_TOKENS_MIN: u64 = 512;
/// A call that is not the closing one needs room for so much output.
const OUTPUT_TOKENS_MIN: u64 = 4_096;
/// Tool results that the next call sends besides.
const RESULTS_TOKENS: u64 = 4_000;
const MS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;
const NANOS_PER_MICRO: u64 = 1_000;

/// A call that is about to be made, at its worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Of the whole request, estimated upwards.
    pub input_tokens: u64,
    /// What they cost if no cache helps; 0 where prices are not known.
    pub input_micros: u64,
    /// As much as the model may write.
    pub output_tokens_max: u64,
    /// Nano-dollars for each token of output; 0 where prices are not known.
    pub output_nanos: u64,
}

impl Wish {
    /// What is held for the call until it has ended.
    pub fn at_most(&self, output_tokens_max: u64) -> Usage {
        Usage {
            calls: 1,
            input_tokens: self.input_tokens,
            output_tokens: output_tokens_max,
            micros: self.micros(self.input_tokens, output_tokens_max),
            ..Usage::default()
        }
    }

    /// Of a call with so much input and output, at this call's prices; rounded up.
    fn micros(&self, input_tokens: u64, output_tokens: u64) -> u64 {
        let input = u128::from(self.input_micros) * u128::from(input_tokens);
        let input = input.div_ceil(u128::from(self.input_tokens.max(1)));
        let output = u128::from(self.output_nanos) * u128::from(output_tokens);
        let sum = input + output.div_ceil(u128::from(NANOS_PER_MICRO));
        u64::try_from(sum).unwrap_or(u64::MAX)
    }
}

/// Whether a call may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// With at most so much output.
    Call { output_tokens_max: u64 },
    /// As the last one of its run, to hand over what there is; which limit is nearly reached, as a
    /// sentence.
    Closing { output_tokens_max: u64, why: String },
    /// It doesn't fit; which limit, as a fragment.
    No { why: String },
}

/// The day's money of one person, over all repositories; held for calls under way as if spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayMoney {
    pub spent_micros: u64,
    pub micros_max: u64,
}

/// What one repository's runs spent on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Days since 1970, in UTC.
    pub number: u64,
    pub micros: u64,
}

impl Day {
    /// The number of the day that this moment belongs to.
    pub fn number_at(at: Millis) -> u64 {
        at / MS_PER_DAY
    }

    pub(crate) fn add(&mut self, at: Millis, micros: u64) {
        let number = Day::number_at(at);
        if number != self.number {
            *self = Day { number, micros: 0 };
        }
        self.micros = self.micros.saturating_add(micros);
    }
}

/// One limit, how much of it is used, and how people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) used: u64,
    pub(crate) max: u64,
    pub(crate) what: &'static str,
    is_money: bool,
}

impl Used {
    fn left(&self) -> u64 {
        self.max.saturating_sub(self.used)
    }

    /// `money of this run: $1.70 of $2.00`.
    pub(crate) fn says(&self) -> String {
        match self.is_money {
            true => format!("{}: {} of {}", self.what, dollars(self.used), dollars(self.max)),
            false => format!("{}: {} of {}", self.what, self.used, self.max),
        }
    }

    /// Four fifths were not used before, and are now.
    pub(crate) fn warns_after(&self, before: u64) -> bool {
        let border = self.max / 5 * 4;
        before < border && border <= self.used
    }
}

pub(crate) fn dollars(micros: u64) -> String {
    format!("${}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000)
}

/// What of the limits is used: the calls, tokens and money of the run, the tokens and money of the task
/// since a person last sent it on.
pub(crate) fn used(run: &Usage, task: &Usage, limits: &Limits) -> [Used; 5] {
    let count = |used, max, what| Used { used, max, what, is_money: false };
    let money = |used, max, what| Used { used, max, what, is_money: true };
    [
        count(u64::from(run.calls), u64::from(limits.run_calls_max), "model calls of this run"),
        count(run.tokens(), limits.run_tokens_max, "tokens of this run"),
        count(task.tokens(), limits.task_tokens_max, "tokens of this task"),
        money(run.micros, limits.run_micros_max, "money of this run"),
        money(task.micros, limits.task_micros_max, "money of this task"),
    ]
}

pub(crate) fn used_of_day(day: DayMoney) -> Used {
    let DayMoney { spent_micros: used, micros_max: max } = day;
    Used { used, max, what: "money of this day", is_money: true }
}

/// Whether this run may make this call. `held`: what is held for the calls that are under way, of
/// this run's own nothing. `is_closing`: the run's closing call was announced already.
pub fn grant(
    team: &Team,
    held: &BTreeMap<RunId, Usage>,
    run: RunId,
    wish: &Wish,
    is_closing: bool,
    day: DayMoney,
) -> Grant {
    let found = team.run(run).and_then(|it| Some((it, team.task(it.task)?)));
    let Some((it, task)) = found else {
        return Grant::No { why: format!("{run} is no longer at work") };
    };
    let limits = limits_left(team, held, (run, it), task, day);
    let calls_left = limits[0].left();
    let (normal, short) = room(&limits, wish, false);
    let output_min = OUTPUT_TOKENS_MIN.min(wish.output_tokens_max);
    if !is_closing && 2 <= calls_left && output_min <= normal {
        return Grant::Call { output_tokens_max: normal };
    }
    let short = if calls_left < 2 { limits[0] } else { short };
    let (closing, none) = room(&limits, wish, true);
    let none = if calls_left == 0 { limits[0] } else { none };
    if calls_left == 0 || closing < CLOSING_OUTPUT_TOKENS_MIN.min(wish.output_tokens_max) {
        return Grant::No { why: format!("out of budget, {}", none.says()) };
    }
    if is_closing {
        return Grant::Call { output_tokens_max: closing };
    }
    let why = format!("Nearly used up, {}.", short.says());
    Grant::Closing { output_tokens_max: closing, why }
}

fn limits_left(
    team: &Team,
    held: &BTreeMap<RunId, Usage>,
    (run, it): (RunId, &Run),
    task: &Task,
    day: DayMoney,
) -> [Used; 6] {
    let of_task = |other: &RunId| team.run(*other).is_some_and(|other| other.task == it.task);
    let others = held.iter().filter(|(other, _)| **other != run && of_task(other));
    let mut spent = task.spent_since_sent();
    others.for_each(|it| spent.add(it.1));
    let [calls, tokens, of_task, money, money_of_task] =
        used(&it.spent, &spent, &task.brief.limits);
    [calls, tokens, of_task, money, money_of_task, used_of_day(day)]
}

/// How many tokens of output fit, at most what was wished for, and the limit that allows the fewest.
fn room(limits: &[Used; 6], wish: &Wish, is_closing: bool) -> (u64, Used) {
    let [_, of_run, of_task, money @ ..] = limits;
    let tokens = if of_task.left() < of_run.left() { of_task } else { of_run };
    let of_tokens = match is_closing {
        true => tokens.left().saturating_sub(wish.input_tokens),
        // After it the closing call sends all of it once more, and what its tools gave.
        false => {
            let fixed = 2 * wish.input_tokens + RESULTS_TOKENS + CLOSING_OUTPUT_TOKENS;
            tokens.left().saturating_sub(fixed) / 2
        }
    };
    let mut res = (of_tokens, *tokens);
    for it in money {
        let fits = of_money(it.left(), wish, is_closing);
        if fits < res.0 {
            res = (fits, *it);
        }
    }
    (res.0.min(wish.output_tokens_max), res.1)
}

/// How many tokens of output so much money pays for.
fn of_money(left: u64, wish: &Wish, is_closing: bool) -> u64 {
    let input_nanos = wish.input_micros.saturating_mul(NANOS_PER_MICRO) / wish.input_tokens.max(1);
    let (fixed, each) = match is_closing {
        true => (wish.micros(wish.input_tokens, 0), wish.output_nanos),
        false => {
            let input = 2 * wish.input_tokens + RESULTS_TOKENS;
            (wish.micros(input, CLOSING_OUTPUT_TOKENS), wish.output_nanos + input_nanos)
        }
    };
    match (left.checked_sub(fixed), each) {
        (None, _) => 0,
        // What costs nothing fits, as long as there is anything to spend at all.
        (Some(_), 0) => u64::MAX,
        (Some(left), each) => left.saturating_mul(NANOS_PER_MICRO) / each,
    }
}

#[cfg(test)]
mod tests;
