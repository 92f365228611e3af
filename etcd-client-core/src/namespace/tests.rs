//! Tests of the namespace on a scripted service.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind, Outcome};

use super::*;
use crate::{
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeChunk, RangeStream,
    },
    request::CallOptions,
    txn::{Compare, Op, OpResponse, Txn, TxnResponse},
    types::{Event, KeyRange, KeyValue, LeaseId, ResponseHeader},
    watch::{Watch, WatchResponse, WatchSender, WatchService, WatchStream},
};

fn bounds(prefix: &[u8], mut range: KeyRange) -> (Bytes, Bytes) {
    Prefix::new(prefix.into()).add_range(&mut range);
    assert!(range.check().is_ok(), "{range:?}");
    range.bounds()
}

#[test]
fn every_range_stays_within_the_namespace() {
    let cases: [(KeyRange, &[u8], &[u8]); 9] = [
        (KeyRange::one("a"), b"p/a", b""),
        (KeyRange::prefix("a"), b"p/a", b"p/b"),
        (KeyRange::prefix(b"\xff"), b"p/\xff", b"p0"),
        (KeyRange::prefix(""), b"p/\0", b"p0"),
        (KeyRange::from_key("a"), b"p/a", b"p0"),
        (KeyRange::from_key(""), b"p/\0", b"p0"),
        (KeyRange::between("a", "c"), b"p/a", b"p/c"),
        (KeyRange::between("a", "\0"), b"p/a", b"p0"),
        (KeyRange::all(), b"p/\0", b"p0"),
    ];
    for (range, key, end) in cases {
        let shown = format!("{range:?}");
        assert_eq!(bounds(b"p/", range), (key.into(), end.into()), "{shown}");
    }
    assert_eq!(bounds(b"p\xff", KeyRange::all()), (b"p\xff\0".as_slice().into(), "q".into()));
    assert_eq!(bounds(b"\xff", KeyRange::all()), (b"\xff\0".as_slice().into(), "\0".into()), "no upper end");
    assert_eq!(bounds(b"", KeyRange::all()), ("\0".into(), "\0".into()));
}

#[test]
fn only_keys_of_the_namespace_are_stripped() {
    let prefix = Prefix::new("p/".into());
    let strip = |key: &'static str| prefix.strip(&Bytes::from(key));
    assert_eq!(strip("p/a").as_deref(), Some(&b"a"[..]));
    for foreign in ["", "p", "p/", "p0", "q", "a/p/b"] {
        assert_eq!(strip(foreign), None, "{foreign:?}");
    }
    let key = Bytes::from(b"p/key".to_vec());
    assert_eq!(prefix.strip(&key).expect("it is inside").as_ptr(), key[2..].as_ptr(), "no copy");
}

/// A service that records the requested operations, and answers each with the same key in every field that contains a key.
#[derive(Debug)]
struct Scripted {
    key: &'static str,
    asked: Mutex<Vec<Op>>,
    watches: Mutex<Vec<WatchSender>>,
}

impl Scripted {
    fn answering(key: &'static str) -> Namespace<Self> {
        let service = Self { key, asked: Mutex::default(), watches: Mutex::default() };
        Namespace::new(service, "p/")
    }

    fn kv(&self) -> KeyValue {
        KeyValue::new(self.key, "v")
    }

    fn ask(&self, op: impl Into<Op>) {
        self.asked.lock().expect("no panic").push(op.into());
    }

    fn get_response(&self) -> GetResponse {
        GetResponse::new(ResponseHeader::default(), vec![KeyValue::new("p/first", "v"), self.kv()])
    }

    fn put_response(&self) -> PutResponse {
        PutResponse::new(ResponseHeader::default()).with_prev_kv(self.kv())
    }

    fn delete_response(&self) -> DeleteResponse {
        DeleteResponse::new(ResponseHeader::default(), 1).with_prev_kvs(vec![self.kv()])
    }
}

