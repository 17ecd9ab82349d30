//! How the edits of a run are written: as search and replace, as a patch, or as whole blocks.

use crate::agent::tools::Tool;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use team::Duty;

pub mod record;

/// The edit format of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The tool `edit_file`.
    #[default]
    Replace,
    /// The tool `apply_patch` in its place.
    Patch,
    /// No tools: the reply holds the corrected block in a fence, and the server does the rest.
    Whole,
}

/// The Engineer's instruction that names the editing tool.
const EDIT_RULE: &str = "- Edit with `edit_file`; copy `old` exactly from what `read_file` showed, without the numbers.";
const PATCH_RULE: &str = "- Edit with `apply_patch`; copy context and removed lines exactly from what `read_file` showed, without the numbers, three lines of context around each place.";

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Replace => "replace",
            Format::Patch => "patch",
            Format::Whole => "whole",
        }
    }

    /// The tools of a duty in this format, in the order in which the model sees them.
    pub fn tools(self, duty: Duty) -> Vec<Tool> {
        let other = |it: Tool| match (self, it) {
            (Format::Patch, Tool::EditFile) => Tool::ApplyPatch,
            (Format::Replace | Format::Patch | Format::Whole, it) => it,
        };
        match self {
            Format::Whole => Vec::new(),
            Format::Replace | Format::Patch => Tool::of(duty).iter().map(|&it| other(it)).collect(),
        }
    }

    /// Instructions that name the editing tool, for this format.
    pub fn adapt(self, text: &'static str) -> Cow<'static, str> {
        match self {
            Format::Replace | Format::Whole => Cow::Borrowed(text),
            Format::Patch => {
                Cow::Owned(text.replace(EDIT_RULE, PATCH_RULE).replace("edit_file", "apply_patch"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_run_never_hears_of_the_other_tool() {
        let prompt = crate::agent::prompt(Duty::Build);
        assert!(prompt.contains(EDIT_RULE));
        let adapted = Format::Patch.adapt(prompt);
        assert!(!adapted.contains("edit_file") && adapted.contains(PATCH_RULE), "{adapted}");
        assert_eq!(Format::Replace.adapt(prompt), prompt);
        let specs = crate::agent::tools::specs(&Format::Patch.tools(Duty::Build), Format::Patch);
        let text = serde_json::to_string(&specs).unwrap();
        assert!(!text.contains("edit_file") && text.contains("apply_patch"), "{text}");
    }

    #[test]
    fn only_the_engineer_gets_another_tool() {
        for duty in [Duty::Triage, Duty::Validate, Duty::Answer] {
            assert_eq!(Format::Patch.tools(duty), Tool::of(duty));
        }
        let tools = Format::Patch.tools(Duty::Build);
        assert!(tools.contains(&Tool::ApplyPatch) && !tools.contains(&Tool::EditFile));
        assert!(tools.contains(&Tool::WriteFile));
        assert_eq!(Format::Whole.tools(Duty::Build), []);
    }
}
