//! Every fault of a provider ends in the whole reply, or in a failure that says what to do.

use super::*;
use std::fmt::Write;
use std::time::Instant;
use team::Code;

/// One reply with all that a reply may hold.
const REPLY: &str = r#"
[[run.reply]]
thinking = "Where is the bug?"
text = "I read the parser, 2 × 😀."
usage = { input_tokens = 1000, output_tokens = 50 }
call = [{ name = "read_file", input = { path = "src/lib.rs" } }, { name = "read_file" }]
"#;

/// A script with a run for each fault; a question picks its fault by number.
fn script<'a>(faults: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = "says = \"\"\n[[run]]\nmatch = \"none.\"\n".to_owned() + REPLY;
    for (number, fault) in faults.into_iter().enumerate() {
        let fault = format!("fault = {{ {fault} }}");
        writeln!(text, "[[run]]\nmatch = \"fault {number}.\"\n{REPLY}{fault}").unwrap();
    }
    text
}

async fn one(fault: &str, patience: Patience) -> (Server, Heard) {
    let server = play(&script([fault])).await;
    let model = open(&server.base_url, patience).await;
    let heard = ask(&model, "fault 0.").await;
    (server, heard)
}

async fn unharmed() -> Reply {
    let server = play(&script([])).await;
    let model = open(&server.base_url, patience()).await;
    ask(&model, "none.").await.reply.unwrap()
}

#[tokio::test]
async fn the_form_of_a_reply_does_not_matter() {
    let expected = unharmed().await;
    assert_eq!(expected.message.blocks.len(), 4);
    // 1,000 x 2 + 50 x 10 micro-dollars.
    assert_eq!(expected.usage.micros, 2_500);
    for form in ["ping = true", "cr = true", "json = true", "ping = true, cr = true"] {
        let (_server, heard) = one(form, patience()).await;
        assert_eq!(heard.reply(), &expected, "{form}");
        assert!(heard.waits().is_empty(), "{form}");
    }
}

/// More bytes than the reply has: cuts after its end cut nothing.
const BYTES: usize = 3_200;
/// Each with a server of its own, since scripts are searched in order.
const SLICES: usize = 16;

/// Cuts the reply after each of its bytes, which is after each of its chunks too.
async fn cut_everywhere(kind: &'static str) {
    let expected = unharmed().await;
    let mut slices = tokio::task::JoinSet::new();
    for slice in 0..SLICES {
        slices.spawn(cut_slice(kind, slice * BYTES / SLICES, expected.clone()));
    }
    let harmed: usize = slices.join_all().await.into_iter().sum();
    assert!(1_000 < harmed && harmed < BYTES, "{harmed}");
}

