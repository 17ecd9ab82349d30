//! What tokens cost. Built in are the published prices of November 2026, in dollars for a million
//! tokens, which are micro-dollars for one; `[model.prices]` overrides them.

use crate::config::Prices;
use serde_json::{Map, Value};
use team::Usage;

/// No reply has more; what a broken server claims beyond that would overflow the sums.
const TOKENS_MAX: u64 = 1_000_000_000;
const NANOS: f64 = 1_000.0;
/// Stands in a record that is no server's.
const ESTIMATED: &str = "estimated";

/// (model, input, output, cache read); writing to the cache costs 1.25 times the input.
const BUILT_IN: [(&str, f64, f64, f64); 28] = [
    ("claude-fable-5-1", 10.0, 50.0, 0.25),
    ("claude-fable-5", 10.0, 50.0, 1.0),
    ("claude-mythos-5-1", 10.0, 50.0, 0.25),
    ("claude-mythos-5", 10.0, 50.0, 1.0),
    ("claude-opus-5-5", 4.0, 20.0, 0.2),
    ("claude-opus-5", 5.0, 25.0, 0.5),
    ("claude-opus-4-8", 5.0, 25.0, 0.5),
    ("claude-opus-4-7", 5.0, 25.0, 0.5),
    ("claude-opus-4-6", 5.0, 25.0, 0.5),
    ("claude-opus-4-5", 5.0, 25.0, 0.5),
    ("claude-opus-4-1", 15.0, 75.0, 1.5),
    ("claude-opus-4-0", 15.0, 75.0, 1.5),
    ("claude-opus-4", 15.0, 75.0, 1.5),
    ("claude-sonnet-5-5", 2.0, 10.0, 0.1),
    ("claude-sonnet-5", 2.0, 10.0, 0.2),
    ("claude-sonnet-4-6", 3.0, 15.0, 0.3),
    ("claude-sonnet-4-5", 3.0, 15.0, 0.3),
    ("claude-sonnet-4-0", 3.0, 15.0, 0.3),
    ("claude-sonnet-4", 3.0, 15.0, 0.3),
    ("claude-3-7-sonnet", 3.0, 15.0, 0.3),
    ("claude-3-5-sonnet", 3.0, 15.0, 0.3),
    (SMALL_WITH_STEP, 0.1, 0.5, 0.01),
    ("claude-haiku-4-5", 1.0, 5.0, 0.1),
    ("claude-3-5-haiku", 0.8, 4.0, 0.08),
    ("claude-3-opus", 15.0, 75.0, 1.5),
    ("claude-3-haiku", 0.25, 1.25, 0.03),
    ("gpt-6-sol", 2.0, 10.0, 0.2),
    ("gpt-6-luna", 0.1, 0.5, 0.01),
];

/// This one costs five times as much when the prompt is longer than the step.
const SMALL_WITH_STEP: &str = "claude-haiku-5-5";
const STEP_TOKENS: u64 = 100_000;
const STEP_FACTOR: u64 = 5;

/// Nano-dollars for a token, so that sums are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PriceTable {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    has_step: bool,
}

impl PriceTable {
    /// The prices of that model: the user's own, else the built-in ones, else none.
    pub(super) fn of(model: &str, own: Option<Prices>) -> Option<PriceTable> {
        if let Some(own) = own {
            return Some(PriceTable {
                input: nanos(own.input),
                output: nanos(own.output),
                cache_read: nanos(own.cache_read.unwrap_or(own.input * 0.1)),
                cache_write: nanos(own.cache_write.unwrap_or(own.input * 1.25)),
                has_step: false,
            });
        }
        let (name, input, output, read) = BUILT_IN.iter().find(|it| is_version(model, it.0))?;
        Some(PriceTable {
            input: nanos(*input),
            output: nanos(*output),
            cache_read: nanos(*read),
            cache_write: nanos(input * 1.25),
            has_step: *name == SMALL_WITH_STEP,
        })
    }

    /// Micro-dollars of a prompt of so many tokens at its dearest, and nano-dollars of each token that
    /// answers it.
    pub(super) fn worst(&self, input_tokens: u64) -> (u64, u64) {
        let tokens = input_tokens.min(TOKENS_MAX);
        let dearest = self.input.max(self.cache_write).max(self.cache_read);
        let factor = if self.has_step && STEP_TOKENS < tokens { STEP_FACTOR } else { 1 };
        ((tokens * dearest * factor).div_ceil(1_000), self.output * factor)
    }

