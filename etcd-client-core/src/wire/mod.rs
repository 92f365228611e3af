//! Conversions between operations and the messages of `etcd-proto`. No other module names both.
//!
//! Keys and values are shared, not copied. No server input causes a panic: an impossible response is an
//! `ErrorKind::Protocol` error, and negative counts become zero.

mod answer;
pub(crate) mod auth;
mod cluster;
mod election;
mod header;
mod kv;
mod lease;
mod lock;
mod maintenance;
mod measure;
mod shape;
mod snapshot;
#[cfg(test)]
mod tests;
mod txn;
mod watch;

pub(crate) use answer::Answer;
pub(crate) use cluster::{
    listed_by_proxy, member_add_request, member_add_response, member_list_request, member_list_response,
    member_promote_request, member_promote_response, member_remove_request, member_remove_response,
    member_update_request, member_update_response,
};
pub(crate) use election::{
    campaign_request, campaign_response, leader_request, leader_response, observe_request, proclaim_request,
    proclaim_response, resign_request, resign_response,
};
pub(crate) use kv::{
    compact_request, compact_response, delete_request, delete_response, get_request, get_response,
    put_request, put_response, range_chunk,
};
pub(crate) use lease::{
    lease_grant_request, lease_grant_response, lease_keep_alive_request, lease_keep_alive_response,
    lease_list_request, lease_list_response, lease_revoke_request, lease_revoke_response,
    lease_time_to_live_request, lease_time_to_live_response, lease_ttl,
};
pub(crate) use lock::{lock_request, lock_response, unlock_request, unlock_response};
pub(crate) use maintenance::{
    alarm_disarm_request, alarm_disarm_response, alarm_list_request, alarm_list_response, defragment_request,
    defragment_response, downgrade_request, downgrade_response, hash_kv_request, hash_kv_response,
    hash_request, hash_response, move_leader_request, move_leader_response, status_request, status_response,
};
pub(crate) use measure::{delete_len, get_len, put_len, txn_len};
pub(crate) use snapshot::{SnapshotPart, snapshot_part};
pub(crate) use txn::{txn_request, txn_response};
pub(crate) use watch::{
    WatchMessage, watch_cancel_request, watch_create_request, watch_echo_request, watch_message,
    watch_progress_request,
};
