//! The leases of a session's entries, where each entry has one of its own instead of a token.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_client_core::{
    CallOptions, ErrorKind, KeptLease, LeaseGrant, LeaseId, LeaseKeepAlive, LeaseRevoke, Resend,
};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use crate::{
    Error, SessionEnd, Store,
    pause::Pauses,
    token::rules::{Rule, Rules},
};

/// How often a grant is tried. Each try has an id of its own.
const TRIES: u32 = 3;

/// Revocations under way at a time when a session is closed.
const AT_A_TIME: usize = 64;

/// A handle is `None` once the lease is being revoked.
type Live = HashMap<LeaseId, Option<KeptLease>>;

/// Grants a lease for each entry, renews it until the session ends, and revokes it.
///
/// A lease that was revoked never lives again, so that no late copy of an entry can put a key under it.
#[derive(Debug)]
pub(crate) struct EntryLeases {
    store: Store,
    ttl: Duration,
    rules: Rules,
    /// `None` once the session is over.
    live: Mutex<Option<Live>>,
}

impl EntryLeases {
    pub(super) fn new(store: Store, ttl: Duration, rules: Rules) -> Self {
        Self { store, ttl, rules, live: Mutex::new(Some(Live::new())) }
    }

    /// Grants a lease for one entry and keeps it alive.
    ///
    /// The client chooses the ids of leases. A late copy of a grant that is resent would bring a revoked lease back, and late
    /// copies of the entry with it: each grant is sent once, and tried again with another id. A lease that was granted without
    /// an answer expires.
    pub(crate) async fn grant(&self) -> Result<LeaseId, Error> {
        let leases = self.store.leases().ok_or_else(no_lease_service)?;
        let once = self.rules.hold(Rule::GrantIsSentOnce);
        let resend = if once { Resend::Never } else { Resend::AsIfIdempotent };
        let mut pauses = Pauses::OUTAGE;
        for attempt in 1.. {
            let sent_at = Instant::now();
            let grant = leases.grant(LeaseGrant::new(self.ttl), CallOptions::default().resend(resend)).await;
            match grant {
                Ok(granted) => {
                    let keep = LeaseKeepAlive::new(granted.id).granted(granted.ttl, sent_at);
                    let kept = leases.keep_alive(keep, CallOptions::default()).await?;
                    let mut live = self.live();
                    let live = live.as_mut().ok_or(Error::Expired(SessionEnd::Orphaned))?;
                    live.insert(granted.id, Some(kept));
                    return Ok(granted.id);
                }
                Err(error) if attempt == TRIES || error.is_closed() || error.is_timeout() => {
                    return Err(error.into());
                }
                // A token for authentication that has expired fails a call that is not resent.
                Err(_) => pauses.pause().await,
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Whether a lease surely lives.
    pub(crate) fn lives(&self, lease: LeaseId) -> bool {
        self.live().as_ref().and_then(|live| live.get(&lease)?.as_ref()).is_some_and(|kept| !kept.is_lost())
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

    /// Stops renewing a lease and revokes it, which deletes the entry's key. A lease that is not there is no error.
    pub(crate) async fn revoke(&self, lease: LeaseId) -> Result<(), etcd_client_core::Error> {
        if let Some(kept) = self.live().as_mut().and_then(|live| live.get_mut(&lease)) {
            *kept = None;
        }
        self.end(lease).await?;
        if let Some(live) = self.live().as_mut() {
            live.remove(&lease);
        }
        Ok(())
    }

    /// Forgets all leases, which ends their renewal when the handles are dropped.
    pub(super) fn take(&self) -> Live {
        self.live().take().unwrap_or_default()
    }

    /// Revokes leases that were [taken](Self::take).
    pub(super) async fn revoke_all(&self, taken: Live) -> Result<(), etcd_client_core::Error> {
        let leases: Vec<LeaseId> = taken.into_keys().collect();
        let results = stream::iter(leases.into_iter().map(|lease| self.end(lease)));
        let results: Vec<_> = results.buffer_unordered(AT_A_TIME).collect().await;
        results.into_iter().collect()
    }

    async fn end(&self, lease: LeaseId) -> Result<(), etcd_client_core::Error> {
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
