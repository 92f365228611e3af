//! Finds keys that a Txn writes twice, by the rules of etcd's `checkIntervals` (server/etcdserver/api/v3rpc/key.go).
//!
//! A put must differ from the other puts of its level, from the puts of nested Txns, and from everything deleted at
//! its level or below. The two branches of a Txn exclude each other, so both may put the same key. Nested Txns are
//! checked in order: a put conflicts with the deletes of earlier siblings, not with those of later ones. A delete
//! without an upper bound never conflicts: etcd compares its end `"\0"` as a key, so the range is empty.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
};

use etcd_errors::Code;

use crate::{
    txn::{Op, Txn, check::Place},
    types::{Invalid, KeyRange},
};

/// Rejects a Txn in which etcd would find a duplicate key. `check_level` ran before and has bounded the depth.
pub(crate) fn check(txn: &Txn) -> Result<(), Invalid> {
    check_branch("success", &txn.success)?;
    check_branch("failure", &txn.failure)?;
    Ok(())
}

/// The keys that a branch writes, including its nested Txns.
#[derive(Default)]
struct Writes<'a> {
    puts: HashSet<&'a [u8]>,
    deletes: Intervals,
}

fn check_branch<'a>(branch: &'static str, ops: &'a [Op]) -> Result<Writes<'a>, Invalid> {
    let mut writes = Writes::default();
    for op in ops {
        if let Op::Delete(delete) = op {
            writes.deletes.insert(&delete.range);
        }
    }
    for (index, op) in ops.iter().enumerate() {
        if let Op::Txn(txn) = op {
            merge_nested(&mut writes, txn).map_err(|invalid| invalid.within(Place(branch, index, ".txn")))?;
        }
    }
    for (index, op) in ops.iter().enumerate() {
        if let Op::Put(put) = op {
            let key = put.key.as_bytes();
            if writes.deletes.contain(key) || !writes.puts.insert(key) {
                return Err(duplicate().within(Place(branch, index, ".put")));
            }
        }
    }
    Ok(writes)
}

fn merge_nested<'a>(writes: &mut Writes<'a>, txn: &'a Txn) -> Result<(), Invalid> {
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

/// Moves the smaller set into the larger one.
fn absorb<'a>(into: &mut HashSet<&'a [u8]>, mut from: HashSet<&'a [u8]>) {
    if into.len() < from.len() {
        std::mem::swap(into, &mut from);
    }
    into.extend(from);
}

/// Returns the error for a duplicate key. Its path names the operation, because errors never show keys.
fn duplicate() -> Invalid {
    Invalid::new("key", "is written more than once in the txn").code(Code::DuplicateKey)
}

/// Disjoint half-open intervals of keys, as a map from start to end.
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
