//! The kept leases of a client, shared between their handles and the renewal task.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::{sync::Notify, time::Instant};

use crate::{
    lease::{
        Clock, LeaseControl, LeaseKeeper, LeaseLostReason, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        Moment, WeakLeaseKeeper,
        kept::Shared as SharedLease,
        remote::{RemoteLease, renewals::Renewals},
    },
    request::CallOptions,
    types::LeaseId,
};

/// The queue from lease handles to the renewal task. Each lease has at most two entries in it: one when it is added
/// and one when it is removed.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) clock: Clock,
    pub(crate) changed: Notify,
    state: Mutex<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    running: bool,
    last: Serial,
    kept: HashMap<LeaseId, (Serial, WeakLeaseKeeper)>,
    changes: Vec<Change>,
}

/// Distinguishes a lease from an earlier one with the same id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Serial(u64);

/// A change to the set of kept leases.
#[derive(Debug)]
pub(crate) enum Change {
    Kept { serial: Serial, lease: Arc<SharedLease>, ttl: Duration, sent: Moment, history: u64 },
    Stopped { serial: Serial, id: LeaseId },
}

impl Default for Hub {
    fn default() -> Self {
        Self { clock: Clock::start(), changed: Notify::new(), state: Mutex::default() }
    }
}

impl Hub {
    /// Returns another handle of a lease that is already kept alive.
    pub(crate) fn known(&self, id: LeaseId) -> Option<LeaseKeeper> {
        // Evaluated after the lock is released: dropping the last handle takes the lock as well.
        let kept = self.state().kept.get(&id).and_then(|(_, kept)| kept.upgrade());
        kept.filter(|kept| !kept.is_lost())
    }

    /// Keeps a lease alive whose TTL counts from `sent_at`. Returns the existing handle if the lease is already kept.
    pub(crate) fn keep(
        self: &Arc<Self>,
        service: &RemoteLease,
        id: LeaseId,
        ttl: Duration,
        sent_at: Instant,
    ) -> LeaseKeeper {
        let sent = self.clock.at(sent_at);
        let history = service.caller.channel().history().number();
        let lease = SharedLease::new(id, self.clock, ttl, sent.saturating_add(ttl));
        // The guard is held from this check to the insert, so that two callers cannot both add the lease.
        let mut state = loop {
            let state = self.state();
            let Some(kept) = state.kept.get(&id).and_then(|(_, kept)| kept.upgrade()) else { break state };
            // Released first: dropping the last handle calls `stop`, which takes this lock.
            drop(state);
            if !kept.is_lost() {
                return kept;
            }
            // A lost lease makes room for the new one, even while handles of it exist.
            self.state().kept.remove(&id);
        };
        state.last.0 += 1;
        let serial = state.last;
        let control = Control { service: service.clone(), id, serial };
        let kept = LeaseKeeper::new(Arc::clone(&lease), Arc::new(control));
        state.kept.insert(id, (serial, kept.downgrade()));
        state.changes.push(Change::Kept { serial, lease, ttl, sent, history });
        // Set under the lock that queued the lease. `retire` clears it only while the queue is empty, so
        // exactly one task runs while there are leases.
        let runs = std::mem::replace(&mut state.running, true);
        drop(state);
        if !runs {
            // Spawned without the lock: if the runtime has shut down, the task is dropped at once, and its
            // `Drop` takes the lock.
            let renewals = Renewals::new(Arc::clone(self), service);
            service.caller.channel().pool().spawn(renewals.run());
        }
        self.changed.notify_one();
        kept
    }

    /// Marks a lease as lost because it may have been revoked, so that its handles are notified now and not by the
    /// next renewal.
    pub(crate) fn lose(&self, id: LeaseId) {
        let kept = self.state().kept.get(&id).and_then(|(serial, kept)| Some((*serial, kept.upgrade()?)));
        if let Some((serial, kept)) = kept {
            // The handle first: a renewal that is answered before the schedule stops cannot revive a lost
            // lease.
            kept.lose(LeaseLostReason::NotFound);
            self.stop(serial, id);
        }
    }

    /// Takes the changes since the last call.
    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.state().changes)
    }

    /// Stops the renewal task, which has no lease left. Returns `false` if a lease was added in the meantime.
    pub(crate) fn retire(&self) -> bool {
        let mut state = self.state();
        // Checked under the lock that `keep` holds when it queues a lease and reads `running`. Either this
        // sees the new lease, or `keep` sees that it has to start a task.
        let idle = state.changes.is_empty();
        state.running &= !idle;
        idle
    }

    /// Marks the leases that the renewal task never took as lost, because the task has ended early.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.running = false;
        let changes = std::mem::take(&mut state.changes);
        drop(state);
        for change in changes {
            if let Change::Kept { lease, .. } = change {
                lease.lose(LeaseLostReason::Closed, None);
            }
        }
    }

    fn stop(&self, serial: Serial, id: LeaseId) {
        let mut state = self.state();
        // A handle of an earlier lease with this id must not stop its successor.
        if state.kept.get(&id).is_some_and(|(kept, _)| *kept == serial) {
            state.kept.remove(&id);
            if state.running {
                state.changes.push(Change::Stopped { serial, id });
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, HubState> {
        // A panic cannot leave the state half-updated: every change to it is a single operation, so poisoning
        // is ignored.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handles' connection to the service. It keeps the client open, because the hub only holds a weak reference to a
/// handle.
#[derive(Debug)]
struct Control {
    service: RemoteLease,
    id: LeaseId,
    serial: Serial,
}

impl LeaseControl for Control {
    fn revoke(&self) -> BoxFuture<'static, Result<LeaseRevokeResponse, Error>> {
        let (service, id) = (self.service.clone(), self.id);
        Box::pin(async move { service.revoke(LeaseRevoke::new(id), CallOptions::default()).await })
    }

    fn stop(&self) {
        self.service.hub.stop(self.serial, self.id);
    }
}
