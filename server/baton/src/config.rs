//! What the user and the workspace configured, and what is trusted.
//!
//! The user's own file is the only place for models, keys, the sandbox and where work lands. A
//! workspace's `.baton/team.toml` is read after the user trusted exactly its content, and can only
//! narrow.

mod edit_format;
mod limits;
mod model;
mod roles;
mod settings;
mod team_file;
mod toml_error;
pub mod trust;

pub use edit_format::EditFormat;
pub use limits::LimitsPatch;
pub use model::{KeySource, MODEL_KEYS, ModelConfig, Prices, Provider};
pub use roles::{Alias, Roles};
pub use settings::settings_table;
pub use team_file::{TEAM_FILE, TeamFile, parse_team_file};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use team::{Code, Failure, Limits};

/// A configuration file longer than this is none.
const FILE_BYTES_MAX: u64 = 1 << 20;
const RUNS_AT_ONCE: u32 = 2;
const DAY_MICROS: u64 = 20_000_000;
const CHECKS_AT_ONCE: u32 = 1;
const AT_ONCE_MAX: u32 = 128;
const DAEMON_IDLE_S: u64 = 600;
/// Where Ollama, llama.cpp, vLLM and LM Studio listen unless told otherwise, in this order.
const LOCAL_PORTS: [u16; 4] = [11_434, 8_080, 8_000, 1_234];
const LOCAL_PORTS_MAX: usize = 16;
/// What a repository's folder is called for people, before the hash.
const NAME_CHARS_MAX: usize = 40;

/// Where the user's things lie. Nothing is made by naming it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub config_file: PathBuf,
    pub state_dir: PathBuf,
    pub cache_dir: PathBuf,
    /// Where sockets go (`XDG_RUNTIME_DIR`), if this system has such a place.
    pub runtime_dir: Option<PathBuf>,
}

impl Home {
    /// From `BATON_CONFIG`, `BATON_STATE_DIR`, the XDG variables and `HOME`. Errors: `Config` where
    /// none of them says where.
    pub fn from_env() -> Result<Home, Failure> {
        Home::from(|name| std::env::var_os(name))
    }

    fn from(var: impl Fn(&str) -> Option<OsString>) -> Result<Home, Failure> {
        let path = |name: &str| var(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        let own = |name: &str| match path(name) {
            Some(it) if it.is_relative() => {
                Err(Failure::new(Code::Config, format!("{name} is not an absolute path"))
                    .hint("start it with /"))
            }
            other => Ok(other),
        };
        // The XDG specification wants relative paths ignored.
        let dir = |xdg: &str, below_home: &str| {
            path(xdg)
                .filter(|it| it.is_absolute())
                .or_else(|| path("HOME").map(|it| it.join(below_home)))
                .map(|it| it.join("baton"))
                .ok_or_else(|| {
                    Failure::new(Code::Config, format!("neither HOME nor {xdg} is set"))
                        .hint("set HOME to your home folder")
                })
        };
        Ok(Home {
            config_file: match own("BATON_CONFIG")? {
                Some(file) => file,
                None => dir("XDG_CONFIG_HOME", ".config")?.join("config.toml"),
            },
            state_dir: match own("BATON_STATE_DIR")? {
                Some(dir) => dir,
                None => dir("XDG_STATE_HOME", ".local/state")?,
            },
            cache_dir: dir("XDG_CACHE_HOME", ".cache")?,
            runtime_dir: path("XDG_RUNTIME_DIR").filter(|it| it.is_absolute() && it.is_dir()),
        })
    }

    /// A repository's state: `<state>/<name>-<hash8 of the canonical common directory>`. The caller
    /// makes it, with mode 0700.
    pub fn repository_dir(&self, name: &str, common_dir: &Path) -> PathBuf {
        let canonical = canonical(common_dir);
        let hash = hex(&Sha256::digest(canonical.as_os_str().as_bytes()));
        let name: String = name
            .chars()
            .map(|it| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '-' })
            .take(NAME_CHARS_MAX)
            .collect();
        let name = match name.trim_start_matches('.') {
            "" => "repository",
            name => name,
        };
        self.state_dir.join(format!("{name}-{}", &hash[..8]))
    }
}

