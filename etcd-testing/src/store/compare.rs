//! The conditions of a transaction.

use std::cmp::Ordering;

use bytes::Bytes;
use etcd_proto::etcdserverpb::Compare;
use etcd_proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use etcd_proto::mvccpb::KeyValue;

use super::{Span, Store};

impl Store {
    /// Returns whether every key of the range of `compare` meets it.
    ///
    /// A missing key has zeros as revisions, version and lease, and no value: a comparison of values fails.
    pub(super) fn meets(&self, compare: &Compare) -> bool {
        let span = Span::of(&compare.key, &compare.range_end);
        let mut kvs = self.scan(&span, self.revision()).peekable();
        if kvs.peek().is_none() {
            return compare.target != CompareTarget::Value as i32 && holds(compare, &KeyValue::default());
        }
        kvs.all(|kv| holds(compare, kv))
    }
}

/// Returns whether `kv` meets `compare`. An unknown target is equal to everything, and an unknown result always holds.
fn holds(compare: &Compare, kv: &KeyValue) -> bool {
    let Ok(result) = CompareResult::try_from(compare.result) else { return true };
    let order = match CompareTarget::try_from(compare.target) {
        Ok(target) => order(target, compare.target_union.as_ref(), kv),
        Err(_) => Ordering::Equal,
    };
    match result {
        CompareResult::Equal => order.is_eq(),
        CompareResult::NotEqual => order.is_ne(),
        CompareResult::Greater => order.is_gt(),
        CompareResult::Less => order.is_lt(),
    }
}

/// Compares the target of `kv` with the given one, which is empty or zero if the union has another member.
fn order(target: CompareTarget, union: Option<&TargetUnion>, kv: &KeyValue) -> Ordering {
    match target {
        CompareTarget::Value => match union {
            Some(TargetUnion::Value(value)) => kv.value.cmp(value),
            _ => kv.value.cmp(&Bytes::new()),
        },
        CompareTarget::Create => kv.create_revision.cmp(&match union {
            Some(TargetUnion::CreateRevision(revision)) => *revision,
            _ => 0,
        }),
        CompareTarget::Mod => kv.mod_revision.cmp(&match union {
            Some(TargetUnion::ModRevision(revision)) => *revision,
            _ => 0,
        }),
        CompareTarget::Version => kv.version.cmp(&match union {
            Some(TargetUnion::Version(version)) => *version,
            _ => 0,
        }),
        CompareTarget::Lease => kv.lease.cmp(&match union {
            Some(TargetUnion::Lease(lease)) => *lease,
            _ => 0,
        }),
    }
}