#[async_trait]
impl KvService for Scripted {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        self.ask(op);
        Ok(self.get_response())
    }

    async fn put(&self, op: Put, _: CallOptions) -> Result<PutResponse, Error> {
        self.ask(op);
        Ok(self.put_response())
    }

    async fn delete(&self, op: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        self.ask(op);
        Ok(self.delete_response())
    }

    /// Returns one response of each kind, nested like a nested transaction.
    async fn txn(&self, op: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        self.ask(op);
        let header = ResponseHeader::default();
        let inner = [self.get_response().into(), self.put_response().into(), self.delete_response().into()];
        let inner = TxnResponse::new(header, true, inner.into());
        Ok(TxnResponse::new(header, true, vec![inner.into()]))
    }

    async fn compact(&self, op: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        assert_eq!(op.revision, 7);
        Ok(CompactResponse::new(ResponseHeader::default()))
    }

    async fn range_stream(&self, op: Get, _: CallOptions) -> Result<RangeStream, Error> {
        self.ask(op);
        let chunk = RangeChunk::new(self.get_response().kvs);
        let chunks = [Ok(chunk), Ok(RangeChunk::new(vec![KeyValue::new("p/last", "v")]))];
        Ok(RangeStream::new(futures_util::stream::iter(chunks)))
    }
}

#[async_trait]
impl WatchService for Scripted {
    async fn watch(&self, op: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        self.ask(Get::from_range(op.range));
        let (sender, handle) = WatchStream::channel(4);
        self.watches.lock().expect("no panic").push(sender);
        Ok(handle)
    }
}

#[tokio::test]
async fn operations_are_prefixed_and_otherwise_unchanged() {
    use crate::kv::{SortOrder, SortTarget};
    let service = Scripted::answering("p/k");
    let get =
        |key: &str| Get::new(key).prefix().sort(SortTarget::Value, SortOrder::Descend).limit(7).revision(3);
    let put = |key: &str| Put::new(key, "p/value").lease(LeaseId::new(9).expect("not zero")).prev_kv();
    let txn = |to: [&str; 5]| {
        let nested = Txn::new().when(Compare::value(to[0]).equal("p/")).or_else(put(to[1]));
        let ranged = Compare::version(to[2]).equal(0).range_end(to[3]);
        Txn::new()
            .when([Compare::missing(to[0]), ranged])
            .then((get(to[0]), nested))
            .or_else(Delete::new(to[4]))
    };
    service.get(get("k"), CallOptions::default()).await.expect("get");
    service.put(put("k"), CallOptions::default()).await.expect("put");
    service.delete(Delete::new("k").prev_kv(), CallOptions::default()).await.expect("delete");
    service.txn(txn(["a", "b", "c", "d", "e"]), CallOptions::default()).await.expect("txn");
    service.compact(Compact::new(7), CallOptions::default()).await.expect("compact");
    let asked = std::mem::take(&mut *service.inner().asked.lock().expect("no panic"));
    let expected: [Op; 4] = [
        get("p/k").into(),
        put("p/k").into(),
        Delete::new("p/k").prev_kv().into(),
        txn(["p/a", "p/b", "p/c", "p/d", "p/e"]).into(),
    ];
    assert_eq!(asked.iter().map(plain).collect::<Vec<_>>(), expected.iter().map(plain).collect::<Vec<_>>());
}

/// Replaces each range by its bounds, because a prefix and the range of its bounds are the same to etcd.
fn plain(op: &Op) -> Op {
    let mut op = op.clone();
    let prefix = Prefix::new(Key::new());
    match &mut op {
        Op::Get(get) => prefix.add_to_get(get),
        Op::Put(_) => {}
        Op::Delete(delete) => prefix.add_to_delete(delete),
        Op::Txn(txn) => prefix.add_to_txn(txn),
    }
    op
}

