//! The multi-version store of a member: every key at every revision since the last compaction.
//!
//! Everything here is a function of its arguments. The rules are those of etcd's `server/storage/mvcc` and
//! `server/etcdserver/txn`.

mod checks;
mod compare;
mod history;
mod range;
mod txn;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use bytes::Bytes;
use etcd_proto::etcdserverpb::ResponseHeader;
use etcd_proto::mvccpb::KeyValue;
use prost::Message as _;

pub(crate) use self::checks::{check_delete, check_intervals, check_put, check_range, check_txn};
pub(crate) use self::history::Change;
use self::history::History;
pub(crate) use self::range::{Span, has_default_order, has_revision_filters, range_end};
pub(crate) use self::txn::{is_read_only, puts};
pub(crate) use self::write::Write;
use crate::rejection::{COMPACTED, FUTURE_REVISION, Rejection};

/// The revision that etcd reports before the first compaction.
const NEVER_COMPACTED: i64 = -1;

/// Keys, their histories, and the log of all changes that a watch can still see.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    revision: i64,
    compacted: i64,
    keys: BTreeMap<Bytes, History>,
    /// All changes since the compaction, in the order in which they were made.
    log: VecDeque<Change>,
}

impl Store {
    /// Creates an empty store. Its revision is 1, as that of etcd.
    pub(crate) fn new() -> Self {
        Self { revision: 1, compacted: NEVER_COMPACTED, keys: BTreeMap::new(), log: VecDeque::new() }
    }

    pub(crate) const fn revision(&self) -> i64 {
        self.revision
    }

    /// Returns the revision of the last compaction, or -1.
    pub(crate) const fn compacted(&self) -> i64 {
        self.compacted
    }

    /// Returns `key` as of `revision`, unless that is compacted.
    pub(crate) fn at(&self, key: &[u8], revision: i64) -> Option<&KeyValue> {
        if revision < self.compacted {
            return None;
        }
        self.keys.get(key)?.at(revision)
    }

    /// Returns all key-value pairs in `span` as of `revision`, in key order.
    pub(crate) fn scan(&self, span: &Span, revision: i64) -> impl Iterator<Item = &KeyValue> {
        let (from, to) = span.bounds();
        self.keys.range::<[u8], _>((from, to)).filter_map(move |(_, history)| history.at(revision))
    }

    /// Returns the changes from `revision` on, in the order in which they were made.
    pub(crate) fn changes_since(&self, revision: i64) -> impl Iterator<Item = &Change> {
        let first = self.log.partition_point(|change| change.revision() < revision);
        self.log.range(first..)
    }

    /// Returns the size of all keys and values that are kept, in bytes.
    pub(crate) fn size(&self) -> i64 {
        let sizes = self.log.iter().map(|change| change.kv.key.len() + change.kv.value.len());
        i64::try_from(sizes.sum::<usize>()).unwrap_or(i64::MAX)
    }

    /// Returns a hash of all keys as of `revision`. Equal stores have equal hashes; it is not the hash of a real etcd.
    pub(crate) fn hash(&self, revision: i64) -> u32 {
        let all = Span::From(Bytes::new());
        self.scan(&all, revision).fold(0x811c_9dc5, |hash, kv| fnv(hash, &kv.encode_to_vec()))
    }

    /// Compacts the history before `revision`.
    pub(crate) fn compact(&mut self, revision: i64) -> Result<(), Rejection> {
        if revision <= self.compacted {
            return Err(COMPACTED);
        }
        if revision > self.revision {
            return Err(FUTURE_REVISION);
        }
        self.compacted = revision;
        self.keys.retain(|_, history| history.compact(revision));
        let compacted = self.log.partition_point(|change| change.revision() < revision);
        self.log.drain(..compacted);
        Ok(())
    }
}

/// Returns the header of an operation inside of a transaction, which has a revision only.
pub(crate) const fn bare_header(revision: i64) -> ResponseHeader {
    ResponseHeader { cluster_id: 0, member_id: 0, revision, raft_term: 0 }
}

/// Continues an FNV-1a hash.
fn fnv(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Returns the bound that `end` is as an exclusive upper bound.
const fn excluded(end: &[u8]) -> Bound<&[u8]> {
    Bound::Excluded(end)
}

#[cfg(test)]
mod tests;
