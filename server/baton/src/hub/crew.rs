//! Starts what should be going on and stops what should not. Level-triggered: it compares the jobs
//! that follow from the state with those that run.

use super::owner::Message;
use super::shared::{Shared, Slots};
use super::sweep::Broom;
use super::{Happening, Refused, part, round, run, setup, steps};
use crate::agent::Words;
use crate::{clean, fail};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use team::{Code, Event, Failure, Grant, Input, Job, RunId, Team, Wish, is_over_budget, jobs};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How long `close` waits for jobs to notice that they are stopped.
const STOP_MS_MAX: u64 = 5_000;
/// A job that ends without moving its task is started again this often, then it is a bug.
const RESTARTS_MAX: u32 = 3;
/// How long a report waits before it is tried again on a full disk.
const DISK_RETRY_MS: u64 = 1_000;

pub(super) struct Crew {
    now: watch::Receiver<Arc<Team>>,
    messages: mpsc::Sender<Message>,
    happenings: broadcast::Sender<Happening>,
    shared: Arc<Shared>,
    slots: Arc<Slots>,
    running: Vec<Running>,
    /// Jobs that ended while the state still wants them, and how often.
    restarts: Vec<(Job, u32)>,
    broom: Broom,
    closing: bool,
}

struct Running {
    job: Job,
    stop: CancellationToken,
}

/// What a job gets: the shared things, the team as it was when the job began, and a way to report.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    pub(super) slots: Arc<Slots>,
    pub(super) team: Arc<Team>,
    pub(super) stop: CancellationToken,
    now: watch::Receiver<Arc<Team>>,
    messages: mpsc::Sender<Message>,
    happenings: broadcast::Sender<Happening>,
}

impl Crew {
    pub(super) fn new(
        now: watch::Receiver<Arc<Team>>,
        messages: mpsc::Sender<Message>,
        happenings: broadcast::Sender<Happening>,
        shared: Arc<Shared>,
    ) -> Crew {
        let slots = Arc::new(Slots::new("e", shared.config.runs_at_once_max.max(1)));
        let (running, restarts, broom) = (vec![], vec![], Broom::default());
        let closing = false;
        Crew { now, messages, happenings, shared, slots, running, restarts, broom, closing }
    }

    /// Makes what runs equal to what should.
    pub(super) fn tend(&mut self, team: &Arc<Team>) {
        let wanted = jobs(team);
        for it in &self.running {
            if !wanted.contains(&it.job) {
                it.stop.cancel();
            }
        }
        self.restarts.retain(|(job, _)| wanted.contains(job));
        if self.closing {
            return;
        }
        for job in wanted {
            if self.running.iter().any(|it| it.job == job) || !self.has_room(&job) {
                continue;
            }
            self.start(job, team);
        }
        if self.running.is_empty() {
            self.broom.tend(team, &self.shared, &self.messages);
        }
    }

    /// How many of a kind may run at once.
    fn has_room(&self, job: &Job) -> bool {
        let config = &self.shared.config;
        let at_once = |same: fn(&Job) -> bool, max: u32| {
            let running = self.running.iter().filter(|it| same(&it.job)).count();
            running < max.max(1) as usize
        };
        match job {
            Job::Run { .. } => at_once(|it| matches!(it, Job::Run { .. }), config.runs_at_once_max),
            Job::Check { .. } | Job::SetUp { .. } => at_once(
                |it| matches!(it, Job::Check { .. } | Job::SetUp { .. }),
                config.checks_at_once_max,
            ),
            // The person's own files and branch: one at a time.
            Job::Land { .. } | Job::Undo { .. } => {
                at_once(|it| matches!(it, Job::Land { .. } | Job::Undo { .. }), 1)
            }
            Job::Snapshot { .. } | Job::Candidate { .. } | Job::Part { .. } => true,
        }
    }

