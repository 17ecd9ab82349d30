//! What is known of a model's edits, and the edit format that follows from it.

use super::Format;
use crate::agent::journal::StepBody;
use crate::agent::talk;
use crate::agent::tools::Tool;
use crate::config::EditFormat;
use crate::model::Block;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// More are halved: what a model did long ago counts less.
const TRIED_MAX: u32 = 100;
/// Fewer say nothing.
const TRIED_MIN: u32 = 4;
/// Below this share of well-formed edits a model is better off with whole blocks.
const WELL_FORMED_PERCENT_MIN: u32 = 50;
/// So many runs in whole blocks after one without a call it is offered tools again.
const SILENCE_LASTS: u32 = 10;
/// Replies in a row without a call, before the first call of a run.
pub const SILENT_MAX: u32 = 2;

/// Edits of one model in one format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub tried: u32,
    pub well_formed: u32,
}

/// What is known of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(default)]
    pub edits: BTreeMap<Format, Rate>,
    /// Runs in which it called a tool.
    #[serde(default)]
    pub calling_runs: u32,
    /// Runs in which it was offered tools and wrote text alone, each counted ten times.
    #[serde(default)]
    pub silent_runs: u32,
}

impl Rate {
    fn add(&mut self, more: Rate) {
        self.tried = self.tried.saturating_add(more.tried);
        self.well_formed = self.well_formed.saturating_add(more.well_formed).min(self.tried);
        if TRIED_MAX < self.tried {
            *self = Rate { tried: self.tried / 2, well_formed: self.well_formed / 2 };
        }
    }

    fn is_poor(self) -> bool {
        self.well_formed * 100 < self.tried * WELL_FORMED_PERCENT_MIN
    }
}

