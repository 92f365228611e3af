//! Updates on services whose answers are scripted, on virtual time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind, Outcome};
use tokio::time::Instant;

use super::store::Store;
use crate::{
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse},
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    request::{CallOptions, RetryPolicy},
    txn::{Txn, TxnResponse},
    types::{KeyValue, LeaseId},
    update::{marker::Markers, run::Services},
};

/// The handling of one transaction.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It is applied, and its response is lost.
    Applied,
    /// It is not applied, and its response is lost.
    Dropped,
    /// Another client writes the key first.
    Overtaken,
    /// It is never answered.
    Hangs,
}

#[derive(Debug, Default)]
struct Fake {
    store: Mutex<Store>,
    fates: Mutex<VecDeque<Fate>>,
    sent: Mutex<Vec<Txn>>,
    grants: Mutex<i64>,
    markers: Markers,
}

impl Fake {
    fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self { fates: Mutex::new(fates.into_iter().collect()), ..Self::default() }
    }

    fn services(&self) -> Services<'_> {
        Services { kv: self, leases: self, markers: &self.markers }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("no panic")
    }

    fn value(&self, key: &str) -> Option<String> {
        self.store().find(key.as_bytes()).map(|kv| kv.value_str().expect("text").to_owned())
    }

    fn sent(&self) -> usize {
        self.sent.lock().expect("no panic").len()
    }
}

fn unused<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Unsupported, "a fake"))
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "lost").with_outcome(Outcome::Unknown)
}

#[async_trait]
impl KvService for Fake {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        Ok(self.store().get(&op))
    }

    async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> {
        unused()
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        unused()
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        assert_eq!(options.retry, RetryPolicy::AssumeIdempotent, "a marker makes it safe to retry");
        self.sent.lock().expect("no panic").push(op.clone());
        let fate = self.fates.lock().expect("no panic").pop_front();
        match fate {
            Some(Fate::Dropped) => return Err(lost()),
            Some(Fate::Hangs) => std::future::pending().await,
            Some(Fate::Overtaken) => self.store().put("k", "other"),
            _ => {}
        }
        let response = self.store().txn(&op);
        if let Some(Fate::Applied) = fate { Err(lost()) } else { response }
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        unused()
    }
}

#[async_trait]
impl LeaseService for Fake {
    async fn grant(&self, op: LeaseGrant, _: CallOptions) -> Result<LeaseGrantResponse, Error> {
        // Several updates wait for one grant.
        tokio::task::yield_now().await;
        let mut grants = self.grants.lock().expect("no panic");
        *grants += 1;
        let lease = LeaseId::new(*grants).expect("not zero");
        self.store().grant(lease);
        Ok(LeaseGrantResponse::new(self.store().header(), lease, op.ttl))
    }

    async fn revoke(&self, _: LeaseRevoke, _: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        unused()
    }

    async fn time_to_live(
        &self,
        _: LeaseTimeToLive,
        _: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        unused()
    }

    async fn list(&self, _: LeaseList, _: CallOptions) -> Result<LeaseListResponse, Error> {
        unused()
    }

    async fn keep_alive_once(
        &self,
        _: LeaseKeepAliveOnce,
        _: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        unused()
    }

    async fn keep_alive(&self, _: LeaseKeepAlive, _: CallOptions) -> Result<LeaseKeeper, Error> {
        unused()
    }
}

fn increment(current: Option<&KeyValue>) -> String {
    let count: u64 = current.map_or(0, |kv| kv.value_str().expect("text").parse().expect("a number"));
    (count + 1).to_string()
}

