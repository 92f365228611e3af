//! What a closed client does, and what closing does to calls under way.

use std::time::Duration;

use etcd_client_core::{Client, Error, ErrorKind, LeaseId, Outcome, types::MemberId};
use etcd_testkit::Cluster;
use tokio::time::timeout;

use crate::{
    servers::{PATIENCE, client, eventually, shared},
    tap::{Tap, payload},
};

async fn assert_closed<T: std::fmt::Debug>(call: impl IntoFuture<Output = Result<T, Error>>) {
    let error = timeout(PATIENCE, call.into_future()).await.expect("promptly").expect_err("closed");
    assert_eq!((error.kind(), error.is_closed()), (ErrorKind::Closed, true), "{error}");
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
}

#[tokio::test]
async fn calls_after_close_return_closed() {
    let Some(cluster) = shared() else { return };
    let client = Client::builder(cluster.endpoints()).no_timeout().build().expect("built");
    let clone = client.clone();
    client.put("closing", "v").await.expect("put");
    client.close().await;
    let id = LeaseId::new(7).expect("not zero");
    for client in [&client, &clone] {
        assert_closed(client.get("closing")).await;
        assert_closed(client.put("closing", "w")).await;
        assert_closed(client.delete("closing")).await;
        assert_closed(client.txn()).await;
        assert_closed(client.compact(1)).await;
        assert_closed(client.lease().grant(Duration::from_secs(60))).await;
        assert_closed(client.lease().revoke(id)).await;
        assert_closed(client.lease().time_to_live(id)).await;
        assert_closed(client.lease().list()).await;
        assert_closed(client.cluster().member_list()).await;
        assert_closed(client.maintenance().alarm_list()).await;
        assert_closed(client.maintenance().status(cluster.member(0).endpoint())).await;
        assert_closed(client.maintenance().move_leader(MemberId::new(7))).await;
        assert_closed(client.ready()).await;
        let page = client.get("closing").pages().next().await.expect("an error");
        assert_eq!(page.expect_err("closed").kind(), ErrorKind::Closed);
    }
    timeout(PATIENCE, client.close()).await.expect("closing twice ends");
    timeout(PATIENCE, clone.close()).await.expect("closing a clone ends");
    let other = self::client(cluster.endpoints());
    assert_eq!(other.get("closing").await.expect("another client").kvs[0].value, "v");
}

#[tokio::test]
async fn close_returns_although_nothing_listens() {
    let client =
        Client::builder(["http://127.0.0.1:1", "http://127.0.0.1:2"]).no_timeout().build().expect("built");
    let waiting = client.get("k");
    let (got, ()) =
        timeout(PATIENCE, async { tokio::join!(waiting, client.close()) }).await.expect("promptly");
    assert_eq!(got.expect_err("closed").kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn dropping_the_last_clone_closes_the_connections() {
    let Some(cluster) = shared() else { return };
    let tap = Tap::default();
    let client = Client::builder(cluster.endpoints()).connector(tap.clone()).build().expect("built");
    client.clone().get("k").await.expect("get");
    client.get("k").await.expect("a dropped clone closes nothing");
    drop(client);
    // The client's own and the one here: connections hold another.
    eventually("the connections are dropped", async || tap.handles() == 1).await;
}

#[tokio::test]
async fn calls_in_flight_end_with_closed() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let tap = Tap::default();
    let client =
        Client::builder(cluster.endpoints()).connector(tap.clone()).no_timeout().build().expect("built");
    client.get("k").await.expect("get");
    cluster.member(0).pause().await.expect("paused");
    let before = tap.written();
    let closing = async {
        tap.wrote(before, 2).await;
        client.close().await;
    };
    let calls = async {
        tokio::join!(client.get(payload()), client.put("k", payload()), client.lease().list(), closing)
    };
    let (got, put, leases, ()) = timeout(PATIENCE, calls).await.expect("promptly");
    let (got, put, leases) = (got.expect_err("get"), put.expect_err("put"), leases.expect_err("list"));
    for error in [&got, &put, &leases] {
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    }
    assert_eq!((got.outcome(), leases.outcome()), (Outcome::NotApplied, Outcome::NotApplied));
    assert_eq!(put.outcome(), Outcome::Unknown, "it was sent");
}
