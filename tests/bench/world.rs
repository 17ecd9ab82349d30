//! A world for whole tasks: a repository, a home of its own, the real binary, and a scripted model
//! behind real HTTP that remembers when each request came.

use crate::forest::{Forest, git};
use baton::model::rehearsal::{Script, Server, serve};
use baton::store::Reader;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;
use team::{Event, Millis};
use tokio::runtime::Runtime;

pub const BATON: &str = env!("CARGO_BIN_EXE_baton");

/// Red until the bug is gone.
const CHECK: &str = "grep -q 'two = 2' numbers.txt && ! grep -q 'two = 3' numbers.txt\n";
const TEAM_FILE: &str = "version = 1\n\n[[check]]\nname = \"test\"\ncommand = [\"sh\", \"check.sh\"]\n\
     report = \"exit\"\nrequired = true\n";

/// The words before and after those of the Engineer.
const TRIAGE: &str = r#"
says = "These words are scripted."

[[run]]
duty = "triage"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_triage"
[run.reply.call.input]
class = "bug"
severity = "medium"
summary = "two is three in numbers.txt"
criteria = ["two is 2"]

[[run]]
duty = "change"
"#;
const VERDICT: &str = r#"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_change"
input = { summary = "Two is two.", look_first = "numbers.txt:2", risks = [] }

[[run]]
duty = "verdict"
[[run.reply]]
[[run.reply.call]]
name = "hand_over_verdict"
input = { verdict = "pass", head = "${head}", receipts = "${receipts}", notes = "looked at it" }
"#;

pub struct World {
    pub root: PathBuf,
    place: PathBuf,
    is_checked: bool,
    server: Server,
    /// The server lives in it.
    _runtime: Runtime,
}

/// What was seen of one task from outside.
pub struct Played {
    /// When each request to the model came, in unix milliseconds.
    pub requests: Vec<f64>,
    pub events: Vec<(Millis, Event)>,
    /// What each request said.
    pub bodies: Vec<Vec<u8>>,
}

impl World {
    /// A repository of that size with a bug, a trusted check, and an Engineer who makes these calls,
    /// one a reply, before the hand-over.
    pub fn new(place: &Path, size: usize, calls: &[(&str, &str)]) -> World {
        World::make(place, size, calls, true)
    }

    /// The same without a check, so that no round of checks stands between the roles.
    pub fn unchecked(place: &Path, size: usize, calls: &[(&str, &str)]) -> World {
        World::make(place, size, calls, false)
    }

    fn make(place: &Path, size: usize, calls: &[(&str, &str)], is_checked: bool) -> World {
        let root = Forest::grow(place, "repository", size).root;
        let numbers = "one = 1\ntwo = 3\nthree = 3\nfour = 4\nfive = 5\n";
        for (path, text) in [("numbers.txt", numbers), ("check.sh", CHECK)] {
            fs::write(root.join(path), text).unwrap();
        }
        if is_checked {
            fs::create_dir_all(root.join(".baton")).unwrap();
            fs::write(root.join(".baton/team.toml"), TEAM_FILE).unwrap();
        }
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "start"]);

        let mut script = TRIAGE.to_string();
        for (tool, input) in calls {
            script += "[[run.reply]]\n[[run.reply.call]]\n";
            script += &format!("name = \"{tool}\"\ninput = {{ {input} }}\n");
        }
        script += VERDICT;
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(serve(Script::parse(&script).unwrap())).unwrap();
        fs::create_dir_all(place.join("home")).unwrap();
        let model =
            format!("[model]\nprovider = \"anthropic\"\nbase_url = {:?}\n", server.base_url);
        fs::write(place.join("home/config.toml"), model).unwrap();
        let world =
            World { root, place: place.to_path_buf(), is_checked, server, _runtime: runtime };
        if is_checked {
            world.end_with(0, world.baton(&["trust", "--yes"]));
        }
        world
    }

    pub fn baton(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BATON);
        command.args(args);
        self.at_home(&mut command);
        command
    }

    /// Nothing of the machine's own configuration is seen.
    pub fn at_home(&self, command: &mut Command) {
        let home = self.place.join("home");
        command.current_dir(&self.root).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &home);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("BATON_CONFIG", home.join("config.toml"));
        command.env("BATON_STATE_DIR", self.place.join("state")).env("BATON_IN_PROCESS", "1");
    }

    fn end_with(&self, code: i32, mut command: Command) {
        let output = command.output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{command:?}:\n{out}\n{error}");
    }

    /// Plays the task once, from the delegation until it has landed, and takes the landing back.
    /// Without evidence from checks it stops at the approval.
    pub fn play(&self) -> Played {
        self.play_as(self.baton(&["run", "--yes", "two is three"]))
    }

    pub fn play_as(&self, command: Command) -> Played {
        let known = self.server.arrivals().len();
        let version = self.version();
        if self.is_checked {
            self.end_with(0, command);
            git(&self.root, &["reset", "-q", "--hard", "HEAD~1"]);
        } else {
            self.end_with(2, command);
        }
        let since =
            |it: &std::time::SystemTime| it.duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3;
        let requests = self.server.arrivals()[known..].iter().map(since).collect();
        let bodies = self.server.requests()[known..].iter().map(|it| it.to_vec()).collect();
        let events = self.reader().unwrap().events(version, 10_000).unwrap();
        let events = events.into_iter().map(|it| (it.1, it.2)).collect();
        Played { requests, events, bodies }
    }

    fn version(&self) -> u64 {
        self.reader().map_or(0, |it| it.version().unwrap())
    }

    fn reader(&self) -> Option<Reader> {
        let dirs = fs::read_dir(self.place.join("state")).ok()?;
        let mut dirs = dirs.map(|it| it.unwrap().path());
        let dir = dirs.find(|it| it.join("baton.sqlite3").exists())?;
        Some(Reader::open(&dir).unwrap())
    }
}

impl Played {
    /// When the first hand-over of a run was accepted, in unix milliseconds.
    pub fn handed_over_at(&self) -> f64 {
        let mut all = self.events.iter();
        let it = all.find(|it| matches!(it.1, Event::RunHandedOver { .. })).unwrap();
        it.0 as f64
    }
}
