//! The task that does the I/O of one connection, probes its peer, and reports when it accepts no more requests.

use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong,
    client::{Connection, SendRequest},
};
use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::transport::{
    connection::{
        activity::{Activity, RecordedIo},
        check::Check,
        connection_load::ConnectionLoad,
        liveness::{ConnectionHealth, Keepalive, Liveness, Probe, Step},
        verified::{ConnectionState, End, EndKind, millis},
    },
    grpc::failure::describe,
};

/// The receive window of one stream. Unary responses are read as they arrive, so it only bounds the data in flight.
pub(crate) const STREAM_WINDOW: u32 = 8 << 20;

/// The interval for checking a connection whose streams all have readers that are not waiting for data.
const RESTING_LOOK: Duration = Duration::from_secs(1);

/// A substitute for a time that the clock cannot represent. Checking too early does no harm.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// Polls the connection until it ends or is shut down.
pub(crate) struct Driver {
    connection: Connection<RecordedIo, Bytes>,
    /// Detects a GOAWAY immediately, without a request that runs into it. Dropped afterwards, because the handle would
    /// keep h2 from ending.
    probe: Option<SendRequest<Bytes>>,
    state: watch::Sender<ConnectionState>,
    /// Cancelled if this task is dropped before it has ended, which happens only when its runtime shuts down.
    runtime_ended: CancellationToken,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    watch: PeerWatch,
}

/// The state from which a driver decides whether the peer is unresponsive.
pub(crate) struct PeerWatch {
    pub(crate) pings: PingPong,
    pub(crate) activity: Activity,
    pub(crate) load: Arc<ConnectionLoad>,
    pub(crate) check: Arc<Check>,
    liveness: Liveness,
    timeout_ms: u128,
    started: Instant,
    /// The start of the connection, in the pool's milliseconds.
    began: u64,
    timer: Pin<Box<Sleep>>,
    armed: bool,
    /// Set when data was read, or a check was due, since the load was last updated.
    looked: bool,
    /// Makes waiting calls look again.
    changed: watch::Sender<()>,
}

impl PeerWatch {
    /// `epoch` is the start of the pool. `changed` makes its waiting calls look again.
    pub(crate) fn new(
        pings: PingPong,
        activity: Activity,
        load: Arc<ConnectionLoad>,
        keepalive: Keepalive,
        epoch: Instant,
        changed: watch::Sender<()>,
    ) -> Self {
        let started = Instant::now();
        let began = millis(started.saturating_duration_since(epoch));
        activity.set_at(began);
        Self {
            pings,
            activity,
            load,
            check: Arc::default(),
            liveness: Liveness::new(keepalive),
            timeout_ms: keepalive.timeout.as_millis(),
            started,
            began,
            timer: Box::pin(sleep_until(started)),
            armed: false,
            looked: false,
            changed,
        }
    }

    /// Advances the liveness checks. Breaks with the reason if the peer is considered dead.
    fn look(
        &mut self,
        connection: &mut Connection<RecordedIo, Bytes>,
        cx: &mut Context<'_>,
    ) -> ControlFlow<String> {
        if self.activity.take() {
            let age = self.started.elapsed();
            self.looked = true;
            self.liveness.received(age);
            self.activity.set_at(self.began + millis(age));
            // Consumes a PONG, which makes the handle available for the next PING.
            let _ = self.pings.poll_pong(cx);
        }
        if self.check.take(cx.waker()) {
            self.liveness.doubt();
            self.armed = false;
        }
        loop {
            if self.armed && self.timer.as_mut().poll(cx).is_pending() {
                break;
            }
            let busy = self.load.owed();
            if !self.armed && self.load.in_flight() == 0 && !self.liveness.is_doubted() {
                break;
            }
            let step = self.liveness.step(self.started.elapsed(), busy);
            if step.health == ConnectionHealth::Dead {
                self.load.set_health(ConnectionHealth::Dead);
                return ControlFlow::Break(self.unanswered());
            }
            if !self.send(&step, connection, cx) {
                self.liveness.settings_failed();
                self.armed = false;
                continue;
            }
            // No event reports that a paused reader waits again, so the state is polled.
            let wake = step
                .wake
                .or_else(|| (self.load.in_flight() > 0).then(|| self.started.elapsed() + RESTING_LOOK));
            self.armed = wake.is_some();
            let Some(wake) = wake else { break };
            let wake = self.started.checked_add(wake).unwrap_or_else(|| Instant::now() + FAR);
            self.timer.as_mut().reset(wake);
        }
        ControlFlow::Continue(())
    }
}

