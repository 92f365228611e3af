//! Between operations and the messages of `etcd-proto`: the only module that names both.
//!
//! Keys and values are shared, not copied. Nothing a server sends panics: what cannot be is
//! `ErrorKind::Protocol`, and a count below zero is zero.

mod answer;
mod header;
mod kv;
mod lease;
mod measure;
mod shape;
mod snapshot;
#[cfg(test)]
mod tests;
mod txn;

pub(crate) use answer::Answer;
pub(crate) use kv::{
    compact_request, compact_response, delete_request, delete_response, get_request, get_response,
    put_request, put_response, range_chunk,
};
pub(crate) use lease::{
    lease_grant_request, lease_grant_response, lease_list_request, lease_list_response, lease_revoke_request,
    lease_revoke_response, lease_time_to_live_request, lease_time_to_live_response,
};
pub(crate) use measure::{delete_len, get_len, put_len, txn_len};
pub(crate) use snapshot::{SnapshotPart, snapshot_part};
pub(crate) use txn::{txn_request, txn_response};
