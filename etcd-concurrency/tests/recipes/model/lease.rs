//! The leases of the model: renewed by a task that stands for the client, ended by the model's own clock.

use std::{collections::BTreeMap, time::Duration};

use etcd_client_core::{KeptLease, LeaseId, LeaseLostReason};
use tokio::time::{Instant, sleep, sleep_until};

use super::Model;

#[derive(Debug, Default)]
pub(super) struct Leases {
    live: BTreeMap<LeaseId, Held>,
    granted: i64,
}

#[derive(Debug)]
struct Held {
    until: Instant,
    frozen: bool,
}

impl Model {
    /// Grants a lease and keeps it alive.
    pub(crate) fn keep(&self, ttl: Duration) -> KeptLease {
        let id = {
            let mut inner = self.inner();
            inner.leases.granted += 1;
            let id = LeaseId::new(0x1000 + inner.leases.granted).expect("not zero");
            inner.mvcc.leases.push(id);
            inner.leases.live.insert(id, Held { until: Instant::now() + ttl, frozen: false });
            id
        };
        self.keep_again(id, ttl)
    }

    /// Keeps a lease alive that was granted before.
    pub(crate) fn keep_again(&self, id: LeaseId, ttl: Duration) -> KeptLease {
        let (mut sender, kept) = KeptLease::channel(id, ttl);
        let model = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = sender.stopped() => return,
                    () = sleep(ttl / 3) => match model.renew(id, ttl) {
                        Some(true) => { sender.renewed(ttl); }
                        Some(false) => {}
                        None => return sender.lose(LeaseLostReason::NotFound, None),
                    },
                }
            }
        });
        tokio::spawn(self.clone().expire_in_time(id));
        kept
    }

    /// Whether it was renewed; `None` when it is gone.
    fn renew(&self, id: LeaseId, ttl: Duration) -> Option<bool> {
        let mut inner = self.inner();
        let held = inner.leases.live.get_mut(&id)?;
        if !held.frozen {
            held.until = Instant::now() + ttl;
        }
        Some(!held.frozen)
    }

    async fn expire_in_time(self, id: LeaseId) {
        loop {
            let Some(until) = self.inner().leases.live.get(&id).map(|held| held.until) else { return };
            if until <= Instant::now() {
                return self.revoke(id);
            }
            sleep_until(until).await;
        }
    }

    /// Stops the renewals: the client is frozen, or cut off.
    pub(crate) fn freeze(&self, id: LeaseId) {
        self.inner().leases.live.get_mut(&id).expect("a lease").frozen = true;
    }

    /// Ends a lease and deletes its keys.
    pub(crate) fn revoke(&self, id: LeaseId) {
        self.inner().leases.live.remove(&id);
        self.change(|mvcc| mvcc.expire(id));
    }
}
