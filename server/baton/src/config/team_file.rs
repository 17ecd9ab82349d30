//! `.baton/team.toml`: what a workspace says about itself. It names checks, adds to the paths of
//! risk and lowers limits; it can't name a model, a key, a sandbox or where work lands.

use super::{LimitsPatch, toml_error};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use team::{CheckSpec, Class, Code, Failure, REPORT_FILE, Report, Stages, Ways};
use toml::Spanned;

/// Relative to the root of the workspace.
pub const TEAM_FILE: &str = ".baton/team.toml";
const VERSION: u32 = 1;
const CHECKS_MAX: usize = 32;
const GLOBS_MAX: usize = 200;
/// Longest path of a report.
const PATH_BYTES_MAX: usize = 200;
const TIMEOUT_S: u64 = 600;
const TIMEOUT_S_MAX: u64 = 6 * 60 * 60;
const MS_PER_S: u64 = 1_000;

/// Keys that are the user's own, with the reason in one word for the message.
const USERS_ONLY: [&str; 7] = ["model", "models", "roles", "local", "sandbox", "land", "at_once"];
/// Documented, and not yet acted on: they are named to the user and break nothing.
const NOT_YET: [&str; 1] = ["schedule"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamFile {
    pub checks: Vec<CheckSpec>,
    /// Globs, added to the built-in ones.
    pub risk: Vec<String>,
    /// Globs of what no agent may write, besides what none ever may.
    pub protected: Vec<String>,
    /// Holds where it is lower than the user's.
    pub limits: LimitsPatch,
    /// The one command that may use the network, once its content was approved.
    pub setup: Option<Vec<String>>,
    /// Which stages each class of task goes through.
    pub ways: Ways,
    /// What is written there and not acted on, for one line to the person.
    pub ignored: Vec<String>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Option<u32>,
    setup: Option<SetupTable>,
    #[serde(default)]
    check: Vec<CheckTable>,
    #[serde(default)]
    paths: PathsTable,
    #[serde(default)]
    limits: LimitsPatch,
    #[serde(default)]
    class: BTreeMap<Spanned<String>, ClassTable>,
    schedule: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupTable {
    command: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckTable {
    name: String,
    command: Vec<String>,
    report: Option<String>,
    required: Option<bool>,
    timeout_s_max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassTable {
    stages: Spanned<Vec<Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathsTable {
    #[serde(default)]
    risk: Vec<String>,
    #[serde(default)]
    protected: Vec<String>,
}

/// Errors: `Config` with line, column and what is wrong.
pub fn parse_team_file(text: &str) -> Result<TeamFile, Failure> {
    let file: File = toml_error::parse(text, TEAM_FILE).map_err(explain_users_only)?;
    if let Some(version) = file.version
        && version != VERSION
    {
        return Err(wrong(format!("it has version {version}, this Baton knows {VERSION}")));
    }
    let mut ignored = Vec::new();
    for (key, value) in NOT_YET.iter().zip([file.schedule]) {
        if value.is_some() {
            ignored.push(format!("{TEAM_FILE}: `{key}` is not supported yet"));
        }
    }
    if CHECKS_MAX < file.check.len() {
        return Err(wrong(format!("it names more than {CHECKS_MAX} checks")));
    }
    if file.limits.day_micros_max.is_some() {
        return Err(wrong("`limits.day_usd_max` is not a workspace's to set".to_owned()).hint(
            "the day's money is yours, over all repositories: set it in your own config.toml",
        ));
    }
    let mut names = BTreeSet::new();
    let mut checks = Vec::new();
    for check in file.check {
        if !names.insert(check.name.clone()) {
            return Err(wrong(format!("two checks are called `{}`", check.name)));
        }
        checks.push(spec(check)?);
    }
    let setup = file.setup.map(|it| it.command);
    if let Some(argv) = &setup {
        runnable("setup", argv)?;
    }
    globs("risk", &file.paths.risk)?;
    globs("protected", &file.paths.protected)?;
    let (limits, ways) = (file.limits, ways(text, file.class)?);
    let PathsTable { risk, protected } = file.paths;
    Ok(TeamFile { checks, risk, protected, limits, setup, ways, ignored })
}

/// The usual ways, with those of the file. Errors name the line of the word that is wrong.
fn ways(text: &str, classes: BTreeMap<Spanned<String>, ClassTable>) -> Result<Ways, Failure> {
    let mut res = Ways::default();
    for (name, table) in classes {
        let at = |place: usize, what: &str| {
            let (line, column) = toml_error::place(text, place);
            let text = format!("{TEAM_FILE}, line {line}, column {column}: {what}");
            Failure::new(Code::Config, text)
        };
        let with_stages = Class::ALL.into_iter().filter(|it| res.of(*it).is_some());
        let known: Vec<&str> = with_stages.map(Class::name).collect();
        let place = name.span().start;
        let Some(class) = Class::by_name(name.get_ref()) else {
            let hint = match toml_error::nearest(name.get_ref(), &known) {
                Some(it) => format!("did you mean `{it}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let name = crate::clean::line(name.get_ref());
            return Err(at(place, &format!("there is no class `{name}`")).hint(hint));
        };
        let words: Vec<&str> = table.stages.get_ref().iter().map(|it| &**it.get_ref()).collect();
        let stages = Stages::parse(&words).map_err(|bad| {
            let word = bad.at.and_then(|it| table.stages.get_ref().get(it));
            let place = word.map_or(table.stages.span().start, |it| it.span().start);
            at(place, &crate::clean::line(&bad.text))
        })?;
        if !res.set(class, stages) {
            let what = format!("`{}` changes nothing, so it has no stages", class.name());
            return Err(at(place, &what).hint(format!("stages are for {}", known.join(", "))));
        }
    }
    Ok(res)
}

fn wrong(text: String) -> Failure {
    Failure::new(Code::Config, format!("{TEAM_FILE}: {text}"))
}

/// A known key in the wrong file deserves more than "unknown".
fn explain_users_only(failure: Failure) -> Failure {
    let key = USERS_ONLY.iter().find(|it| failure.text.contains(&format!("unknown key `{it}`")));
    match key {
        Some(key) => Failure::new(
            failure.code,
            failure.text.replace("unknown key", "not a workspace's to set:"),
        )
        .hint(format!("[{key}] belongs in your own config.toml")),
        None => failure,
    }
}

fn spec(check: CheckTable) -> Result<CheckSpec, Failure> {
    let name = check.name;
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    if name.is_empty() || 40 < name.len() || !name.chars().all(plain) {
        return Err(wrong(format!(
            "a check's name is 1 to 40 letters, digits, `-`, `_` or `.`, which `{name}` is not"
        )));
    }
    runnable(&format!("check `{name}`"), &check.command)?;
    let timeout = check.timeout_s_max.unwrap_or(TIMEOUT_S);
    if !(1..=TIMEOUT_S_MAX).contains(&timeout) {
        return Err(wrong(format!(
            "check `{name}`: `timeout_s_max` is not between 1 and {TIMEOUT_S_MAX}"
        )));
    }
    let report = match check.report.as_deref() {
        None => Report::Exit,
        Some(text) => report_of(text)
            .map_err(|hint| wrong(format!("check `{name}`: unknown report `{text}`")).hint(hint))?,
    };
    Ok(CheckSpec {
        name,
        argv: check.command,
        report,
        required: check.required.unwrap_or(true),
        timeout_ms_max: timeout * MS_PER_S,
    })
}

/// `cargo`, `exit`, `unittest`, `json:NAME` or `junit:PATH`. Errors: what would be right.
fn report_of(text: &str) -> Result<Report, String> {
    let names =
        "`cargo`, `unittest`, `json:go`, `json:jest`, `json:vitest`, `junit:PATH` or `exit`";
    if let Some(path) = text.strip_prefix("junit:") {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let inside = parts.iter().all(|it| !matches!(*it, "" | "." | ".."));
        if path.len() <= PATH_BYTES_MAX && inside && parts[0] != ".git" {
            return Ok(Report::Junit { path: path.into() });
        }
        return Err(format!(
            "`junit:PATH` is relative to the root and stays inside it; `junit:{REPORT_FILE}` is the \
             file that takes the place of `{REPORT_FILE}` in `command`"
        ));
    }
    match text {
        "cargo" => Ok(Report::Cargo),
        "exit" => Ok(Report::Exit),
        "unittest" => Ok(Report::Unittest),
        "json:go" => Ok(Report::Go),
        "json:jest" | "json:vitest" => Ok(Report::Jest),
        _ => Err(names.into()),
    }
}

fn runnable(what: &str, argv: &[String]) -> Result<(), Failure> {
    let program = argv.first().map_or("", String::as_str);
    if program.trim().is_empty() {
        return Err(wrong(format!("{what}: `command` names no program")));
    }
    if argv.iter().any(|it| it.contains('\0')) {
        return Err(wrong(format!("{what}: `command` holds a zero byte")));
    }
    Ok(())
}

fn globs(key: &str, globs: &[String]) -> Result<(), Failure> {
    if GLOBS_MAX < globs.len() {
        return Err(wrong(format!("`paths.{key}` has more than {GLOBS_MAX} entries")));
    }
    for glob in globs {
        globset::Glob::new(glob)
            .map_err(|it| wrong(format!("`paths.{key}`: `{glob}` is no glob: {}", it.kind())))?;
    }
    Ok(())
}
