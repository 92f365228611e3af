//! Invalid input is refused by its field before anything is sent: there is nobody to send it to.

use std::time::Duration;

use etcd_client_core::{
    Client, ClientBuilder, Code, Compare, Delete, Error, ErrorKind, Get, LeaseId, Outcome, Put, Txn,
    kv::{SortOrder, SortTarget},
    request::Limits,
    txn::Op,
};
use tokio::time::timeout;

/// What is refused is refused at once: only a failing test waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls on it wait for ever for a connection.
fn unreachable() -> ClientBuilder {
    Client::builder(["http://127.0.0.1:1"]).no_timeout()
}

async fn assert_refused<T: std::fmt::Debug>(
    call: impl IntoFuture<Output = Result<T, Error>>,
    field: &str,
    code: Option<Code>,
) {
    let error = timeout(PATIENCE, call.into_future())
        .await
        .unwrap_or_else(|_elapsed| panic!("{field}: not refused before it was sent"))
        .expect_err(field);
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some(field)), "{error}");
    assert_eq!(error.code(), code, "{error}");
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotApplied, 0), "{error}");
    assert!(error.operation().is_some() && error.to_string().contains(field), "{error}");
}

#[tokio::test]
async fn keys_and_ranges() {
    let client = unreachable().build().expect("built");
    let empty = Some(Code::EmptyKey);
    assert_refused(client.get(""), "key", empty).await;
    assert_refused(client.put("", "v"), "key", empty).await;
    assert_refused(client.delete(""), "key", empty).await;
    assert_refused(client.get("").range_end("b"), "key", empty).await;
    assert_refused(client.delete("a").range_end(""), "range_end", None).await;
    assert_refused(client.get("a").prefix().from_key(), "range_end", None).await;
    assert_refused(client.get("a").prefix().range_end("z"), "range_end", None).await;
    assert_refused(client.get("a").all_keys(), "key", None).await;
    assert_refused(client.txn().when(Compare::exists("")), "key", empty).await;
    assert_refused(client.txn().or_else(Get::new("")), "key", empty).await;
    assert_refused(client.txn().then(Txn::new().then(Put::new("", "v"))), "key", empty).await;
    assert_refused(client.execute(Delete::new("")), "key", empty).await;
}

#[tokio::test]
async fn limits_revisions_and_sorts() {
    let client = unreachable().build().expect("built");
    let range = || client.get("a").prefix();
    assert_refused(range().limit(-1), "limit", None).await;
    assert_refused(range().revision(-1), "revision", None).await;
    assert_refused(range().min_mod_revision(-1), "min_mod_revision", None).await;
    assert_refused(range().max_mod_revision(-1), "max_mod_revision", None).await;
    assert_refused(range().min_create_revision(-1), "min_create_revision", None).await;
    assert_refused(range().max_create_revision(-1), "max_create_revision", None).await;
    assert_refused(client.get("a").sort(SortTarget::Value, SortOrder::Ascend), "sort", None).await;
    assert_refused(client.compact(0), "revision", None).await;
    assert_refused(client.compact(-1), "revision", None).await;
    for (field, get) in [
        ("limit", range().limit(-1)),
        ("revision", range().revision(-1)),
        ("sort", range().last_key()),
        ("count_only", range().count_only()),
    ] {
        let mut pages = get.pages();
        let page = timeout(PATIENCE, pages.next()).await.expect("at once").expect("an error");
        let error = page.expect_err(field);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some(field)), "{error}");
    }
}

#[tokio::test]
async fn puts_and_leases() {
    let client = unreachable().build().expect("built");
    let id = |number| LeaseId::new(number).expect("not zero");
    assert_refused(client.put("k", "v").ignore_value(), "value", Some(Code::ValueProvided)).await;
    assert_refused(client.put("k", "v").lease(id(1)).ignore_lease(), "lease", Some(Code::LeaseProvided))
        .await;
    assert_refused(client.lease().grant(Duration::ZERO), "ttl", None).await;
    let too_long = Duration::from_secs(9_000_000_001);
    assert_refused(client.lease().grant(too_long), "ttl", Some(Code::LeaseTTLTooLarge)).await;
    assert_refused(client.lease().grant(Duration::MAX), "ttl", Some(Code::LeaseTTLTooLarge)).await;
}

