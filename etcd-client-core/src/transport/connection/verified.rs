//! A verified HTTP/2 connection: its handshake, and the parts of it that the pool and the calls use.

use std::{
    future::poll_fn,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use etcd_errors::ErrorTopic;
use h2::client::{Builder, SendRequest};
use http::HeaderMap;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::transport::{
    connect::{BoxError, BoxIo, SharedConnector, Target, described::Described, dialing},
    connection::{
        activity::{Heard, Mark, Watched},
        capacity::{Capacity, Slots},
        check::Check,
        connection_load::ConnectionLoad,
        driver::{Driver, PeerWatch},
        histories::Histories,
        history::{History, UNVERIFIED, Violation},
        identity::{Asking, Finding, Refusal},
        liveness::{ConnectionHealth, Keepalive},
        member::Member,
        open_connection::OpenConnection,
        ownership::Verdict,
    },
    endpoint::authority::Origins,
    grpc::method::{Method, Purpose},
    observe::observer::SharedObserver,
};

/// The timeout for name lookup, TCP, TLS, HTTP/2 and the first PING together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The receive window of one stream. Unary responses are read as they arrive, so it only bounds the data in flight.
pub(crate) const STREAM_WINDOW: u32 = 8 << 20;

/// The receive window of a connection for streams, shared by all of them. At most [`MOST_PACED_STREAMS`] are left
/// unread at a time.
const STREAMS_WINDOW: u32 = 64 << 20;

/// The receive window of a connection for calls, shared by all of them. It is the maximum of HTTP/2 (RFC 9113 section
/// 6.9.1).
///
/// Any number of callers may leave a response of up to [`STREAM_WINDOW`] unread. With a smaller window, eight of them
/// would stall every other call on the connection. The memory is bounded by the responses that these callers
/// requested, not by this window.
const CALLS_WINDOW: u32 = i32::MAX as u32;

/// The total cost of unread DATA frames below 256 bytes at which h2 closes the connection. Each costs 256 bytes minus
/// its length.
///
/// h2 0.4.20 never returns the cost of frames of a reset stream. A small response that crosses the reset of its call
/// therefore uses up 190 bytes for the lifetime of the connection. This budget cannot be exhausted by dropped calls;
/// the windows bound the memory of unread frames.
const DATA_FRAME_BUDGET: usize = usize::MAX / 2;

/// The number of reset streams that h2 remembers, for [`RESET_MEMORY`]. It ignores frames that arrive on them, and
/// responds to frames on a forgotten one with another RST_STREAM. An entry takes about 0.5 KiB.
const REMEMBERED_RESETS: usize = 512;

/// The time for which a reset stream is remembered. Responses rarely arrive later than this after the reset.
const RESET_MEMORY: Duration = Duration::from_secs(2);

/// The number of streams whose readers may set the pace. If all of them stall, half of the connection's window is left
/// for the others.
const MOST_PACED_STREAMS: usize = 4;

/// The maximum size of a header list. etcd's own headers are far smaller; the gRPC message of an error may be a few
/// KiB.
const MAX_HEADER_LIST: u32 = 64 << 10;

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

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
    pub(crate) gauge: Arc<ConnectionLoad>,
    pub(crate) check: Arc<Check>,
    pub(crate) state: watch::Receiver<ConnectionState>,
    /// The history to which the member belonged when it was checked.
    pub(crate) history: Arc<History>,
    /// The number of the connection in that history.
    pub(crate) number: u64,
    /// The [`Limit`] of the connection. Requests beyond it must not be sent.
    limited: AtomicU8,
    /// Set when a response showed that the member no longer matches the result of the check.
    retired: AtomicBool,
    /// Cancelled at the same time, to wake waiting tasks.
    retiring: CancellationToken,
    send: SendRequest<Bytes>,
    /// The RPCs that the member does not implement, as one bit per method.
    lacking: AtomicU64,
    paced_streams: AtomicUsize,
    heard: Heard,
    /// The calls that wait for a slot on connections of this purpose.
    room: Arc<Capacity<Arc<Self>>>,
    shutdown: CancellationToken,
}

