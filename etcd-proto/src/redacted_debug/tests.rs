//! A canary in every secret and every value: no `Debug` output may contain it, at any depth.

use std::fmt::Debug;

use crate::authpb::{User, UserAddOptions};
use crate::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::etcdserverpb::{
    AuthUserAddRequest, AuthUserChangePasswordRequest, AuthenticateRequest, AuthenticateResponse, Compare,
    DeleteRangeResponse, PutRequest, PutResponse, RangeResponse, RangeStreamResponse, RequestOp,
    ResponseHeader, ResponseOp, SnapshotResponse, TxnRequest, TxnResponse, WatchResponse, request_op,
    response_op,
};
use crate::mvccpb::{Event, KeyValue};
use crate::v3electionpb::{CampaignRequest, LeaderKey, LeaderResponse, ProclaimRequest};

const CANARY: &str = "canary-7f3a";

/// Returns both forms of `Debug`, after checking that neither contains the canary as text, as numbers or as hex.
#[track_caller]
fn shown(message: &dyn Debug) -> String {
    let both = format!("{message:?}\n{message:#?}");
    assert!(!both.contains("canary"), "{both}");
    assert!(!both.contains("99, 97, 110"), "{both}");
    assert!(!both.contains("63616e"), "{both}");
    both
}

fn key_value() -> KeyValue {
    KeyValue {
        key: "shown-key".into(),
        create_revision: 11,
        mod_revision: 12,
        version: 13,
        value: CANARY.into(),
        lease: 14,
    }
}

fn put() -> PutRequest {
    PutRequest {
        key: "shown-key".into(),
        value: CANARY.into(),
        lease: 21,
        prev_kv: true,
        ..Default::default()
    }
}

fn compare() -> Compare {
    Compare {
        result: CompareResult::NotEqual.into(),
        target: CompareTarget::Value.into(),
        key: "shown-key".into(),
        range_end: "shown-end".into(),
        target_union: Some(TargetUnion::Value(CANARY.into())),
    }
}

fn put_op() -> RequestOp {
    RequestOp { request: Some(request_op::Request::RequestPut(put())) }
}

fn txn() -> TxnRequest {
    TxnRequest { compare: vec![compare()], success: vec![put_op()], failure: vec![put_op()] }
}

fn range() -> RangeResponse {
    RangeResponse { kvs: vec![key_value()], count: 1, ..Default::default() }
}

#[test]
fn messages_with_a_value_show_its_size_and_everything_else() {
    assert_eq!(
        format!("{:?}", key_value()),
        "KeyValue { key: b\"shown-key\", create_revision: 11, mod_revision: 12, version: 13, \
         value: <11 bytes>, lease: 14 }"
    );
    assert_eq!(
        format!("{:?}", put()),
        "PutRequest { key: b\"shown-key\", value: <11 bytes>, lease: 21, prev_kv: true, \
         ignore_value: false, ignore_lease: false }"
    );
    let header = Some(ResponseHeader { revision: 31, ..Default::default() });
    let snapshot =
        SnapshotResponse { header, remaining_bytes: 32, blob: CANARY.into(), version: "3.7".into() };
    let text = shown(&snapshot);
    for part in ["revision: 31", "remaining_bytes: 32", "blob: <11 bytes>", "version: \"3.7\""] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let campaign = CampaignRequest { name: "shown-name".into(), lease: 41, value: CANARY.into() };
    assert_eq!(
        format!("{campaign:?}"),
        "CampaignRequest { name: b\"shown-name\", lease: 41, value: <11 bytes> }"
    );
    let leader = Some(LeaderKey { key: "shown-key".into(), ..Default::default() });
    let text = shown(&ProclaimRequest { leader, value: CANARY.into() });
    assert!(text.contains("shown-key") && text.contains("value: <11 bytes>"), "{text}");
}

#[test]
fn a_compare_shows_its_target_by_name_and_hides_the_value() {
    assert_eq!(
        format!("{:?}", compare()),
        "Compare { result: NotEqual, target: Value, key: b\"shown-key\", range_end: b\"shown-end\", \
         target_union: Some(Value(<11 bytes>)) }"
    );
    let unknown = Compare { result: 77, target: 78, ..Default::default() };
    assert!(format!("{unknown:?}").starts_with("Compare { result: 77, target: 78, "));
    for (union, text) in [
        (TargetUnion::Version(1), "Version(1)"),
        (TargetUnion::CreateRevision(2), "CreateRevision(2)"),
        (TargetUnion::ModRevision(3), "ModRevision(3)"),
        (TargetUnion::Lease(4), "Lease(4)"),
    ] {
        assert_eq!(format!("{union:?}"), text);
    }
}

#[test]
fn secrets_never_show() {
    let name = || "shown-name".to_owned();
    let secret = || CANARY.to_owned();
    let options = Some(UserAddOptions { no_password: true });
    assert_eq!(
        shown(&AuthenticateRequest { name: name(), password: secret() }).lines().next(),
        Some("AuthenticateRequest { name: \"shown-name\", password: <redacted> }")
    );
    let header = Some(ResponseHeader { revision: 51, ..Default::default() });
    let text = shown(&AuthenticateResponse { header, token: secret() });
    assert!(text.contains("revision: 51") && text.contains("token: <redacted>"), "{text}");
    let text =
        shown(&AuthUserAddRequest { name: name(), password: secret(), options, hashed_password: secret() });
    assert!(text.contains("shown-name") && text.contains("no_password: true"), "{text}");
    assert_eq!(text.matches("<redacted>").count(), 4, "{text}");
    let text =
        shown(&AuthUserChangePasswordRequest { name: name(), password: secret(), hashed_password: secret() });
    assert_eq!(text.matches("<redacted>").count(), 4, "{text}");
    let user =
        User { name: name().into(), password: secret().into(), roles: vec!["shown-role".into()], options };
    let text = shown(&user);
    assert!(text.contains("shown-role") && text.contains("password: <redacted>"), "{text}");
}

#[test]
fn an_absent_secret_looks_like_a_present_one() {
    let absent = AuthenticateRequest::default();
    assert_eq!(format!("{absent:?}"), "AuthenticateRequest { name: \"\", password: <redacted> }");
}

#[test]
fn containers_do_not_leak_what_they_hold() {
    let nested = RequestOp { request: Some(request_op::Request::RequestTxn(txn())) };
    let requests = TxnRequest { success: vec![nested], ..txn() };
    let event = Event { r#type: 0, kv: Some(key_value()), prev_kv: Some(key_value()) };
    let op = |response| ResponseOp { response: Some(response) };
    let put_response = PutResponse { prev_kv: Some(key_value()), ..Default::default() };
    let delete_response = DeleteRangeResponse { prev_kvs: vec![key_value()], ..Default::default() };
    let inner = TxnResponse {
        responses: vec![
            op(response_op::Response::ResponseRange(range())),
            op(response_op::Response::ResponsePut(put_response)),
            op(response_op::Response::ResponseDeleteRange(delete_response)),
        ],
        ..Default::default()
    };
    let responses =
        TxnResponse { responses: vec![op(response_op::Response::ResponseTxn(inner))], ..Default::default() };
    for message in [
        &requests as &dyn Debug,
        &responses,
        &range(),
        &RangeStreamResponse { range_response: Some(range()) },
        &WatchResponse { events: vec![event], ..Default::default() },
        &LeaderResponse { kv: Some(key_value()), ..Default::default() },
    ] {
        let text = shown(message);
        assert!(text.contains("<11 bytes>") && text.contains("shown-key"), "{text}");
    }
}
