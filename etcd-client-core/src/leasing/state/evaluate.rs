//! Evaluates gets and transactions on owned keys, with the semantics of a member.

use std::{cmp::Ordering, time::Instant};

use bytes::Bytes;

use crate::{
    kv::{Get, GetResponse},
    leasing::state::State,
    txn::{Compare, CompareOp, CompareOperand, Op, OpResponse, Txn, TxnResponse},
    types::{KeyValue, ResponseHeader, Revision, Version},
};

/// Returns whether a get can be evaluated on one pair: it reads the current state of one key.
pub(crate) fn is_cacheable(get: &Get) -> bool {
    !get.range.is_range() && get.revision == Revision::ZERO
}

/// Evaluates a get of one key. As in etcd, `count` ignores the filters.
pub(crate) fn respond(get: &Get, header: ResponseHeader, kv: Option<&KeyValue>) -> GetResponse {
    let shown = kv.filter(|kv| !get.count_only && passes(get, kv));
    let kvs = shown.map(|kv| {
        let mut kv = kv.clone();
        if get.keys_only {
            kv.value = Bytes::new();
        }
        kv
    });
    GetResponse::new(header, kvs.into_iter().collect()).with_count(u64::from(kv.is_some()))
}

fn passes(get: &Get, kv: &KeyValue) -> bool {
    let within = |revision, min, max| revision >= min && (max == Revision::ZERO || revision <= max);
    within(kv.mod_revision, get.min_mod_revision, get.max_mod_revision)
        && within(kv.create_revision, get.min_create_revision, get.max_create_revision)
}

/// Returns whether a condition on one key holds. A condition on the value of a missing key never does.
fn holds(compare: &Compare, kv: Option<&KeyValue>) -> bool {
    let revision = |of: fn(&KeyValue) -> Revision| kv.map_or(Revision::ZERO, of);
    let ordering = match compare.operand() {
        CompareOperand::Value(value) => match kv {
            Some(kv) => kv.value[..].cmp(value.as_bytes()),
            None => return false,
        },
        CompareOperand::Version(version) => kv.map_or(Version::ZERO, |kv| kv.version).cmp(version),
        CompareOperand::CreateRevision(wanted) => revision(|kv| kv.create_revision).cmp(wanted),
        CompareOperand::ModRevision(wanted) => revision(|kv| kv.mod_revision).cmp(wanted),
        // An owned key has no lease. etcd compares the numbers, and zero stands for no lease.
        CompareOperand::Lease(lease) => 0.cmp(&lease.map_or(0, crate::types::LeaseId::get)),
    };
    match compare.op() {
        CompareOp::Equal => ordering == Ordering::Equal,
        CompareOp::NotEqual => ordering != Ordering::Equal,
        CompareOp::Greater => ordering == Ordering::Greater,
        CompareOp::Less => ordering == Ordering::Less,
    }
}

impl State {
    /// Evaluates a transaction at the time `now`, if its conditions and the branch that they select read only owned
    /// keys without writes in flight. `deadline` is the time until which the lease certainly exists.
    ///
    /// With a write in flight, a key may have its pair of after the write, and another key of the same write that of
    /// before it. A member then evaluates the transaction.
    pub(crate) fn evaluate(&self, txn: &Txn, now: Instant, deadline: Instant) -> Option<TxnResponse> {
        if self.session.is_none() || now >= deadline {
            return None;
        }
        let mut header = None;
        let mut pair = |range: &crate::types::KeyRange| {
            let entry = self
                .entries
                .get(range.key())
                .filter(|entry| !range.is_range() && entry.pending.is_empty())?;
            let newer = header.is_none_or(|header: ResponseHeader| header.revision < entry.header.revision);
            if newer {
                header = Some(entry.header);
            }
            Some(entry.kv.as_ref())
        };
        let mut succeeded = true;
        for compare in txn.compares() {
            succeeded &= holds(compare, pair(compare.range())?);
        }
        let mut pairs = Vec::new();
        for op in if succeeded { txn.success() } else { txn.failure() } {
            let Op::Get(get) = op else { return None };
            pairs.push((get, pair(&get.range).filter(|_| is_cacheable(get))?));
        }
        // Without a key, nothing shows a revision of the store.
        let header = header?;
        let responses =
            pairs.into_iter().map(|(get, kv)| OpResponse::Get(respond(get, header, kv))).collect();
        Some(TxnResponse::new(header, succeeded, responses))
    }
}