    fn micros(&self, usage: &Usage) -> u64 {
        let prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
        let nanos = usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write;
        let factor = if self.has_step && STEP_TOKENS < prompt { STEP_FACTOR } else { 1 };
        // Rounded up: a budget must not be passed by the sum of many small calls.
        (nanos * factor).div_ceil(1_000)
    }
}

/// `name` itself, or with a date; a longer version number is another model with another price.
fn is_version(model: &str, name: &str) -> bool {
    let Some(rest) = model.strip_prefix(name) else {
        return false;
    };
    let date = rest.strip_prefix(['-', '@']).unwrap_or(rest);
    rest.is_empty()
        || rest == "-latest"
        || (date.len() == 8 && date.bytes().all(|it| it.is_ascii_digit()))
}

fn nanos(dollars: f64) -> u64 {
    (dollars * NANOS).round() as u64
}

/// The provider's record in our terms; what is missing or no number counts as 0.
pub(super) fn usage(raw: &Map<String, Value>, prices: Option<&PriceTable>) -> Usage {
    let count = |name: &str| {
        let it = raw.get(name).and_then(Value::as_u64).unwrap_or(0);
        it.min(TOKENS_MAX)
    };
    let mut usage = Usage {
        calls: 1,
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        cache_read_tokens: count("cache_read_input_tokens"),
        cache_write_tokens: count("cache_creation_input_tokens"),
        ..Usage::default()
    };
    usage.micros = prices.map_or(0, |it| it.micros(&usage));
    usage
}

/// The same for the record of Chat Completions, whose prompt holds what was cached as well.
pub(super) fn chat_usage(raw: &Map<String, Value>, prices: Option<&PriceTable>) -> Usage {
    let count = |it: Option<&Value>| it.and_then(Value::as_u64).unwrap_or(0).min(TOKENS_MAX);
    let detail = |name: &str| raw.get("prompt_tokens_details").and_then(|it| it.get(name));
    let prompt = count(raw.get("prompt_tokens"));
    let cached = detail("cached_tokens").or_else(|| raw.get("prompt_cache_hit_tokens"));
    let read = count(cached).min(prompt);
    let written = count(detail("cache_write_tokens")).min(prompt - read);
    let mut usage = Usage {
        calls: 1,
        input_tokens: prompt - read - written,
        output_tokens: count(raw.get("completion_tokens")),
        cache_read_tokens: read,
        cache_write_tokens: written,
        estimated_calls: u32::from(raw.contains_key(ESTIMATED)),
        ..Usage::default()
    };
    // A router says what it took; that is better than any list.
    let said = raw.get("cost").and_then(Value::as_f64).filter(|it| (0.0..1e6).contains(it));
    usage.micros = match (prices, said) {
        (None, None) => 0,
        (_, Some(dollars)) => (dollars * 1e6).ceil() as u64,
        (Some(prices), None) => prices.micros(&usage),
    };
    usage
}

