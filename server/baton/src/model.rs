//! The team's model: one HTTP client for two wires, Anthropic's Messages and OpenAI's Chat Completions,
//! and the scripted rehearsal that speaks the same wires when no model is wanted.
//!
//! `message` holds what is said. `anthropic` and `openai` turn it into bytes whose prefix stays the
//! same from call to call, and put replies together; `client` and `sse` carry both, `refusal` and
//! `retry` decide what is asked again, `lenient` reads calls that a model wrote as text, `price`
//! counts the money, `local` finds a server on this machine.

mod anthropic;
mod client;
mod lenient;
pub mod local;
mod message;
mod openai;
mod price;
mod refusal;
pub mod rehearsal;
mod reply;
mod retry;
mod sse;
mod wire;

pub use message::{Block, Message, Speaker, ToolSpec, UNPARSED};
pub use retry::Patience;

use crate::config::{EditFormat, ModelConfig, Provider};
use client::Client;
use openai::Habits;
use price::PriceTable;
use rehearsal::{Script, Server};
use retry::{Again, Fault, RETRIES_MAX};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use team::{Code, Failure, Usage};
use tokio_util::sync::CancellationToken;
use wire::Wire;

/// One question to the model: everything it gets to see.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub system: &'a str,
    pub tools: &'a [ToolSpec],
    /// The first and the last are the user's. Messages without blocks are not sent.
    pub messages: &'a [Message],
    /// The smaller of this and the configured one counts.
    pub max_output_tokens: u32,
}

/// What the model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// May have no blocks: then it can't be sent back and there is nothing to act on.
    pub message: Message,
    pub stop: Stop,
    /// Of this reply alone; replies that broke off came as `Delta::Lost`.
    pub usage: Usage,
    /// The provider's own record, as it came; `{}` when it sent none.
    pub raw_usage: serde_json::Value,
}

/// Why the reply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    EndTurn,
    ToolUse,
    MaxTokens,
    Refusal,
    /// A reason that this version does not know, as it came.
    Other(String),
}

/// What happens while a reply is awaited.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    Text(String),
    /// The model began to write the arguments of this tool.
    ToolStarted(String),
    /// What was said so far is void; the same question is asked again after that wait.
    Retrying {
        why: String,
        wait_ms: u64,
    },
    /// A reply broke off after the provider had counted it. It was paid: book it at once.
    Lost {
        usage: Usage,
        raw_usage: serde_json::Value,
    },
}

