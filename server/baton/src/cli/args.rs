//! What a person may type: every command, its options and its help. The help texts are generated
//! into `docs/cli.md`, which a test compares.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use team::{ApprovalId, Budget, Class, QuestionId, ReceiptId, TaskId};

mod look;
mod report;
mod serve;
mod setup;

pub use look::{Doctor, Explain, Explainable, Log, Status, Tools};
pub use report::{Memory, MemoryAct, Report};
pub use serve::{Daemon, DaemonWhat, Lsp};
pub use setup::{Completions, Init, Man};

/// An agent team behind your editor: delegate a task, read the proof, approve, and it lands.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "baton",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXIT_CODES,
    long_about = "An agent team behind your editor.\n\nYou say what is wrong. A PM triages it, an \
Engineer works in a worktree of its own, a Tester judges the exact commit, and the server runs \
your project's checks itself. You get one approval with the proof and the diff; nothing touches \
your branch, your index or your files before you say so."
)]
pub struct Typed {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Exit codes, shown under `baton --help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    done: landed, applied, answered; or the candidate is ready with --no-land
  1    failed; what was done is kept and `baton resume` goes on
  2    a person is needed: an approval or a question waits
  3    refused by policy or trust
  64   wrong use of a command
  70   a bug in Baton
  130  interrupted

Start here:
  baton demo                                  see it work, without a key
  baton doctor                                is this machine ready?
  baton run \"the total is wrong for refunds\"  delegate in this repository";

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The repository to work in [default: the one around the current directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub repo: Option<PathBuf>,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Plain lines: no borders, no live status, no symbols outside ASCII
    #[arg(long, global = true)]
    pub plain: bool,
    /// Do everything in this process, without the daemon
    #[arg(long, global = true, env = "BATON_IN_PROCESS", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub in_process: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    Demo(Demo),
    Run(Run),
    Resume(Resume),
    Board(Board),
    Task(Task),
    Diff(Diff),
    Checkout(Checkout),
    Explain(Explain),
    Answer(Answer),
    Undo(Undo),
    Cancel(Cancel),
    Retry(Retry),
    Say(Say),
    Replay(Replay),
    Log(Log),
    Report(Report),
    Memory(Memory),
    Trust(Trust),
    Init(Init),
    Doctor(Doctor),
    Tools(Tools),
    Bench(Bench),
    Sandbox(Sandbox),
    Status(Status),
    Daemon(Daemon),
    Completions(Completions),
    Man(Man),
    Lsp(Lsp),
}

/// Show the whole way, from a user's report to a landed fix, on a small project made for it
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Show the whole way, from a user's report to a landed fix, on a small project \
made for it.\n\nThe demo makes a real Rust crate with a real bug in a scratch folder and delegates \
the report. The model's words come from a script file; everything else is real: the snapshot, the \
worktree, the edits, the sandboxed commands, the receipts, the gates, your approval, the landing \
and the event log. It needs no key and no network.",
    after_help = "Examples:
  baton demo                      you decide in this terminal
  baton demo --yes --seed 3       another bug; the approval is answered for you
  baton demo --cheat              a lying model; each lie and what the server said
  baton demo --keep               leave the folder and print its path"
)]
pub struct Demo {
    /// Which of the five bugs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub seed: u8,
    /// Answer the approval as the person would
    #[arg(long)]
    pub yes: bool,
    /// Put a lying model on stage and show how each lie is refused
    #[arg(long, conflicts_with = "script")]
    pub cheat: bool,
    /// Play this script instead of the one that belongs to the bug
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Leave the scratch folder and print its path
    #[arg(long)]
    pub keep: bool,
}

/// Delegate a task and follow it until it lands or needs you
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Delegate a task in this repository and follow it until it lands or needs you.\
\n\nThe team starts from exactly what you see: your staged, unstaged and untracked files are in \
its snapshot, and none of them is touched. When the candidate is ready you are asked in the \
terminal; without a terminal the approval waits and the exit code is 2. Ctrl-C parks the task, a \
second Ctrl-C leaves at once; `baton resume` goes on. With --detach the task is left to the daemon \
as soon as it is delegated, and its id is printed.",
    after_help = "Examples:
  baton run \"parse() panics on an empty file\"
  baton run - < report.txt            the report from standard input
  baton run --no-land \"fix the typo in the usage text\"
  baton run --yes --json \"...\" | jq   lands by itself, but only under the strict rule
  baton run --detach \"...\"          prints T7 and returns; baton board shows how it goes
  baton run --class bug --budget 0.50 \"two is three\"

--yes is a rule for this task alone: it lands only a candidate with complete green evidence, no
risk path, nothing that runs by itself and no merge into files you have changed. Else the approval
waits and the exit code is 2."
)]
pub struct Run {
    /// What is wrong or wanted, in your words; `-` reads standard input
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Let it land by itself where the evidence is complete
    #[arg(long)]
    pub yes: bool,
    /// Stop at the candidate: the approval stays open, exit code 0
    #[arg(long, conflicts_with = "yes")]
    pub no_land: bool,
    /// Print the task's id and leave it running
    #[arg(long)]
    pub detach: bool,
    /// What the team starts from
    #[arg(long, value_name = "WHAT", default_value = "seen")]
    pub from: From,
    /// What kind of task it is; without it the team decides
    #[arg(long, value_name = "CLASS")]
    pub class: Option<TaskClass>,
    /// What it may use at most, below the configured limits: 0.50 (dollars), `200k tokens`, or both
    #[arg(long, value_name = "AMOUNT")]
    pub budget: Option<Budget>,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// Your files as they are, committed or not
    Seen,
    /// The last commit
    Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskClass {
    /// It is built and validated
    Bug,
    /// It is designed first
    Feature,
    /// It is designed first; the tests stay
    Refactor,
    /// It is changed without a design
    Docs,
    /// It is changed without a design
    Chore,
    /// It is answered and nothing is changed
    Question,
}

impl TaskClass {
    pub fn class(self) -> Class {
        match self {
            TaskClass::Bug => Class::Bug,
            TaskClass::Feature => Class::Feature,
            TaskClass::Refactor => Class::Refactor,
            TaskClass::Docs => Class::Docs,
            TaskClass::Chore => Class::Chore,
            TaskClass::Question => Class::Question,
        }
    }
}

/// Go on with everything that was under way or parked by you
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Go on with what was under way when Baton last stopped, and with the tasks that \
you parked.\n\nWithout a task, all of them; with one, that task, whatever parked it.",
    after_help = "Examples:
  baton resume
  baton resume T3 --json"
)]
pub struct Resume {
    /// Only this task
    #[arg(value_name = "TASK")]
    pub task: Option<TaskId>,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is going on: tasks, what waits for you, what it cost
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "What is going on in this repository: the open tasks, what waits for you, and \
what it cost. It reads the log and takes no lock, so it works while a run is under way.",
    after_help = "Examples:
  baton board
  baton board --all
  baton board --json | jq '.approvals'"
)]
pub struct Board {
    /// Closed tasks too
    #[arg(long)]
    pub all: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// One task whole: runs, hand-overs, receipts, decisions, cost
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "One task whole: what was asked, every run and what it handed over, every \
receipt, the decisions and the cost.",
    after_help = "Examples:
  baton task T1
  baton task T1 --json"
)]
pub struct Task {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What a task changes
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "What a task changes: of its candidate if it has one, else of its last work.",
    after_help = "Examples:
  baton diff T1
  baton diff T1 --hunks           with what --only takes
  baton diff T1 --patch | git apply --stat
  baton diff T1 --json"
)]
pub struct Diff {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// The whole patch, as `git apply` reads it
    #[arg(long)]
    pub patch: bool,
    /// Each hunk by itself, below what names it in `baton answer A1 approve --only`
    #[arg(long, conflicts_with = "patch")]
    pub hunks: bool,
    /// As JSON
    #[arg(long, conflicts_with_all = ["patch", "hunks"])]
    pub json: bool,
}

/// Put the files of a task's result into a folder of their own, to open and try
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Put the files of a task's result into a folder of their own, to open and try: of \
its candidate if it has one, else of its last work. The folder is printed; your own files and git's \
list of worktrees are not touched. Asked again it is the same folder as long as nobody changed \
anything there. Once many were made the oldest goes; what was changed in it is saved before.",
    after_help = "Examples:
  cd \"$(baton checkout T1)\"
  baton checkout T1 --json"
)]
pub struct Checkout {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be answered: an approval or a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Approval(ApprovalId),
    Question(QuestionId),
}

impl std::str::FromStr for Asked {
    type Err = String;
    fn from_str(text: &str) -> Result<Asked, String> {
        let wrong = || format!("`{text}` is nothing to answer; it looks like A1 or Q1");
        match text.chars().next() {
            Some('A' | 'a') => text.parse().map(Asked::Approval).map_err(|_| wrong()),
            Some('Q' | 'q') => text.parse().map(Asked::Question).map_err(|_| wrong()),
            Some(_) | None => Err(wrong()),
        }
    }
}

/// Decide what waits: an approval or a question
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Decide what waits for you, and follow the task until it settles.\n\n\
For an approval:\n\
  approve   land it (every path that runs by itself, or merges into a file you changed, needs its own --tick)\n\
  reject    close the task; -m says why\n\
  revise    back to the Engineer; -m says what to change\n\
            with --only those hunks alone: they are checked by themselves, and land if they are green\n\
  apply     put the change into your files, commit nothing\n\
  rebuild   build the candidate again on what is committed now\n\n\
For a question: your answer, in your words or the number of an option.",
    after_help = "Examples:
  baton answer A1 approve
  baton answer A1 approve --tick build.rs
  baton answer A1 approve --only src/a.rs --only src/b.rs:2
  baton answer A2 revise -m \"keep the old error text\"
  baton answer A2 reject -m \"we drop this feature\"
  baton answer Q1 2"
)]
pub struct Answer {
    /// What you answer: A1 for an approval, Q1 for a question
    #[arg(value_name = "ID")]
    pub asked: Asked,
    /// approve, reject, revise, apply or rebuild; or the answer to a question
    #[arg(value_name = "ANSWER", required = true, num_args = 1..)]
    pub answer: Vec<String>,
    /// A path that needs a yes of its own; repeat it for each
    #[arg(long, value_name = "PATH")]
    pub tick: Vec<String>,
    /// For approve: land this file's change, or these of its hunks, and leave the rest; repeat it
    #[arg(long, value_name = "PATH[:N]")]
    pub only: Vec<String>,
    /// Why, or what to change
    #[arg(short, value_name = "TEXT")]
    pub message: Option<String>,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Take a landed or applied change back
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Take a landed or applied change back. Where something was committed on top, the \
inverse is committed instead. Nothing of yours is overwritten: where that can't be, it is refused.",
    after_help = "Example:
  baton undo T1"
)]
pub struct Undo {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Close a task; its work stays in Baton's own store
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  baton cancel T1")]
pub struct Cancel {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Go on with a parked task
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Go on with a parked task: the step that failed starts again, and the task is \
followed until it settles.",
    after_help = "Example:
  baton retry T1"
)]
pub struct Retry {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Tell something to whoever works on a task
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Tell something to whoever works on a task, and follow it.\n\nThe run that is \
under way hears it before its model is asked next; each later run hears it too. Where none is \
under way it is written down and kept for the next one; the exit code is 0 then. It decides nothing: approvals \
and questions are answered with `baton answer`, a result is sent back with `revise`.\n\nOne \
process at a time works on a repository: while another one does, this is refused with its number; \
say it there, for example in the editor.",
    after_help = "Examples:
  baton say T1 \"keep the old error text\"
  baton say T1 - < notes.txt        from standard input
  baton task T1                     shows what was said, and who heard it"
)]
pub struct Say {
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// What you say, at most 4,000 characters; `-` reads standard input
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// One event a line, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Run the command of a receipt again, on the same commit, and compare
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Run the command of a receipt again, in the sandbox, on the same commit, and say \
whether it ended the same way.\n\nExit code 0: the same. 1: it ended differently.",
    after_help = "Examples:
  baton replay R4.3
  baton replay R4.3 --json"
)]
pub struct Replay {
    #[arg(value_name = "RECEIPT")]
    pub receipt: ReceiptId,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Show what in this repository would act, and trust exactly that
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Show what in this repository would act on Baton's behalf (`.baton/`), and trust \
exactly that content. A changed byte needs trust again. Until then Baton uses its built-in roles \
and the checks it detects. No other command ever trusts anything.",
    after_help = "Examples:
  baton trust            show it, then ask
  baton trust --yes      trust what is there now, for your own scripts
  baton trust --list     what you trust, in every repository
  baton trust --revoke   take it back"
)]
pub struct Trust {
    /// Trust what is there now without asking
    #[arg(long, conflicts_with_all = ["list", "revoke"])]
    pub yes: bool,
    /// List everything you trust
    #[arg(long, conflicts_with = "revoke")]
    pub list: bool,
    /// Take the trust of this repository back
    #[arg(long)]
    pub revoke: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How often do the gates let a wrong change through, or refuse a right one?
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "How often do the gates let a wrong change through, or refuse a right one?\n\n\
The manifest names tasks: a project with a bug, a report of it, a right fix, wrong ones, and \
hidden tests that nobody on the team sees. Each change is delegated in a scratch folder under the \
strict rule of `baton run --yes`, and what landed is judged by the hidden tests. Without --model an \
Engineer is played who hands over exactly that change, with a Tester who passes everything: only \
the gates stand between a wrong change and the branch. With --model your configured model does the \
work.\n\nPrinted are: resolved (a right change landed), false pass (a wrong one landed), false \
refusal (a right one did not), refused (a wrong one did not).",
    after_help = "Examples:
  baton bench tests/reliability/manifest.toml
  baton bench tests/reliability/manifest.toml --task clock --mutants 2
  baton bench tests/reliability/manifest.toml --model --json"
)]
pub struct Bench {
    /// The manifest: TOML with a list `tasks` of folders beside it
    #[arg(value_name = "MANIFEST")]
    pub manifest: PathBuf,
    /// Only this task; may be given again
    #[arg(long, value_name = "NAME")]
    pub task: Vec<String>,
    /// How many mutants of each right fix are tried
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=50))]
    pub mutants: u8,
    /// Let your configured model do the tasks, instead of playing given changes
    #[arg(long)]
    pub model: bool,
    /// Exit code 1 where there is a false pass or a false refusal
    #[arg(long)]
    pub strict: bool,
    /// One case a line, as JSON, and the sums
    #[arg(long)]
    pub json: bool,
}

/// Run a command the way an agent's command runs: confined, without network
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Run a command exactly as an agent's command runs: confined, without network, \
with an environment built from an allow-list, able to write one folder only. For looking at what \
an agent could do. Where there is no sandbox the command is not run. The exit code is the \
command's own.",
    after_help = "Examples:
  baton sandbox -- cargo test
  baton sandbox --dir /tmp/scratch -- sh -c 'cat ~/.ssh/id_ed25519'
  baton sandbox --slot engineer-1 -- git status"
)]
pub struct Sandbox {
    /// A slot of this repository, by name
    #[arg(long, value_name = "NAME", conflicts_with = "dir")]
    pub slot: Option<String>,
    /// A folder [default: an empty scratch folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, last = true, num_args = 1..)]
    pub command: Vec<String>,
}
