//! Requests around the limits of their size and of their number of operations, and watch responses above the size at
//! which they are split. These sequences are long in time, and rare.

use bytes::Bytes;
use etcd_proto::etcdserverpb::{
    DeleteRangeRequest, PutRequest, RequestOp, TxnRequest, WatchCreateRequest, request_op::Request,
};
use fastrand::Rng;

use super::{among, keys, one_in, weighted};
use crate::operation::{Op, Step, Watch, Who};

/// Bytes of a value. Twelve of them exceed the 2 MiB of a watch response that is not split.
const VALUE: usize = 300_000;
/// The limit of a request in bytes.
const REQUEST: usize = 1_572_864;

pub(super) fn sequence(rng: &mut Rng) -> Vec<Step> {
    let mut ops = vec![watch(0, true), watch(0, false), watch(1, true)];
    ops.extend((0..12).map(|n| put(format!("a{n:02}").into(), VALUE, n)));
    ops.push(delete());
    ops.extend((0..20).map(|_| one(rng)));
    ops.into_iter().map(|op| Step { who: Who::Nobody, op }).collect()
}

fn one(rng: &mut Rng) -> Op {
    match weighted(rng, &[(4, 0), (4, 1), (4, 2), (2, 3)]) {
        0 => {
            let key = keys::key(rng);
            let around = among(rng, &[REQUEST - 200, REQUEST - 20, REQUEST, REQUEST + 1, REQUEST + 300_000]);
            put(key, around, 1)
        }
        1 => many(rng, 127),
        2 => many(rng, 128),
        _ => many(rng, 129),
    }
}

/// A transaction of this many operations, in one branch or nested.
fn many(rng: &mut Rng, operations: usize) -> Op {
    let request = |n: usize| PutRequest { key: format!("k{n}").into(), ..PutRequest::default() };
    let puts = (0..operations).map(|n| RequestOp { request: Some(Request::RequestPut(request(n))) });
    let txn = TxnRequest { success: puts.collect(), ..TxnRequest::default() };
    if one_in(rng, 3) {
        let inner = RequestOp { request: Some(Request::RequestTxn(txn)) };
        return Op::Txn(TxnRequest { success: vec![inner], ..TxnRequest::default() });
    }
    Op::Txn(txn)
}

fn put(key: Bytes, bytes: usize, byte: u8) -> Op {
    Op::Put(PutRequest { key, value: vec![byte; bytes].into(), ..PutRequest::default() })
}

fn delete() -> Op {
    Op::Delete(DeleteRangeRequest { key: "a".into(), range_end: "b".into(), prev_kv: false })
}

fn watch(stream: u8, fragment: bool) -> Op {
    let create = WatchCreateRequest {
        key: "a".into(),
        range_end: "b".into(),
        prev_kv: true,
        fragment,
        ..WatchCreateRequest::default()
    };
    Op::Watch(stream, Watch::Create(create))
}
