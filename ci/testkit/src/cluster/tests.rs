//! Tests that need private items of a cluster: the retry of a start that lost its ports.

use std::net::TcpListener;

use super::{Cluster, ports::Ports};

#[tokio::test]
async fn a_start_that_loses_a_port_is_repeated() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let builder = Cluster::builder().client_port(port);
    let Some(cluster) = builder.start_or_skip().await else { return };
    assert!(!cluster.endpoints()[0].ends_with(&format!(":{port}")));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_first_member_gets_the_port_that_was_asked_for() {
    let port = Ports::default().pick().unwrap();
    let builder = Cluster::builder().members(2).client_port(port);
    let Some(cluster) = builder.start_or_skip().await else { return };
    assert_eq!(cluster.endpoints()[0], format!("http://127.0.0.1:{port}"));
    cluster.stop().await.unwrap();
}