    fn start(&mut self, job: Job, team: &Arc<Team>) {
        let stop = CancellationToken::new();
        let desk = Desk {
            shared: Arc::clone(&self.shared),
            slots: Arc::clone(&self.slots),
            team: Arc::clone(team),
            stop: stop.clone(),
            now: self.now.clone(),
            messages: self.messages.clone(),
            happenings: self.happenings.clone(),
        };
        let again = self.restarts.iter().find(|it| it.0 == job).map_or(0, |it| it.1);
        let (messages, key) = (self.messages.clone(), job.clone());
        self.running.push(Running { job: job.clone(), stop });
        tokio::spawn(async move {
            if RESTARTS_MAX <= again {
                let text = format!("the step ended {again} times without a result");
                desk.report_failure(&key, Failure::new(Code::Bug, text)).await;
            } else {
                let done = AssertUnwindSafe(work(&desk, &job)).catch_unwind().await;
                let result = done.unwrap_or_else(|panic| Err(bug(panic.as_ref())));
                if let Err(failure) = result
                    && !desk.stop.is_cancelled()
                {
                    desk.report_failure(&key, failure).await;
                }
            }
            let _ = messages.send(Message::JobEnded { job: key }).await;
        });
    }

    pub(super) fn ended(&mut self, job: &Job) {
        self.running.retain(|it| it.job != *job);
        match self.restarts.iter_mut().find(|it| it.0 == *job) {
            Some(it) => it.1 += 1,
            None => self.restarts.push((job.clone(), 1)),
        }
    }

    /// Stops every job and waits, bounded, until none holds anything.
    pub(super) async fn stop(&mut self) {
        self.closing = true;
        self.running.iter().for_each(|it| it.stop.cancel());
        // Every lease is back: no job works in a slot any more.
        let rest = async {
            self.slots.all_back().await;
            self.shared.check_slots.all_back().await;
        };
        let _ = tokio::time::timeout(Duration::from_millis(STOP_MS_MAX), rest).await;
    }
}

async fn work(desk: &Desk, job: &Job) -> Result<(), Failure> {
    fail::point("hub.job.before");
    fail::bug("hub.job");
    match job {
        Job::Snapshot { task } => steps::snapshot(desk, *task).await?,
        Job::Candidate { task, head } => steps::candidate(desk, *task, head).await?,
        Job::Part { task, approval } => part::make(desk, *task, *approval).await?,
        Job::Land { task, approval, edits, plan } => {
            steps::land(desk, *task, *approval, *edits, plan.as_deref()).await?;
        }
        Job::Undo { task } => steps::undo(desk, *task).await?,
        Job::Check { task, run } => round::check(desk, *task, *run).await?,
        Job::SetUp { task, run } => setup::set_up(desk, *task, *run).await?,
        Job::Run { task, run } => run::role(desk, *task, *run).await?,
    }
    fail::point("hub.job.after");
    Ok(())
}