/// The parameters of a new connection: its target, and the state that its tasks use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) member: &'a Arc<Member>,
    pub(crate) purpose: Purpose,
    pub(crate) keepalive: Keepalive,
    pub(crate) connector: &'a SharedConnector,
    pub(crate) origins: &'a Origins,
    pub(crate) observer: &'a SharedObserver,
    pub(crate) histories: &'a Histories,
    /// The headers of the pool's own requests.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) tasks: &'a TaskTracker,
    pub(crate) shutdown: &'a CancellationToken,
    pub(crate) runtime_ended: &'a CancellationToken,
    pub(crate) room: &'a Arc<Capacity<Arc<Connection>>>,
    /// Makes waiting calls look again.
    pub(crate) changed: &'a watch::Sender<()>,
    /// The start of the pool, from which member statistics count time.
    pub(crate) epoch: Instant,
}

impl Connection {
    /// Opens a connection and verifies it: HTTP/2 handshake, the answer to one PING, and a check of the member's
    /// identity. The result is known to work and to be safe for writes. All requests of the verification are sent
    /// together.
    ///
    /// The first PING on a connection does not count in etcd's PING policy.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] for a member of another cluster or history.
    pub(crate) async fn open(dial: Dial<'_>) -> Result<Self, BoxError> {
        match timeout(CONNECT_TIMEOUT, dialing::first(|attempt| Self::verified(dial, attempt))).await {
            Ok(result) => result,
            Err(_elapsed) => Err(format!("no response within {} s", CONNECT_TIMEOUT.as_secs()).into()),
        }
    }

