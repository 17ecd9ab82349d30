//! The hub's runner as a run sees it: journals, saves and answers, and can fall over at any step.

use baton::agent::{
    Assignment, Draft, Ended, Facts, Format, Progress, Record, Request, Seen, StepBody,
    WINDOW_TOKENS, Words, last_tree,
};
use baton::config::ModelConfig;
use baton::model::{Model, Patience};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;
use team::{Duty, Exit, Failure, Grant, ReceiptId, RunId, TreeId, Usage, Wish};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A slot, and what the runner knows; lives on when a run is cut off.
pub struct Desk {
    pub dir: TempDir,
    /// As a store holds them: text.
    pub journal: Vec<String>,
    pub ledger: Vec<Usage>,
    pub commands: Vec<Vec<String>>,
    pub handed_over: Vec<Draft>,
    pub asked: u32,
    pub progress: Vec<Progress>,
    /// What the gates say to the next hand-overs; after that they accept.
    pub refusals: VecDeque<String>,
    /// What a command prints; `NoSandbox` without it.
    pub output: Option<Vec<u8>>,
    /// From this many calls on a call is the closing one.
    pub used_up_after: Option<usize>,
    /// From this many calls on none is granted.
    pub no_money_after: Option<usize>,
    /// What a person says, each after so many calls.
    pub words: Vec<(usize, &'static str)>,
    heard: usize,
    /// What was wished for, call by call.
    pub wishes: Vec<Wish>,
    /// The runner falls over when the journal has at least so many steps.
    pub falls_at: Option<usize>,
    trees: HashMap<String, Tree>,
}

/// What a run is given.
pub struct Given<'a> {
    pub duty: Duty,
    pub brief: &'a str,
    pub window_tokens: u64,
    pub stop: CancellationToken,
    pub format: Format,
    pub may_fall: bool,
    pub facts: Facts,
}

impl Given<'_> {
    pub fn new(duty: Duty) -> Given<'static> {
        Given {
            duty,
            brief: "Fix it.\nbuild: 1 of 3",
            window_tokens: WINDOW_TOKENS,
            stop: CancellationToken::new(),
            format: Format::Replace,
            may_fall: false,
            facts: Facts::default(),
        }
    }
}

