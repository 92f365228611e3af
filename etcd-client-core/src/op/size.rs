//! Whether the encoded request fits. A cheap upper bound settles nearly every case; only a request close to
//! the limit is measured exactly.

use etcd_errors::Code;

use super::{Compare, Invalid, KeyRange, Limits, Op, PutSpec, TxnSpec};

/// More than everything but keys and values takes: 13 fields of at most 11 bytes and two wrappers.
const OVERHEAD: usize = 192;

/// Refuses a write over `max_request_bytes`, and anything over `max_send_bytes`.
pub(super) fn check(
    limits: &Limits,
    writes: bool,
    upper_bound: usize,
    exact: impl FnOnce() -> usize,
) -> Result<(), Invalid> {
    let strictest =
        if writes { limits.max_request_bytes.min(limits.max_send_bytes) } else { limits.max_send_bytes };
    if upper_bound <= strictest {
        return Ok(());
    }
    let size = exact();
    if writes && size > limits.max_request_bytes {
        let most = limits.max_request_bytes;
        let complaint = format!("takes {size} bytes, more than the {most} a write may (max_request_bytes)");
        return Err(Invalid::new("request", complaint).code(Code::RequestTooLarge));
    }
    if size > limits.max_send_bytes {
        let most = limits.max_send_bytes;
        let complaint =
            format!("takes {size} bytes, more than the {most} a server receives (max_send_bytes)");
        return Err(Invalid::new("request", complaint));
    }
    Ok(())
}

/// The same for a request that is little more than these parts, which leads to a write or a read of a key with them.
pub(super) fn check_parts(limits: &Limits, writes: bool, parts: &[usize]) -> Result<(), Invalid> {
    let size = parts.iter().sum();
    check(limits, writes, size, || size)
}

pub(super) fn of_range(range: &KeyRange) -> usize {
    // A prefix has an end as long as itself.
    OVERHEAD + 2 * range.key().len() + range.explicit_end_len()
}

pub(super) fn of_put(put: &PutSpec) -> usize {
    OVERHEAD + put.key.len() + put.value.len()
}

pub(super) fn of_txn(txn: &TxnSpec) -> usize {
    let compares: usize = txn.compares().iter().map(of_compare).sum();
    let ops: usize = txn.success().iter().chain(txn.failure()).map(of_op).sum();
    // The range that linearizes a check repeats one key.
    let hidden = txn.compares().first().map_or(0, |first| first.range().key().len());
    2 * OVERHEAD + compares + ops + hidden
}

fn of_compare(compare: &Compare) -> usize {
    of_range(compare.range()) + compare.operand().value_len()
}

fn of_op(op: &Op) -> usize {
    match op {
        Op::Get(get) => of_range(&get.spec().range),
        Op::Put(put) => of_put(put.spec()),
        Op::Delete(delete) => of_range(&delete.spec().range),
        Op::Txn(txn) => of_txn(txn.spec()),
    }
}
