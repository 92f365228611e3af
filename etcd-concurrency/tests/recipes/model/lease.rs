//! The leases of the model: renewed by a task that stands for the client, ended by the model's own clock.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use etcd_client_core::{
    CallOptions, Code, Error, ErrorKind, LeaseId,
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseLostReason, LeaseRevoke, LeaseRevokeResponse,
        LeaseService, LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    request::RetryPolicy,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::Model;

#[derive(Debug, Default)]
pub(super) struct LeaseClient {
    live: BTreeMap<LeaseId, Held>,
    granted: i64,
    /// Grants that the client may retry, each of which may be applied again.
    copies: Vec<(LeaseId, Duration)>,
}

#[derive(Debug)]
struct Held {
    until: Instant,
    frozen: bool,
    /// The lease is renewed, but no renewal is answered.
    unanswered: bool,
}

impl Model {
    /// Grants a lease and keeps it alive.
    pub(crate) fn keep(&self, ttl: Duration) -> LeaseKeeper {
        let id = self.next_id();
        self.grant_copy(id, ttl);
        self.keep_again(id, ttl)
    }

    fn next_id(&self) -> LeaseId {
        let granted = &mut self.inner().leases.granted;
        *granted += 1;
        LeaseId::new(0x1000 + *granted).expect("not zero")
    }

    /// Applies a grant. A grant of an existing lease counts as a new one.
    fn grant_copy(&self, id: LeaseId, ttl: Duration) {
        let mut inner = self.inner();
        if !inner.leases.live.contains_key(&id) {
            inner.mvcc.leases.push(id);
            inner
                .leases
                .live
                .insert(id, Held { until: Instant::now() + ttl, frozen: false, unanswered: false });
            tokio::spawn(self.clone().expire_in_time(id));
        }
    }

    /// Applies a copy of a grant again, if the client may have retried it.
    pub(super) fn replay_grant(&self, rng: &mut fastrand::Rng) {
        let copy = rng.choice(&self.inner().leases.copies).copied();
        if let Some((id, ttl)) = copy {
            self.grant_copy(id, ttl);
        }
    }

    /// Returns the leases that are alive.
    pub(crate) fn live_leases(&self) -> usize {
        self.inner().leases.live.len()
    }

    /// Keeps a lease alive that was granted before.
    pub(crate) fn keep_again(&self, id: LeaseId, ttl: Duration) -> LeaseKeeper {
        let (mut sender, kept) = LeaseKeeper::channel(id, ttl);
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
        kept
    }

    /// Renews a lease. Returns `None` if it is gone.
    fn renew(&self, id: LeaseId, ttl: Duration) -> Option<bool> {
        let mut inner = self.inner();
        let held = inner.leases.live.get_mut(&id)?;
        if !held.frozen {
            held.until = Instant::now() + ttl;
        }
        Some(!held.frozen && !held.unanswered)
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

    /// Stops the renewals: the client is frozen, or disconnected.
    pub(crate) fn freeze(&self, id: LeaseId) {
        self.inner().leases.live.get_mut(&id).expect("a lease").frozen = true;
    }

    /// Loses the responses to the renewals: the lease is alive, but the client cannot know.
    pub(crate) fn lose_renewals(&self, id: LeaseId) {
        self.inner().leases.live.get_mut(&id).expect("a lease").unanswered = true;
    }

    /// Ends a lease and deletes its keys.
    pub(crate) fn revoke(&self, id: LeaseId) {
        self.inner().leases.live.remove(&id);
        self.change(|mvcc| mvcc.expire(id));
    }
}

/// Grants and revocations are subject to the faults of writes. The client chooses ids, as the real one does.
#[async_trait]
impl LeaseService for Model {
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        let (id, ttl) = (self.next_id(), op.ttl);
        let retries = options.retry != RetryPolicy::Never;
        if retries {
            self.inner().leases.copies.push((id, ttl));
        }
        self.write(retries, move |model| {
            model.grant_copy(id, ttl);
            Ok(LeaseGrantResponse::new(model.inner().mvcc.header(), id, ttl))
        })
        .await
    }

    async fn revoke(&self, op: LeaseRevoke, _options: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        let id = op.id;
        self.write(true, move |model| {
            if !model.inner().leases.live.contains_key(&id) {
                return Err(Code::LeaseNotFound.into());
            }
            model.admits(false)?;
            Self::revoke(model, id);
            Ok(LeaseRevokeResponse::new(model.inner().mvcc.header()))
        })
        .await
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, _options: CallOptions) -> Result<LeaseKeeper, Error> {
        let granted = op.granted.expect("only new leases are kept");
        Ok(self.keep_again(op.id, granted.ttl))
    }

    async fn time_to_live(
        &self,
        _op: LeaseTimeToLive,
        _options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        Err(unsupported())
    }

    async fn list(&self, _op: LeaseList, _options: CallOptions) -> Result<LeaseListResponse, Error> {
        Err(unsupported())
    }

    async fn keep_alive_once(
        &self,
        _op: LeaseKeepAliveOnce,
        _options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        Err(unsupported())
    }
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "the model has no such operation")
}
