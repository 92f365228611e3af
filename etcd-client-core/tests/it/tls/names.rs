//! Members with different names, each recognised by its own.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use etcd_client_core::{Client, Tls, transport::Target, types::Address};
use etcd_testkit::{Certificates, Cluster};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use super::{
    front::{Front, Speaks},
    trusting,
};
use crate::servers::{PATIENCE, eventually};

const NAMES: [&str; 3] = ["etcd-0.example", "etcd-1.example", "etcd-2.example"];

/// Dials where it was told that a name is.
#[derive(Clone, Debug)]
struct Hosts([SocketAddr; 3]);

impl Service<Target> for Hosts {
    type Response = TcpStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let Address::Tcp { host, .. } = target.endpoint.address() else { panic!("no TCP endpoint") };
        let index = NAMES.iter().position(|name| **name == **host).expect("a known host");
        Box::pin(TcpStream::connect(self.0[index]))
    }
}

/// One member behind three fronts, each with a certificate for its own name only.
async fn fronts(cluster: &Cluster, certificates: &Certificates) -> [Front; 3] {
    let mut fronts = Vec::new();
    for name in NAMES {
        let identity = certificates.issue_server(name, &[name]).expect("written");
        fronts.push(Front::start(Some(&cluster.endpoints()[0]), Speaks::with(&identity).config()).await);
    }
    fronts.try_into().unwrap_or_else(|_| panic!("three"))
}

/// All three are used, each was asked for by its name, and the others serve when the first is gone.
async fn each_by_its_name(client: Client, fronts: [Front; 3]) {
    eventually("each has a connection", async || fronts.iter().all(|front| !front.shown().is_empty())).await;
    for (front, name) in fronts.iter().zip(NAMES) {
        assert_eq!(front.shown()[0].server_name.as_deref(), Some(name));
    }
    let [first, others @ ..] = fronts;
    drop(first);
    for _ in 0..100 {
        let got = timeout(PATIENCE, client.get("k")).await.expect("in time");
        got.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    drop(others);
}

#[tokio::test]
async fn the_host_of_each_endpoint_is_its_name() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let fronts = fronts(&cluster, &certificates).await;
    let hosts = Hosts([fronts[0].address, fronts[1].address, fronts[2].address]);
    let client = Client::builder(NAMES).connector(hosts).tls(trusting(&certificates)).build().expect("built");
    each_by_its_name(client, fronts).await;
}

#[tokio::test]
async fn a_name_can_be_set_for_each_endpoint() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let fronts = fronts(&cluster, &certificates).await;
    let endpoints = [&fronts[0], &fronts[1], &fronts[2]].map(Front::endpoint);
    let set = |tls: Tls, (endpoint, name): (&String, &str)| tls.server_name_for(endpoint, name);
    let tls = endpoints.iter().zip(NAMES).fold(trusting(&certificates), set);
    let client = super::client(&endpoints, tls);
    each_by_its_name(client, fronts).await;
}

#[tokio::test]
async fn member_with_a_wrong_name_is_skipped() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let good = Front::start(Some(&cluster.endpoints()[0]), Speaks::with(&certificates.server).config()).await;
    let other = certificates.issue_server("other", &[NAMES[0]]).expect("written");
    let bad = Front::start(Some(&cluster.endpoints()[0]), Speaks::with(&other).config()).await;
    let client = super::client([bad.endpoint(), good.endpoint()], trusting(&certificates));
    for _ in 0..100 {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    assert!(bad.shown().is_empty());
}