impl PeerWatch {
    /// Sends the probe of `step`. Returns `false` if it could not be sent.
    fn send(
        &mut self,
        step: &Step,
        connection: &mut Connection<RecordedIo, Bytes>,
        cx: &mut Context<'_>,
    ) -> bool {
        match step.probe {
            None => return true,
            Some(Probe::Ping) => {
                // If a PING is already in flight, its answer serves as well.
                let _ = self.pings.send_ping(Ping::opaque());
                let _ = self.pings.poll_pong(cx);
            }
            // A SETTINGS frame is acknowledged like a PING, but does not count in the peer's PING policy.
            Some(Probe::Settings) => {
                if connection.set_initial_window_size(STREAM_WINDOW).is_err() {
                    return false;
                }
                // The frame is written at the next poll of the connection.
                cx.waker().wake_by_ref();
            }
        }
        if step.spreads {
            self.check.spread();
        }
        true
    }

    fn unanswered(&self) -> String {
        let probe = match self.liveness.probe() {
            Some(Probe::Settings) => "acknowledgement of SETTINGS",
            _ => "answer to a PING",
        };
        format!("no {probe} within {} ms", self.timeout_ms)
    }
}

impl Driver {
    pub(crate) fn new(
        connection: Connection<RecordedIo, Bytes>,
        probe: SendRequest<Bytes>,
        watch: PeerWatch,
        shutdown: CancellationToken,
        runtime_ended: CancellationToken,
    ) -> (Self, watch::Receiver<ConnectionState>) {
        let (state, watcher) = watch::channel(ConnectionState::Ready);
        let shutdown = Box::pin(shutdown.cancelled_owned());
        (Self { connection, probe: Some(probe), state, runtime_ended, shutdown, watch }, watcher)
    }

    fn close(&self, why: impl Into<Arc<str>>, kind: EndKind) {
        // Sealed before anything is published: a call that sees the connection closed can then determine whether
        // its request was never written.
        self.watch.activity.seal();
        self.watch.load.close();
        self.state.send_replace(ConnectionState::Closed(End { why: why.into(), kind }));
    }

    fn look_for_goaway(&mut self, cx: &mut Context<'_>) {
        let Some(probe) = &mut self.probe else { return };
        if let Poll::Ready(Err(error)) = probe.poll_ready(cx) {
            // New requests stop here. Those in flight continue, unless their ids are above the last one in
            // the GOAWAY.
            self.watch.load.close();
            let end = End { why: describe(&error).into(), kind: kind(&error) };
            self.state.send_replace(ConnectionState::Draining(end));
            self.probe = None;
        }
    }

    /// Publishes the liveness of the peer to calls and to the supervisor.
    fn publish(&mut self) {
        let (before, now) = (self.watch.load.health(), self.watch.liveness.health());
        if std::mem::take(&mut self.watch.looked)
            && let Some(probe) = &self.probe
        {
            // The data may be SETTINGS with a different limit of concurrent streams. An idle connection reads
            // nothing else, so the limit is updated here and not with the next request.
            if self.watch.load.allow(probe.current_max_send_streams()) {
                self.watch.changed.send_replace(());
            }
        }
        if before == now {
            return;
        }
        self.watch.load.set_health(now);
        self.state.send_if_modified(|state| match (&*state, now) {
            (ConnectionState::Ready, ConnectionHealth::Suspect) => {
                *state = ConnectionState::Suspect;
                true
            }
            (ConnectionState::Suspect, ConnectionHealth::Alive) => {
                *state = ConnectionState::Ready;
                true
            }
            _ => false,
        });
    }
}

