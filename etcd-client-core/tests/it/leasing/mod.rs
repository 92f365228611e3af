//! Leasing handles on real members.
//!
//! Each test of Go's leasing package has its counterpart:
//!
//! | etcd (`tests/integration/clientv3/lease/leasing_test.go`) | here |
//! |---|---|
//! | `TestLeasingPutGet` | [`others`]`::three_handles_see_each_others_writes` |
//! | `TestLeasingInterval` | [`owner`]`::ranges_are_read_from_the_member` |
//! | `TestLeasingPutInvalidateNew`, `..Existing` | [`owner`]`::cached_pair_equals_that_of_the_member` |
//! | `TestLeasingGetNoLeaseTTL` | [`owner`]`::key_with_a_lease_is_not_cached` |
//! | `TestLeasingGetSerializable` | [`offline`]`::serializable_get_needs_no_quorum` |
//! | `TestLeasingPrevKey` | [`owner`]`::options_of_writes_apply` |
//! | `TestLeasingRevGet` | [`owner`]`::earlier_revision_is_read_from_the_member` |
//! | `TestLeasingGetWithOpts` | [`offline`]`::owned_keys_are_served_while_the_member_is_down`; a sort of one key is invalid here |
//! | `TestLeasingConcurrentPut` | [`owner`]`::concurrent_puts_leave_the_latest_pair` |
//! | `TestLeasingDisconnectedGet`, `..OwnerPutResponse` | [`offline`]`::owned_keys_are_served_while_the_member_is_down` |
//! | `TestLeasingDeleteOwner` | [`owner`]`::deleted_key_is_owned_and_missing` |
//! | `TestLeasingDeleteNonOwner` | [`others`]`::deletion_by_another_handle_is_seen` |
//! | `TestLeasingOverwriteResponse` | nobody can change the `Bytes` of a response |
//! | `TestLeasingTxnOwnerGetRange` | [`owner`]`::ranges_are_read_from_the_member` |
//! | `TestLeasingTxnOwnerGet`, `..TxnOwnerIf`, `..TxnOwnerPutBranch` | [`offline`]`::transactions_are_served_while_the_member_is_down` |
//! | `TestLeasingTxnOwnerDeleteRange`, `..TxnOwnerDelete` | [`owner`]`::transaction_that_deletes_updates_the_cache` |
//! | `TestLeasingTxnCancel` | [`faults`]`::write_waits_for_an_unreachable_owner_until_its_timeout` |
//! | `TestLeasingTxnNonOwnerPut` | [`others`]`::transaction_of_another_handle_is_seen_at_one_revision` |
//! | `TestLeasingTxnRandIfThenOrElse` | [`others`]`::random_transactions_agree_with_the_store` |
//! | `TestLeasingOwnerPutError`, `..OwnerDeleteError`, `..NonOwnerPutError` | [`offline`]`::writes_fail_while_the_member_is_down` |
//! | `TestLeasingOwnerDeletePrefix`, `..OwnerDeleteFrom` | [`owner`]`::deleted_range_is_one_revision` |
//! | `TestLeasingDeleteRangeBounds` | [`others`]`::deleted_range_leaves_the_owners_of_other_keys` |
//! | `TestLeasingDeleteRangeContendTxn`, `TestLeaseDeleteRangeContendDel` | [`others`]`::deleted_range_contends_with_puts` |
//! | `TestLeasingPutGetDeleteConcurrent` | [`others`]`::concurrent_handles_agree_in_the_end` |
//! | `TestLeasingReconnectOwnerRevoke`, `..RevokeCompact` | [`faults`]`::owner_releases_after_its_link_and_history_were_lost` |
//! | `TestLeasingReconnectOwnerConsistency` | [`faults`]`::writes_over_a_flapping_link_leave_the_state_of_the_store` |
//! | `TestLeasingTxnAtomicCache` | [`others`]`::transactions_are_never_seen_in_part` |
//! | `TestLeasingReconnectTxn`, `..ReconnectNonOwnerGet` | [`faults`]`::reads_over_a_flapping_link_succeed` |
//! | `TestLeasingTxnRangeCmp` | [`owner`]`::condition_on_a_range_is_evaluated_by_the_member` |
//! | `TestLeasingDo` | [`owner`]`::every_kind_of_operation_is_executed` |
//! | `TestLeasingSessionExpire` | [`faults`]`::another_client_writes_after_the_session_expired` |
//! | `TestLeasingSessionExpireCancel` | [`faults`]`::every_request_has_its_timeout_without_a_session` |
//!
//! Go's clients on the same prefix: [`shared_with_go`].

mod check;
mod faults;
mod offline;
mod others;
mod owner;
mod shared_with_go;

use std::time::Duration;

use etcd_client_core::{Client, KeyValue, leasing::Leasing};
use tokio::time::timeout;

use crate::servers::PATIENCE;

/// Starts a handle whose lease has the TTL `ttl` in seconds.
async fn start(client: &Client, prefix: &str, ttl: u64) -> Leasing {
    let builder = Leasing::builder(client.clone(), prefix).ttl(Duration::from_secs(ttl));
    let leasing = builder.start().expect("valid");
    timeout(PATIENCE, leasing.ready()).await.expect("in time").expect("a lease");
    leasing
}

async fn pair(leasing: &Leasing, key: &str) -> Option<KeyValue> {
    timeout(PATIENCE, leasing.get(key)).await.expect("in time").expect("read").into_first()
}

async fn stored(client: &Client, key: &str) -> Option<KeyValue> {
    timeout(PATIENCE, client.get(key)).await.expect("in time").expect("read").into_first()
}

async fn value(leasing: &Leasing, key: &str) -> Option<String> {
    pair(leasing, key).await.map(|kv| kv.value_str().expect("text").to_owned())
}

async fn put(leasing: &Leasing, key: &str, value: &str) {
    timeout(PATIENCE, leasing.put(key, value)).await.expect("in time").expect("put");
}

/// Reads a key that must be served from memory.
async fn cached(leasing: &Leasing, key: &str) -> Option<KeyValue> {
    let before = leasing.counters().cached_reads;
    let found = pair(leasing, key).await;
    assert_eq!(leasing.counters().cached_reads, before + 1, "{key} is not cached");
    found
}
