//! The `[limits]` table, in people's units; in the user's file it sets, in a workspace's it lowers.

use serde::Deserialize;
use team::Limits;

const MS_PER_MINUTE: u64 = 60_000;
const MICROS_PER_USD: f64 = 1e6;
/// Far above any sensible budget, far below overflow.
const USD_MAX: f64 = 1e6;
const MINUTES_MAX: u64 = 7 * 24 * 60;

/// The limits that a file names; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct LimitsPatch {
    pub run_calls_max: Option<u32>,
    pub run_tokens_max: Option<u64>,
    pub run_ms_max: Option<u64>,
    pub run_micros_max: Option<u64>,
    pub task_micros_max: Option<u64>,
    pub task_tokens_max: Option<u64>,
    /// Of the person, over all repositories: no workspace has a say in it.
    pub day_micros_max: Option<u64>,
    pub builds_max: Option<u32>,
    pub questions_max: Option<u32>,
    pub diff_lines_max: Option<u32>,
    pub diff_files_max: Option<u32>,
}

impl LimitsPatch {
    /// What the user's own file says holds.
    pub fn set(&self, limits: &Limits) -> Limits {
        self.apply(limits, |_, new| new, |_, new| new)
    }

    /// What a workspace's file says holds where it is lower.
    pub fn narrow(&self, limits: &Limits) -> Limits {
        self.apply(limits, u32::min, u64::min)
    }

    fn apply(
        &self,
        limits: &Limits,
        short: fn(u32, u32) -> u32,
        long: fn(u64, u64) -> u64,
    ) -> Limits {
        let short = |old, new: Option<u32>| new.map_or(old, |new| short(old, new));
        let long = |old, new: Option<u64>| new.map_or(old, |new| long(old, new));
        Limits {
            run_calls_max: short(limits.run_calls_max, self.run_calls_max),
            run_tokens_max: long(limits.run_tokens_max, self.run_tokens_max),
            run_ms_max: long(limits.run_ms_max, self.run_ms_max),
            run_micros_max: long(limits.run_micros_max, self.run_micros_max),
            task_micros_max: long(limits.task_micros_max, self.task_micros_max),
            task_tokens_max: long(limits.task_tokens_max, self.task_tokens_max),
            builds_max: short(limits.builds_max, self.builds_max),
            questions_max: short(limits.questions_max, self.questions_max),
            diff_lines_max: short(limits.diff_lines_max, self.diff_lines_max),
            diff_files_max: short(limits.diff_files_max, self.diff_files_max),
        }
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    run_calls_max: Option<u32>,
    run_tokens_max: Option<u64>,
    run_minutes_max: Option<u64>,
    run_usd_max: Option<f64>,
    task_usd_max: Option<f64>,
    task_tokens_max: Option<u64>,
    day_usd_max: Option<f64>,
    builds_max: Option<u32>,
    questions_max: Option<u32>,
    diff_lines_max: Option<u32>,
    diff_files_max: Option<u32>,
}

impl TryFrom<Table> for LimitsPatch {
    type Error = String;

    fn try_from(table: Table) -> Result<LimitsPatch, String> {
        let zero = [
            ("run_calls_max", table.run_calls_max == Some(0)),
            ("run_tokens_max", table.run_tokens_max == Some(0)),
            ("task_tokens_max", table.task_tokens_max == Some(0)),
            ("builds_max", table.builds_max == Some(0)),
            ("diff_lines_max", table.diff_lines_max == Some(0)),
            ("diff_files_max", table.diff_files_max == Some(0)),
        ];
        if let Some((name, _)) = zero.iter().find(|it| it.1) {
            return Err(format!("`{name}` is 0: nothing could be done"));
        }
        Ok(LimitsPatch {
            run_calls_max: table.run_calls_max,
            run_tokens_max: table.run_tokens_max,
            run_ms_max: minutes("run_minutes_max", table.run_minutes_max)?,
            run_micros_max: micros("run_usd_max", table.run_usd_max)?,
            task_micros_max: micros("task_usd_max", table.task_usd_max)?,
            task_tokens_max: table.task_tokens_max,
            day_micros_max: micros("day_usd_max", table.day_usd_max)?,
            builds_max: table.builds_max,
            questions_max: table.questions_max,
            diff_lines_max: table.diff_lines_max,
            diff_files_max: table.diff_files_max,
        })
    }
}

fn minutes(name: &str, value: Option<u64>) -> Result<Option<u64>, String> {
    match value {
        Some(it) if !(1..=MINUTES_MAX).contains(&it) => {
            Err(format!("`{name}` is not between 1 and {MINUTES_MAX}"))
        }
        other => Ok(other.map(|it| it * MS_PER_MINUTE)),
    }
}

fn micros(name: &str, value: Option<f64>) -> Result<Option<u64>, String> {
    match value {
        Some(it) if !(0.0..=USD_MAX).contains(&it) => {
            Err(format!("`{name}` is not between 0 and {USD_MAX} dollars"))
        }
        other => Ok(other.map(|it| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1e12, as was just seen"
            )]
            let micros = (it * MICROS_PER_USD).round() as u64;
            micros
        })),
    }
}
