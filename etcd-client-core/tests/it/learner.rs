//! A learner serves serializable reads only; a client that knows a voter too goes there.

use etcd_client_core::{Code, Error, Outcome, Put, error::GrpcCode};
use etcd_testkit::{Cluster, Line};

use crate::servers::{PATIENCE, client, eventually};

#[tokio::test]
async fn a_learner_serves_serializable_gets_and_nothing_else() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    client(cluster.endpoints()).put("k", "v").await.expect("put");
    cluster.add_member(true).await.expect("a learner joins");
    let line = cluster.version().line();
    let learner = client([cluster.member(1).endpoint()]);
    eventually("the learner has the key", async || {
        learner.get("k").serializable().await.is_ok_and(|got| got.count == 1)
    })
    .await;
    // What needs a quorum is not sent to a learner at all.
    assert_refused(&learner.get("k").timeout(PATIENCE).await.expect_err("linearizable"));
    assert_refused(&learner.put("k", "w").timeout(PATIENCE).await.expect_err("put"));
    assert_refused(&learner.delete("k").timeout(PATIENCE).await.expect_err("delete"));
    let txn = learner.txn().then(Put::new("k", "w")).timeout(PATIENCE).await;
    assert_refused(&txn.expect_err("txn"));
    let watch = learner.watch("k").await.expect_err("a watch");
    assert_eq!(watch.code(), Some(Code::NotSupportedForLearner), "{}", watch.report());
    let leases = learner.lease().list().timeout(PATIENCE).await.expect_err("leases");
    assert_refused(&leases);
    // The text is the same in all versions, the gRPC code is not.
    let grpc = if line < Line::V3_6 { GrpcCode::Unavailable } else { GrpcCode::FailedPrecondition };
    assert_eq!(leases.grpc_code(), Some(grpc), "{leases}");

    // Well before its deadline, which a watch that is retried would wait for.
    let watched = learner.watch("k").timeout(PATIENCE).await;
    assert_eq!(watched.expect_err("watch").code(), Some(Code::NotSupportedForLearner));

    let both = client(cluster.endpoints());
    for i in 0..20 {
        assert_eq!(both.get("k").await.expect("the voter answers").kvs[0].value, "v");
        both.put(format!("both/{i}"), "v").await.expect("a refusal of a learner is no answer");
    }
}

fn assert_refused(error: &Error) {
    assert_eq!(error.code(), Some(Code::NotSupportedForLearner), "{}", error.report());
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
}