    async fn verified(dial: Dial<'_>, attempt: usize) -> Result<Self, BoxError> {
        let target = Target { endpoint: dial.member.endpoint.clone(), attempt };
        let io: BoxIo = dial.connector.0.connect(target).await?;
        let io = dial.origins.secure(&dial.member.endpoint, io).await?;
        let hint = dial.origins.hint(&dial.member.endpoint);
        let not_http2 = |error| not_http2(&error, hint);
        let (io, heard) = Watched::new(io);
        let (send, mut connection) =
            builder(dial.purpose).handshake::<_, Bytes>(io).await.map_err(not_http2)?;
        let mut pings =
            connection.ping_pong().ok_or("internal error: the HTTP/2 PING handle is already taken")?;
        let sent = Instant::now();
        let history = dial.histories.current();
        // The identity is asked for in the same flight as the PING, which saves a round trip.
        let asking = Asking::begin(send.clone(), dial.member, dial.headers, &history);
        pings.send_ping(h2::Ping::opaque()).map_err(not_http2)?;
        let answers = async {
            poll_fn(|cx| pings.poll_pong(cx)).await.map_err(not_http2)?;
            let (round_trip, now) = (sent.elapsed(), dial.epoch.elapsed());
            dial.member.latency.record(micros(round_trip), millis(now));
            Ok::<_, BoxError>(asking.conclude().await)
        };
        // The connection future does the I/O for the answers, so both are polled here until the driver takes
        // over.
        let finding = tokio::select! {
            ended = &mut connection => return Err(match ended {
                Ok(()) => {
                    let text = format!("the peer closed the connection during the HTTP/2 handshake: {hint}");
                    Described::new(ErrorTopic::Tls, text).into()
                }
                Err(error) => not_http2(error),
            }),
            finding = answers => finding?,
        };
        let is_current = matches!(finding.verdict, Verdict::Member(_));
        let limit = fitness(finding, dial.histories, &history, dial.member)?;
        // The number orders this connection among the checks of its history. If a later check finds that the history
        // regressed, the connections verified since that check began are disowned.
        let number = if is_current { history.admit_connection() } else { UNVERIFIED };
        let shutdown = dial.shutdown.child_token();
        let gauge = Arc::new(ConnectionLoad::new(send.current_max_send_streams()));
        let changed = dial.changed.clone();
        let watch =
            PeerWatch::new(pings, heard.clone(), Arc::clone(&gauge), dial.keepalive, dial.epoch, changed);
        let check = Arc::clone(&watch.check);
        let (driver, state) =
            Driver::new(connection, send.clone(), watch, shutdown.clone(), dial.runtime_ended.clone());
        let open = OpenConnection::count(dial.member, dial.purpose, dial.observer);
        dial.tasks.spawn(open.during(driver));
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            member: Arc::clone(dial.member),
            purpose: dial.purpose,
            gauge,
            check,
            state,
            history,
            number,
            limited: AtomicU8::new(limit as u8),
            retired: AtomicBool::new(false),
            retiring: CancellationToken::new(),
            send,
            lacking: AtomicU64::new(0),
            paced_streams: AtomicUsize::new(0),
            heard,
            room: Arc::clone(dial.room),
            shutdown,
        })
    }

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
    pub(crate) fn load(&self) -> Option<usize> {
        if self.gauge.vital() >= ConnectionHealth::Suspect || self.is_retired() {
            None
        } else {
            self.gauge.room()
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
        let limit = fitness(asking.conclude().await, histories, &self.history, &self.member)?;
        self.limited.store(limit as u8, Ordering::Release);
        Ok(limit)
    }

    /// Returns `true` if data was read at `moment` or later, in the pool's milliseconds, so the path has worked since
    /// then.
    pub(crate) fn is_heard_since(&self, moment: u64) -> bool {
        self.heard.at() >= moment
    }

    /// Records that a call picked this connection at `now`, in the pool's milliseconds.
    pub(crate) fn used(&self, now: u64) {
        self.heard.used(now);
    }

    /// Marks the current position for [`was_unsent`](Self::was_unsent). Must be called before a request is queued.
    pub(crate) fn mark(&self) -> Mark {
        self.heard.mark()
    }

    /// Returns `true` if no byte of a request queued after `mark` was written, and the connection has ended.
    pub(crate) fn was_unsent(&self, mark: Mark) -> bool {
        self.heard.is_silent_since(mark)
    }

    /// Returns `true` if the member has reported that it does not implement this RPC.
    pub(crate) fn lacks(&self, method: Method) -> bool {
        self.lacking.load(Ordering::Relaxed) & (1 << method.index()) != 0
    }

    pub(crate) fn remember_lacking(&self, method: Method) {
        self.lacking.fetch_or(1 << method.index(), Ordering::Relaxed);
    }

    /// Reserves a slot for a stream that is read at its reader's pace, if one is free.
    pub(crate) fn stream_place(self: &Arc<Self>) -> Option<StreamPlace> {
        // The guard is created before the check, so that it also undoes the increment of a failed attempt.
        let place = StreamPlace { connection: Arc::clone(self) };
        (self.paced_streams.fetch_add(1, Ordering::Relaxed) < MOST_PACED_STREAMS).then_some(place)
    }

    /// Returns `true` if [`stream_place`](Self::stream_place) would succeed.
    pub(crate) fn has_stream_place(&self) -> bool {
        self.paced_streams.load(Ordering::Relaxed) < MOST_PACED_STREAMS
    }

    /// Counts a new request, if there is capacity. The guard counts its end.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<InFlight> {
        if self.is_retired() {
            return None;
        }
        self.gauge.enter().then(|| InFlight::counted(Arc::clone(self)))
    }

    /// Counts a new request, like [`begin`](Self::begin), but leaves half of the slots to other calls.
    pub(crate) fn begin_first_half(self: &Arc<Self>) -> Option<InFlight> {
        if self.is_retired() {
            return None;
        }
        self.gauge.enter_first_half().then(|| InFlight::counted(Arc::clone(self)))
    }

    /// Waits until no more requests may be sent, or the connection is lost.
    pub(crate) async fn leaving(&self) {
        let mut state = self.state.clone();
        let leaving = |state: &ConnectionState| {
            matches!(state, ConnectionState::Draining(_) | ConnectionState::Closed(_))
        };
        tokio::select! {
            // An error means that the driver has ended.
            _ = state.wait_for(leaving) => {}
            () = self.retired() => {}
        }
    }
}

/// The restrictions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Limit {
    /// No restrictions.
    None,
    /// The member is a learner: its status and serializable reads only.
    Learner,
    /// The member is behind the known history: serializable reads only, until it has caught up or a quorum explains
    /// it.
    Behind,
}

impl Limit {
    /// Returns the reason for the restriction, for the user.
    pub(crate) fn reason(self) -> Option<Arc<str>> {
        match self {
            Self::None => None,
            Self::Learner => Some("the member is a learner, which accepts no writes".into()),
            Self::Behind => {
                Some("the member is behind the known revision and reaches no quorum: it serves serializable reads only".into())
            }
        }
    }
}