impl Drop for Driver {
    /// Runs before the connection's streams learn about its end.
    fn drop(&mut self) {
        // The regular ends have been published by `close`. Any other drop is a panic or the end of the
        // runtime.
        let ended = matches!(*self.state.borrow(), ConnectionState::Closed(_));
        if ended {
            return;
        }
        // A panic in this task ends one connection; the end of the runtime ends the client.
        if std::thread::panicking() {
            self.close("internal error: the connection task panicked", EndKind::Lost);
        } else {
            self.runtime_ended.cancel();
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // First, so that a closed client does not send what was queued before the close.
        if self.shutdown.as_mut().poll(cx).is_ready() {
            self.close("closed by this client", EndKind::Lost);
            return Poll::Ready(());
        }
        match Pin::new(&mut self.connection).poll(cx) {
            Poll::Ready(Ok(())) => {
                // A GOAWAY may have arrived together with the end of the stream.
                self.look_for_goaway(cx);
                let kind = match &*self.state.borrow() {
                    ConnectionState::Draining(end) => end.kind,
                    _ => EndKind::Lost,
                };
                self.close("the peer closed the connection", kind);
            }
            Poll::Ready(Err(error)) => self.close(describe(&error), kind(&error)),
            Poll::Pending => {
                self.look_for_goaway(cx);
                let Self { watch, connection, .. } = &mut *self;
                match watch.look(connection, cx) {
                    ControlFlow::Continue(()) => {
                        self.publish();
                        return Poll::Pending;
                    }
                    ControlFlow::Break(why) => self.close(why, EndKind::Lost),
                }
            }
        }
        Poll::Ready(())
    }
}

/// The debug data of a GOAWAY that requests fewer PINGs (gRFC A8). ENHANCE_YOUR_CALM alone may have any reason.
const TOO_MANY_PINGS: &str = "too_many_pings";

/// Classifies an error that ended the connection.
fn kind(error: &h2::Error) -> EndKind {
    if !(error.is_go_away() && error.is_remote()) {
        return EndKind::Lost;
    }
    match error.reason() {
        Some(h2::Reason::NO_ERROR) => EndKind::Graceful,
        // h2 exposes the debug data only in the text of the error.
        Some(h2::Reason::ENHANCE_YOUR_CALM) if error.to_string().contains(TOO_MANY_PINGS) => {
            EndKind::TooManyPings
        }
        _ => EndKind::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A driver to a peer that never writes, and the token that the end of the runtime cancels.
    async fn driver(shutdown: CancellationToken) -> (Driver, CancellationToken, tokio::io::DuplexStream) {
        let (io, peer) = tokio::io::duplex(1 << 16);
        let (io, activity) = RecordedIo::new(Box::pin(io));
        let (send, mut connection) = h2::client::handshake(io).await.expect("no answer is needed");
        let pings = connection.ping_pong().expect("taken once");
        let keepalive = Keepalive::for_calls(None);
        let load = Arc::new(ConnectionLoad::new(100));
        let watch = PeerWatch::new(pings, activity, load, keepalive, Instant::now(), watch::Sender::new(()));
        let runtime_ended = CancellationToken::new();
        let (driver, _state) = Driver::new(connection, send, watch, shutdown, runtime_ended.clone());
        (driver, runtime_ended, peer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_driver_dropped_before_its_end_reports_the_end_of_its_runtime() {
        let (driver, runtime_ended, _peer) = driver(CancellationToken::new()).await;
        drop(driver);
        assert!(runtime_ended.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_driver_that_was_shut_down_reports_no_end_of_its_runtime() {
        let shutdown = CancellationToken::new();
        let (mut driver, runtime_ended, _peer) = driver(shutdown.clone()).await;
        shutdown.cancel();
        (&mut driver).await;
        drop(driver);
        assert!(!runtime_ended.is_cancelled());
    }
}
