//! One story by three doors: Neovim, VS Code and the command line, each with a daemon, each killed in the
//! middle once. `doors/story.toml` says what is done; what each door held, showed and left behind is one
//! transcript, and it is the same for all.

use super::story::Story;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod meet;
mod terminal;

const STORY: &str = include_str!("doors/story.toml");
/// The slowest door takes a minute on an idle machine.
const PLAY_S_MAX: &str = "420";

#[derive(Deserialize)]
struct Told {
    project: BTreeMap<String, String>,
    model: toml::Table,
    step: Vec<Step>,
}

#[derive(Deserialize, Serialize)]
struct Step {
    does: String,
    text: Option<String>,
    until: Until,
}

/// What the board says of T1 once a step is done.
#[derive(Deserialize, Serialize)]
struct Until {
    state: String,
    role: Option<String>,
    approval: Option<String>,
}

impl Until {
    fn holds(&self, board: &Value) -> bool {
        let task = &board["tasks"][0];
        let same = |is: &Value, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|it| is.as_str() == Some(it))
        };
        task["state"] == self.state.as_str()
            && same(&task["role"], &self.role)
            && same(&board["approvals"][0]["id"], &self.approval)
    }
}

/// What a door's driver keeps of a step.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// The tasks and approvals of a `BoardView`, as the door holds it: JSON.
    board: String,
    /// The changed lines, as the door shows them.
    shown: String,
    /// What `look.sh` finds in the repository.
    found: String,
}

struct Play {
    story: Story,
    steps: Vec<Step>,
}

impl Play {
    /// The story's project, with another script where one is given.
    fn of(script: Option<&str>) -> Play {
        let told: Told = toml::from_str(STORY).unwrap();
        let files: Vec<_> = told.project.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        let own = toml::to_string(&told.model).unwrap();
        let story = Story::of(script.unwrap_or(&own), &files);
        let play = Play { story, steps: told.step };
        std::fs::create_dir(play.kept()).unwrap();
        let steps = serde_json::to_vec(&play.steps).unwrap();
        std::fs::write(play.story.home.join("story.json"), steps).unwrap();
        play
    }

    fn kept(&self) -> PathBuf {
        self.story.home.join("kept")
    }

    /// `baton`, through the daemon.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.story.baton(args);
        command.env_remove("BATON_IN_PROCESS");
        command
    }

    /// What it prints; it must end with this code.
    fn baton(&self, args: &[&str], code: i32) -> String {
        let done = self.command(args).output().unwrap();
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), done.stderr);
        let err = String::from_utf8_lossy(&err);
        assert_eq!(done.status.code(), Some(code), "baton {args:?}\n{out}\n{err}");
        out
    }

    fn keep(&self, n: usize, board: &Value, shown: &[String]) {
        let look = here().join("look.sh");
        let found = self.story.bare(Path::new("sh"), &[look.to_str().unwrap()]).output().unwrap();
        assert!(found.status.success());
        let found = String::from_utf8(found.stdout).unwrap();
        let kept = Kept { board: board.to_string(), shown: shown.join("\n"), found };
        let file = self.kept().join(format!("{n:02}.json"));
        std::fs::write(file, serde_json::to_vec(&kept).unwrap()).unwrap();
    }

    /// All that was kept, and the log, as text without what is different each time.
    fn transcript(&self) -> String {
        let mut out = String::new();
        for (n, step) in self.steps.iter().enumerate() {
            let file = self.kept().join(format!("{n:02}.json"));
            let kept =
                std::fs::read(&file).unwrap_or_else(|_| panic!("no step {n}: {}", step.does));
            let kept: Kept = serde_json::from_slice(&kept).unwrap();
            writeln!(out, "# {}. {}\n", n + 1, step.does).unwrap();
            tell_board(&mut out, &serde_json::from_str(&kept.board).unwrap());
            for it in kept.shown.lines() {
                writeln!(out, "shown: {it}").unwrap();
            }
            writeln!(out, "\n{}", kept.found).unwrap();
        }
        writeln!(out, "# The log\n").unwrap();
        for line in self.baton(&["log", "--plain"], 0).lines() {
            // Without its number and time. When a person looks is told by editors alone.
            let line = line.get(26..).unwrap();
            if !["looks at", "works on", "leaves"]
                .iter()
                .any(|it| line.contains(&format!("You       {it} T1")))
            {
                writeln!(out, "{line}").unwrap();
            }
        }
        mask(&out)
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let _ = self.command(&["daemon", "stop"]).output();
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/editors/doors").canonicalize().unwrap()
}

