//! Tests of self-healing leases on in-memory services, with concurrent changes by other clients.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use etcd_errors::{Code, Error, ErrorKind, Outcome};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{sleep, timeout};

use crate::{
    client::{HealingEvent, HealingLease, HealingLeaseBuilder},
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse},
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseKeeperSender, LeaseList, LeaseListResponse, LeaseLostReason, LeaseRevoke,
        LeaseRevokeResponse, LeaseService, LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    request::CallOptions,
    txn::{CompareOperand, Op, Txn, TxnResponse},
    types::{Key, KeyValue, LeaseId, ResponseHeader, Revision},
};

const TTL: Duration = Duration::from_secs(3600);

/// A store and its leases. `rejected` fails the puts of a key. `rival` is a put by another client between a get and the transaction
/// after it.
#[derive(Debug, Default)]
struct Fake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    revision: i64,
    kvs: HashMap<Vec<u8>, KeyValue>,
    leases: Vec<(LeaseId, Option<LeaseKeeperSender>)>,
    rejected: HashMap<Vec<u8>, Error>,
    rival: Option<(&'static str, &'static str, Option<LeaseId>)>,
    /// The current lease is lost when an unconditional put writes this key.
    lost_by_put: Option<&'static str>,
    /// A keeper that is revoked when an unconditional put writes this key.
    revoked_by_put: Option<(LeaseKeeper, &'static str)>,
    /// Makes grants fail as those of a closed client.
    closed: bool,
}

impl State {
    fn put(&mut self, key: &[u8], value: &[u8], lease: Option<LeaseId>) {
        self.revision += 1;
        let created = self.kvs.get(key).map_or(self.revision, |kv| kv.create_revision.get());
        let mut kv = KeyValue::new(key.to_vec(), value.to_vec()).with_revisions(created, self.revision);
        kv.lease = lease;
        self.kvs.insert(key.to_vec(), kv);
    }

    fn holds(&self, operand: &CompareOperand, key: &[u8]) -> bool {
        match operand {
            CompareOperand::Version(version) => {
                assert_eq!(version.get(), 0, "only whether it is missing");
                !self.kvs.contains_key(key)
            }
            CompareOperand::ModRevision(revision) => {
                self.kvs.get(key).is_some_and(|kv| kv.mod_revision == *revision)
            }
            other => panic!("{other:?}"),
        }
    }

    fn header(&self) -> ResponseHeader {
        ResponseHeader { revision: Revision::new(self.revision), ..ResponseHeader::default() }
    }
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    fn found(&self, key: &str) -> (String, Option<LeaseId>) {
        let kv = self.state().kvs[key.as_bytes()].clone();
        (kv.value_str().expect("text").to_owned(), kv.lease)
    }

    /// Loses the current lease. Its keys are kept, as if the server noticed the expiry later.
    fn lose(&self) {
        let sender = self.state().leases.last_mut().and_then(|(_, sender)| sender.take());
        sender.expect("a lease").lose(LeaseLostReason::Expired, None);
    }

    fn reject(&self, key: &str, error: Option<Error>) {
        let mut state = self.state();
        match error {
            Some(error) => state.rejected.insert(key.into(), error),
            None => state.rejected.remove(key.as_bytes()),
        };
    }

    async fn start(self: &Arc<Self>, keys: &[(&str, &str)]) -> HealingLease {
        let fake = Arc::clone(self);
        let builder = HealingLeaseBuilder::new(Arc::clone(self) as Arc<dyn LeaseService>, fake, TTL);
        let builder = keys.iter().fold(builder, |builder, (key, value)| builder.attach(*key, *value));
        builder.await.expect("granted")
    }
}

fn denied() -> Error {
    Error::from(Code::PermissionDenied)
}

fn unused<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Unsupported, "a fake"))
}

#[async_trait]
impl KvService for Fake {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        let state = self.state();
        let kvs: Vec<_> = state.kvs.get(op.range.key().as_bytes()).cloned().into_iter().collect();
        Ok(GetResponse::new(state.header(), kvs))
    }

    async fn put(&self, op: Put, _: CallOptions) -> Result<PutResponse, Error> {
        let put = op;
        let revoked = self.state().revoked_by_put.take_if(|(_, key)| key.as_bytes() == put.key.as_bytes());
        if let Some((kept, _)) = revoked {
            drop(kept.revoke());
        }
        if let Some(error) = self.state().rejected.get(put.key.as_bytes()) {
            return Err(error.clone());
        }
        self.state().put(put.key.as_bytes(), put.value.as_bytes(), put.lease);
        let lost = self.state().lost_by_put.take_if(|key| key.as_bytes() == put.key.as_bytes());
        if lost.is_some() {
            let before = self.state().leases.len();
            self.lose();
            while self.state().leases.len() == before {
                tokio::task::yield_now().await;
            }
        }
        Ok(PutResponse::new(self.state().header()))
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        unused()
    }

    async fn txn(&self, op: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        let (compares, success, _) = op.into_parts();
        let mut state = self.state();
        if let Some((key, value, lease)) = state.rival.take() {
            state.put(key.as_bytes(), value.as_bytes(), lease);
        }
        let Some(Op::Put(put)) = success.into_iter().next() else { panic!("one put") };
        if let Some(error) = state.rejected.get(put.key.as_bytes()) {
            return Err(error.clone());
        }
        let holds =
            compares.iter().all(|compare| state.holds(compare.operand(), compare.range().key().as_bytes()));
        if holds {
            state.put(put.key.as_bytes(), put.value.as_bytes(), put.lease);
        }
        Ok(TxnResponse::new(state.header(), holds, Vec::new()))
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        unused()
    }
}

