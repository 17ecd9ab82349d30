//! What follows from steps.

use super::*;
use crate::agent::format::Format;
use crate::agent::stuck;
use serde_json::json;

fn opened() -> StepBody {
    StepBody::Opened {
        messages: vec![Message::user("the brief")],
        format: Format::Replace,
        frame: None,
    }
}

fn reply(calls: &[(&str, serde_json::Value)], ending: Ending) -> StepBody {
    let mut blocks =
        vec![Block::Opaque(json!({"type": "thinking", "thinking": "", "signature": "s"}))];
    for (n, (name, input)) in calls.iter().enumerate() {
        blocks.push(Block::ToolUse {
            id: format!("t{n}"),
            name: (*name).to_owned(),
            input: input.clone(),
        });
    }
    StepBody::Reply {
        message: Message { speaker: Speaker::Assistant, blocks },
        ending,
        usage: Usage { calls: 1, input_tokens: 10, ..Usage::default() },
    }
}

fn result(call: &str, content: &str, is_error: bool) -> StepBody {
    StepBody::Result { call: call.to_owned(), content: content.to_owned(), is_error, tree: None }
}

fn next(steps: &[StepBody]) -> Next {
    Talk::of(steps).next()
}

#[test]
fn a_run_asks_then_does_then_asks() {
    let mut steps = vec![opened()];
    assert_eq!(next(&steps), Next::AskModel);
    let read = json!({"path": "a"});
    steps.push(reply(
        &[("read_file", read.clone()), ("read_file", json!({"path": "b"}))],
        Ending::Whole,
    ));
    let Next::Do(wanted) = next(&steps) else { panic!("{:?}", next(&steps)) };
    assert_eq!((wanted.id.as_str(), wanted.input), ("t0", read));
    steps.push(result("t0", "A", false));
    assert!(matches!(next(&steps), Next::Do(it) if it.id == "t1" && it.nth == 1));
    steps.push(result("t1", "B", false));
    assert_eq!(next(&steps), Next::AskModel);
    let talk = Talk::of(&steps);
    assert_eq!((talk.spent().calls, talk.spent().tokens()), (1, 10));
    // Both results stand in one message of the user's side.
    let blocks: Vec<_> = talk.messages().iter().map(|it| it.blocks.len()).collect();
    assert_eq!(blocks, [1, 3, 2]);
}

#[test]
fn text_alone_completes_nothing() {
    let mut steps = vec![opened()];
    for round in 0..SILENT_REPLIES_MAX {
        steps.push(reply(&[], Ending::Whole));
        match next(&steps) {
            Next::Say(text) if round + 1 < SILENT_REPLIES_MAX => {
                assert!(text.contains("hand over"), "{text}");
                steps.push(StepBody::Note { text, why: NoteWhy::NoCall });
                assert_eq!(next(&steps), Next::AskModel);
            }
            Next::Stuck(why) if round + 1 == SILENT_REPLIES_MAX => {
                assert!(why.contains("no tool call"))
            }
            other => panic!("{round}: {other:?}"),
        }
    }
    let cut = next(&[opened(), reply(&[], Ending::CutOff)]);
    assert!(matches!(cut, Next::Say(text) if text.contains("cut off")));
    assert!(matches!(next(&[opened(), reply(&[], Ending::Refused)]), Next::Stuck(_)));
}

#[test]
fn an_empty_reply_leaves_no_empty_message() {
    let empty = StepBody::Reply {
        message: Message {
            speaker: Speaker::Assistant,
            blocks: vec![Block::Text { text: " \n".to_owned() }],
        },
        ending: Ending::Whole,
        usage: Usage::default(),
    };
    let note = StepBody::Note { text: "go on".to_owned(), why: NoteWhy::NoCall };
    let talk = Talk::of(&[opened(), empty, note]);
    assert_eq!(talk.messages().len(), 1);
    assert_eq!(talk.messages()[0].blocks.len(), 2);
}

#[test]
fn a_call_that_was_cut_off_is_marked() {
    let talk = Talk::of(&[
        opened(),
        reply(&[("read_file", json!({})), ("edit_file", json!({}))], Ending::CutOff),
    ]);
    let halves: Vec<_> = talk.pending.iter().map(|it| it.is_half).collect();
    assert_eq!(halves, [false, true]);
}

#[test]
fn five_refused_hand_overs_end_it() {
    let mut steps = vec![opened()];
    for round in 0..REFUSED_MAX {
        assert_eq!(next(&steps), Next::AskModel);
        steps.push(reply(&[("hand_over_change", json!({"summary": round}))], Ending::Whole));
        steps.push(result("t0", "refused", true));
    }
    assert_eq!(next(&steps), Next::Stuck("5 hand-overs were refused".to_owned()));
}

#[test]
fn the_closing_reply_is_the_last() {
    let mut steps = vec![
        opened(),
        StepBody::Note { text: "All is used.\nHand over.".to_owned(), why: NoteWhy::Closing },
    ];
    assert!(Talk::of(&steps).is_closing());
    assert_eq!(next(&steps), Next::AskModel);
    steps.push(reply(&[("hand_over_change", json!({"summary": "x"}))], Ending::Whole));
    assert!(matches!(next(&steps), Next::Do(_)));
    steps.push(result("t0", "refused", true));
    assert_eq!(next(&steps), Next::UsedUp("All is used.".to_owned()));
    steps.truncate(2);
    steps.push(reply(&[], Ending::Whole));
    assert_eq!(next(&steps), Next::UsedUp("All is used.".to_owned()));
}

#[test]
fn failed_edits_are_counted_until_one_works() {
    let edit = |error| {
        [
            reply(&[("edit_file", json!({"file_path": "a.rs", "old": error}))], Ending::Whole),
            result("t0", "x", error),
        ]
    };
    let steps: Vec<_> = [opened()].into_iter().chain(edit(true)).chain(edit(true)).collect();
    assert_eq!(Talk::of(&steps).failed_edits("a.rs"), 2);
    let steps: Vec<_> = steps.into_iter().chain(edit(false)).collect();
    assert_eq!(Talk::of(&steps).failed_edits("a.rs"), 0);
}

#[test]
fn equal_calls_end_it_before_the_fourth() {
    let mut steps = vec![opened()];
    for _ in 0..3 {
        steps.push(reply(&[("search", json!({"pattern": "x"}))], Ending::Whole));
        assert!(matches!(next(&steps), Next::Do(_)));
        steps.push(result("t0", "no line matches in 3 files", false));
        assert_eq!(next(&steps), Next::AskModel);
    }
    steps.push(reply(&[("search", json!({"pattern": "x"}))], Ending::Whole));
    assert!(matches!(next(&steps), Next::Stuck(why) if why.contains("same arguments")));
    let deed = stuck::Deed::of("search", &json!({}), "", false);
    assert_eq!(deed, deed.clone());
}

#[test]
fn a_history_answers_every_call() {
    let calls = [("run_command", json!({"command": "make"})), ("ask", json!({}))];
    let steps =
        [opened(), reply(&calls, Ending::Whole), StepBody::Started { call: "t0".to_owned() }];
    let history = Talk::of(&steps).into_history();
    let answers: Vec<&str> = history[2]
        .blocks
        .iter()
        .filter_map(|it| match it {
            Block::ToolResult { content, .. } => Some(content.as_str()),
            Block::Text { .. } | Block::ToolUse { .. } | Block::Opaque(_) => None,
        })
        .collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0], INTERRUPTED);
    assert!(answers[1].contains("put to the person"));
}
