//! The course of a run: looks at what follows from its steps, does that, writes it down, until it
//! ends.

use super::{Assignment, Ended, opening, prompt};
use crate::agent::files::Files;
use crate::agent::format::Format;
use crate::agent::format::record::Record;
use crate::agent::journal::{Ending, NoteWhy, StepBody, format_of};
use crate::agent::request::{Progress, Request, Spent, Words};
use crate::agent::talk::{Next, Talk, Wanted};
use crate::agent::tools::{self, Tool};
use crate::agent::whole::{self, Facts};
use crate::model::{Call, Delta, Model, Reply, ToolSpec};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use team::{Code, Duty, Failure, Grant, Wish};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

mod blocks;
mod calls;
mod show;

use show::Show;

/// The configured limit of the model counts where it is smaller.
const OUTPUT_TOKENS_MAX: u32 = 32_000;
/// The note that announces the closing reply, which a request may have to hold besides.
const CLOSING_NOTE_TOKENS: u64 = 200;
/// A file of 300 lines has room; a model that repeats itself without end is cut off.
const BLOCK_TOKENS_MAX: u32 = 6_000;

/// Does one run, from its start or from where its journal ends.
///
/// Everything outside the slot's files is asked through `out`. `stop` ends it at once.
/// Errors: the model's (`Model`, `Key`), the runner's (`WorktreeLost`, `Store`, ...), `Interrupted`.
pub async fn work(
    assignment: Assignment,
    model: &Model,
    out: mpsc::Sender<Request>,
    stop: &CancellationToken,
) -> Result<Ended, Failure> {
    let Assignment {
        run,
        duty,
        slot,
        brief,
        history,
        journal,
        window_tokens,
        secret_globs,
        format,
        facts,
        may_fall,
        record,
    } = assignment;
    let format = format_of(&journal).unwrap_or(format);
    tracing::debug!(%run, ?duty, steps = journal.len(), "run begins");
    let mut course = Course {
        duty,
        files: Arc::new(open_files(&slot, secret_globs).await?),
        format,
        offered: Vec::new(),
        tools: Vec::new(),
        facts,
        may_fall,
        record,
        window_tokens,
        model,
        out,
        stop,
        talk: Talk::of(&journal),
        unwritten: Vec::new(),
        is_unsaved: false,
        is_binding: false,
        begun: None,
    };
    course.set_format(format);
    if journal.is_empty() {
        let step = match format {
            Format::Whole => course.open_blocks().await?,
            Format::Replace | Format::Patch => {
                let messages = opening(history, brief);
                StepBody::Opened { messages, format, frame: None }
            }
        };
        course.take(step);
    }
    let ended = course.go().await?;
    tracing::debug!(%run, ?ended, "run ended");
    Ok(ended)
}

async fn open_files(slot: &Path, secret_globs: Vec<String>) -> Result<Files, Failure> {
    let slot = slot.to_owned();
    let opened = tokio::task::spawn_blocking(move || Files::open(&slot, &secret_globs)).await;
    opened.map_err(|error| Failure::new(Code::Bug, format!("open a slot: {error}")))?
}

/// What became of a call.
enum Called {
    Replied(Reply),
    /// It broke off, and asking again doesn't fit any more; which limit.
    NoMoney(String),
}

/// A run under way.
struct Course<'a> {
    duty: Duty,
    files: Arc<Files>,
    format: Format,
    offered: Vec<Tool>,
    tools: Vec<ToolSpec>,
    facts: Facts,
    /// Its format may change on the way.
    may_fall: bool,
    /// What is known of the model from earlier runs.
    record: Record,
    window_tokens: u64,
    model: &'a Model,
    out: mpsc::Sender<Request>,
    stop: &'a CancellationToken,
    talk: Talk,
    /// Steps that are taken in but not in the journal yet. Nothing with an effect happens while
    /// there are any.
    unwritten: Vec<StepBody>,
    /// The slot's files may have changed since the last save.
    is_unsaved: bool,
    /// What is unwritten came of more than reading, so it is written down before the model hears of it.
    is_binding: bool,
    /// The call that was written down as begun with the reply that asked for it.
    begun: Option<String>,
}

