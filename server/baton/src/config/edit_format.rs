//! The setting `edit_format`: how a model writes its edits.

use serde::Deserialize;

/// As set for a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditFormat {
    /// By the model's name, and by how well formed its edits have been.
    #[default]
    Auto,
    /// Search and replace.
    Replace,
    /// Patches of the `*** Begin Patch` form.
    Patch,
    /// The corrected block or file in a fence, without tools: for small local models.
    Whole,
}
