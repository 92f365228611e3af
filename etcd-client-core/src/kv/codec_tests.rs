//! Tests of the wire conversions: requests, responses without copies, and responses of a hostile server.

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};
use etcd_proto::{
    etcdserverpb as pb,
    etcdserverpb::{compare::TargetUnion, request_op::Request, response_op::Response},
    mvccpb,
};
use prost::Message as _;

use crate::{
    kv::{
        Compact, Delete, Get, Put, SortOrder, SortTarget,
        codec::{
            compact_request, compact_response, delete_request, delete_response, get_request, get_response,
            put_request, put_response,
        },
    },
    lease::{
        LeaseGrant, LeaseRevoke, LeaseTimeToLive,
        codec::{
            lease_grant_request, lease_grant_response, lease_keep_alive_response, lease_list_response,
            lease_revoke_request, lease_revoke_response, lease_time_to_live_request,
            lease_time_to_live_response, lease_ttl,
        },
    },
    request::Limits,
    txn::{
        Compare, OpResponse, Txn, TxnResponse,
        codec::{txn_request, txn_response},
        size::{delete_len, get_len, put_len, txn_len},
    },
    types::{ClusterId, KeyValue, LeaseId, MemberId, ResponseHeader, Revision, Value},
};

fn pb_header() -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 30, raft_term: 4 })
}

fn header() -> ResponseHeader {
    ResponseHeader::new(ClusterId::new(1), MemberId::new(2), Revision::new(30), 4)
}

