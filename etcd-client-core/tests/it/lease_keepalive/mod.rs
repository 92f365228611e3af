//! Leases that are kept alive.
//!
//! | etcd (`tests/integration/clientv3/lease/lease_test.go`, `v3_lease_test.go`) | here |
//! |---|---|
//! | `TestLeaseKeepAliveOnce`, `TestLeaseGrantKeepAliveOnce` (common) | [`renewing`]`::one_renewal..` |
//! | `TestLeaseKeepAlive` | [`renewing`]`::two_handles_share..`; a client that was closed: [`ending`] |
//! | `TestLeaseKeepAliveSeconds`, `TestV3LeaseKeepAlive` | [`renewing`]`::a_short_lease_outlives_its_time` |
//! | `TestLeaseKeepAliveHandleFailure` | [`faults`]`::a_lease_outlives_the_restart_of_its_only_member` |
//! | `TestLeaseKeepAliveNotFound` | [`renewing`]`::revoking_one_of_three..` |
//! | `TestLeaseKeepAliveFullResponseQueue` | there is no queue to fill: [`scripted`]`::renewals_keep_their_pace..` |
//! | `TestLeaseKeepAliveCloseAfterDisconnectRevoke` | [`faults`]`::lease_revoked_during_a_partition..` |
//! | `TestLeaseKeepAliveInitTimeout` | [`faults`]`::keep_alive_without_a_member_fails_in_time` |
//! | `TestLeaseKeepAliveTTLTimeout` | [`faults`]`::lease_without_members_is_lost_at_its_deadline` |
//! | `TestLeaseRenewLostQuorum` | [`faults`]`::quorum_loss_shorter_than_the_ttl_loses_no_lease` |
//! | `TestLeaseKeepAliveLoopExit` | [`ending`]`::after_close_nothing_is_kept_alive` |
//! | `TestV3LeaseFailureOverlap` | with sessions |
//! | `TestLeaseWithRequireLeader` | no lease is given up before its deadline here: [`faults`]`::quorum_loss..` shows how it stands |
//! | `TestV3LeaseRenewStress`, `..WithClusterClient` | [`renewing`]`::a_lease_is_renewed_through_any_member_right_after_its_grant` |
//! | `TestV3LeaseKeepAliveForwardingCatchError` | [`scripted`]`::{a_refused_lease.., errors_of_the_stream..}` |
//! | `TestV3LeasePromote`, `TestV3LeaseFailover` | [`faults`]`::the_leader_killed..` |
//! | `TestV3LeaseCheckpoint`, `TestV3LeaseRecoverKeyWithMultipleLease`, `TestV3LeaseRevokeAndRecover`, `TestV3LeaseTimeToLiveWithLeaderChanged` | what servers do among themselves |

mod ending;
mod fake;
mod faults;
#[cfg(unix)]
mod frozen;
mod healing;
mod many;
mod renewing;
mod scripted;

use std::time::Duration;

use etcd_client_core::{
    Client,
    lease::{LeaseKeeper, LeaseLost},
};
use tokio::time::timeout;

use crate::servers::PATIENCE;

const SECOND: Duration = Duration::from_secs(1);

/// A lease of `seconds` that is kept alive.
async fn kept(client: &Client, seconds: u64) -> LeaseKeeper {
    let ttl = Duration::from_secs(seconds);
    client.lease().grant(ttl).keep_alive().await.expect("granted")
}

/// Waits until the lease is lost.
async fn lost(lease: &LeaseKeeper) -> LeaseLost {
    timeout(PATIENCE, lease.lost()).await.expect("it is lost")
}
