//! The periodic sync: what it survives and when it ends.

use std::time::Duration;

use etcd_client_core::{Client, ErrorKind};

use super::rig::{MEMBER_LIST, Member};
use crate::servers::eventually;

const OFTEN: Duration = Duration::from_millis(20);

fn following(seed: &Member) -> Client {
    Client::builder([seed.endpoint()]).auto_sync(OFTEN).build().expect("valid")
}

#[tokio::test]
async fn members_are_followed_despite_failing_lists() {
    let (seed, second) = (Member::start(1).await, Member::start(2).await);
    let client = following(&seed);
    seed.server.wait_until(|counts| counts.received(MEMBER_LIST) > 2).await;
    assert_eq!(client.endpoints().len(), 1, "an empty list is no list");
    for member in [&seed, &second] {
        member.lists([seed.listed(), second.listed()]);
    }
    eventually("the second is used", async || client.endpoints().len() == 2).await;
    for member in [&seed, &second] {
        member.change(|says| says.refuses_lists = true);
    }
    let asked = || seed.server.received(MEMBER_LIST) + second.server.received(MEMBER_LIST);
    let before = asked();
    eventually("a list was refused", async || asked() > before + 2).await;
    assert_eq!(client.endpoints().len(), 2);
    for member in [&seed, &second] {
        member.change(|says| says.refuses_lists = false);
        member.lists([seed.listed()]);
    }
    eventually("the second is gone", async || client.endpoints().len() == 1).await;
}

#[tokio::test]
async fn it_ends_with_the_last_clone() {
    let seed = Member::start(1).await;
    let client = following(&seed);
    let clone = client.clone();
    drop(client);
    let before = seed.server.received(MEMBER_LIST);
    seed.server.wait_until(|counts| counts.received(MEMBER_LIST) > before + 2).await;
    drop(clone);
    seed.server.wait_until(|counts| counts.open_connections == 0).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    eventually("its task has ended", async || metrics.num_alive_tasks() <= SERVER_TASKS).await;
}

/// The accepting task, and what it leaves for a moment.
const SERVER_TASKS: usize = 1;

#[tokio::test]
async fn it_ends_when_the_client_is_closed() {
    let seed = Member::start(1).await;
    let client = following(&seed);
    seed.server.wait_until(|counts| counts.received(MEMBER_LIST) > 1).await;
    tokio::time::timeout(Duration::from_secs(30), client.close()).await.expect("close does not wait for it");
    let before = seed.server.received(MEMBER_LIST);
    tokio::time::timeout(10 * OFTEN, std::future::pending::<()>()).await.expect_err("time passes");
    assert_eq!(seed.server.received(MEMBER_LIST), before);
    assert_eq!(client.sync().await.expect_err("closed").kind(), ErrorKind::Closed);
    assert_eq!(client.set_endpoints(["http://a:1"]).expect_err("closed").kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn an_interval_of_zero_is_rejected() {
    let error = Client::builder(["http://a:1"]).auto_sync(Duration::ZERO).build().expect_err("zero");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("auto_sync")));
}
