//! The `[model]` table and keys.

use super::*;
use secrecy::ExposeSecret;
use std::io::Write;

#[derive(Debug, Deserialize)]
struct Whole {
    model: ModelConfig,
}

fn table(text: &str) -> Result<ModelConfig, String> {
    let file: Result<Whole, _> = toml::from_str(&format!("[model]\n{text}"));
    file.map(|it| it.model).map_err(|it| it.message().to_owned())
}

#[test]
fn an_empty_table_is_the_default_model() {
    assert_eq!(table(""), Ok(ModelConfig::anthropic()));
    let named = table("provider = \"anthropic\"\nmodel = \"claude-opus-5-5\"").unwrap();
    assert_eq!(named.model, "claude-opus-5-5");
    assert_eq!(named.key, ModelConfig::anthropic().key);
}

#[test]
fn the_default_key_goes_to_the_default_host_only() {
    let elsewhere = table("base_url = \"http://127.0.0.1:8080/v1\"").unwrap();
    assert_eq!(elsewhere.key, None);
    let same = table("base_url = \"https://api.anthropic.com/\"").unwrap();
    assert_eq!(same.key, ModelConfig::anthropic().key);
    let own = table("base_url = \"https://x.test\"\napi_key_env = \"X_KEY\"").unwrap();
    assert_eq!(own.key, Some(KeySource::Env("X_KEY".into())));
    let command = table("api_key_command = [\"pass\", \"show\", \"x\"]").unwrap();
    let argv = ["pass", "show", "x"].map(str::to_owned).to_vec();
    assert_eq!(command.key, Some(KeySource::Command(argv)));
}

#[test]
fn an_openai_compatible_server_gets_openais_key_only_if_it_is_openais() {
    let own = table("provider = \"openai\"").unwrap();
    assert_eq!(own, ModelConfig::openai());
    for url in ["https://api.openai.com", "https://api.openai.com/v1/"] {
        let same = table(&format!("provider = \"openai\"\nbase_url = {url:?}")).unwrap();
        assert_eq!(same.key, own.key, "{url}");
    }
    let text = "provider = \"openai\"\nbase_url = \"http://127.0.0.1:8080/v1\"\nmodel = \"q\"\nwindow_tokens = 8192";
    let config = table(text).unwrap();
    assert_eq!((config.key, config.window_tokens), (None, Some(8_192)));
    // Nor does Anthropic's go there.
    let other = table("base_url = \"https://api.openai.com/v1\"").unwrap();
    assert_eq!(other.key, None);
}

#[test]
fn the_environment_names_a_provider_by_its_key() {
    let of = |set: &[&str]| {
        let var = |name: &str| set.contains(&name).then(|| OsString::from("k"));
        ModelConfig::of_environment(var).map(|it| it.provider)
    };
    assert_eq!(of(&["OPENAI_API_KEY"]), Some(Provider::OpenAi));
    assert_eq!(of(&["OPENAI_API_KEY", "ANTHROPIC_API_KEY"]), Some(Provider::Anthropic));
    assert_eq!(of(&["OTHER_KEY"]), None);
    assert_eq!(ModelConfig::of_environment(|_| Some(OsString::new())), None);
}

#[test]
fn a_script_needs_no_provider_and_a_whole_path() {
    let config = table("script = \"/a/b.toml\"\nmax_output_tokens = 9").unwrap();
    assert_eq!(config.provider, Provider::Script);
    assert_eq!(config.model, "rehearsal");
    assert_eq!(config.max_output_tokens, 9);
    assert!(table("script = \"~/b.toml\"").is_ok());
}

#[test]
fn a_form_of_edits_is_one_models() {
    let config = table("edit_format = \"whole\"").unwrap();
    assert_eq!(config.edit_format, EditFormat::Whole);
    assert_eq!(config.named("another").edit_format, EditFormat::Auto);
    assert!(table("edit_format = \"blocks\"").unwrap_err().contains("unknown variant `blocks`"));
}

#[test]
fn prices_are_read() {
    let config = table("prices = { input = 1.5, output = 6, cache_read = 0.1 }").unwrap();
    let prices = config.prices.unwrap();
    assert_eq!((prices.input, prices.output), (1.5, 6.0));
    assert_eq!((prices.cache_read, prices.cache_write), (Some(0.1), None));
}

