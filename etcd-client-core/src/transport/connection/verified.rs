//! A verified HTTP/2 connection, as the pool and the calls use it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::SendRequest;
use http::HeaderMap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::transport::{
    connect::BoxError,
    connection::{
        activity::{Activity, Mark},
        capacity::{Capacity, Slots},
        check::Check,
        connection_load::ConnectionLoad,
        histories::Histories,
        history::History,
        identity::Asking,
        limit::{self, Limit},
        liveness::ConnectionHealth,
        member::Member,
    },
    grpc::method::{Method, Purpose},
};

/// The number of streams whose readers may set the pace. If all of them stall, half of the connection's window is left
/// for the others.
const MOST_PACED_STREAMS: usize = 4;

/// The state of a connection, which determines whether it accepts new requests.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionState {
    Ready,
    /// The peer has not answered a probe yet. New requests use other connections; those in flight wait or are retried
    /// elsewhere.
    Suspect,
    /// The peer sent GOAWAY. Requests in flight continue; new ones use other connections.
    Draining(End),
    Closed(End),
}

/// The reason why a connection ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) why: Arc<str>,
    pub(crate) kind: EndKind,
}

/// The conclusion about the peer from the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndKind {
    /// The peer announced the end without an error: GOAWAY with NO_ERROR.
    Graceful,
    /// The peer requested fewer PINGs.
    TooManyPings,
    /// Any other end.
    Lost,
}

/// A connection that answered a PING and whose peer, if it reports its cluster, belongs to the client's. Dropping it
/// closes it once its last call has ended.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Unique within the process; never reused.
    pub(crate) id: usize,
    pub(crate) member: Arc<Member>,
    pub(crate) purpose: Purpose,
    pub(crate) load: Arc<ConnectionLoad>,
    pub(crate) check: Arc<Check>,
    pub(crate) state: watch::Receiver<ConnectionState>,
    /// The history to which the member belonged when it was checked.
    pub(crate) history: Arc<History>,
    /// The number of the connection in that history.
    pub(crate) number: u64,
    /// The [`Limit`] of the connection. Requests beyond it must not be sent.
    pub(super) limited: AtomicU8,
    /// Set when a response showed that the member no longer matches the result of the check.
    pub(super) retired: AtomicBool,
    /// Cancelled at the same time, to wake waiting tasks.
    pub(super) retiring: CancellationToken,
    pub(super) send: SendRequest<Bytes>,
    /// The RPCs that the member does not implement, as one bit per method.
    pub(super) lacking: AtomicU64,
    pub(super) paced_streams: AtomicUsize,
    pub(super) activity: Activity,
    /// The calls that wait for a slot on connections of this purpose.
    pub(super) capacity: Arc<Capacity<Arc<Self>>>,
    pub(super) shutdown: CancellationToken,
}

impl Connection {
    /// Returns the endpoint as configured.
    pub(crate) fn endpoint(&self) -> &str {
        self.member.endpoint.as_str()
    }

    /// Returns `true` if the client was closed. Nothing else shuts down a connection that is still held.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// Returns a handle that opens streams.
    pub(crate) fn sender(&self) -> SendRequest<Bytes> {
        self.send.clone()
    }

    /// Returns the number of requests in flight, or `None` if the connection accepts no more.
    ///
    /// A request beyond the peer's limit would wait inside h2, partly sent. It waits before it is sent instead.
    pub(crate) fn available_load(&self) -> Option<usize> {
        if self.load.health() >= ConnectionHealth::Suspect || self.is_retired() {
            None
        } else {
            self.load.below_limit()
        }
    }

