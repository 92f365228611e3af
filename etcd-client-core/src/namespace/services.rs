//! The services in a namespace: KV, lease, watch, lock and election.
//!
//! Operations are validated before the prefix is added, so that an empty key is rejected instead of becoming the prefix.

use async_trait::async_trait;
use etcd_errors::{Error, Outcome};
use futures_util::stream::StreamExt as _;

use crate::{
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse, ElectionService,
        LeaderStream,
    },
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeStream,
    },
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    lock::{LockService, ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse},
    namespace::Namespace,
    request::{CallOptions, Limits},
    txn::{Txn, TxnResponse},
    watch::{Watch, WatchService, WatchStream},
};

/// No limits. The wrapped service checks sizes, because it knows the limits and sees the complete keys.
const NO_LIMITS: Limits = Limits {
    max_txn_ops: usize::MAX,
    max_request_bytes: usize::MAX,
    max_send_bytes: usize::MAX,
    max_receive_bytes: usize::MAX,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: KvService> KvService for Namespace<S> {
    async fn get(&self, mut op: Get, options: CallOptions) -> Result<GetResponse, Error> {
        named("get", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_get(&mut op);
        let response = self.inner.get(op, options).await?;
        named("get", self.prefix.strip_get(response, Outcome::NotApplied))
    }

    async fn put(&self, mut op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        named("put", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_put(&mut op);
        let response = self.inner.put(op, options).await?;
        named("put", self.prefix.strip_put(response))
    }

    async fn delete(&self, mut op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        named("delete", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_delete(&mut op);
        let response = self.inner.delete(op, options).await?;
        named("delete", self.prefix.strip_delete(response))
    }

    async fn txn(&self, mut op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        named("txn", op.validate(&NO_LIMITS))?;
        let outcome = if op.is_read_only() { Outcome::NotApplied } else { Outcome::Unknown };
        self.prefix.add_to_txn(&mut op);
        let response = self.inner.txn(op, options).await?;
        named("txn", self.prefix.strip_txn(response, outcome))
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        self.inner.compact(op, options).await
    }

    async fn range_stream(&self, mut op: Get, options: CallOptions) -> Result<RangeStream, Error> {
        named("get", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_get(&mut op);
        let chunks = self.inner.range_stream(op, options).await?;
        let unread = Some((chunks, self.prefix.clone()));
        Ok(RangeStream::from_state(unread, |unread| async {
            let (mut chunks, prefix) = unread?;
            let stripped = chunks.next().await?.and_then(|mut chunk| {
                named("get", prefix.strip_kvs(&mut chunk.kvs, Outcome::NotApplied))?;
                Ok(chunk)
            });
            let rest = stripped.is_ok().then_some((chunks, prefix));
            Some((stripped, rest))
        }))
    }
}

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: LeaseService> LeaseService for Namespace<S> {
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        self.inner.grant(op, options).await
    }

    async fn revoke(&self, op: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        self.inner.revoke(op, options).await
    }

    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        let mut response = self.inner.time_to_live(op, options).await?;
        response.keys = response.keys.iter().filter_map(|key| self.prefix.strip(key)).collect();
        Ok(response)
    }

    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error> {
        self.inner.list(op, options).await
    }

    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        self.inner.keep_alive_once(op, options).await
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<LeaseKeeper, Error> {
        self.inner.keep_alive(op, options).await
    }
}

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: WatchService> WatchService for Namespace<S> {
    async fn watch(&self, mut op: Watch, options: CallOptions) -> Result<WatchStream, Error> {
        op.validate().map_err(|error| error.with_operation("watch"))?;
        self.prefix.add_to_watch(&mut op);
        let watch = self.inner.watch(op, options).await?;
        let prefix = self.prefix.clone();
        Ok(watch.map_events(move |mut event| {
            prefix.strip_event(&mut event).map_err(|error| error.with_operation("watch"))?;
            Ok(Some(event))
        }))
    }
}

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: LockService> LockService for Namespace<S> {
    async fn lock(&self, mut op: ServerLock, options: CallOptions) -> Result<ServerLockResponse, Error> {
        self.prefix.add_to(&mut op.name);
        let mut response = self.inner.lock(op, options).await?;
        let stripped = self.prefix.strip_from(&mut response.key, Outcome::Unknown);
        stripped.map_err(|error| error.with_operation("lock"))?;
        Ok(response)
    }

    async fn unlock(
        &self,
        mut op: ServerUnlock,
        options: CallOptions,
    ) -> Result<ServerUnlockResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("unlock"))?;
        self.prefix.add_to(&mut op.key);
        self.inner.unlock(op, options).await
    }
}

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: ElectionService> ElectionService for Namespace<S> {
    async fn campaign(
        &self,
        mut op: ElectionCampaign,
        options: CallOptions,
    ) -> Result<ElectionCampaignResponse, Error> {
        self.prefix.add_to(&mut op.name);
        let mut response = self.inner.campaign(op, options).await?;
        let stripped = self.prefix.strip_from_leader(&mut response.leader);
        stripped.map_err(|error| error.with_operation("campaign"))?;
        Ok(response)
    }

    async fn proclaim(
        &self,
        mut op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("proclaim"))?;
        self.prefix.add_to_leader(&mut op.leader);
        self.inner.proclaim(op, options).await
    }

    async fn leader(
        &self,
        mut op: ElectionLeader,
        options: CallOptions,
    ) -> Result<ElectionLeaderResponse, Error> {
        self.prefix.add_to(&mut op.name);
        self.prefix.strip_leader(self.inner.leader(op, options).await?, "leader")
    }

    async fn observe(&self, mut op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error> {
        self.prefix.add_to(&mut op.name);
        let leaders = self.inner.observe(op, options).await?;
        let prefix = self.prefix.clone();
        // The stream ends after an error: an item after it would follow a gap.
        let stripped = leaders.scan(false, move |ended, leader| {
            let leader = leader.and_then(|leader| prefix.strip_leader(leader, "observe"));
            let shown = (!*ended).then_some(leader);
            *ended |= shown.as_ref().is_some_and(Result::is_err);
            std::future::ready(shown)
        });
        Ok(LeaderStream::new(stripped))
    }

    async fn resign(
        &self,
        mut op: ElectionResign,
        options: CallOptions,
    ) -> Result<ElectionResignResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("resign"))?;
        self.prefix.add_to_leader(&mut op.leader);
        self.inner.resign(op, options).await
    }
}

fn named<T>(operation: &'static str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(operation))
}
