//! A role's run: gives the agent a slot and answers what it asks for. The agent decides nothing: its
//! signals go through the gates like everybody's.

use super::crew::Desk;
use super::owner::Message;
use super::round::{self, ground_at};
use super::shared::Leased;
use super::{Happening, Refused, blocking, facts, learned, now_ms};
use crate::agent::{
    self, Asking, Assignment, Draft, Ended, Made, NoteWhy, Progress, Request, Seen, Spent,
    StepBody, WINDOW_TOKENS, last_tree,
};
use crate::checks::Observed;
use crate::config::EditFormat;
use crate::git::Slot;
use crate::sandbox::Environment;
use crate::store::{Reader, Step};
use crate::{checks, fail};
use team::{
    Base, CheckSpec, Code, CommitId, Duty, Failure, Input, Question, Ran, ReceiptId, Report, Role,
    RunId, Start, Task, TaskId, TreeId, Work,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

mod observe;

/// Requests and lines of progress that wait for the runner.
const REQUESTS_MAX: usize = 256;
/// How long a question waits for a person.
const QUESTION_MS: u64 = 24 * 60 * 60 * 1000;

/// One run on its way.
struct Course<'a> {
    desk: &'a Desk,
    task: TaskId,
    run: RunId,
    duty: Duty,
    base: Base,
    /// The commit that the run began at.
    on: CommitId,
    checks: Vec<CheckSpec>,
    slot: Slot,
    /// Number of the next journal step.
    next: u32,
    /// The hub took its signal; what is left is to write down the end.
    is_over: bool,
    stop: CancellationToken,
}

pub(super) async fn role(desk: &Desk, task: TaskId, run: RunId) -> Result<(), Failure> {
    let missing = || Failure::new(Code::Bug, format!("find {run}"));
    let it: &Task = desk.team.task(task).ok_or_else(missing)?;
    let work = desk.team.run(run).map(|it| it.work.clone());
    let Some(Work::Role { duty, on, start }) = work else { return Err(missing()) };
    let base = it.base.clone().ok_or_else(missing)?;
    let begins_anew = duty == Duty::Build && start == Start::Fresh && 1 < it.builds;
    let model = desk.shared.model(Role::of(duty), begins_anew).await?;
    let leased = desk.slots.lease(task).await;
    let journal = steps(desk, run).await?;
    let tree = match last_tree(&journal) {
        Some(tree) => Some(tree.clone()),
        None => left_behind(desk, &start, &on).await?,
    };
    let (slot, included) = prepare(desk, &slot_name(&leased, duty), &on, tree).await?;
    let history = match start {
        Start::Fresh => vec![],
        Start::Continues { run: old, .. } => agent::history(&steps(desk, old).await?),
    };
    let stop = CancellationToken::new();
    let (brief, block_facts) = facts::opening(desk, task, run).await?;
    let setting = model.edit_format();
    let record = learned::of(desk, model.name()).await;
    let assignment = Assignment {
        run,
        duty,
        slot: slot.dir.clone(),
        brief,
        history,
        window_tokens: model.window_tokens().unwrap_or(WINDOW_TOKENS),
        // For commands alone: what was copied in is not shown by the tools that read files.
        secret_globs: included,
        format: agent::choose(setting, model.name(), &record),
        may_fall: setting == EditFormat::Auto,
        record,
        facts: block_facts,
        journal,
    };
    let next = u32::try_from(assignment.journal.len()).unwrap_or(u32::MAX);
    let (checks, stop_agent) = (it.checks.clone(), stop.clone());
    let mut course =
        Course { desk, task, run, duty, base, on, checks, slot, next, is_over: false, stop };
    let (out, requests) = mpsc::channel(REQUESTS_MAX);
    let work = agent::work(assignment, &model, out, &stop_agent);
    let (ended, served) = tokio::join!(work, course.serve(requests));
    // Whatever the end: every byte it wrote is kept.
    let kept = course.rest().await;
    learned::add(desk, model.name(), &steps(desk, run).await?).await;
    served?;
    let ended = ended?;
    kept?;
    course.end(ended).await
}

/// Engineers, writers and readers share a kind of slot; the Tester's are never written by an Engineer.
fn slot_name(leased: &Leased<'_>, duty: Duty) -> String {
    match duty {
        Duty::Triage | Duty::Design | Duty::Build | Duty::Answer | Duty::Announce => leased.name(),
        Duty::Validate => leased.name().replace('e', "t"),
    }
}

async fn steps(desk: &Desk, run: RunId) -> Result<Vec<StepBody>, Failure> {
    let dir = desk.shared.dir.clone();
    blocking(move || {
        let steps = Reader::open(&dir)?.steps(run)?;
        steps.iter().map(|it| StepBody::from_json(&it.body)).collect()
    })
    .await
}

