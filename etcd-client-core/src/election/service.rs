//! The election service of every member, and its stream of leaders.

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

use crate::{
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse,
    },
    request::CallOptions,
};

/// Elections that a member waits for. Their names and keys are keys of the store, so a wrapper that changes keys, such
/// as a namespace, also changes elections.
#[async_trait]
pub trait ElectionService: Send + Sync + Debug {
    /// Waits until the caller is the leader.
    ///
    /// # Errors
    /// If the outcome is unknown, the caller may be the leader, or its key may wait for the leadership, until the
    /// lease ends.
    async fn campaign(
        &self,
        op: ElectionCampaign,
        options: CallOptions,
    ) -> Result<ElectionCampaignResponse, Error>;

    /// Replaces the value that a leader proclaims.
    ///
    /// # Errors
    /// Fails with `Code::ElectionNotLeader` if the caller is no longer the leader. The outcome of another error shows
    /// whether the value may have been proclaimed.
    async fn proclaim(
        &self,
        op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error>;

    /// Returns the current leader.
    ///
    /// # Errors
    /// Fails with `Code::ElectionNoLeader` if there is no leader. A failed call has no effect: its outcome is
    /// `NotApplied`.
    async fn leader(&self, op: ElectionLeader, options: CallOptions)
    -> Result<ElectionLeaderResponse, Error>;

    /// Follows the leaders of an election. Nothing is sent before the stream is polled.
    ///
    /// # Errors
    /// Returns an error if the operation is invalid. Later errors are items of the stream.
    async fn observe(&self, op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error>;

    /// Resigns from a leadership.
    ///
    /// # Errors
    /// The outcome of the error shows whether the leadership may have been given up.
    async fn resign(&self, op: ElectionResign, options: CallOptions)
    -> Result<ElectionResignResponse, Error>;
}

/// A stream of the leaders of an election.
///
/// The stream starts with the current leader and yields an item after every proclamation and every change of leader.
/// While there is no leader, it waits.
///
/// The items come from one member. The stream ends with one error when that member cannot continue: it failed, shuts
/// down, or lost its leader, or the user may not read the election. Members do not report which of these happened. A
/// new observation starts with the leader at that time and does not repeat what was proclaimed in between.
///
/// A client can run sixteen of these streams on each member. A further one waits until another is dropped.
#[must_use = "read the leaders with `next` or as a stream"]
pub struct LeaderStream {
    leaders: BoxStream<'static, Result<ElectionLeaderResponse, Error>>,
}

impl LeaderStream {
    /// Creates the stream from a service that yields the leaders.
    pub fn new(leaders: impl Stream<Item = Result<ElectionLeaderResponse, Error>> + Send + 'static) -> Self {
        Self { leaders: leaders.fuse().boxed() }
    }

    /// Returns the next leader, or the next value of the same leader. An error is returned at most once, as the last
    /// item.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no item is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut leaders = client.server_election().observe("boss").await?;
    /// while let Some(leader) = leaders.next().await {
    ///     println!("{:?}", leader?.kv.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
