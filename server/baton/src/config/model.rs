//! The `[model]` table: which model serves the team, where, and where its key is kept.

use super::EditFormat;
use crate::clean;
use rustix::process::{Pid, Signal};
use secrecy::SecretString;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use team::{Code, Failure};

/// The key names that a `[model]` table may have.
pub const MODEL_KEYS: [&str; 11] = [
    "provider",
    "base_url",
    "model",
    "api_key_env",
    "api_key_file",
    "api_key_command",
    "max_output_tokens",
    "edit_format",
    "window_tokens",
    "script",
    "prices",
];

const ANTHROPIC_URL: &str = "https://api.anthropic.com";
const ANTHROPIC_MODEL: &str = "claude-sonnet-5-5";
const ANTHROPIC_KEY_ENV: &str = "ANTHROPIC_API_KEY";
const OPENAI_URL: &str = "https://api.openai.com/v1";
/// OpenAI's newer ones take tools on their other wire only.
const OPENAI_MODEL: &str = "gpt-6-sol";
const OPENAI_KEY_ENV: &str = "OPENAI_API_KEY";
const OUTPUT_TOKENS: u32 = 32_000;
/// Less holds no tool and no file.
const WINDOW_TOKENS_MIN: u64 = 2_000;
const KEY_BYTES_MAX: u64 = 16 * 1024;
/// A person may have to unlock the store that the command asks.
const KEY_COMMAND_WAIT_MAX: Duration = Duration::from_secs(60);

/// Which wire is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic's Messages API, or a server that speaks it.
    Anthropic,
    /// OpenAI's Chat Completions, or one of the many servers that speak them.
    OpenAi,
    /// The scripted rehearsal: no model is running.
    Script,
}

/// Where the key is kept. Holds no key itself, so it may be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The name of an environment variable.
    Env(String),
    /// A file that only its owner can read (mode 0600).
    File(PathBuf),
    /// A command that prints the key; never a shell line.
    Command(Vec<String>),
}

/// Dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    pub input: f64,
    pub output: f64,
    /// Left out: a tenth of `input`.
    pub cache_read: Option<f64>,
    /// Left out: one and a quarter of `input`.
    pub cache_write: Option<f64>,
}

/// The `[model]` table with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Table")]
pub struct ModelConfig {
    pub provider: Provider,
    /// Anthropic's with or without `/v1` at its end, an OpenAI-compatible one with what its server wants.
    pub base_url: String,
    pub model: String,
    /// None: no key is sent.
    pub key: Option<KeySource>,
    pub max_output_tokens: u32,
    pub edit_format: EditFormat,
    /// How much the model can hold; None: as much as the known ones do.
    pub window_tokens: Option<u64>,
    /// Overrides the built-in prices.
    pub prices: Option<Prices>,
    /// The script of `Provider::Script`.
    pub script: Option<PathBuf>,
}

impl ModelConfig {
    /// Anthropic's own service with the key from `ANTHROPIC_API_KEY`.
    pub fn anthropic() -> ModelConfig {
        ModelConfig {
            provider: Provider::Anthropic,
            base_url: ANTHROPIC_URL.to_owned(),
            model: ANTHROPIC_MODEL.to_owned(),
            key: Some(KeySource::Env(ANTHROPIC_KEY_ENV.to_owned())),
            max_output_tokens: OUTPUT_TOKENS,
            edit_format: EditFormat::Auto,
            window_tokens: None,
            prices: None,
            script: None,
        }
    }

    /// OpenAI's own service with the key from `OPENAI_API_KEY`.
    pub fn openai() -> ModelConfig {
        ModelConfig {
            provider: Provider::OpenAi,
            base_url: OPENAI_URL.to_owned(),
            model: OPENAI_MODEL.to_owned(),
            key: Some(KeySource::Env(OPENAI_KEY_ENV.to_owned())),
            ..ModelConfig::anthropic()
        }
    }

    /// The default model of the first provider whose key is in the environment.
    pub(super) fn of_environment(var: impl Fn(&str) -> Option<OsString>) -> Option<ModelConfig> {
        let is_set = |name: &str| var(name).is_some_and(|it| !it.is_empty());
        if is_set(ANTHROPIC_KEY_ENV) {
            return Some(ModelConfig::anthropic());
        }
        is_set(OPENAI_KEY_ENV).then(ModelConfig::openai)
    }