/// The files that the run which is continued left behind: its talk says that it made them. `None`
/// where it left none, or where this run begins at another commit, which then has them.
async fn left_behind(desk: &Desk, start: &Start, on: &CommitId) -> Result<Option<TreeId>, Failure> {
    let mut start = start;
    while let Start::Continues { run: old, .. } = start {
        let Some(Work::Role { on: began, start: earlier, .. }) =
            desk.team.run(*old).map(|it| &it.work)
        else {
            break;
        };
        if began != on {
            break;
        }
        if let Some(tree) = last_tree(&steps(desk, *old).await?) {
            return Ok(Some(tree.clone()));
        }
        start = earlier;
    }
    Ok(None)
}

/// The slot at the run's commit, with the files as this tree has them; and as globs what was copied
/// in besides.
async fn prepare(
    desk: &Desk,
    name: &str,
    on: &CommitId,
    tree: Option<TreeId>,
) -> Result<(Slot, Vec<String>), Failure> {
    let (git, name, on) = (desk.shared.git.clone(), name.to_string(), on.clone());
    let include = desk.shared.include().await?;
    blocking(move || {
        fail::point("hub.slot.before");
        let slot = git.slot(&name, &on)?;
        if let Some(tree) = tree {
            git.restore(&slot, &tree)?;
        }
        let included = git.include(&slot, &include)?;
        fail::point("hub.slot.after");
        Ok((slot, included.iter().map(|it| globset::escape(it)).collect()))
    })
    .await
}

