//! The response to a streamed range.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::{StreamExt as _, unfold};

use crate::types::KeyValue;

/// A part of a streamed range, in key order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RangeChunk {
    /// The pairs, possibly none.
    pub kvs: Vec<KeyValue>,
}

impl RangeChunk {
    /// Creates a chunk of these pairs.
    pub fn new(kvs: Vec<KeyValue>) -> Self {
        Self { kvs }
    }
}

/// The chunks of one `RangeStream` call, all at the same revision. The stream ends after the last chunk or with an
/// error.
///
/// Dropping the stream cancels the call. Dropping the client it came from ends it with an error.
#[must_use = "read the chunks with `next` or as a stream"]
pub struct RangeStream {
    chunks: BoxStream<'static, Result<RangeChunk, Error>>,
}

impl RangeStream {
    /// Creates the stream from a service that yields the chunks.
    pub fn new(chunks: impl Stream<Item = Result<RangeChunk, Error>> + Send + 'static) -> Self {
        Self { chunks: Box::pin(chunks.fuse()) }
    }

    pub(crate) fn from_state<S, F, Step>(state: S, step: F) -> Self
    where
        S: Send + 'static,
        F: FnMut(S) -> Step + Send + 'static,
        Step: Future<Output = Option<(Result<RangeChunk, Error>, S)>> + Send + 'static,
    {
        Self::new(unfold(state, step))
    }

    /// Returns the next chunk, or `None` after the last one.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no chunk is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{CallOptions, Get};
    /// use etcd_client_core::kv::KvService;
    ///
    /// let mut chunks = client.kv().range_stream(Get::new("jobs/").prefix(), CallOptions::default()).await?;
    /// while let Some(chunk) = chunks.next().await {
    ///     println!("{} pairs", chunk?.kvs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<RangeChunk, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for RangeStream {
    type Item = Result<RangeChunk, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for RangeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeStream").finish_non_exhaustive()
    }
}
