//! Tests of Txns: limits, nesting, paths of invalid fields, read-only.

use etcd_errors::{Code, Error};
use proptest::prelude::*;
use prost::Message as _;

use crate::{
    kv::{Delete, Get, Put, SortOrder, SortTarget},
    request::Limits,
    txn::{Compare, Op, Txn, arbitrary, request::MAX_DEPTH, size},
};

fn rejection(txn: Txn) -> Error {
    txn.validate(&Limits::default()).expect_err("invalid")
}

fn gets(count: usize) -> Vec<Get> {
    vec![Get::new("k"); count]
}

#[test]
fn error_reports_path_of_invalid_field() {
    let sorted = Get::new("k").sort(SortTarget::Value, SortOrder::Ascend);
    let cases: Vec<(Txn, &str, &str, Option<Code>)> = vec![
        (Txn::new().when(Compare::exists("")), "key", "compare[0].key is empty", Some(Code::EmptyKey)),
        (
            Txn::new().when([Compare::exists("k"), Compare::exists("k").range_end("")]),
            "range_end",
            "compare[1].range_end is empty",
            None,
        ),
        (
            Txn::new().then((Get::new("k"), Put::new("", ""))),
            "key",
            "success[1].put.key is empty",
            Some(Code::EmptyKey),
        ),
        (Txn::new().or_else(Delete::new("")), "key", "failure[0].delete.key is empty", Some(Code::EmptyKey)),
        (Txn::new().then(sorted), "sort", "success[0].get.sort needs", None),
        (
            Txn::new().then(Txn::new().or_else(vec![Get::new("k").limit(-1)])),
            "limit",
            "success[0].txn.failure[0].get.limit must not be negative",
            None,
        ),
        (
            Txn::new().then(Txn::new().when(Compare::exists(""))),
            "key",
            "success[0].txn.compare[0].key is empty",
            Some(Code::EmptyKey),
        ),
    ];
    for (txn, field, message, code) in cases {
        let error = rejection(txn);
        assert_eq!((error.field(), error.code()), (Some(field), code), "{error}");
        assert!(error.message().starts_with(message), "{error}");
    }
}

#[test]
fn each_list_is_limited_to_max_txn_ops() {
    let limits = Limits::default();
    let compares = |count| vec![Compare::exists("k"); count];
    assert!(Txn::new().when(compares(128)).then(gets(128)).or_else(gets(128)).validate(&limits).is_ok());
    for (txn, field) in [
        (Txn::new().when(compares(129)), "compare"),
        (Txn::new().then(gets(129)), "success"),
        (Txn::new().or_else(gets(129)), "failure"),
    ] {
        let error = txn.validate(&limits).expect_err(field);
        assert_eq!((error.field(), error.code()), (Some(field), Some(Code::TooManyOps)), "{error}");
        assert!(txn.validate(&limits.max_txn_ops(129)).is_ok());
    }
}

#[test]
fn nested_txn_gets_remaining_operations() {
    let limits = Limits::default().max_txn_ops(10);
    let nested = |count| Txn::new().then(gets(count));
    let with = |widest: usize, nested: Txn| Txn::new().then(gets(widest - 1)).then(nested);
    assert!(with(6, nested(4)).validate(&limits).is_ok());
    let error = with(6, nested(5)).validate(&limits).expect_err("5 + 6 > 10");
    assert_eq!((error.field(), error.code()), (Some("success"), Some(Code::TooManyOps)));
    assert!(error.message().contains("the limit is 4"), "{error}");
    // The other branch counts too, because it is the widest list of the level.
    let beside = Txn::new().then(nested(5)).or_else(gets(6));
    assert_eq!(beside.validate(&limits).expect_err("5 + 6 > 10").code(), Some(Code::TooManyOps));
    // A third level gets what the second one leaves.
    assert!(with(4, with(4, nested(2))).validate(&limits).is_ok());
    assert!(with(4, with(4, nested(3))).validate(&limits).is_err());
    // An empty Txn is valid even if nothing is left.
    assert!(with(10, Txn::new()).validate(&limits).is_ok());
}

fn nest(levels: usize) -> Txn {
    (1..levels).fold(Txn::new().then(Put::new("k", "v")), |inner, level| {
        if level % 2 == 0 { Txn::new().then(inner) } else { Txn::new().or_else(inner) }
    })
}

