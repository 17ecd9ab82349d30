//! The story by the command line: each step is a command, as a person types it, through the daemon.

use super::{Play, Step};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

impl Play {
    pub fn by_command_line(&self) {
        for (n, step) in self.steps.iter().enumerate() {
            let mut shown = Vec::new();
            match step.does.as_str() {
                // The next step kills it, so that nothing is asked in between.
                "delegate" => {
                    self.begin(step, n);
                    continue;
                }
                "kill" => drop(self.baton(&["resume"], 2)),
                "review" => shown = self.review(),
                "send back" => {
                    let words = step.text.as_deref().unwrap();
                    self.baton(&["answer", &self.waits(), "revise", "-m", words], 2);
                }
                "approve" => drop(self.baton(&["answer", &self.waits(), "approve"], 0)),
                "undo" => drop(self.baton(&["undo", "T1"], 0)),
                other => panic!("the command line cannot {other}"),
            }
            let board = self.board();
            assert!(step.until.holds(&board), "{}: {board:#}", step.does);
            self.keep(n, &board, &shown);
        }
    }

    /// Delegates, sees that the Engineer works, and is killed.
    fn begin(&self, step: &Step, n: usize) {
        let text = step.text.as_deref().unwrap();
        let mut command = self.command(&["run", text]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut works = || lines.find(|it| it.as_ref().unwrap().contains("Engineer"));
        let board = std::iter::repeat_with(|| {
            works().expect("the Engineer works while the command runs").unwrap();
            self.board()
        });
        let board = board.take(20).find(|it| step.until.holds(it)).expect("the Engineer at work");
        self.keep(n, &board, &[]);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn board(&self) -> Value {
        serde_json::from_str(&self.baton(&["board", "--all", "--json"], 0)).unwrap()
    }

    fn waits(&self) -> String {
        self.board()["approvals"][0]["id"].as_str().unwrap().to_owned()
    }

    fn review(&self) -> Vec<String> {
        let task = self.baton(&["task", "T1"], 0);
        let board = self.board();
        let proof = board["approvals"][0]["proof"].as_str().unwrap();
        assert!(self.baton(&["board"], 0).contains(proof), "the proof is shown: {proof}\n{task}");
        let patch = self.baton(&["diff", "T1", "--patch"], 0);
        let changed = |it: &&str| it.starts_with(['+', '-']);
        let heads = |it: &&str| it.starts_with("+++") || it.starts_with("---");
        patch.lines().filter(|it| changed(it) && !heads(it)).map(str::to_owned).collect()
    }
}
