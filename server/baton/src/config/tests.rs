//! Configuration that needs no file, and the table of settings against what is really read.

use super::*;
use std::collections::BTreeSet;

fn home(vars: &[(&str, &str)]) -> Result<Home, Failure> {
    Home::from(|name| {
        let found = vars.iter().find(|it| it.0 == name);
        found.map(|it| OsString::from(it.1))
    })
}

fn refused(text: &str) -> String {
    Config::parse(text, "config.toml").unwrap_err().to_string()
}

#[test]
fn places_come_from_baton_then_xdg_then_home() {
    let it = home(&[("HOME", "/h")]).unwrap();
    assert_eq!(it.config_file, Path::new("/h/.config/baton/config.toml"));
    assert_eq!(it.state_dir, Path::new("/h/.local/state/baton"));
    assert_eq!(it.cache_dir, Path::new("/h/.cache/baton"));
    let it = home(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_CONFIG_HOME", "no/way")]);
    let it = it.unwrap();
    assert_eq!(it.state_dir, Path::new("/s/baton"));
    assert_eq!(it.config_file, Path::new("/h/.config/baton/config.toml"));
    let own = [("HOME", "/h"), ("BATON_STATE_DIR", "/b"), ("BATON_CONFIG", "/c.toml")];
    let it = home(&own).unwrap();
    assert_eq!(it.state_dir, Path::new("/b"));
    assert_eq!(it.config_file, Path::new("/c.toml"));
    assert_eq!(home(&[]).unwrap_err().code, Code::Config);
    assert_eq!(home(&[("HOME", "")]).unwrap_err().code, Code::Config);
    let relative = home(&[("HOME", "/h"), ("BATON_STATE_DIR", "state")]).unwrap_err();
    assert!(relative.text.contains("BATON_STATE_DIR"), "{relative}");
}

#[test]
fn a_repository_has_one_folder_whatever_it_is_called() {
    let home = home(&[("HOME", "/h")]).unwrap();
    let name = |name: &str| {
        let dir = home.repository_dir(name, Path::new("/nowhere/at/all/.git"));
        dir.file_name().unwrap().to_string_lossy().into_owned()
    };
    let plain = name("tool");
    assert_eq!(plain.len(), "tool-".len() + 8);
    assert_eq!(name("../../etc/x y\n"), plain.replace("tool", "-..-etc-x-y-"));
    assert_eq!(name("..."), plain.replace("tool", "repository"));
    let other = home.repository_dir("tool", Path::new("/nowhere/else/.git"));
    assert!(!other.ends_with(plain));
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("", "f").unwrap(), Config::default());
    let all = "[model]\n[limits]\n[sandbox]\n[land]\n[at_once]\n";
    let config = Config::parse(all, "f").unwrap();
    assert_eq!(config.model, Some(ModelConfig::anthropic()));
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn settings_are_read_in_peoples_units() {
    let text = "
        [limits]
        run_minutes_max = 5
        run_usd_max = 0.25
        task_usd_max = 3
        builds_max = 9
        [sandbox]
        checks = \"unconfined\"
        [land]
        to = \"branch\"
        [at_once]
        runs_max = 7";
    let config = Config::parse(text, "f").unwrap();
    assert_eq!(config.limits.run_ms_max, 300_000);
    assert_eq!(config.limits.run_micros_max, 250_000);
    assert_eq!(config.limits.task_micros_max, 3_000_000);
    assert_eq!(config.limits.builds_max, 9);
    assert_eq!(config.limits.diff_lines_max, Limits::default().diff_lines_max);
    assert_eq!(config.sandbox, SandboxChoice::Unconfined);
    assert_eq!(config.land.to, LandTo::Branch);
    assert_eq!((config.runs_at_once_max, config.checks_at_once_max), (7, 1));
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_key_that_was_meant() {
    let cases = [
        (
            "[limits]\nrun_call_max = 3",
            "config.toml, line 2, column 1: unknown key `run_call_max` (did you mean `run_calls_max`?)",
        ),
        ("[modle]", "config.toml, line 1, column 2: unknown key `modle` (did you mean `model`?)"),
        (
            "[land]\nto = \"brunch\"",
            "config.toml, line 2, column 6: unknown value \"brunch\" (did you mean \"branch\"?)",
        ),
        (
            "[land]\nzzzzzzzzzz = 1",
            "config.toml, line 2, column 1: unknown key `zzzzzzzzzz` (known here: to)",
        ),
        (
            "[limits]\nrun_calls_max = \"many\"",
            "config.toml, line 2, column 17: found string, expected a number",
        ),
        (
            "[limits]\nbuilds_max = 0",
            "config.toml, line 1, column 1: `builds_max` is 0: nothing could be done",
        ),
        ("[at_once]\nruns_max = 1000", "config.toml: `at_once.runs_max` is not between 1 and 128"),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text), expected);
    }
    assert!(refused("[limits\nx").starts_with("config.toml, line 1, column"));
    assert!(refused("[limits]\nrun_usd_max = -1").contains("between 0 and"));
    assert!(refused("[limits]\nrun_usd_max = nan").contains("between 0 and"));
}