/// What a server that counts nothing may have counted: four bytes a token. It says of itself that it is
/// an estimate.
pub(super) fn estimate(question_bytes: usize, reply_bytes: usize) -> Map<String, Value> {
    const BYTES_A_TOKEN: usize = 4;
    let mut raw = Map::new();
    raw.insert(ESTIMATED.to_owned(), Value::Bool(true));
    for (name, bytes) in [("prompt_tokens", question_bytes), ("completion_tokens", reply_bytes)] {
        raw.insert(name.to_owned(), Value::from(bytes.div_ceil(BYTES_A_TOKEN)));
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cost(model: &str, own: Option<Prices>, raw: Value) -> Option<u64> {
        let table = PriceTable::of(model, own)?;
        Some(usage(raw.as_object().unwrap(), Some(&table)).micros)
    }

    #[test]
    fn a_call_costs_what_the_list_says() {
        let raw = json!({ "input_tokens": 1_000, "output_tokens": 200,
            "cache_read_input_tokens": 50_000, "cache_creation_input_tokens": 4_000 });
        // 1,000 x 2 + 200 x 10 + 50,000 x 0.1 + 4,000 x 2.5 micro-dollars.
        assert_eq!(cost("claude-sonnet-5-5", None, raw.clone()), Some(19_000));
        let own = Prices { input: 1.0, output: 2.0, cache_read: None, cache_write: Some(0.0) };
        assert_eq!(cost("my-own", Some(own), raw), Some(1_000 + 400 + 5_000));
    }

    /// However a prompt is divided between the caches, it never costs more.
    #[test]
    fn the_worst_price_is_none_that_a_call_exceeds() {
        for (model, tokens) in
            [("claude-haiku-5-5", 90_000), ("claude-haiku-5-5", 120_000), ("claude-opus-5", 7)]
        {
            let table = PriceTable::of(model, None).unwrap();
            let (input, output) = table.worst(tokens);
            for parts in [(tokens, 0, 0), (0, tokens, 0), (0, 0, tokens)] {
                let usage = Usage {
                    calls: 1,
                    input_tokens: parts.0,
                    cache_read_tokens: parts.1,
                    cache_write_tokens: parts.2,
                    output_tokens: 500,
                    micros: 0,
                    ..Usage::default()
                };
                let most = input + (500 * output).div_ceil(1_000);
                assert!(table.micros(&usage) <= most, "{model} {parts:?}");
            }
        }
    }

    #[test]
    fn chat_completions_are_counted_alike() {
        let table = PriceTable::of("gpt-6-sol", None);
        let count = |raw: Value| {
            let it = chat_usage(raw.as_object().unwrap(), table.as_ref());
            let cached = [it.cache_read_tokens, it.cache_write_tokens];
            (it.input_tokens, it.output_tokens, cached, it.micros)
        };
        let details = json!({ "cached_tokens": 600, "cache_write_tokens": 100 });
        let raw = json!({ "prompt_tokens": 1_000, "completion_tokens": 50,
            "prompt_tokens_details": details, "total_tokens": 1_050 });
        // 300 x 2 + 50 x 10 + 600 x 0.2 + 100 x 2.5 micro-dollars.
        assert_eq!(count(raw), (300, 50, [600, 100], 1_470));
        let hit =
            json!({ "prompt_tokens": 10, "prompt_cache_hit_tokens": 4, "completion_tokens": 0 });
        assert_eq!(count(hit), (6, 0, [4, 0], 13));
        let said = json!({ "prompt_tokens": 10, "completion_tokens": 1, "cost": 0.000_25 });
        assert_eq!(count(said).3, 250);
        let absurd = json!({ "prompt_tokens": 1, "prompt_tokens_details": { "cached_tokens": 9 },
            "completion_tokens": -4, "cost": -1.0 });
        assert_eq!(count(absurd), (0, 0, [1, 0], 1));
        assert_eq!(count(Value::Object(estimate(4_001, 8))), (1_001, 2, [0, 0], 2_022));
    }

    #[test]
    fn a_part_of_a_micro_dollar_is_a_whole_one() {
        let raw = json!({ "input_tokens": 1 });
        assert_eq!(cost("claude-haiku-5-5", None, raw), Some(1));
    }

    #[test]
    fn a_long_prompt_costs_more_where_the_list_says_so() {
        let short = json!({ "input_tokens": 100_000 });
        let long = json!({ "input_tokens": 100_001 });
        assert_eq!(cost("claude-haiku-5-5", None, short), Some(10_000));
        assert_eq!(cost("claude-haiku-5-5", None, long.clone()), Some(50_001));
        assert_eq!(cost("claude-haiku-4-5", None, long), Some(100_001));
    }

    #[test]
    fn a_model_is_known_by_its_whole_version() {
        for known in [
            "claude-opus-4-20250514",
            "claude-opus-4-1-20250805",
            "claude-haiku-4-5@20251001",
            "claude-3-5-haiku-latest",
        ] {
            assert!(PriceTable::of(known, None).is_some(), "{known}");
        }
        for unknown in ["claude-opus-4-9", "claude-opus-5-6", "claude", "gpt", ""] {
            assert_eq!(PriceTable::of(unknown, None), None, "{unknown}");
        }
    }

    #[test]
    fn nonsense_from_a_server_neither_panics_nor_overflows() {
        let raw = json!({ "input_tokens": u64::MAX, "output_tokens": u64::MAX,
            "cache_read_input_tokens": -3, "cache_creation_input_tokens": "many" });
        let own = Prices { input: 1e6, output: 1e6, cache_read: Some(1e6), cache_write: Some(1e6) };
        assert_eq!(cost("x", Some(own), raw), Some(2_000_000_000_000_000));
    }
}
