//! Executes a get on a snapshot with the semantics of a member.

use std::cmp::Ordering;

use bytes::Bytes;
use etcd_errors::Error;

use crate::{
    cache::CacheSnapshot,
    kv::{Get, GetResponse, SortOrder, SortTarget},
    types::{KeyValue, ResponseHeader, Revision},
};

/// Executes a get on a snapshot. The header has the revision of the snapshot and no ids, because no member was called.
pub(crate) fn answer(snapshot: &CacheSnapshot, get: &Get) -> Result<GetResponse, Error> {
    let span = snapshot.covered(&get.range)?;
    let header = ResponseHeader { revision: snapshot.revision(), ..ResponseHeader::default() };
    let in_range = snapshot.pairs.range(span);
    if get.count_only {
        return Ok(GetResponse::new(header, Vec::new()).with_count(in_range.count() as u64));
    }
    let (mut count, mut kept) = (0_u64, Vec::new());
    for kv in in_range {
        count += 1;
        // As in etcd, `count` ignores the filters. Without a sort, one pair beyond the limit is enough to set `more`.
        if passes(get, kv) && (get.sort.is_some() || !is_above(get.limit, kept.len())) {
            kept.push(kv);
        }
    }
    if let Some((target, order)) = get.sort {
        kept.sort_by(|a, b| by(target, order, a, b));
    }
    let more = is_above(get.limit, kept.len());
    if more {
        kept.truncate(usize::try_from(get.limit).unwrap_or(usize::MAX));
    }
    let kvs = kept.into_iter().map(|kv| shown(kv, get.keys_only)).collect();
    Ok(GetResponse::new(header, kvs).with_count(count).with_more(more))
}

fn is_above(limit: i64, len: usize) -> bool {
    limit > 0 && i64::try_from(len).unwrap_or(i64::MAX) > limit
}

fn passes(get: &Get, kv: &KeyValue) -> bool {
    let within = |revision, min, max| revision >= min && (max == Revision::ZERO || revision <= max);
    within(kv.mod_revision, get.min_mod_revision, get.max_mod_revision)
        && within(kv.create_revision, get.min_create_revision, get.max_create_revision)
}

/// Compares two pairs by the sort target. The sort is stable, so pairs with equal targets stay in key order.
fn by(target: SortTarget, order: SortOrder, a: &KeyValue, b: &KeyValue) -> Ordering {
    let ascending = match target {
        SortTarget::Key => a.key.cmp(&b.key),
        SortTarget::Version => a.version.cmp(&b.version),
        SortTarget::CreateRevision => a.create_revision.cmp(&b.create_revision),
        SortTarget::ModRevision => a.mod_revision.cmp(&b.mod_revision),
        SortTarget::Value => a.value.cmp(&b.value),
    };
    match order {
        SortOrder::Ascend => ascending,
        SortOrder::Descend => ascending.reverse(),
    }
}

fn shown(kv: &KeyValue, keys_only: bool) -> KeyValue {
    let mut kv = kv.clone();
    if keys_only {
        kv.value = Bytes::new();
    }
    kv
}
