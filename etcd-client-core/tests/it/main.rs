//! The client on real members and on scripted servers.
//!
//! Which test of etcd's own suite has its counterpart where; `C::` is [`conformance`]. What is not here waits for the part
//! of the client that it is about.
//!
//! | etcd (`tests/integration/clientv3/kv_test.go`, `txn_test.go`) | here |
//! |---|---|
//! | `TestKVPutError` | `C::execute`, [`validation`], [`errors`]`::{a_server_refuses.., a_full_database..}` |
//! | `TestKVPutWithLease` | `C::put::a_lease_is_attached_and_an_overwrite_detaches_it` |
//! | `TestKVPutWithIgnoreValue`, `TestKVPutWithIgnoreLease` | `C::put::{ignore_value.., ignore_lease.., ignoring_on_a_missing_key..}` |
//! | `TestKVPutWithRequireLeader` | [`no_quorum`] |
//! | `TestKVRange` | `C::get::the_whole_keyspace_in_key_order` |
//! | `TestKVGetErrConnClosed`, `TestKVNewAfterClose` | [`closing`]`::calls_after_close_return_closed` |
//! | `TestKVDeleteRange` | `C::delete::each_range_form` |
//! | `TestKVCompactError`, `TestKVCompact` | `C::compact`; the watch of the second: [`watch`]`::compaction` |
//! | `TestKVGetStreamCompactedError` | [`range_stream`]`::streamed_range_reports_compaction..` |
//! | `TestKVGetKeysOnlyWithCountOnly` | `C::get::every_combination_of_options` |
//! | `TestKVGetRetry`, `TestTxnReadRetry` | [`stopped_server`]`::a_get_outlives_the_restart_of_its_member` |
//! | `TestKVPutFailGetRetry`, `TestTxnWriteFail` | [`stopped_server`]`::{a_call_waits.., calls_to_a_killed_member..}` |
//! | `TestKVGetCancel` | [`cancellation`] |
//! | `TestKVGetStoppedServerAndClose`, `TestKVPutStoppedServerAndClose` | [`stopped_server`]`::calls_to_a_killed_member..` |
//! | `TestKVPutAtMostOnce` | [`at_most_once`] |
//! | `TestKVLargeRequests` | [`large_requests`] |
//! | `TestKVForLearner`, `TestBalancerSupportLearner` | [`learner`], [`membership`]`::changes::a_learner_is_used_once_it_votes` |
//! | `TestTxnError` | [`validation`]`::{one_key_written_twice.., too_many_operations}`, [`errors`] |
//! | `TestTxnSuccess` | `C::txn::the_success_branch_is_applied` |
//! | `TestTxnCompareRange` | `C::compare_range` |
//! | `TestTxnNested` | `C::txn_nested` |
//!
//! | etcd (`lease_test.go`, `v3_lease_test.go`: the unary calls) | here |
//! |---|---|
//! | `TestLeaseNotFoundError`, `TestV3PutOnNonExistLease` | `C::put::an_unknown_lease_is_rejected` |
//! | `TestLeaseGrant`, `TestLeaseRevoke`, `TestV3LeaseRevoke` | `C::lease` |
//! | `TestLeaseGrantErrConnClosed`, `TestLeaseGrantNewAfterClose`, `TestLeaseRevokeNewAfterClose` | [`closing`] |
//! | `TestLeaseTimeToLive`, `TestLeaseTimeToLiveLeaseNotFound`, `TestV3GetNonExistLease`, `TestLeaseLeases` | `C::lease` |
//! | `TestV3LeaseGrantByID`, `TestV3LeaseExists`, `TestV3LeaseExpire`, `TestV3LeaseRecoverKeyWithDetachedLease` | `C::lease` |
//! | `TestV3LeaseNegativeID` | `C::lease::a_negative_id_is_granted_and_works` |
//! | `TestV3LeaseSwitch` | `C::lease::a_key_put_without_its_lease_survives_it` |
//! | keepalive, promotion, failover of leases | [`lease_keepalive`] |
//! | `leasing_test.go` | the table of [`leasing`] |
//!
//! | etcd (`tests/common`) | here |
//! |---|---|
//! | `TestKVPut`, `TestKVGet`, `TestKVDelete` | `C::put`, `C::get`, `C::delete` |
//! | `TestKVGetStream` | `C::pages`, [`range_stream`] |
//! | `TestKVGetNoQuorum` | [`no_quorum`] |
//! | `TestLeaseGrantTimeToLive`, `TestLeaseGrantAndList`, `TestLeaseGrantTimeToLiveExpired`, `TestLeaseGrantRevoke` | `C::lease` |
//! | `TestTxnSucc`, `TestTxnFail` | `C::txn` |
//! | members, status, alarms, hashes, leadership, downgrades | the tables of [`cluster`], [`maintenance`] and [`move_leader`] |
//! | `TestLeaseGrantKeepAliveOnce` | `C::lease::one_renewal_gives_the_whole_time_again` |
//! | `TestWatch`, `TestWaitLeader`, `TestWaitLeader_MemberStop` | [`watch`]`::events`, `::moves`; [`cluster`] |
//!
//! | etcd (raw KV of `tests/integration`) | here |
//! |---|---|
//! | `TestV3PutOverwrite`, `TestKVWithEmptyValue` | `C::put` |
//! | `TestV3PutRestart`, `TestRevisionMonotonicWithRestarts`, `..WithLeaderRestarts` | [`restarts`] |
//! | `TestRevisionMonotonicWithPartitions`, `..WithLeaderPartitions` | with the fault runs |
//! | `TestV3CompactCurrentRev` | `C::compact::the_current_revision_can_be_compacted` |
//! | `TestV3TxnTooManyOps`, `TestV3TxnDuplicateKeys` | [`validation`], [`errors`] |
//! | `TestV3TxnRevision`, `TestV3TxnCmpHeaderRev`, `TestTxnRangeRequestConsistency` | `C::txn`: the last by the order and revision of operations |
//! | `TestV3TxnRangeCompare`, `TestV3TxnNestedPath` | `C::compare_range`, `C::txn_nested` |
//! | `TestV3PutIgnoreValue`, `TestV3PutIgnoreLease`, `TestV3PutMissingLease` | `C::put` |
//! | `TestV3DeleteRange`, `TestV3TxnInvalidRange`, `TestV3RangeRequest` | `C::delete`, `C::txn::an_inverted_range_is_empty`, `C::get` |
//! | `TestV3TooLargeRequest`, `TestV3LargeRequests`, `TestV3AdditionalGRPCOptions` | [`errors`], [`large_requests`] |
//! | `TestV3StorageQuotaAPI`, `TestV3StorageQuotaApply` | [`errors`]`::a_full_database..` |
//! | `TestV3AlarmDeactivate` | [`maintenance`]`::a_full_database_can_be_made_writable_again` |
//! | `TestV3CorruptAlarm`, `TestV3CorruptAlarmWithLeaseCorrupted` | with the fault runs: data must be corrupted on disk |
//! | `TestV3RangeStreamCount` | the count is not given: `C::pages::the_limit_is_one_of_all_pages` shows the keys |
//! | `TestV3RangeStreamPartialThenCompacted`, `TestV3RangeStreamWriteBetweenChunks`, `TestV3RangeStreamLargeValues` | `C::compact::compaction_between_pages_ends_them`, `C::pages_at_revision`, `C::pages::large_values_come_whole` |
//! | `TestGRPCRequireLeader` | [`no_quorum`]; `TestGRPCStreamRequireLeader`: [`watch`]`::moves::watches_leave_a_member_without_a_leader` |
//! | `TestV3KVInflightRangeRequests` | [`stopped_server`]`::gets_in_flight_end_when_the_member_stops` |
//!
//! | etcd (`connectivity/dial_test.go`) | here |
//! |---|---|
//! | `TestSwitchSetEndpoints`, `TestSetEndpointAndPut` | [`membership`]`::set_endpoints::calls_go_to_the_endpoints_that_were_set_last` |
//! | `TestDialForeignEndpoint` | [`membership`]`::set_endpoints::a_client_of_one_member_calls_that_one` |
//! | `TestRejectOldCluster` | [`membership`]`::versions` |
//! | `TestDialSetEndpointsBeforeFail`, `TestDialSetEndpointsAfterFail` | [`membership`]`::changes::every_member_is_replaced_under_a_client_that_follows` |
//! Those of the administration of auth: [`auth_admin`].
//!
//! | etcd (unit tests of `client/v3`) | here |
//! |---|---|
//! | `TestDialCancel` | [`closing`]`::close_returns_although_nothing_listens` |
//! | `TestOpWithSort`, `TestIsSortOptionValid`, `TestTxnPanics`, `TestCompactOp` | [`validation`]; what panics in Go is a typed error or has no form here |
//! | `TestMetadataWithRequireLeader`, `TestMetadataWithClientAPIVersion` | [`no_quorum`] |
//! | `TestCompareClonesInput`, `TestWithRangeClonesInput`, `TestTxnIfClonesCmp`, `TestOpTxnClonesCmps` | keys and values are owned or shared bytes that nobody can change |
//! | the others | unit tests of their modules, or with the part they are about |

mod at_most_once;
mod auth;
mod auth_admin;
#[cfg(feature = "blocking")]
mod blocking;
mod cache;
mod cancellation;
mod closing;
mod cluster;
mod conformance;
mod connecting;
#[cfg(feature = "naming")]
mod debugging;
#[cfg(feature = "srv")]
mod discovery;
mod errors;
mod facts;
mod failover;
mod false_alarms;
mod hints;
mod hostile;
mod http2;
mod large_requests;
mod learner;
mod lease_keepalive;
mod leasing;
#[cfg(feature = "serde")]
mod live;
mod maintenance;
mod membership;
mod middleware;
mod mirror;
mod move_leader;
mod namespace;
#[cfg(feature = "naming")]
mod naming;
mod no_quorum;
mod notice;
mod observing;
mod proxies;
#[cfg(feature = "proxy")]
mod proxy;
mod range_stream;
mod replaced;
mod restarts;
mod restored;
mod server_lock;
mod servers;
mod service_traits;
mod snapshot;
mod stale_compare;
mod stopped_server;
mod stub;
mod tap;
#[cfg(feature = "tls")]
mod tls;
mod unsent;
mod update;
mod validation;
mod watch;
