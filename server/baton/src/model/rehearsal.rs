//! A scripted stand-in for a model: an HTTP server on this machine's loopback that speaks the real
//! wire, so that everything but the thinking is rehearsed. Nothing is kept between requests (but
//! for counted faults): the reply is chosen from the request alone, so that a run which was killed
//! and resumed is told the same things.
//!
//! `script` is the file's format, `choose` finds the reply to a request, `stream` writes it as
//! bytes with the faults that were asked for, `strict` refuses what the real service would.

mod choose;
mod script;
mod stream;
mod strict;

pub use script::Script;

use choose::Chosen;
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use script::RetryAfter;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use team::{Code, Failure};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;
const JOURNAL_ENTRIES_MAX: usize = 256;
const JOURNAL_BYTES_MAX: usize = 16 * 1024 * 1024;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A running rehearsal; ends with all its connections when it is dropped.
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub base_url: String,
    state: Arc<State>,
    _stop: DropGuard,
}

struct State {
    script: Script,
    journal: Mutex<Journal>,
    /// How often the faults of a reply (run, reply) were shown.
    faults: Mutex<HashMap<(usize, usize), u32>>,
}

#[derive(Default)]
struct Journal {
    bodies: VecDeque<(SystemTime, Bytes)>,
    bytes: usize,
    count: u64,
}

impl Server {
    /// The sentence that tells people that no model is running.
    pub fn says(&self) -> &str {
        &self.state.script.says
    }

    /// The bodies of the last requests, oldest first; the last 256 or 16 MiB are kept.
    pub fn requests(&self) -> Vec<Bytes> {
        lock(&self.state.journal).bodies.iter().map(|it| it.1.clone()).collect()
    }

    /// When each of `requests` had come whole.
    pub fn arrivals(&self) -> Vec<SystemTime> {
        lock(&self.state.journal).bodies.iter().map(|it| it.0).collect()
    }

    /// How many requests came in all.
    pub fn request_count(&self) -> u64 {
        lock(&self.state.journal).count
    }
}

/// Starts to play the script on a free port of the loopback.
///
/// Errors: `Model` (no port).
pub async fn serve(script: Script) -> Result<Server, Failure> {
    let no_port =
        |it: io::Error| Failure::new(Code::Model, format!("no port for the rehearsal: {it}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(no_port)?;
    let base_url = format!("http://{}", listener.local_addr().map_err(no_port)?);
    let state = Arc::new(State { script, journal: Mutex::default(), faults: Mutex::default() });
    let stop = CancellationToken::new();
    tokio::spawn(accept(listener, state.clone(), stop.clone()));
    Ok(Server { base_url, state, _stop: stop.drop_guard() })
}

async fn accept(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            it = listener.accept() => it,
        };
        // Fails when a connection is gone before it was taken: nothing to do for it.
        let Ok((stream, _)) = accepted else { continue };
        tokio::spawn(connection(stream, state.clone(), stop.clone()));
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, stop: CancellationToken) {
    // Small writes must leave at once, else replies come in the rhythm of acknowledgements.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = state.clone();
        async move { Ok::<_, Infallible>(state.respond(request).await) }
    });
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stop.cancelled() => {}
        // An error here is a client that left, or a fault that was asked for.
        _ = served => {}
    }
}

impl State {
    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() != Method::POST || request.uri().path() != "/v1/messages" {
            return refuse(404, "not_found_error", "only POST /v1/messages is served");
        }
        let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
        if header("anthropic-version").is_none() {
            return refuse(400, "invalid_request_error", "no anthropic-version");
        }
        let key = self.script.key.as_deref();
        if key.is_some() && key.map(str::as_bytes) != header("x-api-key") {
            return refuse(401, "authentication_error", "invalid x-api-key");
        }
        let Ok(body) = Limited::new(request, REQUEST_BYTES_MAX).collect().await else {
            return refuse(413, "request_too_large", "the request did not come whole");
        };
        let body = body.to_bytes();
        lock(&self.journal).keep(body.clone());
        let asked = match strict::read(&body) {
            Ok(asked) => asked,
            Err(why) => return refuse(400, "invalid_request_error", &why),
        };
        match choose::choose(&self.script, &asked) {
            Ok(chosen) => self.play(chosen).await,
            Err(why) => refuse(400, "invalid_request_error", &why),
        }
    }

    async fn play(&self, mut chosen: Chosen) -> Response<Body> {
        if !self.shows_fault(&chosen) {
            chosen.fault = script::Fault::default();
        }
        tokio::time::sleep(Duration::from_millis(chosen.delay_ms)).await;
        if let Some(status) = chosen.fault.status {
            let kind = match status {
                429 => "rate_limit_error",
                529 => "overloaded_error",
                400..=428 | 430..=499 => "invalid_request_error",
                _ => "api_error",
            };
            let mut response = refuse(status, kind, "this fault stands in the script");
            let wait = chosen.fault.retry_after.map(|it| match it {
                RetryAfter::Seconds(it) => it.to_string(),
                RetryAfter::Date(it) => it,
            });
            if let Some(value) = wait.and_then(|it| HeaderValue::from_str(&it).ok()) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            return response;
        }
        let kind = if chosen.fault.json { "application/json" } else { "text/event-stream" };
        let mut response = Response::new(stream::body(chosen).boxed_unsync());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    /// Whether this request still gets the faults of its reply.
    fn shows_fault(&self, chosen: &Chosen) -> bool {
        let Some(times) = chosen.fault.times else {
            return true;
        };
        let mut shown = lock(&self.faults);
        let count = shown.entry(chosen.place).or_default();
        *count += 1;
        *count <= times
    }
}

impl Journal {
    fn keep(&mut self, body: Bytes) {
        self.count += 1;
        self.bytes += body.len();
        self.bodies.push_back((SystemTime::now(), body));
        while JOURNAL_ENTRIES_MAX < self.bodies.len() || JOURNAL_BYTES_MAX < self.bytes {
            let Some((_, oldest)) = self.bodies.pop_front() else {
                return;
            };
            self.bytes -= oldest.len();
        }
    }
}

fn refuse(status: u16, kind: &str, why: &str) -> Response<Body> {
    let error = json!({ "type": "error", "error": { "type": kind, "message": why } });
    let mut response = Response::new(whole(&error).boxed_unsync());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn whole(
    value: &Value,
) -> impl hyper::body::Body<Data = Bytes, Error = io::Error> + Send + 'static {
    Full::new(Bytes::from(value.to_string())).map_err(|never| match never {})
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
