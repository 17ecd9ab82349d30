//! The loop: receive inputs, decide, append the events in one transaction, apply, publish, start
//! what should be going on. On a thread of its own, since the log blocks; it alone holds the team.
//!
//! Inputs that wait are taken together, so that many writers share one fsync.

use super::crew::Crew;
use super::purse::Purse;
use super::redact;
use super::shared::Shared;
use super::sweep::Forgettable;
use super::{Happening, Refused, now_ms};
use crate::git::Buffer;
use crate::store::{Health, Step, Store, Write};
use std::sync::Arc;
use team::{
    Brief, Code, DayMoney, Event, Failure, Grant, Input, Job, Millis, RunId, TaskId, Team, Usage,
    Wish, decide, next_deadline,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Messages of one transaction.
const BATCH_MAX: usize = 64;
/// A checkpoint is written after this many events.
const EVENTS_PER_CHECKPOINT: u64 = 1_000;

/// What reaches the loop.
pub(super) enum Message {
    Input {
        input: Input,
        reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
    },
    Delegate {
        brief: Brief,
        buffers: Vec<Buffer>,
        reply: oneshot::Sender<Result<TaskId, Refused>>,
    },
    /// Steps of a run and what a call cost; the answer says whether the run may go on.
    Journal {
        run: RunId,
        steps: Vec<Step>,
        spent: Option<(Usage, String)>,
        /// These steps told the model so many words of people.
        heard: Option<u32>,
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// May this run make this call? What is granted is held until it is spent or the run ends.
    Reserve {
        run: RunId,
        wish: Wish,
        is_closing: bool,
        reply: oneshot::Sender<Grant>,
    },
    /// A command's output and the input that reports it, in one transaction.
    Output {
        sha256: String,
        bytes: Vec<u8>,
        input: Input,
        reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
    },
    /// Outputs that no task needs any more.
    Forget(Forgettable),
    /// A job is over, whatever it reported.
    JobEnded {
        job: Job,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// What is said to the sender once the transaction is on disk, or could not be written.
type Pending = Box<dyn FnOnce(Result<(), &Failure>) + Send>;

pub(super) struct Owner {
    store: Store,
    team: Arc<Team>,
    inbox: mpsc::Receiver<Message>,
    publish: watch::Sender<Arc<Team>>,
    happenings: broadcast::Sender<Happening>,
    crew: Crew,
    deadline: watch::Sender<Option<Millis>>,
    checkpointed: u64,
    purse: Purse,
}

/// One transaction being gathered.
struct Batch {
    team: Arc<Team>,
    events: Vec<Event>,
    writes: Vec<Write>,
    pending: Vec<Pending>,
    now: Millis,
    health: Arc<Health>,
}

impl Owner {
    pub(super) fn new(
        store: Store,
        team: Arc<Team>,
        inbox: mpsc::Receiver<Message>,
        messages: mpsc::Sender<Message>,
        publish: watch::Sender<Arc<Team>>,
        happenings: broadcast::Sender<Happening>,
        shared: Arc<Shared>,
    ) -> Owner {
        let (deadline, timer) = watch::channel(next_deadline(&team));
        tokio::spawn(tick(timer, messages.clone()));
        let purse = Purse::open(&shared.dir, shared.config.day_micros_max, &team);
        let crew = Crew::new(publish.subscribe(), messages, happenings.clone(), shared);
        let checkpointed = team.version;
        Owner { store, team, inbox, publish, happenings, crew, deadline, checkpointed, purse }
    }

    /// Starts the thread. Errors: `Bug` when the system gives none.
    pub(super) fn start(mut self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            let _inside = runtime.enter();
            self.crew.tend(&self.team);
            if let Some(reply) = self.serve() {
                let Owner { crew, inbox, .. } = &mut self;
                // A job that waits for an answer gets none: then it stops at once.
                let refuse = async { while inbox.recv().await.is_some() {} };
                runtime.block_on(async {
                    tokio::select! {
                        () = crew.stop() => {},
                        () = refuse => {},
                    }
                });
                drop(self);
                let _ = reply.send(());
            }
        };
        let thread = std::thread::Builder::new().name("hub".into()).spawn(work);
        thread.map(|_| ()).map_err(|it| Failure::new(Code::Bug, format!("start the hub: {it}")))
    }

    fn serve(&mut self) -> Option<oneshot::Sender<()>> {
        while let Some(first) = self.inbox.blocking_recv() {
            let mut batch = Batch {
                team: Arc::clone(&self.team),
                events: vec![],
                writes: vec![],
                pending: vec![],
                now: now_ms(),
                health: self.store.health(),
            };
            let mut close = None;
            let mut message = Some(first);
            for taken in 0.. {
                match message {
                    Some(Message::Close { reply }) => close = Some(reply),
                    Some(it) => self.take(it, &mut batch),
                    None => break,
                }
                if close.is_some() || BATCH_MAX <= taken {
                    break;
                }
                message = self.inbox.try_recv().ok();
            }
            self.commit(batch);
            if close.is_some() {
                return close;
            }
            self.crew.tend(&self.team);
        }
        None
    }

    fn take(&mut self, message: Message, batch: &mut Batch) {
        match message {
            Message::JobEnded { job } => {
                self.crew.ended(&job);
                if let Job::Run { run, .. } = job
                    && self.purse.let_go(run)
                {
                    self.purse.publish(&batch.team);
                }
            }
            Message::Reserve { run, wish, is_closing, reply } => {
                let granted = self.purse.reserve(&batch.team, run, &wish, is_closing);
                let _ = reply.send(granted);
            }
            Message::Journal { run, steps, spent, heard, reply } => {
                if let Some((usage, raw)) = spent {
                    // Let go before it counts as spent, so that it doesn't count twice.
                    self.purse.let_go(run);
                    batch.spent(run, usage, raw, self.purse.day(&batch.team));
                    self.purse.publish(&batch.team);
                }
                if let Some(words) = heard {
                    let _ = batch.decide(Input::Heard { run, words });
                }
                batch.journal(run, steps, reply);
            }
            Message::Forget(it) => self.forget(it),
            Message::Input { .. }
            | Message::Delegate { .. }
            | Message::Output { .. }
            | Message::Close { .. } => batch.take(message),
        }
    }

    /// Append, apply, publish; only then are the senders told.
    fn commit(&mut self, batch: Batch) {
        let Batch { team, events, writes, pending, now, .. } = batch;
        let expected = self.team.version;
        let written = if events.is_empty() && writes.is_empty() {
            Ok(())
        } else {
            self.store.write_all(expected, &events, &writes, now)
        };
        match written {
            Ok(()) => {
                self.team = team;
                if !events.is_empty() {
                    self.publish.send_replace(Arc::clone(&self.team));
                    self.deadline.send_replace(next_deadline(&self.team));
                }
                for (version, event) in (expected + 1..).zip(events) {
                    let event = Arc::new(event);
                    let _ = self.happenings.send(Happening::Event { version, at: now, event });
                }
                pending.into_iter().for_each(|it| it(Ok(())));
                self.checkpoint();
            }
            Err(failure) => {
                tracing::error!(%failure, "could not append");
                pending.into_iter().for_each(|it| it(Err(&failure)));
            }
        }
    }

    fn forget(&mut self, it: Forgettable) {
        // Whoever saw too little may have taken an output for one that nobody needs.
        if 0 < self.store.health().unread() {
            return;
        }
        if let Err(failure) = self.store.forget_outputs(&it.still(&self.team)) {
            tracing::warn!(%failure, "old outputs stay until the next sweep");
        }
    }

    fn checkpoint(&mut self) {
        if self.checkpointed + EVENTS_PER_CHECKPOINT <= self.team.version {
            self.checkpointed = self.team.version;
            let team = Arc::make_mut(&mut self.team);
            if let Err(failure) = self.store.checkpoint(team) {
                tracing::warn!(%failure, "no checkpoint; the next start replays more");
            }
        }
    }
}

impl Batch {
    fn take(&mut self, message: Message) {
        match message {
            Message::Input { input, reply } => self.input(input, reply),
            Message::Output { sha256, bytes, input, reply } => {
                self.writes.push(Write::Output { sha256, bytes });
                self.input(input, reply);
            }
            Message::Delegate { brief, buffers, reply } => {
                let events = self.decide(Input::Delegate { brief });
                let task = self.team.tasks.last();
                match (events, task) {
                    (Ok(_), Some(task)) => {
                        let buffers = buffers.into_iter().map(|it| (it.path, it.text)).collect();
                        self.writes.push(Write::Buffers { task, buffers });
                        self.later(reply, Ok(task));
                    }
                    (Err(refusal), _) => drop(reply.send(Err(refusal))),
                    (Ok(_), None) => (),
                }
            }
            Message::Journal { .. }
            | Message::Reserve { .. }
            | Message::JobEnded { .. }
            | Message::Forget(_)
            | Message::Close { .. } => (),
        }
    }

    /// A paid call is written down even if its run is no longer live.
    fn spent(&mut self, run: RunId, usage: Usage, raw: String, day: DayMoney) {
        let call = self.team.run(run).map_or(0, |it| it.spent.calls);
        self.writes.push(Write::Ledger { run, call, usage, raw });
        let _ = self.decide(Input::Spent { run, usage, day });
    }

    fn journal(
        &mut self,
        run: RunId,
        steps: Vec<Step>,
        reply: oneshot::Sender<Result<(), Failure>>,
    ) {
        self.writes.extend(steps.into_iter().map(|step| Write::Step { run, step }));
        self.pending.push(Box::new(move |written| {
            let _ = reply.send(written.map_err(Clone::clone));
        }));
    }

    fn input(&mut self, input: Input, reply: oneshot::Sender<Result<Vec<Event>, Refused>>) {
        match self.decide(input) {
            Ok(events) => self.later(reply, Ok(events)),
            Err(refused) => drop(reply.send(Err(refused))),
        }
    }

    fn decide(&mut self, input: Input) -> Result<Vec<Event>, Refused> {
        let unread = self.health.unread();
        let events = decide(&self.team, self.now, input).map_err(Refused::Refusal);
        let events = events.map(|it| it.into_iter().map(redact::event).collect::<Vec<Event>>());
        let mut after = Team::clone(&self.team);
        events.iter().flatten().for_each(|it| after.apply(it));
        // What can't be read now looks as if it had never been: nothing may follow from that.
        if self.health.unread() != unread {
            let failure = Failure::new(Code::Store, "read an older task from the log")
                .hint("nothing was changed; retry when the disk works");
            return Err(Refused::Failure(failure));
        }
        let events = events?;
        if !events.is_empty() {
            self.team = Arc::new(after);
            self.events.extend(events.iter().cloned());
        }
        Ok(events)
    }

    fn later<T: Send + 'static>(
        &mut self,
        reply: oneshot::Sender<Result<T, Refused>>,
        answer: Result<T, Refused>,
    ) {
        self.pending.push(Box::new(move |written| {
            let answer = match written {
                Ok(()) => answer,
                Err(failure) => Err(Refused::Failure(failure.clone())),
            };
            let _ = reply.send(answer);
        }));
    }
}

/// The one timer: wakes the loop when the next deadline falls, and not before.
async fn tick(mut deadline: watch::Receiver<Option<Millis>>, messages: mpsc::Sender<Message>) {
    loop {
        let next = *deadline.borrow_and_update();
        let wait = next.map(|it| std::time::Duration::from_millis(it.saturating_sub(now_ms())));
        let passed = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = deadline.changed() => if changed.is_err() { return },
            () = passed => {
                let (reply, answer) = oneshot::channel();
                let message = Message::Input { input: Input::Tick, reply };
                if messages.send(message).await.is_err() || answer.await.is_err() {
                    return;
                }
                // A deadline that the team can't act on must not spin.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
