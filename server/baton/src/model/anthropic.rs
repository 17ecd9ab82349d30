//! One question over HTTP: sends the bytes, reads the reply within its bounds, and tells faults
//! that may pass from those that stay.

use super::Delta;
use super::reply::{self, Assembly};
use super::retry::{self, Fault, Patience};
use super::sse::{LINE_BYTES_MAX, Sse};
use crate::clean;
use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::sync::Once;
use std::time::{Duration, SystemTime};
use team::{Code, Failure};
use tokio_util::sync::CancellationToken;

/// With all its framing. Framing is most of a stream, so this is far more than the content's bound.
const STREAM_BYTES_MAX: usize = 256 * 1024 * 1024;
const ERROR_BYTES_MAX: usize = 64 * 1024;
const QUOTE_CHARS_MAX: usize = 300;
const VERSION: &str = "2023-06-01";
const UNREACHED: &str = "check that base_url in [model] is right and that its server runs";

/// A client of one address with one key.
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    key: Option<SecretString>,
    patience: Patience,
}

impl Client {
    pub(super) fn open(
        base_url: &str,
        key: Option<SecretString>,
        patience: Patience,
    ) -> Result<Client, Failure> {
        static RING: Once = Once::new();
        // Fails only where a provider is installed already, which serves as well.
        RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let url = messages_url(base_url)?;
        let local = is_loopback(&url);
        if key.is_some() && url.scheme() == "http" && !local {
            return Err(bad_url("a key would travel unencrypted")
                .hint("use https, or a server on this machine"));
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("anthropic-version"),
            HeaderValue::from_static(VERSION),
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &key {
            let mut value = HeaderValue::from_str(key.expose_secret())
                .map_err(|_| Failure::new(Code::Key, "the key can't stand in a header"))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-api-key"), value);
        }
        let mut http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("baton/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(patience.connect);
        if local {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|it| {
            Failure::new(Code::Model, format!("no HTTPS on this machine: {}", root(&it)))
                .hint("install the system's certificates (ca-certificates)")
        })?;
        Ok(Client { http, url, key, patience })
    }

    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Asks once. What came until a fault is in the assembly, above all what was counted.
    pub(super) async fn ask(
        &self,
        body: &Bytes,
        on: &mut (dyn FnMut(Delta) + Send),
        stop: &CancellationToken,
    ) -> (Assembly, Result<(), Fault>) {
        let mut assembly = Assembly::default();
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Fault::Final(retry::stopped())),
            it = tokio::time::timeout(self.patience.reply, self.exchange(body, &mut assembly, on)) => {
                it.unwrap_or_else(|_| Err(silence("the reply took", self.patience.reply)))
            }
        };
        (assembly, ended.map_err(|it| self.clean(it)))
    }

