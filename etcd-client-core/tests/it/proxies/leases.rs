//! Leases through `etcd grpc-proxy`, which gives up a renewal whose sender is done (etcd issue 9751).

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::Cluster;
use tokio::time::{Instant, sleep};
use tower::ServiceBuilder;

use crate::servers::{client, eventually};

const TTL: Duration = Duration::from_secs(6);

fn layered(client: &Client) -> Client {
    let layers = ServiceBuilder::new().map_request(|request: http::Request<tonic::body::Body>| request);
    client.with_service(layers.service(client.channel()))
}

#[tokio::test]
async fn one_renewal_is_answered() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    for (client, how) in [(client.clone(), "on connections"), (layered(&client), "through a service")] {
        let id = client.lease().grant(TTL).await.expect("grant").id;
        let started = Instant::now();
        let renewed = client.lease().keep_alive_once(id).await;
        let renewed = renewed.unwrap_or_else(|error| panic!("{how}: {}", error.report()));
        assert_eq!(renewed.ttl, TTL, "{how}");
        assert!(started.elapsed() < TTL / 2, "{how}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_existing_lease_is_kept_alive() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    let id = client.lease().grant(TTL).await.expect("grant").id;
    let kept = client.lease().keep_alive(id).await.unwrap_or_else(|error| panic!("{}", error.report()));
    sleep(TTL * 2).await;
    assert!(!kept.is_lost(), "{:?}", kept.state());
    crate::servers::client(cluster.endpoints()).lease().revoke(id).await.expect("revoke");
    eventually("the loss is noticed", async || kept.is_lost()).await;
}
