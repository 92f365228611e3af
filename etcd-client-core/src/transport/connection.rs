//! One verified HTTP/2 connection: its handshake, and what the pool and the calls need of it.

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
use h2::client::{Builder, SendRequest};
use http::HeaderMap;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    check::Check,
    connector::{BoxError, BoxIo, SharedConnector, Target},
    dialing,
    driver::{Driver, PeerWatch},
    gauge::Gauge,
    heard::{Heard, Mark, Watched},
    histories::Histories,
    identity::{Asking, Finding, Refusal},
    member::{Member, Purpose},
    method::Method,
    observe::{OpenConnection, SharedObserver},
    origin::Origins,
    room::{Room, Slots},
};
use crate::mechanism::{
    history::{History, UNVERIFIED, Violation},
    identity::Verdict,
    liveness::{Keepalive, Vital},
};

/// Name lookup, TCP, TLS, HTTP/2 and the first PING together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Room for the answers of one stream. A unary answer is read as it comes, so this only bounds what is under way.
pub(crate) const STREAM_WINDOW: u32 = 8 << 20;

/// Room for the unread answers of all streams on a connection for streams, of which [`MOST_PACED_STREAMS`] at most are left
/// unread at a time.
const STREAMS_WINDOW: u32 = 64 << 20;

/// Room for the unread answers of all calls on a connection for calls: as much as HTTP/2 allows (RFC 9113 section 6.9.1).
///
/// Any number of callers may leave their answers unread, each up to [`STREAM_WINDOW`]. With a smaller window eight of them
/// stall every other call on the connection. The memory is bounded by what these callers asked for, not by this window.
const CALLS_WINDOW: u32 = i32::MAX as u32;

/// What unread DATA frames of less than 256 bytes may cost h2 before it closes the connection: 256 bytes less their length
/// each.
///
/// h2 0.4.20 never gives back what the frames of a reset stream cost, so a small answer that crosses the reset of its call
/// uses up 190 bytes of this for the life of the connection. The budget is out of reach of any number of dropped calls;
/// what bounds the memory of unread frames are the windows.
const DATA_FRAME_BUDGET: usize = usize::MAX / 2;

/// Streams that h2 remembers as reset, for [`RESET_MEMORY`]: it ignores what still arrives on them, and answers what arrives
/// on a forgotten one with another RST_STREAM. An entry takes about 0.5 KiB.
const REMEMBERED_RESETS: usize = 512;

/// An answer that is later than this after the reset of its stream is rare.
const RESET_MEMORY: Duration = Duration::from_secs(2);

/// Streams whose reader sets the pace. All of them stalled leave half of the connection's window to everybody else.
const MOST_PACED_STREAMS: usize = 4;

/// etcd's own headers are far below; the gRPC message of an error may hold a few KiB.
const MAX_HEADER_LIST: u32 = 64 << 10;

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

/// Whether a connection takes new requests.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionState {
    Ready,
    /// The peer owes an answer to a probe: requests in flight wait or go elsewhere, new ones go elsewhere.
    Suspect,
    /// The peer sent GOAWAY: requests in flight go on, new ones go elsewhere.
    Draining(End),
    Closed(End),
}

/// What ended a connection.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) why: Arc<str>,
    pub(crate) kind: EndKind,
}

/// What the end of a connection says of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndKind {
    /// The peer announced it, without an error: GOAWAY with NO_ERROR.
    Graceful,
    /// The peer asked for fewer PINGs.
    TooManyPings,
    /// Anything else.
    Lost,
}

/// A connection that answered a PING, and is known to be of this client's cluster where its peer tells. Dropping it closes it once its last call has ended.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Never used twice in a process.
    pub(crate) id: usize,
    pub(crate) member: Arc<Member>,
    pub(crate) purpose: Purpose,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) check: Arc<Check>,
    pub(crate) state: watch::Receiver<ConnectionState>,
    /// What its member was found to be of.
    pub(crate) history: Arc<History>,
    /// Its number in that history.
    pub(crate) number: u64,
    /// Whether it is only good for reads that may be stale, and nothing else may be sent.
    limited: AtomicU8,
    /// Whether an answer showed that the member is not what it was found to be.
    retired: AtomicBool,
    /// Cancelled then, for what waits.
    retiring: CancellationToken,
    send: SendRequest<Bytes>,
    /// The RPCs that the member does not have: one bit for each method.
    lacking: AtomicU64,
    paced_streams: AtomicUsize,
    heard: Heard,
    /// The calls that wait for a slot on connections like this one.
    room: Arc<Room<Arc<Self>>>,
    shutdown: CancellationToken,
}

