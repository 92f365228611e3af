//! How a session begins.

use std::{fmt, pin::Pin, time::Duration};

use etcd_client_core::{Client, LeaseId};
use futures_core::future::BoxFuture;

use super::{Session, Tokens};
use crate::Error;

/// How long a lease lives without renewal unless it is said: `defaultSessionTTL` in client/v3/concurrency/session.go.
const TTL: Duration = Duration::from_secs(60);

/// Settings of a [`Session`]; awaiting it begins the session.
///
/// Dropping the future may leave a lease, which expires.
#[must_use = "a session begins when it is awaited"]
pub struct SessionBuilder<'a> {
    client: &'a Client,
    ttl: Duration,
    lease: Option<LeaseId>,
    tokens: Tokens,
    until: BoxFuture<'static, ()>,
}

impl<'a> SessionBuilder<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self {
            client,
            ttl: TTL,
            lease: None,
            tokens: Tokens::default(),
            until: Box::pin(std::future::pending()),
        }
    }

    /// How long the lease lives without renewal, and so how long others wait for a process that died. Default: 60 s. The server
    /// raises what it finds too short (2 s by default).
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Takes a lease that exists instead of a new one; the time to live is then that of the lease.
    ///
    /// What is held by the lease is found again: locking what it has locked succeeds at once.
    pub fn lease(mut self, id: LeaseId) -> Self {
        self.lease = Some(id);
        self
    }

    /// Sets where the session keeps its tokens, the keys that make its writes one-shot. Default: below `__entry/`.
    ///
    /// A role that uses recipes needs permission to read and write that prefix, besides the keys of the recipes. Where it cannot
    /// be granted, [`Tokens::lease_per_entry`] does without.
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// Ends the session when `future` completes, without revoking the lease, as [`Session::orphan`] does. Default: never.
    pub fn until(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Box::pin(future);
        self
    }
}

impl<'a> IntoFuture for SessionBuilder<'a> {
    type Output = Result<Session, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let kept = match self.lease {
                Some(id) => self.client.lease().keep_alive(id).await?,
                None => self.client.lease().grant(self.ttl).keep_alive().await?,
            };
            Ok(Session::start(self.client.into(), kept, self.tokens, self.until))
        })
    }
}

impl fmt::Debug for SessionBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("ttl", &self.ttl)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
