//! Tests of watches: history, filters, progress, fragments and cancellation.

use bytes::Bytes;
use etcd_proto::etcdserverpb::watch_create_request::FilterType;
use etcd_proto::etcdserverpb::{DeleteRangeRequest, PutRequest};

use super::*;
use crate::lease::Leases;
use crate::store::Write;

/// A store and one stream of watches.
struct World {
    store: Store,
    leases: Leases,
    watches: Watches,
    stream: StreamId,
}

impl World {
    fn new() -> Self {
        let mut watches = Watches::new(ResponseHeader { member_id: 7, ..Default::default() });
        let stream = watches.open();
        Self { store: Store::new(), leases: Leases::new(2), watches, stream }
    }

    fn write(&mut self, write: impl FnOnce(&mut Write<'_>)) {
        let mut writing = Write::begin(&mut self.store, &mut self.leases);
        write(&mut writing);
        let changes = writing.commit();
        self.watches.notify(&changes, &self.store);
    }

    fn put(&mut self, key: &'static str) {
        let request = PutRequest { key: key.into(), ..Default::default() };
        self.write(|write| {
            write.put_checked(&request).expect("a plain put");
        });
    }

    fn delete(&mut self, key: &'static str) {
        let request = DeleteRangeRequest { key: key.into(), ..Default::default() };
        self.write(|write| {
            write.delete(&request);
        });
    }

    fn watch(&mut self, request: WatchCreateRequest) {
        self.watches.create(self.stream, &request, &self.store);
    }

    fn read(&mut self) -> Vec<WatchResponse> {
        std::iter::from_fn(|| self.watches.next(self.stream, &self.store)).collect()
    }

    /// Returns the next responses as text: what they are, the watch, the revision and the events.
    fn seen(&mut self) -> Vec<String> {
        self.read().iter().map(describe).collect()
    }
}

fn describe(response: &WatchResponse) -> String {
    let revision = response.header.as_ref().map_or(0, |header| header.revision);
    let mut text = format!("{}@{revision}", response.watch_id);
    for (is, name) in [(response.created, " created"), (response.canceled, " canceled")] {
        if is {
            text.push_str(name);
        }
    }
    if response.compact_revision != 0 {
        text.push_str(&format!(" compacted {}", response.compact_revision));
    }
    for event in &response.events {
        let kv = event.kv.as_ref().expect("each event has a key");
        let sign = if event.r#type == 1 { '-' } else { '+' };
        text.push_str(&format!(" {sign}{}{}", String::from_utf8_lossy(&kv.key), kv.mod_revision));
        if let Some(previous) = &event.prev_kv {
            text.push_str(&format!("<{}", previous.mod_revision));
        }
    }
    text
}

fn on(key: &'static str) -> WatchCreateRequest {
    WatchCreateRequest { key: key.into(), ..Default::default() }
}

fn all() -> WatchCreateRequest {
    WatchCreateRequest { range_end: Bytes::from_static(&[0]), ..Default::default() }
}

#[test]
fn a_watch_of_the_present_gets_what_comes() {
    let mut world = World::new();
    world.put("a");
    world.watch(on("a"));
    world.put("a");
    world.put("b");
    world.delete("a");
    assert_eq!(world.seen(), ["0@2 created", "0@3 +a3", "0@5 -a5"]);
}

#[test]
fn a_watch_of_the_past_reads_the_log_first() {
    let mut world = World::new();
    for key in ["a", "b", "a"] {
        world.put(key);
    }
    world.watch(WatchCreateRequest { start_revision: 3, ..all() });
    assert_eq!(world.seen(), ["0@4 created", "0@4 +b3 +a4"]);
    world.put("c");
    assert_eq!(world.seen(), ["0@5 +c5"]);
}

#[test]
fn a_watch_of_the_future_waits_for_its_revision() {
    let mut world = World::new();
    world.watch(WatchCreateRequest { start_revision: 3, ..all() });
    world.put("a");
    world.watches.request_progress(world.stream, &world.store);
    world.put("b");
    world.watches.request_progress(world.stream, &world.store);
    assert_eq!(world.seen(), ["0@1 created", "0@3 +b3", "-1@3"]);
}

#[test]
fn filters_and_previous_values() {
    let mut world = World::new();
    world.put("a");
    world.watch(WatchCreateRequest { filters: vec![FilterType::Noput as i32], prev_kv: true, ..all() });
    world.watch(WatchCreateRequest { filters: vec![FilterType::Nodelete as i32], prev_kv: true, ..all() });
    world.put("a");
    world.delete("a");
    world.put("a");
    let expected = ["0@2 created", "1@2 created", "1@3 +a3<2", "0@4 -a4<3", "1@5 +a5"];
    assert_eq!(world.seen(), expected);
}

#[test]
fn a_compacted_start_ends_the_watch() {
    let mut world = World::new();
    for _ in 0..4 {
        world.put("a");
    }
    world.store.compact(4).expect("a revision of the past");
    world.watch(WatchCreateRequest { start_revision: 3, ..all() });
    world.watch(WatchCreateRequest { start_revision: 4, prev_kv: true, ..all() });
    world.watches.request_progress(world.stream, &world.store);
    let expected = ["0@5 created", "1@5 created", "0@0 canceled compacted 4", "1@5 +a4 +a5<4"];
    assert_eq!(world.seen(), expected);
    // The ended watch silences progress until the client cancels it.
    world.watches.request_progress(world.stream, &world.store);
    assert_eq!(world.seen(), [""; 0]);
    world.watches.cancel(world.stream, 0, &world.store);
    world.watches.request_progress(world.stream, &world.store);
    assert_eq!(world.seen(), ["0@5 canceled", "-1@5"]);
}

#[test]
fn identifiers_are_unique_on_a_stream() {
    let mut world = World::new();
    world.watch(WatchCreateRequest { watch_id: 1, ..on("a") });
    world.watch(on("a"));
    world.watch(on("a"));
    world.watch(WatchCreateRequest { watch_id: 2, ..on("a") });
    let ids: Vec<_> =
        world.read().iter().map(|response| (response.watch_id, response.cancel_reason.clone())).collect();
    let duplicate = "mvcc: duplicate watch ID provided on the WatchStream".to_owned();
    assert_eq!(ids, [(1, String::new()), (0, String::new()), (2, String::new()), (NO_WATCH, duplicate)]);
}

#[test]
fn an_unread_stream_falls_behind_and_catches_up() {
    let mut world = World::new();
    world.watch(all());
    for _ in 0..2000 {
        world.put("a");
    }
    let responses = world.read();
    let revisions: Vec<_> = responses.iter().flat_map(|response| &response.events).collect();
    let revisions: Vec<_> =
        revisions.iter().filter_map(|event| event.kv.as_ref()).map(|kv| kv.mod_revision).collect();
    assert!(revisions.iter().copied().eq(2..=2001), "each event once and in order");
    assert_eq!(responses.len(), 130, "created, 127 single events, and batches of 1000 and 873");
}

#[test]
fn a_batch_never_splits_a_revision() {
    let mut world = World::new();
    for _ in 0..999 {
        world.put("a");
    }
    world.write(|write| {
        for key in ["b", "c", "d"] {
            write.put_checked(&PutRequest { key: key.into(), ..Default::default() }).expect("a plain put");
        }
    });
    world.put("e");
    world.watch(WatchCreateRequest { start_revision: 2, ..all() });
    let sizes: Vec<_> = world.read().iter().map(|response| response.events.len()).collect();
    assert_eq!(sizes, [0, 1002, 1]);
}

#[test]
fn periodic_reports_are_for_quiet_watches() {
    let mut world = World::new();
    world.watch(WatchCreateRequest { progress_notify: true, ..on("a") });
    world.watch(on("a"));
    world.put("a");
    world.watches.tick(world.stream, &world.store);
    world.watches.tick(world.stream, &world.store);
    assert_eq!(world.seen(), ["0@1 created", "1@1 created", "0@2 +a2", "1@2 +a2", "0@2"]);
}

#[test]
fn impossible_ranges_are_rejected() {
    let mut world = World::new();
    world.watch(WatchCreateRequest { key: "b".into(), range_end: "a".into(), ..Default::default() });
    world.watch(WatchCreateRequest { start_revision: -1, ..on("a") });
    let reasons: Vec<_> = world.read().iter().map(|response| response.cancel_reason.clone()).collect();
    assert_eq!(reasons, ["mvcc: watcher range is empty", COMPACTED_START]);
}

const COMPACTED_START: &str = "etcdserver: mvcc: required revision has been compacted";