/// What the user's own file says, with the defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `None`: none is configured; see `no_model_message`.
    pub model: Option<ModelConfig>,
    /// Names for models, and what they stand for.
    pub models: BTreeMap<String, Alias>,
    pub roles: Roles,
    /// The ports of this machine's loopback where a server is looked for when there is no model.
    pub local_ports: Vec<u16>,
    pub limits: Limits,
    /// What the person spends on one day (UTC) at most, over all repositories; micro-dollars.
    pub day_micros_max: u64,
    pub sandbox: SandboxChoice,
    pub sandbox_level: WantedLevel,
    pub land: LandConfig,
    pub runs_at_once_max: u32,
    pub checks_at_once_max: u32,
    /// A daemon without a connection and without work ends after this many seconds.
    pub daemon_idle_s_max: u64,
}

/// What happens to the project's checks where commands can't be confined. Commands that a role
/// chooses never run unconfined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxChoice {
    /// Without a sandbox each round of checks is asked for: these commands, on this commit.
    #[default]
    Required,
    /// The user answers for this machine: without a sandbox the project's checks run unconfined,
    /// unasked.
    Unconfined,
}

/// How strongly commands are to be confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WantedLevel {
    /// Full; where the machine has no namespaces, reduced.
    #[default]
    Best,
    /// Full, or nothing runs.
    Full,
    /// Reduced, even where there is more.
    Reduced,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandConfig {
    #[serde(default)]
    pub to: LandTo,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LandTo {
    /// The branch that HEAD named when the task was delegated.
    #[default]
    Target,
    /// A new branch for each task; no checkout is touched.
    Branch,
}

/// The user's file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserFile {
    model: Option<ModelConfig>,
    #[serde(default)]
    models: BTreeMap<String, Alias>,
    #[serde(default)]
    roles: Roles,
    #[serde(default)]
    local: LocalTable,
    #[serde(default)]
    limits: LimitsPatch,
    #[serde(default)]
    sandbox: SandboxTable,
    #[serde(default)]
    land: LandConfig,
    #[serde(default)]
    at_once: AtOnceTable,
    #[serde(default)]
    daemon: DaemonTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SandboxTable {
    #[serde(default)]
    checks: SandboxChoice,
    #[serde(default)]
    level: WantedLevel,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DaemonTable {
    idle_s_max: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalTable {
    ports: Option<Vec<u16>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtOnceTable {
    runs_max: Option<u32>,
    checks_max: Option<u32>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            model: None,
            models: BTreeMap::new(),
            roles: Roles::default(),
            local_ports: LOCAL_PORTS.to_vec(),
            limits: Limits::default(),
            day_micros_max: DAY_MICROS,
            sandbox: SandboxChoice::default(),
            sandbox_level: WantedLevel::default(),
            land: LandConfig::default(),
            runs_at_once_max: RUNS_AT_ONCE,
            checks_at_once_max: CHECKS_AT_ONCE,
            daemon_idle_s_max: DAEMON_IDLE_S,
        }
    }
}

impl Config {
    /// Reads the user's file; a missing one is an empty one. Without a `[model]`, Anthropic's default
    /// model where `ANTHROPIC_API_KEY` is set, else OpenAI's where `OPENAI_API_KEY` is. Errors:
    /// `Config` with file, line, column and what is wrong.
    pub fn load(home: &Home) -> Result<Config, Failure> {
        let text = read_user_file(&home.config_file)?;
        let mut config = Config::parse(&text, &home.config_file.display().to_string())?;
        if config.model.is_none() {
            config.model = ModelConfig::of_environment(|name| std::env::var_os(name));
        }
        // Known from the start, it is taken out of everything that is shown or stored. Whether it is
        // any good is asked when it is needed.
        for (_, model) in config.models_in_use() {
            if let Some(key) = model.and_then(|it| it.key).filter(KeySource::is_at_hand) {
                let _ = key.read();
            }
        }
        Ok(config)
    }

    /// The environment variables that keys are read from.
    pub fn key_variables(&self) -> Vec<String> {
        let name = |key: &KeySource| match key {
            KeySource::Env(name) => Some(name.clone()),
            KeySource::File(_) | KeySource::Command(_) => None,
        };
        let models = self.models_in_use().into_iter().filter_map(|it| it.1);
        models.filter_map(|it| it.key.as_ref().and_then(name)).collect()
    }

    fn parse(text: &str, file: &str) -> Result<Config, Failure> {
        let UserFile { model, models, roles, local, limits, sandbox, land, at_once, daemon } =
            toml_error::parse(text, file)?;
        roles.check(&models, file)?;
        let local_ports = local.ports.unwrap_or_else(|| LOCAL_PORTS.to_vec());
        if LOCAL_PORTS_MAX < local_ports.len() || local_ports.contains(&0) {
            let text = format!("{file}: `local.ports` is more than {LOCAL_PORTS_MAX}, or has a 0");
            return Err(Failure::new(Code::Config, text));
        }
        let at_once_max = |name: &str, value: Option<u32>, default| match value {
            Some(it) if !(1..=AT_ONCE_MAX).contains(&it) => Err(Failure::new(
                Code::Config,
                format!("{file}: `at_once.{name}` is not between 1 and {AT_ONCE_MAX}"),
            )),
            other => Ok(other.unwrap_or(default)),
        };
        Ok(Config {
            model,
            models,
            roles,
            local_ports,
            limits: limits.set(&Limits::default()),
            day_micros_max: limits.day_micros_max.unwrap_or(DAY_MICROS),
            sandbox: sandbox.checks,
            sandbox_level: sandbox.level,
            land,
            runs_at_once_max: at_once_max("runs_max", at_once.runs_max, RUNS_AT_ONCE)?,
            checks_at_once_max: at_once_max("checks_max", at_once.checks_max, CHECKS_AT_ONCE)?,
            daemon_idle_s_max: daemon.idle_s_max.unwrap_or(DAEMON_IDLE_S),
        })
    }
}

fn read_user_file(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let fail = |it: std::io::Error| Failure::new(Code::Config, format!("can't read {shown}: {it}"));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(fail(error)),
    };
    let about = file.metadata().map_err(fail)?;
    if about.permissions().mode() & 0o002 != 0 {
        let text = format!("everybody on this machine can change {shown}, which names commands");
        return Err(Failure::new(Code::Config, text).hint(format!("chmod o-w {shown}")));
    }
    let mut text = String::new();
    let length = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail)?;
    if FILE_BYTES_MAX < length as u64 {
        let text = format!("{shown} is longer than {FILE_BYTES_MAX} bytes");
        return Err(Failure::new(Code::Config, text));
    }
    Ok(text)
}

/// There is no model, and the ways to get one.
pub fn no_model_message() -> Failure {
    let file = Home::from_env().map_or_else(
        |_| "your config.toml".to_owned(),
        |home| home.config_file.display().to_string(),
    );
    Failure::new(Code::Key, "no model is configured, and no server of this machine answers").hint(format!(
        "one of: set ANTHROPIC_API_KEY or OPENAI_API_KEY; or start Ollama, llama-server, vLLM or LM \
         Studio here; or write [model] into {file}, with api_key_file or api_key_command, or with \
         base_url for a server of your own; or, to try Baton without a model, write [model] with \
         script = \"/path/of/a/rehearsal.toml\" there"
    ))
}

/// Where a path leads; itself where that can't be told.
fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
