//! One watch stream, read by a task, so that the server never waits for the reader.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    task::{Context, Poll},
};

use etcd_proto::{
    etcdserverpb::{
        WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse, watch_client::WatchClient,
        watch_request::RequestUnion,
    },
    mvccpb::{Event, event::EventType},
};
use futures_util::Stream;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use tonic::{Request, Status, transport::Channel};

use super::{super::FENCE, FENCE_ID};
use crate::show::{Frame, Response as _, event, status};

/// The number of progress responses after which a stream without a fence has delivered its events. etcd 3.4 sends them
/// on another queue than events, so the first one may overtake an event; the next ones find the queue empty.
const PROGRESS_ROUNDS: usize = 3;

/// The requests of a stream.
#[derive(Debug)]
pub(super) struct Outgoing(UnboundedReceiver<WatchRequest>);

impl Stream for Outgoing {
    type Item = WatchRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<WatchRequest>> {
        self.0.poll_recv(context)
    }
}

/// A stream, and the responses that were not compared yet.
#[derive(Debug)]
pub(crate) struct WatchStream {
    requests: UnboundedSender<WatchRequest>,
    responses: UnboundedReceiver<Result<WatchResponse, Status>>,
    reader: JoinHandle<()>,
    log: Vec<WatchResponse>,
    /// The ids of the watches that were created and not cancelled.
    pub(crate) live: BTreeSet<i64>,
    /// Whether the stream watches the fence. A user without the permission does not.
    pub(crate) fenced: bool,
    /// Whether a watch may still read history. The chunks in which etcd sends it depend on the time.
    pub(crate) reads_history: bool,
}

impl WatchStream {
    pub(super) fn open(
        mut client: WatchClient<Channel>,
        request: impl FnOnce(Outgoing) -> Request<Outgoing>,
        first: WatchCreateRequest,
    ) -> Result<Self, String> {
        let (requests, outgoing) = unbounded_channel();
        let (incoming, responses) = unbounded_channel();
        let request = request(Outgoing(outgoing));
        let reader = tokio::spawn(async move {
            let mut stream = match client.watch(request).await {
                Ok(response) => response.into_inner(),
                Err(error) => {
                    let _ = incoming.send(Err(error));
                    return;
                }
            };
            while let Some(response) = stream.message().await.transpose() {
                if incoming.send(response).is_err() {
                    return;
                }
            }
        });
        let stream = Self {
            requests,
            responses,
            reader,
            log: Vec::new(),
            live: BTreeSet::new(),
            fenced: false,
            reads_history: false,
        };
        stream.send(RequestUnion::CreateRequest(first))?;
        Ok(stream)
    }

    pub(super) fn send(&self, request: RequestUnion) -> Result<(), String> {
        let request = WatchRequest { request_union: Some(request) };
        self.requests.send(request).map_err(|_| "the watch stream has ended".to_owned())
    }

    async fn next(&mut self) -> Result<WatchResponse, String> {
        match self.responses.recv().await {
            Some(Ok(response)) => {
                if response.canceled {
                    self.live.remove(&response.watch_id);
                }
                Ok(response)
            }
            Some(Err(error)) => Err(status(&error)),
            None => Err("the watch stream has ended".to_owned()),
        }
    }

    /// Waits for the response to a request to create a watch, of which every such request has one.
    pub(super) async fn created(&mut self) -> Result<WatchResponse, String> {
        loop {
            let response = self.next().await?;
            if response.created {
                return Ok(response);
            }
            self.keep(response);
        }
    }

    pub(super) async fn canceled(&mut self, id: i64) -> Result<(), String> {
        loop {
            let response = self.next().await?;
            if response.canceled && response.watch_id == id {
                return Ok(());
            }
        }
    }

    /// Sends a request to create an impossible watch and waits for its response. The requests of a stream are
    /// processed in order, so every earlier one has had its response then.
    pub(super) async fn marker(&mut self) -> Result<WatchResponse, String> {
        let empty =
            WatchCreateRequest { key: "b".into(), range_end: "a".into(), ..WatchCreateRequest::default() };
        self.send(RequestUnion::CreateRequest(empty))?;
        self.created().await
    }

    /// Reads until the event of the fence at this revision.
    pub(super) async fn reach(&mut self, fence: i64) -> Result<(), String> {
        if !self.fenced {
            return self.reach_progress().await;
        }
        loop {
            let response = self.next().await?;
            let last = response.events.last().and_then(|event| event.kv.as_ref());
            if response.watch_id == FENCE_ID && last.is_some_and(|last| last.mod_revision >= fence) {
                return Ok(());
            }
            self.keep(response);
        }
    }

    async fn reach_progress(&mut self) -> Result<(), String> {
        let rounds = if self.live.is_empty() { 0 } else { PROGRESS_ROUNDS };
        for _ in 0..rounds {
            self.send(RequestUnion::ProgressRequest(WatchProgressRequest {}))?;
            loop {
                let response = self.next().await?;
                if is_progress(&response) {
                    break;
                }
                self.keep(response);
            }
        }
        Ok(())
    }

    /// Keeps a response without the writes of the fence: another watch may get the last one before or after the
    /// watch of the fence.
    fn keep(&mut self, mut response: WatchResponse) {
        let had_events = !response.events.is_empty();
        response.events.retain(|event| !is_fence(event));
        if !had_events || !response.events.is_empty() {
            self.log.push(response);
        }
    }

    /// Takes the responses so far as text, by watch. The order between watches is not defined.
    pub(super) fn delivered(&mut self, frame: Frame) -> String {
        let mut watches: BTreeMap<i64, Vec<WatchResponse>> = BTreeMap::new();
        for response in self.log.drain(..) {
            watches.entry(response.watch_id).or_default().push(response);
        }
        let show: fn(&[WatchResponse], Frame) -> String = if self.reads_history { merged } else { exact };
        let texts = watches.into_values().map(|responses| show(&responses, frame));
        texts.collect::<Vec<_>>().join("; ")
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn is_fence(event: &Event) -> bool {
    event.r#type() == EventType::Put && event.kv.as_ref().is_some_and(|kv| kv.key == FENCE)
}

fn is_progress(response: &WatchResponse) -> bool {
    response.watch_id == -1 && !response.created && !response.canceled
}

fn exact(responses: &[WatchResponse], frame: Frame) -> String {
    let texts: Vec<String> = responses.iter().map(|response| response.text(frame)).collect();
    texts.join(", ")
}

/// The events without the borders and the headers of their responses.
fn merged(responses: &[WatchResponse], frame: Frame) -> String {
    let mut texts = Vec::new();
    for response in responses {
        if response.events.is_empty() {
            texts.push(response.text(frame));
        } else {
            let events =
                response.events.iter().map(|one| format!("{} {}", response.watch_id, event(one, frame)));
            texts.extend(events);
        }
    }
    texts.join(", ")
}
