//! The task that heals a lease.

use std::sync::Arc;

use etcd_errors::{Error, ErrorKind};
use tokio::time::sleep;

use super::{HealingEvent, Shared};
use crate::{
    mechanism::backoff::Backoff,
    model::{Key, LeaseId, Value},
    op::{Compare, Get, LeaseGrant, Put, Txn},
    service::{KeptLease, LeaseLost, LeaseLostReason},
};

/// How often a key that changes under our hands is looked at again before it counts as somebody else's.
const MOST_LOOKS: u32 = 8;

/// Heals until there is nothing to heal any more.
pub(super) async fn run(shared: Arc<Shared>) {
    tokio::select! {
        biased;
        () = shared.ended.cancelled() => {
            let id = shared.book().kept.id();
            shared.tell(HealingEvent::Ended(LeaseLost::new(id, LeaseLostReason::Revoked)));
        }
        () = heal(&shared) => {}
    }
}

/// Waits until the lease is lost and heals it, again and again.
async fn heal(shared: &Shared) {
    loop {
        let kept = shared.book().kept.clone();
        let lost = kept.lost().await;
        if is_final(&lost) {
            shared.tell(HealingEvent::Ended(lost));
            return;
        }
        let old = kept.id();
        drop(kept);
        shared.tell(HealingEvent::Lost(lost));
        let Some(kept) = shared.grant().await else { return };
        shared.book().kept = kept.clone();
        tokio::select! {
            // Back to the beginning: the next lease gets the keys.
            _ = kept.lost() => {}
            () = shared.put_all(old, kept.id()) => shared.tell(HealingEvent::Healed { lease: kept.id() }),
        }
    }
}

fn is_final(lost: &LeaseLost) -> bool {
    use LeaseLostReason::{Closed, Released, Revoked};
    matches!(lost.reason(), Closed | Released | Revoked)
}

/// Whether an error stays: no service answers a closed client.
fn is_over(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed | ErrorKind::NoRuntime)
}

impl Shared {
    fn tell(&self, event: HealingEvent) {
        // An error means that nobody listens.
        let _ = self.events.send(event);
    }

    /// Another lease; `None` when there can be none any more.
    async fn grant(&self) -> Option<KeptLease> {
        let mut failures = 0;
        loop {
            match LeaseGrant::new(self.ttl).bind(&*self.lease).keep_alive().await {
                Ok(kept) => return Some(kept),
                Err(error) if is_over(&error) => {
                    let lost = LeaseLost::new(self.book().kept.id(), LeaseLostReason::Closed);
                    self.tell(HealingEvent::Ended(lost.with_error(error)));
                    return None;
                }
                Err(error) => self.wait_after(error, &mut failures).await,
            }
        }
    }

    async fn wait_after(&self, error: Error, failures: &mut u32) {
        self.tell(HealingEvent::Failed(error));
        *failures += 1;
        sleep(Backoff::RECONNECT.wait_at_least_half(*failures, fastrand::u64(..))).await;
    }

    async fn put_all(&self, old: LeaseId, new: LeaseId) {
        let attached: Vec<(Key, Value)> =
            self.book().attached.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        for (key, value) in attached {
            let mut failures = 0;
            loop {
                match self.put_again(&key, &value, old, new).await {
                    Ok(true) => break,
                    Ok(false) => {
                        self.book().attached.remove(&key);
                        self.tell(HealingEvent::Taken { key });
                        break;
                    }
                    Err(error) => self.wait_after(error, &mut failures).await,
                }
            }
        }
    }

    /// Puts a key that is missing or of the old lease; `false` where it is somebody else's.
    async fn put_again(&self, key: &Key, value: &Value, old: LeaseId, new: LeaseId) -> Result<bool, Error> {
        for _ in 0..MOST_LOOKS {
            let found = Get::new(key.clone()).bind(&*self.kv).await?.kvs.pop();
            let unchanged = match found {
                None => Compare::missing(key.clone()),
                // Put by an attempt whose answer was lost, or attached anew meanwhile.
                Some(found) if found.lease == Some(new) => return Ok(true),
                Some(found) if found.lease == Some(old) => {
                    Compare::mod_revision(key.clone()).equal(found.mod_revision)
                }
                Some(_) => return Ok(false),
            };
            let put = Put::new(key.clone(), value.clone()).lease(new);
            if Txn::new().when(unchanged).then(put).bind(&*self.kv).await?.succeeded() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
