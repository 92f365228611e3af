//! A model of a member: HTTP/2 over the simulated network, answers to gets, puts and questions for the status.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_proto::etcdserverpb as pb;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{Instant, sleep},
};
use turmoil::net::TcpListener;

pub(crate) const PORT: u16 = 2379;

/// What a member does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Answers,
    /// Takes the request, and nothing comes back: as a member that is cut off from its peers.
    Hangs,
    /// Answers all but reads of [`LARGE_KEY`]: as one behind an MTU black hole.
    HangsOnLarge,
}

/// A key whose value takes several segments.
pub(crate) const LARGE_KEY: &str = "large";

const LARGE_VALUE: usize = 8_000;

/// What a model member has seen, and how it is to behave; shared with the test.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) requests: AtomicU64,
    pub(crate) puts: AtomicU64,
    pub(crate) connections: AtomicU64,
    /// Requests for each 100 ms since the simulation began.
    rates: Mutex<HashMap<u128, u64>>,
    mood: Mutex<Mood>,
    /// How long an answer takes.
    latency: Mutex<Duration>,
    leader: AtomicU64,
    /// How many elections there were.
    elections: AtomicU64,
    /// Told when the connection that stands is to end with a complaint.
    complaint: Notify,
}

impl Ledger {
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().expect("no panic") = mood;
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        *self.latency.lock().expect("no panic") = latency;
    }

    pub(crate) fn set_leader(&self, leader: u64) {
        self.leader.store(leader, Ordering::Relaxed);
        self.elections.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends a connection as etcd does that got too many PINGs.
    pub(crate) fn complain(&self) {
        self.complaint.notify_one();
    }

    fn term(&self) -> u64 {
        1 + self.elections.load(Ordering::Relaxed)
    }

    /// Requests for each 100 ms in this span of the simulation.
    pub(crate) fn rates(&self, span: std::ops::Range<Duration>) -> Vec<u64> {
        let rates = self.rates.lock().expect("no panic");
        let slots = span.start.as_millis() / 100..span.end.as_millis() / 100;
        slots.map(|slot| rates.get(&slot).copied().unwrap_or(0)).collect()
    }

    fn count(&self, path: &str) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if path.ends_with("/Put") {
            self.puts.fetch_add(1, Ordering::Relaxed);
        }
        let slot = turmoil::sim_elapsed().unwrap_or_default().as_millis() / 100;
        *self.rates.lock().expect("no panic").entry(slot).or_default() += 1;
    }
}

/// Serves until the host ends. `id` is the member's own.
pub(crate) async fn serve(id: u64, ledger: Arc<Ledger>) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        ledger.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(connection(stream, id, Arc::clone(&ledger)));
    }
}

/// Serves one connection.
pub(crate) async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, id: u64, ledger: Arc<Ledger>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                tokio::spawn(call(request, respond, id, Arc::clone(&ledger)));
            }
            () = ledger.complaint.notified() => connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM),
        }
    }
}

async fn call(request: Request<RecvStream>, respond: SendResponse<Bytes>, id: u64, ledger: Arc<Ledger>) {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    let mut large = false;
    while let Some(Ok(data)) = body.data().await {
        large |= data.windows(LARGE_KEY.len()).any(|bytes| bytes == LARGE_KEY.as_bytes());
        let _ = body.flow_control().release_capacity(data.len());
    }
    // The empty Txn of a new connection, which a member answers from what it has applied.
    if path.ends_with("/Txn") {
        return answer(respond, message(&path, id, &ledger, false));
    }
    ledger.count(&path);
    let (mood, latency) = (*ledger.mood.lock().expect("no panic"), *ledger.latency.lock().expect("no panic"));
    // Another client holds every lock.
    let waits = path == "/v3lockpb.Lock/Lock";
    let hangs = mood == Mood::Hangs || (mood == Mood::HangsOnLarge && large) || waits;
    if hangs && !path.ends_with("/Status") {
        std::future::pending::<()>().await;
    }
    if !latency.is_zero() {
        sleep(latency).await;
    }
    answer(respond, message(&path, id, &ledger, large));
}

fn message(path: &str, id: u64, ledger: &Ledger, large: bool) -> Bytes {
    let (leader, raft_term) = (ledger.leader.load(Ordering::Relaxed), ledger.term());
    let header = Some(pb::ResponseHeader { cluster_id: 1, member_id: id, revision: 9, raft_term });
    let framed = |message: Vec<u8>| {
        let mut frame = BytesMut::with_capacity(5 + message.len());
        frame.put_u8(0);
        frame.put_u32(message.len() as u32);
        frame.put_slice(&message);
        frame.freeze()
    };
    framed(match path {
        "/etcdserverpb.KV/Put" => pb::PutResponse { header, prev_kv: None }.encode_to_vec(),
        "/etcdserverpb.Maintenance/Status" => {
            pb::StatusResponse { header, leader, raft_term, version: "3.7.0".into(), ..Default::default() }
                .encode_to_vec()
        }
        _ => {
            let value = vec![b'v'; LARGE_VALUE].into();
            let kv = etcd_proto::mvccpb::KeyValue { key: LARGE_KEY.into(), value, ..Default::default() };
            let kvs = if large { vec![kv] } else { Vec::new() };
            pb::RangeResponse { header, count: kvs.len() as i64, kvs, more: false }.encode_to_vec()
        }
    })
}

/// The client may have left.
fn answer(mut respond: SendResponse<Bytes>, message: Bytes) {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let Ok(mut send) = respond.send_response(head, false) else { return };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let _ = send.send_data(message, false).and_then(|()| send.send_trailers(trailers));
}

/// How long ago, in virtual time.
pub(crate) fn since(moment: Instant) -> Duration {
    moment.elapsed()
}
