//! How apply-as-edits reaches text that lives in an editor and not in a file.

use crate::git::Buffer;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// An editor's side of the bargain.
#[derive(Clone)]
pub struct Editor {
    /// The open documents whose text differs from the file, right now.
    pub buffers: Arc<dyn Fn() -> Vec<Buffer> + Send + Sync>,
    pub apply: mpsc::Sender<EditRequest>,
}

/// New text for some buffers: all of them or none.
#[derive(Debug)]
pub struct EditRequest {
    /// Path relative to the root of the repository, and the whole new text.
    pub edits: Vec<(String, String)>,
    /// Whether the editor applied them.
    pub reply: oneshot::Sender<bool>,
}