#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    let secret = ["sk-ant", "-api03-abcdefghijklmnop0123456789"].concat();
    let cases = [
        format!("[model]\napi_key_command = \"{secret}\""),
        format!("[model]\napi_key = \"{secret}\""),
        format!("[model]\n{secret} = 1"),
        format!("[model]\nprovider = \"{secret}\""),
        format!("[model]\nmax_output_tokens = \"{secret}\""),
        format!("model = \"{secret}\""),
        secret.clone(),
    ];
    for text in cases {
        let said = refused(&text);
        assert!(!said.contains(&secret[..20]), "{said}");
    }
}

/// Reads `[table]` with a key that nobody knows, and takes from the answer those that are known.
fn known_keys(table: &str) -> Vec<String> {
    let said = refused(&format!("{table}\nzzzzzzzzzzzz = 1"));
    let (_, list) = said.split_once("(known here: ").unwrap();
    list.trim_end_matches(')').split(", ").map(str::to_owned).collect()
}

#[test]
fn the_table_of_settings_names_every_key_that_is_read_and_no_other() {
    let mut read = BTreeSet::new();
    for table in known_keys("") {
        match table.as_str() {
            // Names of the person's own, for tables like [model].
            "models" => {
                assert_eq!(known_keys("[models.x]"), MODEL_KEYS);
                read.insert("models.NAME".to_owned());
            }
            "roles" => {
                for role in known_keys("[roles]") {
                    let keys = known_keys(&format!("[roles.{role}]")).into_iter();
                    read.extend(keys.map(|key| format!("roles.{role}.{key}")));
                }
            }
            _ => {
                let keys = known_keys(&format!("[{table}]")).into_iter();
                read.extend(keys.map(|key| format!("{table}.{key}")));
            }
        }
    }
    let documented: BTreeSet<String> = settings::keys().into_iter().map(str::to_owned).collect();
    assert_eq!(read, documented);
}

#[test]
fn a_workspace_lowers_limits_and_raises_none() {
    let limits = Limits::default();
    let file = parse_team_file("[limits]\nrun_calls_max = 1000\nbuilds_max = 1\nrun_usd_max = 0.5");
    let narrowed = file.unwrap().limits.narrow(&limits);
    assert_eq!(narrowed.run_calls_max, limits.run_calls_max);
    assert_eq!((narrowed.builds_max, narrowed.run_micros_max), (1, 500_000));
    let everything = LimitsPatch {
        run_calls_max: Some(u32::MAX),
        run_tokens_max: Some(u64::MAX),
        run_ms_max: Some(u64::MAX),
        run_micros_max: Some(u64::MAX),
        task_micros_max: Some(u64::MAX),
        task_tokens_max: Some(u64::MAX),
        builds_max: Some(u32::MAX),
        questions_max: Some(u32::MAX),
        diff_lines_max: Some(u32::MAX),
        diff_files_max: Some(u32::MAX),
        day_micros_max: None,
    };
    assert_eq!(everything.narrow(&limits), limits);
}

#[test]
fn no_model_names_the_ways_to_one() {
    let said = no_model_message();
    assert_eq!(said.code, Code::Key);
    for way in ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "Ollama", "api_key_command", "script"] {
        assert!(said.hint.contains(way), "{said}");
    }
}
