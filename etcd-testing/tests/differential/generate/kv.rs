//! The KV service: ranges with every option, writes, nested transactions, compactions.

use etcd_proto::etcdserverpb::{
    CompactionRequest, Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest,
    compare::{CompareTarget, TargetUnion},
    request_op::Request,
};
use fastrand::Rng;

use super::{among, keys, one_in, weighted};
use crate::operation::{CURRENT, LEASES, Op};

/// The operations of a transaction, per branch, are fewer than this.
const OPERATIONS: usize = 5;

pub(super) fn any(rng: &mut Rng) -> Op {
    let make: fn(&mut Rng) -> Op = weighted(
        rng,
        &[
            (20, range as _),
            (33, put as _),
            (12, delete as _),
            (28, txn as _),
            (4, compact as _),
            (2, stream as _),
        ],
    );
    make(rng)
}

/// An operation that probably changes the store.
pub(super) fn write(rng: &mut Rng) -> Op {
    let make: fn(&mut Rng) -> Op =
        weighted(rng, &[(50, put as _), (20, delete as _), (26, txn as _), (3, compact as _)]);
    make(rng)
}

pub(super) fn range(rng: &mut Rng) -> Op {
    Op::Range(range_request(rng))
}

fn stream(rng: &mut Rng) -> Op {
    Op::RangeStream(range_request(rng))
}

fn put(rng: &mut Rng) -> Op {
    Op::Put(put_request(rng))
}

fn delete(rng: &mut Rng) -> Op {
    Op::Delete(delete_request(rng))
}

fn txn(rng: &mut Rng) -> Op {
    let mut txn = txn_request(rng, 0);
    if any_request(&txn, &|request| matches!(request, Request::RequestDeleteRange(_))) {
        forget_previous(&mut txn);
    }
    Op::Txn(txn)
}

fn any_request(txn: &TxnRequest, wanted: &dyn Fn(&Request) -> bool) -> bool {
    txn.success.iter().chain(&txn.failure).filter_map(|op| op.request.as_ref()).any(|request| match request {
        Request::RequestTxn(txn) => any_request(txn, wanted),
        other => wanted(other),
    })
}

/// Lets the puts of a transaction that deletes replace value and lease. etcd 3.7.3 panics when a put that keeps the
/// value finds its key deleted by the same transaction, for example from the key on (`\0`).
fn forget_previous(txn: &mut TxnRequest) {
    for op in txn.success.iter_mut().chain(&mut txn.failure) {
        match &mut op.request {
            Some(Request::RequestPut(put)) => (put.ignore_value, put.ignore_lease) = (false, false),
            Some(Request::RequestTxn(txn)) => forget_previous(txn),
            _ => {}
        }
    }
}

fn compact(rng: &mut Rng) -> Op {
    let revision = if rng.bool() { CURRENT - rng.i64(3..20) } else { keys::any_revision(rng) };
    Op::Compact(CompactionRequest { revision, physical: one_in(rng, 4) })
}

fn range_request(rng: &mut Rng) -> RangeRequest {
    let (key, range_end) = keys::range(rng);
    let bound = |rng: &mut Rng| if one_in(rng, 8) { keys::any_revision(rng) } else { 0 };
    let sorted = rng.u8(0..3) == 0;
    RangeRequest {
        key,
        range_end,
        limit: weighted(rng, &[(60, 0), (10, 1), (10, 2), (8, 3), (4, 100), (2, -1)]),
        revision: keys::revision(rng),
        sort_order: if sorted { weighted(rng, &[(10, 0), (20, 1), (20, 2), (1, 7)]) } else { 0 },
        // An unknown target makes etcd before 3.6 panic.
        sort_target: if sorted { rng.i32(0..5) } else { 0 },
        serializable: one_in(rng, 4),
        keys_only: one_in(rng, 5),
        count_only: one_in(rng, 6),
        min_mod_revision: bound(rng),
        max_mod_revision: bound(rng),
        min_create_revision: bound(rng),
        max_create_revision: bound(rng),
    }
}