impl Course<'_> {
    async fn go(&mut self) -> Result<Ended, Failure> {
        loop {
            if self.falls().await? {
                self.fall().await?;
            }
            match self.talk.next() {
                Next::Do(wanted) => {
                    if let Some(ended) = self.make(wanted).await? {
                        return Ok(ended);
                    }
                }
                Next::Say(text) => self.take(StepBody::Note { text, why: NoteWhy::NoCall }),
                Next::AskModel => {
                    if let Some(ended) = self.ask_model().await? {
                        return Ok(ended);
                    }
                }
                Next::Stuck(why) => {
                    self.write_down(None).await?;
                    return Ok(Ended::Stuck(why));
                }
                Next::UsedUp(why) => {
                    self.write_down(None).await?;
                    return Ok(Ended::UsedUp(why));
                }
            }
        }
    }

    fn set_format(&mut self, format: Format) {
        self.format = format;
        self.offered = format.tools(self.duty);
        self.tools = tools::specs(&self.offered, format);
    }

    /// Takes in a step; it is written down before the next thing that has an effect.
    fn take(&mut self, mut step: StepBody) {
        // Here, so that the live run and the journal hold the same: the model is never told a secret.
        step.redact();
        self.is_binding |= !matches!(step, StepBody::Result { .. });
        self.talk.take_in(&step);
        self.unwritten.push(step);
    }

    /// Saves the slot if its files may have changed, and appends what is unwritten.
    async fn write_down(&mut self, spent: Option<Spent>) -> Result<(), Failure> {
        if self.is_unsaved {
            let saved = self.request(|reply| Request::Save { reply }).await??;
            self.is_unsaved = false;
            let last = self.unwritten.iter_mut().rev().find_map(|it| match it {
                StepBody::Result { tree, .. } => Some(tree),
                StepBody::Opened { .. }
                | StepBody::Reply { .. }
                | StepBody::Started { .. }
                | StepBody::Note { .. }
                | StepBody::Elided { .. } => None,
            });
            if let Some(tree) = last {
                *tree = Some(saved);
            }
        }
        let steps = std::mem::take(&mut self.unwritten);
        self.is_binding = false;
        self.journal(steps, spent).await
    }

    async fn journal(&self, steps: Vec<StepBody>, spent: Option<Spent>) -> Result<(), Failure> {
        self.request(|reply| Request::Journal { steps, spent, reply }).await
    }

    /// Asks the runner and waits. No answer: the run is over.
    async fn request<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Failure> {
        let over = || Failure::new(Code::Interrupted, "go on: the run was stopped");
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.out.send(make(reply)).await.map_err(|_| over())?;
            answer.await.map_err(|_| over())
        };
        tokio::select! {
            biased;
            answer = asked => answer,
            () = self.stop.cancelled() => Err(over()),
        }
    }

    /// For those who watch; not worth waiting for.
    fn show(&self, progress: Progress) {
        let _ = self.out.try_send(Request::Progress(progress));
    }

    /// Calls the model, if that fits into what is left; `Some`: it doesn't.
    async fn ask_model(&mut self) -> Result<Option<Ended>, Failure> {
        // What was only read can be read again, and is written down with the reply to it.
        if self.is_binding || self.is_unsaved {
            self.write_down(None).await?;
        }
        self.listen().await?;
        if let Some(keep) = self.talk.elision(self.window_tokens) {
            self.take(StepBody::Elided { keep });
        }
        let wish = self.wish();
        let output_tokens_max = match self.reserve(wish).await? {
            Grant::Call { output_tokens_max } => {
                if self.talk.is_full(self.window_tokens) {
                    self.announce("The window of the model is full.");
                }
                output_tokens_max
            }
            Grant::Closing { output_tokens_max, why } => {
                self.announce(&why);
                output_tokens_max
            }
            Grant::No { why } => {
                self.write_down(None).await?;
                return Ok(Some(Ended::UsedUp(why)));
            }
        };
        if self.is_binding {
            self.write_down(None).await?;
        }
        let reply = match self.call_model(wish, output_tokens_max).await {
            Ok(Called::Replied(reply)) => reply,
            Ok(Called::NoMoney(why)) => {
                self.write_down(None).await?;
                return Ok(Some(Ended::UsedUp(why)));
            }
            Err(failure) => {
                self.write_down(None).await?;
                return Err(failure);
            }
        };
        self.take(StepBody::Reply {
            message: reply.message,
            ending: Ending::of(&reply.stop),
            usage: reply.usage,
        });
        self.show(Progress::Spent(*self.talk.spent()));
        // A command that this reply asks for first is begun with the same write.
        self.begun = self.first_to_run();
        if let Some(call) = self.begun.clone() {
            self.take(StepBody::Started { call });
        }
        let spent = Spent { usage: reply.usage, raw: reply.raw_usage };
        self.write_down(Some(spent)).await?;
        Ok(None)
    }

    /// Takes in what people said since the last call.
    async fn listen(&mut self) -> Result<(), Failure> {
        let Words { texts, count } = self.request(|reply| Request::Words { reply }).await?;
        if !texts.is_empty() {
            let text = format!(
                "The person who gave this task says, while you work on it:\n{}\nTake it into account from here on.",
                texts.join("\n")
            );
            self.take(StepBody::Note { text, why: NoteWhy::Words { words: count } });
        }
        Ok(())
    }

    /// The next call at its worst.
    fn wish(&self) -> Wish {
        let schemas = self
            .tools
            .iter()
            .map(|it| it.name.len() + it.description.len() + it.schema.to_string().len());
        let (system, asked_max) = self.asks();
        let fixed: usize = system.len() + schemas.sum::<usize>();
        let input_tokens = self.talk.request_tokens(fixed) + CLOSING_NOTE_TOKENS;
        let (input_micros, output_nanos) = self.model.worst_price(input_tokens);
        let output_tokens_max = asked_max.min(self.model.output_tokens_max()).into();
        Wish { input_tokens, input_micros, output_tokens_max, output_nanos }
    }

    /// The system text in this format, and the longest reply that it needs, in tokens.
    fn asks(&self) -> (Cow<'static, str>, u32) {
        match self.format {
            Format::Replace | Format::Patch => {
                (self.format.adapt(prompt(self.duty)), OUTPUT_TOKENS_MAX)
            }
            Format::Whole => (whole::brief::system(self.duty).into(), BLOCK_TOKENS_MAX),
        }
    }

    async fn reserve(&self, wish: Wish) -> Result<Grant, Failure> {
        let is_closing = self.talk.is_closing();
        self.request(|reply| Request::Reserve { wish, is_closing, reply }).await
    }

    /// Tells the model that this reply is its last, once.
    fn announce(&mut self, limit: &str) {
        if !self.talk.is_closing() {
            let text = self.closing(limit);
            self.take(StepBody::Note { text, why: NoteWhy::Closing });
        }
    }

    fn closing(&self, limit: &str) -> String {
        let limit = limit.replace('\n', " ");
        if self.format == Format::Whole {
            return format!("{limit}\nThis is your last reply.");
        }
        let tool = Tool::hand_over(self.duty).name();
        format!(
            "{limit}\nThis is your last reply. Hand over what there is with {tool} and say honestly what is missing, or decline and say why. No other tool works any more."
        )
    }

    async fn call_model(&self, wish: Wish, output_tokens_max: u64) -> Result<Called, Failure> {
        let (lost, mut losses) = mpsc::unbounded_channel();
        let mut shown = Show::new(self.out.clone());
        let mut on = |delta: Delta| match delta {
            Delta::Text(text) => shown.text(&text),
            Delta::ToolStarted(_) => shown.flush(),
            Delta::Retrying { why, wait_ms } => shown.waits(&why, wait_ms),
            Delta::Lost { usage, raw_usage } => {
                let raw = raw_usage;
                // The receiver lives as long as this call.
                let _ = lost.send(Spent { usage, raw });
            }
        };
        let (system, _) = self.asks();
        let call = Call {
            system: &system,
            tools: &self.tools,
            messages: self.talk.messages(),
            max_output_tokens: u32::try_from(output_tokens_max).unwrap_or(OUTPUT_TOKENS_MAX),
        };
        let reply = {
            let asked = self.model.call(&call, &mut on, self.stop);
            tokio::pin!(asked);
            loop {
                tokio::select! {
                    biased;
                    // It is asked again by itself, which costs once more.
                    Some(spent) = losses.recv() => {
                        self.journal(Vec::new(), Some(spent)).await?;
                        if let Grant::No { why } = self.reserve(wish).await? {
                            return Ok(Called::NoMoney(why));
                        }
                    }
                    reply = &mut asked => break reply,
                }
            }
        };
        while let Ok(spent) = losses.try_recv() {
            self.journal(Vec::new(), Some(spent)).await?;
        }
        shown.flush();
        reply.map(Called::Replied)
    }

    /// Gives a call its result.
    fn give(&mut self, wanted: Wanted, content: String, is_error: bool) {
        self.take(StepBody::Result { call: wanted.id, content, is_error, tree: None });
    }
}
