//! Encoded sizes of requests.

use prost::Message as _;

use super::kv::{delete_message, put_message, range_request};
use super::txn::txn_message;
use crate::op::{DeleteSpec, GetSpec, Limits, PutSpec, TxnSpec};

pub(crate) fn get_len(get: &GetSpec) -> usize {
    range_request(get).encoded_len()
}

pub(crate) fn put_len(put: &PutSpec) -> usize {
    put_message(put.clone()).encoded_len()
}

pub(crate) fn delete_len(delete: &DeleteSpec) -> usize {
    delete_message(delete).encoded_len()
}

/// Returns the encoded size, including the range that [`add_linearizing_range`](crate::op::add_linearizing_range)
/// adds.
pub(crate) fn txn_len(txn: &TxnSpec, limits: &Limits) -> usize {
    let mut txn = txn.clone();
    crate::op::add_linearizing_range(&mut txn, limits.max_txn_ops);
    txn_message(txn).encoded_len()
}
