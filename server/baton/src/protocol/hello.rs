//! The first two frames on the local socket, before a word of LSP: what a caller is and wants, and
//! what the daemon answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a caller wants from the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Wants {
    /// The language service on this connection, from here on.
    Serve,
    /// The answer itself, and nothing more.
    Status,
    /// The end of the daemon. What is under way goes on at its next start.
    Stop,
}

/// The caller's frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    pub protocol_version: u32,
    /// The caller's own version, `1.2.3`.
    pub version: String,
    pub wants: Wants,
    /// `PATH` and the variables of tool chains. A task keeps those that it was delegated with.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Names of the variables with keys, as the user's configuration has them, that are set at the
    /// caller. The keys themselves are not told.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// The daemon's frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    pub protocol_version: u32,
    /// The daemon's own version.
    pub version: String,
    pub pid: u32,
    /// It was older than the caller, or had not its keys, and was idle: it has ended. Call again and
    /// start another.
    #[serde(default)]
    pub made_room: bool,
    /// Why nothing is served; the connection ends.
    pub refused: Option<String>,
    /// A sentence for the person.
    pub notice: Option<String>,
    /// Of use to callers that want `status` or `stop`; all zero where a caller is simply served.
    pub status: DaemonStatus,
}

/// What the daemon is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    pub started_at: u64,
    /// Open connections besides this one.
    pub connections: usize,
    pub repositories: Vec<RepositoryStatus>,
}

/// One open repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryStatus {
    pub repository: String,
    /// Steps that are under way or due.
    pub under_way: usize,
    /// Approvals and questions that wait for a person.
    pub waiting: usize,
}
