//! One role's run against a scripted model over real HTTP, with a runner that may fall over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at what it did not expect"
)]

mod blocks;
mod desk;

use baton::agent::{Draft, Ended, NoteWhy, Progress, StepBody, history};
use baton::model::{Block, Message};
use desk::{Desk, Given, rehearse};
use serde_json::Value;
use team::{Code, Duty, Failure};

/// An Engineer's run with every kind of step: reads, a failed edit, a command, a refused hand-over.
const FIX: &str = r#"
[[run]]
duty = "change"
[[run.reply]]
thinking = "Where is it?"
text = "Looking."
call = [{ name = "search", input = { pattern = "n / 3" } }, { name = "read_file", input = { path = "src/lib.rs" } }]
[[run.reply]]
call = [{ name = "edit_file", input = { path = "src/lib.rs", old = "n / 4", new = "n / 2" } }]
[[run.reply]]
call = [
  { name = "edit_file", input = { path = "src/lib.rs", old = "n / 3", new = "n / 2" } },
  { name = "write_file", input = { path = "tests/half.rs", text = "// 2\n" } },
  { name = "run_command", input = { command = "cargo test" } },
  { name = "read_file", input = { path = "tests/half.rs" } },
]
[[run.reply]]
text = "That is all, I think."
[[run.reply]]
call = [{ name = "run_check", input = { name = "test" } }, { name = "show_diff" }]
[[run.reply]]
call = [{ name = "hand_over_change", input = { summary = "Half is by two." } }]
[[run.reply]]
call = [{ name = "hand_over_change", input = { summary = "Half is by two, with a test." } }]
"#;

fn refusing_once() -> Desk {
    let mut desk = Desk::new();
    desk.refusals.push_back("the check test was not run; call run_check".to_owned());
    desk
}

fn result_of(messages: &[Message], call: &str) -> String {
    let blocks = messages.iter().flat_map(|it| &it.blocks);
    let found = blocks.into_iter().find_map(|it| match it {
        Block::ToolResult { tool_use_id, content, .. } if tool_use_id == call => Some(content),
        Block::ToolResult { .. }
        | Block::Text { .. }
        | Block::ToolUse { .. }
        | Block::Opaque(_) => None,
    });
    found.unwrap().clone()
}

#[tokio::test]
async fn a_run_ends_with_its_hand_over() {
    let model = rehearse(FIX).await;
    let mut desk = refusing_once();
    let ended = desk.work(&model, &Given::new(Duty::Build)).await.unwrap();
    assert_eq!(ended, Ok(Ended::HandedOver));
    assert_eq!(desk.file("src/lib.rs"), "pub fn half(n: u32) -> u32 {\n    n / 2\n}\n");
    assert_eq!(desk.commands, [vec!["sh", "-c", "cargo test"], vec!["test"]]);
    assert_eq!(desk.handed_over.len(), 1);
    assert_eq!(desk.ledger.len(), 7);
    let says = Progress::Says("Looking.".to_owned());
    assert!(desk.progress.contains(&says), "{:?}", desk.progress);
    assert!(desk.progress.contains(&Progress::Does("read_file src/lib.rs".to_owned())));
}

/// What was sent is never sent differently: each request begins with the bytes of the one before.
#[tokio::test]
async fn requests_only_grow() {
    let model = rehearse(FIX).await;
    let mut desk = refusing_once();
    desk.output = Some(vec![b'x'; 169_000]);
    desk.work(&model, &Given::new(Duty::Build)).await.unwrap().unwrap();
    let bodies = model.rehearsal().unwrap().requests();
    assert_eq!(bodies.len(), 7);
    let unmarked = |body: &[u8]| {
        let mut body: Value = serde_json::from_slice(body).unwrap();
        let mut messages = body["messages"].take();
        for message in messages.as_array_mut().unwrap() {
            for block in message["content"].as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("cache_control");
            }
        }
        let list = messages.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>();
        (body.to_string(), list.join(","))
    };
    for pair in bodies.windows(2) {
        let ((rest, before), (same_rest, after)) = (unmarked(&pair[0]), unmarked(&pair[1]));
        assert_eq!(rest, same_rest);
        assert!(after.starts_with(&before), "{before}\n\n{after}");
    }
    assert!(bodies[0].len() < 12_000, "first request: {} bytes", bodies[0].len());
    let sum: usize = bodies.iter().map(|it| it.len()).sum();
    assert!(sum < 110_000, "whole task: {sum} bytes");
}

