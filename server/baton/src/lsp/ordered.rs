//! Keeps messages in order and handlers apart, as a layer around the LSP router.
//!
//! What a handler does before its first `.await` is done in the order in which messages were read:
//! the first poll happens inside `call`. What is left of it runs as a task of its own, so that a
//! slow handler holds up nobody and a panicking one costs its own request alone.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, task::noop_waker_ref};
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::Service;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

/// Requests that may be under way at once; one more is refused, and may be sent again.
pub const REQUESTS_AT_ONCE_MAX: usize = 1_000;

/// JSON-RPC's code for "the server is overloaded", as other agent servers use it.
pub const OVERLOADED: i64 = -32001;

/// The layer. See the module's text.
pub struct Ordered<S> {
    inner: S,
    places: Arc<Semaphore>,
}

impl<S> Ordered<S> {
    pub fn new(inner: S, requests_max: usize) -> Ordered<S> {
        Ordered { inner, places: Arc::new(Semaphore::new(requests_max)) }
    }
}

/// An error reply; nothing for a notification.
fn failed(id: Option<Id>, code: ErrorCode, text: &'static str) -> Option<Response> {
    id.map(|id| Response::from_error(id, Error { code, message: text.into(), data: None }))
}

fn panicked(id: Option<Id>) -> Option<Response> {
    failed(
        id,
        ErrorCode::InternalError,
        "a bug in baton: this request panicked; the server goes on",
    )
}

impl<S, E> Service<Request> for Ordered<S>
where
    S: Service<Request, Response = Option<Response>, Error = E>,
    S::Future: Send + 'static,
    E: Send + 'static,
{
    type Response = Option<Response>;
    type Error = E;
    type Future = BoxFuture<'static, Result<Option<Response>, E>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = request.id().cloned();
        let place = match (&id, self.places.clone().try_acquire_owned()) {
            (Some(_), Err(_)) => {
                let code = ErrorCode::ServerError(OVERLOADED);
                return ready(Ok(failed(id, code, "server overloaded; retry later"))).boxed();
            }
            (_, place) => place.ok(),
        };
        let first = catch_unwind(AssertUnwindSafe(|| {
            let mut handler = self.inner.call(request).boxed();
            let polled = handler.poll_unpin(&mut Context::from_waker(noop_waker_ref()));
            (handler, polled)
        }));
        match first {
            Err(_) => ready(Ok(panicked(id))).boxed(),
            Ok((_, Poll::Ready(done))) => ready(done).boxed(),
            Ok((handler, Poll::Pending)) => {
                let rest = tokio::spawn(async move {
                    let _place = place;
                    handler.await
                });
                if id.is_none() {
                    return ready(Ok(None)).boxed();
                }
                async move {
                    match rest.await {
                        Ok(done) => done,
                        Err(_) => Ok(panicked(id)),
                    }
                }
                .boxed()
            }
        }
    }
}

#[cfg(test)]
mod tests;