pub(super) fn put_request(rng: &mut Rng) -> PutRequest {
    let ignore_value = one_in(rng, 8);
    let ignore_lease = one_in(rng, 8);
    PutRequest {
        key: keys::key(rng),
        value: if ignore_value && !one_in(rng, 5) { bytes::Bytes::new() } else { keys::value(rng) },
        lease: lease(rng, ignore_lease),
        prev_kv: one_in(rng, 3),
        ignore_value,
        ignore_lease,
    }
}

fn lease(rng: &mut Rng, ignored: bool) -> i64 {
    let chosen = if ignored { one_in(rng, 5) } else { one_in(rng, 6) };
    if chosen { among(rng, &LEASES) } else { 0 }
}

fn delete_request(rng: &mut Rng) -> DeleteRangeRequest {
    let (key, range_end) = keys::range(rng);
    DeleteRangeRequest { key, range_end, prev_kv: one_in(rng, 3) }
}

fn txn_request(rng: &mut Rng, depth: u32) -> TxnRequest {
    let compares = among(rng, &[0, 0, 1, 1, 2, 3]);
    TxnRequest {
        compare: (0..compares).map(|_| compare(rng)).collect(),
        success: branch(rng, depth),
        failure: branch(rng, depth),
    }
}

fn branch(rng: &mut Rng, depth: u32) -> Vec<RequestOp> {
    // Long branches rarely hold no key twice, which etcd refuses.
    let length = weighted(rng, &[(20, 0), (40, 1), (25, 2), (10, 3), (5, OPERATIONS)]);
    (0..length).map(|_| operation(rng, depth)).collect()
}

fn operation(rng: &mut Rng, depth: u32) -> RequestOp {
    let nested = if depth < 3 { 12 } else { 0 };
    let request = match weighted(rng, &[(100, 0), (120, 1), (60, 2), (nested * 3, 3), (2, 4)]) {
        0 => Some(Request::RequestRange(range_in_txn(rng))),
        1 => Some(Request::RequestPut(put_request(rng))),
        2 => Some(Request::RequestDeleteRange(delete_request(rng))),
        3 => Some(Request::RequestTxn(txn_request(rng, depth + 1))),
        _ => None,
    };
    RequestOp { request }
}

/// One bad range fails the whole transaction, so most read the current revision.
fn range_in_txn(rng: &mut Rng) -> RangeRequest {
    let mut range = range_request(rng);
    if !one_in(rng, 4) {
        range.revision = 0;
    }
    range
}

fn compare(rng: &mut Rng) -> Compare {
    let (key, range_end) = if one_in(rng, 4) { keys::range(rng) } else { (keys::key(rng), "".into()) };
    let target = weighted(rng, &[(10, 0), (10, 1), (10, 2), (12, 3), (8, 4), (1, 9)]);
    let matching = CompareTarget::try_from(target).unwrap_or(CompareTarget::Version);
    // etcd reads the zero of the target's type where another type or none is given.
    let given = if one_in(rng, 25) { CompareTarget::Value } else { matching };
    Compare {
        result: weighted(rng, &[(12, 0), (8, 1), (8, 2), (8, 3), (1, 9)]),
        target,
        key,
        range_end,
        target_union: if one_in(rng, 30) { None } else { Some(target_union(rng, given)) },
    }
}

fn target_union(rng: &mut Rng, target: CompareTarget) -> TargetUnion {
    let revision = |rng: &mut Rng| if one_in(rng, 3) { 0 } else { CURRENT - rng.i64(-1..6) };
    match target {
        CompareTarget::Version => TargetUnion::Version(among(rng, &[0, 0, 1, 1, 2, 3])),
        CompareTarget::Create => TargetUnion::CreateRevision(revision(rng)),
        CompareTarget::Mod => TargetUnion::ModRevision(revision(rng)),
        CompareTarget::Value => TargetUnion::Value(keys::value(rng)),
        CompareTarget::Lease => TargetUnion::Lease(among(rng, &[0, 0, 1, 2, 3, -5])),
    }
}
