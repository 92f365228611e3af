//! Tests of duplicates: a table of etcd's results, and random Txns compared with an exhaustive search.

use etcd_errors::{Code, Error};
use proptest::prelude::*;

use crate::{
    kv::{Delete, Get, Put},
    request::Limits,
    txn::{Op, Txn, arbitrary, duplicates::check},
};

fn nested(success: impl Into<Vec<Op>>, failure: impl Into<Vec<Op>>) -> Op {
    Txn::new().then(success.into()).or_else(failure.into()).into()
}

fn put(key: &str) -> Op {
    Put::new(key, "v").into()
}

fn delete(key: &str) -> Op {
    Delete::new(key).into()
}

fn delete_range(key: &str, end: &str) -> Op {
    Delete::new(key).range_end(end).into()
}

#[test]
fn accepts_every_txn_that_etcd_accepts() {
    let allowed: Vec<Vec<Op>> = vec![
        vec![put("a"), put("b"), put("a\0")],
        vec![delete("a"), delete("a"), delete_range("a", "z")],
        vec![delete("a"), put("a\0"), put("b")],
        vec![delete_range("b", "d"), put("a"), put("d")],
        vec![Get::new("a").into(), put("a"), Get::new("a").into()],
        // The branches of one nested Txn exclude each other.
        vec![nested([put("a")], [put("a")])],
        vec![nested([put("a")], [delete("a")]), put("b")],
        // A put does not conflict with the delete of a later sibling.
        vec![nested([put("a")], []), nested([delete("a")], [])],
        // etcd compares the end "\0" as a key, so a delete without an upper bound covers nothing.
        vec![Delete::new("a").from_key().into(), put("b")],
        vec![Delete::new("").all_keys().into(), put("b")],
        vec![delete_range("d", "b"), put("c"), put("d")],
    ];
    for ops in allowed {
        let txn = Txn::new().then(ops.clone()).or_else(ops);
        assert!(txn.validate(&Limits::default()).is_ok(), "{txn:?}");
    }
}

#[test]
fn rejects_every_txn_that_etcd_rejects() {
    let rejected: Vec<(Vec<Op>, &str)> = vec![
        (vec![put("a"), put("a")], "success[1].put.key is written more than once"),
        (vec![put("a"), delete("a")], "success[0].put.key"),
        (vec![delete_range("a", "c"), put("b")], "success[1].put.key"),
        (vec![delete_range("a", "c"), delete_range("b", "e"), put("d")], "success[2].put.key"),
        (vec![Delete::new("a").prefix().into(), put("a\0")], "success[1].put.key"),
        (vec![put("a"), nested([put("a")], [])], "success[0].put.key"),
        (vec![put("a"), nested([], [put("a")])], "success[0].put.key"),
        (vec![nested([put("a")], []), nested([], [put("a")])], "success[1].txn.key"),
        (vec![nested([put("a")], []), delete("a")], "success[0].txn.key"),
        (vec![nested([delete("a")], []), put("a")], "success[1].put.key"),
        // A put conflicts with the delete of an earlier sibling.
        (vec![nested([delete("a")], []), nested([put("a")], [])], "success[1].txn.key"),
        (
            vec![nested([nested([], [put("a"), put("a")])], [])],
            "success[0].txn.success[0].txn.failure[1].put.key",
        ),
        (vec![nested([nested([], [put("a")])], []), put("a")], "success[1].put.key"),
    ];
    for (ops, place) in rejected {
        let error = Txn::new().then(ops.clone()).validate(&Limits::default()).expect_err(place);
        assert_eq!((error.code(), error.field()), (Some(Code::DuplicateKey), Some("key")), "{ops:?}");
        assert!(error.message().starts_with(place), "{error} for {ops:?}");
        let error = Txn::new().or_else(ops).validate(&Limits::default()).expect_err(place);
        assert!(error.message().starts_with(&place.replacen("success", "failure", 1)), "{error}");
    }
}

#[test]
fn wide_txn_takes_near_linear_time() {
    let ops = 40_000;
    let key = |number: usize| format!("{number:08}");
    let puts = (0..ops).map(|number| Op::from(Put::new(key(2 * number), "")));
    let deletes =
        (0..ops).map(|number| Op::from(Delete::new(key(2 * number + 1)).range_end(key(2 * number + 2))));
    let txn = Txn::new().then(puts.chain(deletes).collect::<Vec<_>>());
    let started = tokio::time::Instant::now();
    assert!(
        txn.validate(
            &Limits::default().max_txn_ops(2 * ops).max_request_bytes(64 << 20).max_send_bytes(64 << 20)
        )
        .is_ok()
    );
    // Quadratic time would mean 1.6 billion comparisons, which take minutes in a debug build.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// A key, or an end, as etcd compares it: an empty one is greater than any other.
#[derive(Clone, PartialEq, Eq)]
struct Affine(Vec<u8>);

impl Affine {
    fn less(&self, other: &Self) -> bool {
        match (self.0.is_empty(), other.0.is_empty()) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => self.0 < other.0,
        }
    }
}

type Interval = (Affine, Affine);

fn point(key: &[u8]) -> Interval {
    (Affine(key.to_vec()), Affine([key, b"\0"].concat()))
}

/// Neither is wholly left or wholly right of the other, by their ends alone.
fn intersect(one: &Interval, other: &Interval) -> bool {
    let left = one.0.less(&other.0) && !other.0.less(&one.1);
    let right = !one.0.less(&other.1);
    !left && !right
}

type Lists = (Vec<Vec<u8>>, Vec<Interval>);

/// Lists instead of sets, every pair compared: slow and plain.
fn oracle(ops: &[Op]) -> Result<Lists, ()> {
    let mut puts: Vec<Vec<u8>> = Vec::new();
    let mut deletes: Vec<Interval> = Vec::new();
    for op in ops {
        if let Op::Delete(delete) = op {
            let (key, end) = delete.range.bounds();
            let single = end.is_empty();
            deletes.push(if single { point(&key) } else { (Affine(key.to_vec()), Affine(end.to_vec())) });
        }
    }
    let covered =
        |deletes: &[Interval], key: &[u8]| deletes.iter().any(|delete| intersect(&point(key), delete));
    for op in ops {
        let Op::Txn(txn) = op else { continue };
        let (then_puts, then_deletes) = oracle(txn.success())?;
        let (else_puts, else_deletes) = oracle(txn.failure())?;
        let before = puts.clone();
        for key in then_puts.into_iter().chain(else_puts) {
            if before.contains(&key) || covered(&deletes, &key) {
                return Err(());
            }
            puts.push(key);
        }
        deletes.extend(then_deletes.into_iter().chain(else_deletes));
    }
    for op in ops {
        let Op::Put(put) = op else { continue };
        let key = put.key.as_bytes().to_vec();
        if puts.contains(&key) || covered(&deletes, &key) {
            return Err(());
        }
        puts.push(key);
    }
    Ok((puts, deletes))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_oracle(txn in arbitrary::txn()) {
        let spec = &txn;
        let expected = oracle(spec.success()).and_then(|_| oracle(spec.failure()));
        let found = check(spec).map_err(Error::from);
        prop_assert_eq!(found.is_err(), expected.is_err(), "{:?}", found);
    }
}

#[test]
fn random_txns_include_valid_and_invalid_ones() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let trees = (0..500).map(|_| arbitrary::txn().new_tree(&mut runner).expect("no filter"));
    let rejected = trees.filter(|tree| check(&tree.current()).is_err()).count();
    assert!((100..400).contains(&rejected), "{rejected} of 500 refused");
}
