//! Whole stories in each edit format: a task lands, a liar doesn't, and a model that can't do what it was
//! first offered is offered something else.

use crate::story::Story;
use baton::agent::StepBody;

const WORDS: &str = "two is three";
/// Phrases of the briefs by which a script tells the roles of a model without tools apart.
const PM: &str = "class is one of";
const ENGINEER: &str = "the whole corrected f";
const TESTER: &str = "the input, what happens";

const WRONG: &str =
    "Four, surely.\n```\none = 1\ntwo = 4\nthree = 3\nfour = 4\nfive = 5\nsix = 6\n```";
const RIGHT: &str =
    "Two was three there.\n```\none = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\nsix = 6\n```";
const TRIAGED: &str = "```json\n{\"class\": \"bug\", \"summary\": \"two is three\", \"criteria\": [\"two is 2\"]}\n```";
const PASS: &str = "{\"verdict\": \"pass\", \"notes\": \"two is 2\"}";
const FAIL: &str = "{\"verdict\": \"fail\", \"notes\": \"it should be a word\"}";

const TRIAGE_CALL: (&str, &str) = (
    "hand_over_triage",
    r#"{ class = "bug", severity = "low", summary = "x", criteria = ["two is 2"] }"#,
);
const OVER_CALL: (&str, &str) = ("hand_over_change", r#"{ summary = "Two is two." }"#);
const PASS_CALL: (&str, &str) = (
    "hand_over_verdict",
    r#"{ verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked" }"#,
);

/// A role's lines: by the phrase of its brief, or by its duty where it has tools.
enum Role<'a> {
    Blocks(&'a str, &'a [&'a str]),
    Tools(&'a str, &'a [(&'a str, &'a str)]),
}

fn script(roles: &[Role<'_>]) -> String {
    let mut out = String::from("says = \"scripted\"\n");
    for role in roles {
        match role {
            Role::Blocks(phrase, replies) => {
                out += &format!("\n[[run]]\nmatch = {phrase:?}\n");
                for text in *replies {
                    out += &format!("[[run.reply]]\ntext = {text:?}\n");
                }
            }
            Role::Tools(duty, calls) => {
                out += &format!("\n[[run]]\nduty = {duty:?}\n");
                for (name, input) in *calls {
                    out += "[[run.reply]]\n";
                    out += &match name.is_empty() {
                        true => format!("text = {input:?}\n"),
                        false => format!("[[run.reply.call]]\nname = {name:?}\ninput = {input}\n"),
                    };
                }
            }
        }
    }
    out
}

/// A repository, and this script as a model of that name whose edits come in that format.
fn story(format: &str, model: &str, roles: &[Role<'_>]) -> Story {
    let story = Story::new(&script(roles));
    let path = story.home.join("script.toml");
    story.configure(&format!(
        "[model]\nprovider = \"script\"\nscript = {path:?}\nmodel = {model:?}\nedit_format = {format:?}\n"
    ));
    story
}

fn lands(story: &Story) {
    story.ok(&["run", "--yes", "--plain", WORDS]);
    assert_eq!(story.read("src/numbers.txt").lines().nth(1), Some("two = 2"));
    assert_eq!(story.git(&["log", "--format=%s", "main"]).lines().count(), 2);
}

#[track_caller]
fn parks(story: &Story) {
    story.exits(2, &["run", "--yes", "--plain", WORDS]);
    assert_eq!(story.git(&["log", "--format=%s", "main"]), "start", "a lie landed");
    assert_eq!(story.git(&["status", "--porcelain"]), "");
}

/// The steps of all runs.
fn steps(story: &Story) -> Vec<StepBody> {
    let reader = story.reader();
    let runs = reader.team().unwrap().runs.keys().copied().collect::<Vec<_>>();
    let steps = runs.iter().flat_map(|it| reader.steps(*it).unwrap());
    steps.map(|it| StepBody::from_json(&it.body).unwrap()).collect()
}

/// Everything that the roles were told by the server.
fn told(story: &Story) -> String {
    let said = steps(story).into_iter().map(|it| match it {
        StepBody::Result { content, .. } => content,
        StepBody::Note { text, .. } => text,
        StepBody::Opened { .. }
        | StepBody::Reply { .. }
        | StepBody::Started { .. }
        | StepBody::Elided { .. } => String::new(),
    });
    said.collect::<Vec<_>>().join("\n")
}

fn learned(story: &Story, model: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(story.state.join("models.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    all["models"][model].clone()
}

fn patch(body: &str) -> String {
    format!("{{ patch = \"*** Begin Patch\\n{body}\\n*** End Patch\" }}")
}

#[test]
fn a_task_lands_by_a_patch_and_its_liar_does_not() {
    let protected = patch("*** Update File: .baton/team.toml\\n-version = 1\\n+version = 2");
    let half =
        patch("*** Update File: src/numbers.txt\\n-two = 3\\n+two = 2\\n*** Delete File: gone.txt");
    let fix = patch("*** Update File: src/numbers.txt\\n@@\\n one = 1\\n-two = 3\\n+two = 2");
    let edits = [("apply_patch", protected.as_str()), ("apply_patch", half.as_str()), OVER_CALL];
    let liar = story(
        "patch",
        "some-model",
        &[
            Role::Tools("triage", &[TRIAGE_CALL]),
            Role::Tools("change", &edits),
            Role::Tools("verdict", &[PASS_CALL]),
        ],
    );
    parks(&liar);
    let said = told(&liar);
    for part in ["settings for the team", "no file is changed", "nothing was changed"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let old_tool =
        ("edit_file", r#"{ path = "src/numbers.txt", old = "two = 3", new = "two = 2" }"#);
    let calls = [edits[0], edits[1], OVER_CALL, old_tool, ("apply_patch", fix.as_str()), OVER_CALL];
    let twin = story(
        "patch",
        "some-model",
        &[
            Role::Tools("triage", &[TRIAGE_CALL]),
            Role::Tools("change", &calls),
            Role::Tools("verdict", &[PASS_CALL]),
        ],
    );
    lands(&twin);
    assert!(told(&twin).contains("there is no tool `edit_file` here"));
    assert_eq!(learned(&twin, "some-model")["edits"]["patch"]["tried"], 3);
}

/// The first block is wrong: the check says so, and the second one lands.
#[test]
fn a_task_lands_by_whole_blocks() {
    let story = story(
        "whole",
        "tiny",
        &[
            Role::Blocks(PM, &["Is it a bug?", TRIAGED]),
            Role::Blocks(ENGINEER, &[WRONG, RIGHT]),
            Role::Blocks(TESTER, &[PASS]),
        ],
    );
    lands(&story);
    let said = told(&story);
    assert!(said.contains("the check `test` is red"), "{said}");
    assert_eq!(
        learned(&story, "tiny")["edits"]["whole"],
        serde_json::json!({"tried": 2, "well_formed": 2})
    );
    let task = story.ok(&["task", "T1"]);
    assert!(task.contains("Two was three there."), "{task}");
}

#[test]
fn liars_in_whole_blocks_land_nothing() {
    let claim = "Done. I ran all tests and they pass.";
    let protected = "```toml .baton/team.toml\nversion = 1\n```";
    for engineer in [[claim, claim, claim], [protected, WRONG, claim], [WRONG, WRONG, WRONG]] {
        let liar = story(
            "whole",
            "tiny",
            &[
                Role::Blocks(PM, &[TRIAGED]),
                Role::Blocks(ENGINEER, &engineer),
                Role::Blocks(TESTER, &[PASS]),
            ],
        );
        parks(&liar);
    }
    // The twin of the second one.
    let twin = story(
        "whole",
        "tiny",
        &[
            Role::Blocks(PM, &["no", "no"]),
            Role::Blocks(ENGINEER, &[protected, claim, RIGHT]),
            Role::Blocks(TESTER, &["I think it is fine.", "Fine!"]),
        ],
    );
    lands(&twin);
    let said = told(&twin);
    assert!(said.contains("settings for the team") && said.contains("no fenced block"), "{said}");
    // A Tester that says fail is heard, each time.
    let strict = story(
        "whole",
        "tiny",
        &[
            Role::Blocks(PM, &[TRIAGED]),
            Role::Blocks(ENGINEER, &[RIGHT, RIGHT, RIGHT]),
            Role::Blocks(TESTER, &[FAIL]),
        ],
    );
    parks(&strict);
}

/// A model nobody knows fails two edits of a short file: the run goes on in whole blocks, and that is
/// remembered. One that only writes text is offered no tools the next time.
#[test]
fn auto_goes_on_in_whole_blocks() {
    let miss =
        |old: &str| format!("{{ path = \"src/numbers.txt\", old = {old:?}, new = \"two = 2\" }}");
    let (first, second) = (miss("zwei = 3"), miss("drei = 3"));
    let failing = story(
        "auto",
        "clumsy",
        &[
            Role::Tools("triage", &[TRIAGE_CALL]),
            Role::Tools("change", &[("edit_file", &first), ("edit_file", &second)]),
            Role::Blocks(ENGINEER, &[RIGHT]),
            Role::Tools("verdict", &[PASS_CALL]),
        ],
    );
    lands(&failing);
    let edits = &learned(&failing, "clumsy")["edits"];
    assert_eq!(edits["replace"], serde_json::json!({"tried": 2, "well_formed": 0}));
    assert_eq!(edits["whole"], serde_json::json!({"tried": 1, "well_formed": 1}));

    let silent = story(
        "auto",
        "silent",
        &[
            Role::Tools("triage", &[("", "A bug, I think."), ("", "Yes, a bug.")]),
            Role::Blocks(PM, &[TRIAGED]),
            Role::Blocks(ENGINEER, &[RIGHT]),
            Role::Blocks(TESTER, &[PASS]),
        ],
    );
    lands(&silent);
    assert_eq!(learned(&silent, "silent")["calling_runs"], 0);
    // The Engineer and the Tester never had tools.
    let with_tools =
        steps(&silent).into_iter().filter(|it| matches!(it, StepBody::Opened { frame: None, .. }));
    assert_eq!(with_tools.count(), 1);
}
