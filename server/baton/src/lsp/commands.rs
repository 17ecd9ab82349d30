//! `workspace/executeCommand`: the commands behind the code actions, for clients that know nothing
//! of `baton/*`. Each takes one object, as the request of the same purpose does.

use super::types::{ExecuteCommandParams, LSPAny, MessageType};
use super::{Door, errors, plain};
use crate::protocol::TaskParams;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;

/// Argument: `DelegateParams`.
pub const DELEGATE: &str = "baton.do.delegate";
/// Argument: `AnswerApprovalParams` or `AnswerQuestionParams`.
pub const ANSWER: &str = "baton.do.answer";
/// Says where something can be reviewed; decides nothing. Argument: `{task, why}`.
pub const REVIEW: &str = "baton.do.review";
/// Says where a task stands. Argument: `TaskParams`.
pub const SHOW: &str = "baton.do.show";
/// Argument: `TaskParams`.
pub const CANCEL: &str = "baton.do.cancel";
/// Argument: `TaskParams`.
pub const RETRY: &str = "baton.do.retry";
/// Argument: `TaskParams`.
pub const UNDO: &str = "baton.do.undo";

/// The ids are the server's. A client's own begin with `baton.` alone, because some register both
/// lists in one place.
pub const ALL: [&str; 7] = [DELEGATE, ANSWER, REVIEW, SHOW, CANCEL, RETRY, UNDO];

const SAID_CHARS_MAX: usize = 300;

fn argument<T: DeserializeOwned>(params: ExecuteCommandParams) -> Result<T> {
    let argument = params.arguments.into_iter().next().unwrap_or(Value::Null);
    let wrong = |why: serde_json::Error| errors::invalid(format!("the argument: {why}"));
    serde_json::from_value(argument).map_err(wrong)
}

impl Door {
    pub(super) async fn run_command(&self, params: ExecuteCommandParams) -> Result<LSPAny> {
        let done = match params.command.as_str() {
            DELEGATE => {
                let done = self.delegate(argument(params)?).await;
                let says = |it: &crate::protocol::DelegateResult| {
                    let expects = it.expects.as_ref().map(|it| format!(": {it}"));
                    let expects = expects.unwrap_or_default();
                    format!("{} delegated{expects}. You will be told when it needs you.", it.task)
                };
                done.map(|it| (says(&it), json!(it)))
            }
            ANSWER => self.answer_command(argument(params)?).await,
            REVIEW => review(&argument::<Value>(params)?),
            SHOW => {
                let view = self.task(argument(params)?).await?;
                let says = format!("{} {}: {}", view.id, view.title, view.says);
                Ok((says, Value::Null))
            }
            CANCEL => {
                let params: TaskParams = argument(params)?;
                self.cancel(params).await.map(|it| (it.says.clone(), json!(it)))
            }
            RETRY => {
                let params: TaskParams = argument(params)?;
                self.retry(params).await.map(|it| (it.says.clone(), json!(it)))
            }
            UNDO => {
                let params: TaskParams = argument(params)?;
                self.undo(params).await.map(|it| (it.says.clone(), json!(it)))
            }
            other => Err(errors::invalid(format!("there is no command `{other}`"))),
        };
        match done {
            Ok((says, result)) => {
                self.say(MessageType::INFO, &says).await;
                Ok(result)
            }
            Err(error) => Err(error),
        }
    }

    async fn answer_command(&self, argument: Value) -> Result<(String, Value)> {
        let wrong = |why: serde_json::Error| errors::invalid(format!("the argument: {why}"));
        if argument.get("question").is_some() {
            let params = serde_json::from_value(argument).map_err(wrong)?;
            return self.answer_question(params).await.map(|it| (it.says.clone(), json!(it)));
        }
        let params = serde_json::from_value(argument).map_err(wrong)?;
        self.answer_approval(params).await.map(|it| (it.says.clone(), json!(it)))
    }

    /// A message that points; it never asks. Silent where the client shows such things itself.
    pub(super) async fn say(&self, kind: MessageType, text: &str) {
        if self.wishes().messages {
            self.client.show_message(kind, plain::line(text, SAID_CHARS_MAX)).await;
        }
    }

    /// Something about the repository as a whole; where messages are not wanted it goes to the log.
    pub(super) async fn note(&self, text: &str) {
        self.say(MessageType::WARNING, text).await;
        if !self.wishes().messages {
            let text = plain::line(text, SAID_CHARS_MAX);
            self.client.log_message(MessageType::WARNING, text).await;
        }
    }
}

fn review(argument: &Value) -> Result<(String, Value)> {
    let word = |name: &str| argument.get(name).and_then(Value::as_str).unwrap_or_default();
    let (task, why) = (word("task"), word("why"));
    let says = format!("{task} was not decided: {why}. Look at it with `baton task {task}`.");
    Ok((says, Value::Null))
}
