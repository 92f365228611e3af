//! The task that moves one connection's bytes and tells when it takes no more requests.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{connection::ConnectionState, connector::BoxIo};

/// Polls the connection until it ends or is shut down.
pub(crate) struct Driver {
    connection: Connection<BoxIo, Bytes>,
    /// Reports a GOAWAY at once, without a request that runs into it. Gone once it has: it would keep h2 from ending.
    probe: Option<SendRequest<Bytes>>,
    state: watch::Sender<ConnectionState>,
    /// Cancelled where this task is dropped before it has ended, which only the end of its runtime does.
    runtime_ended: CancellationToken,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Driver {
    pub(crate) fn new(
        connection: Connection<BoxIo, Bytes>,
        probe: SendRequest<Bytes>,
        shutdown: CancellationToken,
        runtime_ended: CancellationToken,
    ) -> (Self, watch::Receiver<ConnectionState>) {
        let (state, watcher) = watch::channel(ConnectionState::Ready);
        let shutdown = Box::pin(shutdown.cancelled_owned());
        (Self { connection, probe: Some(probe), state, runtime_ended, shutdown }, watcher)
    }

    fn close(&self, why: impl Into<Arc<str>>) {
        self.state.send_replace(ConnectionState::Closed(why.into()));
    }

    fn look_for_goaway(&mut self, cx: &mut Context<'_>) {
        let Some(probe) = &mut self.probe else { return };
        if let Poll::Ready(Err(error)) = probe.poll_ready(cx) {
            self.state.send_replace(ConnectionState::Draining(describe(&error).into()));
            self.probe = None;
        }
    }
}

impl Drop for Driver {
    /// Runs before the connection's streams learn that it is gone.
    fn drop(&mut self) {
        let ended = matches!(*self.state.borrow(), ConnectionState::Closed(_));
        if !ended && !std::thread::panicking() {
            self.runtime_ended.cancel();
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shutdown.as_mut().poll(cx).is_ready() {
            self.close("closed by this client");
            return Poll::Ready(());
        }
        match Pin::new(&mut self.connection).poll(cx) {
            Poll::Ready(Ok(())) => self.close("the peer closed the connection"),
            Poll::Ready(Err(error)) => self.close(describe(&error)),
            Poll::Pending => {
                self.look_for_goaway(cx);
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

/// What ended a connection or a stream, in words.
pub(crate) fn describe(error: &h2::Error) -> String {
    if let Some(io) = error.get_io() {
        return format!("the connection was lost: {io}");
    }
    match error.reason() {
        Some(h2::Reason::NO_ERROR) if error.is_go_away() && error.is_remote() => {
            "the member is shutting down".into()
        }
        _ => format!("HTTP/2: {error}"),
    }
}
