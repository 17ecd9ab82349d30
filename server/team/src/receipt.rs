//! What the server itself saw: the checks of a project, and one receipt for every command it ran.

use crate::ids::{CommitId, Millis, ReceiptId, TreeId};
use serde::{Deserialize, Serialize};

/// A check of the project, as configured or detected when the task was delegated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// Unique within a project, e.g. `test`.
    pub name: String,
    /// The command, never a shell line.
    pub argv: Vec<String>,
    /// How the output is read.
    pub report: Report,
    /// A required check must be green before anything lands.
    pub required: bool,
    pub timeout_ms_max: u64,
}

/// What stands in a check's command for the path of a fresh file that its report goes to.
pub const REPORT_FILE: &str = "{report}";

/// How counts and failing names are read from what a check leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The text that `cargo test` prints.
    Cargo,
    /// The text that `python -m unittest -v` prints.
    Unittest,
    /// The lines of `go test -json`, on the output.
    Go,
    /// The JSON of jest and vitest: in the file `REPORT_FILE` where the command names it, else in
    /// the output's last line that is an object.
    Jest,
    /// JUnit's XML: `REPORT_FILE`, or a file, or a folder's `*.xml` files (`dir/`), relative to the
    /// root.
    Junit { path: String },
    /// Only the exit code speaks.
    Exit,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    Code(i32),
    Signal(i32),
    TimedOut,
    /// Cut off by a crash or a stop of ours; says nothing about the command.
    Interrupted,
}

/// How strongly a command was confined; printed in every approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SandboxLevel {
    /// Not confined: a person approved this exact command.
    None,
    /// Confined without namespaces: names outside can be seen and the rights of one's own files
    /// changed; there are no sockets.
    Reduced,
    Full,
}

/// What ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ran {
    /// A check of the project, by the server, in a slot that no Engineer can write.
    Check { name: String },
    /// Named tests at a checkpoint, by the server.
    Repro { name: String },
    /// A check that a role started in its own slot; no gate counts it.
    OwnCheck { name: String },
    /// A red check once more, on the same files.
    Rerun { name: String },
    /// The set-up command, with a network, as a person approved it.
    Setup,
    /// A command that a role chose; no gate counts it.
    Command,
}

/// Counts and names as read from a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tests {
    pub passed: u32,
    pub failed: u32,
    pub ignored: u32,
    /// Names of failed tests, at most 200, sorted.
    pub failing: Vec<String>,
    /// Of the tests that were asked for by name: how each ended.
    pub named: Vec<(String, Outcome)>,
    /// Why the report can't be believed, e.g. that there is none. Such a check is red.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Passed,
    Failed,
    /// It did not run: no such test, or the build failed.
    Missing,
}

/// What the server saw of one command. Written by the server alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub id: ReceiptId,
    pub ran: Ran,
    pub argv: Vec<String>,
    /// Relative to the root of the slot.
    pub dir: String,
    pub exit: Exit,
    pub duration_ms: u64,
    /// SHA-256 of the whole output (standard output and error as they came), hex.
    pub output: String,
    pub output_bytes: u64,
    /// The commit it ran on; `None` in a slot with uncommitted changes.
    pub commit: Option<CommitId>,
    /// The tree of the files it ran on.
    pub tree: Option<TreeId>,
    pub tests: Option<Tests>,
    pub sandbox: SandboxLevel,
    /// SHA-256 of the environment it got, hex.
    pub environment: String,
    pub at: Millis,
}

impl Receipt {
    /// Exit code 0, in time; and where the report counts tests, at least one ran and none failed.
    pub fn is_green(&self) -> bool {
        let is_ok = |it: &Tests| it.failed == 0 && 0 < it.passed && it.trouble.is_none();
        let tests_ok = self.tests.as_ref().is_none_or(is_ok);
        self.exit == Exit::Code(0) && tests_ok
    }
}