/// The runner falls over after every step in turn; the run goes on from the journal, and what the
/// model has been told at the end is what it would have been told.
#[tokio::test]
async fn a_run_that_is_cut_off_at_any_step_ends_as_if_it_had_not_been() {
    let model = rehearse(FIX).await;
    let mut whole = refusing_once();
    whole.work(&model, &Given::new(Duty::Build)).await.unwrap().unwrap();
    let (steps, wanted) = (whole.steps(), history(&whole.steps()));
    assert!(20 < steps.len());
    for cut in 1..=steps.len() {
        let mut desk = refusing_once();
        desk.falls_at = Some(cut);
        assert_eq!(desk.work(&model, &Given::new(Duty::Build)).await, None, "cut {cut}");
        let cut = desk.journal.len();
        let before = desk.commands.len();
        desk.falls_at = None;
        // The refusal that the journal does not know is asked for again.
        let knows = desk.journal.iter().any(|it| it.contains("was not run; call run_check"));
        desk.refusals.clear();
        if !knows {
            desk.refusals = refusing_once().refusals;
        }
        let ended = desk.work(&model, &Given::new(Duty::Build)).await.unwrap();
        assert_eq!(ended, Ok(Ended::HandedOver), "cut {cut}");
        assert_eq!(desk.file("src/lib.rs"), whole.file("src/lib.rs"), "cut {cut}");
        assert_eq!(desk.file("tests/half.rs"), whole.file("tests/half.rs"), "cut {cut}");
        let mut got = history(&desk.steps());
        if let StepBody::Started { call } = &steps[cut - 1] {
            // Reported, and not run again by itself.
            assert!(result_of(&got, call).starts_with("Interrupted"), "cut {cut}");
            assert_eq!(desk.commands.len(), 1, "cut {cut}");
            continue;
        }
        assert!(before <= 2 && desk.commands.len() == 2, "cut {cut}: {:?}", desk.commands);
        assert_eq!(got.len(), wanted.len(), "cut {cut}");
        for (n, (got, wanted)) in got.drain(..).zip(&wanted).enumerate() {
            assert_eq!(&got, wanted, "cut {cut}, message {n}");
        }
    }
}

async fn ended(script: &str, desk: &mut Desk, given: &Given<'_>) -> Result<Ended, Failure> {
    let model = rehearse(script).await;
    desk.work(&model, given).await.unwrap()
}

fn replies(count: usize, call: &str) -> String {
    format!("[[run]]\n{}", format!("[[run.reply]]\n{call}\n").repeat(count))
}

/// Whatever the model does: the run ends, with a reason, after few calls.
#[tokio::test]
async fn a_model_that_goes_wrong_ends_with_a_reason() {
    let cases = [
        ("text = \"I am done, everything works.\"", "3 replies in a row held no tool call", 3),
        ("call = [{ name = \"approve\", input = { yes = true } }]", "failed 3 times", 3),
        ("call = [{ name = \"read_file\", arguments = '{\"path\": \"src' }]", "failed 3 times", 3),
        ("call = [{ name = \"edit_file\", input = { path = \"x\" } }]", "failed 3 times", 3),
        (
            "call = [{ name = \"read_file\", input = { path = \"src/lib.rs\" } }]",
            "4 times with the same",
            4,
        ),
        (
            "call = [{ name = \"run_command\", input = { command = \"false\" } }]",
            "4 times with the same",
            4,
        ),
        (
            "stop_reason = \"max_tokens\"\ncall = [{ name = \"write_file\", arguments = '{\"path\": \"a\", \"te' }]",
            "failed 3 times",
            3,
        ),
        ("stop_reason = \"refusal\"", "refused to go on", 1),
    ];
    for (reply, reason, calls) in cases {
        let mut desk = Desk::new();
        let got = ended(&replies(20, reply), &mut desk, &Given::new(Duty::Build)).await;
        let Ok(Ended::Stuck(why)) = got else { panic!("{reply}: {got:?}") };
        assert!(why.contains(reason), "{reply}: {why}");
        assert_eq!(desk.ledger.len(), calls, "{reply}");
        assert!(desk.commands.len() <= 3 && desk.handed_over.is_empty(), "{reply}");
    }
}

