//! Opening a connection: the HTTP/2 handshake, and the check of the peer before the first request.

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
use h2::client::Builder;
use http::HeaderMap;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::transport::{
    connect::{BoxError, BoxIo, SharedConnector, Target, described::Described, dialing},
    connection::{
        activity::RecordedIo,
        capacity::Capacity,
        connection_load::ConnectionLoad,
        driver::{Driver, PeerWatch, STREAM_WINDOW},
        histories::Histories,
        history::UNVERIFIED,
        identity::Asking,
        limit,
        liveness::Keepalive,
        member::Member,
        open_connection::OpenConnection,
        ownership::Verdict,
        verified::{Connection, micros, millis},
    },
    endpoint::authority::Origins,
    grpc::method::Purpose,
    observe::observer::SharedObserver,
};

/// The timeout for name lookup, TCP, TLS, HTTP/2 and the first PING together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The receive window of a connection for streams, shared by all of them. At most `MOST_PACED_STREAMS` in `verified.rs`
/// are left unread at a time.
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

/// The maximum size of a header list. etcd's own headers are far smaller; the gRPC message of an error may be a few
/// KiB.
const MAX_HEADER_LIST: u32 = 64 << 10;

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

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
    pub(crate) capacity: &'a Arc<Capacity<Arc<Connection>>>,
    /// Makes waiting calls look again.
    pub(crate) changed: &'a watch::Sender<()>,
    /// The start of the pool, from which member statistics count time.
    pub(crate) epoch: Instant,
}

/// Opens a connection and verifies it: HTTP/2 handshake, the answer to one PING, and a check of the member's
/// identity. The result is known to work and to be safe for writes. All requests of the verification are sent
/// together.
///
/// The first PING on a connection does not count in etcd's PING policy.
///
/// # Errors
///
/// Returns a [`Rejection`](super::identity::Rejection) for a member of another cluster or history.
pub(crate) async fn open(dial: Dial<'_>) -> Result<Connection, BoxError> {
    match timeout(CONNECT_TIMEOUT, dialing::first(|attempt| verify(dial, attempt))).await {
        Ok(result) => result,
        Err(_elapsed) => Err(format!("no response within {} s", CONNECT_TIMEOUT.as_secs()).into()),
    }
}

async fn verify(dial: Dial<'_>, attempt: usize) -> Result<Connection, BoxError> {
    let target = Target { endpoint: dial.member.endpoint.clone(), attempt };
    let io: BoxIo = dial.connector.0.connect(target).await?;
    let io = dial.origins.secure(&dial.member.endpoint, io).await?;
    let hint = dial.origins.hint(&dial.member.endpoint);
    let not_http2 = |error| not_http2(&error, hint);
    let (io, activity) = RecordedIo::new(io);
    let (send, mut connection) = builder(dial.purpose).handshake::<_, Bytes>(io).await.map_err(not_http2)?;
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
    let limit = limit::decide(finding, dial.histories, &history, dial.member)?;
    // The number orders this connection among the checks of its history. If a later check finds that the history
    // regressed, the connections verified since that check began are disowned.
    let number = if is_current { history.admit_connection() } else { UNVERIFIED };
    let shutdown = dial.shutdown.child_token();
    let load = Arc::new(ConnectionLoad::new(send.current_max_send_streams()));
    let changed = dial.changed.clone();
    let watch =
        PeerWatch::new(pings, activity.clone(), Arc::clone(&load), dial.keepalive, dial.epoch, changed);
    let check = Arc::clone(&watch.check);
    let (driver, state) =
        Driver::new(connection, send.clone(), watch, shutdown.clone(), dial.runtime_ended.clone());
    let open = OpenConnection::count(dial.member, dial.purpose, dial.observer);
    dial.tasks.spawn(open.during(driver));
    Ok(Connection {
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        member: Arc::clone(dial.member),
        purpose: dial.purpose,
        load,
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
        activity,
        capacity: Arc::clone(dial.capacity),
        shutdown,
    })
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
