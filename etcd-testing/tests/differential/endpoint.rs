//! One of the two servers: sends an operation with plain tonic stubs and returns the answer as text.

mod auth;
mod kv;
mod lease;
mod reset;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use etcd_proto::etcdserverpb::{
    auth_client::AuthClient, kv_client::KvClient, lease_client::LeaseClient, watch_client::WatchClient,
};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint as TonicEndpoint},
};

use self::watch::WatchStream;
use crate::{
    operation::{Op, Revisions, Step, Who},
    show::{Frame, Response, status},
};

/// The key whose events show that a watch stream has delivered everything before it.
const FENCE: &[u8] = b"~fence";
/// The longest wait for an answer. A server that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest message is a watch response of several values near the limit of a request.
const LARGEST_MESSAGE: usize = 64 << 20;

/// A server, and everything that a sequence has established on it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    channel: Channel,
    /// The last token of each user.
    tokens: BTreeMap<String, String>,
    auth_enabled: bool,
    streams: BTreeMap<u8, WatchStream>,
    revisions: Revisions,
    frame: Frame,
}

impl Endpoint {
    pub(crate) fn new(uri: &str) -> Self {
        let endpoint = TonicEndpoint::from_shared(uri.to_owned()).expect("a server has a valid address");
        Self {
            channel: endpoint.connect_lazy(),
            tokens: BTreeMap::new(),
            auth_enabled: false,
            streams: BTreeMap::new(),
            revisions: Revisions::default(),
            frame: Frame::default(),
        }
    }

    /// The revision at which the current sequence began.
    pub(crate) fn origin(&self) -> i64 {
        self.frame.revision
    }

    /// Performs a step and returns everything that the server answered.
    pub(crate) async fn perform(&mut self, step: &Step) -> String {
        let op = step.op.resolved(self.revisions);
        match tokio::time::timeout(PATIENCE, self.answer(step.who, op)).await {
            Ok(answer) => answer,
            Err(_) => "no answer".to_owned(),
        }
    }

    /// Ends a sequence: closes its watch streams and returns what they delivered.
    pub(crate) async fn finish(&mut self) -> String {
        match tokio::time::timeout(PATIENCE, self.close_streams()).await {
            Ok(answer) => answer,
            Err(_) => "watch streams deliver no fence".to_owned(),
        }
    }

    async fn answer(&mut self, who: Who, op: Op) -> String {
        match op {
            Op::Range(request) => self.range(who, request).await,
            Op::RangeStream(request) => self.range_stream(who, request).await,
            Op::Put(request) => self.put(who, request).await,
            Op::Delete(request) => self.delete(who, request).await,
            Op::Txn(request) => self.txn(who, request).await,
            Op::Compact(request) => self.compact(who, request).await,
            Op::Lease(lease) => self.lease(who, lease).await,
            Op::Watch(stream, watch) => self.watch(who, stream, watch).await,
            Op::Auth(auth) => self.auth(who, auth).await,
        }
    }

    /// Notes the revision of a response and returns its text.
    fn read<R: Response>(&mut self, result: Result<tonic::Response<R>, Status>) -> String {
        match result {
            Ok(response) => self.note(response.get_ref()),
            Err(error) => status(&error),
        }
    }

    fn note<R: Response>(&mut self, response: &R) -> String {
        let revision = response.header().map_or(0, |header| header.revision);
        self.revisions.current = self.revisions.current.max(revision);
        response.text(self.frame)
    }

    /// The user of the runner's own operations.
    fn runner(&self) -> Who {
        if self.auth_enabled { Who::User("root") } else { Who::Nobody }
    }

    fn request<T>(&self, who: Who, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = match who {
            Who::Nobody => None,
            Who::User(name) => self.tokens.get(name).map(String::as_str),
            Who::Forged => Some("forgedforgedforg.7"),
        };
        if let Some(token) = token {
            let token = token.parse().expect("a token is a header value");
            request.metadata_mut().insert("token", token);
        }
        request
    }

    fn kv(&self) -> KvClient<Channel> {
        KvClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    fn leases(&self) -> LeaseClient<Channel> {
        LeaseClient::new(self.channel.clone())
    }

    fn watches(&self) -> WatchClient<Channel> {
        WatchClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    fn auths(&self) -> AuthClient<Channel> {
        AuthClient::new(self.channel.clone())
    }
}
