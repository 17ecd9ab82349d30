//! What a provider's refusal means, by the status of an answer or by an error in the middle of a stream:
//! whether it may pass, and what a person can do if not.

use super::openai::habits::is_too_long;
use super::reply::BUSY;
use super::retry::{Again, Fault};
use reqwest::Url;
use serde_json::Value;
use std::time::Duration;
use team::{Code, Failure};

/// What a server of this machine says while it reads its weights.
const LOADING: &str = "loading model";
/// No money, and no time to wait will change it.
const UNPAID: [&str; 4] =
    ["insufficient_quota", "billing_error", "insufficient credits", "insufficient balance"];

/// The provider's words and what they are called: the type, the code and the message.
pub(super) struct Said {
    pub(super) text: String,
    kind: String,
    code: Option<u64>,
}

impl Said {
    /// From the body of an answer: its error, or the beginning of what came instead.
    pub(super) fn of_body(bytes: &[u8]) -> Said {
        let json: Option<Value> = serde_json::from_slice(bytes).ok();
        // Some servers put the error into a list of one.
        let json = json.map(|it| match it {
            Value::Array(mut list) if list.len() == 1 => list.remove(0),
            other => other,
        });
        match json.as_ref() {
            Some(json) => {
                let said = Said::of(json.get("error").filter(|it| !it.is_null()).unwrap_or(json));
                match said.text.as_str() {
                    "" => Said { text: String::from_utf8_lossy(bytes).into_owned(), ..said },
                    _ => said,
                }
            }
            None => {
                let text = match bytes {
                    [] => "no reason given".to_owned(),
                    _ => String::from_utf8_lossy(bytes).into_owned(),
                };
                Said { text, kind: String::new(), code: None }
            }
        }
    }

    /// From an error: an object or its words alone.
    fn of(error: &Value) -> Said {
        let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let words = ["message", "detail"].map(field);
        let text = words.into_iter().find(|it| !it.is_empty());
        // Routers wrap what the server behind them said.
        let inner = error.pointer("/metadata/raw").and_then(Value::as_str);
        let text = [text.or(error.as_str()), inner].into_iter().flatten();
        let code = error.get("code").and_then(Value::as_u64);
        Said {
            text: text.collect::<Vec<_>>().join(": "),
            kind: format!("{} {}", field("type"), field("code")),
            code,
        }
    }

    fn has(&self, words: &[&str]) -> bool {
        let all = format!("{} {}", self.kind, self.text).to_ascii_lowercase();
        words.iter().any(|it| all.contains(it))
    }

    fn is_too_long(&self) -> bool {
        is_too_long(&format!("{} {}", self.kind, self.text).to_ascii_lowercase())
    }
}

fn final_(code: Code, text: String, hint: &str) -> Fault {
    Fault::Final(Failure::new(code, text).hint(hint))
}

fn too_long(said: &Said) -> Failure {
    let text = format!("the question is longer than the model's window: {}", said.text);
    Failure::new(Code::Model, text)
        .hint("give the server a longer context, or set window_tokens in [model] to what it has")
}

fn unpaid(said: &Said) -> Fault {
    let text = format!("the provider wants to be paid first: {}", said.text);
    final_(Code::Key, text, "pay the provider, or choose another key or model in [model]")
}

/// What a status other than 200 means.
pub(super) fn by_status(status: u16, said: Said, wait: Option<Duration>, url: &Url) -> Fault {
    let text = &said.text;
    if said.has(&[LOADING]) && status == 503 {
        return Fault::Loading;
    }
    if matches!(status, 400 | 413 | 422 | 500) && said.is_too_long() {
        return Fault::Unsuited { failure: too_long(&said), said: said.text };
    }
    if status == 402 || said.has(&UNPAID) {
        return unpaid(&said);
    }
    match status {
        // Some servers quote the key in this answer, so it is not repeated at all.
        401 | 403 => final_(
            Code::Key,
            format!("{url} refused the key (HTTP {status})"),
            "check that the key of [model] is right and may use this model",
        ),
        404 => final_(
            Code::Model,
            format!("{url} knows no such model or address: {text}"),
            "check model and base_url in [model]",
        ),
        // It takes no tools as it was started, and will not the next time.
        500 if said.has(&["--jinja"]) => final_(
            Code::Model,
            format!("the server takes no tools as it was started: {text}"),
            "start llama-server with --jinja",
        ),
        408 | 429 | 500..=599 => {
            Fault::Again(Again { why: format!("HTTP {status}: {text}"), wait, hint: busy(status) })
        }
        300..=399 => final_(
            Code::Model,
            format!("{url} points elsewhere (HTTP {status})"),
            "set base_url in [model] to the address itself",
        ),
        _ => {
            let refused = format!("the provider refused the question (HTTP {status}): {text}");
            let hint = match said.has(&["does not support tools", "tool use"]) {
                true => "choose a model that can call tools",
                false => "",
            };
            let failure = Failure::new(Code::Model, refused).hint(hint);
            Fault::Unsuited { failure, said: said.text }
        }
    }
}

fn busy(status: u16) -> &'static str {
    match status {
        429 => "the provider limits this key: wait, or lower runs_at_once_max",
        _ => "the provider has trouble: try again later",
    }
}

