//! Deleting keys that nobody answers for any more: of futures that were dropped, and of acquisitions whose answer was lost.

use std::time::Duration;

use etcd_client_core::{Compare, Delete, Key, LeaseId, Outcome, Revision, Txn};
use tokio::{sync::mpsc, time::Instant};

use super::slots::Slot;
use crate::{Store, pause::Pauses};

/// How many keys a session may answer for at a time. Each is an entry of a queue that takes memory only when it is used.
pub(super) const PLACES: usize = 16_384;

/// After this time no request that was sent before is applied any more: a server gives a request up after 5 s and two election
/// timeouts, 7 s by default (`ReqTimeout` in server/config/config.go, etcd v3.7), and the network takes its time.
const LATE: Duration = Duration::from_millis(7_500);

/// Room for one cleanup.
pub(crate) type Ticket = mpsc::OwnedPermit<Cleanup>;

/// A key to delete.
#[derive(Debug)]
pub(crate) struct Cleanup {
    pub(crate) key: Key,
    pub(crate) lease: LeaseId,
    /// The revision that created it; `None` when it is not known whether it was created, and may still be.
    pub(crate) fence: Option<Revision>,
    /// Until when nobody else of this process may use the session's place.
    pub(crate) slot: Option<Slot>,
    /// Since when nobody waits for the request that created it.
    pub(crate) since: Instant,
}

impl Cleanup {
    /// Deletes the key, however long it takes.
    pub(super) async fn run(self, store: Store) {
        self.delete(&store).await;
        if self.fence.is_none() {
            // What was under way may have been applied after the deletion.
            tokio::time::sleep_until(self.since + LATE).await;
            self.delete(&store).await;
        }
        drop(self.slot);
    }

    async fn delete(&self, store: &Store) {
        let ours = match self.fence {
            Some(fence) => Compare::create_revision(&self.key).equal(fence),
            None => Compare::lease(&self.key).equal(self.lease),
        };
        let mut pauses = Pauses::OUTAGE;
        loop {
            let txn = Txn::new().when(ours.clone()).then(Delete::new(&self.key));
            match txn.bind(store.kv()).await {
                Ok(_) => return,
                // What is refused now will be refused again: the lease's end has to do it.
                Err(error) if error.outcome() == Outcome::NotApplied && !crate::pause::passes(&error) => {
                    return;
                }
                Err(_) => pauses.pause().await,
            }
        }
    }
}
