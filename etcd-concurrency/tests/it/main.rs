//! Recipes on real etcd: alone, together with `etcdctl`, and while members are killed.
//!
//! The tables map tests of etcd's own suite to tests here. `recipes::` is the test suite on a model of etcd.
//!
//! | etcd (`tests/integration/clientv3/concurrency`, `v3_election_test.go`) | here |
//! |---|---|
//! | `TestMutexLockSessionExpired`, `TestMutexUnlock`, `TestSessionCtx` | `recipes::ended`, `recipes::cleanup` |
//! | `TestSessionOptions`, `TestSessionTTLOptions` | [`sessions`] |
//! | `TestResumeElection`, `TestElectionObserveFreshResponsesOnProclaim`, `TestElectionObserveCompacted` | `recipes::observing`, [`elections`] |
//! | `TestElectionWait`, `TestElectionFailover`, `TestElectionOnPrefixOfExistingKey`, `TestElectionOnSessionRestart` | [`elections`], `recipes::cleanup::orphaned_lock..` |
//! | `TestElectionSessionRecampaign` | here a second campaign of a session waits: `recipes::cleanup::tasks_of_one_session..` |
//!
//! | etcd (`experimental/recipes/v3_lock_test.go`) | here |
//! |---|---|
//! | `TestMutexLockSingleNode`, `TestMutexLockMultiNode`, `TestMutexWaitsOnCurrentHolder` | [`locks`], `recipes::polling` |
//! | `TestMutexTryLockSingleNode`, `TestMutexTryLockMultiNode` | [`locks`] |
//! | `TestMutexSessionRelock` | here a second lock of a session waits: `recipes::cleanup::tasks_of_one_session..` |
//! | `TestRWMutexSingleNode`, `TestRWMutexMultiNode` | [`others`], `recipes::shared` |
//!
//! | etcd (`v3_stm_test.go`) | here |
//! |---|---|
//! | `TestSTMConflict`, `TestSTMSerialize` | [`transactions`], `recipes::stm::{transfers.., reads_use_one_revision}` |
//! | `TestSTMPutNewKey`, `TestSTMAbort`, `TestSTMApplyOnConcurrentDeletion`, `TestSTMSerializableSnapshotPut` | `recipes::stm::{reads_include.., function_errors_abandon_the_transaction, range_reads.., isolation_levels..}` |
//!
//! | etcd (`experimental/recipes`: barriers and queues) | here |
//! |---|---|
//! | `TestBarrier*`, `TestDoubleBarrier*` | [`others`], [`meeting`], `recipes::meeting` |
//! | `TestQueue*`, `TestPrQueue*` | [`others`], `recipes::queues` |

mod canary;
mod crowd;
mod debugging;
mod elections;
mod etcdctl;
mod handoffs;
mod interop;
mod load;
mod locks;
mod meeting;
mod others;
mod proxied;
mod restored;
mod rig;
mod running;
mod sessions;
mod stopped;
mod tokens;
mod transactions;
