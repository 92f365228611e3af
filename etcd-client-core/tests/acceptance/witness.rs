//! A watch from the first revision on, by a client of its own: which keys were written, and how often.

use std::collections::HashMap;

use etcd_client_core::{Client, Outcome};
use etcd_proto::{
    etcdserverpb::{WatchCreateRequest, WatchResponse, watch_client::WatchClient},
    mvccpb::{Event, event::EventType},
};
use tokio::time::timeout;

use crate::{
    history::{History, Kind},
    load::PREFIX,
    servers::PATIENCE,
    streams::watch_request,
};

/// Asserts that what the callers were told is what happened: nothing twice, nothing lost, nothing from nowhere.
pub(super) async fn check(client: &Client, history: &History) {
    let end = format!("{PREFIX}end");
    client.put(end.clone(), "").timeout(PATIENCE).await.expect("the last write");
    let mut written =
        timeout(PATIENCE, events(client, &end)).await.expect("the watch reaches the last write");
    written.remove(&end);
    for call in history.of(Kind::Write) {
        let times = written.remove(&call.key).unwrap_or_default();
        match call.failure().map(etcd_client_core::Error::outcome) {
            None => assert_eq!(times, 1, "{} was acknowledged", call.key),
            Some(Outcome::NotApplied) => assert_eq!(times, 0, "{} was said to be not applied", call.key),
            Some(_) => assert!(times <= 1, "{} was applied {times} times", call.key),
        }
    }
    assert!(written.is_empty(), "keys from nowhere: {written:?}");
}

/// How often each key was written, up to `end`.
async fn events(client: &Client, end: &str) -> HashMap<String, usize> {
    let create = WatchCreateRequest {
        key: PREFIX.into(),
        range_end: etcd_client_core::types::prefix_range_end(PREFIX.as_bytes()),
        start_revision: 1,
        ..WatchCreateRequest::default()
    };
    let watch = WatchClient::new(client.channel()).watch(watch_request(create)).await;
    let mut responses = watch.expect("a watch").into_inner();
    let mut written = HashMap::new();
    while !written.contains_key(end) {
        let response: WatchResponse = responses.message().await.expect("no error").expect("no end");
        assert!(!response.canceled, "{}", response.cancel_reason);
        for event in response.events {
            count(&mut written, event);
        }
    }
    written
}

fn count(written: &mut HashMap<String, usize>, event: Event) {
    assert_eq!(event.r#type(), EventType::Put);
    let kv = event.kv.expect("an event has its key");
    let key = String::from_utf8(kv.key.to_vec()).expect("as it was written");
    assert_eq!((kv.version, kv.create_revision), (1, kv.mod_revision), "{key} was written before");
    *written.entry(key).or_default() += 1;
}
