//! Reads: spans of keys, filters, orders and limits.

use std::cmp::Ordering;
use std::ops::Bound;

use bytes::Bytes;
use etcd_proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use etcd_proto::etcdserverpb::{RangeRequest, RangeResponse};
use etcd_proto::mvccpb::KeyValue;

use super::{Store, bare_header, excluded};
use crate::line::Line;
use crate::rejection::{COMPACTED, FUTURE_REVISION, Rejection};

/// The keys that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span {
    /// One key.
    Key(Bytes),
    /// The keys from the first on.
    From(Bytes),
    /// The keys from the first on and before the second.
    Between(Bytes, Bytes),
}

impl Span {
    /// Reads the fields `key` and `range_end` of a request.
    pub(crate) fn of(key: &Bytes, range_end: &Bytes) -> Self {
        match &range_end[..] {
            [] => Self::Key(key.clone()),
            [0] => Self::From(key.clone()),
            _ => Self::Between(key.clone(), range_end.clone()),
        }
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::Key(only) => only == key,
            Self::From(first) => &first[..] <= key,
            Self::Between(first, end) => &first[..] <= key && key < &end[..],
        }
    }

    /// Returns the bounds for a search in a sorted map, in the right order even if the span is inverted.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        match self {
            Self::Key(only) => (Bound::Included(only), Bound::Included(only)),
            Self::From(first) => (Bound::Included(first), Bound::Unbounded),
            Self::Between(first, end) if first < end => (Bound::Included(first), excluded(end)),
            Self::Between(first, _) => (Bound::Included(first), excluded(first)),
        }
    }
}

/// Returns the `range_end` of the keys that begin with `prefix`.
pub(crate) fn range_end(prefix: &[u8]) -> Bytes {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end.into();
        }
    }
    Bytes::from_static(&[0])
}

impl Store {
    /// Executes `request` while `current` is the newest revision.
    ///
    /// Inside of a transaction that has written, `current` is the revision of its writes.
    pub(crate) fn range(
        &self,
        request: &RangeRequest,
        current: i64,
        line: Line,
    ) -> Result<RangeResponse, Rejection> {
        if request.revision > current {
            return Err(FUTURE_REVISION);
        }
        let revision = if request.revision <= 0 { current } else { request.revision };
        if revision < self.compacted() {
            return Err(COMPACTED);
        }
        let span = Span::of(&request.key, &request.range_end);
        let header = Some(bare_header(current));
        if request.count_only {
            let count = self.scan(&span, revision).count();
            return Ok(RangeResponse { header, count: length(count), ..Default::default() });
        }
        let (mut kvs, count) = self.collect(&span, revision, page(request));
        kvs.retain(|kv| passes(request, kv));
        sort(request, &mut kvs);
        let more = cut(request.limit, &mut kvs);
        if request.keys_only {
            let from_index = line >= Line::V3_7 && request.sort_target() != SortTarget::Value;
            for kv in &mut kvs {
                kv.value = Bytes::new();
                if from_index {
                    // 3.7 answers from its index of keys, which has no leases.
                    kv.lease = 0;
                }
            }
        }
        Ok(RangeResponse { header, kvs, more, count: length(count) })
    }

    /// Returns up to `limit` key-value pairs, and the number of all.
    fn collect(&self, span: &Span, revision: i64, limit: usize) -> (Vec<KeyValue>, usize) {
        let mut scan = self.scan(span, revision);
        let kvs: Vec<_> = scan.by_ref().take(limit).cloned().collect();
        let count = kvs.len() + scan.count();
        (kvs, count)
    }
}

/// Returns the number of key-value pairs to read: one more than requested, unless all are needed to filter or to sort.
fn page(request: &RangeRequest) -> usize {
    if request.limit <= 0 || !has_default_order(request) || has_revision_filters(request) {
        return usize::MAX;
    }
    usize::try_from(request.limit).map_or(usize::MAX, |limit| limit.saturating_add(1))
}

/// Returns whether the response has the order of the keys, ascending.
pub(crate) fn has_default_order(request: &RangeRequest) -> bool {
    request.sort_order == SortOrder::None as i32
        || (request.sort_target == SortTarget::Key as i32 && request.sort_order == SortOrder::Ascend as i32)
}

pub(crate) const fn has_revision_filters(request: &RangeRequest) -> bool {
    request.min_mod_revision != 0
        || request.max_mod_revision != 0
        || request.min_create_revision != 0
        || request.max_create_revision != 0
}

/// Returns whether `kv` passes the revision filters. A bound of zero is no bound.
const fn passes(request: &RangeRequest, kv: &KeyValue) -> bool {
    within(kv.mod_revision, request.min_mod_revision, request.max_mod_revision)
        && within(kv.create_revision, request.min_create_revision, request.max_create_revision)
}

const fn within(revision: i64, min: i64, max: i64) -> bool {
    (min == 0 || revision >= min) && (max == 0 || revision <= max)
}

/// Sorts as requested. A target other than the key without an order sorts ascending, as etcd does.
fn sort(request: &RangeRequest, kvs: &mut [KeyValue]) {
    let target = request.sort_target();
    let descending = request.sort_order() == SortOrder::Descend;
    if target == SortTarget::Key && !descending {
        return;
    }
    let order = |a: &KeyValue, b: &KeyValue| -> Ordering {
        match target {
            SortTarget::Key => a.key.cmp(&b.key),
            SortTarget::Version => a.version.cmp(&b.version),
            SortTarget::Create => a.create_revision.cmp(&b.create_revision),
            SortTarget::Mod => a.mod_revision.cmp(&b.mod_revision),
            SortTarget::Value => a.value.cmp(&b.value),
        }
    };
    if descending {
        kvs.sort_by(|a, b| order(b, a));
    } else {
        kvs.sort_by(order);
    }
}

/// Cuts the response to its limit. Returns whether that cut something off.
fn cut(limit: i64, kvs: &mut Vec<KeyValue>) -> bool {
    let Ok(limit) = usize::try_from(limit) else { return false };
    if limit == 0 || kvs.len() <= limit {
        return false;
    }
    kvs.truncate(limit);
    true
}

/// Returns a length as a number of the protocol.
pub(super) fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
