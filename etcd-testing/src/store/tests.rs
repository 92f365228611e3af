//! Tests of the store: revisions, ranges, transactions and compactions.

use etcd_proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use etcd_proto::etcdserverpb::request_op::Request;
use etcd_proto::etcdserverpb::response_op::Response;
use etcd_proto::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest, TxnResponse,
};

use super::*;
use crate::lease::Leases;
use crate::line::Line;
use crate::rejection::{DUPLICATE_KEY, KEY_NOT_FOUND, LEASE_NOT_FOUND, TOO_MANY_OPS};

/// A store, its leases, and the line that it behaves like.
struct World {
    store: Store,
    leases: Leases,
    line: Line,
}

impl World {
    fn new() -> Self {
        Self { store: Store::new(), leases: Leases::new(2), line: Line::V3_7 }
    }

    fn write<R>(&mut self, write: impl FnOnce(&mut Write<'_>) -> R) -> R {
        let mut writing = Write::begin(&mut self.store, &mut self.leases);
        let result = write(&mut writing);
        writing.commit();
        result
    }

    fn put(&mut self, key: &'static str, value: &'static str) {
        let request = PutRequest { key: key.into(), value: value.into(), ..Default::default() };
        self.write(|write| write.put_checked(&request)).expect("a plain put");
    }

    fn txn(&mut self, request: &TxnRequest) -> Result<TxnResponse, Rejection> {
        let line = self.line;
        self.write(|write| write.txn(request, line))
    }

    fn range(&self, request: RangeRequest) -> Result<(Vec<String>, i64, bool), Rejection> {
        let response = self.store.range(&request, self.store.revision(), self.line)?;
        let keys = response.kvs.iter().map(|kv| String::from_utf8_lossy(&kv.key).into_owned()).collect();
        Ok((keys, response.count, response.more))
    }
}

fn from(key: &'static str) -> RangeRequest {
    RangeRequest { key: key.into(), range_end: Bytes::from_static(&[0]), ..Default::default() }
}

fn op(request: Request) -> RequestOp {
    RequestOp { request: Some(request) }
}

fn put(key: &'static str) -> RequestOp {
    op(Request::RequestPut(PutRequest { key: key.into(), ..Default::default() }))
}

fn get(key: &'static str, revision: i64) -> RequestOp {
    op(Request::RequestRange(RangeRequest { key: key.into(), revision, ..Default::default() }))
}

fn delete(key: &'static str, range_end: &'static str) -> RequestOp {
    let request = DeleteRangeRequest { key: key.into(), range_end: range_end.into(), ..Default::default() };
    op(Request::RequestDeleteRange(request))
}

fn nested(success: Vec<RequestOp>, failure: Vec<RequestOp>) -> RequestOp {
    op(Request::RequestTxn(TxnRequest { success, failure, ..Default::default() }))
}

fn then(success: Vec<RequestOp>) -> TxnRequest {
    TxnRequest { success, ..Default::default() }
}

fn version_is(key: &'static str, version: i64) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Version as i32,
        key: key.into(),
        target_union: Some(TargetUnion::Version(version)),
        ..Default::default()
    }
}

#[test]
fn the_count_ignores_limit_and_filters() {
    let mut world = World::new();
    for key in ["a", "b", "c", "d"] {
        world.put(key, "v");
    }
    let names = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(world.range(RangeRequest { limit: 2, ..from("b") }), Ok((names(&["b", "c"]), 3, true)));
    assert_eq!(world.range(RangeRequest { limit: 3, ..from("b") }), Ok((names(&["b", "c", "d"]), 3, false)));
    assert_eq!(
        world.range(RangeRequest { min_mod_revision: 4, ..from("a") }),
        Ok((names(&["c", "d"]), 4, false))
    );
    assert_eq!(world.range(RangeRequest { count_only: true, ..from("a") }), Ok((vec![], 4, false)));
    let last = RangeRequest { limit: 1, sort_order: 2, sort_target: 3, ..from("a") };
    assert_eq!(world.range(last), Ok((names(&["d"]), 4, true)));
}

#[test]
fn an_old_revision_is_readable_until_it_is_compacted() {
    let mut world = World::new();
    world.put("a", "1");
    world.put("a", "2");
    world.write(|write| write.delete_keys(["a".into()]));
    let count = |world: &World, revision| {
        world.range(RangeRequest { revision, ..from("a") }).map(|(keys, ..)| keys.len())
    };
    assert_eq!(
        [1, 2, 3, 4, 5].map(|revision| count(&world, revision)),
        [Ok(0), Ok(1), Ok(1), Ok(0), Err(FUTURE_REVISION)]
    );
    assert_eq!(world.store.compact(5), Err(FUTURE_REVISION));
    assert_eq!(world.store.compact(3), Ok(()));
    assert_eq!(world.store.compact(3), Err(COMPACTED));
    assert_eq!([2, 3].map(|revision| count(&world, revision)), [Err(COMPACTED), Ok(1)]);
    assert_eq!(world.store.changes_since(0).count(), 2);
}

#[test]
fn a_deletion_starts_a_new_life() {
    let mut world = World::new();
    world.put("a", "1");
    world.put("a", "2");
    let kv = world.store.at(b"a", 3).expect("a key");
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (2, 3, 2));
    world.write(|write| write.delete_keys(["a".into()]));
    world.put("a", "3");
    let kv = world.store.at(b"a", 5).expect("a key");
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (5, 5, 1));
}