    /// A server without a key that speaks Chat Completions.
    pub fn at(base_url: String, model: String, window_tokens: Option<u64>) -> ModelConfig {
        ModelConfig { base_url, model, key: None, window_tokens, ..ModelConfig::openai() }
    }

    /// Another model at the same address.
    pub(super) fn named(&self, model: &str) -> ModelConfig {
        // A price is one model's, and so are a window and a form of edits.
        let (it, model, edit_format) = (self.clone(), model.to_owned(), EditFormat::Auto);
        ModelConfig { model, prices: None, window_tokens: None, edit_format, ..it }
    }

    /// The scripted rehearsal of that file.
    pub fn rehearsal(script: PathBuf) -> ModelConfig {
        ModelConfig {
            provider: Provider::Script,
            base_url: String::new(),
            model: "rehearsal".to_owned(),
            key: None,
            max_output_tokens: OUTPUT_TOKENS,
            edit_format: EditFormat::Auto,
            window_tokens: None,
            prices: None,
            script: Some(script),
        }
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    provider: Option<Provider>,
    base_url: Option<String>,
    model: Option<String>,
    api_key_env: Option<String>,
    api_key_file: Option<PathBuf>,
    api_key_command: Option<Vec<String>>,
    max_output_tokens: Option<u32>,
    #[serde(default)]
    edit_format: EditFormat,
    window_tokens: Option<u64>,
    script: Option<PathBuf>,
    prices: Option<Prices>,
}

impl TryFrom<Table> for ModelConfig {
    type Error = String;

    fn try_from(table: Table) -> Result<ModelConfig, String> {
        let provider = table.provider.unwrap_or(if table.script.is_some() {
            Provider::Script
        } else {
            Provider::Anthropic
        });
        let mut key = key_source(&table)?;
        let mut config = match (provider, table.script) {
            (Provider::Anthropic, None) => ModelConfig::anthropic(),
            (Provider::OpenAi, None) => ModelConfig::openai(),
            (Provider::Script, Some(script)) => ModelConfig::rehearsal(at_home(script)?),
            (Provider::Anthropic | Provider::OpenAi, Some(_)) => {
                return Err("`script` goes with `provider = \"script\"` only".to_owned());
            }
            (Provider::Script, None) => {
                return Err("`provider = \"script\"` needs `script = \"/path/of/it.toml\"`".into());
            }
        };
        if let Some(url) = table.base_url {
            // Another host must never get the key of the default one unasked.
            let bare = |it: &str| it.trim_end_matches('/').trim_end_matches("/v1").to_owned();
            let is_own = bare(&url) == bare(&config.base_url);
            if is_own && key.is_none() {
                key = config.key.take();
            }
            if provider == Provider::OpenAi && !is_own && table.model.is_none() {
                return Err(format!("which `model` does {url} serve? name it"));
            }
            config.base_url = url;
            config.key = key;
        } else if key.is_some() {
            config.key = key;
        }
        if let Some(model) = table.model {
            config.model = model;
        }
        if let Some(max) = table.max_output_tokens {
            config.max_output_tokens = max;
        }
        config.edit_format = table.edit_format;
        config.window_tokens = table.window_tokens;
        config.prices = table.prices;
        check(&config)?;
        Ok(config)
    }
}

fn key_source(table: &Table) -> Result<Option<KeySource>, String> {
    let env = table.api_key_env.clone().map(KeySource::Env);
    let file = match table.api_key_file.clone() {
        Some(path) => Some(KeySource::File(at_home(path)?)),
        None => None,
    };
    let command = table.api_key_command.clone().map(KeySource::Command);
    let mut named = [env, file, command].into_iter().flatten();
    let first = named.next();
    if named.next().is_some() {
        return Err("give one of `api_key_env`, `api_key_file` and `api_key_command`".to_owned());
    }
    if first == Some(KeySource::Command(Vec::new())) {
        return Err("`api_key_command` is empty".to_owned());
    }
    Ok(first)
}

fn check(config: &ModelConfig) -> Result<(), String> {
    if config.model.trim().is_empty() {
        return Err("`model` is empty".to_owned());
    }
    if config.max_output_tokens == 0 {
        return Err("`max_output_tokens` is 0".to_owned());
    }
    if config.window_tokens.is_some_and(|it| it < WINDOW_TOKENS_MIN) {
        return Err(format!("`window_tokens` is less than {WINDOW_TOKENS_MIN}"));
    }
    let Some(prices) = config.prices else {
        return Ok(());
    };
    let given = [Some(prices.input), Some(prices.output), prices.cache_read, prices.cache_write];
    // A million dollars for a million tokens keeps the sums far from overflow.
    if given.into_iter().flatten().any(|it| !(0.0..=1e6).contains(&it)) {
        return Err("a price is not between 0 and 1,000,000 dollars for a million tokens".into());
    }
    Ok(())
}

/// `~/x` under the home folder; other paths must be absolute, since the hub may run anywhere.
fn at_home(path: PathBuf) -> Result<PathBuf, String> {
    if let Ok(rest) = path.strip_prefix("~") {
        let home = std::env::home_dir().ok_or("no home folder for a path that starts with ~")?;
        return Ok(home.join(rest));
    }
    if path.is_absolute() {
        return Ok(path);
    }
    Err(format!("{} is not absolute (start it with / or ~/)", path.display()))
}

impl KeySource {
    /// Reads the key; blocks, for a command up to a minute.
    ///
    /// Errors: `Code::Key` with what to do; no error holds any part of what was read.
    pub fn read(&self) -> Result<SecretString, Failure> {
        let text = match self {
            KeySource::Env(name) => std::env::var(name).map_err(|_| {
                missing(format!("the environment has no {name}"))
                    .hint(format!("set {name}, or use api_key_file in [model]"))
            })?,
            KeySource::File(path) => read_file(path)?,
            KeySource::Command(argv) => run_command(argv, KEY_COMMAND_WAIT_MAX)?,
        };
        let key = text.trim();
        if key.is_empty() {
            return Err(missing(format!("{} is empty", self.name())));
        }
        if !key.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(missing(format!("{} holds more than a key", self.name()))
                .hint("it must be one line of visible ASCII characters"));
        }
        clean::keep_secret(key);
        Ok(SecretString::from(key))
    }

