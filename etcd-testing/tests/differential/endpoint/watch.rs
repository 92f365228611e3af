//! Watch streams. Their events are compared at fences: writes of a key that each stream watches. etcd delivers the
//! events of one stream in the order of the writes, except those of watches that still read history.

mod stream;

use etcd_proto::etcdserverpb::{
    PutRequest, WatchCancelRequest, WatchCreateRequest, WatchProgressRequest, watch_request::RequestUnion,
};

pub(super) use self::stream::WatchStream;
use super::{Endpoint, FENCE};
use crate::{
    operation::{Watch, Who},
    show::{Response as _, status},
};

/// The id of the watch of [`FENCE`] on each stream. Sequences do not choose it, and servers count from 0.
const FENCE_ID: i64 = 1000;

impl Endpoint {
    pub(super) async fn watch(&mut self, who: Who, slot: u8, watch: Watch) -> String {
        let mut answer = String::new();
        if !self.streams.contains_key(&slot) {
            match self.open(who, 0).await {
                Ok((stream, opened)) => {
                    self.streams.insert(slot, stream);
                    answer = format!("opened, {opened}, ");
                }
                Err(error) => return error,
            }
        }
        match self.on_stream(slot, watch).await {
            Ok(text) => answer + &text,
            Err(error) => answer + &error,
        }
    }

    async fn on_stream(&mut self, slot: u8, watch: Watch) -> Result<String, String> {
        match watch {
            Watch::Create(request) => self.create(slot, request).await,
            Watch::Cancel(id) => self.cancel(slot, id).await,
            Watch::Progress => self.progress(slot).await,
            Watch::Close => {
                let delivered = self.fence().await;
                self.streams.remove(&slot);
                Ok(format!("closed{delivered}"))
            }
        }
    }

    async fn create(&mut self, slot: u8, mut request: WatchCreateRequest) -> Result<String, String> {
        let current = self.revisions.current;
        let stream = self.streams.get_mut(&slot).ok_or("no stream")?;
        if !stream.fenced {
            // Only watches of new events deliver them in order with progress responses.
            request.start_revision = 0;
        }
        let reads_history = request.start_revision != 0 && request.start_revision <= current;
        stream.send(RequestUnion::CreateRequest(request))?;
        let response = stream.created().await?;
        if !response.canceled {
            stream.live.insert(response.watch_id);
            stream.reads_history |= reads_history;
        }
        Ok(self.note(&response))
    }

    async fn cancel(&mut self, slot: u8, id: i64) -> Result<String, String> {
        let delivered = self.fence().await;
        let frame = self.frame;
        let stream = self.streams.get_mut(&slot).ok_or("no stream")?;
        stream.send(RequestUnion::CancelRequest(WatchCancelRequest { watch_id: id }))?;
        let marker = stream.marker().await?;
        Ok(format!("{}, before {}{delivered}", stream.delivered(frame), marker.text(frame)))
    }

    async fn progress(&mut self, slot: u8) -> Result<String, String> {
        let before = self.fence().await;
        let stream = self.streams.get_mut(&slot).ok_or("no stream")?;
        if !stream.fenced {
            return Ok(format!("not comparable{before}"));
        }
        stream.send(RequestUnion::ProgressRequest(WatchProgressRequest {}))?;
        stream.marker().await?;
        let after = self.fence().await;
        Ok(format!("progress{before}{after}"))
    }

    /// Returns whether a watch may still read history.
    pub(super) fn reads_history(&self) -> bool {
        self.streams.values().any(|stream| stream.reads_history)
    }

    pub(super) async fn close_streams(&mut self) -> String {
        if self.streams.is_empty() {
            return String::new();
        }
        let delivered = self.fence().await;
        self.streams.clear();
        delivered
    }

    /// Waits until every stream has delivered everything that was written, and returns it.
    pub(super) async fn fence(&mut self) -> String {
        match self.pass_fence().await {
            Ok(delivered) => delivered,
            Err(error) => format!("\n    fence: {error}"),
        }
    }

    async fn pass_fence(&mut self) -> Result<String, String> {
        if self.reads_history() {
            self.finish_history().await?;
        }
        let fence = self.write_fence().await?;
        let mut text = String::new();
        for (slot, stream) in &mut self.streams {
            let end = stream.reach(fence).await;
            let delivered = stream.delivered(self.frame);
            stream.reads_history = false;
            if !delivered.is_empty() {
                text += &format!("\n    stream {slot}: {delivered}");
            }
            if let Err(error) = end {
                text += &format!("\n    stream {slot}: {error}");
            }
        }
        Ok(text)
    }

    /// Waits until no watch reads history. etcd reads it for all watches in one pass, so once a new watch has
    /// received its history, and a write was accepted after that, the others have received theirs.
    async fn finish_history(&mut self) -> Result<(), String> {
        let start = self.write_fence().await?;
        let (mut stream, opened) = self.open(self.runner(), start).await?;
        if !stream.fenced {
            return Err(format!("history: {opened}"));
        }
        stream.reach(start).await?;
        stream.send(RequestUnion::CancelRequest(WatchCancelRequest { watch_id: FENCE_ID }))?;
        stream.canceled(FENCE_ID).await
    }

    async fn write_fence(&mut self) -> Result<i64, String> {
        let fence = PutRequest { key: FENCE.into(), ..PutRequest::default() };
        let mut result = self.kv().put(self.request(self.runner(), fence.clone())).await;
        if result.is_err() && self.auth_enabled {
            self.login().await;
            result = self.kv().put(self.request(self.runner(), fence)).await;
        }
        let header = result.map_err(|error| status(&error))?.into_inner().header.unwrap_or_default();
        self.revisions.current = self.revisions.current.max(header.revision);
        Ok(header.revision)
    }

    /// Opens a stream, and watches [`FENCE`] on it.
    async fn open(&mut self, who: Who, start_revision: i64) -> Result<(WatchStream, String), String> {
        let fence = WatchCreateRequest {
            key: FENCE.into(),
            watch_id: FENCE_ID,
            start_revision,
            ..WatchCreateRequest::default()
        };
        let mut stream = WatchStream::open(self.watches(), |requests| self.request(who, requests), fence)?;
        let response = stream.created().await?;
        stream.fenced = !response.canceled;
        Ok((stream, response.text(self.frame)))
    }
}