#[test]
fn operations_see_the_earlier_ones() {
    let mut world = World::new();
    let response = world.txn(&then(vec![get("a", 0), put("a"), get("a", 0)])).expect("a valid transaction");
    let reads = response.responses.iter().filter_map(|response| match &response.response {
        Some(Response::ResponseRange(range)) => {
            Some((range.count, range.header.as_ref().map(|header| header.revision)))
        }
        _ => None,
    });
    assert_eq!(reads.collect::<Vec<_>>(), [(0, Some(1)), (1, Some(2))]);
    assert_eq!(response.header, Some(bare_header(2)));
}

#[test]
fn a_failed_transaction_changes_nothing() {
    let mut world = World::new();
    world.put("a", "1");
    let ignoring = PutRequest { key: "b".into(), ignore_value: true, ..Default::default() };
    let leased = PutRequest { key: "c".into(), lease: 7, ..Default::default() };
    for (last, expected) in [
        (get("a", 9), FUTURE_REVISION),
        (op(Request::RequestPut(ignoring)), KEY_NOT_FOUND),
        (op(Request::RequestPut(leased)), LEASE_NOT_FOUND),
    ] {
        assert_eq!(world.txn(&then(vec![put("a"), last])), Err(expected));
    }
    assert_eq!((world.store.revision(), world.store.changes_since(0).count()), (2, 1));
}

#[test]
fn lines_check_in_different_orders() {
    let mut world = World::new();
    let both = PutRequest { key: "b".into(), ignore_value: true, lease: 7, ..Default::default() };
    let both = op(Request::RequestPut(both));
    let expected = [
        (vec![get("a", 9), both.clone()], [KEY_NOT_FOUND, KEY_NOT_FOUND, FUTURE_REVISION, FUTURE_REVISION]),
        (vec![both], [KEY_NOT_FOUND, KEY_NOT_FOUND, KEY_NOT_FOUND, LEASE_NOT_FOUND]),
    ];
    for (ops, expected) in expected {
        let results = Line::ALL.map(|line| {
            world.line = line;
            world.txn(&then(ops.clone())).expect_err("an invalid transaction")
        });
        assert_eq!(results, expected);
    }
}

#[test]
fn nested_conditions_are_evaluated_first() {
    let mut world = World::new();
    let inner =
        TxnRequest { compare: vec![version_is("a", 0)], success: vec![put("b")], failure: vec![put("c")] };
    world.txn(&then(vec![put("a"), op(Request::RequestTxn(inner))])).expect("a valid transaction");
    assert!(world.store.at(b"b", 2).is_some(), "a had no version before the transaction");
}

#[test]
fn a_missing_key_has_zeros_and_no_value() {
    let world = World::new();
    let value = |result: CompareResult| Compare {
        result: result as i32,
        target: CompareTarget::Value as i32,
        key: "a".into(),
        ..Default::default()
    };
    assert!(world.store.meets(&version_is("a", 0)));
    assert!(!world.store.meets(&value(CompareResult::Equal)));
    assert!(!world.store.meets(&value(CompareResult::NotEqual)));
}

#[test]
fn a_key_is_written_once() {
    let duplicate: [Vec<RequestOp>; 6] = [
        vec![put("a"), put("a")],
        vec![put("b"), delete("a", "c")],
        vec![delete("a", ""), put("a")],
        vec![put("a"), nested(vec![put("a")], vec![])],
        vec![nested(vec![], vec![put("a")]), nested(vec![put("a")], vec![])],
        vec![nested(vec![delete("a", "")], vec![]), nested(vec![put("a")], vec![])],
    ];
    for ops in duplicate {
        assert_eq!(check_intervals(&ops), Err(DUPLICATE_KEY), "{ops:?}");
    }
    let valid: [Vec<RequestOp>; 5] = [
        vec![delete("a", ""), delete("a", "c")],
        vec![nested(vec![put("a")], vec![put("a")])],
        vec![put("c"), delete("a", "c")],
        // Two oversights of etcd.
        vec![put("b"), delete("a", "\0")],
        vec![nested(vec![put("a")], vec![]), nested(vec![delete("a", "")], vec![])],
    ];
    for ops in valid {
        assert_eq!(check_intervals(&ops), Ok(()), "{ops:?}");
    }
}

#[test]
fn nested_operations_share_the_limit() {
    let puts = |count: usize| vec![put("a"); count];
    let check = |ops: Vec<RequestOp>| check_txn(&then(ops), 4, Line::V3_7);
    assert_eq!(check(puts(4)), Ok(()));
    assert_eq!(check(puts(5)), Err(TOO_MANY_OPS));
    assert_eq!(check(vec![nested(puts(3), vec![])]), Ok(()));
    assert_eq!(check(vec![nested(puts(4), vec![])]), Err(TOO_MANY_OPS));
}

#[test]
fn keys_without_values_have_no_lease_on_3_7() {
    let mut world = World::new();
    world.leases.grant(7, 10, std::time::Duration::ZERO).expect("a new lease");
    let request = PutRequest { key: "a".into(), value: "v".into(), lease: 7, ..Default::default() };
    world.write(|write| write.put_checked(&request)).expect("a valid put");
    let request = RangeRequest { keys_only: true, ..from("a") };
    let leases = Line::ALL.map(|line| {
        let response = world.store.range(&request, 2, line).expect("a valid range");
        (response.kvs[0].value.len(), response.kvs[0].lease)
    });
    assert_eq!(leases, [(0, 7), (0, 7), (0, 7), (0, 0)]);
}

#[test]
fn the_end_of_a_prefix_follows_its_last_key() {
    assert_eq!(range_end(b"ab"), "ac");
    assert_eq!(range_end(b"a\xff\xff"), "b");
    assert_eq!(range_end(b"\xff"), "\0");
}