#[tokio::test]
async fn invalid_operations_are_rejected_before_prefixing() {
    let service = Scripted::answering("p/k");
    let rejected = [
        Get::new("").bind(&service).await.expect_err("get"),
        Get::new("").range_end("a").bind(&service).await.expect_err("a range from the empty key"),
        Put::new("", "v").bind(&service).await.expect_err("put"),
        Delete::new("").bind(&service).await.expect_err("delete"),
        Txn::new().when(Compare::exists("")).bind(&service).await.expect_err("compare"),
        Txn::new().then(Txn::new().then(Put::new("", "v"))).bind(&service).await.expect_err("nested"),
        service.range_stream(Get::new(""), CallOptions::default()).await.expect_err("stream"),
        Watch::new("").bind(&service).await.expect_err("watch"),
    ];
    for error in rejected {
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::InvalidRequest, Some(Code::EmptyKey)),
            "{error}"
        );
        assert_eq!((error.field(), error.outcome()), (Some("key"), Outcome::NotApplied));
        assert!(error.operation().is_some());
    }
    let both = Get::new("a").prefix().from_key().bind(&service).await.expect_err("two ranges");
    assert_eq!(both.field(), Some("range_end"));
    let both = Watch::new("a").prefix().from_key().bind(&service).await.expect_err("two ranges");
    assert_eq!(both.field(), Some("range_end"));
    assert!(service.inner().asked.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn all_responses_are_stripped() {
    let service = Scripted::answering("p/k");
    let got = Get::new("k").bind(&service).await.expect("get");
    assert_eq!(got.kvs.iter().map(|kv| &kv.key[..]).collect::<Vec<_>>(), [&b"first"[..], b"k"]);
    assert_eq!(Put::new("k", "").bind(&service).await.expect("put").prev_kv.expect("there").key, "k");
    assert_eq!(Delete::new("k").bind(&service).await.expect("delete").prev_kvs[0].key, "k");
    let txn = Txn::new().bind(&service).await.expect("txn");
    let inner = txn.txn(0).expect("nested");
    assert_eq!(inner.get(0).expect("a get").kvs[1].key, "k");
    assert_eq!(inner.put(1).expect("a put").prev_kv.as_ref().expect("there").key, "k");
    assert_eq!(inner.delete(2).expect("a delete").prev_kvs[0].key, "k");
}

#[tokio::test]
async fn foreign_key_in_a_response_is_an_error() {
    for foreign in ["", "p", "p/", "p0", "x"] {
        let service = Scripted::answering(foreign);
        let write = Txn::new().then(Put::new("k", ""));
        let errors = [
            (Outcome::NotApplied, "get", Get::new("k").bind(&service).await.err()),
            (Outcome::Unknown, "put", Put::new("k", "").bind(&service).await.err()),
            (Outcome::Unknown, "delete", Delete::new("k").bind(&service).await.err()),
            (Outcome::NotApplied, "txn", Txn::new().bind(&service).await.err()),
            (Outcome::Unknown, "txn", write.bind(&service).await.err()),
        ];
        for (outcome, operation, error) in errors {
            let error = error.expect(operation);
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{error}");
            assert_eq!(error.operation(), Some(operation));
        }
        let mut chunks = service.range_stream(Get::new("k"), CallOptions::default()).await.expect("a stream");
        let error = chunks.next().await.expect("a chunk").expect_err("foreign");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(chunks.next().await.is_none(), "nothing after the error");
    }
}

#[tokio::test]
async fn streamed_range_is_stripped() {
    let service = Scripted::answering("p/k");
    let mut chunks =
        service.range_stream(Get::new("").all_keys(), CallOptions::default()).await.expect("one");
    let mut keys = Vec::new();
    while let Some(chunk) = chunks.next().await {
        keys.extend(chunk.expect("a chunk").kvs.into_iter().map(|kv| kv.key));
    }
    assert_eq!(keys, ["first", "k", "last"]);
}

#[tokio::test]
async fn events_are_stripped_and_a_foreign_key_ends_the_watch() {
    let service = Scripted::answering("p/k");
    let mut watch = Watch::new("").prefix().bind(&service).await.expect("a watch");
    let asked = service.inner().asked.lock().expect("no panic").clone();
    assert_eq!(asked, [Op::from(Get::new("p/\0").range_end("p0"))]);
    let sender = service.inner().watches.lock().expect("no panic").pop().expect("one");
    let event =
        |key: &str, before: &str| Event::put(KeyValue::new(key, "v")).with_prev_kv(KeyValue::new(before, ""));
    let send = async |events| sender.send(WatchResponse::events(ResponseHeader::default(), events)).await;
    assert!(send(vec![event("p/a", "p/a"), Event::delete(KeyValue::new("p/b", ""))]).await);
    let events = watch.next().await.expect("one").expect("events").events;
    assert_eq!((&events[0].kv.key[..], &events[1].kv.key[..]), (&b"a"[..], &b"b"[..]));
    assert_eq!(events[0].prev_kv.as_ref().expect("there").key, "a");
    assert!(send(vec![event("p/a", "q/a")]).await);
    let error = watch.next().await.expect("one").expect_err("foreign");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Protocol, Some("watch")));
    assert!(watch.next().await.is_none());
}

#[test]
fn empty_prefix_accepts_every_key() {
    let response = OpResponse::Get(GetResponse::new(ResponseHeader::default(), vec![KeyValue::new("q", "")]));
    let outer = TxnResponse::new(ResponseHeader::default(), false, vec![response]);
    assert!(Prefix::new("p/".into()).strip_txn(outer.clone(), Outcome::NotApplied).is_err());
    assert!(
        Prefix::new(Key::new()).strip_txn(outer, Outcome::NotApplied).is_ok(),
        "no prefix, nothing foreign"
    );
}
