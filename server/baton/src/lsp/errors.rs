//! What a refused or failed request answers.

use crate::clean;
use crate::hub::Refused;
use crate::protocol::{ErrorData, code, refusal_name};
use serde_json::json;
use team::{Code, Failure};
use tower_lsp::jsonrpc::{Error, ErrorCode};

fn error(
    code: i64,
    (kind, what): (&str, &str),
    text: String,
    retryable: bool,
    hint: String,
) -> Error {
    let (text, hint) = (clean::text(&text), clean::text(&hint));
    let (kind, what) = (kind.to_owned(), what.to_owned());
    let data = ErrorData { kind, what, retryable, hint };
    Error { code: ErrorCode::ServerError(code), message: text.into(), data: Some(json!(data)) }
}

/// The rules forbid it; nothing changed.
pub fn refused(text: impl ToString) -> Error {
    error(code::REFUSED, ("refused", ""), text.to_string(), false, String::new())
}

fn name_of(code: Code) -> String {
    let name = serde_json::to_value(code).ok();
    name.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The world failed.
pub fn failed(failure: Failure) -> Error {
    let retryable = match failure.code {
        Code::Locked | Code::Model | Code::TimedOut | Code::DiskFull | Code::Interrupted => true,
        Code::Git
        | Code::Store
        | Code::Config
        | Code::Key
        | Code::Stuck
        | Code::Command
        | Code::NoSandbox
        | Code::WorktreeLost
        | Code::Bug => false,
    };
    error(code::FAILED, ("failed", &name_of(failure.code)), failure.text, retryable, failure.hint)
}

/// What was named is not there.
pub fn unknown(failure: Failure) -> Error {
    error(code::UNKNOWN, ("unknown", &name_of(failure.code)), failure.text, false, failure.hint)
}

/// A parameter that cannot be meant; `text` says what may be.
pub fn invalid(text: impl Into<String>) -> Error {
    let mut error = Error::invalid_params(text.into());
    error.data = None;
    error
}

/// The repository isn't open yet.
pub fn opening() -> Error {
    let hint = "try again in a moment".to_owned();
    let text = "the repository is still being opened".to_owned();
    error(code::OPENING, ("opening", ""), text, true, hint)
}

pub fn from_hub(refused_by: Refused) -> Error {
    match refused_by {
        Refused::Refusal(refusal) => {
            let (code, kind) = match refusal {
                team::Refusal::NoSuchTask(_)
                | team::Refusal::NoSuchApproval(_)
                | team::Refusal::NoSuchQuestion(_)
                | team::Refusal::NoSuchMemo(_) => (code::UNKNOWN, "unknown"),
                team::Refusal::StaleRun(_)
                | team::Refusal::Closed(_)
                | team::Refusal::AlreadyAnswered(_)
                | team::Refusal::Changed(_)
                | team::Refusal::NeedsTicks(_)
                | team::Refusal::Gate(_)
                | team::Refusal::Not(_) => (code::REFUSED, "refused"),
            };
            let what = (kind, refusal_name(&refusal));
            error(code, what, refusal.to_string(), false, String::new())
        }
        Refused::Failure(failure) => failed(failure),
    }
}
