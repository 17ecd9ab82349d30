//! The LSP types we use. Only this module names the crate they come from.

pub use tower_lsp::ls_types::notification::{Notification, Progress};
pub use tower_lsp::ls_types::request::{ApplyWorkspaceEdit, WorkDoneProgressCreate};
pub use tower_lsp::ls_types::*;
