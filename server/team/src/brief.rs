//! What a person asked for, and the limits that hold for it.

use crate::budget::Budget;
use crate::handoff::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the human asked for, in the human's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub text: String,
    pub origin: Origin,
    /// Where the person pointed, if anywhere.
    pub place: Option<Place>,
    pub start: StartFrom,
    /// The person allowed this task to land by itself under the strict rule (see `decide`).
    pub land_by_rule: bool,
    pub limits: Limits,
    /// `PATH` and the variables of tool chains, as they were where the person asked. The commands of
    /// this task run with them, also after a restart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Git's name for the linked worktree that the person was in; `None`: the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    /// What the person calls it: no rule guesses then, and no model changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// What the person gave it at most; `limits` holds it already.
    #[serde(default, skip_serializing_if = "Budget::is_none")]
    pub budget: Budget,
}

impl Brief {
    /// Words alone: they start from what the person sees, under the usual limits.
    pub fn new(text: impl Into<String>, origin: Origin) -> Brief {
        Brief {
            text: text.into(),
            origin,
            place: None,
            start: StartFrom::Seen,
            land_by_rule: false,
            limits: Limits::default(),
            environment: BTreeMap::new(),
            worktree: None,
            class: None,
            budget: Budget::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    CommandLine,
    Sentence,
    Selection,
    Diagnostic,
}

impl Origin {
    /// Through which door a task with this origin comes, as `By::Person` names them.
    pub fn door(self) -> &'static str {
        match self {
            Origin::CommandLine => "terminal",
            Origin::Sentence | Origin::Selection | Origin::Diagnostic => "editor",
        }
    }
}

/// A range in a file, lines counted from 1, both ends included; with the text that stood there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub path: String,
    pub first_line: u32,
    pub last_line: u32,
    /// At most 4,000 characters.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartFrom {
    /// What the person sees: index, working tree, unsaved buffers.
    Seen,
    /// The last commit.
    Head,
}

/// Everything is bounded. Money in micro-dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub run_calls_max: u32,
    pub run_tokens_max: u64,
    pub run_ms_max: u64,
    pub run_micros_max: u64,
    pub task_micros_max: u64,
    #[serde(default = "task_tokens_max")]
    pub task_tokens_max: u64,
    pub builds_max: u32,
    pub questions_max: u32,
    pub diff_lines_max: u32,
    pub diff_files_max: u32,
}

impl Limits {
    /// Each as it is, or as the other has it where that is lower.
    #[must_use]
    pub fn narrowed(&self, by: &Limits) -> Limits {
        Limits {
            run_calls_max: self.run_calls_max.min(by.run_calls_max),
            run_tokens_max: self.run_tokens_max.min(by.run_tokens_max),
            run_ms_max: self.run_ms_max.min(by.run_ms_max),
            run_micros_max: self.run_micros_max.min(by.run_micros_max),
            task_micros_max: self.task_micros_max.min(by.task_micros_max),
            task_tokens_max: self.task_tokens_max.min(by.task_tokens_max),
            builds_max: self.builds_max.min(by.builds_max),
            questions_max: self.questions_max.min(by.questions_max),
            diff_lines_max: self.diff_lines_max.min(by.diff_lines_max),
            diff_files_max: self.diff_files_max.min(by.diff_files_max),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            run_calls_max: 60,
            run_tokens_max: 400_000,
            run_ms_max: 30 * 60 * 1000,
            run_micros_max: 2_000_000,
            task_micros_max: 5_000_000,
            task_tokens_max: task_tokens_max(),
            builds_max: 3,
            questions_max: 4,
            diff_lines_max: 800,
            diff_files_max: 25,
        }
    }
}

/// Ten runs that use all of theirs.
fn task_tokens_max() -> u64 {
    4_000_000
}

/// What model calls cost, as the provider reported it. Money in micro-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub calls: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    /// 0 where the price is not known.
    pub micros: u64,
    /// So many of the calls went to a server that counts nothing: their tokens are an estimate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub estimated_calls: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Usage {
    pub fn add(&mut self, more: &Usage) {
        self.calls += more.calls;
        self.input_tokens += more.input_tokens;
        self.output_tokens += more.output_tokens;
        self.cache_read_tokens += more.cache_read_tokens;
        self.cache_write_tokens += more.cache_write_tokens;
        self.micros += more.micros;
        self.estimated_calls += more.estimated_calls;
    }

    /// What came after `earlier`.
    pub fn since(&self, earlier: &Usage) -> Usage {
        Usage {
            calls: self.calls.saturating_sub(earlier.calls),
            input_tokens: self.input_tokens.saturating_sub(earlier.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(earlier.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_sub(earlier.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_sub(earlier.cache_write_tokens),
            micros: self.micros.saturating_sub(earlier.micros),
            estimated_calls: self.estimated_calls.saturating_sub(earlier.estimated_calls),
        }
    }

    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens
    }
}
