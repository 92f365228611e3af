//! Members in memory that know leases, for tests under virtual time: their streams are answered one renewal after the other, as
//! etcd's are.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_client_core::{Client, ClientBuilder, transport::Target};
use etcd_proto::etcdserverpb as pb;
use futures_util::future::{Ready, ready};
use h2::{RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message as _;
use tokio::{
    io::{DuplexStream, duplex},
    time::{Instant, sleep, sleep_until},
};
use tower_service::Service;

/// A gRPC code and a text.
pub(super) type Refusal = (u32, &'static str);

pub(super) const NO_LEADER: Refusal = (14, "etcdserver: no leader");
pub(super) const DENIED: Refusal = (7, "etcdserver: permission denied");
pub(super) const INVALID_TOKEN: Refusal = (16, "etcdserver: invalid auth token");

/// What the members do and have seen.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Until when a lease lives, and how long from each renewal on.
    pub(super) leases: HashMap<i64, (Instant, Duration)>,
    /// Members that take streams and answer nothing on them.
    pub(super) hanging: HashSet<usize>,
    /// How long an answer is under way.
    pub(super) delay: Duration,
    /// How long a member is busy with a lease.
    pub(super) slow: HashMap<i64, Duration>,
    /// What the renewal of a lease ends its stream with.
    pub(super) refused: HashMap<i64, Refusal>,
    /// What so many streams are refused with, as soon as something is asked on them.
    pub(super) refuses_streams: (usize, Option<Refusal>),
    /// What is sent beside each answer.
    pub(super) noise: Vec<pb::LeaseKeepAliveResponse>,
    /// The time to live that answers claim, where it is not the lease's.
    pub(super) claimed: Option<i64>,
    /// What was asked for: when, on which member, for which lease.
    pub(super) asked: Vec<(Instant, usize, i64)>,
    /// When each lease was renewed.
    pub(super) renewed: HashMap<i64, Vec<Instant>>,
    pub(super) streams: usize,
    pub(super) open_streams: usize,
    pub(super) authenticates: usize,
    pub(super) tokens: Vec<Option<String>>,
}

/// The members. A clone is the same ones, and a connector to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Arc<Mutex<State>>);

impl Members {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn builder(&self, members: usize) -> ClientBuilder {
        Client::builder((1..=members).map(|n| format!("http://localhost:{n}"))).connector(self.clone())
    }

    /// A client of so many members.
    pub(super) fn client(&self, members: usize) -> Client {
        self.builder(members).build().expect("valid")
    }

    /// The longest time between two renewals of a lease.
    pub(super) fn longest_gap(&self, id: i64) -> Duration {
        let state = self.state();
        let times = &state.renewed[&id];
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    fn unary(&self, member: usize, path: &str, message: Bytes) -> Vec<u8> {
        let mut state = self.state();
        match path {
            "/etcdserverpb.Lease/LeaseGrant" => {
                let grant = pb::LeaseGrantRequest::decode(message).expect("a request");
                let ttl = Duration::from_secs(grant.ttl.unsigned_abs());
                state.leases.insert(grant.id, (Instant::now() + ttl, ttl));
                let answer = pb::LeaseGrantResponse {
                    header: header(member),
                    id: grant.id,
                    ttl: grant.ttl,
                    ..Default::default()
                };
                answer.encode_to_vec()
            }
            "/etcdserverpb.Lease/LeaseRevoke" => {
                let revoke = pb::LeaseRevokeRequest::decode(message).expect("a request");
                state.leases.remove(&revoke.id);
                pb::LeaseRevokeResponse { header: header(member) }.encode_to_vec()
            }
            "/etcdserverpb.Auth/Authenticate" => {
                state.authenticates += 1;
                let token = format!("token-{}", state.authenticates);
                pb::AuthenticateResponse { header: header(member), token }.encode_to_vec()
            }
            "/etcdserverpb.KV/Put" => {
                pb::PutResponse { header: header(member), prev_kv: None }.encode_to_vec()
            }
            _ => {
                let status = pb::StatusResponse {
                    header: header(member),
                    leader: 1,
                    raft_term: 1,
                    ..Default::default()
                };
                status.encode_to_vec()
            }
        }
    }

    /// One renewal, once it is its turn.
    async fn renew(&self, member: usize, asked: &pb::LeaseKeepAliveRequest) -> Result<i64, Refusal> {
        let busy = {
            let mut state = self.state();
            state.asked.push((Instant::now(), member, asked.id));
            state.slow.get(&asked.id).copied().unwrap_or_default()
        };
        sleep(busy).await;
        let hangs = || self.state().hanging.contains(&member);
        while hangs() {
            sleep(Duration::from_millis(10)).await;
        }
        let mut state = self.state();
        let state = &mut *state;
        if let (left @ 1.., Some(refusal)) = &mut state.refuses_streams {
            *left -= 1;
            return Err(*refusal);
        }
        if let Some(refusal) = state.refused.get(&asked.id) {
            return Err(*refusal);
        }
        let now = Instant::now();
        let Some((until, ttl)) = state.leases.get_mut(&asked.id).filter(|(until, _)| *until > now) else {
            return Ok(0);
        };
        *until = now + *ttl;
        state.renewed.entry(asked.id).or_default().push(now);
        let ttl = i64::try_from(ttl.as_secs()).expect("short");
        Ok(state.claimed.unwrap_or(ttl))
    }
}

fn header(member: usize) -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: member as u64, revision: 3, raft_term: 1 })
}

