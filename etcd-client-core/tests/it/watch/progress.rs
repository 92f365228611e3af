//! How far a watch is.

use etcd_client_core::{ErrorKind, Revision, watch::WatchResponseKind};
use etcd_testkit::{Accept, Cluster, Line};
use futures_util::FutureExt as _;
use tokio::task::unconstrained;

use super::rig::{events, response};
use crate::servers::{client, lent};

/// Whether members of this version keep answers to requests for progress in order.
fn in_order(cluster: &Cluster) -> bool {
    let version = cluster.version();
    match version.line() {
        Line::V3_4 => version.patch() >= 25,
        Line::V3_5 => version.patch() >= 8,
        _ => true,
    }
}

#[tokio::test]
async fn progress_is_a_revision_up_to_which_everything_was_delivered() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let other = client.watch("other").await.expect("watch");
    let last = client.put("k", "v").await.expect("put").header.revision;
    let answers = [watch.progress().await, other.progress().await];
    if !in_order(lent.cluster) {
        let unsupported = |answer: &Result<Revision, _>| match answer {
            Ok(revision) => *revision >= last,
            Err(error) => etcd_client_core::Error::kind(error) == ErrorKind::Unsupported,
        };
        assert!(answers.iter().all(unsupported), "{answers:?}");
        return;
    }
    for answer in answers {
        assert!(answer.expect("progress") >= last);
    }
    assert_eq!(events(&mut watch, 1).await[0].revision(), last);
}

#[tokio::test]
async fn progress_of_a_watch_resumed_on_an_idle_store_is_known() {
    let Some(lent) = lent().await else { return };
    if !in_order(lent.cluster) {
        return;
    }
    let proxied = lent.cluster.proxied().expect("proxies");
    let client = client(proxied.endpoints());
    let watch = client.watch("k").await.expect("watch");
    let direct = crate::servers::client(lent.cluster.endpoints());
    let last = direct.put("other", "v").await.expect("put").header.revision;
    assert!(watch.progress().await.expect("progress") >= last);
    proxied.proxy(0).accept(Accept::Refuse).await;
    proxied.proxy(0).reset();
    proxied.proxy(0).accept(Accept::Serve).await;
    assert_eq!(watch.progress().await.expect("progress"), last);
}

#[tokio::test]
async fn progress_waits_for_history() {
    let Some(lent) = lent().await else { return };
    if !in_order(lent.cluster) {
        return;
    }
    let client = client(lent.cluster.endpoints());
    let first = client.put("k", "0").await.expect("put").header.revision;
    let mut last = first;
    for value in 1..1_500 {
        last = client.put("k", value.to_string()).await.expect("put").header.revision;
    }
    let mut watch = client.watch("k").start_revision(first).buffer_bytes(64 << 20).await.expect("watch");
    let reached = watch.progress().await.expect("progress");
    assert!(reached >= last);
    // All of it was delivered before.
    let ready = unconstrained(events(&mut watch, 1_500)).now_or_never().expect("there");
    assert_eq!(ready.last().map(etcd_client_core::Event::revision), Some(last));
}

#[tokio::test]
async fn progress_notifications_come_only_on_request() {
    let flag = "--experimental-watch-progress-notify-interval";
    let line = etcd_testkit::require().map(|binaries| binaries.version.line());
    let Some(line) = line else { return };
    let flag = if line >= Line::V3_6 { "--watch-progress-notify-interval" } else { flag };
    let Some(cluster) = Cluster::builder().arg(flag, "200ms").start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let mut notified = client.watch("k").progress_notify().await.expect("watch");
    let mut silent = client.watch("k").await.expect("watch");
    for _ in 0..3 {
        assert_eq!(response(&mut notified).await.kind, WatchResponseKind::Progress);
    }
    let put = client.put("k", "v").await.expect("put").header.revision;
    assert_eq!(events(&mut silent, 1).await[0].revision(), put);
    let resumed = silent.counters().resumed;
    assert_eq!(resumed, 0);
}