/// Where a connection is made to and who runs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) member: &'a Arc<Member>,
    pub(crate) purpose: Purpose,
    pub(crate) keepalive: Keepalive,
    pub(crate) connector: &'a SharedConnector,
    pub(crate) origins: &'a Origins,
    pub(crate) observer: &'a SharedObserver,
    pub(crate) histories: &'a Histories,
    /// What the pool's own requests carry.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) tasks: &'a TaskTracker,
    pub(crate) shutdown: &'a CancellationToken,
    pub(crate) runtime_ended: &'a CancellationToken,
    pub(crate) room: &'a Arc<Room<Arc<Connection>>>,
    /// Has waiting calls look again.
    pub(crate) changed: &'a watch::Sender<()>,
    /// When the pool began, in which member statistics are counted.
    pub(crate) epoch: Instant,
}

impl Connection {
    /// Connects, speaks HTTP/2, waits for the answer to one PING and asks whose the peer is: what comes back is known to work,
    /// and to be safe to write to. The questions leave together.
    ///
    /// The first PING on a connection is free in etcd's ping policy. Fails with a [`Refusal`] for a member that is not ours.
    pub(crate) async fn open(dial: Dial<'_>) -> Result<Self, BoxError> {
        match timeout(CONNECT_TIMEOUT, dialing::first(|attempt| Self::verified(dial, attempt))).await {
            Ok(result) => result,
            Err(_elapsed) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()).into()),
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
        let mut pings = connection.ping_pong().ok_or("HTTP/2 gave no PING handle")?;
        let sent = Instant::now();
        let history = dial.histories.current();
        let asking = Asking::begin(send.clone(), dial.member, dial.headers, &history);
        pings.send_ping(h2::Ping::opaque()).map_err(not_http2)?;
        let answers = async {
            poll_fn(|cx| pings.poll_pong(cx)).await.map_err(not_http2)?;
            let (round_trip, now) = (sent.elapsed(), dial.epoch.elapsed());
            dial.member.latency.record(micros(round_trip), millis(now));
            Ok::<_, BoxError>(asking.conclude().await)
        };
        let finding = tokio::select! {
            ended = &mut connection => return Err(match ended {
                Ok(()) => format!("the peer closed the connection during the HTTP/2 handshake: {hint}").into(),
                Err(error) => not_http2(error),
            }),
            finding = answers => finding?,
        };
        let is_current = matches!(finding.verdict, Verdict::Member(_));
        let limit = fitness(finding, dial.histories, &history, dial.member)?;
        let number = if is_current { history.admit_connection() } else { UNVERIFIED };
        let shutdown = dial.shutdown.child_token();
        let gauge = Arc::new(Gauge::new(send.current_max_send_streams()));
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

    /// The endpoint as the user wrote it.
    pub(crate) fn endpoint(&self) -> &str {
        self.member.endpoint.as_str()
    }

    /// Whether the client was closed: nothing else shuts a connection down while it is held.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// A handle that opens streams.
    pub(crate) fn sender(&self) -> SendRequest<Bytes> {
        self.send.clone()
    }

    /// Requests in flight, or `None` when the connection takes no more.
    ///
    /// A request beyond the peer's limit would wait inside h2, half sent: it waits before it is sent instead.
    pub(crate) fn load(&self) -> Option<usize> {
        if self.gauge.vital() >= Vital::Suspect || self.is_retired() { None } else { self.gauge.room() }
    }