impl Service<Target> for Members {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Ready<io::Result<DuplexStream>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let port = target.endpoint.as_str().rsplit(':').next().and_then(|port| port.parse().ok());
        let (client, server) = duplex(1 << 20);
        tokio::spawn(serve(self.clone(), port.expect("it ends with a port"), server));
        ready(Ok(client))
    }
}

async fn serve(members: Members, member: usize, io: DuplexStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(io).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        let members = members.clone();
        tokio::spawn(async move {
            if request.uri().path() == "/etcdserverpb.Lease/LeaseKeepAlive" {
                members.state().streams += 1;
                members.state().open_streams += 1;
                let _ = keep_alive(&members, member, request, respond).await;
                members.state().open_streams -= 1;
            } else {
                let _ = call(&members, member, request, respond).await;
            }
        });
    }
    Ok(())
}

async fn call(
    members: &Members,
    member: usize,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut frame = BytesMut::new();
    while let Some(data) = body.data().await {
        frame.extend_from_slice(&data?);
    }
    let mut send = respond.send_response(head_of_answer(), false)?;
    let answer = members.unary(member, head.uri.path(), frame.freeze().slice(5..));
    send.send_data(framed(&answer), false)?;
    send.send_trailers(trailers((0, "")))
}

/// Answers in the order of the requests; the head comes with the first answer.
async fn keep_alive(
    members: &Members,
    member: usize,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let token = request.headers().get("token").map(|token| token.to_str().expect("text").to_owned());
    members.state().tokens.push(token);
    let mut body = request.into_body();
    let mut frames = BytesMut::new();
    let mut send: Option<SendStream<Bytes>> = None;
    loop {
        while frames.len() < 5 || frames.len() < 5 + usize::from(frames[4]) {
            match body.data().await {
                Some(data) => frames.extend_from_slice(&data?),
                None => return end(send, respond, (0, "")),
            }
        }
        let frame = frames.split_to(5 + usize::from(frames[4])).freeze().slice(5..);
        let asked = pb::LeaseKeepAliveRequest::decode(frame).expect("a request");
        let ttl = match members.renew(member, &asked).await {
            Ok(ttl) => ttl,
            Err(refusal) => return end(send, respond, refusal),
        };
        let (arrives, noise) = {
            let state = members.state();
            (Instant::now() + state.delay, state.noise.clone())
        };
        sleep_until(arrives).await;
        let out = match &mut send {
            Some(out) => out,
            None => send.insert(respond.send_response(head_of_answer(), false)?),
        };
        for message in noise {
            out.send_data(framed(&message.encode_to_vec()), false)?;
        }
        let answer = pb::LeaseKeepAliveResponse { header: header(member), id: asked.id, ttl };
        out.send_data(framed(&answer.encode_to_vec()), false)?;
    }
}

fn end(
    send: Option<SendStream<Bytes>>,
    mut respond: SendResponse<Bytes>,
    status: Refusal,
) -> Result<(), h2::Error> {
    match send {
        Some(mut send) => send.send_trailers(trailers(status)),
        None => {
            let mut head = head_of_answer();
            head.headers_mut().extend(trailers(status));
            respond.send_response(head, true).map(drop)
        }
    }
}

fn head_of_answer() -> Response<()> {
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

fn trailers((code, text): Refusal) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    trailers.insert("grpc-message", HeaderValue::from_static(text));
    trailers
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("short"));
    frame.put_slice(message);
    frame.freeze()
}