    /// Whether reading it only looks, and bothers nobody.
    pub(super) fn is_at_hand(&self) -> bool {
        match self {
            KeySource::Env(_) | KeySource::File(_) => true,
            KeySource::Command(_) => false,
        }
    }

    /// How the source is called in messages.
    fn name(&self) -> String {
        match self {
            KeySource::Env(name) => format!("the environment variable {name}"),
            KeySource::File(path) => format!("the key file {}", path.display()),
            KeySource::Command(argv) => format!("the output of {}", program(argv)),
        }
    }
}

fn missing(text: String) -> Failure {
    Failure::new(Code::Key, text)
}

/// The program alone: arguments may hold what is nobody's business.
fn program(argv: &[String]) -> &str {
    argv.first().map_or("", String::as_str)
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let mut file = File::open(path)
        .map_err(|it| missing(format!("the key file {shown} can't be opened: {it}")))?;
    let about = file
        .metadata()
        .map_err(|it| missing(format!("the key file {shown} can't be read: {it}")))?;
    if !about.is_file() {
        return Err(missing(format!("the key file {shown} is not a file")));
    }
    if about.permissions().mode() & 0o077 != 0 {
        return Err(missing(format!("the key file {shown} can be read by other users"))
            .hint(format!("chmod 600 {shown}")));
    }
    let mut text = String::new();
    (&mut file)
        .take(KEY_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|it| missing(format!("the key file {shown} can't be read: {it}")))?;
    Ok(text)
}

fn run_command(argv: &[String], wait_max: Duration) -> Result<String, Failure> {
    let shown = program(argv);
    let hint = "run it yourself to see why";
    let mut child = Command::new(shown)
        .args(argv.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|it| missing(format!("the key command {shown} can't be started: {it}")))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (tell, told) = mpsc::channel();
    // Its own thread, since neither reading nor waiting can be given a limit.
    std::thread::spawn(move || {
        let mut text = String::new();
        let out = child.stdout.take();
        let read = out.map(|it| it.take(KEY_BYTES_MAX).read_to_string(&mut text));
        let status = child.wait();
        // Nobody listens after the time is over.
        let _ = tell.send((read, text, status));
    });
    let Ok((read, text, status)) = told.recv_timeout(wait_max) else {
        if let Some(group) = group {
            // It may just have ended by itself.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        return Err(missing(format!("the key command {shown} took too long")).hint(hint));
    };
    match status {
        Ok(status) if !status.success() => {
            Err(missing(format!("the key command {shown} failed: {status}")).hint(hint))
        }
        Ok(_) if read.is_some_and(|it| it.is_ok()) => Ok(text),
        Ok(_) | Err(_) => {
            Err(missing(format!("the output of the key command {shown} can't be read")).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests;
