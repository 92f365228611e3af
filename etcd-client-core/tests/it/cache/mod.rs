//! Caches on real members.
//!
//! | etcd (`tests/integration/cache_test.go`) | here |
//! |---|---|
//! | `TestCacheWithoutPrefixWatch`, `TestCacheWithPrefixWatch` | [`following`]`::each_revision..`; a cache tells changes of its whole range |
//! | `TestCacheServerRequestProgress`, `TestCacheRequestProgress`, `TestCacheWithProgressNotify` | [`linearizable`]`::quiet_range..` |
//! | `TestCacheWithoutPrefixGet`, `TestCacheWithPrefixGetInScope` | [`conforming`]: the cases of a get, serializable and linearizable |
//! | `TestCacheWithPrefixGetOutOfScope` | unit tests: `keys_outside_of_the_range_are_refused` |
//! | `TestCacheLaggingWatcher` | unit tests: `a_subscriber_too_far_behind_is_given_the_sum` |
//! | `TestCacheUnsupportedGetOptions` | none is unsupported here |
//! | `TestCacheUnsupportedWatchOptions` | have no form here |

mod compaction;
mod conforming;
mod following;
mod linearizable;

use etcd_client_core::{
    Cache, Client, KeyValue, Revision,
    cache::{CacheChange, CacheChanges, CacheSnapshot},
    types::KeyRange,
};
use tokio::time::timeout;

use crate::servers::PATIENCE;

/// A cache that is ready.
async fn live(client: &Client, range: KeyRange) -> Cache {
    let cache = Cache::builder(client, range).start().expect("a cache");
    timeout(PATIENCE, cache.ready()).await.expect("in time").expect("ready");
    cache
}

async fn reached(cache: &Cache, revision: Revision) -> CacheSnapshot {
    timeout(PATIENCE, cache.wait_for_revision(revision)).await.expect("in time").expect("reached")
}

async fn next(changes: &mut CacheChanges) -> CacheChange {
    timeout(PATIENCE, changes.next()).await.expect("in time").expect("a change").expect("a change")
}

fn pairs(snapshot: &CacheSnapshot) -> Vec<KeyValue> {
    snapshot.iter().cloned().collect()
}
