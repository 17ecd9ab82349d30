//! A receipt's command run again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use team::{Exit, Receipt, ReceiptId, Tests};

/// Runs the command of a receipt again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayParams {
    /// Absent: the only one that is open.
    pub repository: Option<String>,
    /// `R4.3`.
    pub receipt: String,
}

/// What was seen then and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayView {
    pub receipt: String,
    pub argv: Vec<String>,
    /// For people: how it ended then.
    pub then: String,
    pub now: String,
    /// The exit and the counts of tests are the same.
    pub same: bool,
    pub output: String,
}

impl ReplayView {
    pub fn of(receipt: &Receipt, exit: Exit, tests: Option<&Tests>, output: String) -> ReplayView {
        let counts = |it: Option<&Tests>| it.map(|it| (it.passed, it.failed));
        let then = receipt.tests.as_ref();
        ReplayView {
            receipt: ReceiptId::to_string(&receipt.id),
            argv: receipt.argv.clone(),
            then: words(receipt.exit, then),
            now: words(exit, tests),
            same: receipt.exit == exit && counts(then) == counts(tests),
            output,
        }
    }
}

fn words(exit: Exit, tests: Option<&Tests>) -> String {
    let exit = exit_text(exit);
    match tests {
        Some(it) => format!("{exit}, {} passed, {} failed", it.passed, it.failed),
        None => exit,
    }
}

/// How a command ended, for people.
pub fn exit_text(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
        Exit::TimedOut => "out of time".to_owned(),
        Exit::Interrupted => "interrupted by us".to_owned(),
    }
}
