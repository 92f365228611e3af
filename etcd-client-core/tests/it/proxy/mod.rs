//! Clients behind an HTTP proxy: what goes through it, and what they say when it gives no tunnel.

mod tunnels;

use std::{
    future::{Ready, ready},
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{
    Client, ErrorKind,
    transport::{HttpProxy, Target},
};
use etcd_testkit::scripted::{Raw, Server};
use tokio::io::DuplexStream;
use tower_service::Service;

use self::tunnels::{Conduct, Proxy};
use crate::{
    failover::service::{free_port, member},
    servers::{eventually, shared},
};

/// Nobody resolves this name but the proxy, which takes it for the member it was started for.
const MEMBER: &str = "http://etcd-0.internal:2379";

const SOON: Duration = Duration::from_millis(500);

fn client(member: &str, proxy: HttpProxy) -> Client {
    Client::builder([member]).proxy(proxy).build().expect("valid")
}

/// What a client says that does not become ready.
async fn trouble(proxy: &str) -> String {
    let client = client(MEMBER, HttpProxy::new(proxy).expect("valid"));
    let mut report = String::new();
    eventually("the proxy has been asked", async || {
        let error = client.wait_ready(SOON).await.expect_err("no tunnel");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
        report = error.report().to_string();
        error.attempts().iter().all(|attempt| attempt.reason() != "not connected yet")
    })
    .await;
    assert!(!report.contains("s3cret"), "{report}");
    report
}

#[tokio::test]
async fn calls_on_a_real_member_go_through_one_tunnel() {
    let Some(cluster) = shared() else { return };
    let proxy = Proxy::start(Conduct::Dial(None)).await;
    let through = HttpProxy::new(proxy.url()).expect("valid").including_loopback();
    let client = client(cluster.member(0).endpoint(), through);
    for i in 0..20 {
        client.put(format!("proxy/{i}"), "v").await.expect("put");
    }
    assert_eq!(client.get("proxy/").prefix().await.expect("get").count, 20);
    let member = cluster.member(0).endpoint().trim_start_matches("http://");
    assert_eq!(proxy.requests(), [format!("CONNECT {member} HTTP/1.1")]);
}

#[tokio::test]
async fn loopback_is_dialled_directly_by_default() {
    let (server, proxy) = (member().await, Proxy::start(Conduct::Status("403 Forbidden")).await);
    let through = HttpProxy::new(proxy.url()).expect("valid");
    client(&server.endpoint(), through).put("k", "v").await.expect("put");
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
}

#[tokio::test]
async fn the_proxy_resolves_the_members_name_and_gets_the_credentials() {
    let server = member().await;
    let conduct = Conduct::Authorized("Basic YXBwOnMzY3JldA==", server.endpoint());
    let proxy = Proxy::start(conduct).await;
    let good = proxy.url().replace("http://", "http://app:s3cret@");
    client(MEMBER, HttpProxy::new(good).expect("valid")).put("k", "v").await.expect("put");
    assert_eq!(proxy.requests(), ["CONNECT etcd-0.internal:2379 HTTP/1.1"]);

    let said = trouble(&proxy.url()).await;
    assert!(said.contains("requires a user and a password (407)"), "{said}");
    let said = trouble(&proxy.url().replace("http://", "http://app:wrong-s3cret@")).await;
    assert!(said.contains("rejected the user or the password (407)"), "{said}");
}

#[tokio::test]
async fn proxy_rejection_includes_its_status() {
    for status in ["403 Forbidden", "502 Bad Gateway", "302 Found"] {
        let proxy = Proxy::start(Conduct::Status(status)).await;
        let said = trouble(&proxy.url()).await;
        let expected = format!("returned {status} for CONNECT etcd-0.internal:2379");
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains(&proxy.url()["http://".len()..]), "{said}");
    }
}

#[tokio::test]
async fn invalid_proxies_are_named() {
    let said = trouble(&format!("http://127.0.0.1:{}", free_port())).await;
    assert!(said.contains("is unreachable: Connection refused"), "{said}");
    for raw in [Raw::Close, Raw::Say("SSH-2.0-x\r\n".into())] {
        let server = Server::raw(raw).await.expect("a free port");
        let said = trouble(&server.endpoint()).await;
        assert!(said.contains("returned no HTTP response to CONNECT etcd-0.internal:2379"), "{said}");
    }
}

/// Gives streams at whose other end nobody answers.
#[derive(Clone, Debug, Default)]
struct Hangs {
    others: Arc<Mutex<Vec<DuplexStream>>>,
}

impl Service<Target> for Hangs {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Ready<io::Result<DuplexStream>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        assert_eq!(target.endpoint.authority(), "proxy.internal:3128", "the proxy is what is dialled");
        let (ours, other) = tokio::io::duplex(1 << 16);
        self.others.lock().expect("no panic").push(other);
        ready(Ok(ours))
    }
}

#[tokio::test(start_paused = true)]
async fn hung_proxy_is_abandoned_within_the_connect_timeout() {
    let proxy = HttpProxy::new("http://proxy.internal:3128").expect("valid");
    let hangs = Hangs::default();
    let client = Client::builder([MEMBER]).connector(hangs.clone()).proxy(proxy).build().expect("valid");
    let error = client.wait_ready(Duration::from_secs(30)).await.expect_err("no tunnel");
    assert!(error.report().to_string().contains("no response within 5 s"), "{}", error.report());
    let dialled = hangs.others.lock().expect("no panic").len();
    // An attempt that is not answered gets company after 1, 2 and 3 s.
    assert!((3..=7).contains(&dialled.div_ceil(4)), "{dialled} connections in 30 s, up to four in each 5 s");
}
