//! Faults on command, and what a client makes of them.

use std::time::Duration;

use etcd_client_core::{ErrorKind, Outcome};
use etcd_testing::{Call, Fault, Method, Rule};

use crate::{in_memory, member};

#[tokio::test]
async fn the_third_put_loses_its_answer() {
    let (etcd, client) = member().await;
    etcd.inject(Rule::new(Method::Put, Fault::LoseAnswer).nth(3));
    for value in ["1", "2"] {
        client.put("k", value).await.expect("no fault yet");
    }
    let error = client.put("k", "3").await.expect_err("a lost answer");
    assert_eq!(error.outcome(), Outcome::Unknown);
    client.put("k", "4").await.expect("no fault any more");
    let stored = etcd.key("k").expect("a key");
    assert_eq!((&stored.value[..], stored.version), (&b"4"[..], 4));
}

#[tokio::test]
async fn a_refused_read_is_retried() {
    let (etcd, client) = member().await;
    client.get("k").await.expect("a connection");
    let status = tonic::Status::unavailable("etcdserver: leader changed");
    etcd.inject(Rule::new(Method::Range, Fault::Refuse(status)).times(2));
    client.get("k").await.expect("the third attempt");
}

#[tokio::test]
async fn a_write_that_was_misreported_is_not_repeated() {
    let (etcd, client) = member().await;
    let status = tonic::Status::unavailable("etcdserver: request timed out");
    etcd.inject(Rule::new(Method::Put, Fault::Misreport(status)));
    let error = client.put("k", "1").await.expect_err("a misreported put");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(etcd.key("k").expect("a key").version, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hung_call_ends_with_its_deadline() {
    let (etcd, client) = in_memory().await;
    client.get("k").await.expect("a connection");
    etcd.inject(Rule::new(Method::Put, Fault::ApplyAndHang));
    let call = client.put("k", "1").timeout(Duration::from_secs(30));
    let error = call.await.expect_err("no answer");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
    assert_eq!(etcd.revision(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_paused_member_answers_nothing_until_it_resumes() {
    let (etcd, client) = in_memory().await;
    client.get("k").await.expect("a connection");
    etcd.pause();
    let error = client.get("k").timeout(Duration::from_secs(30)).await.expect_err("a paused member");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied));
    etcd.resume();
    client.get("k").await.expect("a resumed member");
}

#[tokio::test]
async fn a_restart_keeps_data_and_ends_connections() {
    let (mut etcd, client) = member().await;
    client.put("k", "1").await.expect("a put");
    let mut events = client.watch("k").await.expect("a watch").events();
    etcd.restart().await.expect("the same port");
    client.put("k", "2").await.expect("a put after the restart");
    let event = events.next().await.expect("an event").expect("a watch that resumed");
    assert_eq!(event.kv.mod_revision.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn leases_wait_for_a_stopped_member() {
    let (mut etcd, client) = in_memory().await;
    client.lease().grant(Duration::from_secs(10)).await.expect("a lease");
    etcd.stop().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    etcd.restart().await.expect("no listener");
    assert_eq!(etcd.leases()[0].remaining, Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(etcd.leases().is_empty());
}

#[tokio::test]
async fn requests_and_state_can_be_inspected() {
    let (etcd, client) = member().await;
    let lease = client.lease().grant(Duration::from_secs(60)).await.expect("a lease");
    let _watch = client.watch("k").await.expect("a watch");
    etcd.clear_requests();
    client.put("k", "1").lease(lease.id).await.expect("a put");
    assert!(
        matches!(&etcd.requests()[..], [received] if matches!(&received.call, Call::Put(put) if put.key == "k"))
    );
    assert_eq!(etcd.leases()[0].keys, ["k"]);
    assert_eq!(etcd.watches().iter().map(|watch| watch.key.clone()).collect::<Vec<_>>(), ["k"]);
    assert_eq!(etcd.keys().len(), 1);
}
