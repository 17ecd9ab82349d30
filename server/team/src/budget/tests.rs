//! What is granted near each limit, alone and together.

use super::*;
use crate::event::{Event, Start, Work};
use crate::handoff::Duty;
use crate::ids::{CommitId, TaskId};

const RUN: RunId = RunId(1);
/// 10,000 tokens in for 20,000 micro-dollars; a token out for 10.
const WISH: Wish = Wish {
    input_tokens: 10_000,
    input_micros: 20_000,
    output_tokens_max: 32_000,
    output_nanos: 10_000,
};
const RICH: DayMoney = DayMoney { spent_micros: 0, micros_max: 20_000_000 };

fn team(limits: Limits) -> Team {
    let mut team = Team::default();
    let mut brief = crate::tests::script::brief("x");
    brief.limits = limits;
    team.apply(&Event::TaskDelegated { task: TaskId(1), brief, at: 0 });
    for run in [1, 2] {
        let work = Work::Role { duty: Duty::Build, on: CommitId("b0".into()), start: Start::Fresh };
        let (run, task) = (RunId(run), TaskId(1));
        team.apply(&Event::RunStarted { run, task, work, at: 0, deadline_at: 9 });
    }
    team
}

fn spend(team: &mut Team, usage: Usage) {
    team.apply(&Event::RunSpent { run: RUN, usage, at: 0 });
}

fn ask(team: &Team, held: &BTreeMap<RunId, Usage>, day: DayMoney) -> Grant {
    grant(team, held, RUN, &WISH, false, day)
}

fn alone(team: &Team) -> Grant {
    ask(team, &BTreeMap::new(), RICH)
}

fn money(micros: u64) -> Usage {
    Usage { calls: 1, micros, ..Usage::default() }
}

#[test]
fn a_call_that_fits_gets_the_output_it_wished_for() {
    assert_eq!(alone(&team(Limits::default())), Grant::Call { output_tokens_max: 32_000 });
}

#[test]
fn near_the_cap_the_output_shrinks_then_the_call_closes_then_it_is_not_made() {
    let mut seen = vec![];
    for left in (0..=700_000).rev().step_by(10_000) {
        let mut team = team(Limits::default());
        spend(&mut team, money(2_000_000 - left));
        let (kind, output) = match alone(&team) {
            Grant::Call { output_tokens_max } => ("call", output_tokens_max),
            Grant::Closing { output_tokens_max, why } => {
                assert!(why.contains("money of this run: $"), "{why}");
                ("closing", output_tokens_max)
            }
            Grant::No { why } => {
                assert!(why.starts_with("out of budget, money of this run: $"), "{why}");
                ("no", 0)
            }
        };
        // Whatever is granted fits, at its worst.
        assert!(kind == "no" || WISH.at_most(output).micros <= left, "{kind} {output} of {left}");
        if seen.last() != Some(&kind) {
            seen.push(kind);
        }
    }
    assert_eq!(seen, ["call", "closing", "no"]);
}

/// After any call that was granted and cost all that it might, the closing call still fits.
#[test]
fn a_call_leaves_room_for_the_closing_one() {
    for left in (0..=2_000_000).step_by(7_001) {
        let mut team = team(Limits::default());
        spend(&mut team, money(2_000_000 - left));
        let Grant::Call { output_tokens_max } = alone(&team) else { continue };
        spend(&mut team, WISH.at_most(output_tokens_max));
        let input_tokens = WISH.input_tokens + output_tokens_max + RESULTS_TOKENS;
        let input_micros = WISH.micros(input_tokens, 0);
        let next = Wish { input_tokens, input_micros, ..WISH };
        let next = grant(&team, &BTreeMap::new(), RUN, &next, false, RICH);
        assert!(!matches!(next, Grant::No { .. }), "{left}: {next:?}");
    }
}

