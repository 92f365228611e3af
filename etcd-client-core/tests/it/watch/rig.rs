//! What the tests of watches have in common: reading under a timeout, and events in short.

use etcd_client_core::{
    Error, Event,
    watch::{WatchResponse, WatchResponseKind, WatchStream},
};
use tokio::time::timeout;

use crate::servers::PATIENCE;

/// An event in short: its key, its value or `-` for a deletion, and its revision.
pub(crate) type Short = (String, String, i64);

pub(crate) fn short(event: &Event) -> Short {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = if event.is_delete() { "-".into() } else { text(&event.kv.value) };
    (text(&event.kv.key), value, event.revision().get())
}

/// The next item, under a timeout.
pub(crate) async fn item(watch: &mut WatchStream) -> Option<Result<WatchResponse, Error>> {
    timeout(PATIENCE, watch.next()).await.unwrap_or_else(|_| panic!("nothing came: {watch:?}"))
}

/// The next response, under a timeout.
pub(crate) async fn response(watch: &mut WatchStream) -> WatchResponse {
    match item(watch).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => panic!("{}", error.report()),
        None => panic!("the watch was cancelled"),
    }
}

/// The next so many events, whatever the responses they come in.
pub(crate) async fn events(watch: &mut WatchStream, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        let response = response(watch).await;
        assert_eq!(response.kind, WatchResponseKind::Events, "{response:?}");
        events.extend(response.events);
    }
    assert_eq!(events.len(), count, "{events:?}");
    events
}

/// The keys and values of the next so many events.
pub(crate) async fn pairs(watch: &mut WatchStream, count: usize) -> Vec<(String, String)> {
    let pair = |event: &Event| {
        let (key, value, _) = short(event);
        (key, value)
    };
    events(watch, count).await.iter().map(pair).collect()
}

/// What ended the watch: the error that is its next item, and nothing after it.
pub(crate) async fn end(watch: &mut WatchStream) -> Error {
    let end = match item(watch).await {
        Some(Err(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(item(watch).await.is_none(), "an error is the last item");
    end
}
