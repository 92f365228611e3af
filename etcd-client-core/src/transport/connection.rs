//! One verified HTTP/2 connection: its handshake, and what the pool and the calls need of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::{Uri, uri::Scheme};
use tokio::{sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connector::{BoxError, BoxIo, SharedConnector, Target},
    driver::Driver,
    endpoint::Endpoint,
    method::Method,
};

/// Name lookup, TCP, TLS, HTTP/2 and the first PING together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Room for the answers of one stream. A unary answer is read as it comes, so this only bounds what is under way.
const STREAM_WINDOW: u32 = 8 << 20;

/// Room for the answers of all streams. h2 closes a connection that buffers more small frames than its budget: as much of
/// the budget as of the window, so that the window is what limits.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Streams whose reader sets the pace. All of them stalled leave half of the connection's window to everybody else.
const MOST_PACED_STREAMS: usize = 4;

/// etcd's own headers are far below; the gRPC message of an error may hold a few KiB.
const MAX_HEADER_LIST: u32 = 64 << 10;

/// Whether a connection takes new requests.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionState {
    Ready,
    /// The peer sent GOAWAY: requests in flight go on, new ones go elsewhere.
    Draining(Arc<str>),
    Closed(Arc<str>),
}

/// A connection that answered a PING. Dropping it closes it once its last call has ended.
#[derive(Debug)]
pub(crate) struct Connection {
    endpoint: Arc<str>,
    /// Which endpoint of the pool this is, to try another one next.
    pub(crate) member: usize,
    send: SendRequest<Bytes>,
    uris: Box<[Uri]>,
    in_flight: AtomicUsize,
    max_streams: usize,
    pub(crate) state: watch::Receiver<ConnectionState>,
    /// The RPCs that the member does not have: one bit for each method.
    lacking: AtomicU32,
    streams: AtomicUsize,
    /// Told when a stream ends on a connection that had no room for another.
    room: watch::Sender<()>,
    shutdown: CancellationToken,
}

/// Where a connection is made to and who runs it.
#[derive(Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) member: usize,
    pub(crate) connector: &'a SharedConnector,
    pub(crate) tasks: &'a TaskTracker,
    pub(crate) shutdown: &'a CancellationToken,
    pub(crate) runtime_ended: &'a CancellationToken,
    pub(crate) changed: &'a watch::Sender<()>,
}

impl Connection {
    /// Connects, speaks HTTP/2 and waits for the answer to one PING: what comes back is known to work.
    ///
    /// The first PING on a connection is free in etcd's ping policy.
    pub(crate) async fn open(dial: Dial<'_>) -> Result<Self, BoxError> {
        match timeout(CONNECT_TIMEOUT, Self::verified(dial)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()).into()),
        }
    }

    async fn verified(dial: Dial<'_>) -> Result<Self, BoxError> {
        let target = Target { endpoint: dial.endpoint.clone() };
        let io: BoxIo = dial.connector.0.connect(target).await?;
        let (send, mut connection) = builder().handshake::<_, Bytes>(io).await.map_err(not_http2)?;
        let mut pings = connection.ping_pong().ok_or("HTTP/2 gave no PING handle")?;
        tokio::select! {
            ended = &mut connection => return Err(match ended {
                Ok(()) => "the peer closed the connection during the HTTP/2 handshake: is TLS needed (https://)?".into(),
                Err(error) => not_http2(error),
            }),
            pong = pings.ping(h2::Ping::opaque()) => { pong.map_err(not_http2)?; }
        }
        let shutdown = dial.shutdown.child_token();
        let (driver, state) =
            Driver::new(connection, send.clone(), shutdown.clone(), dial.runtime_ended.clone());
        dial.tasks.spawn(driver);
        Ok(Self {
            endpoint: dial.endpoint.name(),
            member: dial.member,
            max_streams: send.current_max_send_streams(),
            uris: uris(dial.endpoint),
            send,
            in_flight: AtomicUsize::new(0),
            state,
            lacking: AtomicU32::new(0),
            streams: AtomicUsize::new(0),
            room: dial.changed.clone(),
            shutdown,
        })
    }

    /// The endpoint as the user wrote it.
    pub(crate) fn endpoint(&self) -> &Arc<str> {
        &self.endpoint
    }

    /// Whether the client was closed: nothing else shuts a connection down while it is held.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// A handle that opens streams.
    pub(crate) fn sender(&self) -> SendRequest<Bytes> {
        self.send.clone()
    }

    pub(crate) fn uri(&self, method: Method) -> Uri {
        self.uris[method.index()].clone()
    }

    /// Any URI of this connection: scheme and authority for requests whose path comes from elsewhere.
    pub(crate) fn origin(&self) -> &Uri {
        &self.uris[0]
    }

    /// Requests in flight, or `None` when the peer allows no more streams or the connection takes none.
    ///
    /// A request beyond the peer's limit would wait inside h2, half sent: it waits before it is sent instead.
    pub(crate) fn load(&self) -> Option<usize> {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        (in_flight < self.max_streams).then_some(in_flight)
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
        (self.streams.fetch_add(1, Ordering::Relaxed) < MOST_PACED_STREAMS).then_some(place)
    }

    /// Counts one request in, where there is room; the guard counts it out.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<InFlight> {
        let flight = InFlight { connection: Arc::clone(self) };
        (self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_streams).then_some(flight)
    }
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
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let before = self.connection.in_flight.fetch_sub(1, Ordering::Relaxed);
        if before >= self.connection.max_streams {
            self.connection.room.send_replace(());
        }
    }
}

/// A stream on a connection that its reader may leave unread.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    connection: Arc<Connection>,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.connection.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(CONNECTION_WINDOW as usize)
        .max_header_list_size(MAX_HEADER_LIST);
    builder
}

fn uris(endpoint: &Endpoint) -> Box<[Uri]> {
    let uri = |method: Method| {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(endpoint.http_authority())
            .path_and_query(method.path())
            .build()
            .expect("a scheme, an authority and a path are a URI")
    };
    Method::ALL.into_iter().map(uri).collect()
}

fn not_http2(error: h2::Error) -> BoxError {
    if error.is_io() {
        return format!("the HTTP/2 handshake failed ({error}): is TLS needed (https://)?").into();
    }
    format!("the peer does not speak HTTP/2 ({error}): is this etcd's client port?").into()
}
