//! Tests of the JSON of Go's manager, of changes, and of watches across a compaction.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use etcd_errors::{Code, Error, ErrorKind};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::*;
use crate::{
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse},
    naming::change::{Known, apply, replace},
    request::CallOptions,
    txn::{Txn, TxnResponse},
    types::{Event, Key, KeyValue, ResponseHeader, Value},
    watch::{Watch, WatchResponse, WatchSender, WatchService, WatchStream},
};

fn value(addr: &str) -> String {
    ServiceEndpoint::new(addr).to_json()
}

fn put(key: &str, value: impl Into<Value>, revision: i64) -> Event {
    Event::put(KeyValue::new(key, value).with_revisions(revision, revision))
}

fn delete(key: &str, revision: i64) -> Event {
    Event::delete(KeyValue::new(key, "").with_revisions(0, revision))
}

fn added(key: &str, addr: &str) -> EndpointChange {
    EndpointChange::Added { key: key.into(), endpoint: ServiceEndpoint::new(addr) }
}

fn deleted(key: &str) -> EndpointChange {
    EndpointChange::Deleted { key: key.into() }
}

/// The expected values are the output of `json.Marshal` for `internal.Update` in Go.
#[test]
fn to_json_matches_go() {
    assert_eq!(value("a:1"), r#"{"Op":0,"Addr":"a:1","Metadata":null}"#);
    let metadata = serde_json::json!({"zone": "a", "weight": 7, "tags": ["x"]});
    let endpoint = ServiceEndpoint::new("a:1").with_metadata(&metadata).expect("JSON");
    let json = r#"{"Op":0,"Addr":"a:1","Metadata":{"tags":["x"],"weight":7,"zone":"a"}}"#;
    assert_eq!(endpoint.to_json(), json);
    assert_eq!(ServiceEndpoint::from_json(json.as_bytes()).expect("an endpoint"), endpoint);
}

#[test]
fn from_json_accepts_every_value_that_go_accepts() {
    let endpoint = |json: &str| ServiceEndpoint::from_json(json.as_bytes());
    for json in [
        r#"{"Op":0,"Addr":"a:1","Metadata":null}"#,
        r#"{"Addr":"a:1"}"#,
        r#"{"addr":"a:1","op":1,"more":{}}"#,
        r#" {"Op":0, "Addr":"a:1", "Metadata":null, "New":[1]} "#,
    ] {
        assert_eq!(endpoint(json).expect(json), ServiceEndpoint::new("a:1"));
    }
    assert_eq!(endpoint("{}").expect("empty"), ServiceEndpoint::new(""));
    assert_eq!(endpoint(r#"{"Addr":null}"#).expect("empty"), ServiceEndpoint::new(""));
    for json in ["", "null", "[]", "a:1", r#"{"Addr":7}"#, r#"{"Addr":"a:1"} x"#, "\u{1}"] {
        assert_eq!(endpoint(json).expect_err(json).kind(), ErrorKind::Protocol, "{json}");
    }
    assert!(ServiceEndpoint::from_json(b"{\"Addr\":\"\xff\"}").is_err());
}

#[test]
fn metadata_round_trips() {
    let endpoint = ServiceEndpoint::new("a:1").with_metadata("text").expect("JSON");
    assert_eq!(endpoint.metadata::<String>().expect("text").as_deref(), Some("text"));
    assert_eq!(endpoint.metadata::<u64>().expect_err("another form").kind(), ErrorKind::Protocol);
    assert_eq!(ServiceEndpoint::new("a:1").metadata::<u64>().expect("nothing"), None);
    assert!(!format!("{endpoint:?}").contains("text"), "metadata may be secret");
}

#[test]
fn each_revision_is_one_batch() {
    let mut known = Known::new();
    let events = [
        put("s/1", value("a"), 3),
        put("s/2", value("b"), 3),
        put("s/1", value("c"), 4),
        // An unknown key is deleted, and a value that is not an endpoint is put.
        delete("s/9", 5),
        put("s/8", "nonsense", 6),
        delete("s/2", 7),
        // A value that is not an endpoint replaces a known endpoint.
        put("s/1", "nonsense", 8),
    ];
    let expected = [
        vec![added("s/1", "a"), added("s/2", "b")],
        vec![added("s/1", "c")],
        vec![deleted("s/2")],
        vec![deleted("s/1")],
    ];
    assert_eq!(apply(&mut known, &events), expected);
    assert!(known.is_empty());
}

#[test]
fn re_list_returns_the_difference() {
    let listed = |pairs: &[(&str, &str)]| -> Known {
        pairs.iter().map(|(key, addr)| (Key::from(*key), ServiceEndpoint::new(*addr))).collect()
    };
    let mut known = listed(&[("s/1", "a"), ("s/2", "b"), ("s/3", "c")]);
    let changes = replace(&mut known, listed(&[("s/2", "b"), ("s/3", "d"), ("s/4", "e")]));
    assert_eq!(changes, [deleted("s/1"), added("s/3", "d"), added("s/4", "e")]);
    assert!(replace(&mut known, listed(&[("s/2", "b"), ("s/3", "d"), ("s/4", "e")])).is_empty());
}

/// A revision and its pairs.
type Listed = (i64, Vec<(&'static str, String)>);

/// A service that answers each get with the next list, and exposes the sender of each watch.
#[derive(Debug, Default)]
struct Store {
    lists: Mutex<Vec<Listed>>,
    watches: Mutex<Vec<(i64, WatchSender)>>,
    /// The errors of the next watch creations.
    rejections: Mutex<Vec<Error>>,
}

#[async_trait]
impl KvService for Store {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        assert_eq!(op.range.bounds(), ("s/".into(), "s0".into()));
        let (revision, pairs) = self.lists.lock().expect("no panic").remove(0);
        let header = ResponseHeader { revision: revision.into(), ..Default::default() };
        let kvs = pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        Ok(GetResponse::new(header, kvs))
    }

    async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> {
        unreachable!("an update is one Txn")
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        unreachable!("an update is one Txn")
    }

    async fn txn(&self, _: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        unreachable!("nothing is updated here")
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        unreachable!("nothing compacts")
    }
}

#[async_trait]
impl WatchService for Store {
    async fn watch(&self, op: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        if let Some(rejection) = self.rejections.lock().expect("no panic").pop() {
            return Err(rejection);
        }
        let (sender, handle) = WatchStream::channel(8);
        self.watches.lock().expect("no panic").push((op.start_revision.get(), sender));
        Ok(handle)
    }
}

fn endpoints(lists: Vec<Listed>) -> (Arc<Store>, Endpoints) {
    let store = Arc::new(Store { lists: Mutex::new(lists), ..Default::default() });
    let endpoints = Endpoints::over(Arc::<Store>::clone(&store), Arc::<Store>::clone(&store), "s");
    (store, endpoints.expect("a target"))
}

impl Store {
    fn last_watch(&self) -> (i64, WatchSender) {
        self.watches.lock().expect("no panic").pop().expect("a watch")
    }
}

#[tokio::test(start_paused = true)]
async fn compaction_re_lists_and_delivers_one_batch() {
    let lists = vec![
        (3, vec![("s/1", value("a")), ("s/2", value("b"))]),
        (8, vec![("s/2", value("b"))]),
        (9, vec![("s/2", value("b")), ("s/3", value("c"))]),
    ];
    let (store, endpoints) = endpoints(lists);
    let mut watch = endpoints.watch().await.expect("a watch");
    let first = watch.next().await.expect("a batch").expect("a batch");
    assert_eq!(first, [added("s/1", "a"), added("s/2", "b")]);
    let (start, sender) = store.last_watch();
    assert_eq!(start, 4);
    assert!(watch.next().now_or_never().is_none(), "nothing has changed");
    // A second compaction happens between the list and the watch.
    store.rejections.lock().expect("no panic").push(Code::Compacted.into());
    sender.fail(Code::Compacted.into()).await;
    let second = watch.next().await.expect("a batch").expect("a batch");
    assert_eq!(second, [deleted("s/1"), added("s/3", "c")]);
    let (start, sender) = store.last_watch();
    assert_eq!(start, 10);
    let event = put("s/4", value("d"), 11);
    assert!(sender.send(WatchResponse::events(ResponseHeader::default(), vec![event])).await);
    assert_eq!(watch.next().await.expect("a batch").expect("a batch"), [added("s/4", "d")]);
    sender.fail(Code::PermissionDenied.into()).await;
    let error = watch.next().await.expect("an error").expect_err("an error");
    assert_eq!((error.code(), error.operation()), (Some(Code::PermissionDenied), Some("watch endpoints")));
    assert!(watch.next().await.is_none(), "an error is the last");
}

/// On a store that is compacted all the time, an unbounded rate of lists would load it further.
#[tokio::test(start_paused = true)]
async fn watch_backs_off_while_the_first_list_is_compacted() {
    const COMPACTIONS: usize = 20;
    let lists = (0..=COMPACTIONS).map(|_| (3, vec![("s/1", value("a"))])).collect();
    let (store, endpoints) = endpoints(lists);
    *store.rejections.lock().expect("no panic") = vec![Code::Compacted.into(); COMPACTIONS];
    let started = Instant::now();
    let mut watch = endpoints.watch().await.expect("a watch");
    assert_eq!(watch.next().await.expect("a batch").expect("a batch"), [added("s/1", "a")]);
    assert!(started.elapsed() >= Duration::from_millis(500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn empty_service_starts_with_an_empty_batch() {
    let (store, endpoints) = endpoints(vec![(3, vec![]), (4, vec![("s/1", value("a"))])]);
    let mut watch = endpoints.watch().await.expect("a watch");
    assert_eq!(watch.next().await.expect("a batch").expect("a batch"), []);
    drop(watch);
    store.last_watch().1.closed().await;
    let mut changes = endpoints.watch().await.expect("a watch").into_changes();
    assert_eq!(changes.next().await.expect("a change").expect("a change"), added("s/1", "a"));
}

#[tokio::test]
async fn foreign_keys_and_empty_targets_are_rejected() {
    let (_store, endpoints) = endpoints(vec![]);
    for key in ["", "s", "s1/7", "other/7", "xs/7"] {
        for update in [EndpointUpdate::add(key, ServiceEndpoint::new("a")), EndpointUpdate::delete(key)] {
            let error = endpoints.update([update]).await.expect_err(key);
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("key")), "{key}");
        }
    }
    let kv: Arc<dyn KvService> = Arc::new(Store::default());
    let error = Endpoints::over(kv, Arc::new(Store::default()), "").expect_err("no target");
    assert_eq!(error.field(), Some("target"));
}

#[cfg(feature = "tower")]
#[tokio::test]
async fn discover_maps_changes_to_insert_and_remove() {
    use ::tower::discover::Change;
    use futures_util::StreamExt as _;

    let (store, endpoints) = endpoints(vec![(3, vec![("s/1", value("a"))])]);
    let changes = endpoints.watch().await.expect("a watch").into_changes();
    let mut discover = tower::discover(changes, |_, endpoint| endpoint.addr().to_owned());
    let first = discover.next().await.expect("a change").expect("a change");
    assert!(matches!(first, Change::Insert(key, service) if key == "s/1" && service == "a"));
    let response = WatchResponse::events(ResponseHeader::default(), vec![delete("s/1", 4)]);
    assert!(store.last_watch().1.send(response).await);
    let second = discover.next().await.expect("a change").expect("a change");
    assert!(matches!(second, Change::Remove(key) if key == "s/1"));
}