#[test]
fn mistakes_are_named() {
    for (text, why) in [
        ("bsae_url = \"\"", "unknown field `bsae_url`"),
        ("provider = \"opneai\"", "unknown variant `opneai`"),
        ("provider = \"openai\"\nscript = \"/a\"", "goes with"),
        ("provider = \"openai\"\nbase_url = \"http://127.0.0.1:8080/v1\"", "which `model` does"),
        ("window_tokens = 10", "`window_tokens` is less than 2000"),
        ("provider = \"script\"", "needs `script"),
        ("provider = \"anthropic\"\nscript = \"/a\"", "goes with"),
        ("script = \"a.toml\"", "is not absolute"),
        ("api_key_file = \"key\"", "is not absolute"),
        ("api_key_env = \"A\"\napi_key_file = \"/a\"", "give one of"),
        ("api_key_command = []", "is empty"),
        ("model = \" \"", "`model` is empty"),
        ("max_output_tokens = 0", "is 0"),
        ("prices = { input = -1, output = 2 }", "is not between"),
        ("prices = { input = nan, output = 2 }", "is not between"),
        ("prices = { input = 1, output = 2, inptu = 3 }", "unknown field `inptu`"),
        ("prices = { input = 1 }", "missing field `output`"),
    ] {
        let error = table(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
    for key in MODEL_KEYS {
        let error = table(&format!("{key} = [[]]")).unwrap_err();
        assert!(!error.contains("unknown field"), "{key}: {error}");
    }
}

fn key_file(mode: u32, text: &[u8]) -> (tempfile::TempDir, KeySource) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let mut file = File::create(&path).unwrap();
    file.write_all(text).unwrap();
    let permissions = std::fs::Permissions::from_mode(mode);
    file.set_permissions(permissions).unwrap();
    (dir, KeySource::File(path))
}

#[test]
fn a_key_file_is_read_and_trimmed() {
    let (_dir, source) = key_file(0o600, b"  sk-test-1\n\n");
    assert_eq!(source.read().unwrap().expose_secret(), "sk-test-1");
    let (_dir, source) = key_file(0o400, b"sk-test-1");
    assert_eq!(source.read().unwrap().expose_secret(), "sk-test-1");
}

#[test]
fn a_bad_key_file_is_refused_without_quoting_it() {
    let cases: [(u32, &[u8], &str); 6] = [
        (0o644, b"sk-test-1", "can be read by other users"),
        (0o640, b"sk-test-1", "can be read by other users"),
        (0o600, b" \n", "is empty"),
        (0o600, b"sk-test-1\nsk-test-2", "holds more than a key"),
        (0o600, "sk-test-\u{fc}".as_bytes(), "holds more than a key"),
        (0o600, b"sk-test-\xff", "can't be read"),
    ];
    for (mode, text, why) in cases {
        let (_dir, source) = key_file(mode, text);
        let failure = source.read().unwrap_err();
        assert_eq!(failure.code, Code::Key);
        assert!(failure.text.contains(why), "{failure}");
        assert!(!format!("{failure:?}").contains("sk-test"), "{failure}");
    }
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("none")] {
        let failure = KeySource::File(path).read().unwrap_err();
        assert_eq!(failure.code, Code::Key);
    }
}

fn command(argv: &[&str]) -> KeySource {
    KeySource::Command(argv.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn a_command_gives_the_key() {
    let key = command(&["printf", " sk-test-%d\\n", "2"]).read().unwrap();
    assert_eq!(key.expose_secret(), "sk-test-2");
}

#[test]
fn a_failing_command_is_named_without_its_arguments() {
    let argv: [&[&str]; 4] = [
        &["sh", "-c", "echo sk-test-1; exit 3"],
        &["sh", "-c", "true sk-test-1"],
        &["/no/such/program", "sk-test-1"],
        &["sh", "-c", "yes sk-test-1"],
    ];
    for argv in argv {
        let failure = command(argv).read().unwrap_err();
        assert_eq!(failure.code, Code::Key);
        assert!(failure.text.contains(argv[0]), "{failure}");
        assert!(!format!("{failure:?}").contains("sk-test"), "{failure}");
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", pid_file.display());
    let argv = ["sh", "-c", &script].map(str::to_owned);
    let failure = run_command(&argv, Duration::from_millis(500)).unwrap_err();
    assert!(failure.text.contains("took too long"), "{failure}");
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let is_alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|it| !it.contains(") Z "))
    };
    let begun = std::time::Instant::now();
    while is_alive() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{pid} lives");
        std::thread::yield_now();
    }
}

#[test]
fn a_missing_variable_is_named() {
    let failure = KeySource::Env("BATON_NO_SUCH_KEY".into()).read().unwrap_err();
    assert_eq!(failure.code, Code::Key);
    assert!(failure.text.contains("BATON_NO_SUCH_KEY"), "{failure}");
}
