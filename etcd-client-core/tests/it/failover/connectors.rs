//! What is dialled, and connectors of users' own that misbehave.

use std::{
    future::{Future, Ready, ready},
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use etcd_client_core::{
    Client, ErrorKind,
    transport::Target,
    types::{Address, Endpoint},
};
use etcd_testkit::Cluster;
use tokio::net::TcpStream;
use tower_service::Service;

use super::service::{PUT, member};
use crate::servers::{PATIENCE, eventually};

/// Panics for the endpoint of port 1, and dials the others.
#[derive(Clone, Copy, Debug)]
struct Panics;

impl Service<Target> for Panics {
    type Response = TcpStream;
    type Error = io::Error;
    type Future = Ready<io::Result<TcpStream>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let Address::Tcp { host, port } = target.endpoint.address() else { panic!("no TCP endpoint") };
        assert_ne!(*port, 1, "this connector cannot count to one");
        let stream = std::net::TcpStream::connect((&**host, *port));
        ready(stream.and_then(|stream| {
            stream.set_nonblocking(true)?;
            TcpStream::from_std(stream)
        }))
    }
}

#[tokio::test]
async fn panicking_connector_affects_one_endpoint() {
    let server = member().await;
    let endpoints = ["http://127.0.0.1:1".to_owned(), server.endpoint()];
    let client = Client::builder(endpoints).connector(Panics).build().expect("built");
    for _ in 0..100 {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    let alone = Client::builder(["http://127.0.0.1:1"]).connector(Panics).build().expect("built");
    let limit = std::time::Duration::from_millis(300);
    eventually("it is told that the connector panicked", async || {
        let error = alone.wait_ready(limit).await.expect_err("it never connects");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
        error.report().to_string().contains("panicked")
    })
    .await;
}

/// Knows one name, whose port may change.
#[derive(Clone, Debug)]
struct Names {
    port: Arc<Mutex<u16>>,
}

impl Service<Target> for Names {
    type Response = TcpStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let Address::Tcp { host, .. } = target.endpoint.address() else { panic!("no TCP endpoint") };
        assert_eq!(&**host, "etcd.example", "the connector is given the name, to look it up each time");
        Box::pin(TcpStream::connect(("127.0.0.1", *self.port.lock().expect("no panic"))))
    }
}

#[tokio::test]
async fn a_name_that_moves_is_followed_at_the_next_connection() {
    let (first, second) = (member().await, member().await);
    let names = Names { port: Arc::new(Mutex::new(first.port())) };
    let builder = Client::builder(["http://etcd.example:2379"]).connector(names.clone());
    let client = builder.timeout(PATIENCE).build().expect("built");
    client.put("k", "v").await.expect("put");
    *names.port.lock().expect("no panic") = second.port();
    client.put("k", "v").await.expect("the connection stands");
    assert_eq!((first.received(PUT), second.received(PUT)), (2, 0));
    drop(first);
    eventually("it is found where it moved", async || client.put("k", "v").await.is_ok()).await;
    assert_eq!(second.received(PUT), 1);
}

#[tokio::test]
async fn a_unix_socket_is_dialled_and_dialled_again() {
    let Some(cluster) = Cluster::builder().unix_socket().start_or_skip().await else { return };
    let endpoint: Endpoint = cluster.endpoints()[0].parse().expect("an endpoint");
    assert!(matches!(endpoint.address(), Address::Unix { .. }), "{endpoint}");
    let client = Client::builder([endpoint]).timeout(PATIENCE).build().expect("built");
    client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    cluster.member(0).restart().await.expect("restarted");
    let got = client.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(got.kvs[0].value, "v");
}
