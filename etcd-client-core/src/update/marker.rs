//! The markers of updates, and the lease that deletes them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::Error;
use tokio::time::Instant;

use crate::{
    lease::{LeaseGrant, LeaseService},
    request::CallOptions,
    types::{Key, LeaseId, Revision},
};

/// The prefix of markers unless an update sets another one.
pub(super) const DEFAULT_PREFIX: &str = "__update/";

/// The TTL of the lease of the markers. It is not renewed. After half of it, another lease is granted.
const TTL: Duration = Duration::from_secs(600);

/// A key that only one update at a time writes, under a lease that only this client uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) key: Key,
    pub(super) lease: LeaseId,
    pub(super) prefix: Key,
    /// The mod revision of the key as it is known, zero before the first use.
    pub(super) known: Revision,
    /// The number of attempts that used it.
    pub(super) uses: u64,
}

/// The markers of a client. There are as many as updates ran at the same time.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    state: Mutex<State>,
    /// Held during a grant, so that updates that start together share one.
    granting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    lease: Option<Granted>,
    free: Vec<Marker>,
    created: u64,
}

#[derive(Debug)]
struct Granted {
    id: LeaseId,
    fresh_until: Instant,
}

impl Markers {
    /// Returns a marker below `prefix`. Grants a lease if there is none, or if it is old.
    pub(super) async fn draw(
        &self,
        leases: &dyn LeaseService,
        prefix: &Key,
        options: CallOptions,
    ) -> Result<Marker, Error> {
        if let Some(marker) = self.state().draw(prefix) {
            return Ok(marker);
        }
        let _granting = self.granting.lock().await;
        if let Some(marker) = self.state().draw(prefix) {
            return Ok(marker);
        }
        // Measured from before the request: the server starts the TTL at some time after it.
        let sent = Instant::now();
        let granted = LeaseGrant::new(TTL).bind(leases).options(options).await?;
        let mut state = self.state();
        state.lease = Some(Granted { id: granted.id, fresh_until: sent + granted.ttl / 2 });
        // The keys of the previous lease are deleted when it expires.
        state.free.clear();
        Ok(state.create(granted.id, prefix))
    }

    /// Returns whether the lease of a marker is still used.
    pub(super) fn is_fresh(&self, marker: &Marker) -> bool {
        self.state().fresh() == Some(marker.lease)
    }

    /// Takes back a marker.
    pub(super) fn put_back(&self, marker: Marker) {
        let mut state = self.state();
        if state.fresh() == Some(marker.lease) {
            state.free.push(marker);
        }
    }

    /// Stops using a lease that etcd does not know.
    pub(super) fn forget(&self, lease: LeaseId) {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|granted| granted.id == lease) {
            state.lease = None;
            state.free.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fresh(&self) -> Option<LeaseId> {
        self.lease.as_ref().filter(|granted| Instant::now() < granted.fresh_until).map(|granted| granted.id)
    }

    fn draw(&mut self, prefix: &Key) -> Option<Marker> {
        let lease = self.fresh()?;
        let free = self.free.iter().position(|marker| marker.prefix == *prefix);
        Some(match free {
            Some(at) => self.free.swap_remove(at),
            None => self.create(lease, prefix),
        })
    }

    fn create(&mut self, lease: LeaseId, prefix: &Key) -> Marker {
        self.created += 1;
        Marker::new(prefix, lease, self.created)
    }
}

impl Marker {
    pub(super) fn new(prefix: &Key, lease: LeaseId, number: u64) -> Self {
        let mut key = prefix.as_bytes().to_vec();
        key.extend_from_slice(format!("{lease:x}/{number}").as_bytes());
        Self { key: key.into(), lease, prefix: prefix.clone(), known: Revision::ZERO, uses: 0 }
    }
}
