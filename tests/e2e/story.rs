//! A world for whole stories: a repository of a user's, a home of its own, the real binary, and a
//! scripted model behind real HTTP. Nothing of the machine's own configuration is seen.

#![allow(dead_code, reason = "two test programs use it, each a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The check of these stories: quick, and red until the bug is gone.
const CHECK: &str = "grep -q 'two = 2' src/numbers.txt && ! grep -q 'two = 3' src/numbers.txt\n";
const TEAM_FILE: &str = "version = 1\n\n[[check]]\nname = \"test\"\ncommand = [\"sh\", \"check.sh\"]\n\
     report = \"exit\"\nrequired = true\n";

const NUMBERS: &[(&str, &str)] = &[
    ("src/numbers.txt", "one = 1\ntwo = 3\nthree = 3\nfour = 4\nfive = 5\nsix = 6\n"),
    ("check.sh", CHECK),
    (".baton/team.toml", TEAM_FILE),
    ("notes.txt", "first\nsecond\n"),
];

/// An Engineer that fixes the line, and a Tester that looks.
pub const HONEST: &str = r#"
says = "These words are scripted."

[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
[run.reply.call.input]
class = "bug"
severity = "medium"
summary = "two is three in src/numbers.txt"
criteria = ["two is 2"]

[[run]]
duty = "change"
[[run.reply]]
text = "I look at it."
[[run.reply.call]]
name = "read_file"
input = { path = "src/numbers.txt" }
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "src/numbers.txt", old = "two = 3", new = "two = 2" }
[[run.reply]]
[[run.reply.call]]
name = "run_command"
input = { command = "cat src/numbers.txt" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "Two is two.", look_first = "src/numbers.txt:2", risks = [] }

[[run]]
duty = "verdict"
[[run.reply]]
[[run.reply.call]]
name = "show_diff"
input = {}
[[run.reply]]
[[run.reply.call]]
name = "hand_over_verdict"
input = { verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked at it" }
"#;

pub struct Story {
    _dir: TempDir,
    pub root: PathBuf,
    pub home: PathBuf,
    pub state: PathBuf,
}

impl Story {
    /// A committed repository with a bug, a trusted team file, and this script as its model.
    pub fn new(script: &str) -> Story {
        Story::of(script, NUMBERS)
    }

    /// The same with other files; they hold a team file.
    pub fn of(script: &str, files: &[(&str, &str)]) -> Story {
        let dir = tempfile::Builder::new().prefix("baton-story-").tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let (root, home, state) = (base.join("repo"), base.join("home"), base.join("state"));
        for it in [&root, &home] {
            std::fs::create_dir_all(it).unwrap();
        }
        let story = Story { _dir: dir, root, home, state };
        story.fill(script, files);
        story
    }

    /// Another repository of the same person.
    pub fn beside(other: &Story, script: &str) -> Story {
        let dir = tempfile::Builder::new().prefix("baton-story-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir_all(&root).unwrap();
        let config = std::fs::read_to_string(other.home.join("config.toml")).unwrap();
        let (home, state) = (other.home.clone(), other.state.clone());
        let story = Story { _dir: dir, root, home, state };
        story.fill(script, NUMBERS);
        story.configure(&config);
        story
    }

    fn fill(&self, script: &str, files: &[(&str, &str)]) {
        let story = self;
        for (path, text) in files {
            story.write(path, text);
        }
        story.git(&["init", "-q", "-b", "main", "."]);
        story.git(&["config", "user.name", "Uma User"]);
        story.git(&["config", "user.email", "uma@example.com"]);
        story.git(&["add", "-A"]);
        story.git(&["commit", "-q", "-m", "start"]);
        std::fs::write(story.home.join("script.toml"), script).unwrap();
        let script = story.home.join("script.toml");
        story.configure(&format!("[model]\nprovider = \"script\"\nscript = {script:?}\n"));
        story.ok(&["trust", "--yes"]);
    }

    pub fn configure(&self, toml: &str) {
        std::fs::write(self.home.join("config.toml"), toml).unwrap();
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Any program, with this person's environment and nothing of the machine's.
    pub fn bare(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &self.home);
        command.env("GIT_CONFIG_GLOBAL", self.home.join("gitconfig"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true");
        command.env("BATON_CONFIG", self.home.join("config.toml"));
        command.env("BATON_STATE_DIR", &self.state).env("BATON_IN_PROCESS", "1");
        command
    }

    /// The real binary, not started yet.
    pub fn baton(&self, args: &[&str]) -> Command {
        self.bare(Path::new(env!("CARGO_BIN_EXE_baton")), args)
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.baton(args).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    pub fn ok(&self, args: &[&str]) -> String {
        self.exits(0, args)
    }

    /// Standard output of a command that must end with this code.
    pub fn exits(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "baton {args:?}:\n{out}\n{err}");
        out
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = self.bare(Path::new("git"), args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    }

    /// The kinds of the logged events, in order.
    pub fn kinds(&self) -> Vec<String> {
        self.reader().events(0, 10_000).unwrap().iter().map(|it| kind(&it.2)).collect()
    }

    pub fn reader(&self) -> baton::store::Reader {
        let place = baton::git::find(&self.root).unwrap();
        let (state_dir, none) = (self.state.clone(), PathBuf::new());
        let home = baton::config::Home {
            state_dir,
            config_file: none.clone(),
            cache_dir: none,
            runtime_dir: None,
        };
        let dir = home.repository_dir(&place.name, &place.common_dir);
        baton::store::Reader::open(&dir).unwrap()
    }
}

/// `TaskDelegated`, `RunStarted`, ...
pub fn kind(event: &team::Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{']).next().unwrap().to_string()
}
