//! What a whole task costs in words: the requests that the real binary sends to a scripted model, by
//! the byte. The goals are those of docs/performance.md.

mod count;

use super::story::{HONEST, Story};
use baton::model::rehearsal::{Script, Server, serve};
use count::{
    Counted, FIRST_BYTES_MAX, FRESH_MAX, KEPT_BYTES_MAX, LOUD, LOUD_BYTES, SENT_BYTES_MAX,
};
use tokio::runtime::Runtime;

struct Told {
    story: Story,
    bodies: Vec<Vec<u8>>,
}

/// Plays the scripted task, from the delegation until it has landed.
fn play(loud: &str) -> Told {
    play_with(loud, &[])
}

/// With more calls before the hand-over.
fn play_with(loud: &str, more: &[(&'static str, &str)]) -> Told {
    let mut calls = count::calls("src/numbers.txt", loud);
    calls.extend(more.iter().map(|it| (it.0, it.1.to_string())));
    let replies = calls.iter().map(|(tool, input)| {
        format!("[[run.reply]]\n[[run.reply.call]]\nname = \"{tool}\"\ninput = {{ {input} }}\n")
    });
    let (before, rest) = HONEST.split_once("duty = \"change\"\n").unwrap();
    let (_, after) =
        rest.split_once("[[run.reply]]\n[[run.reply.call]]\nname = \"hand_over_change\"").unwrap();
    let script = format!(
        "{before}duty = \"change\"\n{}[[run.reply]]\n[[run.reply.call]]\nname = \"hand_over_change\"{after}",
        replies.collect::<String>()
    );
    let story = Story::new(&script);
    for (path, text) in count::sources() {
        story.write(&path, &text);
    }
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "-m", "more"]);
    let runtime = Runtime::new().unwrap();
    let server: Server = runtime.block_on(serve(Script::parse(&script).unwrap())).unwrap();
    story.configure(&format!(
        "[model]\nprovider = \"anthropic\"\nbase_url = {:?}\n",
        server.base_url
    ));
    story.ok(&["run", "--yes", "two is three"]);
    let bodies = server.requests().iter().map(|it| it.to_vec()).collect();
    Told { story, bodies }
}

#[test]
fn a_whole_task_is_told_in_few_words() {
    let Told { bodies, .. } = play(LOUD);
    let counted = Counted::of(&bodies);
    println!("{counted:?}, {} in all", counted.sent());
    assert_eq!(counted.runs.iter().map(|it| it.1.len()).collect::<Vec<_>>(), [1, 8, 2]);
    assert!(counted.sent() <= SENT_BYTES_MAX, "{}", counted.sent());
    assert!(counted.first() <= FIRST_BYTES_MAX, "{counted:?}");
    assert!(counted.fresh <= FRESH_MAX, "{counted:?}");
    let kept = count::kept(&bodies);
    assert!(kept.len() <= KEPT_BYTES_MAX, "{}: {kept}", kept.len());
}

/// What was left out can still be had, by search and line for line, without running it again.
#[test]
fn what_is_left_out_of_a_long_output_can_be_read() {
    let look = [
        ("run_command", "command = \"seq 1 30000; exit 3\""),
        ("search", "pattern = \"^12345$\", path = \"${receipt}\""),
        ("read_file", "path = \"${receipt}\", first_line = 20000, lines = 2"),
        ("read_file", "path = \"R99.1\""),
    ];
    let Told { story, bodies } = play_with(LOUD, &look);
    let kept = count::kept(&bodies);
    assert!(kept.len() <= KEPT_BYTES_MAX && kept.contains("exit 3"), "{kept}");
    let last = bodies.iter().rfind(|it| count::hands_over(it) == "hand_over_change").unwrap();
    let last = String::from_utf8_lossy(last);
    for it in ["12345: 12345", "20000\\t20000\\n20001\\t20001", "this task has no receipt R99.1"] {
        assert!(last.contains(it), "{it}: {last}");
    }
    let receipts = story.reader().team().unwrap();
    let printed = receipts.runs.values().flat_map(|it| &it.receipts).map(|it| it.output_bytes);
    assert_eq!(printed.max(), Some(LOUD_BYTES));
}
