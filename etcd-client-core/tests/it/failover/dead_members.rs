//! One of three endpoints is dead in one way or another: no call notices.

use etcd_client_core::Client;
use etcd_testkit::scripted::{Counts, Raw, Server};

use super::service::{PUT, RANGE, free_port, member};

const CALLS: usize = 1_000;

/// Gets and puts one after the other, each of which must succeed and reach a member once.
async fn no_call_fails(dead: String) {
    let members = [member().await, member().await];
    let endpoints = [dead.clone(), members[0].endpoint(), members[1].endpoint()];
    let client = Client::builder(endpoints).build().expect("built");
    for n in 0..CALLS {
        if let Err(error) = client.put("k", "v").await {
            panic!("put {n} with {dead}: {}", error.report());
        }
        if let Err(error) = client.get("k").await {
            panic!("get {n} with {dead}: {}", error.report());
        }
    }
    let reached = |path: &str| members.iter().map(|member| member.applied(path)).sum::<usize>();
    assert_eq!((reached(PUT), reached(RANGE)), (CALLS, CALLS));
}

#[tokio::test]
async fn one_endpoint_refuses_connections() {
    no_call_fails(format!("http://127.0.0.1:{}", free_port())).await;
}

#[tokio::test]
async fn one_endpoint_accepts_and_never_responds() {
    let silent = Server::raw(Raw::Silent).await.expect("a free port");
    no_call_fails(silent.endpoint()).await;
    assert!(silent.counts(|counts| counts.connections) > 0, "it was tried");
}

#[tokio::test]
async fn one_endpoint_never_resolves() {
    no_call_fails("http://no-such-host.invalid:2379".to_owned()).await;
}

#[tokio::test]
async fn one_endpoint_closes_every_connection() {
    let closing = Server::raw(Raw::Close).await.expect("a free port");
    no_call_fails(closing.endpoint()).await;
}

#[tokio::test]
async fn one_endpoint_speaks_http1() {
    let other = Server::raw(Raw::http1()).await.expect("a free port");
    no_call_fails(other.endpoint()).await;
}

#[tokio::test]
async fn returning_member_is_used_again() {
    let stays = member().await;
    let goes = member().await;
    let port = goes.port();
    let client = Client::builder([stays.endpoint(), goes.endpoint()]).build().expect("built");
    let used = |counts: &Counts| counts.received(RANGE) > 0;
    while !goes.counts(used) {
        client.get("k").await.expect("answered");
    }
    drop(goes);
    for _ in 0..100 {
        client.get("k").await.expect("answered by the other");
    }
    let back = super::service::started(Server::builder().port(port)).await;
    back.wait_until(|counts| counts.open_connections > 0).await;
    while !back.counts(used) {
        client.get("k").await.expect("answered");
    }
}
