//! What needs the inside of a cluster: the retry of a start that lost its ports.

use std::net::TcpListener;

use super::{Cluster, ports::Ports};

#[tokio::test]
async fn a_start_that_loses_a_port_is_repeated() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut builder = Cluster::builder();
    builder.plan.ports = Ports { first: vec![port] };
    let Some(cluster) = builder.start_or_skip().await else { return };
    assert!(!cluster.endpoints()[0].ends_with(&format!(":{port}")));
    cluster.stop().await.unwrap();
}