/// An open way to a model. Cheap to clone; a rehearsal's server lives as long as its last clone.
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    output_tokens_max: u32,
    edit_format: EditFormat,
    window_tokens: Option<u64>,
    wire: Wire,
    client: Client,
    /// As the server's refusals taught them.
    habits: Mutex<Habits>,
    prices: Option<PriceTable>,
    patience: Patience,
    server: Option<Server>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.inner.name)
            .field("url", &self.inner.client.url().as_str())
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Reads the key, or starts the rehearsal. Sends nothing yet.
    ///
    /// Errors: `Config` (address, script), `Key` (none where one is configured).
    pub async fn open(config: &ModelConfig) -> Result<Model, Failure> {
        Model::open_with(config, Patience::default()).await
    }

    /// As `open`, with other waiting times.
    pub async fn open_with(config: &ModelConfig, patience: Patience) -> Result<Model, Failure> {
        let server = match config.provider {
            Provider::Anthropic | Provider::OpenAi => None,
            Provider::Script => Some(start_rehearsal(config).await?),
        };
        let key = match config.key.clone() {
            None => None,
            Some(source) => {
                let read = tokio::task::spawn_blocking(move || source.read()).await;
                Some(read.map_err(|it| Failure::new(Code::Bug, it.to_string()))??)
            }
        };
        let base_url = server.as_ref().map_or(&config.base_url, |it| &it.base_url);
        let wire = match config.provider {
            Provider::OpenAi => Wire::OpenAi,
            Provider::Anthropic | Provider::Script => Wire::Anthropic,
        };
        let client = Client::open(wire, base_url, key, patience)?;
        let inner = Inner {
            name: config.model.clone(),
            output_tokens_max: config.max_output_tokens,
            edit_format: config.edit_format,
            window_tokens: config.window_tokens,
            wire,
            habits: Mutex::new(Habits::of(client.url())),
            client,
            prices: PriceTable::of(&config.model, config.prices),
            patience,
            server,
        };
        Ok(Model { inner: Arc::new(inner) })
    }

    /// The model's name as the provider knows it; `rehearsal` for a script.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How it shall write its edits, as configured.
    pub fn edit_format(&self) -> EditFormat {
        self.inner.edit_format
    }

    /// How much the model can hold, where that was configured.
    pub fn window_tokens(&self) -> Option<u64> {
        self.inner.window_tokens
    }

    /// Whether `Usage::micros` means anything.
    pub fn priced(&self) -> bool {
        self.inner.prices.is_some()
    }

    /// The most output of one reply, in tokens, as configured.
    pub fn output_tokens_max(&self) -> u32 {
        self.inner.output_tokens_max
    }

    /// What a request of so many tokens costs if no cache helps, in micro-dollars, and each token of
    /// its reply, in nano-dollars; 0 where prices are not known.
    pub fn worst_price(&self, input_tokens: u64) -> (u64, u64) {
        self.inner.prices.as_ref().map_or((0, 0), |it| it.worst(input_tokens))
    }

    /// The server of a rehearsal.
    pub fn rehearsal(&self) -> Option<&Server> {
        self.inner.server.as_ref()
    }

    /// Asks and waits for the whole reply; asks again, at most four times, when the wire or the
    /// provider stumbles. `stop` ends it at once. Dropping the future also does, but then what was
    /// paid for a reply that broke off is not reported.
    ///
    /// Errors: `Key` (the provider refused the key), `Model` (not reached, or broken again and
    /// again, or the question was refused), `Interrupted`.
    pub async fn call(
        &self,
        call: &Call<'_>,
        on: &mut (dyn FnMut(Delta) + Send),
        stop: &CancellationToken,
    ) -> Result<Reply, Failure> {
        let inner = &*self.inner;
        let call = Call {
            max_output_tokens: call.max_output_tokens.min(inner.output_tokens_max),
            ..*call
        };
        let place = call.messages.len();
        let mut habits = inner.habits();
        let mut body = inner.wire.body(&inner.name, &call, habits)?;
        let mut tries = Tries::default();
        loop {
            let (assembly, ended) = inner.client.ask(&body, place, on, stop).await;
            let fault = match ended {
                Ok(()) => {
                    let reply = assembly.finish(inner.prices.as_ref());
                    return Ok(lenient::read(reply, call.tools, place));
                }
                Err(fault) => fault,
            };
            if let Some((usage, raw_usage)) = assembly.usage(inner.prices.as_ref()) {
                on(Delta::Lost { usage, raw_usage });
            }
            let (why, wait) = match fault {
                Fault::Final(failure) => return Err(failure),
                Fault::Unsuited { said, failure } => {
                    habits = inner.wire.learn(habits, &said).ok_or(failure)?;
                    tracing::debug!(model = %inner.name, ?habits, "asking otherwise");
                    inner.keep(habits);
                    body = inner.wire.body(&inner.name, &call, habits)?;
                    continue;
                }
                Fault::Again(again) => tries.again(again, inner)?,
                Fault::Loading => tries.load(inner)?,
            };
            tracing::debug!(model = %inner.name, %why, "asking again");
            on(Delta::Retrying { why, wait_ms: as_ms(wait) });
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(retry::stopped()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// How often one question was asked again, and since when its server reads its weights.
#[derive(Default)]
struct Tries {
    retries: u32,
    loading_since: Option<Instant>,
}

impl Tries {
    /// Why and after how long it is asked again, if it is.
    fn again(&mut self, again: Again, inner: &Inner) -> Result<(String, Duration), Failure> {
        if RETRIES_MAX <= self.retries {
            return Err(again.give_up(inner.client.url().as_str(), self.retries + 1));
        }
        let backoff = || retry::backoff(inner.patience.backoff, self.retries);
        let wait = again.wait.unwrap_or_else(backoff);
        self.retries += 1;
        Ok((again.why, wait))
    }

    /// The same for a server that will be there in a while.
    fn load(&mut self, inner: &Inner) -> Result<(String, Duration), Failure> {
        let since = *self.loading_since.get_or_insert_with(Instant::now);
        if inner.patience.loading < since.elapsed() {
            let text = format!("{} still loads its model", inner.client.url());
            return Err(Failure::new(Code::Model, text).hint("look at the server's own output"));
        }
        Ok(("the server loads its model".to_owned(), 2 * inner.patience.backoff))
    }
}

impl Inner {
    fn habits(&self) -> Habits {
        *self.habits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, habits: Habits) {
        *self.habits.lock().unwrap_or_else(PoisonError::into_inner) = habits;
    }
}

async fn start_rehearsal(config: &ModelConfig) -> Result<Server, Failure> {
    let path = config
        .script
        .as_ref()
        .ok_or_else(|| Failure::new(Code::Config, "no script is named for the rehearsal"))?;
    let bad = |why: String| {
        Failure::new(Code::Config, format!("{}: {why}", path.display()))
            .hint("mend the script, or choose a model in [model]")
    };
    let text = tokio::fs::read_to_string(path).await.map_err(|it| bad(it.to_string()))?;
    let script = Script::parse(&text).map_err(|it| bad(it.text))?;
    rehearsal::serve(script).await
}

fn as_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