/// An error in the middle of a stream.
pub(super) fn in_stream(error: &Value) -> Fault {
    let mut said = Said::of(error);
    if said.text.is_empty() {
        said.text = "no reason given".to_owned();
    }
    let text = &said.text;
    if said.is_too_long() {
        return Fault::Final(too_long(&said));
    }
    if said.has(&UNPAID) || said.code == Some(402) {
        return unpaid(&said);
    }
    let is = |kinds: &[&str]| kinds.iter().any(|it| said.kind.split(' ').any(|kind| kind == *it));
    let is_code = |codes: &[u64]| said.code.is_some_and(|it| codes.contains(&it));
    let refused = ["invalid_request_error", "not_found_error", "request_too_large"];
    if is(&refused) || is_code(&[400, 404, 413, 422]) {
        return final_(Code::Model, format!("the provider refused the question: {text}"), "");
    }
    if is(&["authentication_error", "permission_error"]) || is_code(&[401, 403]) {
        let text = format!("the provider refused the key: {text}");
        return final_(Code::Key, text, "check the key of [model]");
    }
    let why = format!("the provider broke off: {text}");
    let limits = ["overloaded_error", "rate_limit_error", "rate_limit_exceeded"];
    if is(&limits) || is_code(&[429, 503, 529]) {
        Fault::again(why, BUSY)
    } else {
        Fault::broken(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(body: &str) -> String {
        Said::of_body(body.as_bytes()).text
    }

    #[test]
    fn an_error_says_its_message_or_its_beginning() {
        assert_eq!(said(r#"{"type":"error","error":{"type":"x","message":"m"}}"#), "m");
        assert_eq!(said(r#"{"error":"plain"}"#), "plain");
        assert_eq!(said(r#"{"object":"error","message":"m","code":400}"#), "m");
        assert_eq!(said(r#"[{"error":{"code":400,"message":"m"}}]"#), "m");
        assert_eq!(said(r#"{"detail":"Not Found"}"#), "Not Found");
        let routed = r#"{"error":{"message":"Provider returned error","metadata":{"raw":"why"}}}"#;
        assert_eq!(said(routed), "Provider returned error: why");
        assert_eq!(said("<html>"), "<html>");
        assert_eq!(said("{}"), "{}");
        assert_eq!(said(""), "no reason given");
    }

    /// The kind of fault, with its code and hint.
    fn judge(status: u16, body: Value) -> String {
        let url = Url::parse("http://127.0.0.1:1/v1/chat/completions").unwrap();
        let said = Said::of_body(body.to_string().as_bytes());
        show(by_status(status, said, None, &url))
    }

    fn show(fault: Fault) -> String {
        match fault {
            Fault::Again(it) => format!("again: {}", it.hint),
            Fault::Final(it) => format!("final {:?}: {}", it.code, it.hint),
            Fault::Unsuited { failure, .. } => format!("unsuited: {}", failure.hint),
            Fault::Loading => "loading".to_owned(),
        }
    }

    #[test]
    fn what_servers_say_is_known_by_what_it_means() {
        let error =
            |message: &str, kind: &str| json!({ "error": { "message": message, "type": kind } });
        let loading = json!({ "error": { "code": 503, "message": "Loading model",
            "type": "unavailable_error" } });
        assert_eq!(judge(503, loading), "loading");
        assert!(judge(503, error("no slot", "unavailable_error")).starts_with("again"));
        let exceed = "the request exceeds the available context size, try increasing it";
        for (status, message, kind) in [
            (400, exceed, "exceed_context_size_error"),
            (500, "Context size has been exceeded.", "server_error"),
            (400, "This model's maximum context length is 8192 tokens.", "BadRequestError"),
            (413, "prompt is too long: 250000 tokens > 200000 maximum", "invalid_request_error"),
        ] {
            let shown = judge(status, error(message, kind));
            assert!(shown.starts_with("unsuited: give the server a longer context"), "{shown}");
        }
        let quota = json!({ "error": { "message": "You exceeded your current quota",
            "type": "insufficient_quota", "code": "insufficient_quota" } });
        assert!(judge(429, quota).starts_with("final Key: pay"));
        assert!(judge(402, error("Insufficient credits", "")).starts_with("final Key: pay"));
        assert!(
            judge(429, error("slow down", "rate_limit_error"))
                .starts_with("again: the provider limits")
        );
        let jinja = error("tools param requires --jinja flag", "server_error");
        assert!(judge(500, jinja).contains("--jinja"));
        let gemma =
            error("registry.ollama.ai/library/gemma:2b does not support tools", "api_error");
        assert!(judge(400, gemma).contains("can call tools"));
    }

    #[test]
    fn an_error_in_a_stream_is_known_by_its_type_or_its_number() {
        let of = |error: Value| show(in_stream(&error));
        assert!(of(json!("Overloaded")).starts_with("again"));
        assert!(
            of(json!({ "code": 502, "message": "Provider disconnected" })).starts_with("again")
        );
        let limited = json!({ "code": "rate_limit_exceeded", "message": "slow down" });
        assert!(of(limited).contains("overloaded or limits"));
        assert!(of(json!({ "code": 400, "message": "bad" })).starts_with("final Model"));
        assert!(of(json!({ "code": 401, "message": "no" })).starts_with("final Key"));
        let long = json!({ "type": "exceed_context_size_error", "message": "too much" });
        assert!(of(long).contains("longer context"));
    }
}
