//! A store in memory with keys, watches and leases, whose transactions can be lost, delayed and held.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use etcd_errors::{Code, Error, ErrorKind, Outcome};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::{
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse},
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseKeeperSender, LeaseList, LeaseListResponse, LeaseLostReason, LeaseRevoke,
        LeaseRevokeResponse, LeaseService, LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    request::CallOptions,
    txn::{Compare, CompareOp, CompareOperand, Op, OpResponse, Txn, TxnResponse},
    types::{Event, KeyRange, KeyValue, LeaseId, ResponseHeader, Revision},
    watch::{Watch, WatchResponse, WatchSender, WatchService, WatchStream},
};

pub(super) const TTL: Duration = Duration::from_secs(10);

/// What happens to a transaction.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It is applied, and its response is lost.
    Lose,
    /// It is applied by `apply_late`, and its outcome is unknown until then.
    Delay,
    /// It is applied, and its response arrives after the notification.
    Hold(Arc<Notify>),
    /// It is not applied, but its response states that a condition does not hold.
    Deny,
    /// It is rejected.
    Refuse(ErrorKind),
}

/// Selects the transaction that a fault applies to.
pub(super) type Selector = fn(&Txn) -> bool;

#[derive(Debug, Default)]
pub(super) struct Store {
    data: Mutex<Data>,
    /// The number of gets and transactions.
    requests: AtomicU64,
}

#[derive(Debug, Default)]
struct Data {
    revision: i64,
    kvs: BTreeMap<Vec<u8>, KeyValue>,
    history: Vec<Event>,
    watches: Vec<(Vec<u8>, WatchSender)>,
    leases: i64,
    keeper: Option<LeaseKeeperSender>,
    closed: bool,
    faults: VecDeque<(Selector, Fault)>,
    late: Vec<Txn>,
}

impl Store {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("no panic")
    }

    pub(super) fn fault(&self, selector: Selector, fault: Fault) {
        self.data().faults.push_back((selector, fault));
    }

    /// Applies the delayed transactions, and returns whether one had an effect.
    pub(super) fn apply_late(&self) -> bool {
        let mut data = self.data();
        let late = std::mem::take(&mut data.late);
        assert!(!late.is_empty(), "one is delayed");
        let before = data.revision;
        for txn in late {
            data.txn(&txn);
        }
        data.revision > before
    }

    /// Puts a key as another client.
    pub(super) fn put_directly(&self, key: &str, value: &str, lease: Option<i64>) {
        let mut data = self.data();
        data.revision += 1;
        data.put(&Put { lease: lease.and_then(LeaseId::new), ..Put::new(key, value) });
    }

    pub(super) fn delete_directly(&self, key: &str) {
        let mut data = self.data();
        data.revision += 1;
        data.delete(&KeyRange::one(key));
    }

    /// Puts a key without changing its lease, as a client does that asks for a key.
    pub(super) fn revoke_directly(&self, key: &str) {
        let mut data = self.data();
        data.revision += 1;
        data.put(&Put::new(key, "REVOKE").ignore_lease());
    }

    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.data().kvs.get(key.as_bytes()).map(|kv| kv.value_str().expect("text").to_owned())
    }

    pub(super) fn lease(&self, key: &str) -> Option<i64> {
        self.data().kvs.get(key.as_bytes())?.lease.map(LeaseId::get)
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Ends all watches as if the events that they wait for were compacted.
    pub(super) fn compact_watches(&self) {
        for (_, sender) in std::mem::take(&mut self.data().watches) {
            assert!(sender.fail(Code::Compacted.into()).now_or_never().is_some(), "there is room");
        }
    }

    /// Loses the current lease. Its keys are kept, as if the server expired it later.
    pub(super) fn lose_lease(&self) {
        let sender = self.data().keeper.take().expect("a lease");
        sender.lose(LeaseLostReason::NotFound, None);
    }

    /// Returns the end of the current lease that observes its revocation.
    pub(super) fn take_lease(&self) -> LeaseKeeperSender {
        self.data().keeper.take().expect("a lease")
    }

    pub(super) fn close(&self) {
        self.data().closed = true;
    }

    fn next_fault(&self, txn: &Txn) -> Option<Fault> {
        let mut data = self.data();
        let at = data.faults.iter().position(|(selector, _)| selector(txn))?;
        data.faults.remove(at).map(|(_, fault)| fault)
    }
}

impl Data {
    fn header(&self) -> ResponseHeader {
        ResponseHeader { revision: Revision::new(self.revision), ..ResponseHeader::default() }
    }

    fn found(&self, range: &KeyRange) -> Vec<KeyValue> {
        let (start, end) = range.bounds();
        let within = |key: &[u8]| match &end[..] {
            b"" => key == &start[..],
            b"\0" => key >= &start[..],
            end => key >= &start[..] && key < end,
        };
        self.kvs.values().filter(|kv| within(&kv.key)).cloned().collect()
    }

    fn put(&mut self, put: &Put) {
        let before = self.kvs.get(put.key.as_bytes()).cloned();
        let created = before.as_ref().map_or(self.revision, |kv| kv.create_revision.get());
        let version = before.as_ref().map_or(1, |kv| kv.version.get() + 1);
        let mut kv = KeyValue::new(put.key.clone(), put.value.clone());
        kv = kv.with_revisions(created, self.revision).with_version(version).with_lease(put.lease);
        if put.ignore_lease {
            kv.lease = before.expect("it exists").lease;
        }
        self.kvs.insert(put.key.as_bytes().to_vec(), kv.clone());
        self.publish(Event::put(kv));
    }

