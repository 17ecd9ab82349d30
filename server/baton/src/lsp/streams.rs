//! What watched runs say, as it streams. Pieces are gathered per run and leave with the connection's
//! next look, in one notification for all runs, so at most 20 times a second; a client that is slow
//! finds more in one of them, and past a bound it is told to ask for the transcript.

use super::requests::id;
use super::types::Notification;
use super::{Door, errors, plain};
use crate::agent::Progress;
use crate::hub::{Happening, Hub};
use crate::protocol::{RunProgress, RunProgressParams, WatchParams, WatchResult, method};
use std::collections::{BTreeMap, BTreeSet};
use team::{Code, Failure, RunId};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tower_lsp::jsonrpc::Result;

/// Watched runs of one connection; who wants more watches something else less.
const WATCHED_MAX: usize = 32;
/// What is gathered of one run between two looks.
const SAYS_BYTES_MAX: usize = 64 << 10;
const DOES_MAX: usize = 50;
const DOES_CHARS_MAX: usize = 200;

/// `baton/runProgress`.
enum RunsProgress {}

impl Notification for RunsProgress {
    type Params = RunProgressParams;
    const METHOD: &'static str = method::RUN_PROGRESS;
}

/// What was gathered of one run since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Gathered {
    says: String,
    does: Vec<String>,
    refused: Vec<String>,
    waits: Option<(String, u64)>,
    replied: bool,
    lost: bool,
}

/// The watched runs of one connection, by repository, and what they said since the last look.
#[derive(Debug, Default)]
pub struct Streams {
    all: bool,
    watched: BTreeSet<(String, RunId)>,
    gathered: BTreeMap<(String, RunId), Gathered>,
}

impl Streams {
    /// Streams of a client that hears of every run, or of the runs it watches.
    pub fn new(all: bool) -> Streams {
        Streams { all, ..Streams::default() }
    }

    fn watches(&self, key: &(String, RunId)) -> bool {
        self.all || self.watched.contains(key)
    }

    fn add(&mut self, key: (String, RunId), progress: &Progress) {
        let it = self.gathered.entry(key).or_default();
        match progress {
            Progress::Says(text) if it.says.len() + text.len() < SAYS_BYTES_MAX => {
                // A reply after the one before it begins a line.
                if it.replied && !it.says.is_empty() && !it.says.ends_with('\n') {
                    it.says.push('\n');
                }
                it.says.push_str(text);
                it.replied = false;
            }
            Progress::Does(text) if it.does.len() < DOES_MAX => {
                it.does.push(plain::line(text, DOES_CHARS_MAX));
            }
            Progress::Says(_) | Progress::Does(_) => it.lost = true,
            Progress::Waits { why, wait_ms } => {
                it.waits = Some((plain::line(why, DOES_CHARS_MAX), *wait_ms));
            }
            Progress::Spent(_) => it.replied = true,
        }
    }

    fn refuse(&mut self, key: (String, RunId), why: &str) {
        let it = self.gathered.entry(key).or_default();
        if it.refused.len() < DOES_MAX {
            it.refused.push(crate::clean::text(why));
        } else {
            it.lost = true;
        }
    }

    /// A part of what happened was not heard: every watched run of this repository may miss some.
    fn lost(&mut self, repository: &str) {
        let of_it = self.watched.iter().filter(|it| it.0 == repository);
        for key in of_it.cloned().collect::<Vec<_>>() {
            self.gathered.entry(key).or_default().lost = true;
        }
    }
}

impl Door {
    /// `baton/watch`.
    pub async fn watch(&self, params: WatchParams) -> Result<WatchResult> {
        let run = id::<RunId>(&params.run)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        if hub.team().run(run).is_none() {
            let none = Failure::new(Code::Config, format!("there is no run {run}"));
            return Err(errors::unknown(none));
        }
        let key = (repository.name.clone(), run);
        let mut full = false;
        self.streams.send_if_modified(|it| {
            if !params.on {
                it.gathered.remove(&key);
                return it.watched.remove(&key);
            }
            full = WATCHED_MAX <= it.watched.len() && !it.watches(&key);
            !full && it.watched.insert(key.clone())
        });
        if full {
            let why = format!("{WATCHED_MAX} runs are watched already; end one of them first");
            return Err(errors::refused(why));
        }
        Ok(WatchResult { repository: key.0, run: run.to_string(), on: params.on })
    }

