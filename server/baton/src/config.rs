//! What the user and the workspace configured, and what is trusted.

mod model;

pub use model::{KeySource, MODEL_KEYS, ModelConfig, Prices, Provider};
use std::path::{Path, PathBuf};
use team::{CheckSpec, Failure, Limits};
#[derive(Clone, Debug)]
pub struct Home {
    pub config_file: PathBuf,
    pub state_dir: PathBuf,
    pub cache_dir: PathBuf,
}
impl Home {
    pub fn repository_dir(&self, name: &str, _c: &Path) -> PathBuf {
        self.state_dir.join(name)
    }
}
#[derive(Clone, Debug)]
pub struct LandConfig {
    pub to: LandTo,
}
#[derive(Clone, Copy, Debug)]
pub enum LandTo {
    Target,
    Branch,
}
#[derive(Clone, Debug)]
pub struct Config {
    pub model: Option<ModelConfig>,
    pub limits: Limits,
    pub land: LandConfig,
    pub runs_at_once_max: u32,
    pub checks_at_once_max: u32,
}
#[derive(Clone, Debug)]
pub struct TeamFile {
    pub checks: Vec<CheckSpec>,
    pub risk: Vec<String>,
}
pub fn no_model_message() -> Failure {
    Failure::new(team::Code::Key, "x")
}
pub mod trust {
    use super::*;
    pub fn team_file(
        _h: &Home,
        _r: &Path,
        _c: &Path,
    ) -> Result<(Option<TeamFile>, Vec<String>), Failure> {
        Ok((None, vec![]))
    }
}
