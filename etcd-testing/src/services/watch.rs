//! The Watch service: a task reads the requests of a stream, and the stream takes its responses from the member.

use std::sync::Arc;

use etcd_proto::etcdserverpb::watch_request::RequestUnion;
use etcd_proto::etcdserverpb::watch_server::Watch;
use etcd_proto::etcdserverpb::{WatchRequest, WatchResponse};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Interval;
use tonic::{Request, Response, Status, Streaming};

use super::{Services, caller};
use crate::member::Caller;
use crate::shared::Shared;
use crate::watch::StreamId;

#[tonic::async_trait]
impl Watch for Services {
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (caller, requests) = (caller(&request), request.into_inner());
        let (id, ready) = self.shared.open_stream();
        let receiver = tokio::spawn(receive(Arc::clone(&self.shared), caller, id, requests));
        let stream = Open { shared: Arc::clone(&self.shared), id, ready, receiver: receiver.abort_handle() };
        let ticks = self.shared.progress_ticks();
        let run = self.shared.power().run();
        let responses = unfold(Some((stream, ticks, run)), |open| async move {
            let (stream, mut ticks, mut run) = open?;
            let mut ending = run.clone();
            tokio::select! {
                biased;
                () = ending.ended() => Some((Err(Status::unavailable("etcdserver: server stopped")), None)),
                response = async {
                    run.unpaused().await;
                    stream.next(&mut ticks).await
                } => Some((Ok(response), Some((stream, ticks, run)))),
            }
        });
        Ok(Response::new(responses.boxed()))
    }
}

/// Passes the requests of a stream to the member. The end of the requests does not end the watches, as in etcd.
async fn receive(shared: Arc<Shared>, caller: Caller, id: StreamId, mut requests: Streaming<WatchRequest>) {
    while let Ok(Some(request)) = requests.message().await {
        let Some(request) = request.request_union else { continue };
        shared.record(match &request {
            RequestUnion::CreateRequest(create) => create.clone().into(),
            RequestUnion::CancelRequest(cancel) => (*cancel).into(),
            RequestUnion::ProgressRequest(progress) => (*progress).into(),
        });
        shared.with(|member| match request {
            RequestUnion::CreateRequest(create) => member.watch(id, &caller, &create),
            RequestUnion::CancelRequest(cancel) => member.watches.cancel(id, cancel.watch_id, &member.store),
            RequestUnion::ProgressRequest(_) => member.watches.request_progress(id, &member.store),
        });
    }
}

/// An open stream of watches. Dropping it closes the stream.
#[derive(Debug)]
struct Open {
    shared: Arc<Shared>,
    id: StreamId,
    ready: Arc<Notify>,
    receiver: AbortHandle,
}

impl Open {
    /// Waits for the next response.
    async fn next(&self, ticks: &mut Interval) -> WatchResponse {
        loop {
            if let Some(response) = self.shared.with(|member| member.watches.next(self.id, &member.store)) {
                return response;
            }
            tokio::select! {
                () = self.ready.notified() => {}
                _ = ticks.tick() => self.shared.with(|member| member.watches.tick(self.id, &member.store)),
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.receiver.abort();
        self.shared.close_stream(self.id);
    }
}
