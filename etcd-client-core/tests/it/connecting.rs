//! The cost of the check of a new connection: one request, and little time next to a connection without it.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::{env, time::Duration};

use bytes::Bytes;
use etcd_client_core::Client;
use etcd_testkit::Cluster;
use http::Request;
use tokio::{net::TcpStream, time::Instant};

use crate::servers::{client, metric};

fn connections() -> usize {
    env::var("ETCD_CONNECTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Connects as the client does, TCP, HTTP/2 and one PING, with or without an empty Txn beside the PING. Returns the time until both
/// are answered.
async fn connect(address: &str, checked: bool) -> Duration {
    let started = Instant::now();
    let io = TcpStream::connect(address).await.expect("it listens");
    io.set_nodelay(true).expect("a socket");
    let (send, mut connection) = h2::client::handshake(io).await.expect("HTTP/2");
    let mut pings = connection.ping_pong().expect("the first handle");
    let driver = tokio::spawn(connection);
    let mut send = send.ready().await.expect("it takes requests");
    let response = checked.then(|| {
        let request = Request::post(format!("http://{address}/etcdserverpb.KV/Txn"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let request = request.body(()).expect("a request");
        let (response, mut body) = send.send_request(request, false).expect("sent");
        body.send_data(Bytes::from_static(&[0; 5]), true).expect("sent");
        response
    });
    pings.ping(h2::Ping::opaque()).await.expect("answered");
    if let Some(response) = response {
        let mut body = response.await.expect("answered").into_body();
        let mut bytes = 0;
        while let Some(data) = body.data().await {
            bytes += data.expect("no error").len();
        }
        assert!(bytes > 5, "a header");
    }
    let took = started.elapsed();
    driver.abort();
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn ready(client: &Client, endpoint: &str) -> Duration {
    let started = Instant::now();
    let only = client.for_endpoint(endpoint).expect("valid");
    only.ready().await.unwrap_or_else(|error| panic!("{}", error.report()));
    let took = started.elapsed();
    only.close().await;
    took
}

#[tokio::test]
async fn a_connection_costs_one_request() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let member = cluster.member(0);
    let client = client(cluster.endpoints());
    client.put("k", "v").await.expect("put");
    let requests = async || metric(member, "grpc_server_started_total", &[]).await;
    let before = requests().await;
    let mut checked = Vec::new();
    for _ in 0..connections() {
        checked.push(ready(&client, member.endpoint()).await);
    }
    let sent = requests().await - before;
    assert!((sent - connections() as f64).abs() < 0.5, "{sent} requests for {} connections", connections());

    let address = member.tcp_endpoint().trim_start_matches("http://");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..connections() {
        without.push(connect(address, false).await);
        with.push(connect(address, true).await);
    }
    let (with, without) = (median(with), median(without));
    println!(
        "etcd {}: {} connections: medians {without:?} without the check, {with:?} with it, {:.2} times; {:?} until a client is ready",
        cluster.version(),
        connections(),
        with.as_secs_f64() / without.as_secs_f64(),
        median(checked),
    );
}