    /// Whether nothing may be sent any more, as its member has to be asked again whose it is.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire) || self.history.disowns(self.number)
    }

    /// Has no further request sent on it. Calls in flight go on, streams leave.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.retiring.cancel();
    }

    /// Ends once it was retired.
    pub(crate) async fn retired(&self) {
        self.retiring.cancelled().await;
    }

    /// What it may be used for.
    pub(crate) fn limit(&self) -> Limit {
        match self.limited.load(Ordering::Acquire) {
            0 => Limit::None,
            1 => Limit::Learner,
            _ => Limit::Behind,
        }
    }

    /// Asks again whose it is, and what it may be used for.
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

    /// Whether something was read from it at `moment`, in the pool's milliseconds, or later: the path works since then.
    pub(crate) fn is_heard_since(&self, moment: u64) -> bool {
        self.heard.at() >= moment
    }

    /// A call picked this connection at `now`, in the pool's milliseconds.
    pub(crate) fn used(&self, now: u64) {
        self.heard.used(now);
    }

    /// To be called before a request is queued, for [`was_unsent`](Self::was_unsent).
    pub(crate) fn mark(&self) -> Mark {
        self.heard.mark()
    }

    /// Whether no byte of a request queued after `mark` was written, on a connection that has ended.
    pub(crate) fn was_unsent(&self, mark: Mark) -> bool {
        self.heard.is_silent_since(mark)
    }

    /// Whether the member has said that it does not have this RPC.
    pub(crate) fn lacks(&self, method: Method) -> bool {
        self.lacking.load(Ordering::Relaxed) & (1 << method.index()) != 0
    }

    pub(crate) fn remember_lacking(&self, method: Method) {
        self.lacking.fetch_or(1 << method.index(), Ordering::Relaxed);
    }

    /// A place for a stream that is read at its reader's pace, where one is left.
    pub(crate) fn stream_place(self: &Arc<Self>) -> Option<StreamPlace> {
        let place = StreamPlace { connection: Arc::clone(self) };
        (self.paced_streams.fetch_add(1, Ordering::Relaxed) < MOST_PACED_STREAMS).then_some(place)
    }

    /// Whether [`stream_place`](Self::stream_place) would give one.
    pub(crate) fn has_stream_place(&self) -> bool {
        self.paced_streams.load(Ordering::Relaxed) < MOST_PACED_STREAMS
    }

    /// Counts one request in, where there is room; the guard counts it out.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<InFlight> {
        if self.is_retired() {
            return None;
        }
        self.gauge.enter().then(|| InFlight::counted(Arc::clone(self)))
    }

    /// As [`begin`](Self::begin), for a call that leaves half of the slots to others.
    pub(crate) fn begin_first_half(self: &Arc<Self>) -> Option<InFlight> {
        if self.is_retired() {
            return None;
        }
        self.gauge.enter_first_half().then(|| InFlight::counted(Arc::clone(self)))
    }

    /// Ends when no more requests may be sent, or the peer is gone.
    pub(crate) async fn leaving(&self) {
        let mut state = self.state.clone();
        let leaving = |state: &ConnectionState| {
            matches!(state, ConnectionState::Draining(_) | ConnectionState::Closed(_))
        };
        tokio::select! {
            // An error means that the driver is gone.
            _ = state.wait_for(leaving) => {}
            () = self.retired() => {}
        }
    }
}

/// What a connection may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Limit {
    /// Everything.
    None,
    /// What a learner answers: its status, and reads that may be stale.
    Learner,
    /// Reads that may be stale, until its member has caught up or a quorum says why not.
    Behind,
}

impl Limit {
    /// Why, for a person.
    pub(crate) fn reason(self) -> Option<Arc<str>> {
        match self {
            Self::None => None,
            Self::Learner => Some("it is a learner, which takes no writes".into()),
            Self::Behind => {
                Some("it is behind what was seen, and reaches no quorum: for stale reads only".into())
            }
        }
    }
}

/// What a connection is good for by what its check found, which the history learns from.
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
            // Where the header does not name one, it is the known cluster that has regressed.
            let cluster = if cluster == 0 { history.cluster() } else { cluster };
            return Err(Refusal::new(violation, cluster, history).into());
        }
        Verdict::Silent => {
            let text = failure.map_or_else(|| "it did not answer".into(), |failure| failure.text);
            return Err(text.into());
        }
    };
    if let Some(header) = header {
        // Another endpoint may have named a cluster meanwhile.
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
        // h2 does not wake its connection for a dropped handle.
        self.shutdown.cancel();
    }
}

/// One request in flight on a connection.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) connection: Arc<Connection>,
    resting: bool,
}

impl InFlight {
    /// A request that is counted already.
    pub(crate) fn counted(connection: Arc<Connection>) -> Self {
        Self { connection, resting: false }
    }

    /// Notes whether its reader takes its time: what the peer does not owe is no reason to ask whether it lives.
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
    fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    fn member(&self) -> usize {
        self.member.id
    }

    fn is_usable(&self) -> bool {
        self.gauge.vital() < Vital::Suspect && !self.is_retired()
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
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(window)
        .data_frame_budget(DATA_FRAME_BUDGET)
        .max_concurrent_reset_streams(REMEMBERED_RESETS)
        .reset_stream_duration(RESET_MEMORY)
        // h2 counts each frame that arrives on a forgotten stream as an error of its own, and closes the connection after
        // 1,024 of them in its life. Dropped calls cause them without anybody being at fault.
        .max_local_error_reset_streams(None)
        .max_header_list_size(MAX_HEADER_LIST);
    builder
}

/// A duration as member statistics count it.
pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// A moment as member statistics count it.
pub(crate) fn millis(since_epoch: Duration) -> u64 {
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

fn not_http2(error: &h2::Error, hint: &str) -> BoxError {
    match error.get_io() {
        // What TLS says is a sentence of its own.
        Some(error) if error.kind() == io::ErrorKind::InvalidData => return error.to_string().into(),
        Some(_) => return format!("the HTTP/2 handshake failed ({error}): {hint}").into(),
        None => {}
    }
    format!("the peer does not speak HTTP/2 ({error}): is this etcd's client port?").into()
}