/// Derives the restrictions from the result of a check, and updates the history from it.
fn fitness(
    finding: Finding,
    histories: &Histories,
    history: &History,
    member: &Member,
) -> Result<Limit, BoxError> {
    let Finding { verdict, number, header, failure } = finding;
    let cluster = header.as_ref().map_or(0, |header| header.cluster_id);
    let limit = match verdict {
        Verdict::Member(_) | Verdict::Unknown => Limit::None,
        Verdict::Learner => Limit::Learner,
        Verdict::Behind(_) => Limit::Behind,
        Verdict::Foreign(violation) => {
            if let Violation::Regressed(regression) = violation {
                histories.regressed(history, regression, number);
            }
            // If the header names no cluster, the known cluster has regressed.
            let cluster = if cluster == 0 { history.cluster() } else { cluster };
            return Err(Refusal::new(violation, cluster, history).into());
        }
        Verdict::Silent => {
            let text = failure.map_or_else(|| "the member did not respond".into(), |failure| failure.text);
            return Err(text.into());
        }
    };
    if let Some(header) = header {
        // Another endpoint may have pinned the cluster id since the check began.
        history.same_cluster(cluster).map_err(|violation| Refusal::new(violation, cluster, history))?;
        if limit == Limit::None {
            history.raise(header.revision);
        }
        member.set_server(header.member_id);
    }
    Ok(limit)
}

impl Drop for Connection {
    fn drop(&mut self) {
        // h2 does not wake its connection when a handle is dropped.
        self.shutdown.cancel();
    }
}

/// A request in flight on a connection.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) connection: Arc<Connection>,
    resting: bool,
}

impl InFlight {
    /// Creates the guard of a request that is already counted.
    pub(crate) fn counted(connection: Arc<Connection>) -> Self {
        Self { connection, resting: false }
    }

    /// Records whether the reader is currently not waiting for data. The peer then owes nothing, so silence is no
    /// reason to probe it.
    pub(crate) fn set_resting(&mut self, resting: bool) {
        match (self.resting, resting) {
            (false, true) => self.connection.gauge.rest(),
            (true, false) => self.connection.gauge.wake(),
            _ => {}
        }
        self.resting = resting;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.resting {
            self.connection.gauge.wake();
        }
        self.connection.room.release(&self.connection);
    }
}

impl Slots for Arc<Connection> {
    fn gauge(&self) -> &ConnectionLoad {
        &self.gauge
    }

    fn member(&self) -> usize {
        self.member.id
    }

    fn is_usable(&self) -> bool {
        self.gauge.vital() < ConnectionHealth::Suspect && !self.is_retired()
    }

    fn has_quorum(&self) -> bool {
        self.limit() == Limit::None
    }
}

/// A stream on a connection that its reader may leave unread.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    connection: Arc<Connection>,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.connection.paced_streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn builder(purpose: Purpose) -> Builder {
    let window = match purpose {
        Purpose::Calls | Purpose::Waits => CALLS_WINDOW,
        Purpose::Streams => STREAMS_WINDOW,
    };
    let mut builder = Builder::new();
    builder
        // gRPC does not use server push, and rejecting it spares the memory for pushed streams.
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(window)
        .data_frame_budget(DATA_FRAME_BUDGET)
        .max_concurrent_reset_streams(REMEMBERED_RESETS)
        .reset_stream_duration(RESET_MEMORY)
        // h2 counts each frame that arrives on a forgotten stream as an error, and closes the connection
        // after 1,024 of them. Dropped calls cause such frames although neither side is at fault.
        .max_local_error_reset_streams(None)
        .max_header_list_size(MAX_HEADER_LIST);
    builder
}

/// Converts a duration to the unit of member statistics.
pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// Converts a moment to the unit of member statistics.
pub(crate) fn millis(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

fn not_http2(error: &h2::Error, hint: &str) -> BoxError {
    match error.get_io() {
        // TLS errors are complete sentences already.
        Some(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Described::new(ErrorTopic::Tls, error.to_string()).into();
        }
        // `hint` names the TLS setting to check.
        Some(_) => {
            let text = format!("the HTTP/2 handshake failed ({error}): {hint}");
            return Described::new(ErrorTopic::Tls, text).into();
        }
        None => {}
    }
    format!("the peer does not speak HTTP/2 ({error}): check that the endpoint is etcd's client port").into()
}