/// A step's own words come and go while somebody works, so they are kept where it waits or has ended.
fn tell_board(out: &mut String, board: &Value) {
    let says = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    for task in board["tasks"].as_array().unwrap() {
        let [id, column, state, title] =
            ["id", "column", "state", "title"].map(|it| says(&task[it]));
        let now = if column == "working" { says(&task["role"]) } else { says(&task["step"]) };
        writeln!(out, "board: {id} {column} {state} \"{title}\": {now}").unwrap();
    }
    for it in board["approvals"].as_array().unwrap() {
        let [id, task, subject, proof] = ["id", "task", "subject", "proof"].map(|of| says(&it[of]));
        writeln!(out, "board: {id} of {task}, {subject}: {proof}").unwrap();
        for file in it["files"].as_array().unwrap() {
            let [path, kind] = ["path", "kind"].map(|of| says(&file[of]));
            writeln!(out, "       {kind} {path} +{} -{}", file["added"], file["removed"]).unwrap();
        }
        for of in ["receipts", "ticks", "why", "notes", "answers"] {
            let all: Vec<String> = it[of].as_array().unwrap().iter().map(says).collect();
            if !all.is_empty() {
                writeln!(out, "       {of}: {}", all.join(", ")).unwrap();
            }
        }
    }
}

/// Ids of commits, durations, counts of tokens, and the door's name.
fn mask(text: &str) -> String {
    let word = |it: &str| {
        let bare = it.trim_end_matches([',', '.', ':', ';']);
        let rest = it.get(bare.len()..).unwrap_or_default();
        let hex = bare.bytes().all(|it| it.is_ascii_hexdigit()) && bare.contains(char::is_numeric);
        if 7 <= bare.len() && hex { format!("COMMIT{rest}") } else { it.to_owned() }
    };
    let mut out = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = line.split(' ').map(word).collect();
        for n in 1..words.len() {
            let number = words[n - 1].parse::<f64>().is_ok();
            if number && ["s", "tokens"].contains(&words[n].as_str()) {
                words[n - 1] = "N".to_owned();
            }
        }
        let line = words.join(" ");
        let line =
            ["the terminal", "the editor"].iter().fold(line, |it, door| it.replace(door, "DOOR"));
        writeln!(out, "{line}").unwrap();
    }
    out
}

impl Play {
    /// Runs a driver, under a time limit; what it prints.
    fn drive(&self, program: &Path, args: &[&str]) -> String {
        let mut command = self.story.bare(Path::new("timeout"), &["--kill-after=10", PLAY_S_MAX]);
        command.arg(program).args(args).env_remove("BATON_IN_PROCESS").env("LANG", "C.UTF-8");
        command.env("BATON_TEST_TOOLS", tools());
        let done = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        let out = String::from_utf8_lossy(&done.stdout);
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
        out.into_owned()
    }

    fn by_neovim(&self, nvim: &Path) {
        let plugin = here().join("../../../editors/nvim").canonicalize().unwrap();
        let (script, home) = (here().join("nvim.lua"), &self.story.home);
        let all = [&script, &plugin, Path::new(env!("CARGO_BIN_EXE_baton")), home];
        let all = all.map(|it| it.to_str().unwrap());
        let start = ["--clean", "--headless", "-n", "-u", "NONE", "-l"];
        println!("{}", self.drive(nvim, &[&start[..], &all].concat()));
    }

    fn by_vs_code(&self) {
        let script = here().join("play.mjs");
        let home = &self.story.home;
        let all = [&script, Path::new(env!("CARGO_BIN_EXE_baton")), &self.story.root, home];
        let said = self.drive(Path::new("node"), &all.map(|it| it.to_str().unwrap()));
        assert!(said.contains("killed, and back on the right board"), "{said}");
    }
}

fn tools() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_baton")).ancestors().nth(2).unwrap();
    target.join("test-tools")
}

#[test]
fn one_story_by_three_doors() {
    let mut played = Vec::new();
    let mut play = |door, by: &dyn Fn(&Play)| {
        let play = Play::of(None);
        by(&play);
        played.push((door, play.transcript()));
    };
    play("the command line", &Play::by_command_line);
    if let Some(nvim) = super::nvim::neovim() {
        play("Neovim", &|it| it.by_neovim(&nvim));
    }
    if let Some(_alone) = super::vscode::ready() {
        play("VS Code", &Play::by_vs_code);
    }
    let kept = here().join("transcript.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&kept, &played[0].1).unwrap();
    }
    let known = std::fs::read_to_string(&kept).unwrap_or_default();
    for (door, is) in played {
        let differs = is.lines().zip(known.lines()).find(|it| it.0 != it.1);
        assert!(known == is, "{door} tells another story than the kept one: {differs:#?}\n{is}");
    }
}
