//! Tests of validation before sending, and of the keys.
use etcd_errors::Code;

use crate::{
    election::{
        ElectionCampaign, ElectionLeader, ElectionObserve, ElectionProclaim, ElectionResign, LeaderKey,
    },
    lock::{ServerLock, ServerUnlock},
    request::Limits,
    types::LeaseId,
};

fn lease(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

#[test]
fn key_is_known_in_advance() {
    assert_eq!(ServerLock::new("l", lease(0x7d)).key(), "l/7d");
    assert_eq!(ServerLock::new("", lease(i64::MAX)).key(), "/7fffffffffffffff");
    assert_eq!(ElectionCampaign::new(b"\xff", lease(-255), "v").key(), b"\xff/-ff".as_slice());
}

#[test]
fn rejects_invalid_keys() {
    let limits = Limits::default();
    let error = ServerUnlock::new("").validate(&limits).expect_err("no key");
    assert_eq!((error.field(), error.code()), (Some("key"), Some(Code::EmptyKey)));
    let held = LeaderKey::new("boss", "boss/7", 3, lease(7));
    assert!(ElectionProclaim::new(held.clone(), "v").validate(&limits).is_ok());
    let never = LeaderKey::new("boss", "boss/7", 0, lease(7));
    let error = ElectionProclaim::new(never.clone(), "v").validate(&limits).expect_err("never held");
    assert_eq!(error.field(), Some("create_revision"));
    assert!(error.to_string().contains("leader.create_revision"), "{error}");
    assert!(ElectionResign::new(never).validate(&limits).is_err());
    let keyless = LeaderKey::new("boss", "", 3, lease(7));
    let error = ElectionResign::new(keyless).validate(&limits).expect_err("no key");
    assert_eq!((error.field(), error.code()), (Some("key"), Some(Code::EmptyKey)));
}

#[test]
fn rejects_oversized_requests() {
    let limits = Limits::default().max_request_bytes(1_000).max_send_bytes(2_000);
    let long = vec![b'x'; 1_001];
    let held = LeaderKey::new("boss", "boss/7", 3, lease(7));
    let checked = [
        ServerLock::new(&long, lease(7)).validate(&limits),
        ServerUnlock::new(&long).validate(&limits),
        ElectionCampaign::new("boss", lease(7), &long).validate(&limits),
        ElectionProclaim::new(held, &long).validate(&limits),
    ];
    for error in checked.map(|checked| checked.expect_err("too long")) {
        assert_eq!((error.field(), error.code()), (Some("request"), Some(Code::RequestTooLarge)));
    }
    assert!(ElectionLeader::new(&long).validate(&limits).is_ok(), "a read may be as long as a request");
    let longer = vec![b'x'; 2_001];
    assert!(ElectionLeader::new(&longer).validate(&limits).is_err());
    assert!(ElectionObserve::new(&longer).validate(&limits).is_err());
}
