//! Which of the listed members a client uses.

use etcd_client_core::ErrorKind;
use etcd_testkit::scripted::{Raw, Server};

use super::rig::{MEMBER_LIST, Member, client, listed, texts};
use crate::failover::service::free_port;

#[tokio::test]
async fn only_voters_of_the_same_cluster_are_adopted() {
    let (seed, good) = (Member::start(1).await, Member::start(2).await);
    let foreign = Member::saying(|says| (says.cluster, says.member) = (78, 3)).await;
    let stranger = Member::start(9).await;
    let refusing = Member::saying(|says| (says.member, says.refuses_lists) = (4, true)).await;
    let silent = Server::raw(Raw::Silent).await.expect("a free port");
    let mut learner = listed(7, &good.endpoint().replace("127.0.0.1", "127.0.0.2"));
    learner.is_learner = true;
    seed.lists([
        seed.listed(),
        good.listed(),
        foreign.listed(),
        listed(4, &refusing.endpoint()),
        listed(5, &stranger.endpoint()),
        listed(6, &silent.endpoint()),
        learner,
        listed(8, &format!("http://127.0.0.1:{}", free_port())),
    ]);
    let client = client([&seed]);
    let found = client.sync().await.expect("the seed answers");
    assert_eq!(texts(&found), [seed.endpoint(), good.endpoint()]);
    assert_eq!(client.endpoints(), found);
    for probed in [&good, &foreign, &stranger] {
        probed.server.wait_until(|counts| counts.received(MEMBER_LIST) == 1).await;
    }
    foreign.server.wait_until(|counts| counts.open_connections == 0).await;
    stranger.server.wait_until(|counts| counts.open_connections == 0).await;
}

#[tokio::test]
async fn unlisted_member_is_dropped_and_seeds_stay() {
    let (seed, second, third) = (Member::start(1).await, Member::start(2).await, Member::start(3).await);
    let client = client([&seed]);
    seed.lists([seed.listed(), second.listed()]);
    let found = client.sync().await.expect("synced");
    assert_eq!(texts(&found), [seed.endpoint(), second.endpoint()]);

    seed.lists([third.listed()]);
    second.lists([third.listed()]);
    let found = client.sync().await.expect("synced");
    assert_eq!(texts(&found), [seed.endpoint(), third.endpoint()]);
    second.server.wait_until(|counts| counts.open_connections == 0).await;
}

#[tokio::test]
async fn a_known_member_is_not_probed_again() {
    let (seed, second) = (Member::start(1).await, Member::start(2).await);
    for member in [&seed, &second] {
        member.lists([seed.listed(), second.listed()]);
    }
    let client = client([&seed]);
    for _ in 0..5 {
        assert_eq!(client.sync().await.expect("synced").len(), 2);
    }
    let asked = seed.server.received(MEMBER_LIST) + second.server.received(MEMBER_LIST);
    assert_eq!(asked, 5 + 1, "five lists and one probe");
}

#[tokio::test]
async fn unusable_member_list_changes_nothing() {
    let (seed, second) = (Member::start(1).await, Member::start(2).await);
    for member in [&seed, &second] {
        member.lists([seed.listed(), second.listed()]);
    }
    let client = client([&seed]);
    let before = client.sync().await.expect("synced");
    let mut unstarted = second.listed();
    unstarted.name.clear();
    for members in [vec![], vec![unstarted], vec![listed(2, "http://0.0.0.0:2379")]] {
        for member in [&seed, &second] {
            member.lists(members.clone());
        }
        let error = client.sync().await.expect_err("nothing is usable");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
        assert_eq!(error.operation(), Some("member list"));
        assert_eq!(client.endpoints(), before);
    }
    client.put("k", "v").await.expect("it goes on");
}
