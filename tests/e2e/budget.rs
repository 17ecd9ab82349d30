//! Money: what may be spent is held before it is spent, so no cap is passed, whoever asks.

use crate::story::Story;
use std::fmt::Write;

const TRIAGE: &str = r#"
says = "scripted"
[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
input = { class = "bug", severity = "low", summary = "x", criteria = ["two is 2"] }
"#;

/// An Engineer that reads and reads, always something new, and hands over only where it must.
fn endless() -> String {
    let mut res = format!("{TRIAGE}\n[[run]]\nduty = \"change\"\n");
    for n in 0..40 {
        let call = format!("name = \"search\"\ninput = {{ pattern = \"never {n}x\" }}\n");
        write!(res, "[[run.reply]]\n[[run.reply.call]]\n{call}").unwrap();
    }
    res
}

/// Dollars for a million tokens, so dear that a call of a scripted run costs about half a dollar.
fn priced(story: &Story, limits: &str) {
    let script = story.home.join("script.toml");
    story.configure(&format!(
        "[model]\nprovider = \"script\"\nscript = {script:?}\nmax_output_tokens = 2000\n\
         prices = {{ input = 50.0, output = 20.0 }}\n[limits]\n{limits}\n"
    ));
}

fn spent(story: &Story) -> u64 {
    story.reader().team().unwrap().tasks.values().map(|it| it.spent.micros).sum()
}

fn parked(story: &Story) -> String {
    let team = story.reader().team().unwrap();
    let states: Vec<String> = team.tasks.values().map(|it| format!("{:?}", it.state)).collect();
    states.join("\n")
}

#[test]
fn a_run_ends_below_its_cap_with_a_closing_call_and_a_warning() {
    let story = Story::new(&endless());
    priced(&story, "run_usd_max = 6.0\ntask_usd_max = 50.0");
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    let spent = spent(&story);
    // Below the cap, and not far below it: the closing call was made.
    assert!((3_000_000..=6_000_000).contains(&spent), "{spent}");
    assert!(parked(&story).contains("money of this run"), "{}", parked(&story));
    assert!(story.kinds().contains(&"BudgetWarned".to_string()), "{:?}", story.kinds());
    let reader = story.reader();
    let team = reader.team().unwrap();
    let last = *team.runs.keys().next_back().unwrap();
    let notes = reader.steps(last).unwrap();
    assert_eq!(notes.iter().filter(|it| it.body.contains("This is your last reply")).count(), 1);
}

#[test]
fn a_task_stays_below_its_cap_and_a_person_may_send_it_on() {
    let story = Story::new(&endless());
    priced(&story, "run_usd_max = 50.0\ntask_usd_max = 4.0");
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert!((1..=4_000_000).contains(&spent(&story)), "{}", spent(&story));
    assert!(parked(&story).contains("money of this task"), "{}", parked(&story));
    let before = spent(&story);
    story.exits(2, &["retry", "T1"]);
    let more = spent(&story) - before;
    assert!((1..=4_000_000).contains(&more), "{more}");
}

#[test]
fn a_workspace_lowers_the_cap_and_has_no_say_in_the_day() {
    let story = Story::new(&endless());
    priced(&story, "run_usd_max = 50.0\ntask_usd_max = 50.0");
    let file = story.read(".baton/team.toml");
    story.write(".baton/team.toml", &format!("{file}\n[limits]\ntask_usd_max = 3.0\n"));
    story.ok(&["trust", "--yes"]);
    story.exits(2, &["run", "--yes", "--plain", "two is three"]);
    assert!((1..=3_000_000).contains(&spent(&story)), "{}", spent(&story));
    story.write(".baton/team.toml", &format!("{file}\n[limits]\nday_usd_max = 300.0\n"));
    let refused = story.run(&["trust", "--yes"]);
    let after = story.run(&["run", "--yes", "--plain", "again"]);
    let said = [refused.stderr, after.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("not a workspace's to set"));
}

/// What the person gives one task: it lowers the configured cap, and more than that is refused.
#[test]
fn a_budget_lowers_the_cap_of_one_task() {
    let story = Story::new(&endless());
    priced(&story, "run_usd_max = 50.0\ntask_usd_max = 6.0");
    for (budget, hint) in [("6.01", "limits.task_usd_max"), ("9M tokens", "limits.task_tokens_max")]
    {
        let refused = story.run(&["run", "--plain", "--budget", budget, "two is three"]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(said.contains(hint), "{said}");
    }
    assert_eq!(story.kinds(), Vec::<String>::new(), "nothing was delegated");
    story.exits(2, &["run", "--yes", "--plain", "--budget", "3.00", "two is three"]);
    assert!((1..=3_000_000).contains(&spent(&story)), "{}", spent(&story));
    assert!(parked(&story).contains("money of this task: $2."), "{}", parked(&story));
    assert!(parked(&story).contains("of $3.00"), "{}", parked(&story));
    // Tokens count where nothing is paid, too.
    let before = spent(&story);
    story.exits(2, &["run", "--yes", "--plain", "--budget", "30k tokens", "two is three"]);
    assert!(before < spent(&story), "calls were made");
    let team = story.reader().team().unwrap();
    let tokens = team.tasks.values().next_back().unwrap().spent.tokens();
    assert!(tokens <= 30_000, "{tokens}");
    assert!(parked(&story).contains("tokens of this task"), "{}", parked(&story));
}

/// Two repositories of one person, each with its own hub, in two processes at the same time.
#[test]
fn one_day_is_shared_by_all_repositories() {
    let one = Story::new(&endless());
    let limits = "run_usd_max = 50.0\ntask_usd_max = 50.0\nday_usd_max = 7.0";
    priced(&one, limits);
    let other = Story::beside(&one, &endless());
    let mut first = one.baton(&["run", "--yes", "--plain", "two is three"]).spawn().unwrap();
    let mut second = other.baton(&["run", "--yes", "--plain", "two is three"]).spawn().unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(2));
    assert_eq!(second.wait().unwrap().code(), Some(2));
    let (a, b) = (spent(&one), spent(&other));
    assert!(0 < a && 0 < b && a + b <= 7_000_000, "{a} + {b}");
    assert!(parked(&one).contains("money of this day"), "{}", parked(&one));
    // Nothing is left for a third, not even a first call.
    one.exits(2, &["run", "--yes", "--plain", "and another"]);
    assert!(a + b + (spent(&one) - a) <= 7_000_000);
}