#[test]
fn every_call_of_the_limit_is_made_and_the_last_one_closes() {
    let mut team = team(Limits { run_calls_max: 2, ..Limits::default() });
    assert!(matches!(alone(&team), Grant::Call { .. }));
    spend(&mut team, money(1));
    let why = "Nearly used up, model calls of this run: 1 of 2.".to_string();
    assert!(matches!(alone(&team), Grant::Closing { why: it, .. } if it == why));
    spend(&mut team, money(1));
    let why = "out of budget, model calls of this run: 2 of 2".to_string();
    assert_eq!(alone(&team), Grant::No { why });
}

#[test]
fn tokens_bind_where_prices_are_not_known() {
    let free = Wish { input_micros: 0, output_nanos: 0, ..WISH };
    let ask = |team: &Team| grant(team, &BTreeMap::new(), RUN, &free, false, RICH);
    let mut team = team(Limits { run_tokens_max: 100_000, ..Limits::default() });
    // 100,000 less twice 10,000 and the room of the closing call, in halves.
    assert_eq!(ask(&team), Grant::Call { output_tokens_max: 32_000 });
    spend(&mut team, Usage { input_tokens: 70_000, ..Usage::default() });
    assert!(matches!(ask(&team), Grant::Closing { output_tokens_max: 20_000, .. }));
    spend(&mut team, Usage { input_tokens: 20_000, ..Usage::default() });
    assert!(matches!(ask(&team), Grant::No { .. }));
}

/// Two runs of one task and of one day hold their calls before they are made.
#[test]
fn runs_under_way_together_do_not_pass_a_cap() {
    let limits = Limits { task_micros_max: 500_000, run_micros_max: 500_000, ..Limits::default() };
    for day in [RICH, DayMoney { spent_micros: 0, micros_max: 500_000 }] {
        let team = team(limits.clone());
        let mut held = BTreeMap::new();
        for run in [RunId(1), RunId(2)] {
            let sum: u64 = held.values().map(|it: &Usage| it.micros).sum();
            let day = DayMoney { spent_micros: sum, ..day };
            let output = match grant(&team, &held, run, &WISH, false, day) {
                Grant::Call { output_tokens_max } | Grant::Closing { output_tokens_max, .. } => {
                    output_tokens_max
                }
                Grant::No { .. } => continue,
            };
            held.insert(run, WISH.at_most(output));
        }
        let sum: u64 = held.values().map(|it| it.micros).sum();
        assert!(sum <= 500_000, "{held:?}");
        // The first would have taken more, had it been promised all it wished for twice.
        assert!(held.contains_key(&RUN));
    }
}

#[test]
fn the_day_binds_over_tasks() {
    let team = team(Limits::default());
    let spent = DayMoney { spent_micros: 19_990_000, micros_max: 20_000_000 };
    let why = "out of budget, money of this day: $19.99 of $20.00".to_string();
    assert_eq!(ask(&team, &BTreeMap::new(), spent), Grant::No { why });
}

#[test]
fn a_small_reply_limit_of_the_users_is_no_reason_to_close() {
    let small = Wish { output_tokens_max: 100, ..WISH };
    let granted = grant(&team(Limits::default()), &BTreeMap::new(), RUN, &small, false, RICH);
    assert_eq!(granted, Grant::Call { output_tokens_max: 100 });
}

#[test]
fn a_day_begins_anew() {
    let mut day = Day::default();
    day.add(MS_PER_DAY - 1, 5);
    day.add(MS_PER_DAY, 7);
    day.add(MS_PER_DAY + 1, 1);
    assert_eq!(day, Day { number: 1, micros: 8 });
}

#[test]
fn a_warning_comes_once_at_four_fifths() {
    let at = |used| Used { used, max: 100, what: "x", is_money: false };
    assert!(!at(79).warns_after(0));
    assert!(at(80).warns_after(79));
    assert!(at(100).warns_after(0));
    assert!(!at(90).warns_after(80));
}
