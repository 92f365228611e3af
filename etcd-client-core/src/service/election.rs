//! The election service that every member has, and the stream that it gives.

use std::{
    fmt::{self, Debug},
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::StreamExt as _;

use super::CallOptions;
use crate::op::{
    ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
    ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse,
};

/// Elections that a member waits for. Names and keys in it are keys of the store: what moves those moves these.
#[async_trait]
pub trait ElectionService: Send + Sync + Debug {
    /// Waits until it leads.
    ///
    /// # Errors
    /// Where the outcome is unknown, it may lead, or its key may wait for that, until the lease ends.
    async fn campaign(
        &self,
        op: ElectionCampaign,
        options: CallOptions,
    ) -> Result<ElectionCampaignResponse, Error>;

    /// Replaces what a leader proclaims.
    ///
    /// # Errors
    /// `Code::ElectionNotLeader` where it does not lead any more; the outcome of others says whether it may have been proclaimed.
    async fn proclaim(
        &self,
        op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error>;

    /// Asks who leads.
    ///
    /// # Errors
    /// `Code::ElectionNoLeader` where nobody does. Has no effect: the outcome is `NotApplied`.
    async fn leader(&self, op: ElectionLeader, options: CallOptions)
    -> Result<ElectionLeaderResponse, Error>;

    /// Follows who leads. Nothing is sent before the stream is read.
    ///
    /// # Errors
    /// When the operation is invalid; what happens later is an item of the stream.
    async fn observe(&self, op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error>;

    /// Gives up a leadership.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been given up.
    async fn resign(&self, op: ElectionResign, options: CallOptions)
    -> Result<ElectionResignResponse, Error>;
}

/// Who leads an election: now, and again after each proclamation and each change of leader. While nobody leads it waits.
///
/// It comes from one member and ends with one error when that member cannot go on: it died, leaves, or lost its leader, or the user
/// may not read the election. Members do not say which of these it was. Observing anew begins with who leads by then; what was
/// proclaimed between is not repeated.
///
/// A client has room for sixteen of these on each member; one more waits until another is dropped.
#[must_use = "a stream gives its leaders to `next` or as a stream"]
pub struct LeaderStream {
    leaders: BoxStream<'static, Result<ElectionLeaderResponse, Error>>,
}

impl LeaderStream {
    /// The answer of a service that has the leaders as a stream.
    pub fn new(leaders: impl Stream<Item = Result<ElectionLeaderResponse, Error>> + Send + 'static) -> Self {
        Self { leaders: leaders.fuse().boxed() }
    }

    /// The next leader, or the next value of the same one; an error at most once, as the last.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Result<ElectionLeaderResponse, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for LeaderStream {
    type Item = Result<ElectionLeaderResponse, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.leaders.as_mut().poll_next(cx)
    }
}

impl Debug for LeaderStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderStream").finish_non_exhaustive()
    }
}
