//! The check of a request's encoded size. A cheap upper bound settles nearly every case; only a request close to the
//! limit is measured exactly.

use etcd_errors::Code;
use prost::Message as _;

use crate::{
    kv::{
        Delete, Get, Put,
        codec::{delete_message, put_message, range_request},
    },
    request::Limits,
    txn::{Compare, Op, Txn, codec::txn_message},
    types::{Invalid, KeyRange},
};

/// An upper bound for everything except keys and values: 13 fields of at most 11 bytes, and two wrappers.
const OVERHEAD: usize = 192;

/// Rejects a write over `max_request_bytes`, and any request over `max_send_bytes`.
pub(crate) fn check(
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
        let complaint = format!("takes {size} bytes; writes are limited to {most} bytes (max_request_bytes)");
        return Err(Invalid::new("request", complaint).code(Code::RequestTooLarge));
    }
    if size > limits.max_send_bytes {
        let most = limits.max_send_bytes;
        let complaint = format!("takes {size} bytes; the server accepts {most} bytes (max_send_bytes)");
        return Err(Invalid::new("request", complaint));
    }
    Ok(())
}

/// Checks a request whose size is little more than that of `parts`, such as a request for a lock or a campaign.
pub(crate) fn check_parts(limits: &Limits, writes: bool, parts: &[usize]) -> Result<(), Invalid> {
    let size = parts.iter().sum();
    check(limits, writes, size, || size)
}

pub(crate) fn of_range(range: &KeyRange) -> usize {
    // The end of a prefix is at most as long as the prefix itself.
    OVERHEAD + 2 * range.key().len() + range.explicit_end_len()
}

pub(crate) fn of_put(put: &Put) -> usize {
    OVERHEAD + put.key.len() + put.value.len()
}

pub(crate) fn of_txn(txn: &Txn) -> usize {
    let compares: usize = txn.compares().iter().map(of_compare).sum();
    let ops: usize = txn.success().iter().chain(txn.failure()).map(of_op).sum();
    // `linearize` may append a range that repeats the key of the first compare.
    let hidden = txn.compares().first().map_or(0, |first| first.range().key().len());
    2 * OVERHEAD + compares + ops + hidden
}

fn of_compare(compare: &Compare) -> usize {
    of_range(compare.range()) + compare.operand().value_len()
}

fn of_op(op: &Op) -> usize {
    match op {
        Op::Get(get) => of_range(&get.range),
        Op::Put(put) => of_put(put),
        Op::Delete(delete) => of_range(&delete.range),
        Op::Txn(txn) => of_txn(txn),
    }
}

pub(crate) fn get_len(get: &Get) -> usize {
    range_request(get).encoded_len()
}

pub(crate) fn put_len(put: &Put) -> usize {
    put_message(put.clone()).encoded_len()
}

pub(crate) fn delete_len(delete: &Delete) -> usize {
    delete_message(delete).encoded_len()
}

/// Returns the encoded size, including the range that [`add_linearizing_range`](crate::txn::add_linearizing_range)
/// adds.
pub(crate) fn txn_len(txn: &Txn, limits: &Limits) -> usize {
    let mut txn = txn.clone();
    crate::txn::add_linearizing_range(&mut txn, limits.max_txn_ops);
    txn_message(txn).encoded_len()
}