fn bug(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().map(|it| (*it).to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Failure::new(Code::Bug, format!("finish a step: {text}"))
        .hint("this is a bug of Baton's; retry the task, and report it")
}

impl Desk {
    /// Reports what happened. On a full disk it waits and tries again, so that nothing that was
    /// done is forgotten; it gives up only when the job is stopped.
    pub(super) async fn report(&self, input: Input) -> Result<Vec<Event>, Refused> {
        loop {
            let (reply, answer) = oneshot::channel();
            let message = Message::Input { input: input.clone(), reply };
            match self.ask(message, answer).await {
                Err(Refused::Failure(failure)) if self.may_wait(&failure).await => (),
                answer => return answer,
            }
        }
    }

    /// The same with the output of a command, in one transaction.
    pub(super) async fn report_output(
        &self,
        sha256: &str,
        bytes: &[u8],
        input: Input,
    ) -> Result<Vec<Event>, Refused> {
        loop {
            let (reply, answer) = oneshot::channel();
            let (sha256, bytes) = (sha256.to_string(), bytes.to_vec());
            let message = Message::Output { sha256, bytes, input: input.clone(), reply };
            match self.ask(message, answer).await {
                Err(Refused::Failure(failure)) if self.may_wait(&failure).await => (),
                answer => return answer,
            }
        }
    }

    async fn ask(
        &self,
        message: Message,
        answer: oneshot::Receiver<Result<Vec<Event>, Refused>>,
    ) -> Result<Vec<Event>, Refused> {
        let closing = || {
            let failure = Failure::new(Code::Interrupted, "report: the hub is closing");
            Refused::Failure(failure)
        };
        self.messages.send(message).await.map_err(|_| closing())?;
        answer.await.unwrap_or_else(|_| Err(closing()))
    }

    async fn may_wait(&self, failure: &Failure) -> bool {
        if failure.code != Code::DiskFull || self.stop.is_cancelled() {
            return false;
        }
        self.say(Happening::Note(format!("paused: {failure}")));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(DISK_RETRY_MS)) => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// Appends to a run's journal; waits on a full disk like `report`.
    pub(super) async fn append(
        &self,
        message: impl Fn(oneshot::Sender<Result<(), Failure>>) -> Message,
    ) -> Result<(), Failure> {
        let closing = || Failure::new(Code::Interrupted, "append: the hub is closing");
        loop {
            let (reply, answer) = oneshot::channel();
            self.messages.send(message(reply)).await.map_err(|_| closing())?;
            match answer.await.map_err(|_| closing())? {
                Err(failure) if self.may_wait(&failure).await => (),
                answer => return answer,
            }
        }
    }

    /// Holds what a call costs at its worst. Errors: `Interrupted` when the hub is closing.
    pub(super) async fn reserve(
        &self,
        run: RunId,
        wish: Wish,
        is_closing: bool,
    ) -> Result<Grant, Failure> {
        let closing = || Failure::new(Code::Interrupted, "reserve: the hub is closing");
        let (reply, answer) = oneshot::channel();
        let message = Message::Reserve { run, wish, is_closing, reply };
        self.messages.send(message).await.map_err(|_| closing())?;
        answer.await.map_err(|_| closing())
    }

    /// What people said that this run was not told, by what is true now.
    pub(super) fn unheard(&self, run: RunId) -> Words {
        let team = self.now.borrow();
        let (words, count) = team.unheard(run);
        Words { texts: words.iter().map(|it| crate::clean::text(&it.text)).collect(), count }
    }

    /// What is true now.
    pub(super) fn latest(&self) -> Arc<Team> {
        Arc::clone(&self.now.borrow())
    }

    /// By what is true now, not by what was when the job began.
    pub(super) fn is_over_budget(&self, run: RunId) -> bool {
        let team = self.now.borrow();
        is_over_budget(&team, run)
    }

    async fn report_failure(&self, job: &Job, failure: Failure) {
        let input = match job {
            Job::Run { run, .. } | Job::Check { run, .. } | Job::SetUp { run, .. } => {
                Input::RunFailed { run: *run, failure }
            }
            Job::Snapshot { task }
            | Job::Candidate { task, .. }
            | Job::Part { task, .. }
            | Job::Land { task, .. }
            | Job::Undo { task } => Input::StepFailed { task: *task, failure },
        };
        if let Err(refused) = self.report(input).await {
            tracing::warn!(%refused, ?job, "nobody waits for this failure any more");
        }
    }

    pub(super) fn say(&self, happening: Happening) {
        let happening = match happening {
            Happening::HandoffRefused { run, why } => {
                Happening::HandoffRefused { run, why: clean::text(&why) }
            }
            Happening::Note(text) => Happening::Note(clean::text(&text)),
            other @ (Happening::Event { .. } | Happening::Progress { .. }) => other,
        };
        // Nobody may be listening.
        let _ = self.happenings.send(happening);
    }
}

/// A refusal of our own report is no failure: the task went on without this job.
pub(super) fn settled(reported: Result<Vec<Event>, Refused>) -> Result<(), Failure> {
    match reported {
        Ok(_) => Ok(()),
        Err(Refused::Failure(failure)) => Err(failure),
        Err(Refused::Refusal(refusal)) => {
            tracing::info!(%refusal, "a late report");
            Ok(())
        }
    }
}
