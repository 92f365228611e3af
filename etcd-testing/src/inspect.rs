//! The state of a member and the requests that it got, as typed values for assertions.

use std::time::Duration;

use bytes::Bytes;
use etcd_proto::mvccpb::KeyValue;

use crate::call::Call;
use crate::etcd::Etcd;
use crate::store::Span;

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredKey {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// The revision at which the key was created.
    pub create_revision: i64,
    /// The revision of the last put.
    pub mod_revision: i64,
    /// The number of puts since the key was created.
    pub version: i64,
    /// The lease of the key, or zero.
    pub lease: i64,
}

impl From<&KeyValue> for StoredKey {
    fn from(kv: &KeyValue) -> Self {
        Self {
            key: kv.key.clone(),
            value: kv.value.clone(),
            create_revision: kv.create_revision,
            mod_revision: kv.mod_revision,
            version: kv.version,
            lease: kv.lease,
        }
    }
}

/// A lease that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveLease {
    /// The identifier.
    pub id: i64,
    /// The granted time to live.
    pub ttl: Duration,
    /// The time until the lease ends, unless it is renewed.
    pub remaining: Duration,
    /// The keys attached to the lease, in order.
    pub keys: Vec<Bytes>,
}

/// A watch that a client has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveWatch {
    /// The stream of the watch. Watches of one client can share a stream.
    pub stream: u64,
    /// The identifier of the watch on its stream.
    pub id: i64,
    /// The first key.
    pub key: Bytes,
    /// The end of the range as in the request: empty for one key, and `\0` for all keys from the first on.
    pub range_end: Bytes,
    /// The revision from which the client wants events, or zero for the present.
    pub start_revision: i64,
}

/// A request that the member got.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The time at which it came, since the start of the member.
    pub at: Duration,
    /// The request.
    pub call: Call,
}

/// Inspection.
impl Etcd {
    /// Returns the revision of the store.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.shared().with(|member| member.store.revision())
    }

    /// Returns the revision of the last compaction, if there was one.
    #[must_use]
    pub fn compacted_revision(&self) -> Option<i64> {
        self.shared().with(|member| Some(member.store.compacted()).filter(|revision| *revision >= 0))
    }

    /// Returns all keys, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let etcd = etcd_testing::Etcd::start().await?;
    /// assert!(etcd.keys().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<StoredKey> {
        let all = Span::From(Bytes::new());
        self.shared().with(|member| {
            let revision = member.store.revision();
            member.store.scan(&all, revision).map(StoredKey::from).collect()
        })
    }

    /// Returns one key.
    #[must_use]
    pub fn key(&self, key: impl AsRef<[u8]>) -> Option<StoredKey> {
        self.shared().with(|member| {
            let revision = member.store.revision();
            member.store.at(key.as_ref(), revision).map(StoredKey::from)
        })
    }

    /// Returns all leases, in the order of their identifiers.
    #[must_use]
    pub fn leases(&self) -> Vec<LiveLease> {
        self.shared().with(|member| {
            let now = member.now();
            let leases = member.leases.iter().map(|(id, lease)| LiveLease {
                id,
                ttl: Duration::from_secs(u64::try_from(lease.ttl).unwrap_or(0)),
                remaining: lease.expiry.saturating_sub(now),
                keys: lease.keys.iter().cloned().collect(),
            });
            leases.collect()
        })
    }

    /// Returns all watches that are neither cancelled nor ended by a compaction.
    #[must_use]
    pub fn watches(&self) -> Vec<LiveWatch> {
        self.shared().with(|member| {
            let live = member.watches.iter().filter(|(_, _, watcher)| watcher.is_live());
            let watches = live.map(|(stream, id, watcher)| LiveWatch {
                stream,
                id,
                key: watcher.request.key.clone(),
                range_end: watcher.request.range_end.clone(),
                start_revision: watcher.request.start_revision,
            });
            watches.collect()
        })
    }

    /// Returns the requests that the member got, the oldest first. It keeps the last 10,000.
    ///
    /// Requests to which a fault happened before they were applied are not among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_testing::{Call, Etcd};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let etcd = Etcd::builder().without_listener().start().await?;
    /// let client = etcd_client_core::Client::over_service(etcd.service())?;
    /// client.put("greeting", "hello").await?;
    /// assert!(matches!(&etcd.requests()[0].call, Call::Put(put) if put.key == "greeting"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared().requests()
    }

    /// Forgets the requests that came so far.
    pub fn clear_requests(&self) {
        self.shared().clear_requests();
    }
}
