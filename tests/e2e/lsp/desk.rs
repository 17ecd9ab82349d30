//! A person's desk for a test: a repository with a small project and a bug, a state folder of its
//! own, and a scripted model. Nothing outside the temporary folder is read or written.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Desk {
    dir: tempfile::TempDir,
    /// The repository, links resolved.
    pub root: PathBuf,
}

const MANIFEST: &str = "[package]\nname = \"project\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

impl Desk {
    pub fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        let desk = Desk { dir, root };
        desk.write("Cargo.toml", MANIFEST);
        desk.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"project\"\nversion = \"0.1.0\"\n",
        );
        desk.write(".gitignore", "/target\n");
        desk.write("notes.md", "# Notes\n");
        desk.write("src/lib.rs", include_str!("project/lib.rs"));
        desk.write("tests/first.rs", include_str!("project/tests.rs"));
        let script = desk.home().join("script.toml");
        std::fs::create_dir_all(desk.home()).unwrap();
        std::fs::write(&script, include_str!("project/script.toml")).unwrap();
        let config = format!("[model]\nprovider = \"script\"\nscript = {:?}\n", script);
        std::fs::write(desk.home().join("config.toml"), config).unwrap();
        desk.git(&["init", "-q", "-b", "main"]);
        desk.git(&["config", "user.name", "Person"]);
        desk.git(&["config", "user.email", "person@example.invalid"]);
        desk.git(&["add", "."]);
        desk.git(&["commit", "-q", "-m", "start"]);
        desk
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("home")
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub fn uri(&self, path: &str) -> String {
        format!("file://{}", self.root.join(path).display())
    }

    /// What git prints in the repository.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root, args)
    }

    /// What git prints in Baton's own store.
    pub fn store(&self, args: &[&str]) -> String {
        let state = self.home().join("state");
        let mut all = std::fs::read_dir(&state).unwrap().map(|it| it.unwrap().path());
        let dir = all.find(|it| it.join("store.git").is_dir()).unwrap();
        let git_dir = format!("--git-dir={}", dir.join("store.git").display());
        self.git_in(&state, &[&[git_dir.as_str()], args].concat())
    }

    fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        self.isolate(&mut command);
        let done = command.current_dir(dir).args(args).output().unwrap();
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The language server as an editor starts it.
    pub fn server(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command.args(["lsp", "--in-process"]).current_dir(&self.root);
        self.isolate(&mut command);
        command
    }

    /// An environment that is this desk's alone; the tool chain stays where it is.
    pub fn isolate(&self, command: &mut Command) {
        let keep = |name: &str| std::env::var_os(name).map(|it| (name.to_owned(), it));
        let user_home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let tools = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")];
        command.env_clear().envs(["PATH", "LANG", "TMPDIR"].into_iter().filter_map(keep));
        for (name, below) in tools {
            let set = std::env::var_os(name).unwrap_or_else(|| user_home.join(below).into());
            command.env(name, set);
        }
        let home = self.home();
        command.env("HOME", &home).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("BATON_CONFIG", home.join("config.toml"));
        command.env("BATON_STATE_DIR", home.join("state"));
        for name in ["CONFIG", "DATA", "STATE", "CACHE", "RUNTIME"] {
            let suffix = if name == "RUNTIME" { "DIR" } else { "HOME" };
            command.env(format!("XDG_{name}_{suffix}"), home.join(name.to_lowercase()));
        }
        command.stdin(Stdio::null());
    }
}