    fn delete(&mut self, range: &KeyRange) -> u64 {
        let found = self.found(range);
        for kv in &found {
            self.kvs.remove(&kv.key[..]);
            let deleted = KeyValue::new(kv.key.clone(), "").with_revisions(0, self.revision);
            self.publish(Event::delete(deleted));
        }
        found.len() as u64
    }

    fn publish(&mut self, event: Event) {
        let header = self.header();
        self.history.push(event.clone());
        for (_, sender) in self.watches.iter().filter(|(key, _)| key[..] == event.kv.key[..]) {
            let sent = sender.send(WatchResponse::events(header, vec![event.clone()])).now_or_never();
            assert!(sent.is_some(), "there is room");
        }
    }

    fn holds(&self, compare: &Compare) -> bool {
        let found = self.found(compare.range());
        let number = |kv: Option<&KeyValue>| match compare.operand() {
            CompareOperand::CreateRevision(_) => kv.map_or(0, |kv| kv.create_revision.get()),
            CompareOperand::Version(_) => kv.map_or(0, |kv| kv.version.get()),
            CompareOperand::Lease(_) => kv.and_then(|kv| kv.lease).map_or(0, LeaseId::get),
            other => panic!("{other:?}"),
        };
        let wanted = match compare.operand() {
            CompareOperand::CreateRevision(revision) => revision.get(),
            CompareOperand::Version(version) => version.get(),
            CompareOperand::Lease(lease) => lease.map_or(0, LeaseId::get),
            other => panic!("{other:?}"),
        };
        let holds = |kv: Option<&KeyValue>| match compare.op() {
            CompareOp::Equal => number(kv) == wanted,
            CompareOp::Less => number(kv) < wanted,
            other => panic!("{other:?}"),
        };
        if found.is_empty() { holds(None) } else { found.iter().all(|kv| holds(Some(kv))) }
    }

    fn txn(&mut self, txn: &Txn) -> TxnResponse {
        let succeeded = txn.compares().iter().all(|compare| self.holds(compare));
        let ops = if succeeded { txn.success() } else { txn.failure() };
        if ops.iter().any(|op| !op.is_read_only()) {
            self.revision += 1;
        }
        let responses = ops.iter().map(|op| self.apply(op)).collect();
        TxnResponse::new(self.header(), succeeded, responses)
    }

    /// Applies an operation at the current revision.
    fn apply(&mut self, op: &Op) -> OpResponse {
        match op {
            Op::Get(get) => GetResponse::new(self.header(), self.found(&get.range)).into(),
            Op::Put(put) => {
                self.put(put);
                PutResponse::new(self.header()).into()
            }
            Op::Delete(delete) => {
                let deleted = self.delete(&delete.range);
                DeleteResponse::new(self.header(), deleted).into()
            }
            Op::Txn(txn) => {
                let succeeded = txn.compares().iter().all(|compare| self.holds(compare));
                let ops = if succeeded { txn.success() } else { txn.failure() };
                let responses = ops.iter().map(|op| self.apply(op)).collect();
                TxnResponse::new(self.header(), succeeded, responses).into()
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "the response was lost").with_outcome(Outcome::Unknown)
}

fn unused<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Unsupported, "not part of this store"))
}

#[async_trait]
impl KvService for Store {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let data = self.data();
        Ok(GetResponse::new(data.header(), data.found(&op.range)))
    }

    async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> {
        panic!("a put without a guard");
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        panic!("a deletion without a guard");
    }

    async fn txn(&self, op: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = self.next_fault(&op);
        match fault {
            None => Ok(self.data().txn(&op)),
            Some(Fault::Lose) => {
                self.data().txn(&op);
                Err(lost())
            }
            Some(Fault::Delay) => {
                self.data().late.push(op);
                Err(lost())
            }
            Some(Fault::Hold(released)) => {
                let response = self.data().txn(&op);
                released.notified().await;
                Ok(response)
            }
            Some(Fault::Deny) => {
                let data = self.data();
                let found = |op: &Op| match op {
                    Op::Get(get) => GetResponse::new(data.header(), data.found(&get.range)).into(),
                    other => panic!("{other:?}"),
                };
                Ok(TxnResponse::new(data.header(), false, op.failure().iter().map(found).collect()))
            }
            Some(Fault::Refuse(kind)) => Err(Error::new(kind, "refused")),
        }
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        unused()
    }
}

#[async_trait]
impl WatchService for Store {
    async fn watch(&self, op: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        let (sender, stream) = WatchStream::channel(1000);
        let mut data = self.data();
        let key = op.range.key().as_bytes().to_vec();
        for event in data.history.iter().filter(|event| event.kv.key[..] == key[..]) {
            if event.kv.mod_revision >= op.start_revision {
                let response = WatchResponse::events(data.header(), vec![event.clone()]);
                assert!(sender.send(response).now_or_never().is_some(), "there is room");
            }
        }
        data.watches.push((key, sender));
        Ok(stream)
    }
}

#[async_trait]
impl LeaseService for Store {
    async fn grant(&self, op: LeaseGrant, _: CallOptions) -> Result<LeaseGrantResponse, Error> {
        let mut data = self.data();
        if data.closed {
            return Err(Error::new(ErrorKind::Closed, "the store is closed"));
        }
        data.leases += 1;
        let id = LeaseId::new(data.leases).expect("positive");
        Ok(LeaseGrantResponse::new(data.header(), id, op.ttl))
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, _: CallOptions) -> Result<LeaseKeeper, Error> {
        let (sender, keeper) = LeaseKeeper::channel(op.id, TTL);
        self.data().keeper = Some(sender);
        Ok(keeper)
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
