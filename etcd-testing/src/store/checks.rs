//! The checks that a request passes before anything is read: those of etcd's `api/v3rpc/key.go`.

use std::collections::BTreeSet;

use bytes::Bytes;
use etcd_proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use etcd_proto::etcdserverpb::request_op::Request;
use etcd_proto::etcdserverpb::{DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest};

use crate::line::Line;
use crate::rejection::{
    DUPLICATE_KEY, EMPTY_KEY, INVALID_SORT, KEY_NOT_FOUND, LEASE_PROVIDED, Rejection, TOO_MANY_OPS,
    VALUE_PROVIDED,
};

/// Checks a read. Servers before 3.6 accept unknown sort options, and some options end the server; a member of such a
/// line rejects them like 3.6.
pub(crate) fn check_range(request: &RangeRequest, _line: Line) -> Result<(), Rejection> {
    if request.key.is_empty() {
        return Err(EMPTY_KEY);
    }
    if SortOrder::try_from(request.sort_order).is_err() || SortTarget::try_from(request.sort_target).is_err()
    {
        return Err(INVALID_SORT);
    }
    Ok(())
}

/// Checks a put.
pub(crate) fn check_put(request: &PutRequest) -> Result<(), Rejection> {
    if request.key.is_empty() {
        return Err(EMPTY_KEY);
    }
    if request.ignore_value && !request.value.is_empty() {
        return Err(VALUE_PROVIDED);
    }
    if request.ignore_lease && request.lease != 0 {
        return Err(LEASE_PROVIDED);
    }
    Ok(())
}

/// Checks a deletion.
pub(crate) fn check_delete(request: &DeleteRangeRequest) -> Result<(), Rejection> {
    if request.key.is_empty() { Err(EMPTY_KEY) } else { Ok(()) }
}

/// Checks a transaction with up to `max_ops` operations. The operations of nested transactions count as well: each level
/// takes its longest list from what its parent left.
pub(crate) fn check_txn(request: &TxnRequest, max_ops: usize, line: Line) -> Result<(), Rejection> {
    let ops = request.compare.len().max(request.success.len()).max(request.failure.len());
    let Some(left) = max_ops.checked_sub(ops) else { return Err(TOO_MANY_OPS) };
    if request.compare.iter().any(|compare| compare.key.is_empty()) {
        return Err(EMPTY_KEY);
    }
    request.success.iter().chain(&request.failure).try_for_each(|op| check_op(op, left, line))
}

fn check_op(op: &RequestOp, max_ops: usize, line: Line) -> Result<(), Rejection> {
    match &op.request {
        Some(Request::RequestRange(range)) => check_range(range, line),
        Some(Request::RequestPut(put)) => check_put(put),
        Some(Request::RequestDeleteRange(delete)) => check_delete(delete),
        Some(Request::RequestTxn(txn)) => check_txn(txn, max_ops, line),
        None => Err(KEY_NOT_FOUND),
    }
}

/// Checks that no key is written twice by one list of operations.
///
/// A put may not meet a deletion of the same list or of a transaction nested in it, nor another put. The two branches of
/// a nested transaction exclude each other and may both put a key.
pub(crate) fn check_intervals(ops: &[RequestOp]) -> Result<(), Rejection> {
    Written::by(ops).map(drop)
}

/// The keys that a list of operations can write.
#[derive(Debug, Default)]
struct Written<'a> {
    puts: BTreeSet<&'a Bytes>,
    deletes: Vec<&'a DeleteRangeRequest>,
}

impl<'a> Written<'a> {
    fn by(ops: &'a [RequestOp]) -> Result<Self, Rejection> {
        let requests = || ops.iter().filter_map(|op| op.request.as_ref());
        let mut written = Self::default();
        // The deletions come first: a nested put meets those of its parents.
        written.deletes.extend(requests().filter_map(|request| match request {
            Request::RequestDeleteRange(delete) => Some(delete),
            _ => None,
        }));
        for request in requests() {
            if let Request::RequestTxn(txn) = request {
                written.nest(Self::by(&txn.success)?, Self::by(&txn.failure)?)?;
            }
        }
        for request in requests() {
            if let Request::RequestPut(put) = request {
                written.put(&put.key)?;
            }
        }
        Ok(written)
    }

    /// Adds a nested transaction with its two branches.
    ///
    /// Like etcd, this compares the puts of a nested transaction with the deletions seen so far. The deletions of later
    /// nested transactions are not compared with them.
    fn nest(&mut self, success: Self, failure: Self) -> Result<(), Rejection> {
        for key in &success.puts {
            self.put(key)?;
        }
        for key in &failure.puts {
            if (self.puts.contains(key) && !success.puts.contains(key)) || self.deletes(key) {
                return Err(DUPLICATE_KEY);
            }
            self.puts.insert(key);
        }
        self.deletes.extend(success.deletes);
        self.deletes.extend(failure.deletes);
        Ok(())
    }

    fn put(&mut self, key: &'a Bytes) -> Result<(), Rejection> {
        if self.deletes(key) || !self.puts.insert(key) { Err(DUPLICATE_KEY) } else { Ok(()) }
    }

    /// Returns whether a deletion covers `key`.
    ///
    /// etcd compares the plain `range_end`, so a deletion of all keys from one on (`\0`) covers no key here.
    fn deletes(&self, key: &Bytes) -> bool {
        self.deletes.iter().any(|delete| {
            if delete.range_end.is_empty() {
                delete.key == *key
            } else {
                delete.key <= *key && *key < delete.range_end
            }
        })
    }
}
