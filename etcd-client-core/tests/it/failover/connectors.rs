//! Connectors of users' own that misbehave.

use std::{
    future::{Ready, ready},
    io,
    task::{Context, Poll},
};

use etcd_client_core::{Address, Client, ErrorKind, Target};
use tokio::net::TcpStream;
use tower_service::Service;

use super::service::member;

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
async fn one_that_panics_is_trouble_with_one_endpoint() {
    let server = member().await;
    let endpoints = ["http://127.0.0.1:1".to_owned(), server.endpoint()];
    let client = Client::builder(endpoints).connector(Panics).build().expect("built");
    for _ in 0..100 {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    let alone = Client::builder(["http://127.0.0.1:1"]).connector(Panics).build().expect("built");
    let limit = std::time::Duration::from_millis(300);
    let error = alone.ready_within(limit).await.expect_err("it never connects");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert!(error.report().to_string().contains("panicked"), "{}", error.report());
}
