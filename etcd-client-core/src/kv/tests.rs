//! Tests of operations without a server: validation, setters, and the call of a bound one.

use std::{fmt::Debug, sync::Mutex, time::Duration};

use async_trait::async_trait;
use etcd_errors::{Code, Error, ErrorKind, Outcome};

use crate::{
    cluster::{MemberAdd, MemberUpdate},
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        SortOrder, SortTarget,
    },
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    maintenance::{AlarmDisarm, AlarmType, Downgrade, DowngradeAction, HashKv},
    request::{CallOptions, Limits, Timeout},
    txn::{Compare, CompareOperand, Op, Txn, TxnResponse, execute},
    types::{KeyValue, LeaseId, MemberId, ResponseHeader, Value},
};

fn assert_rejected(checked: Result<(), Error>, field: &str, code: Option<Code>, what: &dyn Debug) {
    let error = checked.expect_err(field);
    assert_eq!((error.field(), error.code()), (Some(field), code), "{error} for {what:?}");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotApplied));
    assert!(error.message().starts_with(field), "{error}");
}

fn lease(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

#[test]
fn rejects_invalid_gets() {
    let get = || Get::new("k");
    let sorted = |get: Get| get.sort(SortTarget::Version, SortOrder::Descend);
    let cases = [
        (Get::new(""), "key", Some(Code::EmptyKey)),
        (Get::new("").range_end("b"), "key", Some(Code::EmptyKey)),
        (get().range_end(""), "range_end", None),
        (get().prefix().from_key(), "range_end", None),
        (get().range_end("z").prefix(), "range_end", None),
        (get().range_end("z").range_end("y"), "range_end", None),
        (Get::new("").all_keys().prefix(), "range_end", None),
        (get().all_keys(), "key", None),
        (get().limit(-1), "limit", None),
        (get().revision(-1), "revision", None),
        (get().min_mod_revision(-1), "min_mod_revision", None),
        (get().max_mod_revision(-1), "max_mod_revision", None),
        (get().min_create_revision(-1), "min_create_revision", None),
        (get().max_create_revision(i64::MIN), "max_create_revision", None),
        (sorted(get()), "sort", None),
        (get().sort(SortTarget::Key, SortOrder::Ascend), "sort", None),
        (Get::new(vec![b'k'; 3 << 20]), "request", None),
    ];
    for (get, field, code) in cases {
        assert_rejected(get.validate(&Limits::default()), field, code, &field);
    }
}

#[test]
fn accepts_valid_gets() {
    let empty = || Get::new("");
    for get in [
        Get::new("k"),
        empty().prefix(),
        empty().from_key(),
        empty().all_keys(),
        empty().first_key(),
        Get::new("k").prefix().prefix(),
        Get::new("k").last_create().range_end("z"),
        Get::new("k").limit(0).revision(0).keys_only().count_only(),
        Get::new("k").limit(i64::MAX).revision(i64::MAX),
        Get::new(vec![b'k'; 1_800_000]),
    ] {
        assert!(get.validate(&Limits::default()).is_ok(), "{:?}", get.range.bounds());
    }
}

#[test]
fn rejects_invalid_puts_and_deletes() {
    let limits = Limits::default();
    let puts = [
        (Put::new("", "v"), "key", Some(Code::EmptyKey)),
        (Put::new("k", "v").ignore_value(), "value", Some(Code::ValueProvided)),
        (Put::new("k", "v").lease(lease(1)).ignore_lease(), "lease", Some(Code::LeaseProvided)),
        (Put::new("k", vec![0; 1_572_864]), "request", Some(Code::RequestTooLarge)),
    ];
    for (put, field, code) in puts {
        assert_rejected(put.validate(&limits), field, code, &field);
    }
    let deletes = [
        (Delete::new(""), "key", Some(Code::EmptyKey)),
        (Delete::new("k").range_end(""), "range_end", None),
        (Delete::new("k").prefix().from_key(), "range_end", None),
        (Delete::new("dir/").all_keys(), "key", None),
        (Delete::new(vec![b'k'; 1_572_864]), "request", Some(Code::RequestTooLarge)),
    ];
    for (delete, field, code) in deletes {
        assert_rejected(delete.validate(&limits), field, code, &field);
    }
    assert!(Put::touch("k").ignore_lease().validate(&limits).is_ok());
    assert!(Put::new("k", "").lease(lease(-1)).validate(&limits).is_ok());
    assert!(Delete::new("").all_keys().validate(&limits).is_ok());
}

#[test]
fn size_limit_is_exact() {
    // Key: tag, length, one byte; value: tag, three bytes of length, contents.
    let put = |len| Put::new("k", vec![0; len]).validate(&Limits::default());
    assert!(put(1_572_864 - 7).is_ok());
    assert!(put(1_572_864 - 6).is_err());
    // A higher limit for writes does not raise max_send_bytes.
    let limits = Limits::default().max_request_bytes(10 << 20);
    assert_rejected(Put::new("k", vec![0; 3 << 20]).validate(&limits), "request", None, &"3 MiB");
}

#[test]
fn rejects_invalid_compactions_and_leases() {
    let _limits = Limits::default();
    for revision in [0, -1] {
        assert_rejected(Compact::new(revision).validate(), "revision", None, &revision);
    }
    let grant = |ttl| LeaseGrant::new(ttl).validate();
    assert_rejected(grant(Duration::ZERO), "ttl", None, &0);
    let longest = Duration::from_secs(9_000_000_000);
    assert!(grant(longest).is_ok());
    for ttl in [longest + Duration::from_nanos(1), Duration::MAX] {
        assert_rejected(grant(ttl), "ttl", Some(Code::LeaseTTLTooLarge), &ttl);
    }
    let ttl = Duration::from_secs(5);
    assert!(LeaseGrant::new(ttl).id(lease(-5)).validate().is_ok(), "etcd accepts negative ids");
    assert!(LeaseGrant::new(ttl).id(lease(5)).validate().is_ok());
    for (millis, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (9_500, 10)] {
        assert_eq!(LeaseGrant::new(Duration::from_millis(millis)).ttl_seconds(), seconds);
    }
}

#[test]
fn first_and_last_sort_and_limit_a_prefix() {
    use SortOrder::{Ascend, Descend};
    let sorted = |target, order| Get::new("d/").prefix().sort(target, order).limit(1);
    let get = || Get::new("d/");
    for (bundle, target, order) in [
        (get().first_key(), SortTarget::Key, Ascend),
        (get().last_key(), SortTarget::Key, Descend),
        (get().first_create(), SortTarget::CreateRevision, Ascend),
        (get().last_create(), SortTarget::CreateRevision, Descend),
        (get().first_revision(), SortTarget::ModRevision, Ascend),
        (get().last_revision(), SortTarget::ModRevision, Descend),
    ] {
        let plain = sorted(target, order);
        let (bundle, plain) = (&bundle, &plain);
        assert_eq!((bundle.sort, bundle.limit), (plain.sort, plain.limit));
        assert_eq!(bundle.range.bounds(), plain.range.bounds());
    }
    let chosen = get().range_end("e").last_key();
    assert_eq!(chosen.range, get().last_key().range_end("e").range);
}

#[test]
fn exists_and_missing_compare_versions() {
    assert_eq!(Compare::exists("k"), Compare::version("k").greater(0));
    assert_eq!(Compare::missing("k"), Compare::version("k").equal(0));
    assert_eq!(*Compare::lease("k").equal(None).operand(), CompareOperand::Lease(None));
    assert_eq!(*Compare::lease("k").equal(lease(3)).operand(), CompareOperand::Lease(Some(lease(3))));
}

#[test]
fn debug_hides_values() {
    let ops = (
        Put::new("k", "secret"),
        Txn::new().when(Compare::value("k").equal("secret")).then(Put::new("k", "secret")),
        PutResponse::default().with_prev_kv(KeyValue::new("k", "secret")),
    );
    let shown = format!("{ops:?} {ops:#?}");
    assert!(!shown.contains("secret"), "{shown}");
}

/// Notes the options it is called with; answers at once.
#[derive(Debug, Default)]
struct Recorder {
    calls: Mutex<Vec<(&'static str, CallOptions)>>,
}

impl Recorder {
    fn note(&self, call: &'static str, options: CallOptions) {
        self.calls.lock().expect("no panic under the lock").push((call, options));
    }

    fn last(&self) -> (&'static str, CallOptions) {
        self.calls.lock().expect("no panic under the lock").last().cloned().expect("was called")
    }
}

#[async_trait]
impl KvService for Recorder {
    async fn get(&self, _: Get, options: CallOptions) -> Result<GetResponse, Error> {
        self.note("get", options);
        Ok(GetResponse::default())
    }

    async fn put(&self, _: Put, options: CallOptions) -> Result<PutResponse, Error> {
        self.note("put", options);
        Ok(PutResponse::default())
    }

    async fn delete(&self, _: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        self.note("delete", options);
        Ok(DeleteResponse::new(ResponseHeader::default(), 2))
    }

    async fn txn(&self, _: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        self.note("txn", options);
        Ok(TxnResponse::new(ResponseHeader::default(), true, Vec::new()))
    }

    async fn compact(&self, _: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        self.note("compact", options);
        Ok(CompactResponse::default())
    }
}

#[async_trait]
impl LeaseService for Recorder {
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        self.note("grant", options);
        Ok(LeaseGrantResponse::new(ResponseHeader::default(), lease(1), op.ttl))
    }

    async fn revoke(&self, _: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        self.note("revoke", options);
        Ok(LeaseRevokeResponse::default())
    }

    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        self.note("time_to_live", options);
        Ok(LeaseTimeToLiveResponse::unknown(ResponseHeader::default(), op.id))
    }

    async fn list(&self, _: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error> {
        self.note("list", options);
        Ok(LeaseListResponse::default())
    }

    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        self.note("keep_alive_once", options);
        Ok(LeaseKeepAliveResponse::new(ResponseHeader::default(), op.id, Duration::from_secs(60)))
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<LeaseKeeper, Error> {
        self.note("keep_alive", options);
        let ttl = op.granted.map_or(Duration::from_secs(60), |granted| granted.ttl);
        Ok(LeaseKeeper::channel(op.id, ttl).1)
    }
}

#[tokio::test]
async fn bound_operation_calls_its_method_with_its_options() {
    let service = Recorder::default();
    let put =
        Put::new("k", "v").bind(&service).timeout(Duration::from_secs(3)).lease(lease(1)).require_leader();
    put.metadata("x-id", "1").await.expect("the mock answers");
    let options =
        CallOptions::default().timeout(Duration::from_secs(3)).require_leader().metadata("x-id", "1");
    assert_eq!(service.last(), ("put", options));
    assert_eq!(service.last().1.metadata, [("x-id".to_owned(), Value::from("1"))]);

    Get::new("k").bind(&service).no_timeout().prefix().await.expect("the mock answers");
    assert_eq!((service.last().0, service.last().1.timeout), ("get", Timeout::None));
    assert_eq!(Delete::new("k").bind(&service).await.expect("the mock answers").deleted, 2);
    assert!(
        Txn::new().bind(&service).when(Compare::exists("k")).await.expect("the mock answers").succeeded()
    );
    Compact::new(3).bind(&service).physical().await.expect("the mock answers");
    assert_eq!(service.last(), ("compact", CallOptions::default()));
    LeaseGrant::new(Duration::from_secs(1)).bind(&service).id(lease(4)).await.expect("the mock answers");
    LeaseRevoke::new(lease(4)).bind(&service).await.expect("the mock answers");
    LeaseTimeToLive::new(lease(4)).bind(&service).keys().await.expect("the mock answers");
    LeaseList::new().bind(&service).require_leader().await.expect("the mock answers");
    assert_eq!(service.last(), ("list", CallOptions::default().require_leader()));
}

#[tokio::test]
async fn execute_returns_response_of_same_kind() {
    let service = Recorder::default();
    let run = |op: Op| execute(&service, op, CallOptions::default());
    assert!(run(Get::new("k").into()).await.expect("the mock answers").into_get().is_some());
    assert!(run(Put::new("k", "").into()).await.expect("the mock answers").into_put().is_some());
    assert!(run(Delete::new("k").into()).await.expect("the mock answers").as_delete().is_some());
    assert!(run(Txn::new().into()).await.expect("the mock answers").as_txn().is_some());
}

#[test]
fn call_is_one_box_and_send() {
    fn assert_send<T: Send>(it: T) -> T {
        it
    }
    let service = Recorder::default();
    let put = Put::new(crate::types::Key::from_static(b"k"), Value::from_static(b"v")).bind(&service);
    let mut future = None;
    let made = allocation_counter::measure(|| future = Some(assert_send(put).into_future()));
    assert_eq!(made.count_total, 1, "the box of the service's own future");
    drop(assert_send(future));
    drop(assert_send(LeaseList::new().bind(&service).into_future()));
    drop(assert_send(execute(&service, Get::new("k"), CallOptions::default())));
}

#[test]
fn unbind_returns_the_options() {
    let service = Recorder::default();
    let get = Get::new("k").prefix();
    let (unbound, options) = get.clone().bind(&service).no_timeout().unbind();
    assert_eq!((unbound, options), (get, CallOptions::default().no_timeout()));
}

#[test]
fn rejects_invalid_maintenance_requests() {
    let _limits = Limits::default();
    for kind in [AlarmType::NoSpace, AlarmType::Corrupt] {
        assert!(AlarmDisarm::new(MemberId::new(7), kind).validate().is_ok());
    }
    let errors = [
        AlarmDisarm::new(MemberId::new(7), AlarmType::Other(3)).validate(),
        HashKv::new("a:1").revision(-1).validate(),
        Downgrade::new(DowngradeAction::validate("")).validate(),
        Downgrade::new(DowngradeAction::enable("")).validate(),
        MemberAdd::new::<&str>([]).validate(),
        MemberUpdate::new(MemberId::new(7), ["http://a"]).validate(),
    ];
    let fields = errors.map(|checked| checked.expect_err("refused").field());
    let expected = ["kind", "revision", "version", "version", "peer_urls", "peer_urls"];
    assert_eq!(fields, expected.map(Some));
    assert!(Downgrade::new(DowngradeAction::Cancel).validate().is_ok());
}
