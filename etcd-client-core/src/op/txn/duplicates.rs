//! One key written twice in a Txn, found as etcd's `checkIntervals` finds it (server/etcdserver/api/v3rpc/key.go).
//!
//! Puts of one level must differ from each other, from the puts of nested Txns, and from everything deleted at
//! this level or below. The two branches of one Txn exclude each other, so they may share puts. Nested Txns are
//! taken in order: a put is held against the deletes of earlier siblings, not against those of later ones.
//! A delete without an upper end is not seen: etcd compares its end `"\0"` as a key, which makes the range empty.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use etcd_errors::Code;

use super::TxnSpec;
use super::check::Place;
use crate::op::{Invalid, KeyRange, Op};

/// Refuses a Txn in which etcd would find a duplicate key. Depth is bounded by `check_level`, which ran before.
pub(super) fn check(txn: &TxnSpec) -> Result<(), Invalid> {
    check_branch("success", &txn.success)?;
    check_branch("failure", &txn.failure)?;
    Ok(())
}

/// What a branch writes, nested Txns included.
#[derive(Default)]
struct Writes<'a> {
    puts: HashSet<&'a [u8]>,
    deletes: Intervals,
}

fn check_branch<'a>(branch: &'static str, ops: &'a [Op]) -> Result<Writes<'a>, Invalid> {
    let mut writes = Writes::default();
    for op in ops {
        if let Op::Delete(delete) = op {
            writes.deletes.insert(&delete.spec().range);
        }
    }
    for (index, op) in ops.iter().enumerate() {
        if let Op::Txn(txn) = op {
            merge_nested(&mut writes, txn.spec())
                .map_err(|invalid| invalid.within(Place(branch, index, ".txn")))?;
        }
    }
    for (index, op) in ops.iter().enumerate() {
        if let Op::Put(put) = op {
            let key = put.spec().key.as_bytes();
            if writes.deletes.contain(key) || !writes.puts.insert(key) {
                return Err(duplicate().within(Place(branch, index, ".put")));
            }
        }
    }
    Ok(writes)
}

fn merge_nested<'a>(writes: &mut Writes<'a>, txn: &'a TxnSpec) -> Result<(), Invalid> {
    let success = check_branch("success", &txn.success)?;
    let failure = check_branch("failure", &txn.failure)?;
    let mut new = success.puts.union(&failure.puts);
    if new.any(|key| writes.puts.contains(*key) || writes.deletes.contain(key)) {
        return Err(duplicate());
    }
    for puts in [success.puts, failure.puts] {
        absorb(&mut writes.puts, puts);
    }
    writes.deletes.absorb(success.deletes);
    writes.deletes.absorb(failure.deletes);
    Ok(())
}

/// Moves the smaller set into the larger.
fn absorb<'a>(into: &mut HashSet<&'a [u8]>, mut from: HashSet<&'a [u8]>) {
    if into.len() < from.len() {
        std::mem::swap(into, &mut from);
    }
    into.extend(from);
}

/// The place says which one; errors show no keys.
fn duplicate() -> Invalid {
    Invalid::new("key", "is written twice in one txn").code(Code::DuplicateKey)
}

/// Disjoint half-open intervals of keys: start to end.
#[derive(Default)]
struct Intervals(BTreeMap<Vec<u8>, Vec<u8>>);

impl Intervals {
    fn insert(&mut self, range: &KeyRange) {
        let (start, end) = range.bounds();
        let mut end = end.to_vec();
        if end.is_empty() {
            end = start.to_vec();
            end.push(0);
        }
        self.insert_interval(start.to_vec(), end);
    }

    fn insert_interval(&mut self, mut start: Vec<u8>, mut end: Vec<u8>) {
        if end <= start {
            return;
        }
        while let Some((from, to)) = self.0.range::<[u8], _>(up_to(&end)).next_back() {
            if *to < start {
                break;
            }
            start = start.min(from.clone());
            end = end.max(to.clone());
            let from = from.clone();
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    fn contain(&self, key: &[u8]) -> bool {
        self.0.range::<[u8], _>(up_to(key)).next_back().is_some_and(|(_, end)| key < &end[..])
    }

    fn absorb(&mut self, mut other: Self) {
        if self.0.len() < other.0.len() {
            std::mem::swap(self, &mut other);
        }
        for (start, end) in other.0 {
            self.insert_interval(start, end);
        }
    }
}

fn up_to(key: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Unbounded, Bound::Included(key))
}