impl Desk {
    pub fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(
            dir.path().join("src/lib.rs"),
            "pub fn half(n: u32) -> u32 {\n    n / 3\n}\n",
        )
        .unwrap();
        let mut desk = Desk {
            dir,
            journal: Vec::new(),
            ledger: Vec::new(),
            commands: Vec::new(),
            handed_over: Vec::new(),
            asked: 0,
            progress: Vec::new(),
            refusals: VecDeque::new(),
            output: Some(b"1 passed\n".to_vec()),
            used_up_after: None,
            no_money_after: None,
            words: Vec::new(),
            heard: 0,
            wishes: Vec::new(),
            falls_at: None,
            trees: HashMap::new(),
        };
        desk.keep_as_start();
        desk
    }

    /// What a run without steps starts from.
    pub fn keep_as_start(&mut self) {
        let start = self.save();
        let tree = self.trees[&start.0].clone();
        self.trees.insert(String::new(), tree);
    }

    pub fn steps(&self) -> Vec<StepBody> {
        self.journal.iter().map(|it| StepBody::from_json(it).unwrap()).collect()
    }

    pub fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    /// Runs or resumes. `None`: the runner fell over.
    pub async fn work(
        &mut self,
        model: &Model,
        given: &Given<'_>,
    ) -> Option<Result<Ended, Failure>> {
        let journal = self.steps();
        self.restore(last_tree(&journal).map_or("", |it| it.0.as_str()));
        let assignment = Assignment {
            run: RunId(1),
            duty: given.duty,
            slot: self.dir.path().to_owned(),
            brief: given.brief.to_owned(),
            history: Vec::new(),
            journal,
            window_tokens: given.window_tokens,
            secret_globs: Vec::new(),
            format: given.format,
            may_fall: given.may_fall,
            record: Record::default(),
            facts: given.facts.clone(),
        };
        let (out, mut requests) = mpsc::channel(64);
        let work = baton::agent::work(assignment, model, out, &given.stop);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(request) = requests.recv() => {
                    if !self.answer(request) {
                        return None;
                    }
                }
                ended = &mut work => {
                    while let Ok(request) = requests.try_recv() {
                        self.answer(request);
                    }
                    return Some(ended);
                }
            }
        }
    }

    /// False: it fell over.
    fn answer(&mut self, request: Request) -> bool {
        match request {
            Request::Journal { steps, spent, reply } => {
                self.ledger.extend(spent.map(|it| it.usage));
                // One transaction: all of them, or none.
                self.journal.extend(steps.iter().map(|it| it.to_json().unwrap()));
                if self.falls_at.is_some_and(|it| it <= self.journal.len()) {
                    return false;
                }
                let _ = reply.send(());
            }
            Request::Words { reply } => {
                let due = self.words.iter().filter(|it| it.0 <= self.ledger.len()).count();
                let texts = self.words[self.heard.min(due)..due].iter().map(|it| it.1.to_owned());
                let words = Words { texts: texts.collect(), count: u32::try_from(due).unwrap() };
                self.heard = due;
                drop(reply.send(words));
            }
            Request::Reserve { wish, is_closing, reply } => {
                self.wishes.push(wish);
                drop(reply.send(self.granted(wish, is_closing)));
            }
            Request::Save { reply } => drop(reply.send(Ok(self.save()))),
            Request::Command { argv, dir: _, timeout_ms: _, reply } => {
                self.commands.push(argv);
                drop(reply.send(self.seen()));
            }
            Request::Check { name, reply } => {
                self.commands.push(vec![name]);
                drop(reply.send(self.seen().map(Ok)));
            }
            Request::Checkpoint { tests, note: _, reply } => {
                self.commands.push(tests);
                drop(reply.send(Ok(Ok("they failed, as they should".to_owned()))));
            }
            Request::Output { receipt, reply } => {
                let printed = self.output.clone().ok_or_else(|| format!("no {receipt}"));
                drop(reply.send(Ok(printed)));
            }
            Request::Diff { reply } => drop(reply.send(Ok(self.file("src/lib.rs")))),
            Request::HandOver { handoff, reply } => {
                let refusal = self.refusals.pop_front();
                if refusal.is_none() {
                    self.handed_over.push(handoff);
                }
                drop(reply.send(refusal.map_or(Ok(()), Err)));
            }
            Request::Ask { question: _, reply } => {
                self.asked += 1;
                drop(reply.send(Ok(())));
            }
            Request::Progress(progress) => self.progress.push(progress),
        }
        true
    }

    fn granted(&self, wish: Wish, is_closing: bool) -> Grant {
        let calls = self.ledger.len();
        if self.no_money_after.is_some_and(|it| it <= calls) {
            return Grant::No { why: "out of budget".to_owned() };
        }
        let output_tokens_max = wish.output_tokens_max;
        if self.used_up_after.is_some_and(|it| it <= calls) && !is_closing {
            let why = "The task's money is spent.".to_owned();
            return Grant::Closing { output_tokens_max: 3_000, why };
        }
        Grant::Call { output_tokens_max }
    }

    fn seen(&self) -> Result<Seen, Failure> {
        let Some(output) = self.output.clone() else {
            return Err(Failure::new(team::Code::NoSandbox, "no bwrap").hint("set sandbox = off"));
        };
        // As the hub counts: by what is recorded, so that a resumed run goes on counting.
        let n = 1 + self.journal.iter().filter(|it| it.contains("receipt R1.")).count();
        Ok(Seen {
            receipt: ReceiptId { run: RunId(1), n: u32::try_from(n).unwrap() },
            exit: Exit::Code(0),
            duration_ms: 1_000,
            output_bytes: output.len() as u64,
            output,
            tests: None,
            made: baton::agent::Made::Kept(vec![]),
        })
    }

    fn save(&mut self) -> TreeId {
        let mut tree = Tree::new();
        read_tree(self.dir.path(), self.dir.path(), &mut tree);
        let name = format!("tree{}", self.trees.len());
        self.trees.insert(name.clone(), tree);
        TreeId(name)
    }

    fn restore(&self, tree: &str) {
        for entry in std::fs::read_dir(self.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => std::fs::remove_dir_all(path).unwrap(),
                false => std::fs::remove_file(path).unwrap(),
            }
        }
        for (path, bytes) in &self.trees[tree] {
            let path = self.dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}

fn read_tree(root: &Path, dir: &Path, tree: &mut Tree) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => read_tree(root, &path, tree),
            false => {
                let bytes = std::fs::read(&path).unwrap();
                tree.insert(path.strip_prefix(root).unwrap().to_owned(), bytes);
            }
        }
    }
}

/// A model that says what the script says, over real HTTP.
pub async fn rehearse(script: &str) -> Model {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("script.toml");
    std::fs::write(&path, format!("says = \"scripted\"\n{script}")).unwrap();
    let config = ModelConfig::rehearsal(path);
    let patience = Patience { backoff: Duration::from_millis(1), ..Patience::default() };
    Model::open_with(&config, patience).await.unwrap()
}
