//! Peers that do not speak HTTP/2 at all, and what is made of them when a member takes their place.

use std::time::Duration;

use etcd_client_core::{Client, ErrorKind, Outcome};
use etcd_testkit::scripted::{Raw, Server, in_turn, reply};

use super::rig::Rpc;
use crate::servers::eventually;

const SHORT: Duration = Duration::from_millis(500);

async fn refused(raw: Raw, reasons: &[&str]) {
    let peer = Server::raw(raw.clone()).await.expect("a free port");
    let client = Client::builder([peer.endpoint()]).timeout(SHORT).build().expect("built");
    // On a busy machine the trouble may not be there yet; that of the silent one is that nothing comes.
    eventually("the peer was heard", async || {
        let error = client.wait_ready(SHORT).await.expect_err("no etcd");
        matches!(raw, Raw::Silent) || error.attempts()[0].reason() != "not connected yet"
    })
    .await;
    for rpc in Rpc::ALL {
        let error = rpc.call(&client).await.expect_err("no etcd");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{raw:?}: {}", error.report());
        assert_eq!(error.outcome(), Outcome::NotApplied, "{raw:?}: {}", error.report());
        let report = error.report().to_string();
        assert!(report.contains(&peer.endpoint()), "{raw:?}: {report}");
        assert!(reasons.iter().any(|reason| report.contains(reason)), "{raw:?}: {report}");
    }
    let port = peer.port();
    drop(peer);
    client.close().await;

    let server = Server::builder().port(port).start(in_turn([reply::message(Rpc::Get.right())])).await;
    let server = server.expect("the port is free again");
    let client = Client::builder([server.endpoint()]).build().expect("built");
    client.get("k").await.expect("etcd answers there now");
}

#[tokio::test]
async fn an_http1_server() {
    refused(Raw::http1(), &["does not speak HTTP/2"]).await;
}

#[tokio::test]
async fn a_tls_server() {
    refused(Raw::tls_alert(), &["does not speak HTTP/2", "https"]).await;
}

#[tokio::test]
async fn a_server_that_closes() {
    refused(Raw::Close, &["closed", "handshake failed"]).await;
}

#[tokio::test]
async fn a_server_that_never_responds() {
    refused(Raw::Silent, &["not connected yet", "no response within"]).await;
}

#[tokio::test]
async fn a_server_of_garbage() {
    let garbage: Vec<u8> = (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    refused(Raw::Say(garbage.into()), &["does not speak HTTP/2", "handshake"]).await;
}
