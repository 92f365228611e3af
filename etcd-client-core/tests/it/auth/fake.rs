//! A member in memory that knows users and tokens, for tests under virtual time.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_client_core::{Client, ClientBuilder, transport::Target};
use etcd_proto::etcdserverpb as pb;
use futures_util::future::{Ready, ready};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message as _;
use tokio::{
    io::{DuplexStream, duplex},
    time::{Instant, sleep},
};
use tower_service::Service;

pub(crate) const USER: &str = "app";
pub(crate) const PASSWORD: &str = "hunter2";

pub(crate) const INVALID_TOKEN: Refusal = (16, "etcdserver: invalid auth token");
pub(crate) const OLD_REVISION: Refusal = (3, "etcdserver: revision of auth store is old");
pub(crate) const USER_EMPTY: Refusal = (3, "etcdserver: user name is empty");
pub(crate) const AUTH_FAILED: Refusal = (3, "etcdserver: authentication failed, invalid user ID or password");
pub(crate) const NOT_ENABLED: Refusal = (9, "etcdserver: authentication is not enabled");

/// A gRPC code and a text.
pub(crate) type Refusal = (u32, &'static str);

/// What the member does and has seen.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) auth: bool,
    pub(crate) password: String,
    /// How long it computes before it answers Authenticate.
    pub(crate) hashing: Duration,
    /// How long a token lives.
    pub(crate) ttl: Duration,
    /// What every call but Authenticate is refused with.
    pub(crate) refuses: Option<Refusal>,
    /// What Authenticate is refused with, so many times.
    pub(crate) refuses_authenticate: (usize, Refusal),
    pub(crate) token_prefix: String,
    /// Tokens and when they expire.
    pub(crate) tokens: HashMap<String, Instant>,
    pub(crate) authenticates: usize,
    /// The tokens of the other calls, those refused among them.
    pub(crate) carried: Vec<Option<String>>,
    pub(crate) rejected: usize,
    pub(crate) applied: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            auth: true,
            password: PASSWORD.to_owned(),
            hashing: Duration::from_millis(100),
            ttl: Duration::from_secs(300),
            refuses: None,
            refuses_authenticate: (0, AUTH_FAILED),
            token_prefix: "token".to_owned(),
            tokens: HashMap::new(),
            authenticates: 0,
            carried: Vec::new(),
            rejected: 0,
            applied: 0,
        }
    }
}

/// The member. A clone is the same one, and a connector to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member(Arc<Mutex<State>>);

impl Member {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settings of a client that reaches this member.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(["http://localhost:1"]).connector(self.clone())
    }

    /// A client with the right password.
    pub(crate) fn client(&self) -> Client {
        self.builder().password(USER, PASSWORD).build().expect("valid")
    }

    async fn answer(&self, head: &http::request::Parts, message: Bytes) -> Result<Vec<u8>, Refusal> {
        if head.uri.path() == "/etcdserverpb.Auth/Authenticate" {
            return self.authenticate(message).await;
        }
        // The empty Txn of a new connection, which is answered whoever asks.
        if head.uri.path() == "/etcdserverpb.KV/Txn" && message.is_empty() {
            return Ok(pb::TxnResponse { header: header(), ..Default::default() }.encode_to_vec());
        }
        let token = head.headers.get("token").map(|token| token.to_str().expect("text").to_owned());
        let mut state = self.state();
        let state = &mut *state;
        let checked = state.check(token.as_deref());
        state.carried.push(token);
        if checked.is_err() {
            state.rejected += 1;
        } else {
            state.applied += 1;
        }
        checked.map(|()| success(head.uri.path()))
    }

    async fn authenticate(&self, message: Bytes) -> Result<Vec<u8>, Refusal> {
        let request = pb::AuthenticateRequest::decode(message).expect("a request");
        let hashing = {
            let mut state = self.state();
            state.authenticates += 1;
            if let (left @ 1.., refusal) = &mut state.refuses_authenticate {
                *left -= 1;
                return Err(*refusal);
            }
            state.hashing
        };
        sleep(hashing).await;
        let mut state = self.state();
        if !state.auth {
            return Err(NOT_ENABLED);
        }
        if request.name != USER || request.password != state.password {
            return Err(AUTH_FAILED);
        }
        let token = format!("{}-{}", state.token_prefix, state.authenticates);
        let expires = Instant::now() + state.ttl;
        state.tokens.insert(token.clone(), expires);
        Ok(pb::AuthenticateResponse { header: header(), token }.encode_to_vec())
    }
}

impl State {
    fn check(&self, token: Option<&str>) -> Result<(), Refusal> {
        if let Some(refusal) = self.refuses {
            return Err(refusal);
        }
        match token {
            _ if !self.auth => Ok(()),
            None => Err(USER_EMPTY),
            Some(token) if self.tokens.get(token).is_some_and(|expires| Instant::now() < *expires) => Ok(()),
            Some(_) => Err(INVALID_TOKEN),
        }
    }
}

fn header() -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 })
}

fn success(path: &str) -> Vec<u8> {
    let range = pb::RangeResponse { header: header(), kvs: Vec::new(), more: false, count: 0 };
    match path {
        "/etcdserverpb.KV/Put" => pb::PutResponse { header: header(), prev_kv: None }.encode_to_vec(),
        "/etcdserverpb.KV/RangeStream" => {
            pb::RangeStreamResponse { range_response: Some(range) }.encode_to_vec()
        }
        _ => range.encode_to_vec(),
    }
}

impl Service<Target> for Member {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Ready<io::Result<DuplexStream>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _target: Target) -> Self::Future {
        let (client, server) = duplex(1 << 20);
        tokio::spawn(serve(self.clone(), server));
        ready(Ok(client))
    }
}

async fn serve(member: Member, io: DuplexStream) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(io).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(call(member.clone(), request, respond));
    }
    Ok(())
}

async fn call(
    member: Member,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut frame = BytesMut::new();
    let whole = |frame: &BytesMut| {
        let length = frame.get(1..5).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
        length.is_some_and(|length| frame.len() >= 5 + length as usize)
    };
    // A renewal stays open after its message.
    while !whole(&frame)
        && let Some(data) = body.data().await
    {
        frame.extend_from_slice(&data?);
    }
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    match member.answer(&head, frame.freeze().slice(5..)).await {
        Ok(message) => {
            let mut send = respond.send_response(response, false)?;
            let mut frame = BytesMut::new();
            frame.put_u8(0);
            frame.put_u32(u32::try_from(message.len()).expect("short"));
            frame.put_slice(&message);
            send.send_data(frame.freeze(), false)?;
            send.send_trailers(HeaderMap::from_iter([("grpc-status".parse().expect("a name"), 0.into())]))
        }
        Err((code, text)) if head.uri.path() == "/etcdserverpb.KV/RangeStream" => {
            // As etcd 3.7 does where users changed after it had begun.
            let mut send = respond.send_response(response, false)?;
            let mut trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), code.into())]);
            trailers.insert("grpc-message", HeaderValue::from_static(text));
            send.send_trailers(trailers)
        }
        Err((code, text)) => {
            response.headers_mut().insert("grpc-status", code.into());
            response.headers_mut().insert("grpc-message", HeaderValue::from_static(text));
            respond.send_response(response, true).map(drop)
        }
    }
}