impl Record {
    /// What one run shows. An edit that was refused for another reason than its form counts as badly
    /// formed too: those are few, and no run knows why it was refused.
    pub fn of(steps: &[StepBody]) -> Record {
        let mut record = Record::default();
        let mut format = Format::Replace;
        let (mut called, mut silent) = (false, 0);
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for step in steps {
            match step {
                StepBody::Opened { format: opened, .. } => format = *opened,
                StepBody::Reply { message, .. } if format != Format::Whole => {
                    let before = names.len();
                    names.extend(message.blocks.iter().filter_map(|it| match it {
                        Block::ToolUse { id, name, .. } => Some((id.as_str(), name.as_str())),
                        Block::Text { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
                    }));
                    called |= before < names.len();
                    silent += u32::from(!called);
                }
                StepBody::Result { call, is_error, .. } => {
                    let name = names.get(call.as_str()).copied();
                    let is_edit = match format {
                        Format::Replace => name == Some(Tool::EditFile.name()),
                        Format::Patch => name == Some(Tool::ApplyPatch.name()),
                        Format::Whole => talk::is_placing(call),
                    };
                    if is_edit {
                        let well_formed = u32::from(!is_error);
                        record.edits.entry(format).or_default().add(Rate { tried: 1, well_formed });
                    }
                }
                StepBody::Reply { .. }
                | StepBody::Started { .. }
                | StepBody::Note { .. }
                | StepBody::Elided { .. } => {}
            }
        }
        record.calling_runs = u32::from(called);
        record.silent_runs = u32::from(!called && SILENT_MAX <= silent);
        record
    }

    /// Adds what one more run showed. A run in whole blocks says nothing about the other formats, so
    /// each lets a little of what is held against them be forgotten: in time they are tried again.
    pub fn add(&mut self, run: &Record) {
        for (format, rate) in &run.edits {
            self.edits.entry(*format).or_default().add(*rate);
        }
        let only_whole = run.edits.keys().all(|it| *it == Format::Whole) && !run.edits.is_empty();
        if only_whole {
            for (_, rate) in self.edits.iter_mut().filter(|it| *it.0 != Format::Whole) {
                rate.tried = rate.tried.saturating_sub(1).max(rate.well_formed);
            }
            self.silent_runs = self.silent_runs.saturating_sub(1);
        }
        self.calling_runs = self.calling_runs.saturating_add(run.calling_runs).min(TRIED_MAX);
        self.silent_runs = match run.calling_runs {
            0 => self.silent_runs.saturating_add(SILENCE_LASTS * run.silent_runs).min(TRIED_MAX),
            _ => 0,
        };
    }

    /// How it does in this format.
    pub fn rate(&self, format: Format) -> Rate {
        self.edits.get(&format).copied().unwrap_or_default()
    }

    /// Whether after failed edits it should write whole blocks: not if it mostly does well.
    pub fn falls(&self, format: Format, run: &Record) -> bool {
        let mut sum = self.rate(format);
        sum.add(run.rate(format));
        sum.is_poor()
    }
}

/// The format that a run of this model starts in.
pub fn choose(setting: EditFormat, model: &str, record: &Record) -> Format {
    let first = match setting {
        EditFormat::Replace => return Format::Replace,
        EditFormat::Patch => return Format::Patch,
        EditFormat::Whole => return Format::Whole,
        EditFormat::Auto if is_trained_on_patches(model) => Format::Patch,
        EditFormat::Auto => Format::Replace,
    };
    let rate = record.rate(first);
    let cannot_call = 0 < record.silent_runs && record.calling_runs == 0;
    match cannot_call || (TRIED_MIN <= rate.tried && rate.is_poor()) {
        true => Format::Whole,
        false => first,
    }
}

/// Names of the families that were trained on the patch form.
fn is_trained_on_patches(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let o_series =
        name.strip_prefix('o').is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    // The open weights of that family were not trained on it.
    let gpt =
        name.starts_with("gpt-") && !name.starts_with("gpt-oss") && !name.starts_with("gpt-3");
    gpt || o_series || name.contains("codex")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(format: Format, tried: u32, well_formed: u32) -> Record {
        let edits = BTreeMap::from([(format, Rate { tried, well_formed })]);
        Record { edits, ..Record::default() }
    }

    #[test]
    fn the_name_decides_where_nothing_is_known() {
        let auto = |model: &str| choose(EditFormat::Auto, model, &Record::default());
        for model in
            ["gpt-5.2", "openai/gpt-4.1", "o3", "o4-mini", "codex-mini-latest", "GPT-5-codex"]
        {
            assert_eq!(auto(model), Format::Patch, "{model}");
        }
        for model in ["claude-sonnet-5-5", "qwen2.5-coder", "opus", "olmo-2", "gpt-oss-20b", "gptj"]
        {
            assert_eq!(auto(model), Format::Replace, "{model}");
        }
        let bad = with(Format::Replace, 50, 0);
        assert_eq!(choose(EditFormat::Replace, "gpt-5", &bad), Format::Replace);
        assert_eq!(choose(EditFormat::Patch, "x", &bad), Format::Patch);
        assert_eq!(choose(EditFormat::Whole, "x", &bad), Format::Whole);
    }

    #[test]
    fn a_poor_record_leads_to_whole_blocks_and_is_forgotten_in_time() {
        let auto = |record: &Record| choose(EditFormat::Auto, "qwen", record);
        assert_eq!(auto(&with(Format::Replace, 3, 0)), Format::Replace, "too few");
        assert_eq!(auto(&with(Format::Replace, 20, 10)), Format::Replace);
        assert_eq!(auto(&with(Format::Patch, 20, 0)), Format::Replace, "another format");
        let mut poor = with(Format::Replace, 6, 1);
        assert_eq!(auto(&poor), Format::Whole);
        let whole = with(Format::Whole, 1, 1);
        let runs = (1..20).find(|_| {
            poor.add(&whole);
            auto(&poor) == Format::Replace
        });
        assert!(runs.is_some_and(|it| 2 < it), "{runs:?}");
    }

    #[test]
    fn a_model_that_never_calls_a_tool_gets_none() {
        let mut record = Record { silent_runs: 1, ..Record::default() };
        assert_eq!(choose(EditFormat::Auto, "tiny", &record), Format::Whole);
        record.add(&Record { calling_runs: 1, ..Record::default() });
        assert_eq!(choose(EditFormat::Auto, "tiny", &record), Format::Replace);
    }

    #[test]
    fn a_good_record_survives_two_bad_edits() {
        let run = with(Format::Replace, 2, 0);
        assert!(Record::default().falls(Format::Replace, &run));
        assert!(!with(Format::Replace, 20, 19).falls(Format::Replace, &run));
        assert!(with(Format::Patch, 20, 19).falls(Format::Replace, &run));
    }

    #[test]
    fn counts_stay_small() {
        let mut record = Record::default();
        for _ in 0..10_000 {
            record.add(&Record { calling_runs: 1, ..with(Format::Patch, 7, 7) });
        }
        assert!(record.rate(Format::Patch).tried <= TRIED_MAX && record.calling_runs <= TRIED_MAX);
        assert_eq!(choose(EditFormat::Auto, "gpt-5", &record), Format::Patch);
    }
}
