//! What a refused or failed request answers.

use crate::clean;
use crate::hub::Refused;
use crate::protocol::{ErrorData, code};
use serde_json::json;
use team::{Code, Failure};
use tower_lsp::jsonrpc::{Error, ErrorCode};

fn error(code: i64, kind: &str, text: String, retryable: bool, hint: String) -> Error {
    let (kind, text, hint) = (kind.to_owned(), clean::text(&text), clean::text(&hint));
    let data = ErrorData { kind, retryable, hint };
    Error { code: ErrorCode::ServerError(code), message: text.into(), data: Some(json!(data)) }
}

/// The rules forbid it; nothing changed.
pub fn refused(text: impl ToString) -> Error {
    error(code::REFUSED, "refused", text.to_string(), false, String::new())
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
    error(code::FAILED, "failed", failure.text, retryable, failure.hint)
}

/// What was named is not there.
pub fn unknown(failure: Failure) -> Error {
    error(code::UNKNOWN, "unknown", failure.text, false, failure.hint)
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
    error(code::OPENING, "opening", text, true, hint)
}

pub fn from_hub(refused_by: Refused) -> Error {
    match refused_by {
        Refused::Refusal(refusal) => match refusal {
            team::Refusal::NoSuchTask(_)
            | team::Refusal::NoSuchApproval(_)
            | team::Refusal::NoSuchQuestion(_)
            | team::Refusal::NoSuchMemo(_) => {
                unknown(Failure::new(Code::Config, refusal.to_string()))
            }
            team::Refusal::StaleRun(_)
            | team::Refusal::Closed(_)
            | team::Refusal::AlreadyAnswered(_)
            | team::Refusal::Changed(_)
            | team::Refusal::NeedsTicks(_)
            | team::Refusal::Gate(_)
            | team::Refusal::Not(_) => refused(refusal),
        },
        Refused::Failure(failure) => failed(failure),
    }
}