#[async_trait]
impl LeaseService for Fake {
    async fn grant(&self, op: LeaseGrant, _: CallOptions) -> Result<LeaseGrantResponse, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::new(ErrorKind::Closed, "closed"));
        }
        let id = LeaseId::new(i64::try_from(state.leases.len()).expect("few") + 1).expect("positive");
        state.leases.push((id, None));
        Ok(LeaseGrantResponse::new(state.header(), id, op.ttl))
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, _: CallOptions) -> Result<LeaseKeeper, Error> {
        let (sender, kept) = LeaseKeeper::channel(op.id, TTL);
        self.state().leases.last_mut().expect("granted").1 = Some(sender);
        Ok(kept)
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
}

fn id(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

/// Returns short texts for the events up to the next `Healed`.
async fn until_healed(events: &mut (impl futures_core::Stream<Item = HealingEvent> + Unpin)) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        words.push(match events.next().await.expect("an event") {
            HealingEvent::Healed { .. } => return words,
            HealingEvent::Lost(_) => "lost".to_owned(),
            HealingEvent::Taken { key } => format!("taken {key:?}"),
            HealingEvent::AttachFailed { key, error } => format!("failed {key:?} {:?}", error.code()),
            other => panic!("{other:?}"),
        });
    }
}

#[tokio::test(start_paused = true)]
async fn failed_reattachment_keeps_key_and_value() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1")]).await;
    let mut events = lease.events();
    fake.reject("a", Some(denied()));
    fake.reject("b", Some(denied()));
    lease.attach("a", "2").await.expect_err("refused");
    lease.attach("b", "2").await.expect_err("refused");
    let Some(HealingEvent::AttachFailed { key, error }) = events.next().await else {
        panic!("it is reported")
    };
    assert_eq!((key.as_bytes(), error.code()), (&b"a"[..], Some(Code::PermissionDenied)));
    fake.reject("a", None);
    fake.reject("b", None);
    fake.lose();
    assert_eq!(until_healed(&mut events).await, ["lost"]);
    assert_eq!(fake.found("a"), ("1".to_owned(), Some(id(2))), "the key is still attached");
    assert!(!fake.state().kvs.contains_key(&b"b"[..]), "a key that was never put is not attached");
}

#[tokio::test(start_paused = true)]
async fn rejected_key_is_reported_and_does_not_block_others() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1"), ("b", "2")]).await;
    let mut events = lease.events();
    fake.reject("a", Some(denied()));
    fake.lose();
    assert!(matches!(events.next().await, Some(HealingEvent::Lost(_))));
    for _ in 0..3 {
        let Some(HealingEvent::AttachFailed { key, error }) = events.next().await else { panic!("reported") };
        assert_eq!((key.as_bytes(), error.code()), (&b"a"[..], Some(Code::PermissionDenied)));
    }
    assert_eq!(fake.found("b"), ("2".to_owned(), Some(id(2))));
    fake.reject("a", None);
    until_healed(&mut events).await;
    assert_eq!(fake.found("a"), ("1".to_owned(), Some(id(2))));
}

#[tokio::test(start_paused = true)]
async fn unreachable_members_are_reported_once_per_round() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1"), ("b", "2"), ("c", "3")]).await;
    let mut events = lease.events();
    for key in ["a", "b", "c"] {
        fake.reject(key, Some(Error::new(ErrorKind::Timeout, "no answer")));
    }
    fake.lose();
    assert!(matches!(events.next().await, Some(HealingEvent::Lost(_))));
    for round in 0..3 {
        let Some(HealingEvent::AttachFailed { key, .. }) = events.next().await else { panic!("reported") };
        assert_eq!(key.as_bytes(), b"a", "round {round}");
    }
    for key in ["a", "b", "c"] {
        fake.reject(key, None);
    }
    until_healed(&mut events).await;
    assert_eq!(fake.found("c"), ("3".to_owned(), Some(id(2))));
}

