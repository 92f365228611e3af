//! A member whose watch streams say what a test has them say.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_client_core::Client;
use etcd_proto::{
    etcdserverpb::{self as pb, watch_request::RequestUnion},
    mvccpb,
};
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message as _;
use tokio::{net::TcpListener, task::AbortHandle};

/// What the member does next on a watch stream.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Message(pb::WatchResponse),
    /// The end of the stream, without a status.
    Reset,
    /// The end of the stream with the status of a learner, which serves no watches.
    Learner,
}

/// What is answered to a request: the number of the stream, from 0 on, and the request.
type Script = dyn Fn(usize, RequestUnion) -> Vec<Said> + Send + Sync;

/// A member that runs until this is dropped.
pub(crate) struct Fake {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(usize, RequestUnion)>>>,
    running: AbortHandle,
}

struct Shared {
    script: Box<Script>,
    streams: AtomicUsize,
    requests: Arc<Mutex<Vec<(usize, RequestUnion)>>>,
    /// What Status and Range say.
    version: &'static str,
    revision: i64,
}

impl Fake {
    /// `version` and `revision` are what its other answers show.
    pub(crate) async fn start(
        version: &'static str,
        revision: i64,
        script: impl Fn(usize, RequestUnion) -> Vec<Said> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::default();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            streams: AtomicUsize::new(0),
            requests: Arc::clone(&requests),
            version,
            revision,
        });
        let running = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, Arc::clone(&shared)));
            }
        });
        Self { address, requests, running: running.abort_handle() }
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().expect("valid")
    }

    pub(crate) fn builder(&self) -> etcd_client_core::ClientBuilder {
        Client::builder([format!("http://{}", self.address)])
    }

    /// The start revisions of the creations of one stream.
    pub(crate) fn starts(&self, stream: usize) -> Vec<i64> {
        let requests = self.requests.lock().expect("no panic");
        let start = |(of, request): &(usize, RequestUnion)| match request {
            RequestUnion::CreateRequest(create) if *of == stream => Some(create.start_revision),
            _ => None,
        };
        requests.iter().filter_map(start).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn connection(stream: tokio::net::TcpStream, shared: Arc<Shared>) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(call(request, respond, Arc::clone(&shared)));
    }
    Ok(())
}

async fn call(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
) -> Result<(), h2::Error> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let mut send = respond.send_response(response, false)?;
    let header = header(shared.revision);
    let answer = match head.uri.path() {
        "/etcdserverpb.Watch/Watch" => return watch(body, send, &shared).await,
        "/etcdserverpb.Maintenance/Status" => {
            pb::StatusResponse { header, version: shared.version.into(), ..Default::default() }
                .encode_to_vec()
        }
        _ => pb::RangeResponse { header, ..Default::default() }.encode_to_vec(),
    };
    send.send_data(framed(&answer), false)?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    send.send_trailers(trailers)
}

async fn watch(mut body: RecvStream, mut send: SendStream<Bytes>, shared: &Shared) -> Result<(), h2::Error> {
    let stream = shared.streams.fetch_add(1, Ordering::SeqCst);
    let mut pending = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        pending.extend_from_slice(&data);
        while let Some(request) = request(&mut pending) {
            shared.requests.lock().expect("no panic").push((stream, request.clone()));
            for said in (shared.script)(stream, request) {
                match said {
                    Said::Message(message) => send.send_data(framed(&message.encode_to_vec()), false)?,
                    Said::Learner => {
                        let mut trailers = HeaderMap::new();
                        trailers.insert("grpc-status", HeaderValue::from_static("9"));
                        let text = HeaderValue::from_static("etcdserver: rpc not supported for learner");
                        trailers.insert("grpc-message", text);
                        return send.send_trailers(trailers);
                    }
                    Said::Reset => {
                        // What was said before arrives first.
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                        send.send_reset(Reason::INTERNAL_ERROR);
                        return Ok(());
                    }
                }
            }
        }
    }
    Ok(())
}

fn request(pending: &mut BytesMut) -> Option<RequestUnion> {
    let length = u32::from_be_bytes(pending.get(1..5)?.try_into().ok()?) as usize;
    if pending.len() < 5 + length {
        return None;
    }
    let frame = pending.split_to(5 + length).freeze();
    pb::WatchRequest::decode(frame.slice(5..)).expect("a request").request_union
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("short"));
    frame.put_slice(message);
    frame.freeze()
}

pub(crate) fn header(revision: i64) -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision, raft_term: 3 })
}

pub(crate) fn created(id: i64, revision: i64) -> Said {
    let header = header(revision);
    Said::Message(pb::WatchResponse { header, watch_id: id, created: true, ..Default::default() })
}

pub(crate) fn denied(reason: &str) -> Said {
    Said::Message(pb::WatchResponse {
        header: header(10),
        watch_id: -1,
        created: true,
        canceled: true,
        cancel_reason: reason.into(),
        ..Default::default()
    })
}

pub(crate) fn canceled(id: i64) -> Said {
    Said::Message(pb::WatchResponse {
        header: header(10),
        watch_id: id,
        canceled: true,
        ..Default::default()
    })
}

pub(crate) fn progress(id: i64, revision: i64) -> Said {
    Said::Message(pb::WatchResponse { header: header(revision), watch_id: id, ..Default::default() })
}

/// Puts of `k` at these revisions. The header is far ahead, as that of a member that sends history.
pub(crate) fn puts(id: i64, revisions: &[i64], fragment: bool) -> Said {
    let put = |revision: &i64| mvccpb::Event {
        r#type: 0,
        kv: Some(mvccpb::KeyValue {
            key: "k".into(),
            create_revision: 1,
            mod_revision: *revision,
            version: 1,
            ..Default::default()
        }),
        prev_kv: None,
    };
    let events = revisions.iter().map(put).collect();
    Said::Message(pb::WatchResponse {
        header: header(1_000),
        watch_id: id,
        events,
        fragment,
        ..Default::default()
    })
}
