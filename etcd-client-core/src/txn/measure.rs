//! Encoded sizes of requests.

use prost::Message as _;

use crate::{
    kv::{
        Delete, Get, Put,
        codec::{delete_message, put_message, range_request},
    },
    request::Limits,
    txn::{Txn, codec::txn_message},
};

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
