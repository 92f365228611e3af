//! Watches: on real members, on clusters that lose some, and on members that say what a test has them say.
//!
//! | etcd (`tests/integration/clientv3/watch/watch_test.go`) | here |
//! |---|---|
//! | `TestWatchMultiWatcher`, `TestWatchRange` | [`events`]`::several_watches_of_one_client..` |
//! | `TestWatchReconnRequest` | [`moves`]`::a_watch_is_created_while_connections_come_and_go` |
//! | `TestWatchReconnInit`, `TestWatchReconnRunning` | [`moves`]`::dropped_connection_loses_no_event` |
//! | `TestWatchCancelImmediate` | no counterpart: there is no context; a dropped future creates nothing, [`many`]`::watches_that_come_and_go..` |
//! | `TestWatchCancelInit`, `TestWatchCancelRunning`, `TestWatchCancelDisconnected`, `TestWatchClose` | [`moves`]`::a_cancelled_watch_ends..` |
//! | `TestWatchResumeAfterDisconnect` | [`moves`]`::history_is_read_in_order_after_a_long_absence` |
//! | `TestWatchResumeCompacted` | [`compaction`]`::a_compaction_while_away_ends_a_watch_once` |
//! | `TestWatchCompactRevision` | [`compaction`]`::a_start_that_is_gone..` |
//! | `TestWatchWithProgressNotify..`, `TestConfigurableWatchProgressNotifyInterval` | [`progress`]`::progress_notifications_come_only_on_request` |
//! | `TestWatchRequestProgress` | [`progress`]`::progress_is_a_revision..` |
//! | `TestWatchEventType` | [`events`]`::event_kinds_are_distinguished` |
//! | `TestWatchErrConnClosed`, `TestWatchAfterClose`, `TestWatchCancelAndCloseClient` | [`moves`]`::{a_closed_client.., a_dropped_client..}` |
//! | `TestWatchWithRequireLeader` | always asked for, and followed elsewhere: [`moves`]`::watches_leave_a_member_without_a_leader` |
//! | `TestWatchWithFilter`, `TestWatchWithCreatedNotification` | [`events`]`::creation_is_reported_once_and_filters_hold` |
//! | `TestWatchWithCreatedNotificationDropConn` | [`moves`]`::dropped_connection_loses_no_event` |
//! | `TestWatchMixedPrevKVOnSameKeySeparateStreams` | [`many`]`::different_metadata_is_a_different_stream` |
//! | `TestWatchCancelOnServer`, `TestWatchOverlapContextCancel`, `TestWatchStressResumeClose` | [`many`] |
//! | `TestWatch` | a negative revision is refused before it is sent: `watch/request.rs` |
//!
//! | etcd (`v3_watch_test.go`, raw) | here |
//! |---|---|
//! | `TestV3WatchFromCurrentRevision`, `TestV3WatchMultipleWatchers..`, `TestV3WatchWithFilter`, `TestV3WatchWithPrevKV`, `TestV3WatchEmptyKey` | [`events`] |
//! | `TestV3WatchFutureRevision` | [`events`]`::future_watch..` |
//! | `TestV3WatchWrongRange` | refused before it is sent: `watch/request.rs` |
//! | `TestV3WatchCancelSynced`, `TestV3WatchCancelUnsynced`, `TestV3WatchCancellation`, `TestV3WatchCloseCancelRace`, `TestV3WatchClose` | [`many`], [`slow`]`::dropping_a_parked_watch..` |
//! | `TestV3WatchCurrentPutOverlap`, `TestV3WatchProgressOnMemberRestart` | `watch/state/tests/random.rs`, [`moves`]`::lost_members..` |
//! | `TestV3WatchMultipleEvents..` | [`events`]`::the_events_of_a_transaction_come_together` |
//! | `TestV3WatchProgressWaitsForSync` | [`progress`]`::progress_waits_for_history` |
//! | `TestV3WatchProgressWaitsForSyncNoEvents` | [`progress`]`::progress_of_a_watch_resumed..` |
//! | `TestV3NoEventsLostOnCompact` | [`compaction`]`::slow_reader_behind_a_compaction..` |
//! | `TestWatchFragment..` | [`slow`]`::a_revision_larger_than_the_buffer..`, [`hostile`]`::message_too_large..` |
//! | `TestWatchWithLowPermissionUser` (e2e) | [`secured`]`::denied_watch_does_not_affect_others` |

mod compaction;
mod events;
mod fake;
mod hostile;
mod many;
mod moves;
mod pinned;
mod progress;
pub(crate) mod rig;
mod secured;
mod slow;