#[tokio::test]
async fn a_hand_over_that_is_refused_again_and_again_ends_it() {
    let mut desk = Desk::new();
    desk.refusals = (0..9).map(|it| format!("reason {it}")).collect();
    let script = (0..9).map(|it| {
        format!("[[run.reply]]\ncall = [{{ name = \"hand_over_change\", input = {{ summary = \"try {it}\" }} }}]\n")
    });
    let script = format!("[[run]]\n{}", script.collect::<String>());
    let got = ended(&script, &mut desk, &Given::new(Duty::Build)).await;
    assert_eq!(got, Ok(Ended::Stuck("5 hand-overs were refused".to_owned())));
    assert_eq!(desk.refusals.len(), 4);
}

#[tokio::test]
async fn a_role_has_no_tools_but_its_own() {
    let script = r#"
[[run]]
duty = "verdict"
[[run.reply]]
call = [{ name = "edit_file", input = { path = "src/lib.rs", old = "n / 3", new = "n" } }, { name = "hand_over_change", input = { summary = "x" } }, { name = "checkpoint", input = { tests = ["a"] } }]
[[run.reply]]
call = [{ name = "hand_over_verdict", input = { verdict = "pass", head = "HEAD", receipts = ["R1.1"], notes = "fine" } }]
[[run.reply]]
call = [{ name = "hand_over_verdict", input = { verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "fine" } }]
"#;
    let mut desk = Desk::new();
    let mut given = Given::new(Duty::Validate);
    given.brief = "Judge it.\nbuild: 1 of 3\nhead: 9c1d4f00aa9c1d4f00aa9c1d4f00aa9c1d4f00aa\nreceipt: R3.1 test exit 0";
    assert_eq!(ended(script, &mut desk, &given).await, Ok(Ended::HandedOver));
    assert!(desk.file("src/lib.rs").contains("n / 3"));
    assert!(desk.commands.is_empty());
    let said = history(&desk.steps());
    assert!(
        result_of(&said, "toolu_rehearsal_0_0").starts_with("there is no tool `edit_file` here")
    );
    assert!(result_of(&said, "toolu_rehearsal_1_0").contains("whole hash"));
    let handed = format!("{:?}", desk.handed_over);
    assert!(handed.contains("9c1d4f00aa") && handed.contains("n: 1"), "{handed}");
}

#[tokio::test]
async fn a_used_up_budget_leaves_one_reply_to_hand_over() {
    let read = |n: usize| {
        format!(
            "[[run.reply]]\ncall = [{{ name = \"search\", input = {{ pattern = \"p{n}\" }} }}]\n"
        )
    };
    let reads: String = (0..3).map(read).collect();
    let hand = "[[run.reply]]\ncall = [{ name = \"read_file\", input = { path = \"src/lib.rs\" } }, { name = \"hand_over_change\", input = { summary = \"half of it\" } }]\n";
    let script = format!("[[run]]\n{reads}{hand}{reads}");
    let mut desk = Desk::new();
    desk.used_up_after = Some(3);
    let got = ended(&script, &mut desk, &Given::new(Duty::Build)).await;
    assert_eq!((got, desk.ledger.len()), (Ok(Ended::HandedOver), 4));
    assert!(
        result_of(&history(&desk.steps()), "toolu_rehearsal_3_0").contains("budget is used up")
    );

    let mut desk = Desk::new();
    desk.used_up_after = Some(2);
    let got = ended(&script, &mut desk, &Given::new(Duty::Build)).await;
    assert_eq!(got, Ok(Ended::UsedUp("The task's money is spent.".to_owned())));
    assert_eq!(desk.ledger.len(), 3);
}

