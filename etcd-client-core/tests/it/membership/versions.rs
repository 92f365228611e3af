//! The refusal of clusters that are too old.

use std::{
    future::{pending, ready as ready_now},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, Error, ErrorKind, transport::Target, types::Address};
use tokio::{io::DuplexStream, time::Instant};
use tower_service::Service;

use super::rig::{Member, STATUS};
use crate::servers::shared;

async fn ready(least: &str, endpoints: &[String]) -> Result<(), Error> {
    let client = Client::builder(endpoints).min_server_version(least).build().expect("valid");
    client.ready().await
}

async fn member(version: &str) -> Member {
    Member::saying(|says| says.version = version.to_owned()).await
}

#[tokio::test]
async fn a_member_that_is_older_is_named() {
    let (old, new) = (member("3.5.21").await, member("3.6.5").await);
    let both = [new.endpoint(), old.endpoint()];
    for least in ["3.4", "3.5", "3.5.21"] {
        ready(least, &both).await.unwrap_or_else(|error| panic!("{least}: {}", error.report()));
    }
    for least in ["3.5.22", "3.6"] {
        let error = ready(least, &both).await.expect_err(least);
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some("ready")));
        let expected = format!("the member at {} runs etcd 3.5.21", old.endpoint());
        assert!(error.message().contains(&expected), "{error}");
        ready(least, &both[..1]).await.unwrap_or_else(|error| panic!("{least}: {}", error.report()));
    }
}

#[tokio::test]
async fn invalid_versions_are_rejected() {
    for version in ["", "latest", &"9".repeat(100_000)] {
        let odd = member(version).await;
        let error = ready("3.5", &[odd.endpoint()]).await.expect_err(version);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
        assert!(error.message().len() < 200, "{error}");
    }
    for least in ["", "3", "v3.5", "three"] {
        let error = Client::builder(["http://a:1"]).min_server_version(least).build().expect_err(least);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("min_server_version")));
    }
}

/// Dials a member in memory by the host name `up`. The host `refused` refuses, and any other one never answers.
#[derive(Clone, Debug)]
struct Paths(Arc<Member>);

impl Service<Target> for Paths {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        match target.endpoint.address() {
            Address::Tcp { host, .. } if &**host == "up" => Box::pin(ready_now(Ok(self.0.server.connect()))),
            Address::Tcp { host, .. } if &**host == "refused" => {
                Box::pin(ready_now(Err(io::ErrorKind::ConnectionRefused.into())))
            }
            _ => Box::pin(pending()),
        }
    }
}

/// Virtual time: connecting to the silent member takes 5 s to fail.
#[tokio::test(start_paused = true)]
async fn members_that_are_down_are_not_waited_for() {
    let up = Arc::new(member("3.6.5").await);
    let endpoints = ["http://refused:1", "http://silent:1", "http://up:1"];
    let builder = Client::builder(endpoints).connector(Paths(up)).min_server_version("3.5");
    let started = Instant::now();
    builder.build().expect("valid").ready().await.expect("one member is new enough");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn accepted_versions_are_requested_once() {
    let up = member("3.6.5").await;
    let client = Client::builder([up.endpoint()]).min_server_version("3.5").build().expect("valid");
    client.put("k", "v").await.expect("calls are not held back");
    assert_eq!(up.server.received(STATUS), 0);
    for _ in 0..5 {
        client.ready().await.expect("ready");
    }
    assert_eq!(up.server.received(STATUS), 1);
    up.change(|says| says.version = "3.1".to_owned());
    client.ready().await.expect("what was good once stays good");
}

#[tokio::test]
async fn endpoints_added_later_are_checked() {
    let (old, new) = (member("3.4.39").await, member("3.6.5").await);
    let client = Client::builder([new.endpoint()]).min_server_version("3.5").build().expect("valid");
    client.ready().await.expect("new enough");
    client.set_endpoints([new.endpoint(), old.endpoint()]).expect("valid");
    for _ in 0..2 {
        let error = client.ready().await.expect_err("one member is older");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
        assert!(error.message().contains(&old.endpoint()), "{error}");
    }
    old.change(|says| says.version = "3.5.0".to_owned());
    client.ready().await.expect("it was upgraded");
    assert_eq!(new.server.received(STATUS), 1, "the version of the first endpoint is known");
    client.set_endpoints([old.endpoint()]).expect("valid");
    client.ready().await.expect("new enough");
    client.set_endpoints([old.endpoint(), new.endpoint()]).expect("valid");
    client.ready().await.expect("new enough");
    assert_eq!(new.server.received(STATUS), 2, "it was removed in between");
}

/// Virtual time: connecting to the silent member takes 5 s to fail.
#[tokio::test(start_paused = true)]
async fn members_that_are_down_delay_ready_once() {
    let up = Arc::new(member("3.6.5").await);
    let builder = Client::builder(["http://up:1"]).connector(Paths(up)).min_server_version("3.5");
    let client = builder.build().expect("valid");
    client.ready().await.expect("new enough");
    client.set_endpoints(["http://up:1", "http://silent:1"]).expect("valid");
    client.ready().await.expect("one member is new enough");
    let started = Instant::now();
    client.ready().await.expect("one member is new enough");
    assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_real_member() {
    let Some(cluster) = shared() else { return };
    ready("3.4", &cluster.endpoints()).await.expect("all supported lines are newer");
    let error = ready("99.0", &cluster.endpoints()).await.expect_err("not out yet");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
}
