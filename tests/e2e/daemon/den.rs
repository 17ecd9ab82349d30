//! A world with a daemon of its own, which ends with it.

use crate::cli::world::{Said, World, said};
use crate::lsp::client::Editor;
use serde_json::{Value, json};
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

pub struct Den {
    pub world: World,
}

impl Den {
    pub fn new(script: &str) -> Den {
        Den { world: World::with(script) }
    }

    /// The binary, to be run through the daemon.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env_remove("BATON_IN_PROCESS");
        command
    }

    pub fn baton(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// What `baton daemon status --json` says; null where none runs.
    pub fn status(&self) -> Value {
        let status = self.baton(&["daemon", "status", "--json"]);
        let says = status.json();
        assert_eq!(status.code, i32::from(says.is_null()), "{says}");
        says
    }

    pub fn pid(&self) -> i32 {
        let pid = self.status()["pid"].as_i64().expect("a daemon runs");
        i32::try_from(pid).unwrap()
    }

    /// The daemon's folder.
    pub fn folder(&self) -> PathBuf {
        self.world.state().join("daemon")
    }

    pub fn file(&self, ending: &str) -> Option<PathBuf> {
        let all = std::fs::read_dir(self.folder()).ok()?;
        let mut all = all.map(|it| it.unwrap().path());
        all.find(|it| it.to_string_lossy().ends_with(ending))
    }

    /// Returns when no daemon is left; the system says so through the lock.
    pub fn until_it_ends(&self) {
        File::open(self.file(".lock").unwrap()).unwrap().lock().unwrap();
    }

    pub fn kill(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        self.until_it_ends();
    }

    pub fn folder_uri(&self) -> String {
        format!("file://{}", self.world.repo.canonicalize().unwrap().display())
    }

    /// An editor in the repository that knows `baton/*`.
    pub fn editor(&self) -> Editor {
        let can = json!({ "experimental": { "baton": { "showMessage": false } } });
        let (mut editor, _) = Editor::open(self.command(&["lsp"]), &self.folder_uri(), can);
        editor.ignored.extend(["baton/boardChanged", "baton/attention"]);
        editor
    }

    /// Commits on the branch besides the first one.
    pub fn landed(&self) -> usize {
        let repository = git2::Repository::open(&self.world.repo).unwrap();
        let mut walk = repository.revwalk().unwrap();
        walk.push_head().unwrap();
        walk.count() - 1
    }
}

impl Drop for Den {
    fn drop(&mut self) {
        let stopped = self.baton(&["daemon", "stop"]);
        if !std::thread::panicking() {
            stopped.ends(0);
            return;
        }
        if let Some(log) = self.file("log") {
            println!("the daemon's log:\n{}", std::fs::read_to_string(log).unwrap_or_default());
        }
    }
}
