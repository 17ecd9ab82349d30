//! Every setting, for the reference in docs/configuration.md, which a test compares with this.

use super::{AT_ONCE_MAX, CHECKS_AT_ONCE, DAEMON_IDLE_S, LOCAL_PORTS, ModelConfig, RUNS_AT_ONCE};
use std::fmt::Write;
use team::Limits;

struct Setting {
    key: &'static str,
    value: &'static str,
    default: String,
    says: String,
    /// Whether a workspace's team file may lower it.
    narrows: bool,
}

fn setting(key: &'static str, value: &'static str, default: &str, says: &str) -> Setting {
    Setting { key, value, default: default.to_owned(), says: says.to_owned(), narrows: false }
}

fn limit(key: &'static str, value: &'static str, default: impl ToString, says: &str) -> Setting {
    Setting { narrows: true, ..setting(key, value, &default.to_string(), says) }
}

/// Markdown: the settings of the user's `config.toml`, one a row.
pub fn settings_table() -> String {
    let mut table = String::from(
        "| key | value | default | what it does | `.baton/team.toml` |\n|---|---|---|---|---|\n",
    );
    for it in model().into_iter().chain(roles()).chain(limits()).chain(rest()) {
        let default = match it.default.as_str() {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let narrows = if it.narrows { "may lower it" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {default} | {} | {narrows} |",
            it.key, it.value, it.says
        );
    }
    table
}

/// Every key, e.g. `limits.run_calls_max`.
#[cfg(test)]
pub(super) fn keys() -> Vec<&'static str> {
    let all = model().into_iter().chain(roles()).chain(limits()).chain(rest());
    all.map(|it| it.key).collect()
}

fn model() -> Vec<Setting> {
    let default_model = format!("{:?}", ModelConfig::anthropic().model);
    vec![
        setting(
            "model.provider",
            "`\"anthropic\"`, `\"openai\"` or `\"script\"`",
            "\"anthropic\"",
            "which wire is spoken: Anthropic's Messages, or OpenAI's Chat Completions, which most other \
             servers speak; `script` is the rehearsal: no model is running",
        ),
        setting(
            "model.base_url",
            "URL",
            "\"https://api.anthropic.com\"",
            "a server that speaks the provider's wire, with `openai` as its own documents write it \
             (mostly it ends in `/v1`) and `https://api.openai.com/v1` by default; another host than the \
             default never gets the default key",
        ),
        setting(
            "model.model",
            "name",
            &default_model,
            "the model; with `openai` it is `gpt-6-sol` at OpenAI, and must be named elsewhere",
        ),
        setting(
            "model.api_key_env",
            "name",
            "\"ANTHROPIC_API_KEY\"",
            "the environment variable that holds the key; with `openai` it is `OPENAI_API_KEY`",
        ),
        setting(
            "model.api_key_file",
            "path",
            "",
            "a file with the key alone, which only you can read (mode 0600)",
        ),
        setting(
            "model.api_key_command",
            "list of strings",
            "",
            "a command that prints the key, e.g. your password manager's; never a shell line",
        ),
        setting("model.max_output_tokens", "number", "32000", "asked of the model for each reply"),
        setting(
            "model.edit_format",
            "`\"auto\"`, `\"replace\"`, `\"patch\"` or `\"whole\"`",
            "\"auto\"",
            "how the model writes its edits: search and replace, patches, or whole blocks without \
             tools for small local models; `auto` learns it",
        ),
        setting(
            "model.window_tokens",
            "number",
            "",
            "how much the model can hold, where that is less than 200,000: old outputs are shortened in time",
        ),
        setting("model.script", "path", "", "the script of the rehearsal"),
        setting(
            "model.prices",
            "`{ input, output, cache_read, cache_write }`",
            "",
            "dollars for a million tokens, instead of the built-in ones; the last two may be left out",
        ),
    ]
}

