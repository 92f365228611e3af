//! Writes at one revision.

use bytes::Bytes;
use etcd_proto::etcdserverpb::{DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse};
use etcd_proto::mvccpb::KeyValue;

use super::{Change, Span, Store, bare_header};
use crate::lease::Leases;
use crate::rejection::{KEY_NOT_FOUND, LEASE_NOT_FOUND, Rejection};

/// The writes of one request, which share one revision.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(super) store: &'a mut Store,
    pub(super) leases: &'a mut Leases,
    changes: Vec<Change>,
}

impl<'a> Write<'a> {
    pub(crate) const fn begin(store: &'a mut Store, leases: &'a mut Leases) -> Self {
        Self { store, leases, changes: Vec::new() }
    }

    /// Makes the changes visible to watches. Returns them in the order in which they were made.
    pub(crate) fn commit(self) -> Vec<Change> {
        if !self.changes.is_empty() {
            self.store.revision += 1;
            self.store.log.extend(self.changes.iter().cloned());
        }
        self.changes
    }

    /// Returns the revision that reads of this request see: that of its writes, once it has written.
    pub(super) fn current(&self) -> i64 {
        self.store.revision() + i64::from(!self.changes.is_empty())
    }

    /// Checks and executes a put outside of a transaction.
    pub(crate) fn put_checked(&mut self, request: &PutRequest) -> Result<PutResponse, Rejection> {
        check_lease(self.leases, request)?;
        check_previous(self.store, request)?;
        Ok(self.put(request))
    }

    /// Executes a put that has passed its checks.
    pub(super) fn put(&mut self, request: &PutRequest) -> PutResponse {
        let previous = self.store.at(&request.key, self.current()).cloned();
        let (mut value, mut lease) = (request.value.clone(), request.lease);
        if let Some(previous) = &previous {
            if request.ignore_value {
                value = previous.value.clone();
            }
            if request.ignore_lease {
                lease = previous.lease;
            }
        }
        let revision = self.store.revision() + 1;
        let (create_revision, version) =
            previous.as_ref().map_or((revision, 0), |kv| (kv.create_revision, kv.version));
        let key = request.key.clone();
        self.leases.attach(&key, lease);
        let kv =
            KeyValue { key, create_revision, mod_revision: revision, version: version + 1, value, lease };
        self.record(Change { kv, deleted: false });
        PutResponse { header: Some(bare_header(revision)), prev_kv: previous.filter(|_| request.prev_kv) }
    }

    /// Executes a deletion.
    pub(crate) fn delete(&mut self, request: &DeleteRangeRequest) -> DeleteRangeResponse {
        let span = Span::of(&request.key, &request.range_end);
        let previous: Vec<_> = self.store.scan(&span, self.current()).cloned().collect();
        for kv in &previous {
            self.delete_key(kv.key.clone());
        }
        DeleteRangeResponse {
            header: Some(bare_header(self.current())),
            deleted: super::range::length(previous.len()),
            prev_kvs: if request.prev_kv { previous } else { Vec::new() },
        }
    }

    /// Deletes the keys of a lease that ends.
    pub(crate) fn delete_keys(&mut self, keys: impl IntoIterator<Item = Bytes>) {
        for key in keys {
            if self.store.at(&key, self.current()).is_some() {
                self.delete_key(key);
            }
        }
    }

    fn delete_key(&mut self, key: Bytes) {
        self.leases.attach(&key, 0);
        let kv = KeyValue { key, mod_revision: self.store.revision() + 1, ..Default::default() };
        self.record(Change { kv, deleted: true });
    }

    fn record(&mut self, change: Change) {
        self.store.keys.entry(change.kv.key.clone()).or_default().push(change.clone());
        self.changes.push(change);
    }
}

/// Checks that the lease of a put exists.
pub(super) fn check_lease(leases: &Leases, request: &PutRequest) -> Result<(), Rejection> {
    if request.lease == 0 || leases.exists(request.lease) { Ok(()) } else { Err(LEASE_NOT_FOUND) }
}

/// Checks that there is a key-value pair whose value or lease is to be kept.
pub(super) fn check_previous(store: &Store, request: &PutRequest) -> Result<(), Rejection> {
    let keeps = request.ignore_value || request.ignore_lease;
    if keeps && store.at(&request.key, store.revision()).is_none() { Err(KEY_NOT_FOUND) } else { Ok(()) }
}
