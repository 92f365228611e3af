//! Keeps a stale member from evaluating a Txn that only checks conditions.
//!
//! A server evaluates a Txn against its own state if both branches are empty or hold only serializable Gets
//! (`IsTxnSerializable` in server/etcdserver/txn/txn.go). Its conditions may then hold only for a time long past. A
//! linearizable range in either branch makes the server confirm the leader first.

use crate::{
    kv::Get,
    txn::{Op, Txn},
    types::KeyRange,
};

/// One of the two branches of a Txn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Branch {
    Success,
    Failure,
}

/// Appends a linearizable count of the first compare's key if the Txn needs one, and returns the branch it went to.
///
/// The key is safe to read because the compare requires the permission for it already. Only the largest Txns have no
/// room in either branch; an existing Get is then made linearizable instead.
pub(crate) fn add_linearizing_range(txn: &mut Txn, max_txn_ops: usize) -> Option<Branch> {
    let first = txn.compares.first()?;
    if txn.serializable || !txn.success.iter().chain(&txn.failure).all(is_serializable_get) {
        return None;
    }
    let (key, _) = first.range().bounds();
    let count = Op::Get(Get::from_range(KeyRange::one(key)).count_only());
    if txn.success.len() < max_txn_ops {
        txn.success.push(count);
        Some(Branch::Success)
    } else if txn.failure.len() < max_txn_ops {
        txn.failure.push(count);
        Some(Branch::Failure)
    } else {
        if let Some(Op::Get(get)) = txn.success.first_mut() {
            get.serializable = false;
        }
        None
    }
}

/// Returns whether a stale member could respond to the Txn in the form in which it is sent.
pub(crate) fn may_be_stale(txn: &Txn) -> bool {
    let checked = !txn.compares.is_empty() && !txn.serializable;
    !checked && txn.success.iter().chain(&txn.failure).all(is_serializable_get)
}

fn is_serializable_get(op: &Op) -> bool {
    matches!(op, Op::Get(get) if get.serializable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kv::Put,
        txn::{Compare, Txn},
    };

    fn stale() -> Get {
        Get::new("g").serializable()
    }

    fn linearize(txn: Txn, max_txn_ops: usize) -> (Option<Branch>, Txn) {
        let mut spec = txn;
        let branch = add_linearizing_range(&mut spec, max_txn_ops);
        (branch, spec)
    }

    #[test]
    fn adds_count_of_first_compared_key() {
        let check = || Txn::new().when([Compare::exists("a"), Compare::exists("b")]);
        let count = Get::new("a").count_only();
        for txn in
            [check(), check().then(stale()), check().or_else(stale()), check().then(stale()).or_else(stale())]
        {
            let (branch, changed) = linearize(txn.clone(), 128);
            assert_eq!(branch, Some(Branch::Success));
            assert_eq!(changed, txn.then(count.clone()));
        }
    }

    #[test]
    fn counts_first_key_of_compared_range() {
        for (compare, key) in [
            (Compare::version("d/").equal(0).prefix(), "d/"),
            (Compare::version("").equal(0).prefix(), "\0"),
            (Compare::version("").equal(0).all_keys(), "\0"),
            (Compare::version("a").equal(0).range_end("c"), "a"),
        ] {
            let (_, changed) = linearize(Txn::new().when(compare), 128);
            assert_eq!(changed.success(), [Op::from(Get::new(key).count_only())]);
        }
    }

    #[test]
    fn leaves_other_txns_unchanged() {
        let check = || Txn::new().when(Compare::exists("a"));
        for txn in [
            Txn::new(),
            Txn::new().then(stale()),
            check().serializable(),
            check().then(stale()).serializable(),
            check().then(Get::new("g")),
            check().then(stale()).or_else((stale(), Get::new("g"))),
            check().or_else(Put::new("p", "")),
            check().then(Txn::new()),
        ] {
            assert_eq!(linearize(txn.clone(), 128), (None, txn));
        }
    }

    #[test]
    fn respects_limit_of_full_branches() {
        let check = || Txn::new().when(Compare::exists("a"));
        let (branch, changed) = linearize(check().then(vec![stale(); 3]), 3);
        assert_eq!(branch, Some(Branch::Failure));
        assert_eq!((changed.success().len(), changed.failure().len()), (3, 1));

        let full = check().then(vec![stale(); 3]).or_else(vec![stale(); 3]);
        let (branch, changed) = linearize(full, 3);
        assert_eq!(branch, None);
        assert_eq!(changed.success().len(), 3);
        assert_eq!(changed.success()[0], Op::from(Get::new("g")));
        assert_eq!(changed.success()[1], Op::from(stale()));
    }
}
