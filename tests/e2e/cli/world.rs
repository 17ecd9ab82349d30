//! A world for one test: a home, a configuration, a state folder and a repository of its own, and the
//! real binary in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The check of the small project: no build tool, so a story takes a second.
const TEAM_FILE: &str = "\
[[check]]
name = \"answer\"
command = [\"grep\", \"-q\", \"right\", \"answer.txt\"]
report = \"exit\"
required = true
";

/// The words of a model that does what was asked.
pub const HONEST: &str = r#"
says = "scripted"
[[run]]
duty = "triage"
[[run.reply]]
text = "I look."
[[run.reply.call]]
name = "read_file"
input = { path = "answer.txt" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
input = { class = "bug", severity = "low", summary = "the answer is wrong", criteria = ["it is right"] }
[[run]]
duty = "change"
[[run.reply]]
[[run.reply.call]]
name = "edit_file"
input = { path = "answer.txt", old = "wrong", new = "right" }
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "made it right", look_first = "answer.txt:1", risks = [] }
[[run]]
duty = "verdict"
[[run.reply]]
[[run.reply.call]]
name = "run_check"
input = { name = "answer" }
[[run.reply]]
[[run.reply.call]]
name = "hand_over_verdict"
input = { verdict = "pass", head = "${head}", receipts = ["${receipt}"], notes = "it is right" }
"#;

pub struct World {
    pub dir: TempDir,
    pub repo: PathBuf,
}

/// What a command left.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    /// Without a repository, a model or anything else.
    pub fn empty() -> World {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("project");
        std::fs::create_dir(&repo).unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        World { dir, repo }
    }

    /// A repository with a wrong answer, a trusted check, and this script for a model.
    pub fn with(script: &str) -> World {
        let world =
            World::with_files(&[("answer.txt", "wrong\n"), (".baton/team.toml", TEAM_FILE)]);
        world.script(script);
        let trusted = world.baton(&["trust", "--yes"]);
        assert_eq!(trusted.code, 0, "{}", trusted.err);
        world
    }

    /// A repository with these files and one commit.
    pub fn with_files(files: &[(&str, &str)]) -> World {
        let world = World::empty();
        std::fs::remove_dir(&world.repo).unwrap();
        let files: Vec<_> = files.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
        let made =
            baton::git::make_repository(&world.repo, &files, "Ada", "ada@example.org", "one");
        made.unwrap();
        world
    }

    pub fn script(&self, script: &str) {
        let file = self.dir.path().join("script.toml");
        std::fs::write(&file, script).unwrap();
        self.config(&format!("[model]\nprovider = \"script\"\nscript = {file:?}\n"));
    }

    pub fn config(&self, text: &str) {
        std::fs::write(self.dir.path().join("config.toml"), text).unwrap();
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The binary with the environment of this world alone, in the repository.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command.args(arguments).current_dir(&self.repo).stdin(Stdio::null());
        self.surround(&mut command);
        command
    }

    /// Gives a command this world's environment.
    pub fn surround(&self, command: &mut Command) {
        let real_home = std::env::var_os("HOME").unwrap_or_default();
        let below_home = |name: &str, dir: &str| {
            std::env::var_os(name).unwrap_or_else(|| Path::new(&real_home).join(dir).into())
        };
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path().join("home"))
            .env("CARGO_HOME", below_home("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", below_home("RUSTUP_HOME", ".rustup"))
            .env("BATON_CONFIG", self.dir.path().join("config.toml"))
            .env("BATON_STATE_DIR", self.state())
            .env("BATON_IN_PROCESS", "1");
    }

    pub fn baton(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    pub fn answer(&self) -> String {
        std::fs::read_to_string(self.repo.join("answer.txt")).unwrap()
    }

    /// The commit that HEAD names.
    pub fn head(&self) -> String {
        let repository = git2::Repository::open(&self.repo).unwrap();
        repository.head().unwrap().target().unwrap().to_string()
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
    pub fn ends(&self, code: i32) -> &Said {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// One sentence on standard error, beginning with the program's name, with all of these in it.
    #[track_caller]
    pub fn complains(&self, parts: &[&str]) -> &Said {
        let lines: Vec<&str> = self.err.lines().collect();
        let last = lines.last().copied().unwrap_or_default();
        assert!(last.starts_with("baton: "), "no sentence: {}", self.err);
        for part in parts {
            assert!(last.contains(part), "no {part:?} in {last:?}");
        }
        self
    }

    /// Each line of standard output as JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse =
            |it: &str| serde_json::from_str(it).unwrap_or_else(|error| panic!("{error} in {it:?}"));
        self.out.lines().map(parse).collect()
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|it| panic!("{it} in {}", self.out))
    }
}