#[tokio::test]
async fn one_key_written_twice_in_a_txn() {
    let client = unreachable().build().expect("built");
    let put = || Op::from(Put::new("dir/k", "v"));
    let nested = |op: Op| Op::from(Txn::new().then(op));
    for ops in [
        vec![put(), put()],
        vec![put(), Delete::new("dir/").prefix().into()],
        vec![Delete::new("dir/k").into(), put()],
        vec![put(), nested(put())],
        vec![nested(put()), nested(put())],
        vec![put(), nested(nested(Delete::new("a").range_end("z").into()))],
    ] {
        let duplicate = Some(Code::DuplicateKey);
        assert_refused(client.txn().then(ops.clone()), "key", duplicate).await;
        assert_refused(client.txn().or_else(ops), "key", duplicate).await;
    }
}

#[tokio::test]
async fn too_many_operations() {
    let client = unreachable().build().expect("built");
    let gets = |n: usize| vec![Get::new("k"); n];
    let compares = vec![Compare::exists("k"); 129];
    let too_many = Some(Code::TooManyOps);
    assert_refused(client.txn().when(compares), "compare", too_many).await;
    assert_refused(client.txn().then(gets(129)), "success", too_many).await;
    assert_refused(client.txn().or_else(gets(129)), "failure", too_many).await;
    let nested = Txn::new().then(gets(2));
    assert_refused(client.txn().then((gets(126), nested)), "success", too_many).await;
    let strict = unreachable().limits(Limits::default().max_txn_ops(2)).build().expect("built");
    assert_refused(strict.txn().then(gets(3)), "success", too_many).await;
}

#[tokio::test]
async fn requests_that_are_too_large() {
    let client = unreachable().build().expect("built");
    let too_large = Some(Code::RequestTooLarge);
    let value = vec![0_u8; 1_572_864];
    assert_refused(client.put("k", &value), "request", too_large).await;
    assert_refused(client.txn().or_else(Put::new("k", &value)), "request", too_large).await;
    assert_refused(client.delete(&value), "request", too_large).await;
    let huge = vec![b'k'; 2 * 1024 * 1024];
    assert_refused(client.get(&huge), "request", None).await;
    assert_refused(client.txn().then(Get::new(&huge)), "request", None).await;
    let strict = unreachable().limits(Limits::default().max_request_bytes(1000)).build().expect("built");
    assert_refused(strict.put("k", vec![0; 1000]), "request", too_large).await;
}

#[tokio::test]
async fn metadata() {
    let client = unreachable().build().expect("built");
    for (name, value) in [("X-Upper", "v"), ("token", "v"), ("grpc-timeout", "1S"), ("line", "a\nb")] {
        assert_refused(client.get("k").metadata(name, value), "metadata", None).await;
        assert_refused(client.lease().list().metadata(name, value), "metadata", None).await;
    }
}

#[tokio::test]
async fn endpoints_and_settings() {
    let build = |endpoints: &[&str]| Client::builder(endpoints).build();
    for (endpoints, field) in [
        (&[][..], "endpoints"),
        (&[""], "endpoint"),
        (&["http://"], "endpoint"),
        (&["http://host:port"], "endpoint"),
        (&["http://host:99999"], "endpoint"),
        (&["ftp://host:1"], "endpoint"),
        (&["http://ok:2379", "http://[::1:2379"], "endpoint"),
    ] {
        let error = build(endpoints).expect_err("invalid");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some(field)), "{error}");
    }
    let error = unreachable().timeout(Duration::ZERO).build().expect_err("no time");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("timeout")));
}