#[tokio::test(start_paused = true)]
async fn counter_is_exact_under_every_order_of_lost_responses() {
    for fates in [
        vec![Fate::Applied],
        vec![Fate::Dropped],
        vec![Fate::Applied, Fate::Dropped],
        vec![Fate::Applied, Fate::Applied],
        vec![Fate::Dropped, Fate::Dropped],
        vec![Fate::Dropped, Fate::Applied],
        vec![Fate::Dropped, Fate::Applied, Fate::Applied, Fate::Dropped, Fate::Dropped],
    ] {
        let fake = Fake::new(fates.clone());
        for count in 1..=3 {
            let updated = fake.services().update("k".into(), increment).await.expect("determined");
            assert_eq!(updated.current.expect("put").value, count.to_string(), "{fates:?}");
            assert_eq!(fake.value("k"), Some(count.to_string()), "{fates:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn healthy_updates_share_one_marker_and_one_lease() {
    let fake = Fake::default();
    for _ in 0..100 {
        fake.services().update("k".into(), increment).await.expect("updated");
    }
    assert_eq!((fake.sent(), *fake.grants.lock().expect("no panic")), (100, 1));
    assert_eq!(fake.store().keys(), ["__update/1/1", "k"]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_updates_share_one_grant() {
    let fake = Fake::default();
    let updates = (0..8).map(|n| fake.services().create(format!("k{n}").into(), "v".into()).into_future());
    for created in futures_util::future::join_all(updates).await {
        assert!(created.expect("created").changed);
    }
    assert_eq!(*fake.grants.lock().expect("no panic"), 1);
}

#[tokio::test(start_paused = true)]
async fn old_lease_is_replaced_before_it_can_expire() {
    let fake = Fake::default();
    fake.services().swap("k".into(), "a".into()).await.expect("swapped");
    tokio::time::advance(Duration::from_secs(299)).await;
    fake.services().swap("k".into(), "b".into()).await.expect("swapped");
    assert_eq!(*fake.grants.lock().expect("no panic"), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    fake.services().swap("k".into(), "c".into()).await.expect("swapped");
    assert_eq!(*fake.grants.lock().expect("no panic"), 2);
}

#[tokio::test(start_paused = true)]
async fn revoked_lease_is_replaced() {
    let fake = Fake::default();
    fake.services().swap("k".into(), "a".into()).await.expect("swapped");
    fake.store().expire(LeaseId::new(1).expect("not zero"));
    let swapped = fake.services().swap("k".into(), "b".into()).await.expect("swapped");
    assert_eq!(swapped.previous.expect("existed").value, "a");
    let keys = fake.store().keys();
    assert!(keys.len() == 2 && keys[0].starts_with("__update/2/"), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn create_sends_one_request_and_never_overwrites() {
    let fake = Fake::default();
    assert!(fake.services().create("k".into(), "mine".into()).await.expect("created").changed);
    assert_eq!(fake.sent(), 1);
    let found = fake.services().create("k".into(), "again".into()).await.expect("found");
    assert!(!found.changed);
    assert_eq!(found.current.expect("exists").value, "mine");

    let fake = Fake::new([Fate::Overtaken]);
    assert!(!fake.services().create("k".into(), "mine".into()).await.expect("found").changed);
    assert_eq!(fake.value("k"), Some("other".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn delete_if_deletes_only_what_the_condition_saw() {
    let fake = Fake::new([Fate::Overtaken]);
    fake.store().put("k", "mine");
    let kept = fake.services().delete_if("k".into(), |kv| kv.value == "mine").await.expect("decided");
    assert!(!kept.changed);
    assert_eq!(fake.value("k"), Some("other".to_owned()));
    let deleted = fake.services().delete_if("k".into(), |kv| kv.value == "other").await.expect("decided");
    assert!(deleted.changed && deleted.current.is_none());
    assert_eq!(fake.value("k"), None);
}

#[tokio::test(start_paused = true)]
async fn lost_deletion_is_determined() {
    for fate in [Fate::Applied, Fate::Dropped] {
        let fake = Fake::new([fate]);
        fake.store().put("k", "mine");
        let deleted = fake.services().delete_if("k".into(), |_| true).await.expect("determined");
        assert!(deleted.changed, "{fate:?}");
        assert_eq!(fake.value("k"), None, "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn marker_of_a_dropped_update_is_used_again() {
    let fake = Arc::new(Fake::new([Fate::Hangs]));
    let hanging = fake.services().swap("k".into(), "a".into()).into_future();
    tokio::time::timeout(Duration::from_secs(1), hanging).await.expect_err("no answer");
    // The request of the dropped update is applied late.
    let late = fake.sent.lock().expect("no panic")[0].clone();
    fake.store().txn(&late).expect("applied");
    let swapped = fake.services().swap("k".into(), "b".into()).await.expect("swapped");
    assert_eq!(swapped.previous.expect("the late copy").value, "a");
    assert_eq!(fake.store().keys(), ["__update/1/1", "k"]);
    fake.store().txn(&late).expect("answered");
    assert_eq!(fake.value("k"), Some("b".to_owned()), "a second copy is not applied");
}

#[tokio::test(start_paused = true)]
async fn outage_ends_after_both_timeouts_with_an_unknown_outcome() {
    let fake = Fake::new([Fate::Dropped; 10_000]);
    let started = Instant::now();
    let (timeout, resolve) = (Duration::from_secs(3), Duration::from_secs(4));
    let swap = fake.services().swap("k".into(), "a".into()).timeout(timeout).resolve_timeout(resolve);
    let error = swap.await.expect_err("nothing answers");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(fake.sent() < 40, "{} requests in 7 s", fake.sent());
}

#[tokio::test(start_paused = true)]
async fn invalid_settings_are_rejected() {
    let fake = Fake::default();
    let swap = || fake.services().swap("k".into(), "a".into());
    for (update, field) in [
        (swap().max_attempts(0), "max_attempts"),
        (swap().timeout(Duration::ZERO), "timeout"),
        (swap().marker_prefix(""), "marker_prefix"),
    ] {
        assert_eq!(update.await.expect_err(field).field(), Some(field));
    }
    assert_eq!(fake.sent(), 0);
}
