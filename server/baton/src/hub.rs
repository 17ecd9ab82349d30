//! The one loop; owns the team. This file is what others hold: a handle that sends inputs and reads
//! what is true. The loop is `hub/owner.rs`, what it starts is `hub/crew.rs` and the files it names.
//!
//! A hub is one per repository. Start-up and going on are the same path: replay the log, compute
//! `jobs`, start those that are not running.

mod checkout;
mod crew;
mod editor;
mod facts;
mod guide;
mod hubs;
mod learned;
mod owner;
mod part;
mod ports;
mod purse;
mod redact;
mod round;
mod run;
mod setup;
mod shared;
mod steps;
mod sweep;

pub use editor::{Attached, EditRequest, Editor};
pub use hubs::Hubs;
pub use part::file_view;
pub use shared::Health;

use crate::{agent, checks, config, git, store};
use owner::{Message, Owner};
use shared::Shared;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use team::{
    Brief, Budget, Class, Code, Event, Failure, Input, Millis, Origin, Place, ReceiptId, Refusal,
    RunId, StartFrom, TaskId, Team,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Messages that may wait for the loop; more are refused, so that memory stays bounded.
const MESSAGES_MAX: usize = 4_096;
/// Happenings that a slow listener may lag behind before it misses some.
const HAPPENINGS_MAX: usize = 4_096;

/// A task as a door hands it in.
#[derive(Clone, Debug)]
pub struct Delegation {
    pub text: String,
    pub origin: Origin,
    pub place: Option<Place>,
    pub start: StartFrom,
    /// Open documents whose text differs from the file.
    pub buffers: Vec<git::Buffer>,
    pub land_by_rule: bool,
    /// `PATH` and the variables of tool chains where the person asked.
    pub environment: BTreeMap<String, String>,
    /// Git's name for the linked worktree that the person is in; `None`: the main one.
    pub worktree: Option<String>,
    /// What the person calls it; `None`: the team decides.
    pub class: Option<Class>,
    /// What the person gives it at most.
    pub budget: Budget,
}

impl Delegation {
    /// Words alone, from what the person sees in the main worktree, with no tools but the system's.
    pub fn new(text: impl Into<String>, origin: Origin) -> Delegation {
        Delegation {
            text: text.into(),
            origin,
            place: None,
            start: StartFrom::Seen,
            buffers: Vec::new(),
            land_by_rule: false,
            environment: BTreeMap::new(),
            worktree: None,
            class: None,
            budget: Budget::default(),
        }
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The rules forbid it; nothing changed.
    Refusal(Refusal),
    /// The world failed; nothing changed.
    Failure(Failure),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Refusal(it) => it.fmt(f),
            Refused::Failure(it) => it.fmt(f),
        }
    }
}

/// For those who watch: what was written down, and what goes on in between.
#[derive(Clone, Debug)]
pub enum Happening {
    Event {
        version: u64,
        at: Millis,
        event: Arc<Event>,
    },
    Progress {
        run: RunId,
        progress: agent::Progress,
    },
    /// A signal that the gates sent back to the model.
    HandoffRefused {
        run: RunId,
        why: String,
    },
    /// A sentence for the person.
    Note(String),
}

/// A handle on the hub of one repository. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    messages: mpsc::Sender<Message>,
    team: watch::Receiver<Arc<Team>>,
    happenings: broadcast::Sender<Happening>,
    shared: Arc<Shared>,
    notes: Arc<Vec<String>>,
}