fn roles() -> Vec<Setting> {
    let of = |key, role: &str| {
        setting(key, "a name in `[models]`", "", &format!("another model for {role}"))
    };
    let ports = LOCAL_PORTS.map(|it| it.to_string()).join(", ");
    vec![
        setting(
            "models.NAME",
            "name of a model, or a table with the keys of `[model]`",
            "",
            "a name of your own for a model: another one at the same address, or one elsewhere",
        ),
        of("roles.pm.model", "the PM"),
        of("roles.architect.model", "the Architect"),
        of("roles.engineer.model", "the Engineer"),
        of(
            "roles.engineer.retry_model",
            "an Engineer that begins anew after two builds that failed",
        ),
        of("roles.tester.model", "the Tester"),
        of("roles.marketing.model", "Marketing"),
        setting(
            "local.ports",
            "list of numbers",
            &format!("[{ports}]"),
            "the ports of this machine where a server is looked for if no model is configured; `[]`: none",
        ),
    ]
}

fn limits() -> Vec<Setting> {
    let it = Limits::default();
    let usd = |micros: u64| format!("{}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000);
    let number = "number";
    vec![
        limit("limits.run_calls_max", number, it.run_calls_max, "model calls in one run"),
        limit("limits.run_tokens_max", number, it.run_tokens_max, "tokens in one run, in and out"),
        limit(
            "limits.run_minutes_max",
            number,
            it.run_ms_max / 60_000,
            "how long one run may take",
        ),
        limit("limits.run_usd_max", "dollars", usd(it.run_micros_max), "what one run may cost"),
        limit("limits.task_usd_max", "dollars", usd(it.task_micros_max), "what one task may cost"),
        limit(
            "limits.task_tokens_max",
            number,
            it.task_tokens_max,
            "tokens in one task, in and out",
        ),
        setting(
            "limits.day_usd_max",
            "dollars",
            &usd(super::DAY_MICROS),
            "what all tasks of all repositories may cost you on one day (UTC)",
        ),
        limit(
            "limits.builds_max",
            number,
            it.builds_max,
            "how often an Engineer may try before the task waits for you",
        ),
        limit(
            "limits.questions_max",
            number,
            it.questions_max,
            "questions that one task may ask you",
        ),
        limit(
            "limits.diff_lines_max",
            number,
            it.diff_lines_max,
            "changed lines; a larger change goes back or to you",
        ),
        limit("limits.diff_files_max", number, it.diff_files_max, "changed files"),
    ]
}

fn rest() -> Vec<Setting> {
    let up_to = |what: &str| format!("{what}, 1 to {AT_ONCE_MAX}");
    vec![
        setting(
            "at_once.runs_max",
            "number",
            &RUNS_AT_ONCE.to_string(),
            &up_to("runs of roles at the same time"),
        ),
        setting(
            "at_once.checks_max",
            "number",
            &CHECKS_AT_ONCE.to_string(),
            &up_to("rounds of checks at the same time"),
        ),
        setting(
            "daemon.idle_s_max",
            "number",
            &DAEMON_IDLE_S.to_string(),
            "seconds without a connection and without work, after which the daemon ends",
        ),
        setting(
            "land.to",
            "`\"target\"` or `\"branch\"`",
            "\"target\"",
            "where an approved change lands: on the branch you delegated from, or on a new branch \
             `baton/T17-...` with no checkout touched",
        ),
        setting(
            "sandbox.level",
            "`\"best\"`, `\"full\"` or `\"reduced\"`",
            "\"best\"",
            "`best` is full, or reduced on a machine without namespaces; `full` is that or nothing; \
             `reduced` never uses bubblewrap",
        ),
        setting(
            "sandbox.checks",
            "`\"required\"` or `\"unconfined\"`",
            "\"required\"",
            "where this machine has no sandbox: `required` asks you for each round of checks, \
             `unconfined` runs the project's checks with all your rights, unasked; what an agent \
             chooses to run never runs unconfined",
        ),
    ]
}