#[test]
fn max_depth_is_the_deepest_decodable_response() {
    assert!(nest(MAX_DEPTH).validate(&Limits::default()).is_ok());
    let error = rejection(nest(MAX_DEPTH + 1));
    assert_eq!(error.field(), Some("txn"));
    assert!(error.message().contains("nested deeper than 49"), "{error}");

    let answer = |levels| {
        use etcd_proto::etcdserverpb::{PutResponse, ResponseOp, TxnResponse, response_op::Response};
        let put = PutResponse { prev_kv: Some(Default::default()), ..Default::default() };
        let wrap = |response| TxnResponse {
            responses: vec![ResponseOp { response: Some(response) }],
            ..Default::default()
        };
        let deep =
            (1..levels).fold(wrap(Response::ResponsePut(put)), |inner, _| wrap(Response::ResponseTxn(inner)));
        TxnResponse::decode(deep.encode_to_vec().as_slice()).is_ok()
    };
    assert!(answer(MAX_DEPTH), "an allowed Txn whose answer cannot be decoded");
    assert!(!answer(MAX_DEPTH + 1), "the bound could be higher");
}

#[test]
fn deep_nesting_does_not_overflow_stack() {
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| {
        let txn = nest(200_000);
        assert!(txn.clone().validate(&Limits::default()).is_err());
        let around = Txn::new().then((Put::new("a", ""), txn));
        let shown = format!("{around:?}");
        assert!(shown.len() < 100_000);
        around.validate(&Limits::default()).is_err()
    });
    assert!(thread.expect("spawns").join().expect("does not panic"));
}

#[test]
fn rejects_txn_rewritten_to_be_deep() {
    let mut txn = Txn::new().then(Get::new("k"));
    txn.success_mut()[0] = nest(MAX_DEPTH).into();
    assert_eq!(rejection(txn).field(), Some("txn"));
}

#[test]
fn setters_append() {
    let txn = Txn::new()
        .when(Compare::exists("a"))
        .when((Compare::exists("b"), [Compare::exists("c")]))
        .then(Put::new("a", ""))
        .then((Get::new("b"), vec![Op::from(Delete::new("c"))], None::<Get>, Some(Txn::new())))
        .or_else([Get::new("d"), Get::new("e")]);
    assert_eq!(txn.compares().len(), 3);
    assert_eq!(txn.failure().len(), 2);
    let kinds: Vec<_> = txn.success().iter().map(std::mem::discriminant).collect();
    let expected: [Op; 4] =
        [Put::new("", "").into(), Get::new("").into(), Delete::new("").into(), Txn::new().into()];
    assert_eq!(kinds, expected.iter().map(std::mem::discriminant).collect::<Vec<_>>());
}

#[test]
fn tuple_of_twelve_keeps_order() {
    let get = |number: u8| Get::new([number]);
    let txn = Txn::new().then((
        get(0),
        get(1),
        get(2),
        get(3),
        get(4),
        get(5),
        get(6),
        get(7),
        get(8),
        get(9),
        get(10),
        get(11),
    ));
    let ops: Vec<Op> = (0..12).map(|number| get(number).into()).collect();
    assert_eq!(txn.success(), ops);
}

#[test]
fn is_read_only_checks_all_levels() {
    assert!(Txn::new().is_read_only());
    assert!(Txn::new().then(Get::new("k")).or_else(Txn::new().then(Get::new("k"))).is_read_only());
    assert!(!Txn::new().then(Get::new("k")).or_else(Put::new("k", "")).is_read_only());
    assert!(!Txn::new().then(Txn::new().or_else(Txn::new().then(Delete::new("k")))).is_read_only());
    assert!(!nest(MAX_DEPTH).is_read_only());
}

#[test]
fn read_only_txn_is_limited_by_max_send_bytes_only() {
    let long = "k".repeat(100 * 1024);
    let reads = |count| Txn::new().then(vec![Get::new(long.as_str()); count]);
    assert!(reads(18).validate(&Limits::default()).is_ok());
    let error = reads(21).validate(&Limits::default()).expect_err("over 2 MiB");
    assert_eq!((error.field(), error.code()), (Some("request"), None));
    assert!(error.message().contains("2097152") && error.message().contains("max_send_bytes"), "{error}");
    let writes = reads(18).or_else(Put::new("k", ""));
    let error = writes.validate(&Limits::default()).expect_err("over 1.5 MiB");
    assert_eq!((error.field(), error.code()), (Some("request"), Some(Code::RequestTooLarge)));
    assert!(writes.validate(&Limits::default().max_request_bytes(2 << 20)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_estimated_size_is_never_below_the_encoded_one(txn in arbitrary::txn()) {
        let exact = size::txn_len(&txn, &Limits::default());
        prop_assert!(size::of_txn(&txn) >= exact);
    }
}
