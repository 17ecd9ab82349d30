//! Whole stories of the roles and the way between them: a plan that a person approves, a change that
//! stays inside of it, notes that are documentation alone, a question that is answered.

mod answers;
mod feature;
mod memory;
mod refused;

use crate::story::Story;

/// The usual check, and a plan that waits for a person before a feature is built.
const TEAM: &str = r#"version = 1

[[check]]
name = "test"
command = ["sh", "check.sh"]
report = "exit"
required = true

[class.feature]
stages = ["design", "human:build", "build", "validate", "announce"]

[class.refactor]
stages = ["design", "build", "validate", "announce"]
"#;

/// One reply: the tool that it calls, and with what.
type Call = (&'static str, &'static str);

const FIX: Call =
    ("edit_file", r#"{ path = "src/numbers.txt", old = "two = 3", new = "two = 2" }"#);
const CHANGED: Call = ("hand_over_change", r#"{ summary = "Two is two." }"#);
const PASS: Call = (
    "hand_over_verdict",
    r#"{ verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked" }"#,
);
const PLAN: Call = (
    "hand_over_plan",
    r#"{ approach = "Set two in the list.", paths = ["src/numbers.txt"], tests = "check.sh", rejected = ["a second list: nobody reads it"], decisions = ["keep the format because scripts read it"] }"#,
);
const NOTE: Call = (
    "edit_file",
    r###"{ path = "CHANGELOG.md", old = "## Unreleased\n", new = "## Unreleased\n\n- Two is two.\n" }"###,
);
const NOTED: Call = ("hand_over_notes", r#"{ summary = "CHANGELOG: two is two" }"#);

/// What the roles say, duty by duty, one call a reply.
fn script(class: &str, runs: &[(&str, &[Call])]) -> String {
    let mut res = format!(
        "says = \"scripted\"\n\n[[run]]\nduty = \"triage\"\n[[run.reply]]\n[[run.reply.call]]\n\
         name = \"hand_over_triage\"\ninput = {{ {class}, severity = \"low\", \
         summary = \"two is to be 2\", criteria = [\"two is 2\"] }}\n"
    );
    for (duty, calls) in runs {
        res += &format!("\n[[run]]\nduty = \"{duty}\"\n");
        for (name, input) in *calls {
            res +=
                &format!("[[run.reply]]\n[[run.reply.call]]\nname = \"{name}\"\ninput = {input}\n");
        }
    }
    res
}

/// The usual project with a changelog and these stages, trusted.
fn project(script: &str) -> Story {
    let story = Story::new(script);
    story.write(".baton/team.toml", TEAM);
    story.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n");
    story.write("AGENTS.md", "Numbers are written as `name = value`.\n");
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "-m", "a changelog, stages, and a guide"]);
    story.ok(&["trust", "--yes"]);
    story
}

/// What the roles were told by their tools, and the first text of each run.
fn told(story: &Story) -> String {
    let reader = story.reader();
    let runs: Vec<team::RunId> = reader.team().unwrap().runs.keys().copied().collect();
    let steps = runs.iter().flat_map(|it| reader.steps(*it).unwrap());
    steps.map(|it| it.body).collect::<Vec<_>>().join("\n")
}

/// The duties of the runs, in order.
fn duties(story: &Story) -> Vec<team::Duty> {
    let team = story.reader().team().unwrap();
    let duty = |it: &team::Run| match it.work {
        team::Work::Role { duty, .. } => Some(duty),
        team::Work::Checks { .. } | team::Work::Setup { .. } => None,
    };
    team.runs.values().filter_map(|it| duty(it)).collect()
}
