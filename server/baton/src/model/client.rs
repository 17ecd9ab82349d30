//! One question over HTTP: sends the bytes, reads the reply within its bounds, and tells faults
//! that may pass from those that stay.

use super::Delta;
use super::refusal::{self, Said};
use super::reply;
use super::retry::{self, Fault, Patience};
use super::sse::{LINE_BYTES_MAX, Sse};
use super::wire::{Assembly, Wire};
use crate::clean;
use hyper::body::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime};
use team::{Code, Failure};
use tokio_util::sync::CancellationToken;

/// With all its framing. Framing is most of a stream, so this is far more than the content's bound.
const STREAM_BYTES_MAX: usize = 256 * 1024 * 1024;
const ERROR_BYTES_MAX: usize = 64 * 1024;
const QUOTE_CHARS_MAX: usize = 300;
const UNREACHED: &str = "check that base_url in [model] is right and that its server runs";

/// Between the end of the content and the end of the stream only counts can come.
const AFTER_THE_END: Duration = Duration::from_secs(10);

/// A client of one address with one key.
pub(super) struct Client {
    http: reqwest::Client,
    wire: Wire,
    url: Url,
    key: Option<SecretString>,
    patience: Patience,
}

impl Client {
    pub(super) fn open(
        wire: Wire,
        base_url: &str,
        key: Option<SecretString>,
        patience: Patience,
    ) -> Result<Client, Failure> {
        install_crypto();
        let url = wire.url(&parse_url(base_url)?);
        let local = is_loopback(&url);
        if key.is_some() && url.scheme() == "http" && !local {
            return Err(bad_url("a key would travel unencrypted")
                .hint("use https, or a server on this machine"));
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in wire.fixed_headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(key) = &key {
            let (name, text) = wire.key_header(key.expose_secret());
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| Failure::new(Code::Key, "the key can't stand in a header"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
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
        Ok(Client { http, wire, url, key, patience })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Asks once. What came until a fault is in the assembly, above all what was counted. `place`: how
    /// many messages the question has.
    pub(super) async fn ask(
        &self,
        body: &Bytes,
        place: usize,
        on: &mut (dyn FnMut(Delta) + Send),
        stop: &CancellationToken,
    ) -> (Assembly, Result<(), Fault>) {
        let mut assembly = self.wire.assembly(body.len(), place);
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Fault::Final(retry::stopped())),
            it = self.exchange(body, &mut assembly, on) => it,
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
        let head = self.patience.connect + self.quiet_max(assembly);
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
        match self.read_stream(response, assembly, on).await {
            // All that the model said is there; only the end of the stream is missing.
            Err(Fault::Again(_)) if assembly.is_whole() => Ok(()),
            other => other,
        }
    }

    async fn read_stream(
        &self,
        mut response: Response,
        assembly: &mut Assembly,
        on: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<(), Fault> {
        let mut sse = Sse::default();
        let mut bytes = 0;
        let mut progress = (Instant::now(), 0);
        loop {
            let quiet_max = self.quiet_max(assembly);
            let Some(chunk) = self.chunk(&mut response, quiet_max).await? else { break };
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
            let content = assembly.content_bytes();
            if content != progress.1 {
                progress = (Instant::now(), content);
            } else if self.patience.progress < progress.0.elapsed() {
                return Err(silence("the model said nothing for", self.patience.progress));
            }
        }
        Err(Fault::broken(if bytes == 0 { "the reply is empty" } else { "the reply broke off" }))
    }

    /// How long nothing at all may come.
    fn quiet_max(&self, assembly: &Assembly) -> Duration {
        if assembly.is_whole() {
            return self.patience.read.min(AFTER_THE_END);
        }
        match self.wire {
            Wire::OpenAi if assembly.content_bytes() == 0 => self.patience.progress,
            Wire::OpenAi | Wire::Anthropic => self.patience.read,
        }
    }

    async fn chunk(&self, response: &mut Response, max: Duration) -> Result<Option<Bytes>, Fault> {
        match tokio::time::timeout(max, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Fault::broken(format!("the reply broke off: {}", root(&error)))),
            Err(_) => Err(silence("nothing came for", max)),
        }
    }

    async fn read_all(&self, mut response: Response, max: usize) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk(&mut response, self.patience.read).await? {
            if max < all.len() + chunk.len() {
                return Err(reply::too_large());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    async fn refusal(&self, response: Response) -> Fault {
        let status = response.status().as_u16();
        let wait = retry::retry_after(header(&response, RETRY_AFTER), SystemTime::now());
        let bytes = self.read_all(response, ERROR_BYTES_MAX).await;
        let said = Said::of_body(&bytes.unwrap_or_default());
        refusal::by_status(status, said, wait, &self.url)
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
            Fault::Unsuited { said, mut failure } => {
                failure.text = safe(&failure.text);
                Fault::Unsuited { said, failure }
            }
            Fault::Loading => Fault::Loading,
        }
    }
}

fn silence(what: &str, limit: Duration) -> Fault {
    Fault::broken(format!("{what} {} s", limit.as_secs_f32()))
}

fn header(response: &Response, name: HeaderName) -> &str {
    let value = response.headers().get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or("")
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

/// Before the first connection of the process.
pub(super) fn install_crypto() {
    static RING: Once = Once::new();
    // Fails only where a provider is installed already, which serves as well.
    RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// An address that may be asked: http or https, and nothing in it that belongs elsewhere.
fn parse_url(base_url: &str) -> Result<Url, Failure> {
    let url = Url::parse(base_url.trim()).map_err(|it| bad_url(&it.to_string()))?;
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
        .hint("it looks like https://api.anthropic.com or http://127.0.0.1:11434/v1")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests;
