//! Lists of members through `etcd grpc-proxy`: it names itself.

use etcd_client_core::ErrorKind;
use etcd_testkit::Cluster;

use crate::servers::client;

#[tokio::test]
async fn a_proxy_does_not_list_members() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    let listed = client.cluster().member_list().await.expect_err("no members");
    let synced = client.sync().await.expect_err("no members");
    for error in [listed, synced] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
        assert!(error.to_string().contains("gRPC proxy"), "{error}");
    }
    client.put("k", "v").await.expect("the endpoints stay");
}
