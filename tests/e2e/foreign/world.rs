//! A stranger's machine for one story: a repository, a home and a state folder of its own, the real
//! binary under a time-out, and a foreign server as the model.

use super::server::{KEY, Server};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Longer than any command takes on a loaded machine.
const COMMAND_S_MAX: &str = "300";
/// A project with a check that is quick, and red until the bug is gone.
pub const NUMBERS: &str =
    "# numbers\n\none = 1\ntwo = 3\nthree = 3\nfour = 4\nfive = 5\nsix = 6\nseven = 7\n";
const CHECK: &str = "grep -q '^two = 2$' src/numbers.txt\n";
const TEAM_FILE: &str = "version = 1\n\n[[check]]\nname = \"test\"\ncommand = [\"sh\", \"check.sh\"]\n\
     report = \"exit\"\nrequired = true\n";
pub const PROJECT: &[(&str, &str)] = &[
    ("src/numbers.txt", NUMBERS),
    ("notes.txt", "first\nsecond\nthird\n"),
    ("check.sh", CHECK),
    (".baton/team.toml", TEAM_FILE),
];

pub struct World {
    _dir: TempDir,
    base: PathBuf,
    pub root: PathBuf,
    pub home: PathBuf,
    /// Folders that come first on `PATH`.
    pub tools: Vec<PathBuf>,
}

