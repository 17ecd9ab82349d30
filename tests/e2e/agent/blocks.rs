//! One run in whole blocks against a scripted model, with a runner that may fall over.

use super::desk::{Desk, Given, rehearse};
use baton::agent::{Draft, Ended, Facts, Format, Required, StepBody};
use serde_json::Value;
use team::Duty;

const SCRIPT: &str = r#"
[[run]]
[[run.reply]]
text = "I fixed it, all tests pass."
[[run.reply]]
text = """
It divided by three.
```rust
pub fn half(n: u32) -> u32 {
    n / 2
}
```
"""
"#;

fn given() -> Given<'static> {
    let checks = vec![Required { name: "test".to_owned(), failing_before: vec![] }];
    let words = "half() divides by three".to_owned();
    let facts = Facts { words, checks, build: Some((1, 3)), ..Facts::default() };
    Given { format: Format::Whole, facts, ..Given::new(Duty::Build) }
}

#[tokio::test]
async fn the_server_places_checks_and_hands_over() {
    let model = rehearse(SCRIPT).await;
    let mut desk = Desk::new();
    let ended = desk.work(&model, &given()).await.unwrap();
    assert_eq!(ended, Ok(Ended::HandedOver));
    assert_eq!(desk.file("src/lib.rs"), "pub fn half(n: u32) -> u32 {\n    n / 2\n}\n");
    assert_eq!(desk.commands, [vec!["test"]]);
    let Draft::Changed { summary, look_first, risks } = &desk.handed_over[0] else { panic!() };
    assert_eq!((summary.as_str(), look_first.as_str()), ("It divided by three.", "src/lib.rs:1"));
    assert!(risks[0].contains("no reproducing test"));
    // Short, and without a single tool.
    let bodies = model.rehearsal().unwrap().requests();
    let first: Value = serde_json::from_slice(&bodies[0]).unwrap();
    assert!(first.get("tools").is_none_or(|it| it == &serde_json::json!([])), "{first}");
    assert!(first.to_string().contains("n / 3"), "{first}");
    assert!(bodies[0].len() < 3_000, "{} bytes", bodies[0].len());
}

/// The runner falls over after every step in turn; the run goes on from the journal and ends alike. A
/// check that was cut off is not run again.
#[tokio::test]
async fn a_run_that_is_cut_off_at_any_step_ends_as_if_it_had_not_been() {
    let model = rehearse(SCRIPT).await;
    let mut whole = Desk::new();
    whole.work(&model, &given()).await.unwrap().unwrap();
    let steps = whole.steps();
    assert!(6 < steps.len(), "{steps:?}");
    for cut in 1..=steps.len() {
        let mut desk = Desk::new();
        desk.falls_at = Some(cut);
        assert_eq!(desk.work(&model, &given()).await, None, "cut {cut}");
        let cut = desk.journal.len();
        desk.falls_at = None;
        let ended = desk.work(&model, &given()).await.unwrap();
        assert_eq!(ended, Ok(Ended::HandedOver), "cut {cut}");
        assert_eq!(desk.file("src/lib.rs"), whole.file("src/lib.rs"), "cut {cut}");
        let was_started = matches!(steps[cut - 1], StepBody::Started { .. });
        assert_eq!(desk.commands.len(), usize::from(!was_started), "cut {cut}");
        assert_eq!(desk.handed_over.len(), 1, "cut {cut}");
    }
}

/// A model that repeats a broken reply is not asked for ever.
#[tokio::test]
async fn three_replies_are_enough() {
    let reply = "[[run.reply]]\ntext = \"```\\npub fn third() {}\\n```\"\n";
    let model = rehearse(&format!("[[run]]\n{}", reply.repeat(5))).await;
    let mut desk = Desk::new();
    let before = desk.file("src/lib.rs");
    let Ok(Ended::Stuck(why)) = desk.work(&model, &given()).await.unwrap() else { panic!() };
    assert!(why.contains("3 replies") && why.contains("defines no `third`"), "{why}");
    assert_eq!(desk.file("src/lib.rs"), before);
    assert_eq!((desk.commands.len(), desk.ledger.len()), (0, 3));
}
