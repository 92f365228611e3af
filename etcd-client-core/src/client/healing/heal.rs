//! The background task of a self-healing lease.

use std::sync::Arc;

use etcd_errors::{Error, ErrorKind};
use tokio::time::sleep;

use crate::{
    client::{HealingEvent, healing::Shared},
    kv::{Get, Put},
    lease::{LeaseGrant, LeaseKeeper, LeaseLost, LeaseLostReason},
    transport::backoff::Backoff,
    txn::{Compare, Txn},
    types::{Key, LeaseId, Value},
};

/// The number of times a key that changes between the read and the transaction is read again. After that it is treated as
/// another client's key.
const MOST_LOOKS: u32 = 8;

/// Heals the lease until it is revoked or the client is closed.
pub(crate) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    // Created here, because a task that is dropped before its first poll runs no code.
    let over = Over(shared);
    async move {
        let Over(shared) = &over;
        tokio::select! {
            biased;
            () = shared.ended.cancelled() => {
                let id = shared.book().kept.id();
                shared.report(HealingEvent::Ended(LeaseLost::new(id, LeaseLostReason::Revoked)));
            }
            () = heal(shared) => {}
        }
    }
}

/// Marks the healing as ended when its task ends, also by a panic in a service of the user or with its runtime.
struct Over(Arc<Shared>);

impl Drop for Over {
    fn drop(&mut self) {
        // In this order: a reader that sees the end of the events finds that `attach` fails.
        self.0.ended.cancel();
        self.0.events.end();
    }
}

/// Waits until the lease is lost and re-creates it, in a loop.
async fn heal(shared: &Shared) {
    loop {
        let kept = shared.book().kept.clone();
        let lost = kept.lost().await;
        if is_final(&lost) {
            shared.report(HealingEvent::Ended(lost));
            return;
        }
        let old = kept.id();
        drop(kept);
        shared.report(HealingEvent::Lost(lost));
        let Some(kept) = shared.grant().await else { return };
        shared.book().replace(old, kept.clone());
        tokio::select! {
            // The new lease was lost as well: the keys are put with the one after it.
            _ = kept.lost() => {}
            () = shared.put_all(kept.id()) => shared.report(HealingEvent::Healed { lease: kept.id() }),
        }
    }
}

/// Returns `true` if no other lease is granted after this loss.
pub(crate) fn is_final(lost: &LeaseLost) -> bool {
    use LeaseLostReason::{Closed, Released, Revoked};
    matches!(lost.reason(), Closed | Released | Revoked)
}

/// Returns whether an error is permanent: the client is closed or its runtime has ended.
fn is_over(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed | ErrorKind::NoRuntime)
}

impl Shared {
    pub(crate) fn report(&self, event: HealingEvent) {
        self.events.send(event);
    }

    /// Grants another lease, with retries. Returns `None` once the client is closed.
    async fn grant(&self) -> Option<LeaseKeeper> {
        let mut failures = 0;
        loop {
            match LeaseGrant::new(self.ttl).bind(&*self.lease).keep_alive().await {
                Ok(kept) => return Some(kept),
                Err(error) if is_over(&error) => {
                    let lost = LeaseLost::new(self.book().kept.id(), LeaseLostReason::Closed);
                    self.report(HealingEvent::Ended(lost.with_error(error)));
                    return None;
                }
                Err(error) => self.wait_after(error, &mut failures).await,
            }
        }
    }

    async fn wait_after(&self, error: Error, failures: &mut u32) {
        self.report(HealingEvent::Failed(error));
        *failures += 1;
        sleep(Backoff::RECONNECT.wait_at_least_half(*failures, fastrand::u64(..))).await;
    }

    /// Puts every attached key with the lease `new`, until each of them is put or belongs to another client.
    ///
    /// Keys are retried in rounds, so that a key whose put always fails does not block the others.
    async fn put_all(&self, new: LeaseId) {
        let mut left: Vec<Key> = self.book().attached.keys().cloned().collect();
        let mut failures = 0;
        loop {
            left = self.put_round(left, new).await;
            if left.is_empty() {
                return;
            }
            failures += 1;
            sleep(Backoff::RECONNECT.wait_at_least_half(failures, fastrand::u64(..))).await;
        }
    }

    /// Tries to put each key once and returns the keys whose put failed.
    async fn put_round(&self, keys: Vec<Key>, new: LeaseId) -> Vec<Key> {
        let mut failed = Vec::new();
        let mut keys = keys.into_iter();
        while let Some(key) = keys.next() {
            // Read the value now: the key may have been detached, or attached with another value, since the lease was lost.
            let Some(value) = self.book().attached.get(&key).cloned() else { continue };
            match self.put_again(&key, &value, new).await {
                Ok(true) => {}
                Ok(false) => {
                    self.book().attached.remove(&key);
                    self.report(HealingEvent::Taken { key });
                }
                Err(error) => {
                    let unreachable = matches!(
                        error.kind(),
                        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Closed
                    );
                    self.report(HealingEvent::AttachFailed { key: key.clone(), error });
                    failed.push(key);
                    if unreachable {
                        // No member responds: each further key would wait for its whole deadline.
                        failed.extend(keys);
                        return failed;
                    }
                }
            }
        }
        failed
    }

    /// Puts a key that is missing or still belongs to an earlier lease of this handle. Returns `false` if another client has put it.
    ///
    /// The transaction compares the key with what was read, so that a put by another client in between is never overwritten.
    async fn put_again(&self, key: &Key, value: &Value, new: LeaseId) -> Result<bool, Error> {
        for _ in 0..MOST_LOOKS {
            let found = Get::new(key.clone()).bind(&*self.kv).await?.kvs.pop();
            let unchanged = match found {
                None => Compare::missing(key.clone()),
                // Put by an attempt whose response was lost, or by `attach` in the meantime.
                Some(found) if found.lease == Some(new) => return Ok(true),
                Some(found) if found.lease.is_some_and(|lease| self.book().earlier.contains(&lease)) => {
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
