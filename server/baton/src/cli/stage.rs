//! The stage of a demo or a bench: a scratch folder with a project, a configuration and a state
//! folder of its own. Nothing of the user's is read or written.

use super::open::{Doing, Here, Trouble};
use crate::config::Home;
use crate::git;
use std::path::{Path, PathBuf};

/// The person on stage, in its repository's own configuration.
const PERSON: (&str, &str) = ("Demo Person", "demo@example.org");

pub struct Stage {
    /// Removed with everything in it when this is dropped.
    scratch: Option<tempfile::TempDir>,
    pub project: PathBuf,
    pub here: Here,
}

impl Stage {
    /// Makes the project of these files (path, text) with its first commit, and this configuration.
    pub fn set(name: &str, files: &[(String, String)], config: &str) -> Result<Stage, Trouble> {
        let prefix = format!("baton-{name}-");
        let made = tempfile::Builder::new().prefix(&prefix).tempdir();
        let scratch = made.doing("make a scratch folder")?;
        // Links in the path (as for /tmp on some systems) would confuse build tools.
        let root = scratch.path().canonicalize().doing("open the scratch folder")?;
        let (project, home) = (root.join(name), root.join("baton"));
        std::fs::create_dir(&home).doing("make a scratch folder")?;
        let home = Home {
            config_file: home.join("config.toml"),
            state_dir: home.join("state"),
            cache_dir: home.join("cache"),
            runtime_dir: None,
        };
        std::fs::write(&home.config_file, config).doing("write the configuration")?;
        let (person, email) = PERSON;
        git::make_repository(&project, files, person, email, &format!("The {name} project"))
            .doing("make the project")?;
        let place = git::find(&project).doing("find the project")?;
        let state = home.repository_dir(&place.name, &place.common_dir);
        let here = Here { home, place, state, repo_option: String::new(), in_process: true };
        Ok(Stage { scratch: Some(scratch), project, here })
    }

    /// Puts this script in the model's place: the configuration that was set is replaced.
    pub fn play(&self, script: &str) -> Result<(), Trouble> {
        let file = self.here.home.config_file.with_file_name("script.toml");
        std::fs::write(&file, script).doing("write the script")?;
        let path = toml::Value::String(file.to_string_lossy().into_owned());
        let config = format!("[model]\nprovider = \"script\"\nscript = {path}\n");
        std::fs::write(&self.here.home.config_file, config).doing("write the configuration")
    }

    /// Leaves the folder where it is.
    pub fn keep(&mut self) {
        self.scratch.take().map(tempfile::TempDir::keep);
    }

    /// Everything of the user's that a task could touch without leave: each file of the project (that
    /// git's own folder holds, too) and of the folder around it, with a digest.
    pub fn fingerprint(&self) -> Result<Vec<(PathBuf, u64)>, Trouble> {
        let mut found = Vec::new();
        let around = self.project.parent().unwrap_or(&self.project);
        let inside_baton = around.join("baton");
        walk(around, &inside_baton, &mut found).doing("look at the project")?;
        found.sort();
        Ok(found)
    }
}

fn walk(dir: &Path, but: &Path, found: &mut Vec<(PathBuf, u64)>) -> std::io::Result<()> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        // The one thing that a task leaves in the user's repository: a ref that keeps its base.
        if path == but || path.ends_with(".git/refs/baton") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&path, but, found)?;
        } else {
            let mut digest = DefaultHasher::new();
            if entry.file_type()?.is_symlink() {
                std::fs::read_link(&path)?.hash(&mut digest);
            } else {
                std::fs::read(&path)?.hash(&mut digest);
            }
            found.push((path, digest.finish()));
        }
    }
    Ok(())
}