/// What a command left.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    /// A committed repository of these files.
    pub fn new(files: &[(&str, &str)]) -> World {
        World::at("project", files)
    }

    /// The same under this name.
    pub fn at(name: &str, files: &[(&str, &str)]) -> World {
        let dir = tempfile::Builder::new().prefix("baton-foreign-").tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let (root, home) = (base.join(name), base.join("home"));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(&home).unwrap();
        let world = World { _dir: dir, base, root, home, tools: vec![] };
        for (path, text) in files {
            world.write(path, text);
        }
        world.git(&["init", "-q", "-b", "main", "."]);
        world.git(&["config", "user.name", "Uma Üser"]);
        world.git(&["config", "user.email", "uma@example.com"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", "start"]);
        world
    }

    /// The small project with its check trusted, and a stranger who can mend it. `None`: skipped.
    pub fn mended_by_stranger(plan: &Value) -> Option<(World, Server)> {
        let world = World::new(PROJECT);
        let server = world.stranger(plan)?;
        world.baton(&["trust", "--yes"]).ends(0);
        Some((world, server))
    }

    /// The same project and stranger, who is asked on the other wire.
    pub fn mended_by_chat(plan: &Value) -> Option<(World, Server)> {
        let (world, server) = World::mended_by_stranger(plan)?;
        world.configure_as("openai", &server.url, "");
        Some((world, server))
    }

    /// Starts a stranger and configures it as the model.
    pub fn stranger(&self, plan: &Value) -> Option<Server> {
        let server = Server::stranger(&self.home, plan)?;
        self.configure(&server.url, "");
        Some(server)
    }

    pub fn configure(&self, url: &str, more: &str) {
        self.configure_as("anthropic", url, more);
    }

    /// The same with the other provider's wire.
    pub fn configure_as(&self, provider: &str, url: &str, more: &str) {
        self.configure_with(&format!(
            "[model]\nprovider = {provider:?}\nbase_url = {url:?}\nmodel = \"stranger-1\"\n\
             api_key_env = \"FOREIGN_KEY\"\nprices = {{ input = 1.0, output = 2.0 }}\n{more}"
        ));
    }

    /// A configuration of exactly this text.
    pub fn configure_with(&self, text: &str) {
        std::fs::write(self.home.join("config.toml"), text).unwrap();
    }

    /// A folder beside the repository that does not exist yet.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    fn command(&self, dir: &Path, program: &str) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", COMMAND_S_MAX, program]);
        command.current_dir(dir).stdin(Stdio::null());
        self.surround(&mut command);
        command
    }

    /// An environment that is this world's alone; the tool chain stays where it is.
    pub fn surround(&self, command: &mut Command) {
        let user_home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let set = |name: &str, below: &str| {
            std::env::var_os(name).unwrap_or_else(|| user_home.join(below).into())
        };
        let path = std::env::var_os("PATH").unwrap();
        let path = self.tools.iter().cloned().chain(std::env::split_paths(&path));
        command.env_clear().env("PATH", std::env::join_paths(path).unwrap());
        command.env("CARGO_HOME", set("CARGO_HOME", ".cargo"));
        command.env("RUSTUP_HOME", set("RUSTUP_HOME", ".rustup"));
        command.env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", self.home.join("gitconfig")).env("GIT_EDITOR", "true");
        command.env("BATON_CONFIG", self.home.join("config.toml"));
        command.env("BATON_STATE_DIR", self.base.join("state")).env("FOREIGN_KEY", KEY);
        command.env("BATON_IN_PROCESS", "1");
    }

    /// The real binary in this folder, not started yet.
    pub fn baton_in(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = self.command(dir, env!("CARGO_BIN_EXE_baton"));
        command.args(args);
        command
    }

    #[track_caller]
    pub fn baton(&self, args: &[&str]) -> Said {
        said(&self.baton_in(&self.root, args).output().unwrap())
    }

    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root, args)
    }

    #[track_caller]
    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.command(dir, "git").args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// Any other program in the repository: its exit code and all it says.
    pub fn program(&self, name: &str, args: &[&str]) -> Said {
        said(&self.command(&self.root, name).args(args).output().unwrap())
    }

    /// Everything of the person's that can move: where the branches are, the index with its blobs,
    /// and the bytes of every file.
    pub fn digest(&self) -> Vec<String> {
        let mut all = vec![
            self.git(&["rev-parse", "HEAD"]),
            self.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]),
            self.git(&["ls-files", "--stage"]),
            self.git(&["stash", "list"]),
        ];
        let files = self.git(&["ls-files", "-z", "--cached", "--others"]);
        for path in files.split('\0').filter(|it| !it.is_empty()) {
            let bytes = std::fs::read(self.root.join(path)).unwrap_or_default();
            all.push(format!(
                "{path} {}",
                git2::Oid::hash_object(git2::ObjectType::Blob, &bytes).unwrap()
            ));
        }
        all
    }

    /// The lines that the commit on top removes and adds, without their context.
    pub fn landed_lines(&self, commit: &str) -> Vec<String> {
        let shown = self.git(&["show", "--format=", "-U0", commit]);
        let is_change = |it: &&str| {
            it.starts_with(['+', '-']) && !it.starts_with("+++") && !it.starts_with("---")
        };
        shown.split('\n').filter(is_change).map(str::to_owned).collect()
    }

    /// The commit on top is the fix alone, made by the person, on this parent.
    #[track_caller]
    pub fn landed_the_fix_alone(&self, parent: &str) {
        assert_eq!(self.landed_lines("HEAD"), ["-two = 3", "+two = 2"]);
        assert_eq!(self.git(&["rev-parse", "HEAD^@"]), parent);
        let who = self.git(&["log", "-1", "--format=%an <%ae> | %cn <%ce>"]);
        assert_eq!(who, "Uma Üser <uma@example.com> | Uma Üser <uma@example.com>");
        let text = self.git(&["log", "-1", "--format=%B"]);
        assert!(text.contains("Baton-Task: T"), "{text}");
    }
}

pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Said {
    /// Exactly this exit code; else everything that was said.
    #[track_caller]
    pub fn ends(self, code: i32) -> Said {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        // The key is nobody's to read.
        assert!(!self.out.contains(KEY) && !self.err.contains(KEY), "the key was shown");
        self
    }

    /// All of these stand on standard error.
    #[track_caller]
    pub fn points(self, parts: &[&str]) -> Said {
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in:\n{}", self.err);
        }
        self
    }
}