/// Now, in unix milliseconds.
pub fn now_ms() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Hub {
    /// Opens the hub of the repository at `place` and goes on with whatever was under way. Errors:
    /// `Locked` with the owner's pid, `Store`, `Git`, `Config`.
    pub async fn open(
        place: git::Place,
        home: config::Home,
        config: config::Config,
    ) -> Result<Hub, Failure> {
        let dir = home.repository_dir(&place.name, &place.common_dir);
        let opened = {
            let dir = dir.clone();
            blocking(move || store::Store::open(&dir)).await?
        };
        // A limit on file sizes shall be an error that is handled, not the end of the process.
        let _ = signal(SignalKind::from_raw(libc::SIGXFSZ));
        let shared = Arc::new(Shared::open(place, home, config, dir).await?);
        let (messages, inbox) = mpsc::channel(MESSAGES_MAX);
        let (happenings, _) = broadcast::channel(HAPPENINGS_MAX);
        let first = Arc::new(opened.team);
        let (publish, team) = watch::channel(Arc::clone(&first));
        let owner = Owner::new(
            opened.store,
            first,
            inbox,
            messages.clone(),
            publish,
            happenings.clone(),
            Arc::clone(&shared),
        );
        owner.start()?;
        Ok(Hub { messages, team, happenings, shared, notes: Arc::new(opened.notes) })
    }

    /// Hands in a task. The message is in the loop's queue when this returns; the future gives the
    /// task's id once its event and its buffers are durable.
    pub fn delegate(
        &self,
        delegation: Delegation,
    ) -> impl Future<Output = Result<TaskId, Refused>> + Send + use<> {
        let Delegation { text, origin, place, start, buffers, .. } = delegation;
        let Delegation { land_by_rule, environment, worktree, class, budget, .. } = delegation;
        let limits = self.shared.limits();
        let asked = Brief { place, start, land_by_rule, limits, ..Brief::new(text, origin) };
        let brief = Brief { environment, worktree, class, budget, ..asked };
        let (reply, answer) = oneshot::channel();
        let sent = self.messages.try_send(Message::Delegate { brief, buffers, reply });
        async move {
            sent.map_err(|_| overloaded())?;
            answer.await.unwrap_or_else(|_| Err(closed()))
        }
    }

    /// Sends what a person asked for. The message is in the loop's queue when this returns.
    pub fn send(
        &self,
        input: Input,
    ) -> impl Future<Output = Result<Vec<Event>, Refused>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.messages.try_send(Message::Input { input, reply });
        async move {
            sent.map_err(|_| overloaded())?;
            answer.await.unwrap_or_else(|_| Err(closed()))
        }
    }

    /// What is true now.
    pub fn team(&self) -> Arc<Team> {
        self.team.borrow().clone()
    }

    /// Tells when something became true.
    pub fn watch(&self) -> watch::Receiver<Arc<Team>> {
        self.team.clone()
    }

    pub fn happenings(&self) -> broadcast::Receiver<Happening> {
        self.happenings.subscribe()
    }

    /// Sentences from start-up: a damaged log was set aside, a database migrated.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn git(&self) -> &git::Git {
        &self.shared.git
    }

    pub fn place(&self) -> &git::Place {
        &self.shared.place
    }

    pub fn state_dir(&self) -> &PathBuf {
        &self.shared.dir
    }

    /// A read-only look at what is stored.
    pub fn reader(&self) -> Result<store::Reader, Failure> {
        store::Reader::open(&self.shared.dir)
    }

    /// What this machine can do for the team.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Tells how edits reach the buffers of an open editor, and which text isn't saved in it, until
    /// what is returned is dropped.
    pub fn attach_editor(&self, editor: Editor) -> Attached {
        self.shared.editors.attach(editor)
    }

    /// Its loop has ended: it was closed, or it is broken. Another one can be opened.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// Runs the command of a receipt again, on the commit it ran on, and reports what it saw.
    pub async fn replay(&self, receipt: ReceiptId) -> Result<checks::Observed, Failure> {
        round::replay(&self.shared, &self.team(), receipt).await
    }

    /// Stops everything that runs and closes the log. Nothing is decided by it: the next hub goes on.
    pub async fn close(self) {
        let (reply, done) = oneshot::channel();
        if self.messages.send(Message::Close { reply }).await.is_ok() {
            let _ = done.await;
        }
    }
}

fn overloaded() -> Refused {
    Refused::Failure(
        Failure::new(Code::Store, "hand it in: too much waits already")
            .hint("wait a moment and ask again"),
    )
}

fn closed() -> Refused {
    Refused::Failure(Failure::new(Code::Interrupted, "reach the hub: it is closing"))
}

/// Runs blocking work off the async threads; a panic becomes a `Bug`.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::new(Code::Bug, format!("finish a step: {error}"))),
    }
}
