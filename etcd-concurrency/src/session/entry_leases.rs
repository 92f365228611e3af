//! The leases of a session's entries, in a session where each entry has its own lease instead of a token.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_client_core::{
    CallOptions, ErrorKind, LeaseId,
    lease::{LeaseGrant, LeaseKeepAlive, LeaseKeeper, LeaseRevoke},
    request::RetryPolicy,
};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::SessionEnd;
use crate::{
    Error, Store,
    backoff::Backoff,
    token::rules::{Rule, Rules},
};

/// The maximum number of attempts to grant a lease. Each attempt has a new id.
const MAX_ATTEMPTS: u32 = 3;

/// The maximum number of concurrent revocations when a session is closed.
const MAX_CONCURRENT: usize = 64;

/// The value is `None` while the lease is being revoked.
type Live = HashMap<LeaseId, Option<LeaseKeeper>>;

/// Grants a lease for each entry, renews it until the session ends, and revokes it.
///
/// The id of a revoked lease is not used again, so that no late copy of an entry can put a key under it.
#[derive(Debug)]
pub(crate) struct EntryLeases {
    store: Store,
    ttl: Duration,
    rules: Rules,
    /// `None` after the session has ended.
    live: Mutex<Option<Live>>,
}

impl EntryLeases {
    pub(super) fn new(store: Store, ttl: Duration, rules: Rules) -> Self {
        Self { store, ttl, rules, live: Mutex::new(Some(Live::new())) }
    }

    /// Grants a lease for one entry and keeps it alive.
    ///
    /// The client chooses lease ids. A late copy of a retried grant would bring back a revoked lease, and with it make late
    /// copies of the entry valid. Therefore each grant is sent once, and a new attempt uses another id. A lease that was granted
    /// without a response expires.
    pub(crate) async fn grant(&self) -> Result<LeaseId, Error> {
        let leases = self.store.leases().ok_or_else(no_lease_service)?;
        let once = self.rules.enforces(Rule::GrantIsSentOnce);
        let retry = if once { RetryPolicy::Never } else { RetryPolicy::AssumeIdempotent };
        let mut backoff = Backoff::OUTAGE;
        for attempt in 1.. {
            let sent_at = Instant::now();
            let grant = leases.grant(LeaseGrant::new(self.ttl), CallOptions::default().retry(retry)).await;
            match grant {
                Ok(granted) => {
                    let keep = LeaseKeepAlive::new(granted.id).granted(granted.ttl, sent_at);
                    let keeper = leases.keep_alive(keep, CallOptions::default()).await?;
                    // If the session ended during the grant, the handle is dropped and the lease expires.
                    let mut live = self.live();
                    let live = live.as_mut().ok_or(Error::SessionExpired(SessionEnd::Orphaned))?;
                    live.insert(granted.id, Some(keeper));
                    return Ok(granted.id);
                }
                Err(error) if attempt == MAX_ATTEMPTS || error.is_closed() || error.is_timeout() => {
                    return Err(error.into());
                }
                // Among others an expired authentication token: a call that is never retried fails on it.
                Err(_) => backoff.wait().await,
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Returns whether a lease is certainly alive.
    pub(crate) fn is_alive(&self, lease: LeaseId) -> bool {
        self.live()
            .as_ref()
            .and_then(|live| live.get(&lease)?.as_ref())
            .is_some_and(|keeper| !keeper.is_lost())
    }

    /// Returns the time until which a lease is certainly alive, or `None` if it may have ended.
    pub(crate) fn deadline(&self, lease: LeaseId) -> Option<Instant> {
        self.live().as_ref().and_then(|live| live.get(&lease)?.as_ref()).map(LeaseKeeper::deadline)
    }

    /// Waits until a lease may have ended.
    pub(crate) fn lost(&self, lease: LeaseId) -> impl Future<Output = ()> + Send + 'static + use<> {
        let lost = self.live().as_ref().and_then(|live| Some(live.get(&lease)?.as_ref()?.lost()));
        async move {
            if let Some(lost) = lost {
                lost.await;
            }
        }
    }

    /// Stops renewing a lease and revokes it, which deletes the entry's key. A missing lease counts as revoked.
    pub(crate) async fn revoke(&self, lease: LeaseId) -> Result<(), etcd_client_core::Error> {
        // The renewal ends even if the revocation fails: the lease then expires.
        if let Some(keeper) = self.live().as_mut().and_then(|live| live.get_mut(&lease)) {
            *keeper = None;
        }
        self.send_revoke(lease).await?;
        if let Some(live) = self.live().as_mut() {
            live.remove(&lease);
        }
        Ok(())
    }

    /// Removes all leases. Their renewal ends when the returned handles are dropped.
    pub(super) fn take(&self) -> Live {
        self.live().take().unwrap_or_default()
    }

    /// Revokes leases that were [taken](Self::take).
    pub(super) async fn revoke_all(&self, taken: Live) -> Result<(), etcd_client_core::Error> {
        let leases: Vec<LeaseId> = taken.into_keys().collect();
        let results = stream::iter(leases.into_iter().map(|lease| self.send_revoke(lease)));
        let results: Vec<_> = results.buffer_unordered(MAX_CONCURRENT).collect().await;
        results.into_iter().collect()
    }

    async fn send_revoke(&self, lease: LeaseId) -> Result<(), etcd_client_core::Error> {
        let Some(leases) = self.store.leases() else { return Ok(()) };
        match leases.revoke(LeaseRevoke::new(lease), CallOptions::default()).await {
            Err(error) if !error.is_lease_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn live(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_lease_service() -> Error {
    let text = "Tokens::lease_per_entry needs the store's lease service: set Store::with_leases";
    etcd_client_core::Error::new(ErrorKind::InvalidConfig, text).into()
}
