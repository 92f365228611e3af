//! Streams that stay open: watches, keepalives and health watches, through generated stubs.

use etcd_client_core::Client;
use etcd_proto::{
    etcdserverpb::{
        LeaseKeepAliveRequest, LeaseKeepAliveResponse, WatchCreateRequest, WatchRequest, WatchResponse,
        lease_client::LeaseClient, watch_client::WatchClient, watch_request::RequestUnion,
    },
    grpc_health_v1::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient},
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::task::JoinSet;
use tonic::{Status, Streaming};

/// One request, and then an open end.
fn open_ended<T: Send + 'static>(request: T) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async { request }).chain(stream::pending())
}

pub(super) fn watch_request(create: WatchCreateRequest) -> impl Stream<Item = WatchRequest> + Send + 'static {
    open_ended(WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) })
}

/// One stream of each kind, each of which has answered.
pub(super) struct Streams {
    pub(super) watch: Streaming<WatchResponse>,
    pub(super) keep_alive: Streaming<LeaseKeepAliveResponse>,
    pub(super) health: Streaming<HealthCheckResponse>,
}

impl Streams {
    pub(super) async fn open(client: &Client, lease: i64) -> Self {
        let create = WatchCreateRequest { key: "watched".into(), ..WatchCreateRequest::default() };
        let watch = WatchClient::new(client.channel()).watch(watch_request(create)).await;
        let request = open_ended(LeaseKeepAliveRequest { id: lease });
        let keep_alive = LeaseClient::new(client.channel()).lease_keep_alive(request).await;
        let health = HealthClient::new(client.channel()).watch(HealthCheckRequest::default()).await;
        let mut streams = Self {
            watch: watch.expect("a watch").into_inner(),
            keep_alive: keep_alive.expect("a keepalive").into_inner(),
            health: health.expect("a health watch").into_inner(),
        };
        streams.watch.message().await.expect("no error").expect("created");
        streams.keep_alive.message().await.expect("no error").expect("renewed");
        streams.health.message().await.expect("no error").expect("a status");
        streams
    }

    /// Reads each in a task, as whoever opened it does, until it ends; the tasks give what ended it.
    pub(super) fn read(self, tasks: &mut JoinSet<Status>) {
        tasks.spawn(until_end(self.watch));
        tasks.spawn(until_end(self.keep_alive));
        tasks.spawn(until_end(self.health));
    }
}

async fn until_end<T: Send + 'static>(mut stream: Streaming<T>) -> Status {
    loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return Status::ok("its end"),
            Err(status) => return status,
        }
    }
}