impl Course<'_> {
    /// Answers the agent until it stops asking. When the state has moved on, the agent is stopped,
    /// but not between an accepted signal and its last line in the journal.
    async fn serve(&mut self, mut requests: mpsc::Receiver<Request>) -> Result<(), Failure> {
        let desk = self.desk;
        loop {
            let request = tokio::select! {
                it = requests.recv() => it,
                () = desk.stop.cancelled(), if !self.is_over => {
                    self.stop.cancel();
                    return Ok(());
                }
            };
            let Some(request) = request else { return Ok(()) };
            if let Err(failure) = self.answer(request).await {
                self.stop.cancel();
                return Err(failure);
            }
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Progress(progress) => self.say(progress),
            Request::Journal { steps, spent, reply } => {
                // No answer: the run is over.
                if self.journal(steps, spent).await? {
                    let _ = reply.send(());
                }
            }
            Request::Words { reply } => drop(reply.send(self.desk.unheard(self.run))),
            Request::Reserve { wish, is_closing, reply } => {
                drop(reply.send(self.desk.reserve(self.run, wish, is_closing).await?));
            }
            Request::Save { reply } => drop(reply.send(self.save().await)),
            Request::Command { argv, dir, timeout_ms, reply } => {
                drop(reply.send(self.command(argv, &dir, timeout_ms).await));
            }
            Request::Check { name, reply } => drop(reply.send(self.check(&name).await)),
            Request::Checkpoint { tests, note, reply } => {
                drop(reply.send(self.checkpoint(tests, note).await));
            }
            Request::Output { receipt, reply } => drop(reply.send(self.output(receipt).await)),
            Request::Diff { reply } => drop(reply.send(self.diff().await)),
            Request::HandOver { handoff, reply } => {
                if let Some(answer) = self.hand_over(handoff).await? {
                    let _ = reply.send(answer);
                }
            }
            Request::Ask { question, reply } => {
                if let Some(answer) = self.ask(question).await? {
                    let _ = reply.send(answer);
                }
            }
        }
        Ok(())
    }

    fn say(&self, progress: Progress) {
        self.desk.say(Happening::Progress { run: self.run, progress });
    }

    /// Whether the run may go on.
    async fn journal(
        &mut self,
        steps: Vec<StepBody>,
        spent: Option<Spent>,
    ) -> Result<bool, Failure> {
        let mut rows = Vec::with_capacity(steps.len());
        for it in &steps {
            let (kind, body) = (it.kind().to_string(), it.to_json()?);
            let tree = it.tree().map(|it| it.0.clone());
            rows.push(Step { n: self.next, kind, body, tree, at: now_ms() });
            self.next += 1;
        }
        let heard = steps.iter().rev().find_map(heard);
        let spent = spent.map(|it| (it.usage, it.raw.to_string()));
        let (paid, run) = (spent.is_some(), self.run);
        self.desk
            .append(|reply| Message::Journal {
                run,
                steps: rows.clone(),
                spent: spent.clone(),
                heard,
                reply,
            })
            .await?;
        // The engine ends a run at its cap: then there is no answer, and no further call.
        Ok(!(paid && self.desk.is_over_budget(run)))
    }

    async fn save(&self) -> Result<TreeId, Failure> {
        let (git, slot, run) = (self.desk.shared.git.clone(), self.slot.clone(), self.run);
        blocking(move || {
            git.check_slot(&slot)?;
            git.save(&slot, run)
        })
        .await
    }

    /// The end of the run in this slot: its bytes are kept, the next one finds it ready.
    async fn rest(&self) -> Result<(), Failure> {
        let (git, slot, run) = (self.desk.shared.git.clone(), self.slot.clone(), self.run);
        blocking(move || {
            git.check_slot(&slot)?;
            git.save(&slot, run)?;
            git.rest(&slot)
        })
        .await
    }

    fn environment(&self) -> Environment {
        self.desk.shared.environment_of(&self.desk.team, self.task)
    }

    async fn command(
        &self,
        argv: Vec<String>,
        dir: &str,
        timeout_ms_max: u64,
    ) -> Result<Seen, Failure> {
        let shared = &self.desk.shared;
        let ground = ground_at(shared, &self.slot.name, &self.slot.dir, self.environment()).await?;
        let mut cmd = ground.confine(&argv, &self.slot.dir.join(dir))?;
        let environment = cmd.env.hash();
        cmd.timeout_ms_max = timeout_ms_max;
        let sandbox = shared.sandbox().await;
        fail::point("hub.command.before");
        let done = sandbox.run(&cmd, &self.desk.stop).await?;
        fail::point("hub.command.after");
        let observed = Observed {
            argv,
            exit: done.exit,
            duration_ms: done.duration_ms,
            output: done.output,
            output_bytes: done.output_bytes,
            output_sha256: done.output_sha256,
            tests: None,
            environment,
        };
        let level = sandbox.level();
        let receipt =
            round::record(self.desk, self.run, Ran::Command, &observed, &ground, level).await?;
        let (git, slot) = (shared.git.clone(), self.slot.clone());
        let made = blocking(move || git.made(&slot)).await?;
        Ok(seen(receipt, observed, Made::Kept(made)))
    }

    async fn check(&self, name: &str) -> Result<Result<Seen, String>, Failure> {
        let Some(spec) = self.checks.iter().find(|it| it.name == name) else {
            let names: Vec<&str> = self.checks.iter().map(|it| it.name.as_str()).collect();
            let known = if names.is_empty() { "none".into() } else { names.join(", ") };
            return Ok(Err(format!("there is no check `{name}` here; there is: {known}")));
        };
        let shared = &self.desk.shared;
        let mut ground =
            ground_at(shared, &self.slot.name, &self.slot.dir, self.environment()).await?;
        let (git, slot) = (shared.git.clone(), self.slot.clone());
        let (tree, commit) = blocking(move || git.stands(&slot)).await?;
        // Files that equal the commit are that commit.
        (ground.tree, ground.commit) = (Some(tree), commit);
        let sandbox = shared.sandbox().await;
        fail::point("hub.command.before");
        let mut observed = checks::run(sandbox, spec, &ground, &[], false, &self.desk.stop).await?;
        fail::point("hub.command.after");
        let ran = Ran::OwnCheck { name: name.to_string() };
        let level = sandbox.level();
        let receipt = round::record(self.desk, self.run, ran, &observed, &ground, level).await?;
        observed.output = checks::for_people(observed.output);
        let (git, slot, run) = (shared.git.clone(), self.slot.clone(), self.run);
        let made = blocking(move || git.set_made_aside(&slot, run)).await?;
        Ok(Ok(seen(receipt, observed, Made::SetAside(made))))
    }

    async fn checkpoint(
        &self,
        tests: Vec<String>,
        note: String,
    ) -> Result<Result<String, String>, Failure> {
        let counts = |it: &&CheckSpec| it.required && it.report != Report::Exit;
        let Some(spec) = self.checks.iter().find(counts) else {
            let text = "no check of this project counts tests by name; go on without a checkpoint";
            return Ok(Err(text.into()));
        };
        let message = if note.trim().is_empty() { "checkpoint".into() } else { note };
        let commit = self.commit(&message).await?;
        let (git, from, to) = (self.desk.shared.git.clone(), self.on.clone(), commit.clone());
        let beyond = blocking(move || git.beyond_tests(&from, &to)).await?;
        if !beyond.is_empty() {
            let paths = beyond.join(", ");
            return Ok(Err(format!(
                "a checkpoint shows the bug in the code as it was: put {paths} back as they were \
                 and add tests alone, then call checkpoint again"
            )));
        }
        match round::reproduce(self.desk, (self.task, self.run), spec, &commit, &tests).await? {
            Err(why) => Ok(Err(why)),
            Ok(repro) => {
                let (receipt, strong) = (repro.receipt, repro.strong);
                let run = self.run;
                match self.desk.report(Input::Reproduced { run, repro }).await {
                    Ok(_) => (),
                    Err(Refused::Failure(failure)) => return Err(failure),
                    Err(Refused::Refusal(refusal)) => return Ok(Err(refusal.to_string())),
                }
                let how = if strong {
                    "ran and failed by name, as they should: now fix the bug"
                } else {
                    "did not build there, which is weak evidence: better tests compile and fail"
                };
                let (names, commit) = (tests.join(", "), commit.short());
                Ok(Ok(format!("{names} {how} (at {commit}, receipt {receipt})")))
            }
        }
    }

    async fn commit(&self, message: &str) -> Result<CommitId, Failure> {
        let (git, slot, run) = (self.desk.shared.git.clone(), self.slot.clone(), self.run);
        let (role, message) = (Role::of(self.duty), crate::clean::text(message));
        blocking(move || {
            git.check_slot(&slot)?;
            fail::point("hub.commit.before");
            let commit = git.commit(&slot, run, role, &message)?;
            fail::point("hub.commit.after");
            Ok(commit)
        })
        .await
    }

    /// What a receipt of this task kept; the inner error is a sentence for the model.
    async fn output(&self, id: ReceiptId) -> Result<Result<Vec<u8>, String>, Failure> {
        let team = self.desk.latest();
        let ours = team.run(id.run).is_some_and(|it| it.task == self.task);
        let Some(hash) = team.receipt(id).filter(|_| ours).map(|it| it.output.clone()) else {
            return Ok(Err(format!("this task has no receipt {id}")));
        };
        let dir = self.desk.shared.dir.clone();
        let kept = blocking(move || Reader::open(&dir)?.output(&hash)).await?;
        Ok(kept.ok_or_else(|| format!("the output of {id} is cleared; run it again")))
    }

    async fn diff(&self) -> Result<String, Failure> {
        let (git, slot, from) =
            (self.desk.shared.git.clone(), self.slot.clone(), self.base.seen.clone());
        blocking(move || git.slot_patch(&slot, &from)).await
    }

    /// The outer `None`: the task went on without this run.
    async fn hand_over(&mut self, draft: Draft) -> Result<Option<Result<(), String>>, Failure> {
        let (handoff, facts) = match self.observe(draft).await? {
            Ok(observed) => observed,
            Err(why) => {
                self.desk.say(Happening::HandoffRefused { run: self.run, why: why.clone() });
                return Ok(Some(Err(why)));
            }
        };
        let run = self.run;
        self.signal(Input::HandedOver { run, handoff, facts }).await
    }

    async fn ask(&mut self, asking: Asking) -> Result<Option<Result<(), String>>, Failure> {
        let Asking { text, options, default, proceed, stakes } = asking;
        let deadline_at = now_ms() + QUESTION_MS;
        let ask = Question { text, options, default, proceed, deadline_at, stakes };
        self.signal(Input::AskedPerson { run: self.run, ask }).await
    }

    async fn signal(&mut self, input: Input) -> Result<Option<Result<(), String>>, Failure> {
        // From here on the hub may stop this job; the agent still writes its end.
        self.is_over = true;
        match self.desk.report(input).await {
            Ok(_) => Ok(Some(Ok(()))),
            Err(Refused::Failure(failure)) => Err(failure),
            Err(Refused::Refusal(team::Refusal::StaleRun(_))) => Ok(None),
            Err(Refused::Refusal(refusal)) => {
                self.is_over = false;
                let (run, why) = (self.run, refusal.to_string());
                self.desk.say(Happening::HandoffRefused { run, why: why.clone() });
                Ok(Some(Err(why)))
            }
        }
    }

    async fn end(&self, ended: Ended) -> Result<(), Failure> {
        match ended {
            Ended::HandedOver | Ended::Asked => Ok(()),
            Ended::Stuck(why) | Ended::UsedUp(why) => Err(Failure::new(Code::Stuck, why)),
        }
    }
}

/// How many words of people this step told the model.
fn heard(step: &StepBody) -> Option<u32> {
    match step {
        StepBody::Note { why: NoteWhy::Words { words }, .. } => Some(*words),
        StepBody::Note { why: NoteWhy::NoCall | NoteWhy::Closing, .. }
        | StepBody::Opened { .. }
        | StepBody::Reply { .. }
        | StepBody::Started { .. }
        | StepBody::Result { .. }
        | StepBody::Elided { .. } => None,
    }
}

fn seen(receipt: ReceiptId, observed: Observed, made: Made) -> Seen {
    Seen {
        receipt,
        exit: observed.exit,
        duration_ms: observed.duration_ms,
        output: observed.output,
        output_bytes: observed.output_bytes,
        tests: observed.tests,
        made,
    }
}
