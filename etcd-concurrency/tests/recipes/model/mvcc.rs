//! Keys and their history.

use std::collections::BTreeMap;

use bytes_of::bounds;
use etcd_client_core::{
    Code, Compare, Delete, Error, Event, Get, KeyValue, LeaseId, Put, Revision, Txn,
    kv::{DeleteResponse, GetResponse, PutResponse, SortOrder, SortTarget},
    txn::{CompareOp, CompareOperand, Op, OpResponse, TxnResponse},
    types::{KeyRange, ResponseHeader, Version},
};

mod bytes_of {
    use super::KeyRange;

    /// Returns the first key of a range, and the key after its last; `None` if the range has no end.
    pub(super) fn bounds(range: &KeyRange) -> (Vec<u8>, Option<Vec<u8>>) {
        let (key, end) = range.bounds();
        match &end[..] {
            b"" => (key.to_vec(), Some([&key[..], b"\0"].concat())),
            b"\0" => (key.to_vec(), None),
            end => (key.to_vec(), Some(end.to_vec())),
        }
    }
}

pub(super) fn contains(range: &KeyRange, key: &[u8]) -> bool {
    let (from, to) = bounds(range);
    key >= &from[..] && to.is_none_or(|to| key < &to[..])
}

#[derive(Debug)]
pub(super) struct Mvcc {
    revision: i64,
    compacted: i64,
    /// The values of each key by the revision from which they hold; `None` while the key was deleted.
    keys: BTreeMap<Vec<u8>, Vec<(i64, Option<KeyValue>)>>,
    history: Vec<Event>,
    pending: Vec<Event>,
    pub(super) leases: Vec<LeaseId>,
}

impl Default for Mvcc {
    fn default() -> Self {
        Self {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            history: Vec::new(),
            pending: Vec::new(),
            leases: Vec::new(),
        }
    }
}

impl Mvcc {
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    pub(super) fn header(&self) -> ResponseHeader {
        ResponseHeader::new(1.into(), 1.into(), self.revision.into(), 1)
    }

    /// Returns the header of a response to a write whose revision does not exist yet.
    fn header_of_write(&self) -> ResponseHeader {
        let mut header = self.header();
        if !self.pending.is_empty() {
            header.revision = header.revision.next();
        }
        header
    }

    pub(super) fn begin(&mut self) {
        assert!(self.pending.is_empty(), "one change at a time");
    }

