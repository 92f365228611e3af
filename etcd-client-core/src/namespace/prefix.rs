//! The prefix of a namespace: prepended to the keys of operations, and removed with a check from the keys of responses.

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};

use crate::{
    election::{ElectionLeaderResponse, LeaderKey},
    kv::{Delete, DeleteResponse, Get, GetResponse, Put, PutResponse},
    txn::{Op, OpResponse, Txn, TxnResponse},
    types::{Event, Key, KeyRange, KeyValue, prefix_range_end},
    watch::Watch,
};

/// A prefix and the end of the range of all keys that start with it.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    key: Key,
    end: Bytes,
}

impl Prefix {
    pub(crate) fn new(key: Key) -> Self {
        let end = prefix_range_end(key.as_bytes());
        Self { key, end }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn add(&self, key: &[u8]) -> Bytes {
        [self.key.as_bytes(), key].concat().into()
    }

    /// Prepends the prefix to a key, or to the name of a lock or an election.
    pub(crate) fn add_to(&self, key: &mut Key) {
        *key = self.add(key.as_bytes()).into();
    }

    /// Prepends the prefix to a range. The range must be valid, because a contradictory one has no bounds.
    ///
    /// A range of all keys starts after the key that equals the prefix. That key would be the empty key of the namespace, and
    /// etcd has no empty key.
    pub(crate) fn add_range(&self, range: &mut KeyRange) {
        let (key, end) = range.bounds();
        let end = match &end[..] {
            b"" => end,
            b"\0" => self.end.clone(),
            end => self.add(end),
        };
        *range = KeyRange::from_bounds(self.add(&key), end);
    }

    /// Returns the key without the prefix, in the same buffer. Returns `None` for a key outside of the namespace.
    pub(crate) fn strip(&self, key: &Bytes) -> Option<Bytes> {
        let rest = key.strip_prefix(self.key.as_bytes())?;
        (!rest.is_empty()).then(|| key.slice_ref(rest))
    }

    pub(crate) fn strip_from(&self, key: &mut Key, outcome: Outcome) -> Result<(), Error> {
        *key = self.strip(&key.clone().into_bytes()).ok_or_else(|| outside(outcome))?.into();
        Ok(())
    }

    pub(crate) fn strip_kv(&self, kv: &mut KeyValue, outcome: Outcome) -> Result<(), Error> {
        kv.key = self.strip(&kv.key).ok_or_else(|| outside(outcome))?;
        Ok(())
    }

    pub(crate) fn strip_kvs<'a>(
        &self,
        kvs: impl IntoIterator<Item = &'a mut KeyValue>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        kvs.into_iter().try_for_each(|kv| self.strip_kv(kv, outcome))
    }

    pub(crate) fn strip_event(&self, event: &mut Event) -> Result<(), Error> {
        self.strip_kvs([&mut event.kv].into_iter().chain(&mut event.prev_kv), Outcome::NotApplied)
    }

    pub(crate) fn add_to_get(&self, get: &mut Get) {
        self.add_range(&mut get.range);
    }

    pub(crate) fn add_to_put(&self, put: &mut Put) {
        put.key = self.add(put.key.as_bytes()).into();
    }

    pub(crate) fn add_to_delete(&self, delete: &mut Delete) {
        self.add_range(&mut delete.range);
    }

    pub(crate) fn add_to_watch(&self, watch: &mut Watch) {
        self.add_range(&mut watch.range);
    }

    /// Prepends the prefix in all branches. The recursion is bounded, because the nesting depth of the transaction was validated.
    pub(crate) fn add_to_txn(&self, txn: &mut Txn) {
        txn.compares_mut().iter_mut().for_each(|compare| self.add_range(compare.range_mut()));
        txn.success_mut().iter_mut().for_each(|op| self.add_to_op(op));
        txn.failure_mut().iter_mut().for_each(|op| self.add_to_op(op));
    }

    fn add_to_op(&self, op: &mut Op) {
        match op {
            Op::Get(get) => self.add_to_get(get),
            Op::Put(put) => self.add_to_put(put),
            Op::Delete(delete) => self.add_to_delete(delete),
            Op::Txn(txn) => self.add_to_txn(txn),
        }
    }

    pub(crate) fn strip_get(
        &self,
        mut response: GetResponse,
        outcome: Outcome,
    ) -> Result<GetResponse, Error> {
        self.strip_kvs(&mut response.kvs, outcome)?;
        Ok(response)
    }

    pub(crate) fn strip_put(&self, mut response: PutResponse) -> Result<PutResponse, Error> {
        self.strip_kvs(&mut response.prev_kv, Outcome::Unknown)?;
        Ok(response)
    }

    pub(crate) fn strip_delete(&self, mut response: DeleteResponse) -> Result<DeleteResponse, Error> {
        self.strip_kvs(&mut response.prev_kvs, Outcome::Unknown)?;
        Ok(response)
    }

    /// Removes the prefix from all nested responses. `outcome` is the outcome of the whole transaction in case of an error.
    pub(crate) fn strip_txn(
        &self,
        mut response: TxnResponse,
        outcome: Outcome,
    ) -> Result<TxnResponse, Error> {
        self.strip_ops(&mut response.responses, outcome)?;
        Ok(response)
    }

    fn strip_ops(&self, responses: &mut [OpResponse], outcome: Outcome) -> Result<(), Error> {
        responses.iter_mut().try_for_each(|response| match response {
            OpResponse::Get(get) => self.strip_kvs(&mut get.kvs, outcome),
            OpResponse::Put(put) => self.strip_kvs(&mut put.prev_kv, outcome),
            OpResponse::Delete(delete) => self.strip_kvs(&mut delete.prev_kvs, outcome),
            OpResponse::Txn(txn) => self.strip_ops(&mut txn.responses, outcome),
        })
    }

    pub(crate) fn add_to_leader(&self, leader: &mut LeaderKey) {
        self.add_to(&mut leader.name);
        self.add_to(&mut leader.key);
    }

    /// Removes the prefix from a leader key. Unlike a key, the name of an election may be empty.
    pub(crate) fn strip_from_leader(&self, leader: &mut LeaderKey) -> Result<(), Error> {
        let rest = leader.name.as_bytes().strip_prefix(self.key().as_bytes());
        leader.name = rest.ok_or_else(|| outside(Outcome::Unknown))?.into();
        self.strip_from(&mut leader.key, Outcome::Unknown)
    }

    pub(crate) fn strip_leader(
        &self,
        mut response: ElectionLeaderResponse,
        operation: &'static str,
    ) -> Result<ElectionLeaderResponse, Error> {
        let stripped = self.strip_kv(&mut response.kv, Outcome::NotApplied);
        stripped.map_err(|error| error.with_operation(operation))?;
        Ok(response)
    }
}

/// The error for a key outside of the namespace. It does not contain the key, because errors never show keys.
fn outside(outcome: Outcome) -> Error {
    let error = Error::new(ErrorKind::Protocol, "the response has a key outside of the namespace");
    error.with_outcome(outcome)
}
