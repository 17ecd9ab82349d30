//! The stream between an editor and the language service: `Content-Length` frames in, frames out.
//!
//! tower-lsp's own transport reads, handles and writes in one task, keeps a frame of any announced
//! size in memory, and ends with the first malformed body. This one reads and writes apart, refuses
//! what is too large, and answers a malformed body with an error and goes on.

use crate::socket::{FRAME_BYTES_MAX, Frame, frame, read_frame};
use futures_util::{SinkExt, Stream, StreamExt};
use serde_json::Value;
use std::future::poll_fn;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tower::Service;
use tower_lsp::ClientSocket;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

/// Requests read and not yet answered on the wire. Beyond these the next message waits, so that a
/// client that sends and never reads costs bounded memory. More than the layer around the router
/// lets in, so that its refusals find a place.
const UNANSWERED_MAX: usize = super::ordered::REQUESTS_AT_ONCE_MAX + 256;
/// How long what is still to be said may take once the client has said goodbye.
const FAREWELL_MS_MAX: u64 = 2_000;

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said `exit`.
    Exit,
    /// The input ended, or the output was closed: the editor is gone.
    Gone,
    /// What came was no frame, so nothing after it can be found.
    Broken,
}

/// Reads messages and calls the service in their order, until one side ends.
pub async fn converse<R, W, S>(input: R, output: W, socket: ClientSocket, mut service: S) -> Ended
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    let (requests, mut answers) = socket.split();
    let (replies, outgoing) = mpsc::channel(UNANSWERED_MAX);
    let mut writer = tokio::spawn(write_all(output, outgoing, requests));
    let mut input = BufReader::new(input);
    let ended = loop {
        let frame = tokio::select! {
            frame = read_frame(&mut input, FRAME_BYTES_MAX) => frame,
            _ = &mut writer => return Ended::Gone,
        };
        let (read_at, worked_before) = (Instant::now(), worked());
        let message = match sorted(frame) {
            Sorted::Message(message) => message,
            Sorted::Refused(reply) => {
                let _ = replies.send(*reply).await;
                continue;
            }
            Sorted::Broken(reply) => {
                let _ = replies.send(*reply).await;
                break Ended::Broken;
            }
            Sorted::End => break Ended::Gone,
        };
        match message {
            Message::Answer(answer) => {
                let _ = answers.send(answer).await;
            }
            Message::Request(request) => {
                let is_exit = request.method() == "exit";
                let id = request.id().cloned();
                if poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
                    break Ended::Exit;
                }
                let method = request.method().to_owned();
                let done = service.call(request);
                // What a handler does before its first wait, with the reading of the JSON: so long
                // the next message of this connection is held up.
                let held_us = read_at.elapsed().as_micros();
                let worked_us = worked().saturating_sub(worked_before).as_micros();
                tracing::trace!(method, held_us, worked_us, "a message was taken in");
                if is_exit {
                    let _ = done.await;
                    break Ended::Exit;
                }
                answer_later(done, id, &replies).await;
            }
        }
    };
    drop(replies);
    let farewell = Duration::from_millis(FAREWELL_MS_MAX);
    if tokio::time::timeout(farewell, &mut writer).await.is_err() {
        writer.abort();
    }
    ended
}

/// What this thread has worked so far; nothing where nobody writes it down. What the system gave to others
/// meanwhile is in the time that passed, and not in this.
fn worked() -> Duration {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return Duration::ZERO;
    }
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// The reply of a request goes out when it is there; a notification has none.
async fn answer_later<F, E>(done: F, id: Option<Id>, replies: &mpsc::Sender<Response>)
where
    F: Future<Output = Result<Option<Response>, E>> + Send + 'static,
    E: Send,
{
    let asked = match id {
        Some(id) => replies.clone().reserve_owned().await.ok().map(|it| (id, it)),
        None => None,
    };
    tokio::spawn(async move {
        if let (Ok(reply), Some((id, place))) = (done.await, asked) {
            // The router passes over what begins with `$/`, requests too.
            let none = || Response::from_error(id, Error::method_not_found());
            place.send(reply.unwrap_or_else(none));
        }
    });
}

/// What a frame is, with the reply to one that is no message.
enum Sorted {
    Message(Message),
    Refused(Box<Response>),
    /// Nothing after it can be found.
    Broken(Box<Response>),
    End,
}

fn sorted(frame: Frame) -> Sorted {
    match frame {
        Frame::End => Sorted::End,
        Frame::Broken(why) => Sorted::Broken(Box::new(unreadable(ErrorCode::ParseError, why))),
        Frame::TooLarge(bytes) => {
            let why = format!("message of {bytes} bytes; at most {FRAME_BYTES_MAX} are read");
            Sorted::Refused(Box::new(unreadable(ErrorCode::InvalidRequest, why)))
        }
        Frame::Body(body) => sort(&body).map_or_else(Sorted::Refused, Sorted::Message),
    }
}

enum Message {
    Request(Request),
    Answer(Response),
}

/// A request, a notification, or the client's answer to one of ours; else the reply that says why
/// it is none of them.
fn sort(body: &[u8]) -> Result<Message, Box<Response>> {
    // Nearly all of them, in one pass. What has no method reads as one with an empty method.
    if let Ok(request) = serde_json::from_slice::<Request>(body)
        && !request.method().is_empty()
    {
        return Ok(Message::Request(request));
    }
    let parsed: Value = serde_json::from_slice(body)
        .map_err(|why| Box::new(unreadable(ErrorCode::ParseError, why.to_string())))?;
    let wrong =
        |why: serde_json::Error| Box::new(unreadable(ErrorCode::InvalidRequest, why.to_string()));
    if parsed.get("method").is_some() {
        return serde_json::from_value(parsed).map(Message::Request).map_err(wrong);
    }
    if parsed.get("result").is_some() || parsed.get("error").is_some() {
        return serde_json::from_value(parsed).map(Message::Answer).map_err(wrong);
    }
    let why = "neither a request nor an answer".to_owned();
    Err(Box::new(unreadable(ErrorCode::InvalidRequest, why)))
}

fn unreadable(code: ErrorCode, why: String) -> Response {
    let error = Error { code, message: why.into(), data: None };
    Response::from_error(Id::Null, error)
}

/// The one writer: replies and our own messages, whole frames, one after the other. Ends when there
/// is nothing left to reply to, or the output is closed.
async fn write_all<W>(
    mut output: W,
    mut replies: mpsc::Receiver<Response>,
    mut requests: impl Stream<Item = Request> + Unpin,
) where
    W: AsyncWrite + Unpin,
{
    let mut asking = true;
    loop {
        let frame = tokio::select! {
            biased;
            reply = replies.recv() => match reply {
                Some(reply) => frame(&reply),
                None => break,
            },
            request = requests.next(), if asking => match request {
                Some(request) => frame(&request),
                None => {
                    asking = false;
                    continue;
                }
            },
        };
        if output.write_all(&frame).await.is_err() || output.flush().await.is_err() {
            break;
        }
    }
    let _ = output.shutdown().await;
}