    /// Commits the changes as one revision.
    pub(super) fn commit(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.pending);
        if !events.is_empty() {
            self.revision += 1;
        }
        self.history.extend(events.clone());
        events
    }

    fn writing_at(&self) -> i64 {
        self.revision + 1
    }

    pub(super) fn now(&self, key: &[u8]) -> Option<&KeyValue> {
        self.keys.get(key)?.last()?.1.as_ref()
    }

    fn at(versions: &[(i64, Option<KeyValue>)], revision: i64) -> Option<&KeyValue> {
        versions.iter().rev().find(|(since, _)| *since <= revision)?.1.as_ref()
    }

    /// Returns the events from a revision on.
    pub(super) fn events_from(&self, from: i64) -> Result<Vec<Event>, Error> {
        if from > 0 && from <= self.compacted {
            return Err(Code::Compacted.into());
        }
        Ok(self.history.iter().filter(|event| event.revision() >= from).cloned().collect())
    }

    pub(super) fn compact(&mut self, revision: i64) -> Result<(), Error> {
        if revision <= self.compacted {
            return Err(Code::Compacted.into());
        }
        self.compacted = revision;
        Ok(())
    }

    pub(super) fn get(&self, get: &Get) -> Result<GetResponse, Error> {
        let revision = if get.revision == 0 { i64::MAX } else { get.revision.get() };
        if revision < self.compacted {
            return Err(Code::Compacted.into());
        }
        let within = self.keys.iter().filter(|(key, _)| contains(&get.range, key));
        let mut kvs: Vec<KeyValue> =
            within.filter_map(|(_, versions)| Self::at(versions, revision)).cloned().collect();
        let count = kvs.len() as u64;
        let bound = |max: Revision| if max == 0 { Revision::new(i64::MAX) } else { max };
        kvs.retain(|kv| {
            kv.create_revision >= get.min_create_revision
                && kv.create_revision <= bound(get.max_create_revision)
                && kv.mod_revision >= get.min_mod_revision
                && kv.mod_revision <= bound(get.max_mod_revision)
        });
        sort(&mut kvs, get.sort);
        let more = get.limit > 0 && kvs.len() > get.limit as usize;
        if more {
            kvs.truncate(get.limit as usize);
        }
        if get.keys_only {
            // etcd 3.7 answers from its key index, which has no leases.
            kvs.iter_mut().for_each(|kv| {
                kv.value.clear();
                kv.lease = None;
            });
        }
        Ok(GetResponse::new(self.header(), kvs).with_count(count).with_more(more))
    }

    pub(super) fn put(&mut self, put: Put) -> Result<PutResponse, Error> {
        if put.lease.is_some_and(|lease| !self.leases.contains(&lease)) {
            return Err(Code::LeaseNotFound.into());
        }
        let at = self.writing_at();
        let before = self.now(put.key.as_bytes()).cloned();
        let (created, version) =
            before.as_ref().map_or((at, 1), |kv| (kv.create_revision.get(), kv.version.get() + 1));
        let kv = KeyValue::new(&put.key, &put.value)
            .with_revisions(created, at)
            .with_version(Version::new(version))
            .with_lease(if put.ignore_lease { before.as_ref().and_then(|kv| kv.lease) } else { put.lease });
        self.keys.entry(put.key.as_bytes().to_vec()).or_default().push((at, Some(kv.clone())));
        self.pending.push(Event::put(kv).with_prev_kv(before));
        Ok(PutResponse::new(self.header_of_write()))
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> DeleteResponse {
        let at = self.writing_at();
        let mut deleted = Vec::new();
        for (key, versions) in self.keys.iter_mut().filter(|(key, _)| contains(&delete.range, key)) {
            let Some((_, Some(before))) = versions.last().cloned() else { continue };
            versions.push((at, None));
            let gone = KeyValue::new(key, "").with_revisions(0, at).with_version(0);
            self.pending.push(Event::delete(gone).with_prev_kv(before.clone()));
            deleted.push(before);
        }
        DeleteResponse::new(self.header_of_write(), deleted.len() as u64)
    }

    pub(super) fn expire(&mut self, lease: LeaseId) {
        self.leases.retain(|other| *other != lease);
        let attached = |versions: &Vec<(i64, Option<KeyValue>)>| {
            versions.last().and_then(|(_, kv)| kv.as_ref()).is_some_and(|kv| kv.lease == Some(lease))
        };
        let keys: Vec<Vec<u8>> =
            self.keys.iter().filter(|(_, versions)| attached(versions)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.delete(&DeleteOne(key).into());
        }
    }

    pub(super) fn txn(&mut self, txn: &Txn) -> Result<TxnResponse, Error> {
        self.check_leases(txn)?;
        let (succeeded, ops) = self.branch(txn);
        let responses = ops.iter().map(|op| self.op(op)).collect::<Result<Vec<_>, _>>()?;
        Ok(TxnResponse::new(self.header_of_write(), succeeded, responses))
    }

    fn branch<'a>(&self, txn: &'a Txn) -> (bool, &'a [Op]) {
        let succeeded = txn.compares().iter().all(|compare| self.holds(compare));
        (succeeded, if succeeded { txn.success() } else { txn.failure() })
    }

    /// A put with a lease that is gone fails the whole transaction, but only on the branch that is taken (`checkRequestPut` of
    /// server/etcdserver/txn/txn.go, etcd v3.7).
    fn check_leases(&self, txn: &Txn) -> Result<(), Error> {
        let lives = |put: &Put| put.lease.is_none_or(|lease| self.leases.contains(&lease));
        self.branch(txn).1.iter().try_for_each(|op| match op {
            Op::Put(put) if !lives(put) => Err(Code::LeaseNotFound.into()),
            Op::Txn(nested) => self.check_leases(nested),
            _ => Ok(()),
        })
    }

    fn op(&mut self, op: &Op) -> Result<OpResponse, Error> {
        Ok(match op {
            Op::Get(get) => self.get(get)?.into(),
            Op::Put(put) => self.put(put.clone())?.into(),
            Op::Delete(delete) => self.delete(delete).into(),
            Op::Txn(txn) => self.txn(txn)?.into(),
            _ => panic!("an operation that the model does not know"),
        })
    }

    fn holds(&self, compare: &Compare) -> bool {
        let within = self.keys.iter().filter(|(key, _)| contains(compare.range(), key));
        let mut kvs = within.filter_map(|(_, versions)| versions.last()?.1.as_ref()).peekable();
        if kvs.peek().is_some() {
            return kvs.all(|kv| one_holds(compare, kv));
        }
        let none = KeyValue::new("", "").with_revisions(0, 0).with_version(0);
        !matches!(compare.operand(), CompareOperand::Value(_)) && one_holds(compare, &none)
    }
}

struct DeleteOne(Vec<u8>);

impl From<DeleteOne> for Delete {
    fn from(one: DeleteOne) -> Self {
        Self::new(one.0)
    }
}

fn one_holds(compare: &Compare, kv: &KeyValue) -> bool {
    let ordering = match compare.operand() {
        CompareOperand::Value(value) => kv.value[..].cmp(value.as_bytes()),
        CompareOperand::Version(version) => kv.version.cmp(version),
        CompareOperand::CreateRevision(revision) => kv.create_revision.cmp(revision),
        CompareOperand::ModRevision(revision) => kv.mod_revision.cmp(revision),
        CompareOperand::Lease(lease) => kv.lease.cmp(lease),
        _ => panic!("an operand that the model does not know"),
    };
    match compare.op() {
        CompareOp::Equal => ordering.is_eq(),
        CompareOp::NotEqual => ordering.is_ne(),
        CompareOp::Greater => ordering.is_gt(),
        CompareOp::Less => ordering.is_lt(),
        _ => panic!("an operator that the model does not know"),
    }
}

fn sort(kvs: &mut [KeyValue], by: Option<(SortTarget, SortOrder)>) {
    let Some((target, order)) = by else { return };
    match target {
        SortTarget::CreateRevision => kvs.sort_by_key(|kv| kv.create_revision),
        SortTarget::ModRevision => kvs.sort_by_key(|kv| kv.mod_revision),
        SortTarget::Key => {}
        _ => panic!("a sort that the model does not know"),
    }
    if order == SortOrder::Descend {
        kvs.reverse();
    }
}