    async fn exchange(
        &self,
        body: &Bytes,
        assembly: &mut Assembly,
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        let asked = self.http.post(self.url.clone()).body(body.clone()).send();
        let head = self.patience.connect + self.patience.read;
        let response = match tokio::time::timeout(head, asked).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(Fault::again(root(&error), UNREACHED)),
            Err(_) => return Err(silence("no answer within", head)),
        };
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        let kind = header(&response, CONTENT_TYPE).to_ascii_lowercase();
        if kind.starts_with("application/json") {
            let bytes = self.read_all(response, LINE_BYTES_MAX).await?;
            return assembly.document(&bytes, on);
        }
        if !kind.is_empty() && !kind.starts_with("text/event-stream") {
            let text = format!("{} answered with {kind} instead of a model's reply", self.url);
            return Err(Fault::Final(Failure::new(Code::Model, text).hint(UNREACHED)));
        }
        self.read_stream(response, assembly, on).await
    }

    async fn read_stream(
        &self,
        mut response: Response,
        assembly: &mut Assembly,
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        let mut sse = Sse::default();
        let mut bytes = 0;
        while let Some(chunk) = self.chunk(&mut response).await? {
            bytes += chunk.len();
            let events = sse.feed(&chunk).map_err(|_| reply::too_large())?;
            for data in events {
                assembly.event(&data, on)?;
            }
            if assembly.is_complete() {
                return Ok(());
            }
            if STREAM_BYTES_MAX < bytes {
                return Err(reply::too_large());
            }
        }
        Err(Fault::broken(if bytes == 0 { "the reply is empty" } else { "the reply broke off" }))
    }

    async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, Fault> {
        match tokio::time::timeout(self.patience.read, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Fault::broken(format!("the reply broke off: {}", root(&error)))),
            Err(_) => Err(silence("nothing came for", self.patience.read)),
        }
    }

    async fn read_all(&self, mut response: Response, max: usize) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if max < all.len() + chunk.len() {
                return Err(reply::too_large());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    /// What a status other than 200 means.
    async fn refusal(&self, response: Response) -> Fault {
        let status = response.status();
        let wait = retry::retry_after(header(&response, RETRY_AFTER), SystemTime::now());
        let bytes = self.read_all(response, ERROR_BYTES_MAX).await;
        let said = said(&bytes.unwrap_or_default());
        let url = &self.url;
        let number = status.as_u16();
        let stays = |code, text, hint: &str| Fault::Final(Failure::new(code, text).hint(hint));
        match number {
            // Some servers quote the key in this answer, so it is not repeated at all.
            401 | 403 => stays(
                Code::Key,
                format!("{url} refused the key (HTTP {number})"),
                "check that the key of [model] is right and may use this model",
            ),
            404 => stays(
                Code::Model,
                format!("{url} knows no such model or address: {said}"),
                "check model and base_url in [model]",
            ),
            408 | 429 | 500..=599 => {
                let mut fault = Fault::again(format!("HTTP {number}: {said}"), busy(number));
                if let Fault::Again(again) = &mut fault {
                    again.wait = wait;
                }
                fault
            }
            300..=399 => stays(
                Code::Model,
                format!("{url} points elsewhere (HTTP {number})"),
                "set base_url in [model] to the address itself",
            ),
            _ => stays(
                Code::Model,
                format!("the provider refused the question (HTTP {number}): {said}"),
                "",
            ),
        }
    }

    /// Nothing of the key, and nothing that a terminal would obey, leaves in a fault.
    fn clean(&self, fault: Fault) -> Fault {
        let safe = |text: &str| match &self.key {
            Some(key) => quote(&text.replace(key.expose_secret(), "[key]")),
            None => quote(text),
        };
        match fault {
            Fault::Again(mut again) => {
                again.why = safe(&again.why);
                Fault::Again(again)
            }
            Fault::Final(mut failure) => {
                failure.text = safe(&failure.text);
                Fault::Final(failure)
            }
        }
    }
}

fn busy(status: u16) -> &'static str {
    match status {
        429 => "the provider limits this key: wait, or lower runs_at_once_max",
        _ => "the provider has trouble: try again later",
    }
}

fn silence(what: &str, limit: Duration) -> Fault {
    Fault::broken(format!("{what} {} s", limit.as_secs_f32()))
}

fn header(response: &Response, name: HeaderName) -> &str {
    let value = response.headers().get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or("")
}

/// The provider's own words in an error, or the beginning of what came instead.
fn said(bytes: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let message = json.as_ref().and_then(|it| {
        let error = it.get("error")?;
        error.get("message").unwrap_or(error).as_str()
    });
    match message {
        Some(message) => message.to_owned(),
        None if bytes.is_empty() => "no reason given".to_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// One line, bounded, in which nothing is hidden and nothing steers a terminal.
fn quote(text: &str) -> String {
    let bounded: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    clean::line(&bounded)
}

/// The innermost reason; the outer ones only repeat the address.
fn root(error: &reqwest::Error) -> String {
    let mut inner: &dyn Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    if error.is_timeout() && error.is_connect() {
        return "no connection in time".to_owned();
    }
    inner.to_string()
}

/// The address of the messages, whether or not the version stands in what was configured.
fn messages_url(base_url: &str) -> Result<Url, Failure> {
    let base = base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let url = Url::parse(&format!("{base}/v1/messages")).map_err(|it| bad_url(&it.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad_url("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad_url("it holds a user name or password")
            .hint("give the key by api_key_env, api_key_file or api_key_command"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad_url("it holds a ? or a #"));
    }
    Ok(url)
}

/// The address itself is not repeated: a key may stand in it by mistake.
fn bad_url(why: &str) -> Failure {
    Failure::new(Code::Config, format!("base_url in [model]: {why}"))
        .hint("it looks like https://api.anthropic.com")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests;
