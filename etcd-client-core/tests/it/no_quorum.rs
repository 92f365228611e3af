//! One member of three is left: what still works, and what require-leader refuses at once.

use std::time::Duration;

use etcd_client_core::{CallOptions, Code, Compare, Error, ErrorKind, Outcome, Put, Txn};
use etcd_testkit::Cluster;

use crate::servers::{PATIENCE, client, eventually, metric};

const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn member_without_quorum_serves_serializable_requests_only() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let all = client(cluster.endpoints());
    all.put("k", "v").await.expect("put");
    let left = cluster.member(0);
    let client = client([left.endpoint()]);
    eventually("the member has the key", async || {
        client.get("k").serializable().await.is_ok_and(|got| got.count == 1)
    })
    .await;
    cluster.member(1).kill().expect("killed");
    cluster.member(2).kill().expect("killed");
    eventually("the member knows of no leader", async || {
        metric(left, "etcd_server_has_leader", &[]).await == 0.0
    })
    .await;

    for write in [false, true] {
        let error = if write {
            client.put("k", "w").require_leader().timeout(PATIENCE).await.expect_err("no leader")
        } else {
            client.get("k").require_leader().timeout(PATIENCE).await.expect_err("no leader")
        };
        assert_eq!((error.code(), error.outcome()), (Some(Code::NoLeader), Outcome::NotApplied), "{error}");
        assert!(error.is_no_leader() && !error.attempts().is_empty(), "{}", error.report());
    }
    let options = CallOptions::default().require_leader().timeout(PATIENCE);
    let txn = client.kv().txn(Txn::new().then(Put::new("k", "w")), options).await;
    assert!(txn.expect_err("no leader").is_no_leader());

    let got = client.get("k").serializable().await.expect("needs no quorum");
    assert_eq!(got.kvs[0].value, "v");
    assert_no_answer(&client.get("k").timeout(SHORT).await.expect_err("no quorum"), Outcome::NotApplied);
    assert_no_answer(&client.put("k", "w").timeout(SHORT).await.expect_err("no quorum"), Outcome::Unknown);
    let check = client.txn().when(Compare::exists("k")).timeout(SHORT).await;
    assert_no_answer(&check.expect_err("a check needs a quorum"), Outcome::NotApplied);
    assert_counted_with_our_version(&cluster).await;
}

/// etcd's own timeout is 7 s, and it is told of a later deadline than the call's: the call's own comes first.
fn assert_no_answer(error: &Error, outcome: Outcome) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
    assert_eq!(error.outcome(), outcome, "{error}");
}

/// Servers count requests by what the client says of itself.
async fn assert_counted_with_our_version(cluster: &Cluster) {
    let labels = ["client_api_version=\"3.7\"", "type=\"unary\""];
    let counted = metric(cluster.member(0), "etcd_server_client_requests_total", &labels).await;
    assert!(counted > 0.0, "the client's version was not sent");
}