/// What a person says reaches the model with the next call, once, and a resumed run tells it the same.
#[tokio::test]
async fn a_person_is_heard_before_the_next_call() {
    let model = rehearse(FIX).await;
    let mut desk = refusing_once();
    desk.words = vec![(0, "be quick"), (2, "and kind"), (2, "and brief")];
    desk.work(&model, &Given::new(Duty::Build)).await.unwrap().unwrap();
    let bodies = model.rehearsal().unwrap().requests();
    let bodies: Vec<_> = bodies.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    let said = |body: &str, text: &str| body.matches(text).count();
    for (nth, body) in bodies.iter().enumerate() {
        assert_eq!(said(body, "be quick"), 1, "{nth}");
        assert_eq!(said(body, "and kind\\nand brief"), usize::from(2 <= nth), "{nth}");
    }
    let words = desk.steps();
    let words =
        words.iter().filter(|it| matches!(it, StepBody::Note { why: NoteWhy::Words { .. }, .. }));
    assert_eq!(words.count(), 2);
}

/// A call that doesn't fit is not made, the first one neither.
#[tokio::test]
async fn without_money_no_call_is_made() {
    for after in [0, 1] {
        let script =
            "[[run]]\n[[run.reply]]\ncall = [{ name = \"search\", input = { pattern = \"x\" } }]\n";
        let mut desk = Desk::new();
        desk.no_money_after = Some(after);
        let got = ended(script, &mut desk, &Given::new(Duty::Build)).await;
        assert_eq!(got, Ok(Ended::UsedUp("out of budget".to_owned())));
        assert_eq!(desk.ledger.len(), after);
    }
}

/// What is held for a call is never less than what the provider counts, and the reply gets no more
/// room than was granted.
#[tokio::test]
async fn a_call_asks_for_no_more_than_was_held_for_it() {
    let model = rehearse(FIX).await;
    let mut desk = refusing_once();
    desk.used_up_after = Some(6);
    desk.work(&model, &Given::new(Duty::Build)).await.unwrap().unwrap();
    assert_eq!(desk.wishes.len(), desk.ledger.len());
    for (wish, usage) in desk.wishes.iter().zip(&desk.ledger) {
        let counted = usage.tokens() - usage.output_tokens;
        assert!(counted <= wish.input_tokens, "{counted} of {wish:?}");
    }
    let bodies = model.rehearsal().unwrap().requests();
    let asked: Vec<u64> = bodies
        .iter()
        .map(|it| serde_json::from_slice::<Value>(it).unwrap()["max_tokens"].as_u64().unwrap())
        .collect();
    assert_eq!(asked[..6], [32_000; 6]);
    assert_eq!(asked[6], 3_000);
}

#[tokio::test]
async fn without_a_sandbox_the_model_hears_what_to_do_and_no_override() {
    let script = r#"
[[run]]
[[run.reply]]
call = [{ name = "run_command", input = { command = "make" } }]
[[run.reply]]
call = [{ name = "decline", input = { why = "nothing can be run" } }]
"#;
    let mut desk = Desk::new();
    desk.output = None;
    assert_eq!(ended(script, &mut desk, &Given::new(Duty::Build)).await, Ok(Ended::HandedOver));
    let said = result_of(&history(&desk.steps()), "toolu_rehearsal_0_0");
    assert!(said.contains("can't run on this machine") && !said.contains("sandbox ="), "{said}");
}

#[tokio::test]
async fn a_question_ends_the_run_and_its_answer_continues_it() {
    let script = r#"
[[run]]
duty = "triage"
match = "Keep it"
[[run.reply]]
call = [{ name = "hand_over_triage", input = { class = "bug", severity = "low", summary = "s", criteria = ["c"] } }]
[[run]]
duty = "triage"
[[run.reply]]
call = [{ name = "ask", input = { question = "Keep it?", options = ["keep", "drop"], default = "maybe", stakes = "users" } }]
[[run.reply]]
call = [{ name = "ask", input = { question = "Keep it?", options = ["keep", "drop"], default = "Keep", stakes = "users" } }]
"#;
    let model = rehearse(script).await;
    let mut desk = Desk::new();
    let got = desk.work(&model, &Given::new(Duty::Triage)).await.unwrap();
    assert_eq!((got, desk.asked), (Ok(Ended::Asked), 1));
    let past = history(&desk.steps());
    assert!(result_of(&past, "toolu_rehearsal_0_0").contains("one of `options`"));
    assert!(result_of(&past, "toolu_rehearsal_1_0").contains("put to the person"));
}

