//! A model of etcd's store: keys, leases, and the history of one key.

use std::collections::{BTreeMap, BTreeSet};

use etcd_errors::{Code, Error};

use crate::{
    kv::{DeleteResponse, Get, GetResponse, PutResponse},
    txn::{Compare, CompareOperand, Op, OpResponse, Txn, TxnResponse},
    types::{KeyValue, LeaseId, ResponseHeader, Revision},
};

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) revision: i64,
    kvs: BTreeMap<Vec<u8>, KeyValue>,
    leases: BTreeSet<LeaseId>,
    /// Every value that was put, with its key and revision.
    pub(super) history: Vec<(Vec<u8>, Vec<u8>, i64)>,
}

impl Store {
    pub(super) fn header(&self) -> ResponseHeader {
        ResponseHeader { revision: Revision::new(self.revision), ..ResponseHeader::default() }
    }

    pub(super) fn grant(&mut self, lease: LeaseId) {
        self.leases.insert(lease);
    }

    pub(super) fn expire(&mut self, lease: LeaseId) {
        if self.leases.remove(&lease) {
            self.revision += 1;
            self.kvs.retain(|_, kv| kv.lease != Some(lease));
        }
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<&KeyValue> {
        self.kvs.get(key)
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.kvs.keys().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
    }

    pub(super) fn get(&self, get: &Get) -> GetResponse {
        let found = self.find(get.range.key().as_bytes()).cloned();
        GetResponse::new(self.header(), found.into_iter().collect())
    }

    pub(super) fn put(&mut self, key: &str, value: &str) {
        self.revision += 1;
        self.write(key.as_bytes(), value.as_bytes(), None);
    }

    pub(super) fn delete(&mut self, key: &str) {
        self.revision += 1;
        self.kvs.remove(key.as_bytes());
    }

    /// Applies a transaction as etcd does: all of it, or nothing if a lease does not exist.
    pub(super) fn txn(&mut self, txn: &Txn) -> Result<TxnResponse, Error> {
        let succeeded = txn.compares().iter().all(|compare| self.holds(compare));
        let ops = if succeeded { txn.success() } else { txn.failure() };
        let unknown =
            |op: &Op| matches!(op, Op::Put(put) if put.lease.is_some_and(|id| !self.leases.contains(&id)));
        if ops.iter().any(unknown) {
            return Err(Code::LeaseNotFound.into());
        }
        if ops.iter().any(|op| matches!(op, Op::Put(_) | Op::Delete(_))) {
            self.revision += 1;
        }
        let responses = ops.iter().map(|op| self.apply(op)).collect();
        Ok(TxnResponse::new(self.header(), succeeded, responses))
    }

    fn apply(&mut self, op: &Op) -> OpResponse {
        match op {
            Op::Get(get) => self.get(get).into(),
            Op::Put(put) => {
                self.write(put.key.as_bytes(), put.value.as_bytes(), put.lease);
                PutResponse::new(self.header()).into()
            }
            Op::Delete(delete) => {
                self.kvs.remove(delete.range.key().as_bytes());
                DeleteResponse::new(self.header(), 1).into()
            }
            Op::Txn(_) => panic!("updates do not nest transactions"),
        }
    }

    fn write(&mut self, key: &[u8], value: &[u8], lease: Option<LeaseId>) {
        let (created, version) =
            self.find(key).map_or((self.revision, 0), |kv| (kv.create_revision.get(), kv.version.get()));
        let kv = KeyValue::new(key.to_vec(), value.to_vec()).with_revisions(created, self.revision);
        self.kvs.insert(key.to_vec(), kv.with_version(version + 1).with_lease(lease));
        self.history.push((key.to_vec(), value.to_vec(), self.revision));
    }

    fn holds(&self, compare: &Compare) -> bool {
        let CompareOperand::ModRevision(expected) = compare.operand() else { panic!("{compare:?}") };
        let found = self.find(compare.range().key().as_bytes());
        found.map_or(Revision::ZERO, |kv| kv.mod_revision) == *expected
    }
}
