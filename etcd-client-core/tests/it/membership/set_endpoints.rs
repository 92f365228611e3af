//! Endpoints that the user changes under way, and clients of one of them.

use etcd_client_core::{Client, ErrorKind};
use etcd_testkit::scripted::{Gate, Step};

use super::rig::{MEMBER_LIST, Member, PUT, client, member_list, texts};
use crate::servers::eventually;

async fn put_until(client: &Client, member: &Member) {
    let before = member.server.received(PUT);
    eventually("the member gets calls", async || {
        client.put("k", "v").await.expect("put");
        member.server.received(PUT) > before
    })
    .await;
}

#[tokio::test]
async fn calls_go_to_the_endpoints_that_were_set_last() {
    let (first, second) = (Member::start(1).await, Member::start(2).await);
    let client = client([&first]);
    client.put("k", "v").await.expect("put");
    client.set_endpoints([first.endpoint(), second.endpoint(), second.endpoint()]).expect("valid");
    assert_eq!(texts(&client.endpoints()), [first.endpoint(), second.endpoint()]);
    put_until(&client, &second).await;
    let accepted = first.server.counts(|counts| counts.connections);
    assert_eq!(accepted, 1, "the connection to the endpoint that stayed is the old one");

    client.set_endpoints([second.endpoint()]).expect("valid");
    first.server.wait_until(|counts| counts.open_connections == 0).await;
    let before = first.server.received(PUT);
    for _ in 0..20 {
        client.put("k", "v").await.expect("put");
    }
    assert_eq!(first.server.received(PUT), before);

    client.set_endpoints([first.endpoint()]).expect("valid");
    client.put("k", "v").await.expect("the first is used again");
    assert_eq!(first.server.received(PUT), before + 1);
}

#[tokio::test]
async fn unusable_endpoints_change_nothing() {
    let first = Member::start(1).await;
    let client = client([&first]);
    for (endpoints, field) in [
        (vec![], "endpoints"),
        (vec!["http://a:1", "htp://b:1"], "endpoint"),
        (vec!["http://a:1", ""], "endpoint"),
    ] {
        let error = client.set_endpoints(&endpoints).expect_err("invalid");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some(field)), "{endpoints:?}");
        assert_eq!(texts(&client.endpoints()), [first.endpoint()]);
    }
    client.put("k", "v").await.expect("it goes on");
}

#[tokio::test]
async fn set_endpoints_wins_over_an_earlier_sync() {
    let (first, second, third) = (Member::start(1).await, Member::start(2).await, Member::start(3).await);
    first.lists([first.listed(), second.listed()]);
    let gate = Gate::closed();
    let waiting = gate.clone();
    let good = member_list(2, [second.listed()]);
    second.server.play(move |_: &_| {
        let mut answer = good.clone();
        answer.insert(1, Step::Pause(waiting.clone()));
        answer
    });
    let client = client([&first]);
    let syncing = tokio::spawn({
        let client = client.clone();
        async move { client.sync().await }
    });
    second.server.wait_until(|counts| counts.received(MEMBER_LIST) == 1).await;
    client.set_endpoints([third.endpoint()]).expect("valid");
    gate.open();
    let found = syncing.await.expect("no panic").expect("synced");
    assert_eq!(texts(&found), [third.endpoint()]);
    assert_eq!(client.endpoints(), found);
}

#[tokio::test]
async fn a_client_of_one_member_calls_that_one() {
    let (first, second) = (Member::start(1).await, Member::start(2).await);
    let client = client([&first]);
    let only = client.for_endpoint(second.endpoint()).expect("valid");
    for _ in 0..20 {
        only.put("k", "v").await.expect("put");
    }
    assert_eq!((first.server.received(PUT), second.server.received(PUT)), (0, 20));
    drop(only);
    second.server.wait_until(|counts| counts.open_connections == 0).await;
    client.put("k", "v").await.expect("the first client goes on");
    assert_eq!(client.for_endpoint("http://").expect_err("no host").field(), Some("endpoint"));
}