#[tokio::test]
async fn what_a_model_says_cannot_act_on_a_terminal() {
    let script = r#"
[[run]]
[[run.reply]]
text = "\u001B]0;title\u0007hello \u202Eevil"
call = [{ name = "decline", input = { why = "no\u001B[2J \u200Bway" } }]
"#;
    let mut desk = Desk::new();
    assert_eq!(ended(script, &mut desk, &Given::new(Duty::Build)).await, Ok(Ended::HandedOver));
    let shown = desk.progress.iter().map(|it| match it {
        Progress::Says(text) | Progress::Does(text) => text.as_str(),
        Progress::Waits { .. } | Progress::Spent(_) => "",
    });
    let mut shown: String = shown.collect();
    shown += match &desk.handed_over[0] {
        Draft::Declined { why } => why,
        other => panic!("{other:?}"),
    };
    assert!(shown.contains("hello") && shown.contains("way"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{shown:?}");
}

/// A reply that broke off was paid: both calls are in the ledger.
#[tokio::test]
async fn a_reply_that_breaks_off_is_booked() {
    let script = r#"
[[run]]
[[run.reply]]
text = "This reply is cut off somewhere in the middle of its text, the first time."
call = [{ name = "decline", input = { why = "no such function" } }]
[run.reply.fault]
times = 1
cut_after_bytes = 700
"#;
    let mut desk = Desk::new();
    assert_eq!(ended(script, &mut desk, &Given::new(Duty::Build)).await, Ok(Ended::HandedOver));
    assert_eq!(desk.ledger.len(), 2);
    assert!(desk.progress.iter().any(|it| matches!(it, Progress::Waits { .. })));
}

#[tokio::test]
async fn a_stop_ends_it_while_the_model_is_silent() {
    let script = r#"
[[run]]
[[run.reply]]
text = "..."
[run.reply.fault]
stall_after_bytes = 10
"#;
    let given = Given::new(Duty::Build);
    let stop = given.stop.clone();
    let model = rehearse(script).await;
    let mut desk = Desk::new();
    let asked = async {
        while model.rehearsal().unwrap().request_count() == 0 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (got, ()) = tokio::join!(desk.work(&model, &given), asked);
    assert_eq!(got.unwrap().unwrap_err().code, Code::Interrupted);
}

/// Old outputs shrink at a border of the window, seldom, and a resumed run shortens the same.
#[tokio::test]
async fn a_full_window_is_shortened_seldom() {
    let script = (0..24).map(|n| {
        format!("[[run.reply]]\ncall = [{{ name = \"read_file\", input = {{ path = \"long.txt\", first_line = {} }} }}]\n", n + 1)
    });
    let script = format!(
        "[[run]]\n{}[[run.reply]]\ncall = [{{ name = \"decline\", input = {{ why = \"x\" }} }}]\n",
        script.collect::<String>()
    );
    let model = rehearse(&script).await;
    let mut given = Given::new(Duty::Build);
    given.window_tokens = 70_000;
    let text = "a line of a file that is rather long, so that few reads fill much\n".repeat(400);
    let new_desk = || {
        let mut desk = Desk::new();
        std::fs::write(desk.dir.path().join("long.txt"), &text).unwrap();
        desk.keep_as_start();
        desk
    };
    let mut desk = new_desk();
    assert_eq!(desk.work(&model, &given).await.unwrap(), Ok(Ended::HandedOver));
    let elided = desk.steps().iter().filter(|it| matches!(it, StepBody::Elided { .. })).count();
    // 24 reads of 4k tokens each; a border comes after 10 and then after every 6 or 7.
    assert!((2..=3).contains(&elided), "{elided}");
    let longest = model.rehearsal().unwrap().requests().iter().map(|it| it.len()).max().unwrap();
    assert!(longest < 4 * 70_000, "{longest}");
    let first = desk.steps().iter().position(|it| matches!(it, StepBody::Elided { .. })).unwrap();
    for cut in [first, first + 1, first + 4] {
        let mut again = new_desk();
        again.falls_at = Some(cut);
        assert_eq!(again.work(&model, &given).await, None);
        again.falls_at = None;
        assert_eq!(again.work(&model, &given).await.unwrap(), Ok(Ended::HandedOver));
        assert!(history(&again.steps()) == history(&desk.steps()), "cut {cut}");
    }
}