#[tokio::test(start_paused = true)]
async fn healing_does_not_overwrite_a_concurrent_change() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1")]).await;
    let mut events = lease.events();
    // The rival puts between the read of a key of the old lease and its transaction.
    fake.state().rival = Some(("a", "theirs", None));
    fake.lose();
    assert_eq!(until_healed(&mut events).await, ["lost", "taken \"a\""]);
    assert_eq!(fake.found("a"), ("theirs".to_owned(), None));

    // The rival puts between the read of a missing key and its transaction.
    lease.attach("b", "1").await.expect("put");
    fake.state().kvs.clear();
    fake.state().rival = Some(("b", "theirs", Some(id(77))));
    fake.lose();
    assert_eq!(until_healed(&mut events).await, ["lost", "taken \"b\""]);
    assert_eq!(fake.found("b"), ("theirs".to_owned(), Some(id(77))));
}

#[tokio::test(start_paused = true)]
async fn second_loss_during_healing_recognizes_own_keys() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1"), ("b", "2")]).await;
    let mut events = lease.events();
    fake.reject("b", Some(denied()));
    fake.lose();
    assert!(matches!(events.next().await, Some(HealingEvent::Lost(_))));
    assert!(matches!(events.next().await, Some(HealingEvent::AttachFailed { .. })));
    // "b" still belongs to the first lease, because the second one was lost before "b" was put.
    fake.reject("b", None);
    fake.lose();
    let words = until_healed(&mut events).await;
    assert!(words.iter().all(|word| !word.starts_with("taken")), "{words:?}");
    assert_eq!(fake.found("a"), ("1".to_owned(), Some(id(3))));
    assert_eq!(fake.found("b"), ("2".to_owned(), Some(id(3))));
}

#[tokio::test(start_paused = true)]
async fn attach_during_a_loss_puts_with_the_next_lease() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1")]).await;
    fake.state().lost_by_put = Some("a");
    lease.attach("a", "2").await.expect("put");
    assert_eq!(fake.found("a"), ("2".to_owned(), Some(lease.id())));
    assert_ne!(lease.id(), id(1));
}

#[tokio::test(start_paused = true)]
async fn attach_after_a_revocation_fails() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[]).await;
    // The fake cannot revoke; the lease is lost for every clone nevertheless.
    let _ = lease.clone().revoke().await;
    fake.reject("late", Some(Code::LeaseNotFound.into()));
    let error = lease.attach("late", "v").await.expect_err("no task puts the key later");
    assert_eq!(error.code(), Some(Code::LeaseNotFound));
}

/// Waits until the events end and returns whether the last one was `Ended`.
async fn ended(events: impl futures_core::Stream<Item = HealingEvent>) -> bool {
    let events = timeout(Duration::from_secs(60), events.collect::<Vec<_>>()).await;
    matches!(events.expect("the events end").last(), Some(HealingEvent::Ended(_)))
}

#[tokio::test(start_paused = true)]
async fn attach_fails_after_the_current_lease_was_revoked() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[]).await;
    lease.current().revoke().await.expect("the mock answers");
    sleep(Duration::from_secs(60)).await;
    fake.reject("late", Some(Code::LeaseNotFound.into()));
    let error = lease.attach("late", "v").await.expect_err("no task puts the key later");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseNotFound), Outcome::NotApplied));
    fake.reject("late", None);
    // Even if etcd still had the lease, nothing would put the key again.
    lease.attach("late", "v").await.expect_err("no task puts the key later");
    assert!(!fake.state().kvs.contains_key(&b"late"[..]));
}

#[tokio::test(start_paused = true)]
async fn attach_fails_before_the_healing_task_sees_the_revocation() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[("a", "1")]).await;
    fake.state().revoked_by_put = Some((lease.current(), "late"));
    fake.reject("late", Some(Code::LeaseNotFound.into()));
    // The healing task does not run between the revocation and the response.
    let attached = lease.attach("late", "v").now_or_never().expect("the fake responds immediately");
    assert_eq!(attached.expect_err("no task puts the key later").code(), Some(Code::LeaseNotFound));
    assert!(!lease.held.shared.book().attached.contains_key(&Key::from("late")));
}

#[tokio::test(start_paused = true)]
async fn attach_fails_after_the_lease_service_is_closed() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[]).await;
    let events = lease.events();
    fake.state().closed = true;
    fake.lose();
    assert!(ended(events).await);
    lease.attach("late", "v").await.expect_err("no task puts the key later");
    assert!(!fake.state().kvs.contains_key(&b"late"[..]));
}

#[test]
fn attach_fails_after_the_runtime_of_the_healing_has_ended() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let fake = Arc::new(Fake::default());
    let healing = runtime();
    let lease = healing.block_on(fake.start(&[]));
    drop(healing);
    runtime().block_on(lease.attach("late", "v")).expect_err("no task puts the key after a loss");
}

#[tokio::test(start_paused = true)]
async fn events_end_with_the_healing() {
    let fake = Arc::new(Fake::default());
    let lease = fake.start(&[]).await;
    let events = lease.events();
    lease.current().revoke().await.expect("the mock answers");
    assert!(ended(events).await);
    assert!(lease.events().next().await.is_none(), "nothing happens after the end");
}