    /// Gathers what the runs of this hub say and do, for as long as the hub lives: of watched runs all of
    /// it, of the others, for the bars of a client that has them, the last thing they did (`said`).
    pub fn gather(
        &self,
        repository: &str,
        hub: &Hub,
        said: watch::Sender<BTreeMap<RunId, String>>,
    ) {
        let mut happenings = hub.happenings();
        let (door, repository) = (self.clone(), repository.to_owned());
        self.while_connected(async move {
            loop {
                match happenings.recv().await {
                    Ok(Happening::Progress { run, progress }) => {
                        // A tool call that is paid for has been done: files may be others now.
                        if matches!(progress, Progress::Spent(_)) {
                            door.touch();
                        }
                        if let Progress::Does(text) = &progress
                            && door.wishes().progress
                        {
                            said.send_modify(|it| {
                                it.insert(run, text.clone());
                            });
                            door.changed.notify_one();
                        }
                        let key = (repository.clone(), run);
                        if door.streams.borrow().watches(&key) {
                            door.streams.send_modify(|it| it.add(key, &progress));
                            door.changed.notify_one();
                        }
                    }
                    Ok(Happening::HandoffRefused { run, why }) => {
                        let key = (repository.clone(), run);
                        if door.streams.borrow().watches(&key) {
                            door.streams.send_modify(|it| it.refuse(key, &why));
                            door.changed.notify_one();
                        }
                    }
                    Ok(Happening::Note(text)) => door.note(&text).await,
                    Ok(Happening::Event { .. }) => (),
                    Err(RecvError::Lagged(_)) => {
                        door.streams.send_modify(|it| it.lost(&repository));
                    }
                    Err(RecvError::Closed) => break,
                }
            }
        });
    }

    /// Sends what was gathered, in one notification.
    pub async fn flush_streams(&self) {
        let mut gathered = BTreeMap::new();
        self.streams.send_if_modified(|it| {
            gathered = std::mem::take(&mut it.gathered);
            !gathered.is_empty()
        });
        if gathered.is_empty() {
            return;
        }
        let runs = gathered.into_iter().map(|((repository, run), it)| it.told(repository, run));
        let params = RunProgressParams { runs: runs.collect() };
        self.client.send_notification::<RunsProgress>(params).await;
    }
}

impl Gathered {
    fn told(self, repository: String, run: RunId) -> RunProgress {
        let (waits, wait_ms) = self.waits.unzip();
        RunProgress {
            repository,
            run: run.to_string(),
            says: crate::clean::text(&self.says),
            does: self.does,
            refused: self.refused,
            waits,
            wait_ms: wait_ms.unwrap_or_default(),
            replied: self.replied,
            lost: self.lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_slow_finds_more_in_one_and_is_told_what_was_left_out() {
        let mut streams = Streams::default();
        let key = ("demo".to_owned(), RunId(4));
        streams.watched.insert(key.clone());
        for piece in ["one ", "two"] {
            streams.add(key.clone(), &Progress::Says(piece.to_owned()));
        }
        streams.add(key.clone(), &Progress::Does("read_file\n a.rs".to_owned()));
        let it = &streams.gathered[&key];
        assert_eq!(
            (it.says.as_str(), it.does.as_slice()),
            ("one two", &["read_file a.rs".to_owned()][..])
        );
        assert!(!it.lost);
        for _ in 0..3 {
            streams.add(key.clone(), &Progress::Says("x".repeat(SAYS_BYTES_MAX / 2)));
        }
        let it = &streams.gathered[&key];
        assert!(it.lost && it.says.len() <= SAYS_BYTES_MAX);
    }

    #[test]
    fn what_was_not_heard_is_lost_for_every_watched_run_of_the_repository() {
        let mut streams = Streams::default();
        let keys =
            [("a".to_owned(), RunId(1)), ("a".to_owned(), RunId(2)), ("b".to_owned(), RunId(1))];
        streams.watched.extend(keys.clone());
        streams.lost("a");
        assert!(streams.gathered[&keys[0]].lost && streams.gathered[&keys[1]].lost);
        assert!(!streams.gathered.contains_key(&keys[2]));
    }
}
