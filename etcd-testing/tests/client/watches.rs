//! Watches of the past and of the future.

use crate::member;

#[tokio::test]
async fn a_watch_sees_history_and_future() {
    let (_etcd, client) = member().await;
    for value in ["1", "2"] {
        client.put("k", value).await.expect("a put");
    }
    let mut events = client.watch("k").start_revision(2).await.expect("a watch").events();
    let mut seen = Vec::new();
    for step in 0..4 {
        if step == 2 {
            client.put("k", "3").await.expect("a put");
            client.delete("k").await.expect("a deletion");
        }
        let event = events.next().await.expect("an event").expect("a healthy watch");
        seen.push((event.kv.mod_revision.get(), String::from_utf8_lossy(&event.kv.value).into_owned()));
    }
    let expected = [(2, "1"), (3, "2"), (4, "3"), (5, "")];
    assert_eq!(seen, expected.map(|(revision, value)| (revision, value.to_owned())));
}
