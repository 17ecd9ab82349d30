//! What a person gives one task at most, in their words: money, tokens, or both. It only lowers what is
//! configured.

use super::dollars;
use crate::brief::Limits;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const MICROS_PER_USD: u64 = 1_000_000;
const MICROS_PER_CENT: u64 = 10_000;

/// Money and tokens of one task; what is absent stays as it is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub micros: Option<u64>,
    pub tokens: Option<u64>,
}

impl Budget {
    pub fn is_none(&self) -> bool {
        *self == Budget::default()
    }

    /// The limits with this budget in them. Errors: it is higher than they are; which, and what to do.
    pub(crate) fn within(&self, limits: &Limits) -> Result<Limits, String> {
        let above = |given: String, max: String, key: &str| {
            let what = format!("a budget of {given} is more than one task may use here, {max}");
            Err(format!("{what}; give less, or raise `limits.{key}` in your config.toml"))
        };
        let mut res = limits.clone();
        if let Some(micros) = self.micros {
            if limits.task_micros_max < micros {
                let (given, max) = (dollars(micros), dollars(limits.task_micros_max));
                return above(given, max, "task_usd_max");
            }
            res.task_micros_max = micros;
        }
        if let Some(tokens) = self.tokens {
            if limits.task_tokens_max < tokens {
                let (given, max) = (count(tokens), count(limits.task_tokens_max));
                return above(given, max, "task_tokens_max");
            }
            res.task_tokens_max = tokens;
        }
        Ok(res)
    }
}

fn count(tokens: u64) -> String {
    format!("{tokens} tokens")
}

/// `$0.50`, `200000 tokens`, `$0.50, 200000 tokens`; empty where there is none.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.micros.map(dollars), self.tokens.map(count)];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// `0.50` and `$0.50` are US dollars; `200000 tokens`, `200k tokens` and `1.5M tokens` are tokens; both
/// may stand in one budget, with a comma between. Errors: what is wrong, as a fragment.
impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Budget, String> {
        let mut res = Budget::default();
        for part in text.split(',').map(str::trim) {
            let wrong = || {
                let how = "write 0.50 for dollars, 200k tokens for tokens, or both with a comma";
                format!("`{}` is no budget: {how}", part.chars().take(40).collect::<String>())
            };
            let (slot, amount) = match part.strip_suffix("tokens") {
                Some(number) => (&mut res.tokens, tokens(number.trim())),
                None => (&mut res.micros, money(part.strip_prefix('$').unwrap_or(part).trim())),
            };
            match amount.ok_or_else(wrong)? {
                0 => return Err("a budget of nothing lets nobody work".to_string()),
                amount if slot.is_none() => *slot = Some(amount),
                _ => return Err("a budget names dollars once and tokens once".to_string()),
            }
        }
        Ok(res)
    }
}

/// Micro-dollars of dollars and at most two digits of cents.
fn money(text: &str) -> Option<u64> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let cents = match cents.len() {
        0 => 0,
        1 => digits(cents)? * 10,
        2 => digits(cents)?,
        _ => return None,
    };
    let whole = if whole.is_empty() && 0 < cents { 0 } else { digits(whole)? };
    whole.checked_mul(MICROS_PER_USD)?.checked_add(cents * MICROS_PER_CENT)
}

/// `200000`, `200k`, `1.5M`.
fn tokens(text: &str) -> Option<u64> {
    let (number, unit) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 1_000),
        'm' | 'M' => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let Some((whole, part)) = number.split_once('.') else {
        return digits(number)?.checked_mul(unit);
    };
    // One digit behind the point is a tenth of the unit, so the unit must have tenths.
    let tenths = if part.len() == 1 { digits(part)? } else { return None };
    let whole = digits(whole)?.checked_mul(unit)?;
    if unit == 1 { None } else { whole.checked_add(tenths * (unit / 10)) }
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn budgets_are_read_as_people_write_them() {
        let texts = [
            "0.5",
            "$0.50",
            ".5",
            "12",
            "200k tokens",
            "1.5M tokens",
            "300tokens",
            "1, 20 tokens",
            "",
            "$",
            "-1",
            "0",
            "0.00",
            "0.001",
            "1e3",
            "1.5 tokens",
            "k tokens",
            "tokens",
            "1,2",
            "99999999999999999999",
            "99999999999999999 ",
            "18446744073709551615M tokens",
            "²",
        ];
        let said = texts.map(|it| match it.parse::<Budget>() {
            Ok(budget) => format!("{it:?}: {budget}"),
            Err(why) => format!("{it:?}: {why}"),
        });
        expect![[r#"
            "0.5": $0.50
            "$0.50": $0.50
            ".5": $0.50
            "12": $12.00
            "200k tokens": 200000 tokens
            "1.5M tokens": 1500000 tokens
            "300tokens": 300 tokens
            "1, 20 tokens": $1.00, 20 tokens
            "": `` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "$": `$` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "-1": `-1` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "0": a budget of nothing lets nobody work
            "0.00": a budget of nothing lets nobody work
            "0.001": `0.001` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "1e3": `1e3` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "1.5 tokens": `1.5 tokens` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "k tokens": `k tokens` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "tokens": `tokens` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "1,2": a budget names dollars once and tokens once
            "99999999999999999999": `99999999999999999999` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "99999999999999999 ": `99999999999999999` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "18446744073709551615M tokens": `18446744073709551615M tokens` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma
            "²": `²` is no budget: write 0.50 for dollars, 200k tokens for tokens, or both with a comma"#]].assert_eq(&said.join("\n"));
    }
}
