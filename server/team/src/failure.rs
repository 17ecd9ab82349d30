//! The world failed: no disk, no network, no such commit. One type for the whole house; it becomes
//! an event, is shown, stored, and can be retried.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of thing failed; decides what a person can do about it and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A git repository is not as the work needs it.
    Git,
    /// The state folder or its database.
    Store,
    /// The disk is full.
    DiskFull,
    /// Another process owns this repository's hub.
    Locked,
    /// The user's or the workspace's configuration.
    Config,
    /// No key, or the provider refused it.
    Key,
    /// The model's server could not be reached, or stayed broken after retries.
    Model,
    /// The model's own words were unusable, again and again.
    Stuck,
    /// A command could not be started or watched.
    Command,
    /// No sandbox on this machine, or it failed its self-test.
    NoSandbox,
    /// A slot was deleted, moved or swapped under a running agent.
    WorktreeLost,
    /// A deadline passed.
    TimedOut,
    /// Stopped by a person or by shutdown.
    Interrupted,
    /// A bug of ours: a job panicked.
    Bug,
}

/// A failure, with a text that fits after "failed to ...: " and a hint what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: Code,
    /// A lower-case fragment without a full stop.
    pub text: String,
    /// What the person can do; may be empty.
    pub hint: String,
}

impl Failure {
    pub fn new(code: Code, text: impl Into<String>) -> Failure {
        Failure { code, text: text.into(), hint: String::new() }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = hint.into();
        self
    }

    /// Puts what was being done before the text: `context: text`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Failure {
        self.text = format!("{context}: {}", self.text);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