fn lease(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

fn pb_kv(key: Bytes, value: Bytes) -> mvccpb::KeyValue {
    mvccpb::KeyValue { key, value, create_revision: 3, mod_revision: 5, version: 2, lease: 9 }
}

fn assert_protocol<T: std::fmt::Debug>(answer: Result<T, Error>, outcome: Outcome) {
    let error = answer.expect_err("hostile");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{error}");
}

// ===== requests =====

#[test]
fn every_option_of_a_get_is_sent() {
    let get = Get::new("a").range_end("z").limit(1).revision(2).sort(SortTarget::Value, SortOrder::Descend);
    let get = get.serializable().keys_only().count_only();
    let get = get.min_mod_revision(3).max_mod_revision(4).min_create_revision(5).max_create_revision(6);
    let expected = pb::RangeRequest {
        key: "a".into(),
        range_end: "z".into(),
        limit: 1,
        revision: 2,
        sort_order: 2,
        sort_target: 4,
        serializable: true,
        keys_only: true,
        count_only: true,
        min_mod_revision: 3,
        max_mod_revision: 4,
        min_create_revision: 5,
        max_create_revision: 6,
    };
    assert_eq!(get_request(get), expected);
    assert_eq!(get_request(Get::new("a")), pb::RangeRequest { key: "a".into(), ..Default::default() });
}

#[test]
fn sorts_are_numbers_that_every_server_knows() {
    use SortOrder::{Ascend, Descend};
    let cases = [
        (SortTarget::Key, 0),
        (SortTarget::Version, 1),
        (SortTarget::CreateRevision, 2),
        (SortTarget::ModRevision, 3),
        (SortTarget::Value, 4),
    ];
    for (target, number) in cases {
        let sent = |order| {
            let request = get_request(Get::new("a").prefix().sort(target, order));
            (request.sort_target, request.sort_order)
        };
        assert_eq!(sent(Descend), (number, 2));
        // Ascending keys is the order of the store, so no sort is sent.
        assert_eq!(sent(Ascend), if number == 0 { (0, 0) } else { (number, 1) });
    }
}

#[test]
fn writes_are_sent_as_they_are() {
    let put = Put::new("k", "v").lease(lease(7)).prev_kv();
    let expected =
        pb::PutRequest { key: "k".into(), value: "v".into(), lease: 7, prev_kv: true, ..Default::default() };
    assert_eq!(put_request(put), expected);
    let touch =
        pb::PutRequest { key: "k".into(), ignore_value: true, ignore_lease: true, ..Default::default() };
    assert_eq!(put_request(Put::touch("k").ignore_lease()), touch);
    let delete = pb::DeleteRangeRequest { key: "d/".into(), range_end: "d0".into(), prev_kv: true };
    assert_eq!(delete_request(Delete::new("d/").prefix().prev_kv()), delete);
    let compact = pb::CompactionRequest { revision: 8, physical: true };
    assert_eq!(compact_request(Compact::new(8).physical()), compact);
    let grant = LeaseGrant::new(Duration::from_millis(1500)).id(lease(5));
    assert_eq!(lease_grant_request(grant), pb::LeaseGrantRequest { ttl: 2, id: 5 });
    assert_eq!(lease_revoke_request(LeaseRevoke::new(lease(-5))).id, -5);
    let ask = pb::LeaseTimeToLiveRequest { id: 5, keys: true };
    assert_eq!(lease_time_to_live_request(LeaseTimeToLive::new(lease(5)).keys()), ask);
}

#[test]
fn compares_are_sent_with_their_own_target() {
    let compare = |compare: Compare| {
        let (request, _) = txn_request(Txn::new().when(compare), &Limits::default());
        let sent = request.compare.into_iter().next().expect("one compare");
        (sent.target, sent.result, sent.target_union.expect("always set"))
    };
    assert_eq!(compare(Compare::version("k").equal(3)), (0, 0, TargetUnion::Version(3)));
    assert_eq!(compare(Compare::create_revision("k").greater(3)), (1, 1, TargetUnion::CreateRevision(3)));
    assert_eq!(compare(Compare::mod_revision("k").less(3)), (2, 2, TargetUnion::ModRevision(3)));
    assert_eq!(compare(Compare::value("k").not_equal("v")), (3, 3, TargetUnion::Value("v".into())));
    assert_eq!(compare(Compare::lease("k").equal(lease(3))), (4, 0, TargetUnion::Lease(3)));
    assert_eq!(compare(Compare::lease("k").equal(None)), (4, 0, TargetUnion::Lease(0)));

    let ranged = Txn::new().when(Compare::version("d/").equal(0).prefix());
    let (request, _) = txn_request(ranged, &Limits::default());
    assert_eq!((&request.compare[0].key[..], &request.compare[0].range_end[..]), (&b"d/"[..], &b"d0"[..]));
}

#[test]
fn a_txn_is_sent_in_order_with_nested_ones() {
    let txn = Txn::new().then((Put::new("a", "1"), Delete::new("b"))).or_else(Txn::new().then(Get::new("c")));
    let (request, _) = txn_request(txn, &Limits::default());
    assert!(matches!(&request.success[0].request, Some(Request::RequestPut(put)) if put.key == "a"));
    assert!(
        matches!(&request.success[1].request, Some(Request::RequestDeleteRange(delete)) if delete.key == "b")
    );
    let Some(Request::RequestTxn(nested)) = &request.failure[0].request else { panic!("{request:?}") };
    assert!(matches!(&nested.success[0].request, Some(Request::RequestRange(get)) if get.key == "c"));
}

#[test]
fn requests_share_the_callers_bytes() {
    let (key, value) = (Bytes::from(vec![b'k'; 100]), Bytes::from(vec![b'v'; 100]));
    let put = put_request(Put::new(&key, &value));
    assert_eq!((put.key.as_ptr(), put.value.as_ptr()), (key.as_ptr(), value.as_ptr()));
    assert_eq!(get_request(Get::new(&key).prefix()).key.as_ptr(), key.as_ptr());
    let txn = Txn::new().when(Compare::value(&key).equal(&value)).then(Put::new(&key, &value));
    let (request, _) = txn_request(txn, &Limits::default());
    assert_eq!(request.compare[0].key.as_ptr(), key.as_ptr());
    let Some(Request::RequestPut(put)) = &request.success[0].request else { panic!("{request:?}") };
    assert_eq!((put.key.as_ptr(), put.value.as_ptr()), (key.as_ptr(), value.as_ptr()));
}

// ===== responses =====

#[test]
fn pairs_are_converted_in_place() {
    let (key, value) = (Bytes::from(vec![b'k'; 100]), Bytes::from(vec![b'v'; 100]));
    let kvs = vec![pb_kv(key.clone(), value.clone()); 10];
    let at = kvs.as_ptr().addr();
    let response = pb::RangeResponse { header: pb_header(), kvs, more: true, count: 25 };
    let got = get_response(response).expect("a good answer");
    assert_eq!(got.kvs.as_ptr().addr(), at, "the vector was allocated anew");
    assert_eq!((got.kvs[9].key.as_ptr(), got.kvs[9].value.as_ptr()), (key.as_ptr(), value.as_ptr()));
    assert_eq!(size_of::<KeyValue>(), size_of::<mvccpb::KeyValue>());
    assert_eq!((got.header, got.more, got.count), (header(), true, 25));
    let expected = KeyValue::new(key, value).with_revisions(3, 5).with_version(2).with_lease(lease(9));
    assert_eq!(got.first(), Some(&expected));
}

#[test]
fn decoding_from_the_network_buffer_copies_nothing() {
    let kv = pb_kv("key".into(), vec![b'v'; 1000].into());
    let sent = Bytes::from(
        pb::RangeResponse { header: pb_header(), kvs: vec![kv], ..Default::default() }.encode_to_vec(),
    );
    let got =
        get_response(pb::RangeResponse::decode(sent.clone()).expect("well formed")).expect("a good answer");
    let value = got.kvs[0].value.as_ptr().addr();
    let buffer = sent.as_ptr().addr();
    assert!((buffer..buffer + sent.len()).contains(&value), "the value was copied");
}

#[test]
fn writes_return_the_previous_pairs() {
    let kv = || pb_kv("k".into(), "v".into());
    let put =
        put_response(pb::PutResponse { header: pb_header(), prev_kv: Some(kv()) }).expect("a good answer");
    assert_eq!(put.prev_kv.expect("was asked for").value_str(), Ok("v"));
    assert_eq!(
        put_response(pb::PutResponse { header: pb_header(), prev_kv: None }).expect("good").prev_kv,
        None
    );
    let delete = pb::DeleteRangeResponse { header: pb_header(), deleted: 2, prev_kvs: vec![kv(), kv()] };
    let delete = delete_response(delete).expect("a good answer");
    assert_eq!((delete.header, delete.deleted, delete.prev_kvs.len()), (header(), 2, 2));
    assert_eq!(
        compact_response(pb::CompactionResponse { header: pb_header() }).expect("good").header,
        header()
    );
}

#[test]
fn renewal_without_ttl_means_no_lease() {
    let header = Some(pb::ResponseHeader::default());
    let answer = |id, ttl| pb::LeaseKeepAliveResponse { header, id, ttl };
    let renewed = lease_keep_alive_response(answer(5, 10), lease(5)).expect("a good answer");
    assert_eq!(renewed.map(|renewed| (renewed.id, renewed.ttl)), Some((lease(5), Duration::from_secs(10))));
    for ttl in [0, -1, i64::MIN] {
        assert_eq!(lease_keep_alive_response(answer(5, ttl), lease(5)).expect("a good answer"), None);
        assert_eq!(lease_ttl(ttl), None);
    }
    assert_eq!(lease_ttl(i64::MAX), Some(Duration::from_secs(9_000_000_000)), "no longer than etcd grants");
    assert_protocol(lease_keep_alive_response(answer(6, 10), lease(5)), Outcome::Unknown);
    let headless = pb::LeaseKeepAliveResponse { header: None, id: 5, ttl: 10 };
    assert_protocol(lease_keep_alive_response(headless, lease(5)), Outcome::Unknown);
}

#[test]
fn a_lease_without_time_is_unknown() {
    let answer = |ttl| {
        let keys = vec!["k".into()];
        let response = pb::LeaseTimeToLiveResponse { header: pb_header(), id: 5, ttl, granted_ttl: 10, keys };
        lease_time_to_live_response(response).expect("a good answer")
    };
    assert_eq!(
        (answer(7).ttl, answer(7).granted_ttl),
        (Some(Duration::from_secs(7)), Duration::from_secs(10))
    );
    assert_eq!(answer(7).keys, ["k"]);
    assert_eq!(answer(0).ttl, Some(Duration::ZERO));
    assert_eq!((answer(-1).ttl, answer(-1).granted_ttl, answer(i64::MIN).ttl), (None, Duration::ZERO, None));
    let grant = pb::LeaseGrantResponse { header: pb_header(), id: 5, ttl: 10, ..Default::default() };
    let chosen_by_the_server = lease_grant_response(grant.clone(), 0).expect("a good answer");
    assert_eq!(chosen_by_the_server.id, lease(5));
    assert_protocol(lease_grant_response(grant.clone(), 6), Outcome::Unknown);
    let grant = lease_grant_response(grant, 5).expect("a good answer");
    assert_eq!((grant.id, grant.ttl), (lease(5), Duration::from_secs(10)));
    let leases = vec![pb::LeaseStatus { id: 5 }, pb::LeaseStatus { id: -6 }];
    let list = lease_list_response(pb::LeaseLeasesResponse { header: pb_header(), leases }).expect("good");
    assert_eq!(list.leases, [lease(5), lease(-6)]);
}

#[test]
fn response_without_a_header_is_an_error() {
    assert_protocol(get_response(Default::default()), Outcome::NotApplied);
    assert_protocol(put_response(Default::default()), Outcome::Unknown);
    assert_protocol(delete_response(Default::default()), Outcome::Unknown);
    assert_protocol(compact_response(Default::default()), Outcome::Unknown);
    assert_protocol(lease_grant_response(Default::default(), 0), Outcome::Unknown);
    assert_protocol(lease_revoke_response(Default::default()), Outcome::Unknown);
    assert_protocol(lease_time_to_live_response(Default::default()), Outcome::NotApplied);
    assert_protocol(lease_list_response(Default::default()), Outcome::NotApplied);
    let (_, shape) = txn_request(Txn::new(), &Limits::default());
    assert_protocol(txn_response(Default::default(), &shape), Outcome::NotApplied);
}

#[test]
fn impossible_numbers_are_clamped_or_rejected() {
    let kv = mvccpb::KeyValue { version: i64::MIN, mod_revision: -1, lease: i64::MIN, ..Default::default() };
    let kvs = vec![kv.clone()];
    let got = get_response(pb::RangeResponse { header: pb_header(), kvs, more: false, count: -1 })
        .expect("clamped");
    assert_eq!(
        (got.count, got.kvs[0].mod_revision, got.kvs[0].lease),
        (0, Revision::new(-1), LeaseId::new(i64::MIN))
    );
    let delete = pb::DeleteRangeResponse { header: pb_header(), deleted: i64::MIN, prev_kvs: vec![kv] };
    assert_eq!(delete_response(delete).expect("clamped").deleted, 0);
    let grant = |id, ttl| {
        lease_grant_response(pb::LeaseGrantResponse { header: pb_header(), id, ttl, ..Default::default() }, 0)
    };
    assert_eq!(grant(1, -5).expect("clamped").ttl, Duration::ZERO);
    assert!(grant(1, i64::MAX).is_ok());
    assert_protocol(grant(0, 5), Outcome::Unknown);
    let ask = pb::LeaseTimeToLiveResponse { header: pb_header(), ..Default::default() };
    assert_protocol(lease_time_to_live_response(ask), Outcome::NotApplied);
    let leases = vec![pb::LeaseStatus { id: 0 }];
    assert_protocol(
        lease_list_response(pb::LeaseLeasesResponse { header: pb_header(), leases }),
        Outcome::NotApplied,
    );
}

// ===== responses to transactions =====

fn result(response: Response) -> pb::ResponseOp {
    pb::ResponseOp { response: Some(response) }
}

fn range(revision: i64) -> pb::ResponseOp {
    let header = Some(pb::ResponseHeader { revision, ..Default::default() });
    result(Response::ResponseRange(pb::RangeResponse { header, count: 1, ..Default::default() }))
}

fn put() -> pb::ResponseOp {
    result(Response::ResponsePut(Default::default()))
}

fn delete() -> pb::ResponseOp {
    result(Response::ResponseDeleteRange(pb::DeleteRangeResponse { deleted: 1, ..Default::default() }))
}

fn nested(succeeded: bool, responses: Vec<pb::ResponseOp>) -> pb::ResponseOp {
    result(Response::ResponseTxn(pb::TxnResponse { succeeded, responses, ..Default::default() }))
}

fn answer(txn: Txn, succeeded: bool, responses: Vec<pb::ResponseOp>) -> Result<TxnResponse, Error> {
    let (_, shape) = txn_request(txn, &Limits::default());
    txn_response(pb::TxnResponse { header: pb_header(), succeeded, responses }, &shape)
}

fn everything() -> Txn {
    let inner = Txn::new().when(Compare::exists("i")).then(Get::new("i")).or_else(Put::new("i", ""));
    Txn::new().then((Get::new("a"), Put::new("b", ""), Delete::new("c"), inner)).or_else(Get::new("d"))
}

#[test]
fn results_come_in_order_and_kind_with_full_headers() {
    let responses = vec![range(29), put(), delete(), nested(true, vec![range(30)])];
    let got = answer(everything(), true, responses).expect("a good answer");
    assert!(got.succeeded() && got.header == header());
    let [OpResponse::Get(get), OpResponse::Put(put), OpResponse::Delete(delete), OpResponse::Txn(txn)] =
        got.responses()
    else {
        panic!("{got:?}")
    };
    // Servers omit the ids of inner headers, and some omit the revision too.
    assert_eq!(get.header, ResponseHeader { revision: Revision::new(29), ..header() });
    assert_eq!((put.header, delete.header, txn.header), (header(), header(), header()));
    assert_eq!((delete.deleted, txn.responses().len()), (1, 1));
    let failed = answer(everything(), false, vec![range(30)]).expect("a good answer");
    assert_eq!(failed.into_responses().len(), 1);
}

#[test]
fn response_of_another_shape_is_rejected() {
    let good_inner = || nested(true, vec![range(1)]);
    let shapes: Vec<(bool, Vec<pb::ResponseOp>)> = vec![
        (true, vec![]),
        (true, vec![range(1), put(), delete()]),
        (true, vec![range(1), put(), delete(), good_inner(), range(1)]),
        (true, vec![put(), range(1), delete(), good_inner()]),
        (true, vec![range(1), put(), put(), good_inner()]),
        (true, vec![range(1), put(), delete(), range(1)]),
        (true, vec![range(1), put(), delete(), pb::ResponseOp { response: None }]),
        (true, vec![range(1), put(), delete(), nested(true, vec![])]),
        (true, vec![range(1), put(), delete(), nested(false, vec![range(1)])]),
        (true, vec![range(1), put(), delete(), nested(true, vec![range(1), range(1)])]),
        (false, vec![]),
        (false, vec![delete()]),
    ];
    for (succeeded, responses) in shapes {
        assert_protocol(answer(everything(), succeeded, responses), Outcome::Unknown);
    }
    // Only the outermost transaction counts: a read inside of a write also has an unknown outcome.
    let reads = Txn::new().then(Txn::new().then(Get::new("a")));
    assert_protocol(answer(reads.clone(), true, vec![nested(true, vec![])]), Outcome::NotApplied);
    let writes = reads.or_else(Put::new("p", ""));
    assert_protocol(answer(writes, true, vec![nested(true, vec![])]), Outcome::Unknown);
}

#[test]
fn the_hidden_range_is_sent_and_not_returned() {
    let check = Txn::new().when(Compare::exists("k")).then(Get::new("g").serializable());
    let (request, shape) = txn_request(check.clone(), &Limits::default());
    let Some(Request::RequestRange(hidden)) = &request.success[1].request else { panic!("{request:?}") };
    let expected = pb::RangeRequest { key: "k".into(), count_only: true, ..Default::default() };
    assert_eq!((hidden, request.failure.len()), (&expected, 0));

    let response = |succeeded, responses| pb::TxnResponse { header: pb_header(), succeeded, responses };
    let held = txn_response(response(true, vec![range(1), range(30)]), &shape).expect("a good answer");
    assert_eq!(held.responses().len(), 1);
    assert_eq!(held.responses()[0].header().revision, Revision::new(1));
    let failed = txn_response(response(false, vec![]), &shape).expect("a good answer");
    assert!(failed.responses().is_empty());
    assert_protocol(txn_response(response(true, vec![range(1)]), &shape), Outcome::NotApplied);

    let limits = Limits::default().max_txn_ops(1);
    let (request, shape) = txn_request(check, &limits);
    assert_eq!((request.success.len(), request.failure.len()), (1, 1));
    let failed = txn_response(response(false, vec![range(30)]), &shape).expect("a good answer");
    assert!(failed.responses().is_empty());
    let held = txn_response(response(true, vec![range(30)]), &shape).expect("a good answer");
    assert_eq!(held.responses().len(), 1);
}

#[test]
fn the_measured_size_is_the_sent_size() {
    let txn = Txn::new().when(Compare::exists("k")).or_else(Get::new("g").serializable());
    let limits = Limits::default();
    let (request, _) = txn_request(txn.clone(), &limits);
    assert_eq!(txn_len(&txn, &limits), request.encoded_len());
    let put = Put::new("k", Value::from(vec![1; 300])).lease(lease(1));
    assert_eq!(put_len(&put), put_request(put).encoded_len());
    let get = Get::new("k").prefix().limit(3);
    assert_eq!(get_len(&get), get_request(get).encoded_len());
    let delete = Delete::new("k").prefix();
    assert_eq!(delete_len(&delete), delete_request(delete).encoded_len());
}
