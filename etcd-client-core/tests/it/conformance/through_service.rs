//! The suite on a client whose calls go through a service: its channel inside of a layer.

use etcd_client_core::Client;
use http::Request;
use tokio::time::timeout;
use tower::ServiceBuilder;

use super::{Subject, conformance_suite};
use crate::servers::{self, PATIENCE};

fn layered(client: &Client) -> Client {
    let layers = ServiceBuilder::new().map_request(|request: Request<tonic::body::Body>| request);
    client.with_service(layers.service(client.channel()))
}

async fn shared(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(cluster) = servers::shared() else { return };
    let client = layered(&servers::client(cluster.endpoints()));
    let subject = Subject::on_shared_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(lent) = servers::lent().await else { return };
    let client = layered(&servers::client(lent.cluster.endpoints()));
    let subject = Subject::on_own_store(client.kv(), client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

conformance_suite!();