    /// Returns `true` if no further request may be sent until the identity of the member has been checked again.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire) || self.history.disowns(self.number)
    }

    /// Accepts no further requests. Calls in flight continue; streams move to another connection.
    pub(crate) fn retire(&self) {
        // Before the waiters are woken: a woken call that looks at the connection must see it retired.
        self.retired.store(true, Ordering::Release);
        self.retiring.cancel();
    }

    /// Waits until the connection is retired.
    pub(crate) async fn retired(&self) {
        self.retiring.cancelled().await;
    }

    /// Returns the restrictions of the connection.
    pub(crate) fn limit(&self) -> Limit {
        match self.limited.load(Ordering::Acquire) {
            0 => Limit::None,
            1 => Limit::Learner,
            _ => Limit::Behind,
        }
    }

    /// Checks the identity of the member and the restrictions of the connection again.
    pub(crate) async fn check_again(
        &self,
        headers: &HeaderMap,
        histories: &Histories,
    ) -> Result<Limit, BoxError> {
        let asking = Asking::begin(self.sender(), &self.member, headers, &self.history);
        let limit = limit::decide(asking.conclude().await, histories, &self.history, &self.member)?;
        self.limited.store(limit as u8, Ordering::Release);
        Ok(limit)
    }

    /// Returns `true` if data was read at `moment` or later, in the pool's milliseconds, so the path has worked since
    /// then.
    pub(crate) fn has_received_since(&self, moment: u64) -> bool {
        self.activity.at() >= moment
    }

    /// Records that a call picked this connection at `now`, in the pool's milliseconds.
    pub(crate) fn used(&self, now: u64) {
        self.activity.used(now);
    }

    /// Marks the current position for [`was_unsent`](Self::was_unsent). Must be called before a request is queued.
    pub(crate) fn mark(&self) -> Mark {
        self.activity.mark()
    }

    /// Returns `true` if no byte of a request queued after `mark` was written, and the connection has ended.
    pub(crate) fn was_unsent(&self, mark: Mark) -> bool {
        self.activity.is_unwritten_since(mark)
    }

    /// Returns `true` if the member has reported that it does not implement this RPC.
    pub(crate) fn lacks(&self, method: Method) -> bool {
        self.lacking.load(Ordering::Relaxed) & (1 << method.index()) != 0
    }

    pub(crate) fn remember_lacking(&self, method: Method) {
        self.lacking.fetch_or(1 << method.index(), Ordering::Relaxed);
    }

    /// Reserves a slot for a stream that is read at its reader's pace, if one is free.
    pub(crate) fn stream_permit(self: &Arc<Self>) -> Option<StreamPermit> {
        // The guard is created before the check, so that it also undoes the increment of a failed attempt.
        let stream_permit = StreamPermit { connection: Arc::clone(self) };
        (self.paced_streams.fetch_add(1, Ordering::Relaxed) < MOST_PACED_STREAMS).then_some(stream_permit)
    }

    /// Returns `true` if [`stream_permit`](Self::stream_permit) would succeed.
    pub(crate) fn has_stream_permit(&self) -> bool {
        self.paced_streams.load(Ordering::Relaxed) < MOST_PACED_STREAMS
    }

    /// Counts a new request, if there is capacity. The guard counts its end.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Permit> {
        if self.is_retired() {
            return None;
        }
        self.load.enter().then(|| Permit::counted(Arc::clone(self)))
    }

    /// Counts a new request, like [`begin`](Self::begin), but leaves half of the slots to other calls.
    pub(crate) fn begin_first_half(self: &Arc<Self>) -> Option<Permit> {
        if self.is_retired() {
            return None;
        }
        self.load.enter_first_half().then(|| Permit::counted(Arc::clone(self)))
    }

    /// Waits until no more requests may be sent, or the connection is lost.
    pub(crate) async fn closing(&self) {
        let mut state = self.state.clone();
        let closing = |state: &ConnectionState| {
            matches!(state, ConnectionState::Draining(_) | ConnectionState::Closed(_))
        };
        tokio::select! {
            // An error means that the driver has ended.
            _ = state.wait_for(closing) => {}
            () = self.retired() => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // h2 does not wake its connection when a handle is dropped.
        self.shutdown.cancel();
    }
}

/// A request in flight on a connection.
#[derive(Debug)]
pub(crate) struct Permit {
    pub(crate) connection: Arc<Connection>,
    resting: bool,
}

impl Permit {
    /// Creates the guard of a request that is already counted.
    pub(crate) fn counted(connection: Arc<Connection>) -> Self {
        Self { connection, resting: false }
    }

    /// Records whether the reader is currently not waiting for data. The peer then owes nothing, so silence is no
    /// reason to probe it.
    pub(crate) fn set_resting(&mut self, resting: bool) {
        match (self.resting, resting) {
            (false, true) => self.connection.load.rest(),
            (true, false) => self.connection.load.wake(),
            _ => {}
        }
        self.resting = resting;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Before the slot is released: the call that gets it is counted as owed data from its start.
        if self.resting {
            self.connection.load.wake();
        }
        self.connection.capacity.release(&self.connection);
    }
}

impl Slots for Arc<Connection> {
    fn load(&self) -> &ConnectionLoad {
        &self.load
    }

    fn member(&self) -> usize {
        self.member.id
    }

    fn is_usable(&self) -> bool {
        self.load.health() < ConnectionHealth::Suspect && !self.is_retired()
    }

    fn has_quorum(&self) -> bool {
        self.limit() == Limit::None
    }
}

/// A stream on a connection that its reader may leave unread.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    connection: Arc<Connection>,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.connection.paced_streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Converts a duration to the unit of member statistics.
pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// Converts a moment to the unit of member statistics.
pub(crate) fn millis(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
