//! `baton/runProgress`: what runs are doing, for clients that asked for it. Pieces of a model's words
//! are put together for a moment, so that a fast model costs its reader little.

use super::types::Notification;
use crate::agent::Progress;
use crate::clean;
use crate::hub::{Happening, Hub};
use crate::protocol::{RunProgressParams, method};
use std::time::Duration;
use team::RunId;
use tokio::sync::broadcast::error::RecvError;
use tower_lsp::Client;

/// Words that come within this time are told together.
const GATHER_MS: u64 = 30;
/// What one message holds at most; the rest of a flood is left out.
const GATHERED_MAX: usize = 256;

enum RunProgress {}

impl Notification for RunProgress {
    type Params = RunProgressParams;
    const METHOD: &'static str = method::RUN_PROGRESS;
}

/// Tells everything that happens until the hub closes. What a slow client lets go by is left out.
pub async fn forward(client: Client, repository: String, hub: Hub) {
    let mut happenings = hub.happenings();
    for note in hub.notes() {
        let (kind, text) = ("note".to_owned(), clean::line(note));
        let repository = repository.clone();
        let params = RunProgressParams { repository, run: None, kind, text, wait_ms: 0 };
        client.send_notification::<RunProgress>(params).await;
    }
    drop(hub);
    loop {
        let mut said = Vec::new();
        match happenings.recv().await {
            Ok(first) => gather(&mut said, &repository, first),
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        }
        if said.is_empty() {
            continue;
        }
        tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
        while said.len() < GATHERED_MAX
            && let Ok(more) = happenings.try_recv()
        {
            gather(&mut said, &repository, more);
        }
        for params in said {
            client.send_notification::<RunProgress>(params).await;
        }
    }
}

fn gather(said: &mut Vec<RunProgressParams>, repository: &str, happening: Happening) {
    let mut tell = |run: Option<RunId>, kind: &str, text: String, wait_ms: u64| {
        let (run, kind) = (run.map(|it| it.to_string()), kind.to_owned());
        if let Some(last) = said.last_mut()
            && kind == "says"
            && (last.kind.as_str(), &last.run) == ("says", &run)
        {
            last.text += &text;
            return;
        }
        let repository = repository.to_owned();
        said.push(RunProgressParams { repository, run, kind, text, wait_ms });
    };
    match happening {
        // The board tells of events.
        Happening::Event { .. } => (),
        Happening::Progress { run, progress } => match progress {
            Progress::Says(text) => tell(Some(run), "says", clean::text(&text), 0),
            Progress::Does(text) => tell(Some(run), "does", clean::line(&text), 0),
            Progress::Waits { why, wait_ms } => {
                tell(Some(run), "waits", clean::line(&why), wait_ms);
            }
            Progress::Spent(_) => tell(Some(run), "replied", String::new(), 0),
        },
        Happening::HandoffRefused { run, why } => {
            tell(Some(run), "refused", clean::text(&why), 0);
        }
        Happening::Note(text) => tell(None, "note", clean::line(&text), 0),
    }
}