/// How many of the cuts had to be mended.
async fn cut_slice(kind: &str, first: usize, expected: Reply) -> usize {
    let cuts = first..first + BYTES / SLICES;
    let faults: Vec<String> = cuts.clone().map(|at| format!("times = 1, {kind} = {at}")).collect();
    let server = play(&script(faults.iter().map(String::as_str))).await;
    let model = open(&server.base_url, patience()).await;
    let mut harmed = 0;
    for (number, at) in cuts.enumerate() {
        let heard = ask(&model, &format!("fault {number}.")).await;
        assert_eq!(heard.reply(), &expected, "cut at {at}");
        match heard.waits().len() {
            // A reply that came whole before the cut is whole; from there on all are.
            0 => assert!(1_000 < at, "cut at {at} was not noticed"),
            1 => {
                assert_eq!(harmed, number, "cut at {at}: noticed after one that was not");
                harmed += 1;
            }
            more => panic!("cut at {at}: {more} retries"),
        }
        // What the provider counted before the cut is in the books, once.
        let lost = heard.lost();
        assert!(lost.is_empty() || lost == [1_000], "cut at {at}: {lost:?}");
        assert!(lost.len() <= heard.waits().len(), "cut at {at}");
        assert!(at < 500 || lost.len() == heard.waits().len(), "cut at {at}");
    }
    let asked = BYTES / SLICES + harmed;
    assert_eq!(server.request_count(), asked as u64);
    harmed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_anywhere_is_mended() {
    cut_everywhere("cut_after_bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_ends_too_early_is_mended() {
    cut_everywhere("end_after_bytes").await;
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let expected = unharmed().await;
    for status in [408, 429, 500, 502, 503, 529] {
        let (server, heard) = one(&format!("status = {status}, times = 2"), patience()).await;
        assert_eq!(heard.reply(), &expected, "{status}");
        assert_eq!(heard.waits().len(), 2, "{status}");
        assert_eq!(server.request_count(), 3);
        // The same bytes each time, so that nothing of a cache is lost.
        let bodies = server.requests();
        assert!(bodies.iter().all(|it| it == &bodies[0]));
    }
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let begun = Instant::now();
    let (_server, heard) = one("status = 429, times = 1, retry_after = 1", patience()).await;
    assert!(heard.reply.is_ok());
    assert_eq!(heard.waits(), [1_000]);
    assert!(Duration::from_secs(1) <= begun.elapsed());
    let past = "status = 529, times = 1, retry_after = \"Sun, 22 Nov 2020 10:00:00 GMT\"";
    let (_server, heard) = one(past, patience()).await;
    assert_eq!(heard.waits(), [0]);
}

#[tokio::test]
async fn what_does_not_pass_is_given_up_with_a_hint() {
    for (fault, why, hint) in [
        ("status = 429", "HTTP 429: this fault", "limits this key"),
        ("status = 529", "HTTP 529: this fault", "try again later"),
        ("status = 500", "HTTP 500: this fault", "try again later"),
        ("end_after_bytes = 0", "the reply is empty", "try again"),
        ("error_event = \"overloaded_error\"", "the provider broke off", "overloaded"),
    ] {
        let (server, heard) = one(fault, patience()).await;
        let failure = heard.failure();
        assert_eq!(failure.code, Code::Model, "{failure}");
        assert!(failure.text.contains(why), "{failure}");
        assert!(failure.text.contains("asked 5 times"), "{failure}");
        assert!(failure.text.contains(&server.base_url), "{failure}");
        assert!(failure.hint.contains(hint), "{failure}");
        assert_eq!(server.request_count(), 5);
        assert_eq!(heard.waits().len(), 4);
        let paid = if fault.starts_with("error") { 5 } else { 0 };
        assert_eq!(heard.lost().len(), paid);
    }
}

#[tokio::test]
async fn what_stays_is_not_asked_again() {
    for (fault, code, why) in [
        ("status = 400", Code::Model, "refused the question (HTTP 400): this fault"),
        ("status = 401", Code::Key, "refused the key (HTTP 401)"),
        ("status = 403", Code::Key, "refused the key (HTTP 403)"),
        ("status = 404", Code::Model, "knows no such model or address: this fault"),
        ("status = 413", Code::Model, "refused the question (HTTP 413)"),
        ("status = 302", Code::Model, "points elsewhere (HTTP 302)"),
        ("status = 204", Code::Model, "refused the question (HTTP 204)"),
        ("error_event = \"invalid_request_error\"", Code::Model, "refused the question"),
        ("error_event = \"authentication_error\"", Code::Key, "refused the key"),
    ] {
        let (server, heard) = one(fault, patience()).await;
        let failure = heard.failure();
        assert_eq!(failure.code, code, "{failure}");
        assert!(failure.text.contains(why), "{failure}");
        assert_eq!(server.request_count(), 1, "{fault}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_mended() {
    let expected = unharmed().await;
    for kind in ["overloaded_error", "api_error", "never_heard_of"] {
        let fault = format!("error_event = \"{kind}\", times = 1");
        let (_server, heard) = one(&fault, patience()).await;
        assert_eq!(heard.reply(), &expected, "{kind}");
        assert_eq!(heard.lost(), [1_000]);
    }
}

#[tokio::test]
async fn silence_is_noticed() {
    let expected = unharmed().await;
    let short = Patience { read: Duration::from_millis(300), ..patience() };
    for at in [0, 700] {
        let fault = format!("stall_after_bytes = {at}, times = 1");
        let (_server, heard) = one(&fault, short).await;
        assert_eq!(heard.reply(), &expected);
        assert_eq!(heard.waits().len(), 1);
        let why = heard.deltas.iter().find_map(|it| match it {
            Delta::Retrying { why, .. } => Some(why.as_str()),
            Delta::Text(_) | Delta::ToolStarted(_) | Delta::Lost { .. } => None,
        });
        assert_eq!(why, Some("nothing came for 0.3 s"));
    }
}

#[tokio::test]
async fn a_server_that_takes_the_question_and_says_nothing_is_noticed() {
    let short = Patience {
        connect: Duration::from_millis(100),
        read: Duration::from_millis(100),
        ..patience()
    };
    let server = play("says = \"\"\n[[run]]\n[[run.reply]]\ndelay_ms = 600000").await;
    let model = open(&server.base_url, short).await;
    let heard = ask(&model, "a").await;
    assert!(heard.failure().text.contains("no answer within 0.2 s"));
    assert_eq!(heard.waits().len(), 4);
}

#[tokio::test]
async fn bad_arguments_are_for_the_agent_to_answer() {
    let script = r#"
says = ""
[[run]]
[[run.reply]]
call = [{ name = "read_file", arguments = '{"path": "src/' }, { name = "no_such_tool" }]
"#;
    let server = play(script).await;
    let heard = ask(&open(&server.base_url, patience()).await, "a").await;
    let blocks = &heard.reply().message.blocks;
    assert_eq!(blocks[0].unparsed(), Some("{\"path\": \"src/"));
    assert!(matches!(&blocks[1], Block::ToolUse { name, .. } if name == "no_such_tool"));
    assert!(heard.waits().is_empty());
}

#[tokio::test]
async fn a_reply_that_is_far_too_large_is_refused() {
    for kind in ["huge_bytes", "huge_line_bytes"] {
        let begun = Instant::now();
        let (server, heard) = one(&format!("{kind} = 50_000_000"), patience()).await;
        let failure = heard.failure();
        assert_eq!(failure.code, Code::Model);
        assert!(failure.text.contains("larger than 8 MiB"), "{failure}");
        assert_eq!(server.request_count(), 1);
        assert_eq!(heard.lost(), [1_000]);
        assert!(begun.elapsed() < Duration::from_secs(30), "{kind}");
    }
}

#[tokio::test]
async fn stop_ends_it_at_once() {
    for fault in ["stall_after_bytes = 1300", "status = 429, retry_after = 60"] {
        let server = play(&script([fault])).await;
        let model = open(&server.base_url, patience()).await;
        let stop = CancellationToken::new();
        let call = Call {
            system: "",
            tools: &tools(),
            messages: &[Message::user("fault 0.")],
            max_output_tokens: 9,
        };
        let mut deltas = Vec::new();
        let mut heard = |it: Delta| {
            let is_late = matches!(it, Delta::Text(_) | Delta::Retrying { .. });
            deltas.push(it);
            if is_late {
                stop.cancel();
            }
        };
        let begun = Instant::now();
        let failure = model.call(&call, &mut heard, &stop).await.unwrap_err();
        assert_eq!(failure.code, Code::Interrupted);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let lost = deltas.iter().any(|it| matches!(it, Delta::Lost { .. }));
        assert_eq!(lost, fault.starts_with("stall"), "{fault}");
        // A token that is cancelled already asks nothing.
        let before = server.request_count();
        assert!(model.call(&call, &mut |_| {}, &stop).await.is_err());
        assert_eq!(server.request_count(), before);
    }
}
